"""Adopts entries that were not made here: a notebook's, a file's, the store's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robota_nb.core.inside import ledger_of, view_of
from robota_nb.core.record import snapshot
from robota_nb.core.record.fold import SessionState
from robota_nb.core.record.relations import lacking_in, without_dangling
from robota_nb.core.users import default_user

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
    new = missing(entries, here)
    unknown = persistence.unsaved.unknown(new)  # before the lock is taken: a store may be slow
    with ledger.runtime.lock:
        for sid, added in new.items():
            if unknown is None:
                ledger.runtime.foreign.doubtful.update(added)
            else:
                ledger.runtime.foreign.add(sid, {eid: entry for eid, entry in added.items() if eid in unknown})
        return persistence.manager.adopt(entries)


def adopt_stored(persistence: Persistence, entries: Entries) -> dict[str, dict[str, Entry]]:
    """Adopt entries of this user's store, as far as all that they refer to is here; return the new ones."""
    union = snapshot.merge(persistence.entries(), entries) if entries else {}
    closed = {sid: without_dangling(union[sid]) for sid in entries}
    return persistence.manager.adopt({sid: entries for sid, entries in closed.items() if entries})


def continue_after(manager: SessionManager, entries: Entries) -> None:
    """Let the next asks follow the turns among *entries*: they are another notebook's, whose cells never run here."""
    ledger = ledger_of(manager)
    page = ledger.pages.get(default_user())
    for view in map(view_of, manager.sessions()) if page else ():
        theirs = SessionState.of(view.id, entries.get(view.id, {}))
        for chat in theirs.chats_by_age():
            if page and view.has(chat.id):
                page.bring_in(view, chat.id, theirs.chat_path(chat.id).nodes)


def missing(entries: Entries, present: Entries) -> dict[str, dict[str, Entry]]:
    """Return those of the *entries* that are not among *present*, and stubs of what is there still."""
    lacking = {sid: lacking_in(found, present.get(sid, {})) for sid, found in entries.items()}
    return {sid: found for sid, found in lacking.items() if found}
