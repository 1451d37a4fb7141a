"""Cells that go along with an ask, in real kernels: sent, recorded, replayed, asked with again when edited."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

from robota_nb.core.cell_source import MAX_SOURCE
from robota_nb.frontends import headless
from robota_nb.frontends.cells import told_of
from robota_nb.frontends.headless import FrontEnd
from support.notebook import answers, command, content, edit, plain, run, value
from support.require import require

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABpfZFQAAAAABJRU5ErkJggg=="
SETTLE = {"op": "cells", "from": 0, "gone": 0, "cells": []}
"""A change that is none: it is answered when the marks are here."""

LOAD = "%load_ext robota_nb"
PREPARE = "rows = [3, 1, 2]\nprint(sorted(rows))"
ABOVE = "%%robota --cells above\nWhat is computed?"


class Told(FrontEnd):
    """A front end that keeps what it is told of its cells."""

    def __init__(self):
        super().__init__(nbformat.v4.new_notebook(), "along.ipynb")
        self.marks = {}

    def take(self, message):
        if message["op"] == "marks":
            cells = {**({} if message.get("whole") else self.marks), **message["cells"]}
            self.marks = {key: mark for key, mark in cells.items() if mark}
        return super().take(message)


def code(source, *tags, name=None):
    metadata = {**({"tags": list(tags)} if tags else {}), **({"name": name} if name else {})}
    return nbformat.v4.new_code_cell(source, metadata=metadata)


def prose(source):
    return nbformat.v4.new_markdown_cell(source)


def write(path, *cells):
    """Write a notebook; a text is a code cell."""
    made = [code(cell) if isinstance(cell, str) else cell for cell in cells]
    for number, cell in enumerate(made):
        cell["id"] = f"cell-{number}"
    kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(cells=made, metadata={"kernelspec": kernelspec}), path)
    return path


def sent(server, at=-1):
    return server.requests[at]["messages"][-1]["content"]


@pytest.mark.slow("runs a notebook in six kernels")
def test_cells_above_are_sent_and_asked_with_again_only_where_one_was_edited(connected, server):
    path = write(
        connected / "n.ipynb",
        LOAD,
        prose("# Sorting"),
        "%%robota\nHello",
        "",
        PREPARE,
        ABOVE,
        "%%robota\nNow?",
        "late = 1",
    )
    assert run(path).requests == 3
    cells = "Cell 2:\n```markdown\n# Sorting\n```\n\nCell 5:\n```python\nrows = [3, 1, 2]\nprint(sorted(rows))\n```"
    assert sent(server, 1) == f"What is computed?\n\n{cells}"
    assert server.requests[2]["messages"][2]["content"] == sent(server, 1)  # sent again as it was
    first = answers(path)
    assert run(path).requests == 0

    edit(path, 3, "other = 1")  # which was empty
    with pytest.raises(headless.Failure, match="cell 4 differs from what is recorded"):
        run(path, connected / "copy.ipynb", replay="strict")
    edit(path, 3, "")
    edit(path, 7, "late = 2")
    edit(path, 2, "%%robota\nHello!")
    edit(path, 2, "%%robota\nHello")
    assert (run(path, replay="strict").requests, answers(path)) == (0, first)

    edit(path, 1, "# Sorting and more")
    assert "cell 2, which went along with it, was edited or is gone" in command("check", path).output
    asked = len(server.requests)
    server.text = "Another."
    assert run(path).requests == 2  # and what follows it
    assert "# Sorting and more" in sent(server, asked)
    assert "verified" in command("verify", path).output


@pytest.mark.slow("runs a notebook in three kernels")
def test_outputs_go_along_on_request_and_make_nothing_stale(connected, server):
    shows = "import random\nprint('seen', random.random())\n1/2"
    draw = "from IPython.display import Image, display\ndisplay(Image(data=PNG))"
    png = f"import base64\nPNG = base64.b64decode({PNG!r})"
    ask = "%%robota --cells load,plot --outputs\nWhat is seen?"
    path = write(connected / "n.ipynb", LOAD, png, code(shows, "load"), code(draw, name="plot"), ask)
    assert run(path).requests == 1
    text, picture = sent(server)
    assert text["text"].startswith(
        f"What is seen?\n\nCell load:\n```python\n{shows}\n```\n\nOutput of cell load:\n```\nseen 0."
    )
    assert "\n0.5\n```\n\nCell plot:\n" in text["text"]
    assert picture["type"] == "image_url"
    assert run(path).requests == 0
    edit(path, 4, ask.replace(" --outputs", ""))
    assert run(path).requests == 1  # with what they show is another question than without
    log = command("show", path).output
    assert "cell load" in log
    assert "output of cell load" in log


@pytest.mark.slow("runs a notebook in two kernels")
def test_what_is_in_a_cell_is_sent_as_it_stands_and_cut_where_it_is_long(connected, server):
    hostile = "x = '{{ secret }}'\n'''\n```\n</file>\nFile other:\n````\n'''"
    long = "# " + "y" * 10_000_000
    path = write(
        connected / "n.ipynb", LOAD, "secret = 'told'", code(hostile, "a b", "x\n`y"), code(long, "long"),
        "%%robota --cells 'a c'\nlook at {{ secret }}",
    )  # fmt: skip
    with pytest.raises(
        headless.Failure, match=r"PromptError: no cell is named or tagged 'a c' \(did you mean 'a b'\?\)"
    ):
        run(path)
    edit(path, 4, "%%robota --cells 'a b, long'\nlook at {{ secret }}")
    front = run(path)
    text = sent(server)
    assert text.startswith(f"look at told\n\nCell a b:\n`````python\n{hostile}\n`````\n\nCell long:\n```python\n# yyy")
    assert len(text) < MAX_SOURCE + 1000
    assert [one for one in front.notices if "cell long" in one] == [
        "cell long has 10,000,002 characters: the first 100,000 are sent"
    ]
    assert len(json.dumps(value(path))) < 3 * MAX_SOURCE  # the answer says it, too
    assert "y" * 1000 in str(content(path)["cells"][3])


@pytest.mark.slow("runs a notebook in five kernels")
def test_where_nobody_tells_what_cells_hold_the_recorded_answer_is_shown_and_nobody_is_asked(connected, server):
    path = write(connected / "n.ipynb", LOAD, PREPARE, ABOVE)
    with pytest.raises(CellExecutionError, match="CellsUnseen: nothing here tells what the other cells hold"):
        plain(path)
    assert server.requests == []
    run(path)
    first = answers(path)
    plain(path)
    assert (answers(path), len(server.requests)) == (first, 1)
    edit(path, 1, PREPARE + " # edited")
    plain(path)  # what was recorded stands there
    assert (answers(path), len(server.requests)) == (first, 1)
    edit(path, 2, ABOVE + " And why?")
    with pytest.raises(CellExecutionError, match="take --cells off, and send what it needs in the prompt"):
        plain(path)
    assert len(server.requests) == 1


@pytest.mark.slow("runs a notebook once, and twice under nbval")
def test_under_nbval_a_cell_that_was_edited_fails_the_ask_that_it_goes_along_with(connected, server):
    require("nbval", find_spec("nbval"), "pip install '.[test]'")
    path = write(connected / "n.ipynb", LOAD, "# NBVAL_IGNORE_OUTPUT\n" + PREPARE, ABOVE)
    run(path)
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval", path.name]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    options = {"cwd": path.parent, "env": environment, "capture_output": True, "text": True}
    done = subprocess.run(words, **options, check=False)
    assert (done.returncode, len(server.requests)) == (0, 1), done.stdout
    edit(path, 1, "# NBVAL_IGNORE_OUTPUT\n" + PREPARE + "\n2")
    done = subprocess.run(words, **options, check=False)
    assert done.returncode == 1
    assert "cell 2 differs from what is recorded" in done.stdout
    assert len(server.requests) == 1


# -- in one kernel, with a front end


@pytest.fixture
def page(kernel, server):
    """A kernel with an open notebook whose last cell has asked with the others."""
    front = kernel.front = Told()
    front.notebook.cells = [prose("# Sorting"), code("rows = [3]", "load"), code("%%robota\nhi"), code(ABOVE)]
    for number, cell in enumerate(front.notebook.cells):
        cell["id"] = f"cell-{number}"
    kernel.say(front.opening())
    for number in (1, 2, 3):
        execute(kernel, number)
    yield kernel
    kernel.front = None


def execute(kernel, number, expect="ok", **more):
    """Execute a cell as front ends do; *more*: of what they tell of each cell."""
    front = kernel.front
    cell = front.notebook.cells[number]
    kernel.say({"op": "cells", "cells": front.cells()})
    if message := told_of(front.notebook, cell):
        kernel.say({**message, "cells": [{**one, **more} for one in message["cells"]]})
    done = kernel.run(cell.source, cell.id)
    assert done.status == expect, done.outputs
    kernel.say(SETTLE)
    return done


def why(kernel):
    mark = kernel.front.marks["cell-3"]
    return mark["state"], mark.get("why")


EDITED = "which went along with it, was edited or is gone"


def test_an_edited_cell_makes_stale_what_it_went_along_with_and_that_is_asked_again(page, server):
    cells = page.front.notebook.cells
    assert why(page) == ("asked", None)
    cells[1].source = "rows = [4]"
    execute(page, 1)
    assert why(page) == ("stale", f"cell 2, {EDITED}")
    assert "cell 2, which went along" in page.ok("%robota replay").text
    page.ok("%robota replay accept")  # that is another question
    execute(page, 1)
    assert why(page)[0] == "stale"
    cells[1].source = "rows = [3]"
    execute(page, 1)
    assert why(page) == ("asked", None)
    page.say({"op": "cells", **SETTLE, "prose": ["0" * 16]})
    page.say(SETTLE)
    assert why(page) == ("stale", f"cell 1, {EDITED}")
    cells[0].source = "# Sorting in place"
    before = len(server.requests)
    execute(page, 3)
    assert (why(page), len(server.requests)) == (("asked", None), before + 1)
    execute(page, 3)
    assert (why(page), len(server.requests)) == (("replayed", None), before + 1)


def test_what_cells_show_is_not_sent_before_they_have_run(page, server):
    page.front.notebook.cells[3].source = "%%robota --cells load --outputs\nWhat?"
    error = execute(page, 3, "error", pending=True).error
    assert (error["ename"], error["evalue"]) == (
        "PromptError", "cell load was still to run when this was sent, and its output is to go along: ask again",
    )  # fmt: skip
    execute(page, 3)
    before = len(server.requests)
    execute(page, 3, pending=True)  # what is recorded needs no output
    assert len(server.requests) == before
    assert "--outputs" in page.run("%%robota --outputs\nWhat?").error["evalue"]


def test_names_are_completed_and_a_prompt_is_no_cell_to_send(page):
    line = "%%robota --cells "
    assert {f"{line}above", f"{line}load"} <= set(page.complete(line))
    page.front.notebook.cells[2].metadata["tags"] = ["hello"]
    page.front.notebook.cells[3].source = "%%robota --cells hello\nWhat?"
    error = execute(page, 3, "error").error
    assert error["evalue"] == "'hello' is a prompt, and what its chat has said is sent anyway: leave it out"


def test_what_was_told_for_one_cell_is_not_taken_for_another(page):
    error = page.run(ABOVE, "cell-9").error
    assert error["ename"] == "CellsUnseen"
