"""What a front end and a kernel say to each other about the open document; docs/protocol.md tells when, and why.

The types that the labextension's JavaScript is checked with are made of these (``python -m tests.typedefs``).
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypeAlias, TypedDict

from robota_nb.core.cell_source import CellSource  # noqa: TC001 - what a message must be is read from its hints
from robota_nb.core.record.json_types import JsonTypeError, check, check_message


class CommOpen(TypedDict):
    """The data of the comm that the kernel opens."""

    version: str


class Chunk(TypedDict):
    """A piece of the text of a message to the kernel, in the metadata of a request."""

    message: str
    chunk: int
    of: int
    text: str


def as_chunk(data: object) -> Chunk | None:
    """Return what a request carries as a piece of a message; None if it is anything else."""
    try:
        return check(data, Chunk)
    except JsonTypeError:
        return None


class Change(TypedDict):
    """The entries of one session that come, by id, and the ids of those that go."""

    add: dict[str, object]
    remove: list[str]


# -- from the front end to the kernel


CodeCell: TypeAlias = list[str | list[str]]
"""A code cell: its id, the hash of its source, and if it has outputs, the turns that they show."""


ReplayMode: TypeAlias = Literal["auto", "strict"]


class Open(TypedDict):
    """There is a front end, and this is its document.

    ``locale`` is the language that it speaks, such as ``ko-KR``; ``updates`` is whether its outputs can be updated.

    ``prose``, here and in `Cells`, are the hashes of the Markdown cells, where a cell asks with others.
    """

    op: Literal["open"]
    page: NotRequired[str]
    version: NotRequired[str]
    locale: NotRequired[str]
    path: NotRequired[str]
    root: NotRequired[str]
    cells: NotRequired[list[CodeCell]]
    dirty: NotRequired[bool]
    value: NotRequired[object]
    replay: NotRequired[str | None]
    trust: NotRequired[bool]
    allow: NotRequired[list[str]]
    problem: NotRequired[str]
    size: NotRequired[int]
    updates: NotRequired[bool]
    prose: NotRequired[list[str]]


_Splice = TypedDict("_Splice", {"from": NotRequired[int], "gone": NotRequired[int]})


class Cells(_Splice):
    """The code cells of the document have changed: from a place on, so many are gone, and these stand there.

    That is of the cells that the same page has told last. Without a place these are all.
    """

    op: Literal["cells"]
    page: NotRequired[str]
    cells: list[CodeCell]
    prose: NotRequired[list[str]]


class Sources(TypedDict):
    """All cells of the document, from the top: the code cell ``cell``, which asks with others, is about to run."""

    op: Literal["sources"]
    cell: str
    cells: list[CellSource]


class Changed(TypedDict):
    """Somebody else has changed the value in the document."""

    op: Literal["changed"]
    sessions: dict[str, Change]


class Renamed(TypedDict):
    """The document has another path."""

    op: Literal["renamed"]
    path: NotRequired[str]
    root: NotRequired[str]


class Accept(TypedDict):
    """Let stale answers stand: those of some cells, or all."""

    op: Literal["accept"]
    cells: NotRequired[list[str]]


class Again(TypedDict):
    """The next execution of this cell is to ask the model, whatever is recorded."""

    op: Literal["again"]
    cell: str


class Replay(TypedDict):
    """The user has chosen whether anything may be asked."""

    op: Literal["replay"]
    mode: ReplayMode


class Why(TypedDict):
    """Answer with an `Insert`: a cell that asks why another one, of this source, has ended with this error."""

    op: Literal["why"]
    page: str
    cell: str
    source: str
    ename: str
    evalue: str
    traceback: str


class Flush(TypedDict):
    """Write what waits for an idle moment, and answer `Flushed`."""

    op: Literal["flush"]


class Ack(TypedDict):
    """The document holds all writes up to this one."""

    op: Literal["ack"]
    seq: int


class Saved(TypedDict):
    """The document was saved with all writes up to this one, and its file holds them."""

    op: Literal["saved"]
    seq: int


class Dropped(TypedDict):
    """The document was saved with all writes up to this one, but its file does not hold all that was saved."""

    op: Literal["dropped"]
    seq: int


FromFrontEnd: TypeAlias = (
    Open | Cells | Sources | Changed | Renamed | Accept | Again | Why | Replay | Flush | Ack | Saved | Dropped
)
"""What a front end says to a kernel."""


def from_front_end(data: object) -> FromFrontEnd:
    """Return what came from a page as the message that it is.

    Raises
    ------
    JsonTypeError
        If it is none, or a field is missing or of another type.
    """
    message: FromFrontEnd = check_message(data, FromFrontEnd)
    return message


# -- from the kernel to the front end


class Write(TypedDict):
    """Change the value in the document, and answer `Ack`; with *replace*, drop first what stands there."""

    op: Literal["write"]
    seq: int
    replace: bool
    sessions: dict[str, Change]


class Notice(TypedDict):
    """Show the user a text."""

    op: Literal["notice"]
    text: str


MarkState: TypeAlias = Literal[
    "asked", "replayed", "recorded", "edited", "stale", "new", "out", "cut", "failed", "purged"
]


class Mark(TypedDict):
    """What is to be said at a cell.

    ``hash`` is that of the source that ran, ``why`` a sentence, and ``by`` is ``hand`` if a click chose its settings.
    """

    state: MarkState
    hash: str
    chat: str
    model: str
    turn: str
    why: NotRequired[str]
    by: NotRequired[str]
    tokens: NotRequired[int]


class Marks(TypedDict):
    """Marks of cells by their ids that are other ones than before; null takes one away, and ``whole`` all before it.

    How many answers are ``stale``, and how many this kernel has asked and replayed, with how many tokens, or
    ``at_least`` so many.
    """

    op: Literal["marks"]
    cells: dict[str, Mark | None]
    stale: int
    asked: int
    replayed: int
    tokens: int
    at_least: NotRequired[bool]
    whole: NotRequired[bool]


class Pictures(TypedDict):
    """Whether answers show pictures of public servers; until it is said, they do not."""

    op: Literal["pictures"]
    remote: bool


class Insert(TypedDict):
    """Put a code cell below another one, in the page of that name, and do not run it."""

    op: Literal["insert"]
    page: str
    below: str
    source: str


class NewCode(TypedDict):
    """Put a source into a cell, if the hash of the one that stands there is this; else into a new cell below it."""

    op: Literal["code"]
    cell: str
    hash: str
    source: str


class Save(TypedDict):
    """Save the document, and answer `Saved`."""

    op: Literal["save"]


class Flushed(TypedDict):
    """All is written: how many requests this kernel has sent to models, and the turns that it has asked."""

    op: Literal["flushed"]
    requests: int
    asked: list[str]


class Part(TypedDict):
    """A piece of the text of another message."""

    op: Literal["part"]
    at: int
    of: int
    text: str


FromKernel: TypeAlias = Write | Notice | Marks | Pictures | NewCode | Insert | Save | Flushed | Part
"""What a kernel says to a front end."""
