"""The endpoints of one shell: what its user has configured, the keys for them, and provider objects of its cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robota_nb.errors import CommandError, EndpointNotFound
from robota_nb.providers.context import Timeouts
from robota_nb.providers.endpoint import check_name, parse_endpoints
from robota_nb.providers.keys.lookup import Keys
from robota_nb.providers.keys.secret import Secret
from robota_nb.providers.objects import check_provider_object
from robota_nb.providers.redaction import without_key
from robota_nb.providers.registry import EndpointCheck, ProviderRegistry, check_models

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from robota_nb.core.ports import Provider
    from robota_nb.magics.robota import RobotaMagics
    from robota_nb.providers.endpoint import Endpoint
    from robota_nb.providers.keys.secret import KeySource
    from robota_nb.providers.registry import EndpointState


class Endpoints:
    """Providers by name, made when the first one is needed.

    Parameters
    ----------
    magics
        The settings.
    """

    def __init__(self, magics: RobotaMagics) -> None:
        self._keys = Keys()
        self._objects: dict[str, Provider] = {}
        self._listed: dict[str, tuple[str, ...]] = {}  # the models that each has told of when it was tested
        self.configure(magics)

    def configure(self, magics: RobotaMagics) -> None:
        """Take these settings from now on; keys that were typed and provider objects stay."""
        self._magics = magics
        self._made: ProviderRegistry | None = None

    # -- for the manager

    def default(self) -> tuple[str, str]:
        """Return (provider name, model) of new chats."""
        return self._registry().default()

    def get(self, name: str) -> Provider:
        """Return the provider of that name."""
        return self._objects[name] if name in self._objects else self._registry().get(name)

    # -- for the commands

    def names(self) -> list[str]:
        """Return the names of all providers and endpoints, sorted."""
        return sorted({*self._registry().names(), *self._objects})

    def states(self) -> list[EndpointState]:
        """Return what can be said of each endpoint without asking it."""
        return [state for state in self._registry().states() if state.name not in self._objects]

    def endpoint(self, name: str) -> Endpoint | None:
        """Return an endpoint as it is configured; None if none that can be used has that name."""
        return None if name in self._objects else self._registry().endpoints.get(name)

    def models(self) -> list[str]:
        """Return the models that endpoints have for their default, or have told of when they were tested."""
        defaults = [endpoint.model for endpoint in self._registry().endpoints.values() if endpoint.model]
        listed = [model for name, models in self._listed.items() if name in self.names() for model in models]
        return list(dict.fromkeys([*defaults, *listed]))

    def prices(self) -> dict[str, Mapping[str, float]]:
        """Return what a million tokens cost, ``input`` and ``output``, by the name of the endpoint."""
        return {name: endpoint.price for name, endpoint in self._registry().endpoints.items() if endpoint.price}

    def problems(self) -> list[str]:
        """Return what is wrong with endpoints that cannot be used."""
        return [str(error) for name, error in self._registry().problems.items() if name not in self._objects]

    def objects(self) -> list[str]:
        """Return the names of the provider objects."""
        return list(self._objects)

    def add(self, name: str, settings: Mapping[str, object]) -> None:
        """Make a server known in this kernel."""
        parse_endpoints({name: settings})
        wanted = {**self._magics.endpoints, name: dict(settings)}
        self._objects.pop(name, None)
        self._magics.endpoints = wanted

    def add_object(self, name: str, provider: Provider) -> None:
        """Make an object known in this kernel as a provider; it hides an endpoint of the same name."""
        check_name(name)
        check_provider_object(name, provider)
        self._objects[name] = provider

    def check(self, name: str) -> EndpointCheck:
        """See whether an endpoint can be reached and takes the key; no model is asked."""
        mine = self._objects.get(name)
        found = check_models(name, mine) if mine else self._registry().check(name)
        self._listed[name] = found.models or ()
        return found

    def key_source(self, name: str) -> KeySource | None:
        """Return where the key of an endpoint is; None if there is none."""
        return self._keys.source(self._with_key(name))

    def take_key(self, name: str, ask: Callable[[str], str]) -> None:
        """Keep in this kernel what *ask* returns as an endpoint's key; *ask* gets the name of its variable."""
        endpoint = self._with_key(name)
        self._keys.hold(endpoint, Secret(ask(endpoint.key_env)))

    def save_key(self, name: str) -> None:
        """Move an endpoint's key, if it was typed, into the system's keyring."""
        self._keys.save(self._with_key(name))

    def forget_key(self, name: str) -> bool:
        """Remove an endpoint's key from this kernel and the keyring; return whether there was one."""
        return self._keys.forget(self._with_key(name))

    def without_keys(self, text: str) -> str:
        """Return a text without the keys of the endpoints."""
        for endpoint in self._registry().endpoints.values():
            for secret in self._keys.secrets(endpoint):
                text = without_key(text, secret)
        return text

    # -- inside

    def _registry(self) -> ProviderRegistry:
        if self._made is None:
            magics = self._magics
            self._made = ProviderRegistry(
                magics.endpoints,
                keys=self._keys,
                default_provider=magics.provider,
                default_model=magics.model,
                timeouts=Timeouts(
                    silence=magics.silence_timeout, answer=magics.answer_timeout, retry_wait=magics.max_retry_wait
                ),
            )
        return self._made

    def _with_key(self, name: str) -> Endpoint:
        """Return an endpoint that needs a key."""
        if name in self._objects:
            raise CommandError(f"{name!r} is an object of this kernel: give it its key in Python, where it is made")
        registry = self._registry()
        if name in registry.problems:
            raise registry.problems[name]
        endpoint = registry.endpoints.get(name)
        if endpoint is None:  # the name is not repeated: it could be the key
            raise EndpointNotFound("no endpoint has that name", hint="endpoint.list")
        if not endpoint.key_env:
            raise CommandError(f"endpoint {name!r} needs no key", hint="key.env")
        return endpoint
