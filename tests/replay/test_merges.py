"""Two people go on from one notebook, and its merge driver for git puts both together: then it is run from the top."""

import json

import nbformat.v4

from robota_nb.cli.git.merge import merge
from robota_nb.core.record import snapshot
from support.replay import on_manager, rules
from support.replay.histories import branches, what_is_seen
from support.replay.rules import Cell


def written(world):
    """The notebook file of a world of the manager."""
    notebook = nbformat.v4.new_notebook(metadata={"robota_nb": world.k.save()["snapshot"]})
    for cell in world.doc.cells:
        outputs = [nbformat.v4.new_output("display_data", {"text/plain": text}) for text in cell.out]
        kept = {"test": json.dumps([cell.shows, cell.memo])}
        notebook.cells.append(nbformat.v4.new_code_cell(cell.src, id=cell.id, outputs=outputs, metadata=kept))
    return json.dumps(notebook).encode()


def read(data):
    """The cells of a notebook file."""
    for cell in nbformat.v4.reads(data.decode()).cells:
        shows, memo = json.loads(cell.metadata["test"])
        out = [output.data["text/plain"] for output in cell.outputs]
        yield Cell(cell.id, cell.source, out, shows, memo and as_memo(memo))


def as_memo(memo):
    """What JSON has made lists of."""
    kind, effects = memo
    return kind, [tuple(tuple(part) if isinstance(part, list) else part for part in effect) for effect in effects]


class Driver:
    """Merges the notebooks of the manager's worlds, and keeps what came of it for the worlds of the rules."""

    def __init__(self):
        self.data, self.conflicts, self.is_tie = None, None, False

    def merge(self, _, *worlds):
        """Merge in both orders: they say the same, in which all is that either side has said."""
        sides, panel = worlds[1:], len(worlds[0].oracle.panel)
        clicked = (side.k.clicked[1] or any({**side.k.pending, **side.k.old_pending}.values()) for side in sides)
        twins = {*sides[0].k.chats} & {*sides[1].k.chats} - {*worlds[0].k.chats}  # for the rules they are one chat
        self.is_tie = all(len(side.oracle.panel) > panel for side in sides) or any(clicked) or bool(twins)
        base, ours, theirs = map(written, worlds)
        self.data, self.conflicts = merge(base, ours, theirs, "ours first")
        other, conflicts = merge(base, theirs, ours, "theirs first")
        assert bool(conflicts) == bool(self.conflicts)
        found, reverse, *sides = (
            json.loads(data)["metadata"]["robota_nb"] for data in (self.data, other, ours, theirs)
        )
        assert json.dumps(found) == json.dumps(reverse)
        assert self.conflicts or other == self.data
        both = snapshot.parse(found)
        for sid, entries in (session for side in sides for session in snapshot.parse(side).items()):
            for eid, entry in entries.items():
                assert both[sid][eid] == entry or both[sid][eid]["kind"] == "purged"
        return self.cells()

    def cells(self, *_):
        """Return the cells that came of the merge, new ones each time; None if a conflict is left in them."""
        return None if self.conflicts else list(read(self.data))


def test_a_merged_notebook_asks_what_the_rules_say_and_no_more(scale):
    merged = 0
    for seed in range(scale(fast=15, all=40, long=400)):
        driver = Driver()
        done, log = branches(on_manager.Kernel, seed, True, driver.merge)
        if driver.data and not driver.conflicts:
            said, _ = branches(rules.Kernel, seed, True, driver.cells)
            if not driver.is_tie:  # of what two did outside cells at the same time either may come first
                assert what_is_seen(done) == what_is_seen(said), (seed, log)
            assert said.bad == [], (seed, log)
            # A purged turn tells its cell no more: merged with what followed it, a restart may see it elsewhere.
            known = "P7" if "purge" in {step[0] for step in log} else "none"
            assert [found for found in done.bad if not found.startswith(known)] == [], (seed, log)
            merged += 1
    assert merged > seed / 2
