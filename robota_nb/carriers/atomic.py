"""Change a file whole or not at all, one writer at a time."""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
import sys
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

from robota_nb.errors import SnapshotError

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["explained", "locked", "replace_file"]


@contextmanager
def explained(path: Path, verb: str) -> Iterator[None]:
    """Turn a system error into one line, without the directory: ``cannot be read``, ``cannot be written``."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SnapshotError(f"{path.name} cannot be {verb} ({reason}); check its path and permissions") from error


def replace_file(path: Path, data: bytes) -> None:
    """Put *data* in the place of a file: at any moment there is the old file or the new one.

    Mode and owner of the old file stay; a new one gets what the umask says. Symlinks are the caller's to follow.

    Raises
    ------
    SnapshotError
        If it cannot be written; the old file is as it was then.
    """
    family = f".robota_nb-{hashlib.blake2s(os.fsencode(path.name), digest_size=6).hexdigest()}-"
    temporary = path.with_name(f"{family}{secrets.token_hex(4)}.tmp")
    with explained(path, "written"):
        for stale in path.parent.glob(f"{family}*.tmp"):  # of writers that were killed
            stale.unlink(missing_ok=True)
        try:
            _write_through(temporary, data, like=path.stat() if path.exists() else None)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync_directory(path.parent)


def _write_through(path: Path, data: bytes, *, like: os.stat_result | None) -> None:
    """Write a new file down to the disk, with the mode and owner of *like*."""

    def create(name: str, flags: int) -> int:
        return os.open(name, flags, 0o600 if like else 0o666)

    with open(path, "xb", opener=create) as file:  # Path.open takes no opener
        file.write(data)
        file.flush()
        if like:
            if hasattr(os, "chown"):
                with suppress(PermissionError):  # only root gives files away
                    os.chown(path, like.st_uid, like.st_gid)
            path.chmod(stat.S_IMODE(like.st_mode))
        os.fsync(file.fileno())


def _sync_directory(path: Path) -> None:
    """Make the new name as durable as the data; not every system can."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other threads and processes that lock this file, too, from writing it meanwhile.

    The lock is on the file itself, so no lock file stays behind, and opening it for writing respects a
    read-only file, which a rename would not. A file that does not exist needs no lock.

    Raises
    ------
    SnapshotError
        If the file may not be written.
    """
    with explained(path, "written"):
        file = _lock(path)
    try:
        yield
    finally:
        if file:
            _unlock(file)


def _lock(path: Path) -> IO[bytes] | None:
    while True:
        try:
            file = path.open("r+b")
        except FileNotFoundError:
            return None
        if sys.platform == "win32":  # there, a file that is open cannot be replaced
            file.close()
            return None
        try:
            with suppress(OSError):  # a network disk without locks: advisory means we may go on
                fcntl.flock(file, fcntl.LOCK_EX)
            if path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        except BaseException:
            file.close()
            raise
        file.close()  # it was replaced while we waited: lock the new one


def _unlock(file: IO[bytes]) -> None:
    if sys.platform != "win32":
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_UN)  # by name: a forked child may have the file open, too
    file.close()
