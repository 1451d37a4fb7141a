"""Two kernels on one document, in each of which anything is done: after every push both show the same."""

import json
import random

import pytest

from robota_nb.core.record import snapshot
from support.replay.histories import MORE, PLAIN
from support.replay.on_manager import Kernel
from support.replay.rules import AskError, Document

OPS = "run run run all edit insert delete move click model panel panelundo panelclear accept".split()

ASKED_HERE = ("asked", "replayed", "recorded")
"""Marks that say which kernel has shown an answer."""
OF_ONE_LIFE = {"failed", "cut", "stale<model"}
"""Marks of what one kernel has seen: an error, an interrupt, a setting that was clicked there and waits."""


def value(kernel):
    return json.loads(json.dumps(kernel.manager.snapshot("u")))


def push(kernels):
    """Bring what each kernel writes to the other one, until nobody has anything to write."""
    for _ in range(4):
        for kernel, other in (kernels, kernels[::-1]):
            kernel.manager.flush("u")
            other.manager.adopt(snapshot.parse(value(kernel)), "u")
        one, other = map(value, kernels)
        if one == other:
            return
    pytest.fail("each kernel writes over what the other has written, without an end")


def view(kernel):
    """What is seen of a kernel: which chat is the active one, and where a new prompt goes; the chats; the marks."""
    session = kernel.session
    return {
        "active": session.active_chat and session.active_chat.name,
        "panel": kernel.panel_chat(),
        "chats": {chat.name: ([turn.id for turn in chat.turns], chat.config.settings()) for chat in session.chats},
    }


def marks(kernels):
    """The marks of both, but for those that only one can know."""
    pairs = zip(*([kernel.mark(cell) for cell in kernel.doc.cells] for kernel in kernels), strict=True)
    shown = [tuple("answered" if mark in ASKED_HERE else mark for mark in pair) for pair in pairs]
    return [pair for pair in shown if not OF_ONE_LIFE.intersection(pair)]


def do(r, kernel, op):  # noqa: PLR0912 - one branch for each thing that people do
    cells, new = kernel.doc.cells, r.choice(PLAIN * 3 + MORE)
    at, to = r.randrange(len(cells)), r.randrange(len(cells))
    if op == "run":
        kernel.run(cells[at])
    elif op == "all":
        for cell in list(cells):
            kernel.run(cell)
    elif op == "edit":
        kernel.doc.edit(at, new)
        kernel.run(cells[at])
    elif op == "insert":
        kernel.doc.insert(at, new)
    elif op == "delete" and len(cells) > 2:
        kernel.doc.delete(at)
    elif op == "move":
        kernel.doc.move(at, to)
    elif op == "click":
        kernel.click_chat(r.choice("AB"))
    elif op == "model":
        kernel.click_set("model", r.choice("mn"))
    elif op == "panel":
        kernel.panel_send("w")
    elif op in ("panelundo", "panelclear"):
        kernel.panel_do(op[5:])
    elif op == "accept":
        kernel.accept()


def live(seed):
    r = random.Random(seed)
    doc = Document(*(r.choice(PLAIN * 3 + MORE) for _ in range(r.randint(2, 4))))
    first = Kernel(doc, who="x")
    kernels = [first, Kernel(doc, first.save(), who="y")]
    log = [[cell.src for cell in doc.cells]]
    for _ in range(r.randint(2, 6)):
        kernel, op = r.choice(kernels), r.choice(OPS)
        log.append((kernel.who, op))
        try:
            do(r, kernel, op)
        except AskError:
            pass  # as a cell of the notebook may
        for each in kernels:
            each.look()
        push(kernels)
        one, other = map(view, kernels)
        assert one == other, (seed, log)
        assert all(mine == yours for mine, yours in marks(kernels)), (seed, log, marks(kernels))


@pytest.mark.parametrize("block", range(4))
def test_two_kernels_show_the_same_after_every_push(block):
    for seed in range(block * 10, block * 10 + 10):
        live(seed)


@pytest.mark.long("500 histories of two kernels")
def test_two_kernels_show_the_same_after_every_push_of_many():
    for seed in range(1000, 1500):
        live(seed)
