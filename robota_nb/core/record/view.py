"""A session as it stands: its record, and over it the changes that wait to be written.

The record (the fold of the entries) is what has been written. Pointers (the active chat, properties) wait here, and are
written only where they differ from the record: a kernel that only replays writes nothing.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol

from robota_nb.core.record import entries as make
from robota_nb.core.record.fold import SessionState
from robota_nb.core.record.names import Names
from robota_nb.core.record.overlay import Overlay
from robota_nb.errors import DuplicateName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    from robota_nb.core.record.config import Config
    from robota_nb.core.record.fold import ChatState
    from robota_nb.core.record.nodes import Asked, Path
    from robota_nb.core.record.types import Entry


class Remembers(Protocol):
    """What knows what chats remember: the page of a notebook, of which a chat's head is only where it ended last."""

    def path(self, chat: str) -> Path:
        """Return the turns that a chat remembers."""
        ...

    def config(self, chat: str) -> Config:
        """Return what a chat's next ask is made with."""
        ...


class SessionView:
    """One session: what is recorded of it, and what this process has pointed to since.

    Parameters
    ----------
    id
        The session's id.
    user_id
        Its owner.
    lock
        Held while a path is put together, which the record remembers.
    siblings
        Returns the names of the sessions of its owner.
    changed
        Called with the chat (None: the session) that changed without an entry.
    page
        Returns what knows better than the record what chats remember, if cells run here.
    """

    def __init__(
        self,
        id: str,  # noqa: A002 - the field's name
        user_id: str,
        lock: AbstractContextManager[object],
        siblings: Callable[[], Names],
        changed: Callable[[SessionView, str | None], None],
        *,
        page: Callable[[], Remembers | None] = lambda: None,
    ) -> None:
        self.id = id
        self.user_id = user_id
        self.record = SessionState(id)
        self.overlay = Overlay(self.record, partial(changed, self))
        self.state_changed = False  # in this process
        # chat -> the turns that were undone here, the last one last, and after which turn each of them stood
        self.undone: dict[str, list[tuple[str, str | None]]] = {}
        self._lock = lock
        self._siblings = siblings
        self._changed = changed
        self._page = page
        self._names = Names()
        self._active: str | None = None

    # -- the session

    @property
    def name(self) -> str:
        """The session's name; the later of two that came to have the same shows as ``name (2)``."""
        return self._siblings().shown.get(self.id, self.record.name)

    @property
    def state(self) -> str:
        """``active``, ``paused``, ``archived`` or ``terminated``."""
        return self.overlay.get(None, "state") or "active"

    @property
    def state_by(self) -> Asked | None:
        """The mark of the cell that has set the state; None if no cell has."""
        return self.overlay.by(None, "state")

    @property
    def deleted(self) -> bool:
        """Whether the session was deleted; its entries stay."""
        return self.overlay.get(None, "deleted") is not None

    # -- its chats

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

    def live_chats(self) -> list[ChatState]:
        """Return what the record holds of the chats that are not deleted, in the order of their creation."""
        return [chat for chat in self.record.chats_by_age() if self.has(chat.id)]

    def has(self, chat: str) -> bool:
        """Say whether a chat of that id is here and not deleted."""
        return chat in self.record.chats and self.overlay.get(chat, "deleted") is None

    def find(self, ref: str) -> str | None:
        """Return the id of the chat whose id, name or former name *ref* is, or None."""
        return ref if self.has(ref) else self.names().find(ref)

    def names(self) -> Names:
        """Return the names of the chats, put together anew when they may have changed."""
        version = self._names_version
        if self._names.version != version:
            deleted = {chat.id: chat.name for chat in self.record.chats_by_age() if not self.has(chat.id)}
            self._names = Names({c.id: c.names for c in self.live_chats()}, version, deleted)
        return self._names

    def add_name(self, names: Names, chat: str, name: str) -> None:
        """Take up the name of the newest chat, which was free among *names*: cheaper than to put all together anew."""
        if self._names is names:  # else somebody has asked for them since
            names.add(chat, name, self._names_version)

    @property
    def _names_version(self) -> int:
        return self.record.names_version + self.overlay.version  # which only grow

    def check_free(self, name: str, but: str | None = None) -> None:
        """Raise `DuplicateName` if a chat other than *but* has the name."""
        if self.names().holder(name) not in (None, but):
            raise DuplicateName(f"{self.name!r} has a chat {name!r} already: switch to it, or choose another name")

    def chat_name(self, chat: str) -> str:
        """Return the chat's name; the later of two that came to have the same shows as ``name (2)``."""
        shown, state = self.names().shown, self.record.chats.get(chat)
        return shown.get(chat, state.name if state else chat)

    # -- one chat

    def config(self, chat: str) -> Config:
        """Return what the chat's next ask is made with."""
        page = self._page()
        return page.config(chat) if page else self.record.chat_config(chat)

    def head(self, chat: str) -> str | None:
        """Return the id of the message where the chat's path ends."""
        if self._page():
            nodes = self.path(chat).nodes
            return nodes[-1].id if nodes else None
        head: str | None = self.record.chats[chat].head.value
        return head

    def base(self, chat: str) -> str | None:
        """Return the id of the message where the chat starts, if it is a fork."""
        return self.record.chats[chat].base

    def path(self, chat: str) -> Path:
        """Return the turns that the chat remembers: as the page has them, and without one, as the chat's head says."""
        with self._lock:
            page = self._page()
            return page.path(chat) if page else self.record.chat_path(chat)

    def retract(self, entries: Iterable[str]) -> None:
        """Forget entries, by their ids, of which nobody was told."""
        self.record.retract(entries)
        for chat in self.undone.keys() - self.record.chats.keys():
            del self.undone[chat]

    # -- pointing

    def choose(self, chat: str) -> None:
        """Make a chat the active one."""
        self._active = chat

    def point_to(self, chat: str | None) -> None:
        """Make a chat the active one without anybody having chosen it."""
        before, self._active = self.active_id, chat
        if self.active_id != before:
            self._changed(self, chat)

    # -- writing

    def waiting(self) -> Iterator[make.Builder]:
        """Yield what makes the entries of whatever differs from the record."""
        yield from self.overlay.waiting()

    def written(self) -> None:
        """Forget properties that waited: the record holds them now."""
        self.overlay.written()

    def config_entry(self, config: Config) -> tuple[str, dict[str, Entry]]:
        """Return the id of a config's entry, and the entry if it is new here."""
        entry, entries = config.to_entry(), self.record.entries
        while (eid := make.entry_id(entry)) in entries and entries.kind(eid).is_stub:
            entry["again"] = entry.get("again", 0) + 1  # what was purged stays so, and these settings are used anew
        return eid, {} if eid in entries else {eid: entry}
