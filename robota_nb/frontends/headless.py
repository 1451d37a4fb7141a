"""The front end's part in Python: runs notebooks whose conversations resume, replay, and are kept.

It speaks the protocol of `robota_nb.carriers.document`, as the labextension does in a browser.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import nbformat
import zmq
from jupyter_client.kernelspec import NoSuchKernel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionComplete, CellExecutionError, CellTimeoutError, DeadKernelError
from nbclient.util import ensure_async, run_sync

from robota_nb._version import __version__
from robota_nb.carriers import document, file, output
from robota_nb.carriers.aside import put_aside
from robota_nb.core.record import snapshot
from robota_nb.core.record.entries import source_hash
from robota_nb.errors import SnapshotError
from robota_nb.frontends.cells import CELLS, told_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence

    from nbformat import NotebookNode

    from robota_nb.carriers.messages import Ack, Change, CodeCell, FromFrontEnd, FromKernel, Open, Saved

PATIENCE = 10.0
"""Seconds that a kernel has to answer before it is shut down."""

STARTS = 3
"""How often a kernel is started that dies before its first word: now and then another process has its port by then."""


class FrontEnd:
    """Holds a notebook for a kernel, as an application's open document does.

    Parameters
    ----------
    notebook
        The notebook; its metadata is changed as the kernel asks. What rides in its outputs is moved there first:
        running a cell replaces them.
    path
        The file it stands for; None if there is none on this machine.
    replay
        The replay mode to set, if not the kernel's own choice.
    trust
        Whether others may have changed where the user's chats ask: if not, such an ask is an error.
    allow
        The tools whose calls are run unasked; with *trust*, also while text of others is sent along.
    """

    def __init__(
        self,
        notebook: NotebookNode,
        path: str | os.PathLike[str] | None,
        replay: str | None = None,
        *,
        trust: bool = False,
        allow: Sequence[str] = (),
    ) -> None:
        _settle(notebook)
        self.notebook = notebook
        self.path = Path(path).absolute() if path else Path()
        self.replay, self.trust, self.allow = replay, trust, allow
        self.strict = (replay or os.environ.get("ROBOTA_NB_REPLAY")) == "strict"  # a check, which writes nothing
        self.asked: set[str] = set()  # turns
        self.requests: int | None = None  # unknown until the kernel has said it
        self.notices: list[str] = []
        self.seq = 0
        self._parts: list[str] = []

    def opening(self) -> Open:
        """Return what the kernel is told before the first cell."""
        message: Open = {"op": "open", "version": __version__, "cells": self.cells()}
        message |= {"replay": self.replay, "trust": self.trust}
        if self.allow:
            message["allow"] = list(self.allow)
        if any(CELLS in cell.source for cell in self.notebook.cells if cell.cell_type == "code"):
            prose = (cell.source for cell in self.notebook.cells if cell.cell_type == "markdown")
            message["prose"] = list(map(source_hash, prose))
        if self.path.name:
            message["path"] = str(self.path)
        if (value := self.notebook.metadata.get(snapshot.KEY)) is not None:
            message["value"] = value
        return message

    def cells(self) -> list[CodeCell]:
        """Return the code cells in order, as the kernel is told of them."""
        code = (cell for cell in self.notebook.cells if cell.cell_type == "code")
        return [
            [str(cell.get("id", f"#{n}")), source_hash(cell.source), *([_turns(cell)] if cell.get("outputs") else [])]
            for n, cell in enumerate(code)
        ]

    def take(self, message: FromKernel) -> Ack | None:
        """Do what the kernel asks, and return the answer to send, if there is one."""
        match message["op"]:
            case "part":
                self._parts = self._parts if message["at"] else []
                self._parts.append(message["text"])
                return self.take(json.loads("".join(self._parts))) if len(self._parts) == message["of"] else None
            case "write":
                if not self.strict:
                    if message["replace"]:
                        self.notebook.metadata[snapshot.KEY] = snapshot.dump({})
                    self._write(message["sessions"])
                self.seq = message["seq"]
                return {"op": "ack", "seq": self.seq}
            case "notice":
                self.notices.append(message["text"])
            case "flushed":
                self.requests, self.asked = message["requests"], set(message["asked"])
        return None

    def _write(self, sessions: Mapping[str, Change]) -> None:
        if self.notebook.metadata.get(snapshot.KEY) is None:
            self.notebook.metadata[snapshot.KEY] = snapshot.dump({})
        value = self.notebook.metadata[snapshot.KEY]
        for sid, change in sessions.items():
            entries = value["sessions"].setdefault(sid, {})
            entries.update(change["add"])
            added: Mapping[str, Any] = change["add"]
            self.asked.update(eid for eid, entry in added.items() if entry.get("role") == "assistant")
            for eid in change["remove"]:
                entries.pop(eid, None)

    def shown(self) -> list[str]:
        """Return the turns that the outputs show, in order."""
        return [turn for cell in self.notebook.cells for turn in _turns(cell)]


def _settle(notebook: MutableMapping[str, Any]) -> None:
    if output.carries(notebook):
        with suppress(SnapshotError):  # the kernel will say what is wrong with it
            output.settle(notebook)


def _turns(cell: NotebookNode) -> list[str]:
    """Return the turns that the outputs of a cell show, in order."""
    return [turn for one in cell.get("outputs", ()) if (turn := output.turn_shown(one))]


def requests(session: Any, message: FromFrontEnd) -> Iterator[dict[str, Any]]:
    """Yield the silent execute requests that bring a message to the kernel.

    Parameters
    ----------
    session
        The `jupyter_client.session.Session` of the client.
    message
        What to say.
    """
    content = {
        "code": document.PUSH_CODE,
        "silent": True,
        "store_history": False,
        "user_expressions": {},
        "allow_stdin": False,
        "stop_on_error": False,
    }
    for metadata in document.chunks(message, uuid4().hex):
        yield session.msg("execute_request", content, metadata=metadata)


class _Comm:
    """The front end's side of the comm, as nbclient wants it."""

    def __init__(self, client: RobotaClient, comm_id: str) -> None:
        self._client = client
        self._id = comm_id

    def handle_msg(self, msg: Mapping[str, Any]) -> None:
        message: FromKernel = msg["content"]["data"]  # a kernel of our own is no stranger
        answer = self._client.saved() if message["op"] == "save" else self._client.front.take(message)
        if answer:
            self._client.send(self._id, answer)


class RobotaClient(NotebookClient):
    """Executes a notebook whose conversations resume before its first cell and are written into its metadata.

    Parameters
    ----------
    front
        The notebook, and where it is to be written.
    save
        Writes the notebook; called when the last cell has run or one has failed, before the kernel ends.
    **options
        As `nbclient.NotebookClient` takes them.
    """

    def __init__(self, front: FrontEnd, save: Callable[[], None] | None = None, **options: Any) -> None:
        super().__init__(front.notebook, **{"record_timing": False, "coalesce_streams": True, **options})
        self._stand_for(front, save)

    def _stand_for(self, front: FrontEnd, save: Callable[[], None] | None) -> None:
        self.front = front
        self._save = save
        self._reading: asyncio.Task[Any] | None = None  # what a cell shows; not done if the cell was given up
        self._comm_id = ""  # once the extension is loaded
        self._start_options: dict[str, Any] = {}
        self.comm_open_handlers[document.TARGET] = self._comm_opened

    def _comm_opened(self, msg: Mapping[str, Any]) -> _Comm:
        self._comm_id = msg["content"]["comm_id"]
        return _Comm(self, self._comm_id)

    def create_kernel_manager(self) -> Any:
        """Create the manager, and have it encrypt what goes to and fro where kernel and machine can."""
        manager = super().create_kernel_manager()
        if manager.has_trait("transport_encryption") and zmq.has("curve"):
            manager.transport_encryption = "auto"
        return manager

    async def async_start_new_kernel(self, **kwargs: Any) -> None:
        """Start the kernel; `async_start_new_kernel_client` does so again if it dies at once."""
        self._start_options = kwargs
        await super().async_start_new_kernel(**kwargs)

    async def async_start_new_kernel_client(self) -> Any:
        """Start the client, and tell the kernel of its document before anything runs."""
        save = self._save
        for left in reversed(range(STARTS)):
            self._save = None  # a kernel that has not begun has changed nothing
            try:
                kc = await super().async_start_new_kernel_client()
                break
            except RuntimeError as error:
                if "died" not in str(error):  # jupyter_client's word; there is no other sign
                    raise
                if not left:
                    raise DeadKernelError("Kernel died as it started") from None
            self.km = self.create_kernel_manager()
            await self.async_start_new_kernel(**self._start_options)
        self._save = save
        await self._say(self.front.opening())
        return kc

    async def async_execute_cell(self, cell: NotebookNode, cell_index: int, *args: Any, **kwargs: Any) -> Any:
        """Execute a cell, and let the kernel know which one it is, as JupyterLab does."""
        kc: Any = self.kc
        if message := told_of(self.front.notebook, cell):
            await self._say(message)
        kc.session.metadata = {"cellId": cell["id"]} if "id" in cell else {}
        return await super().async_execute_cell(cell, cell_index, *args, **kwargs)

    async def _async_poll_output_msg(self, parent_msg_id: str, cell: NotebookNode, cell_index: int) -> None:
        """Take in what a cell shows, and what the kernel says meanwhile: nbclient would drop what is of no cell."""
        kc: Any = self.kc
        self._reading = asyncio.current_task()
        while True:
            msg = await kc.get_iopub_msg(timeout=None)
            if msg["parent_header"].get("msg_id") == parent_msg_id:
                try:
                    self.process_message(msg, cell, cell_index)
                except CellExecutionComplete:
                    return
            elif msg["msg_type"].startswith("comm"):
                self.handle_comm_msg([], msg, cell_index)

    async def _async_cleanup_kernel(self) -> None:
        """Have the kernel write what waits, save, and let it know, before it is shut down."""
        try:
            await self._conclude()
        except BaseException:
            _restore_signals()  # nbclient does so only if this returns
            raise
        finally:
            self._save = None
            if self.km is not None:  # nbclient calls this again at exit, if it failed
                await super()._async_cleanup_kernel()

    async def _conclude(self) -> None:
        if self.kc is None or self.km is None or not await ensure_async(self.km.is_alive()):
            self.saved()
            return
        if self._reading and not self._reading.done():  # else the kernel would not listen
            await ensure_async(self.km.interrupt_kernel())
            await asyncio.wait({self._reading}, timeout=PATIENCE)
            self._reading.cancel()
        await self._say({"op": "flush"})
        if saved := self.saved():
            await self._say(saved)

    # What nbclient has made of its own; papermill calls these.
    start_new_kernel = run_sync(async_start_new_kernel)
    start_new_kernel_client = run_sync(async_start_new_kernel_client)
    execute_cell = run_sync(async_execute_cell)
    _cleanup_kernel = run_sync(_async_cleanup_kernel)

    def saved(self) -> Saved | None:
        """Save the notebook, and return what the kernel is told of it."""
        if self._save is None:
            return None
        self._save()
        return {"op": "saved", "seq": self.front.seq}

    def send(self, comm_id: str, data: FromFrontEnd) -> str:
        """Send the kernel a message over a comm, without waiting; return its id."""
        kc: Any = self.kc
        msg = kc.session.msg("comm_msg", {"comm_id": comm_id, "data": data})
        # Not by the channel's own send, which goes around the asyncio socket: a reply that arrives just then is
        # never noticed by who waits for it, and the run hangs (a ZeroMQ socket signals its readiness once).
        kc.shell_channel.socket.send_multipart(kc.session.serialize(msg))
        return str(msg["header"]["msg_id"])

    async def _say(self, message: FromFrontEnd) -> None:
        """Bring a message to the kernel, and take in what it answers until it is idle again."""
        kc: Any = self.kc
        if self._comm_id:  # not by a request: when a cell has failed, the kernel aborts those that wait
            last = self.send(self._comm_id, message)
        else:
            for request in requests(kc.session, message):
                kc.shell_channel.send(request)
                last = request["header"]["msg_id"]
        try:
            await asyncio.wait_for(self._idle(last), PATIENCE)
        except (TimeoutError, Empty):
            self.log.warning("the kernel did not answer within %s s", PATIENCE)

    async def _idle(self, msg_id: str) -> None:
        kc: Any = self.kc
        while True:
            msg = await kc.get_iopub_msg(timeout=None)
            if msg["msg_type"].startswith("comm"):
                self.handle_comm_msg([], msg, 0)
            ours = msg["parent_header"].get("msg_id") == msg_id
            if ours and msg["msg_type"] == "status" and msg["content"]["execution_state"] == "idle":
                return


def _restore_signals() -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # on Windows
            loop.remove_signal_handler(number)


class Failure(Exception):
    """A cell failed, or the kernel died; the notebook was written all the same.

    Parameters
    ----------
    text
        What happened, in one line.
    front
        The notebook as written.
    """

    def __init__(self, text: str, front: FrontEnd) -> None:
        super().__init__(text)
        self.front = front


def _reason(error: CellExecutionError) -> str:
    """Say what a cell failed with; IPython cannot know what its magic would have come from."""
    said = f"{error.ename}: {error.evalue}"
    if re.search(r"magic (function )?`%%?robota` not found", said):
        return f"{said.rstrip('.')}: put %load_ext robota_nb into a cell before it"
    return said


def run(
    notebook: str | os.PathLike[str],
    to: str | os.PathLike[str] | None = None,
    *,
    replay: str | None = None,
    trust: bool = False,
    allow: Sequence[str] = (),
    progress: Callable[[int, int], None] | None = None,
    **options: Any,
) -> FrontEnd:
    """Execute a notebook file, and write it with its outputs and conversations.

    Parameters
    ----------
    notebook
        The file to run.
    to
        Where to write; the file itself if not given.
    replay
        One of `robota_nb.core.rules.modes.MODES`; the kernel's own choice if not given.
    trust
        Whether others may have changed where the user's chats ask: if not, such an ask is an error.
    allow
        The tools whose calls are run unasked; with *trust*, also while text of others is sent along.
    progress
        Called with (cells done, cells in all).
    **options
        As `nbclient.NotebookClient` takes them, such as ``timeout`` or ``kernel_name``.

    Returns
    -------
    FrontEnd
        The notebook as written, with what happened.

    Raises
    ------
    SnapshotError
        If the file cannot be read or written.
    Failure
        If a cell failed; its ``front`` is what would have been returned.
    """
    content = file.load(notebook)  # says what is wrong with a file in better words than nbformat
    _settle(content)  # as `FrontEnd` does; here nothing copies what moves
    target = Path(to or notebook)
    if not os.access(target if target.exists() else target.absolute().parent, os.W_OK):
        raise SnapshotError(f"{target.name} cannot be written there: choose another place before anything is asked")
    try:
        aside = put_aside(content)
        node = nbformat.reads(json.dumps(aside.notebook), as_version=4)  # type: ignore[no-untyped-call] # nbformat's own
        aside.put_back(node)
    except RecursionError:
        raise SnapshotError(f"{Path(notebook).name} is nested too deep to be run: its metadata is damaged") from None
    del content, aside
    language = node.metadata.get("language_info")  # of whoever ran it before: another Python is no change
    front = FrontEnd(node, target, replay, trust=trust, allow=allow)
    total = sum(cell.cell_type == "code" for cell in node.cells)
    done = 0

    def one_more(**_: Any) -> None:
        nonlocal done
        done += 1
        if progress:
            progress(done, total)

    def save() -> None:
        if language:
            node.metadata["language_info"] = language
        file.write_notebook(target, node)

    resources = {"metadata": {"path": str(Path(notebook).absolute().parent)}}
    client = RobotaClient(
        front,
        save,
        resources=resources,
        on_cell_executed=one_more,
        **{"timeout": None, **options},
    )
    try:
        client.execute()
    except CellExecutionError as error:
        raise Failure(_reason(error), front) from None
    except DeadKernelError as error:
        save()
        raise Failure(f"the {str(error).lower()}", front) from None
    except CellTimeoutError as error:
        allowed = re.search(r"after (\S+) seconds", str(error))  # nbclient's words; the cell may have its own limit
        raise Failure(f"a cell took longer than {allowed[1] if allowed else options.get('timeout')} s", front) from None
    except NoSuchKernel as error:
        raise SnapshotError(f"there is no kernel {error.name!r} here: name another one with --kernel") from None
    return front
