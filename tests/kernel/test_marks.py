"""What a real kernel tells an open notebook of the answers of its cells."""

import nbformat
import pytest

from robota_nb.frontends.headless import FrontEnd

SETTLE = {"op": "cells", "from": 0, "gone": 0, "cells": []}
"""A change that is none: it is answered when the marks are here."""


class Told(FrontEnd):
    """A front end that keeps what it is told of its cells."""

    def __init__(self):
        super().__init__(nbformat.v4.new_notebook(), "marks.ipynb")
        self.marks, self.counts, self.heard = {}, {}, []

    def take(self, message):
        if message["op"] == "marks":
            self.heard.append(message)
            cells = {**({} if message.get("whole") else self.marks), **message["cells"]}
            self.marks = {key: mark for key, mark in cells.items() if mark}
            self.counts = {name: message[name] for name in ("stale", "asked", "replayed", "tokens")}
        return super().take(message)


@pytest.fixture
def asked(kernel):
    """A kernel that has asked three cells of a notebook."""
    front = kernel.front = Told()
    cells = [nbformat.v4.new_code_cell(f"%%robota\n{prompt}", id=f"cell-{prompt}") for prompt in "abc"]
    front.notebook.cells = cells
    kernel.say(front.opening())
    for cell in cells:
        kernel.ok(cell.source, cell.id)
    kernel.say(SETTLE)
    yield kernel
    kernel.front = None


def edit(kernel, number, source):
    """Edit a cell, and run it."""
    cell = kernel.front.notebook.cells[number]
    cell.source = source
    kernel.say({"op": "cells", "cells": kernel.front.cells()})
    run(kernel, number)


def run(kernel, number):
    cell = kernel.front.notebook.cells[number]
    kernel.ok(cell.source, cell.id)
    kernel.say(SETTLE)


def states(kernel):
    return "".join(kernel.front.marks[f"cell-{prompt}"]["state"][0] for prompt in "abc")


def test_the_numbers_are_those_of_the_marks_after_each_cell(asked):
    front = asked.front
    assert (states(asked), front.counts["stale"], front.counts["asked"]) == ("aaa", 0, 3)
    edit(asked, 0, "%%robota\nA")
    assert (states(asked), front.counts["stale"]) == ("ass", 2)
    run(asked, 1)
    assert (states(asked), front.counts["stale"]) == ("aas", 1)
    run(asked, 2)
    assert (states(asked), front.counts["stale"], front.counts["asked"]) == ("aaa", 0, 6)


def test_the_mark_of_a_cell_that_has_run_comes_with_the_right_numbers_at_once(asked):
    front = asked.front
    edit(asked, 0, "%%robota\nA")
    run(asked, 1)
    front.heard.clear()
    asked.ok("%%robota\nc", "cell-c")
    assert [(list(said["cells"]), said["stale"]) for said in front.heard] == [(["cell-c"], 0)]


def test_what_was_told_is_not_told_again(asked):
    run(asked, 1)
    assert states(asked) == "ara"
    asked.front.heard.clear()
    run(asked, 1)
    asked.say({"op": "cells", "cells": asked.front.cells()})
    asked.say(SETTLE)
    assert asked.front.heard == []


def test_a_cell_that_is_deleted_is_out_of_memory_before_anything_runs(asked):
    front = asked.front
    cell = front.notebook.cells.pop(1)
    asked.say({"op": "cells", "from": 1, "gone": 1, "cells": []})
    asked.say(SETTLE)
    assert (front.marks.keys(), front.counts["stale"]) == ({"cell-a", "cell-c"}, 1)
    said = asked.run("%robota chat log", silent=True).text
    assert "1: a" in said
    assert "2: b" not in said
    front.notebook.cells.insert(1, cell)
    asked.say({"op": "cells", "from": 1, "gone": 0, "cells": [front.cells()[1]]})
    asked.say(SETTLE)
    assert (states(asked), front.counts["stale"]) == ("aaa", 0)


def test_two_pages_may_tell_the_same_change_and_each_goes_on_from_its_own(asked):
    for page in ("one", "two"):
        asked.say({**asked.front.opening(), "page": page})
    for page, at, key in [("one", 1, "new"), ("two", 1, "new"), ("one", 4, "last"), ("two", 4, "last")]:
        change = {"from": at, "gone": 0, "cells": [[f"cell-{key}", "0" * 16]]}
        asked.say({"op": "cells", "page": page, **change})
    app = "__import__('robota_nb.kernel.extension').kernel.extension._HOOKED[get_ipython()].app()"
    cells = asked.value(f"[cell.key for cell in {app}.page().page.cells]")
    assert cells == ["cell-a", "cell-new", "cell-b", "cell-c", "cell-last"]
