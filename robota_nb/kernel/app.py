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
from robota_nb.core.events import (
    Changed,
    Delayed,
    EntriesAdded,
    Notice,
    ServerHeard,
    StepsChanged,
    TextTakenBack,
    TurnStarted,
)
from robota_nb.core.inside import runtime_of, view_of
from robota_nb.core.manager import SessionManager
from robota_nb.core.ports import Warms
from robota_nb.core.record.config import OFFLINE
from robota_nb.core.rules.modes import MODES
from robota_nb.display.languages import translated
from robota_nb.display.notices import notice
from robota_nb.display.place import keeps_outputs, place
from robota_nb.display.render import choose_renderer
from robota_nb.errors import CommandError, nearest
from robota_nb.kernel.endpoints import Endpoints
from robota_nb.kernel.frontend_messages import FrontEndMessages
from robota_nb.kernel.idle import IdleWriter
from robota_nb.kernel.marks import MarksTeller
from robota_nb.kernel.notices import Notices
from robota_nb.kernel.running_cell import RunningCell
from robota_nb.kernel.tools import KernelTools
from robota_nb.kernel.unnamed_notebook import UnnamedNotebook
from robota_nb.magics.handlers import HANDLERS
from robota_nb.magics.key_guard import without_keys
from robota_nb.magics.runner import Runner
from robota_nb.prompt.question import failed_source, is_newest, question, shown_error
from robota_nb.stores.folder_shelf import default_shelf
from robota_nb.sync.partial_answers import PartialAnswers
from robota_nb.sync.persistence import Persistence
from robota_nb.sync.reader import NotebookReader
from robota_nb.sync.recovery import Recovery

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from robota_nb.carriers.messages import FromFrontEnd, Why
    from robota_nb.core.events import Event
    from robota_nb.core.live import LiveTurn
    from robota_nb.core.notebook_page import NotebookPage
    from robota_nb.core.ports import Level
    from robota_nb.core.rules.modes import Mode
    from robota_nb.core.rules.search import Match
    from robota_nb.core.runtime import OnForeignChange
    from robota_nb.core.turn import Turn
    from robota_nb.kernel.executions import Executed
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
        self.manager = SessionManager(providers=self.endpoints, shelf=default_shelf())
        self._runtime = runtime_of(self.manager)
        self.tools = KernelTools(shell, self.page, self._without_keys)
        self._runtime.make_toolbox, self._runtime.make_shape = self.tools.made, self.tools.shape
        self._bridge = bridge(shell)
        self._notices = Notices(shell, self._bridge)
        self.persistence = Persistence(
            self.manager, self._bridge.send, self._guess, self._notify, has_outputs=hasattr(shell, "kernel")
        )
        self.reader = NotebookReader(self.persistence, self._guess, self._notify)
        self.recovery = Recovery(self.persistence)
        self._partial_answers = PartialAnswers(self.manager, self.persistence)
        self._running = RunningCell(self.manager, self.persistence.notebook)
        self._unnamed = UnnamedNotebook(shell, self.persistence, self.reader, self._running)
        self._runtime.check_fallback = self._check_fallback
        self._idle = IdleWriter(self._loop, self._running.is_running, self.persistence.write_pointers)
        self._marks = MarksTeller(
            self._running.page,
            self._runtime,
            self._bridge.send,
            loop=self._loop,
            is_ready=lambda: self.persistence.notebook.adopted and not self._running.is_running(),
            on_memory=self._on_memory,
            say=self.say,
        )
        self._messages = FrontEndMessages(
            self.manager,
            self.persistence,
            self.reader,
            marks=self._marks,
            send=self._bridge.send,
            notify=self._notices.tell,
            write_pointers=self._idle.write_now,
            ask_why=self._ask_why,
            allow=self.tools.allow,
        )
        self._runtime.on_foreign_change = self._on_foreign_change
        self._widget: Switcher | None = None
        if mode := _mode_of_environment():
            self._runtime.mode = mode
        self.start(magics)

    def start(self, magics: RobotaMagics) -> None:
        """Begin to listen, by these settings: set up, or when the extension is loaded again."""
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
        self._marks.closed()
        self._running.end()
        self._unsubscribe()
        if "hub" in self.__dict__:
            self.hub.close()
        self.persistence.unsaved.store.close()

    def _configure(self, change: Any = None) -> None:
        magics, limits = self.magics, self._runtime.limits
        limits.max_active_sessions = magics.max_active_sessions
        limits.max_chats = magics.max_chats
        limits.max_messages = magics.max_messages
        self._runtime.rerun = magics.rerun
        self._runtime.max_rounds = magics.max_rounds
        self.tools.consent.policy = magics.tools
        self.tools.max_result = magics.max_result
        self._runtime.mark_unfinished = magics.mark_unfinished
        self.runner.remote_pictures = magics.remote_pictures
        if change and change["name"] == "remote_pictures":
            self._tell_pictures()
        self.endpoints.configure(magics)
        self.persistence.automatic = magics.autosnapshot

    def _without_keys(self, text: str) -> str:
        return without_keys(self.endpoints.without_keys(text))

    def _guess(self) -> Path | None:
        """Return the notebook's file if no front end has said which it is."""
        return self._unnamed.path or notebook_path(self.shell.user_ns)

    def _check_fallback(self) -> None:
        """Raise if the embedded model is not to answer where nobody has chosen it."""
        if self.magics.provider != OFFLINE:
            self._unnamed.check_known()

    def _loop(self) -> Any:
        return getattr(getattr(self.shell, "kernel", None), "io_loop", None)

    # -- what happens

    def _on_event(self, event: Event) -> None:
        if isinstance(event, Changed | EntriesAdded):
            self._marks.changed()
        if isinstance(event, EntriesAdded):
            self.persistence.commit({event.session: event.entries}, {event.session: event.removed})
        elif isinstance(event, TurnStarted):
            self._partial_answers.begin()
        elif isinstance(event, Notice):
            self._notify(event)
        elif isinstance(event, Delayed | ServerHeard | TextTakenBack | StepsChanged):
            if isinstance(event, StepsChanged):
                self._partial_answers.file(event.chat)
            shown = self.runner.hear(event)
            if isinstance(event, Delayed) and not shown:
                self._notices.tell_now(event.text)

    def _tell_pictures(self) -> None:
        self._bridge.send({"op": "pictures", "remote": self.magics.remote_pictures})

    def _on_message(self, message: FromFrontEnd) -> None:
        self._messages.receive(message)
        if message["op"] == "open" and self.magics.remote_pictures:
            self._tell_pictures()
        if "hub" in self.__dict__:
            self.hub.touch()

    def _on_memory(self) -> None:
        """Show in the views what the page remembers now, and have it written: cells may have moved."""
        if "hub" in self.__dict__:
            self.hub.touch(everything=True)
        self._idle.write_soon()

    def _on_foreign_change(self) -> OnForeignChange:
        """Say what comes of an ask of which somebody else has changed where it goes."""
        if self._messages.trust is not None:
            return "tell" if self._messages.trust else "refuse"
        seen = self._bridge.reached or not keeps_outputs(self.shell)
        return "tell" if seen else "refuse once"

    def _notify(self, of: SyncNotice) -> None:
        self._notices.tell(notice(of))

    def cell_begins(self, cell: Executed) -> None:
        """Note that a cell is about to be executed."""
        self._idle.cell_begins()
        self._marks.cell_begins()
        self.runner.asked_here.clear()
        self.tools.begins()
        self._running.begin(cell)

    def cell_ends(self, *, failed: bool = False) -> None:
        """Note that the cell has been executed; *failed*: with an error."""
        key = self._running.end(failed=failed)
        self.tools.ended(key)
        self._marks.cell_ended(key)
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
        if self._runtime.mode == "strict" or any(view_of(s).record.nodes for s in self.manager.sessions()):
            return
        providers = self.endpoints

        def warm() -> None:
            with suppress(Exception):  # it shows nothing: whatever is wrong, the first ask will say
                name, _ = providers.default()
                if isinstance(provider := providers.get(name), Warms):
                    provider.warm()

        Thread(target=warm, name="robota_nb-warm-up", daemon=True).start()

    def ask(self, ask: Callable[[SessionManager], Turn | LiveTurn]) -> Turn | LiveTurn:
        """Ask by calling *ask*; where nobody has told which notebook this is, it may be found for that."""
        return self._unnamed.ask(ask)

    def page(self) -> NotebookPage:
        """Return the notebook, in which the cell that is being executed is noted."""
        return self._running.get()

    def is_prompt(self, source: str) -> bool:
        """Say whether a cell of this source does nothing but talk to chats."""
        from robota_nb.magics.cell_text import is_talk

        return is_talk(source, self.magics.names())

    def say(self, text: str) -> str:
        """Return a text of this package in the language of the front end."""
        return translated(text, self._bridge.locale)

    @property
    def presets(self) -> Mapping[str, Any]:
        """The user's presets by name, as they are configured."""
        found: Mapping[str, Any] = self.magics.presets
        return found

    @property
    def request(self) -> str | None:
        """The id of the message that the running cell is executed for; None if none runs, empty in a terminal."""
        return self._running.request

    @property
    def running_number(self) -> int | None:
        """The number of the running cell, as its prompt shows it; None if none runs."""
        return int(self.shell.execution_count) if self._running.is_running() else None

    @property
    def is_one_ask(self) -> bool:
        """Whether the running cell is a ``%%robota`` cell: nothing else is shown below it."""
        return self._running.is_one_ask

    @property
    def shows_at_end(self) -> bool:
        """Whether answers are to be shown when they are whole, not while they arrive."""
        return not (self.magics.show_while_streaming and self._messages.follows_updates)

    @property
    def namespace(self) -> Mapping[str, object]:
        """Where the names of a prompt's fields are looked up: what cells see."""
        found: Mapping[str, object] = self.shell.user_ns
        return found

    @property
    def variables(self) -> Mapping[str, object]:
        """Those of them that the user has made."""
        from robota_nb.prompt.offers import variables_of

        return variables_of(self.shell)

    def preset(self, name: str) -> dict[str, str]:
        """Return the settings of a preset; `CommandError` if there is none, or it cannot be used."""
        from robota_nb.magics.presets import settings_of_preset

        return settings_of_preset(name, self.presets)

    def search(self, text: str, *, everywhere: bool) -> list[Match]:
        """Return the turns of the notebook that hold a text, or of all notebooks in the store."""
        from robota_nb.sync.search import found_here

        return found_here(self.persistence, text, everywhere=everywhere)

    def level(self) -> Level:
        """Return how far the conversations have got."""
        return self.persistence.level

    @property
    def replaces_cells(self) -> bool:
        """Whether there is a front end that can."""
        return self._bridge.reached

    def replace_cell(self, cell: str, former: str, source: str) -> None:
        """Have the front end put a source into a cell, if the hash of what stands there is still the *former* one."""
        self._bridge.send({"op": "code", "cell": cell, "hash": former, "source": source})

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

    def _ask_why(self, why: Why) -> str:
        """Return the source of a cell that asks why another one has failed."""
        shell, name, value, source = self.shell, why["ename"], why["evalue"], why["source"]
        is_last = is_newest(name, value, source, failed_source(shell))
        error = None if is_last else shown_error(name, value, why["traceback"])
        return question(source, shell.user_ns, error=error, hidden=shell.user_ns_hidden)

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
        """Show a turn, as the result of a cell, say, unless it has just shown itself there."""
        if self.runner.asked_here.get(turn.id) != place(self.shell):
            renderer = choose_renderer(self.shell, remote_pictures=self.magics.remote_pictures)
            renderer.replay(turn.text, turn.finish_reason, {}, turn.besides, turn.steps)


def _mode_of_environment() -> Mode | None:
    mode = os.environ.get("ROBOTA_NB_REPLAY")
    if not mode:
        return None
    if mode not in MODES:
        raise CommandError(f"ROBOTA_NB_REPLAY is {mode!r}{nearest(mode, MODES)}: set it to {', '.join(MODES)}")
    return mode
