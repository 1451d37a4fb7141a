"""Turns as plain rows, for a data frame or a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from robota_nb.core.manager import SessionManager
    from robota_nb.core.session import Session


def of_session(session: Session) -> list[dict[str, Any]]:
    """Return the turns of all chats as `Chat.to_records` does, each row with the names of its session and chat."""
    return [
        {"session": session.name, "chat": chat.name, **record} for chat in session.chats for record in chat.to_records()
    ]


def of_manager(manager: SessionManager, user_id: str | None = None) -> list[dict[str, Any]]:
    """Return the turns of a user's sessions as `Session.to_records` does."""
    return [record for session in manager.sessions(user_id) for record in of_session(session)]
