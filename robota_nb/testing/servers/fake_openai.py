"""A real local model server for tests; its public name is `robota_nb.testing.FakeOpenAIServer`."""

from __future__ import annotations

import json
import re
import select
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from http.server import BaseHTTPRequestHandler
from typing import Any, ClassVar, TypeAlias

from robota_nb.core.ports import ToolCall
from robota_nb.testing.servers.local_server import LocalServer, ModelServer, break_off, frame
from robota_nb.testing.servers.wires import CHAT, WIRES, Piece, Wire, arguments_of


class FakeOpenAIServer(ModelServer):
    """A real HTTP server on 127.0.0.1 that speaks the streaming chat completions API, and the Responses API.

    Use it as a context manager. Each answer is deterministic; calls of tools (`calls`) and scripted misbehaviour
    (`fail`, `end`, `cut`, `error`, `whole`, `html`, `empty`, `raw`) are queued, one for each of the next requests.

    Parameters
    ----------
    reply
        A function of the request's JSON body that returns the answer, as text or as its chunks: texts,
        `robota_nb.typing.ToolCall` and `robota_nb.typing.ReasoningDelta`. By default the answer is
        ``"<n>: <last prompt>"``, with n counting requests from 1.
    chunks
        The chunks of every answer, instead of *reply*.
    model
        The name of the model that answers.
    batch
        How many chunks go into one write to the socket; each is an HTTP chunk of its own in any case.
    per_second
        Writes per second; 0 is as fast as possible.
    gate
        An event that the server awaits after *gate_after* writes of each answer, so that a test can act in
        the middle of an answer without sleeping.
    gate_after
        See *gate*.

    Attributes
    ----------
    requests
        The JSON body of each request to ``/chat/completions`` or ``/responses``, in order.
    bodies
        Each of them as it came, in bytes.
    headers
        The headers of each of them, names in lower case.
    paths
        The path of each of them, with its query.
    hung_up
        Set when a client closed its connection in the middle of an answer.

    Examples
    --------
    >>> with FakeOpenAIServer() as server:
    ...     server.calls(("rows", {"table": "x"}), text="Let me look.")
    ...     server.calls(("rows", {"table": "y"}), ("count", {}))
    ...     ...  # ask server.base_url: two answers that call tools; the third is "3: <last prompt>"
    """

    api_key: ClassVar[str] = "fake-key-for-tests"

    def __init__(
        self,
        reply: Callable[[dict[str, Any]], str | Sequence[Piece]] | None = None,
        *,
        chunks: Sequence[Piece] | None = None,
        model: str = "fake-model",
        batch: int = 1,
        per_second: float = 0,
        gate: threading.Event | None = None,
        gate_after: int = 1,
    ) -> None:
        self.reply, self.chunks, self.model, self.batch = reply, chunks, model, batch
        self.per_second, self.gate, self.gate_after = per_second, gate, gate_after
        self.requests: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.hung_up = threading.Event()
        self._script: deque[_Play] = deque()
        self._lock = threading.Lock()

    def _served(self) -> LocalServer:
        return LocalServer(self, _Handler)

    def reset(self) -> None:
        """Forget what was asked and what was scripted, and answer as by default."""
        self.requests.clear()
        self.bodies.clear()
        self.paths.clear()
        self.headers.clear()
        self.hung_up.clear()
        self._script.clear()
        self.reply = self.chunks = self.gate = None
        self.model, self.batch, self.per_second, self.gate_after = "fake-model", 1, 0, 1

    def environment(self) -> dict[str, str]:
        """Return the environment variables that make a child process use this server."""
        return {"OPENAI_API_KEY": self.api_key, "OPENAI_BASE_URL": self.base_url}

    def calls(self, *calls: tuple[str, Any], text: str = "") -> None:
        """Answer the next request with calls of tools.

        Parameters
        ----------
        *calls
            The name of a tool and its arguments each: an object, or the text that the model writes for one. Their ids
            are ``call_<number of the request>_<number of the call>``, both from 1.
        text
            What it says before them.
        """

        def play(handler: _Handler, body: dict[str, Any]) -> None:
            made = (
                ToolCall(id=f"call_{handler.number}_{number}", name=name, arguments=arguments_of(arguments))
                for number, (name, arguments) in enumerate(calls, 1)
            )
            handler.answer(body, pieces=(*_words(text), *made))

        self._script.append(play)

    def fail(self, status: int = 500, body: Any = None, headers: Mapping[str, str] | None = None) -> None:
        """Answer the next request with an HTTP error, whose *status*, *body* (text or JSON) and *headers* these are."""
        if body is None:
            body = {"error": {"message": f"scripted failure {status}", "type": "scripted", "code": None}}
        kind = "text/plain" if isinstance(body, str) else "application/json"
        data = body if isinstance(body, str) else json.dumps(body)
        self.raw(data.encode(), content_type=kind, status=status, headers=headers)

    def end(self, how: str) -> None:
        """End the next answer in another way than ``stop`` and ``[DONE]``.

        Parameters
        ----------
        how
            ``"clean"``: neither a finish_reason nor ``[DONE]``; ``"done"``: ``[DONE]`` alone; ``"reason"``: a
            finish_reason alone; any other word: that finish_reason and ``[DONE]``. Over the Responses API the first
            two have no ``response.completed``, and the reasons are those that it knows.
        """
        self._script.append(lambda handler, body: handler.answer(body, end=how))

    def cut(self, after: int = 1, *, reset: bool = True) -> None:
        """Break the next answer off after *after* chunks: reset the connection, or just close it."""
        self._script.append(lambda handler, body: handler.answer(body, after=after, cut=True, reset=reset))

    def error(self, message: str = "scripted error", after: int = 1) -> None:
        """Send an error with this *message* inside the next stream, after *after* chunks."""
        self._script.append(lambda handler, body: handler.answer(body, after=after, tail=handler.wire.error(message)))

    def whole(self) -> None:
        """Answer the next request with one JSON completion instead of a stream."""
        self._script.append(lambda handler, body: handler.complete(body))

    def html(self) -> None:
        """Answer the next request with a web page."""
        self.raw(b"<!doctype html><title>Welcome</title>", content_type="text/html; charset=utf-8")

    def empty(self) -> None:
        """Answer the next request with 200 and nothing."""
        self.raw(b"", content_type="")

    def raw(
        self,
        data: bytes,
        *,
        content_type: str = "text/event-stream",
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answer the next request with exactly the bytes *data*, below *content_type*, *status* and *headers*."""
        self._script.append(lambda handler, _: handler.send(data, content_type, status, headers))

    def _accept(self, path: str, headers: dict[str, str], data: bytes, body: dict[str, Any]) -> tuple[int, _Play]:
        with self._lock:
            self.paths.append(path)
            self.requests.append(body)
            self.bodies.append(data)
            self.headers.append(headers)
            return len(self.requests), self._script.popleft() if self._script else _Handler.answer

    def _chunks(self, number: int, body: dict[str, Any]) -> tuple[Piece, ...]:
        if self.chunks is not None:
            return tuple(self.chunks)
        said = self.reply(body) if self.reply is not None else f"{number}: {last_prompt(_messages(body))}"
        return tuple(_words(said) if isinstance(said, str) else said)


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: LocalServer
    number = 0  # of the request, from 1
    wire: Wire = CHAT

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the name is inherited)
        pass

    def do_GET(self) -> None:
        if re.fullmatch(r"/v1/models(\?.*)?", self.path):
            self.send_json({"object": "list", "data": [{"id": self.server.owner.model, "object": "model"}]})
        else:
            self.send_json({"error": {"message": "no such path"}}, status=404)

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers.get("content-length", 0)))
        asked = re.fullmatch(
            r"(?:/[\w.-]+)*(?:/v1|/openai/deployments/[^/]+)/(chat/completions|responses)(?:\?.*)?", self.path
        )
        if asked is None:
            self.send_json({"error": {"message": "no such path"}}, status=404)
            return
        self.wire, request = WIRES[asked[1]], json.loads(data)
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            fake = self.server.owner
            self.number, play = fake._accept(self.path, headers, data, request)  # noqa: SLF001 (one thing in two classes)
            play(self, request)
        except OSError:  # the client left
            self.server.owner.hung_up.set()
            self.close_connection = True

    def send(self, data: bytes, kind: str, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        extra = {"Content-Type": kind} if kind else {}
        for name, value in {**extra, "Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def send_json(self, value: Any, status: int = 200) -> None:
        self.send(json.dumps(value).encode(), "application/json", status)

    def complete(self, body: dict[str, Any], pieces: Sequence[Piece] | None = None) -> None:
        fake = self.server.owner
        chunks = fake._chunks(self.number, body) if pieces is None else pieces  # noqa: SLF001
        self.send_json(self.wire.whole(fake.model, chunks, _usage(body, chunks)))

    def answer(
        self,
        body: dict[str, Any],
        *,
        end: str = "stop",
        after: int | None = None,
        tail: bytes | None = None,
        cut: bool = False,
        reset: bool = False,
        pieces: tuple[Piece, ...] | None = None,
    ) -> None:
        if not body.get("stream"):
            self.complete(body, pieces)
            return
        fake = self.server.owner
        chunks = (fake._chunks(self.number, body) if pieces is None else pieces)[:after]  # noqa: SLF001
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(frame(self.wire.begin(fake.model)))
        for number, data in enumerate(_writes(self.wire, chunks, fake.model, fake.batch)):
            self._pace(number)
            self.wfile.write(data)
        self._pace(-(-len(chunks) // fake.batch))
        if cut:
            self._hang_up(reset=reset)
            return
        ending = self.wire.end(fake.model, end, chunks, self._counted(body, chunks)) if tail is None else tail
        self.wfile.write((frame(ending) if ending else b"") + b"0\r\n\r\n")

    def _counted(self, body: dict[str, Any], chunks: Sequence[Piece]) -> dict[str, int] | None:
        asked = self.wire is not CHAT or (body.get("stream_options") or {}).get("include_usage")
        return _usage(body, chunks) if asked else None

    def _pace(self, number: int) -> None:
        fake, closing = self.server.owner, self.server.closing
        if fake.per_second:
            closing.wait(1 / fake.per_second)
        while (gate := fake.gate) is not None and number == fake.gate_after and not gate.is_set():
            # Watch the client while waiting: one that hangs up has nothing more to send.
            readable, _, _ = select.select([self.connection], [], [], 0.005)
            if closing.is_set() or (readable and not self.connection.recv(1, socket.MSG_PEEK)):
                raise ConnectionAbortedError

    def _hang_up(self, *, reset: bool) -> None:
        self.close_connection = True
        if reset:
            break_off(self.connection)


_Play: TypeAlias = Callable[[_Handler, dict[str, Any]], None]


@lru_cache(maxsize=16)
def _writes(wire: Wire, chunks: tuple[Piece, ...], model: str, batch: int) -> tuple[bytes, ...]:
    """Return what goes to the socket, one item for each write; built once: benchmarks measure the client."""
    frames = [frame(data) for data in wire.say(model, chunks)]
    return tuple(b"".join(frames[start : start + batch]) for start in range(0, len(frames), batch))


def _words(text: str) -> list[str]:
    return re.findall(r"\S+\s*|\s+", text)


def _messages(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what a request says: messages, or the items of the Responses API that are some."""
    said = body.get("messages", body.get("input", []))
    return [{"role": "user", "content": said}] if isinstance(said, str) else [each for each in said if "role" in each]


def _usage(body: dict[str, Any], chunks: Sequence[Piece]) -> dict[str, int]:
    prompt = count_words(_messages(body))
    return {"input_tokens": prompt, "output_tokens": len(chunks), "total_tokens": prompt + len(chunks)}


_TEXTS = ("text", "input_text", "output_text")


def _plain(content: Any) -> str:
    """Return a message's text; of a list of parts, the text parts."""
    if isinstance(content, str):
        return content
    return " ".join(part["text"] for part in content or [] if part.get("type") in _TEXTS)


def count_words(messages: Iterable[Mapping[str, Any]]) -> int:
    """Return the number of words in all messages: what the doubles report as tokens."""
    return sum(len(_plain(message.get("content")).split()) for message in messages)


def last_prompt(messages: Sequence[Mapping[str, Any]]) -> str:
    """Return the text of the last user message."""
    prompts = [_plain(message["content"]) for message in messages if message["role"] == "user"]
    return prompts[-1] if prompts else ""
