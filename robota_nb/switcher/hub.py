"""Keeps all open views up to date, and does what they ask for.

A view holds no state of its own. One thread compares what the views know with the sessions, and sends all views the
difference: so they agree, nothing is lost or sent twice whatever thread changes things, and a cell that streams is not
slowed down. Without a view there is no thread, and no subscription to the manager's events.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, assert_never

from robota_nb.core.events import EntriesAdded, Notice, ServerHeard, TextArrived, TextTakenBack
from robota_nb.core.inside import runtime_of
from robota_nb.core.record.json_types import JsonTypeError
from robota_nb.core.record.kinds import is_stub
from robota_nb.errors import RobotaError
from robota_nb.switcher.actions import ACTIONS
from robota_nb.switcher.messages import from_view
from robota_nb.switcher.view_state import ViewState
from robota_nb.switcher.words import told

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from robota_nb.core.events import Event
    from robota_nb.switcher.host import Host
    from robota_nb.switcher.messages import Answer, Do, Result, ToView, Want, WantPicture
    from robota_nb.switcher.views import View

TEXT_EVERY = 0.1
"""Seconds between two messages with text of an answer: each costs about a kilobyte beside its text."""
GATHER = 0.01
"""Seconds for which more changes are awaited before they are sent: the end of a turn is three events."""
MAX_VIEWS = 8
"""How many views there may be. A page that was closed cannot always say so: the one heard longest ago is closed, and
opens again if it is still there."""

log = logging.getLogger("robota_nb")


@dataclass(slots=True)
class _Pending:
    """What may have changed since the views were told, and the messages that wait for a reply."""

    everything: bool = False
    status: bool = False
    chats: set[str] = field(default_factory=set)
    replies: list[tuple[View, Want | WantPicture | Answer]] = field(default_factory=list)
    text: bool = False

    @property
    def urgent(self) -> bool:
        return bool(self.everything or self.status or self.chats or self.replies)


class Hub:
    """The views of one kernel.

    Parameters
    ----------
    host
        The app around it.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self.manager = host.manager
        self._views: list[View] = []
        self._wake = threading.Condition()
        self._pending = _Pending()
        self._state = ViewState(host.manager, host.endpoints.prices)
        self._thread: threading.Thread | None = None
        self._unsubscribe: Callable[[], None] | None = None

    # -- views

    def receive(self, view: View, data: object) -> None:
        """Take in what a view says, in whatever thread; nothing that a page may send raises."""
        view.heard = time.monotonic()
        try:
            message = from_view(data)
        except JsonTypeError as error:
            self._refuse(view, data, error)
            return
        match message["op"]:
            case "hello":
                self._adopt_notebook()
                view.full = message.get("full", True)
                self._join(view)
            case "want" | "picture":
                self._join_again(view)
                self._queue(view, message)
            case "do":
                self._join_again(view)
                self._do(view, message)
            case "modules":  # the widget's own
                pass
            case _:
                assert_never(message)

    def _refuse(self, view: View, data: object, error: JsonTypeError) -> None:
        """Answer a click that is no proper message, as the user waits for it; anything else is dropped."""
        if isinstance(data, dict) and data.get("op") == "do" and isinstance(data.get("id"), str):
            what = "this kernel does not know that" if error.field == "what" else str(error)
            self._join_again(view)
            said = self._host.say(f"{what}: reload the page")
            self._queue(view, {"op": "answer", "id": data["id"], "error": said})
        else:
            log.info("a message of a view was dropped: %s", error)

    def leave(self, view: View) -> None:
        """Forget a view that is gone."""
        with self._wake:
            if view in self._views:
                self._views.remove(view)
                self._wake.notify_all()

    def touch(self, *, everything: bool = False) -> None:
        """Send the status again: it may have changed without an event, as when the notebook was saved.

        Parameters
        ----------
        everything
            Whether all else may have, too, as when a cell was deleted.
        """
        with self._wake:
            self._pending.status = True
            self._pending.everything = self._pending.everything or everything
            self._wake.notify_all()

    def close(self) -> None:
        """Close all views."""
        with self._wake:
            views, self._views = self._views, []
            self._wake.notify_all()
        for view in views:
            view.close()

    def _adopt_notebook(self) -> None:
        try:
            self._host.ready()
        except Exception:
            log.exception("what the notebook holds could not be adopted")

    def _join_again(self, view: View) -> None:
        """Join a view that was closed and is still there, such as a widget after the extension was loaded again."""
        if view not in self._views:
            self._join(view)

    def _join(self, view: View) -> None:
        crowded = None
        with self._wake:
            view.fresh = True
            if view not in self._views:
                if len(self._views) >= MAX_VIEWS:
                    crowded = min(self._views, key=lambda other: other.heard)
                    self._views.remove(crowded)
                self._views.append(view)
            self._pending.everything = True
            if self._unsubscribe is None:
                self._unsubscribe = self.manager.subscribe(self._on_event)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="robota_nb-switcher", daemon=True)
                self._thread.start()
            self._wake.notify_all()
        if crowded:
            crowded.close()

    # -- events

    def _on_event(self, event: Event) -> None:
        if isinstance(event, (Notice, ServerHeard)):
            return
        if isinstance(event, (TextArrived, TextTakenBack)):
            with self._wake:
                if not self._pending.text:
                    self._pending.text = True
                    self._wake.notify_all()
            return
        if isinstance(event, EntriesAdded):
            purged = any(map(is_stub, event.entries.values()))  # forks may show it, too
            chats = {chat for entry in event.entries.values() if not purged and (chat := entry.get("chat"))}
        else:
            chats = {event.chat} if event.chat else set()
        with self._wake:
            self._pending.chats |= chats
            self._pending.everything = self._pending.everything or not chats
            self._wake.notify_all()

    def _queue(self, view: View, message: Want | WantPicture | Answer) -> None:
        with self._wake:
            self._pending.replies.append((view, message))
            self._wake.notify_all()

    # -- actions

    def _do(self, view: View, message: Do) -> None:
        """Do what a click asks for; the answer is sent after what it has changed."""

        def answer(result: Result) -> None:
            if "error" in result:
                result = {"error": self._host.say(result["error"])}
            self._queue(view, {"op": "answer", "id": message["id"], **result})
            self._host.write_soon()

        try:
            self._host.ready()
            outcome = ACTIONS[message["what"]](self._host, message)
        except RobotaError as error:
            answer({"error": told(error)})
        except Exception:
            log.exception("the switcher failed")
            answer({"error": "that went wrong inside robota_nb: reload the page and try again"})
        else:
            if callable(outcome):  # a turn, say, which takes its time
                threading.Thread(target=_finish, args=(outcome, answer), name="robota_nb-action", daemon=True).start()
            else:
                answer(outcome or {})

    # -- sending

    def _run(self) -> None:
        sent_at = 0.0
        while self._wait(sent_at):
            time.sleep(GATHER)
            with self._wake:
                pending, self._pending = self._pending, _Pending()
                views = {view: view.fresh for view in self._views}
                for view in views:
                    view.fresh = False
            sent_at = time.monotonic()
            try:
                self._send(pending, views)
            except Exception:  # pragma: no cover - the views must go on
                log.exception("the switcher could not send what has changed")

    def _wait(self, sent_at: float) -> bool:
        """Wait for something to send; False if there is no view any more."""
        with self._wake:
            while self._views and not self._pending.urgent:
                left = sent_at + TEXT_EVERY - time.monotonic()
                if self._pending.text and left <= 0:
                    break
                self._wake.wait(left if self._pending.text else None)
            if not self._views:
                self._thread = None
                if self._unsubscribe:
                    self._unsubscribe()
                    self._unsubscribe = None
            return bool(self._views)

    def _send(self, pending: _Pending, views: dict[View, bool]) -> None:
        """Send the views the difference, and those that are new (True) everything."""
        state = self._state
        with runtime_of(self.manager).lock:
            full = any(view.full for view in views)
            level = self._host.level()
            changes = state.update(level, everything=pending.everything, chats=pending.chats, full=full)
            everything = state.everything() if any(view.full for view, fresh in views.items() if fresh) else []
            replies = [(view, state.reply(message)) for view, message in pending.replies]
        for view, fresh in views.items():
            if fresh:
                _send(view, [state.status, *(everything if view.full else [])])
            else:
                _send(view, changes if view.full else [message for message in changes if message["op"] == "status"])
        for view, message in replies:
            _send(view, [message])


def _send(view: View, messages: Sequence[ToView]) -> None:
    for message in messages:
        try:
            view.send(message)
        except Exception:
            log.debug("a view could not be reached", exc_info=True)


def _finish(wait: Callable[[], Result], answer: Callable[[Result], None]) -> None:
    """Wait for a turn's end, and answer."""
    try:
        answer(wait())
    except RobotaError as error:
        answer({"error": told(error)})
    except Exception:
        log.exception("the switcher failed")
        answer({"error": "that went wrong inside robota_nb: try again"})
