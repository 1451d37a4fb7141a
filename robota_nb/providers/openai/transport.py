"""The openai client, bound to one endpoint, and what it sends. Importing this module imports `openai`: do it late.

The SDK reads the environment on its own account; here everything that goes to a server is said explicitly,
and hooks on its HTTP client see to what must hold for every request and every response.
"""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any

import httpx2
import openai

from robota_nb.providers.failures import CHECK_URL
from robota_nb.providers.openai.redaction import discreet_logs
from robota_nb.providers.openai.retry import Failed, asked_wait, in_words, may_help

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from robota_nb.providers.failures import Faults, Secret
    from robota_nb.providers.registry import Endpoint

__all__ = ["Refused", "connect", "hang_up", "send"]

_NO_KEY = "no-key-needed"  # a server without keys ignores it
_IN_PLACE = "in-place-of-the-key"  # the SDK wants one, and keeps it where it can be seen; ours goes in last
_MAX_ERROR_BYTES = 64_000
_REFUSALS = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)


class Refused(Exception):
    """A response that is not even read."""


def connect(endpoint: Endpoint, key: Secret, *, timeout: float) -> openai.OpenAI:
    """Return a client that speaks to this endpoint alone, and asks once; *timeout* is in seconds, for each read."""
    # Plain http is for this machine only (`url_problem`). There a proxy would carry the traffic off it, in the clear;
    # and a context that trusts nobody saves the 30 ms of reading the machine's certificates.
    plain = endpoint.base_url.lower().startswith("http:")
    http_client = _HttpClient(
        follow_redirects=False,
        trust_env=not plain,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),  # none are taken: an ask is nobody's session
        verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if plain else True,
        event_hooks={"request": [_request_hook(endpoint, key)], "response": [_check_response]},
    )
    client = openai.OpenAI(
        api_key=_IN_PLACE,
        base_url=endpoint.base_url,
        http_client=http_client,
        max_retries=0,  # the SDK would wait without a word, and nobody could end it
        timeout=openai.Timeout(timeout, connect=5.0),
    )
    client.admin_api_key = None
    if endpoint.name != "openai":  # OPENAI_ORG_ID and OPENAI_PROJECT_ID are nobody else's business
        client.organization = client.project = None
    return client


class _HttpClient(openai.DefaultHttpxClient):
    """Closes its connections when nobody uses it any more."""

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.close()


class _Capped(httpx2.SyncByteStream):
    """The first bytes of an error's body: enough to read what it says."""

    def __init__(self, stream: httpx2.SyncByteStream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        left = _MAX_ERROR_BYTES
        for data in self._stream:
            yield data[:left]
            left -= len(data)
            if left <= 0:
                return

    def close(self) -> None:
        self._stream.close()


def _request_hook(endpoint: Endpoint, key: Secret) -> Callable[[httpx2.Request], None]:
    foreign = endpoint.name != "openai"

    def complete(request: httpx2.Request) -> None:
        headers = request.headers
        if foreign:
            for name in _ambient_headers():
                headers.pop(name, None)
        if foreign or headers.get("Authorization") == f"Bearer {_IN_PLACE}":  # else the user's own header
            headers["Authorization"] = f"Bearer {key.reveal() or _NO_KEY}"
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
        raise Refused("answered with a redirect")
    if response.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise Refused("answered with a compressed body")
    if response.is_error and isinstance(response.stream, httpx2.SyncByteStream):
        response.stream = _Capped(response.stream)


def send(
    client: openai.OpenAI, method: str, path: str, body: dict[str, Any] | None, faults: Faults
) -> httpx2.Response | Failed:
    """Return the response as soon as its headers are there, or why there is none."""
    # The SDK's own way to call a path gives the raw response, and spends nothing on typed requests.
    try:
        with discreet_logs(faults.secret):
            if method == "get":
                return client.get(path, cast_to=httpx2.Response, stream=True)
            return client.post(path, cast_to=httpx2.Response, body=body, stream=True)
    except KeyboardInterrupt:
        return Failed(KeyboardInterrupt())
    except Exception as error:  # noqa: BLE001 (whatever it is, it holds the request)
        return _failed(error, faults)


def hang_up(response: httpx2.Response) -> None:
    """Wake a thread that waits for the next piece: closing alone would leave it waiting."""
    stream = response.extensions.get("network_stream")
    connection = stream.get_extra_info("socket") if stream else None
    if connection is not None:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


def _failed(error: Exception, faults: Faults) -> Failed:
    if isinstance(error, Refused):
        return Failed(faults.error(str(error), f"that is not accepted, {CHECK_URL}"))
    if isinstance(error, openai.APIStatusError):
        status, headers = error.status_code, error.response.headers
        passing = may_help(status, headers)
        wait = asked_wait(headers) if passing else None
        return Failed(
            faults.status(status, _words(error.body), in_words(wait) if wait else ""),
            passing=passing,
            wait=wait,
            refuses_options=status in _REFUSALS and _names(error.body, "stream_options"),
        )
    if isinstance(error, openai.APITimeoutError):  # it may be at work on the answer: asking again is the user's choice
        unheard = isinstance(error.__cause__, httpx2.ConnectTimeout)
        return Failed(faults.error("did not answer in time", "ask again"), passing=unheard)
    if isinstance(error, openai.APIConnectionError):
        step = "is the server running, and is its base_url right?"
        return Failed(faults.error("cannot be reached", step, detail=str(error.__cause__ or "")), passing=True)
    if isinstance(error, httpx2.HTTPError):
        return Failed(faults.error("lost the connection before the answer", "ask again"), passing=True)
    return Failed(faults.error(f"was not asked, the request is not valid ({type(error).__name__})", "check --set"))


def _names(body: object, word: str) -> bool:
    try:
        return word in str(body)
    except RecursionError:
        return False


def _words(body: object) -> str:
    """Return what an error's body says."""
    if isinstance(body, dict):
        body = body.get("message") or body.get("detail") or ""
    return body if isinstance(body, str) else ""
