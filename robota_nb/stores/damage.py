"""A damaged store: moved aside, never deleted, and read as far as it can be."""

from __future__ import annotations

import json
from contextlib import closing, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

from robota_nb.core.record.entries import entry_id as hash_of
from robota_nb.core.record.kinds import is_stub
from robota_nb.errors import StoreError
from robota_nb.stores.database import guarded, identity, read_only, unused
from robota_nb.stores.faults import ELSEWHERE

if TYPE_CHECKING:
    from pathlib import Path

    from robota_nb.core.ports import Entry

__all__ = ["Row", "put_aside", "readable"]

Row: TypeAlias = tuple[tuple[bytes, bytes, bytes], "Entry", bool]
"""Document, session id and entry id; the entry; whether it is saved."""

_ROWS = "SELECT rowid, document, session, id, body, saved FROM entry NOT INDEXED ORDER BY rowid"


def put_aside(path: Path, found: tuple[int, int] | None) -> Path | None:
    """Move a damaged file, and SQLite's files beside it, to a name that nothing has.

    Parameters
    ----------
    path
        The file.
    found
        Which file of that name was found damaged, as `identity` tells.

    Returns
    -------
    The new path; None if another process has moved it already.

    Raises
    ------
    StoreError
        If it cannot be moved.
    """
    try:
        with guarded(path.parent, alone=True):
            if identity(path) != found:
                return None
            aside = unused(path.with_name(f"{path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"))
            for suffix in "", "-wal", "-shm", "-journal":
                with suppress(FileNotFoundError):
                    path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
            return aside
    except BlockingIOError:
        raise
    except OSError as error:
        raise StoreError(
            f"the store {path.name} is damaged and cannot be moved ({error.strerror}); move it away, {ELSEWHERE}"
        ) from error


def readable(path: Path) -> list[Row]:
    """Return the rows of a damaged file that are as they were written, oldest first.

    SQLite stops at the first damaged page, so the rows are read from both ends. An entry's id tells whether its
    body is whole; a stub's id is that of what it stands for, so for a stub it is enough that it can be read.
    """
    import sqlite3

    if not path.stat().st_size:
        return []  # SQLite would throw away its log
    found: dict[int, Row] = {}
    with suppress(sqlite3.Error), closing(read_only(path)) as connection:
        for order in "ASC", "DESC":
            with suppress(sqlite3.Error):
                for age, *values in connection.execute(f"{_ROWS} {order}"):
                    if row := _row(*values):
                        found[age] = row
    return [found[age] for age in sorted(found)]


def _row(document: object, session: object, entry_id: object, body: object, saved: object) -> Row | None:
    """Return these values as a row; None if they are not what was written (on a damaged page they may be anything)."""
    if not (isinstance(document, bytes) and isinstance(session, bytes) and isinstance(entry_id, bytes)):
        return None
    try:
        entry = json.loads(body) if isinstance(body, bytes) else None
    except ValueError:
        return None
    if not isinstance(entry, dict) or (hash_of(entry).encode() != entry_id and not is_stub(entry)):
        return None
    return (document, session, entry_id), entry, bool(saved)
