"""Notebooks of format 1.0, as version 0.1 left them after Restart and Run All, under the rules of the page."""

import json

import pytest

from support.paths import TESTS
from support.replay import on_manager
from support.replay.from_record import opened
from support.replay.rules import AskError, Document

NOTEBOOKS = json.loads(TESTS.joinpath("replay", "notebooks-1.0.json").read_text(encoding="utf-8"))
DIFFERENT = {
    # Asked in another order than that of the page.
    "insert middle same kernel after all": 3,
    "move down": 2,
    "move then new cell at end": 3,
    "run out of order": 2,
    # After an answer of which the cell is gone.
    "delete middle": 1,
    "identical prompts first deleted": 1,
    "identical prompts one deleted and the first interrupted": 0,
    "cut to one ask beside an ask like it in another chat": 1,
    # One cell as an input line: what it asked before stands nowhere on the page.
    "rerun append": 1,
    "append then edit by default": 1,
    # A setting in a cell that names another chat.
    "option chat says nothing of the chat that is active": 1,
}
"""The notebooks whose record contradicts their page, and how many answers the page asks for anew."""


def run_all(kernel):
    """Run all cells, and return what they show."""
    for cell in kernel.doc.cells:
        try:
            kernel.run(cell)
        except AskError:
            break
    return [text for cell in kernel.doc.cells for text in cell.out]


@pytest.mark.parametrize("title", NOTEBOOKS)
def test_it_replays_unless_its_record_contradicts_its_page_and_then_from_the_second_time_on(title):
    notebook = NOTEBOOKS[title]
    kernel = opened(notebook["cells"], notebook["value"])
    shown = run_all(kernel)
    assert kernel.live == DIFFERENT.get(title, 0)
    if title not in DIFFERENT:
        assert shown == [text for cell in notebook["cells"] for text in cell["shows"]]
    strict = kernel.again()
    assert run_all(strict) == shown
    assert strict.live == 0
    assert strict.save() is strict.saved  # a kernel that only replays writes nothing


def on_the_manager(notebook, **options):
    """Return the kernel of the real manager that has opened a notebook."""
    document = Document()
    for at, cell in enumerate(notebook["cells"]):
        document.insert(at, cell["source"])
        document.cells[at].id = cell["id"]
        document.cells[at].shows = cell["turns"]
    for entries in notebook["value"]["sessions"].values():
        on_manager.NAMES.update({eid: eid for eid in entries})
    return on_manager.Kernel(document, {"snapshot": notebook["value"], "turns": {}, "n": 0}, **options)


@pytest.mark.parametrize("title", NOTEBOOKS)
def test_the_manager_does_the_same_with_it(title):
    kernel = on_the_manager(NOTEBOOKS[title])
    run_all(kernel)
    assert kernel.live == DIFFERENT.get(title, 0)


CONTRADICT = {
    "insert middle same kernel after all", "move down", "move then new cell at end", "run out of order",
    "delete middle", "identical prompts first deleted", "identical prompts one deleted and the first interrupted",
    "rerun append", "append then edit by default",
}  # fmt: skip
SEEM_TO = {"undo cell", "undo as retry", "undo inserted", "copy paste right above the original", "split a cell"}
"""Until the commands have run, or the copy: nothing recorded tells of them."""


@pytest.mark.parametrize("title", NOTEBOOKS)
def test_what_contradicts_the_page_is_known_before_anything_runs(title):
    contradictions = on_the_manager(NOTEBOOKS[title]).page_.contradictions()
    assert bool(contradictions) == (title in CONTRADICT | SEEM_TO)
