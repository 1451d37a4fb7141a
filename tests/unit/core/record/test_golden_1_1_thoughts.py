"""What a model thought, recorded on request, for ever: no reader takes it for the answer, and none sends it.

Never edit the golden file: a new format gets a new one.
"""

import json

import pytest

from robota_nb.core.inside import ledger_of
from robota_nb.core.record import entries as make
from robota_nb.core.record import snapshot
from robota_nb.core.record.config import Config
from robota_nb.core.record.entries import MAX_MESSAGE_BYTES
from robota_nb.core.record.fold import SessionState
from robota_nb.core.record.kinds import added, purged_stub
from robota_nb.core.rules import request
from robota_nb.core.turn import Turn
from support.core import new_manager
from support.golden import in_the_first_release
from support.paths import TESTS

GOLDEN = json.loads(TESTS.joinpath("golden", "format-1.1-thoughts.json").read_text(encoding="utf-8"))
SID, MAIN = "s_" + "a" * 32, "c_" + "1" * 32
AT = "2026-11-30T09:00:00Z"
THOUGHTS = "Seven times six,\nor the \N{SPARKLES} question?\n"

CONFIG = make.config_entry(provider="openai", model="r1", system="", params={"thinking": '"keep"', "seed": "7"})
CONFIG_ID = make.entry_id(CONFIG)
SESSION = make.session_entry(n=1, at=AT, name="Thinking")
CHAT = make.chat_entry(n=2, at=AT, chat=MAIN, name="Main", config=CONFIG_ID)
ASKED = make.user_message(n=3, at=AT, chat=MAIN, parent=None, text="how many?", options={"thinking": '"keep"'})
ANSWERED = make.assistant_message(
    n=4, at=AT, chat=MAIN, parent=make.entry_id(ASKED), text="42", config=CONFIG_ID, model="r1", finish_reason="stop",
    usage=None, reasoning=THOUGHTS,
)  # fmt: skip
ID = make.entry_id(ANSWERED)
AGAIN = make.user_message(n=5, at=AT, chat=MAIN, parent=ID, text="and now?")
CUT = make.assistant_message(
    n=6, at=AT, chat=MAIN, parent=make.entry_id(AGAIN), text="", config=CONFIG_ID, model="r1", finish_reason="length",
    usage=None, reasoning="Let me see",
)  # fmt: skip
SET = make.set_entry(n=7, at=AT, chat=MAIN, key="thinking", value='"keep"')
UNSET = make.set_entry(n=8, at=AT, chat=MAIN, key="thinking", value=None)
ENTRIES = [CONFIG, SESSION, CHAT, ASKED, ANSWERED, AGAIN, CUT, SET, UNSET]


@pytest.fixture
def state():
    state = SessionState(SID)
    state.apply(snapshot.parse(GOLDEN)[SID])
    return state


def test_the_constructors_make_every_entry_of_the_golden_file_under_its_id():
    assert GOLDEN["sessions"] == {SID: {make.entry_id(entry): entry for entry in ENTRIES}}
    assert [SET["kind"], UNSET["kind"], CONFIG["params"]] == ["option", "option", {"seed": "7"}]


def test_the_golden_file_is_read_and_kept_as_it_stands():
    manager = new_manager()
    manager.adopt(snapshot.parse(GOLDEN), "u")
    assert ledger_of(manager).records("u") == GOLDEN["sessions"]


def test_thoughts_are_on_the_turn_and_in_no_request(state):
    turn = Turn.from_record(state, state.nodes[ID])
    assert (turn.reasoning, turn.text, str(turn)) == (THOUGHTS, "42", "42")
    assert "question" not in json.dumps(turn.to_records()) + repr(turn)
    sent = request.messages(state, request.History([*state.nodes.values()], 1), mark_unfinished=False).sent
    assert sent == [{"role": "user", "content": "how many?"}, {"role": "assistant", "content": "42"}]
    assert state.node_config(state.nodes[ID]).decoded_params() == {"seed": 7}


@pytest.mark.parametrize("wrong", ["text", ["a", 1], {"a": "b"}])
def test_thoughts_of_another_form_are_as_if_they_were_not_there(wrong):
    assert added({**ANSWERED, "reasoning": wrong}, "reasoning") is None


def test_a_stub_keeps_nothing_of_them(state):
    state.heard[ID] = THOUGHTS
    state.apply({ID: purged_stub(ANSWERED)})
    assert "reasoning" not in state.entries[ID]
    assert Turn.from_record(state, state.nodes[ID]).reasoning == ""


def test_an_answer_has_no_more_of_them_than_fit_into_a_message_with_its_text():
    entry = make.assistant_message(
        n=4, at=AT, chat=MAIN, parent=make.entry_id(ASKED), text="x" * 100, config="", model="", finish_reason="stop",
        usage=None, reasoning="é" * MAX_MESSAGE_BYTES,
    )  # fmt: skip
    assert len("".join(entry["reasoning"]).encode()) == MAX_MESSAGE_BYTES - 100


def test_an_object_that_servers_take_under_that_name_is_a_parameter_as_it_was_recorded():
    config = Config(provider="p", params={"thinking": '{"type": "enabled"}'})
    assert config.to_entry()["params"] == {"thinking": '{"type": "enabled"}'}
    assert "more" not in config.to_entry()
    assert config.decoded_params() == {"thinking": {"type": "enabled"}}
    assert not config.keeps_thoughts


def test_the_first_release_shows_and_sends_the_answer_alone_and_purges_the_thoughts_with_it():
    texts, sent, kept, purged = in_the_first_release("format-1.1-thoughts.json", purge=1)
    assert texts[0] == "42"
    assert THOUGHTS not in json.dumps(sent, ensure_ascii=False)
    assert kept.items() >= GOLDEN["sessions"][SID].items()
    assert "reasoning" not in purged[ID]
