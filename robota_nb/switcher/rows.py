"""What a view shows: a row for each session, chat and turn. All texts in them are data from strangers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from robota_nb.core.inside import runtime_of, view_of
from robota_nb.core.rules import history
from robota_nb.core.rules.provenance import is_foreign

if TYPE_CHECKING:
    from collections.abc import Iterator

    from robota_nb.core.chat import Chat
    from robota_nb.core.manager import SessionManager
    from robota_nb.core.record.nodes import Node
    from robota_nb.core.record.view import SessionView
    from robota_nb.core.session import Session
    from robota_nb.switcher.messages import ChatRow, Mark, SessionRow, TurnRow

_MARKUP = re.compile(r"[#*`_>|~]+")  # of Markdown, which one line of plain text has no use for

NAME = 100
"""Characters that are sent of a model's name."""
WORDS = 120
"""Characters that are sent of a chat's last words."""
PAGE = 48_000
"""About how many bytes of turns go into one message: to switch to another chat is to cost less than 100 KB."""
PAGE_TURNS = 40
"""How many turns go into one message: more are not in view at once."""
_ROW = 300
"""About how many bytes a turn's row has beside its texts."""


def sessions(manager: SessionManager) -> list[SessionRow]:
    """Return a row for each session of the user."""
    return [
        {"id": session.id, "name": session.name, "state": session.state, "chats": len(view_of(session).live_chats())}
        for session in manager.sessions()
    ]


def chat(session: Session, cid: str) -> ChatRow:
    """Return a chat's row."""
    view = view_of(session)
    nodes, config = view.path(cid).nodes, session.chat(cid).config
    state = view.record.chats[cid]
    return {
        "id": cid,
        "name": view.chat_name(cid),
        "model": (config.model or config.provider)[:NAME],
        "provider": config.provider[:NAME],
        "turns": len(nodes),
        "words": _words(view, nodes[-1]) if nodes else "",
        "used": state.last.n,
        "running": cid in runtime_of(session).running,
    }


def _words(view: SessionView, node: Node) -> str:
    text = view.record.text(node.id) or view.record.text(node.user)
    return " ".join(_MARKUP.sub("", text[: 2 * WORDS]).split())[:WORDS]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownTurn:
    """A turn as a view shows it, without its texts: it must be sent again when any of this has changed."""

    node: Node
    replayed: bool
    foreign: bool
    purged: bool
    before: str | None
    after: str | None
    place: int
    places: int


def path(of: Chat) -> list[ShownTurn]:
    """Return the turns on a chat's path as they are shown."""
    return [_shown(of, node) for node in view_of(of).path(of.id).nodes]


def _shown(of: Chat, node: Node) -> ShownTurn:
    view, runtime = view_of(of), runtime_of(of)
    siblings = [node]
    if node.chat == of.id and len(found := view.record.children(of.id, node.parent)) > 1:
        siblings = sorted(found, key=lambda sibling: sibling.stamp)
    at = siblings.index(node)
    return ShownTurn(
        node=node,
        replayed=node.id in runtime.replay.shown and node.id not in runtime.made,
        foreign=is_foreign(runtime.foreign, node),
        purged=history.is_purged(view, node),
        before=siblings[at - 1].id if at else None,
        after=siblings[at + 1].id if at + 1 < len(siblings) else None,
        place=at + 1,
        places=len(siblings),
    )


def turn(session: Session, shown: ShownTurn) -> TurnRow:
    """Return a turn's row."""
    record, node = view_of(session).record, shown.node
    answer = record.entries[node.id]
    usage = answer.get("usage")
    marks: dict[Mark, bool] = {"replayed": shown.replayed, "foreign": shown.foreign, "purged": shown.purged}
    return {
        "id": node.id,
        "prompt": record.text(node.user),
        "reply": record.text(node.id),
        "model": (answer.get("model", "") or record.node_config(node).model)[:NAME],
        "reason": node.finish_reason,
        "tokens": [usage.get("input_tokens", 0), usage.get("output_tokens", 0)] if usage else None,
        "marks": [mark for mark, is_so in marks.items() if is_so],
        "cell": node.cell is not None,
        "before": shown.before,
        "after": shown.after,
        "place": [shown.place, shown.places],
        "pictures": list(record.images(node.user)),
    }


def page(session: Session, shown: list[ShownTurn], first: int, last: int) -> list[TurnRow]:
    """Return the rows of the turns from *first* up to, and not with, *last*, as many as fit into a message."""
    return [row for _, row in _fitting(session, ((at, shown[at]) for at in range(first, last)))]


def last_page(session: Session, shown: list[ShownTurn], first: int) -> tuple[int, list[TurnRow]]:
    """Return where the last turns begin that fit into a message, none of them before *first*; and their rows."""
    found = list(_fitting(session, ((at, shown[at]) for at in range(len(shown) - 1, first - 1, -1))))
    return (found[-1][0] if found else len(shown)), [row for _, row in reversed(found)]


def _fitting(session: Session, numbered: Iterator[tuple[int, ShownTurn]]) -> Iterator[tuple[int, TurnRow]]:
    room = PAGE
    for count, (at, one) in enumerate(numbered):
        row = turn(session, one)
        room -= len(row["prompt"].encode()) + len(row["reply"].encode()) + _ROW
        if count and (room < 0 or count >= PAGE_TURNS):
            return
        yield at, row
