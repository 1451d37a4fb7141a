"""The notebook of a kernel to which nobody has said which it is, as of one that a tool runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from robota_nb.carriers import output
from robota_nb.carriers.file import notebook_path
from robota_nb.core.inside import ledger_of, runtime_of
from robota_nb.core.manager import SessionManager
from robota_nb.core.record import snapshot
from robota_nb.core.record.entries import source_hash
from robota_nb.core.turn import Turn
from robota_nb.core.users import default_user
from robota_nb.display.place import keeps_outputs
from robota_nb.errors import NotebookUnknown, RobotaError
from robota_nb.sync import notebook_search

if TYPE_CHECKING:
    from collections.abc import Callable

    from robota_nb.core.live import LiveTurn
    from robota_nb.kernel.running_cell import RunningCell
    from robota_nb.sync.notebook_search import Found, Ran
    from robota_nb.sync.persistence import Persistence
    from robota_nb.sync.reader import NotebookReader

    Ask: TypeAlias = Callable[[SessionManager], Turn | LiveTurn]


class UnnamedNotebook:
    """Asks, and where a tool runs the notebook, finds its file by what is asked.

    Parameters
    ----------
    shell
        The shell.
    persistence
        The conversations, and what carries them.
    reader
        What adopts the file.
    running
        The cells that run.
    """

    def __init__(self, shell: Any, persistence: Persistence, reader: NotebookReader, running: RunningCell) -> None:
        self.path: Path | None = None  # the file, once it is found
        self._shell = shell
        self._manager = persistence.manager
        self._notebook = persistence.notebook
        self._reader = reader
        self._running = running

    def ask(self, ask: Ask) -> Turn | LiveTurn:
        """Ask; where there is no recorded answer, look for the notebook first.

        Raises
        ------
        NotebookUnknown
            If several notebooks may be the one that is run, and their answers differ.
        """
        done = self._running.page.done()
        try:
            answer = ask(self._manager)
        except RobotaError:
            if not self._find(ask, done):
                raise
        else:
            if isinstance(answer, Turn) or not self._find(ask, done):
                return answer
        return ask(self._manager)

    def check_known(self) -> None:
        """Raise if a tool runs the notebook, and nothing says which it is.

        Raises
        ------
        NotebookUnknown
            If that is so: then the embedded model is not to answer for want of a key.
        """
        if is_run_by_tool(self._shell) and not self._is_known():
            raise NotebookUnknown(
                "nothing says which notebook this is, and no model is chosen: set ROBOTA_NB_NOTEBOOK to the notebook's "
                "path to have its recorded answers, or OPENAI_API_KEY to ask"
            )

    def _is_known(self) -> bool:
        """Say whether it is known which notebook this is; what a kernel has inherited may name its parent's."""
        path = notebook_path(self._shell.user_ns)
        if self._notebook.document or self.path or not path or os.environ.get("ROBOTA_NB_NOTEBOOK"):
            return bool(self._notebook.document or self.path or path)
        return notebook_search.fitting(path, self._ran()) is not None

    def _find(self, ask: Ask, done: int) -> bool:
        """Adopt the notebook that has an answer to this ask; return whether there is one."""
        runtime = runtime_of(self._manager)
        is_said = self._notebook.document or os.environ.get("ROBOTA_NB_NOTEBOOK")
        if is_said or runtime.mode == "off" or runtime.requests or not is_run_by_tool(self._shell):
            return False
        found = notebook_search.find(Path.cwd(), self._ran(), lambda found: self._answered(found, ask, done))
        if found is None:
            return False
        with runtime.lock:
            ledger_of(self._manager).start_over(default_user())
            self._notebook.start_over()
            self.path = found.path
            self._reader.adopt_file(None)
            self._running.redo(self._running.page, map(source_hash, found.sources), done)
            self._running.replaces_outputs()
        return True

    def _ran(self) -> Ran:
        """Return the cells that have run: all, if the shell has kept them, else those since the loading one."""
        history = self._shell.history_manager
        kept = history.input_hist_raw[1:] if history else []
        known = [source.rstrip("\n") for source in self._running.sources]
        if [source.rstrip("\n") for source in kept[-len(known) :]] == known:
            return notebook_search.Ran(kept, from_start=True)
        return notebook_search.Ran(known, from_start=False)

    def _answered(self, found: Found, ask: Ask, done: int) -> Turn | None:
        """Return the answer that a notebook has to an ask: what a kernel would show that has always known it."""
        manager = SessionManager(providers=runtime_of(self._manager).providers)
        runtime_of(manager).mode = "strict"
        try:
            manager.adopt(snapshot.merge(*output.read(found.notebook)))
            page = ledger_of(manager).page(default_user())
            page.expect(cell.listed for cell in output.code_cells(found.notebook))
            known = self._running.redo(page, map(source_hash, found.sources), done)
            answer = ask(manager) if known else None
        except RobotaError:
            return None
        return answer if isinstance(answer, Turn) else None


def is_run_by_tool(shell: Any) -> bool:
    """Say whether a tool runs the cells, and no person: what cannot be answered is not to be asked there.

    So a front end says with each cell (``allow_stdin``). Of shells without a kernel, that is one which keeps what is
    displayed: a terminal prints it.
    """
    if getattr(shell, "kernel", None) is None:
        return keeps_outputs(shell)
    return (shell.get_parent() or {}).get("content", {}).get("allow_stdin") is False
