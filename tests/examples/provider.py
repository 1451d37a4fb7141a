"""A provider for Ollama's own API, which is not OpenAI's: a line of JSON for each piece of the answer."""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from robota_nb.core.ports import Finish, TextDelta, Usage
from robota_nb.errors import ProviderError
from robota_nb.providers.retry import FailedAttempt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from robota_nb.core.ports import FinishReason, Request, StreamEvent
    from robota_nb.providers.context import ProviderContext
    from robota_nb.providers.keys.secret import Secret

_REASONS: dict[object, FinishReason] = {"stop": "stop", "length": "length"}


class NativeOllama:
    """Asks an Ollama.

    Parameters
    ----------
    context
        What the user has configured: a ``base_url``, else the Ollama of this machine is asked; a ``model``, which is
        asked where none is named; the setting ``keep_alive``, for how long Ollama keeps the model in memory.
    """

    def __init__(self, context: ProviderContext) -> None:
        self.name = context.endpoint.name
        self._context = context

    def stream(self, request: Request) -> Iterator[StreamEvent]:
        """Ask, and yield the answer as it arrives."""
        return self._context.ask(request, partial(self._send_request, request), _events)

    def models(self) -> list[str]:
        """Return the models that this Ollama has."""
        return self._context.fetch(partial(self._send, _Call("GET", "/api/tags"), ""), _models)

    def _send_request(self, request: Request, key: Secret) -> _Call | FailedAttempt:
        endpoint = self._context.endpoint
        model = request.model or endpoint.model
        messages = [{"role": message["role"], **_content(message["content"])} for message in request.messages]
        body = {"model": model, "messages": messages, "options": dict(request.params)}
        call = _Call("POST", "/api/chat", {**endpoint.settings, **body})
        request.cancellation.on_cancel(call.hang_up)  # wakes up whoever waits for a server that has not answered
        return self._send(call, model, key)

    def _send(self, call: _Call, model: str, key: Secret) -> _Call | FailedAttempt:
        """Send a request once; what is worth another attempt says so."""
        errors = self._context.errors(key, model)
        try:
            url = self._context.endpoint.base_url or "http://127.0.0.1:11434"
            response = call.send(url, key, self._context.timeouts.read)
            if response.status == 200:
                return call
            failed = errors.refused(response.status, response.headers, response.read(10_000).decode(errors="replace"))
        except (OSError, HTTPException):
            error = errors.error("is not there, or fell silent", "run ollama serve, and ask again")
            failed = FailedAttempt(error, retryable=True)
        call.close()
        return failed


class _Call:
    """A request to Ollama, and the response."""

    def __init__(self, method: str, path: str, body: dict[str, Any] | None = None) -> None:
        self._request = method, path, json.dumps(body) if body else None
        self._connection: HTTPConnection | None = None
        self._socket: socket.socket | None = None

    def send(self, base_url: str, key: Secret, timeout: float) -> HTTPResponse:
        url = urlsplit(base_url)
        kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
        self._connection = kind(url.netloc, timeout=timeout)
        self._connection.connect()
        self._socket = self._connection.sock
        method, path, body = self._request
        self._connection.request(
            method, url.path.rstrip("/") + path, body, {"Authorization": f"Bearer {key.reveal()}"} if key else {}
        )
        self.response = self._connection.getresponse()
        return self.response

    def hang_up(self) -> None:
        """Wake up a thread that waits for Ollama."""
        if self._socket:
            with suppress(OSError):  # it is closed already
                self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Release the connection."""
        if self._connection:
            self._connection.close()


def _content(content: str | list[dict[str, Any]]) -> dict[str, Any]:
    """Return a message's text, and its pictures in Base64 if it has any."""
    if isinstance(content, str):
        return {"content": content}
    text = "".join(part["text"] for part in content if part["type"] == "text")
    pictures = [part["image_url"]["url"].partition(",")[2] for part in content if part["type"] == "image_url"]
    return {"content": text, "images": pictures}


def _events(call: _Call) -> Iterator[StreamEvent]:
    """Yield the answer."""
    try:
        for line in call.response:
            said = json.loads(line)
            if "error" in said:
                raise ProviderError("Ollama could not answer: look into its log, and ask again")
            if text := said["message"]["content"]:
                yield TextDelta(text)
            if said["done"]:
                usage = Usage(input_tokens=said["prompt_eval_count"], output_tokens=said["eval_count"])
                yield Finish(reason=_REASONS.get(said["done_reason"], "unknown"), model=said["model"], usage=usage)
                return
    except (ValueError, KeyError, TypeError):  # not JSON, or not this JSON
        raise ProviderError("Ollama speaks another protocol here: update it, and ask again") from None
    except (OSError, HTTPException):
        pass
    raise ProviderError("Ollama broke the answer off: ask again")


def _models(call: _Call) -> list[str]:
    try:
        return [model["name"] for model in json.load(call.response)["models"]]
    except (ValueError, KeyError, TypeError):
        raise ProviderError("Ollama speaks another protocol here: update it, and ask again") from None
