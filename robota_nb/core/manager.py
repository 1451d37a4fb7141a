"""The session manager: users → sessions → chats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from robota_nb.core.ledger import Ledger
from robota_nb.core.record import entries as make
from robota_nb.core.record import html
from robota_nb.core.record.text import count
from robota_nb.core.rules import stats
from robota_nb.core.rules.effects import Enter
from robota_nb.core.runtime import Limits, Runtime
from robota_nb.core.session import Session
from robota_nb.core.users import default_user
from robota_nb.errors import SessionNotFound, nearest

if TYPE_CHECKING:
    from collections.abc import Callable

    from robota_nb.core.events import Event
    from robota_nb.core.ports import Entries, Entry, Providers, Shelf
    from robota_nb.core.record.config import Config
    from robota_nb.core.record.types import Snapshot
    from robota_nb.core.record.view import SessionView
    from robota_nb.core.rules.stats import Stats


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
        How many messages of a path go into a request at most; 0 for all. Of more, the older ones leave in blocks of
        half as many, so that most requests begin as the one before did. The record always keeps all.
    mark_unfinished
        Whether requests say of earlier answers that did not end by themselves how they ended, as in
        ``[interrupted by the user]``.
    shelf
        Where files are kept that are too large for a notebook (`robota_nb.stores.folder_shelf.FolderShelf`); in this
        process if not given.
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
        mark_unfinished: bool = True,
        shelf: Shelf | None = None,
        now: Callable[[], str] = make.timestamp,
    ) -> None:
        runtime = Runtime(providers, Limits(max_active_sessions, max_chats, max_messages), now)
        runtime.mark_unfinished = mark_unfinished
        runtime.shelf = shelf or runtime.shelf
        self._ledger = Ledger(runtime)
        self._sessions: dict[SessionView, Session] = {}

    def __repr__(self) -> str:
        active = self.active_session()
        at = f", {active.name!r} is active" if active else ""
        return f"<SessionManager: {count(len(self.sessions()), 'session')}{at}>"

    def _repr_html_(self) -> str:
        """Show the sessions of the default user, a row each."""
        sessions, active = self.sessions(), self.active_session()
        rows = [
            ["▸" if session is active else "", session.name, session.state, str(len(session.chats))]
            for session in sessions[: html.ROWS]
        ]
        left = len(sessions) - len(rows)
        columns = ["", "session", "state", "chats"]
        return html.div("sessions", html.table(columns, rows, left_out=left, what="session"))

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
        with self._ledger.runtime.lock:
            return self._session(self._ledger.begin_session(user_id or default_user(), name, default_config))

    def sessions(self, user_id: str | None = None) -> list[Session]:
        """Return a user's sessions that are not deleted, in the order of their creation."""
        return [self._session(view) for view in self._ledger.sessions(user_id or default_user())]

    def session(self, ref: str, user_id: str | None = None) -> Session:
        """Return a user's session; *ref* is its id, name or former name.

        Raises
        ------
        SessionNotFound
            If this user has no such session; another user's session is unknown in the same words.
        """
        found = self.find_session(ref, user_id)
        if found is None:
            near = nearest(ref, [session.name for session in self.sessions(user_id)])
            raise SessionNotFound(f"no session {ref[:100]!r}{near}", hint="session.list")
        return found

    def find_session(self, ref: str, user_id: str | None = None) -> Session | None:
        """Return the session that *ref* means to this user, or None."""
        view = self._ledger.find(user_id or default_user(), ref)
        return self._session(view) if view else None

    def active_session(self, user_id: str | None = None) -> Session | None:
        """Return the user's active session: as chosen here, else as the entries say."""
        view = self._ledger.active(user_id or default_user())
        return self._session(view) if view else None

    def activate(self, session: Session) -> None:
        """Make a session its user's active one."""
        with self._ledger.runtime.lock:
            page = self._ledger.pages.get(session.user_id)
            if page and page.running:
                page.did(Enter(session=session.id))
            elif page:
                page.click(session.active_id, session.id)
            self._ledger.activate_silently(self._ledger.views[session.id])

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
        ledger, view = self._ledger, self._ledger.views[session.id]
        with ledger.runtime.lock:
            for chat in view.live_chats():
                ledger.runtime.check_idle(view, chat.id)
            ledger.delete(view)
        return session

    def purge_session(self, ref: str, user_id: str | None = None) -> None:
        """Remove for good all that is said in a session, and its name: from the record, store and notebook's metadata.

        Only that, as with `Chat.purge`.

        Parameters
        ----------
        ref
            Which one (see `session`); also one that was deleted, of several of that name the newest.
        user_id
            Whose it is.

        Raises
        ------
        SessionNotFound
            If there is no such session.
        ChatBusy
            If a turn runs in it.
        """
        ledger = self._ledger
        with ledger.runtime.lock:
            gone = ledger.deleted(user_id or default_user(), ref)
            is_live = self.find_session(ref, user_id) is not None or not gone
            ledger.purge_session(ledger.views[self.session(ref, user_id).id] if is_live else gone[-1])

    def bring_back(self, ref: str, user_id: str | None = None) -> Session | None:
        """Bring back the deleted session that *ref* names, of several the newest; None if there is none."""
        user, ledger = user_id or default_user(), self._ledger
        with ledger.runtime.lock:
            named = ledger.deleted(user, ref)
            if not named:
                return None
            view = named[-1]
            if view.state == "active":
                ledger.check_limit(user)
            active = ledger.active(user)
            if active:
                ledger.activate_silently(active)  # it stays so, whichever comes back
            view.overlay.put(None, "deleted", None)
            if active is None:
                ledger.activate(view)
            return self._session(view)

    def is_deleted(self, ref: str, user_id: str | None = None) -> bool:
        """Say whether *ref* names a deleted session, and no other."""
        user = user_id or default_user()
        return self._ledger.find(user, ref) is None and bool(self._ledger.deleted(user, ref))

    def default_config(self) -> Config:
        """Return the config of a first chat where nothing is configured."""
        return self._ledger.default_config()

    # -- snapshots

    def flush(self, user_id: str | None = None) -> None:
        """Write what waits (heads, active pointers, settings), where it differs from what is written."""
        self._ledger.flush(user_id or default_user())

    def snapshot(self, user_id: str | None = None) -> Snapshot:
        """Return the snapshot of a user's sessions, with what waits, as it stands in a notebook's metadata."""
        return self._ledger.snapshot(user_id or default_user())

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

        Raises
        ------
        SessionNotFound
            If one of them belongs to another user here.
        """
        return self._ledger.adopt(sessions, user_id or default_user())

    def to_records(self, user_id: str | None = None) -> list[dict[str, Any]]:
        """Return the turns of a user's sessions as `Session.to_records` does."""
        return [record for session in self.sessions(user_id) for record in session.to_records()]

    # -- the whole

    def subscribe(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        """Have *callback* called with every event; returns the function that ends it.

        A callback that raises is logged, and breaks nothing.
        """
        return self._ledger.runtime.subscribe(callback)

    def stats(self, user_id: str | None = None) -> Stats:
        """Count what a user's sessions hold."""
        views, runtime = self._ledger.sessions(user_id or default_user()), self._ledger.runtime
        chats = [(view, chat.id) for view in views for chat in view.live_chats()]
        return stats.count_chats(chats, sessions=len(views), made=runtime.made, replayed=runtime.shown)

    def shutdown(self, timeout: float = 5.0) -> None:
        """End the turns that run, keeping what has arrived, and let no new ones begin.

        Parameters
        ----------
        timeout
            Seconds to wait for them.
        """
        self._ledger.runtime.end_turns(timeout)
        with self._ledger.runtime.lock:
            for user in {view.user_id for view in self._ledger.views.values()}:
                self._ledger.flush(user)

    # -- inside

    def _session(self, view: SessionView) -> Session:
        return self._sessions.setdefault(view, Session(self, self._ledger, view))
