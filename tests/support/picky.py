"""Servers that answer 400 unless what they want back comes back, verbatim; and who asks them, round after round."""

import json

from robota_nb.core.ports import Echo, Request, TextDelta, ToolCall, ToolSpec
from robota_nb.testing import http
from support.call_streams import call, chunk

SPEC = ToolSpec(name="look", description="Look.", parameters='{"type":"object","properties":{"n":{"type":"integer"}}}')


def rounds_of(messages):
    """How many rounds with calls stand after the last question."""
    last = max(at for at, message in enumerate(messages) if message["role"] == "user")
    return sum("tool_calls" in message for message in messages[last:])


def refused(why):
    return http("application/json", "400 Bad Request"), json.dumps({"error": {"message": why}}).encode()


def deepseek(rounds=2):
    """Wants the ``reasoning_content`` of each round with calls, and in no other message."""

    def play(body):
        messages = body["messages"]
        answers = [message for message in messages if message["role"] == "assistant"]
        for at, message in enumerate(answers):
            wanted = f"thought {at} – é" if "tool_calls" in message else None
            if message.get("reasoning_content") != wanted:
                return refused("The reasoning_content in the thinking mode must be passed back to the API.")
        thought = f"thought {len(answers)} – é"
        thoughts = b"".join(chunk({"reasoning_content": each}) for each in (thought[:4], thought[4:]))
        if rounds_of(messages) < rounds:
            calls = chunk({"tool_calls": [call(0, f"call_{len(answers)}", "look", '{"n": 1}')]})
            return http(), thoughts, calls, chunk({}, "tool_calls"), b"data: [DONE]\n\n"
        return http(), thoughts, chunk({"content": "Seen."}), chunk({}, "stop"), b"data: [DONE]\n\n"

    return play


def gemini(rounds=2):
    """Wants the signature in ``extra_content`` of the first of two calls, and none with the second; gives no ids."""

    def play(body):
        answers = [message for message in body["messages"] if message["role"] == "assistant"]
        for at, message in enumerate(answers):
            first, second = message.get("tool_calls") or ({"extra_content": _signature(at)}, {})
            if first.get("extra_content") != _signature(at) or "extra_content" in second:
                return refused("Function call `look` is missing a thought_signature.")
        if rounds_of(body["messages"]) < rounds:
            one, two = (call(None, "", "look", json.dumps({"n": n}), type="function") for n in (1, 2))
            one["extra_content"] = _signature(len(answers))
            return http(), chunk({"role": "assistant", "tool_calls": [one, two]}, "stop"), b"data: [DONE]\n\n"
        return http(), chunk({"content": "Seen."}, "stop"), b"data: [DONE]\n\n"

    return play


def _signature(number):
    return {"google": {"thought_signature": f"CiQB/{number}+=="}}


def openai(rounds=2):
    """Wants each sealed thought before what it has led to, where it stood, and nothing that is kept at the server."""

    def play(body):
        items, answered = body["input"], 0
        if body["store"] or "previous_response_id" in body or body["include"] != ["reasoning.encrypted_content"]:
            return refused("This organization keeps no data.")
        for at, item in enumerate(items):
            if item.get("type") == "function_call" or item.get("role") == "assistant":
                if items[at - 1] != _sealed(answered):
                    return refused(f"Item {at} was provided without its required 'reasoning' item.")
                answered += 1
        asked = max(at for at, item in enumerate(items) if item.get("role") == "user")
        done = sum(item.get("type") == "function_call" for item in items[asked:]) // 2
        made = [_sealed(answered), _looks(answered), _sealed(answered + 1), _looks(answered + 1)]
        said = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed"}
        text = [_sealed(answered), {**said, "content": [{"type": "output_text", "text": "Seen.", "annotations": []}]}]
        return http(), *answered_with(made if done < rounds else text)

    return play


def _sealed(number):
    return {"id": f"rs_{number}", "type": "reasoning", "summary": [], "encrypted_content": f"gAAA{number}=="}


def _looks(number):
    said = {"call_id": f"call_{number}", "name": "look", "arguments": '{"n": 1}', "status": "completed"}
    return {"id": f"fc_{number}", "type": "function_call", **said}


def answered_with(items, status="completed", **more):
    """The events of an answer of the Responses API that has these items, without the pieces of any."""
    for at, item in enumerate(items):
        yield event("response.output_item.added", output_index=at, item={**item, "status": "in_progress"})
        yield event("response.output_item.done", output_index=at, item=item)
    yield event(f"response.{status}", response={"status": status, "model": "m", "output": list(items), **more})


def event(kind, **value):
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), json.dumps({"type": kind, **value}).encode())


def converse(provider, *questions, model=""):
    """Ask, tool round after tool round, and return (the texts of the answers, messages, echo by their indices)."""
    messages, echo, texts = [], {}, []
    for question in questions:
        messages.append({"role": "user", "content": question})
        calls = [None]
        while calls:
            request = Request(model=model, messages=list(messages), tools=[SPEC], echo=dict(echo))
            events = list(provider.stream(request))
            text = "".join(event.text for event in events if isinstance(event, TextDelta))
            calls = [event for event in events if isinstance(event, ToolCall)]
            echo |= {len(messages): event.items for event in events if isinstance(event, Echo)}
            messages.append({"role": "assistant", "content": text})
            if calls:
                messages[-1]["tool_calls"] = [
                    {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.arguments}}
                    for c in calls
                ]
            messages += [{"role": "tool", "tool_call_id": c.id, "content": f"saw {c.arguments}"} for c in calls]
        texts.append(text)
    return texts, messages, echo
