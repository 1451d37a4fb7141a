"""What the user has to know of store and notebook, as values; `robota_nb.display.notices` has the words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from robota_nb.core.events import Notice

if TYPE_CHECKING:
    from collections.abc import Callable

    from robota_nb.carriers.cleaners import Cleaner
    from robota_nb.core.ports import Entries
    from robota_nb.errors import SnapshotError, StoreError


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentUnreadable:
    """The snapshot in the open notebook cannot be read; it is left as it is."""

    error: SnapshotError


@dataclass(frozen=True, slots=True, kw_only=True)
class FileUnreadable:
    """The snapshot in the notebook's file cannot be read, and none of it was adopted."""

    error: SnapshotError


@dataclass(frozen=True, slots=True, kw_only=True)
class NotebookLarge:
    """The snapshot makes the notebook large: *size* in bytes."""

    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NotebookFull:
    """The snapshot is as large as a notebook may hold: new entries are in the store only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotInFile:
    """The notebook was saved, and its file does not hold what was: *cleaner* is what has dropped it, as it seems."""

    cleaner: Cleaner | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GoneFromFile:
    """The notebook was saved with *entries* once, and has nothing of them any more, though their cells stand there."""

    entries: Entries
    cleaner: Cleaner | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsavedAdded:
    """Entries that the notebook had not saved were added to it from the store."""

    entries: Entries


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsavedFound:
    """The store has entries that are not in the notebook's file; they may stand in a document that is open."""

    entries: Entries


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFailed:
    """The store cannot be used: until it can, only the kernel and the notebook have what is new."""

    error: StoreError


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreDamaged:
    """The store has something that is no entry; it is left there."""

    error: SnapshotError


SyncNotice: TypeAlias = (
    DocumentUnreadable
    | FileUnreadable
    | NotebookLarge
    | NotebookFull
    | NotInFile
    | GoneFromFile
    | UnsavedAdded
    | UnsavedFound
    | StoreFailed
    | StoreDamaged
    | Notice  # what a store says of itself
)
"""A notice of this room."""

Notify: TypeAlias = "Callable[[SyncNotice], None]"
"""Takes a notice for the user."""
