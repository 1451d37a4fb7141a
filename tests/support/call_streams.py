"""The forms in which servers are reported to stream calls of tools over Chat Completions: 18, by name."""

import json
from itertools import zip_longest

F, G = ("f", {"city": "Oslo", "n": 1}), ("g", {"text": "é😀 {}"})
ONE, TWO = json.dumps(F[1]), json.dumps(G[1], ensure_ascii=False)


def call(index=None, call_id=None, name=None, arguments=None, **more):
    """A piece of a call; what is None is not said."""
    function = {key: value for key, value in {"name": name, "arguments": arguments}.items() if value is not None}
    said = {"index": index, "id": call_id, **({"function": function} if function else {}), **more}
    return {key: value for key, value in said.items() if value is not None}


def pieces(text, size=7):
    return [text[at : at + size] for at in range(0, len(text), size)]


def later(text, **piece):
    return [[call(arguments=each, **piece)] for each in pieces(text)]


def again(text, make):
    return [[make(at, each)] for at, each in enumerate(pieces(text))]


# Each is a list of what ``tool_calls`` is, chunk after chunk. All say the same two calls, F and G.
FORMS = {
    "as OpenAI does": [
        [call(0, "a", "f", "", type="function")], *later(ONE, index=0),
        [call(1, "b", "g", "", type="function")], *later(TWO, index=1),
    ],
    "both at once, their pieces in turns": [
        [call(0, "a", "f", ""), call(1, "b", "g", "")],
        *[[call(0, arguments=one), call(1, arguments=two)]
          for one, two in zip_longest(pieces(ONE), pieces(TWO))],
    ],
    "whole, with the index 0 for each (ollama#15457)": [[call(0, "a", "f", ONE)], [call(0, "b", "g", TWO)]],
    "whole, without an index (ollama#7881)": [[call(None, "a", "f", ONE), call(None, "b", "g", TWO)]],
    "in pieces, without an index (openai-python#2806)": [
        [call(None, "a", "f", "")], *later(ONE), [call(None, "b", "g", "")], *later(TWO),
    ],
    "a new id on a used index (agno#8880)": [
        [call(0, "a", "f", "")], *later(ONE, index=0), [call(0, "b", "g", "")], *later(TWO, index=0),
    ],
    "an index that grows with each piece (dirac#215)": [
        [call(0, "a", "f", "")], *again(ONE, lambda at, each: call(at + 1, arguments=each)),
        [call(20, "b", "g", "")], *again(TWO, lambda at, each: call(at + 21, arguments=each)),
    ],
    "an index that grows, and the id in each piece": [
        *again(ONE, lambda at, each: call(at, "a", None if at else "f", each)),
        *again(TWO, lambda at, each: call(at + 20, "b", None if at else "g", each)),
    ],
    "the name said again in each piece (llama.cpp#12379)": [
        *again(ONE, lambda at, each: call(0, "a", "f", each)), *again(TWO, lambda at, each: call(1, "b", "g", each)),
    ],
    "the name said again, without ids": [
        *again(ONE, lambda at, each: call(0, None, "f", each)), *again(TWO, lambda at, each: call(0, None, "g", each)),
    ],
    "the id inside the function (llama.cpp#13774)": [
        [{"index": 0, "function": {"id": "a", "name": "f", "arguments": ""}}], *later(ONE, index=0),
        [{"index": 0, "function": {"id": "b", "name": "g", "arguments": ""}}], *later(TWO, index=0),
    ],
    "arguments that are objects (litellm#37792)": [[call(0, "a", "f", F[1])], [call(1, "b", "g", G[1])]],
    "arguments before the name (vercel/ai#5885)": [
        *later(ONE, index=0), [call(0, "a", "f")], *later(TWO, index=1), [call(1, "b", "g")],
    ],
    "whole, without ids": [[call(0, None, "f", ONE)], [call(1, None, "g", TWO)]],
    "in pieces, without ids, with the index 0 for each": [
        [call(0, None, "f", "")], *later(ONE, index=0), [call(0, None, "g", "")], *later(TWO, index=0),
    ],
    "in pieces, without ids and without an index": [
        [call(None, None, "f", "")], *later(ONE), [call(None, None, "g", "")], *later(TWO),
    ],
    "empty ids and names in the later pieces": [
        [call(0, "a", "f", "")], *later(ONE, index=0, call_id="", name=""),
        [call(1, "b", "g", "")], *later(TWO, index=1, call_id="", name=""),
    ],
    "a new id in each piece, and an empty object before the first": [
        [call(0, "a", "f", "{}")], *again(ONE, lambda at, each: call(0, f"a{at}", None, each)),
        [call(1, "b", "g", "{}")], *again(TWO, lambda at, each: call(1, f"b{at}", None, each)),
    ],
}  # fmt: skip


def chunk(delta, reason=None):
    value = {"id": "c", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
    return b"data: %b\n\n" % json.dumps(value).encode()


def stream(form, reason="tool_calls"):
    """The bytes of an answer that is nothing but these calls."""
    first = chunk({"role": "assistant", "content": None})
    body = b"".join(chunk({"tool_calls": each}) for each in form)
    return first + body + chunk({}, reason) + b"data: [DONE]\n\n"
