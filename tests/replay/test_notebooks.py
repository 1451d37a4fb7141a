"""The truth table of replay, told to real notebooks: a front end, a kernel, a model server."""

import copy
import threading

import nbformat
import pytest

from robota_nb.core.manager import SessionManager
from robota_nb.core.record import snapshot
from robota_nb.core.record.fold import SessionState
from robota_nb.frontends.headless import FrontEnd
from robota_nb.testing import FakeOpenAIServer
from support.kernel import Kernel
from support.story import Failed, Story, load

CANNOT = ("click", "send", "fork")
FAST = 3


def expressible():
    """Titles of the stories that need no widget; the fast suite tells the first of them, CI every second one."""
    titles = [title for title, steps in load().items() if not any(word in step for step in steps for word in CANNOT)]
    slow = pytest.mark.slow("starts a kernel for each restart of a story")
    long = pytest.mark.long("the manager is told all of them, and a kernel half of them in CI")
    left = [pytest.param(title, marks=long if at % 2 else slow) for at, title in enumerate(titles[FAST:])]
    return [*titles[:FAST], *left]


class Fresh:
    """Gives chats what an endpoint without a default model would."""

    def default(self):
        return "openai", ""


class Teller(FrontEnd):
    """A front end that may not tell of its cells, as when only the file's snapshot was pushed."""

    listed = True

    def opening(self):
        message = super().opening()
        return message if self.listed else {key: value for key, value in message.items() if key != "cells"}


class NotebookWorld:
    """Cells run in a real kernel; this plays JupyterLab, or a front end that tells less."""

    def __init__(self, server, spares):
        self.cells, self.server, self.spares = [], server, spares
        self.serial, self.failure, self.kernel = 0, None, None
        server.reply = self.reply

    def reply(self, body):
        self.serial += 1
        prompts = "".join(message["content"] for message in body["messages"] if message["role"] == "user")
        text = f"{self.serial}:{prompts}" + (f"@{body['model']}" if body["model"] != "default" else "")
        return [f"{text}~", "and more"] if self.failure == "interrupted" else [text]

    # -- the kernel

    def set_up(self, *, ids, listed, rerun):
        self.ids, self.listed, self.rerun = ids, listed, rerun
        if self.kernel is None:
            manager = SessionManager(providers=Fresh())
            manager.create_session("u", "S").create_chat("main")
            notebook = nbformat.v4.new_notebook(metadata={"robota_nb": manager.snapshot("u")})
            self.front = Teller(notebook, "story.ipynb")
            self.start(None)
        elif not listed:  # a kernel that was never told of the cells
            self.restart()
        else:
            self.quietly(f"%config RobotaMagics.rerun = {rerun!r}")

    def start(self, mode):
        self.kernel = self.spares.take()
        self.kernel.front = self.front
        self.front.replay = mode
        self.list()
        self.kernel.connect()
        self.quietly("%load_ext robota_nb")
        self.quietly(f"%config RobotaMagics.rerun = {self.rerun!r}")
        self.asked_before = len(self.server.requests)

    def list(self):
        """Bring the notebook's cells to what they are in the story."""
        self.front.listed = self.listed
        self.front.notebook.cells = [nbformat.v4.new_code_cell(source(cell), id=cell.id) for cell in self.cells]

    def quietly(self, code):
        assert self.kernel.run(code, silent=True, store_history=False).status == "ok"

    def restart(self, *, strict=False):
        self.written()
        self.kernel.close()
        self.start("strict" if strict else "auto")

    def written(self):
        self.kernel.say({"op": "flush"})
        return copy.deepcopy(self.front.notebook.metadata["robota_nb"])

    @property
    def live(self):
        return len(self.server.requests) - self.asked_before

    # -- cells

    def run(self, cell):
        if self.listed:
            self.list()
            self.kernel.say({"op": "cells", "cells": self.front.cells()})
        failure = self.failure
        if failure == "error":
            self.server.fail(503, headers={"x-should-retry": "false"})
        self.server.gate = threading.Event() if failure == "interrupted" else None
        running = self.kernel.begin(source(cell), cell.id if self.ids else None)
        if failure == "interrupted":
            running.shows("~")
            self.kernel.interrupt()
        self.failure, done = None, running.finish()
        self.server.gate = None
        cell.shows += [text.partition("\n\n*—")[0] for text in done.shown]
        if done.status == "error" and failure != "interrupted":
            raise Failed({"ProviderError": "provider"}.get(done.error["ename"], done.error["ename"]))

    def next_answer(self, how):
        self.failure = how

    def paths(self):
        ((sid, entries),) = snapshot.parse(self.written()).items()
        state = SessionState(sid)
        state.apply(entries)
        return {
            chat.name: " ".join(
                "".join(entries[node.id]["content"]).split(":")[0] for node in state.path(chat.head.value).nodes
            )
            for chat in state.live_chats()
        }


def source(cell):
    """A story's cell as a notebook has it."""
    if len(cell.lines) == 1 and cell.lines[0].startswith("ask "):
        *options, text = cell.lines[0].split()[1:]
        return "\n".join([" ".join(["%%robota", *options]), text])
    return "\n".join(map(line, cell.lines))


def line(text):
    word, *args = text.split()
    if word == "ask":
        return f"%robota {text}"
    if word == "var":
        return f"{args[0]} = {args[1:]}"
    if word in ("loop", "asks"):
        values = args if word == "loop" else args[0]
        return f"for text in {values}:\n    get_ipython().run_line_magic('robota', 'ask ' + text)"
    if word in ("open", "switch"):
        name, *pairs = args
        options = [f"--model {value}" for key, value in (pair.split("=") for pair in pairs) if key == "model"]
        return " ".join([f"%robota chat {word} {name}", *options])
    return f"%robota chat {' '.join((word, *args))}"


class Spares:
    """Starts the next kernel while this one is at work."""

    def __init__(self, root, server):
        self.root, self.environment = root, {**server.environment(), "OPENAI_MODEL": "default"}
        self.spare, self.given = None, []

    def start(self):
        kernel = Kernel(self.root, "--IPKernelApp.exec_lines=import openai", **self.environment)
        return kernel.start()

    def take(self):
        kernel, self.spare = self.spare or self.start(), self.start()
        self.given.append(kernel)
        return kernel

    def close(self):
        for kernel in filter(None, [self.spare, *self.given]):
            kernel.close()


@pytest.fixture(scope="module")
def spares(tmp_path_factory):
    with FakeOpenAIServer() as server:
        spares = Spares(tmp_path_factory.mktemp("stories"), server)
        spares.server = server
        yield spares
        spares.close()


@pytest.mark.parametrize("title", expressible())
def test_story(title, spares):
    spares.server.requests.clear()
    world = NotebookWorld(spares.server, spares)
    try:
        Story(world).tell(load()[title])
    finally:
        spares.server.gate = None
        world.kernel.close()
