"""Unique names among siblings, which can be told from each other: how they are shown, and how they are found again."""

from __future__ import annotations

from itertools import count
from types import MappingProxyType
from typing import TYPE_CHECKING

from robota_nb.core.record.entries import fold_name
from robota_nb.core.record.lookalikes import looks, named

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
        self._twins: dict[str, int] = {}  # name, folded -> the first number that no twin of it may have
        self._seen: dict[str, set[str]] = {}  # what is seen of a name -> the names, folded, of which that is seen
        ordered = {eid: [name for _, name in sorted(names)] or [eid] for eid, names in given.items()}
        for *_, name in ordered.values():
            self._seen.setdefault(looks(name), set()).add(fold_name(name))
        for eid, (*former, name) in ordered.items():
            shown = self._distinct(named(name) if len(self._seen[looks(name)]) > 1 else name)
            self.shown[eid] = shown
            self._current[fold_name(shown)] = eid
            self._current.setdefault(fold_name(name), eid)
            for known in former:
                self._former.setdefault(fold_name(known), eid)

    def add(self, eid: str, name: str, version: object) -> None:
        """Take up the newest sibling, whose name is free; the names are current again with this *version*."""
        if looks(name) in self._seen:  # then others may be shown otherwise, too
            self.version = None
            return
        self._seen[looks(name)] = {fold_name(name)}
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
        folded = fold_name(name)
        if folded not in self._current:
            return name
        for n in count(self._twins.get(folded, 2)):  # those before are taken: of many twins each looks once
            if fold_name(twin := f"{name} ({n})") not in self._current:
                self._twins[folded] = n + 1
                return twin
        raise AssertionError
