"""What was recorded is written in order, by who recorded it, while nobody holds the manager's lock."""

from threading import Event, Thread

import pytest

from robota_nb.core.lock import Lock
from robota_nb.stores.memory import MemoryStore
from robota_nb.sync.commit_queue import CommitQueue
from support.shell import Shell
from support.threads import PATIENCE


@pytest.fixture
def lock():
    return Lock()


@pytest.fixture
def queue(lock):
    return CommitQueue(lock)


def test_a_write_is_done_when_the_lock_is_free_and_before_its_thread_goes_on(lock, queue):
    done = []
    with lock:
        queue.put(lambda: done.append(1))
        assert done == []
    assert done == [1]


def test_who_comes_second_waits_until_the_first_is_written_and_then_writes(lock, queue):
    written, begun, go_on, second_is_queued = [], Event(), Event(), Event()

    def slow():
        begun.set()
        assert go_on.wait(PATIENCE)
        written.append("first")

    def first():
        with lock:
            queue.put(slow)

    def second():
        with lock:
            queue.put(lambda: written.append("second"))
            second_is_queued.set()
        assert written == ["first", "second"]

    threads = [Thread(target=first), Thread(target=second)]
    threads[0].start()
    assert begun.wait(PATIENCE)
    threads[1].start()
    assert second_is_queued.wait(PATIENCE)
    assert written == []
    go_on.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert written == ["first", "second"]


def test_a_write_that_was_interrupted_is_done_again_before_the_next(lock, queue):
    written = []

    def interrupted():
        written.append("begun")
        if written == ["begun"]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), lock:
        queue.put(interrupted)
    with lock:
        queue.put(lambda: written.append("next"))
    assert written == ["begun", "begun", "next"]


def test_a_write_that_fails_is_logged_and_the_next_is_done(lock, queue, caplog):
    done = []
    with lock:
        queue.put(lambda: 1 // 0)
        queue.put(lambda: done.append(1))
    assert done == [1]
    assert "could not be written" in caplog.text


def test_what_is_recorded_while_something_is_written_is_written_after_it(lock, queue):
    written = []

    def inner():
        with lock:
            queue.put(lambda: written.append("inner"))
        written.append("outer")

    with lock:
        queue.put(inner)
    assert written == ["outer", "inner"]


# -- with a real manager and store


class SlowStore(MemoryStore):
    """A store that takes entries only once it is told to."""

    def __init__(self):
        super().__init__()
        self.asked, self.go_on = Event(), Event()
        self.go_on.set()

    def add(self, *args):
        self.asked.set()
        assert self.go_on.wait(PATIENCE)
        super().add(*args)


def test_while_the_store_is_slow_others_read_and_are_answered_and_the_asker_waits_for_its_own(monkeypatch):
    store = SlowStore()
    here = Shell(monkeypatch, store=store)
    session = here.manager.create_session()
    one, two = session.create_chat("one"), session.create_chat("two")
    store.asked.clear()
    store.go_on.clear()
    asking = Thread(target=one.send, args=["to be stored"])
    asking.start()
    try:
        assert store.asked.wait(PATIENCE)
        assert [turn.prompt.content for turn in one.turns] == ["to be stored"]
        live = two.stream("in another chat")
        assert next(live) == "re: "
        assert store.entries("terminal").keys() == {session.id}
        assert asking.is_alive()
    finally:
        store.go_on.set()
        asking.join(PATIENCE)
    assert live.result().text == "re: in another chat"
    stored = store.entries("terminal")[session.id].values()
    prompts = [entry["content"] for entry in stored if entry.get("role") == "user"]
    assert prompts == [["to be stored"], ["in another chat"]]
