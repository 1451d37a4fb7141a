"""Interrupts that are held back until something is whole."""

import os
import signal
import threading

import pytest

from robota_nb.core.interrupts import deferred


def strike():
    os.kill(os.getpid(), signal.SIGINT)


def test_an_interrupt_strikes_when_the_block_has_ended():
    done = []
    with pytest.raises(KeyboardInterrupt), deferred():
        strike()
        done.append("all of it")
    assert done == ["all of it"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_without_an_interrupt_nothing_happens():
    with deferred():
        pass
    with pytest.raises(KeyboardInterrupt):
        strike()


def test_an_error_in_the_block_does_not_hide_the_interrupt():
    with pytest.raises(KeyboardInterrupt), deferred():
        strike()
        raise ValueError


def test_other_threads_are_left_alone():
    seen = []

    def work():
        with deferred():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]
