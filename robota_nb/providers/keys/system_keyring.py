"""The keyring of the user's system, through the package `keyring` if that is installed.

A locked keyring asks for its password on a screen that the user of a kernel may never see. So each call to it runs in a
thread of its own, and is waited for a few seconds only.
"""

from __future__ import annotations

from importlib.util import find_spec
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from robota_nb.providers.keys.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SERVICE", "KeyringFailed", "NoKeyring", "SystemKeyring"]

SERVICE = "robota_nb"
"""The name under which the keyring shows our keys."""

TIMEOUT = 3.0
"""Seconds that a call to the keyring is waited for."""


class KeyringFailed(Exception):
    """The keyring has not done what it was asked to do; the text says why, in a few words."""


class NoKeyring(KeyringFailed):
    """The system has no keyring."""


class SystemKeyring:
    """The keys that the system keeps for this user.

    Parameters
    ----------
    timeout
        The seconds that each call is waited for.
    """

    def __init__(self, timeout: float = TIMEOUT) -> None:
        self._timeout = timeout
        self._lock = Lock()
        self._running: Thread | None = None

    def get(self, user: str) -> Secret:
        """Return the key that is kept under a name; an empty secret if there is none.

        Raises
        ------
        KeyringFailed
            The keyring is locked or fails.
        """

        def read(keyring: Any) -> Secret:
            return Secret((keyring.get_password(SERVICE, user) or "").strip())

        try:
            return self._ask(read) or Secret("")
        except NoKeyring:
            return Secret("")

    def put(self, user: str, key: Secret) -> None:
        """Keep a key under a name.

        Raises
        ------
        KeyringFailed
            There is no keyring, or it is locked, or fails.
        """
        self._ask(lambda keyring: keyring.set_password(SERVICE, user, key.reveal()))
        if self.get(user).reveal() != key.reveal():  # keyring's null backend takes every key and keeps none
            raise KeyringFailed("the keyring has not kept it")

    def remove(self, user: str) -> None:
        """Remove the key that is kept under a name, if there is one.

        Raises
        ------
        KeyringFailed
            The keyring is locked or fails.
        """
        if self.get(user):
            self._ask(lambda keyring: keyring.delete_password(SERVICE, user))

    def _ask(self, call: Callable[[Any], Secret | None]) -> Secret | None:
        """Call the keyring in a thread; a call that still hangs is waited for first, so that threads never pile up."""
        if find_spec("keyring") is None:
            raise NoKeyring("the package keyring is not installed")
        answers: list[Secret | None] = []
        failures: list[str] = []

        def ask() -> None:
            try:
                import keyring

                answers.append(call(keyring))
            except Exception as error:  # noqa: BLE001 (a backend is other people's code; its error may hold the key)
                failures.append(type(error).__name__)

        with self._lock:
            if not self._has_ended():
                raise KeyringFailed("the keyring does not answer")
            self._running = Thread(target=ask, name="robota_nb-keyring", daemon=True)
            self._running.start()
            if not self._has_ended():
                raise KeyringFailed("the keyring does not answer")
        if failures == ["NoKeyringError"]:
            raise NoKeyring("this system has no keyring")
        if failures:
            raise KeyringFailed(f"the keyring failed with {failures[0]}")
        return answers[0]

    def _has_ended(self) -> bool:
        """Wait for the running call, and return whether it has ended."""
        if self._running is not None:
            self._running.join(self._timeout)
            if self._running.is_alive():
                return False
            self._running = None
        return True
