"""Run all measurements, print their tables, and write them beside this file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks import cases, scale
from benchmarks.compare import COMPARED
from benchmarks.contenders import BARE, CONTENDERS, OURS
from benchmarks.environments import CACHE, here, prepare
from benchmarks.page import line, markdown, page
from benchmarks.plot import draw
from benchmarks.table import Table

CASES = (*cases.CASES, *scale.CASES)
"""Of robota_nb alone, as the running interpreter has it."""
RESULTS = Path(__file__).with_name("RESULTS.md")
PLOT = RESULTS.with_name("results.svg")


def main(arguments: list[str] | None = None) -> int:
    """Return 1 if a limit is missed."""
    names = [case.__name__ for case in (*COMPARED, *CASES)]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"one of {', '.join(names)}")
    parser.add_argument(
        "--no-peers",
        action="store_true",
        help="only robota_nb and the bare client, as this interpreter has them; nothing is installed",
    )
    parser.add_argument("--environments", metavar="DIR", type=Path, default=CACHE, help="where they are; %(default)s")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(names):
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    entrants, missing = (here((OURS, BARE)), {}) if options.no_peers else prepare(CONTENDERS, options.environments)
    figures, tables = [], []
    for case in (*COMPARED, *CASES):
        if options.names and case.__name__ not in options.names:
            continue
        for found in case(entrants) if case in COMPARED else case():
            if isinstance(found, Table):
                tables.append(found)
                print(f"\n{markdown(found)}", flush=True)
            else:
                figures.append(found)
                print(line(found), flush=True)
    if not options.names and not options.no_peers:
        draw(PLOT, tables)
        RESULTS.write_text(page(figures, tables, entrants, missing, PLOT.name), encoding="utf-8")
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
