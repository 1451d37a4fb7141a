"""Several kernels write one notebook: the union of what was said is what stays, and none hears the other."""

import subprocess
import sys
import threading

import nbformat
import pytest

from robota_nb.carriers import file
from robota_nb.core.record import snapshot
from robota_nb.frontends.headless import FrontEnd
from robota_nb.stores.sqlite import SqliteStore
from support.kernel import Kernel, isolated
from support.notebook import command, value, write
from support.paths import TESTS
from support.patience import PATIENCE

pytestmark = pytest.mark.slow("starts several kernels for each test")

LOAD = "%load_ext robota_nb"


def prompts(metadata):
    sessions = metadata.get("robota_nb", {}).get("sessions", {})
    return sorted(
        "".join(e["content"]) for entries in sessions.values() for e in entries.values() if e.get("role") == "user"
    )


@pytest.fixture
def path(tmp_path):
    return write(tmp_path / "nb.ipynb", LOAD, "%%robota\none", "%%robota\ntwo")


@pytest.fixture
def kernels(tmp_path, path, server):
    """Starts kernels that share a store, each under a page that holds the file as it is then."""
    running = []

    def start():
        kernel = Kernel(tmp_path, ROBOTA_NB_STORE=str(tmp_path / "store.sqlite"), **server.environment())
        kernel.front = FrontEnd(nbformat.read(path, as_version=4), path)
        running.append(kernel)
        kernel.start().ok(LOAD)
        return kernel

    yield start
    for kernel in running:
        kernel.close()


def save(kernel, path):
    kernel.say({"op": "flush"})
    file.write_notebook(path, kernel.front.notebook)
    kernel.say({"op": "saved", "seq": kernel.front.seq})


def revert(kernel, path):
    """Take the file in place of the open document, as a page does that was told of a change on disk."""
    kernel.front.notebook = nbformat.read(path, as_version=4)
    kernel.say(kernel.front.opening())


def test_two_kernels_of_one_notebook_know_nothing_of_each_other_and_lose_nothing(kernels, path, server):
    one, other = kernels(), kernels()
    for kernel in (one, other):
        kernel.ok("%robota")  # it has taken over what there is
    one.ok("%%robota\none", "cell-1")
    other.ok("%%robota\ntwo", "cell-2")
    assert [[m["content"] for m in body["messages"]] for body in server.requests] == [["one"], ["two"]]
    save(one, path)
    save(other, path)  # over it: the user said so
    assert prompts(value_of(path)) == ["two"]
    revert(one, path)  # its page is loaded again, and its kernel brings what it has
    assert prompts(one.front.notebook.metadata) == ["one", "two"]
    save(one, path)
    revert(other, path)
    for kernel in (one, other):
        snapshot.parse(kernel.front.notebook.metadata["robota_nb"])
        assert prompts(kernel.front.notebook.metadata) == ["one", "two"]
    server.requests.clear()
    fresh = kernels()
    assert fresh.ok("%%robota\none", "cell-1").answer == "1: one"
    assert fresh.ok("%%robota\ntwo", "cell-2").answer == "2: two"
    assert server.requests == []


def test_what_one_kernel_had_saved_and_another_has_saved_over_is_in_the_store(kernels, path):
    one, other = kernels(), kernels()
    other.ok("%robota")
    one.ok("%%robota\none", "cell-1")
    save(one, path)
    one.kill()
    other.ok("%%robota\ntwo", "cell-2")
    save(other, path)
    fresh = kernels()
    assert "added: 1 session, 1 turn" in fresh.ok("%robota recover --saved").text
    assert prompts(fresh.front.notebook.metadata) == ["one", "two"]


def test_a_kernel_that_finds_half_an_answer_of_another_one_gets_the_whole_as_the_end_of_the_path(
    kernels, path, server, tmp_path
):
    one, store = kernels(), SqliteStore(tmp_path / "store.sqlite")
    server.gate = threading.Event()
    running = one.begin("%%robota\none", "cell-1")
    while not any("finish_reason" in e for es in store.unsaved(str(path)).values() for e in es.values()):
        pass  # another process writes it
    store.close()
    other = kernels()
    assert "1: · interrupted" in other.ok("%robota chat log").text
    server.gate.set()
    running.finish()
    save(one, path)
    revert(other, path)
    log = other.ok("%robota chat log").text
    assert "1: one" in log
    assert "interrupted" not in log
    save(other, path)
    shown = [line.strip() for line in command("show", path).output.splitlines()]
    assert shown[2:] == ["1  one", "⎇ from the start:", "1  one · interrupted"]


WRITER = """
import sys
from robota_nb.carriers.file import FileCarrier
sys.path.insert(0, sys.argv[2])
from support.core import scripted
number = sys.argv[3]
manager = scripted(*["answer"] * 5)
chat = manager.create_session("u", f"Session {number}").create_chat()
for turn in range(5):
    chat.send(f"{number}.{turn}")
    FileCarrier(sys.argv[1]).write(manager.snapshot("u")["sessions"], {})
"""


def test_processes_that_write_one_file_at_once_all_find_their_turns_in_it(tmp_path, path):
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(TESTS), str(number)], env=isolated(tmp_path))
        for number in range(4)
    ]
    assert [writer.wait(PATIENCE) for writer in writers] == [0] * len(writers)
    snapshot.parse(value(path))
    assert prompts(value_of(path)) == sorted(f"{number}.{turn}" for number in range(4) for turn in range(5))


def value_of(path):
    return {"robota_nb": value(path)}
