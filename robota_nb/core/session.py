"""A session: an isolated workspace of one user, with its chats, exactly one of them active.

The record (the fold of the entries) is what has been written; what only points (heads, the active chat,
settings not yet used) waits here and is written by `flush`, and only where it differs from the record. So a
kernel that only replays writes nothing.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from robota_nb.core import records, reprs
from robota_nb.core.chat import Chat
from robota_nb.core.events import Changed
from robota_nb.core.record import entries as make
from robota_nb.core.record.config import Config, settings_from
from robota_nb.core.record.fold import SessionState
from robota_nb.core.record.names import Names
from robota_nb.core.record.overlay import Overlay, differing
from robota_nb.core.rules import deletion as removal
from robota_nb.core.rules import history, limits, search, states, stats
from robota_nb.errors import ChatNotFound, DuplicateName, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from robota_nb.core.manager import SessionManager
    from robota_nb.core.ports import Entry
    from robota_nb.core.record.fold import ChatState
    from robota_nb.core.record.nodes import Node, Path
    from robota_nb.core.rules.search import Hit
    from robota_nb.core.rules.stats import Stats


class Session:
    """A workspace; get one from `SessionManager.create_session` or `SessionManager.session`.

    Parameters
    ----------
    manager
        The manager it belongs to.
    id
        Its id, which never changes.
    user_id
        Its owner.
    """

    def __init__(self, manager: SessionManager, id: str, user_id: str) -> None:  # noqa: A002
        self.manager = manager
        self.id = id
        self.user_id = user_id
        self.record = SessionState(id)
        self._chats: dict[str, Chat] = {}
        self._names = Names()
        self.overlay = Overlay(self.record, self._tell)
        self.state_changed = False  # in this process
        self._heads: dict[str, str | None] = {}
        self._bases: dict[str, str | None] = {}
        self._settings: dict[str, dict[str, str]] = {}  # since the chat's last turn
        self._active: str | None = None
        self.undone: dict[str, list[str]] = {}  # chat -> the turns that were undone here, the last one last

    __repr__ = reprs.session_line
    _repr_html_ = reprs.session_html
    to_records = records.of_session

    # -- reading

    @property
    def name(self) -> str:
        """The session's name, unique among its user's."""
        return self.manager.session_name(self)

    @property
    def state(self) -> str:
        """``active``, ``paused``, ``archived`` or ``terminated``."""
        return self.overlay.get(None, "state") or "active"

    @property
    def description(self) -> str:
        """What the session is about, in the user's words."""
        return self.overlay.get(None, "description") or ""

    @property
    def deleted(self) -> bool:
        """Whether the session was deleted (its entries stay, and opening its name brings it back)."""
        return self.overlay.get(None, "deleted") is not None

    @property
    def chats(self) -> list[Chat]:
        """The chats, in the order of their creation."""
        return [self._chat(state.id) for state in self.live_chats()]

    @property
    def active_chat(self) -> Chat | None:
        """The chat that asks go to which name none."""
        active = self.active_id
        return self._chat(active) if active else None

    @property
    def active_id(self) -> str | None:
        """The id of the active chat."""
        return self._active if self._active and self.has(self._active) else self.recorded_active()

    def recorded_active(self) -> str | None:
        """Return the id of the chat that is the active one by what is written, and by what has come and gone since."""
        recorded: str | None = self.record.active.value
        return recorded if recorded and self.has(recorded) else self.latest_chat()

    def latest_chat(self) -> str | None:
        """Return the id of the chat that was used last, or None if there is none."""
        return max(((chat.last, chat.id) for chat in self.live_chats()), default=(None, None))[1]

    def chat(self, ref: str) -> Chat:
        """Return a chat; *ref* is its id, name or former name.

        Raises
        ------
        ChatNotFound
            If this session has no such chat; another session's chat is unknown in the same words.
        """
        found = self.find(ref)
        if found is None:
            near = nearest(ref, [self.chat_name(chat.id) for chat in self.live_chats()])
            raise ChatNotFound(f"no chat {ref[:100]!r} in {self.name!r}{near}", hint="chat.list")
        return self._chat(found)

    def find(self, ref: str) -> str | None:
        """Return the id of the chat that *ref* means, or None."""
        return ref if self.has(ref) else self.names().find(ref)

    def has(self, chat: str) -> bool:
        """Say whether a chat of that id is here and not deleted."""
        return chat in self.record.chats and self.overlay.get(chat, "deleted") is None

    def live_chats(self) -> list[ChatState]:
        """Return what the record holds of the chats that are not deleted, in the order of their creation."""
        return [chat for chat in self.record.chats_by_age() if self.has(chat.id)]

    def names(self) -> Names:
        """Return the names of the chats, put together anew when they may have changed."""
        version = self.record.names_version + self.overlay.version  # which only grow
        if self._names.version != version:
            self._names = Names({c.id: c.names for c in self.live_chats()}, version, removal.deleted(self))
        return self._names

    def chat_name(self, chat: str) -> str:
        """Return the chat's name; the later of two that came to have the same shows as ``name (2)``."""
        return self.names().shown.get(chat, self.record.chats[chat].name)

    def config(self, chat: str) -> Config:
        """Return what the chat's next ask is made with."""
        return self.record.chat_config(chat).with_settings(self._settings.get(chat, {}))

    def config_after(self, chat: str, stands: Node | None, since: Mapping[str, str | None] | None = None) -> Config:
        """Return what a turn is asked with: as the turn whose place it takes, and what was set *since*, and here."""
        base = self.record.config(stands.config) if stands and stands.config else self.record.chat_config(chat)
        return base.with_settings({**(since or {}), **self._settings.get(chat, {})})

    def head(self, chat: str) -> str | None:
        """Return the id of the message where the chat's path ends."""
        head: str | None = self._heads.get(chat, self.record.chats[chat].head.value)
        return head

    def base(self, chat: str) -> str | None:
        """Return the id of the message where the chat starts, if it is a fork."""
        return self._bases.get(chat, self.record.chats[chat].base)

    def path(self, chat: str) -> Path:
        """Return the turns on the chat's path."""
        with self.manager.lock:
            return self.record.path(self.head(chat))

    check_active = states.check_active

    @property
    def stats(self) -> Stats:
        """What the session holds, counted now."""
        return stats.count(self.chats)

    def search(self, text: str) -> list[Hit]:
        """Return the turns of all chats and branches whose question or answer holds a text, oldest first."""
        return search.search(self.chats, text)

    # -- states

    def pause(self) -> None:
        """Let nobody ask here for now."""
        states.change(self, "pause")

    def resume(self) -> None:
        """Let a paused session go on."""
        states.change(self, "resume")

    def archive(self) -> None:
        """Put the session away; `restore` brings it back."""
        states.change(self, "archive")

    def restore(self) -> None:
        """Bring an archived session back."""
        states.change(self, "restore")

    def terminate(self) -> None:
        """End the session for good: it can be read, and never asked again."""
        states.change(self, "terminate")

    def describe(self, text: str) -> None:
        """Say what the session is about; an empty text says nothing."""
        text = make.clean(text).strip()
        make.check_message_size(text, "a description")
        with self.manager.lock:
            self.overlay.put(None, "description", text or None)

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
            See `robota_nb.core.record.config.Config`.
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
        with self.manager.lock:
            chat = self.begin_chat(name, self.inherited_config().with_settings(given))
            self.switch_to(chat.id)
        return chat

    def inherited_config(self) -> Config:
        """Return the config that a new chat starts with."""
        if self.active_id:
            return self.config(self.active_id)
        default = self.record.default_config.value
        return self.record.config(default) if default else self.manager.default_config()

    def switch_to(self, ref: str) -> Chat:
        """Make the chat *ref* (see `chat`) the active one; the next ask that names none goes there.

        Raises
        ------
        ChatNotFound
            If there is no such chat; nothing changes then.
        """
        chat = self.chat(ref)
        with self.manager.lock:
            self._active = chat.id
            self.manager.replay.click(self.id, chat.id)
            self.manager.tell_active(self)
        return chat

    delete_chat = removal.delete_chat
    bring_back = removal.bring_back
    is_deleted = removal.is_deleted

    def point_to(self, chat: str | None) -> None:
        """Make a chat the active one without anybody having chosen it."""
        before, self._active = self.active_id, chat
        if self.active_id != before:
            self._tell(chat)

    def rename(self, name: str) -> None:
        """Give the session another name; the former one still finds it."""
        self.manager.rename_session(self, name)

    def rename_chat(self, chat: str, name: str) -> None:
        """Give a chat another name (see `Chat.rename`)."""
        name = make.check_name(name, "chat")
        with self.manager.lock:
            if self.record.chats[chat].name == name:
                return
            self._check_free(name, chat)
            self._commit(partial(make.set_entry, chat=chat, key="name", value=name))

    def configure(self, chat: str, settings: Mapping[str, str], *, lasting: bool) -> None:
        """Set a chat's settings for what is asked from now on.

        Parameters
        ----------
        chat
            The chat's id.
        settings
            As `robota_nb.core.record.config.settings_from` returns them; "" unsets one.
        lasting
            Whether it was the user's own doing, to be kept as such; what a cell sets is kept with the next
            turn, or by `flush` if it still differs then.
        """
        with self.manager.lock:
            if lasting:
                self.manager.replay.clicked_settings.add(chat)
                for build in list(differing(self.record, chat, settings)):
                    self._commit(build)
            self._settings.setdefault(chat, {}).update(settings)
        self._tell(chat)

    # -- history

    fork = history.fork

    def move_head(self, chat: str, message: str | None) -> None:
        """End the chat's path at this message."""
        self._heads[chat] = message
        self._tell(chat)

    def move_base(self, chat: str, message: str | None) -> None:
        """Have a fork start at this message, and its path end there."""
        self._bases[chat] = self._heads[chat] = message
        self._tell(chat)

    # -- writing

    def waiting(self) -> Iterator[make.Builder]:
        """Yield what makes the entries of heads and settings that differ from the record."""
        yield from self.overlay.waiting()
        for chat, base in self._bases.items():
            if base != self.record.chats[chat].base:
                yield partial(make.set_entry, chat=chat, key="from", value=base)
        for chat, head in self._heads.items():
            if head != self.record.chats[chat].head.value:
                yield partial(make.head_entry, chat=chat, message=head)
        for chat, settings in self._settings.items():
            yield from differing(self.record, chat, settings)

    def written(self) -> None:
        """Forget heads and flags that waited: the record holds them now."""
        self.overlay.written()
        self._bases.clear()
        self._heads.clear()

    def turn_recorded(self, chat: str) -> None:
        """Forget what waited for a chat: its new turn holds it."""
        self._heads.pop(chat, None)
        self._settings.pop(chat, None)

    def turn_replayed(self, chat: str) -> None:
        """Forget settings that a recorded turn was asked with already."""
        self._settings.pop(chat, None)

    def config_entry(self, config: Config) -> tuple[str, dict[str, Entry]]:
        """Return the id of a config's entry, and the entry if it is new here."""
        entry = config.to_entry()
        eid = make.entry_id(entry)
        return eid, {} if eid in self.record.entries else {eid: entry}

    # -- inside

    def _tell(self, chat: str | None) -> None:
        self.manager.emit(Changed(session=self.id, chat=chat))

    def _chat(self, cid: str) -> Chat:
        return self._chats.setdefault(cid, Chat(self, cid))

    def _check_free(self, name: str, but: str | None = None) -> None:
        if self.names().holder(name) not in (None, but):
            raise DuplicateName(f"{self.name!r} has a chat {name!r} already: switch to it, or choose another name")

    def begin_chat(self, name: str | None, config: Config, base: str | None = None) -> Chat:
        """Record a new chat, which starts at the message *base*; it is not made active."""
        limits.check_chats(self)
        names = self.names()
        name = names.free("Chat") if name is None else make.check_name(name, "chat")
        self._check_free(name)
        cid = make.new_id("c")
        config_id, new = self.config_entry(config)
        n, at = self.manager.next_n(), self.manager.now()
        entry = make.chat_entry(n=n, at=at, chat=cid, name=name, config=config_id, from_=base)
        self.manager.commit(self, {**new, make.entry_id(entry): entry})
        if self._names is names:  # else somebody has asked for them since
            names.add(cid, name, self.record.names_version + self.overlay.version)
        return self._chat(cid)

    def _commit(self, build: make.Builder) -> None:
        entry = build(n=self.manager.next_n(), at=self.manager.now())
        self.manager.commit(self, {make.entry_id(entry): entry})
