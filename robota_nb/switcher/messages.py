"""What the kernel and an open view of its chats say to each other; docs/protocol.md tells when, and why.

The types that the switcher's JavaScript is checked with are made of these (``python -m tests.typedefs``).
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypeAlias, TypedDict

from robota_nb.core.cell_source import CellSource  # noqa: TC001 - what a message must be is read from its hints
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

    ``title`` is what its first question says, where nobody has given it a name; else empty. ``words`` are the last
    ones that were said, ``turns`` is their number; the chat used last has the greatest ``used``, and that was ``at``,
    as snapshots carry it. ``origin`` is the id of the chat that it is a fork of; empty if it is none, or of nothing.
    """

    id: str
    name: str
    title: str
    model: str
    provider: str
    turns: int
    words: str
    used: int
    at: str
    origin: str
    running: bool


Mark: TypeAlias = Literal["replayed", "foreign", "purged", "outside"]


class FileRow(TypedDict):
    """A file that was sent with a prompt, and its size in bytes; 0 if it was purged."""

    name: str
    size: int


class SourceRow(TypedDict):
    """A source of an answer: both are a stranger's, and either may be empty."""

    title: str
    url: str


class BesidesRow(TypedDict):
    """What an answer has beside its text. ``pictures`` are ids; the last two are how many are not kept."""

    sources: list[SourceRow]
    pictures: list[str]
    refused: bool
    more_sources: int
    lost_pictures: int


class CallRow(TypedDict):
    """A call of a tool: its arguments as the model wrote them, what became of it, and what the model was told."""

    name: str
    arguments: str
    status: str
    result: str


class StepRow(TypedDict):
    """What came before an answer: a text, and what was called with it; or why it was asked again."""

    text: str
    calls: list[CallRow]
    problem: str


class TurnRow(TypedDict):
    """A turn as a view shows it.

    ``reason`` is how the answer ended, ``tokens`` are those that came in and went out, ``cell`` is whether a cell
    asked it. ``place`` tells which one of how many branches this is; ``before`` and ``after`` are the turns in its
    place on the neighbouring ones. ``pictures`` are ids, ``thoughts`` what the model thought before the answer,
    and ``steps`` what it said and called.
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
    files: list[FileRow]
    besides: NotRequired[BesidesRow]
    thoughts: NotRequired[str]
    steps: NotRequired[list[StepRow]]


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


class Gauge(TypedDict):
    """About how many ``tokens`` the next ask in the active chat sends before its prompt; ``window`` fit, 0: not known.

    Of the first ``summed`` turns it sends a summary, by ``model``; more ``can`` be summed up. ``cost`` is what the chat
    has cost so far, ``saved`` what replay has saved in this kernel, each null where no endpoint has a price.
    """

    op: Literal["gauge"]
    chat: str | None
    tokens: int
    window: int
    summed: int
    model: str
    can: bool
    cost: float | None
    saved: float | None


class Picture(TypedDict):
    """A picture in base64; empty if there is none that a view may show."""

    op: Literal["picture"]
    id: str
    media_type: str
    data: str


class NewCell(TypedDict):
    """A code cell that the view is to put into the notebook."""

    id: str
    source: str


class Settings(TypedDict):
    """The settings of a chat, parameters as JSON texts; and the endpoints and presets that there are, by name."""

    provider: str
    model: str
    system: str
    params: dict[str, str]
    endpoints: list[str]
    presets: list[str]


class Offer(TypedDict):
    """What may be typed next in a draft, what kind of thing it is, and of a variable its type and size."""

    text: str
    type: str
    about: str


class Hit(TypedDict):
    """A turn that a search has found.

    ``notebook`` is empty for the open one. ``session``, ``chat`` and ``turn`` are ids, ``name`` is the chat's,
    ``number`` the turn's place on its path, from 1, or 0 if it was undone; ``text`` is what stands around the words.
    """

    notebook: str
    session: str
    chat: str
    turn: str
    name: str
    number: int
    at: str
    text: str
    deleted: bool
    foreign: bool


class Draft(TypedDict):
    """What would be sent: the prompt, and how large the request is in bytes, with how many messages and pictures."""

    text: str
    size: int
    messages: int
    pictures: int


class Result(TypedDict):
    """What became of an action: an error, or the ids of what it has made or found, or what a view has asked for.

    ``was_active`` is whether what was deleted had been active. ``word`` is what one of the ``offers`` takes the place
    of, ``more`` is how many hits are not sent. ``cells`` are to be put below the ``cell``, else at the top.
    """

    error: NotRequired[str]
    session: NotRequired[str]
    chat: NotRequired[str]
    turn: NotRequired[str]
    cell: NotRequired[str]
    cells: NotRequired[list[NewCell]]
    stopped: NotRequired[bool]
    was_active: NotRequired[bool]
    settings: NotRequired[Settings]
    models: NotRequired[list[str]]
    word: NotRequired[str]
    offers: NotRequired[list[Offer]]
    hits: NotRequired[list[Hit]]
    more: NotRequired[int]
    draft: NotRequired[Draft]


class Answer(Result):
    """What became of a `Do`, by its ``id``; all that it has changed was sent before."""

    op: Literal["answer"]
    id: str


class Modules(TypedDict):
    """The sources of the switcher's modules, by name, and its style sheet: for a page without the labextension."""

    op: Literal["modules"]
    modules: dict[str, str]
    css: str


ToView: TypeAlias = Status | Lists | Transcript | Turns | Arriving | Text | Arrived | Gauge | Picture | Answer | Modules
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
    "chat.settings",
    "chat.fork",
    "chat.compact",
    "chat.compact_undo",
    "chat.delete",
    "chat.undelete",
    "ask",
    "stop",
    "branch",
    "cell",
    "models",
    "complete",
    "preview",
    "search",
    "cell.make",
]


class Attachment(TypedDict):
    """What goes along with a message.

    A ``cell`` has its source as ``text`` and what it shows as ``output``, a ``variable`` and a ``file`` have a
    ``name``, a ``picture`` and a ``file`` have ``data`` in base64; the ``error`` is the last one of the notebook.
    ``cells`` are those of the notebook down to the selected one; ``outputs`` says whether what they show goes along.
    """

    kind: Literal["cell", "cells", "error", "file", "picture", "variable"]
    name: NotRequired[str]
    text: NotRequired[str]
    output: NotRequired[str]
    data: NotRequired[str]
    cells: NotRequired[list[CellSource]]
    outputs: NotRequired[bool]


class Arguments(TypedDict):
    """What an action takes; each takes some of these.

    ``session``, ``chat``, ``turn`` and ``cell`` are ids, ``at`` is the number of a turn on the path, from 1. ``params``
    are request parameters as typed, an empty one is unset. With ``fields``, ``{{ name }}`` in the text is filled in.
    """

    session: NotRequired[str]
    chat: NotRequired[str]
    turn: NotRequired[str]
    cell: NotRequired[str]
    name: NotRequired[str]
    provider: NotRequired[str]
    model: NotRequired[str]
    system: NotRequired[str]
    params: NotRequired[dict[str, str]]
    preset: NotRequired[str]
    text: NotRequired[str]
    fields: NotRequired[bool]
    attached: NotRequired[list[Attachment]]
    everywhere: NotRequired[bool]
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
