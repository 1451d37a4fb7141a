"""The oldest JupyterLab and Notebook that are supported, in an environment of their own.

``ROBOTA_NB_OLDEST_PYTHON`` names its Python: one with robota_nb, jupyterlab 4.2.0, notebook 7.2.0 and ipykernel 6.29.0.
"""

import os

import pytest

from support.jupyter import APPLICATIONS, JupyterServer
from support.notebook import write
from support.page import prompts
from support.require import require

pytestmark = pytest.mark.slow("drives the oldest JupyterLab and Notebook")

PYTHON = os.environ.get("ROBOTA_NB_OLDEST_PYTHON")


@pytest.fixture(params=APPLICATIONS)
def jupyter(request, chromium, server, tmp_path_factory):
    require("oldest", PYTHON, "ROBOTA_NB_OLDEST_PYTHON names no Python with the oldest JupyterLab")
    root = tmp_path_factory.mktemp("oldest")
    running = JupyterServer(root, request.param, python=PYTHON, **server.environment()).start()
    yield running
    running.stop()


def test_conversations_are_kept_in_the_oldest_supported_applications(jupyter, opened, work, server):
    notebook = opened(write(work / "old.ipynb", "%load_ext robota_nb", "%%robota\none", "%%robota\ntwo", "%robota"))
    notebook.run()
    notebook.shows(3, "in notebook")
    notebook.save()
    assert sorted(prompts(notebook.file()["metadata"]["robota_nb"])) == ["one", "two"]
    server.requests.clear()
    notebook.restart()  # and not both at once: this JupyterLab now and then runs the cells in the old kernel
    notebook.run_all()
    notebook.edit(2, "%%robota\nthree")
    notebook.restart()
    notebook.run_all()
    assert [body["messages"][-1]["content"] for body in server.requests] == ["three"]
    for mark in ("replayed", "asked"):
        notebook.page.locator(f".jp-CodeCell[data-robota={mark}]").wait_for()


def test_the_settings_of_the_oldest_supported_applications_bring_the_button_and_the_keys(jupyter, opened, work):
    page = opened(write(work / "plain.ipynb", "1")).page
    page.locator("[data-jp-item-name=robota-chats] [data-command='robota:open-chats']").wait_for()
    assert page.locator("[data-jp-item-name=robota-chats]").inner_text().strip() == ""  # an icon is enough
    page.keyboard.press("Control+Shift+Y")
    page.locator("#robota-nb-chats").wait_for()
