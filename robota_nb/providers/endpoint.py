"""The endpoints of this user: servers by alias, as the configuration names them.

A notebook names an alias and never a URL, so a notebook from a stranger cannot send a key anywhere.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from robota_nb.core.record.config import OFFLINE
from robota_nb.errors import ProviderError, nearest

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

Setting: TypeAlias = str | int | float | bool
"""The value of a setting that only its provider knows."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_SETTING = re.compile(r"[a-z][a-z0-9_]{0,63}")
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")  # upper case: many a key would pass for a lower-case name
_KEYS = ("base_url", "key_env", "model", "provider")
_SECRETS = frozenset({"apikey", "key", "password", "secret", "token"})
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
    settings
        What only that provider knows, by name.
    """

    name: str
    base_url: str = field(default="", repr=False)
    key_env: str = ""
    model: str = ""
    provider: str = field(default=OPENAI, repr=False)
    settings: Mapping[str, Setting] = field(default_factory=dict, repr=False, hash=False)

    @property
    def origin(self) -> str:
        """Scheme, host and port of the server, to which its key is bound; empty if the URL cannot be asked."""
        if url_problem(self.base_url):
            return ""
        url = urlsplit(self.base_url)
        return f"{url.scheme}://{url.hostname}:{url.port or _PORTS[url.scheme]}"

    def check(self) -> None:
        """Raise `EndpointError` if the URL cannot be asked; to have none is well, unless the provider is ``openai``."""
        if (self.base_url or self.provider == OPENAI) and (problem := url_problem(self.base_url)):
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
        _check_setting(name, key, setting, own=provider != OPENAI)
    known = {key: value[key] for key in _KEYS if key in value}
    own = {key: setting for key, setting in value.items() if key not in _KEYS}
    if base is not None and "base_url" not in value:
        return replace(base, **known, settings=own)
    # With another server the built-in key does not come along: a key belongs to one origin.
    endpoint = Endpoint(name, **known, settings=own)
    endpoint.check()
    if endpoint.key_env and not endpoint.base_url:
        raise EndpointError(f"endpoint {name!r} has a key_env and no base_url: name the one server that gets the key")
    return endpoint


def _check_setting(name: str, key: Any, value: Any, *, own: bool) -> None:
    if key not in _KEYS:
        _check_own_setting(name, key, value, own=own)
    elif not isinstance(value, str):
        raise EndpointError(f"endpoint {name!r}: {key} is a string")
    elif key == "key_env" and value and not _VARIABLE.fullmatch(value):
        raise EndpointError(
            f"endpoint {name!r}: key_env is the name of an environment variable in upper case, such as 'LAB_KEY', "
            "not the key itself"
        )


def _check_own_setting(name: str, key: Any, value: Any, *, own: bool) -> None:
    """Check a setting that only the endpoint's provider knows; *own* says whether that provider may have any."""
    secret = bool(_SECRETS & set(re.split(r"[^a-z]+", str(key).lower())))
    if not own or secret:
        if secret:
            step = "put the key into an environment variable and name that with key_env"
        else:
            step = f"the settings are {', '.join(_KEYS)}"
        raise EndpointError(f"endpoint {name!r} has no setting {str(key)[:60]!r}{nearest(str(key), _KEYS)}: {step}")
    if not isinstance(key, str) or not _SETTING.fullmatch(key):
        raise EndpointError(f"endpoint {name!r}: a setting's name has lower-case letters, digits and '_'")
    if not isinstance(value, Setting):
        raise EndpointError(f"endpoint {name!r}: {key} is a string, a number, True or False")


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
