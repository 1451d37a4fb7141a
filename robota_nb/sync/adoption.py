"""Adopts entries that were not made here: a notebook's, a file's, the store's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robota_nb.core.record import snapshot

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
    manager = persistence.manager
    with manager.lock:
        new = manager.adopt(entries)
        manager.foreign |= persistence.unsaved.unknown(new)
    return new


def adopt_stored(persistence: Persistence, entries: Entries) -> dict[str, dict[str, Entry]]:
    """Adopt entries of this user's store, as far as all that they refer to is here; return the new ones."""
    manager = persistence.manager
    union = snapshot.merge(manager.records(), entries) if entries else {}
    closed = {sid: snapshot.closed(union[sid]) for sid in entries}
    return manager.adopt({sid: entries for sid, entries in closed.items() if entries})


def continue_after(manager: SessionManager, entries: Entries) -> None:
    """Let the next asks follow the turns among *entries*: they are another notebook's, whose cells never run here."""
    replay = manager.replay
    for session in manager.sessions() if replay.document.listed else ():
        for node in session.record.nodes.values():
            if node.id in entries.get(session.id, {}) and replay.owner(session, node) is None:
                replay.shown.setdefault(node.id, None)


def missing(entries: Entries, present: Entries) -> dict[str, dict[str, Entry]]:
    """Return those of the *entries* that are not among *present*; sessions without any are left out."""
    lacking = {
        sid: {eid: entry for eid, entry in found.items() if eid not in present.get(sid, {})}
        for sid, found in entries.items()
    }
    return {sid: found for sid, found in lacking.items() if found}
