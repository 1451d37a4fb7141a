"""What is behind the hooks of one shell: the manager wired to providers, persistence and commands.

The only place that knows everything; set up by the first command, not by ``%load_ext``.
"""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cached_property
from threading import Thread
from typing import TYPE_CHECKING, Any

from robota_nb._version import __version__
from robota_nb.carriers import chat_file as exchange
from robota_nb.carriers.document import bridge
from robota_nb.core.chat_format import Talk, add, exported
from robota_nb.core.events import Delayed, EntriesAdded, Notice, TurnStarted
from robota_nb.core.inside import ledger_of, runtime_of, view_of
from robota_nb.core.manager import SessionManager
from robota_nb.core.record.entries import source_hash
from robota_nb.core.record.text import count
from robota_nb.core.rules.modes import MODES
from robota_nb.core.users import default_user
from robota_nb.display.hints import HINTS
from robota_nb.display.render import choose_renderer
from robota_nb.display.report import plain, summary
from robota_nb.errors import CommandError, nearest
from robota_nb.kernel.endpoints import Servers
from robota_nb.magics.handlers import HANDLERS
from robota_nb.magics.runner import Runner
from robota_nb.sync.partial_answers import PartialAnswers
from robota_nb.sync.persistence import Persistence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from robota_nb.carriers.document import Message
    from robota_nb.core.chat import Chat
    from robota_nb.core.events import Event
    from robota_nb.core.rules.document import Cell
    from robota_nb.core.session import Session
    from robota_nb.core.turn import Turn
    from robota_nb.magics.robota import RobotaMagics
    from robota_nb.switcher.hub import Hub
    from robota_nb.switcher.widget import Switcher

IDLE = 1.0
"""Seconds without a running cell after which pointers are written (FACTS: Run All sends the next cell at once)."""


class Wiring:
    """One shell's wiring; the commands see it as their host.

    Parameters
    ----------
    shell
        The shell.
    magics
        The settings.
    """

    def __init__(self, shell: Any, magics: RobotaMagics) -> None:
        self.shell = shell
        self.magics = magics
        self.bridge = bridge(shell)
        self.runner = Runner(shell, self, HANDLERS)
        self.servers = Servers(magics)
        self.manager = SessionManager(providers=self.servers)
        self.runtime = runtime_of(self.manager)
        self.persistence = Persistence(
            self.manager, self.bridge.send, shell.user_ns, self.notify, has_outputs=hasattr(shell, "kernel")
        )
        self._partial_answers = PartialAnswers(self.manager, self.persistence.unsaved)
        self._cell: Cell | None = None
        self._notices: list[str] = []
        self._timer: Any = None
        self._widget: Switcher | None = None
        self._set_mode(_mode_of_environment())
        self.open(magics)

    def open(self, magics: RobotaMagics) -> None:
        """Begin to listen: set up, or when the extension is loaded again."""
        self.magics = magics
        magics.observe(self._configured)
        self._configured()
        self._unsubscribe = self.manager.subscribe(self._on_event)
        self.bridge.listen(self._on_message)
        if self._widget:
            self._widget.rejoin()

    def close(self) -> None:
        """Write what waits, and let go; `open` takes it up again."""
        self._write_pointers()
        self._cell = None
        self._unsubscribe()
        if "hub" in self.__dict__:
            self.hub.close()
        self.persistence.unsaved.store.close()

    def _configured(self, _: Any = None) -> None:
        magics, limits = self.magics, self.runtime.limits
        limits.max_active_sessions = magics.max_active_sessions
        limits.max_chats = magics.max_chats
        limits.max_messages = magics.max_messages
        self.runtime.replay.rerun = magics.rerun
        self.servers.configure(magics)
        self.persistence.automatic = magics.autosnapshot

    def _set_mode(self, wanted: object) -> None:
        if wanted in MODES:
            self.runtime.replay.mode = wanted

    def _on_event(self, event: Event) -> None:
        if isinstance(event, EntriesAdded):
            self.persistence.commit({event.session: event.entries}, {event.session: event.removed})
        elif isinstance(event, TurnStarted):
            self._partial_answers.begin()
        elif isinstance(event, Notice) or (isinstance(event, Delayed) and not self.runner.delayed(event)):
            self.notify(event.in_words(HINTS) if isinstance(event, Notice) else event.text)

    # -- cells

    def cell_begins(self, source: str, cell_id: str | None) -> None:
        """A cell is about to be executed."""
        self._cancel_timer()
        self.runner.asked_here.clear()
        self._cell = self._execution(source, cell_id)

    def cell_ends(self) -> None:
        """The cell has been executed: if none follows, the kernel is idle, and pointers are written."""
        self._cell = None
        self._soon()

    def _soon(self) -> None:
        self._cancel_timer()
        if loop := self._loop():
            self._timer = loop.call_later(IDLE, self._write_pointers)

    def _loop(self) -> Any:
        return getattr(getattr(self.shell, "kernel", None), "io_loop", None)

    def _execution(self, source: object, cell_id: object) -> Cell:
        text, raw = source if isinstance(source, str) else "", cell_id if isinstance(cell_id, str) else None
        cell = self.runtime.replay.document.run(raw, source_hash(text))
        self.persistence.cell_begins(cell.key, known=raw is not None)
        return cell

    def cell(self) -> Cell:
        """Return the cell that is being executed (also if the extension was loaded in that very cell)."""
        if self._cell is None:
            parent = self.shell.get_parent() if hasattr(self.shell, "get_parent") else {}
            source = parent.get("content", {}).get("code") if parent else None
            if source is None and self.shell.history_manager:
                source = self.shell.history_manager.input_hist_raw[-1]
            self._cell = self._execution(source, (parent or {}).get("metadata", {}).get("cellId"))
        return self._cell

    def settle(self) -> None:
        """Have what only points written once the kernel is idle; in whatever thread."""
        if loop := self._loop():
            loop.add_callback(lambda: None if self._cell else self._soon())  # else the cell's end does it
        else:
            self._write_pointers()

    def _write_pointers(self) -> None:
        self._cancel_timer()
        self.persistence.write_pointers()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._loop().remove_timeout(self._timer)
            self._timer = None

    # -- what the front end says

    def _on_message(self, message: Message) -> None:
        match message.get("op"):
            case "open":
                self._set_mode(message.get("replay"))
                self._list_cells(message.get("cells"))
                self.persistence.opened(message)
                self._compare(message.get("version"))
            case "renamed":
                self.persistence.renamed(message)
            case "changed":
                self.persistence.changed(message["sessions"])
            case "cells":
                self._list_cells(message.get("cells"))
            case "ack":
                self.persistence.acked(int(message.get("seq", 0)))
            case "saved":
                self.persistence.saved(int(message.get("seq", 0)))
            case "flush":
                self._write_pointers()
                asked = [turn for turn in self.runtime.replay.shown if turn in self.runtime.made]
                self.bridge.send({"op": "flushed", "requests": self.runtime.requests, "asked": asked})
        if "hub" in self.__dict__:
            self.hub.touch()

    def _compare(self, version: object) -> None:
        """Tell the user if the page is of another version: one that was open during an upgrade, or another install."""
        if version not in (None, __version__):
            self.notify(
                f"this page has robota_nb {version}, this kernel {__version__}: reload the page; "
                "if that does not help, install one version in both places"
            )

    def _list_cells(self, cells: object) -> None:
        if isinstance(cells, list):
            pairs = [(str(cell[0]), str(cell[1])) for cell in cells if isinstance(cell, list) and len(cell) == _PAIR]
            self.runtime.replay.document.list_cells(pairs)

    # -- for the commands

    def ready(self) -> None:
        """See to it that what the notebook holds has been taken over."""
        if self.persistence.take_over():
            self._warm_up()

    def _warm_up(self) -> None:
        """Import the client of a new notebook's model in the background: it takes half a second.

        A notebook with turns in it probably replays first, and is not to be slowed down.
        """
        if self.runtime.replay.mode == "strict" or any(view_of(s).record.nodes for s in self.manager.sessions()):
            return
        providers = self.servers

        def warm() -> None:
            with suppress(Exception):  # it shows nothing: whatever is wrong, the first ask will say
                name, _ = providers.default()
                getattr(providers.get(name), "warm", int)()

        Thread(target=warm, name="robota_nb-warm-up", daemon=True).start()

    def notify(self, text: str) -> None:
        """Tell the user: by the front end, else in a terminal at once, else with the next ``%robota``."""
        if self.persistence.document and self.bridge.reached:
            self.persistence.document.notify(text)
        elif getattr(self.shell, "kernel", None) is None:
            print(plain(text))  # noqa: T201 - a terminal has no other place
        else:
            self._notices.append(text)

    def level(self) -> str:
        """Say how far the conversations have got."""
        return self.persistence.level()

    @cached_property
    def hub(self) -> Hub:
        """What open views are told by."""
        from robota_nb.switcher.hub import Hub

        return Hub(self)

    def switcher(self) -> Switcher | str:
        """Return the switcher as a widget; where there are no widgets, as text."""
        if self._loop() is None:
            from robota_nb.switcher import fallback

            return fallback.text(self.manager)
        if self._widget is None or self._widget.comm is None:  # one for all cells that show it, unless it was closed
            from robota_nb.switcher.widget import Switcher

            self._widget = Switcher(self.hub)
        return self._widget

    def notices(self) -> list[str]:
        """Return the notices that no front end has shown, and forget them."""
        told, self._notices = self._notices, []
        return told

    def export(self, chat: Chat, path: str) -> str:
        """Write a chat into a file, and return the file's name."""
        return exchange.write(chat, path).name

    def bring(self, session: Session, path: str) -> str:
        """Add the chat in a file, and say what was added."""
        found = exchange.read(path)
        if isinstance(found, Talk):
            chat, _ = add(session, found)
            turns = count(len(found.turns), "turn")
            return f"{chat.name} is here: {turns}"  # the same when the cell runs again
        ledger_of(self.manager).hold_active(default_user())
        if new_entries := self.persistence.adopt(found):
            self.persistence.commit(new_entries, {})
        for sid, entries in found.items():
            back = self.manager.find_session(sid) or self.manager.bring_back(sid)
            chat_id = exported(entries)
            if back and chat_id and not view_of(back).has(chat_id):
                back.bring_back(chat_id)
        self.persistence.continue_after(found)
        names = ", ".join(self.manager.session(sid).name for sid in found)
        return f"in the session {names}: {summary(found)}"

    def provider_names(self) -> Iterable[str]:
        """Return the providers and endpoints there are."""
        return self.servers.names()

    def display_turn(self, turn: Turn) -> None:
        """Show a turn as the result of a cell, unless it has just shown itself there."""
        if turn.id not in self.runner.asked_here:
            choose_renderer(self.shell).replay(turn.text, turn.finish_reason, {})


_PAIR = 2


def _mode_of_environment() -> str | None:
    mode = os.environ.get("ROBOTA_NB_REPLAY")
    if mode and mode not in MODES:
        raise CommandError(f"ROBOTA_NB_REPLAY is {mode!r}{nearest(mode, MODES)}: set it to {', '.join(MODES)}")
    return mode
