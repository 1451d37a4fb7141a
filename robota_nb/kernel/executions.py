"""Which cells a shell executes: told from what is executed inside of them.

This is loaded with the extension, so it imports nothing that only a command needs.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from robota_nb.core.strand import Strand


class Executed(NamedTuple):
    """A cell as the shell tells it.

    Parameters
    ----------
    source
        Its source.
    id
        The front end's id of it.
    strand
        What code is the cell's.
    request
        The id of the message that the kernel executes it for; empty in a terminal.
    """

    source: str
    id: str | None
    strand: Strand
    request: str


class Executions:
    """Hears of all that a shell executes, and tells the cells among it; ``%run``, say, executes more inside of one.

    Parameters
    ----------
    shell
        The shell.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._cell: Executed | None = None  # that runs
        self._inner = 0  # how many run inside of it, each in the one before

    def loading(self) -> Executed | None:
        """Return the cell that loads the extension; None if none does, as where the configuration has it loaded."""
        parent = self._parent()
        content, source = parent.get("content", {}), None
        if parent:
            source = None if content.get("silent") else content.get("code")  # what is silent is no cell, and has no end
        elif (history := self._shell.history_manager) and len(history.input_hist_raw) > self._shell.execution_count:
            source = history.input_hist_raw[-1]
        if source is not None:
            self._cell = self._executed(source, parent.get("metadata", {}).get("cellId"))
        return self._cell

    def begin(self, source: object, cell_id: object) -> Executed | None:
        """Note that something is about to be executed, and return the cell if it is one."""
        cell, request = self._cell, self._request()
        if cell and cell.strand.is_here() and cell.request == request and cell_id in (None, cell.id):
            self._inner += 1
            return None
        self._cell, self._inner = self._executed(source, cell_id), 0  # one that was given up has not ended
        return self._cell

    def end(self) -> bool:
        """Note that something has been executed, and say whether it was a cell."""
        if self._inner:
            self._inner -= 1
            return False
        self._cell = None
        return True

    def _executed(self, source: object, cell_id: object) -> Executed:
        text, raw = source if isinstance(source, str) else "", cell_id if isinstance(cell_id, str) else None
        return Executed(text, raw, Strand(), self._request())

    def _request(self) -> str:
        return str(self._parent().get("header", {}).get("msg_id", ""))

    def _parent(self) -> dict[str, Any]:
        """Return the message that the kernel answers; empty in a terminal."""
        return (self._shell.get_parent() if hasattr(self._shell, "get_parent") else None) or {}
