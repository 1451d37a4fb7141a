"""A store that lives as long as its process: the library's default."""

from __future__ import annotations

import json
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, TypeAlias

from robota_nb.core.entries import canonical
from robota_nb.core.snapshot import beats

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from robota_nb.core.ports import Entries, Entry

__all__ = ["MemoryStore"]

_Key: TypeAlias = tuple[str, str]  # session id, entry id


@dataclass(slots=True)
class _Row:
    body: bytes  # canonical JSON, so that nobody can change a stored entry through a reference
    saved: bool = False


class MemoryStore:
    """Keep entries in this process; see `robota_nb.core.ports.Store` for what each method promises.

    `close` forgets nothing: there are no files to release.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._documents: dict[str, dict[_Key, _Row]] = {}

    def add(self, document: str, entries: Entries) -> None:
        """Keep entries as not yet saved; those that are there stay, unless a stub comes for its original."""
        coming = [
            ((session, entry_id), entry, canonical(entry))
            for session, found in entries.items()
            for entry_id, entry in found.items()
        ]
        with self._lock:
            rows = self._documents.setdefault(document, {})
            for key, entry, body in coming:
                if key not in rows or beats(entry, json.loads(rows[key].body)):
                    rows[key] = _Row(body)

    def mark_saved(self, document: str, entries: Mapping[str, Iterable[str]]) -> None:
        """Note that the notebook has saved these; unknown ids are ignored."""
        keys = _keys(entries)
        with self._lock:
            rows = self._documents.get(document, {})
            for key in keys:
                if key in rows:
                    rows[key].saved = True

    def remove(self, document: str, entries: Mapping[str, Iterable[str]]) -> None:
        """Drop entries; unknown ids are ignored."""
        keys = _keys(entries)
        with self._lock:
            rows = self._documents.get(document, {})
            for key in keys:
                rows.pop(key, None)

    def unsaved(self, document: str) -> dict[str, dict[str, Entry]]:
        """Return the document's entries that no notebook has saved yet, by session; the caller owns them."""
        with self._lock:
            rows = self._documents.get(document, {})
            waiting = [(key, row.body) for key, row in rows.items() if not row.saved]
        found: dict[str, dict[str, Entry]] = {}
        for (session, entry_id), body in waiting:
            found.setdefault(session, {})[entry_id] = json.loads(body)
        return found

    def close(self) -> None:
        """Do nothing: the entries stay until the store itself is gone."""


def _keys(entries: Mapping[str, Iterable[str]]) -> list[_Key]:
    return [(session, entry_id) for session, ids in entries.items() for entry_id in ids]
