"""Does what the messages of the front end ask for; docs/protocol.md has all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robota_nb._version import __version__
from robota_nb.core.inside import runtime_of
from robota_nb.core.rules.modes import MODES

if TYPE_CHECKING:
    from collections.abc import Callable

    from robota_nb.carriers.messages import FromFrontEnd, FromKernel
    from robota_nb.core.manager import SessionManager
    from robota_nb.sync.persistence import Persistence
    from robota_nb.sync.reader import NotebookReader

_PAIR = 2  # a cell as the front end lists it: [id, hash of its source]


class FrontEndMessages:
    """Hands each message to the part that it is for.

    Parameters
    ----------
    manager, persistence, reader
        The conversations, what writes them into the notebook, and what reads them there.
    send
        Sends a message to the front end.
    notify
        Tells the user something.
    write_pointers
        Writes the pointers (heads, active chats, settings) that wait.
    """

    def __init__(
        self,
        manager: SessionManager,
        persistence: Persistence,
        reader: NotebookReader,
        *,
        send: Callable[[FromKernel], None],
        notify: Callable[[str], None],
        write_pointers: Callable[[], None],
    ) -> None:
        self._runtime = runtime_of(manager)
        self._persistence = persistence
        self._reader = reader
        self._send = send
        self._notify = notify
        self._write_pointers = write_pointers

    def receive(self, message: FromFrontEnd) -> None:
        """Do what a (checked) message asks for."""
        match message["op"]:
            case "open":
                if mode := next((mode for mode in MODES if mode == message.get("replay")), None):
                    self._runtime.replay.mode = mode
                self._list_cells(message.get("cells"))
                self._reader.document_opened(message)
                self._compare(message.get("version"))
            case "renamed":
                self._reader.document_renamed(message)
            case "changed":
                self._reader.document_changed(message["sessions"])
            case "cells":
                self._list_cells(message["cells"])
            case "ack":
                self._persistence.acknowledge(message["seq"])
            case "saved":
                self._persistence.acknowledge_save(message["seq"])
            case "flush":
                self._write_pointers()
                asked = [turn for turn in self._runtime.replay.shown if turn in self._runtime.made]
                self._send({"op": "flushed", "requests": self._runtime.requests, "asked": asked})

    def _compare(self, version: str | None) -> None:
        """Tell the user if the page is of another version: one that was open during an upgrade, or another install."""
        if version not in (None, __version__):
            self._notify(
                f"this page has robota_nb {version}, this kernel {__version__}: reload the page; "
                "if that does not help, install one version in both places"
            )

    def _list_cells(self, cells: list[list[str]] | None) -> None:
        if cells is not None:
            pairs = [(cell[0], cell[1]) for cell in cells if len(cell) == _PAIR]
            self._runtime.replay.document.list_cells(pairs)
