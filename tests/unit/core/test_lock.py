"""The manager's lock can be taken again by its holder, and does slow work only when it is free."""

from threading import Event, Thread

import pytest

from robota_nb.core.lock import Lock
from support.threads import PATIENCE


def test_work_for_later_is_done_in_order_once_the_holder_has_let_go():
    lock, done = Lock(), []
    with lock:
        lock.when_free(lambda: done.append("first"))
        with lock:
            lock.when_free(lambda: done.append("second"))
        assert done == []
    assert done == ["first", "second"]
    with lock:
        pass
    assert done == ["first", "second"]


def test_others_can_take_the_lock_while_the_work_is_done():
    lock, taken = Lock(), Event()

    def take():
        with lock:
            taken.set()

    def work():
        Thread(target=take).start()
        assert taken.wait(PATIENCE)

    with lock:
        lock.when_free(work)


def test_work_is_done_also_if_the_holder_fails():
    lock, done = Lock(), []
    with pytest.raises(ValueError, match="no"), lock:
        lock.when_free(lambda: done.append(1))
        raise ValueError("no")
    assert done == [1]


def test_the_holder_waits_for_what_another_thread_makes_true():
    lock, ready = Lock(), []

    def prepare():
        with lock:
            ready.append(1)
            lock.notify_all()

    with lock:
        Thread(target=prepare).start()
        assert lock.wait_for(lambda: bool(ready), PATIENCE)
        assert not lock.wait_for(lambda: False, 0)
