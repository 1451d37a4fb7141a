"""The values that a snapshot is made of: its entries by their kinds, and the plain values that stand in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

FinishReason: TypeAlias = Literal["stop", "length", "content_filter", "tool_calls", "interrupted", "error", "unknown"]
"""How an answer ended; ``unknown``: the stream ended cleanly and did not say that it was complete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture in a prompt.

    Parameters
    ----------
    media_type
        Such as ``image/png``.
    data
        The file's bytes.
    """

    media_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens as the provider reported them.

    Parameters
    ----------
    input_tokens, output_tokens
        Of the request, and of the answer.
    """

    input_tokens: int
    output_tokens: int


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
    """What requests are made with; *system* in lines, *params* as JSON texts."""

    kind: Literal["config"]
    provider: NotRequired[str]
    model: NotRequired[str]
    system: NotRequired[list[str]]
    params: NotRequired[dict[str, str]]


ChatEntry = TypedDict(
    "ChatEntry",
    {"kind": Literal["chat"], "n": int, "at": str, "chat": str, "name": str, "config": str, "from": NotRequired[str]},
)
"""A chat begins; with *from*, as a fork at that message."""


class ImagePart(TypedDict):
    """A place in a message's content where a picture stands; *image* is its entry's id."""

    image: str


class MessageEntry(TypedDict):
    """What was asked or answered, or what a tool returned.

    *cell* is [cell id or "", k-th ask of the execution, hash of the source]. *context* is all that was sent before a
    question, where that is not the path of its *parent*: the ids of the answers, oldest first. *after* is the id of the
    cell after which it was sent outside cells ("": above all of them), *by* is "code" if a cell's own Python asked, and
    *hand* what was clicked for it: by its key, each setting's [what the page gave, what was clicked].
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
    config: NotRequired[str]
    model: NotRequired[str]
    finish_reason: NotRequired[str]
    usage: NotRequired[dict[str, int]]


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


class ImageEntry(TypedDict):
    """A picture; *data* is Base64, in lines."""

    kind: Literal["image"]
    media_type: str
    data: list[str]


class PurgedEntry(TypedDict):
    """A stub: what stays, under the same id, of an entry whose text was removed for good."""

    kind: Literal["purged"]
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
