"""The parts of a session's state: values with the time they were set, and turns with what finds them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

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
    imported
        The program that it was imported from; empty if it was not.
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
    imported: str = ""

    @property
    def is_outside(self) -> bool:
        """Whether no cell has asked it, and no cell's Python."""
        return self.cell is None and self.by != "code"


class Trail:
    """The turns up to one of them, as a chain that shares its beginning with others: a fork costs only what it adds.

    Parameters
    ----------
    before
        What stands before the last turn; None where there is no turn.
    node
        The last turn.
    family
        What has made it.
    """

    __slots__ = ("_after", "_family", "before", "jump", "node", "size")

    def __init__(self, before: Trail | None, node: Node, family: Trails) -> None:
        self.before = before
        self.node = node
        self.size: int = 0 if before is None else before.size + 1
        self._family = family
        self._after: Trail | dict[str, Trail] | None = None  # those of one turn more; most have one, or none
        # To some trail before it, so chosen that any is reached in few steps (a skew-binary list).
        self.jump: Trail
        if before is None:
            self.jump = self
        else:
            far, farther = before.jump, before.jump.jump
            self.jump = farther if before.size - far.size == far.size - farther.size else before

    def back(self) -> Iterator[Trail]:
        """Yield it, and those of one turn less each."""
        here = self
        while here.before is not None:
            yield here
            here = here.before

    def first(self, size: int) -> Trail:
        """Return the trail of the first so many turns."""
        here = self
        while here.size > size:
            assert here.before is not None
            here = here.jump if here.jump.size >= size else here.before
        return here

    def place(self, turn: str) -> int:
        """Return the place of a turn, from 1; of several the last one; 0 if it is not among them."""
        places = (trail.size for trail in self._family.ending_in(turn) if self.first(trail.size) is trail)
        return max(places, default=0)

    def and_then(self, node: Node) -> Trail:
        """Return the trail of one turn more: of equal turns the same one."""
        after = self._after
        if isinstance(after, Trail) and after.node is node:
            return after
        if isinstance(after, dict) and node.id in after:
            return after[node.id]
        made = self._family.enter(Trail(self, node, self._family))
        if after is None:
            self._after = made
        elif isinstance(after, dict):
            after[node.id] = made
        else:
            self._after = {after.node.id: after, node.id: made}
        return made


class Trails:
    """Makes trails, and finds those that end in a turn."""

    def __init__(self) -> None:
        self.start = Trail(None, _NO_TURN, self)
        self._ending: Several[str, Trail] = Several()

    def of(self, nodes: Iterable[Node], begin: Trail | None = None) -> Trail:
        """Return the trail of these turns, oldest first; after those of *begin*."""
        trail = begin or self.start
        for node in nodes:
            trail = trail.and_then(node)
        return trail

    def enter(self, trail: Trail) -> Trail:
        """Have a trail be found by its last turn."""
        self._ending.add(trail.node.id, trail)
        return trail

    def ending_in(self, turn: str) -> Sequence[Trail]:
        """Return the trails that end in a turn."""
        return self._ending.get(turn)


_NO_TURN = Node(
    id="", user="", chat="", parent=None, stamp=Stamp(0, ""), config="", finish_reason="", cell=None, set={}, options={}
)


class Path:
    """The turns from a chat's root to its head; a list of them is made only for those who want all."""

    def __init__(self, trail: Trail) -> None:
        self.trail = trail

    @classmethod
    def of(cls, nodes: Iterable[Node]) -> Path:
        """Return the path of these turns."""
        return cls(Trails().of(nodes))

    @cached_property
    def nodes(self) -> list[Node]:
        """The turns, oldest first."""
        return [trail.node for trail in self.trail.back()][::-1]

    @property
    def last(self) -> Node | None:
        """The last turn."""
        return self.trail.node if self.trail.size else None

    def first(self, size: int) -> Path:
        """Return the path of its first turns, so many of them."""
        return Path(self.trail.first(size))

    def place(self, node: Node) -> int:
        """Return the place of a turn on it, from 1; 0 if it is not there."""
        return self.trail.place(node.id)

    @property
    def size(self) -> int:
        """How many turns there are."""
        return self.trail.size

    def __len__(self) -> int:
        return self.size

    def __reversed__(self) -> Iterator[str]:
        return (trail.node.id for trail in self.trail.back())

    def __contains__(self, node: Node) -> bool:
        return self.place(node) > 0


class Several(Generic[_K, _T]):
    """Things by a key that most of them share with no other, so that no list is spent on each."""

    __slots__ = ("_several", "_single")

    def __init__(self) -> None:
        self._single: dict[_K, _T] = {}
        self._several: dict[_K, dict[int, _T]] = {}  # each by its identity: to take one out costs the same of any

    def __iter__(self) -> Iterator[_T]:
        yield from list(self._single.values())
        for several in list(self._several.values()):
            yield from list(several.values())

    def add(self, key: _K, one: _T) -> None:
        """Enter one, after those that have the key already."""
        if key in self._several:
            self._several[key][id(one)] = one
        elif key in self._single:
            first = self._single[key]
            self._several[key] = {id(first): first, id(one): one}
            del self._single[key]  # only now: others may read meanwhile
        else:
            self._single[key] = one

    def remove(self, key: _K, one: _T) -> None:
        """Take out one that has the key."""
        if key in self._several:
            del self._several[key][id(one)]
        else:
            del self._single[key]

    def get(self, key: _K) -> list[_T]:
        """Return those with this key, in the order in which they came."""
        single = self._single.get(key)
        return [single] if single is not None else list(self._several.get(key, {}).values())
