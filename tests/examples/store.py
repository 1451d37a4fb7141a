"""A store in one JSON file. It is read and written whole each time, which does for a few notebooks."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import contextmanager
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias, TypedDict

from robota_nb.core.record.entries import canonical
from robota_nb.core.record.kinds import replaces
from robota_nb.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from robota_nb.core.ports import Entries, Entry

Key: TypeAlias = tuple[str, str, str]
"""Document, session, entry id."""


class Row(TypedDict):
    """An entry, and whether its notebook has saved it."""

    entry: Entry
    saved: bool


class JsonStore:
    """Keeps entries in a JSON file; see `robota_nb.core.ports.Store` for what each method promises.

    Parameters
    ----------
    path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()

    def add(self, document: str, entries: Entries, remove: Mapping[str, Iterable[str]] = MappingProxyType({})) -> None:
        """Keep entries as not yet saved, and drop others; those there stay, unless a stub comes for its original."""
        with self._changing() as rows:
            for session, found in entries.items():
                for entry_id, entry in found.items():
                    canonical(entry)  # what no notebook could hold is a ValueError, and then nothing is kept
                    key = (document, session, entry_id)
                    if key not in rows or replaces(entry, rows[key]["entry"]):
                        rows.pop(key, None)  # so that it comes last: it is the newest
                        rows[key] = Row(entry=entry, saved=False)
            for session, ids in remove.items():
                for entry_id in ids:
                    rows.pop((document, session, entry_id), None)

    def mark_saved(self, document: str, entries: Mapping[str, Iterable[str]]) -> None:
        """Note that the notebook has saved these; unknown ids are ignored."""
        with self._changing() as rows:
            for session, ids in entries.items():
                for entry_id in ids:
                    if row := rows.get((document, session, entry_id)):
                        row["saved"] = True

    def move(self, document: str, to: str) -> None:
        """File under *to* what is filed under *document*; of what is in both places one stays."""
        if document == to:
            return
        with self._changing() as rows:
            before = dict(rows)
            rows.clear()
            for (place, session, entry_id), row in before.items():
                if place not in (document, to):
                    rows[place, session, entry_id] = row
                    continue
                other = before.get((to if place == document else document, session, entry_id))
                if other is None:
                    rows[to, session, entry_id] = row
                elif replaces(row["entry"], other["entry"]) or (
                    place == to and not replaces(other["entry"], row["entry"])
                ):
                    saved = row["saved"] and other["saved"] and row["entry"] == other["entry"]
                    rows[to, session, entry_id] = Row(entry=row["entry"], saved=saved)

    def unsaved(self, document: str) -> dict[str, dict[str, Entry]]:
        """Return the document's entries that no notebook has saved yet, by session."""
        return _by_session({key: row for key, row in self._rows().items() if key[0] == document and not row["saved"]})

    def entries(self, document: str) -> dict[str, dict[str, Entry]]:
        """Return all entries of a document, by session."""
        return _by_session({key: row for key, row in self._rows().items() if key[0] == document})

    def documents(self) -> list[str]:
        """Return the documents that have any entries."""
        return list(dict.fromkeys(document for document, _, _ in self._rows()))

    def ids(self, session: str) -> set[str]:
        """Return the ids of all entries of a session, in whatever document."""
        return {entry_id for _, sid, entry_id in self._rows() if sid == session}

    def unsaved_documents(self) -> dict[str, int]:
        """Return how many unsaved entries each document has that has any; the one with the newest comes first."""
        newest_first = reversed(self._rows().items())
        return dict(Counter(document for (document, _, _), row in newest_first if not row["saved"]))

    def close(self) -> None:
        """Do nothing: the file is only open while it is read or written."""

    def _rows(self) -> dict[Key, Row]:
        """Return all that is kept, oldest first."""
        try:
            text = self._path.read_text(encoding="utf-8") if self._path.exists() else "[]"
            return {(document, session, entry_id): row for document, session, entry_id, row in json.loads(text)}
        except (OSError, ValueError) as error:
            raise StoreError(f"the store {self._path.name} cannot be read; put it aside, or restore it") from error

    @contextmanager
    def _changing(self) -> Iterator[dict[Key, Row]]:
        """Let the block change what is kept; if that fails, nothing has changed."""
        with self._lock:
            rows = self._rows()
            yield rows
            new = self._path.with_suffix(".new")
            try:
                new.write_text(json.dumps([[*key, row] for key, row in rows.items()]), encoding="utf-8")
                new.replace(self._path)
            except OSError as error:
                raise StoreError(f"the store {self._path.name} cannot be written; check its directory") from error


def _by_session(rows: Mapping[Key, Row]) -> dict[str, dict[str, Entry]]:
    found: dict[str, dict[str, Entry]] = {}
    for (_, session, entry_id), row in rows.items():
        found.setdefault(session, {})[entry_id] = row["entry"]
    return found
