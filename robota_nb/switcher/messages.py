"""What the kernel and an open view of its chats say to each other; docs/protocol.md tells when, and why.

The types that the switcher's JavaScript is checked with are made of these (``python -m tests.typedefs``).
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypeAlias, TypedDict

from robota_nb.core.record.json_types import check_message

# -- rows


class SessionRow(TypedDict):
    """A session as a view lists it, with the number of its chats."""

    id: str
    name: str
    state: str
    chats: int


class ChatRow(TypedDict):
    """A chat as a view lists it.

    ``words`` are the last ones that were said, ``turns`` is their number; the chat used last has the greatest ``used``.
    """

    id: str
    name: str
    model: str
    provider: str
    turns: int
    words: str
    used: int
    running: bool


Mark: TypeAlias = Literal["replayed", "foreign", "purged"]


class TurnRow(TypedDict):
    """A turn as a view shows it.

    ``reason`` is how the answer ended, ``tokens`` are those that came in and went out, ``cell`` is whether a cell
    asked it. ``place`` tells which one of how many branches this is; ``before`` and ``after`` are the turns in its
    place on the neighbouring ones. ``pictures`` are ids.
    """

    id: str
    prompt: str
    reply: str
    model: str
    reason: str
    tokens: list[int] | None
    marks: list[Mark]
    cell: bool
    before: str | None
    after: str | None
    place: list[int]
    pictures: list[str]


# -- from the kernel to a view


class Status(TypedDict):
    """The names of the active session and chat, how far conversations have got, and how many answers arrive."""

    op: Literal["status"]
    session: str | None
    chat: str | None
    level: str
    running: int


class ListsHead(TypedDict):
    """What the first piece of lists says beside chats: all sessions, the ids of what is active, and which chats go."""

    sessions: list[SessionRow]
    session: str | None
    chat: str | None
    whole: bool
    gone: list[str]


class Lists(TypedDict):
    """Sessions, and chats that are new or have changed; several pieces may follow each other."""

    op: Literal["lists"]
    chats: list[ChatRow]
    sessions: NotRequired[list[SessionRow]]
    session: NotRequired[str | None]
    chat: NotRequired[str | None]
    whole: NotRequired[bool]
    gone: NotRequired[list[str]]


_From = TypedDict("_From", {"from": int})


class Transcript(_From):
    """The turns of the active chat have changed: those ``from`` a place on, and single ``stale`` ones before it."""

    op: Literal["transcript"]
    chat: str | None
    count: int
    stale: list[int]
    first: int
    turns: list[TurnRow]


class Turns(TypedDict):
    """The turns that a view has asked for."""

    op: Literal["turns"]
    chat: str | None
    first: int
    turns: list[TurnRow]


class Arriving(TypedDict):
    """An answer arrives, after so many turns of the path."""

    op: Literal["arriving"]
    chat: str | None
    after: int
    prompt: str
    text: str
    cell: bool
    pictures: int


class Text(TypedDict):
    """The next piece of the answer that arrives."""

    op: Literal["text"]
    chat: str | None
    text: str


class Arrived(TypedDict):
    """No answer arrives any more."""

    op: Literal["arrived"]
    chat: str | None


class Picture(TypedDict):
    """A picture in base64; empty if there is none that a view may show."""

    op: Literal["picture"]
    id: str
    media_type: str
    data: str


class Result(TypedDict):
    """What became of an action: an error, or the ids of what it has made or found.

    ``was_active`` is whether what was deleted had been active.
    """

    error: NotRequired[str]
    session: NotRequired[str]
    chat: NotRequired[str]
    turn: NotRequired[str]
    cell: NotRequired[str]
    stopped: NotRequired[bool]
    was_active: NotRequired[bool]


class Answer(Result):
    """What became of a `Do`, by its ``id``; all that it has changed was sent before."""

    op: Literal["answer"]
    id: str


class Modules(TypedDict):
    """The sources of the switcher's modules, by name, and its style sheet: for a page without the labextension."""

    op: Literal["modules"]
    modules: dict[str, str]
    css: str


ToView: TypeAlias = Status | Lists | Transcript | Turns | Arriving | Text | Arrived | Picture | Answer | Modules
"""What the kernel says to a view."""


# -- from a view to the kernel


class Hello(TypedDict):
    """A view is there: tell it everything, or with ``full`` false, the status alone."""

    op: Literal["hello"]
    full: NotRequired[bool]


class Want(TypedDict):
    """Send the turns from ``first`` up to, and not with, ``last``."""

    op: Literal["want"]
    first: int
    last: int


class WantPicture(TypedDict):
    """Send a picture."""

    op: Literal["picture"]
    id: str


class WantModules(TypedDict):
    """Send the switcher's modules; only the widget says this."""

    op: Literal["modules"]


ActionName: TypeAlias = Literal[
    "session.open",
    "session.new",
    "session.rename",
    "session.pause",
    "session.resume",
    "session.archive",
    "session.restore",
    "session.delete",
    "session.undelete",
    "chat.switch",
    "chat.new",
    "chat.rename",
    "chat.set",
    "chat.fork",
    "chat.delete",
    "chat.undelete",
    "ask",
    "stop",
    "branch",
    "cell",
]


class Arguments(TypedDict):
    """What an action takes; each takes some of these.

    ``session``, ``chat`` and ``turn`` are ids, ``at`` is the number of a turn on the path, from 1.
    """

    session: NotRequired[str]
    chat: NotRequired[str]
    turn: NotRequired[str]
    name: NotRequired[str]
    provider: NotRequired[str]
    model: NotRequired[str]
    system: NotRequired[str]
    text: NotRequired[str]
    at: NotRequired[int]
    activate: NotRequired[bool]


class Do(Arguments):
    """Do what the user has clicked, and answer `Answer` with the same ``id``."""

    op: Literal["do"]
    id: str
    what: ActionName


FromView: TypeAlias = Hello | Want | WantPicture | WantModules | Do
"""What a view says to the kernel."""


def from_view(data: object) -> FromView:
    """Return what came from a page as the message that it is.

    Raises
    ------
    JsonTypeError
        If it is none, or a field is missing or of another type.
    """
    message: FromView = check_message(data, FromView)
    return message
