"""Ending an answer early, and holding back the user's interrupt while something must not be half done."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


@contextmanager
def deferred() -> Iterator[None]:
    """Let an interrupt (SIGINT) strike only when the block has ended.

    In other threads than the main one nothing has to be done: Python interrupts only that.
    """
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return
    struck: list[tuple[int, FrameType | None]] = []
    signal.signal(signal.SIGINT, lambda number, frame: struck.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if struck:
            handler(*struck[0])


class Cancellation:
    """Ends a running answer: cancelled in one thread, noticed in another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancelled = threading.Event()
        self._callbacks: list[Callable[[], object]] = []

    @property
    def cancelled(self) -> bool:
        """Whether it was cancelled."""
        return self._cancelled.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait until it is cancelled, at most so many *seconds*; return whether it was."""
        return self._cancelled.wait(seconds)

    def cancel(self) -> None:
        """Cancel the answer."""
        with self._lock:
            self._cancelled.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def on_cancel(self, callback: Callable[[], object]) -> None:
        """Have *callback* called when it is cancelled, in that thread; at once if it was."""
        with self._lock:
            if not self.cancelled:
                self._callbacks.append(callback)
                return
        callback()
