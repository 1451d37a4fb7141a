"""The page as the memory: sessions, costs, and what is read of records; its rules are in tests/replay/test_page.py."""

import pytest

from robota_nb.core.record import entries as make
from robota_nb.core.record.config import Config
from robota_nb.core.record.fold import SessionState
from robota_nb.core.rules.answers import Answer, Answers
from robota_nb.core.rules.asking import Ask, Asking
from robota_nb.core.rules.effects import Answered, Choose, Clear, Drop, Enter, Fork, Put, Set, from_op, to_op
from robota_nb.core.rules.marks import judge
from robota_nb.core.rules.memory import ChatMemory, Contexts, Memory
from robota_nb.core.rules.page import Page
from robota_nb.core.rules.recorded import Recorded
from robota_nb.errors import ReplayMiss

AT = "2026-11-30T09:00:00Z"
S1, S2 = "s_" + "1" * 32, "s_" + "2" * 32
A, B, C = ("c_" + letter * 32 for letter in "abc")
CONFIG = make.config_entry(provider="p", model="m", system="", params={})


def session(sid, name, *chats, n=1):
    """The state of a session with empty chats."""
    state = SessionState(sid)
    made = [make.session_entry(n=n, at=AT, name=name), CONFIG]
    made += [
        make.chat_entry(n=n + at, at=AT, chat=chat, name=chat[2], config=make.entry_id(CONFIG))
        for at, chat in enumerate(chats, 1)
    ]
    state.apply({make.entry_id(entry): entry for entry in made})
    return state


class Notebook:
    """Cells that a kernel runs; each ask is answered by a new turn."""

    def __init__(self, *states, mode="auto"):
        self.record, self.n = Recorded(*states), 100
        page = Page(self.record, self.record.steps(), self.next_n)
        self.asking = Asking(page=page, answers=self.record.answers(), record=self.record, mode=mode)
        self.sent = []

    def next_n(self):
        self.n += 1
        return self.n

    def list(self, *cells):
        self.asking.page.list_cells([(f"cell-{name}", source, None) for name, source in cells])

    def run(self, name, *does):
        """Run a cell that asks texts and does effects; return the chats that were asked."""
        cell = self.asking.page.cell(f"cell-{name}")
        self.asking.begin(cell)
        asked = []
        for does_ in does:
            if isinstance(does_, str):
                decision = self.asking.decide(Ask(prompt=does_.encode()))
                chat = decision.request.chat
                if decision.found is None:
                    self.sent.append(does_)
                    turn = self.answer(chat, decision.request.context.turns, does_, cell.id)
                else:
                    turn = decision.found.id
                self.asking.answered(decision, turn)
                asked.append(chat)
            else:
                self.asking.did(does_)
        self.asking.end()
        return asked

    def answer(self, chat, context, text, cell):
        n = self.next_n()
        state = next(state for state in self.record.states if chat in state.chats)
        question = make.user_message(
            n=n, at=AT, chat=chat, parent=None, text=text, context=context, cell=[cell, 0, "x"]
        )
        reply = make.assistant_message(
            n=n, at=AT, chat=chat, parent=make.entry_id(question), text=f"re: {text}", config=make.entry_id(CONFIG),
            model="m", finish_reason="stop", usage=None,
        )  # fmt: skip
        state.apply({make.entry_id(entry): entry for entry in (question, reply)})
        turn = make.entry_id(reply)
        said = self.record.contexts.of(context)
        config = Config.from_entry(CONFIG)
        self.asking.answers.add(Answer(turn, n, chat, said, text.encode(), config))
        return turn


# -- sessions


def test_an_ask_below_a_session_that_was_chosen_goes_to_its_first_chat():
    notebook = Notebook(session(S1, "One", A), session(S2, "Two", B, C, n=10))
    notebook.list(("1", "a"), ("2", "b"), ("3", "c"))
    assert notebook.run("1", "hello") == [A]
    assert notebook.run("2", Enter(session=S2), "hello") == [B]
    assert notebook.run("3", "again") == [B]


def test_a_chat_that_is_chosen_below_it_says_more():
    notebook = Notebook(session(S1, "One", A), session(S2, "Two", B, C, n=10))
    notebook.list(("1", "a"), ("2", "b"), ("3", "c"))
    assert notebook.run("1", Enter(session=S2), Choose(chat=C), "hello") == [C]
    assert notebook.run("2", Choose(chat=A), "hello") == [A]
    assert notebook.run("3", Enter(session=S2), "hello") == [B]


def test_an_ask_that_has_an_answer_moves_once_another_session_is_chosen_above():
    notebook = Notebook(session(S1, "One", A), session(S2, "Two", B, n=10))
    notebook.list(("1", "a"), ("2", "b"))
    assert notebook.run("2", "hello") == [A]
    notebook.run("1", Enter(session=S2))
    assert [judged.kind for judged in judge(notebook.asking, notebook.asking.page.cell("cell-2"))] == ["chat"]
    assert notebook.run("2", "hello") == [B]


def test_in_a_session_without_chats_one_is_to_be_begun():
    notebook = Notebook(session(S1, "One", A), session(S2, "Two", n=10))
    notebook.list(("1", "a"))
    asking = notebook.asking
    asking.begin(asking.page.cell("cell-1"))
    asking.did(Enter(session=S2))
    assert asking.decide(Ask(prompt=b"x")).request.chat == ""
    assert asking.running.memory.session == S2


# -- strict


def test_a_strict_miss_leaves_what_the_cell_did_before():
    notebook = Notebook(session(S1, "One", A))
    notebook.list(("1", "a"))
    notebook.run("1", "hello")
    step = notebook.asking.page.steps["cell-1"]
    notebook.asking.mode = "strict"
    cell = notebook.asking.page.cell("cell-1")
    notebook.asking.begin(cell)
    with pytest.raises(ReplayMiss):
        notebook.asking.decide(Ask(prompt=b"another"))
    assert not notebook.asking.end(failed=True)
    assert notebook.asking.page.steps["cell-1"] is step


# -- in mode stale


@pytest.fixture
def ran():
    """A notebook in mode stale, whose first cell has asked once, and whose second one has not run."""
    notebook = Notebook(session(S1, "One", A))
    notebook.list(("1", "a"), ("2", "b"))
    notebook.run("1", "hello")
    notebook.asking.mode = "stale"
    notebook.sent.clear()
    return notebook


def test_in_mode_stale_what_had_an_answer_is_asked_and_what_is_recorded_is_not(ran):
    ran.run("1", "hello")
    assert ran.sent == []
    ran.run("1", "edited")
    assert ran.sent == ["edited"]
    ran.run("1", "edited")
    assert ran.sent == ["edited"]


@pytest.mark.parametrize(("cell", "asks"), [("2", ["new"]), ("1", ["hello", "one more"])])
def test_in_mode_stale_what_had_no_answer_is_refused(ran, cell, asks):
    with pytest.raises(ReplayMiss, match="this cell had none, and only what is stale or edited is asked") as miss:
        ran.run(cell, *asks)
    assert miss.value.hint == "replay.new"
    assert ran.sent == []
    assert not ran.asking.end(failed=True)  # there is nothing to be recorded
    assert len(ran.asking.page.steps["cell-1"].turns) == 1


def test_in_mode_stale_an_ask_that_failed_before_is_refused_as_it_has_no_answer(ran):
    ran.asking.mode = "auto"
    cell = ran.asking.page.cell("cell-2")
    ran.asking.begin(cell)
    ran.asking.answered(ran.asking.decide(Ask(prompt=b"fails")), None)
    ran.asking.end(failed=True)
    ran.asking.mode = "stale"
    with pytest.raises(ReplayMiss):
        ran.run("2", "fails")


def test_what_was_asked_before_such_a_miss_is_found_later_and_stands_nowhere_until_then(ran):
    step = ran.asking.page.steps["cell-1"]
    with pytest.raises(ReplayMiss):
        ran.run("1", "edited", "one more")
    assert ran.asking.end(failed=True)  # to be recorded, as the cell's newest turn is not what stands
    assert ran.asking.page.steps["cell-1"].turns == step.turns
    ran.run("1", "edited")
    assert ran.sent == ["edited"]


# -- what it costs


@pytest.fixture
def folded(monkeypatch):
    """How many effects have been folded."""
    count, apply = [], Answered.apply

    def counted(self, *more):
        count.append(self)
        return apply(self, *more)

    monkeypatch.setattr(Answered, "apply", counted)
    return count


def test_a_cell_more_folds_one_cell_however_many_there_are(folded):
    notebook = Notebook(session(S1, "One", A))
    counts = []
    for size in range(1, 60):
        notebook.list(*((str(number), "x") for number in range(size)))
        folded.clear()
        notebook.run(str(size - 1), f"prompt {size}")
        counts.append(len(folded))
    assert max(counts[2:]) == min(counts[2:]) <= 2


def test_an_edit_folds_what_stands_between(folded):
    notebook = Notebook(session(S1, "One", A))
    notebook.list(*((str(number), "x") for number in range(40)))
    for number in range(40):
        notebook.run(str(number), f"prompt {number}")
    notebook.asking.page.end()
    folded.clear()
    notebook.run("30", "edited")
    assert len(folded) <= 2
    folded.clear()
    notebook.asking.page.end()
    assert len(folded) == 10


def test_a_memory_shares_what_is_the_same_of_many_chats():
    contexts, config = Contexts(lambda turn: turn.encode()), Config(provider="p")
    memory, kept = Memory(), []
    for number in range(1000):
        memory = memory.put(f"chat {number % 200}", ChatMemory(contexts.start, config, str(number)))
        kept.append(memory)
    assert len({id(memory._base) for memory in kept}) < 100
    assert max(memory._changes.depth if memory._changes else 0 for memory in kept) <= 16
    assert memory.get("chat 7").cell == "807"
    assert memory.chats() == {f"chat {number}" for number in range(200)}


# -- effects


def test_turns_that_stand_twice_are_dropped_twice_and_others_that_are_here_are_put_at_the_end():
    notebook = Notebook(session(S1, "One", A, B))
    record = notebook.record
    x, y, v, w = (notebook.answer(A, (), text, "cell") for text in "xyvw")
    memory = Memory()
    for turn in (x, y, x):
        said = record.contexts.after(memory.get(A).context if memory.get(A) else record.contexts.start, turn)
        memory = memory.put(A, ChatMemory(said, Config(provider="p")))
    memory = Drop(chat=A, turns=(x,)).apply(memory, record, None)
    assert memory.get(A).context.turns == (y,)
    memory = Put(chat=A, turns=(v, "e_gone", w)).apply(memory, record, None)
    assert memory.get(A).context.turns == (y, v, w)


@pytest.mark.parametrize(
    "effect",
    [
        Answered(chat=A),
        Answered(chat=A, turn="e_" + "0" * 32, named=True, said=B, options=(("seed", "1"), ("top_p", "0.5"))),
        Choose(chat=A, alone=True), Enter(session=S1), Set(chat=A, key="model", value=""), Fork(chat=A, source=B),
        Clear(chat=A),
    ],
    ids=lambda effect: type(effect).__name__,
)  # fmt: skip
def test_an_effect_is_read_as_it_was_written(effect):
    assert from_op(to_op(effect)) == effect


@pytest.mark.parametrize(
    "op",
    [
        {"do": "hide", "chat": A}, {"do": "set", "chat": A, "key": "model"}, {"do": "back", "chat": A, "to": "1"},
        {"do": ["x"], "chat": A}, {"ask": 7, "chat": A}, {"chat": A, "hand": {"model": ["x"]}},
        {"chat": A, "options": {"seed": 1}}, {"do": "undo", "session": S1}, {"do": "back", "chat": A, "to": True},
    ],
    ids=str,
)  # fmt: skip
def test_an_op_that_is_not_known_or_not_what_it_must_be_is_none(op):
    assert from_op(op) is None


# -- records


def test_the_answers_of_all_sessions_are_found_and_none_is_found_in_another_chat():
    notebook = Notebook(session(S1, "One", A), session(S2, "Two", B, n=10))
    notebook.list(("1", "a"), ("2", "b"))
    notebook.run("1", Choose(chat=A), "hello")
    notebook.run("2", Choose(chat=B), "hello")
    assert notebook.sent == ["hello", "hello"]
    again = Recorded(*notebook.record.states)
    assert sorted(again.answers()[node.id].chat for state in again.states for node in state.nodes.values()) == [A, B]
    assert {step.id for step in again.steps()} == {"cell-1", "cell-2"}


def test_an_answer_that_is_accepted_for_a_turn_that_is_not_here_is_nobody_s():
    answers, contexts = Answers(), Contexts(lambda turn: turn.encode())
    answers.accept("e_1", contexts.start, Config(provider="p"))
    assert list(answers.find(A, contexts.start, b"x", Config(provider="p"))) == []
