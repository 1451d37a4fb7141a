"""The APIs that the fake server speaks: what an answer looks like over Chat Completions, and over the Responses API."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeAlias

from robota_nb.core.ports import ReasoningDelta, ToolCall
from robota_nb.testing.servers.local_server import DONE, delta, event, head

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

Piece: TypeAlias = str | ToolCall | ReasoningDelta
"""A piece of an answer: text, a call of a tool, or a thought."""

_CALL_SIZE = 10  # characters of a call's arguments in one event


class Wire(ABC):
    """One API."""

    path: str

    @abstractmethod
    def begin(self, model: str) -> bytes:
        """Return what a stream begins with."""

    @abstractmethod
    def say(self, model: str, pieces: Sequence[Piece]) -> Iterator[bytes]:
        """Yield the events of each piece, in one lump of bytes each."""

    @abstractmethod
    def end(self, model: str, how: str, pieces: Sequence[Piece], usage: Mapping[str, int] | None) -> bytes:
        """Return what a stream ends with; *how* is that of `FakeOpenAIServer.end`."""

    @abstractmethod
    def error(self, message: str) -> bytes:
        """Return an error inside a stream."""

    @abstractmethod
    def whole(self, model: str, pieces: Sequence[Piece], usage: Mapping[str, int]) -> dict[str, Any]:
        """Return an answer that is not streamed."""


class _Chat(Wire):
    path = "chat/completions"

    def begin(self, model: str) -> bytes:
        return delta(model, {"role": "assistant", "content": ""})

    def say(self, model: str, pieces: Sequence[Piece]) -> Iterator[bytes]:
        calls = 0
        for piece in pieces:
            if isinstance(piece, str):
                yield delta(model, {"content": piece})
            elif isinstance(piece, ReasoningDelta):
                yield delta(model, {"reasoning_content": piece.text})
            else:
                more = ({"index": calls, "function": {"arguments": part}} for part in _parts(piece.arguments))
                first = {"index": calls, **_call(piece, "")}
                yield b"".join(delta(model, {"tool_calls": [each]}) for each in (first, *more))
                calls += 1

    def end(self, model: str, how: str, pieces: Sequence[Piece], usage: Mapping[str, int] | None) -> bytes:
        if how == "clean":
            return b""
        if how == "done":
            return DONE
        counted = b"" if usage is None else event(head(model) | {"choices": [], "usage": _chat_usage(usage)})
        if how == "reason":
            return delta(model, {}, _reason(pieces)) + counted
        return delta(model, {}, _reason(pieces) if how == "stop" else how) + counted + DONE

    def error(self, message: str) -> bytes:
        return event({"error": {"message": message, "type": "server_error"}})

    def whole(self, model: str, pieces: Sequence[Piece], usage: Mapping[str, int]) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": _text(pieces)}
        if thoughts := _thoughts(pieces):
            message["reasoning_content"] = thoughts
        if calls := [_call(piece, piece.arguments) for piece in pieces if isinstance(piece, ToolCall)]:
            message["tool_calls"] = calls
        choice = {"index": 0, "message": message, "finish_reason": _reason(pieces)}
        value = {"object": "chat.completion", "model": model, "choices": [choice], "usage": _chat_usage(usage)}
        return {"id": "chatcmpl-fake", "created": 0, **value}


class _Responses(Wire):
    path = "responses"

    def begin(self, model: str) -> bytes:
        response = _response(model, "in_progress", [])
        return _event("response.created", response=response) + _event("response.in_progress", response=response)

    def say(self, model: str, pieces: Sequence[Piece]) -> Iterator[bytes]:  # noqa: ARG002 (chunks name the model, these do not)
        closing = b""
        for at, group in enumerate(_grouped(pieces)):
            place = {"item_id": _item(at, group)["id"], "output_index": at}
            opening = closing + _opening(at, group)
            for piece in group:
                yield opening + b"".join(_deltas(place, piece))
                opening = b""
            closing = _closing(at, group)

    def end(self, model: str, how: str, pieces: Sequence[Piece], usage: Mapping[str, int] | None) -> bytes:
        groups = list(_grouped(pieces))
        closing = _closing(len(groups) - 1, groups[-1]) if groups else b""
        if how in ("clean", "done"):
            return closing + (DONE if how == "done" else b"")
        reason = {"length": "max_output_tokens", "content_filter": "content_filter"}.get(how)
        status = "incomplete" if reason else "completed"
        response = _response(model, status, groups, reason=reason, usage=usage)
        return closing + _event(f"response.{status}", response=response)

    def error(self, message: str) -> bytes:
        return _event("error", code="server_error", message=message, param=None)

    def whole(self, model: str, pieces: Sequence[Piece], usage: Mapping[str, int]) -> dict[str, Any]:
        return _response(model, "completed", list(_grouped(pieces)), usage=usage)


CHAT, RESPONSES = _Chat(), _Responses()
WIRES: Mapping[str, Wire] = {wire.path: wire for wire in (CHAT, RESPONSES)}
"""By the end of the path that is asked."""


# -- Chat Completions


def _call(call: ToolCall, arguments: str) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _reason(pieces: Iterable[Piece]) -> str:
    return "tool_calls" if any(isinstance(piece, ToolCall) for piece in pieces) else "stop"


def _chat_usage(usage: Mapping[str, int]) -> dict[str, int]:
    return {
        "prompt_tokens": usage["input_tokens"],
        "completion_tokens": usage["output_tokens"],
        "total_tokens": usage["total_tokens"],
    }


# -- Responses


def _event(kind: str, **value: Any) -> bytes:
    return b"event: %b\n" % kind.encode() + event({"type": kind, **value})


def _grouped(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Yield the pieces of each item of an answer: all text that comes in a row is one, and so are thoughts."""
    for kind, group in groupby(pieces, type):
        together = list(group)
        yield from ([piece] for piece in together) if kind is ToolCall else [together]


def _item(at: int, group: Sequence[Piece], *, whole: bool = False) -> dict[str, Any]:
    first, status = group[0], "completed" if whole else "in_progress"
    if isinstance(first, ToolCall):
        said = {"call_id": first.id, "name": first.name, "arguments": first.arguments if whole else ""}
        return {"id": f"fc_{at}", "type": "function_call", "status": status, **said}
    if isinstance(first, ReasoningDelta):
        summary = [{"type": "summary_text", "text": _thoughts(group)}] if whole else []
        return {"id": f"rs_{at}", "type": "reasoning", "summary": summary, "encrypted_content": f"sealed-{at}"}
    content = [_part(_text(group))] if whole else []
    return {"id": f"msg_{at}", "type": "message", "status": status, "role": "assistant", "content": content}


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": []}


def _opening(at: int, group: Sequence[Piece]) -> bytes:
    item = _item(at, group)
    added = _event("response.output_item.added", output_index=at, item=item)
    place = {"item_id": item["id"], "output_index": at}
    if isinstance(group[0], str):
        return added + _event("response.content_part.added", **place, content_index=0, part=_part(""))
    if isinstance(group[0], ReasoningDelta):
        part = {"type": "summary_text", "text": ""}
        return added + _event("response.reasoning_summary_part.added", **place, summary_index=0, part=part)
    return added


def _deltas(place: Mapping[str, Any], piece: Piece) -> Iterator[bytes]:
    if isinstance(piece, str):
        yield _event("response.output_text.delta", **place, content_index=0, delta=piece)
    elif isinstance(piece, ReasoningDelta):
        yield _event("response.reasoning_summary_text.delta", **place, summary_index=0, delta=piece.text)
    else:
        for part in _parts(piece.arguments):
            yield _event("response.function_call_arguments.delta", **place, delta=part)


def _closing(at: int, group: Sequence[Piece]) -> bytes:
    item, first, text = _item(at, group, whole=True), group[0], _text(group)
    place = {"item_id": item["id"], "output_index": at}
    if isinstance(first, str):
        done = _event("response.output_text.done", **place, content_index=0, text=text)
        done += _event("response.content_part.done", **place, content_index=0, part=_part(text))
    elif isinstance(first, ReasoningDelta):
        done = _event("response.reasoning_summary_text.done", **place, summary_index=0, text=_thoughts(group))
    else:
        done = _event("response.function_call_arguments.done", **place, arguments=first.arguments)
    return done + _event("response.output_item.done", output_index=at, item=item)


def _response(
    model: str,
    status: str,
    groups: Sequence[Sequence[Piece]],
    *,
    reason: str | None = None,
    usage: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    output = [_item(at, group, whole=True) for at, group in enumerate(groups)]
    details = {"reason": reason} if reason else None
    value = {"status": status, "model": model, "output": output, "usage": usage and dict(usage)}
    rest = {"error": None, "incomplete_details": details, "store": False}
    return {"id": "resp_fake", "object": "response", "created_at": 0, **value, **rest}


# -- both


def _text(pieces: Iterable[Piece]) -> str:
    return "".join(piece for piece in pieces if isinstance(piece, str))


def _thoughts(pieces: Iterable[Piece]) -> str:
    return "".join(piece.text for piece in pieces if isinstance(piece, ReasoningDelta))


def _parts(text: str) -> Iterator[str]:
    return (text[at : at + _CALL_SIZE] for at in range(0, len(text), _CALL_SIZE))


def arguments_of(value: Any) -> str:
    """Return the arguments of a call as a model writes them."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
