"""Any OpenAI-compatible server, through the `openai` SDK: it sends, we wait, retry and read the raw stream ourselves.

Reading the stream here is several times faster than the SDK's typed objects, and it alone can tell a whole
answer from a cut one: the SDK takes a web page, an empty body or a lost connection for a normal end.
"""

from __future__ import annotations

import contextlib
import json
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from robota_nb.core.ports import TextDelta, Waiting
from robota_nb.errors import ProviderError
from robota_nb.providers.failures import CHECK_URL, Faults, Secret
from robota_nb.providers.keys.lookup import Keys
from robota_nb.providers.openai.redaction import Outermost, veiled
from robota_nb.providers.openai.reply import Reply
from robota_nb.providers.openai.retry import Deadline, Failed, in_words, own_wait, until_cancelled
from robota_nb.providers.openai.sse import EventParser
from robota_nb.providers.registry import url_problem

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    import httpx2
    import openai

    from robota_nb.core.ports import Request, StreamEvent
    from robota_nb.providers.registry import Endpoint

__all__ = ["OpenAIProvider"]

_ASK_AGAIN = "ask again"
_SILENCE = "c.RobotaMagics.silence_timeout"
_GRACE = 5.0  # seconds for what follows a whole answer: usage and [DONE]; some servers just leave the line open
_SHOWN_WAIT = 1.0  # seconds; a shorter one is over before it is read


class OpenAIProvider:
    """Answers from one endpoint.

    Parameters
    ----------
    endpoint
        Where to ask.
    environ
        Where variables are looked up; by default the process's environment.
    keys
        Where the key is looked up, at each ask; by default `robota_nb.providers.keys.lookup.Keys` with *environ*.
    max_retries
        How often to try again by itself, before the first byte of an answer and never after it.
    timeout
        Seconds of silence that are waited for, at each read.
    deadline
        Seconds that a whole answer may take, waits included; 0 for any time.
    max_wait
        The longest that a server may ask to wait before the next try, in seconds.
    max_reply_bytes
        The most bytes that an answer may have on the wire.
    max_event_bytes
        The most bytes that one event of it may have.

    Notes
    -----
    What goes wrong is a `ProviderError`, never an exception of the SDK or of the HTTP client: those, and the
    frames in their tracebacks, hold the request with the key. It is raised outside of the handler that caught
    the other, so that nothing is chained to it. The same is done for a `KeyboardInterrupt`.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        environ: Mapping[str, str] | None = None,
        keys: Keys | None = None,
        max_retries: int = 2,
        timeout: float = 600,
        deadline: float = 1800,
        max_wait: float = 60,
        max_reply_bytes: int = 20_000_000,
        max_event_bytes: int = 1_000_000,
    ) -> None:
        self.name = endpoint.name
        self.endpoint = endpoint
        self._keys = keys or Keys(environ)
        self._max_retries = max_retries
        self._timeout = min(timeout, deadline or timeout)
        self._deadline = deadline
        self._max_wait = max_wait
        self._max_reply_bytes = max_reply_bytes
        self._max_event_bytes = max_event_bytes
        self._counts_usage = True  # until the server refuses to be asked for it
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
        with Outermost():
            self._check_endpoint()
            model = request.model or self.endpoint.model
            if not model:
                raise ProviderError(f"endpoint {self.name!r} has no default model: name one with --model")
            key = self._key()
            yield from veiled(self._events(request, model, key), key)

    def _events(self, request: Request, model: str, key: Secret) -> Generator[StreamEvent]:
        """Yield what the server says."""
        faults = Faults(self.name, key, model)
        client = self._connected(key, faults)
        from robota_nb.providers.openai.transport import hang_up

        deadline = Deadline(self._deadline)
        response = yield from self._send(client, request, model, faults, deadline)
        request.cancellation.on_cancel(lambda: hang_up(response))
        reply = Reply()
        try:
            with deadline.calls(lambda: hang_up(response)):
                yield from self._deltas(response, reply, faults, deadline)
        finally:
            response.close()
        if (fault := _reply_fault(reply, faults)) is not None:
            raise fault
        yield reply.finish()

    def models(self) -> list[str]:
        """Return the names of the models that the server offers; this asks none of them.

        Raises
        ------
        KeyMissing, ProviderError
            As `stream` does.
        """
        with Outermost():
            self._check_endpoint()
            key = self._key()
            faults = Faults(self.name, key, self.endpoint.model)
            client, deadline = self._connected(key, faults), Deadline(self._deadline)
            from robota_nb.providers.openai.transport import hang_up, send

            response = send(client, "get", "/models", None, faults)
            if isinstance(response, Failed):
                raise response.fault
            try:
                with deadline.calls(lambda: hang_up(response)):
                    names = _model_names(b"".join(self._pieces(response, Reply(), faults, deadline)))
            finally:
                response.close()
        if names is None:
            raise faults.error("answered with something that is no list of models", CHECK_URL)
        return names

    def warm(self) -> None:
        """Do the slow part of a first ask now (the import of the SDK takes half a second); never raises."""
        with contextlib.suppress(Exception):
            self._check_endpoint()
            key = self._key()
            self._connected(key, Faults(self.name, key, ""))

    def close(self) -> None:
        """Close the connections; the provider may be used again and reconnects by itself."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _check_endpoint(self) -> None:
        if problem := url_problem(self.endpoint.base_url):
            raise ProviderError(f"endpoint {self.name!r}: {problem}")

    def _key(self) -> Secret:
        """Return the key as it is now."""
        return self._keys.find(self.endpoint)

    def _connected(self, key: Secret, faults: Faults) -> openai.OpenAI:
        """Return the client, made at the first ask and again when the key has changed."""
        with self._lock:
            if self._client is not None and self._client_key.reveal() == key.reveal():
                return self._client
            kind = ""
            try:
                from robota_nb.providers.openai.transport import connect

                client = connect(self.endpoint, key, timeout=self._timeout)
            except Exception as error:  # noqa: BLE001 (a bad proxy or certificate setting, a broken installation)
                kind = type(error).__name__
            else:
                self._client, self._client_key = client, key
                return client
        raise faults.error(f"cannot be set up ({kind})", "check the proxy and certificate settings, and `openai`")

    def _send(
        self, client: openai.OpenAI, request: Request, model: str, faults: Faults, deadline: Deadline
    ) -> Generator[Waiting, None, httpx2.Response]:
        """Ask until there is a response, or no use in asking."""
        from robota_nb.providers.openai.transport import send

        tries = 0
        while True:
            body = _body(request, model, usage=self._counts_usage)
            ask = partial(send, client, "post", "/chat/completions", body, faults)
            response = until_cancelled(ask, request.cancellation, _drop)
            if response is None:
                raise faults.error("was not waited for", _ASK_AGAIN)
            if not isinstance(response, Failed):
                return response
            if response.refuses_options and "stream_options" in body.keys() - request.params.keys():
                self._counts_usage = False
                continue
            wait = own_wait(tries) if response.wait is None else response.wait
            if not response.passing or tries >= self._max_retries or wait > min(self._max_wait, deadline.left):
                raise response.fault
            if response.wait and wait >= _SHOWN_WAIT:
                yield Waiting(seconds=wait)
            if request.cancellation.wait(wait):
                raise response.fault
            tries += 1

    def _deltas(
        self, response: httpx2.Response, reply: Reply, faults: Faults, deadline: Deadline
    ) -> Iterator[StreamEvent]:
        from robota_nb.providers.openai.transport import hang_up

        pieces = self._pieces(response, reply, faults, deadline)
        if _is_type(response, "text/event-stream"):
            yield from self._streamed(pieces, reply, lambda: hang_up(response))
        elif _is_type(response, "application/json"):  # a server that does not stream
            reply.take_whole(b"".join(pieces))
        else:
            fault = _type_fault(response, faults)
            raise fault
        if text := reply.text(last=True):
            yield TextDelta(text)

    def _streamed(self, pieces: Iterator[bytes], reply: Reply, stop: Callable[[], object]) -> Iterator[StreamEvent]:
        parser, ending = EventParser(max_event_bytes=self._max_event_bytes), False
        with contextlib.ExitStack() as rest:
            for piece in pieces:
                reply.take(parser.feed(piece))
                if text := reply.text():
                    yield TextDelta(text)
                if reply.over:
                    return
                if reply.complete and not ending:
                    ending = True
                    rest.enter_context(Deadline(_GRACE).calls(stop))
            reply.end(parser.close())

    def _pieces(self, response: httpx2.Response, reply: Reply, faults: Faults, deadline: Deadline) -> Iterator[bytes]:
        """Yield the body as it arrives; a loss after the answer is whole is no loss."""
        import httpx2

        size = 0
        fault: BaseException | None = None
        try:
            for piece in response.iter_raw():
                size += len(piece)
                if size > self._max_reply_bytes:
                    fault = faults.error(f"sent more than {self._max_reply_bytes} bytes", "ask for less")
                    break
                yield piece
        except KeyboardInterrupt:
            fault = KeyboardInterrupt()
        except httpx2.TimeoutException:
            fault = faults.error("fell silent in the middle of the answer", f"{_ASK_AGAIN}, or raise {_SILENCE}")
        except (httpx2.HTTPError, httpx2.StreamError, OSError):
            fault = faults.error("lost the connection in the middle of the answer", _ASK_AGAIN)
        if deadline.passed and not isinstance(fault, KeyboardInterrupt):  # we hung up: that can look like any end
            what = f"had not ended its answer after {in_words(self._deadline)}"
            fault = faults.error(what, "ask for less, or raise c.RobotaMagics.answer_timeout")
        if fault is not None and not (reply.complete and isinstance(fault, ProviderError)):
            raise fault


def _drop(response: httpx2.Response | Failed) -> None:
    if not isinstance(response, Failed):
        response.close()


def _body(request: Request, model: str, *, usage: bool) -> dict[str, Any]:
    body = ({"stream_options": {"include_usage": True}} if usage else {}) | dict(request.params)
    if body.get("stream_options", ...) is None:  # for servers that only fail over it: --set stream_options=null
        del body["stream_options"]
    return body | {"model": model, "messages": list(request.messages), "stream": True}


def _model_names(data: bytes) -> list[str] | None:
    try:
        found = json.loads(data)["data"]
        return sorted(str(model["id"])[:100] for model in found)
    except (ValueError, TypeError, LookupError, RecursionError):
        return None


def _is_type(response: httpx2.Response, kind: str) -> bool:
    return bool(response.headers.get("content-type", "").partition(";")[0].strip().lower() == kind)


# These make an error apart from the frame that raises it: a verbose traceback shows that frame's variables, and
# what a server says may hold the key.


def _type_fault(response: httpx2.Response, faults: Faults) -> ProviderError:
    kind = response.headers.get("content-type", "").partition(";")[0]
    got = faults.clean(kind, 40) or "nothing"
    return faults.error(f"answered with {got} instead of a stream", CHECK_URL, status=response.status_code)


def _reply_fault(reply: Reply, faults: Faults) -> ProviderError | None:
    problem = reply.problem
    return faults.error(problem.what, _ASK_AGAIN, detail=problem.detail) if problem else None
