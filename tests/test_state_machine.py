"""Anything a user may do, in any order, against a model of plain dicts: the manager agrees with it at every step."""

from dataclasses import dataclass, field

import pytest
from core_support import new_manager
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from robota_nb.core import snapshot
from robota_nb.core.entries import fold_name
from robota_nb.core.ports import Finish, TextDelta
from robota_nb.errors import ChatNotFound, DuplicateName, ProviderError, SessionNotFound

USERS = ["ann", "bob"]
NAMES = st.sampled_from(["x", "X", "y", "ä"])


class Scripted:
    """Answers ``<serial>`` and notes what it was asked; ends as it is told."""

    def __init__(self):
        self.serial, self.how, self.request = 0, "stop", None

    def default(self):
        return "scripted", ""

    def get(self, name):
        return self

    def stream(self, request):
        self.request = request
        if self.how == "refused":
            raise ProviderError("refused")
        self.serial += 1
        yield TextDelta(str(self.serial))
        if self.how == "error":
            raise ProviderError("broke off")
        if self.how == "interrupted":
            raise KeyboardInterrupt
        yield Finish(reason="stop")


@dataclass
class ChatModel:
    name: str
    config: dict
    path: list = field(default_factory=list)  # of (prompt, answer)
    base: list = field(default_factory=list)
    ever: list = field(default_factory=list)


@dataclass
class SessionModel:
    user: str
    name: str
    chats: dict = field(default_factory=dict)
    active: str | None = None


class Users(RuleBasedStateMachine):
    """Two users of one process."""

    @initialize()
    def start(self):
        self.provider = Scripted()
        self.manager = new_manager(providers=self.provider, max_active_sessions=0, max_chats=0)
        self.sessions: dict[str, SessionModel] = {}
        self.active: dict[str, str] = {}
        self.shown: set[str] = set()  # answers; they are unique

    # -- picking

    @staticmethod
    def one_of(data, ids):  # by place, because ids are random
        return list(ids)[data.draw(st.integers(0, len(ids) - 1))]

    def pick(self, data):
        sid = self.one_of(data, self.sessions)
        model = self.sessions[sid]
        return self.manager.session(sid, model.user), model

    def pick_chat(self, data):
        sid = self.one_of(data, [sid for sid, s in self.sessions.items() if s.chats])
        cid = self.one_of(data, self.sessions[sid].chats)
        session = self.manager.session(sid, self.sessions[sid].user)
        return session.chat(cid), self.sessions[sid].chats[cid], self.sessions[sid]

    def some_chat(self):
        return any(s.chats for s in self.sessions.values())

    @staticmethod
    def taken(name, siblings):
        return name is not None and any(fold_name(name) == fold_name(s.name) for s in siblings)

    # -- what users do

    @rule(user=st.sampled_from(USERS), name=st.none() | NAMES)
    def create_session(self, user, name):
        if self.taken(name, [s for s in self.sessions.values() if s.user == user]):
            with pytest.raises(DuplicateName):
                self.manager.create_session(user, name)
            return
        session = self.manager.create_session(user, name)
        assert name is None or session.name == name
        self.sessions[session.id] = SessionModel(user, session.name)
        self.active[user] = session.id

    @precondition(lambda self: self.sessions)
    @rule(data=st.data())
    def switch_session(self, data):
        session, model = self.pick(data)
        self.manager.activate(session)
        self.active[model.user] = session.id

    @precondition(lambda self: self.sessions)
    @rule(data=st.data(), name=NAMES)
    def rename_session(self, data, name):
        session, model = self.pick(data)
        others = [s for s in self.sessions.values() if s.user == model.user and s is not model]
        if self.taken(name, others):
            with pytest.raises(DuplicateName):
                session.rename(name)
        else:
            session.rename(name)
            model.name = name

    @precondition(lambda self: self.sessions)
    @rule(data=st.data(), name=st.none() | NAMES, model_name=st.none() | st.sampled_from("mn"))
    def create_chat(self, data, name, model_name):
        session, model = self.pick(data)
        if self.taken(name, model.chats.values()):
            with pytest.raises(DuplicateName):
                session.create_chat(name)
            return
        chat = session.create_chat(name, model=model_name)
        inherited = model.chats[model.active].config if model.active else {"provider": "scripted"}
        given = {"model": model_name} if model_name else {}
        model.chats[chat.id] = ChatModel(chat.name, {**inherited, **given})
        model.active = chat.id

    @precondition(some_chat)
    @rule(data=st.data())
    def switch_chat(self, data):
        chat, _, session = self.pick_chat(data)
        chat.session.switch_to(chat.id)
        session.active = chat.id

    @precondition(some_chat)
    @rule(data=st.data(), name=NAMES)
    def rename_chat(self, data, name):
        chat, model, session = self.pick_chat(data)
        if self.taken(name, [c for c in session.chats.values() if c is not model]):
            with pytest.raises(DuplicateName):
                chat.rename(name)
        else:
            chat.rename(name)
            model.name = name

    @precondition(some_chat)
    @rule(
        data=st.data(), key=st.sampled_from(["model", "system", "temperature"]), value=st.sampled_from(["", "1", "2"])
    )
    def configure(self, data, key, value):
        chat, model, _ = self.pick_chat(data)
        chat.configure(**{key: value})
        model.config = {k: v for k, v in {**model.config, key: value}.items() if v}

    @precondition(some_chat)
    @rule(
        data=st.data(),
        prompt=st.sampled_from("ab"),
        how=st.sampled_from(["stop", "stop", "refused", "error", "interrupted"]),
    )
    def send(self, data, prompt, how):
        chat, model, session = self.pick_chat(data)
        prompt = f"{prompt} in {session.name} of {session.user}"
        self.provider.how = how
        if how == "stop":
            assert chat.send(prompt).text == str(self.provider.serial)
        else:
            with pytest.raises(KeyboardInterrupt if how == "interrupted" else ProviderError):
                chat.send(prompt)
        self.check_request(model, prompt)
        if how != "refused":
            turn = (prompt, str(self.provider.serial))
            model.path.append(turn)
            model.ever.append(turn)
            self.shown.add(turn[1])
            assert chat.turns[-1].finish_reason == how

    def check_request(self, model, prompt):
        """A request carries this chat's path, its system prompt, and nothing else of anybody's."""
        sent = [(m["role"], m["content"]) for m in self.provider.request.messages]
        system = [("system", model.config["system"])] if "system" in model.config else []
        path = [(role, text) for turn in model.path for role, text in zip(["user", "assistant"], turn, strict=True)]
        assert sent == [*system, *path, ("user", prompt)]
        assert self.provider.request.model == model.config.get("model", "")

    def last_shown(self, model):
        shown = [at for at, (_, answer) in enumerate(model.path) if answer in self.shown]
        return shown[-1] if shown else len(model.path) - 1

    @precondition(some_chat)
    @rule(data=st.data())
    def undo(self, data):
        chat, model, _ = self.pick_chat(data)
        undone = chat.undo()
        if model.path:
            at = self.last_shown(model)
            assert undone.text == model.path[at][1]
            model.path = model.path[:at]
        else:
            assert undone is None

    @precondition(some_chat)
    @rule(data=st.data(), name=NAMES)
    def fork(self, data, name):
        chat, source, session = self.pick_chat(data)
        at = self.last_shown(source)
        point = source.path[: at + 1]
        stands = chat.session.find(name)
        forked = chat.session.fork(name, of=chat.id)
        if stands is None:
            session.chats[forked.id] = ChatModel(name, dict(source.config), list(point), list(point))
        else:
            assert forked.id == stands
            model = session.chats[stands]
            if model is not source and point and point[-1][1] in self.shown and model.base != point:
                model.path, model.base = list(point), list(point)
        session.active = forked.id

    # -- what must change nothing

    @precondition(lambda self: self.sessions)
    @rule(data=st.data(), ref=st.sampled_from(["x", "nobody", ""]))
    def strangers_are_unknown(self, data, ref):
        session, model = self.pick(data)
        other = USERS[1 - USERS.index(model.user)]
        with pytest.raises(SessionNotFound):
            self.manager.session(session.id, other)
        foreign = [cid for s in self.sessions.values() if s is not model for cid in s.chats]
        for cid in [*foreign, "c_nobody"]:
            with pytest.raises(ChatNotFound):
                session.switch_to(cid)

    @rule(user=st.sampled_from(USERS))
    def flush_twice(self, user):
        self.manager.flush(user)
        events = []
        end = self.manager.subscribe(events.append)
        self.manager.flush(user)
        end()
        assert events == []

    def reopened(self, *snapshots):
        """A new kernel's manager with what these snapshots hold for each user."""
        manager = new_manager(providers=self.provider, max_active_sessions=0, max_chats=0)
        for written in snapshots:
            for user, value in written.items():
                manager.adopt(snapshot.parse(value), user)
        return manager

    def written(self, manager):
        return {user: manager.snapshot(user) for user in USERS}

    @rule()
    def restart(self):
        before = self.written(self.manager)
        self.manager = self.reopened(before)
        self.shown = set()
        assert self.written(self.manager) == before

    @precondition(some_chat)
    @rule(data=st.data(), mine=st.integers(0, 2), theirs=st.integers(0, 2))
    def diverge_and_merge(self, data, mine, theirs):
        chat, model, _ = self.pick_chat(data)
        sid, cid, user = chat.session.id, chat.id, chat.session.user_id
        self.provider.how = "stop"
        copy = self.reopened(self.written(self.manager))
        ends = {}
        for manager, count in ((self.manager, mine), (copy, theirs)):
            here = manager.session(sid, user).chat(cid)
            turns = [(turn.prompt.content, turn.text) for turn in (here.send("m") for _ in range(count))]
            model.ever += turns
            ends[manager] = model.path + turns
        one, two = self.written(self.manager), self.written(copy)
        self.manager, other = self.reopened(one, two), self.reopened(two, one)
        self.shown = set()
        assert self.written(self.manager)[user]["sessions"].keys() == one[user]["sessions"].keys()
        merged = [(turn.prompt.content, turn.text) for turn in self.manager.session(sid, user).chat(cid).turns]
        assert merged == [(t.prompt.content, t.text) for t in other.session(sid, user).chat(cid).turns]
        assert merged in ends.values()  # whose entries have the greater n
        model.path = merged

    # -- what always holds

    @invariant()
    def everything_is_as_the_model_says(self):
        for user in USERS:
            mine = {sid: model for sid, model in self.sessions.items() if model.user == user}
            assert {s.id: s.name for s in self.manager.sessions(user)} == {sid: m.name for sid, m in mine.items()}
            active = self.manager.active_session(user)
            assert (active.id if active else None) == self.active.get(user)
        for sid, model in self.sessions.items():
            session = self.manager.session(sid, model.user)
            assert session.active_id == model.active
            assert {chat.id: chat.name for chat in session.chats} == {cid: c.name for cid, c in model.chats.items()}
            for cid, chat_model in model.chats.items():
                chat = session.chat(cid)
                assert [(turn.prompt.content, turn.text) for turn in chat.turns] == chat_model.path
                assert chat.config.settings() == chat_model.config

    @invariant()
    def paths_are_closed_under_parents(self):
        for session in (s for user in USERS for s in self.manager.sessions(user)):
            for chat in session.chats:
                messages = chat.messages
                assert [m.parent for m in messages] == [None, *(m.id for m in messages)][: len(messages)]

    @invariant()
    def nothing_was_ever_destroyed(self):
        for sid, model in self.sessions.items():
            record = self.manager.session(sid, model.user).record
            kept = {(node.chat, record.text(node.user), record.text(node.id)) for node in record.nodes.values()}
            assert kept == {(cid, *turn) for cid, chat in model.chats.items() for turn in chat.ever}


TestUsers = Users.TestCase
TestUsers.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
