"""What the local store holds of one notebook: above all what the notebook has not saved yet."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robota_nb.core.events import Notice
from robota_nb.core.record.kinds import kind_of
from robota_nb.core.record.relations import lacking_in
from robota_nb.core.record.snapshot import check_entry, check_together, merge
from robota_nb.errors import SnapshotError, StoreError, nearest
from robota_nb.stores.memory import MemoryStore
from robota_nb.stores.sqlite import SqliteStore, default_store_path
from robota_nb.sync.notices import StoreDamaged, StoreFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from robota_nb.carriers.messages import Open, Renamed
    from robota_nb.core.ports import Entries, Entry, Store
    from robota_nb.sync.notices import Notify

TERMINAL = "terminal"
"""Where the store files what belongs to no notebook."""


class Unsaved:
    """Files entries in the store under the notebook's place; a store that fails costs a notice, never a turn.

    Parameters
    ----------
    guess
        Returns the notebook's file if no front end has said which it is, or None.
    notify
        Takes a notice for the user.
    """

    def __init__(self, guess: Callable[[], Path | None], notify: Notify) -> None:
        self.store: Store = _store(notify)
        self.path: str | None = None  # of the open document, as the front end says
        self.failed = False  # whether the store could not be used, and has taken nothing since
        self._guess = guess
        self._notify = notify
        self._refused: Entries = {}  # what the store could not take
        self._roots: dict[str, str] = {}  # a server's address -> the directory that it serves
        self._partial: dict[str, tuple[str, set[str]]] = {}  # chat -> its session, ids of the partial answer

    @property
    def place(self) -> str:
        """What the entries are filed under: the document's path, the notebook's file, or `TERMINAL`."""
        return self.path or str(self._guess() or TERMINAL)

    def locate(self, message: Open | Renamed) -> str | None:
        """Return the document's place as a front end tells it: ``path``, and the ``root`` that it starts from.

        The root is a directory; or, of an application that does not tell it, its address. Then the name that
        Jupyter has given the kernel's session tells the directory, if the kernel is on the same machine.
        """
        path, root = message.get("path"), message.get("root")
        if not path or not root:
            return path or None
        session = os.environ.get("JPY_SESSION_NAME", "")
        if "://" in root and session.endswith(f"/{path}"):
            self._roots[root] = session.removesuffix(path)
        return str(os.path.join(os.path.expanduser(self._roots.get(root, root)), path))  # noqa: PTH111, PTH118 - maybe a URL

    def rename(self, place: str | None) -> None:
        """File under another place what is filed here: the document was renamed."""
        former, self.path = self.path, place
        if former and place:
            self._use(lambda: self.store.move(former, place))

    def commit(self, add: Entries, remove: Mapping[str, Iterable[str]]) -> None:
        """Commit entries as not yet saved; drop superseded ones, and the partial answers that became whole.

        What the store has refused before comes along.
        """
        recorded = [entry["chat"] for es in add.values() for entry in es.values() if entry.get("role") == "assistant"]
        going = {sid: set(ids) for sid, ids in remove.items()}
        for sid, ids in filter(None, (self._partial.pop(chat, None) for chat in recorded)):
            going.setdefault(sid, set()).update(ids - add.get(sid, {}).keys())
        coming = merge(self._refused, add)
        self._use(lambda: self.store.add(self.place, coming, going), writes=True)
        self._refused = coming if self.failed else {}

    def file_partial(self, session: str, chat: str, entries: Mapping[str, Entry]) -> None:
        """File what has arrived of an answer, in the place of what had arrived before; `commit` files the whole."""
        if self.failed:  # the whole will find out whether that is over
            return
        _, former = self._partial.get(chat, (session, set()))
        mine = {eid for eid, entry in entries.items() if not kind_of(entry).is_shared}  # others may need those by now
        self._partial[chat] = session, mine
        self._use(lambda: self.store.add(self.place, {session: entries}, {session: former - mine}), writes=True)

    def mark_saved(self, entries: Mapping[str, Iterable[str]], place: str | None = None) -> None:
        """Note that the notebook has saved these."""
        saved = {sid: set(ids) for sid, ids in entries.items()}
        self._use(lambda: self.store.mark_saved(place or self.place, saved))
        self._refused = {
            sid: {eid: entry for eid, entry in refused.items() if eid not in saved.get(sid, ())}
            for sid, refused in self._refused.items()
        }

    def mark_found(self, there: Entries) -> None:
        """Mark the entries as saved that a saved notebook holds: the kernel that wrote them may not have learned it."""
        ours = self.entries()
        lacking = {sid: lacking_in(entries, there.get(sid, {})) for sid, entries in ours.items()}
        held = {sid: entries.keys() - lacking[sid].keys() for sid, entries in ours.items()}
        if any(held.values()):
            self.mark_saved(held)

    def entries(self, place: str | None = None) -> dict[str, dict[str, Entry]]:
        """Return the entries that the notebook has not saved; not the partial answers of this kernel."""
        return self._readable(self._use(lambda: self.store.unsaved(place or self.place)) or {})

    def filed(
        self, place: str, wanted: Callable[[Iterable[Entry]], bool] = lambda _: True
    ) -> dict[str, dict[str, Entry]]:
        """Return all entries that are filed under a place, of the *wanted* sessions; not partial answers, as `entries`.

        Only those sessions are checked, which takes longer than to look for what is wanted of them.
        """
        held = self._use(lambda: self.store.entries(place)) or {}
        return self._readable({sid: entries for sid, entries in held.items() if wanted(entries.values())})

    def elsewhere(
        self, wanted: Callable[[Iterable[Entry]], bool] = lambda _: True
    ) -> dict[str, dict[str, dict[str, Entry]]]:
        """Return all that is filed under other places, of the *wanted* sessions: place → session id → entries."""
        return {place: self.filed(place, wanted) for place in self._other_places()}

    def unknown(self, entries: Entries) -> set[str] | None:
        """Return the ids of those entries that this user's store has never held; None if it holds nothing at all."""
        if entries and not self._use(self.store.documents):
            return None
        known = {sid: self._use(partial(self.store.ids, sid)) for sid in entries}
        return {eid for sid, es in entries.items() if (held := known[sid]) is not None for eid in es if eid not in held}

    def others(self) -> dict[str, int]:
        """Return the other places with entries that were not saved, and how many."""
        places = self._use(self.store.unsaved_documents) or {}
        return {place: count for place, count in places.items() if place != self.place}

    def find(self, ref: str, *, saved: bool = False) -> str:
        """Return the place, with entries that were not saved or with any, that a user means by its path or its end.

        Raises
        ------
        StoreError
            If there is none, or more than one.
        """
        places: list[str] = [*(self._other_places() if saved else self.others()), self.place]
        wanted = {ref, str(Path(ref).absolute())}
        found = [place for place in places if place in wanted] or [
            place for place in places if place.endswith(f"/{ref.removeprefix('./')}")
        ]
        if len(found) != 1:
            if found:
                raise StoreError(f"the store holds several notebooks called {ref!r}: give more of the path")
            raise StoreError(f"the store holds nothing of {ref!r}{nearest(ref, places)}", hint="store.list")
        return found[0]

    def places(self) -> list[str]:
        """Return all places under which something is filed."""
        return list(self._use(self.store.documents) or ())

    def sessions_of(self, place: str) -> set[str]:
        """Return the ids of the sessions of which something is filed under a place, unchecked."""
        return set(self._use(lambda: self.store.entries(place)) or ())

    def purge(self, place: str, stubs: Entries) -> None:
        """File stubs in the place of what is filed under a place; the notebook gets them when it is opened next."""
        self._use(lambda: self.store.add(place, stubs), writes=True)

    def _other_places(self) -> list[str]:
        return [place for place in self.places() if place != self.place]

    def _readable(self, found: dict[str, dict[str, Entry]]) -> dict[str, dict[str, Entry]]:
        """Return what is an entry and can be read; not the partial answers of this kernel.

        Of what cannot be read the user is told, and it stays in the store.
        """
        partial_answers = {eid for _, ids in self._partial.values() for eid in ids}
        whole: dict[str, dict[str, Entry]] = {}
        problem: SnapshotError | None = None
        for sid, entries in found.items():
            good: dict[str, Entry] = {}
            for eid, entry in entries.items():
                if eid in partial_answers:
                    continue
                try:
                    check_entry(sid, eid, entry)
                    good[eid] = entry
                except SnapshotError as error:
                    problem = error
            try:
                check_together(sid, good)
                whole |= {sid: good} if good else {}
            except SnapshotError as error:
                problem = error
        if problem:
            self._notify(StoreDamaged(error=problem))
        return whole

    def _use(self, do: Callable[[], Any], *, writes: bool = False) -> Any:
        try:
            done = do()
        except StoreError as error:
            if not self.failed:
                self.failed = True
                self._notify(StoreFailed(error=error))
            return None
        if writes:  # a store that can only be read has failed still
            self.failed = False
        return done


def _store(notify: Notify) -> Store:
    if os.environ.get("ROBOTA_NB_STORE") == "memory":
        return MemoryStore()
    return SqliteStore(default_store_path(), lambda text: notify(Notice(text=text)))
