"""The ground of the state machine: two users, their kernels, stores and notebooks, and what always holds."""

import json
import tempfile
from itertools import count
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from robota_nb.core.events import EntriesAdded
from robota_nb.core.inside import ledger_of, view_of
from robota_nb.core.record import entries, snapshot
from robota_nb.errors import ChatNotFound, SessionNotFound
from robota_nb.stores.memory import MemoryStore
from robota_nb.stores.sqlite import SqliteStore
from support.core import new_manager
from support.state_model import Chat, Numbered, Session, fold, over, read, shown

USERS = ["ann", "bob"]
BEGIN = [("ann", "x", "paused"), ("ann", "äyx", "active"), ("ann", "x", "active"), ("bob", "x", "active")]
NAMES = st.sampled_from(["x", "X", "y", "ä"])
ENDS = st.sampled_from(["stop", "stop", "stop", "refused", "error", "interrupted"])
MOVES = ["send", "send", "rename", "undo", "delete", "create", "purge", "set", "delete session", "pause"]
MOVES = st.lists(st.sampled_from(MOVES), max_size=3)
LIMITS = {"max_active_sessions": 2, "max_chats": 3}


def some_session(machine):
    return bool(machine.live())


def some_chat(machine):
    return any(s.live for s in machine.live().values())


def some_deleted_chat(machine):
    return any(len(s.live) < len(s.chats) for s in machine.live().values())


def some_path(machine):
    return any(s.path(cid) for s in machine.live().values() for cid in s.live)


class Kernels(RuleBasedStateMachine):
    """Two users of one process, whose entries go into a store as they are made."""

    def new_store(self):
        return MemoryStore()

    def set_up(self):
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
        self.moves = 0
        self.begin_kernel()
        for user, names, state in BEGIN:
            session = self.manager.create_session(user)
            self.sessions[session.id] = Session(user, [session.name])
            self.active[user] = session.id
            for name in names:
                self.created(session, session.create_chat(name))
            if state == "paused":
                session.pause()
                self.sessions[session.id].state = state

    def begin_kernel(self, *snapshots):
        self.manager = self.reopened(*snapshots)
        self.manager.subscribe(self.committed)
        self.shown = set()
        for model in self.sessions.values():
            for chat in model.chats.values():
                chat.undone = []

    def committed(self, event):
        if isinstance(event, EntriesAdded):
            document = ledger_of(self.manager).views[event.session].user_id
            self.store.add(document, {event.session: event.entries}, {event.session: event.removed})

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

    def pick_asked(self, data):
        """A chat in which something was asked."""
        asked = [(s, cid) for s, model in self.live().items() for cid in model.live if model.path(cid)]
        sid, cid = self.one_of(data, asked)
        return self.manager.session(sid, self.sessions[sid].user).chat(cid), self.sessions[sid].chats[cid]

    def model_of(self, chat):
        return self.sessions[chat.session.id]

    # -- noting

    def created(self, session, chat, given=()):
        model = self.sessions[session.id]
        inherited = model.chats[model.active].config if model.active else {"provider": "numbered"}
        model.chats[chat.id] = Chat([chat.name], over(inherited, {k: v for k, v in dict(given).items() if v}))
        self.used(chat)
        model.active = chat.id

    def used(self, chat):
        """Note when the chat was used last, as its entries say."""
        record = view_of(chat).record.entries
        kinds = ("chat", "message")
        stamps = [(e["n"], eid) for eid, e in record.items() if e["kind"] in kinds and e["chat"] == chat.id]
        self.model_of(chat).chats[chat.id].last = max(stamps)

    def prompt(self, chat, letter):
        """A prompt that says whose it is, and that nobody else has."""
        return f"{letter} in {chat.session.id} of {chat.session.user_id}, #{self.provider.serial + 1}#"

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
        assert snapshot.dump(ledger_of(self.manager).records(user)) == self.manager.snapshot(user) == before

    def flush(self, user):
        self.manager.flush(user)
        self.note_written(ledger_of(self.manager).records(user))

    def note_written(self, sessions):
        """What was set in this kernel is recorded now."""
        for sid, es in sessions.items():
            for cid, chat in read("", es).chats.items():
                self.sessions[sid].chats[cid].since = chat.since

    @precondition(some_chat)
    @rule(data=st.data(), word=st.sampled_from(["a in", "E IN", "<1", "#2#", "nowhere"]))
    def search(self, data, word):
        session, model = self.pick(data)
        assert self.hits(session.search(word)) == self.found(model, word, model.live)
        for cid in model.live:
            assert self.hits(session.chat(cid).search(word)) == self.found(model, word, [cid])

    @staticmethod
    def hits(found):
        return [(hit.chat.id, hit.number, hit.turn.id) for hit in found]

    @staticmethod
    def found(model, word, chats):
        found = {}
        for cid in chats:
            path = model.path(cid)
            begun = [tid for tid in path if model.turns[tid].chat not in chats]
            for tid in [tid for tid, turn in model.turns.items() if turn.chat == cid] + begun:
                if any(word.lower() in text for text in model.turns[tid].said):
                    found.setdefault(tid, (cid, path.index(tid) + 1 if tid in path else None))
        return [(*found[tid], tid) for tid in sorted(found, key=lambda tid: model.turns[tid].stamp)]

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
        assert self.stored() == {user: snapshot.dump(ledger_of(self.manager).records(user)) for user in USERS}
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
                self.move(session, session.chat(cid) if view_of(session).has(cid) else None, move)
        one, two = self.written(self.manager), self.written(copy)
        ones, twos = ({u: snapshot.parse(value) for u, value in written.items()} for written in (one, two))
        union = {u: snapshot.merge(ones[u], twos[u]) for u in USERS}
        for u in USERS:
            assert union[u] == snapshot.merge(twos[u], ones[u]) == snapshot.merge(union[u], ones[u], twos[u])
            self.store.add(u, union[u])
        for u in USERS:
            self.manager.adopt(twos[u], u)  # in a living kernel
            assert self.manager.active_session(u) in (self.manager.sessions(u) or [None])
            assert ledger_of(self.manager).records(u) == snapshot.merge(ledger_of(self.manager).records(u), twos[u])
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
        if session.deleted:
            return
        if move == "delete session":
            session.manager.delete_session(session.id, session.user_id)
        elif move == "pause" and state == "active":
            session.pause()
        elif move == "create":
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
            self.moves += 1
            chat.rename(f"moved {self.moves}")
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
            for session in ledger_of(self.manager).owned(user):
                record = session.record
                kept |= {tid: (record.text(node.user), record.text(tid)) for tid, node in record.nodes.items()}
        assert kept == {tid: ("", "") if tid in self.purged else said for tid, said in self.said.items()}

    def close(self):
        self.store.close()

    def teardown(self):
        if hasattr(self, "store"):
            self.close()
            self.patch.undo()


class InAFile(Kernels):
    """A store in a file, which outlives its process."""

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
