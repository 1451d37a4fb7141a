"""What one more step costs does not grow with the history: counted, not timed."""

import gc
import json
import tracemalloc
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robota_nb.core import ask_flow
from robota_nb.core.inside import ledger_of, view_of
from robota_nb.core.record import entries as make
from robota_nb.core.record import fold, names
from robota_nb.core.record.entries import source_hash
from robota_nb.core.record.entry_table import EntryTable
from robota_nb.core.record.snapshot import parse
from robota_nb.core.rules.effects import Answered
from robota_nb.core.rules.recorded import Recorded
from robota_nb.display import report
from support.core import ask_in_cell, genuine, in_cell, new_manager
from support.shell import Shell

LENGTHS = (5, 50)
SAME = ["go on"]
DIFFERENT = [f"question {number}" for number in range(max(LENGTHS))]


class Calls(Counter):
    """Counts the calls of functions, while they do what they did."""

    def __init__(self, monkeypatch):
        super().__init__()
        self.monkeypatch = monkeypatch

    def of(self, owner, name):
        original = getattr(owner, name)

        def counted(*args):
            self[name] += 1
            return original(*args)

        self.monkeypatch.setattr(owner, name, counted)


@pytest.fixture
def calls(monkeypatch):
    return Calls(monkeypatch)


def run(manager, text, number, ids):
    """Run the cell of that number, to its answer."""
    return ask_in_cell(manager, text, f"cell-{number}" if ids else None, source_hash(text))


def recorded(count, texts, *, ids):
    """A fresh kernel's manager, with what these cells had asked in another one; it knows the cells if they have ids."""
    before = new_manager()
    for number in range(count):
        run(before, texts[number % len(texts)], number, ids)
    manager = new_manager()
    manager.adopt(parse(json.loads(json.dumps(before.snapshot("u")))), "u")
    if ids:
        cells = [(f"cell-{number}", source_hash(texts[number % len(texts)]), None) for number in range(count)]
        ledger_of(manager).page("u").list_cells(cells)
    return manager


def test_what_is_sent_after_a_turn_does_not_grow_with_the_history(monkeypatch):
    shell, sizes = Shell(monkeypatch, path="open.ipynb"), []
    for _ in range(max(LENGTHS)):
        shell.ask("the same question")
        write = [message for message in shell.sent if message["op"] == "write"][-1]
        (change,) = write["sessions"].values()
        sizes.append((len(change["add"]), len(change["remove"]), len(json.dumps(write))))
    (first, *_, last) = sizes[1:]
    assert last[:2] == first[:2] == (2, 0)
    assert last[2] - first[2] < 10  # the digits of n and of the write's number


def test_what_is_recovered_is_looked_for_once(monkeypatch):
    lost = Shell(monkeypatch, path="open.ipynb")
    for _ in range(max(LENGTHS)):
        lost.ask("the same question")
    again = Shell(monkeypatch, store=lost.persistence.unsaved.store, path="another.ipynb")
    read, entries = [], again.persistence.entries
    monkeypatch.setattr(again.persistence, "entries", lambda: read.append(1) or entries())
    assert f"{max(LENGTHS)} turns" in report.recovered(again.recovery.recover("open.ipynb"))
    assert len(read) <= 3


def test_a_turn_is_folded_by_itself(monkeypatch):
    manager, folded = new_manager(), []
    take = fold.SessionState._take
    monkeypatch.setattr(fold.SessionState, "_take", lambda state, new: folded.append(len(new)) or take(state, new))
    chat = manager.create_session("u").create_chat()
    for _ in range(max(LENGTHS)):
        folded.clear()
        chat.send("the same question")
        assert sum(folded) <= 3


@pytest.mark.parametrize("ids", [True, False], ids=["with ids", "without"])
def test_a_replayed_cell_reads_its_own_turn_however_many_there_are(calls, ids):
    for name in ("text", "__getitem__", "copy"):
        calls.of(EntryTable, name)
    costs = []
    for count in LENGTHS:
        manager = recorded(count, DIFFERENT, ids=ids)
        run(manager, DIFFERENT[0], 0, ids)
        calls.clear()
        assert run(manager, DIFFERENT[1], 1, ids).replayed
        costs.append(dict(calls))
    assert costs[0] == costs[1]


@pytest.mark.parametrize("ids", [True, False], ids=["with ids", "without"])
def test_cells_that_say_the_same_each_get_their_own_answer_in_one_pass_down_the_page(calls, ids):
    calls.of(Answered, "apply")
    manager, answers, costs = recorded(max(LENGTHS), SAME, ids=ids), [], []
    for number in range(max(LENGTHS)):
        with in_cell(manager, f"cell-{number}" if ids else None, source_hash(SAME[0])):
            calls.clear()
            answers.append(ask_flow.ask(manager, SAME[0], user_id="u"))
            costs.append(calls["apply"])
    assert max(costs) <= 2
    assert all(answer.replayed for answer in answers)
    assert len({answer.id for answer in answers}) == len(answers)


@pytest.mark.parametrize("ids", [True, False], ids=["with ids", "without"])
def test_a_cell_that_is_new_to_the_kernel_leaves_what_is_known_of_those_above(calls, ids):
    calls.of(Answered, "apply")
    manager, costs = new_manager(), []
    for number in range(max(LENGTHS)):
        calls.clear()
        run(manager, DIFFERENT[number], number, ids)
        costs.append(calls["apply"])
    assert max(costs[-5:]) <= max(costs[:5])


def test_the_mark_of_a_cell_that_has_run_looks_at_no_cell_below_it(calls):
    manager = recorded(50, DIFFERENT, ids=True)
    page = ledger_of(manager).page("u")
    page.memory()  # of the page's end
    calls.of(Answered, "apply")
    for number in range(3):
        run(manager, DIFFERENT[number], number, ids=True)
        assert page.mark_of(page.page.cell(f"cell-{number}")).state == "replayed"
    assert calls["apply"] < 30


def test_a_cell_below_many_turns_sent_outside_cells_looks_at_each_of_them_a_few_times(calls):
    before = new_manager()
    chat = before.create_session("u").create_chat()
    for number in range(100):
        chat.send(f"question {number}")
    manager = new_manager()
    manager.adopt(parse(json.loads(json.dumps(before.snapshot("u")))), "u")
    calls.of(Recorded, "cell_of")
    run(manager, "first", 0, ids=False)
    assert calls["cell_of"] <= 4 * 100
    calls.clear()
    for number in range(1, 4):
        run(manager, f"then {number}", number, ids=False)
    assert calls["cell_of"] < 100


def test_an_ask_in_the_panel_costs_no_more_with_the_history(calls):
    calls.of(Answered, "apply")
    costs = []
    for count in LENGTHS:
        manager = recorded(count, DIFFERENT, ids=True)
        chat = manager.active_session("u").active_chat
        chat.send("one")
        calls.clear()
        chat.send("two")
        costs.append(calls["apply"])
    assert costs[0] == costs[1]


def test_a_fork_and_a_new_chat_look_at_no_other_chats_names(calls):
    calls.of(names, "fold_name")
    costs = []
    for count in LENGTHS:
        session = new_manager(max_chats=0).create_session("u")
        for number in range(count):
            session.create_chat(f"chat {number}").send("hello")
        calls.clear()
        session.active_chat.fork("a fork", at=1)
        session.create_chat()
        session.switch_to("chat 0")
        costs.append(dict(calls))
    assert costs[0] == costs[1]


def test_names_that_grew_are_those_that_would_be_put_together():
    session = new_manager().create_session("u")
    for name in ("A", "b", None):
        session.create_chat(name)
    session.delete_chat("b")
    session.create_chat("B")
    session.active_chat.fork("C")
    grown = view_of(session).names()
    view_of(session).overlay.version += 1
    anew = view_of(session).names()
    assert anew is not grown
    assert vars(anew) | {"version": 0} == vars(grown) | {"version": 0}
    assert grown.deleted("b") == [chat.id for chat in view_of(session).record.chats_by_age() if chat.name == "b"]


# -- memory


def test_the_lines_of_a_message_cost_no_memory_beside_their_text():
    def beside(lines):
        messages = []
        for number in range(200):
            text = "\n".join([f"a line of message {number}"] * lines)
            messages.append(make.user_message(n=number + 1, at="t", chat="c", parent=None, text=text))
        text = json.dumps({make.entry_id(entry): entry for entry in messages})
        said = sum(len(make.to_text(entry["content"])) for entry in messages)
        del messages
        gc.collect()
        tracemalloc.start()
        kept = EntryTable()
        kept.add(json.loads(text))
        gc.collect()
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return (size - said) / len(kept)

    assert beside(40) < 1.1 * beside(1)


def test_what_is_kept_is_what_was_given():
    for entries in parse(genuine()).values():
        kept = EntryTable()
        kept.add(entries)
        assert dict(kept) == kept.copy() == entries
        assert [make.entry_id(entry) for entry in kept.values()] == list(entries)


CONTENTS = st.lists(st.text("a\n", max_size=3) | st.fixed_dictionaries({"image": st.just("e_1")}), max_size=4)
EXTRA = st.dictionaries(st.sampled_from(["later", "cell", "parent", "usage", "at"]), st.sampled_from(["x", "y"]))


@given(CONTENTS, EXTRA)
def test_a_message_is_kept_whole_however_a_stranger_has_cut_it(content, extra):
    entry = {"kind": "message", "n": 1, "role": "user", **extra, "content": content}
    kept = EntryTable()
    kept.add({"e_2": entry})
    assert kept["e_2"] == entry
    assert make.canonical(kept["e_2"]) == make.canonical(entry)
    assert kept.text("e_2") == make.to_text(content)
    assert [one.id for one in kept.attached("e_2")] == [part["image"] for part in content if not isinstance(part, str)]
    assert (kept.kind("e_2").name, kept.role("e_2"), kept.parent("e_2")) == ("message", "user", extra.get("parent"))
