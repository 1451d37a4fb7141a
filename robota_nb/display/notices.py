"""The words of notices, for somebody who works in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robota_nb.core.record.snapshot import MAX_BYTES, MAX_ENTRIES
from robota_nb.display.hints import HINTS, told
from robota_nb.display.report import summary
from robota_nb.sync.notices import (
    DocumentUnreadable,
    FileUnreadable,
    GoneFromFile,
    NotebookFull,
    NotebookLarge,
    NotInFile,
    StoreDamaged,
    StoreFailed,
    UnsavedAdded,
    UnsavedFound,
)

if TYPE_CHECKING:
    from robota_nb.carriers.cleaners import Cleaner
    from robota_nb.sync.notices import SyncNotice


def notice(of: SyncNotice) -> str:
    """Return a notice as its user reads it, in one line."""
    match of:
        case DocumentUnreadable(error=error):
            return (
                f"the snapshot in this notebook cannot be read, and is left as it is ({told(error)}); "
                "this kernel starts fresh, and %robota snapshot --replace writes over it"
            )
        case FileUnreadable(error=error):
            return f"this kernel starts fresh: {told(error)}"
        case NotebookLarge(size=size):
            return f"the conversations make this notebook {size / 1e6:.0f} MB large: go on in a new one soon"
        case NotebookFull():
            return (
                f"the conversations are over what a notebook may hold ({MAX_BYTES:,} bytes, "
                f"{MAX_ENTRIES:,} entries a session): what is new is in the local store only; go on in a new notebook"
            )
        case NotInFile(cleaner=cleaner):
            return (
                f"this notebook's file does not hold the conversations: {_who(cleaner)}; "
                "until then they are in the local store only"
            )
        case GoneFromFile(entries=entries, cleaner=cleaner):
            return (
                f"gone from this notebook's file: {summary(entries)}; %robota recover --saved adds them; "
                f"if nobody meant that, {_who(cleaner)}"
            )
        case UnsavedAdded(entries=entries):
            return f"added what the notebook had not saved: {summary(entries)}"
        case UnsavedFound(entries=entries):
            return f"not in this notebook's file: {summary(entries)}; %robota recover adds them"
        case StoreFailed(error=error):
            return f"{told(error)}; until then, conversations are kept in this kernel and the notebook only"
        case StoreDamaged(error=error):
            return f"the store holds something that is no entry, and it is left there ({told(error)})"
        case _:
            return of.in_words(HINTS)


def _who(cleaner: Cleaner | None) -> str:
    """Say what takes the conversations out of a file, and what has it keep them."""
    if cleaner:
        return f"{cleaner.name} cleans it, and keeps them with {cleaner.keep} in {cleaner.where}"
    return (
        "something cleans it, such as a pre_save_hook of the Jupyter server, and is to keep the metadata of notebooks "
        "under robota_nb"
    )
