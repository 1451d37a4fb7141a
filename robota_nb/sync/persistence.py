"""Keeps one shell's conversations: in the local store first, then in what carries them into the notebook."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from robota_nb.carriers import document, output
from robota_nb.core.inside import ledger_of
from robota_nb.core.record import snapshot
from robota_nb.core.record.entries import canonical
from robota_nb.core.record.relations import without_dangling
from robota_nb.core.users import default_user
from robota_nb.display import report
from robota_nb.errors import SnapshotError
from robota_nb.sync.unsaved import Unsaved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from robota_nb.carriers.messages import Change, FromKernel, Open, Renamed
    from robota_nb.core.manager import SessionManager
    from robota_nb.core.ports import Entries, Entry
    from robota_nb.core.session import Session
    from robota_nb.core.turn import Turn


class Persistence:
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
        send: Callable[[FromKernel], None],
        namespace: Mapping[str, object],
        notify: Callable[[str], None],
        *,
        has_outputs: bool,
    ) -> None:
        self.manager = manager
        self._ledger = ledger_of(manager)
        self.has_outputs = has_outputs
        self.notify = notify
        self.automatic = True  # whether each turn is carried as soon as it is recorded
        self.unsaved = Unsaved(lambda: _file().notebook_path(namespace), notify)
        self.document: document.DocumentCarrier | None = None  # once a front end has opened one
        self.outputs = output.OutputCarrier()  # without one
        self._send = send
        self._namespace = namespace
        self._opened: Open | None = None  # what it has said of the document, to be taken over
        self._taken = False
        self._withheld: str | None = None  # why the notebook's own value must not be touched
        self._size = 0  # bytes of what the notebook holds, about
        self._stripped = False  # whether the user has taken the conversations out of the notebook
        self._behind = False  # whether something waits for `snapshot`, or did not fit

    # -- what the front end says

    def opened(self, message: Open) -> None:
        """A document was opened; the first command takes it over, or at once this kernel that is at work already."""
        if "problem" not in message or "path" in message:  # what could not be decoded stands for the same document
            self.unsaved.path = self.unsaved.locate(message)
        self._opened = message  # it stands for all before it
        at_work, self._taken = self._taken, False
        self.document = self.document or document.DocumentCarrier(self._send)
        self.document.opened(dirty=message.get("dirty", False))
        if at_work:
            self.take_over()

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
            self.unsaved.mark_saved(entries)

    def renamed(self, message: Renamed) -> None:
        """The document has another path."""
        self.unsaved.rename(self.unsaved.locate(message))

    def changed(self, sessions: Mapping[str, Change]) -> None:
        """Others have changed what the document holds: take over what is new, and put back what is missing."""
        self.take_over()
        if self._withheld is not None:
            return
        mine = self.recorded()["sessions"]
        try:
            added = snapshot.check_sessions({sid: change["add"] for sid, change in sessions.items()})
            theirs = {sid: without_dangling({**mine.get(sid, {}), **entries}) for sid, entries in added.items()}
            snapshot.parse(snapshot.dump(theirs))
        except SnapshotError as error:
            self._withhold(error)
            return
        self.adopt(theirs)
        touched = {sid: [*change["add"], *change["remove"]] for sid, change in sessions.items()}
        mine = self.recorded()["sessions"]
        back = {
            sid: {
                eid: mine[sid][eid]
                for eid in ids
                if eid in mine.get(sid, {}) and mine[sid][eid] != added.get(sid, {}).get(eid)
            }
            for sid, ids in touched.items()
        }
        if any(back.values()):
            self._carry(back, {})

    # -- taking over what the notebook holds

    def take_over(self) -> bool:
        """Take over the snapshot that the front end has sent or the file holds; False if that was done before."""
        with self._ledger.runtime.lock:  # a view may ask for it in another thread
            if self._taken:
                return False
            if self._opened:
                self._take_over_document(self._opened)
            if self.document:
                if self.unsaved.path and self._withheld is None:
                    self._add_unsaved()
            elif path := _file().notebook_path(self._namespace):
                try:
                    self._adopt_file(path)
                except SnapshotError as error:
                    self.notify(f"this kernel starts fresh: {error}")
                else:
                    self._offer_unsaved()
            self._opened, self._taken = None, True  # only now: an interrupt above has it done again
            return True

    def adopt(self, entries: Entries) -> dict[str, dict[str, Entry]]:
        """Take over what others may have written, note what this user's store does not know; return what was new."""
        with self._ledger.runtime.lock:
            new = self.manager.adopt(entries)
            self._ledger.runtime.foreign |= self.unsaved.unknown(new)
        return new

    def _take_over_document(self, message: Open) -> None:
        """Take over a document's snapshot, and bring it what this kernel has that it has not."""
        self._withheld = None
        try:
            if problem := message.get("problem"):
                raise SnapshotError(problem)  # noqa: TRY301 - said by the bridge, told like the others
            value = message.get("value")
            theirs = snapshot.parse(value) if value is not None else {}
        except SnapshotError as error:
            self._withhold(error)
            return
        self._size = message.get("size", 0)
        if self._size > snapshot.NOTICE_BYTES:
            self.notify(
                f"the conversations make this notebook {self._size / 1e6:.0f} MB large: go on in a new one soon"
            )
        mine = self._ledger.records(default_user())
        missing = {sid: {e: x for e, x in es.items() if e not in theirs.get(sid, {})} for sid, es in mine.items()}
        self.adopt(theirs)
        if not message.get("dirty"):
            self._note_saved(theirs)
        if any(missing.values()):
            self._carry(missing, {})

    def _withhold(self, error: SnapshotError) -> None:
        """Leave the notebook's value alone from now on."""
        self._withheld = str(error)
        self.notify(
            f"the snapshot in this notebook cannot be read, and is left as it is ({error}); "
            "this kernel starts fresh, and %robota snapshot --replace writes over it"
        )

    def _note_saved(self, there: Entries) -> None:
        """Note that a saved notebook holds these entries, which the kernel of that time may not have learned."""
        held = {sid: entries.keys() & there.get(sid, {}).keys() for sid, entries in self.unsaved.entries().items()}
        if any(held.values()):
            self.unsaved.mark_saved(held)

    def _add_unsaved(self) -> None:
        """Add what the store has and the notebook has not."""
        if new := self._adopt_whole(self.unsaved.entries()):
            self._carry(new, {})
            self.notify(f"added what the notebook had not saved: {report.summary(new)}")

    def _offer_unsaved(self) -> None:
        """Say what the store has and the notebook's file has not; it may stand in a document that is open."""
        mine = self.recorded()["sessions"]
        unsaved = {
            sid: {eid: entry for eid, entry in entries.items() if eid not in mine.get(sid, {})}
            for sid, entries in self.unsaved.entries().items()
        }
        if report.turns(unsaved):
            self.notify(f"not in this notebook's file: {report.summary(unsaved)}; %robota recover adds them")

    def _adopt_whole(self, entries: Entries) -> dict[str, dict[str, Entry]]:
        """Adopt entries as far as what they hang from is here; return what was new."""
        union = snapshot.merge(self.recorded()["sessions"], entries) if entries else {}
        whole = {sid: without_dangling(union[sid]) for sid in entries}
        return self.manager.adopt({sid: entries for sid, entries in whole.items() if entries})

    def recover(self, ref: str | None, *, saved: bool = False) -> str:
        """Add what the store holds of a notebook and was not saved, or (*saved*) all of it; say what was new."""
        place = self.unsaved.find(ref, saved=saved) if ref else self.unsaved.place
        held = self.unsaved.filed(place) if saved else self.unsaved.entries(place)
        new = self._adopt_whole(held)
        if new:
            self.commit(new, {})
            if ref:
                self.continue_after(new)
        if ref and place != self.unsaved.place:
            self.unsaved.mark_saved(new, place)  # it is this notebook's from now on
        mine = self.recorded()["sessions"]
        left = sum(eid not in mine.get(sid, {}) for sid, entries in held.items() for eid in entries)
        return report.recovered(new, left, {} if ref else self.unsaved.others())

    def _adopt_file(self, path: Path) -> tuple[Entries, Entries]:
        """Take over a notebook file's snapshot, in its metadata and in its outputs; return it, and what was new."""
        notebook = _file().load(path)
        saved, riding = output.read(notebook)
        there = snapshot.merge(saved, riding)
        new = self.adopt(there)
        if str(path) == self.unsaved.place:
            self._note_saved(there)
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
        if path and where.absolute() != self._open_file():
            self.continue_after(there)
        if new and (self.document or path):
            self.commit(new, {})
        return f"added: {report.summary(new)}" if new else "nothing new: all of it is here"

    def continue_after(self, there: Entries) -> None:
        """Let asks follow the turns of another notebook, whose cells are not ours to come."""
        replay = self._ledger.runtime.replay
        for view in self._ledger.sessions(default_user()) if replay.document.listed else ():
            for node in view.record.nodes.values():
                if node.id in there.get(view.id, {}) and replay.owner(view, node) is None:
                    replay.shown.setdefault(node.id, None)

    # -- writing

    def commit(self, add: Entries, remove: Mapping[str, Iterable[str]]) -> None:
        """Store first, then carry: what is in the store survives whatever happens to the carrier."""
        self.unsaved.change(add, remove)
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
            if Path(to).absolute() == self._open_file():
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
        elif self._stripped or not self.automatic:
            self._stripped = self._behind = False
            self._carry(whole, {})
        self.check()
        said = f"snapshot: {report.summary(whole)} · {self.level()}"
        if save and not self.document:
            return f"{said} · nothing here saves the notebook on request: save it as usual"
        if save:
            self._send({"op": "save"})
            return f"{said} · saving"
        return said

    def strip(self) -> str:
        """Take the conversations out of the open document; they stay in this kernel and in the store.

        Raises
        ------
        SnapshotError
            If no front end holds the document open.
        """
        if not self.document:
            raise SnapshotError("no front end holds this notebook open: there is nothing here to take them out of")
        self.document.write({}, {}, replace=True)
        self._stripped = self._behind = True
        self.unsaved.mark_saved(self.recorded()["sessions"])  # they are not to come back by themselves
        return "the conversations are out of this notebook; %robota snapshot puts them in again"

    def fetch(self, ref: str) -> Session | None:
        """Bring a session of another notebook, by its id, from the store into this one; None if there is none."""
        if not snapshot.is_session_id(ref):  # most refs are names, and the store is not read for those
            return None
        found = next((sessions[ref] for sessions in self.unsaved.elsewhere().values() if ref in sessions), None)
        if found is None:
            return None
        if new := self._adopt_whole({ref: found}):
            self.continue_after(new)
            self.commit(new, {})
        return self.manager.find_session(ref)

    def elsewhere(self) -> Mapping[str, Entries]:
        """Return the sessions of other notebooks that the store holds, by their place."""
        return self.unsaved.elsewhere()

    def check(self) -> None:
        """Raise `SnapshotError` if what the notebook holds cannot be read."""
        if self._withheld is not None:
            raise SnapshotError(
                f"the value in this notebook is no readable snapshot ({self._withheld}): "
                "%robota snapshot --replace writes over it"
            )

    def _carry(self, add: Entries, remove: Mapping[str, Iterable[str]]) -> None:
        if self._withheld is None and not self._stripped:
            (self.document or self.outputs).write(add, remove)

    def _fits(self, add: Entries) -> bool:
        """Say whether the notebook may take these entries; what is over a cap would not be read again."""
        self._size += sum(len(canonical(entry)) for entries in add.values() for entry in entries.values())
        most = max((size for sid, size in self._ledger.sizes(default_user()).items() if sid in add), default=0)
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
        return snapshot.dump(self._ledger.records(default_user()))

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
        return "in kernel" if self.unsaved.failed else "in store"

    def _open_file(self) -> Path | None:
        return Path(self.unsaved.path).absolute() if self.unsaved.path else None


def _file() -> Any:
    """Return the file carrier's module, which only some notebooks need."""
    from robota_nb.carriers import file

    return file
