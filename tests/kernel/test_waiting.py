"""What a user sees, in a real kernel, of servers that ask to wait or never end; no test waits for a wait to be over."""

import threading

import pytest

from support.failures import failed
from support.provider import prompts

BUSY = {"Retry-After": "30"}


def test_a_wait_is_shown_where_the_answer_will_stand_and_an_interrupt_ends_it(kernel, server):
    server.fail(429, headers=BUSY)
    running = kernel.begin("%%robota\nhello")
    running.shows("the server asks to wait 30 s")
    kernel.interrupt()
    assert running.finish().error["ename"] == "Interrupted"
    assert kernel.ok("%%robota\nhello again").answer == "2: hello again"
    assert prompts(server) == ["hello again"]


def test_the_answer_takes_the_place_of_the_wait(kernel, server):
    server.fail(429, headers={"Retry-After": "1"})
    cell = kernel.ok("%%robota\nhello")
    assert cell.shown == ["2: hello"]


@pytest.mark.parametrize(("setting", "value"), [("max_retry_wait", 10), ("answer_timeout", 10)])
def test_a_longer_wait_than_the_user_has_set_is_an_error(kernel, server, setting, value):
    server.fail(429, headers=BUSY)
    kernel.ok(f"%config RobotaMagics.{setting} = {value}")
    assert "ask again in 30 s" in failed(kernel, "%%robota\nhello").error["evalue"]


@pytest.mark.parametrize(
    ("setting", "words"), [("answer_timeout = 2.0", "had not ended"), ("silence_timeout = 2.0", "fell silent")]
)
def test_a_server_that_never_ends_is_left_after_the_time_that_the_user_has_set(kernel, server, setting, words):
    server.chunks, server.gate = ["some ", "text"], threading.Event()
    kernel.ok(f"%config RobotaMagics.{setting}")
    cell = failed(kernel, "%%robota\nhello")
    assert words in cell.error["evalue"]
    assert cell.shown == ["some \n\n*— the answer broke off; %robota chat retry asks again*"]


def test_retry_asks_again_in_the_place_of_the_answer_that_broke_off(kernel, server):
    server.cut(after=1, reset=False)
    failed(kernel, "%%robota\nhello")
    assert kernel.ok("%robota chat retry").shown == ["2: hello"]
    assert prompts(server) == ["hello"]
