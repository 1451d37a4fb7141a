"""What servers count of an answer, under whatever names. Pure: JSON values in, counts out."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from robota_nb.core.ports import Usage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["PLACES", "Counts"]

PLACES = frozenset({"usage", "usageMetadata", "usage_metadata", "x_groq"})
"""Where counts stand in a chunk, or in a choice of it."""

_NAMES = {
    "prompt_tokens": "input_tokens", "prompt_token_count": "input_tokens", "input_token_count": "input_tokens",
    "prompt_eval_count": "input_tokens", "tokens_evaluated": "input_tokens",
    "completion_tokens": "output_tokens", "candidates_token_count": "output_tokens",
    "output_token_count": "output_tokens", "response_token_count": "output_tokens", "eval_count": "output_tokens",
    "generated_tokens": "output_tokens", "generated_token_count": "output_tokens", "tokens_predicted": "output_tokens",
    "total_token_count": "total_tokens",
    "cache_read_input_tokens": "cached_tokens", "prompt_cache_hit_tokens": "cached_tokens",
    "cached_content_token_count": "cached_tokens", "cache_read_tokens": "cached_tokens",
    "thoughts_token_count": "reasoning_tokens",
}  # fmt: skip
"""Names of OpenAI, Anthropic, Gemini, DeepSeek, Ollama, llama.cpp, TGI, watsonx and their like, and ours."""

_OF_EITHER = frozenset({"audio_tokens", "text_tokens", "image_tokens", "video_tokens"})
"""What is counted of the request and of the answer, in a part of the usage that is of one of them."""

_SIDES = (("input", re.compile("prompt|input")), ("output", re.compile("completion|output|candidates|response")))
_NO_COUNT = re.compile("cost|price|time|duration|latency|second|speed|rate(?![a-z])")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_DEEPEST = 3
_MOST = 2**53


class Counts:
    """Puts the counts of an answer together: servers give them once or with each chunk; the last good one counts."""

    def __init__(self) -> None:
        self._found: dict[str, int] = {}

    def take(self, holder: Mapping[str, Any]) -> None:
        """Take the counts of a chunk, or of a choice in it, if there are any."""
        for place in PLACES & holder.keys():
            value = holder[place]
            if isinstance(value, dict) and isinstance(inner := value.get("usage"), dict):  # Groq's
                value = inner
            found = dict[str, int]()
            for name, count in _counts(value):
                found[name] = max(count, found.get(name, 0))
            if any(found.values()) or not any(self._found.values()):  # else the zeros of a chunk that has none
                self._found |= found

    def usage(self) -> Usage | None:
        """Return them; None if neither the tokens in nor the tokens out are known."""
        more = dict(self._found)
        came, went, total = (more.pop(name, None) for name in ("input_tokens", "output_tokens", "total_tokens"))
        if total is not None and came is not None and went is None and total >= came:
            went = total - came
        elif total is not None and went is not None and came is None and total >= went:
            came = total - went
        if came is None and went is None:
            return None
        if total is not None and total != (came or 0) + (went or 0):  # some count the thoughts only here
            more["total_tokens"] = total
        return Usage(input_tokens=came or 0, output_tokens=went or 0, more=more, at_least=came is None or went is None)


def _counts(value: Any, side: str = "", depth: int = 0) -> Iterator[tuple[str, int]]:
    """Yield the counts in a usage, under our names."""
    if depth > _DEEPEST or not isinstance(value, dict):
        return
    for key, inner in value.items():
        name = _snake(key)
        if _NO_COUNT.search(name):
            continue
        if isinstance(inner, dict):
            yield from _counts(inner, _side(name) or side, depth + 1)
        elif isinstance(inner, list):  # Gemini's: {"modality": "TEXT", "tokenCount": 7}
            yield from _by_modality(inner, _side(name))
        elif (count := _count(inner, name)) is not None and _NAME.fullmatch(name):
            yield f"{side}_{name}" if side and name in _OF_EITHER else _NAMES.get(name, name), count


def _by_modality(items: list[Any], side: str) -> Iterator[tuple[str, int]]:
    for item in items:
        if isinstance(item, dict) and isinstance(item.get("modality"), str):
            name = f"{_snake(item['modality'])}_tokens"
            count = _count(item.get("tokenCount", item.get("token_count")), "tokens")
            if count is not None and name in _OF_EITHER and side:
                yield f"{side}_{name}", count


def _side(name: str) -> str:
    return next((side for side, pattern in _SIDES if pattern.match(name)), "")


def _snake(name: str) -> str:
    return _CAMEL.sub("_", name[:100]).lower().replace("-", "_")


def _count(value: Any, name: str) -> int | None:
    """Return a number as a count, rounded if it counts tokens; None if it is none."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 16:  # noqa: PLR2004 - of 2**53
        value = int(value)
    if isinstance(value, float) and math.isfinite(value) and (value.is_integer() or "token" in name):
        value = round(value)
    return value if type(value) is int and 0 <= value < _MOST else None
