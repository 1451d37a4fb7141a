"""The parts of a session's state: values with the time they were set, and turns with what finds them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_T = TypeVar("_T")
_K = TypeVar("_K")


class Stamp(NamedTuple):
    """When an entry counts: by n, ties broken by id."""

    n: int
    id: str


@dataclass(slots=True)
class Register(Generic[_T]):
    """The value of several that was set last, and when."""

    stamp: Stamp = Stamp(0, "")
    value: _T | None = None

    def put(self, stamp: Stamp, value: _T | None) -> bool:
        """Take the value if it is newer; say whether it was."""
        if stamp <= self.stamp:
            return False
        self.stamp, self.value = stamp, value
        return True


class Asked(NamedTuple):
    """Which cell asked: its id (or None), the k-th ask of that execution, the hash of its source."""

    id: str | None
    k: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One turn in the tree of a session's messages.

    Parameters
    ----------
    id
        The id of the answer. With tools, of the last message of it: what came between is in the record only.
    user
        The id of the question.
    chat
        The chat of the answer.
    parent
        The message that the question follows.
    stamp
        When it was answered.
    config
        The id of the settings it was asked with; empty if it has none.
    finish_reason
        How the answer ended.
    cell
        The cell that asked, if one did.
    set
        What cells had set then.
    options
        The settings of this ask alone.
    context
        The ids of the turns that were sent before it, oldest first; None if they are the path of *parent*.
    after
        The id of the cell after which it was sent outside cells ("": above all of them); None if that is not known.
    by
        ``code`` if the Python of a cell asked: then it stands where that cell says so, and answers no other ask.
    hand
        What was clicked for it: by the key of each setting, [what the page gave, what was clicked]; None if that is not
        said (see `robota_nb.core.rules.recorded`).
    """

    id: str
    user: str
    chat: str
    parent: str | None
    stamp: Stamp
    config: str
    finish_reason: str
    cell: Asked | None
    set: Mapping[str, str]
    options: Mapping[str, str]
    context: tuple[str, ...] | None = None
    after: str | None = None
    by: str = ""
    hand: Mapping[str, Sequence[str]] | None = None


class Path:
    """The turns from a chat's root to its head, with the position of each."""

    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = nodes
        self.index = {node.id: at for at, node in enumerate(nodes)}

    @cached_property
    def ranks(self) -> dict[str, int]:
        """How many turns that remember the same source and ask come before each."""
        counts: Counter[tuple[str, int]] = Counter()
        found = {}
        for node in self.nodes:
            if node.cell:
                found[node.id] = counts[node.cell.source, node.cell.k]
                counts[node.cell.source, node.cell.k] += 1
        return found

    def __contains__(self, node: Node) -> bool:
        return node.id in self.index


class Index(Generic[_K]):
    """Turns by a key that most of them share with no other, so that no list is spent on each."""

    __slots__ = ("_several", "_single")

    def __init__(self) -> None:
        self._single: dict[_K, Node] = {}
        self._several: dict[_K, list[Node]] = {}

    def add(self, key: _K, node: Node) -> None:
        """Enter a turn, after those that have the key already."""
        if key in self._several:
            self._several[key].append(node)
        elif key in self._single:
            self._several[key] = [self._single[key], node]
            del self._single[key]  # only now: others may read meanwhile
        else:
            self._single[key] = node

    def remove(self, key: _K, node: Node) -> None:
        """Take out a turn that has the key."""
        if key in self._several:
            self._several[key] = [other for other in self._several[key] if other is not node]
        else:
            del self._single[key]

    def get(self, key: _K) -> list[Node]:
        """Return the turns with this key, in the order in which they came."""
        single = self._single.get(key)
        return [single] if single else list(self._several.get(key, ()))
