"""What goes on in one manager: its lock, the turns that run, who is told, and what this process has seen."""

from __future__ import annotations

import logging
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from robota_nb.core.events import Changed, Notice
from robota_nb.core.lock import Lock
from robota_nb.core.ports import KnowsWindow
from robota_nb.core.record.attachments import MAX_IMAGE_BYTES, kept_beside
from robota_nb.core.record.types import File
from robota_nb.core.rules import states
from robota_nb.core.rules.provenance import Foreign
from robota_nb.core.shelf import MemoryShelf
from robota_nb.errors import ChatBusy, PromptError, SessionNotActive, StoreError, ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from robota_nb.core.events import Event
    from robota_nb.core.interrupts import Cancellation
    from robota_nb.core.plan import Arriving
    from robota_nb.core.ports import AnswerForm, Attachment, Entry, Provider, Providers, Shelf, Toolbox
    from robota_nb.core.record.config import Config
    from robota_nb.core.record.view import SessionView
    from robota_nb.core.rules.modes import Mode, Rerun
    from robota_nb.core.rules.states import Here

log = logging.getLogger("robota_nb")

MAX_ROUNDS = 10
"""How many requests a turn that calls tools makes at most, unless the user says otherwise."""


def _no_tools(functions: Sequence[object]) -> Toolbox:
    raise ToolError(f"this manager has no use for {len(functions)} functions: robota_nb.SessionManager offers them")


def _no_shape(kind: object) -> AnswerForm:
    raise PromptError(f"this manager has no use for {kind!r}: robota_nb.SessionManager asks for values of types")


@dataclass(slots=True)
class Limits:
    """How much there may be; 0 is any number (see `robota_nb.SessionManager`)."""

    max_active_sessions: int
    max_chats: int
    max_messages: int


def window_of(provider: Provider, model: str) -> int:
    """Return how many tokens a request to a provider's model and its answer may have together; 0 if it does not say."""
    with suppress(Exception):  # other people's code
        return provider.window(model) if isinstance(provider, KnowsWindow) else 0
    return 0


OnForeignChange: TypeAlias = Literal["tell", "refuse once", "refuse"]
"""What comes of an ask of which somebody else has changed where it goes: it is told, or it is refused."""


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
        self.mode: Mode = "auto"
        self.rerun: Rerun = "replay"
        self.shelf: Shelf = MemoryShelf()
        self.mark_unfinished = True  # in requests: whether the model is told which answers did not end by themselves
        self.shown: dict[str, None] = {}  # the turns that cells have shown here, asked or replayed, in order
        self.running: dict[str, Cancellation] = {}  # chats in which a turn runs
        self.arriving: dict[str, Arriving] = {}  # the turns that run, by their chats
        self.warned: set[str] = set()  # chats whose user knows that they are long
        self.told_foreign: dict[tuple[str, str], set[str]] = {}  # (chat, provider) -> what its user knows is foreign
        self.confirmed: dict[str, set[str]] = {}  # chat -> what of its requests its user has not written, but confirmed
        self.max_rounds = MAX_ROUNDS
        self.make_toolbox: Callable[[Sequence[object]], Toolbox] = _no_tools  # of functions that are given
        self.make_shape: Callable[[object], AnswerForm] = _no_shape  # of a type
        self.told_doubtful = False  # that the store was empty when the notebook came
        self.on_foreign_change: Callable[[], OnForeignChange] = lambda: "tell"
        self.check_fallback: Callable[[], None] = lambda: None  # raises where the fallback is not to answer
        self.made: set[str] = set()  # ids of entries that were made here, not taken over
        self.foreign = Foreign()
        self.requests = 0  # made to providers so far
        self._subscribers: list[Callable[[Event], None]] = []
        self._closed = False

    # -- files that are too large for a notebook

    def shelve(self, attached: Iterable[Attachment]) -> None:
        """Keep those that are; what cannot be kept costs a notice, not the turn."""
        for one in attached:
            if isinstance(one, File) and len(one.data) > MAX_IMAGE_BYTES:
                try:
                    self.shelf.put(one.data)
                except StoreError as error:
                    self.emit(Notice(text=f"the file {one.name!r} cannot be kept for later turns: {error}"))

    def unshelve(self, entry: Entry) -> None:
        """Remove such a file for good, by its entry."""
        if sha256 := kept_beside(entry):
            try:
                self.shelf.drop(sha256)
            except StoreError as error:
                self.emit(Notice(text=str(error)))

    def fetch(self, sha256: str) -> bytes | None:
        """Return such a file by its SHA-256; None if it is not on this machine, or cannot be read."""
        try:
            return self.shelf.get(sha256)
        except StoreError:
            return None

    def window(self, config: Config) -> int:
        """Return how many tokens a request and its answer may have together; 0 if that is not known."""
        with suppress(Exception):  # a provider that is not here
            return window_of(self.providers.get(config.provider), config.model)
        return 0

    # -- telling

    @property
    def marked(self) -> AbstractSet[str]:
        """What outputs mark as somebody else's: what may be so only if somebody looks, and in strict replay nothing.

        Outputs that nobody has looked at are to be the same on a machine where the store is empty.
        """
        if self.mode == "strict":
            return frozenset()
        return self.foreign if self.on_foreign_change() == "tell" else self.foreign.sure

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
    def one_turn(
        self, view: SessionView, chat: str, cancellation: Cancellation, here: Here | None = None
    ) -> Iterator[None]:
        """Hold a chat for one turn, which the cancellation ends; *here*: the cell that asks.

        Raises
        ------
        SessionNotActive, ChatNotFound
            If the chat may not be asked now.
        ChatBusy
            If a turn runs in it.
        """
        with self.lock:
            self.check_open()
            states.check_asked(view, chat, here)
            if chat in self.running:
                raise ChatBusy(f"a turn is running in {view.chat_name(chat)!r}: wait for it, or ask in another chat")
            self.running[chat] = cancellation
        try:
            yield
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
