"""State as a fold of entries: the same whatever order the entries come in.

Everything that can change is a register that keeps the value with the greatest stamp (n, id), so applying an
entry costs the same however long the history is, and a merge needs no second way of building state.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from robota_nb.core.record.attachments import attachment_of
from robota_nb.core.record.config import Config
from robota_nb.core.record.entries import to_text
from robota_nb.core.record.entry_table import EntryTable
from robota_nb.core.record.kinds import ACTIVE, CONFIG, added, is_message, kind_of, replaces
from robota_nb.core.record.nodes import Asked, Node, Path, Register, Several, Stamp, Trails
from robota_nb.core.record.options import carried
from robota_nb.core.record.parameters import RESERVED_KEYS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from robota_nb.core.record.attachments import Attached
    from robota_nb.core.record.nodes import Trail
    from robota_nb.core.record.types import (
        AcceptEntry,
        ActiveEntry,
        Attachment,
        BeforeEntry,
        ChatEntry,
        ConfigEntry,
        EffectsEntry,
        Entry,
        HeadEntry,
        MessageEntry,
        OptionEntry,
        OutsideEntry,
        PurgedEntry,
        SessionEntry,
        SetEntry,
        SummaryEntry,
    )


_MAX_PATHS = 64
"""How many paths a session keeps at hand, each of which may hold a list of its turns."""


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
    children: Several[str | None, Node] = field(default_factory=Several)  # its turns, by the message that they follow

    @property
    def name(self) -> str:
        """The name as given; another chat may have the same."""
        return max(self.names)[1] if self.names else self.id

    @property
    def deleted(self) -> bool:
        """Whether the chat was deleted (its messages stay)."""
        return _is_deleted(self.sets)

    @property
    def base(self) -> str | None:
        """The message where a fork starts."""
        return self.sets["from"].value if "from" in self.sets else None


def _is_deleted(sets: Mapping[str, Register[str]]) -> bool:
    return "deleted" in sets and sets["deleted"].value is not None


class _Call(NamedTuple):
    """What a message stands for in an answer that took several: its question, and the message that called the tool."""

    question: str
    caller: str | None


_OF_TURNS = ("context", "after", "by", "hand", "imported")


def _added_to_turn(question: Entry) -> dict[str, Any]:
    """Return what format 1.1 has added to a question; a stub says nothing, whatever stands in it."""
    if not is_message(question):
        return {}
    found = {name: value for name in _OF_TURNS if (value := added(question, name)) is not None}
    if "hand" in found:
        found["hand"] = carried(question, "hand")
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
        self.fetch: Callable[[str], bytes | None] = lambda _: None  # files that are too large, by their SHA-256
        self.heard: dict[str, str] = {}  # what models thought before answers that were asked here; of no entry
        self.created = Stamp(0, "")
        self.names: list[tuple[Stamp, str]] = []
        self.default_config: Register[str] = Register()
        self.chats: dict[str, ChatState] = {}
        self.active: Register[str] = Register()
        self.sets: dict[str, Register[str]] = defaultdict(Register)
        self.nodes: dict[str, Node] = {}
        self.effects: dict[str, EffectsEntry] = {}  # what cells did, by the ids of the entries
        self.accepted: dict[str, AcceptEntry] = {}
        self._accepted: set[str] = set()  # the turns that they are of
        self.outside: dict[str, OutsideEntry] = {}
        self.forked_from: dict[str, Register[str]] = defaultdict(Register)  # chat -> the one that a cell forked it from
        self.summaries: dict[str, SummaryEntry] = {}  # of the beginnings of chats, by the ids of the entries
        self.said_before: dict[str, str] = {}  # by a turn of whose context not all is here: a digest of what it says
        self._effects_of: dict[str, list[str]] = defaultdict(list)  # by the id of the cell
        self._results: dict[str, _Call] = {}  # of the messages of tools
        self._steps: set[str] = set()  # the answers that another one followed, after a tool's message
        self._waiting: dict[str, list[str]] = defaultdict(list)  # message -> those that follow it, and came before it
        self._of_cell: Several[str, Node] = Several()  # by the id of the cell
        self._superseded: list[str] = []
        self._configs: dict[str, Config] = {}
        self._forget_trails()

    # -- building

    @classmethod
    def of(cls, id: str, entries: Mapping[str, Entry]) -> SessionState:  # noqa: A002
        """Return the state of a session that has these entries."""
        state = cls(id)
        state.apply(entries)
        return state

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
        whole.fetch, whole.heard = self.fetch, self.heard
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

    def set_property(self, stamp: Stamp, entry: SetEntry | OptionEntry) -> None:
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
        if stamp.id in self._missed:
            self._forget_trails()
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
        self._effects_of[entry["cell"][0]].append(stamp.id)
        for op in entry["ops"]:
            if op.get("do") == "fork" and isinstance(source := op.get("from"), str) and "chat" in op:
                self.forked_from[op["chat"]].put(stamp, source)

    def accept(self, stamp: Stamp, entry: AcceptEntry) -> None:
        """Take over that a turn stands for another request, too."""
        self.accepted[stamp.id] = entry
        self._accepted.add(entry["turn"])

    def is_outside(self, node: Node) -> bool:
        """Say whether a turn was sent outside cells, and no cell was made of it, which is what accepting one says."""
        return node.is_outside and node.id not in self._accepted

    def add_outside(self, stamp: Stamp, entry: OutsideEntry) -> None:
        """Take over what was done outside cells."""
        self.outside[stamp.id] = entry

    def add_summary(self, stamp: Stamp, entry: SummaryEntry) -> None:
        """Take over what a model made of the beginning of a chat."""
        self.summaries[stamp.id] = entry

    def add_before(self, entry: BeforeEntry) -> None:
        """Take over what was said before a turn, of which not all is here."""
        self.said_before[entry["turn"]] = entry["says"]

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
            set=carried(user, "set"),
            options=carried(user, "options"),
            **_added_to_turn(user),
        )
        self.nodes[eid] = node
        if eid in self._missed:
            self._forget_trails()
        self._chat(node.chat).children.add(node.parent, node)
        if node.cell and node.cell.id:
            self._of_cell.add(node.cell.id, node)

    def _drop_turn(self, eid: str) -> None:
        """Forget a turn whose answer turned out to be a step on the way to another one."""
        if node := self.nodes.pop(eid, None):
            self._chat(node.chat).children.remove(node.parent, node)
            if node.cell and node.cell.id:
                self._of_cell.remove(node.cell.id, node)
            self._forget_trails()

    # -- reading

    @property
    def name(self) -> str:
        """The session's name as given."""
        return max(self.names)[1] if self.names else self.id

    @property
    def deleted(self) -> bool:
        """Whether the session was deleted (its entries stay)."""
        return _is_deleted(self.sets)

    @property
    def is_purged(self) -> bool:
        """Whether all of the session was purged: nothing says what it was called, and it is deleted."""
        return not self.names and self.deleted

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

    def is_clicked(self) -> bool:
        """Say whether the active chat was clicked, and not used since."""
        entry = self.entries.get(self.active.stamp.id)
        return entry is not None and kind_of(entry) is ACTIVE and added(entry, "by") == "hand"

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

    def attached(self, eid: str) -> tuple[Attached, ...]:
        """Return a message's pictures and files."""
        return self.entries.attached(eid)

    def attachments(self, eid: str) -> tuple[Attachment, ...]:
        """Return what they hold, but for those that were purged."""
        return self.to_read(eid)()

    def to_read(self, eid: str) -> Callable[[], tuple[Attachment, ...]]:
        """Return what reads them, when it is called, as they are recorded now."""
        found = [(self.entries[one.id], one) for one in self.attached(eid)]
        return lambda: tuple(one for entry, at in found if (one := attachment_of(entry, at, self.fetch)))

    def reasoning(self, eid: str) -> str:
        """Return what the model thought before an answer, as it was heard here or is recorded; empty if purged."""
        entry = self.entries[eid]
        return self.heard.get(eid) or to_text(added(entry, "reasoning") or ()) if is_message(entry) else ""

    def has_pictures(self, answer: str) -> bool:
        """Say whether an answer may have pictures of its own."""
        return self.entries.has(answer, "pictures")

    def children(self, cid: str, place: str | None) -> list[Node]:
        """Return the chat's turns that hang from a message."""
        return self.chats[cid].children.get(place) if cid in self.chats else []

    def turns_of(self, cid: str) -> list[Node]:
        """Return all turns of a chat, on whatever branch."""
        return list(self.chats[cid].children) if cid in self.chats else []

    def of_cell(self, cell: str) -> list[Node]:
        """Return all turns that a cell of that id has asked."""
        return self._of_cell.get(cell)

    def chat_path(self, cid: str) -> Path:
        """Return the turns on a chat's path, as its head says."""
        chat = self.chats.get(cid)
        return self.path(chat.head.value, chat.head_context) if chat else Path.of(())

    def forget_effects(self, ids: Iterable[str]) -> None:
        """Forget what cells did before they ran again."""
        for eid in ids:
            entry = self.effects.pop(eid)
            self._effects_of[entry["cell"][0]].remove(eid)
            self.entries.drop([eid])

    def effects_of(self, cell: str) -> list[str]:
        """Return the ids of the entries that say what a cell did when it ran last."""
        return list(self._effects_of.get(cell, ()))

    def said(self, node: Node) -> list[str]:
        """Return the messages of a turn: question and answer, and with tools, what came in between."""
        said, here = [node.id], self.entries.parent(node.id)
        while here != node.user:  # with tools, there are some in between
            assert here is not None
            said.append(here)
            here = self.entries.parent(here)
        said.append(node.user)
        return said[::-1]

    def path(self, head: str | None, context: Iterable[str] | None = None) -> Path:
        """Return the turns from the root to *head*.

        Parameters
        ----------
        head
            The message where the path ends.
        context
            The turns before it, where they are not its own.
        """
        trail = self.trail(head) if context is None else self._trails.of(self._known(context))
        if context is not None and head in self.nodes:
            trail = trail.and_then(self.nodes[head])
        if trail not in self._paths:
            while len(self._paths) >= _MAX_PATHS:
                del self._paths[next(iter(self._paths))]
            self._paths[trail] = Path(trail)
        return self._paths[trail]

    def trail(self, head: str | None) -> Trail:
        """Return the turns from the root to *head* as a chain, of which each message that it passes keeps its part."""
        passed, here, begin = list[str](), head, self._trails.start
        while here is not None:
            if here in self._trail_to:
                begin = self._trail_to[here]
                break
            if here not in self.entries:
                self._missed.add(here)
                break
            passed.append(here)
            node = self.nodes.get(here)
            if node and node.context is not None:
                begin = self._trails.of(self._known(node.context))
                break
            here = node.parent if node else self.entries.parent(here)
        for eid in reversed(passed):
            begin = begin.and_then(self.nodes[eid]) if eid in self.nodes else begin
            self._trail_to[eid] = begin
        return begin

    def _known(self, turns: Iterable[str]) -> Iterator[Node]:
        """Yield the turns that are here, and note which are not."""
        for turn in turns:
            if turn in self.nodes:
                yield self.nodes[turn]
            else:
                self._missed.add(turn)

    def _forget_trails(self) -> None:
        """Begin anew, because what leads to a message may be more than it was, or something else."""
        self._trails = Trails()
        self._trail_to: dict[str, Trail] = {}  # by the message where it ends
        self._missed: set[str] = set()  # what was looked for on the way, and is not here
        self._paths: dict[Trail, Path] = {}  # the last ones asked for
