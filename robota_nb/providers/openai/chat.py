"""Chat Completions: the API that every server of this kind speaks."""

from __future__ import annotations

import json
import re
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
_FORM = "response_format"
_NO_FORM = re.compile(r"response_format|json_schema|json_object|structured output|guided|grammar|schema", re.IGNORECASE)
"""How servers refuse it."""
_IN_WORDS = "Answer with JSON alone, which keeps to this JSON schema:\n\n{}"
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
    _put_form(body, [refusal for refusal in refusals if refusal.name == _FORM])
    for refusal in refusals:
        if refusal.name == _FORM or (refusal.name == "stream_options" and refusal.name in request.params):
            continue
        value = body.pop(refusal.name, None)
        if refusal.instead and value is not None:
            body.setdefault(refusal.instead, value)
    if "stream" not in body:
        body.pop("stream_options", None)
    return body


def _put_form(body: dict[str, Any], refusals: Sequence[Refusal]) -> None:
    """Say in words which form an answer is to have, where a server has refused the schema that says it."""
    schema = _schema_in(body)
    if not refusals or schema is None:
        return
    if len(refusals) == 1:
        body[_FORM] = {"type": "json_object"}
    else:
        del body[_FORM]
    *before, last = body["messages"]
    said = _IN_WORDS.format(json.dumps(schema, ensure_ascii=False))
    content = last.get("content")
    content = f"{content}\n\n{said}" if isinstance(content, str) else [*(content or ()), {"type": "text", "text": said}]
    body["messages"] = [*before, {**last, "content": content}]


def _schema_in(body: Mapping[str, Any]) -> Any:
    """Return the JSON schema that a request asks an answer to keep to; None if there is none."""
    form = body.get(_FORM)
    if not isinstance(form, dict) or form.get("type") != "json_schema":
        return None
    return form["json_schema"].get("schema") if isinstance(form.get("json_schema"), dict) else None


def _refused_form(said: str, body: Mapping[str, Any], refusals: Sequence[Refusal]) -> Refusal | None:
    """Return the refusal of a schema, then that of JSON without one."""
    times = sum(refusal.name == _FORM for refusal in refusals)
    if _FORM not in body or times > 1 or not _NO_FORM.search(said):
        return None
    if times == 0 and _schema_in(body) is None:
        return None
    remark = "" if times else "the model {model!r} takes no schema here: asked again, with it in words"
    return Refusal(_FORM, remark=remark)


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
    if refusal := _refused_form(said, body, refusals):
        return refusal
    return refused_of(said, body, refusals, others=_OTHER_NAMES, spare=_SPARE)


CHAT = Wire(
    name="chat",
    path="/chat/completions",
    lacks=lambda _: "",
    body_of=body_of,
    refusal_in=_refusal_in,
    answer=Reply,
)
