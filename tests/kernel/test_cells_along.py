"""Cells of the notebook that go along with an ask, in real kernels: sent, recorded, replayed, asked again when edited."""

import json

import nbformat
import pytest

from robota_nb.core.cell_source import MAX_SOURCE
from robota_nb.frontends import headless
from support.notebook import answers, command, content, edit, run, value

LOAD = "%load_ext robota_nb"
PREPARE = "rows = [3, 1, 2]\nprint(sorted(rows))"
ABOVE = "%%robota --cells above\nWhat is computed?"


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
        connected / "n.ipynb", LOAD, prose("# Sorting"), "%%robota\nHello", "", PREPARE, ABOVE, "%%robota\nNow?", "late = 1"
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
    png = "import base64\nPNG = base64.b64decode('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABpfZFQAAAAABJRU5ErkJggg==')"
    ask = "%%robota --cells load,plot --outputs\nWhat is seen?"
    path = write(connected / "n.ipynb", LOAD, png, code(shows, "load"), code(draw, name="plot"), ask)
    assert run(path).requests == 1
    text, picture = sent(server)
    assert text["text"].startswith(f"What is seen?\n\nCell load:\n```python\n{shows}\n```\n\nOutput of cell load:\n```\nseen 0.")
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
    with pytest.raises(headless.Failure, match=r"PromptError: no cell is named or tagged 'a c' \(did you mean 'a b'\?\)"):
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
