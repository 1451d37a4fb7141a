"""What was set in this process and is not written yet: properties, and which settings differ from the record."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from robota_nb.core.record import entries as make

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from robota_nb.core.record.fold import SessionState


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
        self._waiting: dict[tuple[str | None, str], str | None] = {}  # (chat; None: the session, key) -> value

    def get(self, chat: str | None, key: str) -> str | None:
        """Return a property: as it was put here, else as recorded."""
        return self._waiting[chat, key] if (chat, key) in self._waiting else self._recorded(chat, key)

    def put(self, chat: str | None, key: str, value: str | None) -> None:
        """Set a property, or with None, unset it."""
        self._waiting[chat, key] = value
        self.version += 1
        self._changed(chat)

    def waiting(self) -> Iterator[make.Builder]:
        """Yield a builder for each entry that is to be written: of the properties that differ from the record."""
        for (chat, key), value in self._waiting.items():
            if value != self._recorded(chat, key):
                yield partial(make.set_entry, chat=chat, key=key, value=value)

    def written(self) -> None:
        """Forget what waited: the record holds it now."""
        self._waiting.clear()
        self.version += 1

    def _recorded(self, chat: str | None, key: str) -> str | None:
        sets = self._record.chats[chat].sets if chat else self._record.sets
        return sets[key].value if key in sets else None


def differing(record: SessionState, chat: str, settings: Mapping[str, str]) -> Iterator[make.Builder]:
    """Yield a builder for each entry that is to be written: of a chat's settings that differ from the record."""
    config = record.chat_config(chat)
    recorded, wanted = config.settings(), config.with_settings(settings).settings()
    for key, value in settings.items():
        if wanted.get(key) != recorded.get(key):
            yield partial(make.set_entry, chat=chat, key=key, value=value or None)
