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


ALSO = pytest.mark.long("nbclient, as a process")


@pytest.fixture(
    params=[
        pytest.param(plain, id="nbclient"),
        pytest.param(through_papermill, id="papermill"),
        pytest.param(through_jupyter_execute, id="jupyter execute", marks=ALSO),
        pytest.param(through_nbconvert, id="nbconvert", marks=ALSO),
    ]
)
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


def test_a_kernel_that_is_told_of_no_file_finds_it_by_its_cells(tool, recorded, server):
    before, shown = value(recorded), answers(recorded)
    tool(recorded)
    assert value(recorded) == before
    assert answers(recorded) == shown
    assert server.requests == []


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


# -- what rides in an output that is lost

THREE = [LOAD, "%%robota\none", "%%robota\ntwo", "%%robota\nthree"]


def clear(path, number):
    """Clear the output of a cell."""
    notebook = content(path)
    notebook["cells"][number]["outputs"] = []
    path.write_text(json.dumps(notebook))


@pytest.mark.parametrize("number", [1, 3])
def test_a_cleared_output_costs_its_own_answer_alone(number, connected, server, monkeypatch):
    server.reply = lambda body: "re: " + body["messages"][-1]["content"]
    path = write(connected / "fresh.ipynb", *THREE)
    monkeypatch.setenv("ROBOTA_NB_NOTEBOOK", str(path))
    plain(path)
    shown = answers(path)
    clear(path, number)
    said = command("verify", path).output
    assert "2 turns" in said
    assert ("1 turn that others follow cannot be found" in said) == (number < 3)
    others = {"one", "two", "three"} - {["one", "two", "three"][number - 1]}
    listed = command("show", "--json", path).output
    assert all(f"re: {prompt}" in listed for prompt in others)
    server.requests.clear()
    plain(path)
    assert answers(path) == shown
    assert [request["messages"][-1]["content"] for request in server.requests] == [
        shown[number - 1].removeprefix("re: ")
    ]


def test_what_follows_a_cleared_answer_is_asked_again_if_the_new_one_reads_otherwise(connected, server, monkeypatch):
    path = write(connected / "fresh.ipynb", *THREE)
    monkeypatch.setenv("ROBOTA_NB_NOTEBOOK", str(path))
    plain(path)
    clear(path, 2)
    plain(path)
    assert answers(path) == ["1: one", "4: two", "5: three"]


def test_settled_without_a_cleared_output_the_others_replay(connected, server, monkeypatch):
    server.reply = lambda body: "re: " + body["messages"][-1]["content"]
    path = write(connected / "fresh.ipynb", *THREE)
    plain(path)
    shown = answers(path)
    clear(path, 1)
    assert command("settle", path).exit_code == 0
    assert not rides(path)
    server.requests.clear()
    assert command("run", path).exit_code == 0
    assert len(server.requests) == 1
    assert answers(path) == shown


def test_with_a_store_a_cleared_output_costs_nothing(connected, server, monkeypatch):
    path = write(connected / "fresh.ipynb", *THREE)
    monkeypatch.setenv("ROBOTA_NB_NOTEBOOK", str(path))
    monkeypatch.setenv("ROBOTA_NB_STORE", str(connected / "store.sqlite"))
    plain(path)
    for lost in ([1], [3], [1, 2, 3]):
        shown = answers(path)
        for number in lost:
            clear(path, number)
        server.requests.clear()
        plain(path)
        assert server.requests == []
        assert answers(path) == shown


def test_a_captured_answer_is_lost_alone_and_is_not_said_to_be_carried(connected, server, monkeypatch):
    server.reply = lambda body: "re: " + body["messages"][-1]["content"]
    captured = "%%capture\n%robota ask 'two?'"
    path = write(connected / "fresh.ipynb", LOAD, THREE[1], captured, THREE[3], "%robota")
    monkeypatch.setenv("ROBOTA_NB_NOTEBOOK", str(path))
    plain(path)
    assert "in store" in json.dumps(outputs(path)[-1])
    assert "in the cells" not in json.dumps(outputs(path)[-1])
    assert "2 turns" in command("verify", path).output
    server.requests.clear()
    plain(path)
    assert [request["messages"][-1]["content"] for request in server.requests] == ["two?"]


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
