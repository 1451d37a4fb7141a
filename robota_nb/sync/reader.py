"""Reads what the notebook holds, from the front end or from its file, and has the manager adopt it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

from robota_nb.carriers import cleaners, file, output
from robota_nb.core.inside import ledger_of
from robota_nb.core.record import snapshot
from robota_nb.core.record.kinds import is_message
from robota_nb.core.record.relations import without_dangling
from robota_nb.core.users import default_user
from robota_nb.errors import SnapshotError
from robota_nb.sync.adoption import adopt, adopt_stored, continue_after, missing
from robota_nb.sync.notices import FileUnreadable, GoneFromFile, UnsavedAdded, UnsavedFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from robota_nb.carriers.messages import Change, Open, Renamed
    from robota_nb.carriers.output import CodeCell
    from robota_nb.core.ports import Entries
    from robota_nb.sync.notices import Notify
    from robota_nb.sync.persistence import Persistence


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """What was adopted from a notebook.

    Parameters
    ----------
    new
        The entries that were new here.
    document
        All entries, if it is the open document, whose entries were adopted before; else None.
    """

    new: Entries = field(default_factory=dict)
    document: Entries | None = None


class NotebookReader:
    """Adopts the snapshot of the notebook before the first command needs it, and whatever is added to it later.

    Parameters
    ----------
    persistence
        The manager that adopts it, the store, and what writes into the notebook.
    guess
        Returns the notebook's file if no front end has said which it is, or None.
    notify
        Takes a notice for the user.
    """

    def __init__(self, persistence: Persistence, guess: Callable[[], Path | None], notify: Notify) -> None:
        self._persistence = persistence
        self._manager = persistence.manager
        self._unsaved = persistence.unsaved
        self._notebook = persistence.notebook
        self._guess = guess
        self._notify = notify
        self._lock = RLock()
        self._opened: Open | None = None  # what the front end has said of the document, not adopted yet

    # -- the open document

    def document_opened(self, message: Open) -> None:
        """Note which document was opened; the first command adopts it, or this call, if there was one already."""
        if "problem" not in message or "path" in message:  # what could not be decoded stands for the same document
            self._unsaved.path = self._unsaved.locate(message)
        self._opened = message  # it stands for all before it
        at_work, self._notebook.adopted = self._notebook.adopted, False
        self._notebook.open(dirty=bool(message.get("dirty")))
        if at_work:
            self.adopt_notebook()

    def document_renamed(self, message: Renamed) -> None:
        """Note that the document has another path."""
        self._unsaved.rename(self._unsaved.locate(message))

    def document_changed(self, sessions: Mapping[str, Change]) -> None:
        """Adopt what others have added to the document, and put back what of ours they have removed."""
        self.adopt_notebook()
        if not self._notebook.readable:
            return
        ours = self._persistence.entries()
        try:
            added = snapshot.check_sessions({sid: change["add"] for sid, change in sessions.items()})
            theirs = {sid: without_dangling({**ours.get(sid, {}), **entries}) for sid, entries in added.items()}
            snapshot.parse(snapshot.dump(theirs))
        except SnapshotError as error:
            self._notebook.leave(error)
            return
        adopt(self._persistence, theirs)
        touched = {sid: [*change["add"], *change["remove"]] for sid, change in sessions.items()}
        ours = self._persistence.entries()
        back = {
            sid: {
                eid: ours[sid][eid]
                for eid in ids
                if eid in ours.get(sid, {}) and ours[sid][eid] != added.get(sid, {}).get(eid)
            }
            for sid, ids in touched.items()
        }
        if any(back.values()):
            self._notebook.write(back, {})

    # -- this notebook

    def adopt_notebook(self) -> bool:
        """Adopt the snapshot that the front end has sent or the file holds; False if that was done before."""
        with self._lock:  # a view may ask for it in another thread
            if self._notebook.adopted:
                return False
            if self._opened:
                self._adopt_document(self._opened)
            if self._notebook.document:
                if self._unsaved.path and self._notebook.readable:
                    self._add_unsaved()
                    if self._opened and self._opened.get("value") is None:
                        cells = self._opened.get("cells", [])
                        self._tell_gone(lambda: (str(cell[1]) for cell in cells if len(cell) > 1))
            elif path := self._guess():
                try:
                    notebook = file.load(path)
                    there, _ = self._adopt(path, notebook)
                except SnapshotError as error:
                    self._notify(FileUnreadable(error=error))
                else:
                    self._add_stored(there, list(output.code_cells(notebook)))
                    self._offer_unsaved()
                    if not there:
                        self._tell_gone(lambda: (cell.listed[1] for cell in output.code_cells(notebook)))
            self._opened, self._notebook.adopted = None, True  # only now: an interrupt above has it done again
            return True

    def _adopt_document(self, message: Open) -> None:
        """Adopt a document's snapshot, and write into it what this kernel has that it has not."""
        theirs = self._notebook.read(message)
        if theirs is None:
            return
        ours = missing(self._persistence.entries(), theirs)
        adopt(self._persistence, theirs)
        if not message.get("dirty"):
            self._unsaved.mark_found(theirs)
        if ours:
            self._notebook.write(ours, {})

    def _add_unsaved(self) -> None:
        """Add what the store has and the open document has not."""
        if new := adopt_stored(self._persistence, self._unsaved.entries()):
            self._notebook.write(new, {})
            self._notify(UnsavedAdded(entries=new))

    def _add_stored(self, there: Entries, cells: Iterable[CodeCell]) -> None:
        """Add what the store has of the conversations that the notebook's outputs carry, or have carried.

        Outputs are cleared, or never saved: then the store knows more of a session that is *there*, or in which one of
        the *cells* has asked.
        """
        names = {name for cell in cells for name in cell.listed[:2]}  # ids, and hashes of sources
        held = self._unsaved.entries()
        asked = {
            sid
            for sid, entries in held.items()
            for entry in entries.values()
            if is_message(entry) and not names.isdisjoint(entry.get("cell", ())[::2])
        }
        ours = {sid: entries for sid, entries in held.items() if sid in there or sid in asked}
        if new := adopt_stored(self._persistence, ours):
            self._notebook.outputs.restored(new)
            if _has_turns(new):
                self._notify(UnsavedAdded(entries=new))

    def _offer_unsaved(self) -> None:
        """Tell the user what the store has and the notebook's file has not."""
        unsaved = missing(self._unsaved.entries(), self._persistence.entries())
        if _has_turns(unsaved):
            self._notify(UnsavedFound(entries=unsaved))

    def _tell_gone(self, sources: Callable[[], Iterable[str]]) -> None:
        """Tell the user what was saved here and is not here any more, if cells still have the sources that asked it.

        Parameters
        ----------
        sources
            Returns the hashes of the cells' sources.
        """
        gone = missing(self._unsaved.filed(self._unsaved.place), self._persistence.entries())
        asked = {entry["cell"][-1] for entries in gone.values() for entry in entries.values() if entry.get("cell")}
        if asked.intersection(sources() if asked else ()):
            self._notify(GoneFromFile(entries=gone, cleaner=cleaners.near(Path(self._unsaved.place))))

    # -- a file

    def adopt_file(self, path: Path | None) -> Adopted:
        """Adopt the snapshot of a notebook file.

        Parameters
        ----------
        path
            The file; None for this notebook's own.

        Raises
        ------
        SnapshotError
            If nobody has told which notebook this is, or the file cannot be read.
        """
        if path is None and self._notebook.document:
            return Adopted(document=self._persistence.entries())
        where = path or self._guess()
        if where is None:
            raise SnapshotError("which notebook? No front end has told", hint="snapshot.resume")
        there, new = self._adopt(where, file.load(where))
        if path and where.absolute() != self._persistence.open_file:
            continue_after(self._manager, there)
        if new and (self._notebook.document or path):
            self._persistence.commit(new, {})
        return Adopted(new=new)

    def _adopt(self, path: Path, notebook: Mapping[str, Any]) -> tuple[Entries, Entries]:
        """Adopt what a file holds, in its metadata and in its outputs; return the entries, and which were new here."""
        if path == self._guess():
            page = ledger_of(self._manager).pages.get(default_user())
            if page is not None:
                page.expect(cell.listed for cell in output.code_cells(notebook))
        saved, riding = output.read(notebook)
        there = snapshot.merge(saved, riding)
        new = adopt(self._persistence, there)
        if str(path) == self._unsaved.place:
            self._unsaved.mark_found(saved)  # what rides is gone when outputs are cleared
        for cell, carried in output.riders(notebook):
            self._notebook.outputs.found(
                cell,
                str(carried.get("turn", "")),
                {
                    sid: {eid: riding[sid][eid] for eid in entries if eid in riding.get(sid, {})}
                    for sid, entries in carried["sessions"].items()
                },
            )
        return there, new


def _has_turns(entries: Entries) -> bool:
    return any(entry.get("role") == "assistant" for found in entries.values() for entry in found.values())
