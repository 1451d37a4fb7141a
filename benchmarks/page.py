"""The page of results: the limits first, then a table for each comparison."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from typing import TYPE_CHECKING

from benchmarks.contenders import BARE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.environments import Entrant
    from benchmarks.figure import Figure
    from benchmarks.table import Table

PACKAGES = ("ipython", "ipykernel", "openai")
HEAD = "| what | figure | limit | holds | |\n| --- | --- | --- | --- | --- |"

PAGE = """\
# Results

Written by `python -m benchmarks`. All who are compared run in turns (A B C, A B C, …), each in a kernel of its own
environment, against one local server in a process of its own. A figure is the median of the rounds, with the least and
the greatest beside it; a ratio is the median of the ratios within a round. Times are whole round trips of a cell, from
the request to the idle kernel; traffic is all that the kernel sends on iopub, the entries of the snapshot included.
*Bare* is `for chunk in client.chat.completions.create(…, stream=True)` with a `print` of each delta, of the same
`openai` in the same environment as robota_nb.

Python {python}, {packages}; {cores} cores.

## Limits

{limits}

![The answer of 10,000 chunks, and one more call in a long conversation]({plot})

## What is at its limit, and why

- *load + first answer*: the spread between rounds is larger than what is left. Beside `import openai`, the first
  command imports 35 ms of robota_nb, of which 43 dataclasses are 21 and patterns 12; part of it is won back, as no
  certificates are read for a server on this machine and no typed responses are imported.
- *fork, the command*: the line itself takes 0.8 ms in the kernel, a third of it to send the new chat to the notebook
  and an eighth to commit it to the store; the rest is the messages that the front end has to receive. It does not grow.
- *a saved notebook*: each line of an answer costs 24 bytes of JSON beside its text, once in the output and once in the
  snapshot. An answer with its paragraphs broken into 40 lines has 3.08.

{tables}

## Who was compared

{contenders}
"""


def line(figure: Figure) -> str:
    """Return a figure as a line of the table of limits."""
    limit = "" if figure.limit is None else f"≤ {number(figure.limit)}"
    mark = "" if figure.limit is None else ("yes" if figure.holds else "**no**")
    return f"| {figure.what} | {number(figure.value)} {figure.unit} | {limit} | {mark} | {figure.note} |"


def number(value: float) -> str:
    """Return a number with as many digits as mean something."""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def markdown(table: Table) -> str:
    """Return a comparison as Markdown: a row for each contender."""
    rows = [["", *table.columns]]
    for name in (*table.names, *(name for name in table.missing if name not in table.names)):
        row = [_cell(table, name, column) for column in table.columns]
        if reason := table.missing.get(name):
            row = [*(cell for cell in row if cell != NONE), f"not measured: {reason}"]
            row = (row + [""] * len(table.columns))[: len(table.columns)]
        rows.append([name, *row])
    return f"## {table.title}\n\n{table.note}\n\n{_rows(rows)}\n"


NONE = "—"


def _cell(table: Table, name: str, column: str) -> str:
    """Return a median with its range and, of a time, how it compares with the bare client."""
    values = table.values(name, column)
    if not values:
        return NONE
    text = number(table.median(name, column))
    if min(values) != max(values):
        text += f" ({number(min(values))}–{number(max(values))})"
    if column.endswith(", ms") and name != BARE.name and table.ratios(name, column, BARE.name):
        text += f", **{number(table.ratio(name, column, BARE.name))} ×**"
    return text


def _rows(rows: Sequence[Sequence[str]]) -> str:
    head, *body = rows
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in lines)


def about(entrants: Sequence[Entrant], missing: Mapping[str, str]) -> str:
    """Return the table of who was compared."""
    rows = [["", "version", "streams", "shows", "asks by", ""]]
    for entrant in entrants:
        who = entrant.contender
        ask = "the typed client" if who is BARE else f"`{who.ask.splitlines()[0].replace(' NUMBER', '')}`"
        rows.append([who.name, entrant.version(), "yes" if who.streams else "no", who.shows, ask, who.note])
    rows += [[name, "", "", "", "", f"not measured: {reason}"] for name, reason in missing.items()]
    return _rows(rows)


def page(
    figures: Sequence[Figure],
    tables: Sequence[Table],
    entrants: Sequence[Entrant],
    missing: Mapping[str, str],
    plot: str,
) -> str:
    """Return the page: the figures, the comparisons, and what they were measured with."""
    return PAGE.format(
        python=platform.python_version(),
        packages=", ".join(f"{package} {version(package)}" for package in PACKAGES),
        cores=os.cpu_count(),
        limits="\n".join((HEAD, *map(line, figures))),
        plot=plot,
        tables="\n".join(map(markdown, tables)).strip(),
        contenders=about(entrants, missing),
    )
