"""Wires one IPython shell to the manager, the providers, the store, the carriers and the magics, and unwires it."""

from __future__ import annotations

import atexit
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from robota_nb import _version
from robota_nb.carriers import document, output
from robota_nb.core import snapshot
from robota_nb.core.entries import source_hash
from robota_nb.core.events import EntriesAdded, Notice
from robota_nb.core.manager import SessionManager
from robota_nb.core.replay import MODES
from robota_nb.core.turn import Turn
from robota_nb.errors import SnapshotError, StoreError
from robota_nb.notebook import completer, report
from robota_nb.notebook.magics import RobotaMagics
from robota_nb.notebook.render import choose_renderer
from robota_nb.providers.endpoints import ProviderRegistry
from robota_nb.stores.memory import MemoryStore
from robota_nb.stores.sqlite import SqliteStore, default_store_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from IPython.core.interactiveshell import ExecutionInfo, InteractiveShell

    from robota_nb.core.document import Cell
    from robota_nb.core.events import Event
    from robota_nb.core.ports import Carrier, Entries, Provider, Store

IDLE = 1.0
"""Seconds without a running cell after which pointers are written (FACTS: Run All sends the next cell at once)."""

TERMINAL = "terminal"
"""Where the store files what belongs to no document."""

_WIRED: WeakKeyDictionary[Any, Extension] = WeakKeyDictionary()


def load(shell: InteractiveShell) -> None:
    """Wire a shell, unless it is."""
    if shell not in _WIRED:
        _WIRED[shell] = Extension(shell)


def unload(shell: InteractiveShell) -> None:
    """Unwire a shell."""
    if extension := _WIRED.pop(shell, None):
        extension.close()


class Extension:
    """One shell's wiring; the magics see it as their host.

    Parameters
    ----------
    shell
        The shell.
    """

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.magics = RobotaMagics(shell, self)
        self.manager = SessionManager(providers=_Registry(self.magics))
        self.store: Store = _store()
        self.path: str | None = None  # of the open document, as the front end says
        self.carrier: document.DocumentCarrier | output.OutputCarrier = output.OutputCarrier()
        self._comm: Any = None
        self._cell: Cell | None = None
        self._notices: list[str] = []
        self._pending: list[document.Message] = []  # what the front end has said of its document, to be taken over
        self._withheld: str | None = None  # why the notebook's own value must not be touched
        self._resumed = False
        self._timer: Any = None
        self._store_failed = False
        self._wire()

    # -- wiring

    def _wire(self) -> None:
        shell = self.shell
        shell.register_magics(self.magics)
        self.magics.observe(self._configured)
        self._configured()
        shell.events.register("pre_run_cell", self._cell_begins)
        shell.events.register("post_run_cell", self._cell_ends)
        self._completer = completer.install(shell, self)
        shell.display_formatter.ipython_display_formatter.for_type(Turn, self._display_turn)
        self._unsubscribe = self.manager.subscribe(self._on_event)
        atexit.register(self._at_exit)
        document.inbox(shell).listen(self._on_message)

    def close(self) -> None:
        """Take away all that was wired, and write what waits."""
        self._write_pointers()
        self._cancel_timer()
        document.inbox(self.shell).listen(None)
        atexit.unregister(self._at_exit)
        self._unsubscribe()
        shell = self.shell
        shell.display_formatter.ipython_display_formatter.pop(Turn, None)
        completer.uninstall(shell, self._completer)
        shell.events.unregister("pre_run_cell", self._cell_begins)
        shell.events.unregister("post_run_cell", self._cell_ends)
        self.magics.unobserve_all()
        shell.configurables.remove(self.magics)
        shell.magics_manager.registry.pop(type(self.magics).__name__, None)
        for kind in ("line", "cell"):
            shell.magics_manager.magics[kind].pop("robota", None)
        if self._comm is not None:
            self._comm.close()
        self.store.close()

    def _configured(self, _: Any = None) -> None:
        magics, manager = self.magics, self.manager
        manager.max_active_sessions = magics.max_active_sessions
        manager.max_chats = magics.max_chats
        manager.max_messages = magics.max_messages
        manager.replay.rerun = magics.rerun
        manager.providers = _Registry(magics)
        self._set_mode(os.environ.get("ROBOTA_NB_REPLAY"))

    def _set_mode(self, wanted: object) -> None:
        if wanted in MODES:
            self.manager.replay.mode = wanted  # type: ignore[assignment] # just checked

    def _at_exit(self) -> None:
        self._write_pointers()
        self.store.close()

    # -- cells

    def _cell_begins(self, info: ExecutionInfo) -> None:
        self._cancel_timer()
        self.magics.asked_here.clear()
        self._cell = self._execution(info.raw_cell, info.cell_id)

    def _cell_ends(self, _: Any) -> None:
        self._cell = None
        loop = getattr(getattr(self.shell, "kernel", None), "io_loop", None)
        if loop is not None and self._resumed:
            self._timer = loop.call_later(IDLE, self._write_pointers)

    def _execution(self, source: object, cell_id: object) -> Cell:
        text, raw = source if isinstance(source, str) else "", cell_id if isinstance(cell_id, str) else None
        return self.manager.replay.document.run(raw, source_hash(text))

    def cell(self) -> Cell:
        """Return the cell that is being executed (also if the extension was loaded in that very cell)."""
        if self._cell is None:
            parent = self.shell.get_parent() if hasattr(self.shell, "get_parent") else {}
            source = parent.get("content", {}).get("code") if parent else None
            if source is None and self.shell.history_manager:
                source = self.shell.history_manager.input_hist_raw[-1]
            self._cell = self._execution(source, (parent or {}).get("metadata", {}).get("cellId"))
        return self._cell

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self.shell.kernel.io_loop.remove_timeout(self._timer)
            self._timer = None

    # -- what the front end says

    def _on_message(self, message: document.Message) -> None:
        handler = {
            "open": self._opened,
            "cells": self._cells_changed,
            "ack": self._on_ack,
            "saved": self._on_saved,
            "flush": self._on_flush,
        }.get(str(message.get("op")))
        if handler:
            handler(message)

    def _opened(self, message: document.Message) -> None:
        self.path = str(message["path"]) if message.get("path") else None
        self._set_mode(message.get("replay"))
        self._cells_changed(message)
        self._pending.append(message)
        self._resumed = False
        if self._comm is None:
            import comm

            self._comm = comm.create_comm(target_name=document.TARGET, data={"version": _version.__version__})
            self._comm.on_msg(lambda packet: self._on_message(packet["content"]["data"]))
        self.carrier = document.DocumentCarrier(self._comm.send)

    def _cells_changed(self, message: document.Message) -> None:
        cells = message.get("cells")
        if isinstance(cells, list):
            pairs = [(str(cell[0]), str(cell[1])) for cell in cells if isinstance(cell, list) and len(cell) == _PAIR]
            self.manager.replay.document.list_cells(pairs)

    def _on_ack(self, message: document.Message) -> None:
        if isinstance(self.carrier, document.DocumentCarrier):
            self.carrier.acked(int(message.get("seq", 0)))

    def _on_saved(self, message: document.Message) -> None:
        if isinstance(self.carrier, document.DocumentCarrier):
            for entries in self.carrier.saved(int(message.get("seq", 0))):
                self._with_store(lambda ids=entries: self.store.mark_saved(self._document(), ids))

    def _on_flush(self, _: document.Message) -> None:
        self._write_pointers()
        self._comm.send({"op": "flushed", "requests": self.manager.requests})

    # -- taking over what the notebook holds

    def ready(self) -> None:
        """Take over the snapshot that the front end has sent or the file holds, once."""
        if self._resumed:
            return
        self._resumed = True
        if self._pending:
            for message in self._pending:
                self._take_over(message.get("value"), message.get("problem"))
            self._pending.clear()
            if self.path:
                self._add_unsaved()
        elif path := _file().notebook_path(self.shell.user_ns):
            self._resume_file(path)

    def _take_over(self, value: object, problem: object = None) -> None:
        try:
            if problem:
                raise SnapshotError(str(problem))  # noqa: TRY301 - said by the inbox, told like the others
            if value is not None:
                self.manager.adopt(snapshot.parse(value))
        except SnapshotError as error:
            self._withheld = str(error)
            self.notify(
                f"the snapshot in this notebook cannot be read, and is left as it is ({error}); "
                "this kernel starts fresh, and %robota snapshot --replace writes over it"
            )

    def _add_unsaved(self) -> None:
        unsaved = self._with_store(lambda: self.store.unsaved(self._document())) or {}
        new = self.manager.adopt(unsaved)
        if new:
            self.carrier.write(new, {})
            self.notify(f"added what the notebook had not saved: {report.summary(new)}")

    def _resume_file(self, path: Path) -> dict[str, dict[str, Any]]:
        """Take over a notebook file's snapshot, in its metadata and in its outputs."""
        notebook = _file().load(path)
        value = notebook.get("metadata", {}).get(snapshot.KEY)
        saved = snapshot.parse(value) if value is not None else {}
        loose = snapshot.merge(*({"sessions": s} and snapshot.parse(snapshot.dump(s)) for s in _loose(notebook)))
        new = self.manager.adopt(snapshot.merge(saved, loose))
        if isinstance(self.carrier, output.OutputCarrier):
            self.carrier.loose(
                {sid: {e: x for e, x in es.items() if e not in saved.get(sid, {})} for sid, es in loose.items()}
            )
        return new

    def resume(self, path: str | None) -> str:
        """Add a notebook file's snapshot, by default this notebook's own, and say what was added."""
        if path is None and isinstance(self.carrier, document.DocumentCarrier):
            return f"resumed: {report.summary(self.recorded()['sessions'])}"
        where = Path(path) if path else _file().notebook_path(self.shell.user_ns)
        if where is None:
            raise SnapshotError("which notebook? No front end has told: %robota resume PATH")
        new = self._resume_file(where)
        if isinstance(self.carrier, document.DocumentCarrier) and new:
            self._commit(new, {})
        return f"added: {report.summary(new)}" if new else "nothing new: all of it is here"

    # -- writing

    def _on_event(self, event: Event) -> None:
        if isinstance(event, EntriesAdded):
            self._commit({event.session: event.entries}, {event.session: event.removed})
        elif isinstance(event, Notice):
            self.notify(event.text)

    def _commit(self, add: Entries, remove: Mapping[str, Iterable[str]]) -> None:
        """Store first, then carry: what is in the store survives whatever happens to the carrier."""
        self._with_store(lambda: (self.store.add(self._document(), add), self.store.remove(self._document(), remove)))
        if self._withheld is None and self.magics.autosnapshot:
            self.carrier.write(add, remove)

    def _write_pointers(self) -> None:
        self._cancel_timer()
        if self._resumed:
            self.manager.flush()

    def snapshot(self, *, save: bool, to: str | None, replace: bool) -> str:
        """Write what waits, and say how far it got."""
        if to:
            self.manager.flush()
            carrier: Carrier = _file().FileCarrier(Path(to))
            carrier.write(self.recorded()["sessions"], {})
            return f"snapshot: {report.summary(self.recorded()['sessions'])} · saved in {Path(to).name}"
        if replace or not self.magics.autosnapshot:
            self._withheld = None
            self.manager.flush()
            self.carrier.write(self.recorded()["sessions"], {})
        if self._withheld is not None:
            raise SnapshotError(
                f"the value in this notebook is no readable snapshot ({self._withheld}): --replace writes over it"
            )
        if save and isinstance(self.carrier, document.DocumentCarrier):
            self._comm.send({"op": "save"})
        return f"snapshot: {report.summary(self.recorded()['sessions'])} · {self.level()}"

    def recorded(self) -> Mapping[str, Any]:
        """Return the snapshot as written, without what only points and waits."""
        return snapshot.dump({s.id: s.record.entries for s in self.manager.sessions()})

    def output_metadata(self, turn: Turn) -> dict[str, Any]:
        """Return the provenance of an answer, and the entries that ride with it where there is no document."""
        metadata: dict[str, Any] = {"model": turn.model, "finish_reason": turn.finish_reason}
        if not turn.id:
            return metadata
        if isinstance(self.carrier, output.OutputCarrier):
            session = next(s.id for s in self.manager.sessions() if turn.id in s.record.entries)
            ids = ((session, turn.prompt.id), (session, turn.id)) if turn.replayed else ()
            if riding := self.carrier.take(ids):
                metadata["sessions"] = riding
        return metadata | {"turn": turn.id}

    # -- telling

    def notify(self, text: str) -> None:
        """Tell the user: by the front end, else in a terminal at once, else with the next ``%robota``."""
        if isinstance(self.carrier, document.DocumentCarrier):
            self.carrier.notify(text)
        elif getattr(self.shell, "kernel", None) is None:
            print(text)  # noqa: T201 - a terminal has no other place
        else:
            self._notices.append(text)

    def notices(self) -> list[str]:
        """Return the notices that no front end has shown, and forget them."""
        told, self._notices = self._notices, []
        return told

    def level(self) -> str:
        """Say how far the conversations have got."""
        if self._withheld is None and self.carrier.level != "in kernel":
            return self.carrier.level
        return "in kernel" if self._store_failed else "in store"

    def provider_names(self) -> Iterable[str]:
        """Return the providers and endpoints there are."""
        return _Registry(self.magics).names()

    def _display_turn(self, turn: Turn) -> None:
        """Show a turn as the result of a cell, unless it has just shown itself there."""
        if turn.id not in self.magics.asked_here:
            choose_renderer(self.shell).replay(turn.text, turn.finish_reason, {})

    # -- the store

    def _document(self) -> str:
        return self.path or str(_file().notebook_path(self.shell.user_ns) or TERMINAL)

    def _with_store(self, do: Any) -> Any:
        """Use the store; a broken one costs its user a notice, never a turn."""
        try:
            return do()
        except StoreError as error:
            if not self._store_failed:
                self._store_failed = True
                self.notify(f"{error}; until then, conversations are kept in this kernel and the notebook only")
            return None


_PAIR = 2


def _file() -> Any:
    """Return the file carrier's module; it needs nbformat, so it is imported when it is used."""
    from robota_nb.carriers import file

    return file


def _loose(notebook: Mapping[str, Any]) -> list[Any]:
    return [sessions for _, sessions in output.found(notebook)]


def _store() -> Store:
    where = os.environ.get("ROBOTA_NB_STORE")
    return MemoryStore() if where == "memory" else SqliteStore(where or default_store_path())


class _Registry:
    """The user's providers, set up when the first one is needed."""

    def __init__(self, magics: RobotaMagics) -> None:
        self._magics = magics
        self._made: ProviderRegistry | None = None

    def _registry(self) -> ProviderRegistry:
        if self._made is None:
            magics = self._magics
            self._made = ProviderRegistry(
                magics.endpoints, default_provider=magics.provider or None, default_model=magics.model or None
            )
        return self._made

    def default(self) -> tuple[str, str]:
        return self._registry().default()

    def get(self, name: str) -> Provider:
        return self._registry().get(name)

    def names(self) -> list[str]:
        return self._registry().names()
