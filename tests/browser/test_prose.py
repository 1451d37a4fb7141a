"""Prompt cells in the editor: they read as prose, and what an answer has of code goes into cells."""

import pytest

from support.jupyter import IN_BOTH
from support.notebook import write
from support.page import MODEL, PANEL

pytestmark = pytest.mark.slow("drives real applications in a browser")

LOAD = "%load_ext robota_nb"
PROMPT = (
    "%%robota --chat Desk\nWhy **is** it slow? Take {{ frame | head(5) }}, not {{{ x }}} or {{ len(x) }}. "
    + "long " * 60
)
TYPES = f"() => [...{MODEL}.cells].map(cell => cell.mimeType)"
SOURCES = f"() => [...{MODEL}.cells].map(cell => cell.sharedModel.getSource())"
PROSE = "text/x-robota-prompt"


@IN_BOTH
def test_prompts_read_as_prose_and_nothing_of_that_is_in_the_file(jupyter, opened, work):
    notebook = opened(write(work / "prose.ipynb", PROMPT, "for x in y: pass"))
    editor, python = (notebook.cell(number).locator(".cm-editor") for number in (0, 1))
    editor.and_(notebook.page.locator(".robota-prose")).wait_for()
    assert editor.locator(".robota-variable").all_inner_texts() == ["{{ frame | head(5) }}"]
    assert editor.locator(".robota-magic").inner_text() == "%%robota --chat Desk"
    assert (
        editor.locator(".cm-line").nth(1).bounding_box()["height"]
        > 2 * python.locator(".cm-line").bounding_box()["height"]
    )
    assert python.and_(notebook.page.locator(".robota-prose")).count() == 0
    sign = "cell => getComputedStyle(cell.querySelector('.jp-InputArea-prompt'), '::before').content"
    assert [notebook.cell(number).evaluate(sign) for number in (0, 1)] == ['""', "none"]

    plain = notebook.page.evaluate(TYPES)[1]
    notebook.edit(1, "%%robota\nHow?")
    notebook.page.wait_for_function(f"type => ({TYPES})()[1] === type", arg=PROSE)
    notebook.edit(1, "for x in y: pass")
    notebook.page.wait_for_function(f"type => ({TYPES})()[1] === type", arg=plain)
    notebook.edit(0, PROMPT.replace("Desk", "Desk --raw"))
    editor.locator(".robota-variable").first.wait_for(state="detached")
    notebook.edit(0, PROMPT)
    editor.locator(".robota-variable").first.wait_for()
    before = notebook.file()["cells"]
    notebook.save()
    assert notebook.file()["cells"] == before


def test_a_key_makes_the_next_cell_a_question(jupyter, opened, work):
    notebook = opened(write(work / "next.ipynb", "1", "2"))
    notebook.select(0)
    for question in ("How?", "Why?"):
        notebook.page.keyboard.press("Alt+Shift+Q")
        notebook.page.wait_for_function(f"() => {PANEL}.content.activeCell.editor?.getCursorPosition().line === 1")
        notebook.page.keyboard.insert_text(question)
    assert notebook.page.evaluate(SOURCES) == ["1", "%%robota\nHow?", "%%robota\nWhy?", "2"]
    notebook.cell(3).locator(".cm-content").click()
    for key in ("Control+a", "Delete", "Escape"):
        notebook.page.keyboard.press(key)
    notebook.menu("Edit", "Make the next cell a question")
    notebook.page.wait_for_function(f"() => ({SOURCES})().at(-1) === '%%robota\\n'")
    assert len(notebook.page.evaluate(SOURCES)) == 4


def test_a_field_is_closed_as_it_is_opened(opened, work):
    notebook = opened(write(work / "fields.ipynb", "%%robota\n", "%%robota\n"))
    for number, typed in enumerate(("{{ x }} {y} {{{z}}}", "{{ x")):
        notebook.cell(number).locator(".cm-line").nth(1).click()
        notebook.cell(number).locator(".robota-prose").wait_for()
        notebook.page.keyboard.type(typed)
    assert notebook.page.evaluate(SOURCES) == ["%%robota\n{{ x }} {y} {{{z}}}", "%%robota\n{{ x}}"]


def test_code_goes_into_the_cell_of_the_former_code_as_long_as_nobody_has_changed_that(opened, work, server):
    said = iter(["1", "2", "3"])
    server.reply = lambda _: f"First\n```bash\npip install x\n```\n\n```python\nx = {next(said)}\n```\n"
    notebook = opened(write(work / "code.ipynb", LOAD, "%%robota --format code\none"))
    notebook.run()
    notebook.notice("the answer has code that is no Python (bash): it is shown alone")
    notebook.page.wait_for_function(f"() => ({SOURCES})()[2] === 'x = 1'")
    notebook.edit(1, "%%robota --format code\ntwo")
    notebook.run(1)
    notebook.page.wait_for_function(f"() => ({SOURCES})()[2] === 'x = 2'")
    assert len(notebook.page.evaluate(SOURCES)) == 3
    notebook.run(1)  # it is replayed
    assert len(notebook.page.evaluate(SOURCES)) == 3
    notebook.edit(2, "x = 2  # mine")
    notebook.edit(1, "%%robota --format code\nthree")
    notebook.run(1)
    notebook.notice("the cell with the former code was changed, or is gone: the new code is in a new cell")
    assert notebook.page.evaluate(SOURCES)[2:] == ["x = 3", "x = 2  # mine"]
