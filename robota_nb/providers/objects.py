"""Providers that a program or a cell of a notebook has made itself, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robota_nb.core.ports import Provider
from robota_nb.errors import EndpointNotFound, ProviderError, nearest
from robota_nb.providers.endpoint import is_name

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ProviderObjects"]


class ProviderObjects:
    """Provider objects by name; new chats ask the first one.

    Parameters
    ----------
    objects
        Name → provider, at least one.

    Raises
    ------
    ProviderError
        A name cannot be one, or an object is no provider.
    """

    def __init__(self, objects: Mapping[str, Provider]) -> None:
        if not objects:
            raise ProviderError("there is no provider to ask: give at least one, such as {'mine': provider}")
        for name, provider in objects.items():
            check_provider_object(name, provider)
        self._objects = dict(objects)

    def default(self) -> tuple[str, str]:
        """Return (name of the first provider, no model: it chooses one)."""
        return next(iter(self._objects)), ""

    def get(self, name: str) -> Provider:
        """Return the provider of that name.

        Raises
        ------
        EndpointNotFound
            None has it.
        """
        if name in self._objects:
            return self._objects[name]
        raise EndpointNotFound(
            f"no provider {name[:60]!r} is here{nearest(name, self._objects)}: choose one of {', '.join(self._objects)}"
        )


def check_provider_object(name: object, provider: object) -> None:
    """Raise `ProviderError` if a name or the object that it stands for cannot be a provider's."""
    if not is_name(name):
        raise ProviderError(f"a provider cannot be named {str(name)[:60]!r}: use letters, digits, '-', '_' and '.'")
    if isinstance(provider, type):
        raise ProviderError(f"{name} is the class {provider.__name__}, not a provider: make an object of it")
    if not isinstance(provider, Provider):
        kind = type(provider).__name__
        raise ProviderError(f"{name} is an object of type {kind}, not a provider: it needs a name and stream(request)")
