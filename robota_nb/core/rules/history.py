"""The history of a chat: the turns that it remembers are one path through all that was ever said in it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice, takewhile
from typing import TYPE_CHECKING

from robota_nb.core.record.nodes import Several
from robota_nb.core.record.relations import purge_of
from robota_nb.errors import TurnNotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from robota_nb.core.record.fold import SessionState
    from robota_nb.core.record.nodes import Node, Path, Trail
    from robota_nb.core.record.types import PurgedEntry
    from robota_nb.core.record.view import SessionView

_MIN_ID = 6
"""Characters of an id by which a turn may be named."""
_MAX_DIGITS = 10
"""A number of more digits counts nothing that is here, and Python refuses to read one of thousands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """A branch: what follows *after* so many turns of the path, from its *first* turn to the last one of *trail*."""

    after: int
    first: Node
    trail: Trail
    size: int

    @property
    def last(self) -> Node:
        """Its last turn."""
        return self.trail.node

    @property
    def nodes(self) -> list[Node]:
        """Its turns; branches that part beside the path have the first ones in common."""
        return self.first_nodes(self.size)

    def first_nodes(self, size: int) -> list[Node]:
        """Return its first turns, so many of them, without a look at all."""
        left = max(self.size - size, 0)
        end = self.trail.first(self.trail.size - left)
        return [trail.node for trail in islice(end.back(), self.size - left)][::-1]


def last_turn(view: SessionView, chat: str) -> Node:
    """Return the last turn that a chat remembers.

    Raises
    ------
    TurnNotFound
        If it has none.
    """
    last = view.path(chat).last
    if last is None:
        raise TurnNotFound(f"nothing was asked in {view.chat_name(chat)!r} yet", hint="chat.ask")
    return last


def to_retry(view: SessionView, chat: str) -> Node:
    """Return the turn to be asked again: the last one.

    Raises
    ------
    TurnNotFound
        If the chat has none, or what it asked was purged.
    """
    node = last_turn(view, chat)
    if is_purged(view, node):
        raise TurnNotFound(f"what was asked there was purged from {view.chat_name(chat)!r}", hint="chat.edit")
    return node


def following(view: SessionView, chat: str) -> Node | None:
    """Return the turn that follows what a chat remembers: the last one that was undone here, else the newest."""
    path = view.path(chat)
    head = path.last.id if path.last else None
    undone = view.undone.get(chat)
    last, before = undone.pop() if undone else (None, None)
    node = view.record.nodes.get(last) if last and before == head else None
    if node and node not in path:  # also one that had followed another turn, or another chat's
        return node
    after = (node for node in _children(view, chat)(head) if node not in path)
    return max(after, key=lambda node: node.stamp, default=None)


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
    return [*view.record.turns_of(chat), *(trail.node for trail in _begun(view, chat))]


def _begun(view: SessionView, chat: str) -> Iterator[Trail]:
    """Yield what a fork began with, the last turn first."""
    if base := view.base(chat):
        yield from (trail for trail in view.record.trail(base).back() if trail.node.chat != chat)


def _children(view: SessionView, chat: str) -> Callable[[str | None], list[Node]]:
    """Return what finds the turns of a chat that follow a message."""
    begun: Several[str | None, Node] = Several()
    for trail in _begun(view, chat):
        begun.add(trail.node.parent, trail.node)
    return lambda place: [*view.record.children(chat, place), *begun.get(place)]


def beside(view: SessionView, chat: str) -> list[Node]:
    """Return the turns of a chat that are not on its path."""
    path = view.path(chat)
    begun = takewhile(lambda trail: path.place(trail.node) != trail.size, _begun(view, chat))
    return [node for node in (*view.record.turns_of(chat), *(trail.node for trail in begun)) if node not in path]


def branches(view: SessionView, chat: str) -> list[Fork]:
    """Return what stands beside the path, in the order in which the branches began: new ones come last."""
    off = beside(view, chat)
    return in_order(forks(view.record, view.path(chat), off))


def in_order(found: Iterable[Fork]) -> list[Fork]:
    """Return branches in the order in which they began."""
    return sorted(found, key=lambda fork: (fork.first.stamp, fork.last.stamp))


def forks(record: SessionState, path: Path, off: Iterable[Node]) -> Iterator[Fork]:
    """Yield the branches that the turns *off* the path make up: one for each of them that none of the others follows.

    Each turn is looked at once, however many branches have it in common.
    """
    off = list(off)
    parents = {node.parent for node in off}
    leaves: dict[Trail, tuple[int, int]] = {}  # where the path was left, and how many turns ago
    for leaf in off:
        if leaf.id in parents:
            continue
        passed: list[Trail] = []
        after = size = 0
        for trail in record.trail(leaf.id).back():
            if trail in leaves:
                after, size = leaves[trail]
                break
            if after := path.place(trail.node):
                break
            passed.append(trail)
        for size, trail in enumerate(reversed(passed), size + 1):  # noqa: B020 - goes on from there
            leaves[trail] = after, size
        end = record.trail(leaf.id)
        yield Fork(after=after, first=end.first(end.size - size + 1).node, trail=end, size=size)


def branch(view: SessionView, chat: str, number: int) -> list[Node]:
    """Return the turns of a branch that stand beside the path, by its number, from 1.

    Raises
    ------
    TurnNotFound
        If there is none.
    """
    found = branches(view, chat)
    if not 0 < number <= len(found):
        raise _no_branch(view, chat, str(number), len(found))
    return found[number - 1].nodes


def path_to(view: SessionView, chat: str, ref: str, *, to_end: bool = False) -> list[Node]:
    """Return the turns up to the end of a branch, by its number, or up to any turn, by (the beginning of) its id.

    With *to_end* it goes on from there to the end of the newest turns that followed.

    Raises
    ------
    TurnNotFound
        If there is no such branch or turn.
    """
    node = _meant(view, chat, ref)
    children = _children(view, chat)
    while to_end and (later := children(node.id)):
        node = max(later, key=lambda child: child.stamp)
    path = view.path(chat)
    return path.nodes[: path.place(node)] if node in path else view.record.path(node.id).nodes


def _meant(view: SessionView, chat: str, ref: str) -> Node:
    found = branches(view, chat)
    if ref.isdecimal():
        if len(ref) < _MAX_DIGITS and 0 < int(ref) <= len(found):
            return found[int(ref) - 1].last
    elif len(ref) >= _MIN_ID:
        nodes = [node for node in _tree(view, chat) if node.id.startswith(ref)]
        if len(nodes) == 1:
            return nodes[0]
    raise _no_branch(view, chat, ref, len(found))


def _no_branch(view: SessionView, chat: str, ref: str, count: int) -> TurnNotFound:
    return TurnNotFound(f"no branch {ref[:40]!r} in {view.chat_name(chat)!r}, which has {count}", hint="chat.branches")


def purged(view: SessionView, node: Node) -> dict[str, PurgedEntry]:
    """Return the stubs that take the place of what a turn says, and of what repeats it (see `purge_of`)."""
    return purge_of(view.record.entries.copy(), node.user)


def is_purged(view: SessionView, node: Node) -> bool:
    """Say whether what a turn said was removed."""
    return view.record.entries.kind(node.id).is_stub
