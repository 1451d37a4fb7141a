"""What an ask leaves of which nothing came: nothing, neither here nor in what is written."""

from contextlib import contextmanager

import pytest

from robota_nb.core import ask_flow
from robota_nb.core.events import EntriesAdded
from robota_nb.core.inside import ledger_of, runtime_of, view_of
from robota_nb.core.record.config import Config
from robota_nb.core.record.text import count
from robota_nb.errors import ChatBusy, ChatNotFound, ProviderError, ReplayMiss, SessionNotActive, SnapshotError
from support.core import ask_in_cell, everything, in_cell, new_manager, raised, restarted, scripted, texts


@contextmanager
def asking(manager, text="hi", **options):
    """The live answer that a cell has begun to wait for."""
    with in_cell(manager):
        yield ask_flow.ask(manager, text, user_id="u", **options)


def ask(manager, text="hi", **options):
    return ask_in_cell(manager, text, **options)


def told_by(manager):
    told = []
    manager.subscribe(lambda event: told.append(event) if isinstance(event, EntriesAdded) else None)
    return told


def strict(manager):
    runtime_of(manager).mode = "strict"
    return manager


@pytest.mark.parametrize(
    ("refused", "options", "error"),
    [
        (lambda: strict(new_manager()), {}, ReplayMiss),
        (new_manager, {"chat": "Nope"}, ChatNotFound),
    ],
)
def test_an_ask_that_is_refused_begins_no_session_and_no_chat(refused, options, error):
    manager = refused()
    before, told = everything(manager), told_by(manager)
    raised(error, lambda: ask(manager, **options))
    assert (manager.sessions("u"), manager.active_session("u"), told) == ([], None, [])
    manager.flush("u")
    assert everything(manager) == before


@pytest.mark.parametrize("state", ["pause", "archive", "terminate"])
def test_an_ask_in_a_session_that_is_not_active_begins_no_chat(state):
    manager = new_manager()
    session = manager.create_session("u", "S")
    getattr(session, state)()
    manager.flush("u")
    before, told = everything(manager), told_by(manager)
    raised(SessionNotActive, ask, manager)
    manager.flush("u")
    assert (session.chats, session.active_chat, told) == ([], None, [])
    assert everything(manager) == before


def test_a_strict_ask_in_a_session_without_chats_begins_none():
    manager = strict(new_manager())
    session = manager.create_session("u", "S")
    before = everything(manager)
    raised(ReplayMiss, ask, manager)
    assert session.chats == []
    assert everything(manager) == before


class Fails:
    """Fails before any text comes, in one way or another."""

    def __init__(self, error):
        self.error = error

    def default(self):
        return "fails", "m"

    def get(self, name):
        return self

    def stream(self, request):
        raise self.error


@pytest.mark.parametrize("error", [ProviderError("no key"), OSError("broken"), KeyboardInterrupt()])
@pytest.mark.parametrize("begun", [False, True])
def test_an_ask_of_which_nothing_came_leaves_no_chat_and_no_session(error, begun):
    manager = new_manager(providers=Fails(error))
    if begun:
        manager.create_session("u", "S")
    before, told = everything(manager), told_by(manager)
    with pytest.raises((ProviderError, KeyboardInterrupt)):
        ask(manager)
    manager.flush("u")
    assert [session.chats for session in manager.sessions("u")] == [[]] * begun
    assert told == []
    assert everything(manager) == before
    assert runtime_of(manager).made & view_of(manager.create_session("u", "T")).record.entries.keys()  # and only those


def test_a_prompt_that_is_too_long_leaves_no_chat():
    manager = new_manager()
    raised(SnapshotError, ask, manager, "x" * 1_100_000)
    assert manager.sessions("u") == []


def test_what_is_asked_without_recording_begins_nothing():
    manager = new_manager()
    before = everything(manager)
    assert ask(manager, once=True).text == "re: hi"
    manager.flush("u")
    assert everything(manager) == before
    assert manager.sessions("u") == []


def test_with_the_first_text_the_session_and_the_chat_are_told_before_the_turn():
    manager = new_manager()
    told = told_by(manager)
    with asking(manager) as live:
        assert told == []
        assert manager.snapshot("u")["sessions"] == {}
        next(live)
        assert [entry["kind"] for event in told for entry in event.entries.values()] == ["session", "config", "chat"]
        turn = live.result()
    assert texts(manager.active_session("u").active_chat) == [turn.text]
    assert texts(restarted(manager).active_session("u").active_chat) == ["re: hi"]


def test_an_answer_without_text_is_recorded_with_its_chat():
    from robota_nb.core.ports import Finish

    manager = scripted([Finish(reason="stop")])
    ask(manager)
    assert texts(restarted(manager).active_session("u").active_chat) == [""]


def test_what_breaks_off_is_kept_with_its_chat():
    manager = scripted(["half", ProviderError("broke off")])
    raised(ProviderError, ask, manager)
    assert texts(restarted(manager).active_session("u").active_chat) == ["half"]


def test_whatever_else_is_recorded_meanwhile_takes_the_chat_along():
    manager = new_manager()
    with asking(manager) as live:
        manager.active_session("u").active_chat.rename("Mine")
        assert [chat.name for chat in restarted(manager).active_session("u").chats] == ["Mine"]
        assert live.result().text == "re: hi"


def test_after_a_failed_first_ask_the_next_one_begins_anew():
    provider = Fails(ProviderError("no key"))
    manager = new_manager(providers=provider)
    for _ in range(2):
        raised(ProviderError, ask, manager)
    provider.stream = new_manager()._ledger.runtime.providers.stream
    assert ask(manager).text == "re: hi"
    (session,) = manager.sessions("u")
    assert [(chat.name, texts(chat)) for chat in session.chats] == [("Chat 1", ["re: hi"])]


def test_settings_for_a_chat_that_is_gone_are_not_written():
    manager = new_manager(providers=Fails(ProviderError("no key")))
    manager.create_session("u", "S")
    before = ledger_of(manager).records("u")
    with asking(manager) as live:
        manager.active_session("u").active_chat.configure(model="n")
        raised(ProviderError, live.result)
    manager.flush("u")
    assert ledger_of(manager).records("u") == before


# -- who is asked where nobody has chosen


class Keyed:
    """Has a key, or has not; then the default is the embedded model."""

    def __init__(self, key):
        self.key, self.asked = key, []

    def default(self):
        return ("server", "big") if self.key else ("offline", "offline")

    def get(self, name):
        self.asked.append(name)
        return new_manager()._ledger.runtime.providers


def with_key(manager):
    again = new_manager(providers=Keyed(key=True))
    again.adopt(ledger_of(manager).records("u"), "u")
    return again, runtime_of(again).providers


def test_what_the_offline_model_answered_replays_with_a_key_and_what_is_new_asks_the_server():
    manager = new_manager(providers=Keyed(key=False))
    turn = ask(manager)
    assert (turn.config.provider, turn.config.model) == ("offline", "offline")
    again, providers = with_key(manager)
    assert ask(again).replayed
    assert providers.asked == []
    chat = again.active_session("u").active_chat
    assert chat.config.target == "server/big"
    turn = ask_in_cell(again, "more", "other")
    assert (providers.asked, turn.config.target) == (["server"], "server/big")
    assert chat.retry().config.target == "server/big"
    assert again.active_session("u").create_chat().config.target == "server/big"


def test_the_other_settings_of_such_a_chat_stay():
    manager = new_manager(providers=Keyed(key=False))
    manager.create_session("u").create_chat(temperature=0.2, system="brief").send("hi")
    again, _ = with_key(manager)
    config = again.active_session("u").active_chat.config
    assert config.settings() == {"provider": "server", "model": "big", "temperature": "0.2", "system": "brief"}


@pytest.mark.parametrize("model", ["offline", None])
@pytest.mark.parametrize("how", ["create", "configure"])
def test_who_chose_the_offline_model_keeps_it(model, how):
    manager = new_manager(providers=Keyed(key=False))
    session = manager.create_session("u")
    chosen = {"provider": "offline", **({"model": model} if model else {})}
    if how == "create":
        chat = session.create_chat(**chosen)
    else:
        chat = session.create_chat()
        chat.configure(**chosen)
        size = count(len(ledger_of(manager).records("u")[session.id]), "entry")
        manager.flush("u")
        manager.flush("u")
        assert count(len(ledger_of(manager).records("u")[session.id]), "entry") == size
    chat.send("hi")
    again, providers = with_key(manager)
    again.active_session("u").active_chat.send("more")
    assert providers.asked == ["offline"]


def test_only_what_nobody_chose_is_a_fallback():
    fallback = Config(provider="offline", model="offline")
    assert fallback.is_fallback
    assert fallback.with_settings({"temperature": "0.2"}).is_fallback
    assert not fallback.with_settings({"provider": "offline", "model": ""}).is_fallback
    assert not fallback.with_settings({"model": "offline"}).is_fallback
    assert not Config(provider="").is_fallback


# -- while a turn runs


@pytest.mark.parametrize("move", ["undo", "redo", "clear", "checkout"])
def test_while_a_turn_runs_its_chat_does_not_move(move):
    manager = new_manager()
    chat = manager.create_session("u", "S").create_chat("A")
    first = chat.send("hi")
    live = chat.stream("more")
    next(live)
    before = everything(manager)
    arguments = [first.id] if move == "checkout" else []
    assert raised(ChatBusy, getattr(chat, move), *arguments) == (
        "a turn is running in 'A': wait for it, or stop it with chat.cancel()"
    )
    assert everything(manager) == before
    assert chat.fork("Aside").name == "Aside"
    live.result()
    assert texts(chat) == ["re: hi", "re: more"]
    getattr(chat, move)(*arguments)
