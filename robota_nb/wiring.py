"""What is behind the hooks of one shell: the manager wired to providers, store, carriers and commands.

The only place that knows everything; set up by the first command, not by ``%load_ext``.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from robota_nb.carriers import document, output
from robota_nb.core import snapshot
from robota_nb.core.entries import canonical, source_hash
from robota_nb.core.events import EntriesAdded, Notice
from robota_nb.core.manager import SessionManager
from robota_nb.core.modes import MODES
from robota_nb.errors import RobotaError, SnapshotError, StoreError
from robota_nb.notebook import report
from robota_nb.notebook.commands import Commands
from robota_nb.notebook.render import choose_renderer
from robota_nb.providers.endpoints import ProviderRegistry
from robota_nb.stores.memory import MemoryStore
from robota_nb.stores.sqlite import SqliteStore, default_store_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from robota_nb.core.document import Cell
    from robota_nb.core.events import Event
    from robota_nb.core.ports import Carrier, Entries, Provider, Store
    from robota_nb.core.turn import Turn
    from robota_nb.notebook.magics import RobotaMagics

IDLE = 1.0
"""Seconds without a running cell after which pointers are written (FACTS: Run All sends the next cell at once)."""

TERMINAL = "terminal"
"""Where the store files what belongs to no document."""


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
        self.commands = Commands(shell, self)
        self.manager = SessionManager(providers=_Registry(self.magics))
        self.store: Store = _store()
        self.path: str | None = None  # of the open document, as the front end says
        self.carrier: document.DocumentCarrier | output.OutputCarrier = output.OutputCarrier()
        self.bridge = document.bridge(shell)
        self._cell: Cell | None = None
        self._notices: list[str] = []
        self._pending: list[document.Message] = []  # what the front end has said of its document, to be taken over
        self._withheld: str | None = None  # why the notebook's own value must not be touched
        self._resumed = False
        self._timer: Any = None
        self._store_failed = False
        self._size = 0  # bytes of what the notebook holds, about
        self._set_mode(os.environ.get("ROBOTA_NB_REPLAY"))
        self.open(magics)

    def open(self, magics: RobotaMagics) -> None:
        """Begin to listen: set up, or when the extension is loaded again."""
        self.magics = magics
        magics.observe(self._configured)
        self._configured()
        self._unsubscribe = self.manager.subscribe(self._on_event)
        self.bridge.listen(self._on_message)

    def close(self) -> None:
        """Write what waits, and let go; `open` takes it up again."""
        self._write_pointers()
        self._unsubscribe()
        self.store.close()

    def _configured(self, _: Any = None) -> None:
        magics, manager = self.magics, self.manager
        manager.max_active_sessions = magics.max_active_sessions
        manager.max_chats = magics.max_chats
        manager.max_messages = magics.max_messages
        manager.replay.rerun = magics.rerun
        manager.providers = _Registry(magics)

    def _set_mode(self, wanted: object) -> None:
        if wanted in MODES:
            self.manager.replay.mode = wanted

    # -- cells

    def cell_begins(self, source: str, cell_id: str | None) -> None:
        """A cell is about to be executed."""
        self._cancel_timer()
        self.commands.asked_here.clear()
        self._cell = self._execution(source, cell_id)

    def cell_ends(self) -> None:
        """The cell has been executed: if none follows, the kernel is idle, and pointers are written."""
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
        self._resumed, self._withheld = False, None
        self.carrier = document.DocumentCarrier(self.bridge.send)

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
        asked = [turn for turn in self.manager.replay.shown if turn in self.manager.made]
        self.bridge.send({"op": "flushed", "requests": self.manager.requests, "asked": asked})

    # -- taking over what the notebook holds

    def ready(self) -> None:
        """Take over the snapshot that the front end has sent or the file holds, once."""
        if self._resumed:
            return
        self._resumed = True
        if self._pending:
            pending, self._pending = self._pending, []
            for message in pending:
                self._take_over(message)
            if self.path:
                self._add_unsaved()
        elif path := _file().notebook_path(self.shell.user_ns):
            try:
                self._resume_file(path)
            except SnapshotError as error:
                self.notify(f"this kernel starts fresh: {error}")
        self._warm_up()

    def _warm_up(self) -> None:
        """Import the client of a new notebook's model in the background: it takes half a second.

        A notebook with turns in it probably replays first, and is not to be slowed down.
        """
        if self.manager.replay.mode == "strict" or any(s.record.nodes for s in self.manager.sessions()):
            return
        providers = self.manager.providers

        def warm() -> None:
            with suppress(RobotaError):
                name, _ = providers.default()
                getattr(providers.get(name), "warm", int)()

        Thread(target=warm, name="robota_nb-warm-up", daemon=True).start()

    def _take_over(self, message: document.Message) -> None:
        """Take over a document's snapshot, and bring it what this kernel has that it has not."""
        try:
            if problem := message.get("problem"):
                raise SnapshotError(str(problem))  # noqa: TRY301 - said by the bridge, told like the others
            value = message.get("value")
            theirs = snapshot.parse(value) if value is not None else {}
        except SnapshotError as error:
            self._withheld = str(error)
            self.notify(
                f"the snapshot in this notebook cannot be read, and is left as it is ({error}); "
                "this kernel starts fresh, and %robota snapshot --replace writes over it"
            )
            return
        self._size = message.get("size", 0)
        if self._size > snapshot.NOTICE_BYTES:
            self.notify(
                f"the conversations make this notebook {self._size / 1e6:.0f} MB large: go on in a new one soon"
            )
        mine = {s.id: s.record.entries for s in self.manager.sessions()}
        missing = {sid: {e: x for e, x in es.items() if e not in theirs.get(sid, {})} for sid, es in mine.items()}
        self.manager.adopt(theirs)
        if any(missing.values()):
            self.carrier.write(missing, {})

    def _add_unsaved(self) -> None:
        unsaved = self._with_store(lambda: self.store.unsaved(self._document())) or {}
        new = self.manager.adopt(unsaved)
        if new:
            if self._withheld is None:
                self.carrier.write(new, {})
            self.notify(f"added what the notebook had not saved: {report.summary(new)}")

    def _resume_file(self, path: Path) -> dict[str, dict[str, Any]]:
        """Take over a notebook file's snapshot, in its metadata and in its outputs."""
        notebook = _file().load(path)
        saved, riding = output.read(notebook)
        new = self.manager.adopt(snapshot.merge(saved, riding))
        if isinstance(self.carrier, output.OutputCarrier):
            self.carrier.loose(riding)
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
        self._with_store(lambda: self.store.add(self._document(), add))
        self._with_store(lambda: self.store.remove(self._document(), remove))
        if self._withheld is None and self.magics.autosnapshot and self._fits(add):
            self.carrier.write(add, remove)

    def _fits(self, add: Entries) -> bool:
        """Say whether the notebook may take these entries; what is over a cap would not be read again."""
        self._size += sum(len(canonical(entry)) for entries in add.values() for entry in entries.values())
        most = max((len(self.manager.session(sid).record.entries) for sid in add), default=0)
        if self._size <= snapshot.MAX_BYTES and most <= snapshot.MAX_ENTRIES:
            return True
        self.notify(
            f"the conversations are over what a notebook may hold ({snapshot.MAX_BYTES:,} bytes, "
            f"{snapshot.MAX_ENTRIES:,} entries a session): what is new is in the local store only; "
            "go on in a new notebook"
        )
        return False

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
        if replace and isinstance(self.carrier, document.DocumentCarrier):
            self._withheld = None
            self.carrier.write(self.recorded()["sessions"], {}, replace=True)
        elif not self.magics.autosnapshot:
            self.carrier.write(self.recorded()["sessions"], {})
        if self._withheld is not None:
            raise SnapshotError(
                f"the value in this notebook is no readable snapshot ({self._withheld}): --replace writes over it"
            )
        if save and isinstance(self.carrier, document.DocumentCarrier):
            self.bridge.send({"op": "save"})
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

    def display_turn(self, turn: Turn) -> None:
        """Show a turn as the result of a cell, unless it has just shown itself there."""
        if turn.id not in self.commands.asked_here:
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
                magics.endpoints, default_provider=magics.provider, default_model=magics.model
            )
        return self._made

    def default(self) -> tuple[str, str]:
        return self._registry().default()

    def get(self, name: str) -> Provider:
        return self._registry().get(name)

    def names(self) -> list[str]:
        return self._registry().names()
