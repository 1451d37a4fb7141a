"""The values that a snapshot is made of: its entries by their kinds, and the plain values that stand in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

FinishReason: TypeAlias = Literal["stop", "length", "content_filter", "tool_calls", "interrupted", "error", "unknown"]
"""How an answer ended; ``unknown``: the stream ended cleanly and did not say that it was complete."""

CellPart: TypeAlias = Literal["", "code", "shown", "markdown", "output"]
"""What of a cell it is that goes along with a prompt; ``shown`` is code whose outputs go along, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture in a prompt, or in an answer.

    Parameters
    ----------
    media_type
        Such as ``image/png``.
    data
        The file's bytes.
    cell
        ``output`` if it is what a cell shows that goes along.
    """

    media_type: str
    data: bytes = field(repr=False)
    cell: CellPart = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file in a prompt.

    Parameters
    ----------
    name
        What the model is told that it is called; no path.
    media_type
        ``text/plain``, ``application/pdf``, ``audio/wav``, ``audio/mpeg``, or that of a picture.
    data
        The file's bytes; of a text, in UTF-8.
    absent
        Of a file that is too large for a notebook, and not on this machine: its SHA-256, in hex, and its size in bytes.
    cell
        What of a cell it is, if it is of one.
    source
        The hash of that cell's source, if it is that source.
    """

    name: str
    media_type: str
    data: bytes = field(repr=False)
    absent: tuple[str, int] | None = None
    cell: CellPart = ""
    source: str = ""


Attachment: TypeAlias = Image | File
"""What goes along with the text of a prompt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens as the provider reported them.

    Parameters
    ----------
    input_tokens, output_tokens
        Of the request, and of the answer; 0 for one that was not reported.
    more
        Whatever else was counted, such as ``cached_tokens`` and ``reasoning_tokens``, by name.
    at_least
        Whether there were more: one of the first two was not reported.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    more: Mapping[str, int] = field(default_factory=dict, hash=False)
    at_least: bool = False

    def __repr__(self) -> str:
        """Say what there is: mostly the first two alone."""
        more = {"more": self.more} if self.more else {}
        rest = more | ({"at_least": True} if self.at_least else {})
        said = {"input_tokens": self.input_tokens, "output_tokens": self.output_tokens, **rest}
        return f"Usage({', '.join(f'{name}={value!r}' for name, value in said.items())})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where an answer says that it has something from. Both are the words of strangers.

    Parameters
    ----------
    title
        What it is called; may be empty.
    url
        A web address; empty if there is none that can be a link.
    """

    title: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Besides:
    """What an answer has beside its text.

    Parameters
    ----------
    sources
        What it names as its sources, in its own order: answers refer to them by their numbers, from 1.
    pictures
        The pictures in it.
    refused
        Whether the model has refused to answer; the text then is what it said instead.
    more_sources, lost_pictures
        How many came that are not among them, as they were too many or too large, or no pictures that are known.
    """

    sources: tuple[Source, ...] = ()
    pictures: tuple[Image, ...] = ()
    refused: bool = False
    more_sources: int = 0
    lost_pictures: int = 0


TEXT_ALONE = Besides()
"""Nothing, as with most answers."""


CallStatus: TypeAlias = Literal["ok", "error", "invalid", "unknown", "denied", "interrupted"]
"""What became of a call.

``ok``: the tool has returned; ``error``: it has raised; ``invalid``: its arguments do not fit; ``unknown``: no tool of
that name was offered; ``denied``: the user has refused it; ``interrupted``: it was stopped, or never begun.
"""

CallBy: TypeAlias = Literal["", "asked", "allowed", "safe"]
"""Why a call was run. ``asked``: its user has agreed; ``allowed``: it was allowed before; ``safe``: the tool only
reads; empty if it was not run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    """A tool, as a model is offered it.

    Parameters
    ----------
    name
        What it is called by: letters, digits, ``_`` and ``-``.
    description
        What it does, for the model.
    parameters
        The JSON schema of its arguments, an object's, as JSON text.
    """

    name: str
    description: str = ""
    parameters: str = '{"properties":{},"type":"object"}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call of a tool by a model, and what became of it.

    Parameters
    ----------
    id
        What the server calls it.
    name, arguments
        The tool, and its arguments as the model wrote them: JSON text.
    result
        What the model was told: what the tool returned, or why it did not.
    status, by
        What became of it, and why it was run.
    source
        The hash of the source that the tool had, if it was a function of the notebook.
    printed
        What it printed and showed in this kernel; it is not recorded.
    """

    id: str
    name: str
    arguments: str
    result: str = ""
    status: CallStatus = "interrupted"
    by: CallBy = ""
    source: str = ""
    printed: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A part of an answer that another request has followed: what the model said, and the tools that it called.

    Parameters
    ----------
    text
        What it said.
    calls
        What it called, in order.
    usage
        The tokens of this part, if they were reported.
    echo
        What the server wants back with it: JSON texts, of which only that server knows what they are.
    problem
        Why the text was not taken for the answer, where it was to have a form: one line for each fault.
    """

    text: str = ""
    calls: tuple[Call, ...] = ()
    usage: Usage | None = None
    echo: tuple[str, ...] = ()
    problem: tuple[str, ...] = ()


# -- entries

Entry: TypeAlias = Mapping[str, Any]
"""One immutable fact of a snapshot, as plain JSON, of whatever kind (see docs/format.md)."""

Entries: TypeAlias = Mapping[str, Mapping[str, Entry]]
"""Session id → entry id → entry."""


class SessionEntry(TypedDict):
    """A session begins; *config* is the entry with its default settings."""

    kind: Literal["session"]
    n: int
    at: str
    name: str
    config: NotRequired[str]


class ConfigEntry(TypedDict):
    """What requests are made with; *system* in lines, *params* as JSON texts.

    *again* is how often these very settings were purged before, as a stub stands under the id that they had.
    """

    kind: Literal["config"]
    provider: NotRequired[str]
    model: NotRequired[str]
    system: NotRequired[list[str]]
    params: NotRequired[dict[str, str]]
    more: NotRequired[list[list[str]]]
    again: NotRequired[int]


ChatEntry = TypedDict(
    "ChatEntry",
    {"kind": Literal["chat"], "n": int, "at": str, "chat": str, "name": str, "config": str, "from": NotRequired[str]},
)
"""A chat begins; with *from*, as a fork at that message."""


class ImagePart(TypedDict):
    """A place in a message's content where a picture, or with a *name* a file, stands; *image* is its entry's id.

    *cell* says what of a cell it is, as in `CellPart`, and *source* is the hash of the source that it is.
    """

    image: str
    name: NotRequired[str]
    cell: NotRequired[str]
    source: NotRequired[str]


class PictureItem(TypedDict):
    """A picture in an answer; *data* is Base64, in lines."""

    media_type: str
    data: list[str]


class CallItem(TypedDict):
    """A call of a tool, as in `Call`; *arguments* and *result* in lines."""

    id: str
    name: str
    arguments: list[str]
    result: list[str]
    status: str
    by: NotRequired[str]
    source: NotRequired[str]


class StepItem(TypedDict):
    """A part of an answer, as in `Step`; *content* in lines."""

    content: NotRequired[list[str]]
    calls: NotRequired[list[CallItem]]
    usage: NotRequired[dict[str, int]]
    echo: NotRequired[list[str]]
    problem: NotRequired[list[str]]


class ToolEntry(TypedDict):
    """A tool that was offered, as in `ToolSpec`; *description* and *parameters* in lines."""

    kind: Literal["tool"]
    name: str
    description: list[str]
    parameters: list[str]


class MessageEntry(TypedDict):
    """What was asked or answered, or what a tool returned.

    *cell* is [cell id or "", k-th ask of the execution, hash of the source]. *context* is all that was sent before a
    question, where that is not the path of its *parent*: the ids of the answers, oldest first. *after* is the id of the
    cell after which it was sent outside cells ("": above all of them), *by* is "code" if a cell's own Python asked, and
    *hand* what was clicked for it: by its key, each setting's [what the page gave, what was clicked].
    *reasoning* is what the model thought before an answer.
    *sources*, *pictures* and *refused* are an answer's, as in `Besides`; *left_out* is how many ``sources`` and
    ``pictures`` are not kept. *imported* is what a question comes from that was asked in another program.
    *tools* are the entries of the tools that were offered with a question; *steps* came before an answer's text, and
    *echo* is what its server wants back with it.
    """

    kind: Literal["message"]
    n: int
    at: str
    chat: str
    role: Literal["user", "assistant", "tool"]
    parent: NotRequired[str]
    content: list[str | ImagePart]
    context: NotRequired[list[str]]
    cell: NotRequired[list[str | int]]
    after: NotRequired[str]
    by: NotRequired[str]
    hand: NotRequired[dict[str, list[str]]]
    set: NotRequired[dict[str, str]]
    options: NotRequired[dict[str, str]]
    more: NotRequired[list[list[str]]]
    config: NotRequired[str]
    model: NotRequired[str]
    finish_reason: NotRequired[str]
    usage: NotRequired[dict[str, int]]
    reasoning: NotRequired[list[str]]
    sources: NotRequired[list[dict[str, str]]]
    pictures: NotRequired[list[PictureItem]]
    refused: NotRequired[Literal[1]]
    left_out: NotRequired[dict[str, int]]
    imported: NotRequired[str]
    tools: NotRequired[list[str]]
    steps: NotRequired[list[StepItem]]
    echo: NotRequired[list[str]]


class ActiveEntry(TypedDict):
    """Which session, and which chat in it, are the active ones from here on.

    *by* is "hand" if somebody clicked it, and nothing was asked there since.
    """

    kind: Literal["active"]
    n: int
    at: str
    chat: NotRequired[str]
    by: NotRequired[str]


class HeadEntry(TypedDict):
    """Where the chat's path ends from here on: at this message; without one, it is empty.

    *context* is what stands before the message, where that is not its own path.
    """

    kind: Literal["head"]
    n: int
    at: str
    chat: str
    message: NotRequired[str]
    context: NotRequired[list[str]]


class OptionEntry(TypedDict):
    """A setting of a chat that is no parameter of its requests is set; without a value, it is unset."""

    kind: Literal["option"]
    n: int
    at: str
    chat: str
    key: str
    value: NotRequired[str]


class SetEntry(TypedDict):
    """A property of a chat, or without a chat, of the session, is set; without a value, it is unset.

    *cell* is the cell that has set it, as in `MessageEntry`.
    """

    kind: Literal["set"]
    n: int
    at: str
    chat: NotRequired[str]
    key: str
    value: NotRequired[str]
    cell: NotRequired[list[str | int]]


class EffectsEntry(TypedDict):
    """What a cell did when it ran last, where its turns do not say the same.

    *cell* is [cell id or "", hash of the source], *ops* what it did, in order (see docs/format.md), and *also* the ids
    that it had before.
    """

    kind: Literal["effects"]
    n: int
    at: str
    cell: list[str]
    ops: list[dict[str, Any]]
    also: NotRequired[list[str]]


class AcceptEntry(TypedDict):
    """A turn stands as the answer to another request, too: after this *context*, with these settings."""

    kind: Literal["accept"]
    n: int
    at: str
    turn: str
    context: list[str]
    config: str


class OutsideEntry(TypedDict):
    """What was done to a chat outside cells, after the cell *after*, when its context was *context*.

    *op* is "drop" or "put" (these *turns* out of memory, or at its end), or "clear".
    """

    kind: Literal["outside"]
    n: int
    at: str
    chat: str
    op: str
    after: NotRequired[str]
    context: NotRequired[list[str]]
    turns: NotRequired[list[str]]


class SummaryEntry(TypedDict):
    """What a model made of these *turns*, which are the beginning of what a chat remembered; *asked*: what it was told.

    *config* is the entry with what it was asked with.
    """

    kind: Literal["summary"]
    n: int
    at: str
    chat: str
    turns: list[str]
    content: list[str]
    config: str
    asked: NotRequired[list[str]]
    model: NotRequired[str]
    usage: NotRequired[dict[str, int]]


class BeforeEntry(TypedDict):
    """What was sent before a *turn*, of which not all is here: a digest of what it *says*."""

    kind: Literal["before"]
    turn: str
    says: str


class ImageEntry(TypedDict):
    """A picture, or another file; *data* is Base64, in lines, and of ``text/plain`` the text itself, in lines.

    Of a file that is too large for a notebook it is empty, and *sha256* and *size* (in bytes) tell which one it is.
    """

    kind: Literal["image"]
    media_type: str
    data: list[str]
    sha256: NotRequired[str]
    size: NotRequired[int]


class PurgedEntry(TypedDict):
    """A stub: what stays, under the same id, of an entry whose text was removed for good; or is *missing*."""

    kind: Literal["purged"]
    missing: NotRequired[Literal[1]]
    n: NotRequired[int]
    chat: NotRequired[str]
    role: NotRequired[str]
    parent: NotRequired[str]


class Format(TypedDict):
    """The number of a snapshot's format."""

    major: int
    minor: int


class Snapshot(TypedDict):
    """What stands in a notebook's metadata: all entries of its sessions, by session id and entry id."""

    format: Format
    sessions: dict[str, dict[str, Entry]]
