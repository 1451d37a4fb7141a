"""The history of a chat: undo, redo, edit, retry, fork, branches, checkout and clear only move where its path ends."""

import pytest

from robota_nb.core.inside import runtime_of
from robota_nb.errors import ChatLimitReached, InvalidName, ProviderError, TurnNotFound
from support.core import (
    Echo,
    Only,
    ask_in_cell,
    asked,
    beside,
    in_cell,
    new_manager,
    of_three_turns,
    raised,
    restarted,
    scripted,
    sent,
)


@pytest.fixture
def chat(session):
    return of_three_turns(session)


# -- undo and redo


def test_redo_puts_back_what_was_undone_turn_by_turn(chat):
    assert [chat.undo().prompt.content for _ in range(2)] == ["c", "b"]
    assert [chat.redo().prompt.content for _ in range(2)] == ["b", "c"]
    assert chat.redo() is None
    assert asked(chat) == "abc"


def test_redo_after_something_else_was_asked_has_nothing_to_put_back(chat):
    chat.undo()
    chat.send("d")
    assert chat.redo() is None
    assert asked(chat) == "abd"
    assert beside(chat) == [(2, "c")]


def test_redo_puts_back_what_was_undone_and_not_what_was_asked_there_last(chat):
    chat.edit(3, "C")
    chat.checkout(1)
    assert asked(chat) == "abc"
    chat.undo()
    assert chat.redo().prompt.content == "c"


def test_redo_puts_back_another_chats_turn_that_a_fork_has_brought(session, chat):
    session.create_chat("B").send("x")
    fork = chat.fork("B")
    fork.undo()
    assert asked(fork) == "ab"
    assert fork.redo().prompt.content == "c"
    assert asked(fork) == "abc"


def test_redo_puts_back_a_turn_that_had_followed_another_one_when_it_was_asked(manager, session):
    chat = session.create_chat("A")
    for text, name in (("a", "one"), ("b", "two"), ("A", "one")):  # then the first cell is edited
        ask_in_cell(manager, text, name, text)
    assert asked(chat) == "Ab"
    chat.undo()
    assert asked(chat) == "A"
    assert chat.redo().prompt.content == "b"
    assert asked(chat) == "Ab"


def test_what_was_undone_is_redone_after_a_restart(manager, chat):
    chat.undo()
    chat.undo()
    again = restarted(manager).session("S", "u").chat("A")
    assert asked(again) == "a"
    again.redo()
    again.redo()
    assert asked(again) == "abc"


def test_undo_and_redo_in_a_fork_reach_back_before_it_began(session, chat):
    fork = session.active_chat.fork("B")
    fork.undo()
    assert asked(fork) == "ab"
    assert fork.redo().prompt.content == "c"
    fork.clear()
    assert (asked(fork), beside(fork), beside(chat)) == ("", [(0, "abc")], [])
    assert fork.checkout(1).prompt.content == "c"
    assert asked(fork) == asked(chat) == "abc"


def test_history_of_one_chat_leaves_its_forks_alone(session, chat):
    fork = session.active_chat.fork("B")
    fork.send("d")
    chat.clear()
    chat.send("x")
    assert (asked(fork), asked(chat)) == ("abcd", "x")
    fork.undo()
    assert beside(chat) == [(0, "abc")]


# -- edit and retry


def test_edit_asks_another_question_in_the_place_of_a_turn_and_keeps_what_stood_there(manager, chat):
    assert chat.edit(2, "B").text == "re: B"
    assert (asked(chat), sent(manager), beside(chat)) == ("aB", "aB", [(1, "bc")])
    assert chat.turns[1].prompt.parent == chat.turns[0].id


def test_retry_asks_the_last_turn_again_and_keeps_its_answer(manager, session):
    runtime_of(manager).providers = Only(provider := Echo())
    chat = session.create_chat()
    chat.send("a")
    first = chat.send("b")
    second = chat.retry()
    assert (asked(chat), beside(chat)) == ("ab", [(1, "b")])
    assert second.prompt.parent == first.prompt.parent
    assert first.id != second.id
    assert [m["content"] for m in provider.requests[-1].messages] == ["a", "re: a", "b"]


def test_an_answer_that_broke_off_can_be_asked_again():
    chat = scripted(["half", ProviderError("cut: try again")], "whole").create_session("u").create_chat()
    raised(ProviderError, chat.send, "hi")
    assert chat.turns[0].finish_reason == "error"
    assert chat.retry().text == "whole"
    assert [turn.finish_reason for turn in chat.turns] == ["stop"]
    assert [branch.turns[0].text for branch in chat.branches] == ["half"]


@pytest.mark.parametrize("restart", [False, True], ids=["here", "after a restart"])
def test_edit_and_retry_ask_with_the_turns_settings_and_what_was_set_since(manager, session, restart):
    chat = session.create_chat("A", model="one", temperature=0)
    chat.send("a")
    chat.configure(model="two")
    chat.send("b")
    chat.configure(temperature=1)
    if restart:
        manager = restarted(manager)
        chat = manager.session("S", "u").chat("A")
    chat.retry()
    assert (
        runtime_of(manager).providers.requests[-1].model,
        runtime_of(manager).providers.requests[-1].params,
    ) == ("two", {"temperature": 1})
    chat.edit(1, "A")
    assert (
        runtime_of(manager).providers.requests[-1].model,
        runtime_of(manager).providers.requests[-1].params,
    ) == ("one", {"temperature": 0})


def test_a_failed_edit_leaves_the_path_as_it_is(session):
    chat = scripted("one", ProviderError("no server: start it")).create_session("u").create_chat()
    chat.send("a")
    raised(ProviderError, chat.edit, 1, "b")
    assert (asked(chat), beside(chat)) == ("a", [])


def test_there_is_nothing_to_retry_in_an_empty_chat(session):
    assert raised(TurnNotFound, session.create_chat("A").retry) == (
        "nothing was asked in 'A' yet: chat.send(text) asks"
    )


@pytest.mark.parametrize("number", [0, -1, 4, 999])
def test_a_turn_that_is_not_there_is_named_with_how_many_there_are(manager, chat, number):
    before = manager.snapshot("u")
    text = f"no turn {number} in 'A', which has 3 turns: chat.turns has them"
    assert raised(TurnNotFound, chat.edit, number, "x") == text
    assert raised(TurnNotFound, chat.purge, number) == text
    if number:
        assert raised(TurnNotFound, chat.fork, "B", number) == text
    assert manager.snapshot("u") == before
    assert len(runtime_of(manager).providers.requests) == 3


# -- forks


def test_a_fork_starts_after_the_turn_that_is_named_or_at_the_start(session, chat):
    assert asked(chat.fork("one", at=1)) == "a"
    assert asked(chat.fork("none", at=0)) == ""
    assert asked(chat.fork("all")) == "abc"
    assert session.active_chat.name == "all"
    assert asked(chat) == "abc"


def test_a_fork_to_a_name_that_stands_moves_that_chat_and_keeps_what_it_had(chat):
    fork = chat.fork("B", at=1)
    fork.send("x")
    assert chat.fork("b", at=2) is fork
    assert (asked(fork), beside(fork)) == ("ab", [(1, "x")])
    chat.fork("B", at=0)
    assert (asked(fork), beside(fork)) == ("", [(0, "ax")])


def test_a_fork_that_was_moved_to_the_start_is_read_again(manager, chat):
    chat.fork("B", at=1).send("x")
    chat.fork("B", at=0)
    manager.flush("u")
    assert asked(restarted(manager).session("S", "u").chat("B")) == ""
    chat.fork("B", at=2)
    assert asked(restarted(manager).session("S", "u").chat("B")) == "ab"


def test_a_fork_can_be_forked_from_turns_that_it_began_with(chat):
    fork = chat.fork("B")
    fork.send("d")
    assert asked(fork.fork("C", at=2)) == "ab"


def test_a_fork_remembers_where_it_began_also_in_another_kernel(manager, chat):
    chat.fork("B", at=2).send("x")
    again = restarted(manager).session("S", "u")
    assert [asked(c) for c in again.chats] == ["abc", "abx"]
    again.chat("A").undo()
    assert asked(again.chat("B")) == "abx"


def test_a_fork_that_cannot_be_leaves_nothing():
    manager = new_manager(max_chats=1)
    chat = manager.create_session("u").create_chat("A")
    before = manager.snapshot("u")
    raised(ChatLimitReached, chat.fork, "B")
    runtime_of(manager).limits.max_chats = 0
    raised(InvalidName, chat.fork, "")
    assert manager.snapshot("u") == before


# -- branches


def test_branches_are_numbered_as_they_began_and_checkout_goes_there(chat):
    chat.edit(3, "C")
    chat.edit(2, "B")
    assert beside(chat) == [(1, "bc"), (1, "bC")]
    assert [branch.number for branch in chat.branches] == [1, 2]
    assert chat.checkout(2).prompt.content == "C"
    assert (asked(chat), beside(chat)) == ("abC", [(2, "c"), (1, "B")])


def test_a_cell_that_checks_a_branch_out_does_so_again_though_it_has_grown_by_what_was_asked_below():
    manager = new_manager()

    def run(kernel):
        ask_in_cell(kernel, "a", "one")
        ask_in_cell(kernel, "b", "two")
        chat = kernel.active_session("u").active_chat
        with in_cell(kernel, "three"):
            chat.undo()
        ask_in_cell(kernel, "c", "four")
        with in_cell(kernel, "five"):
            chat.checkout(1)
        ask_in_cell(kernel, "d", "six")
        assert asked(chat) == "abd"

    run(manager)
    requests = runtime_of(manager).providers.requests
    assert len(requests) == 4
    run(manager)
    assert len(requests) == 4
    again = restarted(manager)
    run(again)
    assert runtime_of(again).providers.requests == []
    with in_cell(again, "five", "another source"):
        assert again.active_session("u").active_chat.checkout(1).prompt.content == "d"


def test_checkout_goes_to_a_turn_by_its_id_or_the_beginning_of_it(chat):
    first, last = chat.turns[0].id, chat.turns[2].id
    assert chat.checkout(first).prompt.content == "a"
    assert (asked(chat), beside(chat)) == ("a", [(1, "bc")])
    chat.checkout(last[:12])
    assert asked(chat) == "abc"


@pytest.mark.parametrize(
    "ref", [0, -1, 2, 999, "x", "", "e_", "e_000000", "²", "9" * 5000, "\x00\n"], ids=lambda ref: repr(ref)[:12]
)
def test_a_branch_that_is_not_there_is_named_with_how_many_there_are(manager, chat, ref):
    chat.edit(3, "C")
    before = manager.snapshot("u")
    assert raised(TurnNotFound, chat.checkout, ref) == (
        f"no branch {str(ref)[:40]!r} in 'A', which has 1: chat.branches lists them"
    )
    assert manager.snapshot("u") == before


def test_checkout_of_a_branch_goes_to_its_end_also_after_a_restart(manager, chat):
    chat.clear()
    there = restarted(manager).session("S", "u").chat("A")
    assert there.checkout(1).prompt.content == "c"
    assert (asked(there), beside(there)) == ("abc", [])


def test_checkout_can_go_on_to_the_end_of_what_followed_a_turn(chat):
    second = chat.turns[1]
    chat.edit(2, "B")
    chat.checkout(second.id, to_end=True)
    assert asked(chat) == "abc"
    chat.checkout(second.id)
    assert asked(chat) == "ab"


def test_an_edit_can_be_streamed_and_takes_the_pictures_of_the_turn_along(manager, chat):
    live = chat.stream("B", at=2)
    assert "".join(live) == "re: B"
    assert asked(chat) == "aB"
    assert raised(TurnNotFound, lambda: list(chat.stream("x", at=3)))


def test_a_branch_can_be_told_by_its_id(chat):
    chat.undo()
    (branch,) = chat.branches
    assert branch.id == branch.turns[-1].id
    assert chat.checkout(branch.id).id == branch.id


def test_clear_begins_anew_and_keeps_all_as_a_branch(manager, chat):
    assert chat.clear() == 3
    chat.send("d")
    assert (asked(chat), sent(manager), beside(chat)) == ("d", "d", [(0, "abc")])
    chat.checkout(1)
    assert asked(chat) == "abc"
    assert chat.config.model == "m"
