"""Where the keys of endpoints come from: the environment, the system's keyring, or what was typed in this kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robota_nb.errors import KeyMissing
from robota_nb.providers.failures import Environment, Secret
from robota_nb.providers.keys.check import key_problem
from robota_nb.providers.keys.system_keyring import SystemKeyring, Unanswered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.providers.registry import Endpoint

__all__ = ["Keys"]


class Keys:
    """The keys of one user, each looked up anew whenever it is needed.

    A key in the keyring, and one that was typed, is bound to the alias and the exact origin of its endpoint: an
    alias that is set to another server has no key there.

    Parameters
    ----------
    environ
        Where variables are looked up; by default the process's environment.
    keyring
        What the system keeps; by default that of the package `keyring`.

    Notes
    -----
    A typed key is kept in the memory of this process, nowhere else, unless `save` is called.
    """

    def __init__(self, environ: Mapping[str, str] | None = None, keyring: SystemKeyring | None = None) -> None:
        self._environ = Environment(environ)
        self._keyring = keyring or SystemKeyring()
        self._typed: dict[str, Secret] = {}

    def find(self, endpoint: Endpoint) -> Secret:
        """Return an endpoint's key as it is now; an empty secret if the endpoint needs none.

        Raises
        ------
        KeyMissing
            There is none, or the one that is there cannot be a key.
        """
        key, hint = self._look(endpoint)
        if endpoint.key_env and not key:
            raise KeyMissing(
                f"endpoint {endpoint.name!r} has no API key: run %robota endpoint key {endpoint.name}, or set the "
                f"environment variable {endpoint.key_env} before Jupyter starts{hint}"
            )
        check(key, endpoint)
        return key

    def source(self, endpoint: Endpoint) -> str:
        """Return where an endpoint's key is, as a user reads it; empty if there is none, or none is needed."""
        return self._look(endpoint)[0].source

    def hold(self, endpoint: Endpoint, typed: Secret) -> None:
        """Keep a key that was typed, until this process ends.

        Raises
        ------
        KeyMissing
            It cannot be a key.
        """
        key = Secret(typed.reveal().strip(), "what was typed")
        if not key:
            raise KeyMissing(f"nothing was typed: run %robota endpoint key {endpoint.name} again")
        check(key, endpoint)
        self._typed[_account(endpoint)] = key

    def save(self, endpoint: Endpoint) -> None:
        """Put the key that was typed, if one was, into the keyring, which keeps it for other kernels.

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
        except Unanswered as error:
            problem = str(error)
        else:
            del self._typed[account]
            return
        raise KeyMissing(
            f"the key of endpoint {endpoint.name!r} is not saved, {problem}: it works in this kernel; for others set "
            f"the environment variable {endpoint.key_env}, or install keyring and unlock it"
        )

    def forget(self, endpoint: Endpoint) -> bool:
        """Remove an endpoint's key from memory and keyring; return whether there was one.

        Raises
        ------
        KeyMissing
            The keyring does not let go of it.
        """
        account = _account(endpoint)
        typed = self._typed.pop(account, None)
        try:
            kept = self._keyring.get(account)
            self._keyring.remove(account)
        except Unanswered as error:
            problem = str(error)
        else:
            return bool(typed or kept)
        raise KeyMissing(f"whether the keyring has a key of {endpoint.name!r} is not known, {problem}: unlock it")

    def _look(self, endpoint: Endpoint) -> tuple[Secret, str]:
        """Return what is there, and what to say if it is nothing."""
        variable, hint = endpoint.key_env, ""
        if not variable:
            return Secret(""), ""
        if key := Secret(self._environ.get(variable, "").strip(), f"the environment variable {variable}"):
            return key, ""
        account, removal = _account(endpoint), f"(%robota endpoint key {endpoint.name} --forget removes it)"
        try:
            if key := self._keyring.get(account):
                return Secret(key.reveal(), f"the system's keyring {removal}"), ""
        except Unanswered as error:
            hint = f" ({error})"
        if key := self._typed.get(account, Secret("")):
            return Secret(key.reveal(), f"what was typed in this kernel {removal}"), ""
        return Secret(""), hint


def check(key: Secret, endpoint: Endpoint) -> None:
    """Raise `KeyMissing` if something that stands in the place of a key cannot be one."""
    if key and (problem := key_problem(key)):
        raise KeyMissing(f"the API key of endpoint {endpoint.name!r}, from {key.source}, {problem}")


def _account(endpoint: Endpoint) -> str:
    """Return what a key is kept under: its endpoint's alias and exact origin."""
    return f"{endpoint.name} {endpoint.origin}"
