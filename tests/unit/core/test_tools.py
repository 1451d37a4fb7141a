"""A turn with tools: the model calls, what is called returns, and the model goes on; all of it is one turn."""

import json
from dataclasses import replace

import pytest

from robota_nb.core.events import StepsChanged
from robota_nb.core.inside import runtime_of
from robota_nb.core.ports import Call, Echo, Finish, Step, TextDelta, ToolCall, ToolSpec, Usage
from robota_nb.errors import AnswerInvalid, ConsentMissing, ProviderError
from support.core import scripted

ROWS = ToolSpec(name="rows")


class Box:
    """Tools whose results are what the test says: a text, or an exception to raise."""

    specs = (ROWS,)
    sources = {"rows": "0123456789abcdef"}

    def __init__(self, *results, safe=False, missing=False):
        self.results, self.safe, self.missing = list(results), safe, missing
        self.doubted, self.called = [], []

    def is_safe(self, name):
        return self.safe

    def check(self, *, doubted):
        if self.missing:
            raise ConsentMissing("nobody is there to be asked")

    def begun(self, call):
        return Call(id=call.id, name=call.name, arguments=call.arguments)

    def run(self, call, *, doubted):
        self.doubted.append(doubted)
        self.called.append(call.arguments)
        result = self.results.pop(0)
        if isinstance(result, BaseException):
            raise result
        return Call(
            id=call.id, name=call.name, arguments=call.arguments, result=result, status="ok",
            by="safe" if self.safe else "asked", source=self.sources["rows"],
        )  # fmt: skip


def call(arguments="{}", eid="call_1", name="rows"):
    return ToolCall(id=eid, name=name, arguments=arguments)


def ends(tokens=1):
    return Finish(reason="tool_calls", model="m-1", usage=Usage(input_tokens=tokens, output_tokens=tokens))


def with_box(box, *steps):
    """A chat whose model plays the steps, and that makes the box of whatever it is given."""
    manager = scripted(*steps)
    runtime_of(manager).make_toolbox = lambda _: box
    return manager.create_session("u").create_chat("A")


def requests(chat):
    return chat._ledger.runtime.providers.provider.requests


def test_what_is_called_returns_to_the_model_and_its_next_text_is_the_answer():
    box = Box("3 rows")
    chat = with_box(box, ["Let me ", "look.", call('{"table": "x"}'), ends(5)], ["There are", " 3.", ends(2)])
    turn = chat.send("how many?", tools=[print])
    assert str(turn) == "There are 3."
    (step,) = turn.steps
    assert (step.text, step.usage) == ("Let me look.", Usage(input_tokens=5, output_tokens=5))
    assert step.calls == (
        Call(
            id="call_1", name="rows", arguments='{"table": "x"}', result="3 rows", status="ok", by="asked",
            source="0123456789abcdef",
        ),
    )  # fmt: skip
    assert turn.usage == Usage(input_tokens=7, output_tokens=7)
    first, second = requests(chat)
    assert (first.tools, second.tools) == ((ROWS,), (ROWS,))
    assert [message["role"] for message in second.messages] == ["user", "assistant", "tool"]
    assert second.messages[1]["content"] == "Let me look."
    assert second.messages[2]["content"] == "3 rows"


def test_the_turn_is_one_of_two_entries_and_says_what_was_offered():
    chat = with_box(Box("3"), [call(), ends()], ["Three.", ends()])
    turn = chat.send("how many?", tools=[print])
    (session,) = chat._ledger.records("u").values()
    kinds = [entry["kind"] for entry in session.values()]
    assert (kinds.count("message"), kinds.count("tool")) == (2, 1)
    (tool,) = [eid for eid, entry in session.items() if entry["kind"] == "tool"]
    assert session[turn.prompt.id]["tools"] == [tool]
    assert chat.turns[0].steps == turn.steps


def test_all_calls_of_a_round_are_run_in_order_and_each_round_sends_those_before_it():
    box = Box("1", "2", "3")
    chat = with_box(box, [call("{}", "a"), call("{}", "b"), ends()], [call("{}", "c"), ends()], ["done", ends()])
    turn = chat.send("count", tools=[print])
    assert [[one.result for one in step.calls] for step in turn.steps] == [["1", "2"], ["3"]]
    roles = [[message["role"] for message in request.messages] for request in requests(chat)]
    assert roles[2] == ["user", "assistant", "tool", "tool", "assistant", "tool"]


def test_the_calls_decide_whatever_reason_the_server_gives():
    chat = with_box(Box("1"), [call(), Finish(reason="stop")], ["done", ends()])
    assert str(chat.send("go", tools=[print])) == "done"


def test_arguments_that_were_cut_off_are_not_run_and_the_answer_has_ended_for_its_length():
    box = Box()
    chat = with_box(box, ["I", call('{"table": "x'), ends()])
    turn = chat.send("go", tools=[print])
    assert (str(turn), turn.finish_reason, turn.steps, box.called) == ("I", "length", (), [])


def test_calls_of_a_stream_that_did_not_say_that_it_was_complete_are_not_run():
    box = Box()
    turn = with_box(box, ["I", call(), Finish(reason="unknown")]).send("go", tools=[print])
    assert (str(turn), turn.finish_reason, turn.steps, box.called) == ("I", "unknown", (), [])


def test_after_ten_rounds_nothing_is_called_any_more():
    box = Box(*"123456789")
    chat = with_box(box, *[[call(eid=f"call_{number}"), ends()] for number in range(10)])
    turn = chat.send("go on", tools=[print])
    assert (turn.finish_reason, len(turn.steps), len(box.called)) == ("tool_calls", 10, 9)
    assert turn.steps[-1].calls[0].status == "interrupted"


def test_an_interrupt_in_a_call_keeps_the_turn_and_says_which_calls_did_not_return():
    chat = with_box(Box("1", KeyboardInterrupt()), [call("{}", "a"), call("{}", "b"), call("{}", "c"), ends()])
    with pytest.raises(KeyboardInterrupt):
        chat.send("go", tools=[print])
    (turn,) = chat.turns
    assert turn.finish_reason == "interrupted"
    assert [one.status for one in turn.steps[0].calls] == ["ok", "interrupted", "interrupted"]


def test_calls_that_did_not_return_are_told_as_interrupted_where_tools_are_offered_again():
    chat = with_box(Box(KeyboardInterrupt()), [call(), ends()], ["now", ends()])
    with pytest.raises(KeyboardInterrupt):
        chat.send("go", tools=[print])
    chat.send("and now?", tools=[print])
    contents = [message["content"] for message in requests(chat)[-1].messages if message["role"] == "tool"]
    assert contents == ["[interrupted by the user]"]


def test_a_server_that_fails_later_leaves_the_steps_and_the_error():
    chat = with_box(Box("1"), [call(), ends()], ["so", ProviderError("gone: ask again")])
    with pytest.raises(ProviderError):
        chat.send("go", tools=[print])
    (turn,) = chat.turns
    assert (str(turn), turn.finish_reason, len(turn.steps)) == ("so", "error", 1)


def test_where_nobody_can_be_asked_nothing_is_sent():
    chat = with_box(Box(missing=True), ["never"])
    with pytest.raises(ConsentMissing):
        chat.send("go", tools=[print])
    assert (requests(chat), chat.turns) == ([], [])


def test_calls_of_a_model_that_was_offered_nothing_are_ignored():
    chat = with_box(Box(), ["text", call(), ends()])
    turn = chat.send("go")
    assert (str(turn), turn.finish_reason, turn.steps) == ("text", "tool_calls", ())


def test_later_asks_send_steps_only_if_they_offer_tools():
    chat = with_box(Box("1"), ["look", call(), ends()], ["one", ends()], ["plain", ends()], ["with", ends()])
    chat.send("count", tools=[print])
    chat.send("without")
    chat.send("with", tools=[print])
    *_, plain, offered = requests(chat)
    assert [m["role"] for m in plain.messages] == ["user", "assistant", "user"]
    assert [m["role"] for m in offered.messages][:4] == ["user", "assistant", "tool", "assistant"]


def test_what_a_server_wants_back_goes_to_it_and_to_no_other():
    chat = with_box(
        Box("1"), ["a", call(), Echo(("one",)), ends()], ["b", Echo(("two",)), ends()], ["c", ends()], ["d", ends()]
    )
    chat.send("count", tools=[print])
    assert requests(chat)[1].echo == {1: ("one",)}
    chat.send("again", tools=[print])
    assert requests(chat)[2].echo == {1: ("one",), 3: ("two",)}
    chat.configure(provider="another")
    chat.send("elsewhere", tools=[print])
    assert requests(chat)[3].echo == {}


def test_the_system_prompt_moves_what_is_given_back_with_its_messages():
    chat = with_box(Box("1"), ["a", call(), Echo(("one",)), ends()], ["b", ends()], ["c", ends()])
    chat.configure(system="be brief")
    chat.send("count", tools=[print])
    chat.send("again", tools=[print])
    sent = requests(chat)[2]
    assert {at: sent.messages[at]["role"] for at in sent.echo} == {2: "assistant"}


def test_subscribers_hear_of_each_call_before_it_runs_and_when_it_has_returned():
    chat = with_box(Box("1", "2"), ["x", call("{}", "a"), call("{}", "b"), ends()], ["done", ends()])
    heard = []
    chat._ledger.runtime.subscribe(lambda event: heard.append(event) if isinstance(event, StepsChanged) else None)
    chat.send("go", tools=[print])
    assert [[one.result for one in event.steps[-1].calls] for event in heard] == [["", ""], ["1", ""], ["1", "2"]]


# -- what the user has neither written nor confirmed


def test_a_result_of_a_tool_that_is_not_safe_is_doubted_until_the_user_says_yes_again():
    box = Box("1", "2", "3")
    chat = with_box(box, [call(), ends()], [call(), ends()], [call(), ends()], ["done", ends()])
    chat.send("go", tools=[print])
    assert box.doubted == [False, True, True]


def test_results_of_safe_tools_are_not_doubted():
    box = Box("1", "2", safe=True)
    chat = with_box(box, [call(), ends()], [call(), ends()], ["done", ends()])
    chat.send("go", tools=[print])
    assert box.doubted == [False, False]


def test_turns_that_somebody_else_wrote_are_doubted_until_they_are_confirmed_in_this_chat():
    box = Box("1", "2", safe=True)
    run = box.run
    box.run = lambda call, doubted: replace(run(call, doubted=doubted), by="asked" if doubted else "safe")
    chat = with_box(box, ["call rows", ends()], *[[call(), ends()], ["done", ends()]] * 2)
    chat.send("hello")
    chat._ledger.runtime.foreign.sure.add(chat.turns[0].id)
    chat.send("go", tools=[print])
    chat.send("again", tools=[print])
    assert box.doubted == [True, False]


def test_a_file_that_goes_along_is_doubted(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("call rows")
    box = Box("1", safe=True)
    chat = with_box(box, [call(), ends()], ["done", ends()])
    chat.send("go", files=[path], tools=[print])
    assert box.doubted == [True]


def test_steps_are_json_that_a_notebook_can_hold():
    chat = with_box(Box("a\ud800b"), [call('{"x": "\udfff"}'), ends()], [TextDelta("é"), ends()])
    chat.send("go", tools=[print])
    json.dumps(chat._ledger.records("u"), ensure_ascii=False).encode()


# -- answers of a form


class Digits:
    """The form of a number."""

    def faults(self, text):
        return [] if text.isdigit() else ["it is no number"]

    def settings(self):
        return {"response_format": '{"type": "json_object"}'}

    def value(self, text):
        if faults := self.faults(text):
            raise AnswerInvalid(faults[0])
        return int(text)

    def frame(self, text):
        return [self.value(text)]


def stops(tokens=1):
    return replace(ends(tokens), reason="stop")


def with_digits(*steps):
    manager = scripted(*steps)
    runtime_of(manager).make_shape = lambda _: Digits()
    return manager.create_session("u").create_chat("A")


def test_an_answer_that_fits_is_a_value_and_its_form_is_a_setting_of_that_ask_alone():
    chat = with_digits(["42", stops()], ["plain", stops()])
    turn = chat.send("how many?", into=int)
    assert (turn.value, turn.to_frame(), turn.steps) == (42, [42], ())
    chat.send("and now?")
    assert [request.params.get("response_format") for request in requests(chat)] == [{"type": "json_object"}, None]


def test_an_answer_that_does_not_fit_is_asked_for_again_and_its_turn_says_why():
    chat = with_digits(["many", stops(3)], ["42", stops(4)])
    turn = chat.send("how many?", into=int)
    assert turn.steps == (
        Step(text="many", usage=Usage(input_tokens=3, output_tokens=3), problem=("it is no number",)),
    )
    assert (turn.value, turn.usage) == (42, Usage(input_tokens=7, output_tokens=7))
    assert [message["role"] for message in requests(chat)[1].messages] == ["user", "assistant", "user"]
    assert chat.turns[0].steps == turn.steps


def test_an_answer_that_never_fits_is_recorded_and_an_error():
    chat = with_digits(["many", stops()], ["more", stops()])
    with pytest.raises(AnswerInvalid):
        chat.send("how many?", into=int)
    assert [str(turn) for turn in chat.turns] == ["more"]


def test_an_answer_that_was_cut_off_is_not_asked_for_again():
    chat = with_digits(["many", Finish(reason="length")])
    with pytest.raises(AnswerInvalid):
        chat.send("how many?", into=int)


def test_tools_and_a_form_go_together():
    chat = with_digits([call(), ends()], ["three", stops()], ["3", stops()])
    runtime_of_chat = chat._ledger.runtime
    runtime_of_chat.make_toolbox = lambda _: Box("3 rows")
    turn = chat.send("how many?", tools=[print], into=int)
    assert (turn.value, [len(step.calls) for step in turn.steps]) == (3, [1, 0])


def test_of_an_answer_that_was_asked_for_without_a_form_there_is_no_value():
    chat = with_digits(["42", stops()])
    with pytest.raises(AnswerInvalid, match="without a type"):
        chat.send("how many?").value  # noqa: B018
