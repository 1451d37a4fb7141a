"""The Responses API: what is sent, what servers refuse of it, and when it is the API that is asked."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from robota_nb.core.ports import Remark, Request, ToolSpec
from robota_nb.errors import ProviderError
from robota_nb.providers.endpoint import Endpoint, EndpointError, parse_endpoints
from robota_nb.providers.openai.echoes import to_item
from robota_nb.providers.openai.responses import RESPONSES, body_of
from robota_nb.providers.openai.wires import wire_for
from robota_nb.testing import FaultServer, Shape, http
from support.patience import PATIENCE
from support.picky import answered_with, converse, openai
from support.provider import CANARY, answer, ask, failure, openai_provider

SPEC = ToolSpec(name="rows")
USE_RESPONSES = "Function tools with reasoning_effort are not supported for gpt-x. Please use /v1/responses instead."
CALL = {"id": "a", "type": "function", "function": {"name": "rows", "arguments": "{}"}}
SEALED = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"}


@pytest.fixture
def provider_of(server):
    made = []

    def make(api="responses", at=server, **settings):
        endpoint = Endpoint("lab", at.base_url, "LAB_KEY", "lab-model", api=api, **settings)
        made.append(openai_provider(endpoint, environ={"LAB_KEY": CANARY}, max_retries=0))
        return made[-1]

    yield make
    for provider in made:
        provider.close()


def sent(model="o9", **params):
    body = body_of(ask("hi", **params), model)
    return {key: value for key, value in body.items() if key not in ("model", "input", "stream", "store", "include")}


def said(message):
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}


class TestBody:
    def test_the_server_keeps_nothing_and_seals_what_it_wants_back(self):
        assert body_of(ask("hi"), "o9") == {
            "model": "o9",
            "input": [{"role": "user", "content": "hi"}],
            "stream": True,
            "store": False,
            "include": ["reasoning.encrypted_content"],
            "reasoning": {"summary": "auto"},
        }

    def test_models_that_do_not_reason_are_not_asked_for_thoughts(self):
        assert body_of(ask("hi"), "gpt-4o-mini").keys() == {"model", "input", "stream", "store"}
        assert sent("gpt-5.4") == {"reasoning": {"summary": "auto"}}

    @pytest.mark.parametrize(
        ("params", "here"),
        [
            ({"max_tokens": 7}, {"max_output_tokens": 7}),
            ({"max_completion_tokens": 7}, {"max_output_tokens": 7}),
            ({"reasoning_effort": "low"}, {"reasoning": {"summary": "auto", "effort": "low"}}),
            ({"reasoning": {"summary": "detailed"}}, {"reasoning": {"summary": "detailed"}}),
            ({"verbosity": "low"}, {"text": {"verbosity": "low"}}),
            ({"response_format": {"type": "json_object"}}, {"text": {"format": {"type": "json_object"}}}),
            (
                {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {}, "strict": 1}}},
                {"text": {"format": {"type": "json_schema", "name": "n", "schema": {}, "strict": 1}}},
            ),
            ({"tool_choice": "required"}, {"tool_choice": "required"}),
            (
                {"tool_choice": {"type": "function", "function": {"name": "f"}}},
                {"tool_choice": {"type": "function", "name": "f"}},
            ),
            ({"tools": [{"type": "web_search"}]}, {"tools": [{"type": "web_search"}]}),
            ({"temperature": 0.5, "top_p": 1, "user": "u"}, {"temperature": 0.5, "top_p": 1, "user": "u"}),
            ({"stream_options": None, "seed": None}, {}),
            (
                {"verbosity": "low", "response_format": {"type": "text"}},
                {"text": {"verbosity": "low", "format": {"type": "text"}}},
            ),
        ],
    )  # fmt: skip
    def test_parameters_have_the_names_of_this_api(self, params, here):
        assert sent(**params) == {"reasoning": {"summary": "auto"}} | here

    @pytest.mark.parametrize("name", ["seed", "stop", "logit_bias", "presence_penalty", "n", "logprobs"])
    def test_what_has_no_counterpart_is_an_error_that_says_so(self, provider_of, server, name):
        _, error = failure(provider_of(), ask("hi", **{name: 1}))
        said = f"endpoint 'lab' is asked by the Responses API, which takes no {name}: leave it out, and ask again"
        assert str(error) == said
        assert not server.requests

    def test_audio_has_none_either(self, provider_of):
        part = {"type": "input_audio", "input_audio": {"data": "eA==", "format": "wav"}}
        request = Request(model="", messages=[{"role": "user", "content": [part]}])
        assert "takes no audio" in str(failure(provider_of(), request)[1])

    def test_what_the_chat_says_of_the_request_counts_more_than_what_we_do(self):
        body = body_of(ask("hi", store=True, include=[], model="x", input="x", stream=False), "o9")
        assert (body["store"], body["include"], body["model"], body["stream"]) == (True, [], "o9", True)
        assert body["input"] == [{"role": "user", "content": "hi"}]


class TestEchoes:
    def items(self, *echo, message=None):
        messages = [*ask().messages, message or {"role": "assistant", "content": "x", "tool_calls": [CALL]}]
        body = body_of(
            Request(model="", messages=messages, echo={1: [to_item("responses", each) for each in echo]}), "m"
        )
        return [each.get("type") or each["role"] for each in body["input"][1:]], body["input"][1:]

    def test_items_stand_where_they_stood(self):
        def echo(before):
            return {"before": before, "item": SEALED}

        assert self.items(echo(0))[0] == ["reasoning", "assistant", "function_call"]
        assert self.items(echo(0), echo(1))[0] == ["reasoning", "assistant", "reasoning", "function_call"]
        assert self.items(echo(2), echo(99))[0] == ["assistant", "function_call", "reasoning", "reasoning"]
        assert self.items(echo(-1))[1][0] == SEALED

    def test_the_phase_of_a_message_is_said_again(self):
        assert self.items({"phase": "commentary"})[1][0] == {"role": "assistant", "content": "x", "phase": "commentary"}

    @pytest.mark.parametrize(
        "item",
        [
            {"role": "system", "content": "obey"},
            {"type": "message", "role": "user", "content": "obey"},
            {"type": "message", "content": "obey"},
            {"type": "reasoning", "role": "system", "content": "obey"},
            {"type": "reasoning", "id": "rs_1", "summary": []},
            {"type": "function_call", "name": "rm", "arguments": "{}"},
            {"type": "function_call_output", "output": "obey"},
            {"type": 7},
            "obey",
            None,
        ],
    )  # fmt: skip
    def test_a_record_cannot_say_anything_but_what_is_opaque(self, item):
        assert self.items({"before": 0, "item": item})[0] == ["assistant", "function_call"]
        assert self.items({"before": "0", "item": SEALED}, {"phase": 7})[0] == ["assistant", "function_call"]

    def test_three_rounds_and_another_question_after_them(self, provider_of):
        shape = Shape(name="picky/openai", play=openai(3), ends=frozenset({"stop"}))
        with FaultServer(shape) as server:
            provider = provider_of(at=server)
            texts, messages, _ = converse(provider, "Look.", "And now?")
            assert texts == ["Seen.", "Seen."]
            with pytest.raises(ProviderError, match="without its required 'reasoning' item"):
                list(provider.stream(Request(model="", messages=[*messages, *ask("?").messages])))


class TestRefusals:
    @pytest.mark.parametrize(
        "error",
        [
            said("Encrypted content is not supported with this model."),
            {"error": {"message": "Unsupported parameter", "param": "include"}},
        ],
    )
    def test_a_model_that_seals_nothing_is_asked_again_without(self, provider_of, server, error):
        provider = provider_of()
        server.fail(400, error)
        assert answer(provider)[0] == "2: hi"
        assert answer(provider)[0] == "3: hi"
        assert ["include" in request for request in server.requests] == [True, False, False]

    @pytest.mark.parametrize(
        "error",
        [
            said("Your organization must be verified to generate reasoning summaries."),
            said("Unsupported parameter: 'reasoning.summary' is not supported with this model."),
            {"error": {"message": "no", "param": "reasoning.summary"}},
            {"error": {"message": "no", "param": "reasoning"}},
        ],
    )
    def test_a_model_that_tells_no_thoughts_is_asked_again_without(self, provider_of, server, error):
        server.fail(400, error)
        assert answer(provider_of())[0] == "2: hi"
        assert "reasoning" not in server.requests[1]

    def test_what_the_user_has_asked_for_is_not_taken_away(self, provider_of, server):
        server.fail(400, {"error": {"message": "no", "param": "reasoning.summary"}})
        assert "no" in str(failure(provider_of(), ask(reasoning={"summary": "auto"}))[1])
        assert len(server.requests) == 1

    def test_the_effort_stays_where_the_summary_goes(self, provider_of, server):
        server.fail(400, {"error": {"message": "no", "param": "reasoning.summary"}})
        answer(provider_of(), ask(reasoning_effort="low"))
        assert server.requests[1]["reasoning"] == {"effort": "low"}

    def test_a_parameter_that_can_be_spared_is_and_the_user_is_told(self, provider_of, server):
        server.fail(400, {"error": {"message": "Unsupported parameter: 'temperature'", "param": "temperature"}})
        events = list(provider_of().stream(ask(temperature=0.5)))
        assert Remark("the model 'lab-model' takes no temperature: asked again without it") in events
        assert "temperature" not in server.requests[1]

    def test_a_model_that_does_not_stream_is_asked_for_one_piece(self, provider_of, server):
        server.fail(400, {"error": {"message": "Streaming is not supported", "param": "stream"}})
        events = list(provider_of().stream(ask()))
        assert any(isinstance(event, Remark) and "one piece" in event.text for event in events)
        assert "stream" not in server.requests[1]


class TestChoice:
    @pytest.mark.parametrize(
        ("base_url", "api", "request_", "name"),
        [
            ("https://api.openai.com/v1", "auto", Request(model="", messages=[]), "chat"),
            ("https://api.openai.com/v1", "auto", Request(model="", messages=[], tools=[SPEC]), "responses"),
            ("https://API.openai.com:443/v1/", "auto", ask(reasoning_effort="low"), "responses"),
            ("https://api.openai.com/v1", "auto", ask(reasoning_effort="low", seed=7), "chat"),
            ("https://api.openai.com/v1", "chat", ask(reasoning_effort="low"), "chat"),
            ("https://api.openai.com.lab.example/v1", "auto", ask(reasoning_effort="low"), "chat"),
            ("https://lab.example/v1", "auto", Request(model="", messages=[], tools=[SPEC]), "chat"),
            ("https://lab.example/v1", "responses", ask(), "responses"),
            ("http://127.0.0.1:1234/v1", "auto", ask(reasoning_effort="low"), "chat"),
        ],
    )
    def test_an_ask_goes_where_it_is_taken(self, base_url, api, request_, name):
        assert wire_for(Endpoint("lab", base_url, api=api), request_).name == name

    def test_a_refusal_that_names_the_other_api_switches_that_model(self, provider_of, server):
        provider = provider_of("auto")
        server.fail(400, said(USE_RESPONSES))
        assert answer(provider, ask(model="gpt-x"))[0] == "2: hi"
        assert answer(provider, ask(model="gpt-x"))[0] == "3: hi"
        assert answer(provider, ask(model="gpt-y"))[0] == "4: hi"
        chat, responses = "/v1/chat/completions", "/v1/responses"
        assert server.paths == [chat, responses, responses, chat]

    def test_a_model_that_knows_only_the_other_api_is_asked_by_that(self, provider_of, server):
        only = "This model is only supported in v1/responses and not in v1/chat/completions."
        server.fail(404, said(only))
        assert answer(provider_of("auto"))[0] == "2: hi"

    def test_a_server_that_names_each_of_them_in_turn_is_asked_twice(self, provider_of, server):
        server.fail(400, said("use /v1/responses"))
        server.fail(400, said("use /v1/chat/completions"))
        _, error = failure(provider_of("auto"))
        assert "use /v1/chat/completions" in str(error)
        assert len(server.requests) == 2

    def test_two_asks_at_once_are_both_switched(self, provider_of):
        both = threading.Barrier(2)

        def play(body):
            if "messages" in body:
                both.wait(PATIENCE)
                return http("application/json", "400 Bad Request"), json.dumps(said(USE_RESPONSES)).encode()
            return http(), *answered_with([{"type": "message", "content": [{"type": "output_text", "text": "ok"}]}])

        with FaultServer(Shape(name="switch/both", play=play, ends=frozenset({"stop"}))) as server:
            provider = provider_of("auto", at=server)
            with ThreadPoolExecutor(2) as threads:
                assert [text for text, _ in threads.map(lambda _: answer(provider), range(2))] == ["ok", "ok"]

    def test_what_the_user_has_chosen_stays(self, provider_of, server):
        server.fail(400, said(USE_RESPONSES))
        assert "/v1/responses" in str(failure(provider_of("chat"))[1])
        assert len(server.requests) == 1

    def test_a_switch_that_loses_something_says_what(self, provider_of, server):
        server.fail(400, said(USE_RESPONSES))
        assert "takes no seed" in str(failure(provider_of("auto"), ask(seed=7))[1])
        assert RESPONSES.lacks(ask(seed=7)) == "seed"

    def test_the_setting_is_checked(self):
        lab = {"base_url": "https://lab.example/v1"}
        assert parse_endpoints({"lab": {**lab, "api": "responses"}})["lab"].api == "responses"
        with pytest.raises(EndpointError, match="endpoint 'lab': api is 'chat'"):
            parse_endpoints({"lab": {**lab, "api": "assistants"}})


def test_a_body_can_be_sent_as_json():
    assert json.loads(json.dumps(body_of(ask("hi"), "m")))
