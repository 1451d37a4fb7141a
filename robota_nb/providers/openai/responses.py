"""OpenAI's Responses API. The notebook is the state: the server keeps nothing, and each request says all there is."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from robota_nb.providers.openai.echoes import from_item
from robota_nb.providers.openai.request import Refusal, named, over, params_named, refused_of
from robota_nb.providers.openai.responses_reply import API, ResponsesReply, is_opaque
from robota_nb.providers.openai.wire import Wire
from robota_nb.providers.said import said_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from robota_nb.core.ports import Request, ToolSpec

__all__ = ["RESPONSES", "body_of"]

_RENAMED = {
    "max_tokens": "max_output_tokens",
    "max_completion_tokens": "max_output_tokens",
    "reasoning_effort": "reasoning.effort",
    "verbosity": "text.verbosity",
    "response_format": "text.format",
}
"""Parameters of Chat Completions, and where they stand here; all others have the same name in both."""

_MISSING = (
    *("seed", "stop", "logit_bias", "presence_penalty", "frequency_penalty", "n", "logprobs", "prediction"),
    *("modalities", "audio", "functions", "function_call", "web_search_options"),
)
"""Parameters of Chat Completions that have no counterpart here."""

_SPARE = ("temperature", "top_p", "top_logprobs")
"""What a question can be asked without: reasoning models refuse it."""

_OURS = {
    "include": re.compile("encrypted.content", re.IGNORECASE),
    "reasoning.summary": re.compile(r"reasoning[. ]summar", re.IGNORECASE),
    "reasoning": re.compile("^$"),
}
"""What is asked for on our own account, and how servers speak of it that do not name it as a parameter."""

_DOES_NOT_REASON = re.compile("(ft:)?(gpt-[34]|chatgpt-)")
"""The models that refuse to be asked for thoughts; others that do so are asked again without."""


def lacks(request: Request) -> str:
    """Return the first thing in a request that this API cannot say; empty if it can say all of it."""
    if missing := next((name for name in _MISSING if request.params.get(name) is not None), ""):
        return missing
    contents = (message.get("content") for message in request.messages)
    parts = (part for content in contents if isinstance(content, list) for part in content)
    return "audio" if any(part.get("type") == "input_audio" for part in parts) else ""


def body_of(request: Request, model: str, refusals: Sequence[Refusal] = ()) -> dict[str, Any]:
    """Return what is sent: the parameters of the chat, and on top of them what none of these can change."""
    thinks = not _DOES_NOT_REASON.match(model)
    ours = {"include": ["reasoning.encrypted_content"], "reasoning": {"summary": "auto"}} if thinks else {}
    body = over({"store": False, **ours}, _renamed(request.params))
    body |= {"model": model, "input": list(_input(request)), "stream": True}
    if request.tools:
        body["tools"] = [_tool(spec) for spec in request.tools]
    for refusal in refusals:
        _drop(body, refusal.name)
    return body


def _refusal_in(
    said: str, body: Mapping[str, Any], params: Mapping[str, Any], refusals: Sequence[Refusal] = ()
) -> Refusal | None:
    names, words = params_named(said), said_in(said)
    gone = {refusal.name for refusal in refusals}
    for name, pattern in _OURS.items():
        place = name.partition(".")[0]
        if place in body and place not in params and name not in gone and (name in names or pattern.search(words)):
            return Refusal(name)
    return refused_of(said, body, refusals, spare=_SPARE)


RESPONSES = Wire(
    name=API, path="/responses", lacks=lacks, body_of=body_of, refusal_in=_refusal_in, answer=ResponsesReply
)


# -- parameters


def _renamed(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters of Chat Completions as they are said here; those that are of this API stay."""
    said = {name: value for name, value in params.items() if name not in _RENAMED and name not in _MISSING}
    if said.get("stream_options", ...) is None:
        del said["stream_options"]
    if isinstance(choice := said.get("tool_choice"), dict):
        said["tool_choice"] = _flat(choice, "function")
    if isinstance(tools := said.get("tools"), list):
        said["tools"] = [_flat(tool, "function") for tool in tools]
    for name in params.keys() & _RENAMED.keys():
        place, _, key = _RENAMED[name].partition(".")
        value = _flat(params[name], "json_schema") if key == "format" else params[name]
        said = over({place: {key: value} if key else value}, said)
    return said


def _flat(value: Any, key: str) -> Any:
    """Return an object with what Chat Completions has one level deeper, under a *key*.

    Examples
    --------
    >>> _flat({"type": "function", "function": {"name": "rows"}}, "function")
    {'type': 'function', 'name': 'rows'}
    """
    if not isinstance(value, dict) or not isinstance(inner := value.get(key), dict):
        return value
    return {name: each for name, each in value.items() if name != key} | inner


def _drop(body: dict[str, Any], name: str) -> None:
    place, _, key = name.partition(".")
    if key and isinstance(inner := body.get(place), dict):
        body[place] = {each: value for each, value in inner.items() if each != key}
    if not key or not body.get(place):
        body.pop(place, None)


def _tool(spec: ToolSpec) -> dict[str, Any]:
    said = {"name": spec.name, "description": spec.description, "parameters": json.loads(spec.parameters)}
    return {"type": "function", **said, "strict": False}  # by default this API would make each parameter required


# -- messages


def _input(request: Request) -> Iterator[dict[str, Any]]:
    """Yield the items that say what the messages say, with what the server wants back among them."""
    for at, message in enumerate(named(request.messages)):
        if message["role"] == "assistant":
            yield from _among(_said(message), request.echo.get(at, ()))
        elif message["role"] == "tool":
            yield {
                "type": "function_call_output",
                "call_id": message["tool_call_id"],
                "output": _content(message["content"]),
            }
        else:
            yield {"role": message["role"], "content": _content(message["content"])}


def _said(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return an assistant's message as items: its text, and each of its calls."""
    content = message["content"]
    items = [{"role": "assistant", "content": _content(content, "output_text")}] if content else []
    for call in message.get("tool_calls") or ():
        function = call["function"]
        said = {"call_id": call["id"], "name": function["name"], "arguments": function["arguments"]}
        items.append({"type": "function_call", **said})
    return items


def _among(items: list[dict[str, Any]], echo: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield items with what the server wants back at the places where it stood."""
    opaque: dict[int, list[dict[str, Any]]] = {}
    for each in echo:
        said = from_item(API, each)
        before, item = said.get("before"), said.get("item")
        if is_opaque(item) and type(before) is int:
            opaque.setdefault(min(max(before, 0), len(items)), []).append(item)
        if isinstance(phase := said.get("phase"), str) and items and items[0].get("role") == "assistant":
            items[0]["phase"] = phase
    for at in range(len(items) + 1):
        yield from opaque.get(at, ())
        yield from items[at : at + 1]


def _content(content: Any, text: str = "input_text") -> Any:
    return [_part(part, text) for part in content] if isinstance(content, list) else content


def _part(part: Mapping[str, Any], text: str) -> dict[str, Any]:
    match part.get("type"):
        case "text":
            return {"type": text, "text": part["text"]}
        case "image_url":
            return {"type": "input_image", "image_url": part["image_url"]["url"]}
        case "file":
            file = part["file"]
            return {"type": "input_file", "filename": file["filename"], "file_data": file["file_data"]}
    return dict(part)
