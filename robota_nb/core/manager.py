"""The session manager: users → sessions → chats, and the way of an ask from a cell to its answer."""

from __future__ import annotations

import logging
from functools import partial
from threading import Condition, RLock
from typing import TYPE_CHECKING

from robota_nb.core import ask_flow as asking
from robota_nb.core import records, reprs
from robota_nb.core.events import Activated, Changed, EntriesAdded
from robota_nb.core.record import entries as make
from robota_nb.core.record import snapshot
from robota_nb.core.record.config import Config
from robota_nb.core.record.names import Names
from robota_nb.core.rules import limits, stats
from robota_nb.core.rules.deletion import DELETED
from robota_nb.core.rules.replay import Replay
from robota_nb.core.session import Session
from robota_nb.core.users import default_user
from robota_nb.errors import ChatBusy, DuplicateName, SessionNotActive, SessionNotFound, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from robota_nb.core.events import Event
    from robota_nb.core.interrupts import Cancellation
    from robota_nb.core.live import Arriving
    from robota_nb.core.ports import Entries, Entry, Providers
    from robota_nb.core.record.types import Snapshot
    from robota_nb.core.rules.stats import Stats

log = logging.getLogger("robota_nb")


class SessionManager:
    """Holds the sessions of this process.

    Parameters
    ----------
    providers
        Where answers come from.
    max_active_sessions
        How many active sessions a user may have; 0 for any number.
    max_chats
        How many chats a session may have; 0 for any number.
    max_messages
        How many messages of a path go into a request; 0 for all. The record always keeps all.
    now
        Gives the time as snapshots carry it.
    """

    def __init__(
        self,
        *,
        providers: Providers,
        max_active_sessions: int = 10,
        max_chats: int = 50,
        max_messages: int = 0,
        now: Callable[[], str] = make.timestamp,
    ) -> None:
        self.providers = providers
        self.max_active_sessions = max_active_sessions
        self.max_chats = max_chats
        self.max_messages = max_messages
        self.now = now
        self.lock = RLock()  # never held while a provider is asked
        self.replay = Replay()
        self.rested = Condition(self.lock)  # told whenever a turn has ended
        self.running: dict[str, Cancellation] = {}  # chats in which a turn runs
        self.arriving: dict[str, Arriving] = {}  # the turns that run, by their chats
        self.warned: set[str] = set()  # chats whose user knows that they are long, and where what is foreign goes
        self.made: set[str] = set()  # ids of entries that were made here, not taken over
        self.foreign: set[str] = set()  # ids of entries that were taken over, and are unknown to this user's store
        self.requests = 0  # made to providers so far
        self._sessions: dict[str, Session] = {}
        self._active: dict[str, str] = {}  # user -> session
        self._subscribers: list[Callable[[Event], None]] = []
        self._n = 0
        self._closed = False

    __repr__ = reprs.manager_line
    _repr_html_ = reprs.manager_html
    to_records = records.of_manager

    # -- sessions

    def create_session(
        self, user_id: str | None = None, name: str | None = None, *, default_config: Config | None = None
    ) -> Session:
        """Create a session and make it its user's active one.

        Parameters
        ----------
        user_id
            The owner; `default_user` if not given.
        name
            Unique among the user's sessions; ``Session 1``, … if not given.
        default_config
            What its first chat starts with; the manager's default if not given.

        Raises
        ------
        DuplicateName, InvalidName
            If the name is taken, or is none.
        SessionLimitReached
            If the user has as many active sessions as allowed.
        """
        user = user_id or default_user()
        with self.lock:
            limits.check_sessions(self, user)
            names = self._names(user)
            name = make.check_name(name, "session") if name is not None else names.free("Session")
            if names.holder(name):
                raise DuplicateName(f"you have a session {name!r} already: open it, or choose another name")
            session = Session(self, make.new_id("s"), user)
            self._sessions[session.id] = session
            config_id, new = session.config_entry(default_config) if default_config else (None, {})
            entry = make.session_entry(n=self.next_n(), at=self.now(), name=name, config=config_id)
            self.commit(session, {**new, make.entry_id(entry): entry})
            self._make_active(session)
        return session

    def sessions(self, user_id: str | None = None) -> list[Session]:
        """Return a user's sessions that are not deleted, in the order of their creation."""
        return [session for session in self._owned(user_id or default_user()) if not session.deleted]

    def delete_session(self, ref: str, user_id: str | None = None) -> Session:
        """Delete the session *ref* (see `session`); its entries stay in the record, and `bring_back` finds it.

        If it was the active one, the session used last of those that remain becomes active.

        Raises
        ------
        SessionNotFound
            If there is no such session.
        ChatBusy
            If a turn runs in it.
        """
        session = self.session(ref, user_id)
        with self.lock:
            if busy := next((chat for chat in session.chats if chat.id in self.running), None):
                raise ChatBusy(f"a turn is running in {busy.name!r}: wait for it, or stop it with chat.cancel()")
            was_active = self.active_session(session.user_id) is session
            session.overlay.put(None, "deleted", DELETED)
            if was_active:
                self._active.pop(session.user_id, None)
                if active := self._recorded_active(session.user_id):
                    self._make_active(active)
        return session

    def bring_back(self, ref: str, user_id: str | None = None) -> Session | None:
        """Bring back the deleted session that *ref* names, of several the newest; None if there is none."""
        with self.lock:
            named = self._deleted(ref, user_id)
            if not named:
                return None
            if named[-1].state == "active":
                limits.check_sessions(self, named[-1].user_id)
            if active := self.active_session(user_id):
                self._active[active.user_id] = active.id  # it stays so, whichever comes back
            named[-1].overlay.put(None, "deleted", None)
            if active is None:
                self._make_active(named[-1])
            return named[-1]

    def session(self, ref: str, user_id: str | None = None) -> Session:
        """Return a user's session; *ref* is its id, name or former name.

        Raises
        ------
        SessionNotFound
            If this user has no such session; another user's session is unknown in the same words.
        """
        found = self.find_session(ref, user_id)
        if found is None:
            raise SessionNotFound(
                f"no session {ref[:100]!r}{nearest(ref, [s.name for s in self.sessions(user_id)])}: "
                "%robota session list shows them, %robota session open creates one"
            )
        return found

    def is_deleted(self, ref: str, user_id: str | None = None) -> bool:
        """Say whether *ref* names a deleted session, and no other."""
        return self.find_session(ref, user_id) is None and bool(self._deleted(ref, user_id))

    def _deleted(self, ref: str, user_id: str | None) -> list[Session]:
        wanted = make.fold_name(ref.strip())
        gone = [session for session in self._owned(user_id or default_user()) if session.deleted]
        return [s for s in gone if ref == s.id or make.fold_name(s.record.name) == wanted]

    def find_session(self, ref: str, user_id: str | None = None) -> Session | None:
        """Return the session that *ref* means to this user, or None."""
        user = user_id or default_user()
        session = self._sessions.get(ref) or self._sessions.get(self._names(user).find(ref) or "")
        return session if session and session.user_id == user and not session.deleted else None

    def active_session(self, user_id: str | None = None) -> Session | None:
        """Return the user's active session: as chosen here, else as the entries say."""
        user = user_id or default_user()
        chosen = self._sessions.get(self._active.get(user, ""))
        return chosen if chosen and not chosen.deleted else self._recorded_active(user)

    def activate(self, session: Session) -> None:
        """Make a session its user's active one."""
        with self.lock:
            self.replay.click(session.id, None)
            self.activate_silently(session)

    def activate_silently(self, session: Session) -> None:
        """Make a session its user's active one without anybody having chosen it."""
        if self.active_session(session.user_id) is session:
            self._active[session.user_id] = session.id
        else:
            self._make_active(session)

    def tell_active(self, session: Session) -> None:
        """Tell the subscribers which session and chat are active now."""
        self.emit(Activated(session=session.id, chat=session.active_id))

    def rename_session(self, session: Session, name: str) -> None:
        """Give a session another name; the former one still finds it."""
        name = make.check_name(name, "session")
        with self.lock:
            if session.record.name == name:
                return
            if self._names(session.user_id).holder(name) not in (None, session.id):
                raise DuplicateName(f"you have a session {name!r} already: choose another name")
            entry = make.set_entry(n=self.next_n(), at=self.now(), chat=None, key="name", value=name)
            self.commit(session, {make.entry_id(entry): entry})

    def session_name(self, session: Session) -> str:
        """Return the session's name; the later of two that came to have the same shows as ``name (2)``."""
        return self._names(session.user_id).shown.get(session.id, session.record.name)

    def default_config(self) -> Config:
        """Return the config of a first chat where nothing is configured."""
        provider, model = self.providers.default()
        return Config(provider=provider, model=model)

    # -- asks from cells

    here = asking.here
    ask = asking.ask
    ask_at = asking.ask_at

    # -- snapshots

    def flush(self, user_id: str | None = None) -> None:
        """Write what waits (heads, active pointers, settings), where it differs from what is written."""
        with self.lock:
            waiting = list(self._waiting(user_id or default_user()))
            for session, build in waiting:
                entry = build(n=self.next_n(), at=self.now())
                self.commit(session, {make.entry_id(entry): entry})
            for session, _ in waiting:  # not before all is written: what is active depends on what is deleted
                session.written()

    def records(self, user_id: str | None = None) -> dict[str, dict[str, Entry]]:
        """Return the written entries of a user's sessions, also of deleted ones."""
        return {session.id: session.record.entries.copy() for session in self._owned(user_id or default_user())}

    def sizes(self, user_id: str | None = None) -> dict[str, int]:
        """Return how many entries `records` has of each session."""
        return {session.id: len(session.record.entries) for session in self._owned(user_id or default_user())}

    def snapshot(self, user_id: str | None = None) -> Snapshot:
        """Return the snapshot of a user's sessions, with what waits, as it stands in a notebook's metadata."""
        with self.lock:
            sessions = self.records(user_id)
            for n, (session, build) in enumerate(self._waiting(user_id or default_user()), self.next_n()):
                entry = build(n=n, at=self.now())
                sessions[session.id][make.entry_id(entry)] = entry
            return snapshot.dump(sessions)

    def _waiting(self, user: str) -> Iterator[tuple[Session, make.Builder]]:
        """Yield what makes the entries that wait; the active session's come last, because the greatest n leads."""
        active = self.active_session(user)
        leads = self._recorded_active(user) is active
        for session in sorted(self._owned(user), key=lambda session: session is active):
            yield from ((session, build) for build in session.waiting())
            if session.active_id != session.recorded_active() or (session is active and not leads):
                leads = False
                yield session, partial(make.active_entry, chat=session.active_id)

    def adopt(self, sessions: Entries, user_id: str | None = None) -> dict[str, dict[str, Entry]]:
        """Take over (parsed) entries: the union of what is here and what is given.

        Parameters
        ----------
        sessions
            Session id → entries, as `robota_nb.core.record.snapshot.parse` returns them.
        user_id
            To whom sessions belong that are not here yet.

        Returns
        -------
        dict
            What was new here.
        """
        user, new = user_id or default_user(), {}
        with self.lock:
            if any(sid in self._sessions and self._sessions[sid].user_id != user for sid in sessions):
                raise SessionNotFound("a session in this snapshot cannot be opened here: use a kernel of its own")
            for sid, entries in sessions.items():
                session = self._sessions.setdefault(sid, Session(self, sid, user))
                if added := session.record.apply(entries):
                    new[sid] = added
                self._n = max(self._n, session.record.n)
        for sid in new:
            self.emit(Changed(session=sid))
        return new

    # -- writing and telling

    def next_n(self, reserved: int = 0) -> int:
        """Return the n of the next entry (with the lock held, right before `commit`); keep so many for the caller."""
        self._n += reserved
        return self._n + 1 - reserved

    def commit(self, session: Session, entries: Mapping[str, Entry]) -> None:
        """Add entries made here to a session, and tell the subscribers."""
        with self.lock:
            self._keep_pointers(session)
            session.record.apply(entries)
            self.made.update(entries)
            self._n = max(self._n, session.record.n)
            removed = session.record.drop_superseded()
            self.emit(EntriesAdded(session=session.id, entries=entries, removed=removed))  # in the order of the record

    def subscribe(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        """Have *callback* called with every event; returns the function that ends it.

        A callback that raises is logged, and breaks nothing.
        """
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback)

    def emit(self, event: Event) -> None:
        """Tell the subscribers."""
        for callback in list(self._subscribers):
            try:
                callback(event)
            except Exception:
                log.exception("a subscriber failed")

    # -- the whole

    def stats(self, user_id: str | None = None) -> Stats:
        """Count what a user's sessions hold."""
        sessions = self.sessions(user_id)
        return stats.count((chat for session in sessions for chat in session.chats), len(sessions))

    def shutdown(self, timeout: float = 5.0) -> None:
        """End the turns that run, keeping what has arrived, and let no new ones begin.

        Parameters
        ----------
        timeout
            Seconds to wait for them.
        """
        with self.lock:
            self._closed = True
            running = list(self.running.values())
        for cancellation in running:
            cancellation.cancel()
        with self.lock:
            self.rested.wait_for(lambda: not self.running, timeout)
            for user in {session.user_id for session in self._sessions.values()}:
                self.flush(user)

    def check_open(self) -> None:
        """Raise `SessionNotActive` if the manager was shut down."""
        if self._closed:
            raise SessionNotActive("this session manager was shut down: make a new one to ask again")

    # -- inside

    def _make_active(self, session: Session) -> None:
        self._active[session.user_id] = session.id
        self.tell_active(session)

    def _names(self, user: str) -> Names:
        return Names({s.id: s.record.names for s in self.sessions(user)})

    def hold_active(self, user_id: str | None = None) -> None:
        """Hold on to what is active, so that nothing that is adopted from now on changes it."""
        with self.lock:
            for session in self.sessions(user_id):
                self._keep_pointers(session)

    def _keep_pointers(self, session: Session) -> None:
        """Hold on to what is active: only a choice changes that, not what happens to be written last."""
        session.point_to(session.active_id)
        if active := self.active_session(session.user_id):
            self._active[session.user_id] = active.id

    def _recorded_active(self, user: str) -> Session | None:
        return max(self.sessions(user), key=lambda session: session.record.active.stamp, default=None)

    def _owned(self, user: str) -> list[Session]:
        mine = (session for session in list(self._sessions.values()) if session.user_id == user)
        return sorted(mine, key=lambda session: (session.record.created, session.id))
