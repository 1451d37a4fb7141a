"""A real kernel, and what it sends while a cell runs."""

from __future__ import annotations

import logging
import os
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self

import nbformat
from jupyter_client.manager import KernelManager

from robota_nb import headless

if TYPE_CHECKING:
    from collections.abc import Iterable
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
    """

    start: float
    end: float = 0.0
    messages: list[tuple[float, str, int]] = field(default_factory=list)
    text: str = ""

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.end - self.start

    @property
    def size(self) -> int:
        """All that it sent, in bytes."""
        return sum(size for _, _, size in self.messages)

    @property
    def first_output(self) -> float:
        """When the first output came."""
        return next(at for at, kind, _ in self.messages if kind in SHOWN)

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
    """

    def __init__(self, base_url: str = "") -> None:
        logging.disable(logging.WARNING)
        self._home = TemporaryDirectory()
        self._base_url = base_url

    def __enter__(self) -> Self:
        home = self._home.name
        env = {**os.environ, "ROBOTA_NB_STORE": f"{home}/store.sqlite", "IPYTHONDIR": home}
        env |= {"OPENAI_API_KEY": "fake-key-for-tests", "OPENAI_BASE_URL": self._base_url} if self._base_url else {}
        self._manager = KernelManager(kernel_name="python3")
        self._manager.start_kernel(env=env, cwd=home, stderr=subprocess.DEVNULL)
        self._client = self._manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=60)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)
        self._home.cleanup()

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
            message = session.deserialize(session.feed_identities(frames)[1])
            kind, content = message["msg_type"], message["content"]
            if message["parent_header"].get("msg_id") != number:
                continue
            run.messages.append((now, kind, sum(map(len, frames))))
            if kind == "stream":
                run.text += content["text"]
            elif kind == "error":
                raise RuntimeError("\n".join(content["traceback"]))
            elif kind == "status" and content["execution_state"] == "idle":
                run.end = now
                return run
        raise RuntimeError("the kernel is silent")


def _content(source: str) -> dict[str, Any]:
    return {
        "code": source,
        "silent": False,
        "store_history": True,
        "user_expressions": {},
        "allow_stdin": False,
        "stop_on_error": True,
    }


BARE_SETUP = "from openai import OpenAI\nclient = OpenAI()"

BARE_CALL = """
text = ""
for chunk in client.chat.completions.create(model="fake-model", messages={messages}, stream=True):
    if chunk.choices and chunk.choices[0].delta.content:
        text += chunk.choices[0].delta.content
print(text)
"""


def bare_call(messages: str) -> str:
    """Return a cell that asks with the typed client and prints the answer once."""
    return BARE_CALL.format(messages=messages)
