"""What on this machine keeps a client from being set up or from reaching its server, by its name."""

from __future__ import annotations

import errno
import os
import re
import socket
import ssl
import sys
from importlib.machinery import PathFinder
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Obstacle", "in_the_way", "on_the_way", "proxy_for"]

_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""What names the certificates to trust, in the order in which the HTTP client looks."""

_PROXIES = ("https_proxy", "all_proxy")
"""What names a proxy, in small letters or in capitals; plain http, which is for this machine, goes through none."""


_OLLAMA = 11434
"""The port that Ollama listens at."""

_NO_ROUTE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN)
_DEEPEST = 10


class Obstacle(NamedTuple):
    """What is in the way, and what to do about it."""

    what: str
    step: str


def in_the_way(error: Exception, environ: Mapping[str, str] = os.environ) -> Obstacle:
    """Return what has kept a client from being set up.

    Parameters
    ----------
    error
        What was raised.
    environ
        The environment variables.

    Examples
    --------
    >>> in_the_way(FileNotFoundError(), {"SSL_CERT_FILE": "/gone/cacert.pem"}).what
    'cannot be set up: SSL_CERT_FILE names /gone/cacert.pem, and that is not there'
    """
    known = chain(_hidden_modules(), _missing_certificates(environ), _no_socks(error, environ), _no_tls(error))
    if found := next(known, None):
        return Obstacle(f"cannot be set up: {found.what}", found.step)
    kind = type(error).__name__
    return Obstacle(f"cannot be set up ({kind})", "check the proxy and certificate settings, and `openai`")


def on_the_way(error: BaseException, url: str, environ: Mapping[str, str] = os.environ) -> Obstacle:
    """Return what has kept a client from reaching its server.

    Parameters
    ----------
    error
        What was raised, with what had led to it.
    url
        The address that was asked.
    environ
        The environment variables.

    Examples
    --------
    >>> on_the_way(ConnectionRefusedError(), "http://127.0.0.1:11434/v1", {}).step
    'run `ollama serve`, and ask again'
    """
    causes = list(_causes(error))
    proxy = proxy_for(url, environ)
    return next(chain(_certificate(causes), _proxy(causes, proxy), _network(causes, url)))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen = 0
    while error is not None and seen < _DEEPEST:
        yield error
        error, seen = error.__cause__ or error.__context__, seen + 1


def _certificate(causes: list[BaseException]) -> Iterator[Obstacle]:
    for error in causes:
        words = str(error).casefold()
        if isinstance(error, ssl.SSLCertVerificationError) or "certificate_verify_failed" in words:
            if "expired" in words or "not yet valid" in words:
                yield Obstacle(
                    "has a certificate that is out of date", "check this machine's clock, else tell the server's admin"
                )
            elif "hostname" in words or "ip address mismatch" in words:
                yield Obstacle("has a certificate for another host", "check the host in its base_url")
            else:
                step = "set SSL_CERT_FILE to a file with the certificates of your organisation, and restart the kernel"
                yield Obstacle("has a certificate that this Python does not trust", step)
        elif isinstance(error, ssl.SSLError) or "[ssl" in words:
            step = "check whether its base_url begins with http or https, and the port in it"
            yield Obstacle("cannot be reached: it does not speak TLS", step)


def _proxy(causes: list[BaseException], proxy: tuple[str, str] | None) -> Iterator[Obstacle]:
    if proxy is None:
        return
    name, place = proxy
    words = " ".join(map(str, causes))
    if re.search(r"\b407\b|proxy auth", words, re.IGNORECASE):
        yield Obstacle(
            f"cannot be reached: the proxy {place} wants a password", f"set {name} with it, user:password@host"
        )
    elif any(type(error).__name__ == "ProxyError" for error in causes):
        yield Obstacle(f"cannot be reached: the proxy {place} refuses to connect", f"check {name}, or NO_PROXY")
    else:
        yield Obstacle("cannot be reached", f"is the proxy {place} of {name} right, and running?")


def _network(causes: list[BaseException], url: str) -> Iterator[Obstacle]:
    if any(isinstance(error, socket.gaierror) for error in causes):
        step = "check the host in its base_url, and the network (a VPN?)"
        yield Obstacle("cannot be reached: its host's name is not known", step)
    if any(isinstance(error, TimeoutError) or type(error).__name__ == "ConnectTimeout" for error in causes):
        yield Obstacle(
            "cannot be reached: it does not take the connection", "check its base_url, and the network (a VPN?)"
        )
    if _is_ollama(url):
        yield Obstacle("cannot be reached", "run `ollama serve`, and ask again")
    if any(isinstance(error, ConnectionRefusedError) for error in causes):
        yield Obstacle("cannot be reached", "is the server running, and is its base_url right?")
    if any(isinstance(error, OSError) and error.errno in _NO_ROUTE for error in causes):
        yield Obstacle("cannot be reached: there is no way to its host", "check the network (a VPN?), and its base_url")
    yield Obstacle("cannot be reached", "is the server running, and is its base_url right?")


def _is_ollama(url: str) -> bool:
    try:
        return urlsplit(url).port == _OLLAMA
    except ValueError:
        return False


def proxy_for(url: str, environ: Mapping[str, str] = os.environ) -> tuple[str, str] | None:
    """Return the variable that names a proxy for an address, and the proxy's host and port; None if there is none.

    What stands before the host, a password perhaps, is left out.

    Examples
    --------
    >>> proxy_for("https://llm.example/v1", {"HTTPS_PROXY": "http://me:secret@127.0.0.1:9"})
    ('HTTPS_PROXY', '127.0.0.1:9')
    """
    target = urlsplit(url)
    if target.scheme != "https" or proxy_bypass(target.hostname or ""):
        return None
    return next(((name, _place(value)) for name, value in _proxies(environ)), None)


def _proxies(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in _PROXIES:
        for spelt in (name, name.upper()):
            if value := environ.get(spelt, ""):
                yield spelt, value


def _place(proxy: str) -> str:
    try:
        where = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        port = f":{where.port}" if where.port else ""
    except ValueError:
        return "?"
    return f"{where.hostname or '?'}{port}"


def _hidden_modules() -> Iterator[Obstacle]:
    """Find files of the working directory that Python takes for modules that they are not."""
    here = Path.cwd()
    others = [entry for entry in sys.path if entry and Path(entry) != here]
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if not file or "." in name or name == "__main__":
            continue
        place = Path(file)
        if here not in (place.parent, place.parent.parent):
            continue
        if name in sys.stdlib_module_names or PathFinder.find_spec(name, others):
            shown = place.name if place.parent == here else f"{place.parent.name}/"
            yield Obstacle(
                f"{shown} in this folder hides the module {name!r}", "give it another name, and restart the kernel"
            )


def _missing_certificates(environ: Mapping[str, str]) -> Iterator[Obstacle]:
    for name in _CERTIFICATES:
        value = environ.get(name, "")
        if value and not Path(value).exists():
            yield Obstacle(f"{name} names {value}, and that is not there", "correct it, or unset it")


def _no_socks(error: Exception, environ: Mapping[str, str]) -> Iterator[Obstacle]:
    if not re.search("socks", str(error), re.IGNORECASE):
        return
    for name, value in _proxies(environ):
        if value.lower().startswith("socks"):
            yield Obstacle(f"{name} names a SOCKS proxy, which needs socksio", "pip install socksio, or unset it")


def _no_tls(error: Exception) -> Iterator[Obstacle]:
    causes = [error, error.__cause__, error.__context__]
    if any(isinstance(one, ImportError) and re.search("ssl|crypto", str(one), re.IGNORECASE) for one in causes):
        yield Obstacle("this Python cannot load its OpenSSL", "reinstall Python, or use another environment")
