"""What strangers, merges and other programs may leave in a notebook: it is said, and it is left as it is."""

import copy
import gc
import json

import nbformat
import pytest

from robota_nb.core.record import entries as make
from robota_nb.core.record import snapshot
from robota_nb.display import report
from robota_nb.frontends.headless import FrontEnd
from support.kernel import PATIENCE
from support.notebook import answers, command, value, write

pytestmark = pytest.mark.slow("starts kernels, and reads snapshots of 30 MB")

LOAD = "%load_ext robota_nb"


def good():
    """A snapshot with one session."""
    sid = "s_" + "0" * 32
    session = make.session_entry(n=1, at="2026-01-01T00:00:00Z", name="Work", config=None)
    return snapshot.dump({sid: {make.entry_id(session): session}})


def altered():
    value = good()
    (entries,) = value["sessions"].values()
    (entry,) = entries.values()
    entry["name"] = "Altered"
    return value


def deep(levels=600):
    value = []
    for _ in range(levels):
        value = [value]
    return {**good(), "more": value}


def entry_of(**fields):
    return {**good(), "sessions": {"s_" + "0" * 32: {"e_" + "0" * 32: fields}}}


MALFORMED = {
    "text": "a snapshot",
    "a number": 7,
    "a list": [1, 2, 3],
    "false": False,
    "an empty object": {},
    "no format": {"sessions": {}},
    "a newer format": {"format": {"major": 99, "minor": 0}, "sessions": {}, "what comes": ["then"]},
    "cut": {"format": {"major": 1, "minor": 0}},
    "sessions is null": {"format": {"major": 1, "minor": 0}, "sessions": None},
    "an altered entry": altered(),
    "a surrogate": entry_of(kind="set", key="name", value="\ud800"),
    "a surrogate in a key": {**good(), "sessions": {"\ud800": {}}},
    "a fraction": entry_of(kind="session", n=0.5),
    "an integer beyond 2**53": entry_of(kind="session", n=2**60),
    "prototype": {**good(), "sessions": {"__proto__": {"polluted": True}}},
    "a missing reference": entry_of(kind="head", n=1, at="", chat="c_" + "1" * 32, message="e_" + "2" * 32),
}


@pytest.fixture
def opened(kernel):
    """Opens a notebook with a value under a kernel, as an application does; returns the front end."""

    def open_(bad):
        kernel.front = FrontEnd(nbformat.v4.new_notebook(metadata={"robota_nb": bad}), "open.ipynb")
        kernel.say(kernel.front.opening())
        return kernel.front

    yield open_
    kernel.front = None


@pytest.mark.parametrize("bad", MALFORMED)
def test_a_kernel_is_told_what_is_wrong_and_works_and_leaves_the_value(kernel, server, opened, bad):
    front = opened(copy.deepcopy(MALFORMED[bad]))
    assert kernel.ok("%%robota\nhello", "cell-a").answer == "1: hello"
    assert [notice.partition(" (")[0] for notice in front.notices] == [
        "the snapshot in this notebook cannot be read, and is left as it is"
    ]
    kernel.ok("%%robota\nand more", "cell-b")
    kernel.ok("%robota chat rename Other\n%robota chat undo", "cell-c")
    kernel.say({"op": "flush"})
    assert len(front.notices) == 1
    assert kernel.run("%robota snapshot").error["ename"] == "SnapshotError"
    assert dumped(front.notebook.metadata["robota_nb"]) == dumped(MALFORMED[bad])
    kernel.ok("%robota snapshot --replace", "cell-d")
    assert "2 turns" in report.verified(front.notebook.metadata["robota_nb"])
    kernel.ok("%%robota\nmore still", "cell-e")
    assert "3 turns" in report.verified(front.notebook.metadata["robota_nb"])


@pytest.fixture(params=["text", "a newer format", "an altered entry", "a surrogate"])
def malformed(request, connected):
    """A notebook with a value that is no snapshot; written without nbformat, which would choke on some."""
    path = write(connected / "malformed.ipynb", LOAD, "%%robota\nhello", "%robota")
    put(path, MALFORMED[request.param])
    return path


def put(path, bad):
    """Write a value into a notebook file."""
    notebook = json.loads(path.read_text())
    notebook["metadata"]["robota_nb"] = bad
    path.write_text(json.dumps(notebook))


def dumped(value):
    return json.dumps(value, sort_keys=True)


def found(path):
    """The value in the file, as JSON text."""
    return dumped(value(path))


def test_a_value_that_is_no_snapshot_is_told_and_left_while_the_kernel_works(malformed, server):
    before = found(malformed)
    result = command("run", malformed, "--timeout", PATIENCE)
    assert found(malformed) == before
    assert "Traceback" not in result.output
    if result.exit_code:  # a file that nbformat could not even write back
        assert result.output.startswith("Error: ")
        assert len(result.output.splitlines()) == 1
        return
    assert "note: the snapshot in this notebook cannot be read, and is left as it is" in result.output
    assert answers(malformed) == ["1: hello"]


@pytest.mark.parametrize("bad", ["an altered entry"])
def test_a_value_that_is_no_snapshot_is_replaced_when_the_user_says_so(connected, server, bad):
    path = write(connected / "replaced.ipynb", LOAD, "%%robota\nhello", "%robota snapshot --replace", "%%robota\nmore")
    put(path, MALFORMED[bad])
    assert command("run", path).exit_code == 0
    assert "2 turns" in command("verify", path).output
    server.requests.clear()
    assert command("run", "--replay", "strict", path).exit_code == 0
    assert server.requests == []


@pytest.fixture
def no_garbage():
    """Collect what earlier tests have left now: in the depth of a recursion its finalisers would fail, and say so."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_garbage")
@pytest.mark.parametrize("bad", [deep(), {**good(), "more": "x" * 30_000_000}], ids=["600 deep", "30 MB"])
def test_a_monster_is_told_and_left(connected, server, bad):
    path = write(connected / "monster.ipynb", LOAD, "%%robota\nhello")
    put(path, bad)
    before = path.read_text()
    result = command("run", path)
    assert "Traceback" not in result.output
    if result.exit_code:
        assert result.output.startswith("Error: ")
        assert path.read_text() == before
        return
    assert answers(path) == ["1: hello"]
    if "note: the snapshot in this notebook cannot be read, and is left as it is" in result.output:
        assert found(path) == json.dumps(bad, sort_keys=True)
    else:  # it could be read: all that stood there stays, and what was said is added
        assert json.loads(found(path))["more"] == bad["more"]
        assert command("verify", path).exit_code == 0
