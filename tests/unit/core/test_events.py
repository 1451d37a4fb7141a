"""What a manager tells those who listen: typed, in order for each chat, and never the worse for who fails to hear."""

import logging
import threading

import pytest

from robota_nb import SessionManager
from robota_nb.core.events import Activated, Changed, EntriesAdded, Notice, TextArrived, TurnEnded, TurnStarted
from robota_nb.core.inside import ledger_of, runtime_of, view_of
from robota_nb.core.live import LONG_BYTES
from robota_nb.core.ports import Finish, Image, TextDelta
from robota_nb.errors import ChatBusy, ProviderError
from support.core import Only, ask_in_cell, in_cell, new_manager, raised, scripted


def listening(manager):
    """The events from now on, but for `Changed`."""
    events = []
    manager.subscribe(lambda event: None if isinstance(event, Changed) else events.append(event))
    return events


def changes(manager):
    """The sessions and chats that change from now on."""
    events = []
    manager.subscribe(lambda event: events.append((event.session, event.chat)) if isinstance(event, Changed) else None)
    return events


def of_turns(events):
    return [event for event in events if not isinstance(event, Activated)]


@pytest.fixture
def manager():
    return new_manager()


@pytest.fixture
def chat(manager):
    return manager.create_session("u", "S").create_chat("A")


# -- a turn


def test_a_turn_tells_its_start_its_text_its_entries_and_its_end_in_that_order(manager, chat):
    events = listening(manager)
    turn = chat.send("hi")
    started, first, second, added, ended = events
    where = {"session": chat.session.id, "chat": chat.id}
    assert started == TurnStarted(**where, prompt="hi")
    assert (first, second) == (TextArrived(**where, text="re: "), TextArrived(**where, text="hi"))
    assert isinstance(added, EntriesAdded)
    assert [*added.entries][-2:] == [turn.prompt.id, turn.id]
    assert ended == TurnEnded(**where, turn=turn.id)


@pytest.mark.parametrize(
    ("steps", "error", "kept"),
    [
        (ProviderError("no server: start it"), ProviderError, False),
        (["half", ProviderError("cut: ask again")], ProviderError, True),
        (["half", KeyboardInterrupt()], KeyboardInterrupt, True),
        (KeyboardInterrupt(), KeyboardInterrupt, False),
        ([Finish(reason="error")], ProviderError, False),
    ],
    ids=["no text", "cut", "interrupted", "interrupted at once", "gave up"],
)
def test_every_turn_that_was_started_ends_however_it_ends(steps, error, kept):
    manager = scripted(steps)
    chat = manager.create_session("u").create_chat()
    events = listening(manager)
    with pytest.raises(error):
        chat.send("hi")
    assert isinstance(events[0], TurnStarted)
    assert events[-1].turn == (chat.turns[0].id if kept else None)
    assert sum(isinstance(event, TurnEnded) for event in events) == 1
    assert any(isinstance(event, EntriesAdded) for event in events) == kept


def test_a_turn_that_did_not_begin_tells_nothing(manager, chat):
    live = chat.stream("one")
    next(live)
    events = listening(manager)
    raised(ChatBusy, chat.send, "two")
    assert events == []
    live.close()
    assert [type(event) for event in events] == [EntriesAdded, TurnEnded]


def test_when_the_end_is_told_the_turn_is_there_to_read(manager, chat):
    seen = []
    manager.subscribe(lambda event: seen.append(len(chat.turns)) if isinstance(event, TurnEnded) else None)
    chat.send("hi")
    chat.send("more")
    assert seen == [1, 2]


def test_a_replay_tells_of_no_turn(manager, chat):
    ask_in_cell(manager, "hi")
    again = new_manager()
    again.adopt(ledger_of(manager).records("u"), "u")
    events = listening(again)
    assert ask_in_cell(again, "hi").replayed
    assert of_turns(events) == []


def test_events_of_one_chat_keep_their_order_while_others_run():
    meeting = threading.Barrier(2)

    class Alternating:
        def stream(self, request):
            for n in range(5):
                meeting.wait(60)
                yield TextDelta(f"{n} ")
            yield Finish(reason="stop")

    manager = SessionManager(providers=Only(Alternating()))
    session = manager.create_session("u")
    chats = [session.create_chat() for _ in range(2)]
    events = listening(manager)
    threads = [threading.Thread(target=chat.send, args=["hi"]) for chat in chats]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for chat in chats:
        mine = [
            event
            for event in events
            if getattr(event, "chat", None) == chat.id
            or (isinstance(event, EntriesAdded) and any(e.get("chat") == chat.id for e in event.entries.values()))
        ]
        assert [type(event) for event in mine] == [TurnStarted, *[TextArrived] * 5, EntriesAdded, TurnEnded]
        assert [event.text for event in mine if isinstance(event, TextArrived)] == [f"{n} " for n in range(5)]


# -- who is active


def test_what_becomes_active_is_told(manager):
    events = listening(manager)

    def told():
        found = [(event.session, event.chat) for event in events if isinstance(event, Activated)]
        events.clear()
        return found

    session = manager.create_session("u", "S")
    assert told() == [(session.id, None)]
    one, two = session.create_chat("one"), session.create_chat("two")
    assert told()[-1] == (session.id, two.id)
    session.switch_to("one")
    assert told() == [(session.id, one.id)]
    one.delete()
    assert told() == [(session.id, two.id)]
    other = manager.create_session("u", "T")
    manager.activate(session)
    assert told() == [(other.id, None), (session.id, two.id)]


def test_what_becomes_active_by_coming_back_is_told(manager, chat):
    session = chat.session
    chat.delete()
    events = listening(manager)
    session.bring_back("A")
    assert events == [Activated(session=session.id, chat=chat.id)]
    manager.delete_session("S", "u")
    events.clear()
    manager.bring_back("S", "u")
    assert events == [Activated(session=session.id, chat=chat.id)]


def test_asking_in_a_chat_that_is_not_active_tells_of_no_change(manager, chat):
    chat.session.create_chat("B")
    events = listening(manager)
    chat.send("hi")
    assert not any(isinstance(event, Activated) for event in events)


# -- what is written


def test_what_waits_is_told_when_it_is_written_and_what_it_replaces(manager, chat):
    ask_in_cell(manager, "hi", "one")
    with in_cell(manager, "two"):
        chat.undo()
    manager.flush("u")
    with in_cell(manager, "two", "another hash"):
        pass
    events = listening(manager)
    manager.flush("u")
    (added,) = events
    (entry,) = added.entries.values()
    assert (entry["kind"], entry["message"]) == ("head", chat.turns[-1].id)
    assert len(added.removed) == 1
    assert added.removed[0] not in ledger_of(manager).records("u")[chat.session.id]


def test_entries_that_are_taken_over_are_not_told(manager, chat):
    chat.send("hi")
    again = new_manager()
    events = listening(again)
    again.adopt(ledger_of(manager).records("u"), "u")
    assert events == []


# -- those who listen


def test_who_raises_is_logged_and_keeps_nobody_else_from_hearing(manager, chat, caplog):
    heard = []

    def broken(event):
        heard.append(event)
        raise ZeroDivisionError

    manager.subscribe(broken)
    events = []
    manager.subscribe(events.append)
    with caplog.at_level(logging.ERROR, "robota_nb"):
        assert chat.send("hi").text == "re: hi"
        chat.undo()
        manager.flush("u")
    assert heard == events
    assert len(caplog.records) == len(events)
    assert {record.getMessage() for record in caplog.records} == {"a subscriber failed"}
    runtime_of(chat).check_idle(view_of(chat), chat.id)


def test_who_leaves_hears_no_more_also_in_the_middle_of_an_event(manager, chat):
    heard = []

    def once(event):
        heard.append(event)
        leave()

    leave = manager.subscribe(once)
    events = listening(manager)
    chat.send("hi")
    assert len(heard) == 1
    assert len(events) == 5


def test_who_listens_may_read_and_ask(manager, chat):
    other = chat.session.create_chat("B")

    def answer(event):
        if isinstance(event, TurnEnded) and event.chat == chat.id:
            other.send(chat.turns[-1].text)
            manager.snapshot("u")

    manager.subscribe(answer)
    chat.send("hi")
    assert [turn.text for turn in other.turns] == ["re: re: hi"]


# -- notices


def test_a_long_history_is_told_once_before_it_is_sent(manager, chat):
    chat.send("x" * (LONG_BYTES // 2))
    events = listening(manager)
    chat.send("short")
    started, notice, *_ = events
    assert isinstance(started, TurnStarted)
    assert str(notice) == (
        f"each ask in 'A' now sends about {LONG_BYTES // 1000} KB of history: chat.compact() sends a summary of its "
        "beginning, chat.clear() or chat.fork(name, at) makes it shorter, max_messages of the manager limits it"
    )
    chat.send("again")
    chat.send("and again")
    assert sum(isinstance(event, Notice) for event in events) == 1


def test_pictures_count_in_how_long_a_history_is(manager, chat):
    events = listening(manager)
    chat.send("look", images=[Image(media_type="image/png", data=bytes(LONG_BYTES))])
    (notice,) = (event for event in events if isinstance(event, Notice))
    assert "now sends about 533 KB" in notice.text  # as Base64


def test_a_history_that_max_messages_keeps_short_is_not_told():
    manager = new_manager(max_messages=2)
    chat = manager.create_session("u").create_chat()
    events = listening(manager)
    for _ in range(5):
        chat.send("x" * (LONG_BYTES // 4))
    assert not any(isinstance(event, Notice) for event in events)
    assert len(runtime_of(manager).providers.requests[-1].messages) == 3
    assert len(chat.messages) == 10


def test_a_long_history_is_told_for_each_chat(manager, chat):
    events = listening(manager)
    for name in "BC":
        long = chat.session.create_chat(name)
        for _ in range(3):
            long.send("x" * (LONG_BYTES // 2))
    assert [event.text.split()[3] for event in events if isinstance(event, Notice)] == ["'B'", "'C'"]


# -- what points, and waits to be written


def test_what_moves_in_a_chat_without_an_entry_is_told(manager, chat):
    chat.send("one")
    seen = changes(manager)
    for move in (chat.undo, chat.redo, chat.clear, lambda: chat.checkout(1)):
        move()
        assert seen.pop() == (chat.session.id, chat.id)
    with in_cell(manager):
        chat.configure(model="m")
        assert seen.pop() == (chat.session.id, chat.id)
    chat.delete()
    assert (chat.session.id, chat.id) in seen


def test_the_state_of_a_session_is_told(manager, chat):
    seen = changes(manager)
    chat.session.pause()
    assert seen == [(chat.session.id, None)]
    chat.session.resume()
    chat.session.describe("work")
    manager.delete_session(chat.session.id, "u")
    assert seen == [(chat.session.id, None)] * 4


def test_what_is_taken_over_is_told(manager, chat):
    other = new_manager()
    seen = changes(other)
    other.adopt(ledger_of(manager).records("u"), "u")
    assert seen == [(chat.session.id, None)]
    other.adopt(ledger_of(manager).records("u"), "u")
    assert len(seen) == 1


def test_a_turn_under_way_is_there_to_see_until_it_is_recorded(manager, chat):
    live = chat.stream("hello")
    seen = []
    first = next(live)
    seen.append(
        (
            "".join(runtime_of(manager).arriving[chat.id].parts),
            runtime_of(manager).arriving[chat.id].plan.text,
        )
    )
    assert seen == [(first, "hello")]

    def look(event):
        if isinstance(event, EntriesAdded | TurnEnded):
            seen.append((chat.id in runtime_of(manager).arriving, len(chat.turns)))

    manager.subscribe(look)
    live.result()
    assert seen[1:] == [(False, 1), (False, 1)]
