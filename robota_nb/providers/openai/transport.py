"""The client of the `openai` SDK, bound to one endpoint, and what it sends.

Importing this module imports `openai`, which takes half a second: do it late. The SDK reads the environment on its own
account; here everything that goes to a server is said explicitly, and hooks on its HTTP client see to what must hold
for every request and every response.
"""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import zlib
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any

import httpx2
import openai

from robota_nb.providers.endpoint import OPENAI
from robota_nb.providers.obstacles import on_the_way
from robota_nb.providers.redaction import redacted_logs
from robota_nb.providers.retry import FailedAttempt
from robota_nb.providers.server_errors import CHECK_URL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from robota_nb.errors import ProviderError
    from robota_nb.providers.context import More
    from robota_nb.providers.endpoint import Endpoint
    from robota_nb.providers.keys.secret import Secret
    from robota_nb.providers.openai.body import Kind
    from robota_nb.providers.openai.wire import Wire
    from robota_nb.providers.server_errors import ServerErrors

__all__ = ["RawResponse", "Refused", "connect", "send"]

_NO_KEY = "no-key-needed"  # a server without keys ignores it
_IN_PLACE = "in-place-of-the-key"  # the SDK wants one, and keeps it where it can be seen; ours goes in last
_MAX_ERROR_BYTES = 64_000
_REFUSALS = (400, 403, 404, 405, 422, 501)
"""The statuses under which servers refuse a parameter."""

_GZIP = zlib.MAX_WBITS | 32
_LIBRARIES = ("openai", "httpx2", "httpcore2")


@dataclass(frozen=True, slots=True)
class Refused(FailedAttempt):
    """A server finds something wrong with the request.

    Parameters
    ----------
    status
        The HTTP status.
    body
        What it said, as it came.
    """

    status: int = 0
    body: str = ""


@dataclass(frozen=True, slots=True)
class RawResponse:
    """A response whose body is still on its way.

    Parameters
    ----------
    response
        The response of the HTTP client.
    errors
        Makes the errors of the request.
    remarks
        What the user should know of how it was asked, in one line each.
    wire
        The API of which it is an answer; None if it is no answer.
    """

    response: httpx2.Response
    errors: ServerErrors
    remarks: tuple[str, ...] = ()
    wire: Wire | None = None

    @property
    def content_type(self) -> str:
        """The media type of the body, without its parameters, in lower case."""
        return str(self.response.headers.get("content-type", "").partition(";")[0].strip().lower())

    def pieces(self, max_bytes: int) -> Iterator[bytes]:
        """Yield the body as it arrives.

        Raises
        ------
        ProviderError
            The body is longer than *max_bytes*, or breaks off.
        """
        size = 0
        error: BaseException
        try:
            for piece in self.response.iter_raw():
                size += len(piece)
                if size > max_bytes:
                    break
                yield piece
            else:
                return
            error = self.errors.error(f"sent more than {max_bytes} bytes", "ask for less")
        except KeyboardInterrupt:
            error = KeyboardInterrupt()
        except httpx2.TimeoutException:
            error = self.errors.error("fell silent in the middle of the answer", hint="timeout.silence")
        except (httpx2.HTTPError, httpx2.StreamError, OSError):
            error = self.errors.error("lost the connection in the middle of the answer", "ask again")
        raise error

    def unexpected(self, kind: Kind, head: bytes) -> ProviderError:
        """Make the error of a body that is no answer, but of another *kind* that begins with *head*."""
        got = "text/html" if kind == "page" else self.errors.clean(self.content_type, 40) if head else ""
        return self.errors.error(
            f"answered with {got or 'nothing'} instead of a stream",
            CHECK_URL,
            detail=head.decode(errors="replace"),
            status=self.response.status_code,
        )

    def hang_up(self) -> None:
        """Wake a thread that waits for the next piece: closing alone would leave it waiting."""
        stream = self.response.extensions.get("network_stream")
        connection = stream.get_extra_info("socket") if stream else None
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Release the connection."""
        self.response.close()


class _NotAccepted(Exception):
    """A response that is not even read; the text says why."""


def connect(endpoint: Endpoint, key: Secret, more: More, *, timeout: float) -> openai.OpenAI:
    """Return a client that speaks to this endpoint alone, and asks once.

    Parameters
    ----------
    endpoint, key
        The endpoint, and its key.
    more
        The headers and the query that each request carries besides.
    timeout
        The longest that one read may take, in seconds.
    """
    # Plain http is for this machine only (`url_problem`). A proxy would carry that traffic off the machine, in the
    # clear; and a TLS context without certificates, which plain http never uses, saves the 30 ms of reading them.
    plain = endpoint.base_url.lower().startswith("http:")
    http_client = _HttpClient(
        follow_redirects=False,
        trust_env=not plain,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),  # asks have no session: no cookie is kept
        verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if plain else True,
        event_hooks={"request": [_request_hook(endpoint, key, more)], "response": [_check_response]},
    )
    client = openai.OpenAI(
        api_key=_IN_PLACE,
        base_url=endpoint.base_url,
        http_client=http_client,
        max_retries=0,  # the SDK's waits are not shown, and cannot be ended
        timeout=openai.Timeout(timeout, connect=5.0),
    )
    client.admin_api_key = None
    if endpoint.name != OPENAI:  # OPENAI_ORG_ID and OPENAI_PROJECT_ID are for OpenAI alone
        client.organization = client.project = None
    client.organization = endpoint.organization or client.organization
    return client


class _HttpClient(openai.DefaultHttpxClient):
    """Closes its connections when nobody uses it any more."""

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.close()


class _Capped(httpx2.SyncByteStream):
    """The first bytes of an error's body, unpacked: enough to read what it says."""

    def __init__(self, stream: httpx2.SyncByteStream, packing: str) -> None:
        self._stream = stream
        self._packing = packing

    def __iter__(self) -> Iterator[bytes]:
        left = _MAX_ERROR_BYTES
        unpack = zlib.decompressobj(_GZIP) if self._packing in ("gzip", "x-gzip", "deflate") else None
        for data in self._stream:
            try:
                plain = unpack.decompress(data, left) if unpack else data[:left]
            except zlib.error:
                return
            yield plain
            left -= max(len(plain), len(data))
            if left <= 0:
                return

    def close(self) -> None:
        self._stream.close()


def _request_hook(endpoint: Endpoint, key: Secret, more: More) -> Callable[[httpx2.Request], None]:
    is_openai = endpoint.name == OPENAI

    def complete(request: httpx2.Request) -> None:
        headers = request.headers
        if not is_openai:
            for name in _ambient_headers():
                headers.pop(name, None)
        if not is_openai or headers.get("Authorization") == f"Bearer {_IN_PLACE}":  # else the user's own header
            headers["Authorization"] = f"Bearer {key.reveal() or _NO_KEY}"
        if more.headers and not endpoint.key_env:  # they say who asks
            headers.pop("Authorization", None)
        headers.update(more.headers)
        if more.query:
            request.url = request.url.copy_merge_params(more.query)
        headers["Content-Type"] = "application/json"
        headers["Accept-Encoding"] = "identity"  # nothing to unpack, so nothing can explode

    return complete


def _ambient_headers() -> list[str]:
    """Return the names of the headers that the SDK adds to every request from OPENAI_CUSTOM_HEADERS."""
    lines = os.environ.get("OPENAI_CUSTOM_HEADERS", "").split("\n")
    names = [line.partition(":")[0].strip().lower() for line in lines if ":" in line]
    return [name for name in names if name not in ("host", "content-length")]


def _check_response(response: httpx2.Response) -> None:
    if 300 <= response.status_code < 400:  # noqa: PLR2004 (the statuses of redirects)
        raise _NotAccepted("answered with a redirect")
    packing = response.headers.get("content-encoding", "identity").strip().lower()
    if response.is_error and isinstance(response.stream, httpx2.SyncByteStream):
        response.stream = _Capped(response.stream, packing)
        response.headers.pop("content-encoding", None)
    elif packing not in ("", "identity"):
        raise _NotAccepted("answered with a compressed body")


def send(
    client: openai.OpenAI, method: str, path: str, body: dict[str, Any] | None, errors: ServerErrors
) -> RawResponse | FailedAttempt:
    """Return the response as soon as its headers are there, or why there is none."""
    # The SDK's own way to call a path gives the raw response, and spends nothing on typed requests.
    try:
        with redacted_logs(errors.secrets, *_LIBRARIES):
            if method == "get":
                response = client.get(path, cast_to=httpx2.Response, stream=True)
            else:
                response = client.post(path, cast_to=httpx2.Response, body=body, stream=True)
    except KeyboardInterrupt:
        return FailedAttempt(KeyboardInterrupt())
    except Exception as error:  # noqa: BLE001 (whatever it is, it holds the request)
        return _failed(error, errors)
    return RawResponse(response, errors)


def _failed(error: Exception, errors: ServerErrors) -> FailedAttempt:
    if isinstance(error, _NotAccepted):
        return FailedAttempt(errors.error(str(error), f"that is not accepted, {CHECK_URL}"))
    if isinstance(error, openai.APIStatusError):
        body = error.response.content.decode(errors="replace")
        failed = errors.refused(error.status_code, error.response.headers, body)
        if error.status_code not in _REFUSALS:
            return failed
        return Refused(failed.error, failed.retryable, failed.wait, error.status_code, body)
    if isinstance(error, openai.APIConnectionError):
        unheard = isinstance(error.__cause__, httpx2.ConnectTimeout)
        if isinstance(error, openai.APITimeoutError) and not unheard:
            # It may be at work on the answer: asking again is the user's choice.
            return FailedAttempt(errors.error("did not answer in time", "ask again"))
        obstacle = on_the_way(error, str(error.request.url))
        return FailedAttempt(errors.error(obstacle.what, obstacle.step), retryable=True)
    if isinstance(error, httpx2.HTTPError):
        return FailedAttempt(errors.error("lost the connection before the answer", "ask again"), retryable=True)
    what = f"was not asked, the request is not valid ({type(error).__name__})"
    return FailedAttempt(errors.error(what, "check the parameters of the chat"))
