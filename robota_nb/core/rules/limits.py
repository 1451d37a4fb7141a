"""How many sessions a user may have, and how many chats a session: at a limit nothing is evicted, an error names it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robota_nb.core.record.text import count
from robota_nb.errors import ChatLimitReached, SessionLimitReached

if TYPE_CHECKING:
    from collections.abc import Iterable

    from robota_nb.core.record.view import SessionView


def check_sessions(sessions: Iterable[SessionView], user: str, limit: int) -> None:
    """Raise `SessionLimitReached` if a user has as many active *sessions* as allowed; 0 allows any number."""
    active = sum(view.state == "active" for view in sessions)
    if limit and active >= limit:
        raise SessionLimitReached(
            f"{user!r} has {count(active, 'active session')}, and max_active_sessions is {limit}",
            hint="limit.sessions",
        )


def check_chats(view: SessionView, limit: int) -> None:
    """Raise `ChatLimitReached` if a session has as many chats as allowed; 0 allows any number."""
    chats = len(view.names().shown)
    if limit and chats >= limit:
        raise ChatLimitReached(
            f"{view.name!r} has {count(chats, 'chat')}, and max_chats is {limit}", hint="limit.chats"
        )
