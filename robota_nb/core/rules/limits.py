"""How many sessions a user may have, and how many chats a session: at a limit nothing is evicted, an error names it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robota_nb.errors import ChatLimitReached, SessionLimitReached

if TYPE_CHECKING:
    from robota_nb.core.manager import SessionManager
    from robota_nb.core.session import Session


def check_sessions(manager: SessionManager, user: str) -> None:
    """Raise `SessionLimitReached` if the user has as many active sessions as allowed."""
    active = sum(session.state == "active" for session in manager.sessions(user))
    if manager.max_active_sessions and active >= manager.max_active_sessions:
        raise SessionLimitReached(
            f"{user!r} has {active} active sessions, and max_active_sessions is {manager.max_active_sessions}: "
            "pause or archive one of them, or raise c.RobotaMagics.max_active_sessions (0 for any number)"
        )


def check_chats(session: Session) -> None:
    """Raise `ChatLimitReached` if the session has as many chats as allowed."""
    limit, count = session.manager.max_chats, len(session.names().shown)
    if limit and count >= limit:
        raise ChatLimitReached(
            f"{session.name!r} has {count} chats, and max_chats is {limit}: "
            "go on in one of them, or raise c.RobotaMagics.max_chats (0 for any number)"
        )
