"""Writes what was recorded in the order of the record, while nobody holds the manager's lock."""

from __future__ import annotations

import logging
from collections import deque
from threading import RLock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from robota_nb.core.lock import Lock

log = logging.getLogger("robota_nb")


class CommitQueue:
    """Holds writes until the manager's lock is free; who put one there waits until it is done.

    A slow store so delays those who have recorded something, and nobody who reads or waits for an answer.

    Parameters
    ----------
    lock
        The manager's lock.
    """

    def __init__(self, lock: Lock) -> None:
        self._lock = lock
        self._waiting: deque[Callable[[], None]] = deque()
        self._writing = RLock()
        self._busy = False

    def put(self, write: Callable[[], None]) -> None:
        """Queue a write, with the lock held; this thread does it, and all before it, once it has let go.

        An interrupted write is done again, so doing it twice must be as doing it once.
        """
        self._waiting.append(write)
        self._lock.when_free(self._write_all)

    def _write_all(self) -> None:
        with self._writing:  # one thread at a time: what was put first is written first
            if self._busy:  # by this very thread, which the garbage collector has made end a turn while it writes
                return
            self._busy = True
            try:
                while self._waiting:
                    self._write(self._waiting[0])
                    self._waiting.popleft()
            finally:
                self._busy = False

    def _write(self, write: Callable[[], None]) -> None:
        try:
            write()
        except Exception:
            log.exception("something that was recorded could not be written")
