"""Removes chats and sessions for good from a notebook that no kernel holds open, and from the store of this machine."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

from robota_nb.carriers import file, output
from robota_nb.core.record import snapshot
from robota_nb.core.record.attachments import kept_beside
from robota_nb.core.record.entries import entry_id, fold_name, set_entry, source_hash, timestamp
from robota_nb.core.record.fold import SessionState
from robota_nb.core.record.kinds import is_stub
from robota_nb.core.record.relations import purge_of_all, purge_of_chats
from robota_nb.core.record.text import count
from robota_nb.core.rules.deletion import DELETED
from robota_nb.display import report
from robota_nb.display.notices import notice
from robota_nb.errors import ChatNotFound, SessionNotFound, SnapshotError, StoreError, nearest
from robota_nb.stores.folder_shelf import default_shelf
from robota_nb.sync.remains import remains, same_place, sharing
from robota_nb.sync.unsaved import Unsaved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
    from pathlib import Path

    from robota_nb.core.ports import Entries, Entry
    from robota_nb.core.record.nodes import Stamp

__all__ = ["purge"]

_LONG = 8
"""Lines of fewer characters say nothing: they may stand anywhere."""


class _Wanted(NamedTuple):
    """What is to go: chats, by the ids of their sessions, and whole sessions."""

    chats: dict[str, str]
    sessions: set[str]


def purge(
    notebook: Path,
    *,
    chats: Sequence[str] = (),
    sessions: Sequence[str] = (),
    everything: bool = False,
    notify: Callable[[str], None],
) -> str:
    """Remove chats and sessions for good, and say where their text still stands.

    Parameters
    ----------
    notebook
        The file; one that is gone may still be in the store.
    chats, sessions
        Their names or ids; deleted ones, too.
    everything
        All sessions of the notebook.
    notify
        Takes a line for the user.

    Raises
    ------
    ChatNotFound, SessionNotFound
        If there is none of a name, or more than one.
    SnapshotError
        If the notebook cannot be read or written; nothing has changed then.
    StoreError
        If the store cannot.
    """
    unsaved = Unsaved(lambda: None, lambda told: notify(notice(told)))
    with ExitStack() as stack:
        places = [place for place in unsaved.places() if same_place(place, str(notebook.absolute()))]
        stored = {place: unsaved.filed(place) for place in places}
        is_file = notebook.exists() or not places
        content = stack.enter_context(file.changing(notebook)) if is_file else None
        held = snapshot.merge(*(output.read(content) if content else ()), *stored.values())
        wanted = _wanted(held, chats, sessions, everything=everything)
        new, shared = _purged(held, wanted)
        cells = list(_showing(content, held, new)) if content else []
        if content:
            _put(content, new)
            output.read(content)  # never write what could not be read again
        for place, there in stored.items():
            unsaved.purge(place, _of_those(there, new))
    if unsaved.failed:
        raise StoreError(f"{notebook.name} was purged, and the store was not: close what uses it, and purge again")
    _drop_files(held, new)
    what = [count(len(wanted.chats), "chat")] if wanted.chats else []
    what += [count(len(wanted.sessions), "session")] if wanted.sessions else []
    verb = "is" if len(wanted.chats) + len(wanted.sessions) == 1 else "are"
    left = remains(
        unsaved, str(notebook.absolute()), {*wanted.sessions, *wanted.chats.values()}, cells=cells, chats=shared
    )
    unsaved.store.close()
    return report.purged(f"{notebook.name}: {' and '.join(what)} {verb}", left, open_here=False)


def _wanted(held: Entries, chats: Sequence[str], sessions: Sequence[str], *, everything: bool) -> _Wanted:
    states = {sid: SessionState.of(sid, entries) for sid, entries in held.items()}
    alive = {sid for sid, state in states.items() if not state.is_purged}
    if everything:
        if not alive:
            raise SnapshotError("there are no conversations: nothing was purged")
        return _Wanted({}, alive)
    found_sessions = [_one(ref, {sid: states[sid].names for sid in alive}, SessionNotFound) for ref in sessions]
    names = {chat.id: chat.names for state in states.values() for chat in state.chats.values()}
    home = {chat: sid for sid, state in states.items() for chat in state.chats}
    found = [_one(ref, names, ChatNotFound) for ref in chats]
    return _Wanted({chat: home[chat] for chat in found if home[chat] not in found_sessions}, set(found_sessions))


def _one(
    ref: str, names: Mapping[str, Sequence[tuple[Stamp, str]]], missing: type[ChatNotFound | SessionNotFound]
) -> str:
    """Return the id that is meant: by itself, by its last name, or by a former one."""
    what = "chat" if missing is ChatNotFound else "session"
    if ref in names:
        return ref
    folded = fold_name(ref.strip())
    last = [eid for eid, given in names.items() if given and fold_name(max(given)[1]) == folded]
    found = last or [eid for eid, given in names.items() if any(fold_name(name) == folded for _, name in given)]
    if len(found) == 1:
        return found[0]
    if found:
        raise missing(f"there are {len(found)} {what}s called {ref!r}: say which, by its id: {', '.join(found)}")
    near = nearest(ref, [max(given)[1] for given in names.values() if given])
    raise missing(f"no {what} is called {ref!r}{near}: robota-nb show lists them")


def _purged(held: Entries, wanted: _Wanted) -> tuple[dict[str, dict[str, Entry]], list[str]]:
    """Return what is to be added to each session, and which chats stay that share settings with what goes."""
    n = max((entry.get("n", 0) for entries in held.values() for entry in entries.values()), default=0)
    going = {*wanted.chats, *(chat for sid in wanted.sessions for chat in _chats_of(held[sid]))}
    new: dict[str, dict[str, Entry]] = {}
    shared: list[str] = []
    for sid, entries in held.items():
        whole = sid in wanted.sessions
        gone: dict[str, Entry] = dict(purge_of_all(entries) if whole else purge_of_chats(entries, going))
        shared += [] if whole else sharing(entries, gone.keys() & entries.keys())
        for chat in [None] if whole else [chat for chat, home in wanted.chats.items() if home == sid]:
            n += 1
            entry = set_entry(n=n, at=timestamp(), chat=chat, key="deleted", value=DELETED)
            gone[entry_id(entry)] = entry
        new |= {sid: gone} if gone else {}
    return new, shared


def _chats_of(entries: Mapping[str, Entry]) -> set[str]:
    return {entry["chat"] for entry in entries.values() if "chat" in entry}


def _of_those(there: Entries, new: Entries) -> dict[str, dict[str, Entry]]:
    """Return what a place is given that holds these entries: stubs of its own, and what is new."""
    return {
        sid: {eid: entry for eid, entry in new[sid].items() if eid in there[sid] or not is_stub(entry)}
        for sid in there.keys() & new.keys()
    }


# -- the notebook


def _put(content: MutableMapping[str, Any], new: Entries) -> None:
    """Put stubs in the place of what goes, where it stands: in the metadata, or in that of outputs."""
    value = content["metadata"].get(snapshot.KEY)
    riding = [mine for _, mine in output.riders(content)]
    if value is None and not riding:
        return
    value = value or snapshot.dump({})
    known = {
        sid: {eid for one in (value, *riding) for eid in one["sessions"].get(sid, {})} for sid in new
    }  # and not what only the store has
    sessions = dict(value["sessions"])
    for sid, entries in new.items():
        mine = sessions.get(sid, {})
        put = {eid: entry for eid, entry in entries.items() if eid in mine or (known[sid] and not is_stub(entry))}
        if put:
            sessions[sid] = {**mine, **put}
    content["metadata"][snapshot.KEY] = {**value, "sessions": sessions}
    for one in riding:
        for sid, entries in one["sessions"].items():
            stubs = new.get(sid, {})
            one["sessions"][sid] = {eid: stubs.get(eid, entry) for eid, entry in entries.items()}
    gone = {eid for entries in new.values() for eid, entry in entries.items() if is_stub(entry)}
    for cell in output.code_cells(content):
        for shown in cell.outputs:
            if (turn := output.turn_shown(shown)) in gone:  # which model it was is told there, too
                mine = shown["metadata"][snapshot.KEY]
                shown["metadata"][snapshot.KEY] = {
                    "turn": turn, **({"sessions": mine["sessions"]} if "sessions" in mine else {})
                }  # fmt: skip


def _showing(content: Mapping[str, Any], held: Entries, new: Entries) -> Iterator[int]:
    """Yield the numbers of the code cells that have asked what goes, show it, or have a line of it in them."""
    gone = [held[sid][eid] for sid, entries in new.items() for eid in entries if eid in held[sid]]
    ids = {eid for sid, entries in new.items() for eid in entries if eid in held[sid]}
    marks = [entry["cell"] for entry in gone if isinstance(entry.get("cell"), list)]
    asking = {mark[0] for mark in marks if mark and mark[0]}
    sources = {mark[-1] for mark in marks if mark}
    said = set(_lines(gone))
    for number, cell in enumerate(output.code_cells(content), 1):
        shown = [{key: value for key, value in one.items() if key != "metadata"} for one in cell.outputs]
        if (
            cell.key in asking
            or source_hash(cell.source) in sources
            or not ids.isdisjoint(cell.shows or ())
            or not said.isdisjoint(_lines([cell.source, *shown]))
        ):
            yield number


def _lines(values: Iterable[Any]) -> Iterator[str]:
    """Yield the lines that stand anywhere in values, but for short ones and ids."""
    left = list(values)
    while left:
        value = left.pop()
        if isinstance(value, dict):
            left += value.values()
        elif isinstance(value, list):
            left += value
        elif isinstance(value, str):
            yield from (line for line in map(str.strip, value.splitlines()) if len(line) >= _LONG)


def _drop_files(held: Entries, new: Entries) -> None:
    """Remove the files beside the store that were too large for the notebook."""
    shelf = default_shelf()
    for sid, entries in new.items():
        for eid in entries.keys() & held[sid].keys():
            if sha256 := kept_beside(held[sid][eid]):
                shelf.drop(sha256)
