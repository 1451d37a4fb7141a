"""Statistics and rows: counted from the record whenever they are asked for."""

import json

import pytest

from robota_nb import SessionManager
from robota_nb.core.ports import Finish, TextDelta, Usage
from robota_nb.core.record.snapshot import parse
from robota_nb.core.rules.stats import Tally
from robota_nb.display import report
from support.core import Only, ask_in_cell, new_manager, scripted


class Metered:
    """Answers with as many tokens as the prompt says; the model is the one that was asked."""

    def stream(self, request):
        tokens = request.messages[-1]["content"]
        yield TextDelta("answer")
        usage = Usage(input_tokens=int(tokens), output_tokens=1) if tokens.isdecimal() else None
        yield Finish(reason="stop", model=request.model and f"{request.model}-2026", usage=usage)


@pytest.fixture
def manager():
    return SessionManager(providers=Only(Metered()))


@pytest.fixture
def chat(manager):
    return manager.create_session("u", "S").create_chat("A", model="gpt")


def tally(turns=0, input_tokens=0, output_tokens=0, *, at_least=False):
    return Tally(turns=turns, input_tokens=input_tokens, output_tokens=output_tokens, at_least=at_least)


def restarted(manager):
    again = SessionManager(providers=Only(Metered()))
    again.adopt(parse(json.loads(json.dumps(manager.snapshot("u")))), "u")
    return again


def test_of_nothing_there_is_nothing_to_count(manager, chat):
    assert chat.stats.total == tally()
    assert (chat.stats.on_path, chat.stats.branches, chat.stats.models) == (0, 0, {})
    empty = manager.stats("nobody")
    assert (empty.sessions, empty.chats, empty.total) == (0, 0, tally())


def test_turns_and_tokens_are_counted_by_the_model_that_answered(chat):
    chat.send("10")
    chat.configure(model="other")
    chat.send("200")
    chat.send("3000")
    assert chat.stats.total == tally(3, 3210, 3)
    assert chat.stats.models == {"gpt-2026": tally(1, 10, 1), "other-2026": tally(2, 3200, 2)}


def test_a_turn_without_reported_tokens_makes_each_total_that_it_is_in_a_least_one(chat):
    chat.send("10")
    assert chat.stats.total == tally(1, 10, 1)
    chat.configure(model="other")
    chat.send("none")
    assert chat.stats.total == tally(2, 10, 1, at_least=True)
    assert chat.stats.models == {"gpt-2026": tally(1, 10, 1), "other-2026": tally(1, at_least=True)}
    assert "tokens at least 10 in" in repr(chat.stats)
    said = report.stats(chat.stats, {"test": {"input": 1e6}})
    assert "at least 10 tokens in" in said
    assert "gpt-2026: 1 turn, 10 tokens in" in said


def test_a_turn_of_which_one_count_is_known_is_counted_with_it():
    manager = scripted([Finish(reason="stop", usage=Usage(input_tokens=7, at_least=True))])
    chat = manager.create_session("u").create_chat()
    turn = chat.send("hi")
    assert (turn.usage.input_tokens, turn.usage.at_least) == (7, True)
    assert chat.stats.total == tally(1, 7, 0, at_least=True)


def test_a_turn_of_an_unnamed_model_counts_for_the_one_that_was_asked_else_as_unknown(manager):
    manager = scripted([Finish(reason="stop")], [Finish(reason="stop")])
    session = manager.create_session("u")
    session.create_chat("A", model="asked").send("hi")
    chat = session.create_chat("B")
    chat.configure(model="")
    chat.send("hi")
    assert session.stats.models == {"asked": tally(1, at_least=True), "unknown": tally(1, at_least=True)}


def test_branches_are_counted_apart_from_the_path_and_in_the_total(chat):
    for tokens in ("1", "2", "3"):
        chat.send(tokens)
    chat.edit(2, "20")
    assert (chat.stats.on_path, chat.stats.branches) == (2, 1)
    assert chat.stats.total == tally(4, 26, 4)
    chat.clear()
    assert (chat.stats.on_path, chat.stats.branches) == (0, 2)
    assert chat.stats.total == tally(4, 26, 4)


def test_live_turns_and_replayed_ones_are_counted_apart(manager, chat):
    def ask(manager, cell, tokens):
        return ask_in_cell(manager, tokens, cell, cell).replayed

    assert not ask(manager, "one", "10")
    assert not ask(manager, "two", "200")
    assert (chat.stats.asked, chat.stats.replayed) == (tally(2, 210, 2), tally())
    again = restarted(manager)
    stats = again.session("S", "u").stats
    assert (stats.asked, stats.replayed, stats.total) == (tally(), tally(), tally(2, 210, 2))
    assert ask(again, "one", "10")
    assert again.session("S", "u").chat("A").send("3000")
    stats = again.stats("u")
    assert (stats.asked, stats.replayed) == (tally(1, 3000, 1), tally(1, 10, 1))
    assert stats.total == tally(3, 3210, 3)


def test_an_interrupted_turn_is_counted_and_a_failed_one_without_text_is_not():
    manager = scripted(["half", KeyboardInterrupt()], KeyboardInterrupt())
    chat = manager.create_session("u").create_chat()
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            chat.send("hi")
    assert chat.stats.total == tally(1, at_least=True)


def test_a_session_and_a_manager_count_what_theirs_hold_and_nobody_elses(manager, chat):
    chat.send("1")
    chat.session.create_chat("B").send("20")
    manager.create_session("u", "T").create_chat().send("300")
    manager.create_session("v", "S").create_chat().send("4000")
    assert chat.stats.total.input_tokens == 1
    assert (chat.session.stats.sessions, chat.session.stats.chats, chat.session.stats.total) == (1, 2, tally(2, 21, 2))
    everything = manager.stats("u")
    assert (everything.sessions, everything.chats, everything.total) == (2, 3, tally(3, 321, 3))


def test_deleted_chats_and_purged_turns_are_not_counted(chat):
    chat.send("1")
    chat.send("20")
    chat.purge(1)
    assert chat.stats.total == tally(1, 20, 1)
    chat.delete()
    assert chat.session.stats.total == tally()


def test_a_turn_that_a_fork_shares_is_counted_once(chat):
    chat.send("1")
    fork = chat.fork("B")
    fork.send("20")
    assert chat.session.stats.total == tally(2, 21, 2)


def test_what_another_notebook_holds_was_neither_asked_nor_replayed_here(chat):
    chat.send("a")
    again = new_manager()
    again.adopt(parse(chat.session.manager.snapshot("u")), "u")
    assert again.stats("u").replayed.turns == again.stats("u").asked.turns == 0


def test_counting_writes_nothing(manager, chat):
    chat.send("1")
    before, events = manager.snapshot("u"), []
    manager.subscribe(events.append)
    assert repr(manager.stats("u"))
    assert (manager.snapshot("u"), events) == (before, [])
    assert "stats" not in json.dumps(before)


# -- rows


def test_turns_as_rows_for_a_table(chat):
    chat.send("10")
    chat.send("none")
    rows = chat.to_records()
    assert [(row["turn"], row["role"], row["content"], row["tokens"]) for row in rows] == [
        (1, "user", "10", 10),
        (1, "assistant", "answer", 1),
        (2, "user", "none", None),
        (2, "assistant", "answer", None),
    ]
    assert {(row["model"], row["finish_reason"], row["replayed"]) for row in rows} == {("gpt-2026", "stop", False)}
    assert [row["id"] for row in rows] == [message.id for message in chat.messages]


def test_rows_of_a_session_and_of_a_user_say_where_each_stands(chat):
    chat.send("1")
    chat.session.create_chat("B").send("2")
    places = [(row["session"], row["chat"], row["role"]) for row in chat.session.manager.to_records("u")]
    assert places == [("S", name, role) for name in "AB" for role in ("user", "assistant")]
    assert chat.session.to_records() == chat.session.manager.to_records("u")
    assert new_manager().to_records("u") == []
