"""What somebody else wrote: it came with a notebook, and this user's store does not know it (DESIGN §5)."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, NamedTuple

from robota_nb.core.record.kinds import kind_of
from robota_nb.core.record.parameters import SUMMARY
from robota_nb.core.record.text import short
from robota_nb.core.rules.summaries import named_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from robota_nb.core.record.config import Config
    from robota_nb.core.record.fold import SessionState
    from robota_nb.core.record.nodes import Node
    from robota_nb.core.record.types import Entry

MEANING = "neither made in this kernel nor known to your store"
"""What a mark says; the views say it in the same words."""

DOUBTFUL = "perhaps, as your store was empty when this notebook came"
"""What it says where nobody can tell."""

_LISTED = 8
"""How many settings are named."""


class Foreign(AbstractSet[str]):
    """The ids of the entries that were taken over, and are unknown to this user's store; and what they set.

    Attributes
    ----------
    sure
        Those that somebody else wrote.
    doubtful
        Those that came when the store held nothing at all: they may be the user's own.
    """

    def __init__(self) -> None:
        self.sure: set[str] = set()
        self.doubtful: set[str] = set()
        self._settings: dict[str, set[tuple[str, str]]] = {}  # by session: an ask does not look for them anew

    def __contains__(self, eid: object) -> bool:
        return eid in self.sure or eid in self.doubtful

    def __iter__(self) -> Iterator[str]:
        return iter(self.sure | self.doubtful)

    def __len__(self) -> int:
        return len(self.sure) + len(self.doubtful)

    def add(self, session: str, entries: Mapping[str, Entry]) -> None:
        """Note what somebody else wrote in a session."""
        self.sure.update(entries)
        theirs = self._settings.setdefault(session, set())
        for entry in entries.values():
            theirs.update(kind_of(entry).settings(entry).items())

    def settings(self, session: str) -> AbstractSet[tuple[str, str]]:
        """Return the settings, by name and value, that somebody else gave to chats of a session."""
        return self._settings.get(session, frozenset())


class ForeignParts(NamedTuple):
    """What of a request somebody else wrote.

    Parameters
    ----------
    turns
        The ids of the turns.
    doubtful
        The ids of turns that may be the user's own, as the store was empty when they came.
    settings
        The settings, as they are asked with.
    changed
        The names of those of them that are not what this user asked with last in the chat.
    was_called
        What the chat was called before somebody else renamed it; None if nobody has.
    """

    turns: list[str]
    doubtful: list[str]
    settings: dict[str, str]
    changed: list[str]
    was_called: str | None

    @property
    def moves_the_chat(self) -> bool:
        """Whether somebody else has changed where, or with what, this user's chat asks, or what it is called."""
        return bool(self.changed) or self.was_called is not None

    def told(self) -> set[str]:
        """Return what tells each part from others, to say none of them twice."""
        settings = {f"{key}={value}" for key, value in self.settings.items()}
        return {*self.turns, *settings, *([f"name {self.was_called}"] if self.was_called is not None else [])}

    def without(self, told: AbstractSet[str]) -> ForeignParts:
        """Return the parts that are not among those that were told."""
        settings = {key: value for key, value in self.settings.items() if f"{key}={value}" not in told}
        return ForeignParts(
            [turn for turn in self.turns if turn not in told],
            self.doubtful,
            settings,
            [key for key in self.changed if key in settings],
            None if f"name {self.was_called}" in told else self.was_called,
        )


def is_foreign(foreign: AbstractSet[str], node: Node) -> bool:
    """Say whether somebody else wrote a turn, or one half of it; *foreign* are the ids of what others wrote.

    What was imported is foreign to everybody, to who has imported it, too: nobody here has seen it being said.
    """
    return bool(node.imported) or node.id in foreign or node.user in foreign


def meanings(foreign: Foreign, nodes: Iterable[Node]) -> list[str]:
    """Return what the marks of foreign turns say, each once: where they come from, or that nobody knows them."""
    return list(dict.fromkeys(_meaning(foreign, node) for node in nodes))


def _meaning(foreign: Foreign, node: Node) -> str:
    if node.imported:
        return f"imported from {short(node.imported)}"
    return MEANING if is_foreign(foreign.sure, node) else DOUBTFUL


def last_own(record: SessionState, foreign: Foreign, chat: str) -> Node | None:
    """Return the turn that this user asked last in a chat, on whatever branch; None if there is none."""
    own = (node for node in record.chats[chat].children if not is_foreign(foreign.sure, node))
    return max(own, key=lambda node: node.stamp, default=None)


def foreign_parts(
    record: SessionState, foreign: Foreign, chat: str, sent: Iterable[Node], config: Config
) -> ForeignParts:
    """Return what others wrote of the request of an ask.

    Parameters
    ----------
    record
        The session's.
    foreign
        The entries that somebody else wrote.
    chat
        The chat that is asked.
    sent
        The turns that are sent before it.
    config
        What it is asked with.
    """
    theirs = [node for node in sent if is_foreign(foreign, node)]
    turns = [node.id for node in theirs if is_foreign(foreign.sure, node)]
    doubtful = [node.id for node in theirs if not is_foreign(foreign.sure, node)]
    set_by_them = foreign.settings(record.id)
    settings = {key: value for key, value in config.settings().items() if (key, value) in set_by_them}
    if named_in(config) in foreign.sure:  # this user's cell may have found it
        settings[SUMMARY] = config.get(SUMMARY)
    last = last_own(record, foreign, chat) if settings else None
    before = record.node_config(last).settings() if last else settings
    changed = [key for key, value in settings.items() if before.get(key) != value]
    return ForeignParts(turns, doubtful, settings, changed, _former_name(record, foreign, chat))


def _former_name(record: SessionState, foreign: Foreign, chat: str) -> str | None:
    """Return what this user's chat was called before somebody else renamed it; None if nobody has."""
    names = record.chats[chat].names
    own = [named for named in names if named[0].id not in foreign.sure]
    return max(own)[1] if own and max(own)[1] != max(names)[1] else None


def listed(settings: Iterable[str]) -> str:
    """Return the names of settings in one line that can stand anywhere."""
    found = [short(key) for key in settings]
    return ", ".join([*found[:_LISTED], "…"] if len(found) > _LISTED else found)
