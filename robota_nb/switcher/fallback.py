"""The switcher where there are no widgets, as in a terminal or an export: text, or HTML of escaped text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robota_nb.core import reprs

if TYPE_CHECKING:
    from robota_nb.core.manager import SessionManager


def text(manager: SessionManager) -> str:
    """Return the sessions, the chats of the active one, and the last turns of its active chat, as plain text."""
    session = manager.active_session()
    if session is None:
        return "no conversation yet: write a %%robota cell, or %robota new NAME"
    lines = [f"{'▸' if one is session else ' '} {one.name} · {one.state}" for one in manager.sessions()]
    for chat in session.chats:
        turns = len(session.path(chat.id).nodes)
        lines.append(f"  {'▸' if chat.id == session.active_id else ' '} {chat.name} · {reprs.count(turns, 'turn')}")
    for turn in session.active_chat.turns[-LAST:] if session.active_chat else []:
        lines += ["", f"    {reprs.short(turn.prompt.content)}", f"    {reprs.short(turn.text)}"]
    return "\n".join(reprs.seen(line, LINE) for line in lines)


def html(manager: SessionManager) -> str:
    """Return the same as static HTML; everything in it is escaped text."""
    session = manager.active_session()
    if session is None:
        return reprs.manager_html(manager)
    chat = session.active_chat
    parts = [reprs.manager_html(manager), reprs.session_html(session), reprs.chat_html(chat) if chat else ""]
    return "".join(parts)


LINE = 200
"""Characters of a line."""
LAST = 5
"""How many turns are shown."""
