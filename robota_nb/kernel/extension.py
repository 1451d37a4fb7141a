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
from robota_nb.kernel.executions import Executions
from robota_nb.kernel.loading_cell import read_anew
from robota_nb.magics import completer
from robota_nb.magics.inspection import Inspection
from robota_nb.magics.robota import RobotaMagics
from robota_nb.magics.spelling import NAME, Spelling
from robota_nb.switcher.views import Views

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult, InteractiveShell

    from robota_nb.core.turn import Turn
    from robota_nb.kernel.app import App
    from robota_nb.kernel.executions import Executed
    from robota_nb.magics.runner import Runner
    from robota_nb.switcher.hub import Hub

_HOOKED: WeakKeyDictionary[Any, Extension] = WeakKeyDictionary()

_KEPT: WeakKeyDictionary[Any, App] = WeakKeyDictionary()
"""What unloading leaves for the next load: ``%reload_ext`` unloads first, and keeps the sessions."""


def load(shell: InteractiveShell) -> None:
    """Hook a shell, unless it is."""
    if shell not in _HOOKED:
        _HOOKED[shell] = Extension(shell)
        read_anew(shell)


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
        self._executions = Executions(shell)
        self._ran: list[Executed] = []  # cells executed before there was an app
        self._is_running = False  # whether the last of them has not ended
        self._lock = RLock()  # a view may be the first to need it, in another thread
        self._views = Views(self._listener)
        shell.register_magics(self.magics)
        self.magics.register_alias()
        shell.events.register("pre_run_cell", self._cell_begins)
        shell.events.register("post_run_cell", self._cell_ends)
        self._spelling = Spelling(self.magics.names)
        shell.input_transformer_manager.line_transforms.insert(0, self._spelling)  # before cell magics are found
        self._completer = completer.install(shell, self.app, self.magics.names)
        self._formatter = shell.display_formatter.ipython_display_formatter
        self._formatter.for_type_by_name("robota_nb.core.turn", "Turn", self._display_turn)
        bridge(shell).connect(__version__, self._later, self.app)
        if self._kernel:
            self._views.register()
            self._inspection = Inspection(self._kernel, self.magics.names, self._say)
        atexit.register(self._exit)
        if self.started is not None:
            self.started.start(self.magics)
        if cell := self._executions.loading():
            self._begins(cell)

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
            self._inspection.unhook()
        self._unhook_formatter()
        completer.uninstall(self.shell, self._completer)
        self.shell.input_transformer_manager.line_transforms.remove(self._spelling)
        self.shell.events.unregister("pre_run_cell", self._cell_begins)
        self.shell.events.unregister("post_run_cell", self._cell_ends)
        self.magics.unobserve_all()
        self.shell.configurables.remove(self.magics)
        self.shell.magics_manager.registry.pop(type(self.magics).__name__, None)
        for name in (NAME, self.magics.alias):
            self.magics.forget(name)

    @property
    def _kernel(self) -> Any:
        """The shell's kernel; None in a terminal."""
        return getattr(self.shell, "kernel", None)

    def _say(self, text: str) -> str:
        from robota_nb.display.languages import translated  # not before somebody asks: loading is to be fast

        return translated(text, bridge(self.shell).locale)

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
                for cell in self._ran:
                    self.started.cell_begins(cell)
                if self._ran and not self._is_running:
                    self.started.cell_ends()
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
        if cell := self._executions.begin(info.raw_cell, info.cell_id):
            self._begins(cell)

    def _begins(self, cell: Executed) -> None:
        if self.started is None:
            self._ran.append(cell)
            self._is_running = True
        else:
            self.started.cell_begins(cell)

    def _cell_ends(self, result: ExecutionResult) -> None:
        if not self._executions.end():
            return
        self._is_running = False
        if self.started is not None:
            error = result.error_before_exec or result.error_in_exec
            self.started.cell_ends(failed=error is not None and not isinstance(error, KeyboardInterrupt))

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
