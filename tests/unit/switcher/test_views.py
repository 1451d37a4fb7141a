"""What the switcher's views are told: all of it, once, in order, and not much more than it takes."""

import json
import logging

import pytest

from robota_nb.core.events import TurnEnded
from robota_nb.core.inside import ledger_of, runtime_of, view_of
from robota_nb.core.record.kinds import purged_stub
from robota_nb.core.record.snapshot import parse
from robota_nb.core.users import default_user
from robota_nb.errors import ProviderError
from robota_nb.switcher import rows, view_state
from robota_nb.switcher.hub import MAX_VIEWS
from robota_nb.switcher.views import View
from support.core import ask_in_cell, genuine, new_manager
from support.hub import PATIENCE, Reader, agree, fed, filled, hub_of, known, rested, so, stopped


@pytest.fixture
def session(manager):
    return manager.create_session(name="S")


# -- hello


def test_a_new_view_is_told_the_status_the_lists_and_the_transcript(manager, session, hub):
    chat = filled(session.create_chat("A"), 3)
    session.create_chat("B")
    session.switch_to("A")
    reader = Reader(hub).fence()
    assert reader.ops() == ["status", "lists", "transcript", "arrived", "gauge", "picture"]
    assert reader.messages[0] == {"op": "status", "session": "S", "chat": "A", "level": "in kernel", "running": 0}
    assert known(reader) == so(manager)
    assert [reader.turns[at]["prompt"] for at in range(3)] == ["x 0", "x 1", "x 2"]
    row = reader.turns[2]
    assert (row["reply"], row["model"], row["reason"], row["tokens"]) == ("re: x 2", "m-1", "stop", [1, 2])
    assert (row["marks"], row["cell"], row["before"], row["after"], row["place"]) == (
        ["outside"],
        False,
        None,
        None,
        [1, 1],
    )
    assert reader.chats[chat.id]["words"] == "re: x 2"
    assert hub._host.readied == 1


def test_with_no_conversation_yet_a_view_is_told_so(hub):
    reader = Reader(hub).fence()
    assert (reader.session, reader.chat, reader.shown, reader.count) == (None, None, None, 0)
    assert reader.status == {"session": None, "chat": None, "level": "in kernel", "running": 0}


def test_many_chats_come_in_pieces_and_the_transcript_comes_with_the_first():
    manager = new_manager(max_chats=0)
    session = manager.create_session()
    chats = [session.create_chat(f"chat {at}") for at in range(2 * view_state.PIECE + 50)]
    hub = hub_of(manager)
    reader = Reader(hub).fence()
    assert reader.ops() == ["status", "lists", "transcript", "arrived", "gauge", "lists", "lists", "picture"]
    pieces = [message["chats"] for message in reader.of("lists")]
    assert [len(piece) for piece in pieces] == [view_state.PIECE, view_state.PIECE, 50]
    assert [row["id"] for piece in pieces for row in piece] == [chat.id for chat in reversed(chats)]
    agree(manager, reader)
    reader.forget()
    chats[7].rename("seventh")
    reader.fence()
    assert [row["name"] for message in reader.of("lists") for row in message["chats"]] == ["seventh"]
    hub.close()


def test_a_session_that_becomes_active_replaces_the_chats(manager, session, hub):
    session.create_chat("A")
    reader = Reader(hub).fence()
    other = manager.create_session(name="T")
    other.create_chat("B")
    agree(manager, reader)
    assert [row["name"] for row in reader.chats.values()] == ["B"]
    manager.activate(session)
    agree(manager, reader)
    assert [row["name"] for row in reader.chats.values()] == ["A"]


def test_a_view_that_says_hello_again_is_told_everything_again(manager, session, hub):
    filled(session.create_chat("A"), 2)
    reader, other = Reader(hub).fence(), Reader(hub).fence()
    before = reader.ops()
    reader.forget()
    other.forget()
    reader.say(op="hello", full=True)
    assert reader.fence().ops() == before
    assert other.fence().ops() == ["picture"]
    agree(manager, reader, other)


def test_a_widget_shown_twice_learns_that_an_answer_has_ended_though_one_of_the_two_just_came():
    manager, provider = fed()
    chat = manager.create_session().create_chat()
    hub = hub_of(manager)
    reader = Reader(hub)
    provider.feed("half")
    live = chat.stream("hi")
    next(live)
    reader.until(lambda: reader.arriving)
    provider.feed(None)
    with runtime_of(manager).lock:  # nothing can be told before both are so
        reader.say(op="hello", full=True)  # on the same comm
        assert [*live] == []
    agree(manager, reader)
    assert reader.arriving is None
    hub.close()


# -- what changes


def test_nothing_is_told_twice(manager, session, hub):
    session.create_chat("A")
    reader = Reader(hub).fence()
    reader.forget()
    hub.touch()
    session.switch_to("A")
    session.chat("A").configure(temperature=1)
    assert reader.fence().ops() == ["picture"]
    session.chat("A").send("hi")
    rested(manager)
    reader.fence()
    assert sum(len(message["turns"]) for message in reader.of("transcript")) == 1


def test_how_far_a_turn_got_is_told_when_the_host_says_that_it_may_have_changed(session, hub):
    reader = Reader(hub).fence()
    hub._host.reached = "saved"
    hub.touch()
    reader.until(lambda: reader.status["level"] == "saved")


def test_views_of_the_status_are_told_nothing_else(manager, session, hub):
    small, full = Reader(hub, full=False).fence(), Reader(hub).fence()
    session.create_chat("A").send("hi")
    rested(manager)
    full.fence()
    small.fence()
    assert set(small.ops()) == {"status", "picture"}
    assert small.status == full.status
    assert (small.status["chat"], small.status["running"]) == ("A", 0)


def test_with_views_of_the_status_alone_a_full_one_is_told_what_has_changed_meanwhile(manager, session, hub):
    full, small = Reader(hub).fence(), Reader(hub, full=False).fence()
    full.leave()
    session.create_chat("A").send("hi")
    rested(manager)
    small.fence()
    agree(manager, Reader(hub))


def test_a_chat_does_not_seem_to_be_running_for_ever_if_its_end_was_told_too_early(manager, session, hub):
    chat = session.create_chat("A")
    reader = Reader(hub).fence()

    def look(event):
        if isinstance(event, TurnEnded):
            reader.fence()  # the views are told before the chat is free
            assert reader.chats[chat.id]["running"]

    manager.subscribe(look)
    chat.send("hi")
    rested(manager)
    reader.until(lambda: not reader.chats[chat.id]["running"] and reader.status["running"] == 0)
    assert reader.count == 1


def test_a_purge_is_shown_in_a_fork_too(manager, session, hub):
    chat = filled(session.create_chat("A"), 2)
    chat.fork("B")
    reader = Reader(hub).fence()
    chat.purge(1)
    reader.fence().fetch()
    assert reader.turns[0]["marks"] == ["purged", "outside"]
    assert (reader.turns[0]["prompt"], reader.turns[0]["reply"]) == ("", "")
    agree(manager, reader)


def test_turns_of_which_only_the_marks_have_changed_are_named_and_not_sent(manager, session, hub):
    chat = filled(session.create_chat("A"), 3 * rows.PAGE_TURNS)
    reader = Reader(hub).fence().fetch()
    reader.forget()
    chat.purge(2)
    reader.fence()
    (message,) = reader.of("transcript")
    assert (message["from"], message["stale"], message["turns"]) == (3 * rows.PAGE_TURNS, [1], [])
    reader.fetch()
    assert [row["marks"] for row in reader.state()["turns"][:3]] == [["outside"], ["purged", "outside"], ["outside"]]
    agree(manager, reader)


def test_if_very_many_marks_have_changed_all_from_the_first_of_them_on_are_told_anew(manager, session, hub):
    chat = filled(session.create_chat("A"), view_state.STALE + 5)
    reader = Reader(hub).fence().fetch()
    with runtime_of(manager).lock:
        record = view_of(session).record
        nodes = view_of(session).path(chat.id).nodes[3:]
        gone = {eid: purged_stub(record.entries[eid]) for node in nodes for eid in (node.user, node.id)}
        reader.forget()
        ledger_of(manager).commit(view_of(session), gone)
    reader.fence()
    (message,) = reader.of("transcript")
    assert (message["from"], message["stale"]) == (3, [])
    agree(manager, reader)


def test_what_a_stranger_wrote_is_marked_and_what_was_made_here_is_not(manager, hub):
    reader = Reader(hub)
    taken = parse(json.loads(json.dumps(genuine())))
    with runtime_of(manager).lock:
        new = manager.adopt(taken)
        for sid, entries in new.items():
            runtime_of(manager).foreign.add(sid, entries)
    manager.activate(manager.session("First"))
    manager.active_session().switch_to("B")
    manager.active_session().active_chat.send("mine")
    agree(manager, reader)
    theirs = [["foreign", "outside"]] * (reader.count - 1)
    assert [row["marks"] for row in reader.state()["turns"]] == [*theirs, ["outside"]]
    assert reader.count > 1


def test_turns_that_were_replayed_are_marked(manager, hub):
    ask_in_cell(manager, "one", user=default_user())
    again = new_manager()
    again.adopt(ledger_of(manager).records(default_user()))
    assert ask_in_cell(again, "one", user=default_user()).replayed
    reader = Reader(hub_of(again)).fence()
    assert [(row["marks"], row["cell"]) for row in reader.turns.values()] == [(["replayed"], True)]
    reader.hub.close()


def test_a_turn_that_is_replayed_while_a_view_is_open_is_marked_there(manager):
    ask_in_cell(manager, "one", user=default_user())
    again = new_manager()
    again.adopt(ledger_of(manager).records(default_user()))
    hub = hub_of(again)
    reader = Reader(hub).fence()
    assert reader.turns[0]["marks"] == []
    assert ask_in_cell(again, "one", user=default_user()).replayed
    try:
        agree(again, reader)
        assert reader.turns[0]["marks"] == ["replayed"]
    finally:
        hub.close()


def test_each_branch_says_its_place_and_its_neighbours(manager, session, hub):
    chat = filled(session.create_chat("A"), 2)
    first = chat.turns[1].id
    reader = Reader(hub).fence()
    chat.edit(2, "y")
    second = chat.turns[1].id
    chat.edit(2, "z")
    third = chat.turns[1].id
    seen = {}
    for turn in (first, second, third):
        reader.do("branch", chat=chat.id, turn=turn)
        row = reader.fetch().turns[1]
        seen[row["id"]] = (row["before"], row["after"], row["place"])
    assert seen == {
        first: (None, second, [1, 3]),
        second: (first, third, [2, 3]),
        third: (second, None, [3, 3]),
    }
    agree(manager, reader)


def test_a_chat_is_only_told_to_have_changed_if_a_view_can_see_that(manager, session, hub):
    chat, other = session.create_chat("A"), session.create_chat("B")
    reader = Reader(hub).fence()
    reader.forget()
    chat.send("hi")
    rested(manager)
    reader.fence()
    assert reader.of("transcript") == []
    assert {row["id"] for message in reader.of("lists") for row in message["chats"]} == {chat.id}
    assert reader.chat == other.id


# -- views that come, go and fail


def test_a_view_that_cannot_be_told_does_not_keep_the_others_from_hearing(manager, session, hub):
    broken = View(send=lambda _: 1 / 0)
    hub.receive(broken, {"op": "hello"})
    reader = Reader(hub)
    session.create_chat("A").send("hi")
    agree(manager, reader)
    assert broken in hub._views


def test_of_too_many_views_the_one_heard_longest_ago_is_closed(session, hub):
    readers = [Reader(hub).fence() for _ in range(MAX_VIEWS)]
    readers[0].fence()  # is heard again
    late = Reader(hub)
    readers[1].until(lambda: readers[1].closed)
    assert [reader.closed for reader in readers] == [False, True, *[False] * (MAX_VIEWS - 2)]
    session.create_chat("A")
    for reader in (readers[0], late):
        assert reader.fence().status["chat"] == "A"
    assert readers[1].status["chat"] is None


def test_when_the_last_view_leaves_nobody_listens_and_the_thread_ends(manager, session, hub):
    one, two = Reader(hub).fence(), Reader(hub).fence()
    thread = hub._thread
    one.leave()
    two.fence()
    assert thread.is_alive()
    two.leave()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert runtime_of(manager)._subscribers == []
    session.create_chat("A")
    agree(manager, Reader(hub))  # and all is as before


def test_closing_lets_all_views_go(session, hub):
    readers = [Reader(hub).fence() for _ in range(3)]
    thread = hub._thread
    hub.close()
    assert all(reader.closed for reader in readers)
    thread.join(PATIENCE)
    assert not thread.is_alive()
    readers[0].closed = False
    readers[0].say(op="hello")
    assert readers[0].fence().status["session"] == "S"


def test_who_leaves_twice_or_was_never_there_is_no_harm(hub):
    reader = Reader(hub).fence()
    reader.leave()
    reader.leave()
    Reader(hub, hello=False).leave()


def test_a_host_that_is_not_ready_does_not_raise_out_of_what_a_view_says(session, hub, caplog):
    hub._host.failure = ProviderError("not now: later")
    with caplog.at_level(logging.CRITICAL):
        reader = Reader(hub)
    assert reader.fence().status["session"] == "S"
    assert reader.refused("chat.new") == "not now: later"


def test_a_view_that_was_let_go_and_is_there_after_all_is_told_everything_again(manager, session, hub):
    reader = Reader(hub).fence()
    hub.close()  # which a widget does not hear of
    stopped(hub)
    reader.closed = False
    session.create_chat("A")
    made = reader.do("chat.new", name="B")
    assert reader.chat == made["chat"]
    agree(manager, reader)
