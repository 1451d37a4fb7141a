"""Small notebooks in which nothing is wrong, and of which a careless reader makes a great deal of work."""

from itertools import count

from robota_nb.core.record import entries as make

AT = "2026-01-01T00:00:00Z"
SESSION = "s_" + "0" * 32
CHAT = "c_" + "f" * 32
CONFIG = {"kind": "config", "provider": "offline", "model": "m"}


class Bomb:
    """The entries of a session with one chat; what is added is numbered in order."""

    def __init__(self):
        self.entries, self.n = {}, count(1)
        self.put(CONFIG)
        self.add(kind="session", name="Work")
        self.chat(CHAT, "Talk")

    def put(self, entry):
        self.entries[make.entry_id(entry)] = entry
        return make.entry_id(entry)

    def add(self, **fields):
        return self.put({"n": next(self.n), "at": AT, **{name: value for name, value in fields.items() if value}})

    def chat(self, cid, name, base=None):
        self.add(kind="chat", chat=cid, name=name, config=make.entry_id(CONFIG), **{"from": base})

    def turn(self, parent, prompt="q", chat=CHAT, **fields):
        fields = {"chat": chat, "kind": "message", **fields}
        asked = self.add(role="user", content=[prompt], parent=parent, **fields)
        return self.add(
            role="assistant", parent=asked, content=["a"], config=make.entry_id(CONFIG), finish_reason="stop",
            chat=chat, kind="message",
        )  # fmt: skip


def chain(size):
    """The plain one."""
    bomb, last = Bomb(), None
    for _ in range(size):
        last = bomb.turn(last)
    return bomb.entries


def comb(size):
    """A path, and as many branches that leave it at its end."""
    bomb, last = Bomb(), None
    for _ in range(size):
        last = bomb.turn(last)
    for at in range(size):
        bomb.turn(last, f"leaf {at}")
    return bomb.entries


def caterpillar(size):
    """A branch of one turn at every turn of a path."""
    bomb, last = Bomb(), None
    for at in range(size):
        bomb.turn(last, f"side {at}")
        last = bomb.turn(last)
    return bomb.entries


def caterpillar_beside(size):
    """The same, and all of it beside the path."""
    entries = caterpillar(size)
    bomb = Bomb()
    bomb.entries, bomb.n = entries, count(len(entries))
    bomb.add(kind="head", chat=CHAT)
    return entries


def forks(size):
    """Chats, each forked from the last turn of the one before."""
    bomb = Bomb()
    last = bomb.turn(None)
    for at in range(size):
        cid = f"c_{at:032x}"
        bomb.chat(cid, f"f{at}", last)
        last = bomb.turn(last, chat=cid)
    return bomb.entries


def forks_of_questions(size):
    """Chats, each forked from a question that nobody has answered, and that follows another such one."""
    bomb, last = Bomb(), None
    for at in range(size):
        last = bomb.add(kind="message", chat=CHAT, role="user", content=["q"], parent=last)
        bomb.chat(f"c_{at:032x}", f"f{at}", last)
    return bomb.entries


def one_name(size):
    """Chats of one name."""
    bomb = Bomb()
    for at in range(size):
        bomb.chat(f"c_{at:032x}", "x")
    return bomb.entries


def accepts(size):
    """One answer that was accepted over and over."""
    bomb = Bomb()
    turn = bomb.turn(None, cell=["one", 0, "0" * 16])
    for _ in range(size):
        bomb.add(kind="accept", turn=turn, context=[turn], config=make.entry_id(CONFIG))
    return bomb.entries


def steps(size):
    """An answer that called tools over and over."""
    bomb = Bomb()
    last = bomb.add(kind="message", chat=CHAT, role="user", content=["q"])
    for _ in range(size):
        last = bomb.add(kind="message", chat=CHAT, role="assistant", content=["a"], parent=last)
        last = bomb.add(kind="message", chat=CHAT, role="tool", content=["r"], parent=last)
    return bomb.entries


def settings(size):
    """Turns of which each was asked with a setting of its own, and cells each of which set one, over a great many."""
    bomb = Bomb()
    config = bomb.put({**CONFIG, "params": {f"p{at}": "1" for at in range(20 * size)}})
    cid, last = f"c_{0:032x}", None
    bomb.add(kind="chat", chat=cid, name="Many", config=config)
    for at in range(size):
        fields = {"chat": cid, "kind": "message"}
        asked = bomb.add(
            role="user", content=["q"], parent=last, options={f"p{at}": "2"}, cell=[f"cell{at}", 0, "0" * 16], **fields
        )
        last = bomb.add(role="assistant", content=["a"], parent=asked, config=config, finish_reason="stop", **fields)
    for at in range(size):
        op = {"chat": cid, "do": "set", "key": f"p{at}", "value": "3"}
        bomb.add(kind="effects", cell=[f"set{at}", "0" * 16], ops=[op])
        bomb.add(kind="set", chat=cid, key=f"p{at}", value="4")
    return bomb.entries


def ops(size):
    """A cell that asked, set a great many settings, and asked again."""
    bomb = Bomb()
    turn = bomb.turn(None, cell=["one", 0, "0" * 16])
    sets = [{"chat": CHAT, "do": "set", "key": f"p{at}", "value": "1"} for at in range(20 * size)]
    asked = {"ask": turn, "chat": CHAT}
    bomb.add(kind="effects", cell=["one", "0" * 16], ops=[asked, *sets, asked])
    return bomb.entries


def ops_of_many_chats(size):
    """A cell that chose as many chats, one after the other."""
    bomb = Bomb()
    turn = bomb.turn(None, cell=["one", 0, "0" * 16])
    chosen = [{"chat": f"c_{at:032x}", "do": "choose"} for at in range(5 * size)]
    bomb.add(kind="effects", cell=["one", "0" * 16], ops=[*chosen, {"ask": turn, "chat": CHAT}])
    return bomb.entries


def asks_of_one_turn(size):
    """A cell of which every ask got the same answer."""
    bomb = Bomb()
    turn = bomb.turn(None, cell=["one", 0, "0" * 16])
    bomb.add(kind="effects", cell=["one", "0" * 16], ops=[{"ask": turn, "chat": CHAT}] * (5 * size))
    return bomb.entries


def objects(size):
    """Messages of a great many empty objects, where texts belong."""
    bomb, last = Bomb(), None
    for _ in range(3):
        asked = bomb.add(kind="message", chat=CHAT, role="user", content=[{}] * (100 * size), parent=last)
        last = bomb.add(kind="message", chat=CHAT, role="assistant", content=["a"], parent=asked, finish_reason="stop")
    return bomb.entries


def chats_with_settings(size):
    """Chats that begin with a great many settings, of each of which one was changed."""
    bomb = Bomb()
    config = bomb.put({**CONFIG, "params": {f"p{at}": "1" for at in range(20 * size)}})
    for at in range(size):
        bomb.add(kind="chat", chat=f"c_{at:032x}", name=f"x{at}", config=config)
        bomb.add(kind="set", chat=f"c_{at:032x}", key=f"p{at}", value="2")
    return bomb.entries


def answers(size):
    """Answers to one question."""
    bomb = Bomb()
    asked = bomb.add(kind="message", chat=CHAT, role="user", content=["q"])
    for at in range(size):
        bomb.add(
            kind="message", chat=CHAT, role="assistant", parent=asked, content=[f"a{at}"], finish_reason="stop",
            config=make.entry_id(CONFIG),
        )  # fmt: skip
    return bomb.entries


def drops(size):
    """Turns, each of which was taken out of memory outside of cells."""
    bomb, turns = Bomb(), []
    for _ in range(size):
        turns.append(bomb.turn(turns[-1] if turns else None))
    for turn in turns:
        bomb.add(kind="outside", chat=CHAT, op="drop", turns=[turn])
    return bomb.entries


def asked_under_names(size):
    """Turns each of which was asked in a chat that a command had chosen by its name, among as many chats."""
    bomb, last = one_name(size), None
    more = Bomb()
    more.entries, more.n = bomb, count(len(bomb))
    for at in range(size):
        last = more.turn(last, cell=[f"cell{at}", 0, "0" * 16], set={"chat": "Talk"})
    return bomb


ALL = [
    accepts,
    answers,
    asked_under_names,
    asks_of_one_turn,
    caterpillar,
    caterpillar_beside,
    chain,
    chats_with_settings,
    comb,
    drops,
    forks,
    forks_of_questions,
    objects,
    one_name,
    ops,
    ops_of_many_chats,
    settings,
    steps,
]
