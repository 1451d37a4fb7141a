"""Tells the user of this kernel what is no part of any cell's output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from robota_nb.display.code_page import printable
from robota_nb.display.languages import translated
from robota_nb.display.place import keeps_outputs
from robota_nb.display.report import plain

if TYPE_CHECKING:
    from robota_nb.carriers.document import Bridge


class Notices:
    """Shows notices: by the front end in its language, else in a terminal at once, else with the next ``%robota``.

    Parameters
    ----------
    shell
        The shell.
    bridge
        The way to its front end.
    """

    def __init__(self, shell: Any, bridge: Bridge) -> None:
        self._shell = shell
        self._bridge = bridge
        self._waiting: list[str] = []

    def tell(self, text: str) -> None:
        """Show a notice, of one line, or let it wait."""
        if self._bridge.reached:
            self._bridge.send({"op": "notice", "text": translated(text, self._bridge.locale)})
        elif not keeps_outputs(self._shell):
            print(printable(plain(text)))  # noqa: T201 - a terminal has no other place
        else:
            self._waiting.append(text)

    def tell_now(self, text: str) -> None:
        """Show a notice, of one line, that says nothing later: where it cannot be shown at once, it is dropped."""
        if self._bridge.reached or not keeps_outputs(self._shell):
            self.tell(text)

    def take(self) -> list[str]:
        """Return the notices that nobody has shown yet, and forget them."""
        waiting, self._waiting = self._waiting, []
        return waiting
