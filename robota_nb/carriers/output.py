"""Any front end: entries ride in the metadata of an answer's last output, until `settle` moves them.

Nothing of it is shown, and nbval ignores it. An output carries what its own turn needs, and the frame of its session:
the table of kinds says what rides in every output, what once, and what along with what refers to it. Outputs are
replaced when their cell runs again, so what rode in them then waits for the next output.
"""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Any

from robota_nb.core.record import snapshot
from robota_nb.core.record.kinds import Rides, kind_of
from robota_nb.core.record.relations import reached, without_dangling

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, MutableMapping

    from robota_nb.core.ports import Level
    from robota_nb.core.record.types import Entries, Entry


class OutputCarrier:
    """Holds what the notebook's own metadata has not, and hands it to outputs; in whatever thread."""

    def __init__(self) -> None:
        self._lock = RLock()  # a turn may be written by another thread than that of the cell
        self._entries: dict[str, dict[str, Entry]] = {}
        self._waiting: dict[tuple[str, str], None] = {}  # what rides once and in no output yet, in order
        self._given: dict[str, list[tuple[str, str]]] = {}  # cell -> what rides once, in its outputs
        self._carried: set[tuple[str, str]] = set()  # what rode in one at some time
        self._cell, self._known = "", True  # that runs

    @property
    def level(self) -> Level:
        """How far what was written has got."""
        return "in kernel" if self._waiting.keys() - self._carried else "in the cells' outputs"

    def write(self, add: Entries, remove: Mapping[str, Iterable[str]]) -> None:
        """Keep entries for the outputs to come."""
        with self._lock:
            for sid, entries in add.items():
                self._entries.setdefault(sid, {}).update(entries)
                self._waiting.update(((sid, eid), None) for eid in _riding(entries, Rides.ONCE))
            for sid, ids in remove.items():
                for eid in ids:
                    self._entries.get(sid, {}).pop(eid, None)

    def found(self, cell: str, entries: Entries) -> None:
        """Note entries that ride in the outputs of a cell already."""
        with self._lock:
            for sid, riding in entries.items():
                self._entries.setdefault(sid, {}).update(riding)
                self._given.setdefault(cell, []).extend((sid, eid) for eid in _riding(riding, Rides.ONCE))
            self.begins(self._cell, known=self._known)  # it may be the cell that runs

    def begins(self, cell: str, *, known: bool) -> None:
        """Note that a cell runs, which replaces its outputs: what rode in them waits again.

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

    def take(self) -> dict[str, dict[str, Entry]]:
        """Return what the next output is to carry: what waits, what that refers to, and the frame of its sessions."""
        with self._lock:
            waiting, self._waiting = [key for key in self._waiting if key[1] in self._entries.get(key[0], {})], {}
            self._given.setdefault(self._cell, []).extend(waiting)
            self._carried.update(waiting)
            taken = {}
            for sid in dict.fromkeys(sid for sid, _ in waiting):
                entries = self._entries[sid]
                riding = {*_riding(entries, Rides.ALWAYS), *(eid for of, eid in waiting if of == sid)}
                riding |= reached(entries, riding, lambda kind: kind.rides is Rides.ALONG)
                taken[sid] = {eid: entry for eid, entry in entries.items() if eid in riding}
            return taken


def _riding(entries: Mapping[str, Entry], rides: Rides) -> Iterator[str]:
    return (eid for eid, entry in entries.items() if kind_of(entry).rides is rides)


def riders(notebook: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (the cell's id, the ``robota_nb`` metadata) of each output of a notebook that carries entries."""
    cells = notebook.get("cells")
    for cell in cells if isinstance(cells, list) else ():
        outputs = cell.get("outputs") if isinstance(cell, dict) else None
        for output in outputs if isinstance(outputs, list) else ():
            metadata = output.get("metadata") if isinstance(output, dict) else None
            mine = metadata.get(snapshot.KEY) if isinstance(metadata, dict) else None
            if isinstance(mine, dict) and "sessions" in mine:
                yield str(cell.get("id", "")), mine


def read(notebook: Mapping[str, Any]) -> tuple[dict[str, dict[str, Entry]], dict[str, dict[str, Entry]]]:
    """Read all that a notebook holds: in its metadata, and in its outputs.

    Returns
    -------
    saved, riding
        The (checked) entries of the metadata, and those that only outputs carry. What rides and leads nowhere
        is left out: the output that held the rest was cleared, or its cell deleted.

    Raises
    ------
    SnapshotError
        If any of it is damaged.
    """
    value = notebook["metadata"].get(snapshot.KEY)
    saved = snapshot.parse(value) if value is not None else {}
    riding = snapshot.merge(*(snapshot.check_sessions(mine["sessions"]) for _, mine in riders(notebook)))
    union = {sid: without_dangling(entries) for sid, entries in snapshot.merge(saved, riding).items()}
    snapshot.parse(snapshot.dump(union))
    loose = {
        sid: {eid: entry for eid, entry in entries.items() if eid not in saved.get(sid, {})}
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
    return left
