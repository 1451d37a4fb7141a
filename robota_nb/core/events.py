"""What a manager tells its subscribers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from robota_nb.core.ports import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class EntriesAdded:
    """A session has new entries, made here; *removed* were superseded by them."""

    session: str
    entries: Mapping[str, Entry]
    removed: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something the user should know, in one line; never part of a cell's answer."""

    text: str


Event: TypeAlias = EntriesAdded | Notice
