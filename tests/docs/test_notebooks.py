"""Every notebook of ours runs offline: under nbval, and again by the runner, which then has nothing to change."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import nbformat
import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from robota_nb.core.record import snapshot
from robota_nb.testing import FakeOpenAIServer
from support.kernel import isolated
from support.paths import ROOT
from support.require import require

NOTEBOOKS = sorted(ROOT.joinpath("notebooks").glob("*.ipynb"))
INDEX = ROOT.joinpath("notebooks", "README.md").read_text(encoding="utf-8")
BINDER = ROOT / ".binder"
LINK = re.compile(r"\]\(([^)#]+)\)")

RUN = "import sys; from robota_nb.cli.main import main; sys.exit(main(['run', *sys.argv[1:]]))"

each = pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
SLOW = pytest.mark.slow("runs a notebook in a kernel of its own")
BY_RUNNER = {"quickstart": [], "replay": SLOW, "models": SLOW}
"""What CI runs by the runner, too, of all that it runs under nbval."""
each_run = pytest.mark.parametrize(
    "notebook",
    [pytest.param(path, id=path.stem, marks=[] if path.stem == "quickstart" else SLOW) for path in NOTEBOOKS],
)


@pytest.fixture
def copy(notebook, tmp_path):
    """A notebook as a stranger has it: alone in a directory."""
    if notebook.stem == "git":
        require("git", shutil.which("git"))
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
    """Return what a notebook says, without what may differ: who ran it, and the outputs that are tagged so."""
    value = json.loads(path.read_text(encoding="utf-8"))
    value["metadata"].pop("language_info", None)
    value["metadata"].pop("widgets", None)  # their state, which the runner keeps
    for cell in value["cells"]:
        if "nbval-ignore-output" in cell["metadata"].get("tags", ()):
            del cell["outputs"]
        for output in cell.get("outputs", ()):
            output.pop("traceback", None)  # as this IPython writes it
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)  # with a new id each time
    return value


def test_there_are_notebooks():
    assert "quickstart" in [path.stem for path in NOTEBOOKS]


@each_run
def test_it_passes_nbval_offline(copy, tmp_path):
    require("nbval", find_spec("nbval"), "pip install '.[test]'")
    code, output = python("-m", "pytest", "--nbval", "-q", "-p", "no:cacheprovider", copy.name, cwd=tmp_path)
    assert code == 0, output


@pytest.mark.parametrize(
    "notebook",
    [
        pytest.param(path, id=path.stem, marks=BY_RUNNER.get(path.stem, pytest.mark.long("nbval has run it")))
        for path in NOTEBOOKS
    ],
)
@pytest.mark.parametrize(
    "mode", ["strict", pytest.param("auto", marks=pytest.mark.long("strict runs the same, and misses more"))]
)
def test_it_replays_without_a_request_and_stays_as_it_is(notebook, copy, tmp_path, mode):
    with FakeOpenAIServer() as server:  # a key and a server are there, and nobody asks
        code, output = python("-c", RUN, copy.name, "--replay", mode, cwd=tmp_path, **server.environment())
        assert code == 0, output
        assert "0 turns asked" in output
        assert "0 requests" in output
        assert server.requests == []
    assert content(notebook) == content(copy)


@each
def test_it_is_committed_as_a_stranger_wants_it(notebook):
    text = notebook.read_text(encoding="utf-8")
    node = nbformat.reads(text, as_version=4)
    nbformat.validate(node)
    assert node.metadata.kernelspec.name == "python3"
    assert snapshot.parse(node.metadata["robota_nb"])
    code = [cell for cell in node.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    meant = [cell for cell in code if "raises-exception" in cell.metadata.get("tags", ())]
    failed = [cell for cell in code if any(output.output_type == "error" for output in cell.outputs)]
    assert failed == meant
    assert len(text.encode()) < 100_000
    places = {str(Path.home()), str(ROOT)} - {"/"}
    assert not [place for place in places if place in text]


@each
def test_it_says_where_to_go_next(notebook):
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    targets = [target for text in texts for target in LINK.findall(text)]
    assert [target for target in targets if not (notebook.parent / target).exists()] == []
    assert texts[0].startswith("# ")
    assert cells[-1]["cell_type"] == "markdown"
    assert LINK.search("".join(cells[-1]["source"]))


def test_the_index_lists_each_notebook_once():
    rows = re.findall(r"^\| \[(.+?)\]\((.+?)\) \| .+ \|$", INDEX, re.MULTILINE)
    assert all(name == target for name, target in rows)
    assert sorted(target for _, target in rows) == [path.name for path in NOTEBOOKS]


def test_the_answers_that_were_written_by_hand_are_those_in_the_notebooks():
    with ROOT.joinpath("docs", "answers.toml").open("rb") as file:
        written = {answer["text"].strip("\n") for answer in tomllib.load(file)["answer"]}
    entries = [
        entry
        for path in NOTEBOOKS
        for session in json.loads(path.read_text(encoding="utf-8"))["metadata"]["robota_nb"]["sessions"].values()
        for entry in session.values()
    ]
    by_hand = [entry for entry in entries if entry.get("model") == "handwritten"]
    parts = [part for entry in by_hand for part in (entry, *entry.get("steps", ()))]  # of what was asked for once more
    assert {"".join(part["content"]) for part in parts} == written


def test_binder_installs_what_there_is_and_opens_a_notebook():
    project = tomllib.loads(ROOT.joinpath("pyproject.toml").read_text(encoding="utf-8"))["project"]
    directory, extras = re.fullmatch(r"(\.)\[(.+)\]", BINDER.joinpath("requirements.txt").read_text().strip()).groups()
    assert (BINDER.parent / directory / "pyproject.toml").exists()
    assert Requirement(f"{project['name']}[{extras}]").extras <= project["optional-dependencies"].keys()
    python = BINDER.joinpath("runtime.txt").read_text().strip().removeprefix("python-")
    assert python in SpecifierSet(project["requires-python"])
    assert (ROOT / re.search(r"labpath=([\w/.]+)", INDEX)[1]).exists()
