"""A carrier that keeps the conversations in a file of their own beside the notebook, such as ``talk.robota.json``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from robota_nb.carriers.atomic import explained, locked, replace_file
from robota_nb.core.record import snapshot
from robota_nb.core.record.entries import canonical
from robota_nb.errors import SnapshotError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from robota_nb.core.ports import Entries, Entry, Level


class SidecarCarrier:
    """Carries a snapshot in a file beside a notebook, which stays as it is.

    Parameters
    ----------
    notebook
        The notebook's path.
    """

    level: Level = "saved"  # as soon as it is written

    def __init__(self, notebook: Path) -> None:
        self.path = notebook.with_suffix(".robota.json")

    def read(self) -> dict[str, dict[str, Entry]]:
        """Return what is carried; a stranger may have written it, so all of it is checked.

        Raises
        ------
        SnapshotError
            If it cannot be read.
        """
        if not self.path.exists():
            return {}
        with explained(self.path, "read"):
            text = self.path.read_bytes()
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise SnapshotError(f"{self.path.name} is no JSON: restore it from a copy") from error
        return snapshot.parse(value)

    def write(self, add: Entries, remove: Mapping[str, Iterable[str]]) -> None:
        """Add entries and drop others; what somebody else has put there meanwhile stays.

        Raises
        ------
        SnapshotError
            If it cannot be read or written; the file is as it was then.
        """
        with locked(self.path):
            sessions = snapshot.merge(self.read(), add)
            for session, ids in remove.items():
                for entry_id in ids:
                    sessions.get(session, {}).pop(entry_id, None)
            after = snapshot.dump({session: entries for session, entries in sessions.items() if entries})
            snapshot.parse(after)  # never write what could not be read again
            replace_file(self.path, canonical(after))
