"""What each command of ``%robota`` does, by its words; a function for each, in a module for each noun."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robota_nb.magics.handlers import asking, chats, endpoints, history, sessions, snapshots, tools

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.magics.runner import Handler

HANDLERS: Mapping[tuple[str, ...], Handler] = {
    **asking.HANDLERS,
    **sessions.HANDLERS,
    **chats.HANDLERS,
    **history.HANDLERS,
    **snapshots.HANDLERS,
    **endpoints.HANDLERS,
    **tools.HANDLERS,
}
"""Every command of `robota_nb.magics.commands`."""
