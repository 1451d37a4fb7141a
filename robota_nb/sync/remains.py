"""Where text may still stand that was purged: what a purge does not reach, and its user has to know."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from robota_nb.core.record.fold import SessionState
from robota_nb.core.record.kinds import CONFIG, kind_of
from robota_nb.core.record.relations import references
from robota_nb.stores.sqlite import default_store_path

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from robota_nb.core.ports import Entry
    from robota_nb.sync.unsaved import Unsaved

_MOST_BYTES = 200_000_000
"""A larger copy is not looked through."""


class Remains(NamedTuple):
    """What a purge has not reached.

    Parameters
    ----------
    cells
        The numbers of the code cells, from 1, whose source or outputs may show it.
    chats
        The names of other chats that are asked with the same system prompt or settings.
    notebooks
        The other notebooks under which this machine's store holds any of it.
    files
        Copies that Jupyter and the store have made.
    in_outputs
        Whether outputs of cells may carry some of it in their metadata.
    """

    cells: tuple[int, ...] = ()
    chats: tuple[str, ...] = ()
    notebooks: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    in_outputs: bool = False


def numbered(cells: Iterable[int]) -> tuple[int, ...]:
    """Return the numbers of cells in order, each once; not 0, which stands for one that nobody knows."""
    return tuple(sorted(set(cells) - {0}))


def remains(
    unsaved: Unsaved, place: str, sessions: Collection[str], *, cells: Iterable[int] = (), chats: Iterable[str] = ()
) -> Remains:
    """Return where text of some sessions may still stand that was purged from a notebook.

    Parameters
    ----------
    unsaved
        This machine's store.
    place
        The notebook's.
    sessions
        The ids of the sessions of which something was purged.
    cells, chats
        See `Remains`.
    """
    wanted = set(sessions)
    others = [other for other in unsaved.places() if not same_place(other, place)]
    held = [other for other in others if not wanted.isdisjoint(unsaved.sessions_of(other))]
    copies = [path for path in _checkpoints(Path(place)) if _mentions(path, wanted)]
    store = default_store_path()
    copies += [path for sign in (".v*.bak*", ".damaged-*") for path in sorted(store.parent.glob(store.name + sign))]
    return Remains(numbered(cells), tuple(chats), tuple(held), tuple(map(str, copies)))


def same_place(one: str, other: str) -> bool:
    """Say whether two places of the store are one notebook."""
    return one == other or os.path.realpath(one) == os.path.realpath(other)


def sharing(entries: Mapping[str, Entry], gone: Collection[str]) -> list[str]:
    """Return the names of the chats that stay, and whose settings what is purged was asked with, too."""
    theirs = {link.target for eid in gone for link in references(entries[eid]) if link.kind == CONFIG.name}
    telling = {eid for eid in theirs - set(gone) if entries[eid].get("system") or entries[eid].get("params")}
    state = SessionState.of("", entries)
    chats = {
        entry["chat"]
        for eid, entry in entries.items()
        if eid not in gone and entry.get("config") in telling and "chat" in entry and kind_of(entry) is not CONFIG
    }
    return [chat.name for chat in state.chats_by_age() if chat.id in chats]


def _checkpoints(notebook: Path) -> Iterable[Path]:
    """Return the copy that Jupyter keeps of a notebook, if it does."""
    path = notebook.parent / ".ipynb_checkpoints" / f"{notebook.stem}-checkpoint{notebook.suffix}"
    return [path] if path.is_file() else []


def _mentions(path: Path, sessions: Collection[str]) -> bool:
    """Say whether a file has the id of any of these sessions in it; one that cannot be read may have."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            return True
        data = path.read_bytes()
    except OSError:
        return True
    return any(sid.encode() in data for sid in sessions)
