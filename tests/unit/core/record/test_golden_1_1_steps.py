"""Tools that were offered, and the steps of an answer, as they are recorded for ever.

Never edit the golden file: a new format gets a new one.
"""

import json
from dataclasses import replace

import pytest

from robota_nb.core.inside import ledger_of
from robota_nb.core.ports import Call, Step, ToolSpec, Usage
from robota_nb.core.record import entries as make
from robota_nb.core.record import snapshot
from robota_nb.core.record.fold import SessionState
from robota_nb.core.record.kinds import added, purged_stub
from robota_nb.core.record.relations import export_of, purge_of
from robota_nb.core.record.steps import MAX_ECHO_BYTES, echo_of, put_steps, spec_of, steps_of, tool_entry
from robota_nb.core.rules import request
from robota_nb.core.turn import Turn
from support.core import new_manager
from support.golden import in_the_first_release
from support.paths import TESTS

GOLDEN = json.loads(TESTS.joinpath("golden", "format-1.1-steps.json").read_text(encoding="utf-8"))
SID, MAIN = "s_" + "a" * 32, "c_" + "1" * 32
AT = "2026-12-01T09:00:00Z"
SPEC = ToolSpec(
    name="temperature",
    description="The air's,\nin °C.",
    parameters='{"properties":{"city":{"type":"string"}},"required":["city"],"type":"object"}',
)
STEPS = (
    Step(
        text="Let me\nlook.",
        usage=Usage(input_tokens=20, output_tokens=5),
        echo=('{"chat":{"reasoning_content":"cold?"}}',),
        calls=(
            Call(
                id="call_1", name="temperature", arguments='{"city":"Oslo"}', result="7 °C\n", status="ok", by="asked",
                source="0123456789abcdef",
            ),
            Call(id="call_2", name="humidity", arguments="{}", result="no tool is called that", status="unknown"),
        ),
    ),
    Step(text="{}", problem=("city: field required",)),
)  # fmt: skip

TOOL = tool_entry(SPEC)
CONFIG = make.config_entry(provider="lab", model="m", system="", params={})
CONFIG_ID = make.entry_id(CONFIG)
SESSION = make.session_entry(n=1, at=AT, name="Weather")
CHAT = make.chat_entry(n=2, at=AT, chat=MAIN, name="Main", config=CONFIG_ID)
ASKED = make.user_message(
    n=3, at=AT, chat=MAIN, parent=None, text="how cold is it?", tools=[make.entry_id(TOOL)]
)  # fmt: skip
ANSWERED = make.assistant_message(
    n=4, at=AT, chat=MAIN, parent=make.entry_id(ASKED), text="It is 7 °C.", config=CONFIG_ID, model="m",
    finish_reason="stop", usage=Usage(input_tokens=45, output_tokens=11),
)  # fmt: skip
put_steps(ANSWERED, STEPS, ['{"chat":{"reasoning_content":"so it is"}}'])
ID = make.entry_id(ANSWERED)
ENTRIES = [TOOL, CONFIG, SESSION, CHAT, ASKED, ANSWERED]


@pytest.fixture
def state():
    state = SessionState(SID)
    state.apply(snapshot.parse(GOLDEN)[SID])
    return state


def history(state):
    return request.History([*state.nodes.values()], 1)


def test_the_constructors_make_every_entry_of_the_golden_file_under_its_id():
    assert GOLDEN["sessions"] == {SID: {make.entry_id(entry): entry for entry in ENTRIES}}


def test_the_golden_file_is_read_and_kept_as_it_stands():
    manager = new_manager()
    manager.adopt(snapshot.parse(GOLDEN), "u")
    assert ledger_of(manager).records("u") == GOLDEN["sessions"]


def test_what_was_offered_and_the_steps_are_read_as_they_were_written(state):
    turn = Turn.from_record(state, state.nodes[ID])
    assert (turn.text, turn.steps) == ("It is 7 °C.", STEPS)
    assert echo_of(ANSWERED) == ('{"chat":{"reasoning_content":"so it is"}}',)
    assert [spec_of(state.entries[eid]) for eid in added(ASKED, "tools")] == [SPEC]


def test_without_tools_the_next_request_has_the_answer_alone(state):
    assert request.messages(state, history(state)).sent == [
        {"role": "user", "content": "how cold is it?"},
        {"role": "assistant", "content": "It is 7 °C."},
    ]


def test_with_tools_the_next_request_has_all_steps_and_gives_back_what_this_server_wants(state):
    sent, turns, echo = request.messages(state, history(state), steps_for="lab")
    called = [
        {"id": "call_1", "type": "function", "function": {"name": "temperature", "arguments": '{"city":"Oslo"}'}},
        {"id": "call_2", "type": "function", "function": {"name": "humidity", "arguments": "{}"}},
    ]
    again = (
        "That does not have the form that was asked for:\ncity: field required\n"
        "Answer again, with all of it in that form."
    )
    assert sent == [
        {"role": "user", "content": "how cold is it?"},
        {"role": "assistant", "content": "Let me\nlook.", "tool_calls": called},
        {"role": "tool", "tool_call_id": "call_1", "content": "7 °C\n"},
        {"role": "tool", "tool_call_id": "call_2", "content": "no tool is called that"},
        {"role": "assistant", "content": "{}"},
        {"role": "user", "content": again},
        {"role": "assistant", "content": "It is 7 °C."},
    ]
    assert (turns, sorted(echo)) == ([1], [1, 6])
    assert request.messages(state, history(state), steps_for="another").echo == {}


@pytest.mark.parametrize(
    "wrong",
    [
        "text", {}, [1], [{"calls": {}}], [{"calls": [{"id": "a"}]}], [{"content": "text"}], [{"usage": {"a": -1}}],
        [{"calls": [{"id": "a", "name": "b", "arguments": [], "result": [1], "status": "ok"}]}],
        [{"calls": [{"id": "a", "name": "b", "arguments": [], "result": [], "status": "ok"}] * 65}], [{}] * 101,
    ],
)  # fmt: skip
def test_steps_of_another_form_are_as_if_they_were_not_there(wrong):
    assert steps_of({**ANSWERED, "steps": wrong}) == ()


def test_a_status_that_a_later_version_may_have_is_an_error_and_nobody_has_allowed_the_call():
    item = {"id": "a", "name": "b", "arguments": [], "result": [], "status": "later", "by": "later"}
    (step,) = steps_of({**ANSWERED, "steps": [{"calls": [item]}]})
    assert (step.calls[0].status, step.calls[0].by) == ("error", "")


def test_a_message_holds_no_more_of_the_results_than_fits_and_no_part_of_what_is_to_be_given_back():
    entry = {**ANSWERED}
    long = Call(id="a", name="b", arguments="{}", result="é" * 600_000, status="ok")
    put_steps(entry, [Step(calls=(long, replace(long, id="c")), echo=("x" * (MAX_ECHO_BYTES + 1),))])
    (step,) = steps_of(entry)
    assert sum(len(call.result.encode()) for call in step.calls) < 1_000_000
    assert step.echo == ()


def test_to_purge_a_turn_takes_its_steps_and_what_was_offered_for_it_alone(state):
    stubs = purge_of(state.entries, make.entry_id(ASKED))
    assert set(stubs) == {make.entry_id(ASKED), ID, make.entry_id(TOOL)}
    state.apply({ID: purged_stub(ANSWERED)})
    assert Turn.from_record(state, state.nodes[ID]).steps == ()


def test_an_export_of_the_chat_has_what_was_offered():
    assert make.entry_id(TOOL) in export_of(GOLDEN["sessions"][SID], MAIN)


def test_the_first_release_shows_and_sends_the_answer_alone_and_purges_the_steps_with_it():
    texts, sent, kept, purged = in_the_first_release("format-1.1-steps.json", purge=1)
    assert texts == ["It is 7 °C."]
    assert [message["role"] for message in sent] == ["user", "assistant", "user"]
    assert kept.items() >= GOLDEN["sessions"][SID].items()
    assert "steps" not in purged[ID]
