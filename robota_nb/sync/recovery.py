"""Recovers from the store what no notebook has saved, and the sessions of other notebooks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from robota_nb.core.record.kinds import is_session_id
from robota_nb.sync.adoption import adopt_stored, continue_after, missing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.core.ports import Entries
    from robota_nb.core.session import Session
    from robota_nb.sync.persistence import Persistence


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What was recovered from the store.

    Parameters
    ----------
    new
        The entries that were added here.
    left
        How many stay in the store, because what they refer to is not here.
    elsewhere
        How many entries of other notebooks were not saved, by their place; empty if one of them was asked for.
    """

    new: Entries
    left: int
    elsewhere: Mapping[str, int]


class Recovery:
    """Adds entries of the store to this notebook.

    Parameters
    ----------
    persistence
        The manager that adopts them, the store, and the notebook that they are written into.
    """

    def __init__(self, persistence: Persistence) -> None:
        self._persistence = persistence
        self._manager = persistence.manager
        self._unsaved = persistence.unsaved

    def recover(self, ref: str | None, *, saved: bool = False) -> Recovered:
        """Add to this notebook what the store holds of a notebook, and was not saved.

        Parameters
        ----------
        ref
            The notebook's place or the end of it; None for this notebook.
        saved
            Whether to add what was saved once, too.

        Raises
        ------
        StoreError
            If *ref* is the place of no notebook that the store holds, or of several.
        """
        place = self._unsaved.find(ref, saved=saved) if ref else self._unsaved.place
        held = self._unsaved.filed(place) if saved else self._unsaved.entries(place)
        new = adopt_stored(self._persistence, held)
        if new:
            self._persistence.commit(new, {})
            if ref:
                continue_after(self._manager, new)
        if ref and place != self._unsaved.place:
            self._unsaved.mark_saved(new, place)  # it is this notebook's from now on
        left = sum(map(len, missing(held, self._persistence.entries()).values()))
        return Recovered(new=new, left=left, elsewhere={} if ref else self._unsaved.others())

    def session(self, ref: str) -> Session | None:
        """Add a session of another notebook to this one, by its id, and return it; None if the store has none."""
        if not is_session_id(ref):  # most refs are names, and the store is not read for those
            return None
        found = next((sessions[ref] for sessions in self.elsewhere().values() if ref in sessions), None)
        if found is None:
            return None
        if new := adopt_stored(self._persistence, {ref: found}):
            continue_after(self._manager, new)
            self._persistence.commit(new, {})
        return self._manager.find_session(ref)

    def elsewhere(self) -> Mapping[str, Entries]:
        """Return the sessions of other notebooks, by their place: session id → entries."""
        return self._unsaved.elsewhere()
