"""Keeps every open view at what is so, and does what views ask for.

A view holds no state of its own. One thread compares what has been told with what is so, and tells the difference to
all views: so they agree, nothing is lost or told twice whoever changes things in whatever thread, and a cell that
streams is not slowed down. Without a view there is no thread, and nobody listens.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from robota_nb.core.events import EntriesAdded, Notice, TextArrived
from robota_nb.core.inside import runtime_of
from robota_nb.display.hints import told
from robota_nb.errors import RobotaError
from robota_nb.switcher.actions import ACTIONS
from robota_nb.switcher.view_state import ViewState

if TYPE_CHECKING:
    from collections.abc import Callable

    from robota_nb.core.events import Event
    from robota_nb.core.manager import SessionManager
    from robota_nb.core.ports import Level
    from robota_nb.switcher.views import View

Message: TypeAlias = dict[str, Any]

TEXT_EVERY = 0.1
"""Seconds between two messages with the text of an answer: each costs about a kilobyte beside its text."""
GATHER = 0.01
"""Seconds in which changes that belong together come together: a turn's end is three events."""
MAX_VIEWS = 8
"""How many views are told. A page that was closed cannot always say so; the one heard longest ago is let go, and
opens anew if it is there after all."""

log = logging.getLogger("robota_nb")


class Host(Protocol):
    """What the hub needs of the app around it."""

    manager: SessionManager

    def ready(self) -> None:
        """Adopt what the notebook holds, unless that was done."""
        ...

    def write_soon(self) -> None:
        """Have what only points written once the kernel is idle."""
        ...

    def level(self) -> Level:
        """Return how far the conversations have got: in kernel, in store, in notebook, saved."""
        ...


@dataclass(slots=True)
class _Dirt:
    """What may have changed since the views were told."""

    everything: bool = False
    status: bool = False
    chats: set[str] = field(default_factory=set)
    asked: list[tuple[View, Message]] = field(default_factory=list)
    text: bool = False

    @property
    def urgent(self) -> bool:
        return bool(self.everything or self.status or self.chats or self.asked)


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
        self._dirt = _Dirt()
        self._told = ViewState(host.manager)
        self._thread: threading.Thread | None = None
        self._unsubscribe: Callable[[], None] | None = None

    # -- views

    def receive(self, view: View, message: object) -> None:
        """Take in what a view says, in whatever thread; nothing that it may say raises."""
        if not isinstance(message, dict):
            return
        view.heard = time.monotonic()
        match message.get("op"):
            case "hello":
                self._adopt_notebook()
                view.full = message.get("full") is not False
                self._join(view)
            case "want" | "picture":
                self._join_again(view)
                self._queue(view, message)
            case "do":
                self._join_again(view)
                self._do(view, message)

    def leave(self, view: View) -> None:
        """A view is gone."""
        with self._wake:
            if view in self._views:
                self._views.remove(view)
                self._wake.notify_all()

    def touch(self) -> None:
        """Something has changed of which the manager tells nothing, such as how far a turn got."""
        with self._wake:
            self._dirt.status = True
            self._wake.notify_all()

    def close(self) -> None:
        """Let all views go."""
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
        """Tell a view that is there after all, such as a widget after the extension was loaded again."""
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
            self._dirt.everything = True
            if self._unsubscribe is None:
                self._unsubscribe = self.manager.subscribe(self._on_event)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="robota_nb-switcher", daemon=True)
                self._thread.start()
            self._wake.notify_all()
        if crowded:
            crowded.close()

    # -- what changes

    def _on_event(self, event: Event) -> None:
        if isinstance(event, Notice):
            return
        if isinstance(event, TextArrived):
            with self._wake:
                if not self._dirt.text:
                    self._dirt.text = True
                    self._wake.notify_all()
            return
        if isinstance(event, EntriesAdded):
            purged = any(entry["kind"] == "purged" for entry in event.entries.values())  # forks may show it, too
            chats = {chat for entry in event.entries.values() if not purged and (chat := entry.get("chat"))}
        else:
            chats = {event.chat} if event.chat else set()
        with self._wake:
            self._dirt.chats |= chats
            self._dirt.everything = self._dirt.everything or not chats
            self._wake.notify_all()

    def _queue(self, view: View, message: Message) -> None:
        with self._wake:
            self._dirt.asked.append((view, message))
            self._wake.notify_all()

    # -- what views ask for

    def _do(self, view: View, message: Message) -> None:
        """Do what a click asks for; the answer comes after what it has changed."""

        def answer(**said: object) -> None:
            self._queue(view, {"op": "answer", "id": message.get("id"), **said})
            self._host.write_soon()

        action = ACTIONS.get(str(message.get("what")))
        try:
            if action is None:
                raise RobotaError("this kernel does not know that: reload the page")  # noqa: TRY301 - said like others
            self._host.ready()
            done = action(self.manager, message)
        except RobotaError as error:
            answer(error=told(error))
        except Exception:
            log.exception("the switcher failed")
            answer(error="that went wrong inside robota_nb: reload the page and try again")
        else:
            if callable(done):  # a turn, which takes its time
                threading.Thread(target=_ask, args=(done, answer), name="robota_nb-ask", daemon=True).start()
            else:
                answer(**(done or {}))

    # -- telling

    def _run(self) -> None:
        told_at = 0.0
        while self._rest(told_at):
            time.sleep(GATHER)
            with self._wake:
                dirt, self._dirt = self._dirt, _Dirt()
                views = {view: view.fresh for view in self._views}
                for view in views:
                    view.fresh = False
            told_at = time.monotonic()
            try:
                self._tell(dirt, views)
            except Exception:  # pragma: no cover - the views must go on
                log.exception("the switcher could not tell what has changed")

    def _rest(self, told_at: float) -> bool:
        """Wait for something to tell; False if nobody listens any more."""
        with self._wake:
            while self._views and not self._dirt.urgent:
                left = told_at + TEXT_EVERY - time.monotonic()
                if self._dirt.text and left <= 0:
                    break
                self._wake.wait(left if self._dirt.text else None)
            if not self._views:
                self._thread = None
                if self._unsubscribe:
                    self._unsubscribe()
                    self._unsubscribe = None
            return bool(self._views)

    def _tell(self, dirt: _Dirt, views: dict[View, bool]) -> None:
        """Tell the views the difference, and those that are new (True) everything."""
        told = self._told
        with runtime_of(self.manager).lock:
            full = any(view.full for view in views)
            news = told.news(self._host.level(), everything=dirt.everything, chats=dirt.chats, full=full)
            whole = told.whole() if any(view.full for view, fresh in views.items() if fresh) else []
            answers = [(view, told.answer(message)) for view, message in dirt.asked]
        for view, fresh in views.items():
            if fresh:
                _send(view, [told.status, *(whole if view.full else [])])
            else:
                _send(view, news if view.full else [message for message in news if message["op"] == "status"])
        for view, message in answers:
            _send(view, [message])


def _send(view: View, messages: list[Message]) -> None:
    for message in messages:
        try:
            view.send(message)
        except Exception:
            log.debug("a view could not be told", exc_info=True)


def _ask(ask: Callable[[], Message | None], answer: Callable[..., None]) -> None:
    try:
        answer(**(ask() or {}))
    except RobotaError as error:
        answer(error=told(error))
    except Exception:
        log.exception("the switcher failed to ask")
        answer(error="that went wrong inside robota_nb: ask again")
