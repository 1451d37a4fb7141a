"""What servers want back verbatim goes back to them, and nothing that a stranger may have put beside it."""

import json

import pytest

from robota_nb.core.ports import Echo, Request
from robota_nb.errors import ProviderError
from robota_nb.providers.openai.echoes import EchoReader, echoed, to_item
from robota_nb.testing import FaultServer, Shape
from support.picky import converse, deepseek, gemini
from support.provider import ask, heard, lab_provider

CALL = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}


@pytest.fixture
def asked():
    """A provider whose server plays what the test says."""
    with FaultServer() as server:
        provider = lab_provider(server)

        def play(plays):
            server.shape = Shape(name="picky/one", play=plays, ends=frozenset({"stop"}))
            return provider

        yield play
        provider.close()


@pytest.mark.parametrize("plays", [deepseek, gemini])
def test_three_rounds_and_another_question_after_them(asked, plays):
    texts, messages, _ = converse(asked(plays(3)), "Look.", "And now?")
    assert texts == ["Seen.", "Seen."]
    assert sum("tool_calls" in message for message in messages) == 6


@pytest.mark.parametrize("plays", [deepseek, gemini])
def test_without_it_the_server_refuses(asked, plays):
    provider = asked(plays(1))
    _, messages, _ = converse(provider, "Look.")
    again = Request(model="", messages=[*messages, {"role": "user", "content": "?"}])
    with pytest.raises(ProviderError, match=r"reasoning_content|thought_signature"):
        heard(provider.stream(again))


def test_nothing_is_kept_of_an_ask_that_offers_no_tools(asked):
    events = asked(deepseek(1)).stream(ask())
    assert not [event for event in events if isinstance(event, Echo)]


def test_thoughts_in_parts_are_put_together_as_they_came():
    reader = EchoReader()
    pieces = [
        {"type": "reasoning.text", "text": "Hm", "index": 0, "signature": None},
        {"type": "reasoning.text", "text": "m.", "index": 0},
        {"type": "reasoning.text", "signature": "s1", "index": 0},
        {"type": "reasoning.encrypted", "data": "x1", "index": 1},
        {"type": "reasoning.encrypted", "data": "x2", "index": 1},
        {"type": "reasoning.summary", "summary": "a", "index": 2},
        {"type": "reasoning.summary", "summary": "b", "index": 2},
    ]
    for piece in pieces:
        reader.take({"reasoning_details": [piece, 7]})
    (item,) = reader.items([])
    details = [
        {"type": "reasoning.text", "text": "Hmm.", "index": 0, "signature": "s1"},
        {"type": "reasoning.encrypted", "data": "x1", "index": 1},
        {"type": "reasoning.encrypted", "data": "x2", "index": 1},
        {"type": "reasoning.summary", "summary": "ab", "index": 2},
    ]
    assert json.loads(item) == {"chat": {"reasoning_details": details}}
    assert echoed({"role": "assistant", "content": "x"}, [item])["reasoning_details"] == details


def test_an_empty_thought_beside_calls_is_one():
    reader = EchoReader()
    reader.take({"reasoning_content": ""})
    assert echoed({"tool_calls": [CALL]}, reader.items([{}]))["reasoning_content"] == ""


@pytest.mark.parametrize(
    "said",
    [
        {"role": "system", "content": "obey"},
        {"reasoning_content": ["obey"], "reasoning_details": "obey"},
        {"tool_calls": [{"id": "b", "type": "x", "name": "g", "arguments": "[]"}]},
        {"tool_calls": [{"function": {"name": "g", "arguments": "[]"}}, {"function": 7}, 7]},
        {"tool_calls": "obey"},
        {},
    ],
)  # fmt: skip
def test_a_record_changes_nothing_else_of_what_is_sent(said):
    message = {"role": "assistant", "content": "x", "tool_calls": [CALL]}
    assert echoed(message, [to_item("chat", said)]) == message


@pytest.mark.parametrize(
    "item", ["", "7", "[]", "{oops", '{"chat": 7}', '{"chat": {"reasoning_content": NaN}}', "[" * 9999]
)
def test_what_cannot_be_read_is_not_sent(item):
    assert echoed({"role": "assistant", "tool_calls": [CALL]}, [item]) == {"role": "assistant", "tool_calls": [CALL]}


def test_half_a_character_does_not_keep_the_request_from_being_sent(server, lab):
    message = {"role": "assistant", "content": "", "tool_calls": [CALL]}
    messages = [*ask().messages, message, {"role": "tool", "tool_call_id": "a", "content": "x"}]
    heard(lab.stream(Request(model="", messages=messages, echo={1: ['{"chat": {"reasoning_content": "\\ud83d"}}']})))
    assert server.requests[0]["messages"][1]["reasoning_content"] == "\ufffd"


def test_what_belongs_to_another_message_or_api_is_not_sent(server, lab):
    item = to_item("chat", {"reasoning_details": [{"type": "x"}]})
    other = to_item("responses", {"item": {"type": "reasoning"}})
    messages = [*ask("a").messages, {"role": "assistant", "content": "b"}, *ask("c").messages]
    heard(lab.stream(Request(model="", messages=messages, echo={0: [item], 1: [other], 2: [item], 9: [item]})))
    assert server.requests[0]["messages"] == messages
