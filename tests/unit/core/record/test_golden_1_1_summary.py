"""A summary in the place of turns, for ever: one entry beside them, which the first release keeps.

Never edit the golden file: a new format gets a new one.
"""

import json

import pytest

from robota_nb.core.inside import ledger_of
from robota_nb.core.record import entries as make
from robota_nb.core.record import snapshot
from robota_nb.core.record.fold import SessionState
from robota_nb.core.record.kinds import UNKNOWN, kind_of
from robota_nb.core.record.types import Usage
from robota_nb.core.rules.summaries import Summary, counting
from support.core import new_manager
from support.golden import in_the_first_release
from support.paths import TESTS

GOLDEN = json.loads(TESTS.joinpath("golden", "format-1.1-summary.json").read_text(encoding="utf-8"))
SID, MAIN = "s_" + "a" * 32, "c_" + "1" * 32
AT = "2026-12-01T09:00:00Z"
TEXT = "Cats: \N{CAT FACE}.\nDogs: none."

CONFIG = make.config_entry(provider="openai", model="m", system="", params={"seed": "7"})
CONFIG_ID = make.entry_id(CONFIG)
SESSION = make.session_entry(n=1, at=AT, name="Long")
CHAT = make.chat_entry(n=2, at=AT, chat=MAIN, name="Main", config=CONFIG_ID)


def turn(n, parent, text, **hand):
    asked = make.user_message(n=n, at=AT, chat=MAIN, parent=parent, text=text, hand=hand or None)
    answered = make.assistant_message(
        n=n + 1, at=AT, chat=MAIN, parent=make.entry_id(asked), text=f"re: {text}", config=CONFIG_ID, model="m-1",
        finish_reason="stop", usage=None,
    )  # fmt: skip
    return asked, answered


FIRST = turn(3, None, "cats?")
SECOND = turn(5, make.entry_id(FIRST[1]), "dogs?")
TURNS = [make.entry_id(FIRST[1]), make.entry_id(SECOND[1])]
SUMMARY = make.summary_entry(
    n=7, at=AT, chat=MAIN, turns=TURNS, text=TEXT, config=CONFIG_ID, asked="Keep names.", model="m-1",
    usage=Usage(input_tokens=40, output_tokens=8),
)  # fmt: skip
ID = make.entry_id(SUMMARY)
SET = make.set_entry(n=8, at=AT, chat=MAIN, key="summary", value=f'"{ID}"')
THIRD = turn(9, TURNS[1], "birds?", summary=("", f'"{ID}"'))
EFFECTS = make.effects_entry(
    n=11, at=AT, cell="cell-1", source="0123456789abcdef",
    ops=[{"do": "set", "chat": MAIN, "key": "summary", "value": f'"{ID}"'}],
)  # fmt: skip
ENTRIES = [CONFIG, SESSION, CHAT, *FIRST, *SECOND, SUMMARY, SET, *THIRD, EFFECTS]


@pytest.fixture
def state():
    state = SessionState(SID)
    state.apply(snapshot.parse(GOLDEN)[SID])
    return state


def test_the_constructors_make_every_entry_of_the_golden_file_under_its_id():
    assert GOLDEN["sessions"] == {SID: {make.entry_id(entry): entry for entry in ENTRIES}}
    assert SET["kind"] == "option"
    assert "hand" not in THIRD[0] or THIRD[0]["hand"] == {}


def test_the_golden_file_is_read_and_kept_as_it_stands():
    manager = new_manager()
    manager.adopt(snapshot.parse(GOLDEN), "u")
    assert ledger_of(manager).records("u") == GOLDEN["sessions"]


def test_the_chat_sends_it_and_no_parameter_of_that_name(state):
    config = state.chat_config(MAIN).with_settings({"summary": f'"{ID}"'})
    assert config.decoded_params() == {"seed": 7}
    assert counting(state, config, state.chat_path(MAIN)) == Summary(
        id=ID, turns=2, text=TEXT, model="m-1", usage=Usage(input_tokens=40, output_tokens=8)
    )


@pytest.mark.parametrize(
    "wrong", [{"turns": "all"}, {"turns": ["e_1"]}, {"content": TEXT}, {"config": 1}, {"usage": {"input_tokens": -1}}]
)
def test_a_summary_of_another_form_has_no_part_in_the_state(wrong):
    assert kind_of({**SUMMARY, **wrong}) is UNKNOWN


def test_the_first_release_sends_the_whole_history_and_keeps_the_summary():
    texts, sent, kept, _ = in_the_first_release("format-1.1-summary.json", purge=1)
    assert texts == ["re: cats?", "re: dogs?", "re: birds?"]
    assert [message["content"] for message in sent][::2] == ["cats?", "dogs?", "birds?", "next"]
    assert kept.items() >= GOLDEN["sessions"][SID].items()


def test_what_the_first_release_has_purged_is_sent_in_no_summary_and_purging_it_here_removes_that():
    *_, purged = in_the_first_release("format-1.1-summary.json", purge=1)
    assert purged[ID] == SUMMARY  # it knows no such entries
    manager = new_manager()
    manager.adopt({SID: purged}, "u")
    chat = manager.sessions("u")[0].chats[0]
    assert chat.summary is None
    chat.purge(1)
    assert ledger_of(manager).records("u")[SID][ID]["kind"] == "purged"
