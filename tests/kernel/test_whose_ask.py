"""To which cell an ask belongs: to the one whose code asks while it runs, and else to none."""

import nbformat
import pytest

from robota_nb.frontends.headless import FrontEnd
from support.kernel import Running
from support.provider import prompts

SETUP = """
import asyncio, threading, ipywidgets

def ask(prompt):
    get_ipython().run_line_magic("robota", f"ask {prompt}")

def clicked(of):
    of.on_click(lambda _: ask("late"))
    return of

class Later:
    def __init__(self):
        self.go, self.asked = threading.Event(), threading.Thread(target=self.run)
        self.asked.start()

    def run(self):
        self.go.wait(60)
        ask("late")

    def now(self):
        self.go.set()
        self.asked.join(60)

async def when(go):
    await go.wait()
    ask("late")
"""

BEFORE = {
    "click": "button = clicked(ipywidgets.Button())",
    "interact": (
        "slider = ipywidgets.IntSlider()\nmade = ipywidgets.interactive(lambda x: ask('late') if x else None, x=slider)"
    ),
    "thread": "later = Later()",
    "task": "go = asyncio.Event()\ntask = asyncio.ensure_future(when(go))",
    "timer": (
        "go = asyncio.Event()\n"
        "asyncio.get_running_loop().call_later(0, lambda: globals().update(task=asyncio.ensure_future(when(go))))"
    ),
}
"""What the cell does that asks later, by what asks then."""

NOW = {"thread": "later.now()", "task": "go.set()\nawait task", "timer": "go.set()\nawait task"}
"""What makes it ask, which can be executed in another cell, or in none."""


@pytest.fixture(params=["a front end", "cell ids", "no cell ids"])
def run(request, kernel, tmp_path):
    """Runs cells by their numbers: as a front end does that lists them, or sends their ids, or neither."""
    if request.param == "a front end":
        cells = [nbformat.v4.new_code_cell("", id=f"cell-{number}") for number in range(6)]
        kernel.front = FrontEnd(nbformat.v4.new_notebook(cells=cells), tmp_path / "a.ipynb")
        kernel.say(kernel.front.opening())

    def run(number, source):
        return kernel.ok(source, None if request.param == "no cell ids" else f"cell-{number}")

    run.knows = request.param != "no cell ids"  # a cell that runs again; else it is a new one each time
    run(0, SETUP)
    yield run
    kernel.front = None


def said(kernel, expression, **data):
    """Say to the kernel what a page says when somebody uses a widget, and wait until that is done."""
    content = {"comm_id": kernel.value(f"{expression}.model_id"), "data": data}
    message = kernel.client.session.msg("comm_msg", content)
    kernel.client.shell_channel.send(message)
    running = Running(kernel, message["header"]["msg_id"])
    while not running.idle:
        running.next()
    return running.execution


def happens(kernel, way):
    """Have happen, while no cell runs, what the cell is prepared for."""
    if way == "click":
        said(kernel, "button", method="custom", content={"event": "click"})
    elif way == "interact":
        said(kernel, "slider", method="update", state={"value": 5}, buffer_paths=[])
    else:
        assert kernel.run(NOW[way], silent=True, store_history=False).status == "ok"


def log(kernel):
    """The prompts that the chat remembers, in order, each with a star if no cell has asked it."""
    lines = kernel.run("%robota chat log", silent=True, store_history=False).text.splitlines()
    said = [line[4:].strip() for line in lines if line[:3].strip().isdecimal()]
    return [line.replace(" · asked outside of cells", "*") for line in said]


@pytest.mark.parametrize("way", BEFORE)
def test_what_asks_after_its_cell_has_ended_belongs_to_no_cell(run, kernel, server, way):
    run(1, "%robota ask one")
    run(2, f"{BEFORE[way]}\nask('two')")
    happens(kernel, way)
    assert prompts(server) == ["one", "two", "late"]
    assert [message["content"] for message in server.requests[-1]["messages"]][::2] == ["one", "two", "late"]
    assert log(kernel) == ["one", "two", "late*"]
    if run.knows:
        run(1, "%robota ask one")
        run(2, "ask('two')")
    run(3, "%robota ask three")
    assert prompts(server) == ["one", "two", "late", "three"]  # the cells replay
    assert log(kernel) == ["one", "two", "late*", "three"]


@pytest.mark.parametrize("way", NOW)
def test_what_a_cell_has_left_behind_asks_for_no_other_cell(run, kernel, server, way):
    run(1, f"{BEFORE[way]}\nask('one')")
    run(2, f"ask('two')\n{NOW[way]}")
    assert log(kernel) == ["one", "two", "late*"]
    if run.knows:
        run(2, "ask('two')")
    assert prompts(server) == ["one", "two", "late"]
    assert log(kernel) == ["one", "two", "late*"]


@pytest.mark.parametrize("way", ["click", "thread"])
def test_the_first_ask_of_all_may_be_one_outside_of_cells(run, kernel, server, way):
    run(1, BEFORE[way])
    happens(kernel, way)
    run(2, "%robota ask two")
    if run.knows:
        run(1, BEFORE[way])
        run(2, "%robota ask two")
    assert prompts(server) == ["late", "two"]
    assert log(kernel) == ["late*", "two"]


@pytest.mark.parametrize(
    "source",
    [
        "button = ipywidgets.Button(); button.on_click(lambda _: ask('one')); button.click()",
        "ipywidgets.interact(lambda x: ask('one'), x=3);",
        "slider = ipywidgets.IntSlider(); slider.observe(lambda _: ask('one'), 'value'); slider.value = 5",
        "out = ipywidgets.Output()\n@out.capture()\ndef f(): ask('one')\nf()",
        "async def soon(): ask('one')\nawait asyncio.ensure_future(soon())",
        "asyncio.get_running_loop().call_soon(ask, 'one')\nawait asyncio.sleep(0)",
        "get_ipython().run_cell('1')\nask('one')",
        "get_ipython().run_cell('%robota ask one')",
        "get_ipython().run_cell('%%robota\\none', cell_id='cell-1')",
    ],
    ids=[
        "click",
        "interact",
        "observe",
        "capture",
        "task",
        "call_soon",
        "after run_cell",
        "run_cell",
        "its own run_cell",
    ],
)
def test_what_is_called_while_its_cell_runs_is_that_cell_s(run, kernel, server, source):
    run(1, source)
    run(2, "ask('two')")
    assert prompts(server) == ["one", "two"]
    assert log(kernel) == ["one", "two"]
    if run.knows:
        run(1, source)
        run(2, "ask('two')")
        assert prompts(server) == ["one", "two"]  # both replay
        assert log(kernel) == ["one", "two"]
        run(1, "'it asks no more'")
        assert log(kernel) == ["two"]  # and in the place of the cell
