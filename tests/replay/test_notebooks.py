"""The page's stories, told to real notebooks: a front end, a kernel, a model server."""

import inspect
import json
import os
import subprocess
import sys

import nbformat
import pytest

from robota_nb.testing import FakeOpenAIServer
from support.golden import RELEASED
from support.kernel import Kernel
from support.notebook import answers, command, run
from support.paths import TESTS
from support.replay.on_kernel import CANNOT, on
from support.replay.stories import STORIES, S

FAST, IN_CI = 3, 25


def told():
    """The stories that a user can make happen; the fast suite tells the first of them, CI some from all over."""
    stories = [story for story in STORIES if not CANNOT.search(inspect.getsource(story))]
    step = len(stories) // IN_CI
    slow = pytest.mark.slow("runs real notebooks, and restarts their kernels")
    long = pytest.mark.long("the core and the manager are told all stories, and CI tells real notebooks some of them")
    for at, story in enumerate(stories):
        marks = [] if at < FAST else [slow] if at % step == 0 else [long]
        yield pytest.param(story, id=story.__name__, marks=marks)


@pytest.fixture(scope="module")
def kernels(tmp_path_factory):
    with FakeOpenAIServer() as server:
        environment = {**server.environment(), "OPENAI_MODEL": "default"}
        process = Kernel(tmp_path_factory.mktemp("stories"), **environment).start()
        yield on(process, server)
        process.close()


@pytest.mark.parametrize("story", list(told()))
def test_story(story, kernels):
    teller = S(kernels)
    story(teller)
    assert teller.bad == []


"""The first release, built from the commit 7920f40: it reads format 1.0."""


def released(*arguments, **environment):
    """Run the first release's robota-nb; its kernels are of that release, too."""
    program = [sys.executable, "-P", "-c", "from robota_nb.cli import main; main()", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(RELEASED), "ROBOTA_NB_STORE": "memory", **environment}
    done = subprocess.run(program, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow("runs a notebook with the first release")
def test_the_first_release_shows_a_notebook_of_today_asks_in_it_and_loses_nothing(kernels, tmp_path):
    teller = S(kernels).nb("ask a", "ask b", "open X", "ask --chat main c")
    teller.doc.edit(0, "ask A")
    teller.run(0, 3)
    teller.k.panel("session.chat('main').undo()")
    teller.k.accept()
    before = teller.k.save()["sessions"]
    kinds = [entry["kind"] for entries in before.values() for entry in entries.values()]
    assert {"effects", "accept", "outside"} <= {*kinds}
    assert any("context" in entry for entries in before.values() for entry in entries.values())

    notebook = teller.k.front.notebook
    notebook.cells = [nbformat.v4.new_code_cell(text) for text in ("%load_ext robota_nb", "%%robota --chat main\nnew")]
    path = tmp_path / "today.ipynb"
    nbformat.write(notebook, path)
    assert {"a", "b", "c", "A"} <= {*released("show", path).split()}
    asked = len(kernels.server.requests)
    told = released("run", path, **{**kernels.server.environment(), "OPENAI_MODEL": "default"})
    assert "1 turn asked" in told
    assert len(kernels.server.requests) == asked + 1
    after = nbformat.read(path, 4).metadata["robota_nb"]["sessions"]
    pointers = ("head", "active")
    for session, entries in before.items():
        for eid, entry in entries.items():
            assert entry["kind"] in pointers or after[session][eid] == entry


OF_THE_FIRST_RELEASE = TESTS / "golden" / "sessions-1.0.json"


@pytest.mark.slow("runs a notebook")
def test_a_notebook_of_the_first_release_replays_and_is_fresh_once_it_has_run(tmp_path):
    path = tmp_path / "sessions.ipynb"
    path.write_bytes(OF_THE_FIRST_RELEASE.read_bytes())
    shown = [answers(path) for _ in range(2) if run(path).requests == 0]
    assert shown == [answers(OF_THE_FIRST_RELEASE)] * 2
    assert command("check", path).exit_code == 0


@pytest.mark.slow("runs a notebook with the first release")
def test_the_first_release_reads_a_notebook_with_thoughts_and_sends_none_of_them(kernels, tmp_path):
    sessions = json.loads((TESTS / "golden" / "format-1.1-thoughts.json").read_text(encoding="utf-8"))
    cells = [nbformat.v4.new_code_cell(text) for text in ("%load_ext robota_nb", "%%robota --chat Main\nnew")]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"robota_nb": sessions})
    path = tmp_path / "thoughts.ipynb"
    nbformat.write(notebook, path)
    assert "how many?" in released("show", path)
    assert "1 turn asked" in released("run", path, **{**kernels.server.environment(), "OPENAI_MODEL": "default"})
    request = kernels.server.requests[-1]
    assert [message["content"] for message in request["messages"]][-1] == "new"
    assert "thinking" not in request
    assert "question" not in json.dumps(request["messages"])
    [entries] = nbformat.read(path, 4).metadata["robota_nb"]["sessions"].values()
    [before] = sessions["sessions"].values()
    assert {eid: entries.get(eid) for eid in before} == before
