"""A notebook whose outputs carry the conversations, its kernels, and an oracle that reads what is sent.

The kernels are the real manager and persistence, without a front end that lists the cells. The oracle knows of the
notebook what a reader of the page knows: the prompts and answers above a cell. It says of each ask whether an answer
to that very request is left: in an output that is still there, or in the store.
"""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from robota_nb.core import ask_flow
from robota_nb.core.manager import SessionManager
from robota_nb.core.ports import Finish, TextDelta
from robota_nb.core.rules.effects import Undo
from robota_nb.core.strand import Strand
from robota_nb.core.turn import Turn
from robota_nb.kernel.executions import Executed
from robota_nb.kernel.running_cell import RunningCell
from robota_nb.stores.memory import MemoryStore
from robota_nb.sync.persistence import Persistence
from robota_nb.sync.reader import NotebookReader

FIRST = "Chat 1"


class Request(NamedTuple):
    """What is sent, as one reads it on the page."""

    chat: str
    before: tuple[str, ...]
    prompt: str
    model: str


class Model:
    """A provider, and the registry that holds it: who has asked says what it answers, and it remembers what it saw."""

    name = "model"

    def __init__(self, answer):
        self.answer, self.sent = answer, []

    def default(self):
        return "model", ""

    def get(self, name):
        return self

    def stream(self, request):
        texts = [message["content"] for message in request.messages]
        self.sent.append((tuple(texts[:-1]), texts[-1], request.model or ""))
        yield TextDelta(self.answer(texts[-1]))
        yield Finish(reason="stop")


@dataclass(eq=False)
class Cell:
    """A code cell: its lines, the `robota_nb` metadata of its outputs, and what it did when it ran last."""

    id: str
    source: str
    outputs: list = field(default_factory=list)
    did: list = field(default_factory=list)
    former: list = field(default_factory=list)  # what it had asked before
    is_known: bool = True  # whether the kernel knows what it did


class Notebook:
    """Cells in a file, and the kernel that runs them.

    Parameters
    ----------
    path
        The file.
    answer
        Returns the answer to a prompt.
    ids
        Whether the front end tells the ids of cells.
    store
        The store that all kernels share; each has its own if there is none.
    """

    def __init__(self, path, answer, *, ids=True, store=None):
        self.path, self.ids, self.store = path, ids, store
        self.model = Model(answer)
        self.cells, self.made = [], 0
        self.requests = {}  # turn -> what it answers
        self.asked = []  # turns that were asked, in order
        self.wrong = []
        self.first_models = {FIRST: ""}
        self.start()

    def insert(self, at, source):
        self.made += 1
        self.cells.insert(at, Cell(f"cell-{self.made}", source))

    # -- the kernel

    def save(self):
        cells = [
            {
                "cell_type": "code", "id": cell.id, "source": cell.source, "metadata": {}, "execution_count": None,
                "outputs": [
                    {"output_type": "display_data", "data": {}, "metadata": {"robota_nb": mine}}
                    for mine in cell.outputs
                ],
            }
            for cell in self.cells
        ]  # fmt: skip
        self.path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))

    def start(self):
        """Start a kernel, which has the file and the store, and nothing else."""
        self.save()
        self.manager = SessionManager(providers=self.model)
        guess = lambda: self.path
        self.persistence = Persistence(self.manager, print, guess, lambda _: None, has_outputs=True)
        self.persistence.unsaved.store = self.store or MemoryStore()
        self.reader = NotebookReader(self.persistence, guess, lambda _: None)
        self.running = RunningCell(self.manager, self.persistence.notebook)
        self.running.page  # noqa: B018 - it is there before the notebook is read
        self.manager.subscribe(self._commit)
        self.reader.adopt_notebook()
        stored = self.persistence.unsaved.filed(str(self.path)) if self.store else {}
        known = {eid for entries in stored.values() for eid in entries}
        for cell in self.cells:
            cell.is_known = bool(cell.outputs or self.store)
        self.left = {mine["turn"] for cell in self.cells for mine in cell.outputs}
        self.left |= known & self.requests.keys()

    def _commit(self, event):
        if hasattr(event, "entries"):
            self.persistence.commit({event.session: event.entries}, {event.session: event.removed})

    # -- cells run

    def run_all(self):
        for cell in self.cells:
            self.run(cell)

    def run(self, cell):
        """Run a cell, and compare what it does with what stands on the page above it."""
        self.running.begin(Executed(cell.source, cell.id if self.ids else None, Strand(), "request"))
        self.page = self.running.get()
        cell.former = [did for did in cell.did if did[0] == "ask"] if cell.is_known else []
        cell.did, cell.outputs, cell.is_known = [], [], True
        for words in map(str.split, cell.source.splitlines()):
            self._line(words, cell)
        self.running.end()
        self.persistence.write_pointers()

    def _line(self, words, cell):
        now = self.above(cell)
        chat = ask_flow.current_chat(self.manager)
        match words:
            case ["ask", prompt]:
                self._ask(cell, now, prompt)
                return
            case ["open", name]:
                session = self.manager.active_session() or self.manager.create_session()
                if name in {one.name for one in session.chats}:
                    session.switch_to(name)
                else:
                    session.create_chat(name)
                    self.first_models[name] = now.models[now.current]
            case ["undo"] if chat:
                self.page.did(Undo(chat=chat.id))
            case ["clear"] if chat:
                chat.clear()
            case ["set", model] if chat:
                chat.configure(model=model)
            case _:
                return
        cell.did.append(words)

    def _ask(self, cell, now, prompt):
        _, _, chat, chosen, *_ = cell.former.pop(0) if cell.former else ("", "", now.current, now.chosen)
        chat = chat if chosen == now.chosen else now.current  # the answer's, unless commands say another one now
        request = Request(chat, tuple(now.texts(chat)), prompt, now.models[chat])
        sent, captured = len(self.model.sent), cell.source.startswith("%%capture")
        free = {turn for turn in self.left if self.requests[turn] == request} - self.standing(cell)
        answer = ask_flow.ask(self.manager, prompt)
        turn = answer if isinstance(answer, Turn) else answer.result()
        if len(self.model.sent) > sent:
            self.asked.append(turn.id)
            if self.model.sent[-1] != request[1:]:
                self.wrong.append(f"{cell.source!r} sent {self.model.sent[-1]}, the page says {request}")
            if free:
                self.wrong.append(f"{cell.source!r} was asked again, though its answer is there: {request}")
            self.requests[turn.id] = request
        elif turn.id not in free:
            self.wrong.append(f"{cell.source!r} replayed {self.requests[turn.id]}, the page says {request}")
        self.left.add(turn.id)
        cell.did.append(("ask", turn.id, chat, now.chosen, prompt, turn.text))
        metadata = self.persistence.notebook.output_metadata(
            turn, self.page.record.said_before(turn.id), former=self.page.kept_turns(), stays=not captured
        )
        if not captured:
            cell.outputs.append(json.loads(json.dumps(metadata)))

    # -- the oracle

    def standing(self, cell):
        """The turns that stand as answers above a place, and of the cell itself."""
        cells = self.cells[: self.cells.index(cell) + 1]
        return {did[1] for one in cells for did in one.did if did[0] == "ask"}

    def above(self, cell):
        """What one reads above a place of the page: what was said in each chat, its model, and which chat one is in."""
        page = Above(self.first_models)
        for one in self.cells[: self.cells.index(cell) + 1]:
            for did in one.did:
                page.take(*did)
        return page


class Above:
    """What stands on the page above some place."""

    def __init__(self, first_models):
        self.said, self.models = defaultdict(list), dict(first_models)
        self.current, self.chosen = FIRST, None

    def take(self, what, *of):
        if what == "ask":
            _, self.current, _, *texts = of
            self.said[self.current].append(texts)
            return
        here = self.said[self.current]
        match what:
            case "open":
                self.current = self.chosen = of[0]
            case "undo" if here:
                here.pop()
            case "clear":
                here.clear()
            case "set":
                (self.models[self.current],) = of

    def texts(self, chat):
        return [text for said in self.said[chat] for text in said]
