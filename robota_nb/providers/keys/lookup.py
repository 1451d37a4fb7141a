"""Look up the keys of endpoints: in the environment, in the system's keyring, or in what was typed in this process."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from robota_nb.errors import KeyMissing
from robota_nb.providers.endpoint_settings import variables
from robota_nb.providers.keys.check import key_problem
from robota_nb.providers.keys.secret import Environment, KeySource, Secret
from robota_nb.providers.keys.system_keyring import KeyringFailed, SystemKeyring

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from robota_nb.providers.endpoint import Endpoint

__all__ = ["Keys"]


class Keys:
    """The keys of one user, each looked up anew whenever it is needed.

    A key in the keyring, and one that was typed, is bound to the alias and the exact origin of its endpoint: if the
    alias is given to another server, that server gets no key.

    Parameters
    ----------
    environ
        Where variables are looked up; the process's environment if not given.
    keyring
        The system's keyring; through the package ``keyring`` if not given.

    Notes
    -----
    A typed key is kept in the memory of this process, nowhere else, unless `save` is called.
    """

    def __init__(self, environ: Mapping[str, str] | None = None, keyring: SystemKeyring | None = None) -> None:
        self._environ = Environment(environ)
        self._keyring = keyring or SystemKeyring()
        self._typed: dict[str, Secret] = {}

    def find(self, endpoint: Endpoint) -> Secret:
        """Return the key of an endpoint as it is now; an empty secret if the endpoint needs none.

        Raises
        ------
        KeyMissing
            There is none, or the one that is there cannot be a key.
        """
        key, note = self._look_up(endpoint)
        if endpoint.key_env and not key:
            raise KeyMissing(
                f"endpoint {endpoint.name!r} has no API key",
                hint="key.missing",
                name=endpoint.name,
                variable=endpoint.key_env,
                note=note,
            )
        check(key, endpoint)
        return key

    def fill(self, endpoint: Endpoint, texts: Iterable[str]) -> dict[str, Secret]:
        """Return the environment variables that stand in texts of an endpoint, by their names.

        Raises
        ------
        KeyMissing
            One is not set, or cannot stand in a header.
        """
        found = {}
        for name in dict.fromkeys(name for text in texts for name in variables(text)):
            value = self._environ.get(name, "").strip()
            if not value:
                raise KeyMissing(f"endpoint {endpoint.name!r} needs the environment variable {name}: set it")
            if not re.fullmatch(r"[ -~]+", value):
                raise KeyMissing(
                    f"the environment variable {name} has a line break or another odd character: set it anew"
                )
            found[name] = Secret(value, KeySource("environment", name))
        return found

    def secrets(self, endpoint: Endpoint) -> Iterator[Secret]:
        """Yield what an endpoint's requests carry that nobody else is to see, as far as it is there."""
        yield self._look_up(endpoint)[0]
        for text in (*endpoint.headers.values(), *endpoint.query.values()):
            yield from (Secret(self._environ.get(name, "").strip()) for name in variables(text))

    def source(self, endpoint: Endpoint) -> KeySource | None:
        """Return where the key of an endpoint is; None if there is none, or none is needed."""
        return self._look_up(endpoint)[0].source

    def hold(self, endpoint: Endpoint, typed: Secret) -> None:
        """Keep a key that was typed, until this process ends.

        Raises
        ------
        KeyMissing
            It cannot be a key.
        """
        key = Secret(typed.reveal().strip(), KeySource("typed"))
        if not key:
            raise KeyMissing("nothing was typed", hint="key.again", name=endpoint.name)
        check(key, endpoint)
        self._typed[_account(endpoint)] = key

    def save(self, endpoint: Endpoint) -> None:
        """Move the key that was typed, if there is one, into the keyring, which keeps it for other processes.

        Raises
        ------
        KeyMissing
            The keyring does not take it; the typed key is still there.
        """
        account = _account(endpoint)
        if account not in self._typed:
            return
        try:
            self._keyring.put(account, self._typed[account])
        except KeyringFailed as error:
            problem = str(error)
        else:
            del self._typed[account]
            return
        raise KeyMissing(
            f"the key of endpoint {endpoint.name!r} is not saved, {problem}: it works in this kernel; for others set "
            f"the environment variable {endpoint.key_env}, or install keyring and unlock it"
        )

    def forget(self, endpoint: Endpoint) -> bool:
        """Remove the key of an endpoint from memory and keyring; return whether there was one.

        Raises
        ------
        KeyMissing
            The keyring does not remove it.
        """
        account = _account(endpoint)
        typed = self._typed.pop(account, None)
        try:
            kept = self._keyring.get(account)
            self._keyring.remove(account)
        except KeyringFailed as error:
            problem = str(error)
        else:
            return bool(typed or kept)
        raise KeyMissing(f"whether the keyring has a key of {endpoint.name!r} is not known, {problem}: unlock it")

    def _look_up(self, endpoint: Endpoint) -> tuple[Secret, str]:
        """Return the key and, if the keyring failed, a note that says so."""
        variable, note = endpoint.key_env, ""
        if not variable:
            return Secret(""), ""
        if key := self._environ.get(variable, "").strip():
            return Secret(key, KeySource("environment", variable)), ""
        account = _account(endpoint)
        try:
            if kept := self._keyring.get(account):
                return Secret(kept.reveal(), KeySource("keyring")), ""
        except KeyringFailed as error:
            note = f" ({error})"
        return self._typed.get(account, Secret("")), note


def check(key: Secret, endpoint: Endpoint) -> None:
    """Raise `KeyMissing` if a text that stands in the place of a key cannot be one."""
    if not key or (problem := key_problem(key)) is None:
        return
    text = f"the API key of endpoint {endpoint.name!r}, from {key.source}, {problem.what}"
    if key.source == KeySource("keyring"):
        raise KeyMissing(text, hint="key.replace", name=endpoint.name, step=problem.step)
    raise KeyMissing(f"{text}: {problem.step}")


def _account(endpoint: Endpoint) -> str:
    """Return what a key is kept under: its endpoint's alias and exact origin."""
    return f"{endpoint.name} {endpoint.origin}"
