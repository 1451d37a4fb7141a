"""Turns by what they are looked up by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from robota_nb.core.record.fold import Node

_K = TypeVar("_K")


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

    def get(self, key: _K) -> list[Node]:
        """Return the turns with this key, in the order in which they came."""
        single = self._single.get(key)
        return [single] if single else list(self._several.get(key, ()))
