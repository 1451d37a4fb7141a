"""Wherever a page shows an answer, it stands there once, whole, live and replayed: in widgets, caught, and by a click.

``ROBOTA_NB_DOCUMENTS_PYTHON`` names a Python with robota_nb, jupyterlab and jupyter-server-documents.
"""

import os

import pytest

from support.jupyter import IN_BOTH, JupyterServer
from support.notebook import write
from support.page import PANEL, SHOWN, Notebook
from support.provider import prompts
from support.require import require

pytestmark = pytest.mark.slow("drives real applications in a browser")

SETUP = """%load_ext robota_nb
import ipywidgets
def ask(prompt):
    get_ipython().run_line_magic("robota", f"ask {prompt}")"""
CELLS = [
    SETUP,
    "out = ipywidgets.Output()\ndisplay(out)\nwith out:\n    ask('one')",
    "ipywidgets.interact(lambda x: ask('two'), x=ipywidgets.fixed(1));",
    "%%capture caught\n%robota ask three",
    "caught.show()",
    "%%robota --at-end\nfour",
    "%%robota\nfive",
]
BUTTON = (
    "late, button = ipywidgets.Output(), ipywidgets.Button(description='Ask')\n"
    "button.on_click(late.capture()(lambda _: ask('late')))\ndisplay(button, late)"
)
BUTTON_CELL = len(CELLS)
WORDS = [f"word{number} " for number in range(20)]
LINE = "robota-answer-line"

PYTHON = os.environ.get("ROBOTA_NB_DOCUMENTS_PYTHON")


@pytest.fixture
def slow_server(server):
    """The model server; an answer takes a second, so that it is shown in many pieces where it streams."""
    server.reply, server.per_second = (lambda body: [*WORDS, body["messages"][-1]["content"]]), 20
    return server


def stand(notebook, number, *wanted):
    """Wait until a cell, its widgets too, shows just these answers."""
    texts = ["".join(WORDS) + prompt for prompt in wanted]
    notebook.cell(number).scroll_into_view_if_needed()
    notebook.page.wait_for_function(
        f"""([cell, texts]) => {{
            const shown = [...cell.querySelectorAll('.jp-RenderedMarkdown')].map({SHOWN});
            return JSON.stringify(shown) === JSON.stringify(texts);
        }}""",
        arg=[notebook.cell(number).element_handle(), texts],
    )


def execute(notebook, number):
    """Have a cell executed, without waiting for it."""
    notebook.page.evaluate(
        f"""number => {{
            {PANEL}.content.activeCellIndex = number;
            void window.jupyterapp.commands.execute('notebook:run-cell');
        }}""",
        number,
    )


def all_stand(notebook):
    for number, wanted in enumerate([[], ["one"], ["two"], [], ["three"], ["four"], ["five"]]):
        stand(notebook, number, *wanted)


@IN_BOTH
def test_an_answer_stands_once_and_whole_in_widgets_and_where_what_was_caught_is_shown(
    jupyter, opened, work, slow_server
):
    notebook = opened(write(work / "places.ipynb", *CELLS, BUTTON))
    notebook.run()
    all_stand(notebook)
    notebook.cell(5).locator(LINE, has_text="asked").wait_for()
    notebook.cell(6).locator(LINE, has_text="asked").wait_for()
    # a line says what its cell has asked, and copies what that shows
    assert [notebook.cell(number).locator(f"{LINE}:not(:empty)").count() for number in (1, 2, 4)] == [0, 0, 0]
    notebook.cell(BUTTON_CELL).locator("button", has_text="Ask").click()
    stand(notebook, BUTTON_CELL, "late")
    asked = prompts(slow_server)
    assert asked == ["one", "two", "three", "four", "five", "late"]
    notebook.restart_and_run_all()
    all_stand(notebook)
    stand(notebook, BUTTON_CELL)  # what no cell asked, no cell replays
    assert prompts(slow_server) == asked


@pytest.fixture
def documents(chromium, model, tmp_path):
    """A running JupyterLab whose server keeps the outputs of cells."""
    require("documents", PYTHON, "ROBOTA_NB_DOCUMENTS_PYTHON names no Python with jupyter-server-documents")
    running = JupyterServer(tmp_path, "lab", python=PYTHON, **model.environment()).start()
    yield running
    running.stop()


def test_an_answer_stands_once_where_the_server_adds_each_update(documents, browser, slow_server):
    path = write(documents.work / "a.ipynb", "%load_ext robota_nb\nprint('loaded')", "%%robota\none")
    notebook = Notebook(browser.new_page(), documents, path)
    notebook.page.goto(documents.page(path))
    # the page knows neither the kernel's status nor which cell runs
    notebook.page.wait_for_selector(".jp-Notebook .jp-Cell")
    notebook.page.wait_for_function(f"{PANEL}?.sessionContext.isReady")
    execute(notebook, 0)
    notebook.shows(0, "loaded")
    execute(notebook, 1)
    stand(notebook, 1, "one")
    execute(notebook, 1)
    notebook.cell(1).locator(LINE, has_text="replayed").wait_for()
    stand(notebook, 1, "one")
    assert prompts(slow_server) == ["one"]
    notebook.close()
    documents.end_kernels()
