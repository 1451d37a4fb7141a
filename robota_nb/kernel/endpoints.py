"""The servers that one shell can ask: what its user has configured, and the keys for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robota_nb.core.record.text import count
from robota_nb.errors import CommandError, EndpointNotFound
from robota_nb.providers.failures import Secret
from robota_nb.providers.keys.lookup import Keys
from robota_nb.providers.registry import ProviderRegistry, parse_endpoints

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from robota_nb.core.ports import Provider
    from robota_nb.magics.robota import RobotaMagics
    from robota_nb.providers.registry import Endpoint


class Servers:
    """Providers by name, set up when the first one is needed.

    Parameters
    ----------
    magics
        The settings.
    """

    def __init__(self, magics: RobotaMagics) -> None:
        self._keys = Keys()
        self.configure(magics)

    def configure(self, magics: RobotaMagics) -> None:
        """Take these settings from now on; keys that were typed stay."""
        self._magics = magics
        self._made: ProviderRegistry | None = None

    # -- for the manager

    def default(self) -> tuple[str, str]:
        """Return (provider name, model) of new chats."""
        return self._registry().default()

    def get(self, name: str) -> Provider:
        """Return the provider of that name."""
        return self._registry().get(name)

    # -- for the commands

    def names(self) -> list[str]:
        """Return all names, sorted."""
        return self._registry().names()

    def lines(self) -> list[str]:
        """Say which endpoints there are, and where their keys are; never where they are: outputs are saved."""
        return [
            f"{name} · {endpoint.model or 'no default model'} · {self._key_state(endpoint)}"
            for name, endpoint in self._registry().endpoints.items()
        ]

    def add(self, name: str, settings: Mapping[str, str]) -> None:
        """Make a server known in this kernel."""
        wanted = {**self._magics.endpoints, name: dict(settings)}
        parse_endpoints(wanted)
        self._magics.endpoints = wanted

    def test(self, name: str) -> str:
        """See whether an endpoint can be reached, and say so."""
        models = getattr(self.get(name), "models", None)
        if models is None:
            return f"{name} is no server: there is nothing to test"
        offered, endpoint = models(), self._registry().endpoints.get(name)
        wanted = endpoint.model if endpoint else ""
        said = f"{name} can be reached, and has {count(len(offered), 'model')}"
        if not wanted:
            return said
        known = wanted in offered or f"{wanted}:latest" in offered  # as Ollama lists what it finds by the short name
        return f"{said}, {wanted} {'is one of them' if known else 'is none of them'}"

    def key_source(self, name: str) -> str:
        """Return where an endpoint's key is, as a user reads it; empty if there is none."""
        return self._keys.source(self._with_key(name))

    def take_key(self, name: str, ask: Callable[[str], str]) -> None:
        """Keep in this kernel what *ask* returns as an endpoint's key; it gets the variable that does as well."""
        endpoint = self._with_key(name)
        self._keys.hold(endpoint, Secret(ask(endpoint.key_env)))

    def save_key(self, name: str) -> None:
        """Put an endpoint's key, if it was typed, into the system's keyring."""
        self._keys.save(self._with_key(name))

    def forget_key(self, name: str) -> bool:
        """Remove an endpoint's key from this kernel and the keyring; return whether there was one."""
        return self._keys.forget(self._with_key(name))

    # -- inside

    def _registry(self) -> ProviderRegistry:
        if self._made is None:
            magics = self._magics
            self._made = ProviderRegistry(
                magics.endpoints,
                keys=self._keys,
                default_provider=magics.provider,
                default_model=magics.model,
                timeout=magics.silence_timeout,
                deadline=magics.answer_timeout,
                max_wait=magics.max_retry_wait,
            )
        return self._made

    def _with_key(self, name: str) -> Endpoint:
        """Return an endpoint that needs a key."""
        endpoint = self._registry().endpoints.get(name)
        if endpoint is None:  # the name is not repeated: it could be the key
            raise EndpointNotFound("no endpoint has that name: %robota endpoint list shows them, endpoint add adds one")
        if not endpoint.key_env:
            raise CommandError(
                f"endpoint {name!r} needs no key; if it does, name a variable for it: key_env in its settings, "
                "or --key-env of %robota endpoint add"
            )
        return endpoint

    def _key_state(self, endpoint: Endpoint) -> str:
        if not endpoint.key_env:
            return "needs no key"
        if source := self._keys.source(endpoint):
            return f"takes its key from {source}"
        return f"has no key: %robota endpoint key {endpoint.name}"
