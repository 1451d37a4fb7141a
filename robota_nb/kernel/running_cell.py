"""Notes on the notebook's page which of its cells is being executed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robota_nb.core.inside import ledger_of
from robota_nb.core.record.entries import source_hash
from robota_nb.core.users import default_user

if TYPE_CHECKING:
    from collections.abc import Iterable

    from robota_nb.core.manager import SessionManager
    from robota_nb.core.notebook_page import NotebookPage
    from robota_nb.kernel.executions import Executed
    from robota_nb.sync.notebook import Notebook


class RunningCell:
    """Notes each cell that is executed, for the page and for the outputs that are replaced.

    Nothing is noted on the page before what the notebook holds is adopted: the first command does that, so no cell
    before it has done anything.

    Parameters
    ----------
    manager
        The conversations.
    notebook
        What carries entries, perhaps in the outputs of cells.
    """

    def __init__(self, manager: SessionManager, notebook: Notebook) -> None:
        self._ledger = ledger_of(manager)
        self._notebook = notebook
        self._cell: Executed | None = None  # that runs
        self._noted = False  # whether the page knows that
        self.sources: list[str] = []  # of the cells that have run, and of the one that does
        self._before: list[Executed] = []  # that have ended before anything was adopted

    @property
    def page(self) -> NotebookPage:
        """The notebook."""
        return self._ledger.page(default_user())

    @property
    def request(self) -> str | None:
        """The id of the message that the running cell is executed for; None if none runs."""
        return self._cell.request if self._cell else None

    def is_running(self) -> bool:
        """Say whether a cell is being executed."""
        return self._cell is not None

    @property
    def is_one_ask(self) -> bool:
        """Whether the running cell is a ``%%robota`` cell: nothing else is shown below it."""
        return self._cell is not None and self._cell.source.lstrip().startswith("%%robota")

    def begin(self, cell: Executed) -> None:
        """Note that a cell is about to be executed."""
        self.end()  # one that was given up
        self._cell = cell
        self.sources.append(cell.source)
        if self._notebook.adopted:
            self._note()

    def end(self, *, failed: bool = False) -> str | None:
        """Note that the cell has been executed, and return its key, if the page knows it; *failed*: with an error."""
        key = None
        if self._cell is not None:
            if not self._noted and not self._notebook.adopted:
                self._before.append(self._cell)
            else:
                self._note()
                key = self.page.end(failed=failed)
            self._cell, self._noted = None, False
        return key

    def get(self) -> NotebookPage:
        """Return the page, with the cell noted that is being executed, if there is one."""
        self._note()
        return self.page

    def redo(self, page: NotebookPage, sources: Iterable[str], done: int) -> bool:
        """Have the cells that have run do on a page what is recorded of them; as `NotebookPage.redo`."""
        return self._cell is not None and page.redo(list(sources), done, self._cell.strand)

    def replaces_outputs(self) -> None:
        """Note that the cell replaces its outputs, and what rode in them."""
        run = self.page.asking.running
        if run and self._cell:
            self._notebook.outputs.begins(run.cell.key, known=self._cell.id is not None)

    def _note(self) -> None:
        if self._noted or self._cell is None:
            return
        for former in self._before:
            self.page.begin(former.id, source_hash(former.source), former.strand)
            self.page.end(failed=False)
        self._before.clear()
        self.page.begin(self._cell.id, source_hash(self._cell.source), self._cell.strand)
        self._noted = True
        self.replaces_outputs()
