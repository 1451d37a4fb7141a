"""Servers that ask to wait, never end, or refuse what they do not know. No test waits for a wait to be over."""

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from queue import SimpleQueue

import pytest

from robota_nb import SessionManager
from robota_nb.core.events import Delayed
from robota_nb.core.interrupts import Cancellation
from robota_nb.core.ports import Finish, TextDelta, Waiting
from robota_nb.display.hints import HINTS
from robota_nb.errors import ProviderError
from robota_nb.providers import retry
from robota_nb.providers.openai import provider as provider_module
from robota_nb.providers.retry import (
    Deadline,
    backoff,
    in_words,
    is_retryable,
    until_cancelled,
    with_retries,
)
from robota_nb.providers.waits import retry_after
from robota_nb.testing import Act, FaultServer, Shape, http
from support.core import Only
from support.patience import PATIENCE
from support.provider import answer, ask, failure, heard, lab_provider


@pytest.fixture
def faulty():
    with FaultServer() as server:
        yield server


@pytest.fixture
def patient(server):
    """A provider that tries again; `server` answers it."""
    provider = lab_provider(server, max_retries=2)
    yield provider
    provider.close()


def interrupt():
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


# -- asking again


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503])
def test_what_passes_is_asked_again_after_the_time_that_the_server_names(server, patient, status):
    server.fail(status, headers={"Retry-After-Ms": "1"})
    server.fail(status, headers={"Retry-After": "0"})
    assert answer(patient)[0] == "3: hi"


@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_what_does_not_pass_is_asked_once(server, patient, status):
    server.fail(status, headers={"Retry-After": "0"})
    _, error = failure(patient)
    assert error.status == status
    assert len(server.requests) == 1


def test_a_server_that_says_that_it_is_no_use_is_asked_once(server, patient):
    server.fail(429, headers={"Retry-After": "0", "x-should-retry": "false"})
    failure(patient)
    assert len(server.requests) == 1


def test_there_is_an_end_to_asking_again(server, patient):
    for _ in range(3):
        server.fail(503, headers={"Retry-After": "0"})
    _, error = failure(patient)
    assert error.status == 503
    assert len(server.requests) == 3


def test_a_connection_that_is_lost_before_the_answer_is_made_again(faulty, monkeypatch):
    monkeypatch.setattr(retry, "backoff", lambda retries: 0)
    faulty.steps(Act.RESET)
    faulty.steps()
    provider = lab_provider(faulty, max_retries=2)
    assert answer(provider)[0] == "all is well"
    provider.close()


def test_after_the_first_byte_nothing_is_asked_again(faulty):
    faulty.steps(http() + b": hello\n\n")
    provider = lab_provider(faulty, max_retries=2)
    failure(provider)
    assert len(faulty.requests) == 1
    provider.close()


@pytest.mark.parametrize("attempt", range(9))
def test_the_own_waits_grow_and_stay_short(attempt):
    assert 0.3 < backoff(attempt) <= min(8, 0.5 * 2**attempt)


# -- how long


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "12"}, 12),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after": "-3"}, 0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "1e999"}, float("inf")),
        ({"retry-after": "7", "retry-after-ms": "250"}, 0.25),
        ({"retry-after": "7", "retry-after-ms": "soon"}, 7),
        ({"retry-after": "Fri, 01 Jan 1999 00:00:00 GMT"}, 0),
        ({"retry-after": "Fri, 01 Jan 99999 00:00:00 GMT"}, None),
    ],
)
def test_how_long_a_server_asks_to_wait(headers, seconds):
    assert retry_after(headers) == seconds


def test_a_server_may_name_the_moment():
    assert 3000 < retry_after({"retry-after": formatdate(time.time() + 3600, usegmt=True)}) <= 3600


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 s"),
        (12, "12 s"),
        (119, "119 s"),
        (120, "2 min"),
        (3601, "61 min"),
        (9000, "3 h"),
        (float("inf"), "for ever"),
    ],
)
def test_a_span_of_time_in_words(seconds, words):
    assert in_words(seconds) == words


def test_a_server_has_the_last_word_on_whether_it_helps():
    assert is_retryable(400, {"x-should-retry": "true"})
    assert is_retryable(429, {"x-should-retry": "perhaps"})
    assert not is_retryable(503, {"x-should-retry": "false"})


@pytest.mark.parametrize("options", [{"retry_wait": 60}, {"retry_wait": 9000, "answer": 60}])
def test_a_wait_beyond_the_bound_is_an_error_that_says_how_long(server, options):
    provider = lab_provider(server, max_retries=2, timeouts=options)
    server.fail(429, {"error": {"message": "slow down"}}, headers={"Retry-After": "3600"})
    _, error = failure(provider)
    assert str(error) == (
        "endpoint 'lab' limits the rate, or the quota is used up (HTTP 429): ask again in 60 min (it said: slow down)"
    )
    assert len(server.requests) == 1
    provider.close()


# -- what the user sees of a wait, and ends


def waiting_chat(server, when_delayed):
    """A chat whose server asks to wait for 50 seconds; *when_delayed* is called when the user is told."""
    server.fail(429, headers={"Retry-After": "50"})
    provider = lab_provider(server, max_retries=2)
    manager = SessionManager(providers=Only(provider))
    chat = manager.create_session("u").create_chat()
    told = []

    def hear(event):
        if isinstance(event, Delayed):
            told.append(event.text)
            when_delayed(chat)

    manager.subscribe(hear)
    return chat, told


TOLD = ["the server asks to wait 50 s: waiting, then it is asked again"]


def test_a_wait_is_told_and_cancelling_ends_it_at_once(server):
    chat, told = waiting_chat(server, lambda chat: chat.cancel())
    with pytest.raises(ProviderError, match="stopped before any text came"):
        chat.send("hi")
    assert told == TOLD
    assert (len(server.requests), chat.turns) == (1, [])
    assert chat.send("again").text == "2: again"


def test_an_interrupt_ends_a_wait_at_once(server):
    chat, told = waiting_chat(server, lambda _: threading.Thread(target=interrupt).start())
    with pytest.raises(KeyboardInterrupt):
        chat.send("hi")
    assert told == TOLD
    assert (len(server.requests), chat.turns) == (1, [])
    assert chat.send("again").text == "2: again"


def test_cancelling_in_another_thread_ends_an_ask_that_no_server_has_answered(faulty):
    heard = threading.Event()
    faulty.steps(heard.set, Act.STALL)
    provider = lab_provider(faulty)
    chat = SessionManager(providers=Only(provider)).create_session().create_chat()
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(chat.send, "hi")
        assert heard.wait(PATIENCE)
        chat.cancel()
        with pytest.raises(ProviderError, match="stopped before any text came"):
            asked.result(30)
    assert chat.turns == []
    provider.close()


def dripping(head, rest):
    """Steps of a server that is never silent for long, and never ends."""

    def play(_):
        yield head
        for byte in rest * 1000:
            yield bytes([byte])
            yield 0.02

    return Shape(name="drip", play=play, ends=frozenset({"error"}), slow=True)


BAD = http("application/json", "400 Bad Request", {"Content-Length": "100000"})
DRIPS = {
    "a status line": (b"", b"HTTP/1.1 200 OOOO"),
    "a header": (b"HTTP/1.1 200 OK\r\n", b"X-A: aaaa"),
    "the body of an error": (BAD, b"    "),
    "a stream of comments": (http(), b": ping\n\n"),
}


@pytest.mark.parametrize("what", DRIPS)
@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_server_that_drips_is_not_waited_for_longer_than_for_any_answer(faulty, what, elsewhere):
    faulty.shape = dripping(*DRIPS[what])
    provider = lab_provider(faulty, timeouts={"answer": 0.3})
    chat = SessionManager(providers=Only(provider)).create_session().create_chat()
    with ThreadPoolExecutor() as pool, pytest.raises(ProviderError, match="had not ended its answer after 1 s"):
        pool.submit(chat.send, "hi").result(30) if elsewhere else chat.send("hi")
    faulty.shape = None
    assert chat.send("again").text
    provider.close()


def test_an_answer_that_comes_after_the_wish_is_dropped():
    come, wish, dropped = threading.Event(), Cancellation(), SimpleQueue()

    def answer():
        wish.cancel()
        come.wait(PATIENCE)
        return "late"

    with ThreadPoolExecutor() as pool:
        assert pool.submit(until_cancelled, answer, wish, dropped.put, Deadline(0)).result(30) is None
    come.set()
    assert dropped.get(timeout=PATIENCE) == "late"


@pytest.mark.parametrize("elsewhere", [False, True])
def test_what_an_attempt_raises_is_final_in_any_thread(elsewhere):
    attempts = []

    def attempt():
        attempts.append(1)
        raise ProviderError("no such model: choose another one")

    def ask():
        return list(with_retries(attempt, cancellation=Cancellation(), deadline=Deadline(0)))

    with ThreadPoolExecutor() as pool, pytest.raises(ProviderError, match="choose another one"):
        pool.submit(ask).result(30) if elsewhere else ask()
    assert attempts == [1]


def test_a_wait_comes_before_the_text(server, patient, monkeypatch):
    monkeypatch.setattr(retry, "_SHOWN_WAIT", 0)
    server.fail(429, headers={"Retry-After-Ms": "1"})
    first, second, *_ = heard(patient.stream(ask()))
    assert first == Waiting(seconds=0.001)
    assert isinstance(second, TextDelta)


# -- a whole answer takes too long


def test_pings_do_not_keep_an_answer_alive_for_ever(faulty):
    def pings(_):
        yield http() + b'data: {"choices": [{"delta": {"content": "some text"}}]}\n\n'
        while True:
            yield b": ping\n\n"
            yield 0.005

    faulty.shape = Shape(name="pings", play=pings, ends=frozenset({"error"}))
    provider = lab_provider(faulty, timeouts={"answer": 0.3})
    text, error = failure(provider)
    assert "some text".startswith(text)
    shown = error.in_words(HINTS)
    assert "had not ended its answer after 1 s: ask for less, or raise c.RobotaMagics.answer_timeout" in shown
    assert faulty.hung_up.wait(PATIENCE)
    provider.close()


def test_a_whole_answer_is_not_kept_from_the_user_by_a_line_that_stays_open(faulty, monkeypatch):
    monkeypatch.setattr(provider_module, "_GRACE_IN_TEXT", 0.05)  # for whom gives a reason with each piece
    whole = b'data: {"choices": [{"delta": {"content": "all"}, "finish_reason": "stop"}]}\n\n'
    faulty.shape = Shape(name="open", play=lambda _: [http() + whole, Act.STALL], ends=frozenset({"stop"}))
    provider = lab_provider(faulty)
    assert answer(provider) == ("all", Finish(reason="stop"))
    assert faulty.hung_up.wait(PATIENCE)
    provider.close()


def test_without_a_deadline_there_is_none(server):
    provider = lab_provider(server, timeouts={"answer": 0})
    assert answer(provider)[0] == "1: hi"
    provider.close()


# -- what a server does not know, and what is never read


def test_a_server_that_refuses_stream_options_is_asked_without_from_then_on(server, patient):
    server.fail(400, {"error": {"message": "Unknown parameter: 'stream_options'."}})
    assert [answer(patient)[0] for _ in range(2)] == ["2: hi", "3: hi"]
    assert ["stream_options" in request for request in server.requests] == [True, False, False]


def test_stream_options_that_the_user_has_set_are_not_taken_back(server, patient):
    server.fail(400, {"error": {"message": "Unknown parameter: 'stream_options'."}})
    _, error = failure(patient, ask(stream_options={"include_usage": True}))
    assert error.status == 400
    assert len(server.requests) == 1


def test_another_refusal_is_final(server, patient):
    server.fail(400, {"error": {"message": "no"}})
    failure(patient)
    assert len(server.requests) == 1
    assert "stream_options" in (answer(patient), server.requests[-1])[1]


@pytest.mark.parametrize("headers", [{"Content-Encoding": "gzip"}, {"Location": "/v1/elsewhere"}])
def test_a_body_that_is_refused_is_not_read(faulty, headers):
    sent = []

    def endless(_):
        yield http(status="302 Found" if "Location" in headers else "200 OK", headers=headers)
        while True:
            yield bytes(100_000)
            sent.append(100_000)

    faulty.shape = Shape(name="endless", play=endless, ends=frozenset({"error"}))
    provider = lab_provider(faulty)
    text, _ = failure(provider)
    assert text == ""
    assert faulty.hung_up.wait(PATIENCE)
    assert sum(sent) < 20_000_000  # what fits into the buffers of the connection
    provider.close()


def test_asks_side_by_side_are_each_asked_again_without_stream_options(faulty):
    together = threading.Barrier(2, timeout=PATIENCE)

    def refuse(request):
        if "stream_options" in request:
            together.wait()  # both are on their way before one is refused
            return http("application/json", "400 No"), b'{"error": {"message": "stream_options?"}}'
        return http(), b'data: {"choices": [{"delta": {"content": "fine"}, "finish_reason": "stop"}]}\n\n'

    faulty.shape = Shape(name="refuse", play=refuse, ends=frozenset({"stop"}))
    provider, said = lab_provider(faulty), []
    threads = [threading.Thread(target=lambda: said.append(answer(provider)[0])) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert said == ["fine", "fine"]
    provider.close()
