"""The endpoints of this user: servers by alias, as the configuration names them.

A notebook names an alias and never a URL, so a notebook from a stranger cannot send a key anywhere.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import Any, Literal
from urllib.parse import urlsplit

from robota_nb.core.record.config import OFFLINE
from robota_nb.errors import ProviderError
from robota_nb.providers.endpoint_settings import SETTINGS, Setting, problem_of

__all__ = [
    "OFFLINE",
    "OPENAI",
    "Endpoint",
    "EndpointError",
    "Setting",
    "builtin_endpoints",
    "check_name",
    "is_name",
    "parse_endpoints",
    "url_problem",
]

OPENAI = "openai"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_PORTS = {"http": 80, "https": 443}


class EndpointError(ProviderError, ValueError):
    """An endpoint in the user's configuration that cannot be used as it stands."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A named server. Its key is not part of it.

    Parameters
    ----------
    name
        The alias, as configs and notebooks carry it.
    base_url
        Where the API is; for an OpenAI-compatible server it usually ends in ``/v1``. Empty where the provider knows.
    key_env
        The environment variable that holds the key; empty if the server needs none.
    model
        The model to ask where none is named; may be empty.
    provider
        The provider that speaks to it: ``openai``, or the name of another package's entry point.
    api
        By which API ``openai`` asks: ``chat`` (Chat Completions), ``responses``, or ``auto`` for the one that fits.
    settings
        What only that provider knows, by name.
    headers, query
        What each request carries besides, by name; ``$NAME`` in a text stands for an environment variable. An endpoint
        with headers and without *key_env* sends no ``Authorization`` but what the headers say.
    body
        What the body of each request carries, unless the chat says something else there.
    organization
        The organization, as OpenAI's API takes it.
    timeouts
        Seconds, where they are others than the user's: ``silence``, ``answer``, ``retry_wait``.
    context_window
        How many tokens a request and its answer may have together; 0 if that is not known.
    price
        What a million tokens cost, in whatever currency: ``input``, ``output``.
    insecure
        Whether plain ``http`` may be spoken beyond this machine: anybody on the way can read the prompts and the key.
    """

    name: str
    base_url: str = field(default="", repr=False)
    key_env: str = ""
    model: str = ""
    provider: str = field(default=OPENAI, repr=False)
    api: Literal["auto", "chat", "responses"] = field(default="auto", repr=False, kw_only=True)
    settings: Mapping[str, Setting] = field(default_factory=dict, repr=False, hash=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    body: Mapping[str, Any] = field(default_factory=dict, repr=False, hash=False)
    organization: str = field(default="", repr=False)
    timeouts: Mapping[str, float] = field(default_factory=dict, repr=False, hash=False)
    context_window: int = field(default=0, repr=False)
    price: Mapping[str, float] = field(default_factory=dict, repr=False, hash=False)
    insecure: bool = field(default=False, repr=False)

    @property
    def origin(self) -> str:
        """Scheme, host and port of the server, to which its key is bound; empty if the URL cannot be asked."""
        if url_problem(self.base_url, insecure=self.insecure):
            return ""
        url = urlsplit(self.base_url)
        return f"{url.scheme}://{url.hostname}:{url.port or _PORTS[url.scheme]}"

    def check(self) -> None:
        """Raise `EndpointError` if the URL cannot be asked; to have none is well, unless the provider is ``openai``."""
        if (self.base_url or self.provider == OPENAI) and (
            problem := url_problem(self.base_url, insecure=self.insecure)
        ):
            raise EndpointError(f"endpoint {self.name!r}: {problem}")


def builtin_endpoints(environ: Mapping[str, str] | None = None) -> dict[str, Endpoint]:
    """Return the endpoints that every user has.

    ``openai`` follows the user's OPENAI_BASE_URL and OPENAI_MODEL, in *environ* or else this process's environment;
    ``ollama`` is the Ollama of this machine.
    """
    environ = os.environ if environ is None else environ
    base_url = environ.get("OPENAI_BASE_URL", "").strip() or "https://api.openai.com/v1"
    model = environ.get("OPENAI_MODEL", "").strip() or "gpt-4o-mini"
    return {
        "openai": Endpoint("openai", base_url, "OPENAI_API_KEY", model),
        "ollama": Endpoint("ollama", "http://127.0.0.1:11434/v1"),
    }


def parse_endpoints(
    config: Mapping[str, Mapping[str, Any] | Endpoint], environ: Mapping[str, str] | None = None
) -> dict[str, Endpoint]:
    """Read the user's configuration of endpoints.

    Parameters
    ----------
    config
        Such as ``{"lab": {"base_url": "https://lab.example/v1", "key_env": "LAB_KEY", "model": "m"}}``. Only
        ``base_url`` is needed, and for the built-in names not even that: ``{"openai": {"model": "gpt-4o"}}``. With
        ``provider``, the name of another package's provider, further settings are that provider's own.
    environ
        The environment that the built-in endpoints are read from.

    Raises
    ------
    EndpointError
        Naming the endpoint, what is wrong with it, and what to write instead; it never repeats a value.
    """
    if not isinstance(config, Mapping):
        raise EndpointError("endpoints are a dictionary: {'lab': {'base_url': …, 'key_env': …, 'model': …}}")
    builtin = builtin_endpoints(environ)
    return {name: _parse(name, value, builtin.get(name)) for name, value in config.items()}


def usable_endpoints(
    config: Mapping[str, Mapping[str, Any] | Endpoint], environ: Mapping[str, str] | None = None
) -> tuple[dict[str, Endpoint], dict[str, EndpointError]]:
    """Return the endpoints that can be used, the built-in ones too, and what is wrong with the others, by alias.

    One harms no other; and where a built-in one is configured wrongly, it is not asked as if it were not. The arguments
    are those of `parse_endpoints`.
    """
    builtin = builtin_endpoints(environ)
    good, bad = dict(builtin), dict[str, EndpointError]()
    for name, value in config.items():
        try:
            good[name] = _parse(name, value, builtin.get(name))
        except EndpointError as error:
            good.pop(name, None)
            bad[name] = error
    return good, bad


def is_name(name: object) -> bool:
    """Return whether something can be the name of an endpoint or a provider."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def check_name(name: object) -> None:
    """Raise `EndpointError` if an endpoint cannot have this name."""
    if not is_name(name) or name == OFFLINE:
        raise EndpointError(f"an endpoint cannot be named {str(name)[:60]!r}: use letters, digits, '-', '_' and '.'")


def _parse(name: str, value: Mapping[str, Any] | Endpoint, base: Endpoint | None) -> Endpoint:
    check_name(name)
    if isinstance(value, Endpoint):
        return value
    if not isinstance(value, Mapping):
        raise EndpointError(f"endpoint {name!r} is a dictionary with base_url, and if need be key_env and model")
    provider = value.get("provider", OPENAI)
    for key, setting in value.items():
        if problem := problem_of(key, setting, own=provider != OPENAI):
            raise EndpointError(f"endpoint {name!r}: {problem}")
    known = {key: setting for key, setting in value.items() if key in SETTINGS}
    own = {key: setting for key, setting in value.items() if key not in SETTINGS}
    if base is not None and "base_url" not in value:
        return replace(base, **known, settings=own)
    # With another server the built-in key does not come along: a key belongs to one origin.
    endpoint = Endpoint(name, **known, settings=own)
    endpoint.check()
    if endpoint.key_env and not endpoint.base_url:
        raise EndpointError(f"endpoint {name!r} has a key_env and no base_url: name the one server that gets the key")
    return endpoint


def url_problem(base_url: str, *, insecure: bool = False) -> str:
    """Return what is wrong with a base URL, with the next step and without the URL; empty if nothing is.

    *insecure*: plain http may be spoken beyond this machine.
    """
    try:
        url = urlsplit(base_url)
        host, _ = url.hostname or "", url.port
    except ValueError:
        host = ""
    if not host or url.scheme not in ("http", "https") or not re.fullmatch(r"[!-\[\]-~]+", base_url):
        return "its base_url is not a URL that can be asked; it begins with https, names a host, and ends in /v1"
    if "@" in url.netloc:
        return "its base_url holds a user name or password; name the variable with the key in key_env instead"
    if "?" in base_url or "#" in base_url:
        return "its base_url has a query or a fragment; end it with the path, and name the rest in query"
    if url.scheme == "http" and not insecure and not _is_here(host):
        return (
            "its base_url is plain http and not on this machine, so anybody on the way could read the key and the "
            "prompts; use https, or a tunnel to localhost, or in a network of your own insecure = True (--insecure)"
        )
    return ""


def _is_here(host: str) -> bool:
    """Whether a host is this machine, by whatever name; 0.0.0.0 is what servers print, and leads here."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):  # which RFC 6761 keeps for this machine
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_unspecified
