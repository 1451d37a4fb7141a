"""A local model server that misbehaves as told; its public name is `robota_nb.testing.FaultServer`.

It writes raw bytes, so it can play what an HTTP server cannot: half a status line, a reset at any byte, silence.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from socketserver import BaseRequestHandler
from typing import TYPE_CHECKING, Any, TypeAlias

from robota_nb.testing.servers.local_server import DONE, LocalServer, ModelServer, break_off, delta

if TYPE_CHECKING:
    import socket


class Act(Enum):
    """What a server can do besides sending bytes."""

    RESET = "reset"
    """Reset the connection; what was sent just before may be lost on the way."""
    STALL = "stall"
    """Say nothing more until the client hangs up."""


Step: TypeAlias = bytes | Act | float | Callable[[], object]
"""Bytes to send, an `Act`, seconds to wait, or something to call in the server's thread."""

Play: TypeAlias = Callable[[Mapping[str, Any]], Iterable[Step]]
"""Gives the steps of one answer from the request's JSON body; after the last one the connection is closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One way in which a server may answer, and what an honest client may make of it.

    Parameters
    ----------
    name
        ``group/name``.
    play
        What goes over the wire.
    ends
        The finish reasons that are honest. ``"error"`` stands for an error that is raised, too.
    text
        The text that the client has received.
    exact
        Whether all of *text* arrives for sure; else any beginning of it may.
    slow
        Whether the server keeps the client waiting for ever: give the client short timeouts.
    """

    name: str
    play: Play
    ends: frozenset[str]
    text: str = ""
    exact: bool = True
    slow: bool = False

    def __str__(self) -> str:
        return self.name


def http(kind: str = "text/event-stream", status: str = "200 OK", headers: Mapping[str, str] | None = None) -> bytes:
    """Return the head of an HTTP response.

    Parameters
    ----------
    kind
        The content type.
    status
        The status, with its words.
    headers
        More of them. Unless they say otherwise, the body ends with the connection.
    """
    fields = {"Content-Type": kind, "Connection": "close", **(headers or {})}
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in fields.items() if value), "", ""]
    return "\r\n".join(lines).encode()


class FaultServer(ModelServer):
    """A server on 127.0.0.1 that answers each request with what is queued (`steps`, `cut`), else with its shape.

    Use it as a context manager.

    Parameters
    ----------
    shape
        What it plays for every request; None for a good answer.

    Attributes
    ----------
    shape
        See above; set it to another one at any time.
    requests
        The JSON body of each request, in order.
    headers
        The headers of each request, in order, by their names in lower case.
    hung_up
        Set when a client closed its connection in the middle of an answer.

    Examples
    --------
    >>> with FaultServer() as server:
    ...     for shape in SHAPES:
    ...         server.shape = shape
    ...         ...  # ask server.base_url: the answer ends as shape.ends allows, and its text is shape.text
    """

    def __init__(self, shape: Shape | None = None) -> None:
        self.shape = shape
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.hung_up = threading.Event()
        self._queue: deque[Iterable[Step]] = deque()

    def _served(self) -> LocalServer:
        return LocalServer(self, _Handler)

    def steps(self, *steps: Step) -> None:
        """Queue an answer of these steps; bytes are raw, so it usually begins with `http`."""
        self._queue.append(steps)

    def cut(self, stream: bytes, at: int, *, reset: bool = False) -> None:
        """Queue a recorded stream up to byte *at*, where the connection ends cleanly or is reset."""
        self.steps(http(), stream[:at], *([Act.RESET] if reset else []))

    def _accept(self, body: dict[str, Any], headers: dict[str, str]) -> Iterable[Step]:
        self.requests.append(body)
        self.headers.append(headers)
        if self._queue:
            return self._queue.popleft()
        return self.shape.play(body) if self.shape else _GOOD


_GOOD = http(), delta("fault-model", {"content": "all is well"}), delta("fault-model", {}, "stop"), DONE


class _Handler(BaseRequestHandler):
    """One connection: one request, one answer."""

    request: socket.socket
    server: LocalServer

    def handle(self) -> None:
        request = self._read()
        if request is None:  # the client had nothing to ask
            return
        try:
            for step in self.server.owner._accept(*request):  # noqa: SLF001 (one thing in two classes)
                if step is Act.RESET:
                    break_off(self.request)
                    return
                self._do(step)
        except OSError:  # the client left
            self.server.owner.hung_up.set()

    def _read(self) -> tuple[dict[str, Any], dict[str, str]] | None:
        """Return the body and the headers of the request."""
        with self.request.makefile("rb") as file:
            if not file.readline():
                return None
            headers: dict[str, str] = {}
            while line := file.readline().decode("latin-1").strip():
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            return json.loads(file.read(int(headers.get("content-length", 0))) or b"{}"), headers

    def _do(self, step: Step) -> None:
        if isinstance(step, bytes):
            self.request.sendall(step)
        elif isinstance(step, float):
            self.server.closing.wait(step)
        elif step is Act.STALL:
            self.request.recv(1)  # it has nothing more to say: this ends when it hangs up
            self.server.owner.hung_up.set()
        elif callable(step):
            step()
