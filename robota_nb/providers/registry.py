"""The servers that this user has configured, by alias, and the registry that makes providers of them.

A notebook names an alias and never a URL, so a notebook from a stranger cannot send a key anywhere.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from robota_nb.core.ports import Provider
from robota_nb.errors import EndpointNotFound, ProviderError, nearest
from robota_nb.providers.failures import Environment
from robota_nb.providers.keys.lookup import Keys

__all__ = ["Endpoint", "EndpointError", "ProviderRegistry", "builtin_endpoints", "parse_endpoints", "url_problem"]

ENTRY_POINTS = "robota_nb.providers"
OFFLINE = "offline"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")  # upper case: many a key would pass for a lower-case name
_KEYS = ("base_url", "key_env", "model")
_PORTS = {"http": 80, "https": 443}


class EndpointError(ProviderError, ValueError):
    """An endpoint in the user's configuration that cannot be used as it stands."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A named OpenAI-compatible server. Its key is not part of it.

    Parameters
    ----------
    name
        The alias, as configs and notebooks carry it.
    base_url
        Where the API is; it usually ends in ``/v1``.
    key_env
        The environment variable that holds the key; empty if the server needs none.
    model
        The model to ask where none is named; may be empty.
    """

    name: str
    base_url: str = field(repr=False)
    key_env: str = ""
    model: str = ""

    @property
    def origin(self) -> str:
        """Scheme, host and port of the server: what its key is bound to; empty if the URL cannot be asked."""
        if url_problem(self.base_url):
            return ""
        url = urlsplit(self.base_url)
        return f"{url.scheme}://{url.hostname}:{url.port or _PORTS[url.scheme]}"


def builtin_endpoints(environ: Mapping[str, str] | None = None) -> dict[str, Endpoint]:
    """Return the endpoints that everybody has.

    ``openai`` honours the user's own OPENAI_BASE_URL and OPENAI_MODEL; ``ollama`` is the one on this machine.
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
        ``base_url`` is needed, and for the built-in names not even that: ``{"openai": {"model": "gpt-4o"}}``.
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


def _parse(name: str, value: Mapping[str, Any] | Endpoint, base: Endpoint | None) -> Endpoint:
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name == OFFLINE:
        raise EndpointError(f"an endpoint cannot be named {str(name)[:60]!r}: use letters, digits, '-', '_' and '.'")
    if isinstance(value, Endpoint):
        return value
    if not isinstance(value, Mapping):
        raise EndpointError(f"endpoint {name!r} is a dictionary with base_url, and if need be key_env and model")
    for key, setting in value.items():
        _check_setting(name, key, setting)
    if base is not None and "base_url" not in value:
        return replace(base, **value)
    # With another server the built-in key does not come along: a key belongs to one origin.
    endpoint = Endpoint(name, **{"base_url": "", **value})
    if problem := url_problem(endpoint.base_url):
        raise EndpointError(f"endpoint {name!r}: {problem}")
    return endpoint


def _check_setting(name: str, key: Any, value: Any) -> None:
    if key not in _KEYS:
        known = ", ".join(_KEYS)
        if "key" in str(key).lower() or "token" in str(key).lower():
            step = "put the key into an environment variable and name that with key_env"
        else:
            step = f"the settings are {known}"
        raise EndpointError(f"endpoint {name!r} has no setting {str(key)[:60]!r}{nearest(str(key), _KEYS)}: {step}")
    if not isinstance(value, str):
        raise EndpointError(f"endpoint {name!r}: {key} is a string")
    if key == "key_env" and value and not _VARIABLE.fullmatch(value):
        raise EndpointError(
            f"endpoint {name!r}: key_env is the name of an environment variable in upper case, such as 'LAB_KEY', "
            "not the key itself"
        )


def url_problem(base_url: str) -> str:
    """Return what is wrong with a base URL, with the next step and without the URL; empty if nothing is."""
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
        return "its base_url has a query or a fragment; end it with the path, which is usually /v1"
    if url.scheme == "http" and not _is_loopback(host):
        return (
            "its base_url is plain http and not on this machine, so anybody on the way could read the key and the "
            "prompts; use https, or a tunnel to localhost"
        )
    return ""


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class ProviderRegistry:
    """The providers of one user, by name: endpoints, ``offline``, and what other packages bring.

    Parameters
    ----------
    endpoints
        The user's own, as `parse_endpoints` takes them; they come on top of the built-in ones.
    environ
        Where keys and defaults are looked up, each time they are needed; by default the process's environment.
    keys
        Where the keys of endpoints come from; by default `robota_nb.providers.keys.lookup.Keys` with *environ*.
    default_provider, default_model
        What a chat gets where nothing is configured, instead of what `default` would choose.
    **waits
        How long endpoints are waited for: ``timeout``, ``deadline`` and ``max_wait`` of `OpenAIProvider`, in seconds.

    Notes
    -----
    Another package adds a provider by an entry point of the group ``robota_nb.providers`` that names an object
    with `name` and `stream`, or something to call without arguments that returns one. It is imported when it is
    first asked for, and only if no endpoint has its name.
    """

    def __init__(
        self,
        endpoints: Mapping[str, Mapping[str, Any] | Endpoint] | None = None,
        environ: Mapping[str, str] | None = None,
        *,
        keys: Keys | None = None,
        default_provider: str = "",
        default_model: str = "",
        **waits: float,
    ) -> None:
        self._environ = Environment(environ)
        self._keys = keys or Keys(environ)
        self._config = dict(endpoints or {})
        self._default_provider = default_provider
        self._default_model = default_model
        self._waits: dict[str, Any] = waits
        self._lock = threading.RLock()
        self._providers: dict[str, tuple[Endpoint | None, Provider]] = {}
        self.endpoints  # noqa: B018 (a wrong configuration is reported now)

    @property
    def endpoints(self) -> dict[str, Endpoint]:
        """All endpoints by alias, as the environment is now."""
        return builtin_endpoints(self._environ) | parse_endpoints(self._config, self._environ)

    def default(self) -> tuple[str, str]:
        """Return (provider name, model): ``openai`` if its key is there, else ``offline``."""
        name = self._default_provider
        if not name:
            name = "openai" if self._keys.source(builtin_endpoints(self._environ)["openai"]) else OFFLINE
        if name == OFFLINE:
            return OFFLINE, OFFLINE
        endpoint = self.endpoints.get(name)
        return name, self._default_model or (endpoint.model if endpoint else "")

    def get(self, name: str) -> Provider:
        """Return the provider of that name, always the same one while its endpoint stays the same.

        Raises
        ------
        EndpointNotFound
            Nothing has this name; the error says how to add it.
        ProviderError
            Another package's provider does not load.
        """
        with self._lock:
            endpoint = self.endpoints.get(name)
            cached = self._providers.get(name)
            if cached is not None and cached[0] == endpoint:
                return cached[1]
            provider = self._make(name, endpoint)
            self._providers[name] = endpoint, provider
            return provider

    def names(self) -> list[str]:
        """Return all names, sorted."""
        return sorted({OFFLINE, *self.endpoints, *_plugins()})

    def _make(self, name: str, endpoint: Endpoint | None) -> Provider:
        if endpoint is not None:
            from robota_nb.providers.openai.provider import OpenAIProvider

            return OpenAIProvider(endpoint, keys=self._keys, **self._waits)
        if name == OFFLINE:
            from robota_nb.providers.offline import OfflineProvider

            return OfflineProvider()
        plugins = _plugins()
        if name in plugins:
            return _load(name, plugins[name])
        shown = name[:60]
        if not _NAME.fullmatch(name):  # not to be added either: a stranger's notebook may have chosen it
            raise EndpointNotFound(f"{shown!r} is no name of an endpoint: %robota chat set provider=NAME chooses one")
        raise EndpointNotFound(
            f"no endpoint {shown!r} is configured{nearest(shown, self.names())}; "
            f"add it: c.RobotaMagics.endpoints = {{{shown!r}: {{'base_url': …, 'key_env': …}}}}"
        )


def _plugins() -> dict[str, Any]:
    """Return the entry points of other packages; reading them imports none of those."""
    from importlib.metadata import entry_points

    return {point.name: point for point in entry_points(group=ENTRY_POINTS)}


def _load(name: str, point: Any) -> Provider:
    try:
        loaded = point.load()
        provider = loaded if isinstance(loaded, Provider) and not isinstance(loaded, type) else loaded()
    except Exception as error:
        what = type(error).__name__
        raise ProviderError(f"the provider {name!r} does not load ({what}): reinstall its package") from error
    if not isinstance(provider, Provider):
        raise ProviderError(f"the provider {name!r} has no name or no stream(): ask its authors")
    return provider
