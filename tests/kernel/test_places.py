"""Wherever an answer is shown, it stands there once, whole, and a replay leaves the same."""

import os
import subprocess
import sys
import threading
from importlib.util import find_spec

import nbformat
import pytest

from robota_nb.frontends.headless import FrontEnd
from support.notebook import content, outputs, run, value, write
from support.provider import prompts
from support.require import require

SETUP = """
import ipywidgets
from IPython.utils.capture import capture_output

def ask(prompt):
    get_ipython().run_line_magic("robota", f"ask {prompt}")
"""

HELD = {
    "with out": "out = ipywidgets.Output()\ndisplay(out)\nwith out:\n    ask('{0}')",
    "out.capture": "out = ipywidgets.Output()\ndisplay(out)\n@out.capture()\ndef f(): ask('{0}')\nf()",
    "one in another": (
        "out, inner = ipywidgets.Output(), ipywidgets.Output()\ndisplay(out, inner)\nwith out, inner:\n    ask('{0}')"
    ),
    "interact": "ipywidgets.interact(lambda x: ask('{0}'), x=ipywidgets.fixed(1));",
    "interactive": "ipywidgets.interactive(lambda x: ask('{0}'), x=5)",
    "a click": (
        "out, button = ipywidgets.Output(), ipywidgets.Button()\ndisplay(out)\n"
        "button.on_click(out.capture()(lambda _: ask('{0}')))\nbutton.click()"
    ),
}
"""Where a widget holds the answer."""

ADDRESSED = "what was caught, displayed"
"""There IPython adds the object's address, which is another one each time."""

CAUGHT = {
    "capture_output": "with capture_output() as caught:\n    ask('{0}')\ncaught.show()",
    ADDRESSED: "with capture_output() as caught:\n    ask('{0}')\ndisplay(*caught.outputs)",
    "caught twice": (
        "with capture_output() as caught:\n    with capture_output() as inner:\n        ask('{0}')\n    inner.show()\n"
        "caught.show()"
    ),
}
"""Where IPython holds it, until it is shown."""

SAID = {
    "at-end": "%robota ask --at-end {0}",
    "at-end of a cell": "%%robota --at-end\n{0}",
    "setting": (
        "%config RobotaMagics.show_while_streaming = False\nask('{0}')\n"
        "%config RobotaMagics.show_while_streaming = True"
    ),
}
"""Where the user says so."""

WAYS = {**HELD, **CAUGHT, **SAID}

IGNORED = "# NBVAL_IGNORE_OUTPUT"
"""nbval knows of no widgets, and takes what one holds for the cell's."""

STREAMED = {
    "a cell": "%%robota\n{0}",
    "a click": "button = ipywidgets.Button()\nbutton.on_click(lambda _: ask('{0}'))\nbutton.click()",
    "capture without display": "%%capture --no-display\n%robota ask {0}",
    "an Output that was left": "out = ipywidgets.Output()\nwith out:\n    pass\nask('{0}')",
}

TOLD = """
from robota_nb.core.events import TextArrived
app = __import__("robota_nb.kernel.extension").kernel.extension._HOOKED[get_ipython()].app()
told = lambda event: display({"text/markdown": "arrived"}, raw=True) if isinstance(event, TextArrived) else None
app.manager.subscribe(told)
"""
"""Says in the cell that text has arrived."""

WORDS = [f"word{number} " for number in range(40)]
LONG = ["A paragraph. " * 40 + "\n\n"] * 40
"""So long that it takes several outputs."""


def shown(execution):
    """The messages that show answers: the kind of each, its text, and its turn."""
    return [
        (message["msg_type"], message["content"]["data"]["text/markdown"], turn(message["content"]))
        for message in execution.messages
        if "text/markdown" in message["content"].get("data", {})
    ]


def turn(output):
    return output["metadata"].get("robota_nb", {}).get("turn")


@pytest.fixture
def setup(kernel):
    kernel.ok(SETUP, "cell-0")
    return kernel


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("chunks", [WORDS, LONG], ids=["one output", "several"])
def test_an_answer_is_sent_once_and_whole_live_and_replayed(setup, server, way, chunks):
    server.chunks = chunks
    source = WAYS[way].format("one")
    live = shown(setup.ok(source, "cell-1"))
    assert {kind for kind, _, _ in live} == {"display_data"}
    assert "".join(text for _, text, _ in live) == "".join(chunks)
    assert (len(live) > 1) == (chunks is LONG)
    assert [bool(turn) for _, _, turn in live] == [False] * (len(live) - 1) + [True]
    assert shown(setup.ok(source, "cell-1")) == live
    assert prompts(server) == ["one"]


@pytest.mark.parametrize("way", STREAMED)
def test_an_answer_streams_where_the_cell_shows_it(setup, server, way):
    server.chunks = WORDS
    live = shown(setup.ok(STREAMED[way].format("one"), "cell-1"))
    assert [kind for kind, _, _ in live][:1] == ["display_data"]
    assert {kind for kind, _, _ in live[1:]} == {"update_display_data"}
    assert live[-1][1] == "".join(WORDS)


def test_what_capture_has_caught_is_shown_in_another_cell(setup, server):
    server.chunks = WORDS
    assert shown(setup.ok("%%capture caught\n%robota ask one", "cell-1")) == []
    live = shown(setup.ok("caught.show()", "cell-2"))
    assert [(kind, text) for kind, text, _ in live] == [("display_data", "".join(WORDS))]
    assert shown(setup.ok("%%capture caught\n%robota ask one", "cell-1")) == []
    assert shown(setup.ok("caught.show()", "cell-2")) == live
    assert prompts(server) == ["one"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_every_format_is_shown_once_at_the_end(setup, server, form):
    server.chunks = ['{"a": ', "[1, 2]", "}"]
    execution = setup.ok(f"%robota ask --at-end --format {form} one", "cell-1")
    kinds = [message["msg_type"] for message in execution.messages if "data" in message["content"]]
    assert kinds == ["display_data"]
    assert execution.outputs[0]["data"]["text/plain"] == "".join(server.chunks)


def test_a_turn_that_was_shown_elsewhere_is_shown_again_where_it_is_the_result(setup):
    execution = setup.ok("with capture_output():\n    turn = get_ipython().run_line_magic('robota', 'ask one')\nturn")
    assert execution.answer == "1: one"
    assert setup.ok("out = ipywidgets.Output()\nwith out:\n    display(turn)").answer == "1: one"


def test_what_an_interrupt_cuts_is_shown_once_as_it_is_kept(setup, server):
    server.chunks, server.gate = ["begun ", "never said"], threading.Event()
    source = "out = ipywidgets.Output()\nwith out:\n    ask('one')"
    running = setup.begin(f"{TOLD}\n{source}", "cell-1")
    running.shows("arrived")
    setup.interrupt()
    (output,) = shown(running.finish())[1:]
    server.gate.set()
    assert output[:1] == ("display_data",)
    assert output[1].startswith("begun")
    assert "interrupted" in output[1]


def test_the_page_may_say_that_its_outputs_are_not_updated(kernel, server, tmp_path):
    server.chunks = WORDS
    front = kernel.front = FrontEnd(nbformat.v4.new_notebook(), tmp_path / "a.ipynb")
    try:
        kernel.say({**front.opening(), "updates": False})
        assert [kind for kind, _, _ in shown(kernel.ok("%%robota\none", "cell-1"))] == ["display_data"]
        kernel.say(front.opening())
        assert "update_display_data" in [kind for kind, _, _ in shown(kernel.ok("%%robota\ntwo", "cell-2"))]
    finally:
        kernel.front = None


# -- in files


def held(path):
    """The answers in the widgets of a notebook: of each widget that holds any."""
    states = content(path)["metadata"]["widgets"]["application/vnd.jupyter.widget-state+json"]["state"].values()
    outputs = [state["state"].get("outputs", ()) for state in states]
    return [
        ["".join(output["data"]["text/markdown"]) for output in one if "text/markdown" in output.get("data", {})]
        for one in outputs
        if one
    ]


@pytest.mark.slow("runs a notebook three times, once under nbval")
def test_a_notebook_keeps_each_answer_once_and_replays_it_without_a_server(connected, server, monkeypatch):
    require("nbval", find_spec("nbval"), "pip install '.[test]'")
    here = [source for way, source in {**CAUGHT, **SAID, **STREAMED}.items() if way != ADDRESSED]
    cells = [source.format(f"here {number}") for number, source in enumerate(here)]
    inside = [f"{IGNORED}\n{source.format(f'held {number}')}" for number, source in enumerate(HELD.values())]
    path = write(connected / "a.ipynb", "%load_ext robota_nb", SETUP, *cells, *inside)
    server.reply = lambda body: [*WORDS, body["messages"][-1]["content"]]
    run(path)
    asked = prompts(server)
    assert len(asked) == len(cells) + len(inside)
    shown = [["".join(one["data"]["text/markdown"]) for one in cell] for cell in outputs(path)[2 : 2 + len(here)]]
    assert shown == [["".join(WORDS) + f"here {number}"] for number in range(len(cells))]
    assert sorted(held(path)) == sorted(["".join(WORDS) + f"held {number}"] for number in range(len(inside)))
    before, record = outputs(path), value(path)
    run(path)
    assert prompts(server) == asked
    assert outputs(path)[: -len(inside)] == before[: -len(inside)]
    assert value(path) == record
    assert sorted(held(path)) == sorted(["".join(WORDS) + f"held {number}"] for number in range(len(inside)))
    monkeypatch.delenv("OPENAI_API_KEY")
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval", path.name]
    done = subprocess.run(words, cwd=path.parent, env=os.environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert prompts(server) == asked
