"""Any OpenAI-compatible server, through the `openai` SDK: the SDK sends, and the raw stream is read here.

Reading the stream here is several times faster than the SDK's typed objects, and it alone can tell a whole
answer from a cut one: the SDK takes a web page, an empty body or a lost connection for a normal end.
"""

from __future__ import annotations

import contextlib
import json
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from robota_nb.core.ports import TextDelta
from robota_nb.errors import ProviderError
from robota_nb.providers.keys.secret import Secret
from robota_nb.providers.openai.reply import Reply
from robota_nb.providers.openai.sse import EventParser
from robota_nb.providers.retry import Deadline
from robota_nb.providers.server_errors import CHECK_URL

if TYPE_CHECKING:
    from collections.abc import Iterator

    import openai

    from robota_nb.core.ports import Request, StreamEvent
    from robota_nb.providers.context import ProviderContext
    from robota_nb.providers.openai.transport import RawResponse
    from robota_nb.providers.retry import FailedAttempt

__all__ = ["OpenAIProvider"]

_GRACE = 5.0  # seconds for what follows a whole answer: usage and [DONE]; some servers just leave the line open


class OpenAIProvider:
    """Answers from one endpoint.

    Parameters
    ----------
    context
        Where to ask, the key, and how long to wait.
    max_reply_bytes
        The most bytes that an answer may have on the wire.
    max_event_bytes
        The most bytes that one event of it may have.

    Notes
    -----
    What goes wrong is a `ProviderError`, never an exception of the SDK or of the HTTP client: those hold the request
    with the key, and so do the frames in their tracebacks. The same is done for a `KeyboardInterrupt`.
    """

    def __init__(
        self, context: ProviderContext, *, max_reply_bytes: int = 20_000_000, max_event_bytes: int = 1_000_000
    ) -> None:
        self.name = context.endpoint.name
        self.endpoint = context.endpoint
        self._context = context
        self._max_reply_bytes = max_reply_bytes
        self._max_event_bytes = max_event_bytes
        self._asks_for_usage = True  # until the server refuses ``stream_options``
        self._lock = threading.Lock()
        self._client: openai.OpenAI | None = None
        self._client_key = Secret("")

    def __repr__(self) -> str:
        return f"OpenAIProvider({self.name!r})"

    def stream(self, request: Request) -> Iterator[StreamEvent]:
        """Ask, and yield the answer as it arrives: one delta for each piece that the network delivers.

        A request that fails in passing is sent again, if need be after a wait, which is yielded as `Waiting`.

        Raises
        ------
        KeyMissing
            The endpoint needs a key, and there is none that can be used.
        ProviderError
            Anything else that keeps the answer from arriving whole; what came before has been yielded.
        """
        model = request.model or self.endpoint.model
        if not model:
            raise ProviderError(f"endpoint {self.name!r} has no default model", hint="model.name")
        yield from self._context.ask(request, partial(self._send, request, model), self._read)

    def models(self) -> list[str]:
        """Return the names of the models that the server offers; this asks none of them.

        Raises
        ------
        KeyMissing, ProviderError
            As `stream` does.
        """
        return self._context.fetch(self._send_for_models, self._read_models)

    def warm(self) -> None:
        """Do the slow part of a first ask now (the import of the SDK takes half a second); never raises."""
        with contextlib.suppress(Exception):
            self.endpoint.check()
            self._connected(self._context.key(), self.endpoint.model)

    def close(self) -> None:
        """Close the connections; the provider may be used again and reconnects by itself."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    # -- what is sent

    def _connected(self, key: Secret, model: str) -> openai.OpenAI:
        """Return the client, made at the first ask and again when the key has changed."""
        with self._lock:
            if self._client is not None and self._client_key.reveal() == key.reveal():
                return self._client
            try:
                from robota_nb.providers.openai.transport import connect

                self._client = connect(self.endpoint, key, timeout=self._context.timeouts.read)
            except Exception as error:  # noqa: BLE001 (a bad proxy or certificate setting, a broken installation)
                what = f"cannot be set up ({type(error).__name__})"
            else:
                self._client_key = key
                return self._client
        step = "check the proxy and certificate settings, and `openai`"
        raise self._context.errors(key, model).error(what, step)

    def _send(self, request: Request, model: str, key: Secret) -> RawResponse | FailedAttempt:
        client = self._connected(key, model)
        from robota_nb.providers.openai.transport import OptionsRefused, send

        errors = self._context.errors(key, model)
        body = _body(request, model, usage=self._asks_for_usage)
        response = send(client, "post", "/chat/completions", body, errors)
        ours = "stream_options" in body and "stream_options" not in request.params
        if isinstance(response, OptionsRefused) and ours and not request.cancellation.cancelled:
            self._asks_for_usage = False
            response = send(client, "post", "/chat/completions", _body(request, model, usage=False), errors)
        return response

    def _send_for_models(self, key: Secret) -> RawResponse | FailedAttempt:
        client = self._connected(key, self.endpoint.model)
        from robota_nb.providers.openai.transport import send

        return send(client, "get", "/models", None, self._context.errors(key, self.endpoint.model))

    # -- what is read

    def _read(self, response: RawResponse) -> Iterator[StreamEvent]:
        """Yield the answer in a response."""
        reply = Reply()
        if response.content_type == "text/event-stream":
            yield from self._read_stream(response, reply)
        elif response.content_type == "application/json":  # a server that does not stream
            reply.take_whole(b"".join(response.pieces(self._max_reply_bytes)))
        else:
            raise response.unexpected()
        if text := reply.text(last=True):
            yield TextDelta(text)
        if problem := reply.problem:
            raise response.errors.error(problem.what, "ask again", detail=problem.detail)
        yield reply.finish()

    def _read_stream(self, response: RawResponse, reply: Reply) -> Iterator[StreamEvent]:
        """Yield the text of a stream, and let *reply* take all of it."""
        parser, ending = EventParser(max_event_bytes=self._max_event_bytes), False
        with contextlib.ExitStack() as rest:
            try:
                for piece in response.pieces(self._max_reply_bytes):
                    reply.take(parser.feed(piece))
                    if text := reply.text():
                        yield TextDelta(text)
                    if reply.over:
                        return
                    if reply.complete and not ending:
                        ending = True
                        rest.enter_context(Deadline(_GRACE).calls(response.hang_up))
            except ProviderError:
                if not reply.complete:  # else the answer is whole, and nothing is lost with the connection
                    raise
            reply.end(parser.close())

    def _read_models(self, response: RawResponse) -> list[str]:
        """Return the names in a list of models."""
        names = _model_names(b"".join(response.pieces(self._max_reply_bytes)))
        if names is None:
            raise response.errors.error("answered with something that is no list of models", CHECK_URL)
        return names


def _body(request: Request, model: str, *, usage: bool) -> dict[str, Any]:
    body = ({"stream_options": {"include_usage": True}} if usage else {}) | dict(request.params)
    if body.get("stream_options", ...) is None:  # set to null for servers that stumble over it
        del body["stream_options"]
    return body | {"model": model, "messages": list(request.messages), "stream": True}


def _model_names(data: bytes) -> list[str] | None:
    try:
        found = json.loads(data)["data"]
        return sorted(str(model["id"])[:100] for model in found)
    except (ValueError, TypeError, LookupError, RecursionError):
        return None
