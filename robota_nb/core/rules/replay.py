"""Which answer does an ask get? DESIGN §3: which chat, which place, and is it recorded there.

A `Replay` is what one kernel knows of its own life: the document's cells, the turns it has shown, and what
cells and clicks have set. It decides; it changes nothing but that knowledge.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from robota_nb.core.record.entries import UNFINISHED, clean, fold_name
from robota_nb.core.rules.ask import Ask, Decision
from robota_nb.core.rules.document import Cell, Document
from robota_nb.errors import ReplayMiss

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from robota_nb.core.record.config import Config
    from robota_nb.core.record.nodes import Node
    from robota_nb.core.record.view import SessionView
    from robota_nb.core.rules.modes import Mode, Rerun

CHOICES = ("session", "chat")
"""The keys of ``set`` that say which conversation was chosen; every other key is a chat's setting."""


@dataclass(slots=True)
class Replay:
    """What this kernel knows of its life, and the rules by which recorded answers are found again."""

    document: Document = field(default_factory=Document)
    mode: Mode = "auto"
    rerun: Rerun = "replace"
    shown: dict[str, tuple[str, int] | None] = field(default_factory=dict)  # turn -> key of the cell, and k
    clicked: tuple[str, str | None] | None = None  # session, chat
    clicked_settings: set[str] = field(default_factory=set)  # chats
    under_way: bool = False  # whether the active chat is this kernel's doing, not what the last one ended with
    _context: tuple[SessionView, str] | None = None
    _sets: dict[tuple[str, str, str], tuple[Cell, str]] = field(default_factory=dict)

    # -- what happens here

    def cell_chose(self, cell: Cell, key: Literal["session", "chat"], name: str) -> None:
        """A cell chose a session or a chat by a command."""
        self.clicked, self.under_way = None, True
        self._set(cell, "", key, name)

    def cell_set(self, cell: Cell, chat: str, settings: Mapping[str, str]) -> None:
        """A cell set something of a chat."""
        for key, value in settings.items():
            self._set(cell, chat, key, value)

    def click(self, session: str, chat: str | None) -> None:
        """The user chose a chat outside of cells."""
        self.clicked, self.under_way = (session, chat), True

    def forget_click(self, session: SessionView) -> None:
        """Forget that the user chose a chat of this session, if it is gone."""
        if self.clicked and self.clicked[0] == session.id and not session.has(self.clicked[1] or ""):
            self.clicked = None

    def show(self, ask: Ask, decision: Decision, turn: str, *, named: bool) -> None:
        """Note that the ask has been answered by this turn; *named*: the ask said itself where it goes."""
        self.under_way = self.under_way or not named
        self.shown[turn] = ask.cell.key, ask.k
        self.clicked = None
        self.clicked_settings.discard(decision.chat)

    def _set(self, cell: Cell, chat: str, key: str, value: str) -> None:
        where = (cell.key, chat, key)
        self._sets.pop(where, None)  # what was set last stands last
        self._sets[where] = (cell, clean(value))

    # -- what is known

    @property
    def in_cells(self) -> set[str]:
        """The turns that cells have shown here, asked or replayed."""
        return {turn for turn, cell in self.shown.items() if cell}

    def settings(self, cell: Cell, chat: str = "") -> dict[str, str]:
        """Return what this cell and those above it have set here: choices, and settings of *chat*."""
        position, out = self.document.position(cell), dict[str, str]()
        for (_, where, key), (by, value) in self._sets.items():
            at = self.document.position(by)
            if where in ("", chat) and (position is None or at is None or at <= position):
                out[key] = value
                if key == "session":
                    out.pop("chat", None)  # another session, another active chat
        return out

    def owner(self, session: SessionView, node: Node) -> Cell | None:
        """Return the cell that owns a turn (see `Document.owner`)."""

        def rank() -> int:
            path = session.path(node.chat)
            path = path if node in path else session.record.path(node.id)  # the order when it was asked
            return path.ranks.get(node.id, 0)

        return self.document.owner(node, rank)

    def _owned(self, session: SessionView, ask: Ask, nodes: Iterable[Node]) -> Node | None:
        """Return the turn among *nodes* that this (cell, k) owns and that no other ask has shown."""
        cell = ask.cell
        me = cell.key, ask.k
        mine = [
            node
            for node in sorted(nodes, key=lambda node: node.stamp)
            if node.cell is not None
            and node.cell.k == ask.k
            and self.shown.get(node.id, me) == me
            and self.owner(session, node) is cell
        ]

        def rank(node: Node) -> tuple[bool, bool, bool, int]:
            source, by_id = node.cell and node.cell.source, node.cell and node.cell.id
            return (
                source == cell.source,
                node.id not in self.shown,
                by_id == cell.id,
                node.stamp.n if by_id else 0,
            )

        return max(mine, key=rank, default=None)

    def _asked_by(self, session: SessionView, ask: Ask) -> list[Node]:
        return list(session.record.asked_by(ask.cell.id, ask.k, ask.cell.source))

    # -- step 1: which chat

    def which_chat(
        self, ask: Ask, sessions: Iterable[SessionView], active: SessionView
    ) -> tuple[SessionView, str | None]:
        """Return the session and the chat an ask goes to that names neither."""
        sessions = list(sessions)
        clicked = self.clicked and next((s for s in sessions if s.id == self.clicked[0]), None)
        if self.clicked and clicked:
            return clicked, self.clicked[1] or clicked.active_id
        if own := self._own(ask, sessions):
            session, turn = own
            now = self.settings(ask.cell)
            if all(key not in now or _same_name(now[key], turn.set.get(key)) for key in CHOICES):
                return session, turn.chat
        return self._context_of(ask.cell, sessions) or self._asked_first(ask, sessions) or (active, active.active_id)

    def _own(self, ask: Ask, sessions: Iterable[SessionView]) -> tuple[SessionView, Node] | None:
        """Return the turn that this (cell, k) owns: on a path, else anywhere; of several sessions, the newest."""
        for on_path in (True, False):
            found = []
            for session in sessions:
                nodes = [
                    node
                    for node in self._asked_by(session, ask)
                    if session.has(node.chat) and (not on_path or node in session.path(node.chat))
                ]
                if own := self._owned(session, ask, nodes):
                    found.append((own.stamp, session, own))
            if found:
                return max(found, key=lambda one: one[0])[1:]
        return None

    def command_context(self, cell: Cell, sessions: Iterable[SessionView]) -> tuple[SessionView, str] | None:
        """Return the chat that a command in this cell is about, if it is not simply the active one."""
        return self._context_of(cell, sessions, Ask(cell=cell, k=cell.asks, text=""))

    def _context_of(
        self, cell: Cell, sessions: Iterable[SessionView], next_ask: Ask | None = None
    ) -> tuple[SessionView, str] | None:
        """Return the chat this cell stands in, before this kernel has led to any.

        The active chat is then only what the last kernel ended with. What a cell means must not depend on that,
        or running all again would not find what it found. So the turn that the cell owns says which chat it is
        about, else the first one of the cells below; a turn in a chat that cells had chosen speaks only where no
        other does. What was found once goes on for the cells below. None: go by the active chat.
        """
        position = self.document.position(cell)
        if self.under_way or position is None:
            return None
        if self._context is None:
            sessions = list(sessions)
            if next_ask and (own := self._own(next_ask, sessions)):
                self._context = own[0], own[1].chat
            else:
                self._context = next(self._spoken_for(self.document.cells[position:], sessions), None)
        return self._context

    def _asked_first(self, ask: Ask, sessions: Iterable[SessionView]) -> tuple[SessionView, str] | None:
        """Return, where no cell's turn says it, the chat that was the first to begin with this prompt.

        What is asked from now on cannot get before it, so running all again finds the same.
        """
        if self.under_way or self.document.position(ask.cell) is None:
            return None
        begun = [
            (node.stamp, session, chat.id)
            for session in sessions
            for chat in session.live_chats()
            for node in session.record.children(chat.id, session.base(chat.id))
            if node.cell and self._asks(session, node, ask)
        ]
        return min(begun, key=lambda one: one[0])[1:] if begun else None

    def _spoken_for(self, cells: Iterable[Cell], sessions: Iterable[SessionView]) -> Iterator[tuple[SessionView, str]]:
        """Yield the chats of the turns that these cells own, those that nobody had chosen first."""
        chosen = []
        for cell in cells:
            owned = [
                (node.stamp, session, node)
                for session in sessions
                for node in session.record.of_cell(cell.id, cell.source)
                if session.has(node.chat) and self.owner(session, node) is cell
            ]
            for _, session, node in sorted(owned, key=lambda one: one[0]):
                if node.set.keys().isdisjoint(CHOICES):
                    yield session, node.chat
                else:
                    chosen.append((session, node.chat))
        yield from chosen

    # -- step 2: which place

    def place(self, session: SessionView, chat: str, ask: Ask) -> tuple[str | None, Node | None]:
        """Return the message that the ask's turn hangs from (None for the start), and what is recorded there."""
        path = session.path(chat)
        own = self._owned(session, ask, [n for n in self._asked_by(session, ask) if n.chat == chat and n in path])
        append = ask.at_end or self.rerun == "append"
        if own and not (append and not self._is_new_to(own, ask)):
            found = self.recorded(session, chat, own.parent, ask)
            if (found and found in path) or not self._would_cut(path.nodes[path.index[own.id] :], ask):
                return own.parent, found
        place = self._next_place(session, chat, ask)
        return place, self.recorded(session, chat, place, ask)

    def _is_new_to(self, own: Node, ask: Ask) -> bool:
        """Say whether a turn was not shown yet, and was asked by the cell as it is now."""
        return own.id not in self.shown and own.cell is not None and own.cell.source == ask.cell.source

    def _would_cut(self, nodes: Iterable[Node], ask: Ask) -> bool:
        """Say whether turns are among *nodes* that asks above this one have just shown.

        They can be when cells were run out of order or were moved. What the reader sees above is the context of
        what is asked below, so such a turn is not taken off the path from here.
        """
        position = self.document.position(ask.cell)
        if position is None:
            return False
        for node in nodes:
            cell, k = self.shown.get(node.id) or (None, 0)
            at = self.document.position_of(cell) if cell else None
            if at is not None and (at, k) < (position, ask.k):
                return True
        return False

    def _next_place(self, session: SessionView, chat: str, ask: Ask) -> str | None:
        """Return where an ask goes on that takes no turn's place."""
        path = session.path(chat)
        last = next((n.id for n in reversed(path.nodes) if n.id in self.shown), session.base(chat))
        children = [n for n in session.record.children(chat, last) if n.cell and n.id not in self.shown]
        if any(self._asks(session, n, ask) for n in children):
            return last
        end = len(path.nodes)
        while end and path.nodes[end - 1].chat == chat and self._not_yet(session, path.nodes[end - 1], ask):
            end -= 1
        if end == len(path.nodes):
            return session.head(chat)
        return path.nodes[end - 1].id if end else None

    def _moved_on(self, session: SessionView, chat: str) -> bool:
        """Without a list: whether this kernel has run other cells, and shown turns of this chat."""
        nodes = session.record.nodes
        return len(self.document.seen) > 1 and any(turn in nodes and nodes[turn].chat == chat for turn in self.shown)

    def _not_yet(self, session: SessionView, node: Node, ask: Ask) -> bool:
        """Say whether a turn is still to come: not shown, of an ask below this one, or of no cell any more."""
        nodes = session.record.nodes
        while node.cell is None and node.id not in self.shown and node.parent in nodes:
            node = nodes[node.parent]  # sent outside cells: it goes with the turn before it
        if node.id in self.shown or node.cell is None:
            return False
        position = self.document.position(ask.cell)
        if position is None:
            return self._moved_on(session, node.chat)
        owner = self.owner(session, node)
        if owner is None:
            return True
        at = self.document.position(owner)
        return at is not None and (at, node.cell.k) > (position, ask.k)

    # -- step 3: recorded there?

    def recorded(self, session: SessionView, chat: str, place: str | None, ask: Ask) -> Node | None:
        """Return the recorded turn that answers the ask at this place, or None."""
        if self.mode == "off" or ask.fresh:
            return None
        there = [node for node in session.record.children(chat, place) if self._difference(session, node, ask) is None]
        path = session.path(chat)

        def rank(node: Node) -> tuple[bool, bool, bool, tuple[int, str]]:
            own = self._owned(session, ask, [node]) is not None
            return own, own or not self._claimed(session, node), node in path, node.stamp

        best = max(there, key=rank, default=None)
        return best if best and (self.mode == "strict" or best.id not in self.shown) else None

    def _claimed(self, session: SessionView, node: Node) -> bool:
        """Say whether a cell stands in the document as it was when it asked this."""
        owner = self.owner(session, node)
        return owner is not None and node.cell is not None and owner.source == node.cell.source

    def _difference(self, session: SessionView, node: Node, ask: Ask) -> str | None:
        """Return the first respect in which a turn does not fit an ask, or None if it fits."""
        if not self._asks(session, node, ask):
            return "prompt"
        if node.cell is None:
            return "origin (outside cells)"
        if node.finish_reason in UNFINISHED and not session.record.children(node.chat, node.id):
            return "finish_reason"
        config = session.record.config(node.config)
        if node.chat in self.clicked_settings and config != session.config(node.chat):
            return "clicked settings"
        return _differing_setting(node, config, self.settings(ask.cell, node.chat), ask.options)

    def _asks(self, session: SessionView, node: Node, ask: Ask) -> bool:
        """Say whether a turn asks the same: the same text, and the same pictures."""
        record = session.record
        return record.text(node.user) == ask.text and record.images(node.user) == ask.image_ids

    def newest_end(self, session: SessionView, node: Node, ask: Ask) -> str:
        """Return where the path goes on to from a turn off it: the newest turns that are still to come.

        What was asked above this cell, and undone there, does not come back with it.
        """
        known = self.document.position(ask.cell) is not None
        while below := [
            child
            for child in session.record.children(node.chat, node.id)
            if not known or child.cell is None or self._not_yet(session, child, ask)
        ]:
            node = max(below, key=lambda child: child.stamp)
        return node.id

    # -- the whole

    def decide(self, ask: Ask, session: SessionView, chat: str) -> Decision:
        """Decide where in a chat an ask belongs, and which recorded turn answers it.

        Raises
        ------
        ReplayMiss
            In strict mode, if none does; the text names the first thing that differs.
        """
        place, found = self.place(session, chat, ask)
        return self._decision(ask, session, chat, place, found)

    def decide_at(self, ask: Ask, session: SessionView, chat: str, place: str | None) -> Decision:
        """Decide which recorded turn answers an ask that says itself what it follows; raises as `decide` does."""
        return self._decision(ask, session, chat, place, self.recorded(session, chat, place, ask))

    def _decision(self, ask: Ask, session: SessionView, chat: str, place: str | None, found: Node | None) -> Decision:
        if found is None and self.mode == "strict":
            raise ReplayMiss(self._why_missing(session, chat, place, ask), hint="" if ask.fresh else "replay.miss")
        path = session.path(chat)
        stands = next((node for node in session.record.children(chat, place) if node in path), None)
        return Decision(
            session=session, chat=chat, place=place, found=found, stands=stands,
            settings=self.settings(ask.cell, chat),
        )  # fmt: skip

    def _why_missing(self, session: SessionView, chat: str, place: str | None, ask: Ask) -> str:
        name = session.chat_name(chat)
        there = session.record.children(chat, place)
        best = max(there, key=lambda n: (self._asks(session, n, ask), n.stamp), default=None)
        if ask.fresh:
            return f"{name!r} is asked anew each time (--fresh, --once): take the option off, or skip the cell"
        if best is None:
            why = "nothing is recorded at this place of the chat"
        else:
            why = f"the {self._difference(session, best, ask)} differs from what is recorded"
        return f"no recorded answer in {name!r}: {why}"


def _differing_setting(node: Node, config: Config, now: Mapping[str, str], options: Mapping[str, str]) -> str | None:
    base, used = config.settings(), {**config.settings(), **node.options}
    for key, value in {**now, **options}.items():
        if key not in CHOICES and value not in (node.set.get(key), used.get(key, "")):
            return key
    for key, value in node.options.items():  # an option that the cell has given up since
        if key not in options and base.get(key, "") != value:
            return key
    return None


def _same_name(name: str, other: str | None) -> bool:
    return other is not None and fold_name(name) == fold_name(other)
