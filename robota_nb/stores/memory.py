"""A store that lives as long as its process: the library's default."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import count
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from robota_nb.core.record.entries import canonical
from robota_nb.core.record.kinds import replaces

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from robota_nb.core.ports import Entries, Entry

__all__ = ["MemoryStore"]

_Key: TypeAlias = tuple[str, str]  # session id, entry id


@dataclass(frozen=True, slots=True)
class _Row:
    body: bytes  # canonical JSON, so that nobody can change a stored entry through a reference
    age: int  # counted over all documents: what comes later has more


@dataclass(slots=True)
class _Filed:
    """What one document has. Apart, so that asking for the unsaved ones never looks at the saved ones."""

    unsaved: dict[_Key, _Row] = field(default_factory=dict)  # oldest first
    saved: dict[_Key, _Row] = field(default_factory=dict)

    def get(self, key: _Key) -> _Row | None:
        return self.unsaved.get(key) or self.saved.get(key)

    def rows(self) -> dict[_Key, _Row]:
        return {**self.saved, **self.unsaved}


class MemoryStore:
    """Keep entries in this process; see `robota_nb.core.ports.Store` for what each method promises.

    `close` forgets nothing: there are no files to release.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._ages = count()
        self._documents: dict[str, _Filed] = {}

    def add(self, document: str, entries: Entries, remove: Mapping[str, Iterable[str]] = MappingProxyType({})) -> None:
        """Keep entries as not yet saved, and drop others; those there stay, unless a stub comes for its original."""
        coming = [
            ((session, entry_id), entry, canonical(entry))
            for session, found in entries.items()
            for entry_id, entry in found.items()
        ]
        going = _keys(remove)
        with self._lock:
            filed = self._documents.setdefault(document, _Filed())
            for key, entry, body in coming:
                present = filed.get(key)
                if present is None or replaces(entry, json.loads(present.body)):
                    filed.unsaved.pop(key, None)  # so that it comes last: it is the newest
                    filed.unsaved[key] = _Row(body, next(self._ages))
                    filed.saved.pop(key, None)
            for key in going:
                filed.unsaved.pop(key, None)
                filed.saved.pop(key, None)

    def mark_saved(self, document: str, entries: Mapping[str, Iterable[str]]) -> None:
        """Note that the notebook has saved these; unknown ids are ignored."""
        keys = _keys(entries)
        with self._lock:
            filed = self._documents.get(document, _Filed())
            for key in keys:
                if row := filed.unsaved.get(key):
                    filed.saved[key] = row
                    del filed.unsaved[key]

    def unsaved(self, document: str) -> dict[str, dict[str, Entry]]:
        """Return the document's entries that no notebook has saved yet, by session; the caller owns them."""
        with self._lock:
            waiting = list(self._documents.get(document, _Filed()).unsaved.items())
        return _decoded(waiting)

    def documents(self) -> list[str]:
        """Return the documents that have any entries."""
        with self._lock:
            return [document for document, filed in self._documents.items() if filed.rows()]

    def entries(self, document: str) -> dict[str, dict[str, Entry]]:
        """Return all entries of a document by session, oldest first; the caller owns them."""
        with self._lock:
            rows = self._documents.get(document, _Filed()).rows()
        return _decoded(sorted(rows.items(), key=lambda item: item[1].age))

    def ids(self, session: str) -> set[str]:
        """Return the ids of all entries of a session, in whatever document."""
        with self._lock:
            keys = [key for filed in self._documents.values() for key in filed.rows()]
        return {entry_id for sid, entry_id in keys if sid == session}

    def unsaved_documents(self) -> dict[str, int]:
        """Return how many unsaved entries each document has that has any; the one with the newest comes first."""
        with self._lock:
            waiting = [
                (next(reversed(filed.unsaved.values())).age, document, len(filed.unsaved))
                for document, filed in self._documents.items()
                if filed.unsaved
            ]
        return {document: number for _, document, number in sorted(waiting, reverse=True)}

    def move(self, document: str, to: str) -> None:
        """File under *to* what is filed under *document*; of what is in both places one stays."""
        if document == to:
            return
        with self._lock:
            if moved := self._documents.get(document):
                self._documents[to] = _union(moved, self._documents.get(to, _Filed()))
                del self._documents[document]

    def close(self) -> None:
        """Do nothing: the entries stay until the store itself is gone."""


def _keys(entries: Mapping[str, Iterable[str]]) -> list[_Key]:
    return [(session, entry_id) for session, ids in entries.items() for entry_id in ids]


def _decoded(rows: Iterable[tuple[_Key, _Row]]) -> dict[str, dict[str, Entry]]:
    found: dict[str, dict[str, Entry]] = {}
    for (session, entry_id), row in rows:
        found.setdefault(session, {})[entry_id] = json.loads(row.body)
    return found


def _union(moved: _Filed, present: _Filed) -> _Filed:
    coming, there = moved.rows(), present.rows()
    rows, unsaved = {**coming, **there}, {*moved.unsaved, *present.unsaved}
    for key in coming.keys() & there.keys():
        if coming[key].body != there[key].body:
            unsaved.add(key)  # a notebook that saved the other one lacks the one that stays
            if replaces(json.loads(coming[key].body), json.loads(there[key].body)):
                rows[key] = coming[key]
    union = _Filed()
    for key, row in sorted(rows.items(), key=lambda item: item[1].age):
        (union.unsaved if key in unsaved else union.saved)[key] = row
    return union
