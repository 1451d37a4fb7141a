"""Brings chats out of this notebook into files, and back from there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from robota_nb.carriers import chat_file
from robota_nb.core import chat_format
from robota_nb.core.inside import ledger_of, view_of
from robota_nb.core.users import default_user
from robota_nb.sync.adoption import adopt, continue_after

if TYPE_CHECKING:
    from robota_nb.core.chat import Chat
    from robota_nb.core.ports import Entries
    from robota_nb.core.session import Session
    from robota_nb.sync.persistence import Persistence


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatImported:
    """A chat that was imported as text: its *chat*, and how many *turns* the file has of it."""

    chat: Chat
    turns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EntriesImported:
    """A chat that was imported with all of its branches: the *sessions* it is in, and the *entries* of the file."""

    sessions: tuple[Session, ...]
    entries: Entries


def import_chat(persistence: Persistence, session: Session, path: str) -> ChatImported | EntriesImported:
    """Add the chat in a file: of Markdown to a session, of JSON to the session that it was exported from.

    Raises
    ------
    SnapshotError
        If the file is no exported chat, or damaged.
    """
    found = chat_file.read(path)
    if isinstance(found, chat_format.Talk):
        chat, _ = chat_format.add(session, found)
        return ChatImported(chat=chat, turns=len(found.turns))
    manager = persistence.manager
    ledger_of(manager).hold_active(default_user())
    if new := adopt(persistence, found):
        persistence.commit(new, {})
    for sid, entries in found.items():
        back = manager.find_session(sid) or manager.bring_back(sid)
        chat_id = chat_format.exported(entries)
        if back and chat_id and not view_of(back).has(chat_id):
            back.bring_back(chat_id)
    continue_after(manager, found)
    return EntriesImported(sessions=tuple(manager.session(sid) for sid in found), entries=found)
