"""Keeps one shell's conversations: in the local store first, then in what carries them into the notebook."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robota_nb.carriers import document, output
from robota_nb.core import snapshot
from robota_nb.core.entries import canonical
from robota_nb.errors import SnapshotError, StoreError
from robota_nb.notebook import report
from robota_nb.stores.memory import MemoryStore
from robota_nb.stores.sqlite import SqliteStore, default_store_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from robota_nb.carriers.document import Message
    from robota_nb.core.manager import SessionManager
    from robota_nb.core.ports import Entries, Store
    from robota_nb.core.turn import Turn

TERMINAL = "terminal"
"""Where the store files what belongs to no document."""


class Keeper:
    """What the notebook and the store hold of a manager's conversations, and how it gets there.

    Parameters
    ----------
    manager
        The conversations.
    send
        Sends a message to the front end.
    namespace
        The user's variables, where VS Code leaves the notebook's path.
    notify
        Tells the user something.
    has_outputs
        Whether outputs go into a notebook (in a terminal they do not).
    """

    def __init__(
        self,
        manager: SessionManager,
        send: Callable[[Message], None],
        namespace: Mapping[str, object],
        notify: Callable[[str], None],
        *,
        has_outputs: bool,
    ) -> None:
        self.manager = manager
        self.has_outputs = has_outputs
        self.notify = notify
        self.automatic = True  # whether each turn is carried as soon as it is recorded
        self.store: Store = _store()
        self.document: document.DocumentCarrier | None = None  # once a front end has opened one
        self.outputs = output.OutputCarrier()  # without one
        self._send = send
        self._namespace = namespace
        self._path: str | None = None  # of the open document, as the front end says
        self._opened: Message | None = None  # what it has said of the document, to be taken over
        self._taken = False
        self._withheld: str | None = None  # why the notebook's own value must not be touched
        self._size = 0  # bytes of what the notebook holds, about
        self._behind = False  # whether something waits for `snapshot`, or did not fit
        self._store_failed = False

    # -- what the front end says

    def opened(self, message: Message) -> None:
        """A document was opened; it is taken over by the next command."""
        if "problem" not in message:  # what could not be decoded says no path, and stands for the same document
            self._path = str(message["path"]) if message.get("path") else None
        self._opened = message  # it stands for all before it
        self._taken = False
        self.document = self.document or document.DocumentCarrier(self._send)

    def cell_begins(self, cell: str, *, known: bool) -> None:
        """A cell is executed, and its outputs are replaced (see `OutputCarrier.begins`)."""
        self.outputs.begins(cell, known=known)

    def acked(self, seq: int) -> None:
        """The document holds what was written up to *seq*."""
        if self.document:
            self.document.acked(seq)

    def saved(self, seq: int) -> None:
        """The document was saved with what was written up to *seq*."""
        for entries in self.document.saved(seq) if self.document else ():
            self._with_store(partial(self.store.mark_saved, self._place(), entries))

    # -- taking over what the notebook holds

    def take_over(self) -> bool:
        """Take over the snapshot that the front end has sent or the file holds; False if that was done before."""
        if self._taken:
            return False
        if self._opened:
            self._take_over_document(self._opened)
        if self.document:
            if self._path and self._withheld is None:
                self._add_unsaved()
        elif path := _file().notebook_path(self._namespace):
            try:
                self._adopt_file(path)
            except SnapshotError as error:
                self.notify(f"this kernel starts fresh: {error}")
        self._opened, self._taken = None, True  # only now: an interrupt above has it done again
        return True

    def _take_over_document(self, message: Message) -> None:
        """Take over a document's snapshot, and bring it what this kernel has that it has not."""
        self._withheld = None
        try:
            if problem := message.get("problem"):
                raise SnapshotError(str(problem))  # noqa: TRY301 - said by the bridge, told like the others
            value = message.get("value")
            theirs = snapshot.parse(value) if value is not None else {}
        except SnapshotError as error:
            self._withheld = str(error)
            self.notify(
                f"the snapshot in this notebook cannot be read, and is left as it is ({error}); "
                "this kernel starts fresh, and %robota snapshot --replace writes over it"
            )
            return
        self._size = message.get("size", 0)
        if self._size > snapshot.NOTICE_BYTES:
            self.notify(
                f"the conversations make this notebook {self._size / 1e6:.0f} MB large: go on in a new one soon"
            )
        mine = {s.id: s.record.entries for s in self.manager.sessions()}
        missing = {sid: {e: x for e, x in es.items() if e not in theirs.get(sid, {})} for sid, es in mine.items()}
        self.manager.adopt(theirs)
        if any(missing.values()):
            self._carry(missing, {})

    def _add_unsaved(self) -> None:
        """Add what the store has and the notebook has not, as far as the notebook still holds what that hangs from."""
        unsaved = self._with_store(lambda: self.store.unsaved(self._place())) or {}
        union = snapshot.merge(self.recorded()["sessions"], unsaved)
        whole = {sid: snapshot.closed(entries) for sid, entries in union.items()}
        if new := self.manager.adopt({sid: entries for sid, entries in whole.items() if entries}):
            self._carry(new, {})
            self.notify(f"added what the notebook had not saved: {report.summary(new)}")

    def _adopt_file(self, path: Path) -> tuple[Entries, Entries]:
        """Take over a notebook file's snapshot, in its metadata and in its outputs; return it, and what was new."""
        notebook = _file().load(path)
        saved, riding = output.read(notebook)
        there = snapshot.merge(saved, riding)
        new = self.manager.adopt(there)
        for cell, mine in output.riders(notebook):
            self.outputs.found(
                cell,
                {
                    sid: {eid: riding[sid][eid] for eid in entries if eid in riding.get(sid, {})}
                    for sid, entries in mine["sessions"].items()
                },
            )
        return there, new

    def resume(self, path: str | None) -> str:
        """Add a notebook file's snapshot, by default this notebook's own, and say what was added."""
        if path is None and self.document:
            return f"resumed: {report.summary(self.recorded()['sessions'])}"
        where = Path(path) if path else _file().notebook_path(self._namespace)
        if where is None:
            raise SnapshotError("which notebook? No front end has told: %robota resume PATH")
        there, new = self._adopt_file(where)
        if path and self.manager.replay.document.listed and where.absolute() != Path(self._path or "").absolute():
            self._continue_after(there)
        if new and (self.document or path):
            self.commit(new, {})
        return f"added: {report.summary(new)}" if new else "nothing new: all of it is here"

    def _continue_after(self, there: Entries) -> None:
        """Let asks follow the turns of another notebook, whose cells are not ours to come."""
        replay = self.manager.replay
        for session in self.manager.sessions():
            for node in session.record.nodes.values():
                if node.id in there.get(session.id, {}) and replay.owner(session, node) is None:
                    replay.shown.setdefault(node.id, None)

    # -- writing

    def commit(self, add: Entries, remove: Mapping[str, Iterable[str]]) -> None:
        """Store first, then carry: what is in the store survives whatever happens to the carrier."""
        self._with_store(lambda: self.store.add(self._place(), add))
        self._with_store(lambda: self.store.remove(self._place(), remove))
        if self.automatic and self._fits(add):
            self._carry(add, remove)
        else:
            self._behind = True

    def write_pointers(self) -> None:
        """Write heads, active pointers and settings, where they differ from what the notebook holds."""
        if self._taken:
            self.manager.flush()

    def snapshot(self, *, save: bool, to: str | None, replace: bool) -> str:
        """Write what is to be written, and say how far it got."""
        if to:
            if self._path and Path(to).absolute() == Path(self._path).absolute():
                raise SnapshotError(f"{Path(to).name} is open here: leave out --to, and save it as usual")
            whole = self.manager.snapshot()["sessions"]
            _file().FileCarrier(Path(to)).write(whole, {}, replace=replace)
            return f"snapshot: {report.summary(whole)} · saved in {Path(to).name}"
        whole = self.recorded()["sessions"]
        if replace and not self.document:
            raise SnapshotError(
                "no front end holds this notebook open: name the file, %robota snapshot --to PATH --replace"
            )
        if replace and self.document:
            snapshot.parse(snapshot.dump(whole))  # never write what could not be read again
            self._withheld = None
            self.document.write(whole, {}, replace=True)
        elif not self.automatic:
            self._carry(whole, {})
            self._behind = False
        self.check()
        said = f"snapshot: {report.summary(whole)} · {self.level()}"
        if save and not self.document:
            return f"{said} · nothing here saves the notebook on request: save it as usual"
        if save:
            self._send({"op": "save"})
        return said

    def check(self) -> None:
        """Raise `SnapshotError` if what the notebook holds cannot be read."""
        if self._withheld is not None:
            raise SnapshotError(
                f"the value in this notebook is no readable snapshot ({self._withheld}): "
                "%robota snapshot --replace writes over it"
            )

    def _carry(self, add: Entries, remove: Mapping[str, Iterable[str]]) -> None:
        if self._withheld is None:
            (self.document or self.outputs).write(add, remove)

    def _fits(self, add: Entries) -> bool:
        """Say whether the notebook may take these entries; what is over a cap would not be read again."""
        self._size += sum(len(canonical(entry)) for entries in add.values() for entry in entries.values())
        most = max((len(self.manager.session(sid).record.entries) for sid in add), default=0)
        if self._size <= snapshot.MAX_BYTES and most <= snapshot.MAX_ENTRIES:
            return True
        self.notify(
            f"the conversations are over what a notebook may hold ({snapshot.MAX_BYTES:,} bytes, "
            f"{snapshot.MAX_ENTRIES:,} entries a session): what is new is in the local store only; "
            "go on in a new notebook"
        )
        return False

    # -- telling

    def recorded(self) -> Mapping[str, Any]:
        """Return the snapshot as written, without what only points and waits."""
        return snapshot.dump({s.id: s.record.entries for s in self.manager.sessions()})

    def output_metadata(self, turn: Turn) -> dict[str, Any]:
        """Return the provenance of an answer, and the entries that ride with it where there is no document."""
        metadata: dict[str, Any] = {"model": turn.model, "finish_reason": turn.finish_reason}
        if not turn.id:
            return metadata
        if self.document is None and (riding := self.outputs.take()):
            metadata["sessions"] = riding
        return metadata | {"turn": turn.id}

    def level(self) -> str:
        """Say how far the conversations have got: in kernel, in store, in notebook, saved."""
        level = (self.document or self.outputs).level if self.document or self.has_outputs else "in kernel"
        if self._withheld is None and not self._behind and level != "in kernel":
            return level
        return "in kernel" if self._store_failed else "in store"

    # -- the store

    def _place(self) -> str:
        return self._path or str(_file().notebook_path(self._namespace) or TERMINAL)

    def _with_store(self, do: Callable[[], Any]) -> Any:
        """Use the store; a broken one costs its user a notice, never a turn."""
        try:
            done = do()
        except StoreError as error:
            if not self._store_failed:
                self._store_failed = True
                self.notify(f"{error}; until then, conversations are kept in this kernel and the notebook only")
            return None
        self._store_failed = False
        return done


def _file() -> Any:
    """Return the file carrier's module, which only some notebooks need."""
    from robota_nb.carriers import file

    return file


def _store() -> Store:
    where = os.environ.get("ROBOTA_NB_STORE")
    return MemoryStore() if where == "memory" else SqliteStore(where or default_store_path())
