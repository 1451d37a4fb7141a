"""What a server says of a fault, in whatever form it says it. Pure: values in, words out."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["reports_error", "said_in", "values_in", "words_of"]

_WORDS = (
    *("message", "error", "errors", "detail", "msg", "error_description", "error_message", "error_msg", "errormessage"),
    *("status_msg", "base_resp", "faultstring", "fault", "exception", "response", "description", "title", "reason"),
)  # fmt: skip
"""The keys that lead to words, the best one first; capitals do not count."""

_FAULTS = frozenset({
    *("error", "errors", "error_description", "error_message", "error_msg", "errormessage", "error_code"),
    *("fault", "faultstring", "exception"),
})  # fmt: skip
"""The keys that only a fault has, if there is anything in them."""

_CODES = ("code", "statuscode", "status_code", "errcode")
_FAILED = re.compile("error|failed|failure|denied|[45][0-9][0-9]", re.IGNORECASE)
_HINTS_OF_FAULT = ("message", "msg", "detail", "status_msg", "description")
_FINE = ("", "0", "200", "ok", "success", "none", "null", "true")
_DEEPEST = 8
_MOST_OF_A_PAGE = 5000  # characters
_MOST = 5  # of a list of faults

_PAGE = re.compile(r"\s*<(?:!doctype|html|head|body|\?xml|[a-z]+[\s>/])", re.IGNORECASE)
_HEADLINES = re.compile(r"<(title|h1)\b[^>]*>(.*?)</\1\s*>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_LEADING = re.compile(r"\s*(?:data|event|error)\s*:", re.IGNORECASE)


def said_in(text: str) -> str:
    """Return the words in the *text* of an error's body: JSON of any shape, a stream of events, a page, or plain words.

    Examples
    --------
    >>> said_in('{"detail": [{"loc": ["body", "top_p"], "msg": "too large"}]}')
    'top_p: too large'
    >>> said_in("<html><title>502 Bad Gateway</title>")
    '502 Bad Gateway'
    """
    values = list(values_in(text))
    if values:
        return _joined(words_of(value) for value in values)
    if _PAGE.match(text):
        return _joined(html.unescape(_TAG.sub(" ", found[1])) for found in _HEADLINES.findall(text[:_MOST_OF_A_PAGE]))
    return "" if text.lstrip()[:1] in ("{", "[") else text


def values_in(text: str) -> Iterator[Any]:
    """Yield the JSON values of a body, be they the whole of it or in the events of a stream."""
    whole = _decoded(text)
    if whole is not None:
        yield whole
    elif _LEADING.match(text):
        lines = (line.partition(":")[2] for line in text.splitlines() if _LEADING.match(line))
        yield from (value for line in lines if isinstance(value := _decoded(line), (dict, list)))


def words_of(value: Any, depth: int = 0) -> str:
    """Return the words of a fault, wherever in a *value* of JSON the server has put them, *depth* levels down."""
    if depth > _DEEPEST:
        return ""
    if isinstance(value, str):
        inner = _decoded(value) if value.lstrip()[:1] in ("{", "[") else None
        return words_of(inner, depth + 1) or value if isinstance(inner, (dict, list)) else value
    if isinstance(value, list):
        return _joined(words_of(item, depth + 1) for item in value[:_MOST])
    if not isinstance(value, dict):
        return ""
    small = {str(key).casefold(): item for key, item in value.items()}
    words = next((words for key in _WORDS if (words := words_of(small.get(key), depth + 1))), "")
    if place := _place(small.get("loc")):
        words = f"{place}: {words}"
    metadata = small.get("metadata")
    if isinstance(metadata, dict) and (upstream := words_of(metadata.get("raw"), depth + 1)):
        words = _joined([words, upstream])
    return words


def reports_error(value: Mapping[str, Any]) -> bool:
    """Return whether *value*, an object that came in the place of an answer, says that something went wrong.

    Examples
    --------
    >>> reports_error({"code": 50505, "message": "engine overloaded", "data": None})
    True
    >>> reports_error({"error": None, "choices": []})
    False
    """
    small = {str(key).casefold(): item for key, item in value.items()}
    if any(small.get(key) not in (None, "", 0, False, [], {}) for key in _FAULTS):
        return True
    if "error" in (small.get("object"), small.get("type")) or small.get("success") is False:
        return True
    if isinstance(base := small.get("base_resp"), dict) and not _is_fine(base.get("status_code")):
        return True
    if small.get("choices"):
        return False
    if _FAILED.fullmatch(str(small.get("status"))):
        return True
    codes = [small[key] for key in _CODES if key in small]
    if any(not _is_fine(code) for code in codes):
        return True
    return not codes and any(small.get(key) for key in _HINTS_OF_FAULT)


def _is_fine(code: Any) -> bool:
    return not isinstance(code, (str, int)) or str(code).casefold() in _FINE


def _place(loc: Any) -> str:
    """Return where in a request the fault is, as FastAPI says it: ``["body", "messages", 0]``."""
    parts = [str(part) for part in loc] if isinstance(loc, list) else []
    return ".".join(parts[1:] if parts[:1] == ["body"] else parts)


def _joined(words: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(" ".join(each.split()) for each in words if each.strip()))


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
