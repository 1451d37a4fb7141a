"""A store in one SQLite file, shared by all kernels of a user: the extension's default."""

from __future__ import annotations

import json
import os
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias
from weakref import WeakSet

from robota_nb.core.entries import canonical
from robota_nb.core.snapshot import beats
from robota_nb.errors import StoreError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping

    from robota_nb.core.ports import Entries, Entry

__all__ = ["SqliteStore", "default_store_path"]

_Key: TypeAlias = tuple[bytes, bytes, bytes]  # document, session id, entry id

_PATIENCE = 10.0
"""Seconds to wait for another process's lock; its transactions take milliseconds."""

_MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        # Keys are UTF-8 bytes, not TEXT: a document's path may hold what is not valid Unicode.
        """CREATE TABLE entry (
            document BLOB NOT NULL,
            session BLOB NOT NULL,
            id BLOB NOT NULL,
            body TEXT NOT NULL,
            saved INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (document, session, id)
        )""",
        "CREATE INDEX entry_unsaved ON entry (document) WHERE saved = 0",
    ),
)
"""What takes the schema from version i to i + 1. Append only: a released step never changes."""

_BODY = "SELECT body FROM entry WHERE document = ? AND session = ? AND id = ?"
_KEEP = "INSERT INTO entry (document, session, id, body) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
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

_BUSY = 5  # SQLITE_BUSY

_ELSEWHERE = "or set ROBOTA_NB_STORE to another path"
_DAMAGED = "is damaged; move it away and run again: a new one is made"
_REASONS = {  # by SQLite's primary result code
    3: f"may not be opened; check its permissions, {_ELSEWHERE}",  # PERM
    _BUSY: "is locked by another process; end that process, or try again",
    6: "is locked by another process; end that process, or try again",  # LOCKED
    8: f"is read-only; check its permissions, {_ELSEWHERE}",  # READONLY
    10: f"had a disk error; check the disk, {_ELSEWHERE}",  # IOERR
    11: _DAMAGED,  # CORRUPT
    13: f"is full, or its disk is; free some space, {_ELSEWHERE}",  # FULL
    14: f"cannot be opened; check its directory, {_ELSEWHERE}",  # CANTOPEN
    26: f"is no SQLite file; move it away, {_ELSEWHERE}",  # NOTADB
}


def default_store_path() -> Path:
    """Return ``ROBOTA_NB_STORE``, else the path of ``robota_nb/store.sqlite`` in Jupyter's data directory."""
    if chosen := os.environ.get("ROBOTA_NB_STORE"):
        return Path(chosen).expanduser()
    from jupyter_core.paths import jupyter_data_dir

    return Path(jupyter_data_dir(), "robota_nb", "store.sqlite")


class SqliteStore:
    """Keep entries in a SQLite file; see `robota_nb.core.ports.Store` for what each method promises.

    The file (mode 0600, WAL) is opened at the first use and created at the first `add`. Once `add` has
    returned, its entries survive the kernel, however it dies. Threads, processes, forks may share one file.

    Parameters
    ----------
    path
        The file. Its directory is created, with mode 0700, if need be.

    Raises
    ------
    StoreError
        From every method, if the file cannot be read or written; its text is one line and a next step.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._lock = RLock()
        self._connection: sqlite3.Connection | None = None
        self._opened: tuple[int, int] | None = None  # which file the connection has open
        self._path = Path(path).absolute()  # a later chdir must not open a second store
        _stores.add(self)

    def add(self, document: str, entries: Entries, remove: Mapping[str, Iterable[str]] = MappingProxyType({})) -> None:
        """Commit entries as not yet saved, and drop others; those there stay, unless a stub comes for its original."""
        coming = [
            ((_key(document), _key(session), _key(entry_id)), entry, canonical(entry).decode())
            for session, found in entries.items()
            for entry_id, entry in found.items()
        ]
        going = _keys(document, remove)
        if not coming and not going:
            return
        with self._using(create=bool(coming)) as connection:
            if connection is None:
                return
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany(_KEEP, [(*key, body) for key, _, body in coming])
                stubs = [(*key, body) for key, entry, body in coming if _replaces(connection, key, entry)]
                connection.executemany(_REPLACE, stubs)
                connection.executemany(_REMOVE, going)
            if stubs:
                _truncate_log(connection)

    def mark_saved(self, document: str, entries: Mapping[str, Iterable[str]]) -> None:
        """Note that the notebook has saved these; unknown ids are ignored."""
        keys = _keys(document, entries)
        if not keys:
            return
        with self._using(create=False) as connection:
            if connection:
                with connection:
                    connection.execute("BEGIN IMMEDIATE")
                    connection.executemany(_MARK, keys)

    def unsaved(self, document: str) -> dict[str, dict[str, Entry]]:
        """Return the document's entries that no notebook has saved yet, by session, oldest first."""
        return self._read(_UNSAVED, document)

    def documents(self) -> list[str]:
        """Return the documents that have any entries."""
        with self._using(create=False) as connection:
            rows = connection.execute("SELECT DISTINCT document FROM entry").fetchall() if connection else []
        return [_text(document) for (document,) in rows]

    def entries(self, document: str) -> dict[str, dict[str, Entry]]:
        """Return all entries of a document, saved ones too, by session, oldest first."""
        return self._read(_ALL, document)

    def ids(self, session: str) -> set[str]:
        """Return the ids of all entries of a session, in whatever document."""
        with self._using(create=False) as connection:
            rows = connection.execute(_IDS, (_key(session),)).fetchall() if connection else []
        return {_text(entry_id) for (entry_id,) in rows}

    def _read(self, query: str, document: str) -> dict[str, dict[str, Entry]]:
        found: dict[str, dict[str, Entry]] = {}
        with self._using(create=False) as connection:
            rows = connection.execute(query, (_key(document),)).fetchall() if connection else []
            for session, entry_id, body in rows:
                found.setdefault(_text(session), {})[_text(entry_id)] = json.loads(body)
        return found

    def unsaved_documents(self) -> dict[str, int]:
        """Return how many unsaved entries each document has that has any; the one with the newest comes first."""
        with self._using(create=False) as connection:
            rows = connection.execute(_DOCUMENTS).fetchall() if connection else []
        return {_text(document): number for document, number in rows}

    def move(self, document: str, to: str) -> None:
        """File under *to* what is filed under *document*; of what is in both places one stays."""
        if document == to:
            return
        source, target = _key(document), _key(to)
        with self._using(create=False) as connection:
            if connection is None:
                return
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                pairs = [
                    ((target, session, entry_id), json.loads(moved), json.loads(present))
                    for session, entry_id, moved, present in connection.execute(_UNLIKE, (source, target))
                ]
                connection.executemany(_REMOVE, [key for key, moved, present in pairs if beats(moved, present)])
                connection.execute(_MOVE, (target, source))
                connection.execute(_CLEAR, (source,))  # what stayed behind is in the target
                connection.executemany(_UNMARK, [key for key, _, _ in pairs])
            if any(beats(moved, present) or beats(present, moved) for _, moved, present in pairs):
                _truncate_log(connection)

    def close(self) -> None:
        """Release the file; the next use opens it again."""
        with self._lock:
            self._disconnect()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._path.name!r})"

    def __del__(self) -> None:
        with suppress(Exception):  # at the interpreter's end anything may be gone already
            self.close()

    @contextmanager
    def _using(self, *, create: bool) -> Iterator[sqlite3.Connection | None]:
        """Hold the lock with a live connection; ``None`` if there is no file and none is to be made."""
        with self._lock, _explained(self._path.name):
            present = _identity(self._path)
            if self._connection is None or self._opened != present:  # deleted or replaced under us
                self._disconnect()
                if present or create:
                    self._connection = _connect(self._path)
                    self._opened = _identity(self._path)
            yield self._connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _keys(document: str, entries: Mapping[str, Iterable[str]]) -> list[_Key]:
    return [(_key(document), _key(session), _key(entry_id)) for session, ids in entries.items() for entry_id in ids]


def _replaces(connection: sqlite3.Connection, key: _Key, entry: Entry) -> bool:
    if entry.get("kind") != "purged":
        return False  # nothing else replaces anything: spare the look
    return beats(entry, json.loads(connection.execute(_BODY, key).fetchone()[0]))


def _truncate_log(connection: sqlite3.Connection) -> None:
    """Empty the log: what was purged must not live on there either."""
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _key(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _text(key: bytes) -> str:
    return key.decode("utf-8", "surrogatepass")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _connect(path: Path) -> sqlite3.Connection:
    import sqlite3

    _create_private(path)
    connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection, path.name)
    except BaseException:
        connection.close()
        raise
    return connection


def _create_private(path: Path) -> None:
    """Create the file with mode 0600 from its first moment, whatever the umask; SQLite's log inherits it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            path.chmod(0o600)  # a umask may have taken the owner's own rights
        finally:
            os.close(descriptor)


def _prepare(connection: sqlite3.Connection, name: str) -> None:
    if _version(connection) > len(_MIGRATIONS):
        raise StoreError(
            f"the store {name} was written by a newer robota_nb; update robota_nb, {_ELSEWHERE}",
        )
    _use_wal(connection)
    connection.execute("PRAGMA synchronous = NORMAL")  # with WAL: safe from any death but the machine's
    connection.execute("PRAGMA secure_delete = ON")  # a purged secret is overwritten, not only unlinked
    if _version(connection) < len(_MIGRATIONS):
        _migrate(connection)


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL; of two processes that do so at once SQLite refuses one without waiting, so we wait."""
    import sqlite3

    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if _code(error) != _BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.005)
        else:
            return


def _migrate(connection: sqlite3.Connection) -> None:
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        for step in _MIGRATIONS[_version(connection) :]:  # read again: another process may have been first
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """Turn what SQLite or the system says into one line about the file *name*, and a next step."""
    try:
        import sqlite3
    except ImportError as error:
        raise StoreError("this Python has no sqlite3; install one that has, or use the memory store") from error
    try:
        yield
    except sqlite3.Error as error:
        reason = _REASONS.get(_code(error), f"failed ({error}); move it away, {_ELSEWHERE}")
        raise StoreError(f"the store {name} {reason}") from error
    except ValueError as error:  # a body that is no JSON any more
        raise StoreError(f"the store {name} {_DAMAGED}") from error
    except OSError as error:  # its own text holds the absolute path
        raise StoreError(f"the store {name} cannot be opened ({error.strerror}); {_ELSEWHERE[3:]}") from error


def _code(error: sqlite3.Error) -> int:
    """Return the primary result code; the upper bytes only refine it. Errors made by Python have none."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF


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
