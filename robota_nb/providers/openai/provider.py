"""Any OpenAI-compatible server, through the `openai` SDK: the SDK sends, and the raw stream is read here.

Reading the stream here is several times faster than the SDK's typed objects, and it alone can tell a whole
answer from a cut one: the SDK takes a web page, an empty body or a lost connection for a normal end.
"""

from __future__ import annotations

import contextlib
import threading
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from robota_nb.core.ports import Remark
from robota_nb.errors import NoModelList, ProviderError
from robota_nb.providers.context import More
from robota_nb.providers.keys.secret import Secret
from robota_nb.providers.obstacles import in_the_way
from robota_nb.providers.openai.body import sniffed
from robota_nb.providers.openai.models import misspelt, models_in
from robota_nb.providers.openai.request import over, questions_with
from robota_nb.providers.openai.sse import EventParser
from robota_nb.providers.openai.windows import window_said, windows_in
from robota_nb.providers.openai.wires import other_wire, wire_for
from robota_nb.providers.retry import Deadline, FailedAttempt
from robota_nb.providers.server_errors import CHECK_URL

if TYPE_CHECKING:
    from collections.abc import Iterator

    import openai

    from robota_nb.core.ports import Request, StreamEvent
    from robota_nb.providers.context import ProviderContext
    from robota_nb.providers.openai.answer import Answer
    from robota_nb.providers.openai.request import Refusal
    from robota_nb.providers.openai.transport import RawResponse
    from robota_nb.providers.openai.wire import Wire

__all__ = ["OpenAIProvider"]

_GRACE = 5.0
"""Seconds for what follows the end of an answer: usage and ``[DONE]``; some servers leave the line open."""

_GRACE_IN_TEXT = 30.0
"""The same after a reason that came with text: some servers give one with every piece of it."""

_NO_SUCH_PATH = (404, 405, 501)
_LONGEST_NAME = 100  # of a model, in characters
_NO_LIST = "can be reached and has no list of models", f"ask one of its models; if that fails, {CHECK_URL}"


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
        self, context: ProviderContext, *, max_reply_bytes: int = 20_000_000, max_event_bytes: int = 20_000_000
    ) -> None:
        self.name = context.endpoint.name
        self.endpoint = context.endpoint
        self._context = context
        self._max_reply_bytes = max_reply_bytes
        self._max_event_bytes = max_event_bytes
        self._refusals: dict[tuple[str, str], tuple[Refusal, ...]] = {}  # by API and model, what the server has refused
        self._wires: dict[str, Wire] = {}  # the APIs that the server has named for models
        self._listed: tuple[str, ...] = ()  # the server's models, once somebody has asked for them
        self._windows: dict[str, int] = {}  # of models, as far as the server has told
        self._doubted: set[str] = set()  # models that are none of these, and were told once
        self._lock = threading.Lock()
        self._client: openai.OpenAI | None = None
        self._client_key, self._client_more = Secret(""), More()

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
        self._check_spelling(model)
        yield from self._context.ask(
            request, partial(self._send, request, model), partial(self._read, echoes=bool(request.tools))
        )

    def window(self, model: str) -> int:
        """Return how many tokens a request to a model and its answer may have together; 0 if nobody has told."""
        return self.endpoint.context_window or self._windows.get(model or self.endpoint.model, 0)

    def models(self) -> list[str]:
        """Return the names of the models that the server offers; this asks none of them.

        Raises
        ------
        NoModelList
            The server can be reached, and says that it has no such list.
        KeyMissing, ProviderError
            As `stream` does.
        """
        names = self._context.fetch(self._send_for_models, self._read_models)
        self._listed = tuple(names)
        return names

    def warm(self) -> None:
        """Do the slow part of a first ask now (the import of the SDK takes half a second); never raises."""
        with contextlib.suppress(Exception):
            self.endpoint.check()
            self._connected(self._context.key(), self._context.more(), self.endpoint.model)

    def close(self) -> None:
        """Close the connections; the provider may be used again and reconnects by itself."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    # -- what is sent

    def _check_spelling(self, model: str) -> None:
        """Raise, once, if a model looks like a misspelt one of those that the server has listed."""
        if model not in self._doubted and (near := misspelt(model, self._listed)):
            self._doubted.add(model)
            raise ProviderError(f"endpoint {self.name!r} lists no model {model[:60]!r}{near}", hint="model.unlisted")

    def _connected(self, key: Secret, more: More, model: str) -> openai.OpenAI:
        """Return the client, made at the first ask and again when the key or what goes with it has changed."""
        with self._lock:
            if self._client is not None and (self._client_key.reveal(), self._client_more) == (key.reveal(), more):
                return self._client
            try:
                from robota_nb.providers.openai.transport import connect

                self._client = connect(self.endpoint, key, more, timeout=self._context.timeouts.read)
            except Exception as error:  # noqa: BLE001 (a bad proxy or certificate setting, a broken installation)
                obstacle = in_the_way(error)
            else:
                self._client_key, self._client_more = key, more
                return self._client
        raise self._context.errors(key, model, more=more).error(*obstacle)

    def _send(self, request: Request, model: str, key: Secret) -> RawResponse | FailedAttempt:
        """Send a request; if the server refuses a parameter that can be spared, once more without it.

        If it names the other API for this model, and the user has not chosen one, that is asked from then on.
        """
        more = self._context.more()
        client = self._connected(key, more, model)
        from robota_nb.providers.openai.transport import Refused, send

        pictures = questions_with(request, "image_url")
        files = questions_with(request, "file", "input_audio")
        errors = self._context.errors(key, model, pictures, files=files, more=more, listed=self._listed)
        request = replace(request, params=over(self.endpoint.body, request.params))
        remarks: list[str] = []
        while True:
            wire = self._wires.get(model) or wire_for(self.endpoint, request)
            if lost := wire.lacks(request):
                raise errors.error(
                    f"is asked by the Responses API, which takes no {lost}", "leave it out, and ask again"
                )
            refusals = self._refusals.get((wire.name, model), ())
            body = wire.body_of(request, model, refusals)
            response = send(client, "post", wire.path, body, errors)
            if not isinstance(response, FailedAttempt):
                return replace(response, remarks=tuple(remarks), wire=wire)
            if not isinstance(response, Refused):
                return response
            if window := window_said(response.body):
                self._windows[model] = window
            if request.cancellation.cancelled:
                return response
            other = other_wire(wire, response.body) if self.endpoint.api == "auto" else None
            if other and self._wires.setdefault(model, other) is other:  # once: no server is asked to and fro
                continue
            refusal = wire.refusal_in(response.body, body, request.params, refusals)
            if refusal is None:
                return response
            self._refusals[wire.name, model] = (*refusals, refusal)
            if refusal.remark:
                remarks.append(refusal.remark.format(model=errors.clean(model, 60)))

    def _send_for_models(self, key: Secret) -> RawResponse | FailedAttempt:
        more = self._context.more()
        client = self._connected(key, more, self.endpoint.model)
        from robota_nb.providers.openai.transport import Refused, send

        errors = self._context.errors(key, self.endpoint.model, more=more)
        response = send(client, "get", "/models", None, errors)
        if isinstance(response, Refused) and response.status in _NO_SUCH_PATH:
            return FailedAttempt(NoModelList(str(errors.error(*_NO_LIST)), status=response.status))
        return response

    # -- what is read

    def _read(self, response: RawResponse, *, echoes: bool) -> Iterator[StreamEvent]:
        """Yield the answer in a response, with *echoes* also what its server wants back."""
        yield from (Remark(text) for text in response.remarks)
        assert response.wire is not None  # it is an answer
        reply = response.wire.answer()
        kind, pieces = sniffed(response.pieces(self._max_reply_bytes), response.content_type)
        if kind == "events":
            yield from self._read_stream(response, pieces, reply)
        elif kind == "json":  # a server that does not stream
            reply.take_whole(b"".join(pieces))
        else:
            raise response.unexpected(kind, b"".join(islice(pieces, 1)))
        yield from reply.events(last=True)
        if problem := reply.problem:
            raise response.errors.broken(problem.what, problem.detail)
        yield from reply.outcome(echoes=echoes)

    def _read_stream(self, response: RawResponse, pieces: Iterator[bytes], reply: Answer) -> Iterator[StreamEvent]:
        """Yield what a stream says, and let *reply* take all of it."""
        parser = EventParser(max_event_bytes=self._max_event_bytes)
        with contextlib.ExitStack() as rest:
            ending = False
            try:
                for piece in pieces:
                    reply.take(parser.feed(piece))
                    yield from reply.events()
                    if reply.over:
                        return
                    if reply.ending is not ending:
                        ending = reply.ending
                        rest.close()
                        if ending:
                            grace = _GRACE_IN_TEXT if reply.ends_in_text else _GRACE
                            rest.enter_context(Deadline(grace).calls(response.hang_up))
            except ProviderError:
                if not reply.ending:  # else the answer is whole, and nothing is lost with the connection
                    yield from reply.events(last=True)
                    raise
            reply.end(parser.close())

    def _read_models(self, response: RawResponse) -> list[str]:
        """Return the names in a list of models."""
        data = b"".join(response.pieces(self._max_reply_bytes))
        self._windows |= windows_in(data)
        names = models_in(data)
        if names is None:
            raise response.errors.error("answered with something that is no list of models", CHECK_URL)
        return [name[:_LONGEST_NAME] for name in names]
