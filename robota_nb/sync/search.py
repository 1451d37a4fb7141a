"""Finds what was said: in this kernel, and in the other notebooks that the store holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robota_nb.core.inside import ledger_of
from robota_nb.core.record.fold import SessionState
from robota_nb.core.rules.search import by_use, holds, matches_here, matches_in
from robota_nb.core.users import default_user

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from robota_nb.core.ports import Entries
    from robota_nb.core.rules.search import Match
    from robota_nb.sync.persistence import Persistence


def found_here(persistence: Persistence, text: str, *, everywhere: bool = False) -> list[Match]:
    """Return the turns that hold a text, also undone and deleted ones; the chat that was used last comes first.

    Parameters
    ----------
    persistence
        The manager whose sessions are searched, and the store.
    text
        What is looked for.
    everywhere
        Whether to look through the other notebooks in the store, too, for what is not in this one.
    """
    ledger = ledger_of(persistence.manager)
    runtime, views = ledger.runtime, ledger.owned(default_user())
    foreign = runtime.marked
    found = [match for view in views for match in matches_here(view, text, foreign)]
    if everywhere:
        here = {match.turn for match in found}
        elsewhere = persistence.unsaved.elsewhere(lambda entries: holds(entries, text))
        for place, sessions in elsewhere.items():
            found += [match for match in found_in(sessions, text, place) if match.turn not in here]
    return by_use(found)


def found_in(sessions: Entries, text: str, notebook: str, foreign: AbstractSet[str] = frozenset()) -> list[Match]:
    """Return the turns that hold a text, in the order of the sessions.

    Parameters
    ----------
    sessions
        Session id → checked entries.
    text
        What is looked for.
    notebook
        The place of the notebook that they are in.
    foreign
        The ids of the entries that somebody else wrote.
    """
    found: list[Match] = []
    for sid, entries in sessions.items():
        found += matches_in(SessionState.of(sid, entries), text, notebook, foreign)
    return found
