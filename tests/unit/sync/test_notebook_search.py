"""Which file of a folder is the notebook that a tool runs: the one that begins with the cells that have run."""

import json
from types import SimpleNamespace

import pytest

from robota_nb.errors import NotebookUnknown
from robota_nb.sync import notebook_search
from robota_nb.sync.notebook_search import Ran, find, named_by_tool

CELLS = ["x = 1", "%load_ext robota_nb", "%%robota\nwhy?", "print(x)"]


def write(path, *cells, tags=None):
    """Write a notebook; *tags* has those of cells, by their place."""
    made = [
        {
            "cell_type": "code", "source": source, "outputs": [], "execution_count": None,
            "metadata": {"tags": [tags[at]]} if tags and at in tags else {},
        }
        for at, source in enumerate(cells)
    ]  # fmt: skip
    path.write_text(json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return path


def says(text, *but):
    """Have every notebook answer this, but for some that have no answer."""
    return lambda found: None if found.path.name in but else SimpleNamespace(text=text, finish_reason="stop")


def ran(*sources, from_start=True):
    return Ran(sources, from_start)


def found(folder, cells, answered=says("because"), **environ):
    result = find(folder, cells, answered, environ)
    return result and result.path.name


def test_it_begins_with_the_cells_that_have_run(tmp_path):
    write(tmp_path / "talk.ipynb", *CELLS)
    write(tmp_path / "other.ipynb", "x = 2", *CELLS[1:])
    assert found(tmp_path, ran(*CELLS[:3])) == "talk.ipynb"
    assert found(tmp_path, ran("x = 3", *CELLS[1:3])) is None
    assert found(tmp_path, ran(*CELLS[1:3])) is None


def test_where_nobody_has_kept_what_ran_before_the_extension_was_loaded_the_cells_from_there_on_count(tmp_path):
    write(tmp_path / "talk.ipynb", *CELLS)
    assert found(tmp_path, ran(*CELLS[1:3], from_start=False)) == "talk.ipynb"
    assert found(tmp_path, ran(CELLS[1], CELLS[3], from_start=False)) is None


def test_cells_without_code_and_the_last_newline_make_no_difference(tmp_path):
    write(tmp_path / "talk.ipynb", CELLS[0] + "\n", "  \n", *CELLS[1:])
    assert found(tmp_path, ran(*CELLS[:3])) == "talk.ipynb"


@pytest.mark.parametrize(
    "put_in",
    ["# Parameters\ny = 5\n", "# Injected parameters\ny = 5\n", 'import os\n\nos.environ["VOILA_KERNEL_ID"]="1"'],
)
def test_what_a_tool_puts_in_need_not_be_in_the_file(tmp_path, put_in):
    write(tmp_path / "talk.ipynb", *CELLS)
    assert found(tmp_path, ran(put_in, *CELLS[:3])) == "talk.ipynb"
    assert found(tmp_path, ran(CELLS[0], put_in, *CELLS[1:3])) == "talk.ipynb"
    assert found(tmp_path, ran(put_in)) is None


@pytest.mark.parametrize("tag", ["injected-parameters", "skip-execution"])
def test_what_a_tool_replaces_or_leaves_out_may_be_in_the_file(tmp_path, tag):
    write(tmp_path / "talk.ipynb", CELLS[0], "# Parameters\ny = 4", *CELLS[1:], tags={1: tag})
    assert found(tmp_path, ran(*CELLS[:3])) == "talk.ipynb"
    assert found(tmp_path, ran(CELLS[0], "# Parameters\ny = 4", *CELLS[1:3])) == "talk.ipynb"
    assert found(tmp_path, ran(CELLS[0], "# Parameters\ny = 5", *CELLS[1:3])) == "talk.ipynb"


def test_of_several_with_the_same_answer_the_first_is_taken(tmp_path):
    for name in ("b.ipynb", "a.ipynb"):
        write(tmp_path / name, *CELLS)
    assert found(tmp_path, ran(*CELLS[:3])) == "a.ipynb"


def test_several_of_which_one_has_no_answer_or_another_are_an_error_that_names_both(tmp_path):
    for name in ("a.ipynb", "b.ipynb"):
        write(tmp_path / name, *CELLS)
    for answered in (
        says("because", "b.ipynb"),
        says("because", "a.ipynb"),
        lambda found: SimpleNamespace(text=found.path.name, finish_reason="stop"),
    ):
        with pytest.raises(NotebookUnknown, match="ROBOTA_NB_NOTEBOOK") as error:
            find(tmp_path, ran(*CELLS[:3]), answered, {})
        assert {"a.ipynb", "b.ipynb"} <= set(str(error.value).split())


def test_several_without_an_answer_are_none(tmp_path):
    for name in ("a.ipynb", "b.ipynb"):
        write(tmp_path / name, *CELLS)
    assert found(tmp_path, ran(*CELLS[:3]), lambda _: None) is None


def test_nothing_below_the_folder_is_read_nor_what_is_hidden_or_no_notebook(tmp_path):
    for name in (".ipynb_checkpoints", "below.ipynb"):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "talk.ipynb", *CELLS)
    write(tmp_path / ".talk.ipynb", *CELLS)
    write(tmp_path / "talk.json", *CELLS)
    (tmp_path / "broken.ipynb").write_text("{")
    assert found(tmp_path, ran(*CELLS[:3])) is None


def test_a_folder_with_too_many_notebooks_or_too_large_ones_is_not_read(tmp_path, monkeypatch):
    path = write(tmp_path / "talk.ipynb", *CELLS)
    write(tmp_path / "zero.ipynb")
    monkeypatch.setattr(notebook_search, "MAX_FILES", 1)
    assert found(tmp_path, ran(*CELLS[:3])) is None
    monkeypatch.setattr(notebook_search, "MAX_FILES", 2)
    assert found(tmp_path, ran(*CELLS[:3])) == "talk.ipynb"
    monkeypatch.setattr(notebook_search, "MAX_BYTES", path.stat().st_size)
    assert found(tmp_path, ran(*CELLS[:3])) is None


@pytest.mark.parametrize(
    "environ",
    [
        {"SERVER_SOFTWARE": "voila/0.5", "SCRIPT_NAME": "/voila/render/sub/my%20talk.ipynb"},
        {"PYTEST_CURRENT_TEST": "sub/my talk.ipynb:: (call)"},
        {"QUARTO_DOCUMENT_FILE": "my talk.ipynb"},
    ],
)
def test_a_tool_may_name_it(tmp_path, environ):
    talk = write(tmp_path / "my talk.ipynb", *CELLS)
    write(tmp_path / "a.ipynb", *CELLS)
    assert named_by_tool(tmp_path, environ) == talk
    assert found(tmp_path, ran(*CELLS[:3]), **environ) == "my talk.ipynb"
    assert found(tmp_path, ran("x = 3", *CELLS[1:3]), **environ) is None


def test_what_is_named_and_not_there_is_not_named(tmp_path):
    assert named_by_tool(tmp_path, {"PYTEST_CURRENT_TEST": "tests/test_a.py::test_b (call)"}) is None
    assert named_by_tool(tmp_path, {"PYTEST_CURRENT_TEST": "talk.ipynb:: (call)"}) is None
    assert named_by_tool(write(tmp_path / "a.ipynb").parent, {"SCRIPT_NAME": "/a.ipynb"}) is None
