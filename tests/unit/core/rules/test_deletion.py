"""Deleting chats and bringing them back destroys nothing; a purge removes for good."""

import pytest

from robota_nb.core.inside import ledger_of, runtime_of, view_of
from robota_nb.core.record.entries import entry_id
from robota_nb.core.record.snapshot import parse
from robota_nb.errors import ChatBusy, ChatLimitReached, ChatNotFound, TurnNotFound
from support.core import ask_in_cell, asked, everything, in_cell, new_manager, of_three_turns, raised, restarted


@pytest.fixture
def chat(session):
    return of_three_turns(session)


# -- deleting, and bringing back


def test_a_deleted_chat_is_gone_from_all_lists_and_comes_back_as_it_was(manager, session, chat):
    other = session.create_chat("B")
    session.switch_to("A")
    chat.delete()
    assert [c.name for c in session.chats] == ["B"]
    assert session.active_chat is other
    assert session.search("a") == []
    raised(ChatNotFound, session.chat, "A")
    again = restarted(manager).session("S", "u")
    assert [c.name for c in again.chats] == ["B"]
    assert again.bring_back("a") == chat.id
    assert asked(again.chat("A")) == "abc"
    assert again.active_chat.name == "B"


def test_a_chat_comes_back_by_its_id_or_name_the_newest_first_and_a_live_one_does_not(session):
    first = session.create_chat("A")
    assert session.bring_back("A") is None
    first.delete()
    second = session.create_chat("A")
    second.delete()
    assert session.bring_back("A") == second.id
    assert session.bring_back(first.id) == first.id
    assert session.bring_back("A") is None
    assert [c.name for c in session.chats] == ["A", "A (2)"]


def test_deleting_the_active_chat_activates_the_one_used_last_or_none(session):
    one, two, three = (session.create_chat(name) for name in ("one", "two", "three"))
    one.send("used last")
    session.delete_chat("three")
    assert session.active_chat is one
    two.delete()
    assert session.active_chat is one
    one.delete()
    assert session.active_chat is None
    assert session.bring_back("two")
    assert session.active_chat is two
    assert session.bring_back("three")
    assert session.active_chat is two
    assert three in session.chats


def flushed(manager):
    """What a second flush writes after a first one."""
    events = []
    manager.flush("u")
    manager.subscribe(events.append)
    manager.flush("u")
    return events


def test_what_comes_back_while_another_goes_is_written_at_once(manager, session):
    first, second = session.create_chat("first"), session.create_chat("second")
    session.create_chat("third")
    session.switch_to("first")
    first.delete()
    manager.flush("u")
    second.delete()
    session.bring_back("first")
    session.switch_to("first")
    assert flushed(manager) == []
    assert session.active_chat is first


def test_the_active_chat_stays_so_when_one_comes_back_that_another_kernel_had_chosen(manager, session):
    for name in ("kept", "gone"):
        session.create_chat(name)
    other = restarted(manager)
    session.delete_chat("gone")
    for text in "abc":  # so that what it says of the active chat comes later
        other.session("S", "u").chat("kept").send(text)
    other.session("S", "u").switch_to("kept")
    other.flush("u")
    other.session("S", "u").switch_to("gone")
    both = restarted(manager)
    both.adopt(parse(other.snapshot("u")), "u")
    session = both.session("S", "u")
    assert session.active_chat.name == "kept"
    session.bring_back("gone")
    assert session.active_chat.name == "kept"
    assert restarted(both).session("S", "u").active_chat.name == "kept"
    assert flushed(both) == []


def test_at_the_limit_no_chat_comes_back():
    manager = new_manager(max_chats=1)
    session = manager.create_session("u", "S")
    session.create_chat("A").delete()
    session.create_chat("B")
    before = manager.snapshot("u")
    assert "max_chats is 1" in raised(ChatLimitReached, session.bring_back, "A")
    raised(ChatLimitReached, session.active_chat.fork, "A")
    assert manager.snapshot("u") == before


def test_while_a_turn_runs_its_chat_is_neither_deleted_nor_purged(manager, chat, session):
    session.create_chat("B")
    live = chat.stream("d")
    next(live)
    text = "a turn is running in 'A': wait for it, or stop it with chat.cancel()"
    assert raised(ChatBusy, chat.delete) == text
    assert raised(ChatBusy, chat.purge, 1) == text
    assert raised(ChatBusy, manager.delete_session, "S", "u") == text
    live.result()
    chat.purge(1)
    chat.delete()
    manager.delete_session("S", "u")


# -- purge


def test_purge_removes_what_a_turn_says_and_leaves_its_place(manager, session):
    chat = session.create_chat("A")
    for text in ("first", "my secret", "third"):
        chat.send(text)
    chat.purge(2)
    assert "my secret" not in everything(manager)
    assert [turn.prompt.content for turn in chat.turns] == ["first", "", "third"]
    chat.send("fourth")
    assert [m["content"] for m in runtime_of(manager).providers.requests[-1].messages] == [
        "first", "re: first", "third", "re: third", "fourth",
    ]  # fmt: skip
    again = restarted(manager)
    assert [turn.prompt.content for turn in again.session("S", "u").chat("A").turns] == ["first", "", "third", "fourth"]
    assert session.search("secret") == []


def test_a_purge_beats_any_copy_that_comes_later(manager, session):
    chat = session.create_chat("A")
    chat.send("my secret")
    before = parse(manager.snapshot("u"))
    chat.purge(1)
    manager.adopt(before, "u")
    assert "my secret" not in everything(manager)
    late = restarted(manager)
    late.adopt(before, "u")
    assert "my secret" not in everything(late)
    old = new_manager()
    old.adopt(before, "u")
    old.adopt(parse(manager.snapshot("u")), "u")
    assert "my secret" not in everything(old)


def test_what_is_purged_is_purged_in_the_forks_that_began_with_it(manager, session, chat):
    fork = session.active_chat.fork("B")
    fork.send("d")
    fork.purge(2)
    assert asked(fork) == "acd"
    assert asked(chat) == "ac"


def test_a_purge_takes_every_answer_to_the_question_along(manager, session):
    chat = session.create_chat("A")
    turn = chat.send("my secret")
    other = {**view_of(session).record.entries[turn.id], "n": 90, "content": ["my secret, told otherwise"]}
    manager.adopt({session.id: {entry_id(other): other}}, "u")
    chat.purge(1)
    assert "my secret" not in everything(manager)


def test_a_purge_leaves_the_settings_of_its_chat(manager, session):
    chat = session.create_chat("A", model="one")
    chat.send("a")
    with in_cell(manager, "one"):
        chat.configure(model="two")
    ask_in_cell(manager, "my secret", "two")
    chat.purge(2)
    assert chat.config.model == "two"
    again = restarted(manager)
    ledger_of(again).page("u")
    assert again.session("S", "u").chat("A").config.model == "two"
    chat.edit(2, "again")
    assert runtime_of(manager).providers.requests[-1].model == "two"


def test_what_was_purged_cannot_be_asked_again_as_it_was(session, chat):
    chat.purge(3)
    requests = len(runtime_of(session).providers.requests)
    assert raised(TurnNotFound, chat.retry) == (
        "what was asked there was purged from 'A': ask something else, chat.edit(number, text) takes its place"
    )
    assert len(runtime_of(session).providers.requests) == requests
    assert chat.edit(3, "C").text == "re: C"
