"""The views that a front end opens by itself: its side panel, and its status bar. Loaded with the extension."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

Message: TypeAlias = dict[str, Any]

TARGET = "robota_nb_ui"
"""The target of the comms that a front end opens, one for each view."""


@dataclass(slots=True, eq=False)
class View:
    """One open view.

    Parameters
    ----------
    send
        Sends it a message.
    close
        Lets it go.
    """

    send: Callable[[Message], None]
    close: Callable[[], None] = lambda: None
    full: bool = False  # whether it shows more than the status
    fresh: bool = True  # whether it has to be told everything
    heard: float = 0.0  # when, by `time.monotonic`


class Listener(Protocol):
    """What takes in what views say."""

    def receive(self, view: View, message: object) -> None:
        """Take in what a view says."""
        ...

    def leave(self, view: View) -> None:
        """A view is gone."""
        ...


class Views:
    """The views of one kernel's front ends.

    Parameters
    ----------
    listener
        Returns who takes in what they say; None as long as there is nothing to see, unless it is told that somebody
        looks.
    """

    def __init__(self, listener: Callable[[bool], Listener | None]) -> None:
        self._listener = listener
        self.waiting: dict[View, object] = {}  # what was said by views that only show the status
        self._open: list[View] = []

    def register(self) -> None:
        """Let front ends open views."""
        from comm import get_comm_manager

        get_comm_manager().register_target(TARGET, self._opened)

    def unregister(self) -> None:
        """Let them open no more, and let go those that are open."""
        from comm import get_comm_manager

        get_comm_manager().unregister_target(TARGET, self._opened)
        self.waiting.clear()
        for view in list(self._open):
            view.close()

    def start(self, listener: Listener) -> None:
        """There is something to see now."""
        waiting, self.waiting = self.waiting, {}
        for view, message in waiting.items():
            listener.receive(view, message)

    def _opened(self, comm: Any, _: object) -> None:
        view = View(send=comm.send, close=comm.close)
        self._open.append(view)
        comm.on_msg(lambda packet: self._hear(view, packet["content"]["data"]))
        comm.on_close(lambda _: self._gone(view))

    def _hear(self, view: View, message: object) -> None:
        looks = not isinstance(message, dict) or message.get("full") is not False
        if listener := self._listener(looks):
            listener.receive(view, message)
        else:
            self.waiting[view] = message

    def _gone(self, view: View) -> None:
        self.waiting.pop(view, None)
        if view in self._open:
            self._open.remove(view)
        if listener := self._listener(False):
            listener.leave(view)
