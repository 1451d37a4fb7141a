"""What is shown of the tools that a model has called: a quiet line for each call, made of what is recorded alone.

Names, arguments and results are from strangers: they stand in code, on one line, cut.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from robota_nb.core.record.text import acts

if TYPE_CHECKING:
    from collections.abc import Callable

    from robota_nb.core.record.types import Call, Step

__all__ = ["call_markdown", "call_plain", "call_said", "problem_said"]

MOST_SHOWN = 200
"""Characters of a call, and of what it has returned."""

_ENDED = {
    "denied": "refused", "interrupted": "interrupted", "error": "failed", "invalid": "does not fit",
    "unknown": "there is no such tool",
}  # fmt: skip
_WAITS = "…"
_NOTHING = '""'


def call_said(call: Call) -> str:
    """Return a call as it would be written in Python: ``temperature(city="Oslo")``.

    Examples
    --------
    >>> from robota_nb.core.record.types import Call
    >>> call_said(Call(id="1", name="temperature", arguments='{"city": "Oslo"}'))
    'temperature(city="Oslo")'
    >>> call_said(Call(id="1", name="temperature", arguments="Oslo"))
    'temperature(Oslo)'
    """
    try:
        given = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        given = None
    if isinstance(given, dict):
        arguments = ", ".join(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in given.items())
    else:
        arguments = call.arguments
    return _line(f"{call.name}({arguments})")


def call_markdown(call: Call, *, runs: bool = False) -> str:
    """Return the line of a call in Markdown; *runs*: those of its step that were not begun are still to be."""
    runs = runs and call.status == "interrupted"
    return f"> {_code(call_said(call))} → {_WAITS if runs else _outcome(call, _code, '*{}*'.format)}"


def call_plain(call: Call, *, runs: bool = False) -> str:
    """Return the same as plain text."""
    runs = runs and call.status == "interrupted"
    return f"> {call_said(call)} → {_WAITS if runs else _outcome(call, str, str)}"


def problem_said(step: Step) -> str:
    """Return what is said of an answer that did not have the form it was to have; it is followed by another one."""
    return _line(f"asked again, as it did not fit: {'; '.join(step.problem)}")


def _outcome(call: Call, in_code: Callable[[str], str], stressed: Callable[[str], str]) -> str:
    """Return what became of a call: what it has returned, else a word on why it has not."""
    result = _line(call.result)
    if call.status == "ok":
        return in_code(result or _NOTHING)
    said = stressed(_ENDED[call.status])
    return f"{said} {in_code(result)}" if result and call.status in ("error", "invalid") else said


def _line(text: str) -> str:
    """Return a text on one line, cut, with what acts on other text left out."""
    cut = text[: 4 * MOST_SHOWN]
    line = re.sub(r"\s+", " ", "".join(char for char in cut if not acts(char))).strip()
    return line if len(line) <= MOST_SHOWN and len(text) <= 4 * MOST_SHOWN else f"{line[: MOST_SHOWN - 1]}…"


def _code(text: str) -> str:
    """Return a text as inline code that nothing in it ends."""
    marks = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{marks}{space}{text}{space}{marks}"
