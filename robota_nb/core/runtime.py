"""What goes on in one manager: its lock, the turns that run, who is told, and what this process has seen."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from robota_nb.core.events import Changed
from robota_nb.core.interrupts import Cancellation
from robota_nb.core.lock import Lock
from robota_nb.core.rules import states
from robota_nb.core.rules.replay import Replay
from robota_nb.errors import ChatBusy, SessionNotActive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from robota_nb.core.events import Event
    from robota_nb.core.plan import Arriving
    from robota_nb.core.ports import Providers
    from robota_nb.core.record.view import SessionView
    from robota_nb.core.rules.states import Here

log = logging.getLogger("robota_nb")


@dataclass(slots=True)
class Limits:
    """How much there may be; 0 is any number (see `robota_nb.SessionManager`)."""

    max_active_sessions: int
    max_chats: int
    max_messages: int


class Runtime:
    """The life of one manager in this process; nothing of it is written.

    Parameters
    ----------
    providers
        Where answers come from.
    limits
        How much there may be.
    now
        Gives the time as snapshots carry it.
    """

    def __init__(self, providers: Providers, limits: Limits, now: Callable[[], str]) -> None:
        self.providers = providers
        self.limits = limits
        self.now = now
        self.lock = Lock()
        self.replay = Replay()
        self.running: dict[str, Cancellation] = {}  # chats in which a turn runs
        self.arriving: dict[str, Arriving] = {}  # the turns that run, by their chats
        self.warned: set[str] = set()  # chats whose user knows that they are long, and where what is foreign goes
        self.made: set[str] = set()  # ids of entries that were made here, not taken over
        self.foreign: set[str] = set()  # ids of entries that were taken over, and are unknown to this user's store
        self.requests = 0  # made to providers so far
        self._subscribers: list[Callable[[Event], None]] = []
        self._closed = False

    # -- telling

    def subscribe(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        """Have *callback* called with every event; returns the function that ends it."""
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback)

    def emit(self, event: Event) -> None:
        """Tell the subscribers."""
        for callback in list(self._subscribers):
            try:
                callback(event)
            except Exception:
                log.exception("a subscriber failed")

    def tell_changed(self, view: SessionView, chat: str | None) -> None:
        """Tell the subscribers that a session, or a chat in it, is not as it was."""
        self.emit(Changed(session=view.id, chat=chat))

    # -- turns

    @contextmanager
    def one_turn(self, view: SessionView, chat: str, here: Here | None = None) -> Iterator[Cancellation]:
        """Hold a chat for one turn, which the cancellation ends; *here*: the cell that asks.

        Raises
        ------
        SessionNotActive, ChatNotFound
            If the chat may not be asked now.
        ChatBusy
            If a turn runs in it.
        """
        cancellation = Cancellation()
        with self.lock:
            self.check_open()
            states.check_asked(view, chat, here)
            if chat in self.running:
                raise ChatBusy(f"a turn is running in {view.chat_name(chat)!r}: wait for it, or ask in another chat")
            self.running[chat] = cancellation
        try:
            yield cancellation
        finally:
            with self.lock:
                del self.running[chat]
                self.lock.notify_all()
                self.tell_changed(view, chat)

    def check_idle(self, view: SessionView, chat: str) -> None:
        """Raise `ChatBusy` if a turn runs in the chat."""
        if chat in self.running:
            raise ChatBusy(f"a turn is running in {view.chat_name(chat)!r}: wait for it, or stop it with chat.cancel()")

    def cancel(self, chat: str) -> bool:
        """Stop the turn that runs in a chat; return whether one was running."""
        running = self.running.get(chat)
        if running:
            running.cancel()
        return running is not None

    # -- the end

    def check_open(self) -> None:
        """Raise `SessionNotActive` if the manager was shut down."""
        if self._closed:
            raise SessionNotActive("this session manager was shut down: make a new one to ask again")

    def end_turns(self, timeout: float) -> None:
        """Let no new turns begin, cancel those that run, and wait at most *timeout* seconds until they have ended."""
        with self.lock:
            self._closed = True
            running = list(self.running.values())
        for cancellation in running:
            cancellation.cancel()
        with self.lock:
            self.lock.wait_for(lambda: not self.running, timeout)
