"""A real kernel, and what it sends while a cell runs."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self

import nbformat
import psutil
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import KernelManager

from robota_nb.frontends import headless

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType

SHOWN = ("stream", "display_data", "update_display_data", "execute_result")
SILENCE = 60.0
"""Seconds without a message after which a kernel is taken for dead."""


@dataclass
class Run:
    """What one cell sent on iopub.

    Parameters
    ----------
    start, end
        When it was sent, and when its kernel was idle again, in seconds.
    messages
        (time, type, bytes on the wire) of each message.
    text
        What it printed.
    last
        The last outputs, as they came.
    """

    start: float
    end: float = 0.0
    messages: list[tuple[float, str, int]] = field(default_factory=list)
    text: str = ""
    last: deque[Any] = field(default_factory=lambda: deque(maxlen=8))

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.end - self.start

    @property
    def size(self) -> int:
        """All that it sent, in bytes."""
        return sum(size for _, _, size in self.messages)

    def first_output(self, since: float) -> float:
        """Return how long after a moment the next output came, in seconds."""
        return next(at for at, kind, _ in self.messages if kind in SHOWN and at >= since) - since

    def shows(self, text: str) -> bool:
        """Say whether a text is in the last outputs."""
        return any(text in str(content) for content in self.last)

    def busiest_second(self) -> int:
        """Return the most bytes in any one second."""
        worst = total = first = 0
        for at, _, size in self.messages:
            total += size
            while self.messages[first][0] < at - 1:
                total -= self.messages[first][2]
                first += 1
            worst = max(worst, total)
        return worst


class Kernel:
    """A kernel process, as an application runs it.

    Parameters
    ----------
    base_url
        The server that stands for the model.
    python
        The interpreter that runs it.
    environment
        More variables for it.
    files
        What lies in its home, which is its working directory: name to text.
    limit
        Seconds that a cell may take.

    Raises
    ------
    RuntimeError
        By `run` and `open`: the cell has failed, or taken too long, or the kernel is dead.
    """

    def __init__(
        self,
        base_url: str = "",
        python: str = sys.executable,
        *,
        environment: Mapping[str, str] | None = None,
        files: Mapping[str, str] | None = None,
        limit: float = 600,
    ) -> None:
        logging.disable(logging.WARNING)
        self._home = TemporaryDirectory()
        self._base_url, self._python, self._limit = base_url, python, limit
        self._environment, self._files = environment or {}, files or {}

    def __enter__(self) -> Self:
        home = self._home.name
        for name, text in self._files.items():
            Path(home, name).write_text(text, encoding="utf-8")
        env = {**os.environ, "HOME": home, "ROBOTA_NB_STORE": f"{home}/store.sqlite", "IPYTHONDIR": home}
        env |= {"OPENAI_API_KEY": "fake-key-for-tests", "OPENAI_BASE_URL": self._base_url} if self._base_url else {}
        env.pop("PYTHONDONTWRITEBYTECODE", None)  # a user's modules were compiled once, not in each kernel
        if self._python != sys.executable:
            env.pop("PYTHONPATH", None)  # what is installed there is measured, not what is imported here
        self._manager = KernelManager(kernel_spec_manager=_Specs(self._python))
        self._manager.start_kernel(env=env | self._environment, cwd=home, stderr=subprocess.DEVNULL)
        self._client = self._manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=60)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)
        self._home.cleanup()

    @property
    def memory(self) -> int:
        """What it holds in memory now, in bytes."""
        return psutil.Process(self._manager.provisioner.pid).memory_info().rss

    def run(self, source: str, linger: float = 0, cell: str | None = None) -> Run:
        """Run a cell, and return what it sent, up to *linger* seconds after its end; raise what it raised.

        With *cell*, the kernel is told this id of it.
        """
        session, metadata = self._client.session, {"cellId": cell} if cell else None
        request = session.msg("execute_request", _content(source), metadata=metadata)
        run = self._watch(Run(time.time()), request, session)
        socket = self._client.iopub_channel.socket
        while socket.poll(1000 * max(0.0, run.end + linger - time.time())):
            run.messages.append((time.time(), "later", sum(map(len, socket.recv_multipart()))))
        return run

    def open(self, value: object = None, cells: Iterable[tuple[str, str]] = ()) -> None:
        """Tell the kernel of its document, as JupyterLab's extension and ``robota-nb run`` do.

        Parameters
        ----------
        value
            The document's snapshot.
        cells
            The id and the source of each of its code cells.
        """
        notebook = nbformat.v4.new_notebook(metadata={"robota_nb": value} if value is not None else {})
        notebook.cells = [nbformat.v4.new_code_cell(source, id=name) for name, source in cells]
        front = headless.FrontEnd(notebook, Path(self._home.name) / "benchmark.ipynb")
        for request in headless.requests(self._client.session, front.opening()):
            self._watch(Run(time.time()), request, self._client.session)

    def keep(self, value: object) -> None:
        """Put a notebook with this snapshot where the kernel finds it by itself, without a front end."""
        path = Path(self._home.name) / "benchmark.ipynb"
        nbformat.write(nbformat.v4.new_notebook(metadata={"robota_nb": value}), path)
        self.run(f"import os\nos.environ['ROBOTA_NB_NOTEBOOK'] = {str(path)!r}")

    def _watch(self, run: Run, request: dict[str, Any], session: Any) -> Run:
        self._client.shell_channel.send(request)
        number, socket = request["header"]["msg_id"], self._client.iopub_channel.socket
        while socket.poll(SILENCE * 1000):
            frames = socket.recv_multipart()
            now = time.time()
            if now > run.start + self._limit:
                self._manager.shutdown_kernel(now=True)
                raise RuntimeError(f"a cell takes more than {self._limit:.0f} s")
            message = session.deserialize(session.feed_identities(frames)[1])
            kind, content = message["msg_type"], message["content"]
            if message["parent_header"].get("msg_id") != number:
                continue
            run.messages.append((now, kind, sum(map(len, frames))))
            if kind in SHOWN:
                run.last.append(content)
            if kind == "stream":
                run.text += content["text"]
            elif kind == "error":
                raise RuntimeError("\n".join(content["traceback"]))
            elif kind == "status" and content["execution_state"] == "idle":
                run.end = now
                return run
        raise RuntimeError("the kernel is silent")


class _Specs(KernelSpecManager):
    """Knows one kernel: that of an interpreter."""

    def __init__(self, python: str) -> None:
        super().__init__()
        self._python = python

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        argv = [self._python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name=kernel_name, language="python")


def _content(source: str) -> dict[str, Any]:
    return {
        "code": source,
        "silent": False,
        "store_history": True,
        "user_expressions": {},
        "allow_stdin": False,
        "stop_on_error": True,
    }
