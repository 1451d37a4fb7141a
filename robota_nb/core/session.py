"""A session: an isolated workspace of one user, with its chats, exactly one of them active."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from robota_nb.core.chat import Chat, Hit
from robota_nb.core.record import entries as make
from robota_nb.core.record import html
from robota_nb.core.record.config import settings_from
from robota_nb.core.record.text import SHORT, count, seen
from robota_nb.core.rules import deletion, limits, stats
from robota_nb.core.rules.effects import Choose
from robota_nb.core.rules.search import search
from robota_nb.core.turn import Turn
from robota_nb.errors import ChatNotFound, DuplicateName, nearest

if TYPE_CHECKING:
    from robota_nb.core.ledger import Ledger
    from robota_nb.core.manager import SessionManager
    from robota_nb.core.record.view import SessionView
    from robota_nb.core.rules.stats import Stats


class Session:
    """A workspace; get one from `SessionManager.create_session` or `SessionManager.session`.

    Attributes
    ----------
    manager
        The manager it belongs to.
    id
        Its id, which never changes.
    user_id
        Its owner.
    """

    def __init__(self, manager: SessionManager, ledger: Ledger, view: SessionView) -> None:
        self.manager = manager
        self.id = view.id
        self.user_id = view.user_id
        self._ledger = ledger
        self._view = view
        self._chats: dict[str, Chat] = {}

    def __repr__(self) -> str:
        return f"<Session {self.name!r}: {count(len(self.chats), 'chat')}, {seen(self.state, SHORT)}>"

    def _repr_html_(self) -> str:
        """Show the chats, a row each."""
        chats, active = self.chats, self.active_id
        rows = [
            ["▸" if chat.id == active else "", chat.name, chat.config.target, str(len(self._view.path(chat.id)))]
            for chat in chats[: html.ROWS]
        ]
        head = f"{self.name} · {self.state}" + (f" · {self.description}" if self.description else "")
        left = len(chats) - len(rows)
        return html.div(
            "session", html.note(head), html.table(["", "chat", "model", "turns"], rows, left_out=left, what="chat")
        )

    # -- reading

    @property
    def name(self) -> str:
        """The session's name, unique among its user's."""
        return self._view.name

    @property
    def state(self) -> str:
        """``active``, ``paused``, ``archived`` or ``terminated``."""
        return self._view.state

    @property
    def description(self) -> str:
        """What the session is about, in the user's words."""
        return self._view.overlay.get(None, "description") or ""

    @property
    def deleted(self) -> bool:
        """Whether the session was deleted (its entries stay, and opening its name brings it back)."""
        return self._view.deleted

    @property
    def chats(self) -> list[Chat]:
        """The chats, in the order of their creation."""
        return [self._chat(state.id) for state in self._view.live_chats()]

    @property
    def active_chat(self) -> Chat | None:
        """The chat that asks go to which name none."""
        active = self.active_id
        return self._chat(active) if active else None

    @property
    def active_id(self) -> str | None:
        """The id of the active chat."""
        return self._view.active_id

    def chat(self, ref: str) -> Chat:
        """Return a chat; *ref* is its id, name or former name.

        Raises
        ------
        ChatNotFound
            If this session has no such chat; another session's chat is unknown in the same words.
        """
        found = self._view.find(ref)
        if found is None:
            near = nearest(ref, [self._view.chat_name(chat.id) for chat in self._view.live_chats()])
            raise ChatNotFound(f"no chat {ref[:100]!r} in {self.name!r}{near}", hint="chat.list")
        return self._chat(found)

    @property
    def stats(self) -> Stats:
        """What the session holds, counted now."""
        runtime = self._ledger.runtime
        chats = [(self._view, chat.id) for chat in self._view.live_chats()]
        return stats.count_chats(chats, sessions=1, made=runtime.made, replayed=runtime.shown)

    def search(self, text: str) -> list[Hit]:
        """Return the turns of all chats and branches whose question or answer holds a text, oldest first."""
        chats = [chat.id for chat in self._view.live_chats()]
        found = search(self._view.record, chats, text, self._view.path)
        return [
            Hit(chat=self._chat(one.chat), turn=Turn.from_record(self._view.record, one.node), number=one.number)
            for one in found
        ]

    def to_records(self) -> list[dict[str, Any]]:
        """Return the turns of all chats as `Chat.to_records` does, each row with the names of its session and chat."""
        return [
            {"session": self.name, "chat": chat.name, **record} for chat in self.chats for record in chat.to_records()
        ]

    # -- states

    def pause(self) -> None:
        """Let nobody ask here for now."""
        self._ledger.change_state(self._view, "pause")

    def resume(self) -> None:
        """Let a paused session go on."""
        self._ledger.change_state(self._view, "resume")

    def archive(self) -> None:
        """Put the session away; `restore` brings it back."""
        self._ledger.change_state(self._view, "archive")

    def restore(self) -> None:
        """Bring an archived session back."""
        self._ledger.change_state(self._view, "restore")

    def terminate(self) -> None:
        """End the session for good: it can be read, and never asked again."""
        self._ledger.change_state(self._view, "terminate")

    def describe(self, text: str) -> None:
        """Say what the session is about; an empty text says nothing."""
        text = make.clean(text).strip()
        make.check_message_size(text, "a description")
        with self._ledger.runtime.lock:
            self._view.overlay.put(None, "description", text or None)

    def rename(self, name: str) -> None:
        """Give the session another name; the former one still finds it.

        Raises
        ------
        DuplicateName, InvalidName
            If another session of its user has the name, or it is none.
        """
        name = make.check_name(name, "session")
        with self._ledger.runtime.lock:
            if self._view.record.name == name:
                return
            if self._ledger.names(self.user_id).holder(name) not in (None, self.id):
                raise DuplicateName(f"you have a session {name!r} already: choose another name")
            self._ledger.write(self._view, partial(make.set_entry, chat=None, key="name", value=name))

    # -- chats

    def create_chat(
        self,
        name: str | None = None,
        *,
        provider: str | None = None,
        model: str | None = None,
        system: str | None = None,
        **params: object,
    ) -> Chat:
        """Create a chat and make it the active one.

        It inherits the config of the chat that was active (else the session's default, else the manager's);
        what is given here goes over it.

        Parameters
        ----------
        name
            Unique in the session; ``Chat 1``, ``Chat 2``, … if not given.
        provider, model, system
            See `robota_nb.Config`.
        **params
            Request parameters, such as ``temperature=0.2``.

        Raises
        ------
        DuplicateName, InvalidName
            If the name is taken, or is none.
        ChatLimitReached
            If the session has as many chats as allowed.
        """
        given = settings_from({"provider": provider, "model": model, "system": system, **params})
        with self._ledger.runtime.lock:
            config = self._ledger.inherited_config(self._view).with_settings(given)
            return self.switch_to(self._ledger.begin_chat(self._view, name, config))

    def switch_to(self, ref: str) -> Chat:
        """Make the chat *ref* (see `chat`) the active one; the next new ask that names none goes there.

        Raises
        ------
        ChatNotFound
            If there is no such chat; nothing changes then.
        """
        chat = self.chat(ref)
        with self._ledger.runtime.lock:
            self._view.choose(chat.id)
            page = self._ledger.pages.get(self.user_id)
            if page and page.running:
                page.did(Choose(chat=chat.id))
            elif page:
                page.click(chat.id)
            self._ledger.tell_active(self._view)
        return chat

    def delete_chat(self, ref: str) -> Chat:
        """Delete the chat *ref*; what was said in it stays in the record, and `bring_back` finds it.

        If it was the active one, the chat used last of those that remain becomes active.

        Raises
        ------
        ChatNotFound
            If there is no such chat.
        ChatBusy
            If a turn runs in it.
        """
        chat = self.chat(ref)
        with self._ledger.runtime.lock:
            self._ledger.runtime.check_idle(self._view, chat.id)
            if deletion.delete_chat(self._view, chat.id):
                self._ledger.tell_active(self._view)
        return chat

    def bring_back(self, ref: str) -> str | None:
        """Bring back the deleted chat that *ref* names, of several the newest; return its id, or None.

        The active chat stays the active one; if there is none, what comes back is.

        Raises
        ------
        ChatLimitReached
            If the session has as many chats as allowed.
        """
        with self._ledger.runtime.lock:
            named = self._view.names().deleted(ref)
            if not named:
                return None
            limits.check_chats(self._view, self._ledger.runtime.limits.max_chats)
            if deletion.restore_chat(self._view, named[-1]):
                self._ledger.tell_active(self._view)
            return named[-1]

    def purge_chat(self, ref: str) -> None:
        """Remove for good all that is said in a chat, its name and its settings: from the record, store and notebook.

        Its branches, too. Only that, as with `Chat.purge`; and what a fork has of it is gone there as well.

        Parameters
        ----------
        ref
            Which one (see `chat`); also one that was deleted, of several of that name the newest.

        Raises
        ------
        ChatNotFound
            If there is no such chat.
        ChatBusy
            If a turn runs in it.
        """
        with self._ledger.runtime.lock:
            gone = self._view.names().deleted(ref)
            is_live = self._view.find(ref) is not None or not gone
            self._ledger.purge_chat(self._view, self.chat(ref).id if is_live else gone[-1])

    # -- inside

    def _chat(self, cid: str) -> Chat:
        return self._chats.setdefault(cid, Chat(self._ledger, self, cid))
