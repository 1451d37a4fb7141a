"""The chats of a notebook before a kernel has loaded the extension: they can be read, and one click makes them live."""

import json

import pytest

from robota_nb.core.users import default_user
from support.core import new_manager
from support.jupyter import IN_BOTH
from support.notebook import write
from support.page import MODEL, PANEL

pytestmark = pytest.mark.slow("drives real applications in a browser")

LOAD = "%load_ext robota_nb"
MADE = f"# %pip install robota_nb\n{LOAD}"
"""The cell that is made where there is none."""
SHUT_DOWN = f"() => {PANEL}.sessionContext.shutdown()"
SOURCES = f"() => [...{MODEL}.cells].map(cell => cell.sharedModel.getSource())"
BROKEN = "import sys; sys.modules['robota_nb.kernel.extension'] = sys.modules['robota_nb'] = 1"


def recorded():
    """Two chats, one of them with a branch."""
    manager = new_manager()
    session = manager.create_session(default_user(), "Work")
    left = session.create_chat("Left")
    left.send("l1")
    left.send("l2")
    left.retry()
    session.create_chat("Right").send("r1 **bold** <img src=x onerror=window.bad=1>")
    manager.flush()
    return json.loads(json.dumps(manager.snapshot(default_user())))


class Panel:
    """The side panel in a page."""

    def __init__(self, page):
        self.page = page
        self.all = page.locator("#robota-nb-chats")
        self.shown = self.all.locator("> .robota-chats-ui:not([inert])")
        self.foot = self.shown.locator(".robota-loader")
        self.draft = self.shown.locator("[data-part=draft]")

    def open(self):
        self.page.locator(".jp-NotebookPanel:visible .jp-Toolbar [data-command='robota:open-chats']").first.click()
        self.all.wait_for()
        return self

    def shows(self, *texts):
        for text in texts:
            self.shown.locator(".robota-turn", has_text=text).first.wait_for()

    def choose(self, name):
        side, drawer = self.shown.locator(".robota-side"), self.shown.locator("[data-part=drawer]")
        if not side.is_visible():
            drawer.click()
        self.shown.locator(".robota-choose", has_text=name).click()
        if side.is_visible():
            drawer.click()


@IN_BOTH
def test_the_chats_of_a_notebook_without_a_kernel_can_be_read_and_loaded(jupyter, opened, work):
    notebook = opened(write(work / "own.ipynb", "1 + 1", metadata={"robota_nb": recorded()}))
    notebook.page.evaluate(SHUT_DOWN)
    panel = Panel(notebook.page).open()
    panel.shows("r1 **bold**", "re: r1 bold")
    panel.foot.get_by_text("Read-only until loaded.").wait_for()
    for part in ("draft", "send", "edit", "retry", "forkHere", "new-chat", "chat-menu", "session-menu"):
        assert panel.shown.locator(f"[data-part={part}]").count() == 0, part

    panel.choose("Left")
    panel.shows("l2")
    panel.shown.locator("[data-part=earlierBranch]").click()
    panel.shown.locator(".robota-branches", has_text="1/2").wait_for()
    assert notebook.page.evaluate(SOURCES) == ["1 + 1"]
    assert notebook.value() == notebook.file()["metadata"]["robota_nb"]
    assert notebook.page.evaluate("window.bad") is None

    panel.foot.get_by_role("button", name="Load").click()
    panel.draft.wait_for()
    panel.shows("l1", "l2")
    assert panel.foot.count() == 0
    assert notebook.page.evaluate(SOURCES) == [MADE, "1 + 1"]
    panel.shown.locator(".robota-next", has_text="Left").wait_for()  # and not the one that was read first


def test_a_new_notebook_starts_a_chat_with_one_click(opened, work, server):
    notebook = opened(write(work / "new.ipynb", ""))
    panel = Panel(notebook.page).open()
    panel.all.get_by_role("button", name="Start a chat").click()
    panel.draft.wait_for()
    notebook.page.wait_for_function("() => document.activeElement.dataset.part === 'draft'")
    assert notebook.page.evaluate(SOURCES) == [MADE, ""]
    notebook.page.keyboard.insert_text("first")
    notebook.page.keyboard.press("Enter")
    panel.shows(": first")


def test_what_cannot_be_read_or_loaded_is_said_in_one_line(opened, work):
    odd = {"format": {"major": 9}, "sessions": {}}
    notebook = opened(write(work / "odd.ipynb", BROKEN, metadata={"robota_nb": odd}))
    panel = Panel(notebook.page).open()
    panel.all.get_by_text("What this notebook holds of chats cannot be read.").wait_for()
    assert not panel.all.get_by_role("button").count()
    notebook.page.evaluate(f"value => {MODEL}.sharedModel.setMetadata('robota_nb', value)", recorded())
    panel.shows("r1")
    notebook.run()
    panel.foot.get_by_role("button", name="Load").click()
    panel.foot.get_by_text("has failed").wait_for()
    notebook.shows(0, "not an IPython extension")


def test_the_view_of_a_notebook_that_is_opened_again_shows_its_chats(opened, work, server):
    notebook = opened(write(work / "ui.ipynb", LOAD, "%%robota\nhello", "%robota ui"))
    notebook.run()
    output = notebook.cell(2).locator(".jp-OutputArea")
    output.locator("[data-part=draft]").wait_for()
    notebook.save()
    notebook.page.evaluate(SHUT_DOWN)
    notebook.reload()
    output.locator(".robota-turn", has_text=": hello").wait_for()
    assert output.locator("[data-part=draft]").count() == 0
    assert "not found" not in output.text_content()
    output.locator("[data-part=goToCell]").click()
    notebook.page.wait_for_function(f"() => {PANEL}.content.activeCellIndex === 1")
    output.get_by_role("button", name="Load").click()
    output.locator("[data-part=draft]").wait_for()
    assert notebook.page.evaluate(SOURCES) == [LOAD, "%%robota\nhello", "%robota ui"]
