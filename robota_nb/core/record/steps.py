"""The steps of answers, as the record holds them: what a model said and called before its answer, and what it was told.

All of it is data from strangers. Nothing here can be called: what a name stands for, only a kernel's own cells say.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, get_args

from robota_nb.core.record.entries import MAX_MESSAGE_BYTES, clean, to_lines, to_text, usage_counts, usage_of
from robota_nb.core.record.kinds import MAX_CALLS, MAX_STEPS, TOOL, added, is_message, kind_of
from robota_nb.core.record.types import Call, CallBy, CallItem, CallStatus, Step, StepItem, ToolSpec, Usage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from robota_nb.core.record.types import Entry, MessageEntry, ToolEntry

__all__ = [
    "MAX_CALLS", "MAX_ECHO_BYTES", "MAX_STEPS", "echo_of", "put_steps", "spec_of", "steps_of", "tool_entry", "total",
    "words_of",
]  # fmt: skip

MAX_ECHO_BYTES = 200_000
"""How much of what a server wants back is kept with a step; more is left out, all of it."""


def tool_entry(spec: ToolSpec) -> ToolEntry:
    """Return the entry of a tool that is offered; equal ones are one entry."""
    return {
        "kind": "tool", "name": clean(spec.name), "description": to_lines(clean(spec.description)),
        "parameters": to_lines(clean(spec.parameters)),
    }  # fmt: skip


def spec_of(entry: Entry) -> ToolSpec | None:
    """Return the tool that an entry describes; None if it is none."""
    if kind_of(entry) is not TOOL:
        return None
    return ToolSpec(
        name=entry["name"], description=to_text(entry["description"]), parameters=to_text(entry["parameters"])
    )


def put_steps(entry: MessageEntry, steps: Iterable[Step], echo: Sequence[str] = ()) -> None:
    """Give an answer's entry its steps, and what its server wants back with its text.

    What is over the cap of a message is left out of the results, those of the latest calls last.
    """
    room = MAX_MESSAGE_BYTES - len(to_text(entry["content"]).encode())
    items = list[StepItem]()
    for step in steps:
        item, room = _item(step, room)
        items.append(item)
    if items:
        entry["steps"] = items
    if kept := _echo(echo):
        entry["echo"] = kept


def _item(step: Step, room: int) -> tuple[StepItem, int]:
    item: StepItem = {}
    if step.text:
        text, room = _within(clean(step.text), room)
        item["content"] = to_lines(text)
    if step.calls:
        calls = list[CallItem]()
        for call in step.calls[:MAX_CALLS]:
            arguments, room = _within(clean(call.arguments), room)
            result, room = _within(clean(call.result), room)
            made: CallItem = {
                "id": clean(call.id), "name": clean(call.name), "arguments": to_lines(arguments),
                "result": to_lines(result), "status": call.status,
            }  # fmt: skip
            if call.by:
                made["by"] = call.by
            if call.source:
                made["source"] = call.source
            calls.append(made)
        item["calls"] = calls
    if step.usage:
        item["usage"] = usage_counts(step.usage)
    if kept := _echo(step.echo):
        item["echo"] = kept
    if step.problem:
        item["problem"] = [clean(line) for line in step.problem]
    return item, room


def _within(text: str, room: int) -> tuple[str, int]:
    size = len(text.encode())
    if size <= room:
        return text, room - size
    return text.encode()[: max(room, 0)].decode(errors="ignore"), 0


def _echo(items: Sequence[str]) -> list[str]:
    kept = [clean(item) for item in items]
    return kept if sum(len(item.encode()) for item in kept) <= MAX_ECHO_BYTES else []


def steps_of(entry: Entry) -> tuple[Step, ...]:
    """Return the steps of a recorded answer; none of a purged one."""
    if "steps" not in entry or not is_message(entry):
        return ()
    return tuple(map(_step, added(entry, "steps") or ()))


def echo_of(entry: Entry) -> tuple[str, ...]:
    """Return what an answer's server wants back with its text."""
    return tuple(added(entry, "echo") or ()) if "echo" in entry and is_message(entry) else ()


def _step(item: Mapping[str, Any]) -> Step:
    return Step(
        text=to_text(item.get("content", ())),
        calls=tuple(map(_call, item.get("calls", ()))),
        usage=usage_of(item["usage"]) if item.get("usage") else None,
        echo=tuple(item.get("echo", ())),
        problem=tuple(item.get("problem", ())),
    )


def _call(item: Mapping[str, Any]) -> Call:
    status, by = item["status"], item.get("by", "")
    return Call(
        id=item["id"], name=item["name"], arguments=to_text(item["arguments"]), result=to_text(item["result"]),
        status=status if status in get_args(CallStatus) else "error", by=by if by in get_args(CallBy) else "",
        source=item.get("source", ""),
    )  # fmt: skip


def total(counted: Sequence[Usage]) -> Usage:
    """Return the tokens of several requests together.

    Examples
    --------
    >>> total([Usage(input_tokens=3, output_tokens=1), Usage(input_tokens=5, more={"cached_tokens": 3})])
    Usage(input_tokens=8, output_tokens=1, more={'cached_tokens': 3})
    """
    more = Counter[str]()
    for usage in counted:
        more.update(usage.more)
    return Usage(
        input_tokens=sum(usage.input_tokens for usage in counted),
        output_tokens=sum(usage.output_tokens for usage in counted),
        more=dict(more),
        at_least=any(usage.at_least for usage in counted),
    )


def words_of(steps: Iterable[Step]) -> str:
    """Return all that steps say to a model that is sent them; empty if there are none."""
    parts = list[str]()
    for step in steps:
        parts.append(step.text)
        for call in step.calls:
            parts += [call.name, call.arguments, call.result]
        parts += step.problem
    return "\0".join(parts)
