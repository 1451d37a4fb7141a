"""The history of a chat: its turns are a tree, and every command here only moves where the path ends.

Nothing is destroyed, but by `purge`, which is there for secrets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from robota_nb.core.record.relations import purge_of
from robota_nb.errors import TurnNotFound

if TYPE_CHECKING:
    from collections.abc import Container

    from robota_nb.core.record.nodes import Node
    from robota_nb.core.record.types import PurgedEntry
    from robota_nb.core.record.view import SessionView

_MIN_ID = 6
"""Characters of an id by which a turn may be named."""
_MAX_DIGITS = 10
"""A number of more digits counts nothing that is here, and Python refuses to read one of thousands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """Where a branch leaves the path: *after* so many of its turns, and what follows there instead."""

    after: int
    nodes: list[Node]


def last_shown(view: SessionView, chat: str, shown: Container[str]) -> str | None:
    """Return the turn where history commands act: the last one of the path that was *shown* here, else the last."""
    nodes = view.path(chat).nodes
    here = next((node.id for node in reversed(nodes) if node.id in shown), None)
    return here or (nodes[-1].id if nodes else None)


def undo(view: SessionView, chat: str, shown: Container[str]) -> Node | None:
    """Take the last shown turn, and what follows it, off the path; return it."""
    last = last_shown(view, chat, shown)
    if last is None:
        return None
    node = view.record.nodes[last]
    view.move_head(chat, node.parent)
    view.undone.setdefault(chat, []).append(node.id)
    return node


def redo(view: SessionView, chat: str) -> Node | None:
    """Put the turn that follows the path's end on the path: what was undone here, else the newest; return it."""
    head = view.head(chat)
    following = [node for node in _tree(view, chat) if node.parent == head]
    undone = view.undone.get(chat)
    last = undone.pop() if undone else None
    node = max(following, key=lambda child: (child.id == last, child.stamp), default=None)
    if node:
        view.move_head(chat, node.id)
    return node


def clear(view: SessionView, chat: str) -> int:
    """Take all turns off the path; return how many there were."""
    count = len(view.path(chat).nodes)
    view.move_head(chat, None)
    return count


def last_shown_turn(view: SessionView, chat: str, shown: Container[str]) -> Node:
    """Return the turn where history commands act (see `last_shown`).

    Raises
    ------
    TurnNotFound
        If the chat has none.
    """
    last = last_shown(view, chat, shown)
    if last is None:
        raise TurnNotFound(f"nothing was asked in {view.chat_name(chat)!r} yet", hint="chat.ask")
    return view.record.nodes[last]


def to_retry(view: SessionView, chat: str, shown: Container[str]) -> Node:
    """Return the turn to be asked again: the last one shown here, else the last.

    Raises
    ------
    TurnNotFound
        If the chat has none, or what it asked was purged.
    """
    node = last_shown_turn(view, chat, shown)
    if is_purged(view, node):
        raise TurnNotFound(f"what was asked there was purged from {view.chat_name(chat)!r}", hint="chat.edit")
    return node


def numbered(view: SessionView, chat: str, number: int) -> Node:
    """Return a turn of the path by its number, from 1.

    Raises
    ------
    TurnNotFound
        If there is none.
    """
    nodes = view.path(chat).nodes
    if not 0 < number <= len(nodes):
        turns = "1 turn" if len(nodes) == 1 else f"{len(nodes)} turns"
        raise TurnNotFound(f"no turn {number} in {view.chat_name(chat)!r}, which has {turns}", hint="chat.turns")
    return nodes[number - 1]


def _tree(view: SessionView, chat: str) -> list[Node]:
    """Return the turns of a chat: its own, and of a fork those that it began with."""
    base = view.base(chat)
    begun = view.record.path(base).nodes if base else []
    own = (node for node in list(view.record.nodes.values()) if node.chat == chat)
    return [*own, *(node for node in begun if node.chat != chat)]


def branches(view: SessionView, chat: str) -> list[Fork]:
    """Return what stands beside the path, in the order in which the branches began: new ones come last."""
    record, path = view.record, view.path(chat)
    off = [node for node in _tree(view, chat) if node not in path]
    parents = {node.parent for node in off}
    found = []
    for leaf in off:
        if leaf.id not in parents:
            nodes = record.path(leaf.id).nodes
            after = sum(node in path for node in nodes)
            found.append(Fork(after=after, nodes=nodes[after:]))
    return sorted(found, key=lambda fork: (fork.nodes[0].stamp, fork.nodes[-1].stamp))


def checkout(view: SessionView, chat: str, ref: str, shown: Container[str], *, to_end: bool = False) -> Node:
    """End the path at a branch's last turn, by its number, or at any turn, by (the beginning of) its id.

    With *to_end* it goes on from there to the end of the newest turns that followed.

    Of a branch of which something was shown here, the last turn that was: what follows there belongs to cells
    that have yet to run.

    Raises
    ------
    TurnNotFound
        If there is no such branch or turn.
    """
    node = _meant(view, chat, ref, shown)
    while to_end and (following := [child for child in _tree(view, chat) if child.parent == node.id]):
        node = max(following, key=lambda child: child.stamp)
    view.move_head(chat, node.id)
    return node


def _meant(view: SessionView, chat: str, ref: str, shown: Container[str]) -> Node:
    found = branches(view, chat)
    if ref.isdecimal():
        if len(ref) < _MAX_DIGITS and 0 < int(ref) <= len(found):
            nodes = found[int(ref) - 1].nodes
            return next((node for node in reversed(nodes) if node.id in shown), nodes[-1])
    elif len(ref) >= _MIN_ID:
        nodes = [node for node in _tree(view, chat) if node.id.startswith(ref)]
        if len(nodes) == 1:
            return nodes[0]
    raise TurnNotFound(
        f"no branch {ref[:40]!r} in {view.chat_name(chat)!r}, which has {len(found)}", hint="chat.branches"
    )


def fork_point(view: SessionView, chat: str, at: int | None, shown: Container[str]) -> tuple[str | None, bool]:
    """Return the turn after which a fork of a chat starts, and whether that is known here.

    Where nothing of the source was shown here yet, nobody knows how far it had come when the cell ran before.

    Parameters
    ----------
    view, chat
        Where the chat to be forked is, and its id.
    at
        After which turn of its path, from 1; 0 for its start; where it has got to if not given.
    shown
        The turns that were shown here.

    Raises
    ------
    TurnNotFound
        If the path has no such turn.
    """
    if at == 0:
        return None, True
    point = last_shown(view, chat, shown) if at is None else numbered(view, chat, at).id
    return point, point is not None and point in shown


def purged(view: SessionView, node: Node) -> dict[str, PurgedEntry]:
    """Return the stubs that take the place of what a turn says, and of what repeats it (see `purge_of`)."""
    return purge_of(view.record.entries.copy(), node.user)


def is_purged(view: SessionView, node: Node) -> bool:
    """Say whether what a turn said was removed."""
    return view.record.entries.kind(node.id).is_stub
