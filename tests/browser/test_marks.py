"""Marks at cells, the line at an answer, and what stands above the chats, in JupyterLab and in Notebook 7.

The messages are made by hand, and go through the kernel's real bridge; the marks are of cells that ask nothing, of
which a kernel says nothing by itself.
"""

import json
from importlib.util import find_spec

import pytest

from robota_nb.core.record.entries import source_hash
from support.jupyter import IN_BOTH
from support.notebook import write
from support.page import MODEL, PANEL
from support.require import require
from support.switcher import Switcher

pytestmark = [pytest.mark.usefixtures("one_tab"), pytest.mark.slow("drives real applications in a browser")]

LOAD = "%load_ext robota_nb"
SEND = "import json; from robota_nb.carriers.document import bridge; bridge(get_ipython()).send(json.loads({!r}))"
HEAR = """
from robota_nb.carriers.document import bridge
_bridge, heard = bridge(get_ipython()), []
_deliver = _bridge.deliver
_bridge.deliver = lambda message: (heard.append(message), _deliver(message))
"""
"""Keeps what the page says to the kernel."""

STATES = ["asked", "replayed", "recorded", "edited", "stale", "new", "out", "cut", "failed", "purged"]


def mark(state, source, **more):
    return {"state": state, "hash": source_hash(source), "chat": "Main", "model": "gpt", "turn": "", **more}


def marks(cells, stale=0, asked=0, replayed=0, tokens=0, **more):
    counts = {"stale": stale, "asked": asked, "replayed": replayed, "tokens": tokens}
    return {"op": "marks", "cells": cells, **counts, **more}


def sends(message):
    """The source of a cell that has the kernel send a message."""
    return SEND.format(json.dumps(message))


APP = "__import__('robota_nb.kernel.extension').kernel.extension._HOOKED[get_ipython()].app()"


def execute(notebook, code):
    """Have the kernel run code that is in no cell."""
    done = notebook.page.evaluate(
        f"""async code => {{
            const {{ kernel }} = {PANEL}.sessionContext.session;
            return (await kernel.requestExecute({{ code, store_history: false }}).done).content.status;
        }}""",
        code,
    )
    assert done == "ok"


def tell(notebook, cells, **counts):
    """Have the kernel send marks."""
    execute(notebook, sends(marks(cells, **counts)))


def heard(notebook, *ops):
    """What the kernel has heard, of these kinds."""
    file = notebook.path.with_suffix(".heard")
    execute(notebook, f"import json, pathlib; pathlib.Path({str(file)!r}).write_text(json.dumps(heard))")
    told = [{key: value for key, value in message.items() if key != "size"} for message in json.loads(file.read_text())]
    return [message for message in told if message["op"] in ops]


def word(notebook, number):
    """The word at a cell, as it is drawn; empty if there is none."""
    return notebook.cell(number).evaluate(
        """cell => {
            const prompt = cell.querySelector('.jp-InputArea-prompt');
            const { content } = getComputedStyle(prompt, '::after');
            return content === 'none' ? '' : JSON.parse(content);
        }"""
    )


def is_marked(notebook, number, state):
    """Wait until a cell has a mark; None for none."""
    wanted = state and {"purged": "removed"}.get(state, state)
    notebook.page.wait_for_function(
        """([cell, wanted]) => {
            const prompt = cell.querySelector('.jp-InputArea-prompt');
            const { content } = prompt ? getComputedStyle(prompt, '::after') : { content: 'none' };
            return content === (wanted === null ? 'none' : JSON.stringify(wanted));
        }""",
        arg=[notebook.cell(number).element_handle(), wanted],
    )


@pytest.fixture
def marked(opened, work):
    """A notebook with the extension, and cells that the kernel may have marks for."""
    notebook = opened(write(work / "marks.ipynb", LOAD, "a = 1", "b = 2", "c = 3"))
    notebook.run()
    return notebook


# -- marks


@IN_BOTH
def test_each_state_is_said_in_a_word_with_its_reason(jupyter, opened, work):
    sources = [f"{n}" for n in range(len(STATES))]
    notebook = opened(write(work / "states.ipynb", LOAD, *sources))
    notebook.run()
    cells = zip(STATES, sources, strict=True)
    tell(notebook, {f"cell-{n}": mark(state, source) for n, (state, source) in enumerate(cells, 1)})
    for number, state in enumerate(STATES, 1):
        is_marked(notebook, number, state)
        assert notebook.cell(number).get_attribute("aria-description").startswith(word(notebook, number) + ": ")
    is_marked(notebook, 0, None)
    tell(notebook, {"cell-5": mark("stale", "4", why="model is another one")})
    notebook.page.wait_for_selector("[aria-description='stale: model is another one']")
    notebook.cell(5).locator(".jp-InputArea-prompt").hover()
    assert notebook.cell(5).locator(".jp-InputArea-prompt").get_attribute("title") == "stale: model is another one"
    tell(notebook, {"cell-5": None})
    is_marked(notebook, 5, None)
    assert notebook.cell(5).get_attribute("aria-description") is None
    tell(notebook, {"cell-1": mark("asked", "0")}, whole=True)
    is_marked(notebook, 2, None)
    is_marked(notebook, 1, "asked")


def test_a_mark_goes_with_its_cell_and_not_with_a_copy(jupyter, marked):
    tell(marked, {"cell-1": mark("stale", "a = 1")})
    is_marked(marked, 1, "stale")
    marked.cell(1).locator(".jp-InputPrompt").click()
    marked.page.keyboard.press("Control+Shift+ArrowDown")
    is_marked(marked, 2, "stale")
    is_marked(marked, 1, None)
    for key in "cv":
        marked.page.keyboard.press(key)
    is_marked(marked, 3, None)
    assert word(marked, 2) == "stale"
    assert marked.cell(3).locator(".cm-content").inner_text() == "a = 1"


def test_a_cell_is_edited_while_its_source_is_another_one(jupyter, marked):
    tell(marked, {"cell-1": mark("replayed", "a = 1"), "cell-2": mark("new", "", hash="")})
    is_marked(marked, 1, "replayed")
    for source, state in [("a = 12", "edited"), ("a = 1", "replayed"), ("a = 2", "edited")]:
        marked.edit(1, source)
        is_marked(marked, 1, state)
    tell(marked, {"cell-1": mark("edited", "a = 1")})  # the kernel has been told
    marked.edit(1, "a = 1")
    is_marked(marked, 1, "replayed")
    marked.edit(2, "b = 3")
    is_marked(marked, 2, "new")


@pytest.mark.long("another test of marks goes the same way")
def test_what_was_asked_here_is_not_said_of_a_cell_that_runs_or_was_cleared(jupyter, opened, work):
    source = "import time\nwhile run: time.sleep(0.1)"
    notebook = opened(write(work / "running.ipynb", f"{LOAD}\nrun = False", source))
    notebook.run()
    tell(notebook, {"cell-1": mark("asked", source)})
    is_marked(notebook, 1, "asked")
    execute(notebook, "run = True")
    notebook.start(1)
    is_marked(notebook, 1, None)
    notebook.menu("Kernel", "Interrupt Kernel")
    notebook.idle()
    is_marked(notebook, 1, "asked")
    notebook.menu("Edit", "Clear Cell Output")
    is_marked(notebook, 1, None)


@pytest.mark.long("another test of marks goes the same way")
def test_marks_are_gone_with_the_kernel_that_has_said_them(jupyter, marked):
    tell(marked, {"cell-1": mark("stale", "a = 1")}, stale=1)
    is_marked(marked, 1, "stale")
    marked.restart()
    is_marked(marked, 1, None)
    marked.run(0)
    tell(marked, {"cell-2": mark("stale", "b = 2")})
    is_marked(marked, 2, "stale")
    is_marked(marked, 1, None)


@pytest.mark.parametrize("mode", ["full", "defer", "none"])
def test_marks_are_there_however_cells_are_drawn(jupyter, opened, work, mode):
    count = 80
    notebook = opened(write(work / "long.ipynb", LOAD, *(f"# {n}\n\n\n" for n in range(1, count))))
    notebook.page.evaluate(
        f"mode => {{ const {{ content }} = {PANEL}; "
        "content.notebookConfig = { ...content.notebookConfig, windowingMode: mode }; }",
        mode,
    )
    notebook.run(0)
    tell(notebook, {f"cell-{n}": mark("recorded", f"# {n}\n\n\n") for n in range(1, count)})
    for at in (count - 1, 40, 1):
        notebook.page.evaluate(
            f"at => {{ {PANEL}.content.activeCellIndex = at; return {PANEL}.content.scrollToItem(at); }}", at
        )
        notebook.page.wait_for_function(
            """at => {
                const prompt = document.querySelector(`.jp-Cell.jp-mod-active .jp-InputArea-prompt`);
                return prompt?.checkVisibility() && getComputedStyle(prompt, '::after').content === '"recorded"'
                    && prompt.closest('.jp-Cell').querySelector('.cm-content')?.textContent.startsWith(`# ${at}`);
            }""",
            arg=at,
        )


# -- the line at an answer


LINE = "robota-answer-line"


@pytest.fixture
def asked(opened, work, server):
    """A notebook with an answer that came in pieces, one of plain text, and one of JSON."""
    server.reply = lambda body: '{"a": [1]}' if "json" in str(body["messages"]) else "**Well** met, friend"
    asks = ["%%robota\nhello", "%%robota -f text\nplain", "%%robota -f json\njson"]
    notebook = opened(write(work / "asked.ipynb", f"{LOAD}\n%robota new Main", *asks, "4"))
    notebook.run()
    notebook.holds("hello", "plain", "json")
    return notebook


def turns(notebook):
    """The turn that each cell shows."""
    return notebook.page.evaluate(
        f"""() => [...{MODEL}.cells].map(cell => [...Array(cell.outputs.length).keys()]
            .map(at => cell.outputs.get(at).metadata.robota_nb?.turn).find(Boolean))"""
    )


def test_there_is_one_line_at_each_answer_whatever_its_format_and_none_in_the_file(jupyter, asked):
    lines = asked.page.locator(LINE)
    for number in (1, 2, 3):
        asked.cell(number).locator(LINE).wait_for()
    assert lines.count() == 3
    asked.save()
    before = asked.path.read_bytes()
    sources = ["%%robota\nhello", "%%robota -f text\nplain", "%%robota -f json\njson"]
    told = {f"cell-{n}": mark("asked", source, turn=turns(asked)[n], tokens=n) for n, source in enumerate(sources, 1)}
    tell(asked, told, asked=3, tokens=6)
    for number, tokens in [(1, "1 token"), (2, "2 tokens"), (3, "3 tokens")]:
        asked.cell(number).locator(LINE, has_text=f"Main·gpt·asked·{tokens}").wait_for()
    asked.page.evaluate(f"() => {{ {MODEL}.dirty = true; }}")
    asked.save()
    assert asked.path.read_bytes() == before
    asked.run(1, 2, 3)
    asked.cell(1).locator(LINE).wait_for()
    assert lines.count() == 3
    asked.save()
    assert b"answer-line" not in asked.path.read_bytes()
    asked.jupyter.end_kernels()
    asked.reload()
    lines.nth(2).wait_for()
    assert lines.count() == 3
    assert lines.first.inner_text().startswith("fake-model")  # without a kernel's word
    assert lines.first.locator("button").count() == 1


@pytest.mark.long("another test of marks goes the same way")
def test_a_saved_notebook_is_the_same_with_marks_and_without(jupyter, marked):
    marked.save()
    before = marked.path.read_bytes()
    tell(marked, {"cell-1": mark("stale", "a = 1", why="so")}, stale=1)
    is_marked(marked, 1, "stale")
    marked.page.evaluate(f"() => {{ {MODEL}.dirty = true; }}")
    marked.save()
    assert marked.path.read_bytes() == before


def test_the_line_says_why_an_answer_is_stale_and_what_was_clicked(jupyter, asked):
    why = "the answer of cell [3] above is another one"
    tell(asked, {"cell-1": mark("stale", "%%robota\nhello", turn=turns(asked)[1], why=why, by="hand")}, stale=1)
    asked.cell(1).locator(LINE, has_text=f"Main·gpt·by hand·stale: {why}").wait_for()
    tell(asked, {"cell-1": mark("asked", "%%robota\nhello", turn="e_another")})  # of two answers, the other one
    asked.page.wait_for_function(f"() => !document.querySelector('{LINE}').textContent.includes('Main')")
    assert asked.cell(1).locator(LINE).inner_text().startswith("fake-model")


def test_an_answer_is_copied_and_keys_on_a_button_are_for_the_button(jupyter, asked, context):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    for number, text in [(1, "**Well** met, friend"), (2, "**Well** met, friend"), (3, '{"a": [1]}')]:
        copy = asked.cell(number).locator(f"{LINE} [data-part=copy]")
        copy.focus()
        asked.page.keyboard.press("Enter")
        copy.get_by_text("Copied").wait_for()
        assert asked.page.evaluate("() => navigator.clipboard.readText()") == text
        assert asked.page.evaluate(f"() => {PANEL}.content.mode") == "command"


@pytest.mark.long("another test of marks goes the same way")
def test_a_long_answer_is_copied_whole(jupyter, opened, work, server, context):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    server.reply = lambda _: "\n\n".join(["A line of a long answer. " * 40] * 12)
    notebook = opened(write(work / "long.ipynb", LOAD, "print('before')", "print(1)\n%robota ask long"))
    notebook.run()
    assert notebook.page.evaluate(f"() => [...{MODEL}.cells][2].outputs.length") > 2
    copy = notebook.cell(2).locator(f"{LINE} [data-part=copy]")
    copy.click()
    copy.get_by_text("Copied").wait_for()
    copied = notebook.page.evaluate("() => navigator.clipboard.readText()")
    assert copied.split() == server.reply(None).split()


def test_an_answer_can_be_asked_again(jupyter, asked, server):
    execute(asked, HEAR)
    tell(asked, {"cell-1": mark("asked", "%%robota\nhello", turn=turns(asked)[1])})
    server.requests.clear()
    server.reply = lambda _: "Again"
    asked.cell(1).locator("[data-part=again]").click()
    asked.shows(1, "Again")
    asked.idle()
    assert heard(asked, "again") == [{"op": "again", "cell": "cell-1"}]
    assert len(server.requests) == 1
    assert asked.page.locator(LINE).count() == 3


def test_one_can_fork_here_under_a_name_that_is_not_chosen_yet(jupyter, asked):
    tell(asked, {"cell-1": mark("asked", "%%robota\nhello", turn=turns(asked)[1], chat='Odd "name"\n!rm')})
    asked.cell(1).locator("[data-part=forkHere]").click()
    asked.page.wait_for_function(f"() => {MODEL}.cells.length === 6")
    source = asked.page.evaluate(f"() => [...{MODEL}.cells][2].sharedModel.getSource()")
    assert source == r'%robota chat fork "Odd \"name\" !rm 2"'
    asked.page.wait_for_function("() => document.activeElement?.closest('.cm-editor')")
    asked.page.wait_for_function("() => getSelection().toString().includes('Odd')")
    asked.page.keyboard.insert_text("Other")
    assert asked.page.evaluate(f"() => [...{MODEL}.cells][2].sharedModel.getSource()") == "%robota chat fork Other"
    assert asked.count(2) == "[ ]:"


def test_what_strangers_have_written_is_text(jupyter, opened, work, server):
    markup = "<img src=x onerror=window.hacked=1>"
    server.reply = lambda _: "<robota-answer-line><b>not ours</b></robota-answer-line>\n\nWell"
    notebook = opened(write(work / "hostile.ipynb", LOAD, "%%robota\nhello"))
    notebook.run()
    mine = {"chat": markup, "model": markup, "why": markup, "turn": turns(notebook)[1]}
    odd = {"cell-0": mark("no such state", LOAD), "__proto__": mark("asked", ""), "gone": mark("asked", "")}
    tell(notebook, {"cell-1": mark("stale", "%%robota\nhello", **mine), **odd})
    ours = notebook.cell(1).locator(LINE).last
    notebook.page.wait_for_function("line => line.textContent.includes('<img')", arg=ours.element_handle())
    assert notebook.cell(1).locator(f"{LINE} img").count() == 0
    assert notebook.cell(1).locator(f"{LINE} button").count() == 3
    is_marked(notebook, 0, None)
    assert notebook.page.evaluate("() => window.hacked") is None
    assert [error for error in notebook.errors if "'schema'" not in error] == []  # which is Notebook's own


# -- what the kernel is told


SPY = f"""() => {{
    window.pushed = [];
    {PANEL}.sessionContext.session.kernel.anyMessage.connect((_, {{ msg, direction }}) => {{
        const text = direction === 'send' && msg.metadata?.robota_nb?.text;
        if (text) window.pushed.push(JSON.parse(text));
    }});
}}"""


def pushed(notebook):
    told = notebook.page.evaluate("() => window.pushed.splice(0)")
    assert {message["op"] for message in told} <= {"cells"}
    return [[message.get("from"), message.get("gone"), message["cells"]] for message in told]


@pytest.mark.long("another test of marks goes the same way")
def test_the_kernel_is_told_of_cells_what_has_changed(jupyter, asked):
    asked.run(4)
    asked.page.evaluate(SPY)
    asked.run(4)
    assert pushed(asked) == []
    asked.edit(4, "5")
    asked.run(4)
    assert pushed(asked) == [[4, 1, [["cell-4", source_hash("5"), []]]]]
    asked.run(1)
    assert pushed(asked) == []  # it showed this answer before
    asked.edit(4, "6")
    asked.run(0)
    assert pushed(asked) == [[4, 1, [["cell-4", source_hash("6"), []]]]]
    former, source = turns(asked)[1], source_hash("%%robota\nhi")
    asked.edit(1, "%%robota\nhi")
    asked.run(1)
    assert pushed(asked) == [[1, 1, [["cell-1", source, [former]]]]]
    asked.run(0)
    assert pushed(asked) == [[1, 1, [["cell-1", source, [turns(asked)[1]]]]]]


def test_the_kernel_is_told_of_cells_that_come_go_or_move_before_anything_runs(jupyter, asked):
    asked.page.evaluate(SPY)

    def told():
        """Wait until the kernel has been told something, and has taken it: what comes before that is all told anew."""
        asked.page.wait_for_function("() => window.pushed.length")
        asked.idle()

    asked.delete(4)
    told()
    assert pushed(asked) == [[4, 1, []]]
    asked.undo(cells=1)
    told()
    ((at, gone, cells),) = pushed(asked)
    assert (at, gone, [cell[:2] for cell in cells]) == (4, 0, [["cell-4", source_hash("4")]])
    asked.move(4, -1)
    told()
    ((at, gone, cells),) = pushed(asked)
    assert (at, gone, [cell[0] for cell in cells]) == (3, 2, ["cell-4", "cell-3"])


def test_after_a_failure_the_kernel_is_told_everything_again(jupyter, opened, work):
    notebook = opened(write(work / "failed.ipynb", LOAD, "import time; time.sleep(1); 1/0", "2", "%robota"))
    notebook.run(0, 2)
    notebook.page.evaluate(SPY)
    notebook.start(1)
    notebook.edit(2, "3")
    notebook.start(2)
    notebook.page.wait_for_function("() => window.pushed.some(({ op }) => op === 'open')")
    notebook.idle()
    notebook.page.evaluate("() => window.pushed.splice(0)")
    notebook.edit(2, "4")
    notebook.run(3)
    ((at, gone, cells),) = pushed(notebook)
    assert (at, gone, [cell[:2] for cell in cells]) == (2, 1, [["cell-2", source_hash("4")]])


# -- running the stale ones, and the panel


@pytest.fixture
def stale(opened, work):
    """A notebook whose cells say, when they run, what is stale then; with its panel, and what has run."""

    def open_(*sources):
        loading = f"{LOAD}\nran = []\n{HEAR}"
        notebook = opened(write(work / "stale.ipynb", loading, *sources))
        notebook.run(0)
        bar = panel(notebook)
        execute(notebook, f"app = {APP}; app.ready(); app._marks.closed()")  # what it says by itself would come between
        return notebook, bar

    return open_


def panel(notebook):
    notebook.page.locator(".jp-NotebookPanel:visible .jp-Toolbar [data-command='robota:open-chats']").first.click()
    bar = notebook.page.locator("#robota-nb-chats .robota-chats-ui:not([inert]) .robota-notebook")
    bar.wait_for()
    return bar


def ran(notebook):
    file = notebook.path.with_suffix(".ran")
    execute(notebook, f"import json, pathlib; pathlib.Path({str(file)!r}).write_text(json.dumps(ran))")
    return json.loads(file.read_text())


@IN_BOTH
def test_the_stale_ones_are_run_from_the_top_and_nothing_else(jupyter, stale):
    sources = [f"ran.append({n})" for n in range(1, 6)]
    fresh = {"cell-3": mark("replayed", sources[2])}  # as the first answer came back the same
    sources[0] = f"ran.append(1)\n{sends(marks({'cell-1': None, **fresh}, stale=1))}"
    notebook, bar = stale(*sources)
    tell(
        notebook,
        {f"cell-{n}": mark("stale", sources[n - 1]) for n in (1, 3, 4)},
        stale=3,
        replayed=5,
        asked=1,
        tokens=9,
    )
    bar.get_by_text("3 answers are stale").wait_for()
    bar.get_by_text("5 replayed · 1 asked · 9 tokens").wait_for()
    notebook.edit(4, f"{sources[3]}\n{sends(marks({'cell-4': None}))}")  # it is stale, whatever is typed there
    bar.locator("[data-part=run-stale]").click()
    notebook.page.wait_for_function("() => !document.querySelector('[data-part=run-stale]').disabled")
    notebook.idle()
    assert ran(notebook) == [1, 4]
    assert bar.locator("[data-part=run-stale]").is_enabled()


def test_the_first_failure_ends_it(jupyter, stale):
    sources = ["ran.append(1)", "1/0", "ran.append(3)"]
    notebook, bar = stale(*sources)
    tell(notebook, {f"cell-{n}": mark("stale", source) for n, source in enumerate(sources, 1)}, stale=3)
    bar.locator("[data-part=run-stale]").click()
    notebook.shows(2, "ZeroDivisionError")
    notebook.page.wait_for_function("() => !document.querySelector('[data-part=run-stale]').disabled")
    notebook.idle()
    assert ran(notebook) == [1]


def test_they_can_be_accepted(jupyter, stale):
    notebook, bar = stale("a")
    tell(notebook, {"cell-1": mark("stale", "a")}, stale=1)
    bar.get_by_text("1 answer is stale").wait_for()
    bar.locator("[data-part=accept]").click()
    notebook.idle()
    assert heard(notebook, "accept") == [{"op": "accept"}]
    tell(notebook, {"cell-1": mark("recorded", "a")})
    bar.get_by_text("stale").wait_for(state="hidden")


def test_the_status_bar_says_how_many_are_stale(lab, marked):
    tell(marked, {"cell-1": mark("stale", "a = 1")}, stale=2, replayed=1)
    status = marked.page.locator(".robota-status-button")
    status.get_by_text("2 stale", exact=True).wait_for()
    assert "1 replayed · 0 asked · 0 tokens" in status.get_attribute("title")
    status.click()
    marked.page.locator("#robota-nb-chats .robota-notebook").get_by_text("2 answers are stale").wait_for()
    tell(marked, {"cell-1": None})
    status.wait_for(state="hidden")


def test_a_strict_notebook_stays_so_in_this_browser_and_the_file_knows_nothing_of_it(jupyter, stale):
    notebook, bar = stale("%robota replay")
    notebook.run(1)
    notebook.shows(1, "auto")
    notebook.save()
    before = notebook.path.read_bytes()
    bar.get_by_label("Strict").check()
    notebook.idle()
    assert heard(notebook, "replay") == [{"op": "replay", "mode": "strict"}]
    notebook.page.evaluate(f"() => {{ {MODEL}.dirty = true; }}")
    notebook.save()
    assert notebook.path.read_bytes() == before
    notebook.jupyter.end_kernels()
    notebook.reload()
    notebook.run(0, 1)
    notebook.shows(1, "strict")
    if not notebook.page.locator("#robota-nb-chats").is_visible():  # an application need not know that it was open
        panel(notebook)
    switch = notebook.page.locator("#robota-nb-chats .robota-chats-ui:not([inert])").get_by_label("Strict")
    switch.wait_for()
    assert switch.is_checked()
    switch.uncheck()
    notebook.run(1)
    notebook.shows(1, "auto")


def test_a_notice_stands_in_the_panel_of_its_notebook_while_that_is_seen(jupyter, stale):
    notebook, bar = stale("a")
    notice = sends({"op": "notice", "text": "<b>something</b> of this notebook"})
    execute(notebook, notice)
    note = bar.locator(".robota-note", has_text="<b>something</b> of this notebook")
    note.wait_for()
    assert notebook.page.evaluate("() => [...window.toasts]") == []
    above, draft = note.bounding_box(), notebook.page.locator(".robota-draft:visible").bounding_box()
    assert above["y"] + above["height"] < draft["y"]
    note.get_by_label("Dismiss").click()
    note.wait_for(state="detached")
    notebook.page.evaluate("() => window.jupyterapp.shell.collapseRight()")
    execute(notebook, notice)
    notebook.notice("<b>something</b> of this notebook")


def test_the_panel_says_where_new_cells_ask_and_writes_it_into_the_active_cell(jupyter, opened, work):
    sources = [f"{LOAD}\n%robota new Left\n%robota new The Right One", "%%robota -c 'Left' --fresh\nhello", "1"]
    notebook = opened(write(work / "new.ipynb", *sources))
    notebook.run(0)
    panel(notebook)
    view = Switcher(notebook.page, "#robota-nb-chats").ready()
    new = view.root.locator(".robota-next", has_text="New cells ask The Right One · ")
    new.wait_for()
    model = new.inner_text().split(" · ")[1]
    notebook.cell(1).locator(".jp-InputPrompt").click()

    def source(number):
        return notebook.page.evaluate(f"() => [...{MODEL}.cells][{number}].sharedModel.getSource()")

    def write_into(item):
        view.part("drawer").click()
        view.chat_menu("The Right One", item)
        view.part("drawer").click()

    write_into("Write --chat into the active cell")
    assert source(1) == '%%robota --fresh --chat "The Right One"\nhello'
    write_into("Write --model into the active cell")
    assert source(1) == f'%%robota --fresh --chat "The Right One" --model {model}\nhello'
    notebook.cell(2).locator(".jp-InputPrompt").click()
    write_into("Write --chat into the active cell")
    view.note("Select a %%robota cell")
    assert source(2) == "1"


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_nothing_serious_for_anybody(jupyter, asked, theme):
    require("browser", find_spec("axe_playwright_python"), "pip install '.[test]'")
    from axe_playwright_python.sync_playwright import Axe

    asked.dress(theme)
    bar = panel(asked)
    tell(asked, {"cell-1": mark("stale", "%%robota\nhello", turn=turns(asked)[1], why="so")}, stale=1)
    execute(asked, sends({"op": "notice", "text": "a notice"}))
    bar.get_by_text("a notice").wait_for()
    asked.cell(1).locator(LINE, has_text="stale: so").wait_for()
    found = [
        f"{rule['id']}: {node['html'][:200]} {node['failureSummary']}"
        for context in ("#robota-nb-chats", ".jp-Notebook")
        for rule in Axe().run(asked.page, context=context).response["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
        if "robota" in node["html"]
    ]
    asked.dress("JupyterLab Light")  # the application remembers it
    assert found == []
