"""Finding words again, in every branch of every chat of a session."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from robota_nb.core import reprs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from robota_nb.core.chat import Chat
    from robota_nb.core.record.nodes import Stamp
    from robota_nb.core.turn import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A turn that holds the words.

    Parameters
    ----------
    chat
        Where it was said.
    turn
        The turn.
    number
        Its place on the chat's path, from 1; None if it is on a branch.
    """

    chat: Chat
    turn: Turn
    number: int | None

    __repr__ = reprs.hit_line
    _repr_html_ = reprs.hit_html


def search(chats: Iterable[Chat], text: str) -> list[Hit]:
    """Return the turns whose question or answer holds a text, oldest first; upper and lower case are the same."""
    wanted = _folded(text)
    hits: dict[str, tuple[Stamp, Hit]] = {}
    owners = {chat.id: chat for chat in chats}
    for chat in owners.values():
        record, path = chat.session.record, chat.session.path(chat.id)
        own = [node for node in list(record.nodes.values()) if node.chat == chat.id]
        begun = [node for node in path.nodes if node.chat not in owners]  # what a fork began with, if nobody has it
        for node in [*own, *begun]:
            if node.id not in hits and any(wanted in _folded(record.text(eid)) for eid in (node.user, node.id)):
                number = path.index[node.id] + 1 if node in path else None
                hits[node.id] = node.stamp, Hit(chat=chat, turn=chat.turn(node), number=number)
    return [hit for _, hit in sorted(hits.values(), key=lambda found: found[0])]


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text.casefold())
