"""Calls of tools over Chat Completions: whole and apart, in whatever form and in whatever pieces they come."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robota_nb.core.ports import Finish, SignOfLife, ToolCall, ToolSpec
from robota_nb.providers.openai.calls import CallReader
from robota_nb.providers.openai.chat import body_of
from robota_nb.providers.openai.reply import Reply
from robota_nb.providers.openai.sse import EventParser
from support.call_streams import FORMS, ONE, TWO, F, G, call, chunk, stream
from support.provider import ask, heard

ROWS = ToolSpec(name="rows", description="Rows of a table.", parameters='{"type":"object","properties":{}}')


def read(*pieces):
    """What is made of a stream that comes in these pieces: text, calls, and how it ended."""
    parser, reply = EventParser(), Reply()
    for piece in pieces:
        reply.take(parser.feed(piece))
        if reply.over:
            break
    else:
        reply.end(parser.close())
    assert reply.problem is None
    *calls, finish = reply.outcome()
    return reply.text(last=True), [(call.name, json.loads(call.arguments)) for call in calls], finish.reason


def whole(*deltas):
    """The calls in these deltas, as (id, name, arguments)."""
    reader = CallReader()
    for delta in deltas:
        reader.take(delta)
    return [(call.id, call.name, call.arguments) for call in reader.calls()]


def test_there_are_eighteen_forms():
    assert len(FORMS) == 18


@pytest.mark.parametrize("form", FORMS)
def test_the_calls_are_those_that_were_made_wherever_the_stream_is_cut(form):
    data = stream(FORMS[form])
    right = "", [F, G], "tool_calls"
    assert read(data) == right
    assert read(*(data[at : at + 1] for at in range(len(data)))) == right
    assert [at for at in range(len(data)) if read(data[:at], data[at:]) != right] == []


@given(st.sampled_from(list(FORMS)), st.data())
def test_the_calls_are_those_that_were_made_in_any_pieces(form, data):
    sent = stream(FORMS[form])
    places = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=8)))
    assert read(*(sent[a:b] for a, b in zip([0, *places], [*places, len(sent)], strict=True)))[1] == [F, G]


@given(
    st.lists(
        st.dictionaries(st.text('"\\\\{}a', max_size=4), st.text('"\\\\{}: é', max_size=8)), min_size=1, max_size=3
    ),
    st.integers(1, 9),
)
def test_where_a_call_ends_is_told_by_its_arguments_whatever_is_in_them(arguments, size):
    texts = [json.dumps(each) for each in arguments]
    pieces = [text[at : at + size] for text in texts for at in range(0, len(text), size)]
    found = whole(*({"tool_calls": [call(0, None, "f", piece)]} for piece in pieces))
    assert [said for _, _, said in found] == texts


@pytest.mark.parametrize("form", FORMS)
def test_ids_are_the_first_ones_that_were_said(form):
    said = [call_id for call_id, _, _ in whole(*({"tool_calls": each} for each in FORMS[form]))]
    assert said in (["a", "b"], ["", ""])
    assert (said == ["", ""]) == ("without ids" in form)


@pytest.mark.parametrize("form", FORMS)
def test_a_cut_stream_is_not_called_whole(form):
    data = stream(FORMS[form])
    end = data.index(b'"finish_reason": "tool_calls"')
    for at in range(0, end, 5):
        parser, reply = EventParser(), Reply()
        reply.take(parser.feed(data[:at]))
        reply.end(parser.close())
        assert reply.problem or reply.finish().reason == "unknown"


class TestOtherForms:
    def test_the_older_call_of_a_function(self):
        first, *rest = FORMS["in pieces, without ids and without an index"][:3]
        deltas = [{"function_call": each["function"]} for [each] in (first, *rest)]
        assert whole(*deltas)[0][:2] == ("", "f")
        assert whole({"function_call": {"name": "f", "arguments": ONE}}) == [("", "f", ONE)]
        assert whole({"function_call": {}}, {"function_call": None}) == []

    def test_each_call_of_a_message_in_one_piece_is_one(self):
        calls = [call(0, "same", "f", ONE), call(0, "same", "f", ONE), call(0, "same", "f", "")]
        body = {"choices": [{"message": {"content": None, "tool_calls": calls}, "finish_reason": "tool_calls"}]}
        reply = Reply()
        reply.take_whole(json.dumps(body).encode())
        *found, finish = reply.outcome()
        assert [each.arguments for each in found] == [ONE, ONE, "{}"]
        assert (reply.problem, finish.reason) == (None, "tool_calls")

    def test_a_message_that_says_all_of_it_once_more_adds_nothing(self):
        again = {"choices": [{"message": {"tool_calls": [call(0, "a", "f", ONE)]}, "finish_reason": "stop"}]}
        data = chunk({"tool_calls": [call(0, "a", "f", ONE)]}) + b"data: %b\n\n" % json.dumps(again).encode()
        assert read(data)[1] == [F]

    def test_a_single_call_need_not_be_in_a_list(self):
        assert whole({"tool_calls": call(0, "a", "f", ONE)}) == [("a", "f", ONE)]

    def test_a_name_in_pieces(self):
        deltas = [{"tool_calls": [call(0, "a", each, "")]} for each in ("get_", "rows")]
        assert whole(*deltas, {"tool_calls": [call(0, None, None, "{}")]}) == [("a", "get_rows", "{}")]

    def test_calls_of_one_tool_are_told_apart_by_their_arguments(self):
        again = [[call(0, None, "f", ONE)], [call(0, None, "f", ONE)]]
        assert len(whole(*({"tool_calls": each} for each in again))) == 2

    def test_all_arguments_said_once_more_at_the_end_are_said_once(self):
        deltas = [{"tool_calls": [call(0, "a", "f", each)]} for each in (ONE[:9], ONE[9:], ONE)]
        assert whole(*deltas) == [("a", "f", ONE)]

    def test_arguments_that_are_no_json_stay_as_they_are(self):
        assert whole({"tool_calls": [call(0, "a", "f", '{"city": "Os')]}) == [("a", "f", '{"city": "Os')]

    def test_halves_of_a_character_join(self):
        deltas = [{"tool_calls": [call(0, "a", "f", each)]} for each in ('{"x": "\ud83d', '\ude00\ud83d"}')]
        assert whole(*deltas) == [("a", "f", '{"x": "😀\ufffd"}')]

    @pytest.mark.parametrize("odd", [[7, None, "f"], [{}], [{"index": 0}], "f", 7, [{"function": "f"}], {}])
    def test_what_is_no_call_is_none(self, odd):
        assert whole({"tool_calls": odd}) == []


class TestEnds:
    def test_the_calls_decide_and_not_the_word_of_the_server(self):
        assert read(stream(FORMS["as OpenAI does"], "stop"))[2] == "tool_calls"
        assert read(stream(FORMS["as OpenAI does"], "length"))[2] == "length"
        assert read(chunk({"content": "x"}), chunk({}, "stop"), b"data: [DONE]\n\n")[2] == "stop"

    def test_calls_beside_text(self):
        text, calls, reason = read(chunk({"content": "Let me look."}) + stream(FORMS["whole, without ids"]))
        assert (text, calls, reason) == ("Let me look.", [F, G], "tool_calls")


class TestRequest:
    def test_tools_are_offered_in_the_form_of_the_api_and_nothing_else_is(self):
        request = ask(tools=[{"type": "other"}])
        body = body_of(type(request)(model="m", messages=request.messages, params=request.params, tools=[ROWS]), "m")
        function = {"name": "rows", "description": "Rows of a table.", "parameters": json.loads(ROWS.parameters)}
        assert body["tools"] == [{"type": "function", "function": function}]

    def test_calls_without_an_id_are_sent_with_one_and_their_results_too(self, server, lab):
        calls = [{"id": "", "type": "function", "function": {"name": name, "arguments": "{}"}} for name in "fg"]
        results = [{"role": "tool", "tool_call_id": "", "content": text} for text in "12"]
        request = ask()
        first = request.messages[0]
        messages = [first, {"role": "assistant", "content": "", "tool_calls": calls}, *results]
        heard(lab.stream(type(request)(model="", messages=messages, tools=[ROWS])))
        _, answer, *told = server.requests[0]["messages"]
        assert answer["content"] is None
        assert [each["id"] for each in answer["tool_calls"]] == ["call_1_0", "call_1_1"]
        assert [each["tool_call_id"] for each in told] == ["call_1_0", "call_1_1"]
        assert calls[0]["id"] == ""  # a request is only read


class TestProvider:
    def test_calls_come_before_the_end_and_text_before_the_calls(self, server, lab):
        server.calls(("f", F[1]), ("g", G[1]), text="Let me look.")
        events = heard(lab.stream(ask()))
        assert [type(event).__name__ for event in events][-3:] == ["ToolCall", "ToolCall", "Finish"]
        assert events[-3] == ToolCall(id="call_1_1", name="f", arguments=ONE)
        assert isinstance(events[-1], Finish)
        assert events[-1].reason == "tool_calls"

    def test_what_comes_of_a_call_is_a_sign_of_life(self, server, lab):
        server.raw(chunk({"tool_calls": [call(0, "a", "f", ONE[:5])]}) + stream(FORMS["as OpenAI does"]))
        server.calls(("f", {"text": "x" * 200}))
        list(lab.stream(ask()))
        assert any(isinstance(event, SignOfLife) for event in lab.stream(ask()))

    def test_a_server_that_does_not_stream_calls_as_well(self, server, lab):
        server.reply = lambda _: ["Hm. ", ToolCall(id="a", name="g", arguments=TWO)]
        server.whole()
        streamed, whole = [[*lab.stream(ask())][-2:] for _ in range(2)]
        assert streamed[0] == whole[0] == ToolCall(id="a", name="g", arguments=TWO)
        assert streamed[1].reason == whole[1].reason == "tool_calls"
