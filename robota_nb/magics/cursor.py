"""Where somebody types in a cell: on a line of the magic, in the text that is to be sent, or elsewhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from robota_nb.magics.spelling import Names

__all__ = ["Place", "place_in"]

_LINE = re.compile(r"(?:[\w.,:\[\]'\" ]*=)?[^\S\n]*%(?P<name>\w+)(?P<rest>[^\S\n].*)?")
_FIRST = re.compile(r"(?:[^\S\n]*(?:#[^\n]*)?\n)*[^\S\n]*%%(?P<name>\w+)(?P<rest>(?:[^\S\n][^\n]*)?)")


class Place(NamedTuple):
    """A place in what is said to the magic.

    Parameters
    ----------
    kind
        Whether it is on the line of ``%robota`` or of ``%%robota``, or in the text below the latter.
    before
        What stands between the magic's name and the cursor; in a text, what stands there on the cursor's line.
    word
        The rest of the word at the cursor.
    """

    kind: Literal["line", "cell", "text"]
    before: str
    word: str


def place_in(cell: str, cursor: int, names: Names) -> Place | None:
    """Return the place of the cursor in a cell; None where nothing is said to the magic.

    Parameters
    ----------
    cell, cursor
        The cell, and where in it.
    names
        What the magic is called, as for `robota_nb.magics.spelling.Spelling`.
    """
    start = cell.rfind("\n", 0, cursor) + 1
    line, word = cell[start:cursor], re.split(r"\s", cell[cursor:], maxsplit=1)[0]
    first = _FIRST.match(cell)
    if first and first["name"] in names:
        if start > first.end():
            return Place("text", line, word)
        return Place("cell", _said(names[first["name"]], cell[first.start("rest") : cursor]), word)
    said = _LINE.fullmatch(line)
    if said is None or said["name"] not in names:
        return None
    return Place("line", _said(names[said["name"]], said["rest"] or ""), word)


def _said(before: str, rest: str) -> str:
    """Return what is said on a line: the words that an alias puts there, and those that are typed."""
    return f"{before}{rest}" if before and rest else before or rest
