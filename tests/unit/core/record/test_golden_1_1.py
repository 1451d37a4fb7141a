"""Format 1.1, for ever: what it has added to format 1.0 is read, means what it meant, and is what constructors make.

A change that breaks these tests breaks notebooks. Never edit the golden file: a new format gets a new one.
"""

import json

import pytest

from robota_nb.core.inside import ledger_of
from robota_nb.core.record import entries as make
from robota_nb.core.record import snapshot
from robota_nb.core.record.fold import SessionState
from robota_nb.core.record.kinds import KINDS, UNKNOWN, added, kind_of
from robota_nb.core.record.relations import export_of, named
from robota_nb.core.rules.recorded import Recorded
from support.core import new_manager
from support.paths import TESTS

GOLDEN = json.loads(TESTS.joinpath("golden", "format-1.1.json").read_text(encoding="utf-8"))
MISSING = json.loads(TESTS.joinpath("golden", "format-1.1-missing.json").read_text(encoding="utf-8"))
SID, MAIN, OTHER = "s_" + "a" * 32, "c_" + "1" * 32, "c_" + "2" * 32
AT = "2026-11-30T09:00:00Z"
ONE, TWO, THREE = "0123456789abcdef", "123456789abcdef0", "23456789abcdef01"

CONFIG = make.config_entry(provider="offline", model="m", system="", params={})
CONFIG_ID = make.entry_id(CONFIG)


def ask(n, parent, text, chat=MAIN, **fields):
    return make.user_message(n=n, at=AT, chat=chat, parent=parent and make.entry_id(parent), text=text, **fields)


def answer(question, text):
    return make.assistant_message(
        n=question["n"] + 1, at=AT, chat=question["chat"], parent=make.entry_id(question), text=text,
        config=CONFIG_ID, model="m", finish_reason="stop", usage=None,
    )  # fmt: skip


SESSION = make.session_entry(n=1, at=AT, name="Pages")
CHAT = make.chat_entry(n=2, at=AT, chat=MAIN, name="Main", config=CONFIG_ID)
A_ASK = ask(3, None, "a", cell=["cell-1", 0, ONE])
A = answer(A_ASK, "1:a")
B_ASK = ask(5, A, "b", cell=["cell-2", 0, TWO])
B = answer(B_ASK, "2:ab")
EDITED_ASK = ask(7, None, "A", cell=["cell-1", 0, THREE], hand={"model": ["m", "w"]}, options={"temperature": "0.2"})
EDITED = answer(EDITED_ASK, "3:A")
BELOW_ASK = ask(9, B, "c", context=[make.entry_id(EDITED), make.entry_id(B)], cell=["cell-3", 0, ONE])
BELOW = answer(BELOW_ASK, "4:Abc")
PANEL_ASK = ask(11, BELOW, "w", after="cell-3")
PANEL = answer(PANEL_ASK, "5:Abcw")
CODE_ASK = ask(21, PANEL, "p", by_code=True)
CODE = answer(CODE_ASK, "6:Abcwp")
CHAT_2 = make.chat_entry(n=13, at=AT, chat=OTHER, name="Other", config=CONFIG_ID)
EFFECTS = make.effects_entry(
    n=14, at=AT, cell="cell-4", source=TWO, also=["cell-0"],
    ops=[
        {"do": "choose", "session": SID},
        {"do": "choose", "chat": MAIN},
        {"do": "set", "chat": MAIN, "key": "model", "value": "n"},
        {"ask": make.entry_id(B), "chat": MAIN, "said": MAIN, "hand": {"model": ["n", "w"]}},
        {"chat": MAIN, "named": 1, "options": {"temperature": "0.2"}},
        {"do": "fork", "chat": OTHER, "from": MAIN, "alone": 1},
        {"do": "back", "chat": OTHER, "to": 1},
        {"do": "undo", "chat": OTHER},
        {"do": "clear", "chat": OTHER},
    ],
)  # fmt: skip
NAMELESS = make.effects_entry(n=15, at=AT, cell=None, source=ONE, ops=[])
ACCEPT = make.accept_entry(n=16, at=AT, turn=make.entry_id(B), context=[make.entry_id(EDITED)], config=CONFIG_ID)
DROP = make.outside_entry(
    n=17, at=AT, chat=MAIN, op="drop", after="cell-3", context=[make.entry_id(EDITED), make.entry_id(B)],
    turns=[make.entry_id(B)],
)  # fmt: skip
CLEAR = make.outside_entry(n=18, at=AT, chat=OTHER, op="clear")
HEAD = make.head_entry(
    n=23, at=AT, chat=MAIN, message=make.entry_id(PANEL), context=[make.entry_id(EDITED), make.entry_id(BELOW)]
)
STATE = make.set_entry(n=24, at=AT, chat=None, key="state", value="archived", by=("cell-4", 0, TWO))
ACTIVE = make.active_entry(n=20, at=AT, chat=OTHER, by_hand=True)

ENTRIES = [
    CONFIG, SESSION, CHAT, A_ASK, A, B_ASK, B, EDITED_ASK, EDITED, BELOW_ASK, BELOW, PANEL_ASK, PANEL, CODE_ASK, CODE,
    CHAT_2,
    EFFECTS, NAMELESS, ACCEPT, DROP, CLEAR, HEAD, ACTIVE, STATE,
]  # fmt: skip


@pytest.fixture
def state():
    state = SessionState(SID)
    state.apply(snapshot.parse(GOLDEN)[SID])
    return state


def texts(state, path):
    return [state.text(node.id) for node in path.nodes]


def test_the_constructors_make_every_entry_of_the_golden_file_under_its_id():
    assert GOLDEN["sessions"] == {SID: {make.entry_id(entry): entry for entry in ENTRIES}}


def test_the_constructors_make_what_stands_for_a_turn_that_is_missing():
    before = [
        make.before_entry(turn=make.entry_id(B), says="0123456789abcdef" * 2),
        make.before_entry(turn=make.entry_id(BELOW), says="fedcba9876543210" * 2),
    ]
    entries = [CONFIG, SESSION, CHAT, B_ASK, B, BELOW_ASK, BELOW, *before]
    made = {make.entry_id(entry): entry for entry in entries} | {make.entry_id(A): make.missing_entry()}
    assert snapshot.parse(MISSING) == {SID: made}


def test_the_golden_files_hold_every_kind_and_every_field_that_format_1_1_has_added():
    used = {}
    files = [json.loads(path.read_text(encoding="utf-8")) for path in TESTS.glob("golden/format-1.1*.json")]
    for entry in [entry for file in files for entries in file["sessions"].values() for entry in entries.values()]:
        used.setdefault(entry["kind"], set()).update(entry)
    for name, kind in KINDS.items():
        assert set(kind.added) <= used.get(name, set())
        if kind.minor:
            assert used[name] == {"kind", *kind.required, *kind.optional}


def test_the_golden_file_is_read_and_kept_as_it_stands():
    manager = new_manager()
    manager.adopt(snapshot.parse(GOLDEN), "u")
    assert ledger_of(manager).records("u") == GOLDEN["sessions"]


def test_of_a_turn_before_which_some_are_missing_what_was_said_there_is_known():
    state = SessionState(SID)
    state.apply(snapshot.parse(MISSING)[SID])
    recorded = Recorded(state)
    assert recorded.said_before(make.entry_id(B)) == "0123456789abcdef" * 2
    assert recorded.said_before(make.entry_id(BELOW)) == "fedcba9876543210" * 2
    state.apply({make.entry_id(entry): entry for entry in (A_ASK, A, EDITED_ASK, EDITED)})
    recorded = Recorded(state)
    assert recorded.before(state.nodes[make.entry_id(B)]).turns == (make.entry_id(A),)
    assert recorded.before(state.nodes[make.entry_id(BELOW)]).turns == (make.entry_id(EDITED), make.entry_id(B))


def test_a_path_goes_through_what_was_sent_before_a_turn(state):
    assert texts(state, state.path(make.entry_id(BELOW))) == ["3:A", "2:ab", "4:Abc"]
    assert texts(state, state.path(make.entry_id(PANEL))) == ["3:A", "2:ab", "4:Abc", "5:Abcw"]


def test_a_head_says_what_stands_before_it(state):
    chat = state.chats[MAIN]
    assert texts(state, state.path(chat.head.value, chat.head_context)) == ["3:A", "4:Abc", "5:Abcw"]


def test_a_turn_knows_its_context_where_it_was_sent_and_what_was_clicked(state):
    below, panel, edited, code = (state.nodes[make.entry_id(turn)] for turn in (BELOW, PANEL, EDITED, CODE))
    assert (panel.by, code.by, code.after) == ("", "code", None)
    assert below.context == (make.entry_id(EDITED), make.entry_id(B))
    assert (below.after, panel.after, panel.context) == (None, "cell-3", None)
    assert edited.hand == {"model": ["m", "w"]}


def test_what_cells_did_is_known_by_its_entries(state):
    assert state.effects == {make.entry_id(entry): entry for entry in (EFFECTS, NAMELESS)}
    assert list(state.accepted.values()) == [ACCEPT]
    assert list(state.outside.values()) == [DROP, CLEAR]


def test_the_order_in_which_the_entries_come_does_not_matter(state):
    other = SessionState(SID)
    for eid, entry in reversed(snapshot.parse(GOLDEN)[SID].items()):
        other.apply({eid: entry})
    assert (other.effects, other.accepted, other.outside) == (state.effects, state.accepted, state.outside)
    assert other.chats[MAIN].head_context == state.chats[MAIN].head_context
    assert texts(other, other.path(make.entry_id(PANEL))) == texts(state, state.path(make.entry_id(PANEL)))


# -- what is not what it must be is as to a reader of format 1.0


@pytest.mark.parametrize("entry", [EFFECTS, ACCEPT, DROP], ids=lambda entry: entry["kind"])
@pytest.mark.parametrize("wrong", ["x", 7, [7], {"x": "y"}, [["x"]]], ids=str)
def test_an_entry_of_another_form_is_kept_and_has_no_part_in_the_state(entry, wrong):
    for field in {*entry} - {"kind", "n", "at"}:
        other = {**entry, field: wrong}
        if kind_of(other) is not UNKNOWN:
            continue  # it may be so
        manager, state = new_manager(), SessionState(SID)
        union = {**GOLDEN["sessions"][SID], make.entry_id(other): other}
        manager.adopt(snapshot.parse(snapshot.dump({SID: union})), "u")
        assert ledger_of(manager).records("u")[SID][make.entry_id(other)] == other
        state.apply(union)
        assert other not in [*state.effects.values(), *state.accepted.values(), *state.outside.values()]


@pytest.mark.parametrize("wrong", ["x", 7, ["x"], {"x": "y"}, {"x": ["y"]}], ids=str)
@pytest.mark.parametrize("field", ["context", "after", "by", "hand"])
def test_a_field_of_another_form_is_as_if_it_were_not_there(field, wrong):
    question = {**B_ASK, field: wrong}
    if added(question, field) is not None:
        return  # it may be so
    reply = {**B, "parent": make.entry_id(question)}
    state = SessionState(SID)
    state.apply({make.entry_id(entry): entry for entry in (SESSION, CONFIG, CHAT, A_ASK, A, question, reply)})
    node = state.nodes[make.entry_id(reply)]
    assert (node.context, node.after, node.by, node.hand) == (None, None, "", None)
    assert texts(state, state.path(node.id)) == ["1:a", "2:ab"]


def test_what_stands_in_a_stub_is_nothing():
    stub = {"kind": "purged", "n": 9, "chat": MAIN, "role": "user", "context": [make.entry_id(EDITED)], "after": "x"}
    union = {**GOLDEN["sessions"][SID], make.entry_id(BELOW_ASK): stub}
    state = SessionState(SID)
    state.apply(snapshot.parse(snapshot.dump({SID: union}))[SID])
    assert (state.nodes[make.entry_id(BELOW)].context, state.nodes[make.entry_id(BELOW)].after) == (None, None)


def test_a_context_that_is_not_here_makes_no_snapshot_unreadable():
    missing = {**BELOW_ASK, "context": ["e_" + "9" * 32]}
    reply = {**BELOW, "parent": make.entry_id(missing)}
    union = {make.entry_id(entry): entry for entry in [*ENTRIES[:7], missing, reply]}
    state = SessionState(SID)
    state.apply(snapshot.parse(snapshot.dump({SID: union}))[SID])
    assert texts(state, state.path(make.entry_id(reply))) == ["4:Abc"]


# -- what goes along


def test_an_export_takes_along_what_was_sent_before():
    exported = export_of(GOLDEN["sessions"][SID], MAIN)
    assert exported.keys() >= {make.entry_id(entry) for entry in (EDITED_ASK, EDITED, BELOW_ASK, BELOW, PANEL)}
    assert not {entry["kind"] for entry in exported.values()} & {"effects", "accept", "outside"}


def test_what_an_entry_names_is_known_where_it_need_not_be_there():
    assert make.entry_id(EDITED) in named(BELOW_ASK)
    assert named(ACCEPT) == {make.entry_id(B), make.entry_id(EDITED), CONFIG_ID}
