"""The SQLite file of a store: made private, opened, and brought to the schema of today."""

from __future__ import annotations

import os
import sys
import time
from contextlib import ExitStack, closing, contextmanager, suppress
from itertools import chain, count
from typing import TYPE_CHECKING, Any

from robota_nb.errors import StoreError
from robota_nb.stores.faults import BUSY, ELSEWHERE, Damaged, code

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = [
    "connect",
    "create_private",
    "guarded",
    "identity",
    "keep_private",
    "read_only",
    "refuse_newer",
    "unused",
    "writing",
]

PATIENCE = 10.0
"""Seconds to wait for another process's lock; its transactions take milliseconds."""

_OTHERS = 0o077
"""The rights of everybody but the owner."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
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


def identity(path: Path) -> tuple[int, int] | None:
    """Return what tells this file from any other one of that name; None if there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def unused(path: Path) -> Path:
    """Return the path, or the first of path-2, path-3, … that nothing has."""
    names = chain([path], (path.with_name(f"{path.name}-{n}") for n in count(2)))
    return next(name for name in names if not os.path.lexists(name))


@contextmanager
def guarded(directory: Path, *, alone: bool = False) -> Iterator[None]:
    """Let many open files here at once, or one, *alone*, move them.

    A file that is moved while SQLite opens it would be read with the log of the new one. The lock is on the
    directory, so no lock file stays behind.
    """
    if sys.platform == "win32":  # there, a file that is open cannot be moved
        yield
        return
    with ExitStack() as held:
        try:
            descriptor = os.open(directory, os.O_RDONLY)
            held.callback(os.close, descriptor)
            wanted = (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB
            _patiently(lambda: fcntl.flock(descriptor, wanted), lambda error: isinstance(error, BlockingIOError))
        except BlockingIOError:
            raise
        except OSError:  # a network disk without locks, a directory that may not be read
            pass
        yield


def _patiently(act: Callable[[], object], busy: Callable[[Exception], bool]) -> None:
    """Do what is refused at once while others are at it, until it is done or we have waited long enough."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            act()
        except Exception as error:
            if not busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.005)
        else:
            return


def connect(path: Path, tell: Callable[[str], object]) -> sqlite3.Connection:
    """Open the file, which may be empty, and bring it to the schema of today; a newer one can only be read.

    Parameters
    ----------
    path
        The file.
    tell
        Gets one line for the user if the schema was an older one.

    Raises
    ------
    StoreError
        If it is not ours, or of an older schema that could not be backed up.
    sqlite3.Error, OSError
        If it cannot be opened.
    Damaged
        If it was emptied.
    """
    _refuse_emptied(path)
    with ExitStack() as undo:
        connection = undo.enter_context(closing(_connection(path)))
        _refuse_foreign(connection, path.name)
        if _version(connection) > len(MIGRATIONS):
            return read_only(path)  # opened before the other is closed: the last one out writes the log to the file
        _use_wal(connection)
        connection.execute("PRAGMA synchronous = NORMAL")  # with WAL: safe from any death but the machine's
        connection.execute("PRAGMA secure_delete = ON")  # a purged secret is overwritten, not only unlinked
        if _version(connection) < len(MIGRATIONS):
            _migrate(connection, path, tell)
        undo.pop_all()
        return connection


def read_only(path: Path) -> sqlite3.Connection:
    """Open a file of whatever schema, without any change to it."""
    connection = _connection(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        _version(connection)  # from now on the file is held
    except BaseException:
        connection.close()
        raise
    return connection


def _connection(where: Path | str, **options: Any) -> sqlite3.Connection:
    import sqlite3

    connection: sqlite3.Connection = sqlite3.connect(
        where, timeout=PATIENCE, isolation_level=None, check_same_thread=False, **options
    )
    connection.text_factory = bytes  # what is no UTF-8 any more is for the reader to find
    return connection


@contextmanager
def writing(connection: sqlite3.Connection, name: str) -> Iterator[None]:
    """Change the store *name* as a whole or not at all, once no other process does.

    Raises
    ------
    StoreError
        If its schema has become newer than ours.
    """
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        refuse_newer(connection, name)  # another kernel may have brought it up to date
        yield


def refuse_newer(connection: sqlite3.Connection, name: str) -> None:
    """Raise `StoreError` if the schema of the store *name* is newer than ours."""
    if _version(connection) > len(MIGRATIONS):
        raise StoreError(
            f"the store {name} is of a newer robota_nb, and is read here at most; update robota_nb, {ELSEWHERE}"
        )


def create_private(path: Path) -> None:
    """Create the file with mode 0600 from its first moment, whatever the umask; SQLite's log inherits it."""
    with suppress(FileExistsError):
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            path.chmod(0o600)  # a umask may have taken the owner's own rights
        finally:
            os.close(descriptor)


def keep_private(path: Path) -> bool:
    """Take from others the right to read the file, and what SQLite puts beside it; say whether none has it now."""
    if sys.platform == "win32":  # rights are not in the mode there
        return True
    try:
        for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
            beside = path.with_name(name)
            with suppress(FileNotFoundError):
                if beside.stat().st_mode & _OTHERS:
                    beside.chmod(0o600)
    except OSError:
        return False
    return True


def _refuse_emptied(path: Path) -> None:
    """Raise `Damaged` if a file with a log is empty: SQLite takes it for new, and throws away the log.

    A new file has its first page before it has a log; hence the order of the questions.
    """
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size and not path.stat().st_size:
        raise Damaged


def _refuse_foreign(connection: sqlite3.Connection, name: str) -> None:
    """Raise if another program has made this database; in one look, as others may be making ours right now."""
    found = "SELECT user_version, (SELECT count(*) FROM sqlite_master) FROM pragma_user_version"
    version, tables = connection.execute(found).fetchone()
    if tables and not version:
        raise StoreError(f"the store {name} is another program's database; {ELSEWHERE[3:]}")


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL; of two processes that do so at once SQLite refuses one without waiting, so we wait."""
    import sqlite3

    _patiently(
        lambda: connection.execute("PRAGMA journal_mode = WAL"),
        lambda error: isinstance(error, sqlite3.Error) and code(error) == BUSY,
    )


def _migrate(connection: sqlite3.Connection, path: Path, tell: Callable[[str], object]) -> None:
    backup = None
    try:
        with writing(connection, path.name):
            version = _version(connection)  # again: another process may have been first
            if 0 < version < len(MIGRATIONS):
                backup = _back_up(path, version)
            for step in MIGRATIONS[version:]:
                for statement in step:
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    except BaseException:
        if backup:
            backup.unlink(missing_ok=True)  # nothing has changed
        raise
    if backup:
        tell(
            f"the store {path.name} was brought up to date; as it was before, it is kept as {backup.name}: "
            "delete that when nothing is missing"
        )


def _back_up(path: Path, version: int) -> Path:
    """Copy what is committed into a private file beside, whole or not at all; the caller keeps writers out."""
    import sqlite3

    part = path.with_name(f"{path.name}.bak.part")
    try:
        part.unlink(missing_ok=True)  # of a process that was killed
        create_private(part)
        with closing(read_only(path)) as source, closing(_connection(part)) as target:
            source.backup(target)
        return part.rename(unused(path.with_name(f"{path.name}.v{version}.bak")))
    except (sqlite3.Error, OSError) as error:
        with suppress(OSError):
            part.unlink()
        reason = error.strerror if isinstance(error, OSError) else error
        raise StoreError(
            f"the store {path.name} is of an older robota_nb, and no backup could be made before it is brought up to "
            f"date ({reason}); check the disk, {ELSEWHERE}"
        ) from error
