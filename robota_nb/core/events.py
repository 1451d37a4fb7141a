"""What a manager tells its subscribers.

Each subscriber hears the events of one chat in their order, in the thread that causes them: it must be quick, and must
not wait for another thread. An event's *session* and *chat* are ids. A turn tells `TurnStarted`, perhaps `Delayed`, any
number of `ServerHeard`, `TextArrived` and `StepsChanged`, perhaps `TextTakenBack`, then `EntriesAdded` and `TurnEnded`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from robota_nb.errors import HINTS, with_hint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from robota_nb.core.ports import Entry, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class EntriesAdded:
    """A session has new entries, made here; *removed* were superseded by them."""

    session: str
    entries: Mapping[str, Entry]
    removed: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something the user should know; never part of a cell's answer.

    *text* is one line, and *hint* the key of the next step, where there is one (see `robota_nb.errors.HINTS`).
    """

    text: str
    hint: str = ""

    def __str__(self) -> str:
        return self.in_words(HINTS)

    def in_words(self, hints: Mapping[str, str]) -> str:
        """Return the text, with the next step in the words of *hints*."""
        return with_hint(self.text, self.hint, {}, hints)


@dataclass(frozen=True, slots=True, kw_only=True)
class Activated:
    """A session has become its user's active one, or a chat (None: none) the active one in it."""

    session: str
    chat: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A session, or with *chat* one of its chats, is not as it was.

    Its head, settings or name changed, entries were taken over, or a turn in it has ended.
    """

    session: str
    chat: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnStarted:
    """A model is being asked *prompt* in this chat."""

    session: str
    chat: str
    prompt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delayed:
    """The turn that was started in this chat waits so many *seconds* for its first text; *text* says for what."""

    session: str
    chat: str
    text: str
    seconds: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TextArrived:
    """*text* is the next piece of the answer that this chat waits for."""

    session: str
    chat: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerHeard:
    """The server that this chat waits for was heard without a word of the answer; *thinking*: the model thinks."""

    session: str
    chat: str
    thinking: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TextTakenBack:
    """What has arrived in this chat so far was no answer, but what the model thought before it."""

    session: str
    chat: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepsChanged:
    """The turn of this chat goes on after a call of a tool, or a call begins or ends; *steps*: all so far.

    The text that arrives from here on stands below them.
    """

    session: str
    chat: str
    steps: Sequence[Step]


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEnded:
    """The turn that was started in this chat has ended; *turn* is its id, or None if nothing of it is kept."""

    session: str
    chat: str
    turn: str | None


Event: TypeAlias = (
    EntriesAdded
    | Notice
    | Activated
    | Changed
    | TurnStarted
    | Delayed
    | ServerHeard
    | TextArrived
    | TextTakenBack
    | StepsChanged
    | TurnEnded
)
"""What a subscriber is called with."""
