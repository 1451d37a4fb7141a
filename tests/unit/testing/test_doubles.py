"""The public doubles: they do what their script says, and fail the test that asks for something else."""

import json
import socket
import threading
import urllib.error
import urllib.request

import httpx2
import openai
import pytest

from robota_nb.core.ports import Finish, Provider, ReasoningDelta, Request, TextDelta, ToolCall, Usage
from robota_nb.testing import SHAPES, Act, FakeOpenAIServer, FaultServer, ScriptedProvider, http
from support.patience import PATIENCE


def ask(text="hi there"):
    return Request(model="m", messages=[{"role": "user", "content": text}])


def play(provider, request=None):
    return list(provider.stream(request or ask()))


def said(events):
    return "".join(event.text for event in events if isinstance(event, TextDelta))


class TestScriptedProvider:
    def test_it_is_a_provider(self):
        assert isinstance(ScriptedProvider(), Provider)

    def test_a_call_is_one_and_ends_the_answer_as_such(self):
        call = ToolCall(id="a", name="rows", arguments="{}")
        with ScriptedProvider([call, ["Let me look. ", call]]) as provider:
            assert [event.reason for event in play(provider) if isinstance(event, Finish)] == ["tool_calls"]
            assert play(provider)[1] == call

    def test_text_is_one_delta_and_a_list_is_several(self):
        with ScriptedProvider(["one two", ["a", "", "b"]]) as provider:
            usage = Usage(input_tokens=2, output_tokens=2)
            assert play(provider) == [TextDelta("one two"), Finish(reason="stop", model="m", usage=usage)]
            assert said(play(provider)) == "ab"
        assert [request.messages[0]["content"] for request in provider.requests] == ["hi there", "hi there"]

    def test_exceptions_come_where_they_stand(self):
        with ScriptedProvider([["par", KeyboardInterrupt()], ValueError("now")]) as provider:
            stream = provider.stream(ask())
            assert next(stream) == TextDelta("par")
            with pytest.raises(KeyboardInterrupt):
                next(stream)
            with pytest.raises(ValueError, match="now"):
                play(provider)

    def test_a_step_may_be_a_function_of_the_request_and_may_end_as_it_likes(self):
        finish = Finish(reason="length")
        with ScriptedProvider([lambda request: [request.messages[-1]["content"].upper(), finish], finish]) as provider:
            assert play(provider) == [TextDelta("HI THERE"), finish]
            assert play(provider) == [finish]

    def test_an_ask_too_many_fails_at_once(self):
        provider = ScriptedProvider([])
        with pytest.raises(AssertionError, match="ask 1 is not in the script: 'hi there'"):
            provider.stream(ask())

    def test_steps_nobody_asked_for_fail(self):
        with pytest.raises(AssertionError, match="1 scripted step"), ScriptedProvider(["unused"]):
            pass

    def test_a_failing_test_keeps_its_own_error(self):
        with pytest.raises(ZeroDivisionError), ScriptedProvider(["unused"]):
            raise ZeroDivisionError


@pytest.fixture
def server():
    with FakeOpenAIServer() as running:
        yield running


def test_a_server_that_is_reset_answers_as_by_default():
    changed = {"reply": str, "chunks": "ab", "model": "m", "batch": 2, "per_second": 9, "gate_after": 3}
    with FakeOpenAIServer() as fresh, FakeOpenAIServer(gate=threading.Event(), **changed) as server:
        server.requests.append({})
        server.reset()
        settings = [*changed, "gate", "requests"]
        assert [getattr(server, name) for name in settings] == [getattr(fresh, name) for name in settings]


@pytest.fixture
def client(server):
    with openai.OpenAI(api_key=server.api_key, base_url=server.base_url, max_retries=0) as running:
        yield running


def chat(client, text="hi", **options):
    options = {"stream": True, "stream_options": {"include_usage": True}} | options
    return client.chat.completions.create(model="m", messages=[{"role": "user", "content": text}], **options)


def streamed(client, text="hi", **options):
    chunks = list(chat(client, text, **options))
    choices = [chunk.choices[0] for chunk in chunks if chunk.choices]
    reasons = [choice.finish_reason for choice in choices if choice.finish_reason]
    return "".join(choice.delta.content or "" for choice in choices), reasons, chunks[-1].usage


class TestFakeOpenAIServer:
    def test_it_streams_to_the_real_client_and_remembers_what_it_was_sent(self, server, client):
        text, reasons, usage = streamed(client, "good morning", temperature=0)
        assert (text, reasons) == ("1: good morning", ["stop"])
        assert (usage.prompt_tokens, usage.completion_tokens) == (2, 3)
        assert streamed(client, "again")[0] == "2: again"
        assert server.requests[0]["temperature"] == 0
        assert server.requests[1]["messages"] == [{"role": "user", "content": "again"}]
        assert server.headers[0]["authorization"] == f"Bearer {server.api_key}"

    def test_without_stream_it_answers_in_one_piece(self, server, client):
        answer = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])
        assert answer.choices[0].message.content == "1: hi"
        assert client.models.list().data[0].id == server.model

    def test_no_usage_unless_asked_for(self, client):
        assert streamed(client, stream_options={"include_usage": False})[2] is None

    def test_the_reply_is_pluggable(self, server, client):
        server.reply = lambda body: body["messages"][-1]["content"].upper()
        assert streamed(client)[0] == "HI"
        server.chunks = ["ex", "actly ", "these"]
        assert [c.choices[0].delta.content for c in list(chat(client))[1:4]] == server.chunks

    @pytest.mark.parametrize("batch", [1, 7, 100])
    def test_batches_change_the_writes_and_not_the_answer(self, server, client, batch):
        server.chunks, server.batch = [f"{n} " for n in range(20)], batch
        assert streamed(client)[0] == "".join(server.chunks)

    def test_pacing_still_gives_the_whole_answer(self, server, client):
        server.per_second = 1000
        assert streamed(client, "one two")[0] == "1: one two"

    def test_the_gate_holds_the_answer_back(self, server, client):
        server.chunks, server.gate, server.gate_after = ["a", "b", "c"], threading.Event(), 2
        stream = iter(chat(client))
        assert [next(stream).choices[0].delta.content for _ in range(3)] == ["", "a", "b"]
        server.gate.set()
        assert next(stream).choices[0].delta.content == "c"
        assert not server.hung_up.is_set()
        list(stream)

    def test_a_client_that_leaves_is_noticed_at_the_gate(self, server, client):
        server.gate = threading.Event()
        stream = chat(client)
        next(iter(stream))
        stream.close()
        assert server.hung_up.wait(5)

    def test_a_gate_that_never_opens_does_not_keep_the_server_from_closing(self):
        with FakeOpenAIServer(gate=threading.Event()) as server:
            client = openai.OpenAI(api_key="k", base_url=server.base_url, max_retries=0)
            stream = chat(client)
            next(iter(stream))
        stream.close()
        client.close()

    @pytest.mark.parametrize(
        ("how", "reasons"),
        [("clean", []), ("done", []), ("reason", ["stop"]), ("length", ["length"]), ("odd", ["odd"])],
    )
    def test_endings(self, server, client, how, reasons):
        server.end(how)
        text, got, _ = streamed(client)
        assert (text, got) == ("1: hi", reasons)
        assert streamed(client)[1] == ["stop"]  # the script is for one request

    def test_calls_of_tools_are_scripted_for_one_request_each(self, server, client):
        server.calls(("rows", {"table": "é"}), ("count", "{}"), text="Let me look.")
        server.calls(("rows", {"table": "y"}))
        server.whole()
        server.reply = lambda _: [ToolCall(id="a", name="rows", arguments="{}")]
        with client.chat.completions.stream(model="m", messages=[{"role": "user", "content": "hi"}]) as stream:
            first = stream.get_final_completion().choices[0]
        assert (first.message.content, first.finish_reason) == ("Let me look.", "tool_calls")
        calls = [(call.id, call.function.name, call.function.arguments) for call in first.message.tool_calls]
        assert calls == [("call_1_1", "rows", '{"table": "é"}'), ("call_1_2", "count", "{}")]
        assert streamed(client)[:2] == ("", ["tool_calls"])
        answer = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])
        assert answer.choices[0].message.tool_calls[0].function.name == "rows"

    def test_it_speaks_the_responses_api_to_the_real_client(self, server, client):
        server.calls(("rows", {"table": "x"}), text="Let me look.")
        server.reply = lambda _: [ReasoningDelta("Hm."), "All ", "well."]
        with client.responses.stream(model="m", input="good day") as stream:
            kinds = [event.type for event in stream]
            first = stream.get_final_response()
        assert (first.output_text, first.output[1].arguments) == ("Let me look.", '{"table": "x"}')
        assert kinds[-1] == "response.completed"
        assert (first.usage.input_tokens, first.usage.output_tokens) == (2, 4)
        with client.responses.stream(model="m", input=[{"role": "user", "content": "hi"}]) as stream:
            second = stream.get_final_response()
        assert [item.type for item in second.output] == ["reasoning", "message"]
        assert client.responses.create(model="m", input="hi").output_text == "All well."
        assert server.paths == ["/v1/responses"] * 3

    @pytest.mark.parametrize("how", ["clean", "done", "length"])
    def test_endings_over_the_responses_api(self, server, client, how):
        server.end(how)
        events = list(client.responses.create(model="m", input="hi", stream=True))
        last = "response.incomplete" if how == "length" else "response.output_item.done"
        assert events[-1].type == last
        server.error("out of luck")
        assert list(client.responses.create(model="m", input="hi", stream=True))[-1].message == "out of luck"

    def test_failures_are_for_one_request_each(self, server, client):
        server.fail(429, headers={"Retry-After": "3"})
        server.fail(500, "plain words")
        with pytest.raises(openai.RateLimitError, match="scripted failure 429") as caught:
            chat(client)
        assert caught.value.response.headers["retry-after"] == "3"
        with pytest.raises(openai.InternalServerError) as caught:
            chat(client)
        assert caught.value.body == "plain words"
        assert streamed(client)[0] == "3: hi"

    @pytest.mark.parametrize("reset", [True, False])
    def test_a_cut_breaks_the_connection(self, server, client, reset):
        server.cut(after=1, reset=reset)
        with pytest.raises((openai.APIConnectionError, httpx2.HTTPError)):  # the latter in the first 3.x
            streamed(client)

    def test_an_error_inside_the_stream(self, server, client):
        server.error("out of luck")
        with pytest.raises(openai.APIError, match="out of luck"):
            streamed(client)

    def test_bodies_that_are_no_stream(self, server):
        server.whole()
        server.html()
        server.empty()
        server.raw(b"data: x\n\n", headers={"X-Test": "1"})
        kinds, bodies = zip(*(post(server) for _ in range(4)), strict=True)
        assert kinds == ("application/json", "text/html; charset=utf-8", None, "text/event-stream")
        assert json.loads(bodies[0])["choices"][0]["message"]["content"] == "1: hi"
        assert bodies[1].startswith(b"<!doctype html>")
        assert bodies[2:] == (b"", b"data: x\n\n")

    def test_unknown_paths(self, server):
        for path in ("/nothing", "/chat/completions/"):
            with pytest.raises(urllib.error.HTTPError) as caught:
                post(server, path)
            assert caught.value.code == 404
            caught.value.close()

    def test_the_environment_points_a_child_process_here(self, server):
        assert server.environment() == {"OPENAI_API_KEY": server.api_key, "OPENAI_BASE_URL": server.base_url}

    def test_many_at_once(self, server, client):
        texts = [f"prompt {n}" for n in range(8)]
        answers = {}
        threads = [threading.Thread(target=lambda t=t: answers.update({t: streamed(client, t)[0]})) for t in texts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {text: answer.partition(": ")[2] for text, answer in answers.items()} == {t: t for t in texts}
        assert sorted(int(answer.partition(":")[0]) for answer in answers.values()) == list(range(1, 9))
        assert len(server.requests) == 8

    def test_closing_twice_is_once(self):
        with FakeOpenAIServer() as server:
            server.close()
        with pytest.raises(AssertionError):
            server.base_url  # noqa: B018


def post(server, path="/chat/completions"):
    body = json.dumps({"stream": True, "messages": [{"role": "user", "content": "hi"}]}).encode()
    with urllib.request.urlopen(urllib.request.Request(server.base_url + path, body)) as response:
        return response.headers["content-type"], response.read()


class TestFaultServer:
    @pytest.fixture
    def server(self):
        with FaultServer() as running:
            yield running

    def raw(self, server):
        """Ask by hand, and return all bytes of the answer."""
        host, port = server.base_url.removeprefix("http://").removesuffix("/v1").split(":")
        with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
            connection.sendall(b'POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 9\r\n\r\n{"n": 42}')
            with connection.makefile("rb") as file:
                return file.read()

    def test_with_nothing_queued_it_answers_well(self, client, server):
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chat(client)) == "all is well"
        assert server.requests[0]["model"] == "m"

    @pytest.fixture
    def client(self, server):
        with openai.OpenAI(api_key="k", base_url=server.base_url, max_retries=0) as running:
            yield running

    @pytest.mark.parametrize("at", [0, 1, 5])
    def test_a_cut_sends_so_many_bytes_and_no_more(self, server, at):
        server.cut(b"hello", at)
        assert self.raw(server) == http() + b"hello"[:at]
        assert server.requests == [{"n": 42}]

    def test_a_reset_is_one(self, server):
        server.cut(b"hello", 3, reset=True)
        with pytest.raises(ConnectionResetError):
            self.raw(server)

    def test_steps_are_done_in_their_order_and_a_stall_ends_with_the_client(self, server):
        called = threading.Event()
        server.steps(b"one ", 0.001, called.set, b"two", Act.STALL)
        host, port = server.base_url.removeprefix("http://").removesuffix("/v1").split(":")
        with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\n\r\n")
            with connection.makefile("rb") as file:
                assert file.read(7) == b"one two"
        assert called.is_set()
        assert server.hung_up.wait(60)

    def test_a_shape_is_played_for_every_request_until_there_is_another(self, server):
        server.shape = next(shape for shape in SHAPES if shape.name == "ends/in the status line")
        assert [self.raw(server) for _ in range(2)] == [b"HTTP/1.1 20"] * 2
        server.shape = None
        assert b"all is well" in self.raw(server)

    def test_the_shapes_say_what_may_be_made_of_them(self):
        known = {"stop", "length", "content_filter", "tool_calls", "interrupted", "error", "unknown"}
        assert all(shape.ends and shape.ends <= known and "/" in shape.name for shape in SHAPES)
