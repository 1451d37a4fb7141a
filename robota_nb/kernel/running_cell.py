"""Which cell of the notebook is being executed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from robota_nb.core.inside import runtime_of
from robota_nb.core.record.entries import source_hash

if TYPE_CHECKING:
    from robota_nb.core.manager import SessionManager
    from robota_nb.core.rules.document import Cell
    from robota_nb.sync.notebook import Notebook


class RunningCell:
    """Notes each cell that is executed, for the replay of its asks and for the outputs that are replaced.

    Parameters
    ----------
    shell
        The shell.
    manager
        The conversations, whose replay knows the document's cells.
    notebook
        What carries entries, perhaps in the outputs of cells.
    """

    def __init__(self, shell: Any, manager: SessionManager, notebook: Notebook) -> None:
        self._shell = shell
        self._replay = runtime_of(manager).replay
        self._notebook = notebook
        self._cell: Cell | None = None

    def is_running(self) -> bool:
        """Say whether a cell is being executed."""
        return self._cell is not None

    def begin(self, source: object, cell_id: object) -> None:
        """Note that a cell is about to be executed."""
        self._cell = self._execution(source, cell_id)

    def end(self) -> None:
        """Note that the cell has been executed."""
        self._cell = None

    def get(self) -> Cell:
        """Return the cell that is being executed, also if the extension was loaded in that very cell."""
        if self._cell is None:
            parent = self._shell.get_parent() if hasattr(self._shell, "get_parent") else {}
            source = parent.get("content", {}).get("code") if parent else None
            if source is None and self._shell.history_manager:
                source = self._shell.history_manager.input_hist_raw[-1]
            self._cell = self._execution(source, (parent or {}).get("metadata", {}).get("cellId"))
        return self._cell

    def _execution(self, source: object, cell_id: object) -> Cell:
        text, raw = source if isinstance(source, str) else "", cell_id if isinstance(cell_id, str) else None
        cell = self._replay.document.run(raw, source_hash(text))
        self._notebook.outputs.begins(cell.key, known=raw is not None)
        return cell
