"""The core, driven as the kernel of `support.replay.rules` is: what stories and histories are told to."""

import hashlib

from robota_nb.core.record.config import Config
from robota_nb.core.rules import effects as core
from robota_nb.core.rules.answers import Answer, Answers
from robota_nb.core.rules.asking import Ask as CoreAsk
from robota_nb.core.rules.asking import Asking
from robota_nb.core.rules.marks import judge
from robota_nb.core.rules.memory import Contexts
from robota_nb.core.rules.page import Outside, Page
from robota_nb.errors import ReplayMiss
from support.replay import rules
from support.replay.rules import Ask, AskError, Cell, Do, empty, thaw

ASKS = {"ask", "loop", "asks", "py", "retry"}


def digest(text):
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def config_of(pairs):
    return Config(provider="").with_settings(dict(pairs))


def pairs_of(config):
    """Return settings as the rules have them, where each chat has a model."""
    return tuple(sorted({"model": "", **config.settings()}.items()))


def to_core(op):
    if isinstance(op, Ask):
        hand = tuple(core.ByHand(key, over or "", value) for key, over, value in op.hand)
        return core.Answered(chat=op.chat, turn=op.turn, named=op.named, said=op.said, hand=hand, options=op.opts)
    kind = {
        "choose": core.Choose, "set": core.Set, "fork": core.Fork, "undo": core.Undo, "clear": core.Clear,
        "back": core.Back, "drop": core.Drop,
    }[op.op]  # fmt: skip
    fields = {
        "set": lambda key, value: {"key": key, "value": value},
        "fork": lambda source: {"source": source},
        "back": lambda to=0: {"to": to},
        "drop": lambda *turns: {"turns": turns},
    }.get(op.op, dict)
    return kind(chat=op.chat, alone=op.alone, **fields(*op.arg))


def from_core(effect):
    match effect:
        case core.Answered():
            hand = tuple(map(tuple, effect.hand))
            return Ask(effect.turn, effect.chat, effect.named, effect.said, hand, effect.options)
        case core.Set():
            arg = effect.key, effect.value
        case core.Fork():
            arg = (effect.source,)
        case core.Back():
            arg = (effect.to,)
        case core.Drop():
            arg = effect.turns
        case _:
            arg = ()
    return Do(type(effect).__name__.lower(), effect.chat, arg, effect.alone)


def step_to_core(step):
    effects = tuple(map(to_core, step.ops))
    return core.Step(id=step.id, source=step.src, effects=effects, n=step.n, maker=step.who, also=step.also)


def step_from_core(step):
    return rules.Step(step.n, step.maker, step.id, step.source, tuple(map(from_core, step.effects)), step.also)


class Turns(dict):
    """The turns by their ids; if one is changed, all that rests on what turns say is made anew."""

    def __init__(self, kernel, turns):
        super().__init__(turns)
        self.kernel = kernel

    def __setitem__(self, key, turn):
        new = key not in self
        super().__setitem__(key, turn)
        if new:
            self.kernel.add(self.kernel.asking.answers, turn)
        else:
            self.kernel.make_anew()


class Steps:
    """The steps of the page's cells, as the rules have them."""

    def __init__(self, page):
        self.page = page

    def __contains__(self, key):
        return key in self.page.steps

    def __getitem__(self, key):
        return step_from_core(self.page.steps[key])

    def __setitem__(self, key, step):
        self.page.put(key, step_to_core(step))


class Fold:
    """What is remembered at some place, as the rules say it."""

    def __init__(self, kernel, memory):
        self.k, self.memory = kernel, memory
        self.cur, self.said = memory.current, memory.chosen
        self.ctx = {chat: memory.get(chat).context.turns for chat in memory.chats()}

    def context(self, chat):
        return self.ctx.get(chat, ())

    def settings(self, chat):
        return dict(pairs_of(core.of_chat(self.memory, chat, self.k).config))


class Kernel(rules.Kernel):
    """One kernel life. What the core decides is decided by the core; models, files and people are the rules' own."""

    def __init__(self, doc, snap=None, *, ids=True, listing="live", mode="auto", rerun="replay", who=""):
        self.doc, self.ids, self.listing, self.mode, self.rerun, self.who = doc, ids, listing, mode, rerun, who
        self.saved = snap or empty()
        state = thaw(self.saved)
        self.n, self.chats, self.accepts, self.events = (state[key] for key in ("n", "chats", "accepts", "events"))
        self.turns, self.made = Turns(self, state["turns"]), set()
        self.vars, self.live, self.fail, self.used, self.sent, self.log = {}, 0, None, False, [], []
        heads = [turn for head in self.saved["heads"].values() for turn in head]
        self.heads = {turn: at for at, turn in reversed(list(enumerate(heads)))}
        self.clicked_at, clicked = state["clicked"]
        self.contexts = Contexts(self.says)
        self.core = Page(
            self, self.in_order(self.recorded_steps(state["steps"].values())), self.next_n, self.rank,
            listed=bool(listing), maker=who,
        )  # fmt: skip
        self.asking = Asking(page=self.core, answers=self.answers(), record=self, clicked=clicked)
        self.asking.old_pending.update(state["pending"])
        self.core.add_outside(*self.outsides())
        self.look()

    def in_order(self, steps):
        return sorted(steps, key=lambda step: (self.rank(step), step.n))

    def recorded_steps(self, steps):
        return map(step_to_core, steps)

    # -- the record, as the core asks it

    def says(self, turn):
        turn = self.turns[turn]
        return digest(turn.id if turn.purged else f"{turn.text}\0{turn.reply}\0said")

    def first_config(self, chat):
        return config_of(self.chats[chat])

    def start_of(self, chat):
        return self.contexts.start

    def session_of(self, chat):
        return None

    def chat_name(self, chat):
        return chat

    def chat_of(self, turn):
        return self.turns[turn].chat if turn in self.turns else None

    def cell_of(self, turn):
        return self.turns[turn].cell if turn in self.turns else None

    def asked(self, turn):
        return core.Answered(chat=self.turns[turn].chat, turn=turn) if turn in self.turns else None

    def after_of(self, turn):
        return after(self.turns[turn].trail) if turn in self.turns else None

    def has(self, chat):
        return chat in self.chats

    def first_chat(self, session=None):
        return next(iter(self.chats), None)

    def next_n(self):
        self.n += 1
        return self.n

    def rank(self, step):
        return min((self.heads[turn] for turn in step.turns if turn in self.heads), default=len(self.heads))

    def answers(self):
        answers = Answers()
        answers.made = self.made
        for turn in self.turns.values():
            self.add(answers, turn)
        for turn, context, config in self.accepts:
            answers.accept(turn, self.contexts.of(context), config_of(config))
        return answers

    def add(self, answers, turn):
        context, config = self.contexts.of(turn.ctx), config_of(turn.conf)
        answers.add(
            Answer(
                id=turn.id, n=turn.n, chat=turn.chat, context=context, prompt=digest(turn.text), config=config,
                by_cell=turn.by == "cell", is_cut=turn.end != "stop", is_purged=turn.purged,
            )
        )  # fmt: skip

    def outsides(self):
        sent = [(t.n, t.trail, Ask(t.id, t.chat, named=True)) for t in self.turns.values() if t.by == "out"]
        return [self.outside(*one) for one in [*sent, *self.events]]

    def outside(self, n, trail, op):
        context = self.contexts.of(turn for _, turn in trail if turn)
        return Outside(n=n, entry=repr((n, trail, op)), effect=to_core(op), after=after(trail), context=context)

    def make_anew(self):
        self.contexts = Contexts(self.says)
        self.asking.answers = self.answers()
        self.core.renew(*self.outsides())

    # -- the page

    @property
    def steps(self):
        return Steps(self.core)

    @property
    def clicked(self):
        return self.clicked_at, self.asking.clicked

    @clicked.setter
    def clicked(self, clicked):
        self.clicked_at, self.asking.clicked = clicked

    @property
    def pending(self):
        return self.asking.pending

    @property
    def old_pending(self):
        return self.asking.old_pending

    def key(self, cell):
        """Return the front end's id of a cell; where it sends none that last, one that is none."""
        return cell.id if self.ids else f"#{cell.id}"

    def source(self, cell):
        """Return what a step remembers of a cell's source."""
        return cell.src

    def look(self):
        if self.listing:
            shows = [None if cell.shows is None else tuple(cell.shows) for cell in self.doc.cells]
            self.core.list_cells(
                [(self.key(c), self.source(c), shown) for c, shown in zip(self.doc.cells, shows, strict=True)]
            )

    def page(self):
        return self.doc.cells if self.listing else [Cell(cell.key, cell.source) for cell in self.core.cells]

    def shown_by(self, key):
        step = self.core.steps.get(key)
        return list(step.turns) if step else []

    def fold(self, until=None):
        return Fold(self, self.core.end() if until is None else self.core.above(until))

    def trail(self, chat):
        said = self.core.end().get(chat)
        if said is None:
            return ()
        pairs = [(self.core.place_of(turn), turn) for turn in said.context.turns]
        return (*((cell, turn) for cell, turn in pairs if cell), *(((said.cell, None),) if said.cell else ()))

    # -- outside cells

    def panel_chat(self):
        self.look()
        return self.asking.clicked or self.core.end().current or self.first_chat()

    def panel_send(self, x):
        chat, fold = self.panel_chat(), self.fold()
        clicked = {**self.old_pending.get(chat, {}), **self.pending.get(chat, {})}
        settings = tuple(sorted({**fold.settings(chat), **clicked}.items()))
        turn = self.send(chat, fold.context(chat), x, settings, "out", self.trail(chat))
        self.core.add_outside(self.outside(turn.n, turn.trail, Ask(turn.id, chat, named=True)))
        return turn

    def panel_do(self, op):
        chat, fold = self.panel_chat(), self.fold()
        if context := fold.context(chat):
            done = Do("drop", chat, context[-1:]) if op == "undo" else Do("clear", chat)
            event = (self.next_n(), self.trail(chat), done)
            self.events = (*self.events, event)
            self.core.add_outside(self.outside(*event))

    def click_set(self, key, value):
        self.pending[self.panel_chat()][key] = value

    def new(self, name, like, memory=None):
        self.chats[name] = pairs_of(core.of_chat(memory or self.core.end(), like, self).config)

    def accept(self):
        self.look()
        for cell in self.core.cells:
            for judged in judge(self.asking, cell):
                if judged.state == "stale":
                    request = judged.request
                    self.accepts |= {(judged.turn, request.context.turns, pairs_of(request.config))}
                    self.asking.answers.accept(judged.turn, request.context, request.config)

    # -- a cell runs

    def run(self, cell):
        self.look()
        id_ = self.cell_id(cell)
        running = self.core.cell(self.key(cell)) if self.listing else self.core.place(id_, self.source(cell))
        self.asking.mode, self.asking.rerun = self.mode, self.rerun
        self.asking.begin(running, append="--append" in cell.src)
        cell.out, cell.shows = [], []
        failure = None
        try:
            self.lines(cell)
        except AskError as error:
            failure = error
            raise
        finally:
            self.asking.end(failed=failure is not None)

    def ask(self, cell, x, to=None, options=(), *, anew=False, once=False, by="cell"):
        if to and to not in self.chats:
            raise AskError(f"no chat {to}")
        try:
            decision = self.asking.decide(CoreAsk(prompt=digest(x), to=to, options=options, fresh=anew or once))
        except ReplayMiss:
            raise AskError("ReplayMiss") from None
        request, found = decision.request, decision.found
        chat, context, settings = request.chat, request.context.turns, pairs_of(request.config)
        self.log.append((cell.id, "replay" if found else "ask", chat, context, x, settings))
        if found:
            turn = self.turns[found.id]
        else:
            try:
                turn = self.send(chat, context, x, settings, by, record=not once, cell=self.cell_id(cell))
            except AskError:
                self.asking.answered(decision, None)
                raise
        cell.out.append(turn.reply)
        if not once:
            cell.shows.append(turn.id)
            self.asking.answered(decision, turn.id)
            self.used = self.used or chat == self.asking.clicked

    def lines(self, cell):
        asking = self.asking
        for op, *words in map(str.split, cell.src.splitlines()):
            options = dict(zip(words, words[1:], strict=False))
            chat, alone = asking.command_chat()
            memory = asking.running.memory
            if op == "ask":
                model = (("model", options["--model"]),) if "--model" in words else ()
                anew, once = "--fresh" in words, "--once" in words
                self.ask(cell, words[-1], options.get("--chat"), model, anew=anew, once=once)
            elif op == "py":
                self.ask(cell, words[0], anew=True, by="py")
            elif op in ("loop", "asks"):
                for x in words if op == "loop" else self.vars[words[0]]:
                    self.ask(cell, x)
            elif op == "var":
                self.vars[words[0]] = words[1:]
            elif op == "boom":
                raise AskError("boom")
            elif op in ("open", "switch", "fork"):
                name, *settings = words
                if op == "switch" and name not in self.chats:
                    raise AskError(f"no chat {name}")
                if name not in self.chats:
                    self.new(name, chat, memory)
                if op == "fork":
                    asking.did(core.Fork(chat=name, source=chat, alone=alone))
                asking.did(core.Choose(chat=name))
                for key, value in (pair.split("=") for pair in settings):
                    asking.did(core.Set(chat=name, key=key, value=value))
            elif op == "set":
                key, value = words[0].split("=")
                asking.did(core.Set(chat=chat, key=key, value=value, alone=alone))
            elif op == "retry":
                last = core.of_chat(memory, chat, self).context
                if last.size:
                    text = self.turns[last.turn].text
                    asking.did(core.Undo(chat=chat, alone=alone))
                    self.ask(cell, text)
            elif op == "undo":
                asking.did(core.Undo(chat=chat, alone=alone))
            elif op == "clear":
                asking.did(core.Clear(chat=chat, alone=alone))
            elif op == "back":
                asking.did(core.Back(chat=chat, to=int(words[0]), alone=alone))

    # -- what is said of a cell

    def mark(self, cell):
        self.look()
        key = self.key(cell) if self.listing else cell.id
        step = self.core.steps.get(key)
        if step is None or not step.asks:
            return "new" if any(line.split()[0] in ASKS for line in cell.src.splitlines()) else "-"
        outcome = self.asking.outcomes.get(key, "recorded")
        if step.source != self.source(cell):
            return "edited"
        states = []
        for judged in judge(self.asking, self.core.cell(key)):
            why = self.core.position(judged.why) if judged.kind == "cell" else judged.why or None
            states.append(f"stale<{why}" if judged.state == "stale" else judged.state)
        worst = max((state for state in states if state != "fresh"), default=outcome)
        return outcome if outcome == "failed" else worst

    def save(self):
        self.look()
        steps = {rules.name(step): step for step in map(step_from_core, self.core.to_record())}
        clicks = {chat: {**self.old_pending.get(chat, {}), **self.pending.get(chat, {})} for chat in self.chats}
        new = {
            "n": self.n, "turns": dict(self.turns), "chats": self.chats, "steps": steps,
            "accepts": frozenset(self.accepts), "events": self.events,
            "clicked": (self.clicked_at, None) if self.used else self.clicked,
            "pending": {chat: clicked for chat, clicked in clicks.items() if clicked},
            "heads": {chat: self.fold().context(chat) for chat in self.chats},
        }  # fmt: skip
        return thaw(new) if {**new, "n": 0} != {**self.saved, "n": 0} else self.saved


def after(trail):
    """Return the cell that something was done after, outside cells."""
    return trail[-1][0] if trail and trail[-1][1] is None else None
