"""Wires one shell: the manager to providers, persistence, commands and views.

Set up by the first command, not by ``%load_ext``.
"""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cached_property
from threading import Thread
from typing import TYPE_CHECKING, Any

from robota_nb.carriers.document import bridge
from robota_nb.carriers.file import notebook_path
from robota_nb.core.events import Delayed, EntriesAdded, Notice, TurnStarted
from robota_nb.core.inside import runtime_of, view_of
from robota_nb.core.manager import SessionManager
from robota_nb.core.ports import Warms
from robota_nb.core.rules.modes import MODES
from robota_nb.display.notices import notice
from robota_nb.display.render import choose_renderer
from robota_nb.errors import CommandError, nearest
from robota_nb.kernel.endpoints import Endpoints
from robota_nb.kernel.frontend_messages import FrontEndMessages
from robota_nb.kernel.idle import IdleWriter
from robota_nb.kernel.notices import Notices
from robota_nb.kernel.running_cell import RunningCell
from robota_nb.magics.handlers import HANDLERS
from robota_nb.magics.runner import Runner
from robota_nb.sync.partial_answers import PartialAnswers
from robota_nb.sync.persistence import Persistence
from robota_nb.sync.reader import NotebookReader
from robota_nb.sync.recovery import Recovery

if TYPE_CHECKING:
    from pathlib import Path

    from robota_nb.carriers.messages import FromFrontEnd
    from robota_nb.core.events import Event
    from robota_nb.core.ports import Level
    from robota_nb.core.rules.document import Cell
    from robota_nb.core.rules.modes import Mode
    from robota_nb.core.turn import Turn
    from robota_nb.magics.robota import RobotaMagics
    from robota_nb.switcher.hub import Hub
    from robota_nb.switcher.widget import Switcher
    from robota_nb.sync.notices import SyncNotice


class App:
    """The parts of one shell, wired; commands and views see it as their host.

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
        self.runner = Runner(shell, self, HANDLERS)
        self.endpoints = Endpoints(magics)
        self.manager = SessionManager(providers=self.endpoints)
        self._runtime = runtime_of(self.manager)
        self._bridge = bridge(shell)
        self._notices = Notices(shell, self._bridge)
        self.persistence = Persistence(
            self.manager, self._bridge.send, self._guess, self._notify, has_outputs=hasattr(shell, "kernel")
        )
        self.reader = NotebookReader(self.persistence, self._guess, self._notify)
        self.recovery = Recovery(self.persistence)
        self._partial_answers = PartialAnswers(self.manager, self.persistence)
        self._running = RunningCell(shell, self.manager, self.persistence.notebook)
        self._idle = IdleWriter(self._loop, self._running.is_running, self.persistence.write_pointers)
        self._messages = FrontEndMessages(
            self.manager,
            self.persistence,
            self.reader,
            send=self._bridge.send,
            notify=self._notices.tell,
            write_pointers=self._idle.write_now,
        )
        self._widget: Switcher | None = None
        if mode := _mode_of_environment():
            self._runtime.replay.mode = mode
        self.start(magics)

    def start(self, magics: RobotaMagics) -> None:
        """Begin to listen: set up, or when the extension is loaded again."""
        self.magics = magics
        magics.observe(self._configure)
        self._configure()
        self._unsubscribe = self.manager.subscribe(self._on_event)
        self._bridge.listen(self._on_message)
        if self._widget:
            self._widget.rejoin()

    def stop(self) -> None:
        """Write what waits, and listen no more; `start` takes it up again."""
        self._idle.write_now()
        self._running.end()
        self._unsubscribe()
        if "hub" in self.__dict__:
            self.hub.close()
        self.persistence.unsaved.store.close()

    def _configure(self, _: Any = None) -> None:
        magics, limits = self.magics, self._runtime.limits
        limits.max_active_sessions = magics.max_active_sessions
        limits.max_chats = magics.max_chats
        limits.max_messages = magics.max_messages
        self._runtime.replay.rerun = magics.rerun
        self.endpoints.configure(magics)
        self.persistence.automatic = magics.autosnapshot

    def _guess(self) -> Path | None:
        """Return the notebook's file if no front end has said which it is."""
        return notebook_path(self.shell.user_ns)

    def _loop(self) -> Any:
        return getattr(getattr(self.shell, "kernel", None), "io_loop", None)

    # -- what happens

    def _on_event(self, event: Event) -> None:
        if isinstance(event, EntriesAdded):
            self.persistence.commit({event.session: event.entries}, {event.session: event.removed})
        elif isinstance(event, TurnStarted):
            self._partial_answers.begin()
        elif isinstance(event, Notice):
            self._notify(event)
        elif isinstance(event, Delayed) and not self.runner.delayed(event):
            self._notices.tell(event.text)

    def _on_message(self, message: FromFrontEnd) -> None:
        self._messages.receive(message)
        if "hub" in self.__dict__:
            self.hub.touch()

    def _notify(self, of: SyncNotice) -> None:
        self._notices.tell(notice(of))

    def cell_begins(self, source: str, cell_id: str | None) -> None:
        """Note that a cell is about to be executed."""
        self._idle.cell_begins()
        self.runner.asked_here.clear()
        self._running.begin(source, cell_id)

    def cell_ends(self) -> None:
        """Note that the cell has been executed."""
        self._running.end()
        self._idle.cell_ends()

    # -- for commands and views

    def ready(self) -> None:
        """Adopt what the notebook holds, unless that was done."""
        if self.reader.adopt_notebook():
            self._warm_up()

    def _warm_up(self) -> None:
        """Import the client of a new notebook's model in the background: it takes half a second.

        A notebook with turns in it probably replays first, and is not to be slowed down.
        """
        if self._runtime.replay.mode == "strict" or any(view_of(s).record.nodes for s in self.manager.sessions()):
            return
        providers = self.endpoints

        def warm() -> None:
            with suppress(Exception):  # it shows nothing: whatever is wrong, the first ask will say
                name, _ = providers.default()
                if isinstance(provider := providers.get(name), Warms):
                    provider.warm()

        Thread(target=warm, name="robota_nb-warm-up", daemon=True).start()

    def cell(self) -> Cell:
        """Return the cell that is being executed."""
        return self._running.get()

    def level(self) -> Level:
        """Return how far the conversations have got."""
        return self.persistence.level

    def notices(self) -> list[str]:
        """Return the notices that no front end has shown, and forget them."""
        return self._notices.take()

    def write_soon(self) -> None:
        """Write the pointers that wait once the kernel is idle; may be called in any thread."""
        self._idle.write_soon()

    @cached_property
    def hub(self) -> Hub:
        """What tells the open views."""
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

    def display_turn(self, turn: Turn) -> None:
        """Show a turn as the result of a cell, unless it has just shown itself there."""
        if turn.id not in self.runner.asked_here:
            choose_renderer(self.shell).replay(turn.text, turn.finish_reason, {})


def _mode_of_environment() -> Mode | None:
    mode = os.environ.get("ROBOTA_NB_REPLAY")
    if not mode:
        return None
    if mode not in MODES:
        raise CommandError(f"ROBOTA_NB_REPLAY is {mode!r}{nearest(mode, MODES)}: set it to {', '.join(MODES)}")
    return mode
