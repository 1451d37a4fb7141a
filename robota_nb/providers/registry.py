"""Make the providers of one user from configured endpoints, and from what other packages bring."""

from __future__ import annotations

import inspect
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from robota_nb.core.ports import ListsModels, Provider
from robota_nb.core.record.lookalikes import told_apart
from robota_nb.errors import EndpointNotFound, NoModelList, ProviderError, nearest
from robota_nb.providers.context import ProviderContext, Timeouts
from robota_nb.providers.endpoint import (
    OFFLINE,
    OPENAI,
    Endpoint,
    EndpointError,
    builtin_endpoints,
    is_name,
    usable_endpoints,
)
from robota_nb.providers.keys.lookup import Keys
from robota_nb.providers.keys.secret import Environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.providers.keys.secret import KeySource, Secret

__all__ = ["EndpointCheck", "EndpointState", "ProviderRegistry", "check_models"]

ENTRY_POINTS = "robota_nb.providers"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointState:
    """What can be said of an endpoint without asking it.

    Parameters
    ----------
    name
        Its alias.
    model
        The model to ask where none is named; may be empty.
    needs_key
        Whether it needs a key.
    key_source
        Where its key is; None if there is none, or none is needed.
    """

    name: str
    model: str
    needs_key: bool
    key_source: KeySource | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointCheck:
    """What an endpoint that could be reached has answered.

    Parameters
    ----------
    name
        Its alias.
    model
        The model to ask where none is named; may be empty.
    models
        The models that it offers; None if it does not say.
    is_server
        Whether it is one, and was reached.
    """

    name: str
    model: str = ""
    models: tuple[str, ...] | None = None
    is_server: bool = True

    @property
    def offers_model(self) -> bool:
        """Whether it offers *model*; Ollama also finds ``x:latest`` by the short name ``x``."""
        return bool({self.model, f"{self.model}:latest"} & set(self.models or ()))


def check_models(name: str, provider: Provider, model: str = "") -> EndpointCheck:
    """Ask a provider for its models, and return what it said.

    Raises
    ------
    ProviderError
        It cannot be reached, or does not take the key.
    """
    if not isinstance(provider, ListsModels):
        return EndpointCheck(name=name, model=model, is_server=False)
    try:
        return EndpointCheck(name=name, model=model, models=tuple(provider.models()))
    except NoModelList:
        return EndpointCheck(name=name, model=model)


class ProviderRegistry:
    """The providers of one user, by name: configured endpoints, ``offline``, and what other packages bring.

    Parameters
    ----------
    endpoints
        The user's own, as `parse_endpoints` takes them; they come on top of the built-in ones.
    environ
        Where keys and defaults are looked up, each time they are needed; the process's environment if not given.
    keys
        Where the keys of endpoints come from; `robota_nb.providers.keys.lookup.Keys` with *environ* if not given.
    default_provider, default_model
        What new chats ask, instead of what `default` would choose.
    timeouts
        How long servers are waited for.

    Notes
    -----
    Another package adds a provider by an entry point of the group ``robota_nb.providers``. It names a provider, or
    something to call that returns one: with a `robota_nb.providers.context.ProviderContext` if it needs an argument,
    else without. It is imported when it is first asked for. An endpoint of the same name comes first.
    """

    def __init__(
        self,
        endpoints: Mapping[str, Mapping[str, Any] | Endpoint] | None = None,
        environ: Mapping[str, str] | None = None,
        *,
        keys: Keys | None = None,
        default_provider: str = "",
        default_model: str = "",
        timeouts: Timeouts | None = None,
    ) -> None:
        self._environ = Environment(environ)
        self._keys = keys or Keys(environ)
        self._config = dict(endpoints or {})
        self._default_provider = default_provider
        self._default_model = default_model
        self._timeouts = timeouts or Timeouts()
        self._lock = threading.RLock()
        self._providers: dict[str, tuple[Endpoint, Provider]] = {}

    @property
    def endpoints(self) -> dict[str, Endpoint]:
        """All endpoints by alias, as the environment is now, but for those in `problems`."""
        return self._read()[0]

    @property
    def problems(self) -> dict[str, EndpointError]:
        """What is wrong with endpoints that cannot be used, by alias."""
        return self._read()[1]

    def _read(self) -> tuple[dict[str, Endpoint], dict[str, EndpointError]]:
        """Return the endpoints that can be used, and what is wrong with the others."""
        return usable_endpoints(self._config, self._environ)

    def default(self) -> tuple[str, str]:
        """Return (provider name, model) for new chats: ``openai`` if its key is there, else ``offline``."""
        name = self._default_provider
        if not name:
            name = OPENAI if self._keys.source(builtin_endpoints(self._environ)[OPENAI]) else OFFLINE
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
        EndpointError
            Its configuration is wrong; the error says what.
        ProviderError
            Another package's provider cannot be made.
        """
        with self._lock:
            # A provider that needs no configuration is an endpoint of its own, without any settings.
            endpoints, problems = self._read()
            if name in problems:
                raise problems[name]
            endpoint = endpoints.get(name) or Endpoint(name, provider=name)
            cached = self._providers.get(name)
            if cached is not None and cached[0] == endpoint:
                return cached[1]
            provider = self._make(endpoint)
            self._providers[name] = endpoint, provider
            return provider

    def names(self) -> list[str]:
        """Return all names, sorted."""
        return sorted({OFFLINE, *self.endpoints, *_entry_points()})

    def states(self) -> list[EndpointState]:
        """Return what can be said of each endpoint without asking it."""
        return [
            EndpointState(
                name=name,
                model=endpoint.model,
                needs_key=bool(endpoint.key_env),
                key_source=self._keys.source(endpoint),
            )
            for name, endpoint in self.endpoints.items()
        ]

    def secrets(self) -> list[Secret]:
        """Return the keys that the endpoints have, and what else of that kind goes with their requests."""
        return [secret for endpoint in self.endpoints.values() for secret in self._keys.secrets(endpoint) if secret]

    def check(self, name: str) -> EndpointCheck:
        """See whether an endpoint can be reached and takes the key; no model is asked.

        Raises
        ------
        ProviderError
            It cannot, or it does not.
        """
        endpoint = self.endpoints.get(name)
        return check_models(name, self.get(name), endpoint.model if endpoint else "")

    def _make(self, endpoint: Endpoint) -> Provider:
        timeouts = replace(self._timeouts, **endpoint.timeouts)
        context = ProviderContext(endpoint=endpoint, keys=self._keys, timeouts=timeouts)
        if endpoint.provider == OPENAI:
            from robota_nb.providers.openai.provider import OpenAIProvider

            return OpenAIProvider(context)
        if endpoint.provider == OFFLINE:
            from robota_nb.providers.offline import OfflineProvider

            offline: Provider = _provider_of(OfflineProvider, context)
            return offline
        points = _entry_points()
        if endpoint.provider in points:
            return _load(points[endpoint.provider], context)
        if endpoint.provider != endpoint.name:
            raise ProviderError(
                f"endpoint {endpoint.name!r} needs the provider {endpoint.provider[:60]!r}, which is not installed"
                f"{nearest(endpoint.provider, points)}: install its package"
            )
        shown, known = endpoint.name[:60], self.names()
        telling = told_apart(shown, known)
        if not is_name(endpoint.name):  # not to be added either: a stranger's notebook may have chosen it
            raise EndpointNotFound(f"{telling!r} is no name of an endpoint", hint="endpoint.choose")
        raise EndpointNotFound(
            f"no endpoint {telling!r} is configured{nearest(shown, known)}", hint="endpoint.add", name=shown
        )


def _entry_points() -> dict[str, Any]:
    """Return the entry points of other packages; reading them imports none of those packages."""
    from importlib.metadata import entry_points

    return {point.name: point for point in entry_points(group=ENTRY_POINTS)}


def _load(point: Any, context: ProviderContext) -> Provider:
    """Return the provider that an entry point brings."""
    name = context.endpoint.provider
    try:
        provider = _provider_of(point.load(), context)
    except ProviderError:  # it is about the settings
        raise
    except Exception as error:
        what = type(error).__name__
        raise ProviderError(f"the provider {name!r} does not load ({what}): reinstall its package") from error
    if not isinstance(provider, Provider):
        raise ProviderError(f"the provider {name!r} has no name or no stream(): ask its authors")
    return provider


def _provider_of(loaded: Any, context: ProviderContext) -> Any:
    """Return a provider: *loaded* itself, or what calling it returns, with the context if it needs an argument."""
    ready = isinstance(loaded, Provider) and not isinstance(loaded, type)
    if not ready and _needs_argument(loaded):
        return loaded(context)
    endpoint = context.endpoint
    if endpoint != Endpoint(endpoint.name, provider=endpoint.provider):
        raise EndpointError(
            f"endpoint {endpoint.name!r} has settings, and the provider {endpoint.provider!r} takes none: remove them"
        )
    return loaded if ready else loaded()


def _needs_argument(factory: Any) -> bool:
    try:
        inspect.signature(factory).bind()
    except TypeError:
        return True
    except ValueError:  # some built-in callables do not tell their signature
        pass
    return False
