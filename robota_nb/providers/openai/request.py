"""What the requests of each API share, and what a server may refuse of one without refusing the question."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from robota_nb.providers.said import said_in, values_in

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from robota_nb.core.ports import Request

__all__ = ["Refusal", "named", "over", "params_named", "questions_with", "refused_of"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A parameter that a server has refused.

    Parameters
    ----------
    name
        The parameter's.
    instead
        The name under which its value is sent from then on; empty if it is left out.
    remark
        What its user is told, with a place for the model's name; empty if the user has not set the parameter.
    """

    name: str
    instead: str = ""
    remark: str = ""


_DEEPEST = 8

_NOT_KNOWN = re.compile(
    r"unsupported|(not|n't|no longer) (be )?(support|permit|allow|accept|available|compatible|recogni[sz]ed)"
    r"|unrecognized|unknown|unexpected|extra.?(forbidden|inputs|fields)|only the default|deprecated|use '?max_",
    re.IGNORECASE,
)
"""How servers refuse a parameter, and not only its value."""

_NO_STREAM = re.compile(
    r"(not|n't|no|un\w+|must|only|cannot)\b.{0,60}\bstream(ing|ed)?\b|\bstream(ing|ed)?\b.{0,60}\b(not|n't|no|un\w+|false)",
    re.IGNORECASE,
)


def named(messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return messages in which each call has an id, as servers want it also if they have given it none.

    Examples
    --------
    >>> calls = {"role": "assistant", "content": "", "tool_calls": [{"id": ""}]}
    >>> [_, told] = named([calls, {"role": "tool", "tool_call_id": ""}])
    >>> told
    {'role': 'tool', 'tool_call_id': 'call_0_0'}
    """
    found, waiting = list[dict[str, Any]](), deque[str]()
    for at, message in enumerate(messages):
        calls = message.get("tool_calls")
        if calls:
            given = [{**call, "id": call["id"] or f"call_{at}_{number}"} for number, call in enumerate(calls)]
            waiting = deque(now["id"] for now, call in zip(given, calls, strict=True) if not call["id"])
            found.append({**message, "content": message.get("content") or None, "tool_calls": given})
        elif message["role"] == "tool" and not message["tool_call_id"] and waiting:
            found.append({**message, "tool_call_id": waiting.popleft()})
        else:
            found.append(message)
    return found


def over(defaults: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is said over defaults, object in object.

    Examples
    --------
    >>> over({"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": 4}})
    {'a': {'b': 4, 'c': 2}, 'd': 3}
    """
    both = {
        key: over(defaults[key], value)
        for key, value in said.items()
        if isinstance(value, dict) and isinstance(defaults.get(key), dict)
    }
    return {**defaults, **said, **both}


def refused_of(
    said: str,
    body: Mapping[str, Any],
    refusals: Sequence[Refusal],
    *,
    others: Mapping[str, str] = MappingProxyType({}),
    spare: Sequence[str],
) -> Refusal | None:
    """Return the parameter that a server refuses, if the question can be asked without it.

    Parameters
    ----------
    said
        The body of the error.
    body
        What was sent.
    refusals
        What the server has refused before; none of it is refused twice.
    others
        Parameters that servers know by another name, and that name.
    spare
        Parameters that can be left out.
    """
    gone = {refusal.name for refusal in refusals}
    named, words = params_named(said), said_in(said)
    if "stream" in body and (named == {"stream"} or _NO_STREAM.search(words)):
        return Refusal(
            "stream", "", "the model {model!r} does not stream here: asked again for the answer in one piece"
        )
    if not _NOT_KNOWN.search(said):
        return None
    for name in (*others, *spare):
        if name in body and name not in gone and (name in named or re.search(rf"\b{name}\b", words)):
            return _without(name, others.get(name, ""), {*body, *gone})
    return None


def params_named(said: str) -> set[str]:
    """Return the parameters that an error's body names as such."""
    return {name for value in values_in(said) for name in _named(value)}


def _without(name: str, other: str, taken: Collection[str]) -> Refusal:
    if other and other not in taken:
        return Refusal(name, other, f"the model {{model!r}} takes no {name}: asked again with {other}")
    return Refusal(name, "", f"the model {{model!r}} takes no {name}: asked again without it")


def _named(value: Any, depth: int = 0) -> Iterator[str]:
    """Yield the parameters that the JSON of an error names as such."""
    if isinstance(value, dict):
        places = value.get("loc")
        found = [value.get("param"), *(places[-1:] if isinstance(places, list) else [])]
        yield from (name for name in found if isinstance(name, str))
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if depth < _DEEPEST:
        for inner in inside:
            yield from _named(inner, depth + 1)


def questions_with(request: Request, *types: str) -> list[int]:
    """Return the numbers of the turns whose questions have parts of a type, from 1; 0 for what is asked now."""
    asked = [message["content"] for message in request.messages if message["role"] == "user"]
    numbers = [*(request.turns or range(1, len(asked))), 0]
    return [
        number
        for number, content in zip(numbers, asked, strict=False)
        if isinstance(content, list) and any(part.get("type") in types for part in content)
    ]
