"""Turns of another program, and settings that are used again after a purge, as they stand in a snapshot for ever.

Never edit the golden file: a new format gets a new one.
"""

import json

import pytest

from robota_nb.core.inside import ledger_of
from robota_nb.core.record import entries as make
from robota_nb.core.record import snapshot
from robota_nb.core.record.fold import SessionState
from robota_nb.core.record.kinds import added, purged_stub
from robota_nb.core.rules.provenance import is_foreign
from support.core import new_manager
from support.golden import in_the_first_release
from support.paths import TESTS

GOLDEN = json.loads(TESTS.joinpath("golden", "format-1.1-imported.json").read_text(encoding="utf-8"))
SID, MAIN = "s_" + "a" * 32, "c_" + "1" * 32
AT = "2026-12-01T09:00:00Z"

PURGED = make.config_entry(provider="openai", model="r1", system="Be brief.", params={})
CONFIG = {**PURGED, "again": 1}
CONFIG_ID = make.entry_id(CONFIG)
SESSION = make.session_entry(n=1, at=AT, name="Imported")
CHAT = make.chat_entry(n=2, at=AT, chat=MAIN, name="Main", config=CONFIG_ID)
ASKED = {
    **make.user_message(n=3, at="2023-11-14T22:13:20Z", chat=MAIN, parent=None, text="how many?"), "imported": "ChatGPT"
}  # fmt: skip
ANSWERED = make.assistant_message(
    n=4, at="2023-11-14T22:13:20Z", chat=MAIN, parent=make.entry_id(ASKED), text="42", config=CONFIG_ID,
    model="gpt-4o", finish_reason="stop", usage=None,
)  # fmt: skip
ID = make.entry_id(ANSWERED)
OWN = make.user_message(n=5, at=AT, chat=MAIN, parent=ID, text="and now?")
ANSWER = make.assistant_message(
    n=6, at=AT, chat=MAIN, parent=make.entry_id(OWN), text="43", config=CONFIG_ID, model="r1", finish_reason="stop",
    usage=None,
)  # fmt: skip
ENTRIES = [CONFIG, SESSION, CHAT, ASKED, ANSWERED, OWN, ANSWER]


@pytest.fixture
def state():
    state = SessionState(SID)
    state.apply(snapshot.parse(GOLDEN)[SID])
    return state


def test_the_constructors_make_every_entry_of_the_golden_file_under_its_id():
    made = {make.entry_id(entry): entry for entry in ENTRIES}
    assert GOLDEN["sessions"] == {SID: {make.entry_id(PURGED): purged_stub(PURGED), **made}}


def test_the_golden_file_is_read_and_kept_as_it_stands():
    manager = new_manager()
    manager.adopt(snapshot.parse(GOLDEN), "u")
    assert ledger_of(manager).records("u") == GOLDEN["sessions"]


def test_what_was_imported_is_foreign_to_everybody_and_what_follows_is_not(state):
    assert [is_foreign(frozenset(), state.nodes[eid]) for eid in (ID, make.entry_id(ANSWER))] == [True, False]
    assert state.nodes[ID].imported == "ChatGPT"


def test_settings_that_were_purged_and_used_again_are_as_others(state):
    assert state.node_config(state.nodes[ID]).settings() == {
        "provider": "openai", "model": "r1", "system": "Be brief."
    }  # fmt: skip


@pytest.mark.parametrize("wrong", [1, ["ChatGPT"], {"a": "b"}])
def test_a_mark_of_another_form_is_as_if_it_were_not_there(wrong):
    assert added({**ASKED, "imported": wrong}, "imported") is None


def test_a_stub_keeps_nothing_of_it(state):
    state.apply({make.entry_id(ASKED): purged_stub(ASKED)})
    assert "imported" not in state.entries[make.entry_id(ASKED)]


def test_the_first_release_reads_shows_and_keeps_all_of_it():
    texts, sent, kept, purged = in_the_first_release("format-1.1-imported.json", purge=1)
    assert texts == ["42", "43"]
    assert [message["content"] for message in sent[:2]] == ["Be brief.", "how many?"]
    assert kept.items() >= GOLDEN["sessions"][SID].items()
    assert "imported" not in purged[make.entry_id(ASKED)]
