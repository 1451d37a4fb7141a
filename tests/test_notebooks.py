"""Every notebook of ours runs offline: under nbval, and again by the runner, which then has nothing to change."""

import json
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import nbformat
import pytest
from kernel_support import isolated
from require import require

from robota_nb.core import snapshot
from robota_nb.testing import FakeOpenAIServer

NOTEBOOKS = sorted(Path(__file__).parent.parent.joinpath("notebooks").glob("*.ipynb"))

RUN = "import sys; from robota_nb.cli import main; sys.exit(main(['run', *sys.argv[1:]]))"

each = pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)


@pytest.fixture
def copy(notebook, tmp_path):
    """A notebook as a stranger has it: alone in a directory."""
    return Path(shutil.copy(notebook, tmp_path))


def python(*words, cwd, **environment):
    """Run this Python where nothing of this user is seen, and return (exit code, output)."""
    done = subprocess.run(
        [sys.executable, *words],
        cwd=cwd,
        env=isolated(cwd / "user", **environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    return done.returncode, done.stdout


def content(path):
    """Return what a notebook says, without what tells which Python ran it."""
    value = json.loads(path.read_text(encoding="utf-8"))
    value["metadata"].pop("language_info", None)
    return value


def test_there_are_notebooks():
    assert "quickstart" in [path.stem for path in NOTEBOOKS]


@each
def test_it_passes_nbval_offline(copy, tmp_path):
    require("nbval", find_spec("nbval"), "pip install '.[test]'")
    code, output = python("-m", "pytest", "--nbval", "-q", "-p", "no:cacheprovider", copy.name, cwd=tmp_path)
    assert code == 0, output


@each
@pytest.mark.parametrize("mode", ["auto", "strict"])
def test_it_replays_without_a_request_and_stays_as_it_is(notebook, copy, tmp_path, mode):
    with FakeOpenAIServer() as server:  # a key and a server are there, and nobody asks
        code, output = python("-c", RUN, copy.name, "--replay", mode, cwd=tmp_path, **server.environment())
        assert code == 0, output
        assert "0 turns asked" in output
        assert "0 requests" in output
        assert server.requests == []
    ours, theirs = content(notebook), content(copy)
    if mode == "strict":  # status says so
        assert ours["metadata"] == theirs["metadata"]
        ours, theirs = (shown(value) for value in (ours, theirs))
    assert ours == theirs


def shown(value):
    """Return the outputs of the cells whose outputs may not differ."""
    cells = [cell for cell in value["cells"] if "nbval-ignore-output" not in cell["metadata"].get("tags", ())]
    return [cell.get("outputs") for cell in cells]


@each
def test_it_is_committed_as_a_stranger_wants_it(notebook):
    text = notebook.read_text(encoding="utf-8")
    node = nbformat.reads(text, as_version=4)
    nbformat.validate(node)
    assert node.metadata.kernelspec.name == "python3"
    assert snapshot.parse(node.metadata["robota_nb"])
    code = [cell for cell in node.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not [o for cell in code for o in cell.outputs if o.output_type == "error"]
    places = {str(Path.home()), str(Path(__file__).parent.parent)} - {"/"}
    assert not [place for place in places if place in text]
