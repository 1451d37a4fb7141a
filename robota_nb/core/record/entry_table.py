"""The entries of a session in memory, where a message takes little more room than its text.

A notebook holds a message as an object with a list of lines, so that tools which compare lines see them. Here most
messages are kept as their text, and the values beside it without their keys; the entry is made of that when asked for.
"""

from __future__ import annotations

import sys
from collections.abc import ItemsView, Iterable, Iterator, Mapping, ValuesView
from typing import TYPE_CHECKING, Any, NamedTuple

from robota_nb.core.record.attachments import Attached, attached_in
from robota_nb.core.record.entries import to_lines, to_text
from robota_nb.core.record.kinds import MESSAGE, Kind, is_message, kind_of

if TYPE_CHECKING:
    from robota_nb.core.record.types import Entry

_PACKED_APART = frozenset({"kind", "parent", "role", "content"})
"""Fields that a `PackedMessage` does not hold among its values."""
_REPEATED = frozenset({"at", "chat", "config", "finish_reason", "model"})
"""Fields that have the same value in many messages."""


class PackedMessage(NamedTuple):
    """A message: what paths and requests need of it, and its other values in the order of their *keys*."""

    id: str
    parent: str | None
    role: str
    text: str
    keys: tuple[str, ...]
    values: tuple[Any, ...]

    def entry(self) -> Entry:
        """Return the entry as it stands in a snapshot."""
        parent = {} if self.parent is None else {"parent": self.parent}
        beside = dict(zip(self.keys, self.values, strict=True))
        return {"kind": MESSAGE.name, "role": self.role, **parent, **beside, "content": to_lines(self.text)}


class EntryTable(Mapping[str, "Entry"]):
    """Entries by their ids; others may read while one thread writes."""

    def __init__(self) -> None:
        self._kept: dict[str, PackedMessage | Entry] = {}
        self._texts: dict[str, str] = {}  # of those that are not packed
        self._shapes: dict[tuple[str, ...], tuple[str, ...]] = {}

    def __getitem__(self, eid: str) -> Entry:
        return _entry(self._kept[eid])

    def __contains__(self, eid: object) -> bool:
        return eid in self._kept

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._kept))

    def __len__(self) -> int:
        return len(self._kept)

    def items(self) -> ItemsView[str, Entry]:
        """Return the ids and entries as they are now."""
        return self.copy().items()

    def values(self) -> ValuesView[Entry]:
        """Return the entries as they are now."""
        return self.copy().values()

    def copy(self) -> dict[str, Entry]:
        """Return them as they stand in a snapshot."""
        return {eid: _entry(kept) for eid, kept in self._kept.copy().items()}

    # -- of one entry, without making it

    def parent(self, eid: str) -> str | None:
        """Return the id of the message that it follows."""
        kept = self._kept[eid]
        parent: str | None = kept.parent if isinstance(kept, PackedMessage) else kept.get("parent")
        return parent

    def kind(self, eid: str) -> Kind:
        """Return its row in the table of kinds."""
        kept = self._kept[eid]
        return MESSAGE if isinstance(kept, PackedMessage) else kind_of(kept)

    def role(self, eid: str) -> str | None:
        """Return who says it, or None if that is not known."""
        kept = self._kept[eid]
        role: str | None = kept.role if isinstance(kept, PackedMessage) else kept.get("role")
        return role

    def text(self, eid: str) -> str:
        """Return what it says."""
        kept = self._kept[eid]
        if isinstance(kept, PackedMessage):
            return kept.text
        if eid not in self._texts:  # it may stand there in a million pieces
            self._texts[eid] = to_text(kept.get("content", ()))
        return self._texts[eid]

    def attached(self, eid: str) -> tuple[Attached, ...]:
        """Return its pictures and files."""
        kept = self._kept[eid]
        return () if isinstance(kept, PackedMessage) else attached_in(kept.get("content", ()))

    def has(self, eid: str, field: str) -> bool:
        """Say whether a field stands in it, other than those that all messages have."""
        kept = self._kept[eid]
        return field in (kept.keys if isinstance(kept, PackedMessage) else kept)

    # -- writing

    def add(self, entries: Mapping[str, Entry]) -> None:
        """Keep these entries too, or in the place of those of the same ids."""
        ids = {eid: eid for eid in entries}
        for eid, entry in entries.items():
            self._texts.pop(eid, None)
            self._kept[eid] = self._packed(eid, entry, ids)

    def drop(self, ids: Iterable[str]) -> None:
        """Forget entries."""
        for eid in ids:
            self._kept.pop(eid, None)
            self._texts.pop(eid, None)

    def _packed(self, eid: str, entry: Entry, ids: Mapping[str, str]) -> PackedMessage | Entry:
        if not is_message(entry):
            return entry
        text = to_text(entry["content"])
        if to_lines(text) != entry["content"]:  # with a picture, or cut elsewhere than we do
            return entry
        keys = tuple([key for key in entry if key not in _PACKED_APART])
        return PackedMessage(
            id=eid,
            parent=self._same_id(entry.get("parent"), ids),
            role=_shared(entry["role"]),
            text=text,
            keys=self._shapes.setdefault(keys, keys),
            values=tuple([_shared(entry[key]) if key in _REPEATED else entry[key] for key in keys]),
        )

    def _same_id(self, eid: str | None, ids: Mapping[str, str]) -> str | None:
        """Return the one string that everything here has of an id."""
        kept = self._kept.get(eid or "")
        return kept.id if isinstance(kept, PackedMessage) else ids.get(eid, eid) if eid else None


def _shared(word: str) -> str:
    """Return the one string of the process that says this."""
    return sys.intern(word) if type(word) is str else word  # a provider may name its model by more than a string


def _entry(kept: PackedMessage | Entry) -> Entry:
    return kept.entry() if isinstance(kept, PackedMessage) else kept
