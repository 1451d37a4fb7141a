"""A key that nothing shows, where it was found, and the environment that it may stand in."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = ["Environment", "KeySource", "Secret"]


@dataclass(frozen=True, slots=True)
class KeySource:
    """Where a key was found; as text, in words that follow "the key is from".

    Parameters
    ----------
    place
        The environment, the system's keyring, or a prompt at which the user typed it.
    variable
        The name of the environment variable, if it was found in one.
    """

    place: Literal["environment", "keyring", "typed"]
    variable: str = ""

    def __str__(self) -> str:
        match self.place:
            case "environment":
                return f"the environment variable {self.variable}"
            case "keyring":
                return "the system's keyring"
            case "typed":
                return "what was typed"


class Secret:
    """A key that no repr, traceback or f-string shows.

    Parameters
    ----------
    value
        The key; empty for none.
    source
        Where it was found; None where nobody asks.
    """

    __slots__ = ("_value", "source")

    def __init__(self, value: str, source: KeySource | None = None) -> None:
        self._value = value
        self.source = source

    def reveal(self) -> str:
        """Return the key."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "Secret(...)"

    def __reduce__(self) -> str:
        raise TypeError("a key cannot be pickled")


class Environment(Mapping[str, str]):
    """Environment variables that no repr or traceback shows.

    Parameters
    ----------
    variables
        The variables; those of the process, as they are at each look-up, if not given.
    """

    __slots__ = ("_variables",)

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        self._variables = os.environ if variables is None else variables

    def __getitem__(self, name: str) -> str:
        return self._variables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)

    def __repr__(self) -> str:
        return "Environment(...)"

    def __reduce__(self) -> str:
        raise TypeError("an environment cannot be pickled: it may hold keys")
