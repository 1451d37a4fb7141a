"""``robota-nb``: notebooks run without a browser, resume, replay, and keep what happened."""

import json
import os
import shutil

import nbformat
import pytest

from robota_nb.core.record import entries as make
from robota_nb.errors import SnapshotError
from robota_nb.frontends import headless
from support.notebook import answers, command, edit, offline, outputs, plain, run, value, write
from support.provider import prompts

pytestmark = pytest.mark.slow("runs notebooks, each in a kernel of its own")

LOAD = "%load_ext robota_nb"
TWO_CHATS = [
    LOAD,
    "%robota new Left",
    "%%robota\nl1",
    "%%robota\nl2",
    "%robota new Right",
    "%%robota\nr1",
    "%%robota --model big\nr2",
    "%robota switch Left",
    "%%robota\nl3",
    "%robota switch Right",
    "%%robota -o last\nr3",
    "print(last.text)",
]


@pytest.fixture(scope="module")
def once():
    """What tests share, by name."""
    return {}


@pytest.fixture
def recorded(connected, server, once):
    """A notebook with two chats and six answers."""
    path = write(connected / "two chats.ipynb", *TWO_CHATS)
    if "run" not in once:
        run(path)
        once["run"] = path.read_bytes()
    path.write_bytes(once["run"])
    server.requests.clear()
    return path


@pytest.mark.fast
def test_each_ask_is_one_request_and_all_is_in_the_notebook(connected, server):
    recorded = write(connected / "two chats.ipynb", *TWO_CHATS)
    run(recorded)
    assert len(server.requests) == 6
    assert prompts(server, 4) == ["l1", "l2", "l3"]
    assert prompts(server, 5) == ["r1", "r2", "r3"]
    assert answers(recorded) == ["1: l1", "2: l2", "3: r1", "4: r2", "5: l3", "6: r3"]
    assert outputs(recorded)[-1][0]["text"] == ["6: r3\n"]
    nbformat.validate(nbformat.read(recorded, as_version=4))
    assert "verified: 1 session, 6 turns" in command("verify", recorded).output


@pytest.mark.fast
def test_an_unchanged_notebook_runs_again_without_a_request_and_stays_as_it_is(recorded, server):
    before = recorded.read_bytes()
    for _ in range(2):
        server.requests.clear()
        front = run(recorded)
        assert server.requests == []
        assert front.requests == 0
        assert front.seq == 0  # nothing was written
        assert front.notices == []
        assert recorded.read_bytes() == before


def test_an_unchanged_notebook_runs_again_without_network_key_or_this_user(recorded, server, monkeypatch):
    attempts = offline(monkeypatch, recorded.parent)
    for name in ("HOME", "IPYTHONDIR", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR"):
        monkeypatch.setenv(name, str(recorded.parent / "somebody else"))
    monkeypatch.setenv("JUPYTERHUB_USER", "somebody-else")
    before = recorded.read_bytes()
    for _ in range(3):
        run(recorded, replay="strict")
        assert recorded.read_bytes() == before
    assert server.requests == []
    assert not attempts.exists()


def test_the_ban_of_these_tests_works(recorded, monkeypatch):
    attempts = offline(monkeypatch, recorded.parent)
    monkeypatch.setenv("OPENAI_API_KEY", "a-key")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    with pytest.raises(headless.Failure, match="ProviderError"):
        run(write(recorded.parent / "new.ipynb", LOAD, "%%robota\nhello"))
    assert attempts.exists()


@pytest.mark.fast
def test_an_edited_ask_is_asked_again_with_what_follows_in_its_chat(recorded, server):
    edit(recorded, 5, "%%robota\nR1")  # the third ask
    run(recorded)
    assert [prompts(server, n) for n in range(len(server.requests))] == [["R1"], ["R1", "r2"], ["R1", "r2", "r3"]]
    assert answers(recorded) == ["1: l1", "2: l2", "1: R1", "2: r2", "5: l3", "3: r3"]
    server.requests.clear()
    edit(recorded, 5, "%%robota\nr1")
    run(recorded)
    assert server.requests == []
    assert answers(recorded) == ["1: l1", "2: l2", "3: r1", "4: r2", "5: l3", "6: r3"]


def test_another_model_for_one_cell_is_asked_again(recorded, server):
    edit(recorded, 6, "%%robota --model small\nr2")
    run(recorded)
    assert [body["model"] for body in server.requests] == ["small", "gpt-4o-mini"]


def test_a_failing_cell_keeps_what_ran_before_it(connected, server):
    path = write(connected / "fails.ipynb", LOAD, "%%robota\none", "1 / 0", "%%robota\ntwo")
    result = command("run", path)
    assert result.exit_code == 1
    assert "ZeroDivisionError" in result.output
    assert "fails.ipynb" in result.output
    assert answers(path) == ["1: one"]
    assert outputs(path)[2][0]["ename"] == "ZeroDivisionError"
    edit(path, 2, "1 / 1")
    assert command("run", path).exit_code == 0
    assert prompts(server) == ["one", "two"]
    assert len(server.requests) == 2


def test_a_failing_ask_keeps_what_came_before_it(connected, server):
    path = write(connected / "fails.ipynb", LOAD, "%%robota\none", "%%robota\ntwo")
    server.reply = lambda body: f"{len(server.requests)}"
    server.end("stop")
    server.fail(503, headers={"x-should-retry": "false"})
    result = command("run", path)
    assert result.exit_code == 1
    assert "HTTP 503" in result.output
    assert answers(path) == ["1"]
    assert command("run", path).exit_code == 0
    assert answers(path) == ["1", "3"]


def test_a_kernel_that_dies_keeps_what_had_come(connected, server):
    path = write(connected / "dies.ipynb", LOAD, "%%robota\none", "import os; os._exit(1)", "%%robota\ntwo")
    result = command("run", path)
    assert result.exit_code == 1
    assert "died" in result.output
    assert answers(path) == ["1: one"]
    edit(path, 2, "pass")
    assert command("run", path).exit_code == 0
    assert answers(path) == ["1: one", "2: two"]


def test_the_result_can_go_to_another_file(connected, server):
    path = write(connected / "in.ipynb", LOAD, "%%robota\none")
    before = path.read_bytes()
    result = command("run", path, "-o", connected / "out.ipynb")
    assert result.exit_code == 0
    assert path.read_bytes() == before
    assert answers(connected / "out.ipynb") == ["1: one"]
    assert command("run", "--replay", "strict", connected / "out.ipynb").exit_code == 0


@pytest.mark.fast
def test_what_was_asked_and_replayed_is_told(recorded, server):
    result = command("run", recorded)
    assert result.exit_code == 0
    assert "0 turns asked, 6 replayed, 0 requests" in result.output
    edit(recorded, 10, "%%robota -o last\nr4")
    result = command("run", recorded)
    assert "1 turn asked, 5 replayed, 1 request" in result.output
    assert "Left" in result.output
    assert "r4 · asked" in result.output


@pytest.mark.parametrize("source", ["%robota", "%%robota\none"])
def test_a_notebook_that_forgot_to_load_the_extension_is_told_how(connected, source):
    result = command("run", write(connected / "forgot.ipynb", source))
    assert result.exit_code == 1
    assert "not found: put %load_ext robota_nb into a cell before it; what ran before it is in" in result.output
    assert "no conversations: no cell has used robota_nb" in result.output


def test_a_notebook_without_conversations_runs_like_any_other(connected):
    path = write(connected / "plain.ipynb", "print(1 + 1)")
    result = command("run", path)
    assert (result.exit_code, result.output) == (0, "no conversations: no cell has used robota_nb\n")
    assert outputs(path)[0][0]["text"] == ["2\n"]


MISSES = [
    (5, "%%robota\nanother prompt", "prompt"),
    (6, "%%robota --model other\nr2", "model"),
    (6, "%%robota --model big --set temperature=0.5\nr2", "temperature"),
    (6, "%%robota --model big --fresh\nr2", "--fresh"),
    (4, "%robota new Elsewhere", "nothing is recorded"),
]


@pytest.mark.parametrize(("number", "source", "named"), MISSES)
def test_a_strict_run_says_what_differs(recorded, server, number, source, named):
    before = value(recorded)
    edit(recorded, number, source)
    result = command("run", "--replay", "strict", recorded)
    assert result.exit_code == 1
    assert "ReplayMiss" in result.output
    assert named in result.output
    assert server.requests == []
    assert value(recorded) == before


@pytest.mark.fast
def test_a_stale_run_asks_what_is_edited_and_what_becomes_stale_by_that(recorded, server):
    edit(recorded, 5, "%%robota\nR1")
    result = command("run", "--stale", recorded)
    assert (result.exit_code, server.requests != []) == (0, True), result.output
    assert [prompts(server, n) for n in range(len(server.requests))] == [["R1"], ["R1", "r2"], ["R1", "r2", "r3"]]
    assert answers(recorded) == ["1: l1", "2: l2", "1: R1", "2: r2", "5: l3", "3: r3"]
    run(recorded, replay="strict")
    assert len(server.requests) == 3


@pytest.mark.fast
def test_a_check_says_what_a_stale_run_would_ask_and_that_all_is_fresh_after_it(recorded):
    fresh = command("check", recorded)
    assert (fresh.exit_code, fresh.output) == (0, "fresh: 6 asking cells\n")
    edit(recorded, 5, "%%robota\nR1")
    edited = command("check", recorded)
    assert edited.exit_code == 1
    assert [line.split(": ")[:2] for line in edited.output.splitlines()] == [["code cell 6", "edited"]]
    assert command("run", "--stale", recorded).exit_code == 0
    assert command("check", recorded).output == "fresh: 6 asking cells\n"


def test_a_stale_run_asks_no_new_cell_and_keeps_what_ran_before_it(recorded, server):
    edit(recorded, 3, "%%robota\nL2")
    notebook = nbformat.read(recorded, as_version=4)
    notebook.cells.insert(4, nbformat.v4.new_code_cell("%%robota\nnew"))
    nbformat.write(notebook, recorded)
    result = command("run", "--stale", recorded)
    assert result.exit_code == 1
    assert "ReplayMiss: no recorded answer in 'Left': this cell had none" in result.output
    assert "run its cell with %robota replay auto, then save it" in result.output
    assert prompts(server) == ["l1", "L2"]
    assert len(server.requests) == 1
    assert command("run", recorded).exit_code == 0
    assert [prompts(server, n)[-1] for n in range(len(server.requests))] == ["L2", "new", "l3"]


def test_a_stale_run_of_a_new_notebook_records_nothing(connected, server):
    path = write(connected / "new.ipynb", LOAD, "%%robota\nhello")
    result = command("run", "--stale", path)
    assert result.exit_code == 1
    assert "no answer is recorded: there is no chat yet" in result.output
    assert (value(path), server.requests) == (None, [])


def test_a_stale_run_has_no_other_mode(recorded):
    result = command("run", "--stale", "--replay", "off", recorded)
    assert result.exit_code == 2
    assert "--stale and --replay off exclude each other" in result.output


def test_the_mode_can_be_set_by_the_environment(recorded, server, monkeypatch):
    monkeypatch.setenv("ROBOTA_NB_REPLAY", "off")
    run(recorded)
    assert len(server.requests) == 6
    monkeypatch.setenv("ROBOTA_NB_REPLAY", "strict")
    edit(recorded, 2, "%%robota\nother")
    with pytest.raises(headless.Failure, match="ReplayMiss"):
        run(recorded)


@pytest.mark.fast
def test_show_draws_the_conversations_and_gives_them_as_json(recorded):
    shown = command("show", recorded)
    assert shown.exit_code == 0
    for part in ("Session 1", "├─ Left", "└─ Right", "l1", "r3"):
        assert part in shown.output
    (session,) = json.loads(command("show", "--json", recorded).output)["sessions"]
    assert {chat["name"]: len(chat["turns"]) for chat in session["chats"]} == {"Left": 3, "Right": 3}


@pytest.mark.fast
def test_verify_finds_an_altered_entry(recorded):
    notebook = recorded.read_text()
    recorded.write_text(notebook.replace('"l1"', '"L1"'))
    result = command("verify", recorded)
    assert result.exit_code == 1
    assert "altered" in result.output
    assert "Traceback" not in result.output


@pytest.mark.fast
def test_what_is_no_notebook_is_said(connected):
    path = connected / "broken.ipynb"
    path.write_text('{"cells": [')
    for words in (["run", path], ["show", path], ["verify", path], ["settle", path]):
        result = command(*words)
        assert result.exit_code == 1, words
        assert "broken.ipynb" in result.output
        assert result.output.count("\n") == 1
    assert path.read_text() == '{"cells": ['
    with pytest.raises(SnapshotError):
        run(path)


def test_cells_can_be_inserted_and_moved_between_runs(recorded, server):
    notebook = nbformat.read(recorded, as_version=4)
    notebook.cells.insert(1, nbformat.v4.new_markdown_cell("# Two chats"))
    notebook.cells.insert(1, nbformat.v4.new_code_cell("x = 1"))
    nbformat.write(notebook, recorded)
    run(recorded, replay="strict")
    assert server.requests == []


# -- without a bridge: what was said rides in the outputs


@pytest.fixture
def carried(connected, server, once):
    """A notebook that nbclient has run, and nothing else."""
    path = write(connected / "carried.ipynb", *TWO_CHATS)
    if "plain" not in once:
        plain(path)
        assert value(path) is None
        once["plain"] = path.read_bytes()
    path.write_bytes(once["plain"])
    server.requests.clear()
    return path


def test_settled_outputs_replay(carried, server):
    shown = answers(carried)
    result = command("settle", carried)
    assert result.exit_code == 0
    assert "6 turns" in result.output
    assert "sessions" not in json.dumps(outputs(carried))
    assert answers(carried) == shown
    front = run(carried, replay="strict")
    assert server.requests == []
    assert front.requests == 0
    assert answers(carried) == shown
    assert command("settle", carried).output == "nothing to settle\n"


def test_show_verify_and_check_see_what_rides_in_outputs(carried):
    assert command("check", carried).exit_code == 0
    assert "r3" in command("show", carried).output
    assert "6 turns" in command("verify", carried).output


def test_a_notebook_replays_from_its_outputs_again_and_again(carried, server, monkeypatch):
    monkeypatch.setenv("ROBOTA_NB_NOTEBOOK", str(carried))
    offline(monkeypatch, carried.parent)
    shown, held = answers(carried), riding(carried)
    assert len(held) > 12  # six turns, and what they need
    for _ in range(2):
        plain(carried)  # the outputs are written anew each time
        assert server.requests == []
        assert answers(carried) == shown
        assert riding(carried) >= held


def riding(path):
    """The ids of what rides in the outputs, but for what only points."""
    marks = (output["metadata"].get("robota_nb", {}) for cell in outputs(path) for output in cell if "data" in output)
    sessions = (entries for mark in marks for entries in mark.get("sessions", {}).values())
    return {eid for entries in sessions for eid, entry in entries.items() if entry["kind"] not in ("active", "head")}


def test_a_changed_notebook_goes_on_in_its_outputs(carried, server, monkeypatch):
    monkeypatch.setenv("ROBOTA_NB_NOTEBOOK", str(carried))
    edit(carried, 8, "%%robota\nL3")
    plain(carried)
    assert [prompts(server, n) for n in range(len(server.requests))] == [["l1", "l2", "L3"]]
    server.requests.clear()
    plain(carried)
    assert server.requests == []


# -- under nbval


def nbval(directory, *args, **environment):
    import subprocess
    import sys

    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval", *args]
    done = subprocess.run(
        words, cwd=directory, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120
    )
    return done.returncode, done.stdout + done.stderr


def test_a_stranger_s_clone_passes_nbval_offline(recorded, server, monkeypatch, tmp_path_factory):
    clone = tmp_path_factory.mktemp("clone")
    shutil.copy(recorded, clone / "their.ipynb")
    attempts = offline(monkeypatch, clone)
    for name in ("HOME", "IPYTHONDIR", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"):
        (clone / "home" / name).mkdir(parents=True)
        monkeypatch.setenv(name, str(clone / "home" / name))
    before = (clone / "their.ipynb").read_bytes()
    code, said = nbval(clone, "their.ipynb")
    assert code == 0, said
    assert "12 passed" in said
    assert server.requests == []
    assert not attempts.exists()
    assert (clone / "their.ipynb").read_bytes() == before
    edit(clone / "their.ipynb", 3, "%%robota\nanother question")
    code, said = nbval(clone, "their.ipynb")
    assert code == 1
    assert "ReplayMiss" in said
    assert "the prompt differs" in said
    assert not attempts.exists()


def test_the_notebook_is_valid_and_names_nothing_of_this_machine(connected, server, monkeypatch):
    monkeypatch.setenv("JUPYTERHUB_USER", "canary-user")
    monkeypatch.setenv("OPENAI_API_KEY", "canary-key-0123456789")
    (connected / "canary-directory").mkdir()
    path = write(connected / "canary-directory" / "canary-name.ipynb", *TWO_CHATS[:-1], "%robota", "%robota chat list")
    server.cut(after=1)
    assert command("run", path).exit_code == 1
    assert command("run", path).exit_code == 0
    plain(path)
    text = path.read_text()
    for canary in ("canary", "127.0.0.1", str(connected), server.base_url, os.environ["HOME"]):
        assert canary not in text


def test_a_run_takes_in_what_rides_in_the_outputs(carried, server):
    run(carried, replay="strict")
    assert server.requests == []
    assert command("verify", carried).exit_code == 0
    assert command("settle", carried).output == "nothing to settle\n"


# -- what a refused ask leaves, and a notebook that closes its session


def keyless(monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("how", ["option", "environment"])
@pytest.mark.parametrize("begun", [[], ["%robota new Left\n%robota chat set temperature=0.2"]])
def test_a_strict_run_of_what_was_never_asked_leaves_no_record_and_asks_the_server_later(
    connected, server, monkeypatch, begun, how
):
    path = write(connected / "new.ipynb", LOAD, *begun, "%%robota\nhello")
    with monkeypatch.context() as patched:
        keyless(patched)
        if how == "environment":
            patched.setenv("ROBOTA_NB_REPLAY", "strict")
        result = command("run", path) if how == "environment" else command("run", "--replay", "strict", path)
    assert result.exit_code == 1
    assert "ReplayMiss" in result.output
    assert value(path) is None
    assert command("run", path).exit_code == 0
    assert answers(path) == ["1: hello"]
    assert [body["model"] for body in server.requests] == ["gpt-4o-mini"]


@pytest.mark.parametrize(("number", "source"), [(2, "%%robota\nother"), (4, "%robota new Elsewhere"), (8, "1 / 0")])
def test_a_strict_run_that_fails_leaves_the_record_as_it_was_to_the_byte(recorded, monkeypatch, number, source):
    before = json.dumps(value(recorded))
    keyless(monkeypatch)
    edit(recorded, number, source)
    assert command("run", "--replay", "strict", recorded).exit_code == 1
    assert json.dumps(value(recorded)) == before


def test_an_ask_that_fails_leaves_no_record(connected, server):
    path = write(connected / "fails.ipynb", LOAD, "%%robota\none")
    server.fail(401)
    assert command("run", path).exit_code == 1
    assert value(path) is None
    assert "no conversations" in command("show", path).output


def test_what_the_offline_model_answered_stays_and_what_is_new_asks_the_model_that_is_there_now(
    connected, server, monkeypatch
):
    path = write(connected / "offline.ipynb", LOAD, "%%robota\n1 + 1", "%%robota\n2 + 2", "%robota chat list")
    with monkeypatch.context() as patched:
        keyless(patched)
        run(path)
    first, before = answers(path), value(path)
    assert "offline" in first[0]
    run(path)
    assert (answers(path), value(path), server.requests) == (first, before, [])
    edit(path, 2, "%%robota\nand now?")
    run(path)
    assert answers(path)[0] == first[0]
    assert prompts(server) == ["1 + 1", "and now?"]
    server.requests.clear()
    run(path, replay="strict")
    assert server.requests == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("archive", "archived"),
        pytest.param("pause", "paused", marks=pytest.mark.long("as an archived one")),
        pytest.param("terminate", "terminated", marks=pytest.mark.long("as an archived one")),
    ],
)
def test_a_notebook_that_ends_in_a_closed_session_can_be_edited_and_run_from_the_top(connected, server, change, said):
    path = write(connected / "closed.ipynb", LOAD, "%%robota\none", "%%robota\ntwo", f"%robota session {change}")
    run(path)
    first = path.read_bytes()
    assert outputs(path)[3][0]["text"] == [f"Session 1: {said}\n"]
    server.requests.clear()
    front = run(path)
    assert (server.requests, front.seq, path.read_bytes()) == ([], 0, first)
    edit(path, 2, "%%robota\nTWO")
    run(path)
    assert prompts(server) == ["one", "TWO"]
    assert outputs(path)[3][0]["text"] == [f"Session 1: {said}\n"]
    (entries,) = value(path)["sessions"].values()
    assert [entry["value"] for entry in entries.values() if entry.get("key") == "state"] == [said]
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell("%%robota\nbelow"))
    nbformat.write(notebook, path)
    with pytest.raises(headless.Failure, match="SessionNotActive"):
        run(path)


def without_its_cells(path, *sources):
    """Put other cells into a notebook; its conversations stay."""
    kept = value(path)
    return write(path, *sources, metadata={"robota_nb": kept})


def test_a_chat_whose_cell_is_gone_asks_whom_it_was_asked_with_last(connected, server):
    path = write(connected / "gone.ipynb", LOAD, "%robota chat open Private --provider offline", "%%robota\nmine")
    run(path)
    without_its_cells(path, LOAD, "%%robota --chat Private\nthe secret plan")
    run(path)
    assert server.requests == []
    assert "the secret plan" in answers(path)[0]


def test_what_somebody_else_has_changed_is_asked_only_with_trust(connected, server, monkeypatch):
    monkeypatch.setenv("ROBOTA_NB_STORE", str(connected / "store.sqlite"))
    path = write(connected / "changed.ipynb", LOAD, "%robota new Private", "%%robota\nmine")
    run(path)
    (sid, entries), *_ = value(path)["sessions"].items()
    chat = next(entry["chat"] for entry in entries.values() if entry["kind"] == "chat")
    theirs = make.set_entry(n=99, at="2026-01-01T00:00:00Z", chat=chat, key="name", value="Public")
    entries[make.entry_id(theirs)] = theirs
    changed = {"format": {"major": 1, "minor": 1}, "sessions": {sid: entries}}
    write(path, LOAD, "%%robota --chat Public\nagain", metadata={"robota_nb": changed})
    server.requests.clear()
    refused = command("run", path)
    assert refused.exit_code == 1
    assert "'Public' was called 'Private' until somebody else renamed it; it asks openai" in refused.output
    assert "robota-nb run --trust" in refused.output
    assert server.requests == []
    assert command("run", path, "--trust").exit_code == 0
    assert len(server.requests) == 1
