"""Random histories of a notebook, told to a kernel: that of the rules, or the core.

P1 every request's messages are what the page above shows (a naive oracle of its own: it reads the cells' outputs)
P2 Restart + Run All, Run All again in that kernel, strict Restart + Run All: the last two send and write nothing
P3 an ask is live if and only if no answer to that very request is recorded that does not stand above already
P4 after Run All the log's order is the page's
P5 nothing recorded is lost
P6 merge commutes, and is idempotent and associative
P7 a restart changes nothing of what any cell would send
"""

import collections
import copy
import random

from support.replay.rules import AskError, Do, Document


class Oracle:
    """Reads the page: of each cell what it did, as its output says (`memo`); of the panel, what it shows."""

    def __init__(self):
        self.askers = {}  # turn -> the id of the cell that asked it
        self.panel = []  # (trail of cell ids, effect)

    def read(self, cells, until, before=()):
        """What is in each chat's memory above the cell `until`, in it after `before`: [(prompt, reply, cell, turn)]."""
        mem, last, ids = collections.defaultdict(list), {}, [c.id for c in cells]
        own = {e[4] for c in cells if (m := c.memo) and m[0] == "ran" for e in m[1] if e[0] == "ask"}

        at = {
            e[4]: c.id
            for c in cells
            if c.memo
            for e in c.memo[1]
            if e[0] == "ask" and (c.memo[0] == "ran" or e[4] not in own)
        }

        def do(e, cid):
            if e[0] == "ask":
                mem[e[3]].append((e[1], e[2], cid, e[4]))
            elif e[1] == "fork":
                mem[e[2]] = list(mem[e[3][0]])
            elif e[1] == "undo":
                mem[e[2]] = mem[e[2]][:-1]
            elif e[1] == "clear":
                mem[e[2]] = []
            elif e[1] == "back":
                mem[e[2]] = mem[e[2]][: e[3][0]]
            elif e[1] == "drop":
                mem[e[2]] = [x for x in mem[e[2]] if x[3] not in e[3]]
            if cid:
                last[e[2] if e[0] == "do" else e[3]] = cid

        def outside(where):
            for trail, e in self.panel:
                if (
                    next((cid if cid in ids else at[t] for cid, t in reversed(trail) if cid in ids or t in at), None)
                    == where
                ):
                    do(e, last.get(e[2] if e[0] == "do" else e[3]))

        outside(None)
        for c in cells:
            if c.id == until:
                for e in before:
                    do(e, c.id)
                return mem, last
            kind, memo = c.memo or ("ran", [])
            for e in memo:
                if kind == "ran" or e[0] == "ask" and e[4] not in own and self.askers.get(e[4]) not in ids:
                    do(e, c.id)
                    own.add(e[4]) if kind != "ran" else None
            outside(c.id)
        return mem, last

    def trail(self, cells, chat):
        mem, last = self.read(cells, None)
        return [(x[2], x[3]) for x in mem[chat] if x[2]] + ([(last[chat], None)] if chat in last else [])


def memo(k, cell):
    out = []
    for o in k.steps[cell.id].ops if cell.id in k.steps else ():
        if isinstance(o, Do):
            out.append(("do", o.op, o.chat, o.arg))
        elif o.turn:
            t = k.turns[o.turn]
            out.append(("ask", t.text, t.reply, o.chat, t.id))
        else:
            out.append(("do", "failed", o.chat, ()))
    return out


class World:
    """A notebook and the kernel that runs it; `bad` is what does not hold, `seen` what could be seen at each step."""

    def __init__(self, kernel, doc, snap=None, who=""):
        self.kernel, self.doc, self.who, self.oracle, self.bad, self.seen = kernel, doc, who, Oracle(), [], []
        self.k = kernel(doc, snap, who=who)

    def look(self):
        """Note all that can be seen: cells and outputs, requests, marks, logs, and what was clicked."""
        k, cells = self.k, self.doc.cells
        k.look()
        clicked = [{chat: dict(what) for chat, what in found.items() if what} for found in (k.pending, k.old_pending)]
        logs = {chat: k.fold().context(chat) for chat in k.chats}
        shown = [(c.id, c.src, list(c.out), c.shows and list(c.shows)) for c in cells]
        self.seen.append((shown, list(k.sent), [k.mark(c) for c in cells], logs, clicked, k.clicked))

    def fresh(self, **kw):
        before = {c.id: self.view(c) for c in self.doc.cells}
        self.k = self.kernel(self.doc, self.k.save(), who=self.who, **kw)
        for c in self.doc.cells:
            if before[c.id] != self.view(c):
                self.bad.append(f"P7 {c.id}: {before[c.id]} became {self.view(c)}")
        return self

    def view(self, c):
        self.k.look()
        st = self.k.fold(c.id)
        return {h: v for h, v in st.ctx.items() if v}, {h: st.settings(h) for h in st.k.chats}, st.cur, st.said

    def run(self, at):
        k, c = self.k, self.doc.cells[at]
        mark, sends, turns = len(k.log), len(k.sent), set(k.turns)
        try:
            k.run(c)
            ok = True
        except AskError as e:
            c.out.append(f"!{e}")
            ok = False
        c.memo = ("ran", memo(k, c))
        self.oracle.askers.update({t: c.id for t in k.turns if t not in turns})
        self.check(c, k.log[mark:], k.sent[sends:], turns)
        return ok

    def check(self, c, log, sent, turns):
        k, done, asks = self.k, [], iter(log)
        sent = iter(sent)
        recorded = set(turns)
        for e in [*c.memo[1], None]:
            if e and e[0] == "do":
                done.append(e)
                continue
            entry = next(asks, None)
            while entry:
                _, how, chat, ctx, x, conf = entry
                mem, _ = self.oracle.read(self.doc.cells, c.id, done)
                want = [m for p, r, _, t in mem[chat] if not k.turns[t].purged for m in (p, r)]
                above = {t for m in self.stand(c, done) for t in m}
                free = [
                    t
                    for t in recorded
                    if k.turns[t].chat == chat
                    and k.turns[t].by == "cell"
                    and k.turns[t].text == x
                    and not k.turns[t].purged
                    and t not in above
                    and (
                        k.turns[t].conf == conf
                        and k.messages(k.turns[t].ctx) == want
                        and len(k.turns[t].ctx) == len(ctx)
                        or any(
                            a == t and cc == conf and k.messages(b) == want and len(b) == len(ctx)
                            for a, b, cc in k.accepts
                        )
                    )
                    and (k.turns[t].end == "stop" or t not in k.made and any(t in u.ctx for u in k.turns.values()))
                ]
                special = any(w in c.src for w in ("--fresh", "--once", "py "))
                if how == "ask":
                    got = next(sent, None)
                    if k.mode != "strict" and (got is None or list(got[1]) != [*want, x]):
                        self.bad.append(f"P1 {c.src!r} sent {got}, the page says {want}")
                    if free and not special and not any(k.turns[t].purged for t in ctx):
                        self.bad.append(f"P3 {c.src!r} asked though {free} answers it")
                else:
                    if k.messages(ctx) != want:
                        self.bad.append(f"P1 {c.src!r} replayed under {ctx}, the page says {want}")
                    if not free:
                        self.bad.append(f"P3 {c.src!r} replayed, but nothing answers it")
                if e and e[1] == x and e[3] == chat:
                    recorded.add(e[4])
                    done.append(e)
                    break
                entry = next(asks, None)

    def stand(self, c, done):
        own = {e[4] for d in self.doc.cells if d.memo and d.memo[0] == "ran" for e in d.memo[1] if e[0] == "ask"}
        for d in self.doc.cells:
            if d.id == c.id:
                break
            if d.memo:
                yield [
                    e[4]
                    for e in d.memo[1]
                    if e[0] == "ask"
                    and (
                        d.memo[0] == "ran"
                        or e[4] not in own
                        and self.oracle.askers.get(e[4]) not in {x.id for x in self.doc.cells}
                    )
                ]
        yield [e[4] for e in done if e[0] == "ask"]
        yield [e[4] for _, e in self.oracle.panel if e[0] == "ask"]

    def all(self):
        return all(self.run(i) for i in range(len(self.doc.cells)))

    def panel(self, x):
        chat = self.k.panel_chat()
        trail = self.oracle.trail(self.doc.cells, chat)
        mem, _ = self.oracle.read(self.doc.cells, None)
        want = [m for p, r, _, t in mem[chat] if not self.k.turns[t].purged for m in (p, r)]
        if x in ("undo", "clear"):
            if mem[chat]:
                self.oracle.panel.append((trail, ("do", "drop" if x == "undo" else x, chat, (mem[chat][-1][3],))))
            self.k.panel_do(x)
            return
        t = self.k.panel_send(x)
        if list(self.k.sent[-1][1]) != [*want, x]:
            self.bad.append(f"P1 panel sent {self.k.sent[-1]}, the page says {want}")
        self.oracle.panel.append((trail, ("ask", t.text, t.reply, chat, t.id)))


PLAIN = [f"ask {x}" for x in "abcg"] + ["ask g"]
MORE = [
    "ask g\nundo",
    "open A",
    "open B",
    "switch A",
    "switch B",
    "fork F",
    "fork G",
    "set model=m",
    "set model=n",
    "open A model=m",
    "undo",
    "clear",
    "back 1",
    "retry",
    "ask --chat B h",
    "ask --chat A g",
    "loop g d",
    "loop g g",
    "ask a\nask b",
    "ask --model q g",
    "ask --fresh g",
    "ask --once g",
    "py p",
    "ask a\nboom",
    "open A\nask a\nopen B\nask b",
    "clear\nask g",
    "x = 1",
]


def edit(w, r, log, more):  # noqa: PLR0915 - one branch for each thing that people do
    """One step of a history."""
    cells, new = w.doc.cells, (lambda: r.choice(PLAIN * (5 if more else 1) + (MORE if more else [])))
    ops = "tweak tweak tweak tweak endrun endrun edit insert end delete move copy paste cut".split()
    ops += "run run run all restart rerun".split()
    ops += (
        "click model panel panelundo panelclear fail cutshort purge accept strip back undelete".split() if more else []
    )
    op, i, j, x = r.choice(ops), r.randrange(len(cells)), r.randrange(len(cells)), new()
    log.append((op, i, j, x))
    if op in ("edit", "tweak"):  # tweak: and run it alone
        w.doc.edit(i, x)
        if op == "tweak":
            w.run(i)
    elif op == "endrun":
        w.doc.insert(n := len(cells), x)
        w.run(n)
    elif op in ("insert", "end"):
        w.doc.insert(i if op == "insert" else len(cells), x)
    elif op in ("delete", "undelete") and len(cells) > 2:
        gone = w.doc.delete(i)
        w.k.look()
        if op == "undelete":
            cells.insert(i, gone)
    elif op == "move":
        w.doc.move(i, j)
    elif op == "copy":
        w.doc.insert(j, cells[i].src)
    elif op in ("paste", "cut") and cells[i].shows and (op == "paste" or (cells[i].memo or "x")[0] == "ran"):
        w.doc.copy(i, j)
        if op == "cut":  # cut & paste in a front end that gives a new id
            old, new = w.doc.delete(i + (j <= i)).id, cells[j - (j > i)].id
            w.oracle.askers = {t: new if c == old else c for t, c in w.oracle.askers.items()}
            w.oracle.panel = [([(new if c == old else c, t) for c, t in trail], e) for trail, e in w.oracle.panel]
            at = j - (j > i)
            if any(len(m[1]) and c is not cells[at] and c.shows == cells[at].shows for c in cells if (m := c.memo)):
                w.skip = True  # which of two equal outputs takes it is not worth a rule
        else:
            cells[j].memo = ("copy", [e for e in (cells[j].memo or ("", []))[1] if e[0] == "ask"])
        w.k.look()
    elif op == "run":
        w.run(i)
    elif op == "all":
        w.fresh().all()
    elif op == "rerun":
        w.all()
    elif op == "restart":
        w.fresh()
    elif op == "click":
        w.k.click_chat(r.choice("AB"))
    elif op == "model":
        w.k.click_set("model", r.choice("mn"))
    elif op == "panel":
        w.panel("w")
    elif op in ("panelundo", "panelclear"):
        w.panel(op[5:])
    elif op in ("fail", "cutshort"):
        w.k.fail = "error" if op == "fail" else "interrupted"
        w.run(i)
        w.k.fail = None
    elif op == "purge" and w.k.turns:
        w.k.purge(r.choice(sorted(w.k.turns)))
    elif op == "accept":
        w.k.accept()
    elif op == "strip" and r.random() < 0.3:
        w.doc.strip()


def finish(w):
    """P2 and P4 at the end of a history."""
    _finish(w)
    w.look()


def _finish(w):
    for c in w.doc.cells:
        for word in ("--fresh ", "--once "):
            c.src = c.src.replace(word, "")
        c.src = c.src.replace("py p", "ask p").replace("\nboom", "")
    if not w.fresh().all():
        return
    shows, log = [list(c.out) for c in w.doc.cells], {c: w.k.fold().context(c) for c in w.k.chats}
    saved = w.k.save()
    at = {t: n for n, c in enumerate(w.doc.cells) for t in w.k.shown_by(c.id)}
    for chat, path in log.items():
        order = [at[t] for t in path if t in at]
        if order != sorted(order):
            w.bad.append(f"P4 {chat}: {path} stands in cells {order}")
    for what, kw in (("again", None), ("strict", {"mode": "strict"})):
        w.k.save()
        if kw:
            w.fresh(**kw)
            saved = w.k.saved
        live = w.k.live
        w.all()
        if w.k.live != live or [c.out for c in w.doc.cells] != shows:
            w.bad.append(f"P2 {what}: {w.k.live - live} live, shows {[c.out for c in w.doc.cells]}, was {shows}")
        new = w.k.save()
        if {**new, "n": 0} != {**saved, "n": 0}:
            w.bad.append(f"P2 {what}: writes {[k for k in new if new[k] != saved[k]]}")


def what_is_seen(world):
    """What could be seen in a world, but for when a chat was clicked: the manager has another clock than the rules."""
    return [(*step[:-1], step[-1][1]) for step in world.seen]


def kept(before, after):
    return [t for t in before if t not in after or before[t] != after[t] and not after[t].purged]


def history(kernel, seed, more):
    r, log = random.Random(seed), []
    w = World(kernel, Document(*(r.choice(PLAIN * 3 + (MORE if more else [])) for _ in range(r.randint(2, 4)))))
    w.skip = False
    log.append([c.src for c in w.doc.cells])
    w.all()
    for _ in range(r.randint(1, 9)):
        before = dict(w.k.turns)
        edit(w, r, log, more)
        w.look()
        if kept(before, w.k.turns):
            w.bad.append("P5 lost")
        if w.bad or w.skip:
            break
    if not w.bad and not w.skip:
        finish(w)
    return w, log


def chosen_cells(r, base, ours, theirs):
    """Return the cells of two sides as one notebook: of a cell that both have changed, one of the two."""
    cells, of_theirs = list(ours.doc.cells), {c.id: c for c in theirs.doc.cells}
    was = {c.id: c for c in base.doc.cells}
    for n, c in enumerate(cells):  # a cell that both have run: one of the two, with its output
        if c.id in of_theirs and c.id in was and (r.random() < 0.5 or (c.src, c.out) == (was[c.id].src, was[c.id].out)):
            cells[n] = of_theirs[c.id]
    have = {c.id for c in cells}
    for n, c in enumerate(theirs.doc.cells):
        if c.id not in have and c.id not in was:
            cells.insert(min(n, len(cells)), c)
    return cells


def branches(kernel, seed, more, merge_cells=chosen_cells):
    """Two people go on from one notebook; git merges cells and records.

    *merge_cells* is given the random numbers and the worlds of the base and of both sides, and returns the merged
    cells, or None if it leaves a conflict: then the worlds end there.
    """
    r, log = random.Random(seed), []
    w = World(kernel, Document(*(r.choice(PLAIN * 3 + (MORE if more else [])) for _ in range(r.randint(2, 4)))))
    w.skip = False
    w.all()
    base, sides = w.k.save(), []
    for who in "xy":
        v = World(kernel, copy.deepcopy(w.doc), base, who)
        v.doc.serial, v.skip, v.oracle = iter(f"{who}{n}" for n in range(99)), False, copy.deepcopy(w.oracle)
        for _ in range(r.randint(1, 4)):
            edit(v, r, log, more)
            v.look()
        if v.bad or v.skip:
            return v, log
        sides.append((v, v.k.save()))
    (v, a), (u, b) = sides
    merge = kernel.merge
    m = merge(a, b)
    if m != merge(b, a) or merge(m, a) != m or merge(m, m) != m or merge(merge(base, a), b) != merge(base, merge(a, b)):
        v.bad.append("P6 merge does not commute")
    if kept(a["turns"], m["turns"]) or kept(b["turns"], m["turns"]):
        v.bad.append("P5 lost in a merge")
    cells = merge_cells(r, w, v, u)
    if cells is None:
        v.skip = True
        return v, log
    v.doc.cells[:] = cells
    x = World(kernel, v.doc, m, "z")
    x.skip = False
    x.oracle.panel = sorted({repr(p): p for p in v.oracle.panel + u.oracle.panel}.values(), key=lambda p: 0)
    for c in x.doc.cells:  # the page after a merge is checked by what it shows: P2, P4
        c.memo = c.memo or ("ran", [])
    finish(x)
    x.bad = [b for b in x.bad if b[:2] in ("P2", "P4", "P5", "P6", "P7")]
    return x, log
