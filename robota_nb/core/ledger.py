"""The sessions of all users as views, and the one way in which entries are added to them."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from robota_nb.core.events import Activated, Changed, EntriesAdded
from robota_nb.core.notebook_page import NotebookPage
from robota_nb.core.record import entries as make
from robota_nb.core.record import snapshot
from robota_nb.core.record.config import Config, chosen
from robota_nb.core.record.names import Names
from robota_nb.core.record.overlay import differing
from robota_nb.core.record.relations import purge_of_all, purge_of_chats
from robota_nb.core.record.view import SessionView
from robota_nb.core.rules import deletion, history, limits, states
from robota_nb.core.rules.effects import Set
from robota_nb.errors import DuplicateName, SessionNotFound

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from robota_nb.core.ports import Entries, Entry
    from robota_nb.core.record.nodes import Node
    from robota_nb.core.record.types import Snapshot
    from robota_nb.core.rules.states import Change, Here
    from robota_nb.core.runtime import Runtime


class Ledger:
    """Which sessions there are, which are active, and what is written of them.

    Parameters
    ----------
    runtime
        What goes on in the manager that the sessions belong to.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.views: dict[str, SessionView] = {}
        self.pages: dict[str, NotebookPage] = {}  # user -> the notebook whose cells run here
        self._active: dict[str, str] = {}  # user -> session
        self._begun: dict[str, dict[str, Entry]] = {}  # session -> entries that are recorded with the next ones
        self._n = 0
        self._changes = 0  # grows when any name of a session may have changed, or which sessions there are
        self._names: dict[str, Names] = {}  # user -> the names of the sessions

    # -- a user's sessions

    def owned(self, user: str) -> list[SessionView]:
        """Return a user's sessions, deleted ones too, in the order of their creation."""
        mine = (view for view in list(self.views.values()) if view.user_id == user)
        return sorted(mine, key=lambda view: (view.record.created, view.id))

    def sessions(self, user: str) -> list[SessionView]:
        """Return a user's sessions that are not deleted, in the order of their creation."""
        return [view for view in self.owned(user) if not view.deleted]

    def deleted(self, user: str, ref: str) -> list[SessionView]:
        """Return a user's deleted sessions that have the id or the name, in the order of their creation."""
        wanted = make.fold_name(ref.strip())
        gone = [view for view in self.owned(user) if view.deleted]
        return [view for view in gone if ref == view.id or make.fold_name(view.record.name) == wanted]

    def names(self, user: str) -> Names:
        """Return the names of a user's sessions."""
        version, known = self._changes, self._names.get(user)
        if known is None or known.version != version:
            known = self._names[user] = Names({view.id: view.record.names for view in self.sessions(user)}, version)
        return known

    def _changed(self, view: SessionView, chat: str | None) -> None:
        self._changes += 1
        self.runtime.tell_changed(view, chat)

    def check_limit(self, user: str) -> None:
        """Raise `SessionLimitReached` if a user has as many active sessions as allowed."""
        limits.check_sessions(self.sessions(user), user, self.runtime.limits.max_active_sessions)

    def find(self, user: str, ref: str) -> SessionView | None:
        """Return the session that *ref* (an id, a name or a former name) means to a user, or None."""
        view = self.views.get(ref) or self.views.get(self.names(user).find(ref) or "")
        return view if view and view.user_id == user and not view.deleted else None

    def _view(self, sid: str, user: str) -> SessionView:
        view = self.views.get(sid)
        if view is None:
            self._changes += 1
            view = self.views[sid] = SessionView(
                sid, user, self.runtime.lock, partial(self.names, user), self._changed,
                page=partial(self.pages.get, user),
            )  # fmt: skip
            view.record.fetch = self.runtime.fetch
        return view

    def page(self, user: str) -> NotebookPage:
        """Return the notebook of a user whose cells run here; from the first call on it says what chats remember."""
        with self.runtime.lock:
            if user not in self.pages:
                self.pages[user] = NotebookPage(self, user)
            return self.pages[user]

    def running(self, user: str) -> NotebookPage | None:
        """Return the notebook of a user, if this code is one of its cells'."""
        page = self.pages.get(user)
        return page if page and page.running else None

    # -- which one is active

    def active(self, user: str) -> SessionView | None:
        """Return a user's active session: as chosen here, else as the entries say."""
        chosen = self.views.get(self._active.get(user, ""))
        return chosen if chosen and not chosen.deleted else self.recorded_active(user)

    def recorded_active(self, user: str) -> SessionView | None:
        """Return the session that is a user's active one by what is written."""
        return max(self.sessions(user), key=lambda view: view.record.active.stamp, default=None)

    def activate(self, view: SessionView) -> None:
        """Make a session its user's active one, and tell the subscribers."""
        self._active[view.user_id] = view.id
        self.tell_active(view)

    def activate_silently(self, view: SessionView) -> None:
        """Make a session its user's active one without anybody having chosen it; tell only if it was not."""
        if self.active(view.user_id) is view:
            self._active[view.user_id] = view.id
        else:
            self.activate(view)

    def deactivate(self, view: SessionView) -> None:
        """Have the session of its user that was used last become active in the place of this deleted one."""
        self._active.pop(view.user_id, None)
        if active := self.recorded_active(view.user_id):
            self.activate(active)

    def tell_active(self, view: SessionView) -> None:
        """Tell the subscribers which session and chat are active now."""
        self.runtime.emit(Activated(session=view.id, chat=view.active_id))

    def hold_active(self, user: str) -> None:
        """Hold on to what is active, so that nothing that is adopted from now on changes it."""
        with self.runtime.lock:
            for view in self.sessions(user):
                self._hold(view)

    def _hold(self, view: SessionView) -> None:
        """Hold on to what is active: only a choice changes that, not what happens to be written last."""
        view.point_to(view.active_id)
        if active := self.active(view.user_id):
            self._active[view.user_id] = active.id

    # -- writing

    def next_n(self, reserved: int = 0) -> int:
        """Return the n of the next entry (with the lock held, right before `commit`); keep so many for the caller."""
        self._n += reserved
        return self._n + 1 - reserved

    def write(self, view: SessionView, build: make.Builder) -> None:
        """Make one entry and add it to a session (with the lock held)."""
        entry = build(n=self.next_n(), at=self.runtime.now())
        self.commit(view, {make.entry_id(entry): entry})

    def commit(
        self, view: SessionView, entries: Mapping[str, Entry], *, for_ask: bool = False, gone: Iterable[str] = ()
    ) -> None:
        """Add entries made here to a session, and tell the subscribers.

        Parameters
        ----------
        view, entries
            The session, and what is new.
        for_ask
            Not before `keep`, or the next commit.
        gone
            The ids of what cells did before they ran again.
        """
        with self.runtime.lock:
            self._hold(view)
            view.record.apply(entries)
            self._changes += 1
            self.runtime.made.update(entries)
            self._n = max(self._n, view.record.n)
            if page := self.pages.get(view.user_id):
                page.added(view, entries)
            entries = {**self._begun.pop(view.id, {}), **entries}
            if for_ask:
                self._begun[view.id] = entries
                return
            view.record.forget_effects(gone)
            removed = [*view.record.drop_superseded(), *gone]
            # Told in the order of the record, so with the lock held.
            self.runtime.emit(EntriesAdded(session=view.id, entries=entries, removed=removed))

    def replace_effects(self, view: SessionView, former: list[str], build: make.Builder | None) -> None:
        """Record what a cell did (None: nothing that is to be said), in the place of these former entries."""
        new = [build(n=self.next_n(), at=self.runtime.now())] if build else []
        if new or former:
            self.commit(view, {make.entry_id(entry): entry for entry in new}, gone=former)

    def purge(self, view: SessionView, node: Node) -> None:
        """Remove for good what a turn says; where it stands, and what was set by it, stays."""
        view.record.heard.pop(node.id, None)
        if page := self.pages.get(view.user_id):
            self.flush(view.user_id)  # the heads say which turns are remembered that say nothing else of themselves
            page.tell(view, node)
            self._commit_purge(view, node)
            return
        before = view.config(node.chat).settings()
        self._commit_purge(view, node)
        after = view.config(node.chat).settings()  # what only the turn held would be gone with it
        lost = {key: before.get(key, "") for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        self.configure(view, node.chat, lost)

    def _commit_purge(self, view: SessionView, node: Node) -> None:
        gone = history.purged(view, node)
        for eid in gone:
            self.runtime.unshelve(view.record.entries[eid])
        self.commit(view, gone)

    def purge_chat(self, view: SessionView, chat: str) -> None:
        """Remove for good all that is said in a chat and of it, deleted or not; what stays is a deleted one, unnamed.

        Raises
        ------
        ChatBusy
            If a turn runs in it.
        """
        self.runtime.check_idle(view, chat)
        if view.has(chat) and deletion.delete_chat(view, chat):
            self.tell_active(view)
        self._purge_whole(view, {chat})

    def purge_session(self, view: SessionView) -> None:
        """Remove for good all that is said in a session and of it, deleted or not; as `purge_chat`."""
        for chat in view.record.chats:
            self.runtime.check_idle(view, chat)
        self.delete(view)
        self._purge_whole(view, view.record.chats.keys(), with_session=True)

    def _purge_whole(self, view: SessionView, chats: Collection[str], *, with_session: bool = False) -> None:
        chats = frozenset(chats)
        self.flush(view.user_id)  # what waits is to be gone, too, and not to be written later
        if page := self.pages.get(view.user_id):
            page.forget(chats)
        for one in self.owned(view.user_id):
            entries = one.record.entries.copy()
            is_all = with_session and one is view
            gone = purge_of_all(entries) if is_all else purge_of_chats(entries, chats)
            for eid in gone.keys() & entries.keys():
                self.runtime.unshelve(entries[eid])
                one.record.heard.pop(eid, None)
            if one is view:
                told = None if is_all else next(iter(chats))
                entry = make.set_entry(
                    n=self.next_n(), at=self.runtime.now(), chat=told, key="deleted", value=deletion.DELETED
                )
                gone = {**gone, make.entry_id(entry): entry}
            if gone:
                self.commit(one, gone)
        for chat in chats:
            view.undone.pop(chat, None)

    def delete(self, view: SessionView) -> None:
        """Delete a session; if it was the active one, another one is."""
        was_active = self.active(view.user_id) is view
        view.overlay.put(None, "deleted", deletion.DELETED)
        if was_active:
            self.deactivate(view)

    # -- what an ask begins

    # A session or a chat that only an ask has begun is here at once, and recorded with the first that comes of it.

    @contextmanager
    def refusable(self) -> Iterator[None]:
        """Forget what was begun in this block (with the lock held), if it raises."""
        before = set(self._begun)
        try:
            yield
        except BaseException:
            for sid in self._begun.keys() - before:
                self._forget_begun(self.views[sid])
            raise

    @contextmanager
    def kept_if_answered(self, view: SessionView) -> Iterator[None]:
        """Forget what was begun for the ask that runs in this block, unless something came of it."""
        try:
            yield
        finally:
            self._forget_begun(view)

    def keep(self, view: SessionView) -> None:
        """Record what was begun for an ask: something has come of it."""
        with self.runtime.lock:
            if view.id in self._begun:
                self.commit(view, {})

    def _forget_begun(self, view: SessionView) -> None:
        with self.runtime.lock:
            begun = self._begun.pop(view.id, None)
            if begun is None:
                return
            self.runtime.made.difference_update(begun)
            view.retract(begun)
            self._changes += 1
            if not view.record.entries:  # the session was begun for it, too
                del self.views[view.id]
                self._active.pop(view.user_id, None)
            if page := self.pages.get(view.user_id):
                page.renew()
            self.runtime.tell_changed(view, None)

    # -- taking over, and what waits

    def adopt(self, sessions: Entries, user: str) -> dict[str, dict[str, Entry]]:
        """Take over (parsed) entries, and return what was new; sessions that are not here yet become *user*'s.

        Raises
        ------
        SessionNotFound
            If one of them belongs to another user here.
        """
        new = {}
        with self.runtime.lock:
            if any(sid in self.views and self.views[sid].user_id != user for sid in sessions):
                raise SessionNotFound("a session in this snapshot cannot be opened here: use a kernel of its own")
            page = self.pages.get(user)
            follows = page is not None and page.is_click_recorded()
            for sid, entries in sessions.items():
                view = self._view(sid, user)
                if added := view.record.apply(entries):
                    self._changes += 1
                    new[sid] = added
                self._n = max(self._n, view.record.n)
            if new and page:
                page.renew()
                if follows:
                    page.follow(entry for entries in new.values() for entry in entries.values())
        for sid in new:
            self.runtime.emit(Changed(session=sid))
        return new

    def start_over(self, user: str) -> None:
        """Forget a user's sessions, and what cells did in them: what is recorded was not known then."""
        with self.runtime.lock:
            for view in self.owned(user):
                self.runtime.made.difference_update(view.record.entries)
                self._begun.pop(view.id, None)
                del self.views[view.id]
            self._active.pop(user, None)
            self._changes += 1
            if page := self.pages.get(user):
                page.start_over()

    def flush(self, user: str) -> None:
        """Write what waits (heads, active pointers, settings), where it differs from what is written."""
        with self.runtime.lock:
            if page := self.pages.get(user):
                page.write_moved()
                page.point_active(at_end=True)
            waiting = list(self._waiting(user))
            for view, build in waiting:
                self.write(view, build)
            for view, _ in waiting:  # not before all is written: what is active depends on what is deleted
                view.written()

    def _waiting(self, user: str) -> Iterator[tuple[SessionView, make.Builder]]:
        """Yield what makes the entries that wait; the active session's come last, because the greatest n leads."""
        active, page = self.active(user), self.pages.get(user)
        leads = self.recorded_active(user) is active
        by_hand = page.by_hand if page else None
        left_in = page.left_in() if page else None
        if left_in:
            active = next(view for view in self.views.values() if view.has(left_in))
            leads = self.recorded_active(user) is active
        for view in sorted(self.owned(user), key=lambda view: view is active):
            yield from ((view, build) for build in view.waiting())
            yield from ((view, build) for build in page.heads(view)) if page else ()
            chat = left_in if left_in and view is active else view.active_id
            clicked = chat is not None and chat == by_hand
            if chat != view.recorded_active() or (
                view is active and (not leads or clicked != view.record.is_clicked())
            ):
                leads = False
                yield view, partial(make.active_entry, chat=chat, by_hand=clicked)

    def begin_session(
        self, user: str, name: str | None = None, config: Config | None = None, *, for_ask: bool = False
    ) -> SessionView:
        """Record a new session (*for_ask*: see `commit`), make it its user's active one, and return it.

        Raises
        ------
        DuplicateName, InvalidName
            If the name is taken, or is none.
        SessionLimitReached
            If the user has as many active sessions as allowed.
        """
        self.check_limit(user)
        names = self.names(user)
        name = make.check_name(name, "session") if name is not None else names.free("Session")
        if names.holder(name):
            raise DuplicateName(f"you have a session {name!r} already: open it, or choose another name")
        view = self._view(make.new_id("s"), user)
        config_id, new = view.config_entry(config) if config else (None, {})
        entry = make.session_entry(n=self.next_n(), at=self.runtime.now(), name=name, config=config_id)
        self.commit(view, {**new, make.entry_id(entry): entry}, for_ask=for_ask)
        self.activate(view)
        return view

    def begin_chat(
        self, view: SessionView, name: str | None, config: Config, base: str | None = None, *, for_ask: bool = False
    ) -> str:
        """Record a new chat (*for_ask*: see `commit`), which starts at the message *base*; it is not made active.

        Returns
        -------
        str
            Its id.

        Raises
        ------
        ChatLimitReached
            If the session has as many chats as allowed.
        DuplicateName, InvalidName
            If the name is taken, or is none.
        """
        limits.check_chats(view, self.runtime.limits.max_chats)
        names = view.names()
        name = names.free("Chat") if name is None else make.check_name(name, "chat")
        view.check_free(name)
        chat = make.new_id("c")
        config_id, new = view.config_entry(config)
        n, at = self.next_n(), self.runtime.now()
        entry = make.chat_entry(n=n, at=at, chat=chat, name=name, config=config_id, from_=base)
        self.commit(view, {**new, make.entry_id(entry): entry}, for_ask=for_ask)
        view.add_name(names, chat, name)
        return chat

    def configure(self, view: SessionView, chat: str, settings: Mapping[str, str]) -> None:
        """Set a chat's settings for what is asked from now on, in a cell from there on down; "" unsets one."""
        with self.runtime.lock:
            page = self.pages.get(view.user_id)
            if page and page.running:
                for key, value in settings.items():
                    page.did(Set(chat=chat, key=key, value=value))
            else:
                for build in list(page.set_by_hand(chat, settings) if page else differing(view.record, chat, settings)):
                    self.write(view, build)
            self.runtime.tell_changed(view, chat)

    def change_state(self, view: SessionView, by: Change, here: Here | None = None) -> None:
        """Change a session's state; *here*: the cell that says so. Raises as `states.after`, and as `check_limit`."""
        with self.runtime.lock:
            state = states.after(view, by, here)
            if state is None:
                return
            if state == "active" != view.state:
                self.check_limit(view.user_id)
            states.enter(view, state, here)

    def inherited_config(self, view: SessionView) -> Config:
        """Return the config that a new chat of a session starts with."""
        page = self.running(view.user_id)
        here = page.asking.command_chat()[0] if page else None
        if active := here if here and view.has(here) else view.active_id:
            return self.to_ask(view.config(active))
        default = view.record.default_config.value
        return view.record.config(default) if default else self.default_config()

    def default_config(self) -> Config:
        """Return the config of a first chat where nothing is configured."""
        provider, model = self.runtime.providers.default()
        return Config(provider=provider, model=model)

    def to_ask(self, config: Config) -> Config:
        """Return what a config asks now: where nobody has chosen a model, that is the default of this moment."""
        return self.default_config().with_settings(chosen(config.settings())) if config.is_fallback else config

    # -- what is written

    def records(self, user: str) -> dict[str, dict[str, Entry]]:
        """Return the written entries of a user's sessions, also of deleted ones."""
        found = {view.id: view.record.entries.copy() for view in self.owned(user)}
        for sid in found.keys() & self._begun.keys():
            written = {eid: entry for eid, entry in found.pop(sid).items() if eid not in self._begun[sid]}
            found |= {sid: written} if written else {}  # else it is only begun
        return found

    def sizes(self, user: str) -> dict[str, int]:
        """Return how many entries `records` has of each session."""
        return {view.id: len(view.record.entries) for view in self.owned(user)}

    def snapshot(self, user: str) -> Snapshot:
        """Return the snapshot of a user's sessions, with what waits, as it stands in a notebook's metadata."""
        with self.runtime.lock:
            sessions = self.records(user)
            for n, (view, build) in enumerate(self._waiting(user), self.next_n()):
                entry = build(n=n, at=self.runtime.now())
                if view.id in sessions:  # else it is only begun
                    sessions[view.id][make.entry_id(entry)] = entry
            return snapshot.dump(sessions)
