"""State is a fold: the same whatever order and whatever portions the entries come in."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robota_nb.core.record import entries as make
from robota_nb.core.record.fold import SessionState
from robota_nb.core.record.kinds import purged_stub
from support.core import genuine, new_manager
from support.golden import GOLDEN, WORK
from support.tools import ANSWER, CALLS, CHAIN, CHAT, LAST, MORE_CALLS, QUESTION, RESULT, of, said

AT = "2026-11-22T09:00:00Z"
CHATS = ["c_" + digit * 32 for digit in "123"]
CONFIGS = [make.config_entry(provider="p", model=model, system="", params={}) for model in "mn"]


def observed(state):
    """What anybody can see of a session's state."""
    chats = state.live_chats()
    return {
        "n": state.n,
        "name": state.name,
        "chats": [chat.id for chat in chats],
        "names": [(chat.name, sorted(chat.names)) for chat in chats],
        "active": state.active_chat(),
        "heads": {cid: chat.head.value for cid, chat in state.chats.items()},
        "bases": {cid: chat.base for cid, chat in state.chats.items()},
        "configs": {cid: state.chat_config(cid).settings() for cid in state.chats},
        "paths": {cid: [node.id for node in state.path(chat.head.value).nodes] for cid, chat in state.chats.items()},
        "said": {cid: [state.said(node) for node in state.chat_path(cid).nodes] for cid in state.chats},
        "nodes": state.nodes,
        "children": {
            (cid, eid): sorted(node.id for node in state.children(cid, eid))
            for cid in state.chats
            for eid in [None, *state.entries]
        },
        "sets": {key: register.value for key, register in state.sets.items()},
    }


def folded(*portions):
    state = SessionState("s_" + "0" * 32)
    for portion in portions:
        state.apply(portion)
    return state


@st.composite
def histories(draw):
    """The entries of a session that several kernels may have written, with ties of n."""
    entries = {make.entry_id(config): config for config in CONFIGS}
    messages, configs = [None], list(entries)

    def add(entry):
        entries[make.entry_id(entry)] = entry
        return make.entry_id(entry)

    def clock():
        return {"n": draw(st.integers(1, 12)), "at": AT}

    def chat():
        return draw(st.sampled_from(CHATS))

    names = st.sampled_from(["a", "A", "b"])
    for what in draw(
        st.lists(st.sampled_from("session chat turn turn turn tool head active set name".split()), max_size=14)
    ):
        if what == "session":
            add(make.session_entry(**clock(), name=draw(names)))
        elif what == "chat":
            base = draw(st.sampled_from(messages))
            add(
                make.chat_entry(
                    **clock(), chat=chat(), name=draw(names), config=draw(st.sampled_from(configs)), from_=base
                )
            )
        elif what == "turn":
            cid, parent = chat(), draw(st.sampled_from(messages))
            cell = draw(st.none() | st.just(["id", 0, "hash"]))
            user = add(make.user_message(**clock(), chat=cid, parent=parent, text="q", cell=cell))
            answer = make.assistant_message(
                **clock(), chat=cid, parent=user, text="a", config=draw(st.sampled_from(configs)),
                model="", finish_reason="stop", usage=None,
            )  # fmt: skip
            messages.append(add(answer))
        elif what == "tool":
            entry = {"kind": "message", **clock(), "chat": chat(), "role": "tool", "content": ["r"]}
            parent = draw(st.sampled_from(messages))
            result = add({**entry, "parent": parent} if parent else entry)
            messages.append(result)
            if draw(st.booleans()):
                entry = {"kind": "message", **clock(), "chat": chat(), "role": "assistant", "content": ["b"]}
                messages.append(add({**entry, "parent": result}))
        elif what == "head":
            add(make.head_entry(**clock(), chat=chat(), message=draw(st.sampled_from(messages))))
        elif what == "active":
            add(make.active_entry(**clock(), chat=draw(st.none() | st.sampled_from(CHATS))))
        elif what == "name":
            add(make.set_entry(**clock(), chat=draw(st.none() | st.sampled_from(CHATS)), key="name", value=draw(names)))
        else:
            key, value = draw(st.sampled_from([("deleted", "true"), ("deleted", None), ("model", "x"), ("seed", None)]))
            add(make.set_entry(**clock(), chat=chat(), key=key, value=value))
    return entries


@st.composite
def portions(draw, entries):
    """The same entries in another order, in portions that may overlap."""
    ids = draw(st.permutations(sorted(entries)))
    cuts = sorted(draw(st.lists(st.integers(0, len(ids)), max_size=4)))
    spans = zip([0, *cuts], [*cuts, len(ids)], strict=True)
    again = draw(st.lists(st.sampled_from(ids), max_size=3))
    return [*({eid: entries[eid] for eid in ids[a:b]} for a, b in spans), {eid: entries[eid] for eid in again}]


@settings(max_examples=200)
@given(st.data())
def test_state_does_not_depend_on_order_or_portions(data):
    entries = data.draw(histories())
    assert observed(folded(*data.draw(portions(entries)))) == observed(folded(entries))


@settings(max_examples=200)
@given(st.data())
def test_looking_between_the_portions_changes_nothing(data):
    entries = data.draw(histories())
    state = folded()
    for portion in data.draw(portions(entries)):
        state.apply(portion)
        observed(state)
    assert observed(state) == observed(folded(entries))


@settings(max_examples=200)
@given(st.data())
def test_a_purge_leaves_the_state_that_it_would_have_had_from_the_start(data):
    entries = data.draw(histories())
    gone = {eid: purged_stub(entries[eid]) for eid in data.draw(st.sets(st.sampled_from(sorted(entries)), max_size=3))}
    state = folded(entries)
    observed(state)
    state.apply(gone)
    assert observed(state) == observed(folded({**entries, **gone}))
    assert observed(folded(gone, entries)) == observed(state)


@settings(max_examples=100)
@given(st.data())
def test_dropping_superseded_pointers_changes_nothing(data):
    entries = data.draw(histories())
    state = folded(*data.draw(portions(entries)))
    dropped = state.drop_superseded()
    assert {entries[eid]["kind"] for eid in dropped} <= {"head", "active"}
    kept = {eid: entry for eid, entry in entries.items() if eid not in dropped}
    assert {**observed(folded(kept)), "n": 0, "children": 0} == {**observed(folded(entries)), "n": 0, "children": 0}


@given(st.data())
def test_names_are_unique_in_any_order_and_the_first_of_twins_keeps_its_own(data):
    manager = new_manager()
    sid = "s_" + "0" * 32
    config = CONFIGS[0]
    chats = [
        make.chat_entry(n=n, at=AT, chat=cid, name=name, config=make.entry_id(config))
        for n, (cid, name) in enumerate(zip(CHATS, ["Plan", "plan", "PLAN"], strict=True), 1)
    ]
    entries = {make.entry_id(entry): entry for entry in [config, *chats]}
    for portion in data.draw(portions(entries)):
        manager.adopt({sid: portion}, "u")
    session = manager.session(sid, "u")
    assert [chat.name for chat in session.chats] == ["Plan", "plan (2)", "PLAN (3)"]
    assert [session.chat(chat.name).id for chat in session.chats] == CHATS
    assert session.chat("PLAN").id == CHATS[0]


@pytest.mark.parametrize("snapshot", [genuine(), GOLDEN], ids=["genuine", "golden"])
@settings(max_examples=30)
@given(data=st.data())
def test_whole_snapshots_fold_to_the_same_in_any_order(snapshot, data):
    for entries in snapshot["sessions"].values():
        assert observed(folded(*data.draw(portions(entries)))) == observed(folded(entries))


def test_the_path_ends_where_the_purged_answer_stood_and_not_on_another_branch():
    entries = dict(GOLDEN["sessions"][WORK])
    state = folded(entries)
    chat = CHATS[0]
    first, second = (state.path(state.chats[chat].head.value).nodes)[:2]
    last = make.user_message(n=90, at=AT, chat=chat, parent=second.id, text="secret")
    reply = make.assistant_message(
        n=91,
        at=AT,
        chat=chat,
        parent=make.entry_id(last),
        text="s",
        config="",
        model="",
        finish_reason="stop",
        usage=None,
    )
    state.apply({make.entry_id(entry): entry for entry in (last, reply)})
    state.apply({make.entry_id(entry): purged_stub(entry) for entry in (last, reply)})
    # The purged turn keeps its place, so that the numbers of the others do not change, and says nothing.
    path = state.path(state.chats[chat].head.value).nodes
    assert [node.id for node in path] == [first.id, second.id, make.entry_id(reply)]
    assert state.text(path[-1].user) == state.text(path[-1].id) == ""


def test_an_absent_or_purged_config_names_no_provider():
    assert folded().config("e_1").settings() == {}
    eid = make.entry_id(CONFIGS[0])
    assert folded({eid: purged_stub(CONFIGS[0])}).config(eid).settings() == {}


# -- answers that called tools


def turns(state):
    """What was asked and answered on the path."""
    path = state.path(state.chats[CHAT].head.value)
    return [(state.text(node.user), state.text(node.id)) for node in path.nodes]


@settings(max_examples=200)
@given(st.permutations(CHAIN))
def test_an_answer_that_called_tools_is_one_turn_in_whatever_order_its_messages_come(entries):
    state = folded(*map(of, entries))
    assert turns(state) == [("how warm?", "7 and 8"), ("thanks", "welcome")]
    assert state.nodes.keys() == of(ANSWER, LAST).keys()
    assert [node.id for node in state.of_cell("cell")] == [make.entry_id(ANSWER)]
    assert state.children(CHAT, None) == [state.nodes[make.entry_id(ANSWER)]]
    assert observed(state) == observed(folded(of(*entries)))


def test_what_called_a_tool_is_the_answer_until_one_follows():
    state = folded(of(QUESTION, CALLS, RESULT))
    assert turns(state) == [("how warm?", "let me look")]
    state.apply(of(MORE_CALLS))
    assert turns(state) == [("how warm?", "and there?")]


def test_a_path_that_was_looked_at_while_an_answer_was_on_its_way_is_put_together_anew():
    state, place = folded(of(QUESTION, CALLS, RESULT)), make.entry_id(RESULT)
    assert [node.id for node in state.path(place).nodes] == [make.entry_id(CALLS)]
    state.apply(of(MORE_CALLS))
    assert state.path(place).nodes == folded(of(QUESTION, CALLS, RESULT, MORE_CALLS)).path(place).nodes == []


def test_two_answers_after_the_same_result_are_two_turns_of_one_question():
    again = said(9, "assistant", RESULT, "7 again")
    state = folded(of(QUESTION, CALLS, RESULT, MORE_CALLS, again))
    assert {state.text(node.id) for node in state.nodes.values()} == {"and there?", "7 again"}
    assert turns(state) == [("how warm?", "7 again")]


def test_the_work_for_a_chain_of_calls_grows_with_its_length_and_no_faster(monkeypatch):
    looked, call = [], SessionState._call
    monkeypatch.setattr(SessionState, "_call", lambda state, eid: looked.append(eid) or call(state, eid))
    chain = [QUESTION]
    for n in range(2, 802, 2):
        chain.append(said(n, "assistant", chain[-1], "?"))
        chain.append(said(n + 1, "tool", chain[-1], "!"))
    for entries in (chain, chain[::-1]):
        looked.clear()
        assert len(folded(of(*entries)).nodes) == 1
        assert len(looked) < 5 * len(chain)
