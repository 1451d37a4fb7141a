"""How long a server is waited for, and when it is asked again: only before the first byte of an answer."""

from __future__ import annotations

import math
import random
import threading
import time
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from queue import SimpleQueue
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from robota_nb.core.interrupts import Cancellation

__all__ = ["Deadline", "Failed", "asked_wait", "in_words", "may_help", "own_wait", "until_cancelled"]

T = TypeVar("T")

_MINUTE, _HOUR = 60, 3600
_LONGEST_OWN_WAIT = 8.0


class Failed(NamedTuple):
    """A request that got no answer.

    Parameters
    ----------
    fault
        Why, as the user is told if it is not asked again.
    passing
        Whether asking again may help.
    wait
        The seconds that the server asks to wait before that.
    refuses_options
        Whether the server refuses ``stream_options``, which not all of them know.
    """

    fault: BaseException
    passing: bool = False
    wait: float | None = None
    refuses_options: bool = False


class Deadline:
    """The moment at which an answer has taken too long.

    Parameters
    ----------
    seconds
        From now; 0 for never.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + (seconds or math.inf)

    @property
    def left(self) -> float:
        """The seconds that are left; not below 0."""
        return max(0.0, self._end - time.monotonic())

    @property
    def passed(self) -> bool:
        """Whether there are none."""
        return self.left == 0

    @contextmanager
    def calls(self, callback: Callable[[], object]) -> Iterator[None]:
        """Have *callback* called in a thread of its own if the moment comes within the block."""
        timer = threading.Timer(min(self.left, threading.TIMEOUT_MAX), callback)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def until_cancelled(act: Callable[[], T], wish: Cancellation, undo: Callable[[T], object]) -> T | None:
    """Do what waits for a server, and return what it returns; None as soon as the wish comes that it ends.

    Only an interrupt wakes a thread that waits for a server to say something, and it strikes the main one. So in
    others the waiting is left to a thread of its own; what that comes to have after the wish is undone.
    """
    if threading.current_thread() is threading.main_thread():
        return act()
    came: SimpleQueue[T | None] = SimpleQueue()
    lock, left = threading.Lock(), threading.Event()

    def wait() -> None:
        got = act()
        with lock:
            if not left.is_set():
                came.put(got)
                return
        undo(got)

    threading.Thread(target=wait, name="robota_nb-ask", daemon=True).start()
    wish.on_cancel(lambda: came.put(None))
    got = came.get()
    with lock:
        left.set()
    if got is None and not came.empty() and (late := came.get()) is not None:
        undo(late)
    return got


def may_help(status: int, headers: Mapping[str, str]) -> bool:
    """Return whether asking again may help after an answer with this HTTP status; servers may say so themselves."""
    said = headers.get("x-should-retry")
    if said in ("true", "false"):
        return said == "true"
    passing = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS)
    return status in passing or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def asked_wait(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that the server asks to wait, or None if it does not say it in a way that can be read."""
    text = headers.get("retry-after", "").strip()
    for value, unit in ((headers.get("retry-after-ms", ""), 1000), (text, 1)):
        try:
            seconds = float(value) / unit
        except ValueError:
            continue
        return max(0.0, seconds) if not math.isnan(seconds) else None
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def own_wait(attempt: int) -> float:
    """Return the seconds to wait after failure number *attempt*, from 0, where the server names none."""
    return float(min(_LONGEST_OWN_WAIT, 0.5 * 2**attempt) * random.uniform(0.75, 1))  # noqa: S311 (no secret)


def in_words(seconds: float) -> str:
    """Return a span of time in a unit that fits, rounded up."""
    if seconds == math.inf:
        return "for ever"
    for unit, name in ((_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= 2 * unit:
            return f"{math.ceil(seconds / unit)} {name}"
    return f"{math.ceil(seconds)} s"
