"""A real kernel, driven as that of `support.replay.rules` is: real cells, messages of a front end, a model server.

One process plays all kernel lives: the extension is unloaded, and all that it kept is dropped.
"""

import copy
import re
import threading

import nbformat

from robota_nb.core.manager import SessionManager
from robota_nb.core.record import snapshot
from robota_nb.core.record.fold import SessionState
from robota_nb.frontends.headless import FrontEnd
from support.kernel import RESET
from support.replay import rules
from support.replay.rules import AskError

ASKS = {"ask", "loop", "asks", "retry"}
CANNOT = re.compile(r"\.k\.(purge|steps|turns|clicked)|merge\(|back |py |who=")
"""What a story does that no cell, message or click does, or that needs two kernels at once."""

APP = "__import__('robota_nb.kernel.extension').kernel.extension._HOOKED[get_ipython()].app()"
NAMES = {}
"""What the rules call a turn, by its id."""


class NoModel:
    """Gives chats what an endpoint without a default model would."""

    def default(self):
        return "openai", ""


class Teller(FrontEnd):
    """A front end that may not tell of its cells; it keeps the marks."""

    def __init__(self, notebook, *, listed):
        super().__init__(notebook, "story.ipynb")
        self.listed, self.marks = listed, {}

    def opening(self):
        message = super().opening()
        return message if self.listed else {key: value for key, value in message.items() if key != "cells"}

    def take(self, message):
        if message["op"] == "marks":
            self.marks = {} if message.get("whole") else self.marks
            self.marks.update(message["cells"])
        return super().take(message)


def on(process, server):
    """Return the class of kernels that live in this process, and ask this server."""
    return type("Kernel", (Kernel,), {"process": process, "server": server})


class Kernel(rules.Kernel):
    """One kernel life."""

    def __init__(self, doc, snap=None, *, ids=True, listing="live", mode="auto", rerun="replay"):
        self.doc, self.ids, self.listing, self.fail, self.saved = doc, ids, listing, None, snap
        if snap is None:
            manager = SessionManager(providers=NoModel())
            manager.create_session("u", "S").create_chat("main")
            snap, doc.asked = manager.snapshot("u"), 0
        self.front = Teller(nbformat.v4.new_notebook(metadata={"robota_nb": copy.deepcopy(snap)}), listed=bool(listing))
        self.front.replay = mode
        self.list()
        self.process.front = None  # what the former life still says
        self.quietly(f"{RESET}%config RobotaMagics.rerun = {rerun!r}")
        self.process.front = self.front
        self.process.say(self.front.opening())
        self.quietly(f"{APP}.ready()")  # as when the panel is open
        self.server.reply, self.heard = self.reply, len(self.server.requests)
        self.saved = self.saved or self.save()

    def quietly(self, code):
        assert self.process.run(code, silent=True, store_history=False).status == "ok", code

    def reply(self, body):
        prompts = "".join(message["content"] for message in body["messages"] if message["role"] == "user")
        recorded = not self.once
        self.doc.asked += recorded
        name = str(self.doc.asked) if recorded else "once"
        text = f"{name}:{prompts}" + (f"@{body['model']}" if body["model"] != "default" else "")
        return [f"{text}~", "and more"] if self.fail == "interrupted" else [text]

    # -- the page

    def list(self):
        """Bring the notebook's cells to what they are in the story."""
        real = {name: turn for turn, name in NAMES.items()}
        cells = self.front.notebook.cells = []
        for cell in self.doc.cells:
            cells.append(nbformat.v4.new_code_cell(source(cell), id=cell.id))
            if not self.ids:
                del cells[-1]["id"]
            if cell.shows is not None:
                turns = [{"robota_nb": {"turn": real[turn]}} for turn in cell.shows] or [{}]
                cells[-1].outputs = [nbformat.v4.new_output("display_data", metadata=mark) for mark in turns]

    def id(self, cell):
        return cell.id if self.ids else f"#{self.doc.cells.index(cell)}"

    def look(self):
        if self.listing:
            self.list()
            self.process.say({"op": "cells", "cells": self.front.cells()})

    def page(self):
        return self.doc.cells

    def mark(self, cell):
        self.look()
        self.process.say({"op": "cells", "from": 0, "gone": 0, "cells": []})
        mark = self.front.marks.get(self.id(cell))
        if mark is None:
            return "new" if any(line.split()[0] in ASKS for line in cell.src.splitlines()) else "-"
        return f"stale<{why(mark['why'])}" if mark["state"] == "stale" else mark["state"]

    # -- outside cells: the panel

    def panel(self, code):
        self.look()
        self.quietly(f"app = {APP}; app.ready(); session = app.manager.sessions()[0]\n{code}\napp.write_soon()")

    def panel_send(self, x):
        self.once = False
        self.panel(f"(session.active_chat or session.chats[0]).send({x!r})")

    def panel_do(self, op):
        self.panel(f"(session.active_chat or session.chats[0]).{op}()")

    def click_chat(self, name):
        known = f"{name!r} in [chat.name for chat in session.chats]"
        self.panel(f"session.switch_to({name!r}) if {known} else session.create_chat({name!r})")

    def click_set(self, key, value):
        self.panel(f"(session.active_chat or session.chats[0]).configure(**{ {key: value} })")

    def accept(self):
        self.look()
        self.process.say({"op": "accept"})

    # -- a cell runs

    def run(self, cell):
        self.look()
        failure, self.once = self.fail, "--once" in cell.src
        if failure == "error":
            self.server.fail(503, headers={"x-should-retry": "false"})
        self.server.gate = threading.Event() if failure == "interrupted" else None
        running = self.process.begin(source(cell), cell.id if self.ids else None)
        if failure == "interrupted":
            running.shows("~")
            self.process.interrupt()
        self.fail, done = None, running.finish()
        self.server.gate = None
        answers = [o for o in done.outputs if "text/markdown" in o.get("data", {})]
        cell.out = [output["data"]["text/markdown"].partition("\n\n*—")[0] for output in answers]
        marks = [output["metadata"].get("robota_nb", {}).get("turn") for output in answers]
        NAMES.update({turn: text.split(":")[0] for turn, text in zip(marks, cell.out, strict=True) if turn})
        cell.shows = [NAMES[turn] for turn in marks if turn]
        if done.status == "error" and failure != "interrupted":
            raise AskError(said(done.error))

    # -- what is recorded

    @property
    def live(self):
        return len(self.server.requests) - self.heard

    @property
    def sent(self):
        found = []
        for body in self.server.requests[self.heard :]:
            texts = [message["content"] for message in body["messages"]]
            before = [f"{x}/{reply.split(':')[0]}" for x, reply in zip(texts[::2], texts[1::2], strict=False)]
            found.append(("", tuple(texts), " ".join([*before, texts[-1]])))
        return found

    @sent.setter
    def sent(self, sent):
        pass

    @live.setter
    def live(self, live):
        pass

    @property
    def state(self):
        ((sid, entries),) = snapshot.parse(self.save()).items()
        state = SessionState(sid)
        state.apply(entries)
        return state

    @property
    def chats(self):
        return {chat.name: () for chat in self.state.live_chats()}

    def fold(self):
        return Paths(self.state)

    def save(self):
        self.look()
        self.process.say({"op": "flush"})
        new = copy.deepcopy(self.front.notebook.metadata["robota_nb"])
        return self.saved if new == self.saved else new


class Paths:
    """What each chat remembers at the end of the page, as the saved notebook says."""

    def __init__(self, state):
        self.state, self.paths = state, {chat.name: state.chat_path(chat.id).nodes for chat in state.live_chats()}

    def context(self, chat):
        return tuple(self.state.text(node.id).split(":")[0] for node in self.paths.get(chat, ()))


def said(error):
    """Return an error in the words of the rules."""
    if error["ename"] == "ChatNotFound":
        return f"no chat {re.search('no chat .(?P<name>[A-Z])', error['evalue'])['name']}"
    return {"ProviderError": "provider", "ValueError": "boom"}.get(error["ename"], error["ename"])


def why(sentence):
    """Return in the words of the rules why an answer is stale."""
    if found := re.match(r"code cell (\d+) above", sentence):
        return int(found[1]) - 1
    if found := re.match(r"it would go to '(.*)' now", sentence):
        return found[1]
    if "is not there any more" in sentence:
        return "gone"
    return None if "outside cells" in sentence else sentence.split()[0]


def source(cell):
    """Return a story's cell as a notebook has it."""
    lines = cell.src.splitlines()
    if len(lines) == 1 and lines[0].startswith("ask "):
        *options, text = lines[0].split()[1:]
        return "\n".join([" ".join(["%%robota", *options]), text])
    return "\n".join(map(line, lines))


def line(text):
    word, *args = text.split()
    if word == "ask":
        return f"%robota {text}"
    if word == "var":
        return f"{args[0]} = {args[1:]}"
    if word == "boom":
        return "raise ValueError"
    if word in ("loop", "asks"):
        values = args if word == "loop" else args[0]
        return f"for text in {values}:\n    get_ipython().run_line_magic('robota', 'ask ' + text)"
    if word in ("open", "switch"):
        name, *pairs = args
        options = [f"--model {value}" for key, value in (pair.split("=") for pair in pairs) if key == "model"]
        return " ".join([f"%robota chat {word} {name}", *options])
    return text if "=" in word else f"%robota chat {' '.join((word, *args))}"
