"""Sessions and chats as a user of the library meets them: each behaviour of the session model."""

import asyncio

import pytest

from robota_nb import SessionManager
from robota_nb.core.inside import runtime_of, view_of
from robota_nb.core.record.config import Config, settings_from
from robota_nb.core.record.snapshot import dump, parse
from robota_nb.errors import (
    ChatLimitReached,
    ChatNotFound,
    DuplicateName,
    InvalidName,
    SessionLimitReached,
    SessionNotActive,
    SessionNotFound,
    SnapshotError,
)
from robota_nb.testing import ScriptedProvider
from support.core import Only, entries_of, new_manager, raised, texts

# -- the example


def test_the_example_of_the_design_runs_as_written():
    provider = ScriptedProvider(["an indentation error", "continued", ["and", " now"], "async"])
    manager = SessionManager(max_active_sessions=10, providers=Only(provider))
    work = manager.create_session("user123", name="Python Development")
    debug = work.create_chat("Debug Session", provider="openai", model="gpt-4o")
    turn = debug.send("Help me debug this Python error: ...")
    assert str(turn) == "an indentation error"
    feature = work.create_chat("Feature Development")
    assert work.active_chat is feature
    assert feature.config == debug.config
    work.switch_to(debug.id)
    debug.send("Continue debugging...")
    assert list(debug.stream("and now?")) == ["and", " now"]
    assert str(asyncio.run(debug.asend("..."))) == "async"
    assert texts(debug) == ["an indentation error", "continued", "and now", "async"]
    assert feature.turns == []
    provider.assert_done()


# -- isolation


def test_another_users_session_is_unknown_in_the_words_of_an_absent_one(manager):
    hers = manager.create_session("ann", "Secret plans")
    manager.create_session("bob", "Mine")
    absent = raised(SessionNotFound, manager.session, "s_" + "0" * 32, "bob")
    assert raised(SessionNotFound, manager.session, hers.id, "bob").replace(hers.id, "s_" + "0" * 32) == absent
    assert "did you mean" not in raised(SessionNotFound, manager.session, "Secret plan", "bob")
    assert manager.find_session(hers.id, "bob") is None
    assert [s.name for s in manager.sessions("bob")] == ["Mine"]
    assert manager.active_session("bob").name == "Mine"
    assert manager.snapshot("bob")["sessions"].keys() == {manager.active_session("bob").id}


def test_another_sessions_chat_is_unknown_in_the_words_of_an_absent_one(manager, session):
    session.create_chat("Mine")
    other = manager.create_session("u", "Other").create_chat("Theirs")
    absent = raised(ChatNotFound, session.chat, "c_" + "0" * 32)
    assert raised(ChatNotFound, session.chat, other.id).replace(other.id, "c_" + "0" * 32) == absent
    assert "did you mean" not in raised(ChatNotFound, session.switch_to, "Their")


def test_a_snapshot_with_a_session_of_another_user_is_refused_as_a_whole(manager):
    manager.create_session("ann", "A").create_chat()
    hers = manager.snapshot("ann")
    other = new_manager()
    other.create_session("x", "New")
    mixed = parse(dump({**other.snapshot("x")["sessions"], **hers["sessions"]}))
    raised(SessionNotFound, manager.adopt, mixed, "bob")
    assert manager.sessions("bob") == []


# -- the active chat


def test_creating_a_chat_activates_it_and_inherits_the_config_of_the_one_before(session):
    first = session.create_chat("A", model="gpt", system="be brief", temperature=0.5)
    second = session.create_chat("B", model="other")
    assert session.active_chat is second
    assert second.config.settings() == {**first.config.settings(), "model": "other"}
    second.configure(model="late")
    assert first.config.model == "gpt"


def test_the_first_chat_starts_with_the_sessions_default_else_with_the_managers(manager):
    own = Config(provider="lab", model="m", params={"seed": "1"})
    assert manager.create_session("u", default_config=own).create_chat().config == own
    assert manager.create_session("u").create_chat().config == Config(provider="echo", model="m")


def test_exactly_one_chat_is_active(session):
    chats = [session.create_chat() for _ in range(3)]
    for chat in chats:
        assert session.switch_to(chat.name) is chat
        assert session.active_chat is chat
        assert [c for c in session.chats if c.id == session.active_id] == [chat]


def test_switching_to_an_unknown_chat_changes_nothing(manager, session):
    chat = session.create_chat("A")
    before = manager.snapshot("u")
    assert raised(ChatNotFound, session.switch_to, "a b") == (
        "no chat 'a b' in 'S': session.chats lists them, session.create_chat(name) creates one"
    )
    assert "did you mean 'A'" in raised(ChatNotFound, session.switch_to, "A1")
    assert session.active_chat is chat
    assert manager.snapshot("u") == before


def test_asking_a_chat_by_name_leaves_the_active_one_alone_also_after_a_restart(manager, session):
    quiet, active = session.create_chat("quiet"), session.create_chat("active")
    quiet.send("one")
    assert session.active_chat is active
    again = new_manager()
    again.adopt(parse(manager.snapshot("u")), "u")
    again.session("S", "u").chat("quiet").send("two")
    assert again.session("S", "u").active_chat.name == "active"
    third = new_manager()
    third.adopt(parse(again.snapshot("u")), "u")
    assert third.session("S", "u").active_chat.name == "active"


def test_asking_in_another_session_leaves_the_active_session_alone_also_after_a_restart(manager, session):
    session.create_chat("quiet")
    manager.create_session("u", "Active")
    again = new_manager()
    again.adopt(parse(manager.snapshot("u")), "u")
    again.session("S", "u").chat("quiet").send("hi")
    again.session("S", "u").create_chat("more")
    assert again.active_session("u").name == "Active"


# -- names


def test_names_are_unique_whatever_their_case_and_composition(session, manager):
    session.create_chat("Café")
    assert raised(DuplicateName, session.create_chat, "CAFE\u0301") == (
        "'S' has a chat 'CAFÉ' already: switch to it, or choose another name"
    )
    assert raised(DuplicateName, manager.create_session, "u", "s") == (
        "you have a session 's' already: open it, or choose another name"
    )
    manager.create_session("v", "S")  # names are unique in their parent only
    manager.create_session("u", "T").create_chat("Café")


def test_a_chat_may_be_renamed_to_another_case_of_its_name_and_not_to_a_siblings(session, manager):
    chat = session.create_chat("plan")
    session.create_chat("other")
    chat.rename("PLAN")
    assert chat.name == "PLAN"
    raised(DuplicateName, chat.rename, "Other")
    raised(InvalidName, chat.rename, "")
    manager.create_session("u", "T")
    assert raised(DuplicateName, session.rename, "t") == "you have a session 't' already: choose another name"


def test_former_names_still_find_until_another_takes_them(session, manager):
    chat = session.create_chat("draft")
    chat.rename("final")
    session.rename("Renamed")
    assert session.chat("Draft") is chat
    assert manager.session("S", "u") is session
    taker = session.create_chat("draft")
    assert session.chat("draft") is taker


def test_without_a_name_chats_and_sessions_are_numbered_and_numbers_in_use_are_left_out(manager):
    session = manager.create_session("u")
    assert session.name == "Session 1"
    assert manager.create_session("u").name == "Session 2"
    session.create_chat("chat 2")
    assert [session.create_chat().name for _ in range(2)] == ["Chat 3", "Chat 4"]


def test_a_refused_creation_leaves_nothing(manager, session):
    before = entries_of(manager)
    raised(InvalidName, session.create_chat, "a\nb")
    raised(InvalidName, manager.create_session, "u", "x" * 101)
    with pytest.raises(InvalidName):
        session.create_chat("ok", Temperature=1)
    with pytest.raises(SnapshotError):
        session.create_chat("ok", temperature=float("nan"))
    assert entries_of(manager) == before
    assert len(manager.sessions("u")) == 1


# -- limits


def test_at_a_limit_the_error_names_it_and_what_to_do():
    manager = new_manager(max_active_sessions=1, max_chats=2)
    session = manager.create_session("u", "S")
    manager.create_session("v")  # counted for each user
    assert raised(SessionLimitReached, manager.create_session, "u") == (
        "'u' has 1 active session, and max_active_sessions is 1: "
        "pause or archive one of them, or raise max_active_sessions of the manager (0 for any number)"
    )
    session.create_chat()
    session.create_chat()
    assert raised(ChatLimitReached, session.create_chat) == (
        "'S' has 2 chats, and max_chats is 2: go on in one of them, "
        "or raise max_chats of the manager (0 for any number)"
    )
    assert len(session.chats) == 2


def test_a_limit_of_zero_is_none():
    manager = new_manager(max_active_sessions=0, max_chats=0)
    for _ in range(12):
        session = manager.create_session("u")
    for _ in range(60):
        session.create_chat()
    assert len(manager.sessions("u")) == 12
    assert len(session.chats) == 60


@pytest.mark.parametrize(("limit", "sent"), [(0, 7), (1, 1), (3, 3), (4, 5), (100, 7)])
def test_max_messages_shortens_the_request_to_whole_turns_and_never_the_record(limit, sent):
    manager = new_manager(max_messages=limit)
    chat = manager.create_session("u").create_chat()
    for text in "abcd":
        chat.send(text)
    request = runtime_of(manager).providers.requests[-1].messages
    assert len(request) == sent
    assert [m["role"] for m in request] == ["user", "assistant"] * (sent // 2) + ["user"]
    assert len(chat.messages) == 8


# -- history and settings


def test_undo_takes_the_last_turn_off_the_path_and_keeps_it(session):
    chat = session.create_chat()
    chat.send("a")
    chat.send("b")
    assert chat.undo().text == "re: b"
    assert texts(chat) == ["re: a"]
    chat.send("c")
    assert [m["content"] for m in runtime_of(session).providers.requests[-1].messages] == ["a", "re: a", "c"]
    branches = view_of(session).record.children(chat.id, chat.turns[0].id)
    assert sorted(view_of(session).record.text(node.user) for node in branches) == ["b", "c"]
    chat.undo()
    chat.undo()
    assert chat.undo() is None


def test_a_fork_starts_where_its_source_has_got_to_and_goes_its_own_way(session):
    chat = session.create_chat("A", model="x")
    chat.send("a")
    fork = session.active_chat.fork("B")
    fork.send("b")
    chat.send("c")
    assert (texts(chat), texts(fork)) == (["re: a", "re: c"], ["re: a", "re: b"])
    assert session.active_chat is fork
    assert fork.config == chat.config


def test_settings_go_with_the_next_request_and_empty_text_unsets_one(session):
    chat = session.create_chat()
    chat.configure(system="be brief", temperature=0.2, stop=["x"], user="ann")
    chat.send("a")
    request = runtime_of(session).providers.requests[-1]
    assert request.messages[0] == {"role": "system", "content": "be brief"}
    assert request.params == {"temperature": 0.2, "stop": ["x"], "user": "ann"}
    chat.configure(system="", model="n")
    chat.send("b")
    request = runtime_of(session).providers.requests[-1]
    assert (request.model, request.messages[0]["role"]) == ("n", "user")


def test_a_setting_without_a_json_form_is_refused_with_what_to_use():
    assert raised(SnapshotError, settings_from, {"seed": float("inf")}) == (
        "the setting seed=inf has no JSON form: use a finite number, text, true, false, a list or an object"
    )
    assert raised(InvalidName, settings_from, {"name": "x"}) == (
        "setting 'name' is reserved: use the provider's parameter name, such as temperature=0.2"
    )


def test_a_session_that_is_not_active_is_read_and_not_asked(manager, session):
    from robota_nb.core.record.entries import entry_id, set_entry

    chat = session.create_chat("A")
    chat.send("hi")
    paused = set_entry(n=90, at="2026-11-22T09:00:00Z", chat=None, key="state", value="paused")
    manager.adopt({session.id: {entry_id(paused): paused}}, "u")
    assert raised(SessionNotActive, chat.send, "more") == (
        "the session 'S' is paused: it can be read, not asked; session.resume() lets it go on"
    )
    assert texts(chat) == ["re: hi"]


def test_another_provider_brings_its_own_default_model(session):
    first = session.create_chat("First", provider="openai", model="gpt-4o")
    assert session.create_chat("Second", provider="offline").config.settings() == {"provider": "offline"}
    assert session.create_chat("Third", provider="lab", model="llama3").config.model == "llama3"
    first.configure(provider="lab")
    assert first.config.settings() == {"provider": "lab"}
