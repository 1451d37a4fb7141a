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


def read(notebook: Mapping[str, Any]) -> dict[str, dict[str, Entry]]:
    """Return the (checked) entries that ride in the outputs of a notebook.

    Raises
    ------
    SnapshotError
        If they are damaged.
    """
    # A turn's output carries what the turn needs, or an earlier output does: only together they are whole.
    union: dict[str, dict[str, Entry]] = {}
    for mine in riders(notebook):
        if isinstance(mine["sessions"], dict):
            for sid, entries in mine["sessions"].items():
                if isinstance(entries, dict):
                    union.setdefault(sid, {}).update(entries)
    return snapshot.parse(snapshot.dump(union))
