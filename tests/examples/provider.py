"""A provider for Ollama's own API, which is not OpenAI's: a line of JSON for each piece of the answer."""

from __future__ import annotations

import json
import socket
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any

from robota_nb.core.ports import Finish, TextDelta, Usage
from robota_nb.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from robota_nb.core.ports import FinishReason, Request, StreamEvent

_REASONS: dict[object, FinishReason] = {"stop": "stop", "length": "length"}


class NativeOllama:
    """Asks the Ollama of this machine.

    Parameters
    ----------
    address
        Host and port.
    timeout
        Seconds of silence after which an answer ends with an error.
    """

    name = "native-ollama"

    def __init__(self, address: str = "127.0.0.1:11434", timeout: float = 60) -> None:
        self._address, self._timeout = address, timeout

    def stream(self, request: Request) -> Iterator[StreamEvent]:
        """Ask, and yield the answer as it arrives; the connection lives as long as this generator."""
        body = json.dumps(_body(request))
        with closing(HTTPConnection(self._address, timeout=self._timeout)) as connection:
            try:
                connection.connect()
                server = connection.sock
                request.cancellation.on_cancel(lambda: _hang_up(server))  # wakes up whoever waits for a silent server
                connection.request("POST", "/api/chat", body)
                with connection.getresponse() as response:
                    if response.status != 200:
                        raise _refused(response.status)
                    yield from _events(response)
            except (ValueError, KeyError, TypeError):  # not JSON, or not this JSON
                raise ProviderError("Ollama speaks another protocol here: update it, and ask again") from None
            except (OSError, HTTPException):
                raise ProviderError("Ollama is not there, or fell silent: run ollama serve, and ask again") from None


def _body(request: Request) -> dict[str, Any]:
    messages = [{"role": message["role"], **_content(message["content"])} for message in request.messages]
    return {"model": request.model, "messages": messages, "options": dict(request.params)}


def _content(content: str | list[dict[str, Any]]) -> dict[str, Any]:
    """Return a message's text, and its pictures in Base64 if it has any."""
    if isinstance(content, str):
        return {"content": content}
    text = "".join(part["text"] for part in content if part["type"] == "text")
    pictures = [part["image_url"]["url"].partition(",")[2] for part in content if part["type"] == "image_url"]
    return {"content": text, "images": pictures}


def _events(lines: Iterator[bytes]) -> Iterator[StreamEvent]:
    for line in lines:
        said = json.loads(line)
        if "error" in said:
            raise ProviderError("Ollama could not answer: look into its log, and ask again")
        if text := said["message"]["content"]:
            yield TextDelta(text)
        if said["done"]:
            usage = Usage(input_tokens=said["prompt_eval_count"], output_tokens=said["eval_count"])
            yield Finish(reason=_REASONS.get(said["done_reason"], "unknown"), model=said["model"], usage=usage)
            return
    raise ProviderError("Ollama broke the answer off: ask again")


def _refused(status: int) -> ProviderError:
    what = "does not know this model: run ollama pull" if status == 404 else "refused to answer: look into its log"
    return ProviderError(f"Ollama {what} (HTTP {status})", status=status)


def _hang_up(server: socket.socket) -> None:
    with suppress(OSError):  # it is closed already
        server.shutdown(socket.SHUT_RDWR)
