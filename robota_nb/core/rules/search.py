"""Finding words again, in every branch of every chat of a session."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from robota_nb.core.record.nodes import Node
    from robota_nb.core.record.view import SessionView


class Found(NamedTuple):
    """A turn that holds the words: the chat it was found in, and its place on that chat's path, from 1."""

    chat: str
    node: Node
    number: int | None


def search(view: SessionView, chats: Sequence[str], text: str) -> list[Found]:
    """Return the turns of these *chats* whose question or answer holds a text, oldest first, in whatever case."""
    wanted = _folded(text)
    found: dict[str, Found] = {}
    record = view.record
    for chat in chats:
        path = view.path(chat)
        own = [node for node in list(record.nodes.values()) if node.chat == chat]
        begun = [node for node in path.nodes if node.chat not in chats]  # what a fork began with, if nobody has it
        for node in [*own, *begun]:
            if node.id not in found and any(wanted in _folded(record.text(eid)) for eid in (node.user, node.id)):
                found[node.id] = Found(chat, node, path.index[node.id] + 1 if node in path else None)
    return sorted(found.values(), key=lambda one: one.node.stamp)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text.casefold())
