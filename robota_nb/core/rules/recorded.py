"""What is recorded of a session, as the page needs it: what cells did, the answers, and what was done outside cells."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from heapq import merge
from itertools import takewhile
from typing import TYPE_CHECKING

from robota_nb.core.record.attachments import attachment_of
from robota_nb.core.record.config import Config
from robota_nb.core.record.entries import UNFINISHED
from robota_nb.core.record.kinds import added, is_message
from robota_nb.core.record.parameters import RESERVED_KEYS
from robota_nb.core.record.steps import steps_of, words_of
from robota_nb.core.rules.answers import Answer, Answers
from robota_nb.core.rules.effects import Answered, ByHand, Clear, Drop, Put, Set, Step, by_hand, from_op
from robota_nb.core.rules.memory import Contexts
from robota_nb.core.rules.page import Outside
from robota_nb.core.rules.request import has_pictures
from robota_nb.core.rules.summaries import counting

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from robota_nb.core.record.attachments import Attached
    from robota_nb.core.record.fold import SessionState
    from robota_nb.core.record.nodes import Node, Trail
    from robota_nb.core.record.types import Attachment, EffectsEntry, OutsideEntry
    from robota_nb.core.rules.effects import OfChat
    from robota_nb.core.rules.memory import Context


def digest(text: str, attached: Iterable[Attached] = (), tools: Iterable[str] = ()) -> bytes:
    """Return a digest of a prompt: its text, the ids of its pictures, and the ids and names of its files.

    Of cells that go along it is the hashes of their sources, and not what they show. The ids of the *tools* that are
    offered belong to it.
    """
    said = filter(None, (one.said for one in attached))
    return hashlib.blake2b("\0".join([text, *said, *sorted(tools)]).encode(), digest_size=16).digest()


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
        # Of which session they are; of what several sessions have, the first one counts.
        self._of_turn = {turn: state for state in reversed(states) for turn in state.nodes}
        self._of_chat = {chat: state for state in reversed(states) for chat in state.chats}
        self._of_name = {said: state for state in reversed(states) for _, said in state.names}
        self._called: dict[str, tuple[int, dict[str, dict[str, None]]]] = {}
        self._last_cells: dict[Context, str | None] = {}
        self._told: dict[str, Step] = {}

    def node(self, turn: str | None) -> Node | None:
        """Return a turn; None if it is not here."""
        state = self._holder(turn) if turn else None
        return state.nodes[turn] if state and turn else None

    def _holder(self, turn: str) -> SessionState | None:
        state = self._of_turn.get(turn)
        if state is None or turn not in state.nodes:  # none, or a new one
            state = next((state for state in self.states if turn in state.nodes), None)
            if state is not None:
                self._of_turn[turn] = state
        return state

    def _state(self, chat: str) -> SessionState | None:
        state = self._of_chat.get(chat)
        if state is None or chat not in state.chats:
            state = next((state for state in self.states if chat in state.chats), None)
            if state is not None:
                self._of_chat[chat] = state
        return state

    def _of(self, node: Node) -> SessionState:
        state = self._holder(node.id)
        assert state is not None
        return state

    # -- of chats and turns (see `robota_nb.core.rules.asking.Record`)

    def has(self, chat: str) -> bool:
        """Say whether there is such a chat."""
        state = self._state(chat)
        return state is not None and not state.chats[chat].deleted

    def first_chat(self, session: str | None = None) -> str | None:
        """Return the first chat, of all or of a session; None if there is none."""
        states = [state for state in self.states if session in (None, state.id)]
        return next((chat.id for state in states for chat in state.live_chats()), None)

    def chat_name(self, chat: str) -> str:
        """Return what a chat is called."""
        state = self._state(chat)
        return state.chats[chat].name if state else chat

    def first_config(self, chat: str) -> Config:
        """Return the settings that a chat began with."""
        state = self._state(chat)
        return state.config(state.chats[chat].first_config or "") if state else Config(provider="")

    def start_of(self, chat: str) -> Context:
        """Return what a chat began with: nothing, or where it was forked outside cells."""
        state = self._state(chat)
        base = self.node(state.chats[chat].base) if state else None
        return self.contexts.after(self.before(base), base.id) if base else self.contexts.start

    def session_of(self, chat: str) -> str | None:
        """Return the session of a chat; None if it is not here."""
        state = self._state(chat)
        return state.id if state else None

    def file_sent(self, text: str, name: str, number: int, cell: str | None) -> Attachment | None:
        """Return a file that was sent with a text: as that cell sent it last, else as anybody did.

        Parameters
        ----------
        text
            The text.
        name, number
            What the file was called, and how many of that name came before it in the message.
        cell
            The id of the cell.
        """
        for state, node in self._asked_with(text, cell):
            named = [one for one in state.attached(node.user) if one.name == name and not one.cell]
            if named[number:]:
                return attachment_of(state.entries[named[number].id], named[number], state.fetch)
        return None

    def cells_sent(self, text: str, cell: str | None) -> tuple[Attachment, ...]:
        """Return the cells that were sent with a text, in order; *text* and *cell* as of `file_sent`."""
        for state, node in self._asked_with(text, cell):
            found = [
                attachment_of(state.entries[at.id], at, state.fetch) for at in state.attached(node.user) if at.cell
            ]
            if found and all(found):
                return tuple(one for one in found if one)
        return ()

    def _asked_with(self, text: str, cell: str | None) -> Iterator[tuple[SessionState, Node]]:
        """Yield the turns that ask a text with something attached: first those of that cell, the latest first."""
        asked = [
            (bool(cell and node.cell and node.cell.id == cell), node.stamp, state, node)
            for state in self.states
            for node in state.nodes.values()
            if state.attached(node.user) and state.text(node.user) == text
        ]
        for _, _, state, node in sorted(asked, key=lambda one: one[:2], reverse=True):
            yield state, node

    def chat_of(self, turn: str) -> str | None:
        """Return the chat of a turn; None if it is not here."""
        node = self.node(turn)
        return node.chat if node else None

    def cell_of(self, turn: str) -> str | None:
        """Return the id of the cell that asked; None if it has none, or the turn is not here."""
        node = self.node(turn)
        if node is None:
            return None
        return node.cell.id if node.cell else node.after or None if node.by == "code" else None

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
            elif lost := self._lost_before(node):
                self._before[node.id] = lost
            elif node.context is not None:
                self._before[node.id] = self.contexts.of(node.context)
            elif parent is None:  # the start, or a message of which no turn is known
                nodes = self._of(node).path(node.parent) if node.parent else ()
                self._before[node.id] = self.contexts.of([*reversed(nodes)][::-1])
            elif parent.id in self._before:
                self._before[node.id] = self.contexts.after(self._before[parent.id], parent.id)
            else:
                todo.append(parent)
        return self._before[node.id]

    def _lost_before(self, node: Node) -> Context | None:
        """Return what was sent before a turn by what it says, if that is known, and not all of it is here."""
        says = self._of(node).said_before.get(node.id)
        sent = [node.parent] if node.context is None else node.context
        if says is None or all(turn is None or self.node(turn) for turn in sent):
            return None
        return self.contexts.lost(sent[-1] or "", bytes.fromhex(says))

    def said_before(self, turn: str) -> str:
        """Return a digest of what all says that was sent before a turn; empty if the turn is not here."""
        node = self.node(turn)
        return self.before(node).says.hex() if node else ""

    def _says(self, turn: str) -> bytes:
        node = self.node(turn)
        if node is None or self._is_purged(node):
            return digest(turn)
        state = self._of(node)
        steps = words_of(steps_of(state.entries[turn]))
        text = f"{state.text(node.user)}\0{state.text(turn)}"
        return digest(f"{text}\0{steps}" if steps else text, state.attached(node.user))

    def _is_purged(self, node: Node) -> bool:
        kind = self._of(node).entries.kind
        return kind(node.id).is_stub or kind(node.user).is_stub

    # -- the answers

    def answers(self) -> Answers:
        """Return the answers, by what each of them answers."""
        found = Answers(self.sums_up)
        for state in self.states:
            for node in sorted(state.nodes.values(), key=lambda node: node.stamp):
                found.add(self.answer(node))
            for accept in state.accepted.values():
                found.accept(accept["turn"], self.contexts.of(accept["context"]), state.config(accept["config"]))
        return found

    def sums_up(self, config: Config, context: Context) -> bool:
        """Say whether the summary that settings name, if they name one, stands for the beginning of a context."""
        state = self._holder(context.turn)
        return state is not None and counting(state, config, context) is not None

    def answer(self, node: Node) -> Answer:
        """Return a turn, as far as it matters to an ask."""
        state = self._of(node)
        question = state.entries[node.user]
        tools = tuple(added(question, "tools") or ()) if "tools" in question and is_message(question) else ()
        called = (call for step in steps_of(state.entries[node.id]) for call in step.calls if call.by and call.source)
        return Answer(
            id=node.id,
            n=node.stamp.n,
            chat=node.chat,
            context=self.before(node),
            prompt=digest(state.text(node.user), state.attached(node.user), tools),
            tools=tools,
            called=tuple(dict.fromkeys((call.name, call.source) for call in called)),
            attached=state.attached(node.user),
            has_pictures=has_pictures(state, node),
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
            step = self.told(eid, entry)
            told.append(step)
            if step.id:
                latest[step.id] = max(latest.get(step.id, 0), entry["n"])
            for cell in step.also:  # it may be there again, and have run since in another copy of the notebook
                moved = (node.stamp.n for turn in step.turns if (node := self.node(turn)))
                latest[cell] = max(latest.get(cell, 0), max(moved, default=entry["n"]))
        named = {turn for step in told for turn in step.turns}
        asked: dict[str, list[Node]] = defaultdict(list)
        without_id: list[Node] = []
        for node in (node for state in self.states for node in state.nodes.values()):
            if node.cell and node.cell.id is None:
                without_id += [node] if node.id not in named else []
            elif node.cell and node.cell.id and node.stamp.n > latest.get(node.cell.id, 0):
                asked[node.cell.id].append(node)
        left = self.heads() if without_id else {}  # nothing else tells which of these turns others took the place of
        without_id = [node for node in without_id if node.id in left]
        by_turns = [self.step_of(cell, nodes) for cell, nodes in asked.items()]
        return [*told, *by_turns, *(self.step_of(None, nodes) for nodes in _executions(without_id))]

    def told(self, eid: str, entry: EffectsEntry) -> Step:
        """Return what an entry says that a cell did."""
        if eid not in self._told:
            cell, source = entry["cell"]
            effects = tuple(effect for op in entry["ops"] if (effect := from_op(op)) is not None)
            also = tuple(entry.get("also", ()))
            self._told[eid] = Step(
                id=cell or None, source=source, effects=effects, n=entry["n"], maker=eid, also=also
            )  # fmt: skip
        return self._told[eid]

    def of_cell(self, cell: str) -> Iterator[Node]:
        """Yield the turns that a cell of that id has asked."""
        for state in self.states:
            yield from state.of_cell(cell)

    def step_of(self, cell: str | None, nodes: Iterable[Node]) -> Step:
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
        if self._is_purged(node):
            return ()
        last = self.node(self.before(node).turn)
        base = self._of(last).config(last.config) if last else self.first_config(node.chat)
        by_cells = {key: value for key, value in node.set.items() if key not in ("chat", "session")}
        return by_hand(base.with_settings(by_cells), self._of(node).config(node.config))

    def _chosen(self, node: Node) -> str | None:
        """Return the chat, or the session, that commands had chosen, by its name then."""
        name = node.set.get("chat")
        if name is None:
            return self._session_called(node.set.get("session"))
        called = self._chats_called(self._of(node)).get(name, {})
        return node.chat if node.chat in called else next(iter(called), None)

    def _session_called(self, name: str | None) -> str | None:
        """Return the first session that has, or had, a name."""
        if name is not None and name not in self._of_name:
            for state in reversed(self.states):  # one may be called so since
                self._of_name.update((said, state) for _, said in state.names if said == name)
        return self._of_name[name].id if name in self._of_name else None

    def _chats_called(self, state: SessionState) -> dict[str, dict[str, None]]:
        """Return the chats that have, or had, each name, in the order of their creation."""
        version, found = self._called.get(state.id, (-1, {}))
        if version != state.names_version:
            found = {}
            for chat in state.chats_by_age():
                for _, said in chat.names:
                    found.setdefault(said, {})[chat.id] = None
            self._called[state.id] = state.names_version, found
        return found

    # -- where it was left

    def heads(self) -> dict[str, int]:
        """Return how far down on the paths of their chats, one after the other, the turns stand that are on one."""
        found: dict[str, int] = {}
        for state in self.states:
            passed: set[Trail] = set()
            for chat in state.chats_by_age():
                for node in reversed(_new_on_path(state, chat.id, passed)):
                    found.setdefault(node.id, len(found))
        return found

    def in_order(self, steps: Iterable[Step]) -> list[Step]:
        """Return steps as their cells stood.

        The paths of chats say how those stood that have asked in one of them; and else they ran from top to bottom.
        """
        heads = self.heads()
        queues: dict[str, list[Step]] = defaultdict(list)
        for step in steps:
            first = next((turn for turn in step.turns if turn in heads), None)
            queues[self.chat_of(first) or "" if first else step.name].append(step)
        for queue in queues.values():
            queue.sort(key=lambda step: min((heads[turn] for turn in step.turns if turn in heads), default=0))
        # In a queue a later step may be of an earlier run: it ran before what follows it on the page.
        merged = merge(*queues.values(), key=lambda step: (step.n, step.maker))
        return list(merged)

    def end_of(self, chat: str) -> Context | None:
        """Return what a chat's head says that it remembered; None where the head is no turn."""
        state = self._state(chat)
        if state is None or (head := state.chats[chat].head.value) is None:
            return self.contexts.start
        node, context = self.node(head), state.chats[chat].head_context
        if node is None:
            return None
        return self.contexts.after(self.before(node) if context is None else self.contexts.of(context), node.id)

    def pending(self) -> dict[str, dict[str, str]]:
        """Return what was clicked of the settings of chats, and not used by an ask of a cell, nor set by one, since."""
        asked: dict[str, int] = defaultdict(int)
        by_cells: dict[tuple[str, str], int] = defaultdict(int)
        for state in self.states:
            for node in state.nodes.values():
                if node.cell:
                    asked[node.chat] = max(asked[node.chat], node.stamp.n)
        for step in (self.told(eid, entry) for state in self.states for eid, entry in state.effects.items()):
            for effect in step.asks:
                asked[effect.chat] = max(asked[effect.chat], effect.used)
            for said in (effect for effect in step.effects if isinstance(effect, Set)):
                by_cells[said.chat, said.key] = max(by_cells[said.chat, said.key], step.n)
        found: dict[str, dict[str, str]] = {}
        for state in self.states:
            for chat in state.chats.values():
                for key, register in chat.sets.items():
                    if key not in RESERVED_KEYS and register.stamp.n > max(asked[chat.id], by_cells[chat.id, key]):
                        found.setdefault(chat.id, {})[key] = register.value or ""
        return found

    def clicked(self) -> str | None:
        """Return the chat that was clicked last, if nothing was asked there since."""
        state = max(self.states, key=lambda state: state.active.stamp, default=None)
        return state.active_chat() if state and state.is_clicked() else None

    # -- outside cells

    def outside(self, standing: Iterable[str]) -> Iterator[Outside]:
        """Yield what was done outside cells; *standing*: the turns that stand as answers of cells."""
        cells = set(standing)
        for state in self.states:
            yield from self._sent_outside(state, cells)
            for eid, entry in state.outside.items():
                if one := self.done(eid, entry):
                    yield one

    def _sent_outside(self, state: SessionState, cells: set[str]) -> Iterator[Outside]:
        passed: set[Trail] = set()
        on_paths = {node.id for chat in state.chats for node in _new_on_path(state, chat, passed)}
        cells |= {turn for entry in state.outside.values() if entry["op"] == "put" for turn in entry.get("turns", ())}
        for node in state.nodes.values():
            if not state.is_outside(node):
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

    def done(self, eid: str, entry: OutsideEntry) -> Outside | None:
        """Return what an entry says that was done outside cells; None if that is not known."""
        chat, turns = entry["chat"], tuple(entry.get("turns", ()))
        effect: OfChat
        match entry["op"]:
            case "clear":
                effect = Clear(chat=chat)
            case "drop":
                effect = Drop(chat=chat, turns=turns)
            case "put":
                effect = Put(chat=chat, turns=turns)
            case _:
                return None
        context = self.contexts.of(entry.get("context", ()))
        return Outside(n=entry["n"], entry=eid, effect=effect, after=entry.get("after"), context=context)


def _new_on_path(state: SessionState, chat: str, passed: set[Trail]) -> list[Node]:
    """Return the turns on a chat's path, the last one first, up to where other chats have *passed* already."""
    new = list(takewhile(lambda trail: trail not in passed, state.chat_path(chat).trail.back()))
    passed.update(new)
    return [trail.node for trail in new]


def _executions(nodes: Iterable[Node]) -> Iterator[list[Node]]:
    """Yield the turns of each execution of cells that have no id: the first ask of one begins the next."""
    execution: list[Node] = []
    for node in sorted(nodes, key=lambda node: node.stamp):
        assert node.cell is not None
        last = execution[-1].cell if execution else None
        if last and (node.cell.k <= last.k or node.cell.source != last.source):
            yield execution
            execution = []
        execution.append(node)
    if execution:
        yield execution
