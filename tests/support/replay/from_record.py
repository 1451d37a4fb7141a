"""A kernel that begins with a record, of whatever minor format, and goes on with the rules of the page."""

from dataclasses import replace

from robota_nb.core.record import snapshot
from robota_nb.core.record.entries import source_hash
from robota_nb.core.record.fold import SessionState
from robota_nb.core.rules.recorded import Recorded
from support.replay import on_core
from support.replay.on_core import from_core, pairs_of, step_to_core, to_core
from support.replay.rules import Ask, Document, Step, Turn, empty


class Kernel(on_core.Kernel):
    """Steps remember the hash of a source, and some are what turns say."""

    def __init__(self, document, state, snap=None, **options):
        self.state, self.read = state, Recorded(state)
        self.names = {chat.id: chat.name for chat in state.chats_by_age()}
        super().__init__(document, snap or saved(state), **options)

    def again(self):
        """Return a fresh kernel, which never asks."""
        return type(self)(self.doc, self.state, self.save(), mode="strict")

    def asked(self, turn):
        asked = self.read.asked(turn)
        return asked and to_core(named(from_core(asked), self.names))

    def recorded_steps(self, steps):
        return (replace(step_to_core(step), is_told=step.who not in self.turns) for step in steps)

    def source(self, cell):
        return source_hash(cell.src)


def opened(cells, value):
    """Return the kernel of a notebook with these cells: their ids, sources, and the turns that their outputs show."""
    ((sid, entries),) = snapshot.parse(value).items()
    document = Document()
    for at, cell in enumerate(cells):
        document.insert(at, cell["source"])
        document.cells[at].id, document.cells[at].shows = cell["id"], cell["turns"]
        document.cells[at].out = list(cell["shows"])
    state = SessionState(sid)
    state.apply(entries)
    return Kernel(document, state)


def saved(state):
    """Return what is recorded, as the rules have it: chats by their names."""
    read, chats = Recorded(state), {chat.id: chat.name for chat in state.chats_by_age()}
    steps = [step_of(step, chats) for step in read.steps()]
    standing = {op.turn for step in steps for op in step.ops if isinstance(op, Ask)}
    outside = {one.effect.turn: one for one in read.outside(standing) if hasattr(one.effect, "turn")}
    turns = {}
    for node in sorted(state.nodes.values(), key=lambda node: node.stamp):
        answer = read.answer(node)
        sent = outside.get(node.id)
        by = "cell" if answer.by_cell else "out" if sent else "py"
        trail = [(read.cell_of(turn), turn) for turn in answer.context.turns if read.cell_of(turn)]
        turns[node.id] = Turn(
            node.id, node.stamp.n, chats[node.chat], answer.context.turns, state.text(node.user), state.text(node.id),
            by, pairs_of(answer.config), "interrupted" if answer.is_cut else "stop",
            (*trail, (sent.after, None)) if sent and sent.after else tuple(trail), read.cell_of(node.id),
        )  # fmt: skip
    pending = {chats[chat]: {k: v or "" for k, v in state.set_since(chat).items()} for chat in chats}
    return {
        **empty(),
        "n": state.n,
        "turns": turns,
        "chats": {name: pairs_of(read.first_config(chat)) for chat, name in chats.items()},
        "steps": {f"{step.id}.{step.n}{step.who}": step for step in steps},
        "pending": {chat: clicked for chat, clicked in pending.items() if clicked},
        "heads": {
            name: tuple(node.id for node in state.path(state.chats[chat].head.value).nodes)
            for chat, name in chats.items()
        },
    }


def step_of(step, chats):
    ops = tuple(named(from_core(effect), chats) for effect in step.effects)
    return Step(step.n, step.maker, step.id, step.source, ops, step.also)


def named(op, chats):
    """Return an effect of the rules with the names of its chats."""
    said = {"said": op.said and chats[op.said]} if isinstance(op, Ask) else {}
    return replace(op, chat=chats[op.chat], **said)
