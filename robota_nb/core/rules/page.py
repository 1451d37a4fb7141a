"""The page: the code cells in order, what each of them did when it ran last, and what is remembered at each place.

What one reads above a place of the page is what is remembered there, whatever was run when, and in which kernel. The
rules are in docs/replay.md.
"""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Protocol, TypeAlias

from robota_nb.core.record.entries import cell_id_or_none
from robota_nb.core.rules.effects import Answered, Effect, Known, OfChat, Step
from robota_nb.core.rules.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from robota_nb.core.rules.memory import ChatMemory, Context

Shown: TypeAlias = "tuple[str, ...] | None"
"""The turns that a cell's output says it shows; None if there is no output."""


class Record(Known, Protocol):
    """What the page needs to know of what is recorded."""

    def cell_of(self, turn: str) -> str | None:
        """Return the id of the cell that asked; None if it has none, or the turn is not here."""
        ...

    def asked(self, turn: str) -> Answered | None:
        """Return what a cell has done that shows a turn as its answer; None if the turn is not here."""
        ...

    def after_of(self, turn: str) -> str | None:
        """Return the id of the cell after which a turn was sent outside cells; None if it was not."""
        ...


@dataclass(slots=True, eq=False)
class Cell:
    """A code cell.

    Parameters
    ----------
    key
        What tells it from other cells in this kernel's life: the front end's id, else a number of ours.
    id
        The id that lasts, or None (see `cell_id_or_none`).
    source
        The hash of its source.
    shows
        The turns that its output says it shows; None if it has no output.
    """

    key: str
    id: str | None
    source: str
    shows: Shown = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """Something that was done outside cells: it stands after the last cell that had done something to the chat.

    Parameters
    ----------
    n, entry
        When, and what tells it from others of the same n.
    effect
        What was done.
    after
        The id of that cell; None if there was none.
    context
        What the chat remembered then: if the cell is gone, it stands after the nearest one of these turns that is left.
    """

    n: int
    entry: str
    effect: OfChat
    after: str | None
    context: Context


class Page:
    """The code cells, as a front end lists them; without a list, those that are recorded, then those that ran here.

    Parameters
    ----------
    record
        What is recorded.
    steps
        What is recorded of cells.
    next_n
        Returns the n of the next entry.
    rank
        Returns where on the paths of their chats the turns of a step are: what comes first has stood above.
    listed
        Whether a front end lists the cells.
    maker
        What tells the steps that are made here from others of the same n.
    """

    def __init__(
        self,
        record: Record,
        steps: Iterable[Step],
        next_n: Callable[[], int],
        rank: Callable[[Step], int] = lambda _: 0,
        *,
        listed: bool = True,
        maker: str = "",
    ) -> None:
        self.record = record
        self.listed = listed
        self.maker = maker
        self.cells: list[Cell] = []
        self.steps: dict[str, Step] = {}
        self.orphans: dict[str, Step] = {}  # what is recorded, and no cell has taken yet
        self.recorded: frozenset[str] = frozenset()  # without a list: the cells that are known from the record alone
        self.ran: set[str] = set()  # in this kernel
        self.next_n = next_n
        self._rank = rank
        self._serial = count()
        self._opened = False
        self._looked = False  # whether each cell has the step that is recorded of it
        self._open: dict[str, Cell] = {}  # the cells of which nothing is known, by their keys
        self._positions: dict[str, int] = {}
        self._standing: dict[str, list[str]] = defaultdict(list)  # turn -> the cells as whose answer it stands
        self._outside: list[Outside] = []
        self._anchored: dict[str | None, list[Outside]] = {}  # the key of a cell -> what stands after it
        self._displaced = False  # whether the cell after which something stood is gone
        self._anchors_known = True
        self._places: dict[str, str | None] = {}  # turn of outside cells -> the cell that it stands after
        self._after: list[Memory] = []  # the memory after each cell, as far down as it is known
        self._begin: Memory | None = None
        for step in steps:
            self.orphans[step.name] = step
        if not listed:
            self._list_recorded()

    # -- the cells

    def list_cells(self, cells: Iterable[tuple[str, str, Shown]]) -> None:
        """Take over the front end's list: id, hash of the source, and shown turns of each code cell."""
        new = list(cells)
        same, shorter = 0, min(len(self.cells), len(new))
        while same < shorter and _is(self.cells[same], new[same]):
            same += 1
        end = 0
        while end < shorter - same and _is(self.cells[-1 - end], new[-1 - end]):
            end += 1
        self.splice(same, len(self.cells) - same - end, new[same : len(new) - end])

    def splice(self, at: int, gone: int, cells: Iterable[tuple[str, str, Shown]]) -> None:
        """Take over a change of the front end's list: from a place on so many cells are gone, and these are there."""
        removed = {cell.key: cell for cell in self.cells[at : at + gone]}
        added = []
        for key, source, shows in cells:
            cell = removed.pop(key, None) or self._elsewhere(key) or Cell(key, cell_id_or_none(key), source)
            if key not in self.steps:
                self._open[key] = cell
                self._looked = self._looked and (cell.source, cell.shows) == (source, shows)
            cell.source, cell.shows = source, shows
            added.append(cell)
        if [cell.key for cell in self.cells[at : at + gone]] != [cell.key for cell in added]:
            self.cells[at : at + gone] = added
            self._number(at)
            self._forget(at)
            self._looked = self._anchors_known = False
            for key in removed:
                if key not in self._positions:  # deleted, or cut and pasted under another id
                    self._open.pop(key, None)
                    if step := self._lift(key):
                        self.orphans[step.name] = step
        self.look()
        self._opened = True

    def _elsewhere(self, key: str) -> Cell | None:
        """Return a cell that a list has twice for a moment: it is being moved."""
        at = self._positions.get(key)
        return self.cells[at] if at is not None and at < len(self.cells) and self.cells[at].key == key else None

    def _number(self, at: int) -> None:
        """Note where the cells stand, from a place on."""
        if len(self._positions) + 1 == len(self.cells) == at + 1:
            self._positions[self.cells[at].key] = at
        else:
            self._positions = {cell.key: at for at, cell in enumerate(self.cells)}

    def cell(self, key: str) -> Cell:
        """Return the cell of that key."""
        return self.cells[self._positions[key]]

    def position(self, key: str) -> int:
        """Return where a cell stands, from 0."""
        return self._positions[key]

    def _list_recorded(self) -> None:
        """Without a list: take what is recorded for the page, in the order of the conversation."""
        for step in sorted(self.orphans.values(), key=lambda step: (self._rank(step), step.n)):
            key = step.id or step.name
            self.cells.append(Cell(key, step.id, step.source))
            self._number(len(self.cells) - 1)
            self._stand(key, step)
        self.orphans.clear()
        self.recorded = frozenset(self.steps)
        self._opened = True

    def place(self, raw_id: str | None, source: str) -> Cell:
        """Return the cell that is executed, where there is no list: its place is where it ran first.

        Of a cell without an id, the place of what is recorded next with its source.

        Parameters
        ----------
        raw_id
            The front end's id of the cell, if it sends one.
        source
            The hash of the executed source.
        """
        lasting = cell_id_or_none(raw_id)
        for cell in self.cells:
            if cell.id == lasting if lasting else cell.source == source and cell.key not in self.ran:
                cell.source = source
                return cell
        ran = [at for at, cell in enumerate(self.cells) if cell.key in self.ran]
        at = 1 + (ran[-1] if ran else len(self.cells) - 1)
        cell = Cell(lasting or f"run {next(self._serial)}", lasting, source)
        self.cells.insert(at, cell)
        self._number(at)
        self._forget(at)
        self._anchors_known = False
        self._open[cell.key] = cell
        return cell

    # -- what each of them did

    def look(self) -> None:
        """Give each cell that did not run here what is recorded of it: by its id, else its output, else its source."""
        if self._looked:
            return
        if self.orphans and self._open:
            for find in (self._by_id, self._by_output, self._by_source):
                self._adopt(find())
        showing = [cell for cell in self._open.values() if cell.shows]
        if showing:
            self._adopt_outputs(sorted(showing, key=lambda cell: self._positions[cell.key]))
        # What an output shows becomes free when the cell that asked it asks something else.
        self._looked = not any(cell.shows for cell in self._open.values())

    def _adopt(self, candidates: Callable[[Cell], Iterable[Step]]) -> None:
        for cell in sorted(self._open.values(), key=lambda cell: self._positions[cell.key]):
            found = [step for step in candidates(cell) if step.name in self.orphans]
            if not found:
                continue
            step = max(found, key=lambda step: self._fit(cell, step))
            del self.orphans[step.name]
            if self._opened and cell.id and step.id != cell.id:  # pasted in this kernel's life
                step = replace(step, n=self.next_n(), maker=self.maker, id=cell.id, also=step.under(cell.id))
            self._stand(cell.key, step if step.is_told else self._as_shown(cell, step))

    def _as_shown(self, cell: Cell, step: Step) -> Step:
        """Return what a cell did, by its output: where only turns tell of it, that says which of them stand."""
        shown = cell.shows or ()
        effects = tuple(asked for turn in shown if (asked := self.record.asked(turn)))
        return replace(step, effects=effects) if shown and len(effects) == len(shown) else step

    def _fit(self, cell: Cell, step: Step) -> tuple[bool, bool, int, int, str]:
        n = step.n if step.id else -step.n
        return cell.shows == step.turns, step.source == cell.source, -self._rank(step), n, step.name

    def _by_id(self) -> Callable[[Cell], Iterable[Step]]:
        steps = _index(self.orphans.values(), lambda step: step.id)
        return lambda cell: steps.get(cell.id, ()) if cell.id else ()

    def _by_output(self) -> Callable[[Cell], Iterable[Step]]:
        steps = _index((s for s in self.orphans.values() if s.id not in self._positions), lambda step: step.turns)
        return lambda cell: steps.get(cell.shows, ()) if cell.shows else ()

    def _by_source(self) -> Callable[[Cell], Iterable[Step]]:
        """Where there are no ids, now or then."""
        steps = _index(self.orphans.values(), lambda step: step.source)

        def find(cell: Cell) -> Iterable[Step]:
            return (s for s in steps.get(cell.source, ()) if cell.shows is None and not (s.id and cell.id))

        return find

    def _adopt_outputs(self, cells: Iterable[Cell]) -> None:
        """Take what cells show for what they did, where nothing else is known of them, nor of who asked it."""
        known = {*self._positions, *self.heirs()}
        for cell in cells:
            mine = [
                asked
                for turn in cell.shows or ()
                if not self._standing.get(turn) and self.record.cell_of(turn) not in known
                if (asked := self.record.asked(turn))
            ]
            if mine:
                self._stand(cell.key, Step(id=cell.id, source=cell.source, effects=tuple(mine)))

    def heirs(self) -> dict[str, str]:
        """Return the ids that the page's cells had, and what each of them has become."""
        return {old: cell.key for cell in self.cells if (step := self.steps.get(cell.key)) for old in step.ids()}

    def put(self, key: str, step: Step | None) -> None:
        """Say what a cell did when it ran last; None: nothing is known of it any more."""
        self._lift(key)
        if step is not None:
            self._stand(key, step)

    def _stand(self, key: str, step: Step) -> None:
        self.steps[key] = step
        self._open.pop(key, None)
        for turn in dict.fromkeys(step.turns):
            self._standing[turn].append(key)
        self._changed(key, step)

    def _lift(self, key: str) -> Step | None:
        step = self.steps.pop(key, None)
        if step is not None:
            if key in self._positions:
                self._open[key] = self.cells[self._positions[key]]
            for turn in dict.fromkeys(step.turns):
                self._standing[turn].remove(key)
            self._changed(key, step)
        return step

    def _changed(self, key: str, step: Step) -> None:
        if step.also or self._displaced:
            self._anchors_known = False
        if key in self._positions:
            self._forget(self._positions[key])

    def stands(self, turn: str, but: str | None = None) -> bool:
        """Say whether a turn stands as the answer of a cell, other than *but*."""
        return any(key != but for key in self._standing.get(turn, ()))

    def stands_above(self, turn: str, key: str) -> bool:
        """Say whether a turn stands as the answer of a cell above this one."""
        at = self.position(key)
        return any(self.position(k) < at for k in self._standing.get(turn, ()) if k in self._positions)

    def place_of(self, turn: str, above: str | None = None) -> str | None:
        """Return the key of the cell as whose answer a turn stands, or after which it was sent; None if there is none.

        Of several it is the last one; with *above*, the last one above the cell of that key.
        """
        end = len(self.cells) if above is None else self.position(above)
        keys = [key for key in self._standing.get(turn, ()) if self._positions.get(key, end) < end]
        return max(keys, key=self.position) if keys else self._places.get(turn)

    # -- outside cells

    def renew(self, *outside: Outside) -> None:
        """Put all together anew, because what turns say has changed; *outside*: what was done outside cells."""
        self._outside.clear()
        self._forget(-1)
        self.add_outside(*outside)

    def add_outside(self, *done: Outside) -> None:
        """Take over what was done outside cells."""
        for one in done:
            insort(self._outside, one, key=lambda other: (other.n, other.entry))
        self._anchors_known = False

    @property
    def is_displaced(self) -> bool:
        """Whether the cell after which something was done outside cells is gone."""
        self._know_anchors()
        return self._displaced

    def _know_anchors(self) -> None:
        """Find where that stands which was done outside cells; what is remembered above it stays known."""
        if self._anchors_known:
            return
        self._anchors_known, self._displaced = True, False
        before, self._anchored = self._anchored, {}
        if not self._outside:
            return
        here = {**self.heirs(), **{cell.id or cell.key: cell.key for cell in self.cells}}
        for one in self._outside:
            self._displaced = self._displaced or one.after not in here
            self._anchored.setdefault(self._anchor(one, here), []).append(one)
        for key in before.keys() | self._anchored.keys():
            if before.get(key) != self._anchored.get(key):
                self._forget(-1 if key is None else self._positions.get(key, len(self.cells)))

    def _anchor(self, one: Outside, here: Mapping[str, str]) -> str | None:
        if one.after and one.after in here:
            return here[one.after]
        for turn in reversed(one.context):
            cell = self.record.cell_of(turn) or self.record.after_of(turn)
            if cell and cell in here:
                return here[cell]
            if keys := [key for key in self._standing.get(turn, ()) if key in self._positions]:
                return max(keys, key=self.position)
        return None

    # -- what is remembered

    def _forget(self, at: int) -> None:
        """Forget what is remembered from a place of the page on down; -1: from above the first cell."""
        del self._after[max(at, 0) :]
        if at < 0:
            self._begin = None

    def start(self) -> Memory:
        """Return what is remembered above the first cell."""
        if self._begin is None:
            self._begin = self._and_outside(Memory(), None)
        return self._begin

    def above(self, key: str) -> Memory:
        """Return what is remembered above a cell."""
        return self._down_to(self.position(key))

    def while_running(self, key: str, done: tuple[Effect, ...]) -> Memory:
        """Return what would be remembered if a cell ran, and had done this much so far.

        Its other answers do not stand then, so that nothing that was done outside cells stands after them.
        """
        step = self.steps[key]
        self.put(key, replace(step, effects=done))
        memory = self.above(key)
        self.put(key, step)
        for effect in done:
            memory = effect.apply(memory, self.record, key)
        return memory

    def end(self) -> Memory:
        """Return what is remembered at the end of the page."""
        return self._down_to(len(self.cells))

    def without(self, skip: Collection[str], key: str) -> Memory:
        """Return what would be remembered above a cell if the page had no cells of these keys."""
        self._know_anchors()
        memory, at = self.start(), self.position(key)
        for cell in self.cells[:at]:
            if cell.key not in skip:
                memory = self._after_cell(memory, cell)
        return memory

    def _down_to(self, at: int) -> Memory:
        self._know_anchors()
        while len(self._after) < at:
            memory = self._after[-1] if self._after else self.start()
            self._after.append(self._after_cell(memory, self.cells[len(self._after)]))
        return self._after[at - 1] if at else self.start()

    def _after_cell(self, memory: Memory, cell: Cell) -> Memory:
        if step := self.steps.get(cell.key):
            for effect in step.effects:
                memory = effect.apply(memory, self.record, cell.key)
        return self._and_outside(memory, cell.key)

    def _and_outside(self, memory: Memory, key: str | None) -> Memory:
        for one in self._anchored.get(key, ()):
            said: ChatMemory | None = memory.get(one.effect.chat)
            last = said.cell if said else None
            memory = one.effect.apply(memory, self.record, last)
            if isinstance(one.effect, Answered) and one.effect.turn:
                self._places[one.effect.turn] = last
        return memory

    # -- what is to be recorded

    def to_record(self) -> Iterator[Step]:
        """Yield the steps that are to be kept: of a cell that ran here, no former ones."""
        ids = {step.id for step in self.steps.values()} - {None}
        yield from (step for step in self.orphans.values() if step.id not in ids)
        yield from (step for step in self.steps.values() if step.effects or step.n)


def _is(cell: Cell, told: tuple[str, str, Shown]) -> bool:
    return (cell.key, cell.source, cell.shows) == told


def _index(steps: Iterable[Step], by: Callable[[Step], object]) -> dict[object, list[Step]]:
    found = defaultdict[object, list[Step]](list)
    for step in steps:
        found[by(step)].append(step)
    return found
