"""A store in one SQLite file, shared by all kernels of a user: the extension's default."""

from __future__ import annotations

import json
import logging
import os
from contextlib import suppress
from pathlib import Path
from threading import RLock
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias, TypeVar
from weakref import WeakSet

from robota_nb.core.record.entries import canonical, missing_entry
from robota_nb.core.record.kinds import is_stub, replaces
from robota_nb.core.record.text import count
from robota_nb.core.users import expanded
from robota_nb.errors import StoreError
from robota_nb.stores.damage import put_aside, readable
from robota_nb.stores.database import connect, create_private, guarded, identity, keep_private, refuse_newer, writing
from robota_nb.stores.faults import ELSEWHERE, Damaged, explained, is_damage

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Mapping

    from robota_nb.core.ports import Entries, Entry
    from robota_nb.stores.damage import Row

__all__ = ["SqliteStore", "default_store_path"]

_T = TypeVar("_T")
_Key: TypeAlias = tuple[bytes, bytes, bytes]  # document, session id, entry id
_Coming: TypeAlias = tuple[_Key, "Entry", str]  # with the body as text

_log = logging.getLogger(__name__)

_BODY = "SELECT body FROM entry WHERE document = ? AND session = ? AND id = ?"
_KEEP = """INSERT INTO entry (document, session, id, body) VALUES (?, ?, ?, ?) ON CONFLICT DO
    UPDATE SET body = excluded.body, saved = 0 WHERE body = ?"""
_REPLACE = "REPLACE INTO entry (document, session, id, body) VALUES (?, ?, ?, ?)"
_MARK = "UPDATE entry SET saved = 1 WHERE document = ? AND session = ? AND id = ?"
_REMOVE = "DELETE FROM entry WHERE document = ? AND session = ? AND id = ?"
_UNSAVED = "SELECT session, id, body FROM entry WHERE document = ? AND saved = 0 ORDER BY rowid"
_DOCUMENTS = "SELECT document, count(*) FROM entry WHERE saved = 0 GROUP BY document ORDER BY max(rowid) DESC"
_UNLIKE = """SELECT session, id, moved.body, present.body
    FROM entry AS moved JOIN entry AS present USING (session, id)
    WHERE moved.document = ? AND present.document = ?
    AND (moved.body <> present.body OR moved.saved <> present.saved)"""
_MOVE = "UPDATE OR IGNORE entry SET document = ? WHERE document = ?"  # a row keeps its rowid: its age
_CLEAR = "DELETE FROM entry WHERE document = ?"
_UNMARK = "UPDATE entry SET saved = 0 WHERE document = ? AND session = ? AND id = ?"

_IDS = "SELECT id FROM entry WHERE session = ?"
_ALL = "SELECT session, id, body FROM entry WHERE document = ? ORDER BY rowid"

_MISSING = canonical(missing_entry()).decode()

_TRIES = 3
"""How often a file may turn out to be damaged, or be moved by another process, while one thing is done."""


def default_store_path() -> Path:
    """Return ``ROBOTA_NB_STORE``, else the path of ``robota_nb/store.sqlite`` in Jupyter's data directory."""
    if chosen := os.environ.get("ROBOTA_NB_STORE"):
        return Path(expanded(chosen))
    from jupyter_core.paths import jupyter_data_dir

    return Path(jupyter_data_dir(), "robota_nb", "store.sqlite")


class SqliteStore:
    """Keep entries in a SQLite file; see `robota_nb.core.ports.Store` for what each method promises.

    The file (mode 0600, WAL) is opened at the first use and created at the first `add`. Once `add` has
    returned, its entries survive the kernel, however it dies. Threads, processes, forks may share one file.

    A file that is damaged is moved aside and never deleted; a new one takes what can still be read of it. One of
    an older schema is backed up and brought up to date; one of a newer schema is read, and never changed.

    Parameters
    ----------
    path
        The file. Its directory is created, with mode 0700, if need be.
    notify
        Is told, in one line for the user, what became of a damaged or older file; by default it is logged.

    Raises
    ------
    StoreError
        From every method, if the file cannot be read or written; its text is one line and a next step.
    """

    def __init__(self, path: str | os.PathLike[str], notify: Callable[[str], object] = _log.warning) -> None:
        self._lock = RLock()
        self._connection: sqlite3.Connection | None = None
        self._opened: tuple[int, int] | None = None  # which file was opened last
        # A later chdir must not open a second store; what SQLite puts beside the file is beside the real one.
        self._path = Path(os.path.realpath(path))
        self._notify = notify
        self._news: list[str] = []  # for the user, once the lock is free
        self._is_told = False  # that others can read the file
        self._rescued: list[Row] = []  # of a damaged file, not yet in the new one
        _stores.add(self)

    def add(self, document: str, entries: Entries, remove: Mapping[str, Iterable[str]] = MappingProxyType({})) -> None:
        """Commit entries as not yet saved, and drop others; those there stay, unless a stub comes for its original."""
        coming: list[_Coming] = [
            ((_key(document), _key(session), _key(entry_id)), entry, canonical(entry).decode())
            for session, found in entries.items()
            for entry_id, entry in found.items()
        ]
        going = _keys(document, remove)
        if not coming and not going:
            return

        def change(connection: sqlite3.Connection) -> None:
            with writing(connection, self._path.name):
                stubs = _keep(connection, coming)
                connection.executemany(_REMOVE, going)
            if stubs:
                self._scrub(connection)

        self._use(change, None, create=bool(coming))

    def mark_saved(self, document: str, entries: Mapping[str, Iterable[str]]) -> None:
        """Note that the notebook has saved these; unknown ids are ignored."""
        keys = _keys(document, entries)
        if not keys:
            return

        def mark(connection: sqlite3.Connection) -> None:
            with writing(connection, self._path.name):
                connection.executemany(_MARK, keys)

        self._use(mark, None)

    def unsaved(self, document: str) -> dict[str, dict[str, Entry]]:
        """Return the document's entries that no notebook has saved yet, by session, oldest first."""
        return self._read(_UNSAVED, document)

    def documents(self) -> list[str]:
        """Return the documents that have any entries."""
        query = "SELECT DISTINCT document FROM entry"
        return self._use(lambda connection: [_text(document) for (document,) in connection.execute(query)], [])

    def entries(self, document: str) -> dict[str, dict[str, Entry]]:
        """Return all entries of a document, saved ones too, by session, oldest first."""
        return self._read(_ALL, document)

    def ids(self, session: str) -> set[str]:
        """Return the ids of all entries of a session, in whatever document."""
        key = _key(session)
        return self._use(
            lambda connection: {_text(entry_id) for (entry_id,) in connection.execute(_IDS, (key,))}, set()
        )

    def _read(self, query: str, document: str) -> dict[str, dict[str, Entry]]:
        def read(connection: sqlite3.Connection) -> dict[str, dict[str, Entry]]:
            found: dict[str, dict[str, Entry]] = {}
            for session, entry_id, body in connection.execute(query, (_key(document),)).fetchall():
                found.setdefault(_text(session), {})[_text(entry_id)] = _entry(body)
            return found

        return self._use(read, {})

    def unsaved_documents(self) -> dict[str, int]:
        """Return how many unsaved entries each document has that has any; the one with the newest comes first."""
        return self._use(
            lambda connection: {_text(document): number for document, number in connection.execute(_DOCUMENTS)}, {}
        )

    def move(self, document: str, to: str) -> None:
        """File under *to* what is filed under *document*; of what is in both places one stays."""
        if document == to:
            return
        source, target = _key(document), _key(to)

        def change(connection: sqlite3.Connection) -> None:
            with writing(connection, self._path.name):
                pairs = [
                    ((target, session, entry_id), _entry(moved), _entry(present))
                    for session, entry_id, moved, present in connection.execute(_UNLIKE, (source, target))
                ]
                connection.executemany(_REMOVE, [key for key, moved, present in pairs if replaces(moved, present)])
                connection.execute(_MOVE, (target, source))
                connection.execute(_CLEAR, (source,))  # what stayed behind is in the target
                connection.executemany(_UNMARK, [key for key, _, _ in pairs])
            if any(replaces(moved, present) or replaces(present, moved) for _, moved, present in pairs):
                self._scrub(connection)

        self._use(change, None)

    def close(self) -> None:
        """Release the file; the next use opens it again."""
        with self._lock:
            self._disconnect()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._path.name!r})"

    def __del__(self) -> None:
        with suppress(Exception):  # at the interpreter's end anything may be gone already
            self.close()

    def _use(self, act: Callable[[sqlite3.Connection], _T], absent: _T, *, create: bool = False) -> _T:
        """Do something in the file; it comes to *absent* if there is none, and none is to be made.

        In a damaged file it fails; in one that another process moves away meanwhile it is lost. Then it is done
        again, in the new file, so whatever is done here may be done twice.
        """
        try:
            with self._lock, explained(self._path.name):
                return self._done(act, absent, create=create)
        finally:
            self._tell()

    def _done(self, act: Callable[[sqlite3.Connection], _T], absent: _T, *, create: bool) -> _T:
        import sqlite3

        for _ in range(_TRIES):
            try:
                connection = self._live(create=create or bool(self._rescued))
                if connection is None:
                    return absent
                self._rescue(connection)
                done = act(connection)
            except (sqlite3.Error, Damaged) as error:
                self._refuse_newer()
                if not is_damage(error):
                    raise
                self._put_aside()
            else:
                if self._opened == identity(self._path):
                    return done
        raise StoreError(f"the store {self._path.name} is damaged again and again; check the disk, {ELSEWHERE}")

    def _live(self, *, create: bool) -> sqlite3.Connection | None:
        """Return a connection to the file as it is now; None if there is none, and none is to be made."""
        present = identity(self._path)
        if self._connection is None or self._opened != present:  # deleted or replaced under us
            self._disconnect()
            if present or create:
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                with guarded(self._path.parent):
                    create_private(self._path)
                    if not keep_private(self._path) and not self._is_told:
                        self._is_told = True
                        self._news.append(f"others can read what is in the store: chmod 600 {self._path}")
                    self._opened = identity(self._path)
                    self._connection = connect(self._path, self._news.append)
        return self._connection

    def _refuse_newer(self) -> None:
        """Raise `StoreError` if what went wrong did so because a newer robota_nb has written the file."""
        import sqlite3

        if self._connection is not None:
            with suppress(sqlite3.Error):
                refuse_newer(self._connection, self._path.name)

    def _put_aside(self) -> None:
        """Put the damaged file aside, and read what can still be read of it."""
        self._disconnect()
        aside = put_aside(self._path, self._opened)
        if aside is None:  # another process was first
            return
        rows = readable(aside)
        self._rescued += rows
        taken = f"takes the {count(len(rows), 'entry')} that could still be read" if rows else "begins empty"
        self._news.append(
            f"the store {self._path.name} was damaged: it is kept as {aside.name}, and a new one {taken}; "
            "save your open notebooks"
        )

    def _scrub(self, connection: sqlite3.Connection) -> None:
        """Write the file anew, and empty its log: what was purged must live on in neither.

        SQLite overwrites a row that it deletes, and not what is left of it on pages from which it was moved before.
        """
        import sqlite3

        try:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.OperationalError as error:
            if is_damage(error):
                raise
            self._news.append(
                f"what was purged is gone from the store {self._path.name}, but pieces of it may be left in the file, "
                f"which could not be written anew ({error}): close what uses it, and purge again"
            )

    def _rescue(self, connection: sqlite3.Connection) -> None:
        """Add what could be read of a damaged file."""
        if self._rescued:
            with writing(connection, self._path.name):
                _keep(connection, [(key, entry, canonical(entry).decode()) for key, entry, _ in self._rescued])
                connection.executemany(_MARK, [key for key, _, saved in self._rescued if saved])
            self._rescued = []

    def _tell(self) -> None:
        """Pass the news on, without the lock: who is told may use the store, or wait for one who does."""
        with self._lock:
            news, self._news = self._news, []
        for text in news:
            self._notify(text)

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _keys(document: str, entries: Mapping[str, Iterable[str]]) -> list[_Key]:
    return [(_key(document), _key(session), _key(entry_id)) for session, ids in entries.items() for entry_id in ids]


def _keep(connection: sqlite3.Connection, coming: list[_Coming]) -> list[tuple[bytes, bytes, bytes, str]]:
    """Add entries as not yet saved; return the stubs that have replaced what they stand for."""
    connection.executemany(_KEEP, [(*key, body, _MISSING) for key, _, body in coming])
    stubs = [(*key, body) for key, entry, body in coming if _replaces(connection, key, entry)]
    connection.executemany(_REPLACE, stubs)
    return stubs


def _replaces(connection: sqlite3.Connection, key: _Key, entry: Entry) -> bool:
    if not is_stub(entry):
        return False  # nothing else replaces anything but what is missing, as `_KEEP` does: spare the look
    return replaces(entry, _entry(connection.execute(_BODY, key).fetchone()[0]))


def _key(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _text(key: bytes) -> str:
    try:
        return key.decode("utf-8", "surrogatepass")
    except (UnicodeDecodeError, AttributeError) as error:
        raise Damaged from error


def _entry(body: bytes) -> Entry:
    try:
        entry = json.loads(body)
    except (ValueError, TypeError) as error:
        raise Damaged from error
    if not isinstance(entry, dict):
        raise Damaged
    return entry


# A connection must not cross a fork, nor a lock that another thread holds at that moment. So every store is
# closed before a fork and held until it is done; parent and child open it again at their next use.

_stores: WeakSet[SqliteStore] = WeakSet()
_forking = RLock()
_held: list[SqliteStore] = []


def _before_fork() -> None:
    _forking.acquire()
    for store in list(_stores):
        store._lock.acquire()  # noqa: SLF001
        _held.append(store)
        store._disconnect()  # noqa: SLF001


def _after_fork() -> None:
    while _held:
        _held.pop()._lock.release()  # noqa: SLF001
    _forking.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)
