"""Small HTML of nothing but escaped text, for what is shown as the result of a cell.

What it shows are texts from strangers. So there are no links, pictures or scripts in it, long texts are cut, and
characters that only act on others (controls, changes of direction) are left out.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from robota_nb.core.record.text import count, seen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ROWS = 20
"""How many rows a table shows."""

_CELL = 400
_TEXT = 4000
_SUMMARY = 80

_LINE = "border-bottom: 1px solid var(--jp-border-color2, #ccc)"
_TABLE = "border-collapse: collapse; color: var(--jp-content-font-color1, inherit)"
_HEAD = f"text-align: left; padding: 2px 8px; {_LINE}"
_DATA = (
    f"text-align: left; vertical-align: top; padding: 2px 8px; white-space: pre-wrap; unicode-bidi: isolate; {_LINE}"
)
_BOX = "white-space: pre-wrap; unicode-bidi: isolate; color: var(--jp-content-font-color1, inherit)"
_NOTE = "unicode-bidi: isolate; color: var(--jp-content-font-color2, #666)"


def div(name: str, *inner: str) -> str:
    """Return HTML in an element whose class says what it shows."""
    return f'<div class="robota-{name}">{"".join(inner)}</div>'


def note(text: str) -> str:
    """Return a dim line."""
    return f'<div style="{_NOTE}">{_escaped(text, _CELL)}</div>'


def box(text: str) -> str:
    """Return a text with its line breaks."""
    return f'<div style="{_BOX}">{_escaped(text, _TEXT)}</div>'


def folded(text: str) -> str:
    """Return a text of which only the beginning is seen until it is opened."""
    return f'<details style="{_NOTE}"><summary>{_escaped(text, _SUMMARY)}</summary>{box(text)}</details>'


def table(columns: Iterable[str], rows: Iterable[Sequence[str]], *, left_out: int, what: str) -> str:
    """Return a table, and a line on how many rows were *left_out*, with the noun for *what* they are."""
    head = "".join(f'<th style="{_HEAD}">{_escaped(name, _CELL)}</th>' for name in columns)
    cells = ("".join(f'<td style="{_DATA}">{_escaped(cell, _CELL)}</td>' for cell in row) for row in rows)
    body = "".join(f"<tr>{row}</tr>" for row in cells)
    more = note(f"and {count(left_out, what)} more") if left_out else ""
    return f'<table style="{_TABLE}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}'


def _escaped(text: str, limit: int) -> str:
    return escape(seen(text, limit))
