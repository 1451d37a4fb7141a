"""The keyring of the user's system, through the package `keyring` if that is installed.

A keyring may be locked, and then asks for its password on a screen that a kernel's user perhaps never sees. So all
that is asked of it is asked in a thread of its own, and waited for a short while only.
"""

from __future__ import annotations

from importlib.util import find_spec
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from robota_nb.providers.failures import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SERVICE", "NoKeyring", "SystemKeyring", "Unanswered"]

SERVICE = "robota_nb"
"""The name under which the keyring shows our keys."""

PATIENCE = 3.0
"""Seconds that the keyring is waited for."""


class Unanswered(Exception):
    """The keyring has not done what it was asked; the text says why, in a few words."""


class NoKeyring(Unanswered):
    """There is none."""


class SystemKeyring:
    """What the system keeps for this user.

    Parameters
    ----------
    patience
        Seconds to wait for each answer.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._lock = Lock()
        self._waiting: Thread | None = None

    def get(self, user: str) -> Secret:
        """Return what is kept under a name; an empty secret if nothing is.

        Raises
        ------
        Unanswered
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
        Unanswered
            There is no keyring, or it is locked, or fails.
        """
        self._ask(lambda keyring: keyring.set_password(SERVICE, user, key.reveal()))
        if self.get(user).reveal() != key.reveal():  # one that is switched off takes everything, and keeps nothing
            raise Unanswered("the keyring has not kept it")

    def remove(self, user: str) -> None:
        """Remove what is kept under a name, if something is.

        Raises
        ------
        Unanswered
            The keyring is locked or fails.
        """
        if self.get(user):
            self._ask(lambda keyring: keyring.delete_password(SERVICE, user))

    def _ask(self, question: Callable[[Any], Secret | None]) -> Secret | None:
        """Ask, and wait a while; an earlier question that still waits is waited for first, so they never pile up."""
        if find_spec("keyring") is None:
            raise NoKeyring("the package keyring is not installed")
        answers: list[Secret | None] = []
        failures: list[str] = []

        def ask() -> None:
            try:
                import keyring

                answers.append(question(keyring))
            except Exception as error:  # noqa: BLE001 (a backend is somebody's; its error may hold anything)
                failures.append(type(error).__name__)

        with self._lock:
            if not self._waited():
                raise Unanswered("the keyring does not answer")
            self._waiting = Thread(target=ask, name="robota_nb-keyring", daemon=True)
            self._waiting.start()
            if not self._waited():
                raise Unanswered("the keyring does not answer")
        if failures == ["NoKeyringError"]:
            raise NoKeyring("this system has no keyring")
        if failures:
            raise Unanswered(f"the keyring failed with {failures[0]}")
        return answers[0]

    def _waited(self) -> bool:
        """Wait for the question that was asked, and return whether it is answered."""
        if self._waiting is not None:
            self._waiting.join(self._patience)
            if self._waiting.is_alive():
                return False
            self._waiting = None
        return True
