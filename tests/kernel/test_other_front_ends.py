"""Tools that run notebooks and know nothing of us: what they keep, and how it goes on from there."""

import json
import subprocess
import sysconfig
from pathlib import Path

import papermill
import pytest

from support.notebook import answers, command, content, edit, outputs, plain, run, value, write

pytestmark = pytest.mark.slow("runs notebooks with four tools, each in a kernel of its own")

LOAD = "%load_ext robota_nb"
ASKS = [LOAD, "%robota new Left", "%%robota\none", "%%robota\nand two?"]


class Failed(Exception):
    """A tool that runs as a process has failed."""


def jupyter(*words):
    """Run a command of Jupyter's."""
    program = Path(sysconfig.get_path("scripts")) / "jupyter"
    done = subprocess.run([program, *words], capture_output=True, text=True)
    if done.returncode:
        raise Failed(done.stderr)


def through_papermill(path):
    papermill.execute_notebook(path, path, progress_bar=False)


def through_jupyter_execute(path):
    jupyter("execute", "--inplace", path)


def through_nbconvert(path):
    jupyter("nbconvert", "--to", "notebook", "--execute", "--inplace", path)


TOOLS = [plain, through_papermill, through_jupyter_execute, through_nbconvert]


@pytest.fixture(params=TOOLS, ids=["nbclient", "papermill", "jupyter execute", "nbconvert"])
def tool(request):
    """Executes a notebook in place."""
    return request.param


@pytest.fixture
def recorded(connected, server):
    """A notebook with a snapshot in its metadata."""
    path = write(connected / "recorded.ipynb", *ASKS)
    run(path)
    server.requests.clear()
    return path


def rides(path):
    """Whether entries ride in the outputs."""
    return "sessions" in json.dumps(outputs(path))


def test_a_fresh_notebook_s_turns_ride_in_its_outputs_and_settled_they_replay(tool, connected, server):
    path = write(connected / "fresh.ipynb", *ASKS)
    tool(path)
    assert value(path) is None
    assert rides(path)
    shown = answers(path)
    assert shown == ["1: one", "2: and two?"]
    assert "settled: 1 session, 2 turns" in command("settle", path).output
    assert not rides(path)
    server.requests.clear()
    replayed = command("run", "--replay", "strict", path)
    assert replayed.exit_code == 0
    assert "0 requests" in replayed.output
    assert server.requests == []
    assert answers(path) == shown


def test_a_snapshot_in_the_metadata_stays_and_the_kernel_resumes_from_the_file_named(
    tool, recorded, server, monkeypatch
):
    monkeypatch.setenv("ROBOTA_NB_NOTEBOOK", str(recorded))
    before, shown = value(recorded), answers(recorded)
    tool(recorded)
    assert value(recorded) == before
    assert answers(recorded) == shown
    assert server.requests == []


def test_a_kernel_that_is_told_of_no_file_asks_again_and_the_snapshot_stays(tool, recorded, server):
    before = value(recorded)
    tool(recorded)
    assert len(server.requests) == 2
    assert value(recorded) == before
    assert rides(recorded)
    assert "2 sessions, 4 turns" in command("settle", recorded).output
    assert command("run", "--replay", "strict", recorded).exit_code == 0


def test_of_a_run_that_fails_only_papermill_keeps_anything(tool, connected, server):
    path = write(connected / "fails.ipynb", *ASKS, "1 / 0")
    before = path.read_bytes()
    with pytest.raises(Exception, match="ZeroDivisionError"):
        tool(path)
    if tool is not through_papermill:
        assert path.read_bytes() == before
    else:
        assert "2 turns" in command("settle", path).output


def test_what_a_failed_run_has_asked_is_in_the_store_if_the_kernel_knew_the_file(tool, connected, server, monkeypatch):
    path = write(connected / "fails.ipynb", *ASKS, "1 / 0")
    monkeypatch.setenv("ROBOTA_NB_NOTEBOOK", str(path))
    monkeypatch.setenv("ROBOTA_NB_STORE", str(connected / "store.sqlite"))
    with pytest.raises(Exception, match="ZeroDivisionError"):
        tool(path)
    server.requests.clear()
    edit(path, next(n for n, cell in enumerate(content(path)["cells"]) if cell["source"] == ["1 / 0"]), "1 / 1")
    assert command("run", path).exit_code == 0
    assert server.requests == []


def test_no_tool_tells_the_kernel_which_cell_it_runs(tool, connected):
    path = write(connected / "ids.ipynb", "print(get_ipython().get_parent()['metadata'])")
    tool(path)
    assert "cellId" not in str(outputs(path))


# -- nbconvert


@pytest.mark.parametrize("through", [run, plain], ids=["in the metadata", "in the outputs"])
def test_a_page_shows_the_answers_and_nothing_of_the_snapshot(through, connected, server):
    path = write(connected / "talk.ipynb", *ASKS)
    through(path)
    jupyter("nbconvert", "--to", "html", path)
    page = path.with_suffix(".html").read_text()
    assert "1: one" in page
    assert "2: and two?" in page
    snapshot = value(path) or outputs(path)[2][0]["metadata"]["robota_nb"]
    inside = ["finish_reason", *snapshot["sessions"], *(eid for es in snapshot["sessions"].values() for eid in es)]
    assert len(inside) > 5
    assert [text for text in inside if text in page] == []


def test_clearing_outputs_keeps_the_conversations(recorded, server):
    before, shown = value(recorded), answers(recorded)
    jupyter("nbconvert", "--clear-output", "--inplace", recorded)
    assert answers(recorded) == []
    assert value(recorded) == before
    run(recorded, replay="strict")
    assert answers(recorded) == shown
    assert server.requests == []
