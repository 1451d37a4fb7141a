"""What was set in this process and is not written yet: properties, and which settings differ from the record."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from robota_nb.core.record import entries as make
from robota_nb.core.record.kinds import added
from robota_nb.core.record.nodes import Asked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from robota_nb.core.record.fold import SessionState
    from robota_nb.core.record.nodes import Register


class Overlay:
    """Properties of a session and its chats (the state, the description, deleted or not), over the recorded ones.

    Parameters
    ----------
    record
        What has been written.
    changed
        Called with the chat (None: the session) whenever a property was set.
    """

    def __init__(self, record: SessionState, changed: Callable[[str | None], None]) -> None:
        self.version = 0  # grows with every change
        self._record = record
        self._changed = changed
        self._waiting: dict[tuple[str | None, str], _Property] = {}  # (chat; None: the session, key)

    def get(self, chat: str | None, key: str) -> str | None:
        """Return a property: as it was put here, else as recorded."""
        return self._waiting[chat, key].value if (chat, key) in self._waiting else self._recorded(chat, key)

    def by(self, chat: str | None, key: str) -> Asked | None:
        """Return the mark of the cell that has set a property; None if no cell has."""
        return self._waiting[chat, key].by if (chat, key) in self._waiting else self.recorded_by(chat, key)

    def recorded_by(self, chat: str | None, key: str) -> Asked | None:
        """Return the mark of the cell that has set a property by what is recorded."""
        sets = self._sets(chat)
        entry = self._record.entries.get(sets[key].stamp.id) if key in sets else None
        cell = added(entry, "cell") if entry else None
        return Asked(cell[0] or None, cell[1], cell[2]) if cell else None

    def put(self, chat: str | None, key: str, value: str | None, by: Asked | None = None) -> None:
        """Set a property, or with None, unset it; *by*: the mark of the cell that says so."""
        self._waiting[chat, key] = _Property(value, by)
        self.version += 1
        self._changed(chat)

    def waiting(self) -> Iterator[make.Builder]:
        """Yield a builder for each entry that is to be written: of the properties that differ from the record."""
        for (chat, key), now in self._waiting.items():
            if now != (self._recorded(chat, key), self.recorded_by(chat, key)):
                yield partial(make.set_entry, chat=chat, key=key, value=now.value, by=now.by)

    def written(self) -> None:
        """Forget what waited: the record holds it now."""
        self._waiting.clear()
        self.version += 1

    def _recorded(self, chat: str | None, key: str) -> str | None:
        sets = self._sets(chat)
        return sets[key].value if key in sets else None

    def _sets(self, chat: str | None) -> Mapping[str, Register[str]]:
        return self._record.chats[chat].sets if chat else self._record.sets


class _Property(NamedTuple):
    value: str | None
    by: Asked | None


def differing(record: SessionState, chat: str, settings: Mapping[str, str]) -> Iterator[make.Builder]:
    """Yield a builder for each entry that is to be written: of a chat's settings that differ from the record."""
    recorded = record.chat_config(chat)
    wanted = recorded.with_settings(settings)
    for key, value in settings.items():
        if wanted.get(key) != recorded.get(key):
            yield partial(make.set_entry, chat=chat, key=key, value=value or None)
