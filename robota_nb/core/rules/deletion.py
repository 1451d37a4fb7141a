"""Deleting chats, and bringing them back: a deletion is one fact more, and takes nothing out of the record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robota_nb.core.rules import limits

if TYPE_CHECKING:
    from robota_nb.core.chat import Chat
    from robota_nb.core.session import Session

DELETED = "yes"
"""The value of the flag ``deleted``; any other would do."""


def delete_chat(session: Session, ref: str) -> Chat:
    """Delete the chat *ref*; what was said in it stays in the record, and `bring_back` finds it.

    If it was the active one, the chat used last of those that remain becomes active.

    Raises
    ------
    ChatNotFound
        If there is no such chat.
    ChatBusy
        If a turn runs in it.
    """
    chat = session.chat(ref)
    with session.manager.lock:
        chat.check_idle()
        was_active = session.active_id == chat.id
        session.overlay.put(chat.id, "deleted", DELETED)
        if was_active:
            session.point_to(session.latest_chat())
            session.manager.tell_active(session)
    return chat


def is_deleted(session: Session, ref: str) -> bool:
    """Say whether *ref* names a deleted chat, and no other."""
    return session.find(ref) is None and bool(session.names().deleted(ref))


def bring_back(session: Session, ref: str) -> str | None:
    """Bring back the deleted chat that *ref* names, of several the newest; return its id, or None.

    The active chat stays the active one; if there is none, what comes back is.

    Raises
    ------
    ChatLimitReached
        If the session has as many chats as allowed.
    """
    with session.manager.lock:
        named = session.names().deleted(ref)
        if not named:
            return None
        limits.check_chats(session)
        before = session.active_id
        session.overlay.put(named[-1], "deleted", None)
        session.point_to(before or named[-1])
        if before is None:
            session.manager.tell_active(session)
        return named[-1]


def deleted(session: Session) -> dict[str, str]:
    """Return the ids and names of the deleted chats, in the order of their creation."""
    return {chat.id: chat.name for chat in session.record.chats_by_age() if not session.has(chat.id)}
