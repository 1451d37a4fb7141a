"""Hooks one IPython shell, and unhooks it: what ``%load_ext`` and ``%unload_ext`` do.

Loading takes a few milliseconds, because the app that the hooks lead to (`robota_nb.kernel.app`) is set up by the first
command.
"""

from __future__ import annotations

import atexit
from threading import RLock
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from traitlets import TraitError

from robota_nb._version import __version__
from robota_nb.carriers.document import bridge
from robota_nb.magics import completer
from robota_nb.magics.questions import protect
from robota_nb.magics.robota import RobotaMagics
from robota_nb.switcher.views import Views

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import ExecutionInfo, InteractiveShell

    from robota_nb.core.turn import Turn
    from robota_nb.kernel.app import App
    from robota_nb.magics.runner import Runner
    from robota_nb.switcher.hub import Hub

_HOOKED: WeakKeyDictionary[Any, Extension] = WeakKeyDictionary()

_KEPT: WeakKeyDictionary[Any, App] = WeakKeyDictionary()
"""What unloading leaves for the next load: ``%reload_ext`` unloads first, and keeps the sessions."""


def load(shell: InteractiveShell) -> None:
    """Hook a shell, unless it is."""
    if shell not in _HOOKED:
        _HOOKED[shell] = Extension(shell)


def unload(shell: InteractiveShell) -> None:
    """Unhook a shell."""
    if extension := _HOOKED.pop(shell, None):
        extension.unhook()
        if extension.started:
            _KEPT[shell] = extension.started


class Extension:
    """The hooks in one shell.

    Parameters
    ----------
    shell
        The shell.
    """

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.magics = self._configured_magics()
        self.started: App | None = _KEPT.pop(shell, None)  # once there was a command
        self._ran: list[tuple[str, str | None]] = []  # cells executed before there was an app
        self._lock = RLock()  # a view may be the first to need it, in another thread
        self._views = Views(self._listener)
        shell.register_magics(self.magics)
        shell.events.register("pre_run_cell", self._cell_begins)
        shell.events.register("post_run_cell", self._cell_ends)
        shell.input_transformers_cleanup.append(protect)
        self._completer = completer.install(shell, self.app)
        self._formatter = shell.display_formatter.ipython_display_formatter
        self._formatter.for_type_by_name("robota_nb.core.turn", "Turn", self._display_turn)
        bridge(shell).connect(__version__, self._later)
        if self._kernel:
            self._views.register()
        atexit.register(self._exit)
        if self.started is not None:
            self.started.start(self.magics)

    def _configured_magics(self) -> RobotaMagics:
        try:
            return RobotaMagics(self.shell, self.runner)
        except TraitError as error:  # what %config has refused still stands in the configuration
            print(f"robota_nb is loaded with its defaults: {error}")  # noqa: T201 - the user has to know
            self.shell.config.pop("RobotaMagics", None)
            return RobotaMagics(self.shell, self.runner)

    def unhook(self) -> None:
        """Take away all that was hooked, and write what waits."""
        atexit.unregister(self._exit)
        self._stop()
        bridge(self.shell).disconnect()
        if self._kernel:
            self._views.unregister()
        self._unhook_formatter()
        completer.uninstall(self.shell, self._completer)
        self.shell.input_transformers_cleanup.remove(protect)
        self.shell.events.unregister("pre_run_cell", self._cell_begins)
        self.shell.events.unregister("post_run_cell", self._cell_ends)
        self.magics.unobserve_all()
        self.shell.configurables.remove(self.magics)
        self.shell.magics_manager.registry.pop(type(self.magics).__name__, None)
        for kind in ("line", "cell"):
            self.shell.magics_manager.magics[kind].pop("robota", None)

    @property
    def _kernel(self) -> Any:
        """The shell's kernel; None in a terminal."""
        return getattr(self.shell, "kernel", None)

    def _later(self, delay: float, call: Callable[[], None]) -> None:
        """Call a function after so many seconds, when the kernel is idle; at once where it has no loop.

        A kernel that loads the extension as it starts has no loop yet.
        """
        if loop := getattr(self._kernel, "io_loop", None):
            loop.add_callback(loop.call_later, delay, call)
        else:
            call()

    def app(self) -> App:
        """Return the app that the hooks lead to; the first call sets it up."""
        with self._lock:
            if self.started is None:
                from robota_nb.kernel.app import App

                self.started = App(self.shell, self.magics)
                for source, cell_id in self._ran:
                    self.started.cell_begins(source, cell_id)
                self._ran.clear()
                if self._views.waiting:
                    self._views.start(self.started.hub)
        return self.started

    def _listener(self, looks: bool) -> Hub | None:
        return self.app().hub if looks or self.started else None

    def runner(self) -> Runner:
        """Return what runs the commands."""
        return self.app().runner

    def _cell_begins(self, info: ExecutionInfo) -> None:
        source, cell_id = str(info.raw_cell), info.cell_id
        if self.started is None:
            self._ran.append((source, cell_id))
        else:
            self.started.cell_begins(source, cell_id)

    def _cell_ends(self, _: object) -> None:
        if self.started is not None:
            self.started.cell_ends()

    def _display_turn(self, turn: Turn) -> None:
        self.app().display_turn(turn)

    def _unhook_formatter(self) -> None:
        for registry in (self._formatter.deferred_printers, self._formatter.type_printers):
            for key, printer in list(registry.items()):
                if printer == self._display_turn:
                    del registry[key]

    def _exit(self) -> None:
        """Keep what has arrived of answers that other threads wait for, and write what waits."""
        if self.started is not None:
            self.started.manager.shutdown()
        self._stop()

    def _stop(self) -> None:
        if self.started is not None:
            self.started.stop()
