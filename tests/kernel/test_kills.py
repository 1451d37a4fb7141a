"""The kernel is killed at any point: what a finished cell has said is never lost, and the file can always be read."""

import os
import random
import signal
import sqlite3
import threading

import nbformat
import pytest

from robota_nb.carriers import file
from robota_nb.frontends.headless import FrontEnd
from robota_nb.testing import FakeOpenAIServer
from support.kernel import Kernel
from support.notebook import answers, command, write

pytestmark = pytest.mark.slow("starts a kernel after each kill")

CHUNKS = 6


class Document:
    """A notebook in a front end that seldom saves, and a kernel that is killed."""

    def __init__(self, root, server, chance):
        self.path, self.server, self.chance = write(root / "killed.ipynb"), server, chance
        self.finished = []  # the answers whose cells have finished
        self.kernel = Kernel(root, ROBOTA_NB_STORE=str(root / "store.sqlite"), **server.environment())

    def open(self):
        """Open the file as it was saved last, in a fresh kernel."""
        self.front = self.kernel.front = FrontEnd(nbformat.read(self.path, as_version=4), self.path)
        self.front.replay = "strict"
        self.kernel.start()
        self.kernel.connect()
        self.kernel.run("%load_ext robota_nb", silent=True, store_history=False)

    def save(self):
        self.kernel.say({"op": "flush"})
        file.write_notebook(self.path, self.front.notebook)
        self.kernel.say({"op": "saved", "seq": self.front.seq})

    def replays(self):
        """Check that every finished cell finds its answer."""
        asked = len(self.server.requests)
        for number, answer in enumerate(self.finished):
            assert self.kernel.ok(f"%%robota\nquestion {number}", f"cell-{number}").answer == answer
        assert len(self.server.requests) == asked
        self.kernel.run("%robota replay auto", silent=True, store_history=False)

    def ask(self):
        number = len(self.finished)
        self.finished.append(self.kernel.ok(f"%%robota\nquestion {number}", f"cell-{number}").answer)

    def dies(self):
        """Kill the kernel at some point of an ask, or after it."""
        number, when = len(self.finished), self.chance.randrange(-1, CHUNKS + 1)
        if when == CHUNKS:  # right after the cell
            self.ask()
        elif when >= 0:  # in the middle of the answer
            self.server.gate, self.server.gate_after = threading.Event(), when
            requests = len(self.server.requests)
            running = self.kernel.begin(f"%%robota\nquestion {number}", f"cell-{number}")
            if when:
                running.shows("0 ")
            else:
                with self.server.asked:
                    assert self.server.asked.wait_for(lambda: len(self.server.requests) > requests, 30)
        self.kernel.kill()
        self.server.gate = None


@pytest.fixture
def document(tmp_path):
    def reply(body):
        with server.asked:
            server.asked.notify_all()
        return [f"{len(server.requests)} ", *("word " for _ in range(CHUNKS - 1))]

    with FakeOpenAIServer(reply) as server:
        server.asked = threading.Condition()
        server.reply = lambda body: [f"{len(server.requests)}0 ", *reply(body)[1:]]
        document = Document(tmp_path, server, random.Random(1))
        yield document
        document.kernel.close()


def test_what_finished_cells_have_said_survives_every_kill(document, scale):
    document.open()
    document.kernel.run("%robota replay auto", silent=True, store_history=False)
    for _ in range(scale(fast=4, all=10, long=200)):
        for _ in range(document.chance.randrange(3)):
            document.ask()
        if document.chance.random() < 0.2:
            document.save()
        document.dies()
        nbformat.validate(nbformat.read(document.path, as_version=4))
        document.open()
        document.replays()
    # All of it is in the store, too, or was acknowledged as saved.
    with sqlite3.connect(document.kernel.env["ROBOTA_NB_STORE"]) as store:
        (sound,) = store.execute("PRAGMA integrity_check").fetchone()
    store.close()
    assert sound == "ok"
    document.save()
    assert "verified" in command("verify", document.path).output
    assert document.finished


@pytest.mark.parametrize("nth", [1, 2])
def test_a_kernel_that_is_killed_under_the_runner_loses_no_finished_turn(connected, server, nth):
    pid = "import os, pathlib; pathlib.Path('pid').write_text(str(os.getpid()))"
    path = write(connected / "killed.ipynb", "%load_ext robota_nb", pid, *(f"%%robota\nq{n}" for n in range(1, 4)))

    def reply(body):
        if len(server.requests) == nth + 1:
            os.kill(int((connected / "pid").read_text()), signal.SIGKILL)
        return f"answer {len(server.requests)}"

    server.reply = reply
    result = command("run", path)
    assert result.exit_code == 1
    assert "died" in result.output
    assert answers(path) == [f"answer {n}" for n in range(1, nth + 1)]
    assert command("run", path).exit_code == 0
    assert answers(path)[:nth] == [f"answer {n}" for n in range(1, nth + 1)]
    assert len(server.requests) == 4  # one of them was never answered
