"""The manager's lock: re-entrant, and its holder may leave slow work for the moment when it is free again."""

from __future__ import annotations

from collections import deque
from threading import Condition, RLock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Lock:
    """Protects what the sessions of a manager share; never held while a model, a disk or a network is waited for.

    Examples
    --------
    >>> lock = Lock()
    >>> with lock:
    ...     lock.when_free(lambda: print("written"))
    ...     print("recorded")
    recorded
    written
    """

    def __init__(self) -> None:
        self._lock = RLock()
        self._condition = Condition(self._lock)
        self._depth = 0
        self._later: deque[Callable[[], None]] = deque()

    def __enter__(self) -> None:
        self._lock.acquire()
        self._depth += 1

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        later, self._later = (self._later, deque()) if not self._depth else (deque(), self._later)
        self._lock.release()
        for work in later:
            work()

    def when_free(self, work: Callable[[], None]) -> None:
        """Have the thread that holds the lock do some *work* as soon as it has let go, before it goes on."""
        self._later.append(work)

    def notify_all(self) -> None:
        """Wake those who wait for something that the holder has just made true."""
        self._condition.notify_all()

    def wait_for(self, reached: Callable[[], bool], timeout: float) -> bool:
        """Let go, and wait until *reached* returns true, at most *timeout* seconds; say whether it was.

        The lock is to be held once, and nothing left for later.
        """
        depth, self._depth = self._depth, 0
        try:
            return self._condition.wait_for(reached, timeout)
        finally:
            self._depth = depth
