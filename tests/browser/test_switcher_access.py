"""The panel for everybody: axe finds nothing serious in any state, nothing is too wide, and keys alone do it all."""

import json
import threading
from importlib.util import find_spec

import pytest

from robota_nb.core.users import default_user
from robota_nb.testing.servers.local_server import DONE, event
from support.core import new_manager
from support.notebook import write
from support.page import MODEL
from support.page import PANEL as NOTEBOOK
from support.require import require
from support.switcher import LOAD, WIDE, Switcher, notebook

pytestmark = pytest.mark.slow("drives real applications in a browser")

CODE = "frame = [1, 2, 3, 4]\nprint(sum(frame), '" + "a long line " * 12 + "')"
ANSWER = f"""# Heading

Text with `code`, **bold**, a [link](https://example.org), {"averylongword" * 12} and $x^2$.

```python
{CODE}
```

- one
- two

| a | b |
|---|---|
| 1 | {"2" * 80} |
"""
CONFIG = """import os
c = get_ipython().magics_manager.registry["RobotaMagics"]
small = {"base_url": os.environ["OPENAI_BASE_URL"], "key_env": "OPENAI_API_KEY", "model": "m", "context_window": 200}
c.endpoints = {"small": {**small, "price": {"input": 10000, "output": 10000}}}
c.presets = {"reviewer": {"system": "Judge."}}
frame, fruit = [1, 2, 3], "apple"
%robota chat open Talk --provider openai"""
LONG = "A name that is as long as a name can be " * 2
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
    "rkJggg=="
)
DELTA = {
    "content": "So[1].",
    "images": [{"image_url": {"url": PIXEL}}],
    "refusal": "No more.",
    "reasoning_content": "Let me see.",
}
BESIDES = event({
    "choices": [{"index": 0, "delta": DELTA, "finish_reason": "length"}],
    "search_results": [{"title": "A source", "url": f"https://one.example/{'path' * 40}"}],
}) + DONE  # fmt: skip
"""An answer with thoughts, a picture, a source, and an end before its end."""

PANEL = "#robota-nb-chats"
PARTS = [
    "robota-answer-line", "robota-error-line", ".robota-prose .robota-magic", ".robota-prose .robota-variable",
    ".robota-status",
]  # fmt: skip
"""What there is of robota_nb outside of the panel."""

THEMES = ["JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast"]
FORCED = "colors forced by the system"
WIDTHS = [320, 380, 768, 1440]
SIZED = f"{PANEL} {{ min-width: var(--panel-width) !important; max-width: var(--panel-width) !important; }}"
SIZE = """([panel, width]) => {
    document.documentElement.style.setProperty('--panel-width', `${width}px`);
    const { shell } = window.jupyterapp;
    const find = widget => widget.id === panel ? widget : [...widget.children()].map(find).find(found => found);
    const widget = [...shell.widgets('right')].find(widget => widget.id === panel);
    widget.fit();
    widget.parent.fit();
}"""
FAULTS = """async places => (await axe.run({ include: places }, { resultTypes: ['violations'] })).violations
    .filter(({ impact }) => ['serious', 'critical'].includes(impact))
    .flatMap(({ id, nodes }) => nodes.map(node => `${id}: ${node.html.slice(0, 200)} ${node.failureSummary}`))"""


class Looks:
    """Looks at a page with axe and for what is too wide, in a theme and some widths of the panel.

    Parameters
    ----------
    notebook
        The `Notebook` in the page.
    look
        Of `THEMES`, or `FORCED`.
    widths
        Pixels.
    """

    def __init__(self, notebook, look, widths):
        from axe_playwright_python.base import AXE_SCRIPT

        self.page, self._look, self._widths = notebook.page, look, widths
        self.faults = {}
        self.page.add_style_tag(content=SIZED)
        self.page.evaluate(AXE_SCRIPT)
        self.page.emulate_media(forced_colors="active" if look == FORCED else "none")
        notebook.dress(THEMES[0] if look == FORCED else look)

    def __call__(self, state, *places):
        """Look at the panel in a state, or at places outside of it."""
        for width in self._widths if not places else []:
            self.size(width)
            self._note(state, width, self.page.locator(PANEL).evaluate(WIDE))
            self._note(state, width, self.page.evaluate(FAULTS, [PANEL]))
        if places:
            self._note(state, 0, self.page.evaluate(FAULTS, places))
        self.size(self._widths[0])

    def size(self, width):
        """Have the panel so wide."""
        self.page.evaluate(SIZE, [PANEL[1:], width])
        self.page.wait_for_function(
            "([panel, width]) => document.querySelector(panel).clientWidth === width", arg=[PANEL, width]
        )

    def _note(self, state, width, faults):
        for fault in faults:
            self.faults.setdefault(fault, []).append(f"{state}, {width} px")


def recorded():
    """What a colleague has saved: two chats, one of them with a branch."""
    manager = new_manager()
    session = manager.create_session(default_user(), "Work")
    left = session.create_chat("Left")
    left.send("l1")
    left.send("l2")
    left.retry()
    session.create_chat(LONG).send("r1")
    manager.flush()
    return json.loads(json.dumps(manager.snapshot(default_user())))


class Tour:
    """Takes the panel from state to state, to be looked at in each.

    Parameters
    ----------
    page
        The `Notebook`, with the panel open.
    server
        The model server.
    seen
        The `Looks`.
    """

    CELLS = (LOAD, CONFIG, "%%robota\nWhat is {{ fruit }}?", "1 / 0", "%%robota\nand this?")

    def __init__(self, page, server, seen):
        self.page, self.server, self.seen = page, server, seen
        self.panel, self.keys = page.page.locator(PANEL), page.page.keyboard
        self.switcher = Switcher(page.page, within=PANEL)
        self.saved = self.panel.locator("> .robota-chats-ui:not([inert])")
        server.reply = lambda _: ANSWER

    def all(self):
        self.before_a_kernel()
        self.answers()
        self.draft()
        self.an_answer_arrives()
        self.chats()
        self.what_was_said()
        self.gauge()
        self.the_end()

    def _put(self, value):
        self.page.page.evaluate(f"value => {MODEL}.sharedModel.setMetadata('robota_nb', value)", value)

    def before_a_kernel(self):
        """No chats, then some that cannot be read, and some that can; they are loaded."""
        page, switcher, seen, panel, saved = self.page, self.switcher, self.seen, self.panel, self.saved
        area = switcher.part("draft")
        panel.get_by_role("button", name="Start a chat").wait_for()
        seen("no chats")
        self._put({"format": {"major": 9}, "sessions": {}})
        panel.get_by_text("cannot be read").wait_for()
        seen("unreadable")
        self._put(recorded())
        saved.locator(".robota-turn").get_by_text("r1", exact=True).wait_for()
        seen("saved")
        switcher.part("drawer").click()
        seen("saved: list")
        switcher.part("filter").fill("l1")
        switcher.root.locator(".robota-hit").first.wait_for()
        seen("saved: search")
        switcher.part("drawer").click()
        panel.get_by_role("button", name="Load").click()
        area.wait_for()
        page.idle()
        seen("loaded, foreign")

    def answers(self):
        """Answers and an error in cells and in the panel, and what can be done with them."""
        page, switcher, seen, keys = self.page, self.switcher, self.seen, self.keys
        page.run(1, 2, 3)
        switcher.turn("What is apple?").locator(".robota-foot").wait_for()
        page.cell(3).locator("[data-part=askWhy]").wait_for()
        page.run(4)
        switcher.turn("and this?").locator("mjx-container").wait_for()
        seen("answers")
        seen("cells", *PARTS)
        code = switcher.root.locator(".robota-code").last
        page.select(1)
        code.locator("[data-part=replaceCell]").click()
        code.locator("[data-part=acceptChange]").wait_for()
        seen("diff")
        code.locator("[data-part=leaveCell]").click()
        switcher.turn("and this?").hover()
        seen("turn with the pointer on it")
        switcher.act("and this?", "edit")
        switcher.part("edit-area").wait_for()
        seen("editing")
        keys.press("Escape")
        switcher.act("and this?", "retry")
        switcher.turn("and this?").get_by_text("2/2").wait_for()
        switcher.rests()
        seen("branches")

    def draft(self):
        """A message with all that may go along with it, and one that cannot be sent."""
        page, switcher, seen, server, keys = self.page, self.switcher, self.seen, self.server, self.keys
        area = switcher.part("draft")
        switcher.part("attach").click()
        seen("attach")
        keys.press("Escape")
        area.focus()
        keys.type("See {{ fr")
        switcher.root.get_by_role("option", name="frame").wait_for()
        seen("offers")
        keys.press("Enter")
        keys.type(" @fru")
        switcher.root.get_by_role("option", name="fruit").wait_for()
        seen("offers of variables")
        keys.press("Enter")
        page.select(1)
        switcher.menu(switcher.part("attach"), "The selected cell")
        switcher.menu(switcher.part("attach"), "The last error")
        files = [{"name": f"{'long-name' * 9}.txt", "mimeType": "text/plain", "buffer": b"some text"}]
        switcher.part("files").set_input_files(files)
        switcher.root.locator(".robota-chip", has_text="long-name").wait_for()
        switcher.part("cells-above").check()
        switcher.part("with-outputs").check()
        seen("chips and switches")
        switcher.menu(switcher.part("attach"), "See what is sent")
        switcher.part("preview").locator("pre").wait_for()
        seen("preview")
        switcher.part("cells-above").uncheck()
        server.raw(BESIDES)
        area.press("Enter")
        switcher.root.locator(".robota-sources").wait_for()
        switcher.root.locator(".robota-thoughts summary").click()
        seen("files, thoughts, sources and a picture")
        switcher.send("see {{ fram }}", wait=False)
        switcher.note("no variable 'fram'").get_by_role("button", name="Try again").wait_for()
        seen("error")
        switcher.root.locator(".robota-error").get_by_role("button", name="Dismiss").click()
        area.fill("")

    def an_answer_arrives(self):
        """An answer arrives, and another message waits."""
        switcher, seen, server = self.switcher, self.seen, self.server
        area = switcher.part("draft")
        server.chunks, server.gate = ["so", " far"], threading.Event()
        switcher.send("stream", wait=False)
        switcher.root.locator(".robota-arriving").get_by_text("so").wait_for()
        switcher.send("a next one " * 20, wait=False)
        switcher.part("waits").wait_for()
        seen("arriving, and one waits")
        switcher.part("drawer").click()
        switcher.root.locator(".robota-running").wait_for()
        seen("list while it runs")
        switcher.part("drawer").click()
        switcher.part("take-back").click()
        area.fill("")
        server.gate.set()
        switcher.rests()
        server.chunks = None

    def chats(self):
        """The list of chats, its menus, a name that is typed, and the settings."""
        switcher, seen, keys = self.switcher, self.seen, self.keys
        switcher.part("drawer").click()
        switcher.row("Talk").wait_for()
        seen("list")
        switcher.part("session-menu").click()
        seen("menu of the session")
        keys.press("Escape")
        switcher.row("Talk").hover()
        switcher.row("Talk").locator("[data-part=chat-menu]").click()
        seen("menu of a chat")
        keys.press("Escape")
        switcher.chat_menu("Talk", "Rename")
        switcher.part("name").wait_for()
        seen("renaming")
        switcher.part("name").press("Escape")
        switcher.chat_menu("Talk", "Model and settings…")
        switcher.part("settings").get_by_text("to choose from").wait_for()
        seen("settings")
        switcher.part("params").fill("temprature = 0.2")
        switcher.part("settings-save").click()
        switcher.note("temperature")
        seen("settings that are wrong")
        switcher.part("settings-cancel").click()

    def what_was_said(self):
        """What is found and not, a chat that is deleted, and answers that are stale."""
        page, switcher, seen, keys, panel = self.page, self.switcher, self.seen, self.keys, self.panel
        switcher.part("filter").fill("closure of this")
        switcher.root.locator(".robota-found").get_by_text("Nothing").wait_for()
        seen("nothing found")
        switcher.part("filter").fill("this")
        switcher.root.locator(".robota-hit").first.wait_for()
        seen("found")
        switcher.part("search-all").click()
        switcher.part("search-all").wait_for(state="hidden")
        seen("found everywhere")
        switcher.part("filter").fill("")
        switcher.chat_menu(LONG, "Delete")
        switcher.note("was deleted")
        seen("deleted")
        keys.press("Control+z")
        switcher.row(LONG).wait_for()
        page.edit(2, self.CELLS[2].replace("What", "Where"))
        page.run(2)
        panel.locator("[data-part=run-stale]").wait_for()
        seen("stale")
        seen("cells, stale", *PARTS)

    def gauge(self):
        """A chat without turns, until its window is nearly full, and it is compacted."""
        switcher, seen, server = self.switcher, self.seen, self.server
        switcher.part("drawer").click()
        switcher.create("Fresh")
        switcher.root.locator(".robota-talk > .robota-empty").wait_for()
        seen("a chat without turns")
        switcher.part("drawer").click()
        switcher.chat_menu("Fresh", "Model and settings…")
        switcher.part("provider").select_option("small")
        switcher.part("settings-save").click()
        switcher.part("settings").wait_for(state="detached")
        switcher.part("drawer").click()
        server.reply = lambda _: "word " * 20
        for number in range(5):
            switcher.send(f"question {number}")
        switcher.part("gauge-text").get_by_text("of 200 tokens").wait_for()
        seen("gauge")
        switcher.send("word " * 60, wait=False)
        switcher.root.locator(".robota-nearly-full").wait_for()
        switcher.rests()
        seen("nearly full")
        switcher.part("gauge-menu").click()
        seen("menu of the gauge")
        switcher.root.get_by_role("menuitem", name="Compact…", exact=True).click()
        switcher.root.get_by_role("button", name="Compact", exact=True).wait_for()
        seen("compact?")
        switcher.root.get_by_role("button", name="Compact", exact=True).click()
        switcher.part("gauge-text").get_by_text("as a summary").wait_for()
        seen("compacted")

    def the_end(self):
        """The kernel is gone, then the notebook."""
        page, seen, panel, saved = self.page, self.seen, self.panel, self.saved
        page.page.evaluate(f"() => {NOTEBOOK}.sessionContext.shutdown()")
        saved.locator("[data-part=load]").wait_for()
        seen("the kernel is gone")
        page.page.evaluate("() => [...jupyterapp.shell.widgets('main')].forEach(widget => widget.dispose())")
        panel.get_by_text("Open a notebook").wait_for()
        seen("no notebook")


@pytest.fixture
def dressed(lab, opened, context):
    """Opens a notebook and the panel in a page with a theme, which the application remembers."""
    pages = []

    def open_(path, look, widths):
        require("browser", find_spec("axe_playwright_python"), "pip install '.[test]'")
        page = opened(path)
        pages.append(page)
        page.page.set_viewport_size({"width": 2400, "height": 900})  # there is room for a notebook beside the widest
        page.page.keyboard.press("Control+Shift+Y")
        return page, Looks(page, look, widths)

    yield open_
    for page in pages:
        page.dress(THEMES[0])


@pytest.mark.parametrize(
    "look",
    [THEMES[0], *(pytest.param(look, marks=pytest.mark.long("as in one theme")) for look in (*THEMES[1:], FORCED))],
)
def test_nothing_is_serious_or_too_wide_in_any_state(dressed, work, server, scale, look):
    path = write(work / "talk.ipynb", *Tour.CELLS)
    page, seen = dressed(path, look, scale(fast=WIDTHS[:1], all=WIDTHS[:1], long=WIDTHS))
    Tour(page, server, seen).all()
    assert seen.faults == {}


class Keys:
    """A user who has a keyboard, and no mouse.

    Parameters
    ----------
    page
        The tab.
    """

    def __init__(self, page):
        self.page, self.tabs = page, 0

    def press(self, *keys):
        for key in keys:
            self.tabs += key.endswith("Tab")
            self.page.keyboard.press(key)

    def type(self, text):
        self.page.keyboard.insert_text(text)

    def at(self, *parts):
        """Wait until one of the parts has the focus."""
        self.page.wait_for_function("parts => parts.includes(document.activeElement?.dataset.part)", arg=list(parts))

    def tab_to(self, part, back=False):
        """Go to a part by Tab, which is not far."""
        for _ in range(20):
            self.press("Shift+Tab" if back else "Tab")
            if self.page.evaluate("() => document.activeElement?.dataset.part") == part:
                return
        pytest.fail(f"{part} is not among the 20 parts that Tab goes to")


def test_keys_alone_ask_write_into_the_notebook_and_find_what_was_said(opened, work, server, context):
    server.reply = lambda _: f"So:\n\n```python\n{CODE}\n```\n"
    page = opened(write(work / "keys.ipynb", ""))
    switcher, keys = Switcher(page.page, within=PANEL), Keys(page.page)
    keys.press("Control+Shift+Y")
    keys.at("startChat")
    keys.press("Enter")
    keys.at("draft")
    assert keys.tabs == 0
    keys.type("How do I sum them up?")
    keys.press("Enter")
    switcher.turn("How do I sum them up?").locator("[data-part=insertBelow]").wait_for()
    switcher.rests()
    keys.tab_to("insertBelow", back=True)
    keys.press("Enter")
    page.page.wait_for_function("() => document.activeElement.closest('.jp-Cell.jp-mod-active .cm-editor')")
    assert page.page.evaluate(f"() => [...{MODEL}.cells].map(cell => cell.sharedModel.getSource())")[-1] == CODE

    keys.press("Escape", "Control+Shift+Y")
    keys.at("draft")
    keys.press("ArrowUp")
    keys.at("edit-area")
    keys.type(" And why?")
    keys.press("Enter")
    switcher.turn("How do I sum them up? And why?").get_by_text("2/2").wait_for()
    switcher.rests()
    keys.at("draft")

    keys.press("Control+k")
    keys.at("filter")
    keys.type("sum them")
    switcher.root.locator(".robota-hit").first.wait_for()
    keys.press("Escape", "ArrowDown", "F2")
    keys.at("name")
    keys.type("Sums")
    keys.press("Enter")
    switcher.lists("Sums")
    page.page.wait_for_function("() => document.activeElement?.closest('.robota-chat')")
    keys.press("Enter")
    keys.at("draft")
    keys.type("And then?")
    keys.tabs = 0
    keys.tab_to("attach", back=True)
    keys.press("Enter", "End", "Enter")  # see what is sent
    switcher.part("preview").wait_for()
    keys.tab_to("draft")
    assert keys.tabs < 3


@pytest.fixture
def talk(opened, work, server):
    server.reply = lambda _: ANSWER
    page = opened(notebook(work, "%robota new Left", "%%robota\nl1", "%robota new Right", "%%robota\nr1"))
    page.run()
    return page, Switcher(page.page).ready()


def test_it_does_not_jump_while_an_answer_arrives_and_follows_it_unless_the_reader_has_scrolled_up(talk, server):
    _, switcher = talk
    gate = threading.Event()
    server.chunks, server.gate, server.gate_after = ["A long line of words.\n\n" * 60, "The end."], gate, 1
    switcher.send("go on", wait=False)
    arriving = switcher.root.locator(".robota-arriving")
    arriving.get_by_text("A long line").last.wait_for()
    scroller = switcher.root.locator(".robota-transcript")
    at_end = "list => list.scrollHeight - list.scrollTop - list.clientHeight < 3"
    switcher.page.wait_for_function(at_end, arg=scroller.element_handle())
    scroller.hover()
    switcher.page.mouse.wheel(0, -300)
    switcher.page.wait_for_function(f"list => !({at_end})(list)", arg=scroller.element_handle())
    top = scroller.evaluate("list => list.scrollTop")
    gate.set()
    switcher.rests()
    switcher.turn("go on").locator(".robota-foot").wait_for(state="attached")
    assert abs(scroller.evaluate("list => list.scrollTop") - top) < 2
