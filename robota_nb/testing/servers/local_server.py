"""What the model servers for tests are made of: a server on 127.0.0.1, and what goes over its wire."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import sys
import threading
from abc import ABC, abstractmethod
from socketserver import BaseRequestHandler, TCPServer, ThreadingMixIn
from typing import Any, Self

DONE = b"data: [DONE]\n\n"


class LocalServer(ThreadingMixIn, TCPServer):
    """A thread for each connection; `stop` hangs up on all of them and waits until their threads are done.

    Parameters
    ----------
    owner
        What the handlers answer for.
    handler
        Handles one connection.

    Attributes
    ----------
    closing
        Set when the server stops.
    """

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, owner: Any, handler: type[BaseRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.owner = owner
        self.closing = threading.Event()
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()

    @property
    def base_url(self) -> str:
        """What a client takes as its base URL."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def start(self) -> None:
        """Begin to answer."""
        threading.Thread(target=self.serve_forever, args=(0.005,), daemon=True).start()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Note the connection."""
        with self._changed:
            self._open.add(request)
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Handle the connection, and forget it."""
        super().process_request_thread(request, client_address)
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that went away; show what a test's own function raised."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def stop(self) -> None:
        """Hang up on every client and stop."""
        self.closing.set()
        self.shutdown()
        with self._changed:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._open, timeout=5)
        self.server_close()


class ModelServer(ABC):
    """A model server that runs inside its ``with`` block."""

    _server: LocalServer | None = None

    @abstractmethod
    def _served(self) -> LocalServer:
        """Return the server to run."""

    def __enter__(self) -> Self:
        self._server = self._served()
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up on every client and stop."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()

    @property
    def base_url(self) -> str:
        """What a client takes as its base URL."""
        assert self._server is not None, "the server runs inside its with block"
        return self._server.base_url


def break_off(connection: socket.socket) -> None:
    """Reset a connection: closing with a linger time of zero sends RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def event(value: Any) -> bytes:
    """Return a server-sent event."""
    return b"data: " + json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


def frame(data: bytes) -> bytes:
    """Wrap *data* as one chunk of HTTP's chunked encoding."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def head(model: str) -> dict[str, Any]:
    """Return what every chunk of an answer begins with."""
    return {"id": "chatcmpl-fake", "object": "chat.completion.chunk", "created": 0, "model": model}


def delta(model: str, value: Any, reason: Any = None) -> bytes:
    """Return the event of one chunk of an answer."""
    return event(head(model) | {"choices": [{"index": 0, "delta": value, "finish_reason": reason}]})
