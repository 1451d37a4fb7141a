"""Code, turns and errors that become cells of the notebook, as a user has them become that."""

import pytest

from support.notebook import write
from support.page import MODEL
from support.switcher import LOAD, Switcher

pytestmark = pytest.mark.slow("drives real applications in a browser")

CODE = "total = 0\nfor n in range(3):\n    total += n\ntotal"
"""What the model writes."""
MINE = "total = 1\nfor n in range(3):\n    total += n\nprint(total)"
"""What the user has written."""


def panel(notebook):
    """Open the panel of the notebook."""
    notebook.page.locator(".jp-NotebookPanel:visible .jp-Toolbar [data-command='robota:open-chats']").first.click()
    return Switcher(notebook.page, "#robota-nb-chats").ready()


def sources(notebook):
    return notebook.page.evaluate(f"() => {MODEL}.toJSON().cells.map(cell => [cell.source].flat().join(''))")


def has(notebook, *cells):
    """Wait until the notebook has exactly these cells."""
    notebook.page.wait_for_function(
        f"cells => JSON.stringify({MODEL}.toJSON().cells.map(cell => [cell.source].flat().join('')))"
        " === JSON.stringify(cells)", arg=list(cells),
    )  # fmt: skip


def counts(notebook):
    return notebook.page.evaluate(f"() => {MODEL}.toJSON().cells.map(cell => cell.execution_count)")


def lines(block):
    """What a diff shows: of each line its kind and its text."""
    return block.locator(".robota-diff-lines > *").evaluate_all(
        "rows => rows.map(row => [row.tagName, row.lastChild.textContent])"
    )


def test_code_of_an_answer_is_inserted_or_takes_the_place_of_a_cell_after_a_look_and_nothing_is_run(
    jupyter, opened, work, server
):
    server.reply = lambda _: f"So:\n\n```python\n{CODE}\n```\n"
    notebook = opened(write(work / "code.ipynb", LOAD, MINE, "last"))
    notebook.run(0)
    switcher = panel(notebook)
    switcher.send("Sum them up")
    block = switcher.root.locator(".robota-code")
    part = lambda name: block.locator(f"[data-part={name}]")

    notebook.select(0)
    part("insertBelow").click()
    notebook.page.wait_for_function("() => document.activeElement.closest('.jp-Cell.jp-mod-active .cm-editor')")
    assert sources(notebook) == [LOAD, CODE, MINE, "last"]

    notebook.select(2)
    part("replaceCell").click()
    unchanged = [["DIV", "for n in range(3):"], ["DIV", "    total += n"]]
    assert lines(block) == [
        ["DEL", "total = 1"], ["INS", "total = 0"], *unchanged, ["DEL", "print(total)"], ["INS", "total"]
    ]  # fmt: skip
    part("leaveCell").click()
    assert sources(notebook) == [LOAD, CODE, MINE, "last"]
    assert part("replaceCell").evaluate("button => document.activeElement === button")

    part("replaceCell").click()
    part("acceptChange").click()
    notebook.page.wait_for_function("() => document.activeElement.closest('.jp-Cell.jp-mod-active .cm-editor')")
    assert sources(notebook) == [LOAD, CODE, CODE, "last"]
    notebook.page.keyboard.press("Control+z")
    assert sources(notebook) == [LOAD, CODE, MINE, "last"]

    part("replaceCell").click()
    notebook.edit(2, "mine, meanwhile")
    part("acceptChange").click()
    block.get_by_text("has been changed meanwhile").wait_for()
    assert sources(notebook) == [LOAD, CODE, "mine, meanwhile", "last"]
    assert counts(notebook) == [1, None, None, None]

    notebook.page.evaluate(f"() => {{ {MODEL}.cells.get(2).setMetadata('editable', false); }}")
    part("replaceCell").click()
    block.get_by_text("Select a code cell that can be edited").wait_for()
    notebook.page.evaluate(f"() => {{ {MODEL}.readOnly = true; }}")
    part("insertBelow").click()
    block.get_by_text("is read-only").wait_for()
    assert sources(notebook) == [LOAD, CODE, "mine, meanwhile", "last"]


def test_a_question_of_the_panel_becomes_a_cell_that_replays_its_answer(lab, opened, work, server):
    notebook = opened(write(work / "made.ipynb", LOAD, "%%robota\nfirst", "x = 7", "None"))
    notebook.run(0, 1)
    switcher = panel(notebook)
    notebook.select(2)
    switcher.send("second {{ 1 }}")
    switcher.send("third")
    assert len(server.requests) == 3
    third = '%%robota --chat "Chat 1"\nthird'
    switcher.act("third", "makeCell")
    has(notebook, LOAD, "%%robota\nfirst", "x = 7", third, "None")
    notebook.page.locator(".jp-Cell.jp-mod-active[data-robota=recorded]").wait_for()
    switcher.turn("third").locator("[data-part=goToCell]").wait_for(state="attached")
    notebook.select(0)
    switcher.act("second {{ 1 }}", "makeCell")
    second = '%%robota --chat "Chat 1" --raw\nsecond {{ 1 }}'
    has(notebook, LOAD, "%%robota\nfirst", second, "x = 7", third, "None")
    switcher.act("third", "goToCell")
    notebook.page.locator(".jp-Cell.jp-mod-active").filter(has_text="third").wait_for()
    notebook.restart_and_run_all()
    notebook.shows(4, "3: third")
    notebook.shows(2, "2: second {{ 1 }}")
    assert len(server.requests) == 3
    notebook.page.locator(".jp-Cell[data-robota=replayed]").nth(2).wait_for()
    switcher.says("first", "1: first", "second {{ 1 }}", "2: second {{ 1 }}", "third", "3: third")


def test_an_error_is_asked_about_in_a_cell_and_the_code_of_the_answer_mends_the_one_that_failed(
    lab, opened, work, server
):
    server.reply = lambda _: "Like this:\n\n```python\nhalf = total\n```"
    fails, fine = "half = total / nothing", "total, nothing = 7, 0"
    cells = [fine, "missing", LOAD, fails, "%robota chat open"]
    notebook = opened(write(work / "errors.ipynb", *cells))
    why = lambda number: notebook.cell(number).locator("[data-part=askWhy]")
    notebook.run(0, 1)
    assert not why(1).count()  # nobody is there to ask
    notebook.run(2, 3)
    why(3).wait_for()
    notebook.run(4)
    notebook.shows(4, "CommandError")
    assert not why(4).count()  # that says itself what to do
    notebook.run(3)
    why(3).click()
    question = (
        "%%robota\nWhy does this fail, and how do I mend it?\n\n{{ Err }}\n\n"
        f"```python\n{fails}\n```\n\ntotal: {{{{ total | describe }}}}\n\nnothing: {{{{ nothing | describe }}}}"
    )
    has(notebook, *cells[:4], question, cells[4])
    notebook.page.wait_for_function("() => document.activeElement.closest('.jp-Cell.jp-mod-active .cm-editor')")
    assert server.requests == []
    notebook.run(4)
    sent = server.requests[0]["messages"][-1]["content"]
    assert "ZeroDivisionError: division by zero" in sent
    assert "nothing: int" in sent

    block = notebook.cell(4).locator(".jp-OutputArea")
    block.locator("[data-part=replaceCell]").click()
    assert lines(block) == [["DEL", fails], ["INS", "half = total"]]
    block.locator("[data-part=acceptChange]").click()
    has(notebook, *cells[:3], "half = total", question, cells[4])
    block.locator("[data-part=insertBelow]").click()
    has(notebook, *cells[:3], "half = total", question, "half = total", cells[4])
    notebook.delete(5)
    notebook.edit(3, fails)

    why(1).click()  # an error that is not the last one any more
    notebook.page.locator(".jp-Cell").nth(6).wait_for()
    older = sources(notebook)[2]
    assert older.startswith("%%robota\nWhy does this fail")
    assert "NameError: name 'missing' is not defined" in older
    assert "{{" not in older
