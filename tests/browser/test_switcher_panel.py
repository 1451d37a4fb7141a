"""The side panel of chats and what opens it, in JupyterLab and in Notebook 7, and the status bar of JupyterLab."""

import json

import pytest

from support.jupyter import IN_BOTH
from support.notebook import write
from support.page import MODEL

pytestmark = [pytest.mark.usefixtures("one_tab"), pytest.mark.slow("drives real applications in a browser")]

LOAD = "%load_ext robota_nb"
UNLOADED = "This notebook has no chats yet."
SERVICES = "globalThis[Symbol.for('robota_nb.services')]"

SPY = f"""() => {{
    const model = {MODEL};
    const panel = [...window.jupyterapp.shell.widgets('main')].find(w => w.content?.model === model);
    window.opened = [];
    panel.sessionContext.session.kernel.anyMessage.connect((_, {{ msg, direction }}) => {{
        if (direction === 'send' && msg.content.target_name === 'robota_nb_ui') window.opened.push(msg.content);
    }});
}}"""
"""Counts the comms that the page opens to the switcher."""


class Panel:
    """The side panel in a page.

    Parameters
    ----------
    page
        The tab of the browser.
    """

    def __init__(self, page):
        self.page = page
        self.all = page.locator("#robota-nb-chats")
        self.hint = self.all.locator("> .robota-chats-hint")
        self.shown = self.all.locator("> .robota-chats-ui:not([inert])")
        self.status = page.locator(".robota-status-button")

    def open(self):
        self.page.locator(".jp-NotebookPanel:visible .jp-Toolbar [data-command='robota:open-chats']").first.click()
        self.all.wait_for()
        return self

    def says(self, text):
        """Wait until there is nothing but a hint."""
        self.hint.get_by_text(text, exact=True).wait_for()
        assert not self.shown.count()

    def shows(self, *texts):
        """Wait until the switcher shows texts."""
        for text in texts:
            self.shown.filter(has_text=text).wait_for()
        assert not self.hint.is_visible()

    def has_focus(self):
        self.page.wait_for_function("() => document.activeElement?.closest('#robota-nb-chats')")

    def tells(self, text):
        """Wait until the status bar says something."""
        self.status.get_by_text(text, exact=True).or_(self.status.filter(has_text=text)).first.wait_for()
        assert self.status.text_content() == text


def switch(page, path):
    """Bring a notebook to the front, or open it there."""
    page.evaluate("path => jupyterapp.commands.execute('docmanager:open', { path }).then(() => {})", path)
    page.locator(".jp-NotebookPanel:visible .jp-Cell").first.wait_for()


def chats(work, name="chats.ipynb"):
    return write(work / name, LOAD, "%robota new Left", "%%robota\nhello")


def test_the_command_palette_opens_it(jupyter, opened, work):
    notebook = opened(write(work / "plain.ipynb", "1"))
    panel = Panel(notebook.page)
    assert not panel.all.is_visible()
    notebook.page.keyboard.press("Control+Shift+C")
    notebook.page.locator(".lm-CommandPalette-input:visible").fill("robota open chats")
    notebook.page.locator(".lm-CommandPalette-item[data-command='robota:open-chats']").click()
    panel.says(UNLOADED)
    panel.has_focus()


@IN_BOTH
def test_the_button_of_a_notebook_opens_it(jupyter, opened, work):
    notebook = opened(write(work / "plain.ipynb", "1"))
    # Before the panel is open: it leaves a toolbar so little room that what stands last goes into a menu.
    notebook.page.locator("[data-jp-item-name=cellType] ~ [data-jp-item-name=robota-chats]").wait_for()
    panel = Panel(notebook.page).open()
    panel.says(UNLOADED)
    panel.has_focus()


def test_it_shows_the_chats_once_the_extension_is_loaded(jupyter, opened, work):
    notebook = opened(chats(work))
    panel = Panel(notebook.page).open()
    panel.says(UNLOADED)
    notebook.run(0)
    panel.hint.wait_for(state="hidden")
    notebook.run(1, 2)
    panel.shows("Left")


def test_it_shows_the_chats_that_were_there_before_it_was_opened(jupyter, opened, work):
    notebook = opened(chats(work))
    notebook.run()
    Panel(notebook.page).open().shows("Left")


def test_it_comes_back_after_a_restart(jupyter, opened, work):
    notebook = opened(chats(work))
    panel = Panel(notebook.page).open()
    notebook.run()
    panel.shows("Left")
    notebook.restart()
    panel.shown.locator("[data-part=load]").wait_for()  # until then they can be read
    panel.shows("Left")
    notebook.run(0, 1)
    panel.shown.locator("[data-part=draft]").wait_for()
    panel.shows("Left")
    assert panel.all.locator(".robota-chats-ui").count() == 1


@IN_BOTH
def test_it_comes_back_in_a_page_that_is_reloaded(jupyter, opened, work):
    notebook = opened(chats(work))
    panel = Panel(notebook.page).open()
    notebook.run()
    panel.shows("Left")
    notebook.save()
    notebook.reload()
    if jupyter.application == "notebook":  # which opens without its side panels
        panel.open()
    panel.shows("Left")


def test_it_goes_when_the_extension_is_unloaded(jupyter, opened, work):
    notebook = opened(write(work / "unloaded.ipynb", LOAD, "%unload_ext robota_nb"))
    panel = Panel(notebook.page).open()
    notebook.run(0)
    panel.hint.wait_for(state="hidden")
    notebook.run(1)
    panel.says(UNLOADED)
    notebook.run(0)
    panel.hint.wait_for(state="hidden")


def test_no_comm_is_opened_where_the_extension_is_not_loaded_nor_one_for_a_panel_that_nobody_opened(
    jupyter, opened, work
):
    notebook = opened(write(work / "plain.ipynb", "1", LOAD))
    notebook.page.evaluate(SPY)
    panel = Panel(notebook.page).open()
    notebook.run(0)
    panel.says(UNLOADED)
    assert notebook.page.evaluate("() => window.opened") == []
    notebook.reload()
    notebook.page.evaluate(SPY)
    if jupyter.application == "notebook":
        notebook.run(1, 0)
        assert notebook.page.evaluate("() => window.opened") == []


def test_it_is_heard_and_the_kernel_interrupted_while_a_cell_runs(jupyter, opened, work):
    notebook = opened(write(work / "busy.ipynb", LOAD, "%robota new Left", "import time; time.sleep(600)"))
    notebook.run(0, 1)
    notebook.start(2)
    notebook.page.wait_for_function("() => document.querySelector('.jp-Notebook').textContent.includes('[*]')")
    panel = Panel(notebook.page).open()
    panel.shows("Left")
    assert "[*]" in notebook.count(2)
    notebook.page.evaluate(f"() => {SERVICES}.interrupt(document.querySelector('.robota-chats-ui'))")
    notebook.shows(2, "KeyboardInterrupt")


def test_an_output_that_nobody_expects_is_in_no_cell(jupyter, opened, work):
    """ipykernel complains in the output of a cell of messages that it cannot deliver yet."""
    notebook = opened(chats(work))
    panel = Panel(notebook.page).open()
    notebook.run()
    panel.shows("Left")
    notebook.says(0, "")
    notebook.says(2, "1: hello")
    assert "comm" not in notebook.page.evaluate(f"() => JSON.stringify({MODEL}.toJSON().cells.map(c => c.outputs))")


def test_it_follows_the_current_notebook_and_keeps_what_was_drawn(lab, opened, work):
    left = opened(chats(work, "left.ipynb"))
    page = left.page
    panel = Panel(page).open()
    left.run()
    panel.shows("Left")
    panel.shown.evaluate("element => { element.dataset.mark = 'left'; }")
    right = write(work / "right.ipynb", LOAD, "%robota new Right")
    switch(page, right.relative_to(lab.work).as_posix())
    panel.says(UNLOADED)
    page.wait_for_function(
        "() => [...jupyterapp.shell.widgets('main')].filter(widget => widget.sessionContext)"
        ".every(widget => widget.sessionContext.session?.kernel?.status === 'idle')"
    )
    cells = page.locator(".jp-NotebookPanel:visible .jp-Cell")
    for number in (0, 1):
        cells.nth(number).locator(".jp-InputPrompt").click()
        page.keyboard.press("Control+Enter")
    panel.shows("Right")
    assert "Left" not in panel.shown.inner_text()
    assert panel.shown.get_attribute("data-mark") is None
    switch(page, left.path.relative_to(lab.work).as_posix())
    panel.shows("Left")
    assert panel.shown.get_attribute("data-mark") == "left"
    assert panel.all.locator(".robota-chats-ui").count() == 2
    page.on("dialog", lambda dialog: dialog.accept())
    page.evaluate("() => [...jupyterapp.shell.widgets('main')].forEach(widget => widget.dispose())")
    panel.says("Open a notebook to see its chats.")
    assert panel.all.locator(".robota-chats-ui").count() == 0


def test_the_status_bar_says_which_chat_is_active_and_where_it_is_saved(lab, opened, work):
    notebook = opened(chats(work))
    panel = Panel(notebook.page)
    assert not panel.status.is_visible()
    notebook.run(0, 1)
    panel.tells("Session 1 ▸ Left · in notebook")
    notebook.save()
    panel.tells("Session 1 ▸ Left · saved")
    assert not panel.all.is_visible()
    panel.status.click()
    panel.shows("Left")
    panel.has_focus()
    notebook.restart()
    panel.status.wait_for(state="hidden")


def test_names_in_the_status_bar_are_text_and_not_too_much_of_it(lab, opened, work):
    name = "<img src=x onerror=window.hacked=1> \u202eand more than anybody wants to read"
    notebook = opened(write(work / "names.ipynb", LOAD, f"%robota new {json.dumps(name, ensure_ascii=False)}"))
    panel = Panel(notebook.page)
    notebook.run()
    panel.status.filter(has_text="<img src=x").wait_for()
    assert panel.status.text_content().startswith(f"Session 1 ▸ {name[:39]}… · ")
    assert f"Session 1 ▸ {name} · " in panel.status.get_attribute("title")
    assert panel.status.locator("img").count() == 0
    assert notebook.page.evaluate("() => window.hacked") is None


@IN_BOTH
def test_code_is_coloured_by_the_applications_own_editor(jupyter, opened, work):
    notebook = opened(write(work / "plain.ipynb", "1"))
    drawn = notebook.page.evaluate(
        f"""async () => {{
            const made = [];
            for (const [code, language] of [
                ['def f(x):\\n    return "<b>" # x', 'python'], ['x', 'python'], ['def f', 'no such'], ['a < b', ''],
            ]) {{
                const element = document.body.appendChild(document.createElement('pre'));
                element.textContent = code;
                await {SERVICES}.highlight(code, language, element);
                const spans = [...element.querySelectorAll('*')];
                made.push([
                    element.textContent === code,
                    spans.every(span => span.tagName === 'SPAN'),
                    new Set(spans.map(span => getComputedStyle(span).color)).size,
                ]);
            }}
            return made;
        }}"""
    )
    assert [line[:2] for line in drawn] == [[True, True]] * 4
    assert drawn[0][2] > 2
    assert [line[2] for line in drawn[2:]] == [0, 0]


def test_the_last_of_two_drawings_of_a_code_stays(jupyter, opened, work):
    notebook = opened(write(work / "plain.ipynb", "1"))
    text = notebook.page.evaluate(
        f"""async () => {{
            const element = document.createElement('pre');
            const {{ highlight }} = {SERVICES};
            await Promise.all([highlight('SELECT 1', 'sql', element), highlight('x = 1', 'python', element)]);
            return element.textContent;
        }}"""
    )
    assert text == "x = 1"


def test_formulas_are_set_by_the_applications_own_typesetter(jupyter, opened, work):
    notebook = opened(write(work / "plain.ipynb", "1"))
    notebook.page.evaluate(
        f"""async () => {{
            const element = document.body.appendChild(document.createElement('p'));
            element.id = 'formula';
            element.textContent = 'so $x^2$';
            await {SERVICES}.typeset(element);
        }}"""
    )
    notebook.page.wait_for_selector("#formula mjx-container", state="attached")


def test_one_can_go_to_a_cell(jupyter, opened, work):
    notebook = opened(write(work / "long.ipynb", *[f"# {n}\n" * 9 for n in range(40)]))
    went = notebook.page.evaluate(f"() => ['cell-37', 'gone', ''].map(id => {SERVICES}.goToCell(id))")
    assert went == [True, False, False]
    notebook.page.locator(".jp-Cell.jp-mod-active", has_text="# 37").wait_for()
    notebook.page.wait_for_function(
        """() => {
            const { top, bottom } = document.querySelector('.jp-Cell.jp-mod-active').getBoundingClientRect();
            return top >= 0 && bottom <= innerHeight;
        }"""
    )


def test_what_the_application_lacks_is_left_out_and_nothing_else(lab, opened, work):
    notebook = opened(write(work / "plain.ipynb", "1"))
    errors = []
    notebook.page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    made = notebook.page.evaluate(
        f"""async () => {{
            const index = performance.getEntriesByType('resource').map(e => e.name)
                .find(name => /robota_nb\\/static\\/\\w+\\/index\\.js/.test(name));
            const {{ plugins }} = await import(index);
            const entry = module => ({{ '1.0.0': {{ from: 'app', get: async () => () => module }} }});
            const required = {{
                '@jupyterlab/notebook': entry({{ INotebookTracker: 'tracker', NotebookActions: {{}} }}),
                '@jupyterlab/apputils': entry({{}}),
                '@jupyterlab/coreutils': entry({{ PageConfig: {{ getOption: () => '' }} }}),
            }};
            const former = {SERVICES};
            const [bridge, chats] = await plugins(required);
            const none = {{ connect() {{}} }};
            const tracker = {{ forEach() {{}}, widgetAdded: none, currentChanged: none }};
            chats.activate({{}}, tracker);
            const services = Object.keys({SERVICES}).filter(name => typeof {SERVICES}[name] !== 'function');
            {SERVICES} = former;
            // One that breaks when it is made.
            const Widget = class {{ constructor() {{ throw new Error('broken'); }} }};
            const broken = await plugins({{ ...required, '@lumino/widgets': entry({{ Widget }}) }});
            broken[1].activate({{}}, tracker);
            {SERVICES} = former;
            return [bridge.id, chats.id, chats.optional, services, broken.map(plugin => plugin.id)];
        }}"""
    )
    ids = ["robota_nb:bridge", "robota_nb:chats"]
    assert made == [*ids, [], ["highlight", "typeset"], ids]
    broken, *lacking = sorted(errors, key=lambda said: "broken" not in said)
    assert broken.startswith("robota_nb: there is no panel of chats here:")
    said = sorted(line.split(" here:")[0] for line in lacking)
    unsanitised, python = (
        "robota_nb: answers in cells are not sanitised",
        "robota_nb: prompts in cells look like Python",
    )
    assert said == [unsanitised, unsanitised, python, python]  # each time that the plugins are made
