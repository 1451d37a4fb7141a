"""The history of a chat: its turns are a tree, and every command here only moves where the path ends.

Nothing is destroyed, but by `purge`, which is there for secrets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from robota_nb.core.record.relations import purge_of
from robota_nb.errors import TurnNotFound

if TYPE_CHECKING:
    from robota_nb.core.chat import Chat
    from robota_nb.core.record.nodes import Node
    from robota_nb.core.session import Session

_MIN_ID = 6
"""Characters of an id by which a turn may be named."""
_MAX_DIGITS = 10
"""A number of more digits counts nothing that is here, and Python refuses to read one of thousands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """Where a branch leaves the path: *after* so many of its turns, and what follows there instead."""

    after: int
    nodes: list[Node]


def last_shown(session: Session, chat: str) -> str | None:
    """Return the turn where history commands act: the last one shown here, else the last."""
    nodes, shown = session.path(chat).nodes, session.manager.replay.shown
    here = next((node.id for node in reversed(nodes) if node.id in shown), None)
    return here or (nodes[-1].id if nodes else None)


def undo(session: Session, chat: str) -> Node | None:
    """Take the last shown turn, and what follows it, off the path; return it."""
    with session.manager.lock:
        last = last_shown(session, chat)
        if last is None:
            return None
        node = session.record.nodes[last]
        session.move_head(chat, node.parent)
        session.undone.setdefault(chat, []).append(node.id)
        return node


def redo(session: Session, chat: str) -> Node | None:
    """Put the turn that follows the path's end on the path: what was undone here, else the newest; return it."""
    with session.manager.lock:
        head = session.head(chat)
        following = [node for node in _tree(session, chat) if node.parent == head]
        undone = session.undone.get(chat)
        last = undone.pop() if undone else None
        node = max(following, key=lambda child: (child.id == last, child.stamp), default=None)
        if node:
            session.move_head(chat, node.id)
        return node


def clear(session: Session, chat: str) -> int:
    """Take all turns off the path; return how many there were."""
    with session.manager.lock:
        count = len(session.path(chat).nodes)
        session.move_head(chat, None)
        return count


def last_shown_turn(session: Session, chat: str) -> Node:
    """Return the turn where history commands act (see `last_shown`).

    Raises
    ------
    TurnNotFound
        If the chat has none.
    """
    last = last_shown(session, chat)
    if last is None:
        raise TurnNotFound(f"nothing was asked in {session.chat_name(chat)!r} yet: write a %%robota cell")
    return session.record.nodes[last]


def to_retry(session: Session, chat: str) -> Node:
    """Return the turn to be asked again: the last one shown here, else the last.

    Raises
    ------
    TurnNotFound
        If the chat has none, or what it asked was purged.
    """
    node = last_shown_turn(session, chat)
    if is_purged(session, node):
        raise TurnNotFound(
            f"what was asked there was purged from {session.chat_name(chat)!r}: "
            "ask something else, %robota chat edit takes its place"
        )
    return node


def numbered(session: Session, chat: str, number: int) -> Node:
    """Return a turn of the path by its number, from 1.

    Raises
    ------
    TurnNotFound
        If there is none.
    """
    nodes = session.path(chat).nodes
    if not 0 < number <= len(nodes):
        turns = "1 turn" if len(nodes) == 1 else f"{len(nodes)} turns"
        raise TurnNotFound(
            f"no turn {number} in {session.chat_name(chat)!r}, which has {turns}: %robota chat log shows them"
        )
    return nodes[number - 1]


def _tree(session: Session, chat: str) -> list[Node]:
    """Return the turns of a chat: its own, and of a fork those that it began with."""
    base = session.base(chat)
    begun = session.record.path(base).nodes if base else []
    own = (node for node in list(session.record.nodes.values()) if node.chat == chat)
    return [*own, *(node for node in begun if node.chat != chat)]


def branches(session: Session, chat: str) -> list[Fork]:
    """Return what stands beside the path, in the order in which the branches began: new ones come last."""
    record, path = session.record, session.path(chat)
    off = [node for node in _tree(session, chat) if node not in path]
    parents = {node.parent for node in off}
    found = []
    for leaf in off:
        if leaf.id not in parents:
            nodes = record.path(leaf.id).nodes
            after = sum(node in path for node in nodes)
            found.append(Fork(after=after, nodes=nodes[after:]))
    return sorted(found, key=lambda fork: (fork.nodes[0].stamp, fork.nodes[-1].stamp))


def checkout(session: Session, chat: str, ref: str, *, to_end: bool = False) -> Node:
    """End the path at a branch's last turn, by its number, or at any turn, by (the beginning of) its id.

    With *to_end* it goes on from there to the end of the newest turns that followed.

    Of a branch of which something was shown here, the last turn that was: what follows there belongs to cells
    that have yet to run.

    Raises
    ------
    TurnNotFound
        If there is no such branch or turn.
    """
    with session.manager.lock:
        node = _meant(session, chat, ref)
        while to_end and (following := [child for child in _tree(session, chat) if child.parent == node.id]):
            node = max(following, key=lambda child: child.stamp)
        session.move_head(chat, node.id)
        return node


def _meant(session: Session, chat: str, ref: str) -> Node:
    found = branches(session, chat)
    if ref.isdecimal():
        if len(ref) < _MAX_DIGITS and 0 < int(ref) <= len(found):
            nodes, shown = found[int(ref) - 1].nodes, session.manager.replay.shown
            return next((node for node in reversed(nodes) if node.id in shown), nodes[-1])
    elif len(ref) >= _MIN_ID:
        nodes = [node for node in _tree(session, chat) if node.id.startswith(ref)]
        if len(nodes) == 1:
            return nodes[0]
    raise TurnNotFound(
        f"no branch {ref[:40]!r} in {session.chat_name(chat)!r}, which has {len(found)}: "
        "%robota chat branches lists them"
    )


def fork(session: Session, name: str, *, of: str | None = None, at: int | None = None) -> Chat:
    """Start a chat where another one has got to, and make it active.

    A fork to a name that stands moves that chat to the fork point. If it starts there, if it is the chat to
    be forked, or if the fork point was not shown here (so nobody knows how far the source had come when the
    cell ran before), it is only made active.

    Parameters
    ----------
    session
        Where.
    name
        The new chat's name.
    of
        The id of the chat to fork; the active one if not given.
    at
        After which turn of its path, from 1; 0 for its start; where it has got to if not given.

    Raises
    ------
    TurnNotFound
        If the path has no such turn.
    """
    with session.manager.lock:
        source = of or session.active_id
        point = _fork_point(session, source, at) if source else None
        known = at == 0 or point in session.manager.replay.shown
        found = session.find(name) or session.bring_back(name)
        if found is None:
            config = session.config(source) if source else session.inherited_config()
            found = session.begin_chat(name, config, point).id
        elif found != source and known and session.base(found) != point:
            session.move_base(found, point)
        return session.switch_to(found)


def _fork_point(session: Session, source: str, at: int | None) -> str | None:
    if at is None:
        return last_shown(session, source)
    return numbered(session, source, at).id if at else None


def purge(session: Session, chat: str, number: int) -> Node:
    """Remove what a turn says for good, and what repeats it (see `purge_of`); return where it stood.

    Raises
    ------
    TurnNotFound
        If there is none.
    """
    manager = session.manager
    with manager.lock:
        node = numbered(session, chat, number)
        before = session.config(node.chat).settings()
        manager.commit(session, purge_of(session.record.entries.copy(), node.user))
        after = session.config(node.chat).settings()  # what only the turn held would be gone with it
        kept = {key: before.get(key, "") for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        session.configure(node.chat, kept, lasting=False)
        return node


def is_purged(session: Session, node: Node) -> bool:
    """Say whether what a turn said was removed."""
    return session.record.entries.kind(node.id).is_stub
