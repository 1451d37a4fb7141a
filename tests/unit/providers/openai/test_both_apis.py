"""The same stories over Chat Completions and over the Responses API: nobody can tell by the answer which it was."""

import json
import random
from dataclasses import replace

import pytest

from robota_nb import SessionManager
from robota_nb.core.ports import Echo, Finish, ReasoningDelta, Request, SignOfLife, TextDelta, ToolCall, ToolSpec, Usage
from robota_nb.errors import ProviderError
from robota_nb.providers.endpoint import Endpoint
from robota_nb.providers.openai.chat import CHAT
from robota_nb.providers.openai.responses import RESPONSES
from robota_nb.testing import FaultServer, check_provider
from support.core import Only
from support.paths import TESTS
from support.provider import CANARY, ask, assert_no_key, check_discreet, openai_provider, prompts

APIS = ["chat", "responses"]
SPEC = ToolSpec(
    name="rows", description="Rows.", parameters='{"type":"object","properties":{"table":{"type":"string"}}}'
)
PNG = "data:image/png;base64,iVBORw0KGgo="


def says(*pieces):
    return lambda server: setattr(server, "reply", lambda _: list(pieces))


def calls(*made, text=""):
    return lambda server: server.calls(*made, text=text)


def does(name, *args, **options):
    return lambda server: getattr(server, name)(*args, **options)


def batched(size):
    def play(server):
        server.batch, server.reply = size, lambda _: [f"{n} " for n in range(20)]

    return play


THOUGHT, CALL = ReasoningDelta("Let me think. "), ToolCall(id="c1", name="rows", arguments='{"table": "x"}')
STORIES = {
    "plain": lambda _: None,
    "chunks": says("a", "b ", "c"),
    "one chunk": says("all is well"),
    "nothing": says(),
    "an empty chunk": says("a", "", "b"),
    "line ends": says("a\r\nb\rc\n"),
    "other alphabets": says("é😀", "你好", "\u2028x"),
    "controls": says("a\0b\x1b[31m"),
    "json": says('{"a": ', "[1, 2]}"),
    "events in the text": says("data: [DONE]\n\n", "event: error\n\n"),
    "long": says(*["word "] * 2000),
    "batches of three": batched(3),
    "one batch": batched(99),
    "thoughts": says(THOUGHT, "Yes."),
    "thoughts in pieces": says(ReasoningDelta("a"), ReasoningDelta("b"), "Yes."),
    "thoughts alone": says(THOUGHT),
    "thoughts between tags": says("<think>", "Hm.", "</think>", "Yes."),
    "a call": calls(("rows", {"table": "x"})),
    "a call after text": calls(("rows", {"table": "x"}), text="Let me look."),
    "calls": calls(("rows", {"table": "x"}), ("count", {}), ("rows", {"table": "é"})),
    "a call without arguments": calls(("count", "")),
    "a call with arguments that are none": calls(("rows", '{"table": ')),
    "a call with long arguments": calls(("rows", {"text": "x" * 5000})),
    "a call after thoughts": says(THOUGHT, CALL),
    "thoughts, text and a call": says(THOUGHT, "Let me look. ", CALL),
    "a call, then text": says(CALL, "and so on"),
    "the end of the stream alone": does("end", "clean"),
    "done alone": does("end", "done"),
    "too long": does("end", "length"),
    "filtered": does("end", "content_filter"),
    "cut": does("cut", 1),
    "cut off cleanly": does("cut", 1, reset=False),
    "an error in the stream": does("error", "out of luck", after=1),
    "an error first": does("error", "out of luck", after=0),
    "in one piece": does("whole"),
    "a web page": does("html"),
    "nothing at all": does("empty"),
    "no stream and no json": does("raw", b"{oops", content_type="application/json"),
    "other json": does("raw", b'{"ok": true}', content_type="application/json"),
    "an error as json": does("raw", b'{"error": {"message": "out of luck"}}', content_type="application/json"),
    "400": does("fail", 400, {"error": {"message": "no such thing"}}),
    "401": does("fail", 401),
    "404": does("fail", 404, {"error": {"message": "The model `lab-model` does not exist", "code": "model_not_found"}}),
    "413": does("fail", 400, {"error": {"message": "This model's maximum context length is 8192 tokens"}}),
    "429": does("fail", 429, headers={"Retry-After": "3600"}),
    "500": does("fail", 500, "plain words"),
}


@pytest.fixture
def provider_of(server):
    made = []

    def make(api, **settings):
        endpoint = Endpoint("lab", server.base_url, "LAB_KEY", "lab-model", api=api, **settings)
        made.append(openai_provider(endpoint, environ={"LAB_KEY": CANARY}, max_retries=0))
        return made[-1]

    yield make
    for provider in made:
        provider.close()


def heard(provider, request):
    """What is told of an answer: texts and thoughts in one piece each, calls, the end or the error."""
    text, thoughts, rest = "", "", []
    try:
        for event in provider.stream(request):
            if isinstance(event, TextDelta):
                text += event.text
            elif isinstance(event, ReasoningDelta):
                thoughts += event.text
            elif not isinstance(event, (SignOfLife, Echo)):
                rest.append(event)
    except ProviderError as error:
        check_discreet(error)
        rest.append(str(error))
    return text, thoughts, rest


def test_there_are_more_than_forty_stories():
    assert len(STORIES) > 40


@pytest.mark.parametrize("story", STORIES)
def test_a_story_is_the_same_over_both(server, provider_of, story):
    told = {}
    for api in APIS:
        server.reset()
        STORIES[story](server)
        provider = provider_of(api)
        request = replace(ask("good day", temperature=0.5), tools=[SPEC])
        told[api] = heard(provider, request)
        server.reply = None
        assert heard(provider, request)[0] == "2: good day"  # and the next one is not spoiled
        assert {path.rpartition("/v1")[2] for path in server.paths} == {CHAT.path if api == "chat" else RESPONSES.path}
    assert told["chat"] == told["responses"]


@pytest.mark.parametrize("api", APIS)
def test_what_the_stories_are(server, provider_of, api):
    provider, request = provider_of(api), replace(ask("good day"), tools=[SPEC])
    STORIES["thoughts, text and a call"](server)
    usage = Usage(input_tokens=2, output_tokens=3)
    end = Finish(reason="tool_calls", model="fake-model", usage=usage)
    assert heard(provider, request) == ("Let me look. ", "Let me think. ", [CALL, end])
    server.reply = None
    server.end("length")
    assert heard(provider, request)[2][0].reason == "length"
    server.end("clean")
    assert heard(provider, request)[2][0].reason == "unknown"
    server.error("out of luck")
    assert "out of luck" in heard(provider, request)[2][0]


@pytest.mark.parametrize("api", APIS)
def test_it_keeps_to_the_protocol(server, provider_of, api):
    assert check_provider(provider_of(api), replace(ask("is all well?"), tools=[SPEC])) == "1: is all well?"


@pytest.mark.parametrize("api", APIS)
def test_a_chat_remembers_and_says_how_it_ended(server, provider_of, api):
    chat = SessionManager(providers=Only(provider_of(api))).create_session("u").create_chat(system="Be brief.")
    assert chat.send("one").text == "1: one"
    turn = chat.send("two")
    assert (turn.text, turn.finish_reason, turn.model) == ("2: two", "stop", "fake-model")
    assert turn.usage == Usage(input_tokens=6, output_tokens=2)
    said = server.requests[1].get("messages") or server.requests[1]["input"]
    assert [(each["role"], each["content"]) for each in said] == [
        ("system", "Be brief."), ("user", "one"), ("assistant", "1: one"), ("user", "two")
    ]  # fmt: skip


def test_the_parts_of_a_message_have_the_names_of_the_api(server, provider_of):
    parts = [
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": PNG}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,eA=="}},
    ]
    request = Request(model="", messages=[{"role": "user", "content": parts}])
    for api in APIS:
        heard(provider_of(api), request)
    assert prompts(server, 0) == [parts]
    assert server.requests[1]["input"] == [{"role": "user", "content": [
        {"type": "input_text", "text": "look"},
        {"type": "input_image", "image_url": PNG},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,eA=="},
    ]}]  # fmt: skip


def test_calls_and_their_results_have_the_form_of_the_api(server, provider_of):
    call = {"id": "", "type": "function", "function": {"name": "rows", "arguments": '{"table": "x"}'}}
    messages = [
        *ask("how many?").messages,
        {"role": "assistant", "content": "Let me look.", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "", "content": "7"},
        {"role": "assistant", "content": "Seven."},
        *ask("sure?").messages,
    ]
    heard(provider_of("responses"), Request(model="", messages=messages, tools=[SPEC]))
    sent = server.requests[0]
    assert sent["input"][1:4] == [
        {"role": "assistant", "content": "Let me look."},
        {"type": "function_call", "call_id": "call_1_0", "name": "rows", "arguments": '{"table": "x"}'},
        {"type": "function_call_output", "call_id": "call_1_0", "output": "7"},
    ]
    said = {"name": "rows", "description": "Rows.", "parameters": json.loads(SPEC.parameters), "strict": False}
    assert sent["tools"] == [{"type": "function", **said}]


@pytest.mark.parametrize("api", APIS)
def test_a_key_in_a_call_is_not_told(server, provider_of, api):
    server.calls(("rows", {"table": CANARY}))
    (call,) = (event for event in provider_of(api).stream(ask()) if isinstance(event, ToolCall))
    assert json.loads(call.arguments) == {"table": "…"}


@pytest.mark.parametrize("api", APIS)
def test_a_key_in_what_the_server_wants_back_is_not_told(server, provider_of, api):
    server.reply = lambda _: [ReasoningDelta(f"the key is {CANARY}"), CALL]
    (echo,) = (event for event in provider_of(api).stream(replace(ask(), tools=[SPEC])) if isinstance(event, Echo))
    assert_no_key(*echo.items)


@pytest.fixture(scope="module")
def faulty():
    with FaultServer() as running:
        yield running


@pytest.mark.parametrize("reset", [False, True], ids=["clean", "reset"])
def test_a_connection_cut_at_a_byte_is_told(faulty, reset, scale):
    stream = (TESTS / "streams" / "responses" / "openai.sse").read_bytes()
    provider = openai_provider(
        Endpoint("lab", faulty.base_url, "LAB_KEY", "m", api="responses"), environ={"LAB_KEY": CANARY}, max_retries=0
    )
    whole = "Let me look – é 😀"
    end = stream.index(b"event: response.completed")
    for at in random.Random(7).sample(range(end), scale(fast=6, all=40, long=end)):
        faulty.cut(stream, at, reset=reset)
        text, _, rest = heard(provider, ask())
        assert whole.startswith(text)
        assert isinstance(rest[-1], str) or (not reset and rest[-1].reason == "unknown")
    faulty.cut(stream, len(stream))
    assert heard(provider, ask())[0] == whole
    provider.close()
