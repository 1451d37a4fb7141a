"""The cells of the document, as far as this kernel knows them, and which of them owns a turn."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from robota_nb.core.record.entries import cell_id_or_none

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from robota_nb.core.record.nodes import Asked, Node


@dataclass(slots=True, eq=False)
class Cell:
    """A code cell.

    Parameters
    ----------
    key
        What tells it from other cells in this kernel's life: the front end's id, else a number of ours.
    id
        The id that turns remember, or None (see `cell_id_or_none`).
    source
        The hash of its source.
    asks
        How many asks its running execution has made.
    states
        The sessions whose state its running execution has set.
    """

    key: str
    id: str | None
    source: str
    asks: int = 0
    states: set[str] = field(default_factory=set)


class Document:
    """The code cells in order: as the front end lists them, else the cells run here in the order of their runs."""

    def __init__(self) -> None:
        self.listed = False
        self.cells: list[Cell] = []
        self.seen: set[str] = set()
        self._serial = count()
        self._runs: dict[str, int] = defaultdict(int)
        self._by_key: dict[str, Cell] = {}
        self._by_source: dict[str, list[Cell]] = defaultdict(list)
        self._by_id: dict[str, Cell] = {}
        self._positions: dict[str, int] = {}

    def list_cells(self, cells: Iterable[tuple[str, str]]) -> None:
        """Take over the front end's list: (id, source hash) of each code cell."""
        known, self._by_key = self._by_key, {}
        self.listed, self.cells = True, []
        for raw, source in cells:
            cell = known.get(raw) or Cell(raw, cell_id_or_none(raw), source)
            cell.source = source
            self.cells.append(cell)
            self._by_key.setdefault(raw, cell)
        self._forget_index()

    def run(self, raw_id: str | None, source: str) -> Cell:
        """Return the cell that is being executed, as a new execution of it.

        Parameters
        ----------
        raw_id
            The front end's id of the cell, if it sends one.
        source
            The hash of the executed source.
        """
        cell = self._find(raw_id, source)
        if cell is None:
            # Without a list the cells run here are the document; with one, this cell is newer than the list.
            cell = Cell(raw_id or f"run-{next(self._serial)}", cell_id_or_none(raw_id), source)
            self._append(cell)
        elif not self.listed and cell is not self.cells[-1]:
            self.cells.remove(cell)
            self.cells.append(cell)
            self._forget_index()
        if cell.source != source:
            cell.source = source
            self._forget_index()
        cell.asks, cell.states = 0, set()
        self.seen.add(cell.key)
        return cell

    def position(self, cell: Cell) -> int | None:
        """Return where the cell stands, or None if the order of the cells is not known."""
        return self.position_of(cell.key)

    def position_of(self, key: str) -> int | None:
        """Return where the cell of that key stands, or None if that is not known."""
        if not self.listed:
            return None
        if not self._positions:
            self._positions = {c.key: n for n, c in enumerate(self.cells)}
        return self._positions.get(key)

    def owner(self, node: Node, rank: Callable[[], int]) -> Cell | None:
        """Return the cell that owns a turn.

        The cell with the turn's source (of several, the one with its id, else in order), else the cell with
        its id (it was edited), else None (it was deleted, or the turn was sent outside cells).

        Parameters
        ----------
        node
            The turn.
        rank
            Gives how many turns that remember the same source and ask come before it on their path.
        """
        if node.cell is None:
            return None
        self._index()
        same = self._by_source.get(node.cell.source, ())
        by_id = self._by_id.get(node.cell.id) if node.cell.id else None
        if not same or (by_id and by_id.source == node.cell.source):
            return by_id
        return same[0] if len(same) == 1 else same[min(rank(), len(same) - 1)]

    def find(self, mark: Asked) -> Cell | None:
        """Return the cell that left a mark: by its source (of several, the one with its id, else the last), else id."""
        self._index()
        by_id = self._by_id.get(mark.id) if mark.id else None
        same = self._by_source.get(mark.source, ())
        return same[-1] if same and by_id not in same else by_id

    def _find(self, raw_id: str | None, source: str) -> Cell | None:
        if raw_id is not None:
            return self._by_key.get(raw_id)
        if not self.listed:
            return None
        self._index()
        same = self._by_source.get(source, ())
        if not same:
            return None
        nth, self._runs[source] = self._runs[source], self._runs[source] + 1
        return same[nth % len(same)]

    def _index(self) -> None:
        if self._by_source or not self.cells:
            return
        for cell in self.cells:
            self._enter(cell)

    def _enter(self, cell: Cell) -> None:
        self._by_source[cell.source].append(cell)
        if cell.id:
            self._by_id[cell.id] = cell

    def _append(self, cell: Cell) -> None:
        """Add a cell at the end; what is known of the others stays, so that all cells of a long run cost the same."""
        self._index()
        self._positions.clear()
        self.cells.append(cell)
        self._by_key[cell.key] = cell
        self._enter(cell)

    def _forget_index(self) -> None:
        self._by_source.clear()
        self._by_id.clear()
        self._positions.clear()
