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
from robota_nb.core.rules.effects import Answered, Effect, Enter, Fork, Known, OfChat, Step, after
from robota_nb.core.rules.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from robota_nb.core.record.attachments import Attached
    from robota_nb.core.record.nodes import Asked
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
    """The code cells, as a front end lists them; without a list, those of the file or that are recorded, and that ran.

    Parameters
    ----------
    record
        What is recorded.
    steps
        What is recorded of cells; without a list, in the order in which they stood.
    next_n
        Returns the n of the next entry.
    rank
        Returns where on the paths of their chats the turns of a step are: what comes first has stood above.
    listed
        Whether a front end lists the cells.
    maker
        What tells the steps that are made here from others of the same n.
    in_file
        The cells of the notebook's file, if nobody lists them and there is one (see `list_cells`).
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
        in_file: Iterable[tuple[str, str, Shown]] = (),
    ) -> None:
        self.record = record
        self.listed = listed
        self.prose: frozenset[str] | None = None  # the hashes of the Markdown cells, if a front end tells them
        self._sources: frozenset[str] | None = None  # those of the code cells, if they were counted
        self.maker = maker
        self.cells: list[Cell] = []
        self.steps: dict[str, Step] = {}
        self.orphans: dict[str, Step] = {}  # what is recorded, and no cell has taken yet
        self.recorded: frozenset[str] = frozenset()  # without a list: the cells that are known from the record alone
        self._in_file: frozenset[str] = frozenset()  # without a list: the cells that the file has
        self.ran: set[str] = set()  # in this kernel
        self.moved: list[str] = []  # the keys of cells that have got another id here
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
        self._displaced = False  # whether something stands after an answer, as the cell that it followed is gone
        self._sought: set[str] = set()  # the ids of cells after which something would stand, if they were here
        self._anchors_known = True
        self._places: dict[str, str | None] = {}  # turn of outside cells -> the cell that it stands after
        self._after: list[Memory] = []  # the memory after each cell, as far down as it is known
        self._begin: Memory | None = None
        self._remembered: dict[str, tuple[Context, frozenset[str]]] = {}  # of chats at the page's end
        for step in steps:
            self.orphans[step.name] = step
        if cells := list(in_file):
            self.splice(0, 0, cells)
            self.recorded, self._in_file = frozenset(self.steps), frozenset(self._positions)
        elif not listed:
            self._list_recorded()

    # -- the cells

    def list_cells(self, cells: Iterable[tuple[str, str, Shown]]) -> None:
        """Take over the front end's list: id, hash of the source, and shown turns of each code cell."""
        if not self.listed:
            self.listed, self.recorded, self._opened = True, frozenset(), False
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
        self._sources = None
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
        elif len(self.cells) > at or len(self._positions) != at:
            self._positions = {cell.key: at for at, cell in enumerate(self.cells)}

    def ids(self) -> set[str]:
        """Return the ids of the cells that last, former ones too."""
        return {*self.heirs(), *(cell.id for cell in self.cells if cell.id)}

    def has(self, key: str) -> bool:
        """Say whether there is a cell of that key."""
        return key in self._positions

    def cell(self, key: str) -> Cell:
        """Return the cell of that key."""
        return self.cells[self._positions[key]]

    def position(self, key: str) -> int:
        """Return where a cell stands, from 0."""
        return self._positions[key]

    def may_have(self, one: Attached) -> bool:
        """Say whether a cell that went along with an ask is here as it was, as far as that is known."""
        if not self.listed or not one.source or (one.cell == "markdown" and self.prose is None):
            return True
        if self._sources is None:
            self._sources = frozenset(cell.source for cell in self.cells)
        return one.source in self._sources or one.source in (self.prose or ())

    def _list_recorded(self) -> None:
        """Without a list and a file: take what is recorded for the page."""
        for step in self.orphans.values():
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
        self._anchors_known = self._anchors_known and cell.id not in self._sought
        self._open[cell.key] = cell
        return cell

    def leave_out(self, cell: Cell) -> None:
        """Without a list: forget a cell that did nothing, and did nothing before, unless it stands in the file."""
        if cell.key in self._in_file:
            return
        at = self.position(cell.key)
        del self.cells[at]
        self._open.pop(cell.key, None)
        self.ran.discard(cell.key)
        del self._positions[cell.key]
        self._number(at)
        self._forget(at)
        self._anchors_known = self._anchors_known and cell.id not in self._sought and cell.key not in self._anchored

    def find(self, mark: Asked) -> Cell | None:
        """Return the cell that left a mark: by its source (of several, the one with its id, else the last), else id."""
        by_id = next((cell for cell in self.cells if mark.id and cell.id == mark.id), None)
        same = [cell for cell in self.cells if cell.source == mark.source]
        return same[-1] if same and by_id not in same else by_id

    # -- what each of them did

    def take(self, steps: Iterable[Step]) -> None:
        """Take over steps that others have recorded since: each counts where nothing newer is known."""
        known = {step.name for step in (*self.steps.values(), *self.orphans.values())}
        for step in steps:
            if step.name in known:
                continue
            mine = self.steps.get(step.id or "")
            if mine is None:
                self.orphans[step.name] = step
                self._looked = False
            elif mine.n < step.n and not mine.says_the_same(step):
                self.put(step.id or "", step)
        self.look()

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
                self.moved.append(cell.key)
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
            same = (step for step in steps.get(cell.source, ()) if not (step.id and cell.id))
            return (step for step in same if cell.shows is None or not (cell.shows or step.turns))

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

    def remembers(self, chat: str) -> Collection[str]:
        """Return the turns that a chat remembers at the end of the page."""
        said = self.end().get(chat)
        if said is None:
            return ()
        known = self._remembered.get(chat)
        if known is None or known[0] is not said.context:
            known = self._remembered[chat] = said.context, frozenset(said.context.turns)
        return known[1]

    # -- outside cells

    def renew(self, *outside: Outside) -> None:
        """Put all together anew, because what turns say has changed; *outside*: what was done outside cells."""
        self._outside.clear()
        self._remembered.clear()
        self._forget(-1)
        self.add_outside(*outside)

    def add_outside(self, *done: Outside) -> None:
        """Take over what was done outside cells."""
        for one in done:
            insort(self._outside, one, key=lambda other: (other.n, other.entry))
        self._anchors_known = False

    def take_in(self, turn: str) -> None:
        """Take over that a cell was made of a turn that was sent outside cells: it stands where cells have it."""
        self._outside = [one for one in self._outside if not _is_sent(one, turn)]
        self._places.pop(turn, None)
        self._anchors_known = False

    def below_of(self, turn: str) -> int | None:
        """Return below how many cells a turn stands that was sent outside cells; None if it does not."""
        self._know_anchors()
        for key, done in self._anchored.items():
            if any(_is_sent(one, turn) for one in done):
                return 0 if key is None else self.position(key) + 1
        return None

    def next_of(self, chat: str, at: int) -> int:
        """Return where the first cell from a place on stands that did something to a chat; else the page's end."""
        self._know_anchors()
        for position, cell in enumerate(self.cells[at:], at):
            step = self.steps.get(cell.key)
            effects = [*(step.effects if step else ()), *(one.effect for one in self._anchored.get(cell.key, ()))]
            if any(_is_about(effect, chat) for effect in effects):
                return position
        return len(self.cells)

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
        if self._outside:
            here = {**self.heirs(), **{cell.id or cell.key: cell.key for cell in self.cells}}
            self._sought.clear()
            sent = {one.effect.turn for one in self._outside if isinstance(one.effect, Answered)}
            found: dict[Context, str | None] = {}
            for one in self._outside:
                self._anchored.setdefault(self._anchor(one, here, sent, found), []).append(one)
        for key in before.keys() | self._anchored.keys():
            if before.get(key) != self._anchored.get(key):
                self._forget(-1 if key is None else self._positions.get(key, len(self.cells)))

    def _anchor(
        self, one: Outside, here: Mapping[str, str], sent: set[str | None], found: dict[Context, str | None]
    ) -> str | None:
        """Return the key of the cell after which something stands.

        Parameters
        ----------
        one
            What was done.
        here
            The keys of the cells that are here, by their ids and their former ones.
        sent
            The turns that were sent outside cells: they stand as the answer of none.
        found
            What was found for each context that was looked through, to look through none twice.
        """
        if one.after:
            self._sought.add(one.after)
            if one.after in here:
                return here[one.after]
        context, passed = one.context, []
        while context.before is not None and context not in found:
            self._displaced = self._displaced or context.turn not in sent
            cell = self.record.cell_of(context.turn) or self.record.after_of(context.turn)
            if cell:
                self._sought.add(cell)
            if cell and cell in here:
                found[context] = here[cell]
            elif keys := [key for key in self._standing.get(context.turn, ()) if key in self._positions]:
                found[context] = max(keys, key=self.position)
            else:
                passed.append(context)
                context = context.before
        anchor = found.get(context)
        found.update(dict.fromkeys(passed, anchor))
        return anchor

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

    def below_cells(self, count: int) -> Memory:
        """Return what is remembered below the first so many cells."""
        return self._down_to(count)

    def below(self, key: str) -> Memory:
        """Return what is remembered below a cell."""
        return self._down_to(self.position(key) + 1)

    def while_running(self, key: str, done: tuple[Effect, ...]) -> Memory:
        """Return what would be remembered if a cell ran, and had done this much so far.

        Its other answers do not stand then, so that nothing that was done outside cells stands after them.
        """
        step = self.steps[key]
        self.put(key, replace(step, effects=done))
        memory = self.above(key)
        self.put(key, step)
        return after(memory, done, self.record, key)

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
            memory = after(memory, step.effects, self.record, cell.key)
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


def _is_sent(one: Outside, turn: str) -> bool:
    return isinstance(one.effect, Answered) and one.effect.turn == turn


def _is_about(effect: Effect, chat: str) -> bool:
    return not isinstance(effect, Enter) and (
        effect.chat == chat or (isinstance(effect, Fork) and effect.source == chat)
    )


def _is(cell: Cell, told: tuple[str, str, Shown]) -> bool:
    return (cell.key, cell.source, cell.shows) == told


def _index(steps: Iterable[Step], by: Callable[[Step], object]) -> dict[object, list[Step]]:
    found = defaultdict[object, list[Step]](list)
    for step in steps:
        found[by(step)].append(step)
    return found
