"""What SQLite or the system says about a store's file, as one line and a next step."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from robota_nb.errors import StoreError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

__all__ = ["BUSY", "ELSEWHERE", "Damaged", "code", "explained", "is_damage"]

# SQLite's primary result codes
BUSY = 5
_CORRUPT = 11
_NOTADB = 26

ELSEWHERE = "or set ROBOTA_NB_STORE to another path"
_LOCKED = "is locked by another process; end that process, or try again"
_REASONS = {
    3: f"may not be opened; check its permissions, {ELSEWHERE}",  # PERM
    BUSY: _LOCKED,
    6: _LOCKED,  # LOCKED
    8: f"is read-only; check its permissions, {ELSEWHERE}",  # READONLY
    10: f"had a disk error; check the disk, {ELSEWHERE}",  # IOERR
    13: f"is full, or its disk is; free some space, {ELSEWHERE}",  # FULL
    14: f"cannot be opened; check its directory, {ELSEWHERE}",  # CANTOPEN
}


class Damaged(Exception):
    """SQLite has read something, but it is not what was written."""


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Turn what goes wrong with the file *name* into a `StoreError` without the directory."""
    try:
        import sqlite3
    except ImportError as error:
        raise StoreError("this Python has no sqlite3; install one that has, or use the memory store") from error
    try:
        yield
    except sqlite3.Error as error:
        reason = _REASONS.get(code(error), f"failed ({error}); move it away, {ELSEWHERE}")
        raise StoreError(f"the store {name} {reason}") from error
    except MemoryError as error:
        raise StoreError(f"the store {name} cannot be used: out of memory; free some, or restart the kernel") from error
    except BlockingIOError as error:
        raise StoreError(f"the store {name} {_LOCKED}") from error
    except OSError as error:  # its own text holds the absolute path
        raise StoreError(f"the store {name} cannot be opened ({error.strerror}); {ELSEWHERE[3:]}") from error


def code(error: sqlite3.Error) -> int:
    """Return the primary result code; the upper bytes only refine it. Errors made by Python have none."""
    found: int = getattr(error, "sqlite_errorcode", 0)
    return found & 0xFF


def is_damage(error: sqlite3.Error | Damaged) -> bool:
    """Say whether the file itself is broken."""
    return isinstance(error, Damaged) or code(error) in {_CORRUPT, _NOTADB}
