"""What a user does with a notebook in a browser."""

import json

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

SETTLED = 90_000
"""Milliseconds after which something that should happen has failed the test."""

PANEL = "[...window.jupyterapp.shell.widgets('main')].find(w => w.content?.model?.cells)"
MODEL = f"{PANEL}.content.model"


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
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    # -- coming and going

    def open(self):
        """Open it, and wait until its kernel is idle."""
        self.page.goto(self.jupyter.page(self.path))
        self.ready()
        return self

    def show(self, path):
        """Open another notebook in the same page, in place of what it shows."""
        self.path = path
        self.errors.clear()
        self.page.evaluate(
            """path => {
                [...window.jupyterapp.shell.widgets('main')].forEach(widget => widget.dispose());
                return window.jupyterapp.commands.execute('docmanager:open', { path }).then(() => {});
            }""",
            path.relative_to(self.jupyter.work).as_posix(),
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
        self.cell(number).locator(".jp-InputPrompt").click()
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

    def shows(self, number, text):
        """Wait until a cell's output holds a text."""
        self.cell(number).locator(".jp-OutputArea", has_text=text).wait_for()

    def says(self, number, text):
        """Wait until a cell's output is a text; rendering goes on after the kernel is idle."""
        self.page.wait_for_function(
            "([area, text]) => area.innerText.trim() === text", arg=[self._outputs(number).element_handle(), text]
        )

    def output(self, number):
        """What a cell shows, once what it has to show is there."""
        self.page.wait_for_function(
            f"([area, number]) => area.innerText.trim() || [...{MODEL}.cells][number].outputs.length === 0",
            arg=[self._outputs(number).element_handle(), number],
        )
        return self._outputs(number).inner_text().strip()

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
