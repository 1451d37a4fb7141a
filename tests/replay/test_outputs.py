"""Where outputs carry the conversations: what is asked again is what was lost with one, and what depends on it."""

import random

import pytest

from robota_nb.stores.memory import MemoryStore
from support.riding import Notebook

ASKS = ["ask a", "ask b", "ask c", "ask g", "ask g", "ask g\nask h"]
MORE = ["open B", "open Chat-2", "undo", "clear", "set m", "set n", "ask a\nundo", "open B\nask b", "x = 1"]


def history(path, seed, *, ids, store):
    """A random notebook that was edited and run, of which outputs are lost then, and that is run again."""
    r = random.Random(seed)
    number = iter(range(10_000))

    def answer(prompt):  # the same again, or not
        return f"re: {prompt}" if r.random() < 0.5 else f"{next(number)}: {prompt}"

    nb = Notebook(path, answer, ids=ids, store=MemoryStore() if store else None)
    new = lambda: r.choice(ASKS * 3 + MORE)
    nb.insert(0, r.choice(ASKS))
    for _ in range(r.randint(2, 6)):
        nb.insert(len(nb.cells), new())
    nb.start()
    nb.run_all()
    for _ in range(r.randint(0, 4)):
        at = r.randrange(len(nb.cells))
        match r.choice(["edit", "edit", "insert", "move", "tweak", "tweak"]):
            case "edit" if at:
                nb.cells[at].source = new()
            case "insert" if at:
                nb.insert(at, new())
            case "move" if at:
                cell = nb.cells.pop(at)
                nb.cells.insert(r.randint(1, len(nb.cells)), cell)
            case "tweak" if ids:
                nb.cells[at].source = r.choice(ASKS)
                nb.run(nb.cells[at])
                continue
        nb.start()
        nb.run_all()
    for _ in range(r.randint(1, 3)):
        lose(nb, r)
        if r.random() < 0.7:
            nb.start()
            nb.run_all()
    nb.start()
    nb.run_all()
    nb.start()
    asked = len(nb.asked)
    nb.run_all()
    return nb, len(nb.asked) - asked


def lose(nb, r):
    cell = r.choice([cell for cell in nb.cells if cell.outputs] or nb.cells)
    match r.choice(["clear", "clear", "capture", "delete"]):
        case "clear":
            cell.outputs = []
        case "capture":
            cell.source = "%%capture\n" + cell.source
        case "delete" if cell is not nb.cells[0]:
            nb.cells.remove(cell)


@pytest.mark.parametrize("store", [False, True], ids=["no store", "store"])
@pytest.mark.parametrize("ids", [True, False], ids=["ids", "no ids"])
def test_what_is_asked_again_is_what_was_lost_and_what_depends_on_it(ids, store, scale, tmp_path):
    for seed in range(scale(fast=10, all=30, long=500)):
        nb, _ = history(tmp_path / f"{seed}.ipynb", seed, ids=ids, store=store)
        assert nb.wrong == [], seed
