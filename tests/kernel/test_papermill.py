"""Under papermill: with our engine conversations resume and are kept in the notebook; without, in its outputs."""

import json
import logging
import subprocess
import sys

import nbformat
import papermill
import pytest
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.iorw import papermill_io

from support.notebook import answers, command, content, edit, limited, outputs, plain, value, write
from support.provider import prompts

pytestmark = pytest.mark.slow("runs notebooks under papermill, each in a kernel of its own")

LOAD = "%load_ext robota_nb"
ASKS = [
    "x = 0",
    LOAD,
    "%robota new Fixed",
    "%%robota\none",
    "%robota new Varied",
    "%%robota\ntwo",
    "%%robota\nwhat is {{ x }}?",
    "%%robota\nand then?",
    "%%robota --chat Fixed\nthree",
]


def notebook(path, *sources):
    """Write a notebook whose first cell holds the parameters."""
    write(path, *sources)
    content = nbformat.read(path, as_version=4)
    content.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(content, path)
    return path


def execute(source, target, engine_name="robota_nb", **options):
    """Run papermill as its users do from Python."""
    return papermill.execute_notebook(source, target, engine_name=engine_name, progress_bar=False, **options)


def each_asked(server):
    return [prompts(server, number) for number in range(len(server.requests))]


@pytest.fixture(scope="module")
def once():
    """What tests share, by name."""
    return {}


@pytest.fixture
def done(connected, server, once):
    """The output of a run with x = 1, alone in its directory."""
    path = connected / "done.ipynb"
    if "done" not in once:
        execute(notebook(connected / "in.ipynb", *ASKS), path, parameters={"x": 1})
        once["done"] = path.read_bytes()
    path.write_bytes(once["done"])
    server.requests.clear()
    return path


@pytest.mark.fast
def test_a_run_with_parameters_asks_and_its_output_holds_the_conversations(connected, server):
    source = notebook(connected / "in.ipynb", *ASKS)
    before = source.read_bytes()
    execute(source, connected / "out.ipynb", parameters={"x": 1})
    assert each_asked(server) == [
        ["one"],
        ["two"],
        ["two", "what is 1?"],
        ["two", "what is 1?", "and then?"],
        ["one", "three"],
    ]
    assert source.read_bytes() == before
    assert len(answers(connected / "out.ipynb")) == 5
    assert "sessions" not in json.dumps(outputs(connected / "out.ipynb"))
    nbformat.validate(nbformat.read(connected / "out.ipynb", as_version=4))
    assert "verified: 1 session, 5 turns" in command("verify", connected / "out.ipynb").output


@pytest.mark.fast
def test_its_output_runs_again_without_a_request_and_answers_the_same(done, server):
    shown, held = answers(done), value(done)
    for target in (done.with_name("again.ipynb"), done):  # also in place
        execute(done, target, parameters={"x": 1})
        assert server.requests == []
        assert answers(target) == shown
        assert value(target) == held


def test_another_parameter_asks_the_cell_that_shows_it_and_what_follows_in_its_chat(done, server):
    execute(done, done, parameters={"x": 2})
    assert each_asked(server) == [["two", "what is 2?"], ["two", "what is 2?", "and then?"]]
    server.requests.clear()
    execute(done, done, parameters={"x": 1})
    assert server.requests == []  # both are branches now


def test_the_command_line_does_the_same(done, server):
    words = [sys.executable, "-m", "papermill", "done.ipynb", "out.ipynb", "--engine", "robota_nb", "-p", "x", "2"]
    result = subprocess.run([*words, "--no-progress-bar"], cwd=done.parent, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert each_asked(server) == [["two", "what is 2?"], ["two", "what is 2?", "and then?"]]
    assert "verified: 1 session, 7 turns" in command("verify", done.with_name("out.ipynb")).output


def test_a_failing_cell_keeps_what_ran_before_it(connected, server):
    source = write(connected / "in.ipynb", LOAD, "%%robota\none", "1 / 0", "%%robota\ntwo")
    out = connected / "out.ipynb"
    with pytest.raises(papermill.PapermillExecutionError, match="ZeroDivisionError"):
        execute(source, out)
    assert each_asked(server) == [["one"]]
    assert "1 turn" in command("verify", out).output
    assert content(out)["metadata"]["papermill"]["exception"] is True
    failed = next(n for n, cell in enumerate(content(out)["cells"]) if cell["source"] == ["1 / 0"])
    edit(out, failed, "1 / 1")
    execute(out, out)
    assert each_asked(server) == [["one"], ["one", "two"]]


def test_a_failing_ask_keeps_what_came_before_it(connected, server):
    source = write(connected / "in.ipynb", LOAD, "%%robota\none", "%%robota\ntwo")
    server.end("stop")
    server.fail(503, headers={"x-should-retry": "false"})
    with pytest.raises(papermill.PapermillExecutionError, match="HTTP 503"):
        execute(source, connected / "out.ipynb")
    server.requests.clear()
    execute(connected / "out.ipynb", connected / "out.ipynb")
    assert each_asked(server) == [["one", "two"]]


def test_a_cell_that_takes_too_long_ends_the_run_and_what_came_before_it_is_kept(connected, server, caplog):
    source = write(connected / "in.ipynb", LOAD, "%%robota\none", "import threading; threading.Event().wait(600)")
    with pytest.raises(CellTimeoutError):
        execute(source, connected / "out.ipynb", timeout_func=limited(2, "wait(600)"))
    assert "did not answer" not in caplog.text
    assert "1 turn" in command("verify", connected / "out.ipynb").output


def test_a_kernel_that_dies_ends_the_run_and_what_came_before_it_is_kept(connected, server):
    source = write(connected / "in.ipynb", LOAD, "%%robota\none", "import os; os._exit(1)")
    with pytest.raises(DeadKernelError):
        execute(source, connected / "out.ipynb")
    assert "1 turn" in command("verify", connected / "out.ipynb").output


class Elsewhere:
    """Where papermill writes what is no file here, such as a bucket."""

    def __init__(self):
        self.written = {}

    def write(self, text, path):
        self.written[path] = text

    def pretty_path(self, path):
        return path


@pytest.fixture
def elsewhere(monkeypatch):
    """What paths that begin with ``elsewhere:`` stand for."""
    handler = Elsewhere()
    monkeypatch.setattr(papermill_io, "_handlers", [("elsewhere:", handler), *papermill_io._handlers])
    return handler


def test_conversations_go_where_papermill_can_write(connected, server, elsewhere):
    execute(write(connected / "in.ipynb", LOAD, "%%robota\none"), "elsewhere:out.ipynb")
    (connected / "here.ipynb").write_text(elsewhere.written["elsewhere:out.ipynb"])
    assert "1 turn" in command("verify", connected / "here.ipynb").output


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize(("target", "again"), [("out.ipynb", 0), ("elsewhere:out.ipynb", 1)])
def test_what_was_lost_with_a_kernel_is_found_by_the_output_s_path(connected, server, monkeypatch, target, again):
    monkeypatch.setenv("ROBOTA_NB_STORE", str(connected / "store.sqlite"))
    (connected / "work").mkdir()
    source = write(connected / "in.ipynb", LOAD, "%%robota\none", "import os; os._exit(1)")
    with pytest.raises(DeadKernelError):
        execute(source, target, cwd=connected / "work")
    edit(source, 2, "1 / 1")
    server.requests.clear()
    execute(source, target)
    assert len(server.requests) == again


def test_a_strict_run_asks_nothing_and_says_what_differs(done, server, monkeypatch):
    monkeypatch.setenv("ROBOTA_NB_REPLAY", "strict")
    execute(done, done, parameters={"x": 1})
    with pytest.raises(papermill.PapermillExecutionError, match="the prompt differs"):
        execute(done, done, parameters={"x": 2})
    assert server.requests == []


def test_what_rides_in_outputs_is_settled_and_replays(connected, server):
    source = write(connected / "in.ipynb", LOAD, "%%robota\none", "%%robota\ntwo")
    plain(source)
    assert value(source) is None
    server.requests.clear()
    execute(source, connected / "out.ipynb")
    assert server.requests == []
    assert "2 turns" in command("verify", connected / "out.ipynb").output
    assert "sessions" not in json.dumps(outputs(connected / "out.ipynb"))


def test_a_snapshot_that_cannot_be_read_is_left_as_it_is(connected, server):
    damaged = {"format": {"major": 1, "minor": 0}, "sessions": 7}
    source = write(connected / "in.ipynb", LOAD, "%%robota\none", metadata={"robota_nb": damaged})
    execute(source, connected / "out.ipynb")
    assert value(connected / "out.ipynb") == damaged
    assert len(server.requests) == 1


def test_each_cell_is_told_by_its_id(connected):
    out = connected / "out.ipynb"
    execute(write(connected / "in.ipynb", "print(get_ipython().get_parent()['metadata']['cellId'])"), out)
    (cell,) = content(out)["cells"]
    assert cell["outputs"][0]["text"] == [f"{cell['id']}\n"]


def test_the_output_says_which_chat_was_active_at_the_end(connected, server):
    sources = [LOAD, "%robota new Left", "%%robota\none", "%robota new Right", "%%robota\ntwo", "%robota switch Left"]
    execute(write(connected / "in.ipynb", *sources), connected / "out.ipynb")
    (entries,) = value(connected / "out.ipynb")["sessions"].values()
    names = {entry["chat"]: entry["name"] for entry in entries.values() if entry["kind"] == "chat"}
    assert [names[entry["chat"]] for entry in entries.values() if entry["kind"] == "active"] == ["Left"]


def test_the_store_forgets_what_papermill_has_saved(connected, server, monkeypatch):
    monkeypatch.setenv("ROBOTA_NB_STORE", str(connected / "store.sqlite"))
    source = write(connected / "in.ipynb", LOAD, "%%robota\none")
    for _ in range(2):  # the second run starts over, from an input without conversations
        server.requests.clear()
        execute(source, connected / "out.ipynb")
        assert each_asked(server) == [["one"]]


# -- papermill's own


def test_papermill_logs_and_writes_what_cells_print_and_nothing_of_ours(connected, server, caplog):
    source = write(connected / "in.ipynb", LOAD, "print('said')", "%%robota\none")
    with open(connected / "said.txt", "w") as file, caplog.at_level(logging.INFO, logger="papermill"):
        execute(source, connected / "out.ipynb", log_output=True, stdout_file=file, autosave_cell_every=0)
    assert (connected / "said.txt").read_text() == "said\n"
    assert "said" in caplog.text
    assert "sessions" not in caplog.text


def test_papermill_notes_when_cells_ran(done):
    for cell in content(done)["cells"]:
        assert cell["metadata"]["papermill"]["status"] == "completed"
        assert "iopub.execute_input" in cell["metadata"]["execution"]


def test_a_run_without_an_output_file_returns_the_conversations(connected, server):
    returned = execute(write(connected / "in.ipynb", LOAD, "%%robota\none"), None)
    assert len(returned.metadata["robota_nb"]["sessions"]) == 1


def test_what_is_saved_only_at_the_end_is_whole(connected, server):
    source = write(connected / "in.ipynb", LOAD, "%%robota\none")
    execute(source, connected / "out.ipynb", request_save_on_cell_execute=False)
    assert "1 turn" in command("verify", connected / "out.ipynb").output


def test_without_the_engine_conversations_ride_in_the_outputs(connected, server):
    source = notebook(connected / "in.ipynb", *ASKS)
    out = connected / "out.ipynb"
    execute(source, out, engine_name=None, parameters={"x": 1})
    assert value(out) is None
    assert "5 turns" in command("settle", out).output
    server.requests.clear()
    execute(out, out, parameters={"x": 1})
    assert server.requests == []
