"""Anything users may do, in any order, against a model of plain dicts: the manager agrees with it at every step."""

import json
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule, run_state_machine_as_test

from robota_nb.core.inside import ledger_of, view_of
from robota_nb.errors import (
    ChatLimitReached,
    DuplicateName,
    InvalidStateTransition,
    ProviderError,
    SessionLimitReached,
    SessionNotActive,
    TurnNotFound,
)
from support.state_kernels import (
    ENDS,
    LIMITS,
    NAMES,
    USERS,
    InAFile,
    Kernels,
    some_chat,
    some_deleted_chat,
    some_path,
    some_session,
)
from support.state_model import STATES, Chat, Session, Turn, find, fold, holder, over, read, shown


class Users(Kernels):
    """What users do, in any order."""

    @initialize()
    def start(self):
        self.set_up()
        for sid, model in self.sessions.items():
            for chat in self.manager.session(sid, model.user).chats[:2]:
                self.sent(chat, model.chats[chat.id], "ab", "stop")

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
        recorded = {sid: read("", es).led for sid, es in ledger_of(self.manager).records(model.user).items()}
        self.manager.delete_session(session.id, model.user)
        model.deleted = True
        if self.active[model.user] == session.id:
            self.active[model.user] = max(self.live(model.user), key=recorded.get, default=None)

    @rule(data=st.data(), user=st.sampled_from(USERS))
    def bring_back_session(self, data, user):
        gone = {sid: s for sid, s in self.sessions.items() if s.user == user and s.deleted}
        name = self.one_of(data, ["x", *(s.names[-1] for s in gone.values())])
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

    @precondition(some_deleted_chat)
    @rule(data=st.data())
    def bring_back_chat(self, data):
        sid = self.one_of(data, [sid for sid, s in self.live().items() if len(s.live) < len(s.chats)])
        model = self.sessions[sid]
        session = self.manager.session(sid, model.user)
        name = self.one_of(data, [chat.names[-1] for chat in model.chats.values() if chat.deleted])
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
        if recorded.get(key, "") != value:
            model.since[key] = value

    @staticmethod
    def recorded(chat):
        return read("", view_of(chat).record.entries).chats[chat.id]

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
        turn = self.model_of(chat).turns[model.head]
        if turn.config is None and self.model_of(chat).state == "active":
            with pytest.raises(TurnNotFound):
                chat.retry()
            return
        config = self.config_of(model, turn)
        self.ask(chat, lambda text: chat.retry(), turn.prompt, turn.parent, config, how)

    @staticmethod
    def config_of(model, turn):
        """The settings of the turn whose place is taken, and what was set since the last one."""
        base = model.config if turn.config is None else turn.config
        return over(base, model.since)

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
        n = view_of(chat).record.entries[turn.id]["n"]
        session.turns[turn.id] = Turn((n, turn.id), chat.id, place, prompt, answer, dict(config), how)
        model.head, model.config, model.since = turn.id, dict(config), {}
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
        turns = [message for tid in path for message in session.turns[tid].sent]
        assert sent == [*system, *turns, ("user", prompt)]
        assert self.provider.request.model == config.get("model", "")

    # -- history

    @precondition(some_chat)
    @rule(data=st.data())
    def undo(self, data):
        self.undone(self.pick_chat(data)[0])

    def undone(self, chat):
        session, model = self.model_of(chat), self.model_of(chat).chats[chat.id]
        last, turn = model.head, chat.undo()
        assert (turn.id if turn is not None else None) == last
        if last:
            model.head = session.turns[last].parent
            model.undone.append(last)

    @precondition(some_chat)
    @rule(data=st.data())
    def redo(self, data):
        chat, model = self.pick_chat(data)
        session = self.model_of(chat)
        following = [tid for tid in session.tree(chat.id) if session.turns[tid].parent == model.head]
        wanted = model.undone.pop() if model.undone else None
        if wanted is None or session.turns[wanted].parent != model.head:
            wanted = max(following, key=lambda tid: session.turns[tid].stamp, default=None)
        turn = chat.redo()
        assert (turn.id if turn is not None else None) == wanted
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
            wanted = ids[-1]
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
        point = source.head if at is None else path[at - 1] if at else None
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
            if forked.id != chat.id:
                model.head = point
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
        model.since = recorded.since  # what only the turn held is written as set since

    def nothing_purged_is_anywhere(self):
        places = [self.written(self.manager), *(ledger_of(self.manager).records(user) for user in USERS)]
        places += [self.store.unsaved(user) for user in USERS]
        text = "".join(json.dumps(place) for place in places)
        assert not [secret for secret in self.secrets() if secret in text]

    def secrets(self):
        """What was purged, and is said by no other turn."""
        texts = {True: set(), False: set()}
        for tid, said in self.said.items():
            texts[tid in self.purged].update(said)
        return texts[True] - texts[False]


class UsersWithAFile(InAFile, Users):
    """The same, with a store in a file."""


@pytest.mark.parametrize("users", [Users, UsersWithAFile])
def test_the_manager_agrees_with_the_model_at_every_step(users, scale):
    examples = settings(
        max_examples=scale(fast=15, all=100, long=10_000),
        stateful_step_count=50,
        deadline=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )
    run_state_machine_as_test(users, settings=examples)
