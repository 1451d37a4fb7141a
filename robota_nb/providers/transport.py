"""The openai client, bound to one endpoint. Importing this module imports `openai`: do it late.

The SDK reads the environment on its own account; here everything that goes to a server is said explicitly,
and hooks on its HTTP client see to what must hold for every request and every response.
"""

from __future__ import annotations

import contextlib
import os
import ssl
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING

import httpx2
import openai

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from robota_nb.providers.endpoints import Endpoint
    from robota_nb.providers.faults import Secret

__all__ = ["Refused", "connect"]

_NO_KEY = "no-key-needed"  # a server without keys ignores it
_IN_PLACE = "in-place-of-the-key"  # the SDK wants one, and keeps it where it can be seen; ours goes in last
_MAX_ERROR_BYTES = 64_000


class Refused(Exception):
    """A response that is not even read."""


def connect(endpoint: Endpoint, key: Secret, *, max_retries: int, timeout: float | None) -> openai.OpenAI:
    """Return a client that speaks to this endpoint alone."""
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
        max_retries=max_retries,
    )
    if timeout is not None:
        client.timeout = openai.Timeout(timeout, connect=5.0)
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
