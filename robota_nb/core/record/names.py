"""Unique names among siblings: how they are shown, and how they are found again."""

from __future__ import annotations

from itertools import count
from types import MappingProxyType
from typing import TYPE_CHECKING

from robota_nb.core.record.entries import fold_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from robota_nb.core.record.nodes import Stamp


class Names:
    """The names of the sessions of a user, or of the chats of a session, in the order of their creation.

    Parameters
    ----------
    given
        Id → all names it was given, each with its stamp.
    version
        Of what the names were made from: the caller compares it to see whether they are current.
    gone
        Id → name of those that were deleted.
    """

    def __init__(
        self,
        given: Mapping[str, Sequence[tuple[Stamp, str]]] = MappingProxyType({}),
        version: object = None,
        gone: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.version = version
        self._gone: dict[str, list[str]] = {}
        for eid, name in gone.items():
            for key in {eid, fold_name(name)}:
                self._gone.setdefault(key, []).append(eid)
        self.shown: dict[str, str] = {}
        self._current: dict[str, str] = {}
        self._former: dict[str, str] = {}
        for eid, names in given.items():
            ordered = [name for _, name in sorted(names)] or [eid]
            shown = self._distinct(ordered[-1])
            self.shown[eid] = shown
            self._current[fold_name(shown)] = eid
            for name in ordered[:-1]:
                self._former.setdefault(fold_name(name), eid)

    def add(self, eid: str, name: str, version: object) -> None:
        """Take up the newest sibling, whose name is free; the names are current again with this *version*."""
        self.shown[eid] = name
        self._current[fold_name(name)] = eid
        self.version = version

    def deleted(self, ref: str) -> list[str]:
        """Return the ids of the deleted ones that have the name or the id, in the order of their creation."""
        return self._gone.get(ref) or self._gone.get(fold_name(ref.strip()), [])

    def find(self, name: str) -> str | None:
        """Return the id that has the name, or else had it."""
        folded = fold_name(name.strip())
        return self._current.get(folded) or self._former.get(folded)

    def holder(self, name: str) -> str | None:
        """Return the id that has the name now."""
        return self._current.get(fold_name(name))

    def free(self, stem: str) -> str:
        """Return the first of ``stem N`` that is free, where N is greater than the number of siblings."""
        return next(name for n in count(len(self.shown) + 1) if self.find(name := f"{stem} {n}") is None)

    def _distinct(self, name: str) -> str:
        if fold_name(name) not in self._current:
            return name
        return next(twin for n in count(2) if fold_name(twin := f"{name} ({n})") not in self._current)
