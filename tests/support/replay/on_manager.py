"""The real manager, driven as the kernel of `support.replay.rules` is: what is written is a snapshot, and read again.

Turns are called as the rules call them; the answers of the provider begin with that.
"""

from dataclasses import replace

from robota_nb.core import ask_flow
from robota_nb.core.inside import ledger_of, runtime_of, view_of
from robota_nb.core.manager import SessionManager
from robota_nb.core.ports import Finish, TextDelta
from robota_nb.core.record import snapshot
from robota_nb.core.record.entries import source_hash
from robota_nb.core.rules import effects as core
from robota_nb.core.rules.marks import judge, mark
from robota_nb.core.turn import Turn
from robota_nb.errors import ChatNotFound, ProviderError, ReplayMiss
from support.replay import rules
from support.replay.on_core import ASKS, from_core
from support.replay.rules import Ask, AskError, Cell

AT = "2026-11-30T09:00:00Z"
NAMES = {}
"""What the rules call a turn, by its id: an id is never used twice."""


class Oracle:
    """The model: it says which answer of the notebook this is, and what it was sent."""

    name = "oracle"

    def __init__(self, kernel):
        self.kernel = kernel

    def default(self):
        return "oracle", ""

    def get(self, name):
        return self

    def stream(self, request):
        kernel = self.kernel
        texts = [message["content"] for message in request.messages]
        asked = texts[::2]
        kernel.live += 1
        said = [f"{x}/{reply.split(':')[0]}" for x, reply in zip(asked, texts[1::2], strict=False)]
        kernel.sent.append((kernel.asks_in, tuple(texts), " ".join([*said, asked[-1]])))
        fail, kernel.fail = kernel.fail, None
        if fail == "error":
            raise ProviderError("provider")
        turn = "once" if kernel.once else f"{len(kernel.turns) + 1}{kernel.who}"
        yield TextDelta(
            f"{turn}:{''.join(asked)}" + (f"@{request.model}" if request.model else "") + ("~" if fail else "")
        )
        if fail:
            raise KeyboardInterrupt
        yield Finish(reason="stop")


class Kernel(rules.Kernel):
    """One kernel life, of the manager. Files and people are the rules' own."""

    def __init__(self, doc, snap=None, *, ids=True, listing="live", mode="auto", rerun="replay", who=""):
        self.doc, self.ids, self.listing, self.mode, self.rerun, self.who = doc, ids, listing, mode, rerun, who
        self.vars, self.live, self.fail, self.sent, self.log = {}, 0, None, [], []
        self.asks_in, self.once, self.known = None, False, {}
        self.manager = SessionManager(providers=Oracle(self), now=lambda: AT)
        if snap is None:
            self.manager.create_session("u", "S").create_chat("main")
        else:
            self.manager.adopt(snapshot.parse(snap["snapshot"]), "u")
        self.saved = snap
        self.runtime.mode, self.runtime.rerun = mode, rerun
        self.page_ = self.ledger.page("u")
        self.look()
        self.saved = snap or self.save()

    ledger = property(lambda self: ledger_of(self.manager))
    runtime = property(lambda self: runtime_of(self.manager))
    session = property(lambda self: self.manager.sessions("u")[0])
    view = property(lambda self: view_of(self.session))
    asking = property(lambda self: self.page_.asking)
    core = property(lambda self: self.page_.page)

    # -- what is recorded, in the words of the rules

    def name(self, chat):
        return chat and self.view.record.chats[chat].name

    def pairs(self, config):
        settings = {key: value for key, value in config.settings().items() if key != "provider"}
        return tuple(sorted({"model": "", **settings}.items()))

    def names(self, context):
        return tuple(NAMES[turn] for turn in context.turns)

    @property
    def chats(self):
        record = self.view.record
        return {c.name: self.pairs(record.config(c.first_config)) for c in record.chats_by_age()}

    @property
    def turns(self):
        record, read = self.view.record, self.page_.record
        for node in sorted(record.nodes.values(), key=lambda node: node.stamp):
            if node.id not in self.known:
                NAMES.setdefault(node.id, record.text(node.id).split(":")[0])
                self.known[node.id] = node
        found = {}
        for node in record.nodes.values():
            answer = read.answer(node)
            purged = answer.is_purged
            found[NAMES[node.id]] = rules.Turn(
                NAMES[node.id], node.stamp.n, self.name(node.chat), () if purged else self.names(answer.context),
                record.text(node.user), record.text(node.id),
                "cell" if answer.by_cell else "py" if node.by else "out", () if purged else self.pairs(answer.config),
                "interrupted" if answer.is_cut else "stop", purged=purged,
            )  # fmt: skip
        return found

    @property
    def made(self):
        return {NAMES[turn] for turn in self.runtime.made if turn in self.view.record.nodes}

    @property
    def accepts(self):
        read = self.page_.record
        return {
            (NAMES[e["turn"]], tuple(NAMES[t] for t in e["context"]), self.pairs(read.states[0].config(e["config"])))
            for e in self.view.record.accepted.values()
        }

    @property
    def steps(self):
        return {key: self.step(step) for key, step in self.core.steps.items()}

    def step(self, step):
        ops = []
        for op in map(from_core, step.effects):
            if isinstance(op, Ask):
                op = replace(op, turn=op.turn and NAMES[op.turn], said=self.name(op.said))
            elif op.op == "fork":
                op = replace(op, arg=(self.name(op.arg[0]),))
            ops.append(replace(op, chat=self.name(op.chat)))
        return rules.Step(step.n, "", step.id, step.source, tuple(ops), step.also)

    def clicks(self, found):
        return {self.name(chat): what for chat, what in found.items()}

    pending = property(lambda self: self.clicks(self.asking.pending))
    old_pending = property(lambda self: self.clicks(self.asking.old_pending))
    clicked = property(lambda self: (0, self.name(self.asking.clicked)))

    @clicked.setter
    def clicked(self, clicked):
        self.asking.clicked = None

    # -- the page

    def key(self, cell):
        return cell.id if self.ids else f"#{cell.id}"

    def look(self):
        if self.listing:
            mine = {name: turn for turn, name in NAMES.items() if turn in self.view.record.nodes}
            real = {**{name: turn for turn, name in NAMES.items()}, **mine}  # an output may show what is not recorded
            self.page_.list_cells(
                [
                    (self.key(c), source_hash(c.src), None if c.shows is None else tuple(real[t] for t in c.shows))
                    for c in self.doc.cells
                ]
            )

    def page(self):
        return self.doc.cells if self.listing else [Cell(cell.key, cell.source) for cell in self.core.cells]

    def shown_by(self, key):
        step = self.core.steps.get(key)
        return [NAMES[turn] for turn in step.turns] if step else []

    def fold(self, until=None):
        return Fold(self, self.core.end() if until is None else self.core.above(until))

    def mark(self, cell):
        self.look()
        found = mark(self.asking, self.core.cell(self.key(cell) if self.listing else cell.id))
        if found is None:
            return "new" if any(line.split()[0] in ASKS for line in cell.src.splitlines()) else "-"
        if found.state != "stale":
            return found.state
        why = found.judged.why
        return f"stale<{self.core.position(why) if found.judged.kind == 'cell' else self.name_or(why) or None}"

    def name_or(self, why):
        return self.name(why) if why in self.view.record.chats else why

    def judge(self, cell):
        return judge(self.asking, self.core.cell(self.key(cell)))

    # -- outside cells

    def panel_chat(self):
        self.look()
        return self.name(self.asking.clicked) or self.name(self.core.end().current) or next(iter(self.chats))

    def panel_send(self, x):
        chat = self.session.chat(self.panel_chat())
        self.asks_in, self.once = chat.name, False
        turn = chat.send(x)
        return self.turns[NAMES.setdefault(turn.id, turn.text.split(":")[0])]

    def panel_do(self, op):
        chat = self.session.chat(self.panel_chat())
        chat.undo() if op == "undo" else chat.clear()

    def click_chat(self, name):
        self.session.switch_to(name) if name in self.chats else self.session.create_chat(name)

    def click_set(self, key, value):
        self.session.chat(self.panel_chat()).configure(**{key: value})

    def purge(self, turn):
        node = next(node for node in self.view.record.nodes.values() if NAMES[node.id] == turn)
        self.turns  # noqa: B018 - keeps its name
        self.ledger.purge(self.view, node)

    def accept(self):
        self.look()
        self.page_.accept()

    # -- a cell runs

    def run(self, cell):
        self.look()
        raw = self.key(cell) if self.listing or self.ids else None
        self.runtime.mode, self.runtime.rerun = self.mode, self.rerun
        self.page_.begin(raw, source_hash(cell.src))
        if "--append" in cell.src:
            self.asking.append()
        cell.out, cell.shows = [], []
        failed = True
        try:
            self.lines(cell)
            failed = False
        finally:
            self.page_.end(failed=failed)

    def ask(self, cell, x, to=None, options=(), *, anew=False, once=False):
        self.once, seen = once, []
        decide = self.page_.decide

        def noting(ask):
            decision = decide(ask)
            request = decision.request
            self.asks_in = self.name(request.chat)
            context, pairs = self.names(request.context), self.pairs(request.config)
            seen.append((cell.id, "replay" if decision.found else "ask", self.asks_in, context, x, pairs))
            self.log.append(seen[0])
            return decision

        self.page_.decide = noting
        try:
            answer = self.answer(x, to, dict(options), anew=anew, once=once)
        finally:
            del self.page_.decide
        try:
            turn = answer if isinstance(answer, Turn) else answer.result()
        except ProviderError:
            raise AskError("provider") from None
        except KeyboardInterrupt:
            turn = answer.turn
        cell.out.append(turn.text)
        if not once:
            cell.shows.append(NAMES.setdefault(turn.id, turn.text.split(":")[0]))

    def answer(self, x, to, options, *, anew, once):
        try:
            return ask_flow.ask(self.manager, x, user_id="u", chat=to, options=options, fresh=anew, once=once)
        except ReplayMiss:
            raise AskError("ReplayMiss") from None
        except ChatNotFound:
            raise AskError(f"no chat {to}") from None

    def code(self, cell, x):
        chat = ask_flow.current_chat(self.manager, "u")
        self.asks_in, self.once = chat.name, False
        request = self.page_.said(chat.id)
        self.log.append((cell.id, "ask", chat.name, self.names(request.context), x, self.pairs(chat.config)))
        try:
            turn = chat.send(x)
        except ReplayMiss:
            raise AskError("ReplayMiss") from None
        except ProviderError:
            raise AskError("provider") from None
        except KeyboardInterrupt:
            turn = chat.turns[-1]
        cell.out.append(turn.text)
        cell.shows.append(NAMES.setdefault(turn.id, turn.text.split(":")[0]))

    def lines(self, cell):
        for op, *words in map(str.split, cell.src.splitlines()):
            given = dict(zip(words, words[1:], strict=False))
            if op == "ask":
                model = {"model": given["--model"]} if "--model" in words else {}
                anew, once = "--fresh" in words, "--once" in words
                self.ask(cell, words[-1], given.get("--chat"), model, anew=anew, once=once)
            elif op == "py":
                self.code(cell, words[0])
            elif op in ("loop", "asks"):
                for x in words if op == "loop" else self.vars[words[0]]:
                    self.ask(cell, x)
            elif op == "var":
                self.vars[words[0]] = words[1:]
            elif op == "boom":
                raise AskError("boom")
            elif op in ("open", "switch", "fork", "set", "retry", "undo", "clear", "back"):
                getattr(self, op)(cell, ask_flow.current_chat(self.manager, "u"), *words)

    def open(self, cell, chat, name, *settings):
        found = name in self.chats
        chosen = self.session.switch_to(name) if found else self.session.create_chat(name)
        chosen.configure(**dict(pair.split("=") for pair in settings))

    def switch(self, cell, chat, name):
        if name not in self.chats:
            raise AskError(f"no chat {name}")
        self.session.switch_to(name)

    def fork(self, cell, chat, name):
        chat.fork(name)

    def set(self, cell, chat, pair):
        chat.configure(**dict([pair.split("=")]))

    def retry(self, cell, chat):
        if chat.turns:
            text = chat.turns[-1].prompt.content
            self.page_.did(core.Undo(chat=chat.id))
            self.ask(cell, text)

    def undo(self, cell, chat):
        self.page_.did(core.Undo(chat=chat.id))

    def clear(self, cell, chat):
        chat.clear()

    def back(self, cell, chat, to):
        self.page_.did(core.Back(chat=chat.id, to=int(to)))

    # -- the file

    def save(self):
        self.look()
        self.manager.flush("u")
        new = {"snapshot": self.manager.snapshot("u"), "turns": self.turns, "n": 0}
        return new if self.saved is None or new["snapshot"] != self.saved["snapshot"] else self.saved

    @staticmethod
    def merge(a, b):
        both = snapshot.merge(snapshot.parse(a["snapshot"]), snapshot.parse(b["snapshot"]))
        return {"snapshot": snapshot.dump(both), "turns": {**a["turns"], **b["turns"]}, "n": 0}


class Fold:
    """What is remembered at some place, as the rules say it."""

    def __init__(self, kernel, memory):
        self.k, self.memory = kernel, memory
        self.cur, self.said = kernel.name(memory.current), kernel.name(memory.chosen)
        self.ctx = {kernel.name(chat): kernel.names(memory.get(chat).context) for chat in memory.chats()}

    def context(self, chat):
        return self.ctx.get(chat, ())

    def settings(self, chat):
        found = self.k.session.chat(chat).id
        return dict(self.k.pairs(core.of_chat(self.memory, found, self.k.page_.record).config))
