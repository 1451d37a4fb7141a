"""How many tokens a request and its answer may have together, as servers tell it. Pure: their words in, numbers out."""

from __future__ import annotations

import json
import re
from typing import Any

from robota_nb.providers.openai.models import name_of

__all__ = ["window_said", "windows_in"]

_FIELDS = ("max_model_len", "context_length", "context_window", "max_context_length")
"""Of vLLM, OpenRouter, Groq and Mistral."""

_SAID = re.compile(
    r"context[ _-]?(?:length|window|size|limit)(?: (?:is|of)(?: only)?)?[^\w.]{1,4}(\d[\d,]{2,11})(?![\d.])"
    r'|"n_ctx"\W{1,4}(\d{3,12})',
    re.IGNORECASE,
)
_LEAST, _MOST = 256, 10**9
_DEEPEST = 4


def windows_in(data: bytes) -> dict[str, int]:
    """Return the windows that a list of models tells, by the names of the models.

    Examples
    --------
    >>> windows_in(b'{"data": [{"id": "a", "max_model_len": 8192}, {"id": "b", "context_length": "x"}]}')
    {'a': 8192}
    """
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    found: dict[str, int] = {}
    _look(value, found)
    return found


def _look(value: Any, found: dict[str, int], depth: int = 0) -> None:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if depth < _DEEPEST:
        for inner in inside:
            _look(inner, found, depth + 1)
    if isinstance(value, dict) and (name := name_of(value)):
        window = next((size for field in _FIELDS if (size := _size(value.get(field)))), 0)
        if window:
            found[name] = window


def window_said(text: str) -> int:
    """Return the window that a server's refusal of a long request names; 0 if it names none.

    Examples
    --------
    >>> window_said("maximum context length is 8,192 tokens, you requested 9000"), window_said("no")
    (8192, 0)
    """
    found = _SAID.search(text)
    return _size(int(next(filter(None, found.groups())).replace(",", ""))) if found else 0


def _size(value: object) -> int:
    return value if type(value) is int and _LEAST <= value <= _MOST else 0
