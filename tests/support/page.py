"""What a user does with a notebook in a browser."""

import json

from support.patience import PATIENCE

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""With these Chromium runs as root, and asks nobody for anything."""

SETTLED = PATIENCE * 1000
"""Milliseconds after which something that should happen has failed the test."""

PANEL = "[...window.jupyterapp.shell.widgets('main')].find(w => w.content?.model?.cells)"
MODEL = f"{PANEL}.content.model"

SHOWN = """(area => [...area.querySelectorAll('robota-answer-line')]
    .reduce((text, line) => text.replace(line.innerText, ''), area.innerText).trim())"""
"""The text of an output, without the line that stands at an answer."""

TOASTS = """
    window.toasts = new Set();
    const shown = document.getElementsByClassName('Toastify__toast');
    new MutationObserver(() => [...shown].forEach(toast => window.toasts.add(toast.textContent)))
        .observe(document, { childList: true, subtree: true });
"""
"""Remembers what notifications have said: each is gone after some seconds, however long the test has been busy."""


class Notebook:
    """A notebook in a tab of the browser.

    Parameters
    ----------
    page
        The tab.
    jupyter
        The `JupyterServer`.
    path
        The notebook's file.
    """

    def __init__(self, page, jupyter, path):
        self.page, self.jupyter, self.path = page, jupyter, path
        self.errors = []
        page.set_default_timeout(SETTLED)
        page.add_init_script(TOASTS)
        page.add_init_script("performance.setResourceTimingBufferSize(5000)")  # of 250, most are the application's
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        slow = page.locator("dialog.jp-Dialog", has_text="taking some time to load")  # under load, of a shared document
        page.add_locator_handler(slow, lambda dialog: dialog.get_by_role("button", name="Continue waiting").click())

    # -- coming and going

    def open(self):
        """Open it, and wait until its kernel is idle."""
        self.page.goto(self.jupyter.page(self.path))
        self.ready()
        return self

    def show(self, path, factory=None):
        """Open another notebook in the same page, in place of what it shows; if it is text, by naming a factory."""
        self.path = path
        self.errors.clear()
        self.page.evaluate(
            """([path, factory]) => {
                [...window.jupyterapp.shell.widgets('main')].forEach(widget => widget.dispose());
                return window.jupyterapp.commands.execute('docmanager:open', { path, factory }).then(() => {});
            }""",
            [path.relative_to(self.jupyter.work).as_posix(), factory],
        )
        self.ready()
        self.dismiss_notices()

    def reload(self):
        """Load the page again, without saving."""
        self.page.on("dialog", lambda dialog: dialog.accept())  # changes that were not saved
        self.page.reload()
        self.ready()

    def ready(self):
        self.page.wait_for_selector(".jp-Notebook .jp-Cell")
        self.idle()

    def idle(self):
        """Wait until the kernel is idle and no cell waits for it."""
        self.page.wait_for_function(
            f"""() => {PANEL}?.sessionContext.session?.kernel?.status === 'idle'
                && ![...document.querySelectorAll('.jp-InputPrompt')].some(p => p.textContent.includes('*'))"""
        )

    def close(self):
        """Close the tab, without saving."""
        self.page.close(run_before_unload=False)

    # -- cells

    def cell(self, number):
        return self.page.locator(".jp-Notebook .jp-Cell").nth(number)

    def start(self, number):
        """Run a cell, without waiting for it."""
        self.select(number)
        self.page.keyboard.press("Control+Enter")

    def run(self, *numbers):
        """Run cells, each after the one before it; all if none is named."""
        for number in numbers or range(self.page.locator(".jp-Notebook .jp-CodeCell").count()):
            self._watch(number)
            self.start(number)
            self._ran()

    def _watch(self, *numbers):
        """Watch cells, all if none is named, for the ends of their next executions."""
        self.page.evaluate(
            f"""numbers => {{
                const cells = [...{MODEL}.cells];
                const watched = numbers.length ? numbers.map(n => cells[n]) : cells.filter(c => c.type === 'code');
                window.ran = Promise.all(watched.map(cell => new Promise(resolve => {{
                    cell.stateChanged.connect((_, {{ name, newValue }}) => {{
                        if (name === 'executionCount' && newValue) resolve(newValue);
                    }});
                }}))).then(() => true);
            }}""",
            numbers,
        )

    def _ran(self):
        """Wait until the cells that are watched have been executed."""
        self.page.wait_for_function("() => window.ran")
        self.idle()

    def count(self, number):
        """The execution count, as it is shown."""
        return self.cell(number).locator(".jp-InputPrompt").text_content()

    def run_all(self):
        self.menu("Run", "Run All Cells")
        self.idle()

    def restart(self):
        """Restart the kernel."""
        self.page.evaluate(
            f"""() => {{
                window.restarted = new Promise(resolve => {{
                    {PANEL}.sessionContext.statusChanged.connect((_, status) => {{
                        if (status === 'restarting') resolve(true);
                    }});
                }});
            }}"""
        )
        self.menu("Kernel", "Restart Kernel…")
        self.accept()
        self.page.wait_for_function("() => window.restarted")  # before it, the kernel is idle, too
        self.idle()

    def restart_and_run_all(self):
        self._watch()  # as the numbers that cells had in the file are no sign that they ran here
        self.menu("Kernel", "Restart Kernel and Run All Cells…")
        self.accept()
        self._ran()

    def edit(self, number, source):
        """Type a cell anew."""
        self.cell(number).locator(".cm-content").click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(source)
        self.page.keyboard.press("Escape")

    def select(self, number):
        """Click a cell's prompt: keys are for the cell then, not for its text."""
        self.cell(number).locator(".jp-InputPrompt").click()

    def _press(self, number, *keys, cells=0):
        """Select a cell and press keys; so many *cells* more are there then."""
        count = self.page.evaluate(f"() => {MODEL}.cells.length")
        self.select(number)
        for key in keys:
            self.page.keyboard.press(key)
        self._has(count + cells)

    def _has(self, cells):
        """Wait until the notebook has so many cells, and shows them."""
        self.page.wait_for_function(
            f"""count => {MODEL}.cells.length === count
                && document.querySelectorAll('.jp-Notebook .jp-Cell').length === count""",
            arg=cells,
        )

    def insert(self, number, source):
        """Insert a cell at a place, below the one before it or above the first, and type into it."""
        self._press(max(number - 1, 0), "b" if number else "a", cells=1)
        self.edit(number, source)

    def delete(self, number):
        self._press(number, "d", "d", cells=-1)

    def undo(self, *, cells):
        """Undo the last change of the notebook's cells, by which so many are there more."""
        count = self.page.evaluate(f"() => {MODEL}.cells.length")
        self.page.keyboard.press("z")
        self._has(count + cells)

    def move(self, number, by):
        """Move a cell up or down with the keyboard."""
        self._press(number, *["Control+Shift+ArrowUp" if by < 0 else "Control+Shift+ArrowDown"] * abs(by))

    def drag(self, number, onto):
        """Drag a cell by its prompt, and drop it on another one, above which it comes to stand."""
        start = self.cell(number).locator(".jp-InputPrompt").bounding_box()
        end = self.cell(onto).bounding_box()
        mouse = self.page.mouse
        mouse.move(start["x"] + 10, start["y"] + 8)
        mouse.down()
        mouse.move(start["x"] + 30, start["y"] + 20, steps=4)
        mouse.move(end["x"] + 100, end["y"] + 10, steps=8)
        self.cell(onto).and_(self.page.locator(".jp-mod-dropTarget")).wait_for()
        mouse.up()
        self.page.locator(".lm-mod-drag-image").wait_for(state="detached")

    def copy(self, number, below):
        """Copy a cell, and paste it below another one."""
        self._press(number, "c")
        self._press(below, "v", cells=1)

    def cut(self, number, below):
        """Cut a cell, and paste it below another one, as they are numbered then."""
        self._press(number, "x", cells=-1)
        self._press(below, "v", cells=1)

    def duplicate(self, number):
        """Duplicate a cell with the button that stands in it."""
        self.select(number)
        count = self.page.evaluate(f"() => {MODEL}.cells.length")
        self.cell(number).locator("[data-command='notebook:duplicate-below']").click()
        self._has(count + 1)

    def split(self, number, line):
        """Split a cell before a line, counted from 0."""
        count = self.page.evaluate(f"() => {MODEL}.cells.length")
        self.cell(number).locator(".cm-line").nth(line).click()
        for key in ("Home", "Control+Shift+Minus"):
            self.page.keyboard.press(key)
        self._has(count + 1)
        self.page.keyboard.press("Escape")

    def merge(self, number):
        """Merge a cell with the one below it."""
        self._press(number, "Shift+ArrowDown", "Shift+M", cells=-1)

    def silently(self, code, message=None):
        """Have the kernel run code that is in no cell, and perhaps hear a message; returns what was printed."""
        metadata = {"robota_nb": {"message": "m", "chunk": 0, "of": 1, "text": json.dumps(message)}} if message else {}
        status, text = self.page.evaluate(
            f"""async ([code, metadata]) => {{
                const {{ kernel }} = {PANEL}.sessionContext.session;
                const content = {{ code, silent: true, store_history: false, stop_on_error: false }};
                const future = kernel.requestExecute(content, true, metadata);
                let text = '';
                future.onIOPub = ({{ header, content }}) => {{
                    text += header.msg_type === 'stream' ? content.text : '';
                }};
                return [(await future.done).content.status, text];
            }}""",
            [code, metadata],
        )
        assert status == "ok", (code, text)
        return text

    def shows(self, number, text):
        """Wait until a cell's output holds a text."""
        self.cell(number).locator(".jp-OutputArea", has_text=text).wait_for()

    def says(self, number, text):
        """Wait until a cell's output is a text; rendering goes on after the kernel is idle."""
        self.page.wait_for_function(
            f"([area, text]) => {SHOWN}(area) === text", arg=[self._outputs(number).element_handle(), text]
        )

    def comes_to_say(self, number, text):
        """Run a cell until its output holds a text, which follows by itself from what was done."""
        self.run(number)
        while text not in self.output(number):
            self.run(number)

    def output(self, number):
        """What a cell shows, once what it has to show is there; the application draws what is in view."""
        self.cell(number).scroll_into_view_if_needed()
        self.page.wait_for_function(
            f"([area, number]) => {SHOWN}(area) || [...{MODEL}.cells][number].outputs.length === 0",
            arg=[self._outputs(number).element_handle(), number],
        )
        return self._outputs(number).evaluate(SHOWN)

    def _outputs(self, number):
        return self.cell(number).locator(".jp-Cell-outputArea")

    def dress(self, theme):
        """Choose a theme of the application."""
        self.page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", theme)
        self.page.wait_for_function("theme => document.body.dataset.jpThemeName === theme", arg=theme)

    # -- menus and dialogs

    def menu(self, *labels):
        """Choose from the menu bar."""
        bar, *items = labels
        self.page.locator(".lm-MenuBar-itemLabel", has_text=bar).first.click()
        for item in items:
            self.page.locator(".lm-Menu-itemLabel").get_by_text(item.rstrip("…"), exact=False).first.click()

    def accept(self):
        """Say yes to the dialog."""
        self.page.locator(".jp-Dialog .jp-mod-accept").click()
        self.page.wait_for_selector(".jp-Dialog", state="detached")

    def save(self):
        """Save, and wait until that is done."""
        self.page.evaluate(
            f"""() => {{
                const model = {MODEL};
                const panel = [...window.jupyterapp.shell.widgets('main')].find(w => w.content?.model === model);
                window.saved = new Promise(resolve => {{
                    panel.context.saveState.connect((_, state) => state === 'completed' && resolve(true));
                }});
            }}"""
        )
        self.page.keyboard.press("Control+s")
        self.page.wait_for_function("() => window.saved")

    def is_saved(self):
        """Wait until the document has nothing that was not saved."""
        self.page.wait_for_function(f"() => !{MODEL}.dirty")

    def notice(self, text):
        """Wait until there has been a notification that holds a text."""
        self.page.wait_for_function("text => [...window.toasts].some(toast => toast.includes(text))", arg=text)

    def dismiss_notices(self):
        self.page.evaluate(
            "() => document.querySelectorAll('.jp-Notification-Toast-Close').forEach(button => button.click())"
        )
        self.page.wait_for_selector(".jp-toastContainer .Toastify__toast", state="detached")
        self.page.evaluate("() => window.toasts.clear()")

    # -- the document

    def value(self):
        """What stands under `robota_nb` in the metadata of the open document."""
        return self.page.evaluate(f"() => {MODEL}.getMetadata('robota_nb') ?? null")

    def prompts(self):
        """The prompts in the open document."""
        return sorted(prompts(self.value()))

    def holds(self, *wanted):
        """Wait until the open document holds these prompts."""
        self.page.wait_for_function(
            f"""wanted => {{
                const text = JSON.stringify({MODEL}.getMetadata('robota_nb') ?? null);
                return wanted.every(prompt => text.includes(JSON.stringify([prompt])));
            }}""",
            arg=list(wanted),
        )

    def rests(self):
        """Wait until what waits for an idle kernel has been written: here, which chat is active."""
        self.page.wait_for_function(f"() => JSON.stringify({MODEL}.getMetadata('robota_nb')).includes('\"active\"')")

    def file(self):
        """What is in the file."""
        return json.loads(self.path.read_text())


def prompts(value):
    """The prompts in a snapshot."""
    sessions = (value or {}).get("sessions", {})
    return ["".join(e["content"]) for es in sessions.values() for e in es.values() if e.get("role") == "user"]
