"""Run all measurements, print the table, and write it beside this file."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.cases import CASES

if TYPE_CHECKING:
    from benchmarks.figure import Figure

PACKAGES = ("robota-nb", "ipython", "ipykernel", "openai")


def main() -> int:
    """Return 1 if a limit is missed."""
    wanted = sys.argv[1:]
    figures: list[Figure] = []
    for case in CASES:
        if not wanted or case.__name__ in wanted:
            for figure in case():
                figures.append(figure)
                print(line(figure), flush=True)
    if not wanted:
        Path(__file__).with_name("RESULTS.md").write_text(page(figures), encoding="utf-8")
    return 0 if all(figure.holds for figure in figures) else 1


def line(figure: Figure) -> str:
    """Return a figure as a line of the table."""
    limit = "" if figure.limit is None else f"≤ {number(figure.limit)}"
    mark = "" if figure.limit is None else ("yes" if figure.holds else "**no**")
    return f"| {figure.what} | {number(figure.value)} {figure.unit} | {limit} | {mark} | {figure.note} |"


def number(value: float) -> str:
    """Return a number with as many digits as mean something."""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


PAGE = """\
# Results

Written by `python -m benchmarks`. Each comparison runs in turns (ours, bare, ours, bare, …) in two kernels of the same
kind, against the same local server in a process of its own; the figures are medians. *Bare* is the typed `openai` loop
that prints its text once. Times are whole round trips of a cell, from the request to the idle kernel; traffic is all
that the kernel sends on iopub, the entries of the snapshot included.

Python {python}, {packages}; {cores} cores.

| what | figure | limit | holds | |
| --- | --- | --- | --- | --- |
{lines}
"""


def page(figures: list[Figure]) -> str:
    """Return the page with the table and what it was measured on."""
    return PAGE.format(
        python=platform.python_version(),
        packages=", ".join(f"{package} {version(package)}" for package in PACKAGES),
        cores=os.cpu_count(),
        lines="\n".join(map(line, figures)),
    )


if __name__ == "__main__":
    sys.exit(main())
