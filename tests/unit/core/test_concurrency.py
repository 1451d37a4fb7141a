"""Many threads in many chats, and ending an answer from another thread. Nothing here waits for a length of time:
the providers go on when the other side has done its part (`PATIENCE` only ends a test that hangs)."""

import threading
from collections import Counter
from contextlib import contextmanager

import pytest

from robota_nb import SessionManager
from robota_nb.core.inside import runtime_of, view_of
from robota_nb.core.interrupts import Cancellation
from robota_nb.core.ports import Finish, TextDelta
from robota_nb.core.record.snapshot import parse
from robota_nb.errors import ChatBusy, ChatNotFound, ProviderError, SessionNotActive
from support.core import Only, ask_in_cell, in_cell, new_manager, raised, texts
from support.threads import PATIENCE, together


def until(event):
    assert event.wait(PATIENCE)


@contextmanager
def meanwhile(work):
    """Run *work* in another thread; its result or exception is put into the list that is given."""
    ended = []

    def noted():
        try:
            ended.append(work())
        except BaseException as error:
            ended.append(error)

    thread = threading.Thread(target=noted)
    thread.start()
    yield ended
    thread.join(PATIENCE)
    assert not thread.is_alive()


# -- many threads


CHATS, THREADS, ROUNDS = 50, 200, 3


class Rush:
    """Answers with the prompt; the first answers wait until all others were turned away."""

    def __init__(self):
        self.refused, self.all_refused = Counter(), threading.Event()
        self.lock, self.requests = threading.Lock(), []

    def stream(self, request):
        with self.lock:
            self.requests.append([message["content"] for message in request.messages])
        until(self.all_refused)
        yield TextDelta("re: ")
        yield TextDelta(request.messages[-1]["content"])
        yield Finish(reason="stop")

    def turned_away(self, chat):
        with self.lock:
            self.refused[chat] += 1
            if sum(self.refused.values()) == THREADS - CHATS:
                self.all_refused.set()


def test_200_threads_in_50_chats_have_every_turn_in_its_chat_in_order_and_lose_none(hasty):
    rush = Rush()
    manager = SessionManager(providers=Only(rush))
    session = manager.create_session("u")
    chats = [session.create_chat(f"chat {n}") for n in range(CHATS)]
    start, sent = threading.Barrier(THREADS), {chat.id: [] for chat in chats}

    def work(n):
        chat = chats[n % CHATS]
        start.wait(PATIENCE)
        for at in range(ROUNDS):
            prompt = f"{chat.id} {n} {at}"
            while True:
                try:
                    turn = chat.send(prompt)
                except ChatBusy:  # and nothing else
                    rush.turned_away(chat.id)
                    with runtime_of(manager).lock:
                        assert runtime_of(manager).lock.wait_for(
                            lambda: chat.id not in runtime_of(manager).running, PATIENCE
                        )
                else:
                    assert turn.text == f"re: {prompt}"
                    sent[chat.id].append(prompt)
                    break

    together(work, THREADS)
    assert all(rush.refused[chat.id] >= THREADS // CHATS - 1 for chat in chats)  # one at a time in each
    for chat in chats:
        asked = [turn.prompt.content for turn in chat.turns]
        assert sorted(asked) == sorted(sent[chat.id])
        assert len(asked) == THREADS // CHATS * ROUNDS
        for n in range(chats.index(chat), THREADS, CHATS):
            mine = [prompt for prompt in asked if prompt.split()[1] == str(n)]
            assert mine == [f"{chat.id} {n} {at}" for at in range(ROUNDS)]
        path = [message.content for message in chat.messages]
        assert all(path[: len(request)] == request for request in rush.requests if request[0].startswith(chat.id))
    assert len(rush.requests) == THREADS * ROUNDS
    clocks = [entry["n"] for entry in view_of(session).record.entries.values() if "n" in entry]
    assert sorted(clocks) == list(range(1, len(clocks) + 1))  # the lock was held from the choice of n to its use
    again = new_manager()
    again.adopt(parse(manager.snapshot("u")), "u")
    assert [texts(chat) for chat in again.sessions("u")[0].chats] == [texts(chat) for chat in chats]


def test_different_chats_run_side_by_side():
    everybody = threading.Barrier(20)

    class Meeting:
        def stream(self, request):
            everybody.wait(PATIENCE)  # nobody gets an answer before all have asked
            yield TextDelta(request.messages[-1]["content"])
            yield Finish(reason="stop")

    manager = SessionManager(providers=Only(Meeting()))
    sessions = [manager.create_session(user) for user in ("u", "u", "v", "w")]
    chats = [session.create_chat() for session in sessions for _ in range(5)]
    together(lambda n: chats[n].send(f"prompt {n}"), 20)
    assert [texts(chat) for chat in chats] == [[f"prompt {n}"] for n in range(20)]


def test_one_may_read_what_others_write(hasty):
    manager = new_manager(max_chats=0)
    session = manager.create_session("u", "S")
    kept, over = session.create_chat("kept"), threading.Event()
    for n in range(20):
        kept.send(f"prompt {n}")
    kept.undo()
    kept.send("else")

    def write(n):
        for at in range(40):
            chat = session.create_chat(f"{n} {at}")
            chat.send("a secret")
            chat.purge(1)
            chat.rename(f"{n} {at} renamed")

    def read():
        while not over.is_set():
            assert session.chat("kept").name == "kept"
            assert [hit.number for hit in session.search("ELSE")] == [20]
            assert len(kept.branches) == 1
            assert len(kept.turns) == kept.stats.on_path == 20
            assert session.stats.chats >= 1
            assert kept.changes == []
            assert len(session.search("prompt 0")) == 1
            assert "kept" in {record["chat"] for record in session.to_records()}
            parse(manager.snapshot("u"))
            assert manager.stats("u").sessions == 1
            repr(session), repr(kept), session._repr_html_()

    def work(n):
        if n < 2:
            read()
        else:
            try:
                write(n)
            finally:
                if next(ended) == 1:
                    over.set()

    ended = iter(range(2))
    together(work, 4)


# -- ending an answer from another thread


class Half:
    """Answers ``half``, and then waits until it is told to go on."""

    def __init__(self):
        self.entered, self.open = threading.Semaphore(0), threading.Event()

    def stream(self, request):
        yield TextDelta("half ")
        self.entered.release()
        until(self.open)
        yield TextDelta("whole")
        yield Finish(reason="stop")


class Deaf:
    """Waits for a server that never answers; breaks off when it hears that nobody waits any more."""

    def __init__(self, *said):
        self.said, self.entered = said, threading.Semaphore(0)

    def stream(self, request):
        for text in self.said:
            yield TextDelta(text)
        hung_up = threading.Event()
        request.cancellation.on_cancel(hung_up.set)
        self.entered.release()
        until(hung_up)
        raise ProviderError("the connection was closed: ask again")


def entered(provider, count=1):
    """Wait until so many turns have got to where the provider waits."""
    for _ in range(count):
        assert provider.entered.acquire(timeout=PATIENCE)


def chat_with(provider):
    return SessionManager(providers=Only(provider)).create_session("u", "S").create_chat("A")


def test_cancel_from_another_thread_keeps_what_had_arrived_and_releases_the_chat():
    half = Half()
    chat = chat_with(half)
    with meanwhile(lambda: chat.send("hi")) as ended:
        entered(half)
        assert chat.cancel()
        half.open.set()
    (turn,) = chat.turns
    assert (turn.text, turn.finish_reason) == ("half ", "interrupted")
    assert ended == [turn]
    assert not chat.cancel()
    assert chat.send("again").text == "half whole"


def test_cancel_reaches_a_provider_that_waits_for_a_silent_server():
    deaf = Deaf("some ", "text")
    chat = chat_with(deaf)
    with meanwhile(lambda: chat.send("hi")) as ended:
        entered(deaf)
        assert chat.cancel()
    assert [(turn.text, turn.finish_reason) for turn in chat.turns] == [("some text", "interrupted")]
    assert ended == chat.turns
    runtime_of(chat).check_idle(view_of(chat), chat.id)


@pytest.mark.parametrize("said", [("some text",), ()], ids=["after some text", "before any"])
def test_cancel_is_no_fault_of_a_provider_whose_connection_breaks_by_it(said):
    class Torn(Deaf):
        def stream(self, request):
            try:
                yield from super().stream(request)
            except ProviderError:
                raise OSError("Bad file descriptor") from None

    torn = Torn(*said)
    chat = chat_with(torn)
    with meanwhile(lambda: chat.send("hi")) as ended:
        entered(torn)
        chat.cancel()
    assert [turn.finish_reason for turn in chat.turns] == ["interrupted"] * len(said)
    assert said or str(ended[0]) == "the answer was stopped before any text came: ask again"
    runtime_of(chat).check_idle(view_of(chat), chat.id)


def test_cancel_before_any_text_leaves_nothing():
    deaf = Deaf()
    chat = chat_with(deaf)
    with meanwhile(lambda: chat.send("hi")) as ended:
        entered(deaf)
        chat.cancel()
    (error,) = ended
    assert isinstance(error, ProviderError)
    assert str(error) == "the answer was stopped before any text came: ask again"
    assert chat.turns == []
    runtime_of(chat).check_idle(view_of(chat), chat.id)


def test_cancel_stops_one_chat_and_leaves_the_others_running():
    half = Half()
    chat = chat_with(half)
    other = chat.session.create_chat("B")
    with meanwhile(lambda: chat.send("a")), meanwhile(lambda: other.send("b")):
        entered(half, 2)
        chat.cancel()
        half.open.set()
    assert (texts(chat), texts(other)) == (["half "], ["half whole"])


def test_cancel_stops_a_stream_at_its_next_text():
    chat = chat_with(Half())
    live = chat.stream("hi")
    assert next(live) == "half "
    assert chat.cancel()
    runtime_of(chat).providers.provider.open.set()
    assert list(live) == []
    assert (live.turn.text, live.turn.finish_reason) == ("half ", "interrupted")


def test_a_wish_is_heard_once_by_each_also_by_who_comes_late():
    wish, heard = Cancellation(), []
    wish.on_cancel(lambda: heard.append("early"))
    assert not wish.cancelled
    wish.cancel()
    wish.cancel()
    assert wish.cancelled
    wish.on_cancel(lambda: heard.append("late"))
    assert heard == ["early", "late"]


# -- what happened between a stream's creation and its beginning


def test_a_stream_that_begins_when_the_session_was_paused_asks_nobody():
    manager = new_manager()
    chat = manager.create_session("u", "S").create_chat("A")
    started = chat.stream("hi")
    chat.session.pause()
    assert "the session 'S' is paused" in raised(SessionNotActive, started.result)
    assert runtime_of(manager).providers.requests == []
    chat.session.resume()
    assert chat.send("now").text == "re: now"


def test_a_chat_that_was_deleted_is_not_asked_by_who_still_holds_it():
    manager = new_manager()
    chat = manager.create_session("u", "S").create_chat("A")
    started = chat.stream("hi")
    chat.delete()
    gone = "the chat 'A' was deleted: session.bring_back(name) brings it back"
    assert raised(ChatNotFound, started.result) == gone
    assert raised(ChatNotFound, chat.send, "hi") == gone
    chat.session.bring_back("A")
    assert chat.send("now").text == "re: now"


def test_a_session_that_was_deleted_is_not_asked_by_who_still_holds_it():
    manager = new_manager()
    chat = manager.create_session("u", "S").create_chat("A")
    manager.delete_session("S", "u")
    gone = "the session 'S' was deleted: manager.bring_back(name) brings it back"
    assert raised(SessionNotActive, chat.send, "hi") == gone
    manager.bring_back("S", "u")
    assert chat.send("now").text == "re: now"


# -- the end


def test_shutdown_ends_running_turns_and_keeps_what_had_arrived():
    deaf = Deaf("some text")
    manager = SessionManager(providers=Only(deaf))
    one, two = (manager.create_session(user).create_chat() for user in ("u", "v"))
    with meanwhile(lambda: one.send("hi")) as first, meanwhile(lambda: two.send("hi")) as second:
        entered(deaf, 2)
        manager.shutdown(timeout=PATIENCE)
        assert runtime_of(manager).running == {}
        assert [(turn.text, turn.finish_reason) for turn in (*one.turns, *two.turns)] == [
            ("some text", "interrupted")
        ] * 2
    assert (first, second) == (one.turns, two.turns)


def test_after_shutdown_nothing_is_asked_and_all_is_read():
    manager = new_manager()
    chat = manager.create_session("u").create_chat()
    chat.send("hi")
    chat.undo()
    before = manager.snapshot("u")
    started = chat.stream("started before")
    manager.shutdown()
    closed = "this session manager was shut down: make a new one to ask again"
    assert raised(SessionNotActive, chat.send, "more") == closed
    assert raised(SessionNotActive, started.result) == closed
    assert manager.snapshot("u") == before
    assert len(runtime_of(manager).providers.requests) == 1
    manager.shutdown()


def test_shutdown_writes_what_waits_for_every_user():
    manager = new_manager()
    for user in ("u", "v"):
        manager.create_session(user).create_chat()
        ask_in_cell(manager, "hi", user=user)
        with in_cell(manager, "below", user=user):
            manager.active_session(user).active_chat.undo()
    written = []
    manager.subscribe(lambda event: written.extend(e["kind"] for e in event.entries.values()))
    manager.shutdown()
    assert written == ["head", "head"]


def test_shutdown_does_not_wait_for_ever_for_a_provider_that_does_not_hear():
    half = Half()
    chat = chat_with(half)
    with meanwhile(lambda: chat.send("hi")):
        entered(half)
        chat.session.manager.shutdown(timeout=0)
        half.open.set()
    assert [turn.finish_reason for turn in chat.turns] == ["interrupted"]
