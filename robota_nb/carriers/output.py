"""Any front end: a turn rides in the metadata of the output that shows it, until `settle` moves it.

Nothing of it is shown, and nbval ignores it. An output carries its own turn, a digest of what was said before it, and
the frame of its session: so it costs the same however long the conversation is, and a turn can be read whatever became
of the other outputs. What no output shows, such as what was sent outside cells, waits for the next one; the table of
kinds says what that is. Outputs are replaced when their cell runs again, so what had waited for one then waits again.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from threading import RLock
from typing import TYPE_CHECKING, Any

from robota_nb.core.record import snapshot
from robota_nb.core.record.entries import source_hash, to_text
from robota_nb.core.record.kinds import Rides, kind_of
from robota_nb.core.record.relations import reached, turn_of, with_missing, without_dangling

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, MutableMapping

    from robota_nb.core.ports import Level
    from robota_nb.core.record.types import Entries, Entry


class OutputCarrier:
    """Holds what the notebook's own metadata has not, and hands it to outputs; in whatever thread."""

    def __init__(self) -> None:
        self._lock = RLock()  # a turn may be written by another thread than that of the cell
        self._entries: dict[str, dict[str, Entry]] = {}
        self._frames: dict[str, dict[str, None]] = defaultdict(dict)  # session -> what rides in each output
        self._waiting: dict[tuple[str, str], None] = {}  # what rides once and was given to no output yet, in order
        self._given: dict[str, list[tuple[str, str]]] = {}  # cell -> what had waited, and rides in its outputs
        self._uncarried: set[tuple[str, str]] = set()  # what rides once and was in no output yet that stays
        self._cell, self._known = "", True  # that runs

    @property
    def level(self) -> Level:
        """How far what was written has got."""
        return "in kernel" if self._uncarried else "in the cells' outputs"

    def write(self, add: Entries, remove: Mapping[str, Iterable[str]]) -> None:
        """Keep entries for the outputs to come."""
        with self._lock:
            for sid, entries in add.items():
                self._keep(sid, entries)
                new = dict.fromkeys((sid, eid) for eid, entry in entries.items() if kind_of(entry).rides is Rides.ONCE)
                self._waiting.update(new)
                self._uncarried.update(new)
            for sid, ids in remove.items():
                for eid in ids:
                    self._entries.get(sid, {}).pop(eid, None)
                    self._frames[sid].pop(eid, None)
                    self._waiting.pop((sid, eid), None)
                    self._uncarried.discard((sid, eid))

    def _keep(self, sid: str, entries: Mapping[str, Entry]) -> None:
        self._entries.setdefault(sid, {}).update(entries)
        self._frames[sid].update((eid, None) for eid, entry in entries.items() if kind_of(entry).rides is Rides.ALWAYS)

    def found(self, cell: str, turn: str, entries: Entries) -> None:
        """Note entries that ride already in an output of a cell, which shows this turn."""
        with self._lock:
            for sid, riding in entries.items():
                self._keep(sid, riding)
                own = turn_of(riding, turn)
                waited = [eid for eid, entry in riding.items() if kind_of(entry).rides is Rides.ONCE and eid not in own]
                self._given.setdefault(cell, []).extend((sid, eid) for eid in waited)
            self.begins(self._cell, known=self._known)  # it may be the cell that runs

    def restored(self, entries: Entries) -> None:
        """Note entries that the store has brought back: of these, only what no cell shows waits for an output."""
        with self._lock:
            for sid, back in entries.items():
                self._keep(sid, back)
                once = {eid for eid, entry in back.items() if kind_of(entry).rides is Rides.ONCE}
                shown = {eid for answer in once for eid in turn_of(back, answer) if _asked_by_cell(back, answer)}
                self._waiting.update(((sid, eid), None) for eid in back if eid in once - shown)

    def begins(self, cell: str, *, known: bool) -> None:
        """Note that a cell runs, which replaces its outputs: what had waited for one of them waits again.

        Parameters
        ----------
        cell
            Its id, or what stands for it.
        known
            Whether it is the front end's id; without ids any cell may be the one, so nothing is taken as safe.
        """
        with self._lock:
            self._cell, self._known = cell, known
            lost = [self._given.pop(cell, [])] if known else list(self._given.values())
            if not known:
                self._given = {}
            self._waiting.update((key, None) for keys in lost for key in keys)

    def take(self, *turns: str, stays: bool = True) -> dict[str, dict[str, Entry]]:
        """Return what the next output is to carry, with the frame of its sessions.

        Parameters
        ----------
        *turns
            The turn that it shows, and those that its cell has asked before and shows no more.
        stays
            Whether it will stand in the notebook: else it takes nothing along that waits for one.
        """
        with self._lock:
            own = {
                (sid, eid)
                for sid, entries in self._entries.items()
                for turn in turns
                if turn in entries
                for eid in turn_of(entries, turn)
            }
            for key in own:  # it rides here, or where it is shown again
                self._waiting.pop(key, None)
            if stays:
                waited = [key for key in self._waiting if key[1] in self._entries.get(key[0], {})]
                self._waiting = {}
                self._given.setdefault(self._cell, []).extend(waited)
                self._uncarried.difference_update(own, waited)
                own.update(waited)
            sids = sorted({sid for sid, _ in own})
            return {sid: self._framed(sid, {eid for of, eid in own if of == sid}) for sid in sids}

    def _framed(self, sid: str, wanted: set[str]) -> dict[str, Entry]:
        """Return entries, what they refer to, and the frame of their session; in the order in which they came."""
        entries = self._entries[sid]
        riding = wanted | self._frames[sid].keys()
        riding |= reached(entries, riding, lambda kind: kind.rides is Rides.ALONG)
        return {eid: entries[eid] for eid in sorted(riding, key=lambda eid: (entries[eid].get("n", 0), eid))}


def _asked_by_cell(entries: Mapping[str, Entry], message: str) -> bool:
    """Say whether a message is of a turn that a cell has asked."""
    return any("cell" in entries[eid] and entries[eid].get("role") == "user" for eid in turn_of(entries, message))


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeCell:
    """A code cell as it stands in a file: its id or what stands for it, its text and its outputs."""

    key: str
    source: str
    outputs: list[dict[str, Any]]

    @property
    def shows(self) -> tuple[str, ...] | None:
        """The turns that its outputs show; None if it has none."""
        return tuple(turn for one in self.outputs if (turn := turn_shown(one))) if self.outputs else None

    @property
    def listed(self) -> tuple[str, str, tuple[str, ...] | None]:
        """The cell as a front end lists it: its key, the hash of its source, and the turns that it shows."""
        return self.key, source_hash(self.source), self.shows


def code_cells(notebook: Mapping[str, Any]) -> Iterator[CodeCell]:
    """Yield the code cells of a notebook."""
    used = set[str]()
    cells = (one for one in notebook["cells"] if isinstance(one, dict) and one.get("cell_type") == "code")
    for at, cell in enumerate(cells):
        key = str(cell.get("id") or f"#{at}")
        key = f"#{at}" if key in used else key  # a copy that a tool has made
        used.add(key)
        outputs = cell.get("outputs")
        yield CodeCell(key=key, source=_text(cell.get("source")), outputs=outputs if isinstance(outputs, list) else [])


def _text(value: object) -> str:
    """Return a text that a file may hold as a list of its lines."""
    return value if isinstance(value, str) else to_text(value if isinstance(value, list) else ())


def riders(notebook: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (the cell's id, the ``robota_nb`` metadata) of each output of a notebook that carries entries."""
    cells = notebook.get("cells")
    for cell in cells if isinstance(cells, list) else ():
        outputs = cell.get("outputs") if isinstance(cell, dict) else None
        for output in outputs if isinstance(outputs, list) else ():
            mine = _mine(output)
            if "sessions" in mine:
                yield str(cell.get("id", "")), mine


def carries(notebook: Mapping[str, Any]) -> bool:
    """Say whether any output of a notebook carries entries."""
    return any(True for _ in riders(notebook))


def turn_shown(output: object) -> str:
    """Return the turn that an output is the end of; empty if there is none."""
    return str(_mine(output).get("turn", ""))


def _mine(output: object) -> dict[str, Any]:
    """Return the ``robota_nb`` metadata of an output; empty if it has none."""
    metadata = output.get("metadata") if isinstance(output, dict) else None
    mine = metadata.get(snapshot.KEY) if isinstance(metadata, dict) else None
    return mine if isinstance(mine, dict) else {}


def read(notebook: Mapping[str, Any]) -> tuple[dict[str, dict[str, Entry]], dict[str, dict[str, Entry]]]:
    """Read all that a notebook holds: in its metadata, and in its outputs.

    Returns
    -------
    saved, riding
        The (checked) entries of the metadata, and those that only outputs carry. What these follow, and is nowhere, as
        the output that held it was cleared or its cell deleted, is marked as missing.

    Raises
    ------
    SnapshotError
        If any of it is damaged.
    """
    value = notebook["metadata"].get(snapshot.KEY)
    saved = snapshot.parse(value) if value is not None else {}
    mine = [mine for _, mine in riders(notebook)]
    riding = snapshot.merge(*(snapshot.check_sessions(one["sessions"]) for one in mine))
    if not riding:
        return saved, {}
    said = {one["turn"]: one.get("context") for one in mine if isinstance(one.get("turn"), str)}
    union = {
        sid: without_dangling(with_missing(entries, said)) for sid, entries in snapshot.merge(saved, riding).items()
    }
    snapshot.parse(snapshot.dump(union))
    loose = {
        sid: {eid: entry for eid, entry in entries.items() if entry is not saved.get(sid, {}).get(eid)}
        for sid, entries in union.items()
        if sid in riding
    }
    return saved, {sid: entries for sid, entries in loose.items() if entries}


def settle(notebook: MutableMapping[str, Any]) -> int:
    """Move what rides in the outputs of a notebook into its metadata.

    Returns
    -------
    int
        How many entries were left where they are, because they lead nowhere.

    Raises
    ------
    SnapshotError
        If any of it is damaged; nothing has changed then.
    """
    saved, riding = read(notebook)
    if riding:
        # What else stands there, such as keys of a later minor format, stays.
        value = notebook["metadata"].get(snapshot.KEY) or snapshot.dump({})
        notebook["metadata"][snapshot.KEY] = {**value, "sessions": snapshot.merge(saved, riding)}
    held = (notebook["metadata"].get(snapshot.KEY) or {}).get("sessions", {})
    left = 0
    for _, mine in riders(notebook):
        for sid in list(mine["sessions"]):
            stays = {eid: entry for eid, entry in mine["sessions"][sid].items() if eid not in held.get(sid, {})}
            left += len(stays)
            if stays:
                mine["sessions"][sid] = stays
            else:
                del mine["sessions"][sid]
        if not mine["sessions"]:
            del mine["sessions"]
            mine.pop("context", None)
    return left
