"""The session manager: users → sessions → chats, and the way of an ask from a cell to its answer."""

from __future__ import annotations

import getpass
import logging
import os
from functools import partial
from threading import RLock
from typing import TYPE_CHECKING, Any

from robota_nb.core import entries as make
from robota_nb.core import snapshot
from robota_nb.core.ask import Ask
from robota_nb.core.config import Config
from robota_nb.core.events import EntriesAdded, Notice
from robota_nb.core.fold import Asked
from robota_nb.core.live import LiveTurn, Plan
from robota_nb.core.names import Names
from robota_nb.core.replay import Replay
from robota_nb.core.session import Session
from robota_nb.errors import DuplicateName, SessionLimitReached, SessionNotFound, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from robota_nb.core.ask import Decision
    from robota_nb.core.chat import Chat
    from robota_nb.core.document import Cell
    from robota_nb.core.events import Event
    from robota_nb.core.ports import Entries, Entry, Providers
    from robota_nb.core.turn import Turn

log = logging.getLogger("robota_nb")


def default_user() -> str:
    """Return the id of the user this process runs for: the hub's name for them, else their login name."""
    if name := os.environ.get("JUPYTERHUB_USER"):
        return name
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user id without a name
        return "user"


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
        self.running: set[str] = set()  # chats in which a turn runs
        self.made: set[str] = set()  # ids of entries that were made here, not taken over
        self.requests = 0  # made to providers so far
        self._sessions: dict[str, Session] = {}
        self._active: dict[str, str] = {}  # user -> session
        self._subscribers: list[Callable[[Event], None]] = []
        self._n = 0

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
            mine = self.sessions(user)
            self._check_limit(user, mine)
            names = self._names(user)
            name = make.check_name(name, "session") if name is not None else names.free("Session", len(mine))
            if names.holder(name):
                raise DuplicateName(f"you have a session {name!r} already: open it, or choose another name")
            session = Session(self, make.new_id("s"), user)
            self._sessions[session.id] = session
            config_id, new = session.config_entry(default_config) if default_config else (None, {})
            entry = make.session_entry(n=self.next_n(), at=self.now(), name=name, config=config_id)
            self.commit(session, {**new, make.entry_id(entry): entry})
            self._active[user] = session.id
        return session

    def sessions(self, user_id: str | None = None) -> list[Session]:
        """Return a user's sessions, in the order of their creation."""
        user = user_id or default_user()
        mine = (s for s in list(self._sessions.values()) if s.user_id == user)
        return sorted(mine, key=lambda s: (s.record.created, s.id))

    def session(self, ref: str, user_id: str | None = None) -> Session:
        """Return a user's session by id, name or former name.

        Raises
        ------
        SessionNotFound
            If this user has no such session; another user's session is unknown in the same words.
        """
        found = self.find_session(ref, user_id)
        if found is None:
            names = [s.name for s in self.sessions(user_id)]
            raise SessionNotFound(
                f"no session {ref[:100]!r}{nearest(ref, names)}: "
                "%robota session list shows them, %robota session open creates one"
            )
        return found

    def find_session(self, ref: str, user_id: str | None = None) -> Session | None:
        """Return the session that *ref* means to this user, or None."""
        user = user_id or default_user()
        session = self._sessions.get(ref) or self._sessions.get(self._names(user).find(ref) or "")
        return session if session and session.user_id == user else None

    def active_session(self, user_id: str | None = None) -> Session | None:
        """Return the user's active session: as chosen here, else as the entries say."""
        user = user_id or default_user()
        return self._sessions.get(self._active.get(user, "")) or self._recorded_active(user)

    def activate(self, session: Session) -> None:
        """Make a session its user's active one."""
        with self.lock:
            self._active[session.user_id] = session.id
            self.replay.click(session.id, None)

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

    def here(self, cell: Cell | None, user_id: str | None = None) -> Chat | None:
        """Return the chat that a command in this cell means when it names none; None if there is no chat yet."""
        user = user_id or default_user()
        with self.lock:
            if cell and (found := self.replay.command_context(cell, self.sessions(user))):
                return found[0].chat(found[1])
            active = self.active_session(user)
            return active.active_chat if active else None

    def ask(
        self,
        text: str,
        cell: Cell,
        *,
        user_id: str | None = None,
        session: str | None = None,
        chat: str | None = None,
        options: Mapping[str, str] | None = None,
        fresh: bool = False,
        once: bool = False,
    ) -> Turn | LiveTurn:
        """Answer a cell's ask: from the record, or live (DESIGN §3).

        Parameters
        ----------
        text
            The prompt.
        cell
            The cell that is being executed.
        user_id
            Who asks.
        session, chat
            Where the cell says the ask goes; the active ones then stay as they are.
        options
            Settings for this ask alone.
        fresh
            Ask live even if an answer is recorded.
        once
            Ask live, and record nothing.

        Returns
        -------
        Turn or LiveTurn
            The recorded turn, or one to iterate over.

        Raises
        ------
        SessionNotFound, ChatNotFound, SessionNotActive, ChatBusy, ReplayMiss
            Before anything is asked.
        """
        with self.lock:
            ask = Ask(cell=cell, k=cell.asks, text=make.clean(text), options=options or {}, fresh=fresh or once)
            cell.asks += 1
            where, target = self._target(ask, user_id or default_user(), session, chat)
            decision = self.replay.decide(ask, where, target.id)
            named = session is not None or chat is not None
            if decision.found:
                if decision.found not in where.path(target.id):
                    where.move_head(target.id, self.replay.newest_end(where, decision.found, ask))
                where.turn_replayed(target.id)
                self._answered(ask, decision, decision.found.id, named=named)
                return target.turn(decision.found, replayed=True)
            where.check_active()
            return self._live(ask, decision, target, named=named, once=once)

    def _target(self, ask: Ask, user: str, session: str | None, chat: str | None) -> tuple[Session, Chat]:
        where = self.session(session, user) if session else self.active_session(user) or self.create_session(user)
        if chat is not None:
            return where, where.chat(chat)
        where, found = self.replay.which_chat(ask, [where] if session else self.sessions(user), where)
        return where, where.chat(found) if found else where.create_chat()

    def _live(self, ask: Ask, decision: Decision, target: Chat, *, named: bool, once: bool) -> LiveTurn:
        def done(turn: Turn) -> None:
            if not once:
                with self.lock:
                    self._answered(ask, decision, turn.id, named=named)
                if left:
                    turns = "1 earlier turn stays" if left == 1 else f"{left} earlier turns stay"
                    self.emit(Notice(text=f"asked again in {target.name!r}: {turns} as a branch"))

        chosen = {"session": decision.session.name, "chat": target.name} if named else {}
        path = decision.session.path(target.id)
        left = len(path.nodes) - path.index[decision.stands.id] if decision.stands else 0
        plan = Plan(
            text=ask.text,
            place=decision.place,
            config=decision.session.config_after(target.id, decision.stands),
            options=ask.options,
            cell=Asked(ask.cell.id, ask.k, ask.cell.source),
            settings={**decision.settings, **chosen},
            record=not once,
        )
        return LiveTurn(target, lambda: plan, done)

    def _answered(self, ask: Ask, decision: Decision, turn: str, *, named: bool) -> None:
        self.replay.show(ask, decision, turn, named=named)
        if not named:
            decision.session.point_to(decision.chat)
            self._active[decision.session.user_id] = decision.session.id

    # -- snapshots

    def flush(self, user_id: str | None = None) -> None:
        """Write what waits (heads, active pointers, settings), where it differs from what is written."""
        with self.lock:
            for session, build in list(self._waiting(user_id or default_user())):
                entry = build(n=self.next_n(), at=self.now())
                self.commit(session, {make.entry_id(entry): entry})
                session.written()

    def snapshot(self, user_id: str | None = None) -> dict[str, Any]:
        """Return the snapshot of a user's sessions, with what waits, as it stands in a notebook's metadata."""
        with self.lock:
            sessions = {session.id: dict(session.record.entries) for session in self.sessions(user_id)}
            for n, (session, build) in enumerate(self._waiting(user_id or default_user()), self.next_n()):
                entry = build(n=n, at=self.now())
                sessions[session.id][make.entry_id(entry)] = entry
            return snapshot.dump(sessions)

    def _waiting(self, user: str) -> Iterator[tuple[Session, make.Builder]]:
        """Yield what makes the entries that wait; the active session's come last, because the greatest n leads."""
        active = self.active_session(user)
        leads = self._recorded_active(user) is active
        for session in sorted(self.sessions(user), key=lambda session: session is active):
            yield from ((session, build) for build in session.waiting())
            if session.active_id != session.record.active_chat() or (session is active and not leads):
                leads = False
                yield session, partial(make.active_entry, chat=session.active_id)

    def adopt(self, sessions: Entries, user_id: str | None = None) -> dict[str, dict[str, Entry]]:
        """Take over (parsed) entries: the union of what is here and what is given.

        Parameters
        ----------
        sessions
            Session id → entries, as `robota_nb.core.snapshot.parse` returns them.
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
                raise SessionNotFound(
                    "a session of this snapshot cannot be opened here: open it in a kernel of its own"
                )
            for sid, entries in sessions.items():
                session = self._sessions.setdefault(sid, Session(self, sid, user))
                if added := session.record.apply(entries):
                    new[sid] = added
                self._n = max(self._n, session.record.n)
        return new

    # -- writing and telling

    def next_n(self) -> int:
        """Return the n of the next entry (to be called with the lock held, right before `commit`)."""
        return self._n + 1

    def commit(self, session: Session, entries: Mapping[str, Entry]) -> None:
        """Add entries made here to a session, and tell the subscribers."""
        with self.lock:
            self._keep_pointers(session)
            session.record.apply(entries)
            self.made.update(entries)
            self._n = max(self._n, session.record.n)
            removed = session.record.take_superseded()
            session.record.drop(removed)
        self.emit(EntriesAdded(session=session.id, entries=entries, removed=removed))

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

    # -- inside

    def _names(self, user: str) -> Names:
        return Names({s.id: s.record.names for s in self.sessions(user)})

    def _keep_pointers(self, session: Session) -> None:
        """Hold on to what is active: only a choice changes that, not what happens to be written last."""
        session.point_to(session.active_id)
        if active := self.active_session(session.user_id):
            self._active[session.user_id] = active.id

    def _recorded_active(self, user: str) -> Session | None:
        return max(self.sessions(user), key=lambda session: session.record.active.stamp, default=None)

    def _check_limit(self, user: str, mine: list[Session]) -> None:
        active = sum(session.state == "active" for session in mine)
        if self.max_active_sessions and active >= self.max_active_sessions:
            raise SessionLimitReached(
                f"{user!r} has {active} active sessions, and max_active_sessions is {self.max_active_sessions}: "
                "go on in one of them, or raise c.RobotaMagics.max_active_sessions (0 for any number)"
            )
