"""When a server wants to be asked again: read from its headers and its words, in all the forms that servers use."""

from __future__ import annotations

import math
import re
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from robota_nb.providers.retry import Headers

__all__ = ["limit_reset", "retry_after", "wait_said"]

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_LIMITS = (
    *((f"{name}-reset{of}", f"{name}-remaining{of}") for name in ("x-ratelimit", "ratelimit")
      for of in ("-requests", "-tokens", "")),
    *((f"anthropic-ratelimit-{of}-reset", f"anthropic-ratelimit-{of}-remaining")
      for of in ("requests", "tokens", "input-tokens", "output-tokens")),
)  # fmt: skip
"""The headers that say when a limit is lifted, each with the one that says what is left until then."""

_MOST = 20_000  # characters of a body that are looked at
_A_YEAR = 31_536_000
_SAID = re.compile(
    r"retryDelay\W{1,5}(?P<delay>[\d.]+)s"
    r"|estimated_time\W{1,5}(?P<estimated>[\d.]+)"
    r"|(?:try|retry)(?: again)? (?:in|after) (?P<number>\d+(?:\.\d+)?) ?(?P<unit>ms|s|m|h|d)(?:[a-z]*)\b",
    re.IGNORECASE,
)


def retry_after(headers: Headers) -> float | None:
    """Return the seconds that a server asks to wait; None if its headers do not say, or not in a readable way.

    It is in ``retry-after-ms``, or as seconds or a date in ``retry-after``.
    """
    for name, unit in (("retry-after-ms", 1000), ("retry-after", 1)):
        seconds = _number(headers.get(name, ""))
        if seconds is not None:
            return max(0.0, seconds / unit)
    return _until(headers.get("retry-after", ""))


def wait_said(body: str) -> float | None:
    """Return the seconds that the body of an error asks to wait; None if it names none.

    Examples
    --------
    >>> wait_said('{"@type": "…/google.rpc.RetryInfo", "retryDelay": "35s"}'), wait_said("Please try again in 20 ms.")
    (35.0, 0.02)
    """
    found = _SAID.search(body[:_MOST])
    if found is None:
        return None
    if found["number"]:
        return float(found["number"]) * _UNITS[found["unit"].lower()]
    return _number(found["delay"] or found["estimated"])


def limit_reset(headers: Headers) -> float | None:
    """Return the seconds until the limits that are reached are lifted; None if the headers do not say.

    They are in the ``x-ratelimit-reset-…`` of each limit: a span such as ``6m0s``, seconds, or the moment as a date, or
    as seconds or milliseconds since 1970. If none says that it is reached, the first that is lifted counts.
    """
    known: list[float] = []
    reached: list[float] = []
    for reset, remaining in _LIMITS:
        wait = _span(headers.get(reset, ""))
        if wait is not None:
            known.append(wait)
            if _number(headers.get(remaining, "")) == 0:
                reached.append(wait)
    return max(reached) if reached else min(known, default=None)


def _span(text: str) -> float | None:
    """Return the seconds in a text such as ``6m0s``, ``120ms``, ``7.5`` or ``1767225600`` (a moment)."""
    parts = _SPAN.findall(text.lower())
    if parts and "".join(number + unit for number, unit in parts) == text.strip().lower():
        return sum(float(number) * _UNITS[unit] for number, unit in parts)
    seconds = _number(text)
    if seconds is None:
        return _until(text)
    if seconds > 1000 * _A_YEAR:  # the moment in milliseconds
        seconds /= 1000
    return max(0.0, seconds - time.time()) if seconds > _A_YEAR else max(0.0, seconds)


def _until(moment: str) -> float | None:
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            then = read(moment.strip())
            return max(0.0, (then if then.tzinfo else then.replace(tzinfo=UTC)).timestamp() - time.time())
        except (ValueError, OverflowError):
            continue
    return None


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return None if math.isnan(value) else value
