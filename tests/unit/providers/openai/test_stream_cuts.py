"""Streams as twenty servers send them, cut at any byte: no cut answer is called whole, and what arrived is kept."""

import json
import random
import re

import pytest

from robota_nb import SessionManager
from robota_nb.core.inside import runtime_of, view_of
from robota_nb.errors import ProviderError
from robota_nb.providers.openai.reply import Reply
from robota_nb.providers.openai.sse import EventParser
from robota_nb.testing import FaultServer
from support.core import Only
from support.paths import TESTS
from support.provider import lab_provider

STREAMS = {path.stem: path.read_bytes() for path in sorted((TESTS / "streams").glob("*.sse"))}
WHOLE = {
    "anthropic": ("It depends on you.", "stop"),
    "azure": ("A list comprehension builds a list.", "stop"),
    "cerebras": ("Łódź 🏙️ leży w Polsce.", "stop"),
    "cohere": ("Ja, dat klopt.", "stop"),
    "dashscope": ("十二。", "stop"),
    "deepseek": ("9.8 is greater.", "stop"),
    "fireworks": ("def f(n):\n    return n", "length"),
    "gemini": ("Ein Satz und – noch einer.", "stop"),
    "groq": ("Use `sorted`.", "stop"),
    "llama-cpp": ("for x in y:", "stop"),
    "lm-studio": ('Yes, "it\n" is.', "stop"),
    "mistral": ("Bien sûr\u00a0!", "length"),
    "moonshot": ("The\n\n| a |\n|---|\n| 1 |", "stop"),
    "ollama": ("The sky is blue.\n", "stop"),
    "openai": ("A closure remembers – é 😀", "stop"),
    "openrouter": ("Yes, 7 is prime.", "stop"),
    "perplexity": ("Rome[1] is older[2].", "stop"),
    "together": ("SELECT * FROM t;", "stop"),
    "vllm": ("你好，世界", "length"),
    "xai": ("Roughly 42 km.", "stop"),
}
THOUGHTS = {
    "deepseek": "9.11 or 9.8?", "dashscope": "想一想。", "fireworks": "First, the base case.",
    "openrouter": "Seven is prime.", "xai": "Thinking... done. ",
}  # fmt: skip
WITHOUT_USAGE = {"lm-studio"}


def honest(stream, name):
    """What can be said of the beginning of a stream, read in the simplest way: text, and how it ended."""
    text = ""
    for block in re.split(r"\n\n", stream.decode(errors="replace").replace("\r", "")):
        data = "\n".join(line[5:] for line in block.split("\n") if line.startswith("data:"))
        if data.strip() == "[DONE]":
            return text, "stop"
        if not data.strip():
            continue
        try:
            chunk = json.loads(data)
        except ValueError:
            return text, "error"
        for choice in chunk["choices"]:
            text += choice["delta"].get("content") or ""
            if choice.get("finish_reason"):
                return text, WHOLE[name][1]
    return text, "unknown" if text else "error"


def parsed(stream):
    parser, reply = EventParser(), Reply()
    reply.take(parser.feed(stream))
    if not reply.over:
        reply.end(parser.close())
    return reply.text(last=True), "error" if reply.problem else reply.finish().reason


def asked(provider):
    """Ask in a chat of its own: the text that arrived, the text that is kept, and how the answer ended."""
    chat = SessionManager(providers=Only(provider)).create_session("u").create_chat()
    live, pieces = chat.stream("hi"), []
    try:
        for piece in live:
            pieces.append(piece)
    except ProviderError as error:
        assert " failed with " not in str(error)  # which is what the chat says of a provider's own bugs
        assert live.turn is None or live.turn.finish_reason == "error"
    else:
        assert live.turn is not None
    runtime_of(chat).check_idle(view_of(chat), chat.id)
    kept = "".join(turn.text for turn in chat.turns)
    return "".join(pieces), kept, live.turn.finish_reason if live.turn is not None else "error"


@pytest.fixture(scope="module")
def faulty():
    with FaultServer() as server:
        yield server


@pytest.fixture(scope="module")
def provider(faulty):
    provider = lab_provider(faulty)
    yield provider
    provider.close()


def test_there_are_twenty_streams():
    assert STREAMS.keys() == WHOLE.keys()
    assert len(STREAMS) == 20


@pytest.mark.parametrize("name", STREAMS)
def test_a_whole_stream_is_a_whole_answer(faulty, provider, name):
    stream = STREAMS[name]
    assert honest(stream, name) == parsed(stream) == WHOLE[name]
    faulty.cut(stream, len(stream))
    text, kept, reason = asked(provider)
    assert (text, kept, reason) == (WHOLE[name][0], *WHOLE[name])


@pytest.mark.parametrize("name", STREAMS)
def test_what_a_whole_stream_says_of_itself_is_kept(faulty, provider, name):
    faulty.cut(STREAMS[name], len(STREAMS[name]))
    turn = SessionManager(providers=Only(provider)).create_session("u").create_chat().send("hi")
    assert turn.model not in ("", "lab-model")
    assert (turn.usage is None) == (name in WITHOUT_USAGE)
    assert turn.reasoning == THOUGHTS.get(name, "")


@pytest.mark.parametrize("name", STREAMS)
def test_a_cut_at_every_byte(name):
    stream = STREAMS[name]
    wrong = [at for at in range(len(stream) + 1) if parsed(stream[:at]) != honest(stream[:at], name)]
    assert wrong == []


@pytest.mark.parametrize("reset", [False, True], ids=["clean", "reset"])
@pytest.mark.parametrize("name", STREAMS)
def test_a_connection_cut_at_a_byte(faulty, provider, name, reset, scale):
    stream = STREAMS[name]
    places = range(len(stream) + 1)
    for at in random.Random(name).sample(places, scale(fast=3, all=12, long=len(places))):
        faulty.cut(stream, at, reset=reset)
        text, kept, reason = asked(provider)
        expected, end = honest(stream[:at], name)
        assert text == kept, at
        if reset:  # which may overtake what was sent before it
            assert expected.startswith(text), at
            assert reason in ({"error", end} - {"unknown"}), at
        else:
            assert (text, reason) == (expected, end), at
