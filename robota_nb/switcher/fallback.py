"""The switcher where there are no widgets, as in a terminal or an export: text, or HTML of escaped text."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from robota_nb.core.inside import view_of
from robota_nb.core.record.text import count, seen, short
from robota_nb.core.turn import Turn
from robota_nb.display.report import NO_CONVERSATION

if TYPE_CHECKING:
    from robota_nb.core.chat import Chat
    from robota_nb.core.manager import SessionManager
    from robota_nb.core.record.nodes import Node

LINE = 200
"""How many characters of a line are shown."""
LAST = 5
"""How many turns are shown."""


def text(manager: SessionManager, *, of_cells: bool = False) -> str:
    """Return the chats of the active session, and the last turns of its active chat, as plain text.

    Parameters
    ----------
    manager
        Its sessions.
    of_cells
        Whether only turns are shown that cells have asked. This is the same whenever the notebook runs again; turns
        that were asked in a view would change it.
    """
    session = manager.active_session()
    if session is None:
        return NO_CONVERSATION
    lines = [f"{session.name} · {session.state}"]
    for chat in session.chats:
        active, nodes = chat.id == session.active_id, _shown(chat, of_cells=of_cells)
        if active or nodes or not of_cells:
            lines.append(f"{'▸' if active else ' '} {chat.name} · {count(len(nodes), 'turn')}")
    if talk := session.active_chat:
        record = view_of(talk).record
        for turn in [Turn.from_record(record, node) for node in _shown(talk, of_cells=of_cells)[-LAST:]]:
            lines += ["", f"    {short(turn.prompt.content)}", f"    {short(turn.text)}"]
    return "\n".join(seen(line, LINE) for line in lines)


def html(text: str) -> str:
    """Return the same as static HTML; everything in it is escaped text."""
    return f'<pre class="robota-switcher-text">{escape(text)}</pre>'


def _shown(chat: Chat, *, of_cells: bool) -> list[Node]:
    return [node for node in view_of(chat).path(chat.id).nodes if not of_cells or node.cell]
