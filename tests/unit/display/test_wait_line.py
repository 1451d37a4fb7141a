"""What is said in the place of an answer that does not come; the time is told by the tests."""

import threading
from contextvars import ContextVar

import pytest

from robota_nb.display.render import FORMATS, NotebookRenderer, TerminalRenderer
from robota_nb.display.wait_line import WaitLine, ticking
from support.patience import PATIENCE
from support.render import Clock, FrontEnd, replayed


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def shown():
    return []


@pytest.fixture
def line(shown, clock):
    return WaitLine(shown.append, lambda: "llama3", clock)


def at(line, clock, now):
    clock.now = now
    return line.line()


def test_from_two_seconds_without_a_word_it_says_whom_it_waits_for(line, clock):
    assert [at(line, clock, now) for now in (0, 1.9)] == ["", ""]
    assert at(line, clock, 2) == "waiting for llama3 · 2 s"
    assert at(line, clock, 12.2) == "waiting for llama3 · 12 s"


def test_it_says_when_the_server_was_heard_last(line, clock):
    clock.now = 9
    line.heard()
    assert at(line, clock, 10) == "waiting for llama3 · 10 s"
    assert at(line, clock, 12) == "waiting for llama3 · 12 s · last sign of life 3 s ago"


def test_while_the_model_thinks_it_says_for_how_long(line, clock):
    clock.now = 1
    line.heard(thinking=True)
    assert at(line, clock, 1.5) == "thinking · 0 s"
    clock.now = 12
    line.heard(thinking=True)
    line.heard()
    assert at(line, clock, 13) == "thinking · 12 s"


@pytest.mark.parametrize(
    ("event", "begins"),
    [(lambda _: None, "waiting for llama3 · "), (lambda line: line.heard(thinking=True), "thinking · "),
     (lambda line: line.spoke(), "")],
)  # fmt: skip
def test_after_a_long_silence_it_says_what_to_do_whatever_came_before(line, clock, event, begins):
    event(line)
    assert "nothing has come" not in at(line, clock, 29.9)
    patient, stuck = at(line, clock, 30), at(line, clock, 120)
    assert patient.startswith(begins)
    assert "nothing has come for 30 s" in patient
    assert "interrupting the kernel" in patient
    assert stuck.startswith(begins)
    assert "nothing has come for 120 s" in stuck
    assert "c.RobotaMagics.silence_timeout" in stuck
    line.heard()
    assert "nothing has come" not in at(line, clock, 121)


def test_once_text_has_come_it_says_nothing(line, clock):
    clock.now = 5
    line.spoke()
    assert at(line, clock, 20) == ""


def test_text_that_was_thoughts_was_none(line, clock):
    line.spoke()
    clock.now = 4
    line.taken_back()
    assert at(line, clock, 5) == "thinking · 5 s"


def test_a_wait_that_the_server_asks_for_is_no_silence(line, clock):
    line.delayed("the server asks to wait 40 s", 40)
    assert at(line, clock, 39) == "the server asks to wait 40 s"
    assert at(line, clock, 41) == "waiting for llama3 · 41 s"
    assert "nothing has come for 30 s" in at(line, clock, 70)


def test_what_stands_there_is_not_shown_again(line, shown, clock):
    for now in (1, 2, 2.2, 3):
        clock.now = now
        line.tick()
    line.spoke()
    line.tick()
    line.tick()
    assert shown == ["waiting for llama3 · 2 s", "waiting for llama3 · 3 s", ""]


@pytest.mark.parametrize(("name", "told"), [("a*[b](c)`<d>", "abcd"), ("", "the model"), ("x" * 99, "x" * 60)])
def test_a_name_is_no_markup(shown, clock, name, told):
    line = WaitLine(shown.append, lambda: name, clock)
    assert at(line, clock, 2) == f"waiting for {told} · 2 s"


# -- in its place


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("before", ["", "```python\nx = 1"])
def test_it_stands_below_the_text_so_far_and_is_gone_at_the_end(clock, form, before):
    front_end = FrontEnd(clock)
    renderer = NotebookRenderer(front_end, clock, form)
    assert renderer.is_live
    if before:
        renderer.feed(before)
    renderer.wait("waiting")
    [output] = front_end.saved
    text = output["data"].get("text/markdown") or output["data"]["text/plain"]
    assert text.startswith(before)
    assert text.rstrip("*").endswith("— waiting")
    renderer.wait("")
    assert "waiting" not in str(front_end.saved)
    renderer.wait("waiting again")
    renderer.feed("\n```\nend")
    renderer.finish("stop", {"turn": "e_1"})
    assert front_end.saved == replayed(before + "\n```\nend", metadata={"turn": "e_1"}, form=form)


def test_where_nothing_was_shown_nothing_is_taken_away(clock):
    front_end = FrontEnd(clock)
    renderer = NotebookRenderer(front_end, clock)
    renderer.wait("")
    renderer.clear()
    assert front_end.saved == []


def test_what_was_shown_of_no_answer_is_taken_away(clock):
    front_end = FrontEnd(clock)
    renderer = NotebookRenderer(front_end, clock)
    renderer.wait("waiting")
    renderer.clear()
    assert front_end.texts == [""]


@pytest.mark.parametrize("form", FORMATS)
def test_thoughts_that_were_shown_as_text_are_gone_at_the_end(clock, form):
    front_end = FrontEnd(clock)
    renderer = NotebookRenderer(front_end, clock, form)
    renderer.feed("Hm. So.")
    renderer.restart()
    assert "So" not in str(front_end.saved)
    renderer.feed("42")
    renderer.finish("stop", {})
    assert front_end.saved == replayed("42", form=form)


def test_a_terminal_says_that_what_was_written_was_thoughts(capsys):
    renderer = TerminalRenderer()
    assert not renderer.is_live
    renderer.feed("Hm.")
    renderer.restart()
    renderer.feed("42")
    renderer.replay("42", "stop", {})
    assert capsys.readouterr().out == "Hm.\n— so far it thought; the answer:\n42\n"


@pytest.mark.parametrize("text", ["", "<think>\nLet me see"])
def test_the_limit_that_went_into_thinking_is_told(text):
    assert "the limit went into thinking: raise max_tokens" in str(replayed(text, "length"))
    assert "the limit went into thinking" not in str(replayed(text + "</think>42", "length"))


# -- again and again


def test_it_ticks_in_the_context_of_the_caller_while_the_block_runs_and_never_after_it():
    cell: ContextVar[str] = ContextVar("cell", default="none")
    cell.set("mine")
    twice, seen = threading.Event(), []

    def tick():
        seen.append(cell.get())
        if len(seen) == 1:
            raise RuntimeError
        twice.set()

    with ticking(tick, every=0.001):
        assert twice.wait(PATIENCE)
    count = len(seen)
    assert set(seen) == {"mine"}
    assert not [thread for thread in threading.enumerate() if thread.name == "robota_nb-wait"]
    assert len(seen) == count
