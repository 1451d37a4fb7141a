"""Ask a server again when that may help, and give up in time: only before the first byte of an answer."""

from __future__ import annotations

import math
import random
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol, TypeVar

from robota_nb.core.ports import Waiting
from robota_nb.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from robota_nb.core.interrupts import Cancellation

__all__ = [
    "Closable",
    "Deadline",
    "FailedAttempt",
    "Headers",
    "TooLate",
    "attempted",
    "backoff",
    "in_words",
    "is_retryable",
    "until_cancelled",
    "with_retries",
]

_MINUTE, _HOUR = 60, 3600
_LONGEST_BACKOFF = 8.0
_SHOWN_WAIT = 1.0
"""The seconds from which on a user is told of a wait; a shorter one is over before the user has read it."""

_LOOK = 0.2
"""Seconds after which a wait looks up: on Windows an interrupt does not end one."""


_AT_WORK = (HTTPStatus.GATEWAY_TIMEOUT, 524)
"""Statuses of gateways behind which the model may go on, and bill its answer: asking again is the user's choice."""


class TooLate(Exception):
    """The deadline of an answer has passed before there was a response."""


class Closable(Protocol):
    """A response that holds a connection."""

    def close(self) -> object:
        """Release the connection."""
        ...


class Headers(Protocol):
    """The headers of a response, whatever the library; names are found in lower case."""

    def get(self, name: str, default: str, /) -> str:
        """Return a header, or *default* if the response has none of that name."""
        ...


T = TypeVar("T")
R = TypeVar("R", bound=Closable)


@dataclass(frozen=True, slots=True)
class FailedAttempt:
    """A request that got no answer.

    Parameters
    ----------
    error
        The error to raise if the request is not sent again.
    retryable
        Whether sending it again may help.
    wait
        The seconds that the server asks to wait before that; None if it names none.
    """

    error: BaseException
    retryable: bool = False
    wait: float | None = None


class Deadline:
    """The moment at which an answer has taken too long.

    Parameters
    ----------
    seconds
        From now; 0 for no deadline.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + (seconds or math.inf)

    @property
    def left(self) -> float:
        """The seconds that are left; 0 when the deadline has passed."""
        return max(0.0, self._end - time.monotonic())

    @property
    def passed(self) -> bool:
        """Whether the deadline has passed."""
        return self.left == 0

    @contextmanager
    def calls(self, callback: Callable[[], object]) -> Iterator[None]:
        """Have *callback* called, in a thread of its own, if the deadline passes while the block runs."""
        timer = threading.Timer(min(self.left, threading.TIMEOUT_MAX), callback)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def with_retries(
    attempt: Callable[[], R | FailedAttempt],
    *,
    cancellation: Cancellation,
    deadline: Deadline,
    max_retries: int = 2,
    max_wait: float = 60,
) -> Generator[Waiting, None, R]:
    """Send a request until there is a response, or no use in sending it again.

    Parameters
    ----------
    attempt
        Sends the request once, in a thread of its own. It returns the response as soon as its headers are there, or a
        `FailedAttempt`; what it raises is final.
    cancellation
        Ends attempts and waits.
    deadline
        The moment at which the whole answer has taken too long; no attempt and no wait goes beyond it.
    max_retries
        How often the request is sent again.
    max_wait
        The longest wait before the next attempt, in seconds; a server that asks for more is not asked again.

    Yields
    ------
    Waiting
        Before each wait that the server asks for.

    Returns
    -------
    R
        The response; the caller closes it.

    Raises
    ------
    TooLate
        When the deadline has passed.
    """
    retries = 0
    while True:
        response = attempted(attempt, cancellation=cancellation, deadline=deadline)
        if response is None:
            raise ProviderError("the answer was stopped before any text came: ask again")
        if not isinstance(response, FailedAttempt):
            return response
        failed = response
        wait = backoff(retries) if failed.wait is None else failed.wait
        if not failed.retryable or retries >= max_retries or wait > min(max_wait, deadline.left):
            raise failed.error
        if failed.wait and wait >= _SHOWN_WAIT:
            yield Waiting(seconds=wait)
        if cancellation.wait(wait):
            raise failed.error
        retries += 1


def attempted(
    attempt: Callable[[], R | FailedAttempt], *, cancellation: Cancellation, deadline: Deadline
) -> R | FailedAttempt | None:
    """Send a request once (see `with_retries`): return the response, or None as soon as it is cancelled.

    Raises
    ------
    TooLate
        When the deadline has passed.
    """
    return until_cancelled(lambda: _caught(attempt), cancellation, _drop, deadline)


def _caught(attempt: Callable[[], R | FailedAttempt]) -> R | FailedAttempt:
    """Return what an attempt returns, or the error that it raises: nobody catches that in its thread."""
    try:
        return attempt()
    except Exception as error:  # noqa: BLE001 (it is raised again)
        return FailedAttempt(error)


def _drop(response: Closable | FailedAttempt) -> None:
    if not isinstance(response, FailedAttempt):
        response.close()


def until_cancelled(
    act: Callable[[], T], cancellation: Cancellation, undo: Callable[[T], object], deadline: Deadline
) -> T | None:
    """Return what *act* returns, or None as soon as the answer is cancelled; *undo* gets what *act* returns later.

    A thread that waits for a server cannot be woken, and a server that sends its headers byte by byte is never silent:
    so *act* runs in a thread of its own, which may be left behind.

    Raises
    ------
    TooLate
        When the deadline has passed.
    """
    held: list[T] = []  # in a list, as an interrupt may strike when it is there and nobody has taken it yet
    lock, ended, left = threading.Lock(), threading.Event(), threading.Event()

    def run() -> None:
        result = act()
        with lock:
            if not left.is_set():
                held.append(result)
                ended.set()
                return
        undo(result)

    threading.Thread(target=run, name="robota_nb-ask", daemon=True).start()
    cancellation.on_cancel(ended.set)
    try:
        _wait(ended, deadline)
        with lock:
            left.set()
        return held[0] if held else None
    except BaseException:
        with lock:
            left.set()
        for result in held:
            undo(result)
        raise


def _wait(ended: threading.Event, deadline: Deadline) -> None:
    while not ended.wait(min(_LOOK, deadline.left)):
        if deadline.passed:
            raise TooLate


def is_retryable(status: int, headers: Headers) -> bool:
    """Return whether asking again may help after an answer with this HTTP *status*; what its *headers* say counts."""
    own_word = headers.get("x-should-retry", "")
    if own_word in ("true", "false"):
        return own_word == "true"
    passing = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
    return status in passing or (status >= HTTPStatus.INTERNAL_SERVER_ERROR and status not in _AT_WORK)


def backoff(retries: int) -> float:
    """Return the seconds to wait after so many retries, from 0, where the server names no time."""
    return float(min(_LONGEST_BACKOFF, 0.5 * 2**retries) * random.uniform(0.75, 1))  # noqa: S311 (no secret)


def in_words(seconds: float) -> str:
    """Return a span of time in the unit that fits, rounded up."""
    if seconds == math.inf:
        return "for ever"
    for unit, name in ((_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= 2 * unit:
            return f"{math.ceil(seconds / unit)} {name}"
    return f"{math.ceil(seconds)} s"
