"""A cell of the notebook as a front end sends it, to go along with an ask."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

MAX_SOURCE = 100_000
"""Characters of a cell's source that are sent; of a longer one, the beginning."""

MAX_OUTPUT = 20_000
"""Characters of what a cell shows that are sent; of a longer text the end, which says most."""

MAX_PICTURES = 4
"""Pictures of a cell that are sent, the first ones."""


class CellSource(TypedDict):
    """A cell of the notebook: its id, and the hash and the text of its source.

    A front end may cut what is longer than is sent: then ``size`` is how many characters the source has. ``name`` and
    ``tags`` are those in the cell's metadata. Only where outputs go along there is the text of them as ``output``,
    ``pictures`` in base64, and how many are ``lost`` as they are too many or too large; ``pending`` says that the cell
    is still to run, so that what it will show is not known.
    """

    id: str
    type: Literal["code", "markdown"]
    hash: str
    source: str
    size: NotRequired[int]
    name: NotRequired[str]
    tags: NotRequired[list[str]]
    output: NotRequired[str]
    pictures: NotRequired[list[str]]
    lost: NotRequired[int]
    pending: NotRequired[bool]


def names_of(cell: CellSource) -> list[str]:
    """Return what a cell can be called by: its name, and its tags."""
    return [name for name in (cell.get("name", ""), *cell.get("tags", ())) if name]
