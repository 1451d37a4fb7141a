"""The embedded model: no network, no key, the same answer to the same request; for the first run and for tests."""

from __future__ import annotations

import ast
import json
import operator
import re
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any

from robota_nb.core.ports import Finish, TextDelta, ToolCall, Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from robota_nb.core.ports import Request, StreamEvent, ToolSpec

__all__ = ["OfflineProvider"]

# This text stands in answers that notebooks have recorded, and that their tests compare (the notebooks of this
# repository among them); so it stays as it is, though it names a setting of the extension to users of the library, too.
_CONNECT = (
    "To talk to a real model, set the environment variable `OPENAI_API_KEY` before you start Jupyter, "
    "or name any OpenAI-compatible server in `c.RobotaMagics.endpoints` (`%config RobotaMagics` tells how)."
)
_RECALL = re.compile(r"\b(remember|recall|first|did i (say|ask|tell))\b", re.IGNORECASE)
_SUM = re.compile(
    r"(?:what is|what's|compute|calculate)?\s*([\d\s.+\-*/()]*\d[\d\s.+\-*/()]*?)\s*=?\s*\??", re.IGNORECASE
)
_OPERATORS: dict[type[ast.AST], Callable[..., float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}

_MAX_QUOTE = 600  # characters of a prompt that are repeated
_MAX_CALL, _MAX_ENDS = 1000, 20  # characters of a call, and how many ends of it are tried
_MAX_SUM = 100  # characters of a sum; a long, deeply nested one could crash Python's parser


class OfflineProvider:
    """Answers by itself, in Markdown, and says that it is no real model.

    It repeats the prompt, counts its words and pictures, recalls the chat's first prompt when asked for it, and
    can do sums: enough to see that a chat has a memory. Of the tools that it is offered, it calls those whose calls
    stand in the prompt, as in ``rows(table="cities")``, and tells what they return. Tokens are words. ``max_tokens``
    is obeyed.
    """

    name = "offline"

    def stream(self, request: Request) -> Iterator[StreamEvent]:
        """Yield the answer word by word; or the calls that the prompt asks for."""
        if calls := _calls(request):
            yield TextDelta("As you say:")
            yield from calls
            yield Finish(
                reason="tool_calls", model=self.name, usage=Usage(input_tokens=_words(request), output_tokens=3)
            )
            return
        pieces = re.findall(r"\s*\S+", _answer(request.messages))
        limit = request.params.get("max_tokens")
        cut = isinstance(limit, int) and len(pieces) > limit
        pieces = pieces[:limit] if cut else pieces
        for piece in pieces:
            yield TextDelta(piece)
        usage = Usage(input_tokens=_words(request), output_tokens=len(pieces))
        yield Finish(reason="length" if cut else "stop", model=self.name, usage=usage)


def _words(request: Request) -> int:
    return sum(len(_text(message).split()) for message in request.messages)


def _calls(request: Request) -> list[ToolCall]:
    """Return the calls of offered tools that stand in the prompt, if it is what is answered next."""
    if not request.tools or request.messages[-1]["role"] != "user":
        return []
    prompt = _text(request.messages[-1])
    specs = {spec.name: spec for spec in request.tools}
    found = re.finditer(rf"\b({'|'.join(map(re.escape, specs))})\(", prompt)
    calls = [(specs[match[1]], _arguments(prompt[match.start() :], specs[match[1]])) for match in found]
    return [
        ToolCall(id=f"call_{number}", name=spec.name, arguments=json.dumps(arguments, ensure_ascii=False))
        for number, (spec, arguments) in enumerate(((s, a) for s, a in calls if a is not None), 1)
    ]


def _arguments(text: str, spec: ToolSpec) -> dict[str, Any] | None:
    """Return the arguments of the call with which a text begins; None if it is none with plain values."""
    for end in (match.end() for match in islice(re.finditer(r"\)", text[:_MAX_CALL]), _MAX_ENDS)):
        try:
            call = ast.parse(text[:end], mode="eval").body
            if not isinstance(call, ast.Call):
                continue
            names = json.loads(spec.parameters).get("properties", {})
            if call.args and (len(names), len(call.args)) != (1, 1):
                return None  # a schema has no order
            placed = {name: ast.literal_eval(value) for name, value in zip(names, call.args, strict=False)}
            return placed | {one.arg: ast.literal_eval(one.value) for one in call.keywords if one.arg}
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            continue
    return None


def _returned(messages: Sequence[dict[str, Any]]) -> list[str]:
    """Return what the calls have returned that are to be answered now."""
    results = list(takewhile(lambda message: message["role"] == "tool", reversed(messages)))
    return [_text(message) for message in reversed(results)]


def _answer(messages: Sequence[dict[str, Any]]) -> str:
    if returned := _returned(messages):
        return "\n\n".join([f"That has returned:\n\n{_quote(text)}" for text in returned])
    asked = [message for message in messages if message["role"] == "user"]
    prompts = [_text(message) for message in asked]
    prompt = prompts[-1] if prompts else ""
    earlier = len(prompts) - 1
    seen = _count(earlier, "earlier turn") if earlier > 0 else "no earlier turn"
    sent = _count(len(prompt.split()), "word")
    if asked and (pictures := _parts(asked[-1], "image_url")):
        sent += f", {_count(pictures, 'picture')} that it cannot see"
    if asked and (files := _parts(asked[-1], "file", "input_audio")):
        sent += f", {_count(files, 'file')} that it cannot read"
    parts = [
        _substance(prompt, prompts),
        f"*The offline model, which understands little: {sent}, {seen} of this chat.*",
    ]
    if earlier <= 0:
        parts.append(_CONNECT)
    return "\n\n".join(parts)


def _substance(prompt: str, prompts: Sequence[str]) -> str:
    if len(prompts) > 1 and _RECALL.search(prompt):
        return f"The first thing you said in this chat was:\n\n{_quote(prompts[0])}"
    if len(prompt) <= _MAX_SUM and (match := _SUM.fullmatch(prompt.strip())) and (value := _calculate(match[1])):
        return f"`{' '.join(match[1].split())}` is **{value}**."
    return f"You said:\n\n{_quote(prompt)}" if prompt.strip() else "You said nothing."


def _quote(text: str) -> str:
    """Return *text* as a code block that it cannot break out of."""
    shown = "".join(char for char in text if char.isprintable() or char in "\n\t")
    shown = shown if len(shown) <= _MAX_QUOTE else shown[:_MAX_QUOTE] + " …"
    longest = max(map(len, re.findall("`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{shown}\n{fence}"


def _calculate(expression: str) -> str:
    """Return the value of a sum, or an empty string if it is none."""
    try:
        value = _value(ast.parse(" ".join(expression.split()), mode="eval").body)
    except (SyntaxError, ValueError, ArithmeticError, KeyError):
        return ""
    return str(value) if isinstance(value, int) else f"{value:.15g}"


def _value(node: ast.AST) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.BinOp(left=left, op=sign, right=right):
            return _OPERATORS[type(sign)](_value(left), _value(right))
        case ast.UnaryOp(op=sign, operand=operand):
            return _OPERATORS[type(sign)](_value(operand))
    raise ValueError


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _parts(message: dict[str, Any], *types: str) -> int:
    content = message.get("content")
    return sum(part.get("type") in types for part in content) if isinstance(content, list) else 0


def _text(message: dict[str, Any]) -> str:
    """Return a message's text; of a list of parts, the text parts."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content if isinstance(part.get("text"), str))
