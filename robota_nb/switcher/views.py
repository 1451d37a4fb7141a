"""The views that a front end opens by itself: its side panel, and its item of the status bar.

This module is loaded with the extension, so it loads nothing of the switcher.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from robota_nb.switcher.messages import ToView

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
        Closes it.
    """

    send: Callable[[ToView], None]
    close: Callable[[], None] = lambda: None
    full: bool = False  # whether it shows more than the status
    fresh: bool = True  # whether everything is to be sent to it, and not only what changes
    heard: float = 0.0  # when it said something last, by `time.monotonic`


class Listener(Protocol):
    """What the messages of views go to: the `Hub`."""

    def receive(self, view: View, data: object) -> None:
        """Take in what a view says. It comes from a page, so it may be anything."""
        ...

    def leave(self, view: View) -> None:
        """Forget a view that is gone."""
        ...


class Views:
    """The views of one kernel's front ends.

    Parameters
    ----------
    listener
        Returns what the messages go to. Called with False, it may return None: as long as there is no conversation, a
        view of the status alone is no reason to set up the app.
    """

    def __init__(self, listener: Callable[[bool], Listener | None]) -> None:
        self._listener = listener
        self.waiting: dict[View, object] = {}  # the last message of each view for which there was no listener
        self._open: list[View] = []

    def register(self) -> None:
        """Let front ends open views."""
        from comm import get_comm_manager

        get_comm_manager().register_target(TARGET, self._opened)

    def unregister(self) -> None:
        """Let front ends open no more views, and close those that are open."""
        from comm import get_comm_manager

        get_comm_manager().unregister_target(TARGET, self._opened)
        self.waiting.clear()
        for view in list(self._open):
            view.close()

    def start(self, listener: Listener) -> None:
        """Hand on the messages that have waited for a listener."""
        waiting, self.waiting = self.waiting, {}
        for view, data in waiting.items():
            listener.receive(view, data)

    def _opened(self, comm: Any, _: object) -> None:
        view = View(send=comm.send, close=comm.close)
        self._open.append(view)
        comm.on_msg(lambda packet: self._receive(view, packet["content"]["data"]))
        comm.on_close(lambda _: self._closed(view))

    def _receive(self, view: View, data: object) -> None:
        shows_status_alone = isinstance(data, dict) and data.get("full") is False
        if listener := self._listener(not shows_status_alone):
            listener.receive(view, data)
        else:
            self.waiting[view] = data

    def _closed(self, view: View) -> None:
        self.waiting.pop(view, None)
        if view in self._open:
            self._open.remove(view)
        if listener := self._listener(False):
            listener.leave(view)
