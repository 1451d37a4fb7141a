"""What a front end and a kernel say to each other about the open document; docs/protocol.md tells when, and why.

The types that the labextension's JavaScript is checked with are made of these (``python -m tests.typedefs``).
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypeAlias, TypedDict

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


class Open(TypedDict):
    """There is a front end, and this is its document."""

    op: Literal["open"]
    version: NotRequired[str]
    path: NotRequired[str]
    root: NotRequired[str]
    cells: NotRequired[list[list[str]]]
    dirty: NotRequired[bool]
    value: NotRequired[object]
    replay: NotRequired[str | None]
    problem: NotRequired[str]
    size: NotRequired[int]


class Cells(TypedDict):
    """The code cells of the document have changed."""

    op: Literal["cells"]
    cells: list[list[str]]


class Changed(TypedDict):
    """Somebody else has changed the value in the document."""

    op: Literal["changed"]
    sessions: dict[str, Change]


class Renamed(TypedDict):
    """The document has another path."""

    op: Literal["renamed"]
    path: NotRequired[str]
    root: NotRequired[str]


class Flush(TypedDict):
    """Write what waits for an idle moment, and answer `Flushed`."""

    op: Literal["flush"]


class Ack(TypedDict):
    """The document holds all writes up to this one."""

    op: Literal["ack"]
    seq: int


class Saved(TypedDict):
    """The document was saved with all writes up to this one."""

    op: Literal["saved"]
    seq: int


FromFrontEnd: TypeAlias = Open | Cells | Changed | Renamed | Flush | Ack | Saved
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


FromKernel: TypeAlias = Write | Notice | Save | Flushed | Part
"""What a kernel says to a front end."""
