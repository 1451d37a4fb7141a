"""What is recorded of a session, as the page needs it: what cells did, the answers, and what was done outside cells."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import TYPE_CHECKING

from robota_nb.core.record.config import Config
from robota_nb.core.record.entries import UNFINISHED
from robota_nb.core.rules.answers import Answer, Answers
from robota_nb.core.rules.effects import Answered, ByHand, Clear, Drop, Put, Step, by_hand, from_op
from robota_nb.core.rules.memory import Contexts
from robota_nb.core.rules.page import Outside

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from robota_nb.core.record.fold import SessionState
    from robota_nb.core.record.nodes import Node
    from robota_nb.core.record.types import OutsideEntry
    from robota_nb.core.rules.effects import OfChat
    from robota_nb.core.rules.memory import Context


def digest(text: str, images: Iterable[str] = ()) -> bytes:
    """Return a digest of a prompt: its text, and the ids of its pictures."""
    return hashlib.blake2b("\0".join([text, *images]).encode(), digest_size=16).digest()


class Recorded:
    """What the record says of some sessions; it is made anew when something is purged.

    Parameters
    ----------
    *states
        The sessions' states, in the order of their creation.
    """

    def __init__(self, *states: SessionState) -> None:
        self.states = states
        self.contexts = Contexts(self._says)
        self._before: dict[str, Context] = {}
        self._last_cells: dict[Context, str | None] = {}

    def node(self, turn: str | None) -> Node | None:
        """Return a turn; None if it is not here."""
        return next((state.nodes[turn] for state in self.states if turn in state.nodes), None)

    def _state(self, chat: str) -> SessionState | None:
        return next((state for state in self.states if chat in state.chats), None)

    def _of(self, node: Node) -> SessionState:
        return next(state for state in self.states if node.id in state.nodes)

    # -- of chats and turns (see `robota_nb.core.rules.asking.Record`)

    def has(self, chat: str) -> bool:
        """Say whether there is such a chat."""
        state = self._state(chat)
        return state is not None and not state.chats[chat].deleted

    def first_chat(self, session: str | None = None) -> str | None:
        """Return the first chat, of all or of a session; None if there is none."""
        states = [state for state in self.states if session in (None, state.id)]
        return next((chat.id for state in states for chat in state.live_chats()), None)

    def is_in(self, chat: str, session: str) -> bool:
        """Say whether a chat is one of a session."""
        return any(state.id == session and chat in state.chats for state in self.states)

    def first_config(self, chat: str) -> Config:
        """Return the settings that a chat began with."""
        state = self._state(chat)
        return state.config(state.chats[chat].first_config or "") if state else Config(provider="")

    def chat_of(self, turn: str) -> str | None:
        """Return the chat of a turn; None if it is not here."""
        node = self.node(turn)
        return node.chat if node else None

    def cell_of(self, turn: str) -> str | None:
        """Return the id of the cell that asked; None if it has none, or the turn is not here."""
        node = self.node(turn)
        return node.cell.id if node and node.cell else None

    def after_of(self, turn: str) -> str | None:
        """Return the id of the cell after which a turn was sent outside cells; None if it was not."""
        node = self.node(turn)
        return (node.after or None) if node else None

    def before(self, node: Node) -> Context:
        """Return all that was sent before a turn."""
        todo = [node]
        while todo:
            node = todo[-1]
            parent = self.node(node.parent)
            if node.id in self._before:
                todo.pop()
            elif node.context is not None:
                self._before[node.id] = self.contexts.of(node.context)
            elif parent is None:  # the start, or a message of which no turn is known
                nodes = self._of(node).path(node.parent).nodes if node.parent else ()
                self._before[node.id] = self.contexts.of(one.id for one in nodes)
            elif parent.id in self._before:
                self._before[node.id] = self.contexts.after(self._before[parent.id], parent.id)
            else:
                todo.append(parent)
        return self._before[node.id]

    def _says(self, turn: str) -> bytes:
        node = self.node(turn)
        if node is None or self._is_purged(node):
            return digest(turn)
        state = self._of(node)
        return digest(f"{state.text(node.user)}\0{state.text(turn)}", state.images(node.user))

    def _is_purged(self, node: Node) -> bool:
        kind = self._of(node).entries.kind
        return kind(node.id).is_stub or kind(node.user).is_stub

    # -- the answers

    def answers(self) -> Answers:
        """Return the answers, by what each of them answers."""
        found = Answers()
        for state in self.states:
            for node in sorted(state.nodes.values(), key=lambda node: node.stamp):
                found.add(self.answer(node))
            for accept in state.accepted.values():
                found.accept(accept["turn"], self.contexts.of(accept["context"]), state.config(accept["config"]))
        return found

    def answer(self, node: Node) -> Answer:
        """Return a turn, as far as it matters to an ask."""
        state = self._of(node)
        return Answer(
            id=node.id,
            n=node.stamp.n,
            chat=node.chat,
            context=self.before(node),
            prompt=digest(state.text(node.user), state.images(node.user)),
            config=state.node_config(node),
            by_cell=node.cell is not None,
            is_cut=node.finish_reason in UNFINISHED,
            is_purged=self._is_purged(node),
        )

    # -- what cells did

    def steps(self) -> list[Step]:
        """Return what cells did when they ran last: as they say, else as their turns do."""
        told: list[Step] = []
        latest: dict[str, int] = {}
        for eid, entry in ((eid, entry) for state in self.states for eid, entry in state.effects.items()):
            cell, source = entry["cell"]
            effects = tuple(effect for op in entry["ops"] if (effect := from_op(op)) is not None)
            also = tuple(entry.get("also", ()))
            told.append(Step(id=cell or None, source=source, effects=effects, n=entry["n"], maker=eid, also=also))
            if cell:
                latest[cell] = max(latest.get(cell, 0), entry["n"])
        asked: dict[str | None, list[Node]] = defaultdict(list)
        for node in (node for state in self.states for node in state.nodes.values()):
            if node.cell and node.stamp.n > latest.get(node.cell.id or "", 0):
                asked[node.cell.id].append(node)
        return [*told, *(step for cell, nodes in asked.items() if cell for step in [self.step_of(cell, nodes)])]

    def step_of(self, cell: str, nodes: Iterable[Node]) -> Step:
        """Return what a cell did by what its turns say: of each ask of its executions, the latest."""
        latest: dict[int, Node] = {}
        for node in sorted(nodes, key=lambda node: node.stamp):
            assert node.cell is not None
            latest[node.cell.k] = node
        newest = max(latest.values(), key=lambda node: node.stamp)
        assert newest.cell is not None
        effects = tuple(self._asked(latest[k]) for k in sorted(latest))
        return Step(
            id=cell, source=newest.cell.source, effects=effects, n=newest.stamp.n, maker=newest.id, is_told=False
        )

    def asked(self, turn: str) -> Answered | None:
        """Return what a cell has done that shows a turn as its answer, as the turn says it; None if it is not here."""
        node = self.node(turn)
        return self._asked(node) if node else None

    def _asked(self, node: Node) -> Answered:
        return Answered(
            chat=node.chat, turn=node.id, said=self._chosen(node), hand=self._hand(node),
            options=tuple(sorted(node.options.items())),
        )  # fmt: skip

    def _hand(self, node: Node) -> tuple[ByHand, ...]:
        """Return what was clicked for an ask.

        Where the turn does not say it, as in format 1.0, that is what its settings have beyond those of the turn before
        it (else of its chat's beginning), and beyond what cells had set.
        """
        if node.hand is not None:
            return tuple(ByHand(key, over, value) for key, (over, value) in sorted(node.hand.items()))
        last = self.node(self.before(node).turn)
        base = self._of(last).config(last.config) if last else self.first_config(node.chat)
        by_cells = {key: value for key, value in node.set.items() if key not in ("chat", "session")}
        return by_hand(base.with_settings(by_cells), self._of(node).config(node.config))

    def _chosen(self, node: Node) -> str | None:
        """Return the chat that commands had chosen, by its name then."""
        name = node.set.get("chat")
        if name is None:
            return None
        state = self._of(node)
        names = (chat.id for chat in state.chats_by_age() if any(said == name for _, said in chat.names))
        mine = any(said == name for _, said in state.chats[node.chat].names)
        return node.chat if mine else next(names, None)

    # -- outside cells

    def outside(self, standing: Iterable[str]) -> Iterator[Outside]:
        """Yield what was done outside cells; *standing*: the turns that stand as answers of cells."""
        cells = set(standing)
        for state in self.states:
            yield from self._sent_outside(state, cells)
            for eid, entry in state.outside.items():
                effect = self._done(entry)
                if effect is not None:
                    context = self.contexts.of(entry.get("context", ()))
                    yield Outside(n=entry["n"], entry=eid, effect=effect, after=entry.get("after"), context=context)

    def _sent_outside(self, state: SessionState, cells: set[str]) -> Iterator[Outside]:
        heads = (chat.head.value for chat in state.chats.values())
        on_paths = {node.id for head in heads for node in state.path(head).nodes}
        for node in state.nodes.values():
            if node.cell is not None or node.by == "code":
                continue
            # Of format 1.0, only the path of its chat tells whether a turn was taken back.
            if node.after is not None or (node.id in on_paths and node.id not in cells):
                yield self.sent(node)

    def sent(self, node: Node) -> Outside:
        """Return a turn that was sent outside cells, with where it stands."""
        context = self.before(node)
        after = self._last_cell(context) if node.after is None else node.after
        effect = Answered(chat=node.chat, turn=node.id, named=True)
        return Outside(n=node.stamp.n, entry=node.id, effect=effect, after=after or None, context=context)

    def _last_cell(self, context: Context) -> str | None:
        """Return the id of the last cell that asked in a context."""
        passed: list[Context] = []
        here: Context | None = context
        while here is not None and here not in self._last_cells and self.cell_of(here.turn) is None:
            passed.append(here)
            here = here.before
        found = None if here is None else self._last_cells.get(here, self.cell_of(here.turn))
        self._last_cells.update(dict.fromkeys(passed, found))
        return found

    def _done(self, entry: OutsideEntry) -> OfChat | None:
        if entry["op"] == "clear":
            return Clear(chat=entry["chat"])
        kind = {"drop": Drop, "put": Put}.get(entry["op"])
        return kind(chat=entry["chat"], turns=tuple(entry.get("turns", ()))) if kind else None
