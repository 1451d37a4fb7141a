"""Deleting chats, and bringing them back: a deletion is one fact more, and takes nothing out of the record."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from robota_nb.core.record.view import SessionView

DELETED = "yes"
"""The value of the property ``deleted``; any other would do."""


def delete_chat(view: SessionView, chat: str) -> bool:
    """Delete a chat; return whether another one is active now: of those that remain the one used last."""
    was_active = view.active_id == chat
    view.overlay.put(chat, "deleted", DELETED)
    if was_active:
        view.point_to(view.latest_chat())
    return was_active


def restore_chat(view: SessionView, chat: str) -> bool:
    """Bring a deleted chat back; return whether it is the active one now, which it is if there was none."""
    before = view.active_id
    view.overlay.put(chat, "deleted", None)
    view.point_to(before or chat)
    return before is None


def is_deleted(view: SessionView, ref: str) -> bool:
    """Say whether *ref* names a deleted chat, and no other."""
    return view.find(ref) is None and bool(view.names().deleted(ref))
