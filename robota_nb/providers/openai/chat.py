"""Chat Completions: the API that every server of this kind speaks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from robota_nb.providers.openai.echoes import echoed
from robota_nb.providers.openai.reply import Reply
from robota_nb.providers.openai.request import Refusal, named, refused_of
from robota_nb.providers.openai.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from robota_nb.core.ports import Request, ToolSpec

__all__ = ["CHAT", "body_of"]

_OTHER_NAMES = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
_SPARE = ("temperature", "top_p", "presence_penalty", "frequency_penalty", "seed", "logprobs", "top_logprobs")
"""What a question can be asked without: reasoning models refuse it."""


def body_of(request: Request, model: str, refusals: Sequence[Refusal] = ()) -> dict[str, Any]:
    """Return what is sent: the parameters of the chat, and on top of them what none of these can change."""
    body = {"stream_options": {"include_usage": True}} | dict(request.params)
    if body["stream_options"] is None:  # set to null for servers that stumble over it
        del body["stream_options"]
    body |= {"model": model, "messages": _messages(request), "stream": True}
    if request.tools:
        body["tools"] = [_tool(spec) for spec in request.tools]
    for refusal in refusals:
        if refusal.name == "stream_options" and refusal.name in request.params:
            continue
        value = body.pop(refusal.name, None)
        if refusal.instead and value is not None:
            body.setdefault(refusal.instead, value)
    if "stream" not in body:
        body.pop("stream_options", None)
    return body


def _tool(spec: ToolSpec) -> dict[str, Any]:
    function = {"name": spec.name, "description": spec.description, "parameters": json.loads(spec.parameters)}
    return {"type": "function", "function": function}


def _messages(request: Request) -> list[dict[str, Any]]:
    """Return what is said, with what the server wants back in it."""
    messages = named(request.messages)
    for at, items in request.echo.items():
        if at < len(messages) and messages[at]["role"] == "assistant":
            messages[at] = echoed(messages[at], items)
    return messages


def _refusal_in(
    said: str, body: Mapping[str, Any], params: Mapping[str, Any], refusals: Sequence[Refusal] = ()
) -> Refusal | None:
    if "stream_options" in body and "stream_options" not in params and "stream_options" in said:
        return Refusal("stream_options")
    return refused_of(said, body, refusals, others=_OTHER_NAMES, spare=_SPARE)


CHAT = Wire(
    name="chat",
    path="/chat/completions",
    lacks=lambda _: "",
    body_of=body_of,
    refusal_in=_refusal_in,
    answer=Reply,
)
