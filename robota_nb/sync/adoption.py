"""Adopts entries that were not made here: a notebook's, a file's, the store's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robota_nb.core.inside import ledger_of, runtime_of, view_of
from robota_nb.core.record import snapshot
from robota_nb.core.record.relations import without_dangling

if TYPE_CHECKING:
    from robota_nb.core.manager import SessionManager
    from robota_nb.core.ports import Entries, Entry
    from robota_nb.sync.persistence import Persistence


def adopt(persistence: Persistence, entries: Entries) -> dict[str, dict[str, Entry]]:
    """Adopt entries that others may have written, and note which this user's store does not know; return the new ones.

    Parameters
    ----------
    persistence
        The manager that adopts them, and the store.
    entries
        Checked entries.
    """
    ledger = ledger_of(persistence.manager)
    here = {sid: view.record.entries for sid, view in ledger.views.items()}
    unknown = persistence.unsaved.unknown(missing(entries, here))  # before the lock is taken: a store may be slow
    with ledger.runtime.lock:
        ledger.runtime.foreign |= unknown
        return persistence.manager.adopt(entries)


def adopt_stored(persistence: Persistence, entries: Entries) -> dict[str, dict[str, Entry]]:
    """Adopt entries of this user's store, as far as all that they refer to is here; return the new ones."""
    union = snapshot.merge(persistence.entries(), entries) if entries else {}
    closed = {sid: without_dangling(union[sid]) for sid in entries}
    return persistence.manager.adopt({sid: entries for sid, entries in closed.items() if entries})


def continue_after(manager: SessionManager, entries: Entries) -> None:
    """Let the next asks follow the turns among *entries*: they are another notebook's, whose cells never run here."""
    replay = runtime_of(manager).replay
    for view in map(view_of, manager.sessions()) if replay.document.listed else ():
        for node in view.record.nodes.values():
            if node.id in entries.get(view.id, {}) and replay.owner(view, node) is None:
                replay.shown.setdefault(node.id, None)


def missing(entries: Entries, present: Entries) -> dict[str, dict[str, Entry]]:
    """Return those of the *entries* that are not among *present*; sessions without any are left out."""
    lacking = {
        sid: {eid: entry for eid, entry in found.items() if eid not in present.get(sid, {})}
        for sid, found in entries.items()
    }
    return {sid: found for sid, found in lacking.items() if found}
