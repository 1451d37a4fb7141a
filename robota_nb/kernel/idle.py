"""Writes the pointers that wait (heads, active chats, settings) when the kernel is idle, not between two cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

IDLE = 1.0
"""Seconds without a running cell after which the kernel is idle: a front end that runs all sends the next at once."""


class IdleWriter:
    """Calls *write* once the kernel is idle; where there is no event loop, as in a terminal, at once.

    Parameters
    ----------
    loop
        Returns the kernel's event loop; None where there is none.
    is_running
        Says whether a cell is being executed.
    write
        Writes the pointers that wait.
    """

    def __init__(self, loop: Callable[[], Any], is_running: Callable[[], bool], write: Callable[[], None]) -> None:
        self._loop = loop
        self._is_running = is_running
        self._write = write
        self._timer: Any = None

    def cell_begins(self) -> None:
        """Wait: the kernel is at work."""
        self._cancel()

    def cell_ends(self) -> None:
        """Write when no other cell has begun for a while."""
        self._cancel()
        if loop := self._loop():
            self._timer = loop.call_later(IDLE, self.write_now)

    def write_soon(self) -> None:
        """Write once the kernel is idle; may be called in any thread."""
        if loop := self._loop():
            loop.add_callback(lambda: None if self._is_running() else self.cell_ends())  # else the cell's end does it
        else:
            self.write_now()

    def write_now(self) -> None:
        """Write without waiting."""
        self._cancel()
        self._write()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._loop().remove_timeout(self._timer)
            self._timer = None
