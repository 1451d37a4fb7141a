"""Keeps what is recorded: in the local store first, then in the notebook."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from robota_nb.carriers import cleaners
from robota_nb.carriers.file import FileCarrier
from robota_nb.core.inside import ledger_of
from robota_nb.core.users import default_user
from robota_nb.errors import SnapshotError
from robota_nb.sync.commit_queue import CommitQueue
from robota_nb.sync.notebook import Notebook
from robota_nb.sync.notices import NotInFile
from robota_nb.sync.unsaved import Unsaved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from robota_nb.carriers.messages import FromKernel
    from robota_nb.core.manager import SessionManager
    from robota_nb.core.ports import Entries, Entry, Level
    from robota_nb.sync.notices import Notify


class Saving(Enum):
    """Whether a notebook is being saved: not if nobody wanted it, or if there is no front end that does it."""

    NOT_WANTED = auto()
    BEGUN = auto()
    IMPOSSIBLE = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotWritten:
    """What a snapshot of the conversations holds, and how far it got.

    Parameters
    ----------
    entries
        What it holds.
    level
        How far it got.
    saving
        Whether the notebook is being saved, too.
    """

    entries: Entries
    level: Level
    saving: Saving


@dataclass(frozen=True, slots=True, kw_only=True)
class FileWritten:
    """A notebook file that was written: its *path*, and the *entries* that it was given."""

    path: Path
    entries: Entries


class Persistence:
    """Commits entries to the store and the notebook, and says how far they have got.

    Parameters
    ----------
    manager
        The conversations.
    send
        Sends a message to the front end.
    guess
        Returns the notebook's file if no front end has said which it is, or None.
    notify
        Takes a notice for the user.
    has_outputs
        Whether outputs go into a notebook (in a terminal they do not).
    """

    def __init__(
        self,
        manager: SessionManager,
        send: Callable[[FromKernel], None],
        guess: Callable[[], Path | None],
        notify: Notify,
        *,
        has_outputs: bool,
    ) -> None:
        self.manager = manager
        self._ledger = ledger_of(manager)
        self._lock = self._ledger.runtime.lock
        self._queue = CommitQueue(self._lock)
        self.automatic = True  # whether each turn is written into the notebook as soon as it is recorded
        self.unsaved = Unsaved(guess, notify)
        self.notebook = Notebook(send, notify, has_outputs=has_outputs)
        self._notify = notify
        self._is_dropped = False  # whether the user knows that the file does not hold what was saved

    # -- writing

    def commit(self, add: Entries, remove: Mapping[str, Iterable[str]]) -> None:
        """Write entries, and all that was committed before them; return when that is done.

        A caller that holds the manager's lock only queues them: they are written as soon as it has let go.
        """
        with self._lock:
            self._queue.put(partial(self._write, add, remove))

    def commit_partial(self, session: str, chat: str, entries: Mapping[str, Entry]) -> None:
        """Write what has arrived of an answer to the store, in the place of what had arrived before; as `commit`."""
        with self._lock:
            self._queue.put(partial(self.unsaved.file_partial, session, chat, entries))

    def _write(self, add: Entries, remove: Mapping[str, Iterable[str]]) -> None:
        """Write entries to the store first, then into the notebook: what is in the store survives all that follows."""
        self.unsaved.commit(add, remove)
        if self.automatic and self.notebook.has_room(add, self._ledger.sizes(default_user())):
            self.notebook.write(add, remove)
        else:
            self.notebook.leave_out()

    def write_pointers(self) -> None:
        """Write heads, active pointers and settings, where they differ from what the notebook holds."""
        if self.notebook.adopted:  # else nobody knows yet what it holds
            self.manager.flush()

    def snapshot(self, *, save: bool = False, replace: bool = False) -> SnapshotWritten:
        """Write into the notebook what was not written yet.

        Parameters
        ----------
        save
            Whether to have the front end save the notebook, too.
        replace
            Whether to write over whatever the open document holds.

        Raises
        ------
        SnapshotError
            If what the document holds cannot be read; with *replace*, if no front end holds the document open.
        """
        entries = self.entries()
        if replace:
            self.notebook.replace(entries)
        elif self.notebook.stripped or not self.automatic:
            self.notebook.write_all(entries)
        self.notebook.check()
        level, saving = self.level, Saving.NOT_WANTED
        if save:
            saving = Saving.BEGUN if self.notebook.save() else Saving.IMPOSSIBLE
        return SnapshotWritten(entries=entries, level=level, saving=saving)

    def write_file(self, path: Path, *, replace: bool = False) -> FileWritten:
        """Write the snapshot, with what waits, into a notebook file that is not open here.

        Raises
        ------
        SnapshotError
            If the file is open here, or cannot be read or written.
        """
        if path.absolute() == self.open_file:
            raise SnapshotError(f"{path.name} is open here", hint="snapshot.open_here")
        entries = self.manager.snapshot()["sessions"]
        FileCarrier(path).write(entries, {}, replace=replace)
        return FileWritten(path=path, entries=entries)

    def strip(self) -> None:
        """Take the conversations out of the open document; they stay in this kernel and in the store.

        Raises
        ------
        SnapshotError
            If no front end holds the document open.
        """
        self.notebook.strip()
        self.unsaved.mark_saved(self.entries())  # they are not to come back by themselves

    # -- how far it has got

    @property
    def level(self) -> Level:
        """How far the conversations have got."""
        level = self.notebook.level
        return "in store" if level == "in kernel" and not self.unsaved.failed else level

    @property
    def open_file(self) -> Path | None:
        """The file of the document that is open, if a front end has told it."""
        return Path(self.unsaved.path).absolute() if self.unsaved.path else None

    def acknowledge(self, seq: int) -> None:
        """Note that the document holds what was written up to number *seq*."""
        if self.notebook.document:
            self.notebook.document.acked(seq)

    def acknowledge_save(self, seq: int) -> None:
        """Note that the document was saved with what was written up to number *seq*, and that its file holds it."""
        self._is_dropped = False
        for entries in self.notebook.document.saved(seq) if self.notebook.document else ():
            self.unsaved.mark_saved(entries)

    def note_dropped(self, seq: int) -> None:
        """Note that the document was saved with what was written up to number *seq*, and that its file lacks some."""
        if self.notebook.document:
            self.notebook.document.dropped(seq)
            if not self._is_dropped:
                self._is_dropped = True
                self._notify(NotInFile(cleaner=cleaners.near(self.open_file)))

    def entries(self) -> dict[str, dict[str, Entry]]:
        """Return all entries that are recorded: not what waits, such as heads that have moved."""
        return self._ledger.records(default_user())
