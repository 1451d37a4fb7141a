"""The rules of docs/replay.md as a program, which the core is compared with; it uses nothing of the package.

What you read on the page is what the model sees. A cell's source is a mini language, one command a line:
  ask [--chat C] [--model M] [--fresh] [--once] [--append] X | loop X Y… | asks VAR | var NAME X Y… | py X
  open C [k=v]… | switch C | fork C | set k=v… | undo | clear | back N (to the N-th turn) | retry | boom (an error)
A live reply reads "<id>:<prompts of the context><prompt>[@model]", so order and context can be seen in it.
"""

import copy
import itertools
import re
from dataclasses import dataclass, field, replace


class AskError(Exception):
    pass


# -- the page: what the front end has


@dataclass
class Cell:
    id: str
    src: str
    out: list = field(default_factory=list)  # what its output shows
    shows: list | None = None  # the turns that its output says it shows; None: there is no output
    memo: tuple | None = None  # what the oracle of page_fuzz.py has seen it do


class Document:
    def __init__(self, *sources):
        self.serial, self.cells = itertools.count(), []
        for s in sources:
            self.insert(len(self.cells), s)

    def insert(self, at, src):
        self.cells.insert(at, Cell(f"i{next(self.serial)}", src))

    def edit(self, at, src):
        self.cells[at].src = src

    def delete(self, at):
        return self.cells.pop(at)

    def move(self, a, b):  # also cut & paste: JupyterLab keeps the id
        self.cells.insert(b, self.cells.pop(a))

    def copy(self, a, b):  # copy & paste: a new id, the same output
        self.cells.insert(b, replace(copy.deepcopy(self.cells[a]), id=f"i{next(self.serial)}"))

    def strip(self):  # clear all outputs
        for c in self.cells:
            c.out, c.shows = [], None

    def renumber(self):  # what nbstripout does
        for n, c in enumerate(self.cells):
            c.id = str(n)


# -- the record: immutable facts, and what each cell did last


@dataclass(frozen=True)
class Turn:
    """`ctx` is all that was sent before it; in the file `context`, only if that is not what the `parent` followed."""

    id: str
    n: int
    chat: str
    ctx: tuple
    text: str
    reply: str
    by: str  # "cell", "py" (Python code in a cell) or "out" (outside cells); only "cell" ever answers an ask
    conf: tuple  # the settings it was asked with
    end: str = "stop"
    trail: tuple = ()  # "out": the (cell, turn) pairs it stands after, the last first choice
    cell: str | None = None  # the id of the cell that asked
    purged: bool = False


@dataclass(frozen=True)
class Ask:  # an effect: the turn that stands as the answer to a cell's ask
    turn: str | None  # None: it failed
    chat: str
    named: bool = False  # by --chat
    said: str | None = None  # the chat that commands above had chosen then
    hand: tuple = ()  # what was clicked for it: (key, over, value), good while the page above gives `over`
    opts: tuple = ()  # settings for this ask alone


@dataclass(frozen=True)
class Do:  # any other effect
    op: str
    chat: str
    arg: tuple = ()
    alone: bool = False  # no chat was named or asked above, so this is the one it was for


@dataclass(frozen=True)
class Step:  # what a cell did when it ran last; a register for each cell, written only if it differs
    n: int
    who: str
    id: str | None
    src: str
    ops: tuple
    also: tuple = ()  # the ids under which the cell stood before it was cut and pasted


def name(step):
    return f"{step.id or '#'}.{step.n}{step.who}"


def heir(step, cid):
    return step.also if step.id in (None, cid) else (*step.also, step.id)


def asked(step):
    return [o.turn for o in step.ops if isinstance(o, Ask) and o.turn]


def empty():
    return {
        "n": 0,
        "turns": {},
        "chats": {"main": (("model", ""),)},
        "steps": {},
        "accepts": frozenset(),
        "events": (),
        "clicked": (0, None),
        "pending": {},
        "heads": {},
    }


def thaw(snap):
    return {
        k: {c: dict(p) for c, p in v.items()} if k == "pending" else dict(v) if isinstance(v, dict) else v
        for k, v in snap.items()
    }


def merge(a, b):  # a union; of one register, the latest
    turns = {
        k: max((s["turns"][k] for s in (a, b) if k in s["turns"]), key=lambda t: t.purged)
        for k in {**a["turns"], **b["turns"]}
    }
    pick = lambda k, which: {
        c: which((s[k][c] for s in (a, b) if c in s[k]), key=repr)
        for c in sorted({**a[k], **b[k]}, key=lambda c: (c != "main", c))  # the first chat stays the first
    }
    return {
        "n": max(a["n"], b["n"]),
        "turns": dict(sorted(turns.items())),
        "chats": pick("chats", min),
        "steps": pick("steps", max),
        "accepts": a["accepts"] | b["accepts"],
        "events": tuple(sorted({*a["events"], *b["events"]}, key=repr)),
        "clicked": max(a["clicked"], b["clicked"], key=repr),
        "pending": pick("pending", max),
        "heads": pick("heads", max),
    }


class State:
    """The fold of the page down to some place."""

    def __init__(self, k):
        self.k, self.ctx, self.conf, self.at = k, {}, {}, {}  # at: turn -> the cell it stands in
        self.cur = self.said = None  # the chat the page is in, and the one that commands chose
        self.cells = {}  # chat -> the last cell that did something to it

    def context(self, chat):
        return self.ctx.get(chat, ())

    def settings(self, chat):
        return self.conf.get(chat, dict(self.k.chats[chat]))

    def do(self, op, key):
        self.cells[op.chat] = key
        ctx = self.context(op.chat)
        if isinstance(op, Ask):
            self.conf[op.chat] = with_hand(self.settings(op.chat), op.hand)
            if not op.named:
                self.cur = op.chat
            if op.turn and self.k.turns[op.turn].chat == op.chat:  # a forged step brings no other chat's text in
                self.ctx[op.chat] = (*ctx, op.turn)
                self.at[op.turn] = key
        elif op.op == "set":
            self.conf[op.chat] = {**self.settings(op.chat), op.arg[0]: op.arg[1]}
        elif op.op == "choose":
            self.cur = self.said = op.chat
        elif op.op == "fork":  # arg: from which chat
            self.ctx[op.chat], self.conf[op.chat] = self.context(op.arg[0]), self.settings(op.arg[0])
        elif op.op == "drop":  # the panel took turns back
            self.ctx[op.chat] = tuple(t for t in ctx if t not in op.arg)
        else:
            self.ctx[op.chat] = {"undo": ctx[:-1], "clear": (), "back": ctx[: (*op.arg, 0)[0]]}[op.op]


def with_hand(conf, hand):
    return {**conf, **{key: val for key, over, val in hand if conf.get(key) == over}}


class Kernel:
    """One kernel life: starts from a record and a page, runs cells."""

    merge = staticmethod(merge)

    def __init__(self, doc, snap=None, ids=True, listing="live", mode="auto", rerun="replay", who=""):  # noqa: PLR0917
        self.doc, self.ids, self.listing, self.mode, self.rerun, self.who = doc, ids, listing, mode, rerun, who
        self.saved = snap or empty()
        s = thaw(self.saved)
        self.n, self.turns, self.chats, self.accepts, self.events = (
            s["n"],
            s["turns"],
            s["chats"],
            s["accepts"],
            s["events"],
        )
        self.clicked, self.old_pending, self.pending = s["clicked"], s["pending"], {}
        self.steps, self.before = {}, {}  # cell -> its Step; of a running cell, the one before
        self.orphans = dict(s["steps"])  # recorded steps that no cell has taken yet
        self.order, self.here, self.made = (
            [],
            {},
            set(),
        )  # without a document: the cells; how each cell ended here; turns made here
        self.vars, self.live, self.fail, self.used, self.sent, self.log = {}, None, None, False, [], []
        self.recorded = {}
        if (
            not self.listing
        ):  # the recorded page, in the order of the conversation, as far as nothing of it was run here
            for key, st in sorted(self.orphans.items(), key=lambda kv: self.rank(kv[1])):
                self.order.append(Cell(st.id or key, st.src))
                self.steps[st.id or key] = self.orphans.pop(key)
            self.recorded = dict(self.steps)
        self.look()
        self.live = 0

    def rank(self, step):
        path = [t for h in self.saved["heads"].values() for t in h]
        return min(
            (path.index(o.turn) for o in step.ops if isinstance(o, Ask) and o.turn in path), default=len(path)
        ), step.n

    def cell_id(self, cell):  # a plain number is no id
        return cell.id if self.ids and not re.fullmatch(r"\d+", cell.id) else None

    def page(self):
        return self.doc.cells if self.listing else self.order

    def look(self):
        """Give each cell that did not run here the step that is recorded of it: by id, else output, else source."""
        if all(c.id in self.steps for c in self.page()):
            return
        here = {c.id for c in self.page()}
        for key in [key for key in self.steps if key not in here]:  # deleted, or cut and pasted under another id
            step = self.steps.pop(key)
            self.orphans[name(step)] = step
        bare = lambda c, s: c.shows is None and not (s.id and self.cell_id(c))  # no ids then or now
        for fits in (
            lambda c, s: s.id and s.id == self.cell_id(c),
            lambda c, s: bool(c.shows) and c.shows == asked(s) and s.id not in here,
            lambda c, s: bare(c, s) and s.src == c.src,
        ):
            for c in (c for c in self.page() if c.id not in self.steps):
                if found := [k for k, s in self.orphans.items() if fits(c, s)]:
                    best = lambda k, s: (
                        asked(s) == c.shows,
                        s.src == c.src,
                        -self.rank(s)[0],
                        s.n if s.id else -s.n,
                        k,
                    )
                    step = self.orphans.pop(max(found, key=lambda k: best(k, self.orphans[k])))
                    if (
                        self.live is not None and self.cell_id(c) and step.id != self.cell_id(c)
                    ):  # pasted in this kernel's life
                        self.n += 1
                        step = replace(
                            step, n=self.n, who=self.who, id=self.cell_id(c), also=heir(step, self.cell_id(c))
                        )
                    self.steps[c.id] = step
        stand = {t for c in self.page() for t in self.shown_by(c.id)}
        for c in (
            c for c in self.page() if c.id not in self.steps and c.shows
        ):  # its output is all that is known of it
            mine = [
                t
                for t in c.shows
                if t in self.turns and t not in stand and self.turns[t].cell not in here | self.heirs().keys() - {None}
            ]
            if mine:
                stand |= set(mine)
                self.steps[c.id] = Step(0, "", self.cell_id(c), c.src, tuple(Ask(t, self.turns[t].chat) for t in mine))

    def heirs(self):
        """Former ids of the page's cells, and the ids they have now."""
        return {
            old: c.id
            for c in self.page()
            if c.id in self.steps
            for old in (*self.steps[c.id].also, self.steps[c.id].id)
        }

    def shown_by(self, key):
        return asked(self.steps[key]) if key in self.steps else []

    # -- the fold

    def fold(self, until=None, skip=frozenset()):
        """The page above the cell `until` and what that cell did so far; the whole page if None."""
        st, cells = State(self), [c for c in self.page() if c.id not in skip]
        stop = next((i for i, c in enumerate(cells) if c.id == until), len(cells) - 1)
        after = self.anchors(cells)
        self.outside(st, after.get(None, ()))
        for i, c in enumerate(cells[: stop + 1]):
            for op in self.steps[c.id].ops if c.id in self.steps else ():
                st.do(op, c.id)
            if i < stop or until is None:
                self.outside(st, after.get(c.id, ()))
        return st

    def anchors(self, cells):
        """What was done outside cells stands after the cell it followed; if that is gone, after the nearest left."""
        on, out = {c.id: c.id for c in cells}, {}
        on = {**{old: new for old, new in self.heirs().items() if new in on}, **on}
        at = {t: c.id for c in cells for t in self.shown_by(c.id)}
        for n, trail, op in sorted(
            [(t.n, t.trail, Ask(t.id, t.chat, named=True)) for t in self.turns.values() if t.by == "out"]
            + list(self.events),
            key=lambda e: (e[0], repr(e)),
        ):
            where = next((on[key] if key in on else at[t] for key, t in reversed(trail) if key in on or t in at), None)
            out.setdefault(where, []).append(op)
        return out

    def outside(self, st, ops):
        for op in ops:
            last = st.cells.get(op.chat)
            st.do(op, last)

    # -- an ask

    def face(self, t):  # equal if they read equal; a purged turn is only itself
        t = self.turns[t]
        return t.id if t.purged else (t.text, t.reply)

    def same(self, a, b):
        return len(a) == len(b) and all(x == y or self.face(x) == self.face(y) for x, y in zip(a, b))

    def answers(self, t, chat, ctx, x, conf):
        """Whether a recorded turn is the answer to this request."""
        return (
            t.by == "cell"
            and t.chat == chat
            and not t.purged
            and t.text == x
            and (t.end == "stop" or t.id not in self.made and any(t.id in u.ctx for u in self.turns.values()))
            and (
                t.conf == conf
                and self.same(t.ctx, ctx)
                or any(a == t.id and c == conf and self.same(b, ctx) for a, b, c in self.accepts)
            )
        )

    def chat_of(self, st, cell, old):
        if old and not old.named and (old.said == st.said or not st.cur) and old.chat in self.chats:
            return (
                old.chat
            )  # an ask that has an answer stays in its chat, unless the page above says another one than then
        below = [
            o
            for c in self.page()[self.index(cell) :]
            if c.id in self.steps and c is not cell
            for o in self.steps[c.id].ops
            if isinstance(o, Ask) and not o.named and not o.said
        ]
        return self.clicked[1] or st.cur or (below[0].chat if below else next(iter(self.chats)))

    def index(self, cell):
        return next((i for i, c in enumerate(self.page()) if c.id == cell.id), 0)

    def request(self, st, cell, old, to, opts, anew=False):  # noqa: PLR0917
        """All that decides: chat, context, settings, what was clicked for it; `anew`: it is asked, whatever stands."""
        chat = to or self.chat_of(st, cell, old)
        if chat not in self.chats:
            raise AskError(f"no chat {chat}")
        base = st.settings(chat)
        conf = with_hand(base, old.hand) if old and old.chat == chat else base
        conf = {
            **conf,
            **({} if old and old.turn and not anew else self.old_pending.get(chat, {})),
            **self.pending.get(chat, {}),
        }
        hand = tuple((k, base.get(k), v) for k, v in sorted(conf.items()) if base.get(k) != v)
        return chat, st.context(chat), tuple(sorted({**conf, **dict(opts)}.items())), hand

    def ask(self, cell, k, x, to=None, opts=(), fresh=False, once=False, by="cell"):  # noqa: PLR0917
        asks = [o for o in self.before[cell.id].ops if isinstance(o, Ask)] if cell.id in self.before else []
        old = asks[k] if k < len(asks) else None
        again = self.rerun == "ask" and cell.id in self.here and old and old.turn and self.turns[old.turn].text == x

        def find():
            if fresh or once or again or by == "py" or self.mode == "off":
                return None
            there = [t for t in self.turns.values() if t.id not in st.at and self.answers(t, chat, ctx, x, conf)]
            stand = {t for c in self.page() if c.id != cell.id for t in self.shown_by(c.id)}
            return max(
                there, default=None, key=lambda t: (bool(old) and t.id == old.turn, t.id not in stand, t.n, t.id)
            )

        found, tries = None, [self.unrun(cell), frozenset()] if not self.listing else [frozenset()]
        for skip in reversed(
            tries
        ):  # without a document: with what is recorded above, and not run here; else without it
            st = self.fold(cell.id, skip)
            chat, ctx, conf, hand = self.request(st, cell, old, to, opts)
            found = find()
            if found or not any(c in self.recorded for c in self.here):
                break
        if not found and self.old_pending.get(chat):  # it is asked anyway: what was clicked before the restart counts
            chat, ctx, conf, hand = self.request(st, cell, old, to, opts, anew=True)
            found = find()
        said = Ask(None, chat, bool(to), st.said, hand, opts)
        at = self.steps[cell.id]
        self.steps[cell.id] = replace(at, ops=(*at.ops, said))  # also if it fails: it stays in its chat
        self.log.append((cell.id, "replay" if found else "ask", chat, ctx, x, conf))
        if not found:
            if self.mode == "strict":
                raise AskError("ReplayMiss")
            found = self.send(chat, ctx, x, conf, by, record=not once, cell=self.cell_id(cell))
        elif skip == frozenset() and not self.listing:
            self.here.setdefault(cell.id, "replayed")
        cell.out.append(found.reply)
        if once:
            self.steps[cell.id] = at
            return
        cell.shows.append(found.id)
        self.steps[cell.id] = replace(at, ops=(*at.ops, replace(said, turn=found.id)))
        self.pending.pop(chat, None)
        self.used = self.used or chat == self.clicked[1]
        if hand or self.log[-1][1] == "ask":  # an ask that is sent has used what was clicked
            self.old_pending.pop(chat, None)

    def unrun(self, cell):
        return frozenset(c.id for c in self.order if c.id not in self.here and c.id != cell.id)

    def messages(self, ctx):
        return [m for t in map(self.turns.get, ctx) if not t.purged for m in (t.text, t.reply)]

    def send(self, chat, ctx, x, conf, by, trail=(), record=True, cell=None):  # noqa: PLR0917
        self.live += 1
        self.sent.append(
            (
                chat,
                (*self.messages(ctx), x),
                " ".join([*(f"{self.turns[t].text}/{t}" for t in ctx if not self.turns[t].purged), x]),
            )
        )
        fail, self.fail = self.fail, None
        if fail == "error":
            raise AskError("provider")
        self.n += record
        tid = f"{len(self.turns) + 1}{self.who}" if record else "once"
        m = dict(conf).get("model")
        t = Turn(
            tid,
            self.n,
            chat,
            ctx,
            x,
            f"{tid}:{''.join(self.turns[t].text for t in ctx)}{x}{'@' + m if m else ''}",
            by,
            conf,
            trail=trail,
            cell=cell,
        )
        t = replace(t, end=fail, reply=t.reply + "~") if fail else t
        if record:
            self.turns[tid] = t
            self.made.add(tid)
        return t

    # -- outside cells: the panel, threads, the terminal's other hands

    def panel_chat(self):
        self.look()
        st = self.fold()
        return self.clicked[1] or st.cur or next(iter(self.chats))

    def trail(self, st, chat):
        return (
            *((st.at[t], t) for t in st.context(chat) if st.at.get(t)),
            *(((st.cells[chat], None),) if st.cells.get(chat) else ()),
        )

    def panel_send(self, x):
        chat, st = self.panel_chat(), self.fold()
        conf = tuple(
            sorted({**st.settings(chat), **self.old_pending.get(chat, {}), **self.pending.get(chat, {})}.items())
        )
        return self.send(chat, st.context(chat), x, conf, "out", self.trail(st, chat))

    def panel_do(self, op):
        """Undo (take the last turn out of memory) or clear."""
        chat, st = self.panel_chat(), self.fold()
        if ctx := st.context(chat):
            self.n += 1
            self.events = (
                *self.events,
                (self.n, self.trail(st, chat), Do("drop", chat, ctx[-1:]) if op == "undo" else Do("clear", chat)),
            )

    def click_chat(self, name):
        if name not in self.chats:
            self.new(name, self.panel_chat())
        self.n += 1
        self.clicked, self.used = (self.n, name), False

    def click_set(self, key, val):
        self.pending.setdefault(self.panel_chat(), {})[key] = val

    def new(self, name, like, st=None):
        self.chats[name] = tuple(sorted((st or self.fold()).settings(like).items()))

    def purge(self, tid):
        self.turns[tid] = replace(self.turns[tid], text="", reply="", purged=True)

    def accept(self):
        """`%robota replay accept`: let the stale answers stand for what the page asks now, as `make -t`."""
        self.look()
        for c in self.page():
            for t, ctx, conf, state in self.judge(c):
                if state.startswith("stale"):
                    self.accepts |= {(t, ctx, conf)}

    # -- a cell runs

    def run(self, cell):
        if not self.listing:
            cell = self.place(cell)
        self.look()
        was = self.steps.get(cell.id)
        keep = ()
        append = self.rerun == "append" or "--append" in cell.src
        if was and append and (was.src != cell.src or cell.id in self.here):
            keep = was.ops  # an input line: what it asked before stays above it
        self.before[cell.id] = replace(was, ops=was.ops[len(keep) :]) if was else Step(0, "", None, "", ())
        if was and append and not keep:  # an unchanged one shows its last answer
            last = next((i for i in reversed(range(len(was.ops))) if isinstance(was.ops[i], Ask)), 0)
            keep, self.before[cell.id] = was.ops[:last], replace(was, ops=was.ops[last:])
        self.steps[cell.id], self.kept = (
            Step(0, self.who, self.cell_id(cell), cell.src, keep, heir(was, self.cell_id(cell)) if was else ()),
            len(keep),
        )
        cell.out, cell.shows = [], []
        live = self.live
        try:
            self.lines(cell, itertools.count())
            self.here[cell.id] = "asked" if self.live > live else "replayed"
        except AskError as e:
            self.here[cell.id] = "failed"
            if str(e) == "ReplayMiss":  # strict changes nothing: what is recorded of the cell stays in memory
                self.steps[cell.id] = was or replace(self.steps[cell.id], ops=())
            raise
        finally:
            at = self.steps[cell.id]
            same = was and (was.id, was.src, was.ops) == (at.id, at.src, at.ops)
            new = not same and (was or at.ops)  # a cell that never did anything here leaves no trace
            self.n += bool(new)
            self.steps[cell.id] = was if same else replace(at, n=self.n if new else 0)
            self.before.clear()

    def place(
        self, cell
    ):  # no document: a cell's place is where it ran first; without an id, what is recorded next with its source
        known = next(
            (
                c
                for c in self.order
                if self.cell_id(cell) == c.id or not self.cell_id(cell) and c.src == cell.src and c.id not in self.here
            ),
            None,
        )
        if known is None:
            at = 1 + max((i for i, c in enumerate(self.order) if c.id in self.here), default=len(self.order) - 1)
            known = Cell(self.cell_id(cell) or f"run{len(self.order)}-{self.n}", cell.src)
            self.order.insert(at, known)
        known.src, known.out, known.shows = cell.src, [], []
        cell.out, cell.shows = known.out, known.shows
        return _Alias(cell, known.id)

    def lines(self, cell, ks):
        for op, *a in map(str.split, cell.src.splitlines()):
            st = self.fold(cell.id)
            here, alone = (lambda: st.cur or self.chat_of(st, cell, self.was_here(cell, st))), st.cur is None
            if op == "ask":
                opt = dict(zip(a, a[1:]))
                self.ask(
                    cell,
                    next(ks),
                    a[-1],
                    opt.get("--chat"),
                    (("model", opt["--model"]),) if "--model" in a else (),
                    "--fresh" in a,
                    "--once" in a,
                )
            elif op == "py":
                self.ask(cell, next(ks), a[0], by="py")
            elif op in ("loop", "asks"):
                for x in a if op == "loop" else self.vars[a[0]]:
                    self.ask(cell, next(ks), x)
            elif op == "var":
                self.vars[a[0]] = a[1:]
            elif op == "boom":
                raise AskError("boom")
            elif op in ("open", "switch", "fork"):
                if op == "fork":
                    self.effect(cell, Do("fork", a[0], (here(),), alone))
                if a[0] not in self.chats:
                    if op == "switch":
                        raise AskError(f"no chat {a[0]}")
                    self.new(a[0], here(), st)
                self.effect(cell, Do("choose", a[0]))
                self.clicked = (self.clicked[0], None) if self.clicked[1] else self.clicked
                for kv in a[1:]:
                    self.set(cell, a[0], kv)
            elif op == "set":
                self.set(cell, here(), a[0], alone)
            elif op == "retry":
                last = st.context(here())[-1:]
                if last:
                    self.effect(cell, Do("undo", here(), (), alone))
                    self.ask(cell, next(ks), self.turns[last[0]].text)
            elif op in ("undo", "clear", "back"):
                self.effect(cell, Do(op, here(), tuple(map(int, a)), alone))

    def set(self, cell, chat, pair, alone=False):
        """A setting that a cell says, with whichever command, is no longer what was clicked."""
        key, value = pair.split("=")
        self.pending.get(chat, {}).pop(key, None)
        self.effect(cell, Do("set", chat, (key, value), alone))

    def was_here(self, cell, st):
        """The effect that the cell had at this point when it ran before, as an ask if it tells the chat of this one."""
        done, ops = len(self.steps[cell.id].ops) - self.kept, self.before[cell.id].ops
        old = ops[done] if done < len(ops) else None
        return (
            Ask(None, old.arg[0] if old.op == "fork" else old.chat)
            if isinstance(old, Do) and old.alone
            else old
            if isinstance(old, Ask)
            else None
        )

    def effect(self, cell, op):
        self.steps[cell.id] = replace(self.steps[cell.id], ops=(*self.steps[cell.id].ops, op))

    # -- what the kernel tells the front end

    def judge(self, cell):
        """Of each ask of a cell: its turn, the request the page would make now, and its state."""
        step, out = self.steps.get(cell.id), []
        for i, op in enumerate(step.ops if step else ()):
            if isinstance(op, Ask) and op.turn:
                ops, self.steps[cell.id] = step, replace(step, ops=step.ops[:i])
                st, t = self.fold(cell.id), self.turns[op.turn]
                self.steps[cell.id] = ops
                chat, ctx, conf, _ = self.request(st, cell, op, op.chat if op.named else None, op.opts)
                if chat != t.chat:
                    state = f"stale<{chat}"
                elif t.purged:
                    state = "purged"
                elif t.end != "stop" and not self.answers(t, chat, ctx, t.text, conf):
                    state = "cut"
                elif t.by == "py" or self.answers(t, chat, ctx, t.text, conf):
                    state = "out" if t.id not in self.fold().context(chat) else ""
                elif not self.same(t.ctx, ctx):
                    known = [t.ctx, *(b for a, b, _ in self.accepts if a == t.id)]
                    first = max(
                        next(
                            (i for i, (x, y) in enumerate(zip(b, ctx)) if not self.same((x,), (y,))),
                            min(len(b), len(ctx)),
                        )
                        for b in known
                    )
                    why = st.at.get(ctx[first]) if first < len(ctx) else "gone"
                    state = f"stale<{next((i for i, c in enumerate(self.page()) if c.id == why), why)}"
                else:
                    state = "stale<" + next(k for k, v in conf if dict(t.conf).get(k) != v)
                out.append((t.id, ctx, conf, state))
        return out

    def mark(self, cell):
        """One word for a cell; `stale<2` says which cell above is why."""
        self.look()
        step = self.steps.get(cell.id)
        if not step or not any(isinstance(o, Ask) for o in step.ops):
            return "new" if re.search(r"^(ask|loop|asks|py|retry)", cell.src, re.M) else "-"
        if step.src != cell.src:
            return "edited"
        if self.here.get(cell.id) == "failed":
            return "failed"
        states = [s for *_, s in self.judge(cell)]
        return next(filter(None, sorted(states, reverse=True)), self.here.get(cell.id, "recorded"))

    def save(self):
        """What is recorded; what was there itself if nothing has changed: a kernel that only replays writes nothing."""
        self.look()
        ran = {s.id for s in self.steps.values()} - {None}
        steps = {
            name(s): s
            for s in (*(s for s in self.orphans.values() if s.id not in ran), *self.steps.values())
            if s.ops or s.n
        }
        pending = {c: p for c in self.chats if (p := {**self.old_pending.get(c, {}), **self.pending.get(c, {})})}
        new = {
            "n": self.n,
            "turns": self.turns,
            "chats": self.chats,
            "steps": steps,
            "accepts": self.accepts,
            "events": self.events,
            "clicked": (self.clicked[0], None) if self.used else self.clicked,
            "pending": pending,
            "heads": {c: self.fold().context(c) for c in self.chats},
        }
        return thaw(new) if {**new, "n": 0} != {**self.saved, "n": 0} else self.saved


class _Alias:  # a cell of the page under the key that the kernel knows it by
    def __init__(self, cell, key):
        self.__dict__.update(cell=cell, id=key)

    def __getattr__(self, name):
        return getattr(self.cell, name)

    def __setattr__(self, name, value):
        setattr(self.cell, name, value)
