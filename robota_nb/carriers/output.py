"""Any front end: entries ride in the metadata of an answer's last output, until `settle` moves them.

Nothing of it is shown, and nbval ignores it. Outputs are replaced when a cell runs again; so a replayed turn
brings its entries along again, unless the notebook's own metadata holds them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from robota_nb.core import snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from robota_nb.core.ports import Entries, Entry

KEY = "robota_nb"
"""The key in an output's metadata; the entries stand under it as ``sessions``."""


class OutputCarrier:
    """Holds back what was written until an answer's output takes it along."""

    name = "output"

    def __init__(self) -> None:
        self._waiting: dict[str, dict[str, Entry]] = {}
        self._loose: dict[str, dict[str, Entry]] = {}

    @property
    def level(self) -> str:
        """How far what was written has got."""
        return "in kernel" if any(self._waiting.values()) else "in the cells' outputs"

    def write(self, add: Entries, remove: Mapping[str, Iterable[str]]) -> None:
        """Keep entries for the next output."""
        for sid, entries in add.items():
            self._waiting.setdefault(sid, {}).update(entries)
        for sid, ids in remove.items():
            for eid in ids:
                self._waiting.get(sid, {}).pop(eid, None)

    def loose(self, entries: Entries) -> None:
        """Note entries that were found in outputs only: running their cells again would lose them."""
        for sid, found in entries.items():
            self._loose.setdefault(sid, {}).update(found)

    def take(self, replayed: Iterable[tuple[str, str]] = ()) -> dict[str, dict[str, Entry]]:
        """Return what the next output is to carry.

        Parameters
        ----------
        replayed
            (session, entry) ids of the turn that it shows from the record.
        """
        for sid, eid in replayed:
            if entry := self._loose.get(sid, {}).pop(eid, None):
                self._carry_along(sid, eid, entry)
        taken, self._waiting = {sid: entries for sid, entries in self._waiting.items() if entries}, {}
        return taken

    def _carry_along(self, sid: str, eid: str, entry: Entry) -> None:
        """Let an entry ride, and with it what the turn cannot be without: its session, chat and config."""
        loose = self._loose[sid]
        needs = [key for key, other in loose.items() if other.get("kind") != "message"]
        for key in needs:
            self._waiting.setdefault(sid, {})[key] = loose.pop(key)
        self._waiting.setdefault(sid, {})[eid] = entry


def riders(notebook: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the ``robota_nb`` metadata of each output of a notebook that carries entries."""
    cells = notebook.get("cells")
    for cell in cells if isinstance(cells, list) else ():
        outputs = cell.get("outputs") if isinstance(cell, dict) else None
        for output in outputs if isinstance(outputs, list) else ():
            metadata = output.get("metadata") if isinstance(output, dict) else None
            mine = metadata.get(KEY) if isinstance(metadata, dict) else None
            if isinstance(mine, dict) and "sessions" in mine:
                yield mine


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
    riding: dict[str, dict[str, Entry]] = {}
    for mine in riders(notebook):
        for sid, entries in snapshot.check_sessions(mine["sessions"]).items():
            riding.setdefault(sid, {}).update(entries)
    union = {sid: snapshot.closed(entries) for sid, entries in snapshot.merge(saved, riding).items()}
    snapshot.parse(snapshot.dump(union))
    return saved, {
        sid: {eid: entry for eid, entry in entries.items() if eid not in saved.get(sid, {})}
        for sid, entries in union.items()
        if sid in riding
    }
