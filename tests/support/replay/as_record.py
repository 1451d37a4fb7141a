"""What the rules' kernel saves, written as entries of a snapshot, and read again."""

from robota_nb.core.record import entries as make
from robota_nb.core.record import snapshot
from robota_nb.core.record.fold import SessionState
from robota_nb.core.rules import effects as core
from robota_nb.core.rules.effects import to_op
from robota_nb.core.rules.recorded import Recorded
from support.replay.on_core import config_of, to_core
from support.replay.rules import Ask, asked

SID, AT = "s_" + "0" * 32, "2026-11-30T09:00:00Z"


class AsRecord:
    """Writes what a kernel has saved; `ids` and `chats` say what turns and chats are called in it."""

    def __init__(self, saved):
        self.saved, self.entries, self.ids, self.questions = saved, {}, {}, {}
        self.chats = {name: f"c_{at:032x}" for at, name in enumerate(saved["chats"])}
        self.standing = {
            turn: (step.id, k, step.src) for step in saved["steps"].values() for k, turn in enumerate(asked(step))
        }
        self.put(make.session_entry(n=1, at=AT, name="S"))
        for at, (name, first) in enumerate(saved["chats"].items()):
            config = self.config(first)
            self.put(make.chat_entry(n=2 + at, at=AT, chat=self.chats[name], name=name, config=config))
        for turn in sorted(saved["turns"].values(), key=lambda turn: (turn.n, turn.id)):
            self.turn(turn)
        self.state = SessionState(SID)
        self.state.apply(snapshot.parse(snapshot.dump({SID: self.entries}))[SID])
        for step in saved["steps"].values():
            self.step(step)
        for turn, context, config in sorted(saved["accepts"], key=repr):
            said = [self.ids[one] for one in context]
            self.put(make.accept_entry(n=9, at=AT, turn=self.ids[turn], context=said, config=self.config(config)))
        for n, trail, op in saved["events"]:
            where = self.where(trail)
            turns = [self.ids[turn] for turn in op.arg]
            self.put(make.outside_entry(n=self.n(n), at=AT, chat=self.chats[op.chat], op=op.op, turns=turns, **where))
        self.state = SessionState(SID)
        self.state.apply(snapshot.parse(snapshot.dump({SID: self.entries}))[SID])

    def put(self, entry):
        eid = make.entry_id(entry)
        self.entries[eid] = entry
        return eid

    def n(self, n):
        return n + 100  # after the session and its chats

    def config(self, pairs):
        return self.put(config_of(pairs).to_entry())

    def where(self, trail):
        after = trail[-1][0] if trail and trail[-1][1] is None else None
        return {"after": after, "context": [self.ids[turn] for _, turn in trail if turn]}

    def turn(self, turn):
        context = [self.ids[one] for one in turn.ctx]
        parent = context[-1] if context else None
        _, k, source = self.standing.get(turn.id, ("", 0, "then"))
        where = {}
        if turn.by == "cell":
            where["cell"] = [turn.cell or "", k, source]
        elif turn.by == "out":
            where["after"] = self.where(turn.trail)["after"] or ""
        else:
            where["by_code"] = True
        ops = [op for step in self.saved["steps"].values() for op in step.ops]
        effect = next((op for op in ops if isinstance(op, Ask) and op.turn == turn.id), None)
        where["hand"] = {key: [over or "", value] for key, over, value in (effect.hand if effect else ())}
        question = make.user_message(
            n=self.n(turn.n), at=AT, chat=self.chats[turn.chat], parent=parent, text=turn.text, context=context, **where
        )  # fmt: skip
        asked = self.put(question)
        answer = make.assistant_message(
            n=self.n(turn.n), at=AT, chat=self.chats[turn.chat], parent=asked, text=turn.reply or turn.id,
            config=self.config(turn.conf), model="", finish_reason=turn.end, usage=None,
        )  # fmt: skip
        self.ids[turn.id] = self.put(answer)
        self.questions[turn.id] = asked

    def named(self, op):
        """Return an effect of the rules as one of the record: with its ids."""
        effect = to_core(op)
        changed = {"chat": self.chats[effect.chat]}
        if isinstance(effect, core.Answered):
            changed |= {"turn": effect.turn and self.ids[effect.turn], "said": effect.said and self.chats[effect.said]}
        elif isinstance(effect, core.Fork):
            changed["source"] = self.chats[effect.source]
        return core.replace(effect, **changed)

    def effects(self, step):
        return tuple(self.named(op) for op in step.ops)

    def step(self, step):
        """Write what a cell did, unless its turns say the same."""
        recorded, effects = Recorded(self.state), self.effects(step)
        mine = [node for node in self.state.nodes.values() if step.id and node.cell and node.cell.id == step.id]
        told = recorded.step_of(step.id, mine) if mine else None
        if told is None or (told.source, told.effects) != (step.src, effects) or step.also:
            ops = map(to_op, effects)
            n = max([self.n(step.n), *(node.stamp.n + 1 for node in mine)])
            self.put(make.effects_entry(n=n, at=AT, cell=step.id, source=step.src, ops=ops, also=step.also))


def what_differs(kernel):
    """Write what a kernel has saved, read it, and return what is not as it was."""
    saved = kernel.save()
    if any(turn.purged for turn in saved["turns"].values()):
        return []  # the record holds stubs then: see the tests of purging
    record = AsRecord(saved)
    read = Recorded(record.state)
    wrong = []

    def compare(what, is_, should):
        if is_ != should:
            wrong.append(f"{what}: {is_} should be {should}")

    steps = {(s.id, s.source, s.effects, s.also) for s in read.steps()}
    written = {(s.id, s.src, record.effects(s), s.also) for s in saved["steps"].values()}
    moved = {former for step in written for former in step[3]}  # what git deletes on one side stays so
    told = {step for step in written if step[0] and step[0] not in moved}
    compare("steps", {step for step in steps if step[0]} >= told, True)
    answers = read.answers()
    for turn in saved["turns"].values():
        answer = answers[record.ids[turn.id]]
        compare(f"context of {turn.id}", answer.context.turns, tuple(record.ids[one] for one in turn.ctx))
        compare(f"config of {turn.id}", answer.config, config_of(turn.conf))
        compare(f"flags of {turn.id}", (answer.by_cell, answer.is_cut), (turn.by == "cell", turn.end != "stop"))
    standing = [
        turn for step in written for effect in step[2] if isinstance(effect, core.Answered) for turn in [effect.turn]
    ]
    done = {(one.after, one.context.turns, one.effect) for one in read.outside(standing)}
    should = set()
    for one in kernel.outsides():
        effect = one.effect
        changed = {"chat": record.chats[effect.chat]}
        if isinstance(effect, core.Answered):
            changed["turn"] = record.ids[effect.turn]
            context = saved["turns"][effect.turn].ctx
        else:
            context = one.context.turns
            if isinstance(effect, core.Drop):
                changed["turns"] = tuple(record.ids[turn] for turn in effect.turns)
        should.add((one.after, tuple(record.ids[turn] for turn in context), core.replace(effect, **changed)))
    compare("outside", done, should)
    for turn, context, config in saved["accepts"]:
        chat, said = record.chats[saved["turns"][turn].chat], read.contexts.of(record.ids[one] for one in context)
        compare(
            "accepted",
            answers.answers(record.ids[turn], chat, said, config_of(config)),
            saved["turns"][turn].by == "cell",
        )
    return wrong
