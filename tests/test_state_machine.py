"""Anything users may do, in any order, against a model of plain dicts: the manager agrees with it at every step."""

import json
import tempfile
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from core_support import new_manager
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from state_model import STATES, Chat, Numbered, Session, Turn, find, fold, holder, over, read, shown

from robota_nb.core import entries, snapshot
from robota_nb.core.events import EntriesAdded
from robota_nb.errors import (
    ChatLimitReached,
    ChatNotFound,
    DuplicateName,
    InvalidStateTransition,
    ProviderError,
    SessionLimitReached,
    SessionNotActive,
    SessionNotFound,
    TurnNotFound,
)
from robota_nb.stores.memory import MemoryStore
from robota_nb.stores.sqlite import SqliteStore

USERS = ["ann", "bob"]
NAMES = st.sampled_from(["x", "X", "y", "ä"])
ENDS = st.sampled_from(["stop", "stop", "stop", "refused", "error", "interrupted"])
MOVES = st.lists(st.sampled_from(["send", "send", "rename", "undo", "delete", "create", "purge", "set"]), max_size=3)
LIMITS = {"max_active_sessions": 2, "max_chats": 3}


class Users(RuleBasedStateMachine):
    """Two users of one process, whose entries go into a store as they are made."""

    def new_store(self):
        return MemoryStore()

    @initialize()
    def start(self):
        ids = count(1)
        self.patch = pytest.MonkeyPatch()  # the same in each run, since ids settle what else is equal
        self.patch.setattr(entries, "new_id", lambda prefix: f"{prefix}_{next(ids):032x}")
        self.store = self.new_store()
        self.provider = Numbered()
        self.sessions: dict[str, Session] = {}  # by age
        self.active: dict[str, str | None] = {}
        self.shown: set[str] = set()  # turns of this kernel
        self.said: dict[str, tuple] = {}  # turn -> what was ever asked and answered
        self.purged: set[str] = set()
        self.begin_kernel()
        for user in USERS:
            session = self.manager.create_session(user)
            self.sessions[session.id] = Session(user, [session.name])
            self.active[user] = session.id
            self.created(session, session.create_chat("x"))

    def begin_kernel(self, *snapshots):
        self.manager = self.reopened(*snapshots)
        self.manager.subscribe(self.committed)
        self.shown = set()
        for model in self.sessions.values():
            for chat in model.chats.values():
                chat.here, chat.undone = {}, []

    def committed(self, event):
        if isinstance(event, EntriesAdded):
            document = self.manager._sessions[event.session].user_id
            self.store.add(document, {event.session: event.entries})
            self.store.remove(document, {event.session: event.removed})

    def reopened(self, *snapshots):
        """A new kernel's manager with what these snapshots hold for each user, once they were files."""
        manager = new_manager(providers=self.provider, now=lambda: "2026-01-02T03:04:05Z", **LIMITS)
        for written in snapshots:
            for user, value in written.items():
                manager.adopt(snapshot.parse(json.loads(json.dumps(value))), user)
        return manager

    # -- picking, by place, because ids are random

    @staticmethod
    def one_of(data, ids):
        return list(ids)[data.draw(st.integers(0, len(ids) - 1))]

    def live(self, user=None):
        return {sid: s for sid, s in self.sessions.items() if not s.deleted and user in (None, s.user)}

    def siblings(self, model):
        return self.live(model.user)

    def pick(self, data):
        sid = self.one_of(data, self.live())
        return self.manager.session(sid, self.sessions[sid].user), self.sessions[sid]

    def pick_chat(self, data):
        sid = self.one_of(data, [sid for sid, s in self.live().items() if s.live])
        cid = self.one_of(data, self.sessions[sid].live)
        return self.manager.session(sid, self.sessions[sid].user).chat(cid), self.sessions[sid].chats[cid]

    def some_session(self):
        return bool(self.live())

    def some_chat(self):
        return any(s.live for s in self.live().values())

    def some_path(self):
        return any(s.path(cid) for s in self.live().values() for cid in s.live)

    def model_of(self, chat):
        return self.sessions[chat.session.id]

    # -- sessions

    def full(self, user):
        return sum(s.state == "active" for s in self.live(user).values()) >= LIMITS["max_active_sessions"]

    @rule(user=st.sampled_from(USERS), name=st.none() | NAMES)
    def create_session(self, user, name):
        refused = SessionLimitReached if self.full(user) else DuplicateName
        if self.full(user) or (name and holder(name, self.live(user))):
            with pytest.raises(refused):
                self.manager.create_session(user, name)
            return
        session = self.manager.create_session(user, name)
        assert name in (None, session.name)
        self.sessions[session.id] = Session(user, [session.name])
        self.active[user] = session.id

    @precondition(some_session)
    @rule(data=st.data())
    def switch_session(self, data):
        session, model = self.pick(data)
        self.manager.activate(session)
        self.active[model.user] = session.id

    @precondition(some_session)
    @rule(data=st.data(), name=NAMES)
    def rename_session(self, data, name):
        session, model = self.pick(data)
        if model.names[-1] == name:
            session.rename(name)
        elif holder(name, self.siblings(model)) not in (None, session.id):
            with pytest.raises(DuplicateName):
                session.rename(name)
        else:
            session.rename(name)
            model.names.append(name)

    @precondition(some_session)
    @rule(data=st.data(), text=st.sampled_from(["", "what it is about\nin two lines"]))
    def describe(self, data, text):
        session, model = self.pick(data)
        session.describe(text)
        model.description = text

    @precondition(some_session)
    @rule(
        data=st.data(),
        change=st.sampled_from(["resume", "restore", "resume", "restore", "pause", "archive", "terminate"]),
    )
    def change_state(self, data, change):
        session, model = self.pick(data)
        after = STATES[model.state].get(change)
        if after is None:
            with pytest.raises(InvalidStateTransition):
                getattr(session, change)()
        elif after == "active" and self.full(model.user):
            with pytest.raises(SessionLimitReached):
                getattr(session, change)()
        else:
            getattr(session, change)()
            model.state = after

    @precondition(some_session)
    @rule(data=st.data())
    def delete_session(self, data):
        session, model = self.pick(data)
        recorded = {sid: read("", es).led for sid, es in self.manager.records(model.user).items()}
        self.manager.delete_session(session.id, model.user)
        model.deleted = True
        if self.active[model.user] == session.id:
            self.active[model.user] = max(self.live(model.user), key=recorded.get, default=None)

    @rule(user=st.sampled_from(USERS), name=NAMES)
    def bring_back_session(self, user, name):
        gone = {sid: s for sid, s in self.sessions.items() if s.user == user and s.deleted}
        named = [sid for sid, s in gone.items() if fold(s.names[-1]) == fold(name)]
        if named and gone[named[-1]].state == "active" and self.full(user):
            with pytest.raises(SessionLimitReached):
                self.manager.bring_back(name, user)
            return
        session = self.manager.bring_back(name, user)
        assert (session.id if session else None) == (named[-1] if named else None)
        if named:
            gone[named[-1]].deleted = False
            self.active[user] = self.active.get(user) or named[-1]

    # -- chats

    @precondition(some_session)
    @rule(data=st.data(), name=st.none() | NAMES, model_name=st.none() | st.sampled_from("mn"))
    def create_chat(self, data, name, model_name):
        session, model = self.pick(data)
        if len(model.live) >= LIMITS["max_chats"]:
            with pytest.raises(ChatLimitReached):
                session.create_chat(name)
        elif name and holder(name, model.live):
            with pytest.raises(DuplicateName):
                session.create_chat(name)
        else:
            self.created(session, session.create_chat(name, model=model_name), {"model": model_name or ""})

    def created(self, session, chat, given=()):
        model = self.sessions[session.id]
        inherited = model.chats[model.active].config if model.active else {"provider": "numbered"}
        model.chats[chat.id] = Chat([chat.name], over(inherited, {k: v for k, v in dict(given).items() if v}))
        self.used(chat)
        model.active = chat.id

    def used(self, chat):
        """Note when the chat was used last, as its entries say."""
        record = chat.session.record.entries
        kinds = ("chat", "message")
        stamps = [(e["n"], eid) for eid, e in record.items() if e["kind"] in kinds and e["chat"] == chat.id]
        self.model_of(chat).chats[chat.id].last = max(stamps)

    @precondition(some_chat)
    @rule(data=st.data())
    def switch_chat(self, data):
        chat, _ = self.pick_chat(data)
        model = self.model_of(chat)
        by = self.one_of(data, [chat.id, shown(model.live)[chat.id]])
        assert chat.session.switch_to(by) is chat
        model.active = chat.id

    @precondition(some_chat)
    @rule(data=st.data(), name=NAMES)
    def rename_chat(self, data, name):
        self.renamed(self.pick_chat(data)[0], name)

    def renamed(self, chat, name):
        siblings = self.model_of(chat).live
        names = siblings[chat.id].names
        if names[-1] != name and holder(name, siblings) not in (None, chat.id):
            with pytest.raises(DuplicateName):
                chat.rename(name)
        else:
            chat.rename(name)
            names += [name] if names[-1] != name else []

    @precondition(some_chat)
    @rule(data=st.data())
    def delete_chat(self, data):
        chat, _ = self.pick_chat(data)
        self.deleted(chat)

    def deleted(self, chat):
        model = self.model_of(chat)
        chat.delete()
        model.chats[chat.id].deleted = True
        model.resolve()

    @precondition(some_session)
    @rule(data=st.data(), name=NAMES)
    def bring_back_chat(self, data, name):
        session, model = self.pick(data)
        named = self.gone(model, name)
        if named and len(model.live) >= LIMITS["max_chats"]:
            with pytest.raises(ChatLimitReached):
                session.bring_back(name)
            return
        assert session.bring_back(name) == (named[-1] if named else None)
        if named:
            model.chats[named[-1]].deleted = False
            model.active = model.active or named[-1]

    @staticmethod
    def gone(model, name):
        return [cid for cid, chat in model.chats.items() if chat.deleted and fold(chat.names[-1]) == fold(name)]

    @precondition(some_chat)
    @rule(
        data=st.data(), key=st.sampled_from(["model", "system", "temperature"]), value=st.sampled_from(["", "1", "2"])
    )
    def configure(self, data, key, value):
        chat, model = self.pick_chat(data)
        recorded = self.recorded(chat).config
        chat.configure(**{key: value})
        model.config = over(model.config, {key: value})
        model.here[key] = value
        if recorded.get(key, "") != value:
            model.since[key] = value

    @staticmethod
    def recorded(chat):
        return read("", chat.session.record.entries).chats[chat.id]

    # -- asking

    @precondition(some_chat)
    @rule(data=st.data(), letters=st.text("ab", min_size=1, max_size=3), how=ENDS)
    def send(self, data, letters, how):
        self.sent(*self.pick_chat(data), letters, how)

    @precondition(some_path)
    @rule(data=st.data(), letters=st.text("ab", min_size=1, max_size=2))
    def go_on(self, data, letters):
        self.sent(*self.pick_asked(data), letters, "stop")

    def sent(self, chat, model, letters, how):
        for letter in letters:
            self.ask(chat, chat.send, self.prompt(chat, letter), model.head, model.config, how)

    def prompt(self, chat, letter):
        """A prompt that says whose it is, and that nobody else has."""
        return f"{letter} in {chat.session.id} of {chat.session.user_id}, #{self.provider.serial + 1}#"

    @precondition(some_path)
    @rule(data=st.data(), how=ENDS)
    def edit(self, data, how):
        chat, model = self.pick_asked(data)
        path = self.model_of(chat).path(chat.id)
        number = data.draw(st.integers(1, len(path)))
        turn = self.model_of(chat).turns[path[number - 1]]
        config = self.config_of(model, turn)
        self.ask(chat, lambda text: chat.edit(number, text), self.prompt(chat, "e"), turn.parent, config, how)

    @precondition(some_path)
    @rule(data=st.data(), how=ENDS)
    def retry(self, data, how):
        chat, model = self.pick_asked(data)
        turn = self.model_of(chat).turns[self.last_shown(chat)]
        if turn.config is None and self.model_of(chat).state == "active":
            with pytest.raises(TurnNotFound):
                chat.retry()
            return
        config = self.config_of(model, turn)
        self.ask(chat, lambda text: chat.retry(), turn.prompt, turn.parent, config, how)

    def pick_asked(self, data):
        """A chat in which something was asked."""
        asked = [(s, cid) for s, model in self.live().items() for cid in model.live if model.path(cid)]
        sid, cid = self.one_of(data, asked)
        return self.manager.session(sid, self.sessions[sid].user).chat(cid), self.sessions[sid].chats[cid]

    @staticmethod
    def config_of(model, turn):
        """The settings of the turn whose place is taken, and what was set since the last one."""
        base = model.config if turn.config is None else turn.config
        return over(base, {**model.since, **model.here})

    def ask(self, chat, call, prompt, place, config, how):  # noqa: PLR0917
        session = self.model_of(chat)
        model = session.chats[chat.id]
        if session.state != "active":
            with pytest.raises(SessionNotActive):
                call(prompt)
            return
        self.provider.how = how
        with self.ends(how):
            call(prompt)
        self.check_request(session.walk(place), session, config, prompt)
        if how == "refused":
            return
        turn = chat.turns[-1]
        answer = f"<{self.provider.serial}>"
        assert (turn.prompt.content, turn.text, turn.finish_reason) == (prompt, answer, how)
        n = chat.session.record.entries[turn.id]["n"]
        session.turns[turn.id] = Turn((n, turn.id), chat.id, place, prompt, answer, dict(config))
        model.head, model.config, model.since, model.here = turn.id, dict(config), {}, {}
        self.said[turn.id] = prompt, answer
        self.shown.add(turn.id)
        self.used(chat)

    @contextmanager
    def ends(self, how):
        if how == "stop":
            yield
        else:
            with pytest.raises(KeyboardInterrupt if how == "interrupted" else ProviderError):
                yield

    def check_request(self, path, session, config, prompt):
        """A request carries this path, its system prompt, and nothing else of anybody's."""
        sent = [(m["role"], m["content"]) for m in self.provider.request.messages]
        system = [("system", config["system"])] if "system" in config else []
        said = [session.turns[tid].said for tid in path]
        turns = [(role, text) for turn in said for role, text in zip(["user", "assistant"], turn, strict=True) if text]
        assert sent == [*system, *turns, ("user", prompt)]
        assert self.provider.request.model == config.get("model", "")

    # -- history

    def last_shown(self, chat):
        path = self.model_of(chat).path(chat.id)
        return next((tid for tid in reversed(path) if tid in self.shown), path[-1] if path else None)

    @precondition(some_chat)
    @rule(data=st.data())
    def undo(self, data):
        self.undone(self.pick_chat(data)[0])

    def undone(self, chat):
        session, last = self.model_of(chat), self.last_shown(chat)
        turn = chat.undo()
        assert (turn.id if turn else None) == last
        if last:
            session.chats[chat.id].head = session.turns[last].parent
            session.chats[chat.id].undone.append(last)

    @precondition(some_chat)
    @rule(data=st.data())
    def redo(self, data):
        chat, model = self.pick_chat(data)
        session = self.model_of(chat)
        following = [tid for tid in session.tree(chat.id) if session.turns[tid].parent == model.head]
        wanted = model.undone.pop() if model.undone else None
        if wanted not in following:
            wanted = max(following, key=lambda tid: session.turns[tid].stamp, default=None)
        turn = chat.redo()
        assert (turn.id if turn else None) == wanted
        model.head = wanted or model.head

    @precondition(some_path)
    @rule(data=st.data())
    def clear(self, data):
        chat, model = self.pick_asked(data)
        assert chat.clear() == len(self.model_of(chat).path(chat.id))
        model.head = None

    @precondition(some_chat)
    @rule(data=st.data(), by_id=st.booleans())
    def checkout(self, data, by_id):
        chat, model = self.pick_chat(data)
        session = self.model_of(chat)
        branches, tree = session.branches(chat.id), session.tree(chat.id)
        found = [(branch.after, [turn.id for turn in branch.turns]) for branch in chat.branches]
        path = session.path(chat.id)
        assert found == [(len([t for t in session.walk(ids[0]) if t in path]), ids) for ids in branches]
        if by_id and tree:
            ref = wanted = self.one_of(data, tree)
        elif branches:
            number = data.draw(st.integers(1, len(branches)))
            ref, ids = number, branches[number - 1]
            wanted = next((tid for tid in reversed(ids) if tid in self.shown), ids[-1])
        else:
            with pytest.raises(TurnNotFound):
                chat.checkout(1)
            return
        assert chat.checkout(ref).id == wanted
        model.head = wanted

    @precondition(some_chat)
    @rule(data=st.data(), name=NAMES, named=st.booleans())
    def fork(self, data, name, named):
        chat, source = self.pick_chat(data)
        session = self.model_of(chat)
        path = session.path(chat.id)
        at = data.draw(st.integers(0, len(path))) if named else None
        point = self.last_shown(chat) if at is None else path[at - 1] if at else None
        stands, gone = find(name, session.live), self.gone(session, name)
        if stands is None and len(session.live) >= LIMITS["max_chats"]:
            with pytest.raises(ChatLimitReached):
                chat.fork(name, at)
            return
        forked = chat.fork(name, at)
        if stands is None and not gone:
            session.chats[forked.id] = Chat([name], dict(source.config), point, point)
            self.used(forked)
        else:
            assert forked.id == (stands or gone[-1])
            model = session.chats[forked.id]
            model.deleted = False
            if forked.id != chat.id and (at == 0 or point in self.shown) and model.base != point:
                model.head = model.base = point
        session.active = forked.id

    @precondition(some_path)
    @rule(data=st.data())
    def purge(self, data):
        chat, _ = self.pick_asked(data)
        self.purge_one(chat, data.draw(st.integers(1, len(self.model_of(chat).path(chat.id)))))
        self.nothing_purged_is_anywhere()

    def purge_one(self, chat, number):
        session = self.model_of(chat)
        turn = session.turns[session.path(chat.id)[number - 1]]
        chat.purge(number)
        self.purged.add(turn.stamp[1])
        turn.prompt, turn.answer, turn.config = "", "", None
        model, owner = session.chats[turn.chat], chat.session._chat(turn.chat)
        recorded = self.recorded(owner)
        model.since = recorded.since
        keys = recorded.config.keys() | model.config.keys()
        kept = {k: model.config.get(k, "") for k in keys if recorded.config.get(k) != model.config.get(k)}
        model.here |= kept

    def nothing_purged_is_anywhere(self):
        places = [self.written(self.manager), *(self.manager.records(user) for user in USERS)]
        places += [self.store.unsaved(user) for user in USERS]
        text = "".join(json.dumps(place) for place in places)
        assert not [secret for secret in self.secrets() if secret in text]

    def secrets(self):
        """What was purged, and is said by no other turn."""
        texts = {True: set(), False: set()}
        for tid, said in self.said.items():
            texts[tid in self.purged].update(said)
        return texts[True] - texts[False]

    @precondition(some_chat)
    @rule(data=st.data(), word=st.sampled_from(["a in", "E IN", "<1", "#2#", "nowhere"]))
    def search(self, data, word):
        session, model = self.pick(data)
        found = {}
        for cid in model.live:
            path = model.path(cid)
            begun = [tid for tid in path if model.turns[tid].chat not in model.live]
            for tid in [tid for tid, turn in model.turns.items() if turn.chat == cid] + begun:
                if any(word.lower() in text for text in model.turns[tid].said):
                    found.setdefault(tid, (cid, path.index(tid) + 1 if tid in path else None))
        wanted = [(*found[tid], tid) for tid in sorted(found, key=lambda tid: model.turns[tid].stamp)]
        assert [(hit.chat.id, hit.number, hit.turn.id) for hit in session.search(word)] == wanted

    @precondition(some_session)
    @rule(data=st.data())
    def count(self, data):
        session, model = self.pick(data)
        stats = session.stats
        own = [turn for turn in model.turns.values() if turn.chat in model.live and turn.config is not None]
        assert (stats.chats, stats.total.turns) == (len(model.live), len(own))
        assert stats.on_path == sum(len(model.path(cid)) for cid in model.live)
        assert stats.branches == sum(len(model.branches(cid)) for cid in model.live)
        assert stats.asked.turns == sum(turn.stamp[1] in self.shown for turn in own)
        assert stats.replayed.turns == 0

    # -- what must change nothing

    @precondition(some_session)
    @rule(data=st.data())
    def strangers_are_unknown(self, data):
        session, model = self.pick(data)
        other = USERS[1 - USERS.index(model.user)]
        with pytest.raises(SessionNotFound):
            self.manager.session(session.id, other)
        foreign = [cid for s in self.sessions.values() if s is not model for cid in s.chats]
        for cid in [*foreign, "c_nobody", *(cid for cid in model.chats if cid not in model.live)]:
            with pytest.raises(ChatNotFound):
                session.switch_to(cid)

    @precondition(some_path)
    @rule(user=st.sampled_from(USERS))
    def flush_twice(self, user):
        self.flush(user)
        before, events = self.manager.snapshot(user), []
        end = self.manager.subscribe(events.append)
        self.manager.flush(user)
        end()
        assert events == []
        assert snapshot.dump(self.manager.records(user)) == self.manager.snapshot(user) == before

    def flush(self, user):
        self.manager.flush(user)
        self.note_written(self.manager.records(user))

    def note_written(self, sessions):
        """What was set in this kernel is recorded now."""
        for sid, es in sessions.items():
            for cid, chat in read("", es).chats.items():
                self.sessions[sid].chats[cid].since = chat.since

    # -- other kernels

    def written(self, manager):
        return {user: manager.snapshot(user) for user in USERS}

    def stored(self):
        return {user: snapshot.dump(self.store.unsaved(user)) for user in USERS}

    @precondition(some_path)
    @rule(how=st.sampled_from(["notebook", "store", "killed"]))
    def restart(self, how):
        {"notebook": self.from_the_notebook, "store": self.from_the_store, "killed": self.killed}[how]()

    def from_the_notebook(self):
        """Resume ∘ snapshot = identity."""
        before = self.written(self.manager)
        for user in USERS:
            self.note_written(before[user]["sessions"])
            self.store.add(user, before[user]["sessions"])
        self.begin_kernel(before)
        assert self.written(self.manager) == before

    def from_the_store(self):
        for user in USERS:
            self.flush(user)
        before = self.written(self.manager)
        assert self.stored() == before
        self.begin_kernel(self.stored())
        assert self.written(self.manager) == before

    def killed(self):
        """The store holds what was made; what only points is as it was written last."""
        assert self.stored() == {user: snapshot.dump(self.manager.records(user)) for user in USERS}
        before, sessions = self.written(self.manager), self.sessions
        self.take_over(self.stored())
        for sid, model in sessions.items():
            assert self.sessions[sid].turns == model.turns
            assert self.sessions[sid].names == model.names
            assert [c.names for c in self.sessions[sid].chats.values()] == [c.names for c in model.chats.values()]
        self.begin_kernel(self.stored())
        lost = [self.manager.adopt(snapshot.parse(before[user]), user) for user in USERS]
        kinds = {entry["kind"] for new in lost for entries in new.values() for entry in entries.values()}
        assert kinds <= {"head", "active", "set"}
        self.begin_kernel(self.stored())

    def take_over(self, written):
        """From here on, the model is what these entries make."""
        found = [(user, sid, es) for user in USERS for sid, es in written[user]["sessions"].items()]
        found.sort(key=lambda one: min((e["n"], eid) for eid, e in one[2].items() if e["kind"] == "session"))
        self.sessions = {sid: read(user, es) for user, sid, es in found}
        self.active = {
            user: max(self.live(user), key=lambda sid: self.sessions[sid].led, default=None) for user in USERS
        }

    @precondition(some_chat)
    @rule(
        data=st.data(),
        ours=MOVES,
        theirs=MOVES,
    )
    def diverge_and_merge(self, data, ours, theirs):
        """Two kernels go on from the same notebook; what they have made is merged."""
        picked = self.pick_chat(data)[0]
        sid, cid, user = picked.session.id, picked.id, picked.session.user_id
        copy = self.reopened(self.written(self.manager))
        for manager, moves in ((self.manager, ours), (copy, theirs)):
            session = manager.session(sid, user)
            for move in moves:
                self.move(session, session.chat(cid) if session.has(cid) else None, move)
        one, two = self.written(self.manager), self.written(copy)
        ones, twos = ({u: snapshot.parse(value) for u, value in written.items()} for written in (one, two))
        union = {u: snapshot.merge(ones[u], twos[u]) for u in USERS}
        for u in USERS:
            assert union[u] == snapshot.merge(twos[u], ones[u]) == snapshot.merge(union[u], ones[u], twos[u])
            self.store.add(u, union[u])
        for u in USERS:
            self.manager.adopt(twos[u], u)  # in a living kernel
            assert self.manager.records(u) == snapshot.merge(self.manager.records(u), twos[u])
        self.take_over({u: snapshot.dump(union[u]) for u in USERS})
        self.store = self.filled(union)
        self.begin_kernel(two, one)
        self.everything_is_as_the_model_says()
        self.begin_kernel(one, two)

    def filled(self, union):
        """A store that has just this: the kernels that diverged have written into it what the merge leaves out."""
        self.close()
        store = self.new_store()
        for user, sessions in union.items():
            store.add(user, sessions)
        return store

    def move(self, session, chat, move):
        state = session.state
        if move == "create":
            if len(session.chats) < LIMITS["max_chats"]:
                names = [fold(c.name) for c in session.chats]
                session.create_chat(next(name for name in ("x", "y", "ä", "z") if name not in names))
        elif chat is None:
            return
        elif move == "send" and state == "active":
            self.provider.how = "stop"
            turn = chat.send(self.prompt(chat, "m"))
            self.said[turn.id] = turn.prompt.content, turn.text
        elif move == "rename":
            chat.rename(f"{len(chat.turns)} {chat.name}"[:20])
        elif move == "undo":
            chat.undo()
        elif move == "delete":
            chat.delete()
        elif move == "purge" and chat.turns:
            self.purged.add(chat.turns[-1].id)
            chat.purge(len(chat.turns))
        elif move == "set":
            chat.configure(temperature=len(chat.turns))

    # -- what always holds

    @invariant()
    def everything_is_as_the_model_says(self):
        for user in USERS:
            mine = self.live(user)
            assert {s.id: s.name for s in self.manager.sessions(user)} == shown(mine)
            active = self.manager.active_session(user)
            assert (active.id if active else None) == self.active.get(user)
        for sid, model in self.live().items():
            session = self.manager.session(sid, model.user)
            assert (session.state, session.description) == (model.state, model.description)
            assert session.active_id == model.active
            assert {chat.id: chat.name for chat in session.chats} == shown(model.live)
            for cid, chat_model in model.live.items():
                chat = session.chat(cid)
                path = model.path(cid)
                assert [turn.id for turn in chat.turns] == path
                assert [(t.prompt.content, t.text) for t in chat.turns] == [model.turns[tid].said for tid in path]
                assert chat.config.settings() == chat_model.config

    @invariant()
    def exactly_one_chat_of_a_session_that_has_any_is_active(self):
        for session in (s for user in USERS for s in self.manager.sessions(user)):
            chats = session.chats
            assert sum(chat.id == session.active_id for chat in chats) == bool(chats)

    @invariant()
    def paths_are_closed_under_parents(self):
        for session in (s for user in USERS for s in self.manager.sessions(user)):
            for chat in session.chats:
                messages = chat.messages
                assert [m.parent for m in messages] == [None, *(m.id for m in messages)][: len(messages)]

    @invariant()
    def nothing_is_destroyed_but_by_purge(self):
        kept = {}
        for user in USERS:
            for session in self.manager._owned(user):
                record = session.record
                kept |= {tid: (record.text(node.user), record.text(tid)) for tid, node in record.nodes.items()}
        assert kept == {tid: ("", "") if tid in self.purged else said for tid, said in self.said.items()}

    def close(self):
        self.store.close()

    def teardown(self):
        if hasattr(self, "store"):
            self.close()
            self.patch.undo()


class UsersWithAFile(Users):
    """The same, with a store in a file, which outlives its process."""

    def new_store(self):
        self.directory = tempfile.TemporaryDirectory()
        return SqliteStore(Path(self.directory.name, "store.sqlite"))

    def stored(self):
        self.store.close()
        self.store = SqliteStore(Path(self.directory.name, "store.sqlite"))
        return super().stored()

    def nothing_purged_is_anywhere(self):
        super().nothing_purged_is_anywhere()
        if self.purged:
            raw = b"".join(path.read_bytes() for path in Path(self.directory.name).iterdir())
            assert not [secret for secret in self.secrets() if secret.encode() in raw]

    def close(self):
        super().close()
        self.directory.cleanup()


EXAMPLES = settings(
    max_examples=260,
    stateful_step_count=50,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)

TestUsers, TestUsersWithAFile = Users.TestCase, UsersWithAFile.TestCase
TestUsers.settings = TestUsersWithAFile.settings = EXAMPLES
