"""Servers that fail and users who stop them, in a real kernel: nothing is lost, nothing is made up, nothing hangs."""

import threading

import pytest

from support.failures import assert_discreet, failed
from support.patience import PATIENCE
from support.provider import CANARY, prompts

AT_ONCE = {"x-should-retry": "false"}  # else it would be asked again after a wait


@pytest.fixture
def canary(kernel, server):
    """A kernel whose key must not turn up anywhere."""
    kernel.ok(f"import os; os.environ['OPENAI_API_KEY'] = {CANARY!r}")
    yield kernel
    kernel.ok(f"os.environ['OPENAI_API_KEY'] = {server.api_key!r}")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
def test_a_refused_ask_leaves_nothing_and_the_next_one_works(canary, server, status):
    canary.ok("%%robota\none")
    server.fail(status, {"error": {"message": f"no: {CANARY} and {CANARY[:9]}...{CANARY[-4:]}"}}, headers=AT_ONCE)
    cell = failed(canary, "%%robota\ntwo")
    assert f"HTTP {status}" in cell.error["evalue"]
    assert cell.shown == []
    assert_discreet(canary.ok("%%robota\nthree"))
    assert prompts(server) == ["one", "three"]
    assert "two" not in canary.ok("%robota chat log").text


def test_all_that_a_server_says_stands_below_an_error_whose_line_has_no_room_for_it(kernel, server):
    words = "word " * 97 + "end."
    server.fail(400, {"error": {"message": words}})
    error = kernel.run("%%robota\nhi").error
    assert len(error["evalue"]) < 500
    assert error["traceback"] == [f"ProviderError: {error['evalue']}", f"It said: {words}"]


def test_the_key_is_in_no_variable_history_or_traceback(canary, server):
    server.fail(401, {"error": {"message": f"Incorrect API key provided: {CANARY}"}}, headers=AT_ONCE)
    assert_discreet(canary.run("%config RobotaMagics.short_errors = False"))
    assert_discreet(canary.run("%xmode Verbose"))
    assert_discreet(canary.run("%%robota\nhello"))
    assert_discreet(canary.run("%tb"))
    assert_discreet(canary.run("%config RobotaMagics.short_errors = True\n%xmode Context"))
    assert_discreet(canary.run("%robota\n%robota chat list\n%robota snapshot show"))


def test_a_connection_that_breaks_keeps_what_had_arrived(kernel, server):
    server.chunks = [f"word{n} " for n in range(9)]
    server.cut(after=4)
    cell = failed(kernel, "%%robota\ntell me", "ProviderError")
    (answer,) = cell.shown
    assert answer.startswith("word0 word1 word2 word3")
    assert "the answer broke off; %robota chat retry asks again" in answer
    assert " · error" in kernel.ok("%robota chat log").text
    kernel.ok("%%robota\nand then")
    # What arrived is part of the conversation: the user has seen it.
    assert [message["content"] for message in server.requests[-1]["messages"]] == [
        "tell me", "word0 word1 word2 word3 \n\n[broken off by an error]", "and then",
    ]  # fmt: skip


def test_a_broken_answer_is_asked_again_when_its_cell_runs_again(kernel, server):
    server.chunks = ["a ", "b ", "c"]
    server.cut(after=1)
    kernel.run("%%robota\ntell me", "cell-a")
    assert kernel.ok("%%robota\ntell me", "cell-a").answer == "a b c"
    assert prompts(server) == ["tell me"]
    kernel.ok("%%robota\nand then", "cell-b")
    assert prompts(server) == ["tell me", "and then"]


def test_a_stream_that_just_ends_is_not_called_complete(kernel, server):
    server.end("clean")
    cell = kernel.ok("%%robota -o turn\nhello")
    assert cell.answer.startswith("1: hello")
    assert "without saying that it was complete" in cell.answer
    assert cell.outputs[0]["metadata"]["robota_nb"]["finish_reason"] == "unknown"
    assert kernel.value("(turn.text, turn.finish_reason)") == ("1: hello", "unknown")
    assert " · unknown" in kernel.ok("%robota chat log").text


def test_an_answer_that_was_cut_off_says_so(kernel, server):
    server.end("length")
    cell = kernel.ok("%%robota -o turn\nhello")
    assert "cut off at the length limit" in cell.answer
    assert kernel.value("turn.text") == "1: hello"


@pytest.mark.parametrize("misbehave", ["html", "empty"])
def test_what_is_no_answer_is_an_error(kernel, server, misbehave):
    getattr(server, misbehave)()
    assert failed(kernel, "%%robota\nhello").shown == []
    assert kernel.ok("%%robota\nhello").answer == "2: hello"
    assert prompts(server) == ["hello"]


def test_an_error_inside_the_stream_keeps_what_had_arrived(kernel, server):
    server.chunks = ["a ", "b ", "c"]
    server.error("overloaded", after=2)
    cell = failed(kernel, "%%robota\nhello")
    assert cell.shown[0].startswith("a b")
    assert "overloaded" in cell.error["evalue"]


def test_a_server_that_is_not_there_is_named_by_its_alias_alone(kernel, server, unused_port):
    endpoint = {"base_url": f"http://127.0.0.1:{unused_port}/v1", "model": "m"}
    kernel.ok(f"%config RobotaMagics.endpoints = {{'gone': {endpoint!r}}}")
    cell = failed(kernel, "%%robota --provider gone\nhello")
    assert "'gone'" in cell.error["evalue"]
    assert str(unused_port) not in cell.error["evalue"]
    assert kernel.ok("%%robota\nhello").answer == "1: hello"
    assert prompts(server) == ["hello"]


@pytest.fixture
def unused_port():
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        yield free.getsockname()[1]  # bound, and nobody listens


# -- interrupts


@pytest.fixture
def stopped(kernel, server):
    """Interrupts an answer after its k-th chunk has been shown; returns the execution."""

    def stop(code, cell_id=None, after=3):
        server.chunks = [f"word{n} " for n in range(20)]
        server.gate, server.gate_after = threading.Event(), after
        running = kernel.begin(code, cell_id)
        running.shows(f"word{0}")  # the first display comes at once; later ones when they are due
        kernel.interrupt()
        cell = running.finish()
        assert server.hung_up.wait(PATIENCE), "the connection was not closed"
        server.gate = server.chunks = None
        return cell

    return stop


@pytest.mark.parametrize("after", [1, 3, 7])
def test_an_interrupt_keeps_and_marks_what_had_arrived(kernel, server, stopped, after):
    cell = stopped("%%robota\nlong story", "cell-a", after)
    assert cell.status == "error"
    error = cell.error
    assert error["ename"] == "Interrupted"
    assert error["traceback"] == [f"Interrupted: {error['evalue']}"]
    (answer,) = cell.shown
    assert answer.startswith("word0 ")
    assert "interrupted" in answer
    assert " · interrupted" in kernel.ok("%robota chat log").text
    (carried,) = (out["metadata"]["robota_nb"] for out in cell.outputs if out.get("metadata"))
    assert carried["finish_reason"] == "interrupted"
    # What is shown is what is recorded.
    entries = [entry for session in carried["sessions"].values() for entry in session.values()]
    (text,) = ("".join(e["content"]) for e in entries if e.get("role") == "assistant")
    assert answer == f"{text}\n\n*— interrupted; %robota chat retry asks again*"


def test_after_an_interrupt_the_chat_goes_on(kernel, server, stopped):
    stopped("%%robota\nlong story", "cell-a")
    assert kernel.ok("%%robota\nshort story", "cell-b").answer == "2: short story"
    assert prompts(server) == ["long story", "short story"]


def test_running_an_interrupted_cell_again_asks_again(kernel, server, stopped):
    stopped("%%robota\nlong story", "cell-a")
    assert kernel.ok("%%robota\nlong story", "cell-a").answer == "2: long story"
    assert prompts(server) == ["long story"]


def test_an_interrupt_stops_what_would_run_next(kernel, server):
    server.chunks, server.gate, server.gate_after = ["a ", "b"], threading.Event(), 1
    first = kernel.begin("%%robota\none", stop_on_error=True)
    second = kernel.begin("%%robota\ntwo")
    first.shows("a")
    kernel.interrupt()
    assert first.finish().status == "error"
    assert second.finish().status == "aborted"
    assert len(server.requests) == 1


def test_an_interrupt_before_the_first_word_leaves_nothing(kernel, server):
    server.gate, server.gate_after = threading.Event(), 0
    asked = threading.Event()
    server.reply = lambda body: asked.set() or "never"
    running = kernel.begin("%%robota\nhello")
    assert asked.wait(PATIENCE)
    kernel.interrupt()
    cell = running.finish()
    assert cell.error["ename"] in ("Interrupted", "KeyboardInterrupt")
    assert cell.shown == []
    server.gate = server.reply = None
    assert kernel.ok("%%robota\nhello again").answer == "2: hello again"
    assert prompts(server) == ["hello again"]
