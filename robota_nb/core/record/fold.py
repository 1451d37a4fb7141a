"""State as a fold of entries: the same whatever order the entries come in.

Everything that can change is a register that keeps the value with the greatest stamp (n, id), so applying an
entry costs the same however long the history is, and a merge needs no second way of building state.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from robota_nb.core.record.config import Config
from robota_nb.core.record.entries import RESERVED_KEYS
from robota_nb.core.record.entry_table import EntryTable
from robota_nb.core.record.kinds import CONFIG, MESSAGE, added, is_message, kind_of, replaces
from robota_nb.core.record.nodes import Asked, Index, Node, Path, Register, Stamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from robota_nb.core.record.types import (
        AcceptEntry,
        ActiveEntry,
        ChatEntry,
        ConfigEntry,
        EffectsEntry,
        Entry,
        HeadEntry,
        MessageEntry,
        OutsideEntry,
        PurgedEntry,
        SessionEntry,
        SetEntry,
    )

MAX_PATHS = 64
"""How many paths a session keeps at hand: a few for each chat that is in use."""


@dataclass(slots=True)
class ChatState:
    """What the entries say of one chat."""

    id: str
    created: Stamp = Stamp(0, "")
    first_config: str | None = None  # of the creation
    last: Stamp = Stamp(0, "")  # the last message, or the creation
    config: Register[str] = field(default_factory=Register)  # of the last live turn, or of the creation
    head: Register[str] = field(default_factory=Register)
    head_context: tuple[str, ...] | None = None  # what stands before the head, where that is not its own path
    sets: dict[str, Register[str]] = field(default_factory=lambda: defaultdict(Register))
    names: list[tuple[Stamp, str]] = field(default_factory=list)
    children: Index[str | None] = field(default_factory=Index)  # its turns, by the message that they follow

    @property
    def name(self) -> str:
        """The name as given; another chat may have the same."""
        return max(self.names)[1] if self.names else self.id

    @property
    def deleted(self) -> bool:
        """Whether the chat was deleted (its messages stay)."""
        return self.sets["deleted"].value is not None if "deleted" in self.sets else False

    @property
    def base(self) -> str | None:
        """The message where a fork starts."""
        return self.sets["from"].value if "from" in self.sets else None


def _cell_keys(node: Node) -> Iterator[str]:
    """Yield by what a turn is found that a cell asked: the hash of the cell's source, and its id."""
    if node.cell:
        yield node.cell.source
        if node.cell.id:
            yield node.cell.id


class _Call(NamedTuple):
    """What a message stands for in an answer that took several: its question, and the message that called the tool."""

    question: str
    caller: str | None


def _added_to_turn(question: Entry) -> dict[str, Any]:
    """Return what format 1.1 has added to a question; a stub says nothing, whatever stands in it."""
    if not is_message(question):
        return {}
    found = {name: value for name in MESSAGE.added if (value := added(question, name)) is not None}
    if "context" in found:
        found["context"] = tuple(found["context"])
    return found


def _has_place(entry: Entry) -> bool:
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
        self.default_config = Register[str]()
        self.chats: dict[str, ChatState] = {}
        self.active = Register[str]()
        self.sets: dict[str, Register[str]] = defaultdict(Register)
        self.nodes: dict[str, Node] = {}
        self.effects: dict[str, EffectsEntry] = {}  # what cells did, by the ids of the entries
        self.accepted: dict[str, AcceptEntry] = {}
        self.outside: dict[str, OutsideEntry] = {}
        self._results: dict[str, _Call] = {}  # of the messages of tools
        self._steps: set[str] = set()  # the answers that another one followed, after a tool's message
        self._waiting: dict[str, list[str]] = defaultdict(list)  # message -> those that follow it, and came before it
        self._of_cell: Index[str] = Index()  # by source, and by id
        self._superseded: list[str] = []
        self._configs: dict[str, Config] = {}
        self._paths: dict[str | None, Path] = {}

    # -- building

    def apply(self, entries: Mapping[str, Entry]) -> dict[str, Entry]:
        """Take entries over, and return those that were new."""
        old = self.entries
        new = {eid: entry for eid, entry in entries.items() if eid not in old or replaces(entry, old[eid])}
        if old.keys() & new.keys():  # a purge
            self._start_over({**old.copy(), **new})
        else:
            old.add(new)
            self._take(new)
        return new

    def retract(self, ids: Iterable[str]) -> None:
        """Forget entries as if they had never been there."""
        gone = set(ids)
        self._start_over({eid: entry for eid, entry in self.entries.copy().items() if eid not in gone})

    def _start_over(self, entries: Mapping[str, Entry]) -> None:
        """Take over these entries alone: what others said can only be unsaid so."""
        whole = SessionState(self.id)
        whole.names_version = self.names_version + 1
        whole.entries.add(entries)
        whole._take(entries)
        self.__dict__.update(whole.__dict__)  # in one go: others read without the lock

    def _take(self, entries: Mapping[str, Entry]) -> None:
        for eid, entry in entries.items():
            stamp = Stamp(entry.get("n", 0), eid)
            self.n = max(self.n, stamp.n)
            if apply := kind_of(entry).apply:
                apply(self, stamp, entry)

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

    # -- what entries do (see `robota_nb.core.record.kinds.State`)

    def begin_session(self, stamp: Stamp, entry: SessionEntry) -> None:
        """Take over when the session began, its name and its default settings."""
        self.created = min(self.created, stamp) if self.created.n else stamp
        self.names.append((stamp, entry["name"]))
        self.default_config.put(stamp, entry.get("config"))
        self._point(self.active, stamp, None)

    def begin_chat(self, stamp: Stamp, entry: ChatEntry) -> None:
        """Take over when a chat began, its name, its settings, and where it starts."""
        chat = self._chat(entry["chat"])
        if not chat.created.n or stamp < chat.created:
            chat.created, chat.first_config = stamp, entry["config"]
        chat.names.append((stamp, entry["name"]))
        chat.config.put(stamp, entry["config"])
        chat.last = max(chat.last, stamp)
        self.names_version += 1
        self._point(self.active, stamp, chat.id)
        if base := entry.get("from"):
            chat.sets["from"].put(stamp, base)
            if chat.head.put(stamp, base):
                chat.head_context = None

    def set_property(self, stamp: Stamp, entry: SetEntry) -> None:
        """Take over a property of a chat or of the session."""
        key, value, cid = entry["key"], entry.get("value"), entry.get("chat")
        owner = self._chat(cid) if cid else self
        if key == "name":
            owner.names.append((stamp, value or ""))
            self.names_version += 1
        elif key == "deleted":
            self.names_version += 1
        owner.sets[key].put(stamp, value)

    def point_active(self, stamp: Stamp, entry: ActiveEntry) -> None:
        """Take over which chat is the active one."""
        self._point(self.active, stamp, entry.get("chat"))

    def point_head(self, stamp: Stamp, entry: HeadEntry) -> None:
        """Take over where a chat's path ends."""
        chat = self._chat(entry["chat"])
        if self._point(chat.head, stamp, entry.get("message")):
            context = added(entry, "context")
            chat.head_context = None if context is None else tuple(context)

    def add_stub(self, stamp: Stamp, entry: PurgedEntry) -> None:
        """Take over the place of a message that was purged."""
        if _has_place(entry):
            self.add_message(stamp, cast("MessageEntry", entry))  # one that says nothing

    def add_message(self, stamp: Stamp, entry: MessageEntry) -> None:
        """Take over a message, and the turn if it is whole now."""
        chat = self._chat(entry["chat"])
        if self._point(chat.head, stamp, stamp.id):
            chat.head_context = None
        chat.last = max(chat.last, stamp)
        if entry["role"] == "assistant" and "parent" in entry and (config := entry.get("config")):
            chat.config.put(stamp, config)
        self._add_to_turns(stamp.id)

    def _point(self, register: Register[str], stamp: Stamp, value: str | None) -> bool:
        before = register.stamp.id
        newer = register.put(stamp, value)
        loser = before if newer else stamp.id
        if loser in self.entries and self.entries.kind(loser).is_pointer:
            self._superseded.append(loser)
        return newer

    def add_effects(self, stamp: Stamp, entry: EffectsEntry) -> None:
        """Take over what a cell did."""
        self.effects[stamp.id] = entry

    def accept(self, stamp: Stamp, entry: AcceptEntry) -> None:
        """Take over that a turn stands for another request, too."""
        self.accepted[stamp.id] = entry

    def add_outside(self, stamp: Stamp, entry: OutsideEntry) -> None:
        """Take over what was done outside cells."""
        self.outside[stamp.id] = entry

    # -- turns

    def _add_to_turns(self, eid: str) -> None:
        """Find the turns that are whole with this message, and with those that follow it and were here before."""
        left = [eid]
        while left:
            eid = left.pop()
            role, parent = self.entries.role(eid), self.entries.parent(eid)
            if role != "user":
                call = self._call(eid) if parent else None
                if call is None:
                    if parent:
                        self._waiting[parent].append(eid)
                    continue
                if role == "tool":
                    self._results[eid] = call
                else:
                    self._add_turn(eid, call)
            left += self._waiting.pop(eid, ())

    def _call(self, eid: str) -> _Call | None:
        """Return what an answer, or the message of a tool, stands for; None if that is not known (yet).

        An answer follows its question; or what a tool returned, which follows the message that called the tool. That
        one is an answer, too, for as long as none follows the tool's.
        """
        parent = self.entries.parent(eid)
        if parent is None or parent not in self.entries:
            return None
        role = self.entries.role(parent)
        if role == "user":
            stands = not self.entries.kind(parent).is_stub or _has_place(self.entries[parent])
            return _Call(parent, None) if stands else None
        if role == "tool":
            return self._results.get(parent)
        if role == "assistant" and self.entries.role(eid) == "tool" and (above := self._call(parent)):
            return _Call(above.question, parent)
        return None

    def _add_turn(self, eid: str, call: _Call) -> None:
        if call.caller:
            self._steps.add(call.caller)
            self._drop_turn(call.caller)
        if eid in self._steps:
            return
        answer, user = self.entries[eid], self.entries[call.question]
        cell = user.get("cell")
        node = Node(
            id=eid,
            user=call.question,
            chat=answer["chat"],
            parent=user.get("parent"),
            stamp=Stamp(answer["n"], eid),
            config=answer.get("config", ""),
            finish_reason=answer.get("finish_reason", "unknown"),
            cell=Asked(cell[0] or None, cell[1], cell[2]) if cell else None,
            set=user.get("set", {}),
            options=user.get("options", {}),
            **_added_to_turn(user),
        )
        self.nodes[eid] = node
        self._chat(node.chat).children.add(node.parent, node)
        for key in _cell_keys(node):
            self._of_cell.add(key, node)

    def _drop_turn(self, eid: str) -> None:
        """Forget a turn whose answer turned out to be a step on the way to another one."""
        if node := self.nodes.pop(eid, None):
            self._chat(node.chat).children.remove(node.parent, node)
            for key in _cell_keys(node):
                self._of_cell.remove(key, node)
            self._paths.clear()

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
        active = self.active.value
        if active in self.chats and not self.chats[active].deleted:
            return active
        return max(((c.last, c.id) for c in self.live_chats()), default=(None, None))[1]

    def config(self, eid: str) -> Config:
        """Return the config entry *eid*, decoded once."""
        if eid not in self._configs:
            entry = self.entries.get(eid)
            if entry is None or kind_of(entry) is not CONFIG:
                return Config(provider="")  # purged: nobody may be asked by guess
            self._configs[eid] = Config.from_entry(cast("ConfigEntry", entry))
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

    def messages(self, head: str | None, context: Iterable[str] | None = None) -> list[str]:
        """Return message ids from the root to *head*; *context*: the turns before it, where they are not its own."""
        out = list[str]()
        while head is not None and head in self.entries:
            node = self.nodes.get(head)
            if node is None:
                out.append(head)
                head = self.entries.parent(head)
                continue
            out += self._said(node)
            before = node.context if context is None else context
            if before is not None:
                out += [
                    eid for turn in reversed([*before]) if turn in self.nodes for eid in self._said(self.nodes[turn])
                ]
                break
            head = node.parent
        return out[::-1]

    def _said(self, node: Node) -> list[str]:
        """Return the messages of a turn, the last one first."""
        said, here = [node.id], self.entries.parent(node.id)
        while here != node.user:  # with tools, there are some in between
            assert here is not None
            said.append(here)
            here = self.entries.parent(here)
        said.append(node.user)
        return said

    def path(self, head: str | None, context: Iterable[str] | None = None) -> Path:
        """Return the turns from the root to *head*; the last paths asked for are kept and grown.

        Parameters
        ----------
        head
            The message where the path ends.
        context
            The turns before it, where they are not its own.
        """
        if context is not None:
            ends = [self.nodes[head]] if head in self.nodes else []
            return Path([*(self.nodes[turn] for turn in context if turn in self.nodes), *ends])
        if head in self._paths:
            return self._paths[head]
        nodes, here, known, whole = list[Node](), head, None, True
        while here is not None and here in self.entries:
            known = self._paths.pop(here, None) if here != head else None
            if known:
                break
            node = self.nodes.get(here)
            if node:
                nodes.append(node)
            if node and node.context is not None:
                before = [self.nodes[turn] for turn in node.context if turn in self.nodes]
                nodes += reversed(before)
                here, whole = None, len(before) == len(node.context)
                break
            here = node.parent if node else self.entries.parent(here)
        path = Path([*(known.nodes if known else ()), *reversed(nodes)])
        if (here is not None and not known) or not whole:
            return path  # a message is still missing, so this may not be the whole
        while len(self._paths) >= MAX_PATHS:
            del self._paths[next(iter(self._paths))]
        self._paths[head] = path
        return path
