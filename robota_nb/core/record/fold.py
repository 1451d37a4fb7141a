"""State as a fold of entries: the same whatever order the entries come in.

Everything that can change is a register that keeps the value with the greatest stamp (n, id), so applying an
entry costs the same however long the history is, and a merge needs no second way of building state.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from robota_nb.core.record.config import Config
from robota_nb.core.record.entries import RESERVED_KEYS
from robota_nb.core.record.entry_table import EntryTable
from robota_nb.core.record.index import Index
from robota_nb.core.record.snapshot import beats

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from robota_nb.core.ports import Entry


class Stamp(NamedTuple):
    """When an entry counts: by n, ties broken by id."""

    n: int
    id: str


@dataclass(slots=True)
class Register:
    """A value and when it was set."""

    stamp: Stamp = Stamp(0, "")
    value: Any = None

    def put(self, stamp: Stamp, value: object) -> bool:
        """Take the value if it is newer; say whether it was."""
        if stamp <= self.stamp:
            return False
        self.stamp, self.value = stamp, value
        return True


class Asked(NamedTuple):
    """Which cell asked: its id (or None), the k-th ask of that execution, the hash of its source."""

    id: str | None
    k: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One turn in the tree, by the id of its answer."""

    id: str
    user: str
    chat: str
    parent: str | None
    stamp: Stamp
    config: str
    finish_reason: str
    cell: Asked | None
    set: Mapping[str, str]
    options: Mapping[str, str]


class Path:
    """The turns from a chat's root to its head, with the position of each."""

    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = nodes
        self.index = {node.id: at for at, node in enumerate(nodes)}

    @cached_property
    def ranks(self) -> dict[str, int]:
        """How many turns that remember the same source and ask come before each."""
        counts: Counter[tuple[str, int]] = Counter()
        found = {}
        for node in self.nodes:
            if node.cell:
                found[node.id] = counts[node.cell.source, node.cell.k]
                counts[node.cell.source, node.cell.k] += 1
        return found

    def __contains__(self, node: Node) -> bool:
        return node.id in self.index


MAX_PATHS = 64
"""How many paths a session keeps at hand: a few for each chat that is in use."""


@dataclass(slots=True)
class ChatState:
    """What the entries say of one chat."""

    id: str
    created: Stamp = Stamp(0, "")
    last: Stamp = Stamp(0, "")  # the last message, or the creation
    config: Register = field(default_factory=Register)  # of the last live turn, or of the creation
    head: Register = field(default_factory=Register)
    sets: dict[str, Register] = field(default_factory=lambda: defaultdict(Register))
    names: list[tuple[Stamp, str]] = field(default_factory=list)
    children: Index[str | None] = field(default_factory=Index)  # its turns, by what they hang from

    @property
    def name(self) -> str:
        """The name as given (a twin's suffix is the session's business)."""
        return max(self.names)[1] if self.names else self.id

    @property
    def deleted(self) -> bool:
        """Whether the chat was deleted (its messages stay)."""
        return self.sets["deleted"].value is not None if "deleted" in self.sets else False

    @property
    def base(self) -> str | None:
        """The message where a fork starts."""
        base: str | None = self.sets["from"].value if "from" in self.sets else None
        return base


def _has_place(entry: Mapping[str, Any]) -> bool:
    """Say whether an entry stands in a chat; a stub may have lost that."""
    return "n" in entry and "chat" in entry and "role" in entry


class SessionState:
    """The fold of one session's entries, with the indexes that asks need.

    Parameters
    ----------
    id
        The session's id.
    """

    def __init__(self, id: str) -> None:  # noqa: A002
        self.id = id
        self.entries = EntryTable()
        self.names_version = 0  # grows when any name of a chat may have changed
        self.n = 0
        self.created = Stamp(0, "")
        self.names: list[tuple[Stamp, str]] = []
        self.default_config = Register()
        self.chats: dict[str, ChatState] = {}
        self.active = Register()
        self.sets: dict[str, Register] = defaultdict(Register)
        self.nodes: dict[str, Node] = {}
        self._answers: dict[str, list[str]] = defaultdict(list)  # user message -> answers that came before it
        self._of_cell: Index[str] = Index()  # by source, and by id
        self._superseded: list[str] = []
        self._configs: dict[str, Config] = {}
        self._paths: dict[str | None, Path] = {}

    # -- building

    def apply(self, entries: Mapping[str, Entry]) -> dict[str, Entry]:
        """Take entries over, and return those that were new."""
        old = self.entries
        new = {eid: entry for eid, entry in entries.items() if eid not in old or beats(entry, old[eid])}
        if old.keys() & new.keys():  # a purge: what the entries said can only be unsaid by starting over
            whole, union = SessionState(self.id), {**old.copy(), **new}
            whole.names_version = self.names_version + 1
            whole.entries.add(union)
            whole._take(union)
            self.__dict__.update(whole.__dict__)  # in one go: others read without the lock
        else:
            old.add(new)
            self._take(new)
        return new

    def _take(self, entries: Mapping[str, Entry]) -> None:
        for eid, entry in entries.items():
            stamp = Stamp(entry.get("n", 0), eid)
            self.n = max(self.n, stamp.n)
            if handler := self._handlers.get(entry["kind"]):
                handler(self, stamp, entry)

    def drop_superseded(self) -> list[str]:
        """Forget the pointer entries that newer ones have replaced since the last call, and return their ids."""
        ids, self._superseded = self._superseded, []
        self.entries.drop(ids)  # they have no part in the state any more
        return ids

    def _chat(self, cid: str) -> ChatState:
        chat = self.chats.get(cid)
        if chat is None:
            chat = self.chats[cid] = ChatState(cid)
            self.names_version += 1
        return chat

    def _session(self, stamp: Stamp, entry: Entry) -> None:
        self.created = min(self.created, stamp) if self.created.n else stamp
        self.names.append((stamp, entry["name"]))
        self.default_config.put(stamp, entry.get("config"))
        self._point(self.active, stamp, None)

    def _chat_begins(self, stamp: Stamp, entry: Entry) -> None:
        chat = self._chat(entry["chat"])
        chat.created = min(chat.created, stamp) if chat.created.n else stamp
        chat.names.append((stamp, entry["name"]))
        chat.config.put(stamp, entry["config"])
        chat.last = max(chat.last, stamp)
        self.names_version += 1
        self._point(self.active, stamp, chat.id)
        if base := entry.get("from"):
            chat.sets["from"].put(stamp, base)
            chat.head.put(stamp, base)

    def _set(self, stamp: Stamp, entry: Entry) -> None:
        key, value, cid = entry["key"], entry.get("value"), entry.get("chat")
        owner = self._chat(cid) if cid else self
        if key == "name":
            owner.names.append((stamp, value or ""))
            self.names_version += 1
        elif key == "deleted":
            self.names_version += 1
        owner.sets[key].put(stamp, value)

    def _active(self, stamp: Stamp, entry: Entry) -> None:
        self._point(self.active, stamp, entry.get("chat"))

    def _head(self, stamp: Stamp, entry: Entry) -> None:
        self._point(self._chat(entry["chat"]).head, stamp, entry.get("message"))

    def _point(self, register: Register, stamp: Stamp, value: str | None) -> None:
        before = register.stamp.id
        newer = register.put(stamp, value)
        loser = before if newer else stamp.id
        if loser in self.entries and self.entries.kind(loser) in ("head", "active"):
            self._superseded.append(loser)

    def _purged(self, stamp: Stamp, entry: Entry) -> None:
        if _has_place(entry):  # it says nothing
            self._message(stamp, entry)

    def _end_path(self, stamp: Stamp, entry: Entry) -> ChatState:
        chat = self._chat(entry["chat"])
        self._point(chat.head, stamp, stamp.id)
        chat.last = max(chat.last, stamp)
        return chat

    def _message(self, stamp: Stamp, entry: Entry) -> None:
        chat = self._end_path(stamp, entry)
        if entry["role"] == "user":
            for answer in self._answers.pop(stamp.id, ()):
                self._add_node(answer)
        elif entry["role"] == "assistant" and (user := entry.get("parent")):
            if config := entry.get("config"):
                chat.config.put(stamp, config)
            if user in self.entries:
                self._add_node(stamp.id)
            else:
                self._answers[user].append(stamp.id)

    def _add_node(self, eid: str) -> None:
        answer = self.entries[eid]
        user = self.entries[answer["parent"]]
        if user.get("role") != "user" or not _has_place(user) or eid in self.nodes:
            return
        cell = user.get("cell")
        node = Node(
            id=eid,
            user=answer["parent"],
            chat=answer["chat"],
            parent=user.get("parent"),
            stamp=Stamp(answer["n"], eid),
            config=answer.get("config", ""),
            finish_reason=answer.get("finish_reason", "unknown"),
            cell=Asked(cell[0] or None, cell[1], cell[2]) if cell else None,
            set=user.get("set", {}),
            options=user.get("options", {}),
        )
        self.nodes[eid] = node
        self._chat(node.chat).children.add(node.parent, node)
        if node.cell:
            self._of_cell.add(node.cell.source, node)
            if node.cell.id:
                self._of_cell.add(node.cell.id, node)

    _handlers: ClassVar[dict[str, Callable[[SessionState, Stamp, Entry], None]]] = {
        "session": _session,
        "chat": _chat_begins,
        "set": _set,
        "active": _active,
        "head": _head,
        "message": _message,
        "purged": _purged,
    }

    # -- reading

    @property
    def name(self) -> str:
        """The session's name as given."""
        return max(self.names)[1] if self.names else self.id

    def live_chats(self) -> list[ChatState]:
        """Return the chats that are not deleted, in the order of their creation."""
        return [chat for chat in self.chats_by_age() if not chat.deleted]

    def chats_by_age(self) -> list[ChatState]:
        """Return all chats, deleted ones too, in the order of their creation."""
        return sorted(self.chats.values(), key=lambda chat: (chat.created, chat.id))

    def active_chat(self) -> str | None:
        """Return the id of the active chat: created or chosen last; if that was deleted, the one used last."""
        active: str | None = self.active.value
        if active in self.chats and not self.chats[active].deleted:
            return active
        return max(((c.last, c.id) for c in self.live_chats()), default=(None, None))[1]

    def config(self, eid: str) -> Config:
        """Return the config entry *eid*, decoded once."""
        if eid not in self._configs:
            entry = self.entries.get(eid)
            if entry is None or entry["kind"] != "config":
                return Config(provider="")  # purged: nobody may be asked by guess
            self._configs[eid] = Config.from_entry(entry)
        return self._configs[eid]

    def chat_config(self, cid: str) -> Config:
        """Return a chat's config: that of its last live turn (or its creation), and what was set since."""
        return self.config(self.chats[cid].config.value or "").with_settings(self.set_since(cid))

    def set_since(self, cid: str) -> dict[str, str | None]:
        """Return what was set of a chat since its last live turn (or its creation)."""
        chat = self.chats[cid]
        return {
            key: register.value
            for key, register in list(chat.sets.items())
            if register.stamp > chat.config.stamp and key not in RESERVED_KEYS
        }

    def node_config(self, node: Node) -> Config:
        """Return what a turn was asked with: its chat's config then, and the options of its cell."""
        return self.config(node.config).with_settings(node.options)

    def text(self, eid: str) -> str:
        """Return a message's text; empty for a purged one."""
        return self.entries.text(eid)

    def images(self, eid: str) -> tuple[str, ...]:
        """Return the ids of a message's pictures."""
        return self.entries.images(eid)

    def children(self, cid: str, place: str | None) -> list[Node]:
        """Return the chat's turns that hang from a message."""
        return self.chats[cid].children.get(place) if cid in self.chats else []

    def asked_by(self, cell: str | None, k: int, source: str) -> Iterator[Node]:
        """Yield the turns that remember this source or this cell id, at the k-th ask."""
        for node in self._of_cell.get(source):
            if node.cell and node.cell.source == source and node.cell.k == k:
                yield node
        for node in self._of_cell.get(cell) if cell else ():
            if node.cell and node.cell.id == cell and node.cell.k == k and node.cell.source != source:
                yield node

    def of_cell(self, cell: str | None, source: str) -> list[Node]:
        """Return all turns that remember this source or this cell id."""
        return [*self._of_cell.get(source), *(self._of_cell.get(cell) if cell else ())]

    def messages(self, head: str | None) -> list[str]:
        """Return message ids from the root to *head*."""
        out = []
        while head is not None and head in self.entries:
            out.append(head)
            head = self.entries.parent(head)
        return out[::-1]

    def path(self, head: str | None) -> Path:
        """Return the turns from the root to *head*; the last paths asked for are kept and grown."""
        if head in self._paths:
            return self._paths[head]
        nodes, here, known = [], head, None
        while here is not None and here in self.entries:
            known = self._paths.pop(here, None) if here != head else None
            if known:
                break
            node = self.nodes.get(here)
            if node:
                nodes.append(node)
            here = node.parent if node else self.entries.parent(here)
        path = Path([*(known.nodes if known else ()), *reversed(nodes)])
        if here is not None and not known:
            return path  # a message is still missing, so this may not be the whole
        while len(self._paths) >= MAX_PATHS:
            del self._paths[next(iter(self._paths))]
        self._paths[head] = path
        return path
