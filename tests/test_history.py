"""The history of a chat: undo, redo, edit, retry, fork, branches, checkout, clear never destroy; purge does."""

import json

import pytest
from core_support import Echo, Only, new_manager, raised, scripted, texts

from robota_nb import SessionManager
from robota_nb.core.entries import entry_id
from robota_nb.core.ports import Image
from robota_nb.core.snapshot import parse
from robota_nb.errors import (
    ChatBusy,
    ChatLimitReached,
    ChatNotFound,
    InvalidName,
    ProviderError,
    TurnNotFound,
)


@pytest.fixture
def manager():
    return new_manager()


@pytest.fixture
def session(manager):
    return manager.create_session("u", "S")


@pytest.fixture
def chat(session):
    """A chat with three turns."""
    chat = session.create_chat("A")
    for text in "abc":
        chat.send(text)
    return chat


def asked(chat):
    """What stands on the chat's path, as it was asked."""
    return "".join(turn.prompt.content for turn in chat.turns)


def sent(manager):
    """The last request's prompts."""
    return "".join(m["content"] for m in manager.providers.requests[-1].messages if m["role"] == "user")


def beside(chat):
    """The chat's branches: after how many turns, and what was asked there."""
    return [(branch.after, "".join(turn.prompt.content for turn in branch.turns)) for branch in chat.branches]


def restarted(manager, **options):
    """A new kernel's manager with what the notebook holds, which went through its file."""
    again = new_manager(**options)
    again.adopt(parse(json.loads(json.dumps(manager.snapshot("u")))), "u")
    return again


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


def test_what_was_undone_is_redone_after_a_restart(manager, chat):
    chat.undo()
    chat.undo()
    again = restarted(manager).session("S", "u").chat("A")
    assert asked(again) == "a"
    again.redo()
    again.redo()
    assert asked(again) == "abc"


def test_undo_and_redo_in_a_fork_reach_back_before_it_began(session, chat):
    fork = session.fork("B")
    fork.undo()
    assert asked(fork) == "ab"
    assert fork.redo().prompt.content == "c"
    fork.clear()
    assert (asked(fork), beside(fork), beside(chat)) == ("", [(0, "abc")], [])
    assert fork.checkout(1).prompt.content == "c"
    assert asked(fork) == asked(chat) == "abc"


def test_history_of_one_chat_leaves_its_forks_alone(session, chat):
    fork = session.fork("B")
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
    manager.providers = Only(provider := Echo())
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
    assert (manager.providers.requests[-1].model, manager.providers.requests[-1].params) == ("two", {"temperature": 1})
    chat.edit(1, "A")
    assert (manager.providers.requests[-1].model, manager.providers.requests[-1].params) == ("one", {"temperature": 0})


def test_a_failed_edit_leaves_the_path_as_it_is(session):
    chat = scripted("one", ProviderError("no server: start it")).create_session("u").create_chat()
    chat.send("a")
    raised(ProviderError, chat.edit, 1, "b")
    assert (asked(chat), beside(chat)) == ("a", [])


def test_there_is_nothing_to_retry_in_an_empty_chat(session):
    assert raised(TurnNotFound, session.create_chat("A").retry) == (
        "nothing was asked in 'A' yet: write a %%robota cell"
    )


@pytest.mark.parametrize("number", [0, -1, 4, 999])
def test_a_turn_that_is_not_there_is_named_with_how_many_there_are(manager, chat, number):
    before = manager.snapshot("u")
    text = f"no turn {number} in 'A', which has 3 turns: %robota chat log shows them"
    assert raised(TurnNotFound, chat.edit, number, "x") == text
    assert raised(TurnNotFound, chat.purge, number) == text
    if number:
        assert raised(TurnNotFound, chat.fork, "B", number) == text
    assert manager.snapshot("u") == before
    assert len(manager.providers.requests) == 3


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
    manager.max_chats = 0
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
        f"no branch {str(ref)[:40]!r} in 'A', which has 1: %robota chat branches lists them"
    )
    assert manager.snapshot("u") == before


def test_checkout_of_a_branch_goes_as_far_as_it_was_shown_here(manager, chat):
    chat.clear()
    again = restarted(manager)
    there = again.session("S", "u").chat("A")
    again.replay.shown[there.branches[0].turns[1].id] = None
    assert there.checkout(1).prompt.content == "b"
    assert (asked(there), beside(there)) == ("ab", [(2, "c")])


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
    raised(ChatLimitReached, session.fork, "A")
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


def everything(manager):
    return json.dumps([manager.snapshot("u"), manager.records("u")], ensure_ascii=False)


def test_purge_removes_what_a_turn_says_and_leaves_its_place(manager, session):
    chat = session.create_chat("A")
    for text in ("first", "my secret", "third"):
        chat.send(text)
    chat.purge(2)
    assert "my secret" not in everything(manager)
    assert [turn.prompt.content for turn in chat.turns] == ["first", "", "third"]
    chat.send("fourth")
    assert [m["content"] for m in manager.providers.requests[-1].messages] == [
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
    fork = session.fork("B")
    fork.send("d")
    fork.purge(2)
    assert asked(fork) == "acd"
    assert asked(chat) == "ac"


def test_a_purge_takes_every_answer_to_the_question_along(manager, session):
    chat = session.create_chat("A")
    turn = chat.send("my secret")
    other = {**session.record.entries[turn.id], "n": 90, "content": ["my secret, told otherwise"]}
    manager.adopt({session.id: {entry_id(other): other}}, "u")
    chat.purge(1)
    assert "my secret" not in everything(manager)


def test_a_purge_leaves_the_settings_of_its_chat(manager, session):
    chat = session.create_chat("A", model="one")
    chat.send("a")
    session.configure(chat.id, {"model": "two"}, lasting=False)  # as a cell does: its turn is to hold it
    chat.send("my secret")
    chat.purge(2)
    assert chat.config.model == "two"
    assert restarted(manager).session("S", "u").chat("A").config.model == "two"
    chat.edit(2, "again")
    assert manager.providers.requests[-1].model == "two"


def test_what_was_purged_cannot_be_asked_again_as_it_was(session, chat):
    chat.purge(3)
    requests = len(session.manager.providers.requests)
    assert raised(TurnNotFound, chat.retry) == (
        "what was asked there was purged from 'A': ask something else, %robota chat edit takes its place"
    )
    assert len(session.manager.providers.requests) == requests
    assert chat.edit(3, "C").text == "re: C"


# -- pictures


PNG = Image(media_type="image/png", data=b"\x89PNG one")
OTHER = Image(media_type="image/png", data=b"\x89PNG two")


def pictures(manager):
    entries = [entry for session in manager.records("u").values() for entry in session.values()]
    return [entry for entry in entries if entry["kind"] == "image"]


def test_a_picture_is_stored_once_however_often_it_is_sent_and_stays_in_the_request(manager, session):
    chat = session.create_chat()
    chat.send("look", images=[PNG])
    chat.send("again", images=[PNG, OTHER])
    assert len(pictures(manager)) == 2
    first, _, second = manager.providers.requests[-1].messages
    url = "data:image/png;base64,iVBORyBvbmU="
    assert first["content"] == [{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": url}}]
    assert [part["type"] for part in second["content"]] == ["text", "image_url", "image_url"]
    assert chat.turns[1].prompt.images == (PNG, OTHER)
    assert restarted(manager).sessions("u")[0].chats[0].turns[1].prompt.images == (PNG, OTHER)


def test_retry_sends_the_pictures_again(manager, session):
    chat = session.create_chat()
    chat.send("look", images=[PNG])
    assert chat.retry().prompt.images == (PNG,)
    assert len(pictures(manager)) == 1


def test_a_purge_takes_pictures_along_that_no_other_turn_has(manager, session):
    chat = session.create_chat()
    chat.send("look", images=[PNG, OTHER])
    chat.send("again", images=[OTHER])
    chat.purge(1)
    (left,) = pictures(manager)
    assert "b25l" not in everything(manager)  # "one" of the first picture, in Base64
    assert chat.turns[1].prompt.images == (OTHER,)
    assert left["media_type"] == "image/png"
    chat.purge(2)
    assert pictures(manager) == []
    assert texts(chat) == ["", ""]


def test_a_replay_needs_the_same_pictures(manager, session):
    session.create_chat()

    def asks(manager, *images):
        cell = manager.replay.document.run("cell", "hash")
        answer = manager.ask("look", cell, user_id="u", images=images)
        return getattr(answer, "replayed", False) or answer.result().replayed

    assert not asks(manager, PNG)
    assert asks(restarted(manager), PNG)
    assert not asks(restarted(manager), OTHER)
    assert not asks(restarted(manager))


def test_a_picture_over_the_cap_is_refused_before_anything_is_asked(manager, session):
    from robota_nb.core.entries import MAX_IMAGE_BYTES
    from robota_nb.errors import SnapshotError

    chat = session.create_chat()
    large = Image(media_type="image/png", data=bytes(MAX_IMAGE_BYTES + 1))
    assert raised(SnapshotError, lambda: chat.send("look", images=[large])) == (
        "a picture of 2,000,001 bytes is over the cap of 2,000,000: make it smaller"
    )
    assert (manager.providers.requests, chat.turns, pictures(manager)) == ([], [], [])
    chat.send("look", images=[Image(media_type="image/png", data=bytes(MAX_IMAGE_BYTES))])
    parse(manager.snapshot("u"))


# -- what is sent


def test_preview_is_exactly_what_the_next_ask_sends(manager, session):
    chat = session.create_chat("A", system="be brief", temperature=0.5)
    chat.send("a")
    chat.send("look", images=[PNG])
    chat.configure(model="n", seed=7)
    shown = chat.preview("more \ud800", images=[OTHER])
    requests = len(manager.providers.requests)
    chat.send("more \ud800", images=[OTHER])
    assert len(manager.providers.requests) == requests + 1
    assert shown.request == manager.providers.requests[-1]
    assert shown.provider == "echo"
    assert shown.size == len(json.dumps(manager.providers.requests[-1].messages, ensure_ascii=False).encode())


def test_preview_is_shortened_as_the_request_is(manager):
    manager = new_manager(max_messages=2)
    chat = manager.create_session("u").create_chat(system="s")
    for text in "abc":
        chat.send(text)
    chat.undo()
    shown = chat.preview("d")
    chat.send("d")
    assert shown.request == manager.providers.requests[-1]
    assert [m["content"] for m in shown.request.messages] == ["s", "b", "re: b", "d"]


def test_preview_asks_nobody_and_changes_nothing(manager, session, chat):
    before, requests = manager.snapshot("u"), len(manager.providers.requests)
    assert str(chat.preview("d")).endswith("user: d")
    assert manager.snapshot("u") == before
    assert len(manager.providers.requests) == requests


# -- search


def test_search_finds_words_of_questions_and_answers_in_every_branch_whatever_their_case(session, chat):
    chat.edit(2, "Straße")
    other = session.create_chat("B")
    other.send("strasse 2")
    hits = session.search("STRASSE")
    assert [(hit.chat.name, hit.turn.prompt.content, hit.number) for hit in hits] == [
        ("A", "Straße", 2), ("B", "strasse 2", 1),
    ]  # fmt: skip
    assert [(hit.turn.prompt.content, hit.number) for hit in chat.search("re: C")] == [("c", None)]
    assert session.search("nowhere") == []


def test_search_finds_what_a_fork_began_with_once(session, chat):
    fork = chat.fork("B", at=2)
    assert [(hit.turn.prompt.content, hit.number) for hit in fork.search("re:")] == [("a", 1), ("b", 2)]
    assert [hit.chat.name for hit in session.search("re:")] == ["A"] * 3
    chat.delete()
    assert [(hit.chat.name, hit.turn.prompt.content) for hit in session.search("re:")] == [("B", "a"), ("B", "b")]


def test_search_never_looks_into_other_sessions_or_at_other_users(manager, session, chat):
    manager.create_session("u", "T").create_chat().send("a")
    manager.create_session("v", "T").create_chat().send("a")
    assert len(session.search("a")) == 1


# -- the log of settings


def test_changes_lists_when_which_setting_was_changed_from_what_to_what():
    clock = iter(f"2026-01-01T00:00:{second:02}Z" for second in range(60))
    manager = SessionManager(providers=Echo(), now=lambda: next(clock))
    chat = manager.create_session("u").create_chat("A", model="one", temperature=0.5)
    chat.send("a")
    assert chat.changes == []
    chat.configure(model="two", system="be brief")
    chat.configure(temperature="")
    chat.configure(model="two")
    found = [(change.key, change.old, change.new) for change in chat.changes]
    assert found == [("model", "one", "two"), ("system", "", "be brief"), ("temperature", "0.5", "")]
    times = [change.at for change in chat.changes]
    assert times == sorted(times)
    assert len(set(times)) == 3
    chat.send("b")
    assert len(chat.changes) == 3
    again = restarted(manager)
    assert again.sessions("u")[0].chats[0].changes == chat.changes


def test_changes_lists_what_came_with_a_turn(manager, session):
    chat = session.create_chat("A", model="one")
    session.configure(chat.id, {"model": "two"}, lasting=False)  # as a cell does
    assert chat.changes == []
    chat.send("a")
    assert [(change.key, change.old, change.new) for change in chat.changes] == [("model", "one", "two")]


def test_a_fork_begins_with_a_log_of_its_own(session):
    chat = session.create_chat("A", model="one")
    chat.configure(model="two")
    fork = chat.fork("B")
    fork.configure(model="three")
    assert [(change.old, change.new) for change in chat.changes] == [("one", "two")]
    assert [(change.old, change.new) for change in fork.changes] == [("two", "three")]
