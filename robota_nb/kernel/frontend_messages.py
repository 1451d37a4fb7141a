"""Does what the messages of the front end ask for; docs/protocol.md has all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from robota_nb._version import __version__
from robota_nb.core.inside import ledger_of, runtime_of
from robota_nb.core.rules.modes import MODES
from robota_nb.core.users import default_user

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from robota_nb.carriers.messages import Cells, CodeCell, FromFrontEnd, FromKernel, Open, Why
    from robota_nb.core.manager import SessionManager
    from robota_nb.core.rules.page import Shown
    from robota_nb.kernel.marks import MarksTeller
    from robota_nb.sync.persistence import Persistence
    from robota_nb.sync.reader import NotebookReader

    _Listed = tuple[str, str, Shown]

    class Allow(Protocol):
        """Lets calls of tools run."""

        def __call__(self, names: Iterable[str], *, trusted: bool) -> object:
            """Let calls of tools of these *names* run unasked; *trusted*: also while text of others is sent along."""
            ...


class FrontEndMessages:
    """Hands each message to the part that it is for.

    Parameters
    ----------
    manager, persistence, reader
        The conversations, what writes them into the notebook, and what reads them there.
    marks
        What tells the front end what is to be said of cells.
    send
        Sends a message to the front end.
    notify
        Tells the user something.
    write_pointers
        Writes the pointers (heads, active chats, settings) that wait.
    ask_why
        Returns the source of a cell that asks why another one has failed.
    allow
        Lets calls of tools run that the user of a runner has named.
    """

    def __init__(
        self,
        manager: SessionManager,
        persistence: Persistence,
        reader: NotebookReader,
        *,
        marks: MarksTeller,
        send: Callable[[FromKernel], None],
        notify: Callable[[str], None],
        write_pointers: Callable[[], None],
        ask_why: Callable[[Why], str],
        allow: Allow,
    ) -> None:
        self._runtime = runtime_of(manager)
        self._page = ledger_of(manager).page(default_user())
        self._marks = marks
        self._persistence = persistence
        self._reader = reader
        self._send = send
        self._notify = notify
        self._write_pointers = write_pointers
        self._ask_why = ask_why
        self._allow = allow
        self.trust: bool | None = None  # whether others may change where a chat asks; None: there is somebody to tell
        self.follows_updates = True  # whether an output that is updated changes where it stands
        self._lists: dict[str, list[_Listed]] = {}  # the cells, as each page has told them; at the end who told last

    def receive(self, message: FromFrontEnd) -> None:
        """Do what a (checked) message asks for."""
        match message["op"]:
            case "open":
                if mode := next((mode for mode in MODES if mode == message.get("replay")), None):
                    self._runtime.mode = mode
                self.trust = message.get("trust")
                self._allow(message.get("allow", ()), trusted=self.trust is True)
                self.follows_updates = message.get("updates", True)
                if (cells := message.get("cells")) is not None:
                    self._list(message.get("page", ""), _listed(cells))
                self._tell_prose(message)
                self._reader.document_opened(message)
                self._marks.opened()
                self._compare(message.get("version"))
            case "renamed":
                self._reader.document_renamed(message)
            case "changed":
                self._reader.document_changed(message["sessions"])
            case "cells":
                self._cells(message)
            case "sources":
                self._page.tell_sources(message["cell"], message["cells"])
                self._marks.soon()
            case "accept":
                wanted = message.get("cells")
                self._page.accept(lambda cell, _: wanted is None or cell.key in wanted)
                self._marks.now()
            case "again":
                self._page.ask_again(message["cell"])
            case "why":
                source = self._ask_why(message)
                self._send({"op": "insert", "page": message["page"], "below": message["cell"], "source": source})
            case "replay":
                self._runtime.mode = message["mode"]
            case "ack":
                self._persistence.acknowledge(message["seq"])
            case "saved":
                self._persistence.acknowledge_save(message["seq"])
            case "dropped":
                self._persistence.note_dropped(message["seq"])
            case "flush":
                self._write_pointers()
                asked = [turn for turn in self._runtime.shown if turn in self._runtime.made]
                self._send({"op": "flushed", "requests": self._runtime.requests, "asked": asked})

    def _cells(self, message: Cells) -> None:
        cells, at, gone = _listed(message["cells"]), message.get("from"), message.get("gone", 0)
        page = message.get("page", "")
        self._tell_prose(message)
        if at is None:
            self._list(page, cells)
        elif cells or gone or "prose" in message:
            self._splice(page, at, gone, cells)
        else:  # nothing has changed, so the front end wants to know where things stand
            self._marks.now()
            return
        self._marks.soon()

    def _list(self, page: str, cells: list[_Listed]) -> None:
        self._lists.pop(page, None)
        self._lists[page] = cells
        if len(self._lists) > _PAGES:
            del self._lists[next(iter(self._lists))]
        self._page.list_cells(cells)

    def _splice(self, page: str, at: int, gone: int, cells: list[_Listed]) -> None:
        """Take over a change; if another page has told since of its own, perhaps the same, what this one has in all."""
        own = self._lists.get(page)
        if own is not None:
            own[at : at + gone] = cells
        if own is None or page == next(reversed(self._lists)):
            self._page.splice(at, gone, cells)
        else:
            self._list(page, own)

    def _tell_prose(self, message: Open | Cells) -> None:
        if (prose := message.get("prose")) is not None:
            self._page.tell_prose(prose)

    def _compare(self, version: str | None) -> None:
        """Tell the user if the page is of another version: one that was open during an upgrade, or another install."""
        if version not in (None, __version__):
            self._notify(
                f"this page has robota_nb {version}, this kernel {__version__}: reload the page; "
                "if that does not help, install one version in both places"
            )


def _listed(cells: list[CodeCell]) -> list[_Listed]:
    """Return cells as the page lists them; what is none is left out."""
    return [_cell(*cell) for cell in cells if len(cell) in (_PAIR, _TRIPLE)]


def _cell(key: object, source: object, shows: object = None) -> _Listed:
    turns = tuple(turn for turn in shows if isinstance(turn, str)) if isinstance(shows, list) else None
    return str(key), str(source), turns


_PAGES = 8
"""Of how many pages the cells are kept: one that was closed cannot always say so."""

_PAIR, _TRIPLE = 2, 3
"""What a cell has: its id, the hash of its source, and if it has an output, the turns that this shows."""
