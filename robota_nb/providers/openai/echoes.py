"""What servers want back with an answer of theirs, verbatim, when they are asked again; those of Chat Completions here.

It goes through the record as `Echo`: JSON objects, whose only key is the API that each belongs to. A record is data
from strangers, so nothing of it but what is listed here becomes a part of a request.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from robota_nb.providers.openai.pieces import well_formed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["EchoReader", "echoed", "from_item", "to_item"]

_CHAT = "chat"
_THOUGHTS, _DETAILS = "reasoning_content", "reasoning_details"
_IN_PIECES = frozenset({"reasoning.text", "reasoning.summary"})
_TEXTS = ("text", "summary")
_NO_EXTRA = frozenset({"id", "type", "index", "name", "arguments", "function"})


def to_item(api: str, said: Mapping[str, Any]) -> str:
    """Return what the server of an API has *said* as an item for the record."""
    return well_formed(json.dumps({api: said}, ensure_ascii=False, separators=(",", ":")))


def from_item(api: str, item: str) -> dict[str, Any]:
    """Return what an item holds for the server of an API; empty if that is nothing that could be sent."""
    try:
        said = json.loads(item, parse_constant=_refuse).get(api)
        return json.loads(well_formed(json.dumps(said, ensure_ascii=False))) if isinstance(said, dict) else {}
    except (ValueError, AttributeError, RecursionError):
        return {}


def _refuse(constant: str) -> None:
    raise ValueError(constant)  # NaN and its like, which are no JSON


class EchoReader:
    """Gathers it from the pieces of one answer."""

    def __init__(self) -> None:
        self._thoughts: list[str] = []
        self._details: list[dict[str, Any]] = []

    def take(self, message: Mapping[str, Any]) -> None:
        """Take what is in a message, or in a piece of one."""
        if isinstance(thoughts := message.get(_THOUGHTS), str):
            self._thoughts.append(thoughts)
        details = message.get(_DETAILS)
        for detail in details if isinstance(details, list) else ():
            if isinstance(detail, dict):
                self._add(detail)

    def items(self, calls: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
        """Return it for the record; *calls* is what each call of the answer had besides."""
        said: dict[str, Any] = {}
        if self._thoughts and calls:  # which DeepSeek refuses anywhere else
            said[_THOUGHTS] = "".join(self._thoughts)
        if self._details:
            said[_DETAILS] = self._details
        if any(calls):
            said["tool_calls"] = list(calls)
        return (to_item(_CHAT, said),) if said else ()

    def _add(self, detail: dict[str, Any]) -> None:
        """Add a part of OpenRouter's, or the next piece of one."""
        last = self._details[-1] if self._details else {}
        same = all(detail.get(key) == last.get(key) for key in ("type", "index"))
        if not (same and detail.get("type") in _IN_PIECES):
            self._details.append(dict(detail))
            return
        for key, value in detail.items():
            both = key in _TEXTS and isinstance(value, str) and isinstance(last.get(key), str)
            if value is not None:
                last[key] = last[key] + value if both else value


def echoed(message: dict[str, Any], items: Iterable[str]) -> dict[str, Any]:
    """Return an assistant's message with what its server wants back in it.

    Examples
    --------
    >>> echoed({"role": "assistant", "tool_calls": [{"id": "a"}]}, ['{"chat": {"reasoning_content": "Hm."}}'])
    {'role': 'assistant', 'tool_calls': [{'id': 'a'}], 'reasoning_content': 'Hm.'}
    """
    message = dict(message)
    for item in items:
        said = from_item(_CHAT, item)
        thoughts, details, more = said.get(_THOUGHTS), said.get(_DETAILS), said.get("tool_calls")
        calls = message.get("tool_calls")
        if isinstance(thoughts, str) and calls:
            message[_THOUGHTS] = thoughts
        if isinstance(details, list):
            message[_DETAILS] = details
        if isinstance(more, list) and calls:
            extras = [extra if isinstance(extra, dict) else {} for extra in more] + [{}] * len(calls)
            message["tool_calls"] = [_with(call, extra) for call, extra in zip(calls, extras, strict=False)]
    return message


def _with(call: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
    """Return a call with what its server had said of it besides, which changes nothing of the call."""
    more = {**_known(extra), **call}
    inside = _known(extra.get("function"))
    return {**more, "function": {**inside, **call["function"]}} if inside else more


def _known(extra: Any) -> dict[str, Any]:
    return {key: value for key, value in extra.items() if key not in _NO_EXTRA} if isinstance(extra, dict) else {}
