"""What each command of ``%robota`` does, by its words; a function for each, in a module for each noun."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robota_nb.notebook.verbs import asking, chats, endpoints, history, sessions, snapshots

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.notebook.commands import Verb

VERBS: Mapping[tuple[str, ...], Verb] = {
    **asking.VERBS,
    **sessions.VERBS,
    **chats.VERBS,
    **history.VERBS,
    **snapshots.VERBS,
    **endpoints.VERBS,
}
"""Every command of `robota_nb.notebook.grammar`."""
