"""Renderers: what is sent and when, that a replay leaves what the live answer left, and plain text for terminals."""

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

import robota_nb
from robota_nb.display.bounds import bounded
from robota_nb.display.render import BUDGET, FORMATS, INTERVAL, NotebookRenderer, TerminalRenderer, choose_renderer
from robota_nb.display.segments import LIMIT, split
from support.kernel import Client
from support.patience import PATIENCE
from support.render import Clock, FrontEnd, replayed

PARAGRAPH = "The quick brown fox jumps over the lazy dog. " * 9 + "\n\n"
REASONS = ["length", "content_filter", "tool_calls", "interrupted", "error", "unknown"]
BRIDGE = 0.1e6  # bytes a second


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def front_end(clock):
    return FrontEnd(clock)


@pytest.fixture
def renderer(front_end, clock):
    return NotebookRenderer(front_end, clock)


def stream(renderer, clock, text, *, size=100, rate=95):
    for start in range(0, len(text), size):
        renderer.feed(text[start : start + size])
        clock.now += 1 / rate


# -- what is shown


def test_the_first_delta_is_shown_at_once(renderer, front_end):
    renderer.feed("H")
    assert front_end.texts == ["H"]


def test_updates_are_ten_a_second(renderer, front_end, clock):
    for _ in range(1000):
        renderer.feed("x")
        clock.now += 0.005
    times = [time for time, _ in front_end.sent]
    assert min(b - a for a, b in pairwise(times)) >= INTERVAL - 1e-9
    assert len(times) >= 45  # in five seconds


def test_the_last_text_arrives_though_no_update_was_due(renderer, front_end):
    for word in ("Hello", ", ", "world", "!"):
        renderer.feed(word)
    assert front_end.texts == ["Hello"]
    renderer.finish("stop", {})
    assert front_end.texts == ["Hello, world!"]


def test_markdown_alone_and_provenance_in_the_metadata_of_the_last_output(renderer, front_end):
    metadata = {"turn": "e_1", "model": "m", "finish_reason": "stop"}
    renderer.feed(PARAGRAPH * 30)
    renderer.finish("stop", metadata)
    *others, last = front_end.saved
    assert len(others) == 2
    assert all(
        output["metadata"] == {"robota_nb": {}} and list(output["data"]) == ["text/markdown"] for output in others
    )
    assert last["metadata"] == {"robota_nb": metadata}
    assert list(last["data"]) == ["text/markdown"]
    assert "".join(front_end.texts) == PARAGRAPH * 30


def test_what_a_segment_hands_on_is_not_gone_until_the_next_update(renderer, front_end, clock):
    renderer.feed(PARAGRAPH * 11 + "The next")
    clock.now += 1
    renderer.feed(" one")
    assert front_end.texts == [PARAGRAPH * 11 + "The next one"]
    renderer.feed(" begins.\n")
    assert front_end.texts == [PARAGRAPH * 11, "The next one begins.\n"]


def test_lone_surrogates_never_reach_the_notebook(renderer, front_end):
    for delta in ("a\ud83d", "\ude00b", "c\udc80"):
        renderer.feed(delta)
    renderer.finish("stop", {})
    assert front_end.texts == ["a😀bc\ufffd"]
    assert front_end.saved == replayed("a\ud83d\ude00bc\udc80")


def test_link_definitions_reach_segments_that_were_final(renderer, front_end):
    text = "See [this].\n\n" + PARAGRAPH * 12 + "[this]: http://example.org\n"
    renderer.feed(text)
    renderer.finish("stop", {})
    assert front_end.texts[0].endswith("\n\n[this]: http://example.org")
    assert front_end.saved == replayed(text)


# -- how it ended


@pytest.mark.parametrize("reason", REASONS)
def test_an_answer_that_did_not_end_says_how_in_one_line(reason, renderer, front_end):
    renderer.feed("Half a sen")
    renderer.finish(reason, {"finish_reason": reason})
    body, note = front_end.texts[0].split("\n\n")
    assert body == "Half a sen"
    assert note.startswith("*— ")
    assert note.endswith("*")
    assert "\n" not in note
    assert front_end.saved == replayed("Half a sen", reason, {"finish_reason": reason})


def test_the_notes_differ():
    assert len({replayed("x", reason)[0]["data"]["text/markdown"] for reason in REASONS}) == len(REASONS)


def test_a_reason_of_a_newer_version_is_shown_as_unknown():
    assert replayed("x", "novel") == replayed("x", "unknown")


def test_the_note_stands_after_the_code_that_was_cut(renderer, front_end):
    renderer.feed("```python\nx = 1")
    renderer.finish("length", {})
    assert front_end.texts == ["```python\nx = 1\n```\n\n*— cut off at the length limit*"]


@pytest.mark.parametrize("text", ["", "\n", "  \n\n"])
def test_an_empty_answer_says_so(text):
    [output] = replayed(text, metadata={"turn": "e_1"})
    assert output["data"]["text/markdown"].strip() == "*— the answer is empty*"
    assert output["metadata"] == {"robota_nb": {"turn": "e_1"}}


# -- a replay leaves what the live answer left

BLOCKS = [
    "word " * 200,
    "```\n" + "code\n\n" * 300 + "```",
    "- item\n" * 100,
    "see [a]",
    "[a]: http://a",
    "# H",
    "",
    "$$",
    '{"a": [1, 2]}',
    "```json\n[0.5]\n```",
    "plain line of text\n" * 300,
    "red \x1b[31m and \x1b]0;x\n",
]


@given(
    st.lists(st.sampled_from(BLOCKS), max_size=8).map("\n\n".join),
    st.lists(st.tuples(st.integers(5, 700), st.sampled_from([0.0, 0.01, 0.2, 5.0])), min_size=1, max_size=30),
    st.sampled_from(["stop", *REASONS]),
    st.sampled_from(FORMATS),
)
def test_live_and_replay_leave_the_same_outputs(text, pace, reason, form):
    clock = Clock()
    front_end = FrontEnd(clock)
    renderer = NotebookRenderer(front_end, clock, form)
    rest = text
    while rest:
        size, pause = pace[len(rest) % len(pace)]
        renderer.feed(rest[:size])
        rest = rest[size:]
        clock.now += pause
    metadata = {"turn": "e_1", "finish_reason": reason}
    renderer.finish(reason, metadata)
    assert front_end.saved == replayed(text, reason, metadata, form)
    if form in ("markdown", "code") and bounded(text) == text:  # else its end is not shown
        assert len(front_end.saved) == len(split(text))


def test_after_an_interrupt_the_outputs_settle_to_the_recorded_text(renderer, front_end):
    renderer.feed("one ")
    renderer.replay("one two", "interrupted", {})  # "two " was recorded, and the interrupt struck before feed()
    assert front_end.saved == replayed("one two", "interrupted")


@pytest.mark.parametrize("form", FORMATS)
def test_a_wait_is_shown_until_the_text_takes_its_place(clock, form):
    front_end = FrontEnd(clock)
    renderer = NotebookRenderer(front_end, clock, form)
    renderer.wait("waiting 5 s")
    assert "waiting 5 s" in json.dumps(front_end.saved)
    clock.now += 5
    renderer.feed("one")
    assert "waiting" not in json.dumps(front_end.saved)
    renderer.finish("stop", {})
    assert front_end.saved == replayed("one", form=form)


def test_a_terminal_has_a_line_for_a_wait(paper):
    renderer = TerminalRenderer(paper)
    renderer.wait("waiting 5 s")
    renderer.feed("one")
    renderer.finish("stop", {})
    assert str(paper) == "— waiting 5 s\none\n"


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("text", ["one", "", PARAGRAPH * 60, '{"a": [1]}'])
def test_at_the_end_each_output_is_sent_once_as_a_replay_sends_it(clock, form, text):
    front_end = FrontEnd(clock)
    renderer = NotebookRenderer(front_end, clock, form, at_end=True)
    assert not renderer.wait("waiting 5 s")
    stream(renderer, clock, text)
    assert front_end.sent == []
    renderer.finish("stop", {"turn": "e_1"})
    assert len(front_end.sent) == len(front_end.saved)
    assert front_end.saved == replayed(text, metadata={"turn": "e_1"}, form=form)


def test_at_the_end_a_terminal_has_the_whole_answer_once(paper):
    renderer = TerminalRenderer(paper, at_end=True)
    renderer.feed("one ")
    renderer.feed("two")
    assert str(paper) == ""
    renderer.replay("one two", "stop", {})
    assert str(paper) == "one two\n"
    renderer.feed("three")
    renderer.finish("length", {})
    assert str(paper) == "one two\nthree\n\n— cut off at the length limit\n"


def test_an_interrupt_while_publishing_loses_nothing(clock):
    front_end = FrontEnd(clock)
    strikes = iter([True])

    def publish(*output):
        if next(strikes, False):
            raise KeyboardInterrupt
        front_end(*output)

    renderer = NotebookRenderer(publish, clock)
    with pytest.raises(KeyboardInterrupt):
        renderer.feed("one")
    renderer.finish("interrupted", {})
    assert front_end.saved == replayed("one", "interrupted")


# -- traffic


def busiest_second(sent):
    """The most bytes in any window of one second, and the biggest message."""
    most = start = total = 0
    for time, size in sent:
        total += size
        while sent[start][0] <= time - 1:
            total -= sent[start][1]
            start += 1
        most = max(most, total)
    return most, max(size for _, size in sent)


def paid(sent):
    """Whether after each message the budget for it goes by; 5 % for what JSON adds to the text."""
    return all(time - before >= 0.95 * size / BUDGET for (before, size), (time, _) in pairwise(sent))


def test_one_endless_paragraph_never_takes_more_than_a_bridge_bears(renderer, front_end, clock):
    text = "x" * 99 + " "
    stream(renderer, clock, text * 990)
    renderer.finish("stop", {})
    assert busiest_second(front_end.sent)[0] <= BRIDGE
    assert "".join(front_end.texts) == text * 990


def test_an_endless_block_that_cannot_be_cut_stays_within_the_budget(renderer, front_end, clock):
    text = "x" * 100
    stream(renderer, clock, text * 990)
    sent = front_end.sent
    assert len(sent) > 5
    assert busiest_second(sent)[0] <= BRIDGE  # each is paid before the next is sent
    assert paid(sent)
    assert sum(size for _, size in sent[:-1]) <= BUDGET * clock.now
    renderer.finish("stop", {})
    assert front_end.texts == [text * 990]


@pytest.mark.parametrize("rate", [5, 95, 1000])
def test_paragraphs_at_any_speed(rate, renderer, front_end, clock):
    stream(renderer, clock, PARAGRAPH * 240, size=40, rate=rate)
    renderer.finish("stop", {})
    most, _ = busiest_second(front_end.sent)
    assert most <= BRIDGE + 2 * 40 * rate + 2 * LIMIT  # beyond the budget only the text itself, as segments close
    assert "".join(front_end.texts) == PARAGRAPH * 240


def test_traffic_of_100_kb_at_full_speed(renderer, front_end):
    text = PARAGRAPH * (100_000 // len(PARAGRAPH))
    for start in range(0, len(text), 10):
        renderer.feed(text[start : start + 10])
    renderer.finish("stop", {"turn": "e_1"})
    assert len(front_end.sent) <= 250
    assert sum(size for _, size in front_end.sent) <= 0.5e6
    assert "".join(front_end.texts) == text


def test_wide_characters_count_as_bytes(renderer, front_end, clock):
    stream(renderer, clock, "日本語" * 20_000, size=30)
    assert paid(front_end.sent)


# -- terminals


class Paper:
    def __init__(self):
        self.pieces = []

    def __call__(self, piece):
        self.pieces.append(piece)

    def __str__(self):
        return "".join(self.pieces)


@pytest.fixture
def paper():
    return Paper()


def written(*deltas, reason="stop"):
    paper = Paper()
    renderer = TerminalRenderer(paper)
    for delta in deltas:
        renderer.feed(delta)
    renderer.finish(reason, {"turn": "e_1"})
    return str(paper)


def test_a_terminal_streams(paper):
    renderer = TerminalRenderer(paper)
    renderer.feed("Hel")
    renderer.feed("lo")
    assert paper.pieces == ["Hel", "lo"]
    renderer.finish("stop", {})
    assert str(paper) == "Hello\n"


def test_a_terminal_says_how_it_ended(paper):
    assert written("a\tb\n") == "a\tb\n"
    assert written("a", reason="length") == "a\n\n— cut off at the length limit\n"
    assert written("a\n", reason="length") == "a\n\n— cut off at the length limit\n"
    assert written() == "— the answer is empty\n"
    assert written("a \ud83d") == "a \ufffd\n"
    TerminalRenderer(paper).replay("a", "interrupted", {})
    assert str(paper) == written("a", reason="interrupted")


SEQUENCES = {
    "colour": "\x1b[1;31m",
    "clear": "\x1b[2J",
    "private": "\x1b[?1049h",
    "intermediate": "\x1b[0 q",
    "C1 CSI": "\x9b31m",
    "title, BEL": "\x1b]0;title\x07",
    "link, ST": "\x1b]8;;http://evil\x1b\\",
    "clipboard, C1": "\x9d52;c;ZXZpbA==\x9c",
    "device control": "\x1bPq#0\x1b\\",
    "application": "\x1b_G\x1b\\",
    "reset": "\x1bc",
    "charset": "\x1b(0",
    "C0": "\x00\x07\x08\x0b\x0c\r\x0e\x7f",
    "C1": "\x80\x84\x85\x99",
    "cancelled": "\x1b]0;x\x18",
    "in each other": "\x1b[1\x1b]0;x\x07",
}


@pytest.mark.parametrize("sequence", SEQUENCES.values(), ids=SEQUENCES)
def test_control_sequences_are_stripped_wherever_they_are_cut(sequence):
    text = f"a\t{sequence}b é🎉"
    for cut in range(len(text) + 1):
        assert written(text[:cut], text[cut:]) == "a\tb é🎉\n"
    assert written(*text) == "a\tb é🎉\n"


def test_a_sequence_without_an_end_takes_no_more_than_its_line():
    assert written("a\x1b]0;hidden\nb") == "a\nb\n"
    assert written("a\x1b[31\nb") == "a\nb\n"
    assert written("a\x1b") == "a\n"


@given(st.lists(st.text(alphabet="\x1b[]0;m\\\x07\x9b\x9d\x9c\r\n\ta \x18(", max_size=8), max_size=8))
def test_no_control_character_ever_leaks(deltas):
    text = written(*deltas)
    assert not set(text) & {chr(code) for code in [*range(9), *range(11, 32), *range(127, 160)]}
    assert text == written("".join(deltas))


# -- shells


def test_a_shell_without_a_kernel_is_a_terminal():
    assert isinstance(choose_renderer(None), TerminalRenderer)
    assert isinstance(choose_renderer(SimpleNamespace()), TerminalRenderer)
    assert isinstance(choose_renderer(SimpleNamespace(kernel=None)), TerminalRenderer)


def test_a_kernel_gets_display_messages():
    sent = []
    publisher = SimpleNamespace(publish=lambda **message: sent.append(message))
    renderer = choose_renderer(SimpleNamespace(kernel=object(), display_pub=publisher, get_parent=dict))
    renderer.feed("a")
    renderer.finish("stop", {"turn": "e_1"})
    display, update = sent
    assert display["update"] is False
    assert update["update"] is True
    assert display["transient"] == update["transient"]
    assert display["data"] == update["data"] == {"text/markdown": "a"}
    assert update["metadata"] == {"robota_nb": {"turn": "e_1"}}


def test_importing_the_room_loads_no_ipython():
    code = "import sys, robota_nb.display.render; print('IPython' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env=child_env(), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def child_env():
    """An environment in which a child imports the package that this process has imported."""
    home = str(Path(robota_nb.__file__).parents[1])
    if "site-packages" in home:
        return dict(os.environ)
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH")]))}


class Observer(Client):
    """A front end that keeps count of the output messages."""

    def process_message(self, msg, cell, cell_index):
        if msg["msg_type"] in {"display_data", "update_display_data"}:
            self.seen.append(len(json.dumps(msg, default=str)))
        return super().process_message(msg, cell, cell_index)


def test_in_a_real_kernel():
    paragraph = PARAGRAPH
    text = paragraph * (100_000 // len(paragraph))
    choose = "from robota_nb.display.render import choose_renderer\nrenderer = choose_renderer(get_ipython())\n"
    live = f"""{choose}
text = {paragraph!r} * {len(text) // len(paragraph)}
for start in range(0, len(text), 10):
    renderer.feed(text[start:start + 10])
renderer.finish("length", {{"turn": "e_1"}})"""
    replay = f"""{choose}
renderer.replay(text, "length", {{"turn": "e_1"}})"""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in (live, replay)])
    client = Observer(notebook, kernel_name="python3", timeout=PATIENCE)
    client.seen = []
    with client.setup_kernel(env=child_env()):
        client.execute_cell(notebook.cells[0], 0)
        assert len(text) > 99_000
        assert len(client.seen) <= 250
        assert sum(client.seen) <= 0.5e6
        client.execute_cell(notebook.cells[1], 1)
    first, second = (cell.outputs for cell in notebook.cells)
    assert "".join(output.data["text/markdown"] for output in first) == f"{text}\n\n*— cut off at the length limit*"
    assert first == second
    assert first[-1].metadata == {"robota_nb": {"turn": "e_1"}}
    nbformat.validate(notebook)
