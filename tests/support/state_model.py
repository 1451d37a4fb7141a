"""What sessions and chats should be, as plain dicts and lists: the model that the state machine compares with.

`read` is the sentence "state is a fold of the entries in the order (n, id)", taken literally.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from robota_nb.core.ports import Finish, TextDelta
from robota_nb.errors import ProviderError

STATES = {  # what a session in this state may do, and the state that it gets to
    "active": {"pause": "paused", "archive": "archived", "terminate": "terminated"},
    "paused": {"resume": "active", "archive": "archived", "terminate": "terminated"},
    "archived": {"restore": "active", "terminate": "terminated"},
    "terminated": {},
}


class Numbered:
    """A provider that answers ``<serial>``, notes what it was asked, and ends as it is told."""

    def __init__(self):
        self.serial, self.how, self.request = 0, "stop", None

    def default(self):
        return "numbered", ""

    def get(self, name):
        return self

    def stream(self, request):
        self.request = request
        if self.how == "refused":
            raise ProviderError("refused")
        self.serial += 1
        yield TextDelta(f"<{self.serial}>")
        if self.how == "error":
            raise ProviderError("broke off")
        if self.how == "interrupted":
            raise KeyboardInterrupt
        yield Finish(reason="stop")


ENDINGS = {"stop": "", "error": "\n\n[broken off by an error]", "interrupted": "\n\n[interrupted by the user]"}
"""What the model is told of how an answer ended."""


@dataclass
class Turn:
    stamp: tuple  # (n, id of the answer)
    chat: str
    parent: str | None  # the answer that it follows
    prompt: str
    answer: str
    config: dict | None  # None: purged
    how: str = "stop"

    @property
    def said(self):
        return self.prompt, self.answer

    @property
    def sent(self):
        """What a request carries of it."""
        said = [("user", self.prompt), ("assistant", self.answer + ENDINGS[self.how])]
        return [] if self.config is None else said


@dataclass
class Chat:
    names: list
    config: dict
    head: str | None = None
    base: str | None = None
    deleted: bool = False
    last: tuple = ()
    since: dict = field(default_factory=dict)  # what was set since the last turn
    undone: list = field(default_factory=list)


@dataclass
class Session:
    user: str
    names: list = field(default_factory=list)
    state: str = "active"
    description: str = ""
    deleted: bool = False
    chats: dict = field(default_factory=dict)  # by age
    turns: dict = field(default_factory=dict)
    active: str | None = None
    led: tuple = ()  # when it was the active session last, as recorded

    @property
    def live(self):
        return {cid: chat for cid, chat in self.chats.items() if not chat.deleted}

    def path(self, cid):
        return self.walk(self.chats[cid].head)

    def walk(self, head):
        found = []
        while head is not None:
            found.append(head)
            head = self.turns[head].parent
        return found[::-1]

    def tree(self, cid):
        """The chat's own turns, and those that it began with."""
        own = [tid for tid, turn in self.turns.items() if turn.chat == cid]
        return [*own, *(tid for tid in self.walk(self.chats[cid].base) if tid not in own)]

    def branches(self, cid):
        path, tree = self.path(cid), self.tree(cid)
        off = [tid for tid in tree if tid not in path]
        leaves = [tid for tid in off if tid not in {self.turns[other].parent for other in off}]
        found = [[tid for tid in self.walk(leaf) if tid not in path] for leaf in leaves]
        return sorted(found, key=lambda ids: (self.turns[ids[0]].stamp, self.turns[ids[-1]].stamp))

    def used_last(self):
        return max(((chat.last, cid) for cid, chat in self.live.items()), default=(None, None))[1]

    def resolve(self):
        """An active chat that is not there leaves it to the one used last."""
        if self.active not in self.live:
            self.active = self.used_last()


def read(user, entries):
    """The session that these entries make."""
    session = Session(user)
    for eid, entry in sorted(entries.items(), key=lambda item: (item[1].get("n", 0), item[0])):
        kind, cid, stamp = entry["kind"], entry.get("chat"), (entry.get("n", 0), eid)
        chat = session.chats.get(cid)
        if kind in ("session", "chat", "active"):
            session.led, session.active = stamp, cid
        if kind == "session":
            session.names.append(entry["name"])
        elif kind == "chat":
            base = entry.get("from")
            session.chats[cid] = Chat([entry["name"]], flat(entries[entry["config"]]), base, base, last=stamp)
        elif kind == "head":
            chat.head = entry.get("message")
        elif kind == "set":
            put(chat or session, entry["key"], entry.get("value"))
        elif kind in ("message", "purged") and "role" in entry:
            chat.last = stamp
            if entry["role"] == "assistant":
                asked = entries[entry["parent"]]
                purged = kind == "purged"
                config = None if purged else flat(entries[entry["config"]])
                said = ["" if purged else "".join(one["content"]) for one in (asked, entry)]
                session.turns[eid] = Turn(
                    stamp, cid, asked.get("parent"), *said, config, entry.get("finish_reason", "stop")
                )
                chat.head = eid
                if config is not None:
                    chat.config, chat.since = dict(config), {}
    session.resolve()
    return session


def put(owner, key, value):
    if key == "name":
        owner.names.append(value)
    elif key == "deleted":
        owner.deleted = value is not None
    elif key == "from":
        owner.base = value
    elif key in ("state", "description"):
        setattr(owner, key, value or {"state": "active", "description": ""}[key])
    else:
        owner.config, owner.since[key] = over(owner.config, {key: value}), value


def flat(entry):
    fields = {key: entry.get(key, "") for key in ("provider", "model")}
    return over({}, {**fields, "system": "".join(entry.get("system", ())), **entry.get("params", {})})


def over(config, changes):
    return {key: value for key, value in {**config, **changes}.items() if value}


def fold(name):
    return name.casefold()


def shown(siblings):
    """The names of siblings, by age: a later twin shows as ``name (2)``."""
    names = {}
    for sid, sibling in siblings.items():
        taken, name, n = {fold(other) for other in names.values()}, sibling.names[-1], 2
        while fold(name) in taken:
            name, n = f"{sibling.names[-1]} ({n})", n + 1
        names[sid] = name
    return names


def holder(name, siblings):
    return next((sid for sid, other in shown(siblings).items() if fold(other) == fold(name)), None)


def find(name, siblings):
    """Who has the name, else who had it."""
    former = (sid for sid, sibling in siblings.items() if fold(name) in map(fold, sibling.names[:-1]))
    return holder(name, siblings) or next(former, None)
