"""Turns: however they end, in many threads, under asyncio, and what is told of them."""

import asyncio
import copy
import dataclasses
import gc
import json
import logging
import multiprocessing
import pickle
import re
import threading
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache

import pytest

from robota_nb import SessionManager
from robota_nb.core.events import EntriesAdded, Notice, TextArrived
from robota_nb.core.inside import runtime_of
from robota_nb.core.ports import Finish, TextDelta, Usage
from robota_nb.core.record.config import settings_from
from robota_nb.core.record.snapshot import parse
from robota_nb.errors import ChatBusy, ProviderError, SnapshotError
from robota_nb.testing import Act, FaultServer, ScriptedProvider, http
from robota_nb.testing.servers.local_server import delta
from support.core import Only, ask_in_cell, entries_of, in_cell, new_manager, raised, scripted, texts
from support.patience import PATIENCE
from support.provider import lab_provider

# -- a turn, however it ends


def test_a_turn_remembers_what_the_server_said_of_it(session):
    turn = session.create_chat().send("hi")
    assert (turn.text, turn.model, turn.finish_reason) == ("re: hi", "m-1", "stop")
    assert turn.usage == Usage(input_tokens=1, output_tokens=2)
    assert (turn.replayed, turn.cell) == (False, None)
    assert (str(turn), turn.prompt.content, turn.reply.parent) == ("re: hi", "hi", turn.prompt.id)


def test_a_turn_that_fails_without_text_leaves_nothing(session):
    runtime_of(session).providers = Only(ScriptedProvider([ProviderError("no server: start it"), "ok"]))
    chat = session.create_chat()
    before = entries_of(session.manager)
    assert raised(ProviderError, chat.send, "hi") == "no server: start it"
    assert entries_of(session.manager) == before
    assert chat.send("again").text == "ok"


@pytest.mark.parametrize(
    ("failure", "error", "reason"),
    [
        (ProviderError("cut"), ProviderError, "error"),
        (ZeroDivisionError(), ProviderError, "error"),
        (KeyboardInterrupt(), KeyboardInterrupt, "interrupted"),
        (SystemExit(), SystemExit, "interrupted"),
    ],
    ids=["provider", "bug", "interrupt", "exit"],
)
def test_a_turn_that_breaks_off_after_text_is_kept_and_marked(failure, error, reason):
    chat = scripted(["some ", "text", failure], "whole").create_session("u").create_chat()
    live = chat.stream("hi")
    with pytest.raises(error):
        live.result()
    assert (live.turn.text, live.turn.finish_reason) == ("some text", reason)
    assert texts(chat) == ["some text"]
    assert chat.send("go on").text == "whole"


def test_a_provider_that_fails_in_its_own_way_is_named_with_what_to_do():
    chat = scripted(ZeroDivisionError("secret detail")).create_session("u").create_chat()
    assert raised(ProviderError, chat.send, "hi") == (
        "the provider 'scripted' failed with ZeroDivisionError: ask again, or switch the provider"
    )


@pytest.mark.parametrize("reason", ["error", "interrupted"])
def test_a_provider_that_gives_up_without_text_is_an_error_and_leaves_nothing(reason):
    chat = scripted([Finish(reason=reason)], [Finish(reason=reason)]).create_session("u").create_chat()
    text = "the provider 'scripted' gave up before any text came: ask again"
    assert raised(ProviderError, chat.send, "hi") == text
    assert raised(ProviderError, list, chat.stream("hi")) == text
    assert chat.turns == []


def test_an_empty_answer_that_ended_well_is_an_answer():
    chat = scripted([Finish(reason="stop")]).create_session("u").create_chat()
    assert chat.send("say nothing").text == ""
    assert len(chat.turns) == 1


def test_whatever_a_provider_says_what_is_written_can_be_read_again():
    odd = [
        ["x\ud800y", Finish(reason="stop", model="\udfff", usage=Usage(input_tokens=-1, output_tokens=2**60))],
        ["a", Finish(reason="finished!", model=None, usage=Usage(input_tokens=0.5, output_tokens=True))],
        ["b", Finish(reason=None)],
    ]
    manager = scripted(*odd)
    chat = manager.create_session("u").create_chat()
    turns = [chat.send("\ud83d") for _ in odd]
    assert [(t.prompt.content, t.text, t.finish_reason, t.model, t.usage) for t in turns] == [
        ("\ufffd", "x\ufffdy", "stop", "\ufffd", None),
        ("\ufffd", "a", "unknown", "m", None),
        ("\ufffd", "b", "unknown", "m", None),
    ]
    parse(manager.snapshot("u"))


def test_whatever_a_user_sets_what_is_written_can_be_read_again():
    manager = new_manager()
    chat = manager.create_session("u", "\ud800").create_chat("\udc00x")
    chat.configure(provider="", model="\ud800", system="\ud800", stop=["\ud800"], user="\ud800")
    with in_cell(manager, "\ud800"):
        chat.session.switch_to(chat.id)
        chat.configure(stop="\ud800")
    ask_in_cell(manager, "hi\ud800", "two", options=settings_from({"user": "\ud800"}))
    manager.flush("u")
    parse(manager.snapshot("u"))


def test_an_answer_over_the_cap_is_kept_as_if_the_model_had_been_cut_off():
    chat = scripted(["x" * 999_999, "ü", "never"]).create_session("u").create_chat()
    turn = chat.send("write a book")
    assert (len(turn.text), turn.finish_reason) == (999_999, "length")


def test_a_prompt_over_the_cap_is_refused_before_anything_is_asked(session):
    chat = session.create_chat()
    assert raised(SnapshotError, chat.send, "x" * 1_000_001) == (
        "a message of 1,000,001 bytes is over the cap of 1,000,000: shorten it"
    )
    assert runtime_of(session).providers.requests == []
    assert chat.turns == []


def test_a_stream_that_is_closed_keeps_what_had_arrived():
    chat = scripted(["one", "two"], ["never"]).create_session("u").create_chat()
    live = chat.stream("count")
    assert next(live) == "one"
    live.close()
    assert (live.turn.text, live.turn.finish_reason) == ("one", "interrupted")
    unread = chat.stream("count")
    unread.close()
    assert raised(ProviderError, unread.result) == "the answer was stopped before any text came: ask again"
    assert texts(chat) == ["one"]


def test_a_loop_left_half_way_releases_the_chat_at_once_and_keeps_what_had_arrived():
    chat = scripted(["one", "two"], "next").create_session("u").create_chat()
    gc.disable()
    try:
        for _ in chat.stream("count"):
            break
        assert chat.send("go on").text == "next"
    finally:
        gc.enable()
    assert [turn.finish_reason for turn in chat.turns] == ["interrupted", "stop"]


def test_a_stream_hangs_from_where_the_chat_ends_when_it_begins(session):
    chat = session.create_chat()
    first, second = chat.stream("a"), chat.stream("b")
    first.result()
    second.result()
    assert texts(chat) == ["re: a", "re: b"]


def test_the_connection_is_closed_however_the_turn_ends():
    closed = []

    class Connection:
        def __init__(self, pieces):
            self.pieces = iter(pieces)

        def __iter__(self):
            return self

        def __next__(self):
            piece = next(self.pieces)
            if isinstance(piece, BaseException):
                raise piece
            return piece

        def close(self):
            closed.append(True)

    class Provider:
        def stream(self, request):
            return Connection(script.pop(0))

    script = [[TextDelta("a")], [TextDelta("a"), KeyboardInterrupt()], [TextDelta("a"), TextDelta("b")]]
    chat = SessionManager(providers=Only(Provider())).create_session("u").create_chat()
    assert chat.send("ends without saying so").finish_reason == "unknown"
    with pytest.raises(KeyboardInterrupt):
        chat.send("interrupted")
    for _ in chat.stream("left"):
        break
    assert closed == [True] * 3


# -- one turn at a time, and many chats side by side


class Gate:
    """A provider that waits in the middle of each answer until it is told to go on."""

    def __init__(self):
        self.entered, self.open = threading.Event(), threading.Event()
        self.names = []

    def stream(self, request):
        yield TextDelta("half ")
        self.entered.set()
        assert self.open.wait(20)
        yield TextDelta("whole")
        yield Finish(reason="stop")


def test_a_second_send_while_one_runs_is_refused_and_other_chats_go_on():
    gate = Gate()
    manager = SessionManager(providers=Only(gate))
    session = manager.create_session("u", "S")
    chat = session.create_chat("busy")
    worker = threading.Thread(target=chat.send, args=["first"])
    worker.start()
    assert gate.entered.wait(20)
    assert raised(ChatBusy, chat.send, "second") == ("a turn is running in 'busy': wait for it, or ask in another chat")
    # the lock is free while the provider works
    other = session.create_chat("other")
    manager.snapshot("u")
    gate.open.set()
    assert other.send("side by side").text == "half whole"
    worker.join(20)
    assert texts(chat) == ["half whole"]
    assert chat.send("now").text == "half whole"


def test_many_threads_in_many_chats_never_mix():
    manager = new_manager(max_chats=0)
    session = manager.create_session("u")
    chats = [session.create_chat(f"chat {n}") for n in range(10)]
    start, failures = threading.Barrier(20), []

    def work(n):
        try:
            start.wait(20)
            for at in range(10):
                chat = chats[(n + at) % 10]
                try:
                    chat.send(f"{chat.id} from {n}")
                except ChatBusy:
                    continue
                own = session.create_chat(f"own {n} {at}")
                own.send(own.id)
                manager.snapshot("u")
                assert [c.name for c in session.chats]
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=[n]) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    for chat in session.chats:
        assert all(turn.prompt.content.startswith(chat.id) for turn in chat.turns)
    for request in runtime_of(manager).providers.requests:
        assert len({m["content"].removeprefix("re: ")[:34] for m in request.messages}) == 1
    recorded = sum(len(chat.turns) for chat in session.chats)
    assert recorded == len(runtime_of(manager).providers.requests)
    again = new_manager()
    again.adopt(parse(manager.snapshot("u")), "u")
    assert [texts(c) for c in again.sessions("u")[0].chats] == [texts(c) for c in session.chats]


# -- a turn is text


def test_a_turn_is_its_answer_to_whoever_wants_text(session, tmp_path):
    turn = session.create_chat().send("a")
    assert "re:" in turn
    assert turn + "!" == "re: a!"
    assert (len(turn), turn[:2], turn.upper()) == (5, "re", "RE: A")
    assert re.findall(r"\w+", turn) == ["re", "a"]
    assert json.dumps({"said": turn}) == '{"said": "re: a"}'
    assert f"{turn:>7}|{turn}" == "  re: a|re: a"
    tmp_path.joinpath("said.txt").write_text(turn)
    assert tmp_path.joinpath("said.txt").read_text() == "re: a"
    assert type(str(turn)) is str


def test_turns_are_equal_if_they_read_the_same_and_their_ids_tell_them_apart(session):
    chat = session.create_chat()
    one, two = chat.send("a"), chat.send("a")
    assert one == two == "re: a"
    assert one.id != two.id
    assert len({one, two, "re: a"}) == 1
    asked = []
    known = lru_cache(lambda text: asked.append(text))
    known(one)
    known(two)
    assert len(asked) == 1


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda turn: pickle.loads(pickle.dumps(turn))])
def test_a_turn_can_be_copied_and_stored_with_all_that_it_knows(session, again):
    turn = session.create_chat(temperature=0.2).send("a")
    other = again(turn)
    assert type(other) is type(turn)
    assert dataclasses.asdict(other) == dataclasses.asdict(turn)
    assert other.config.params == {"temperature": "0.2"}


def test_a_turn_goes_to_another_process_and_back(session):
    turn = session.create_chat().send("a")
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert pool.submit(dataclasses.replace, turn, replayed=True).result().replayed


def test_neither_a_turn_nor_its_settings_can_be_changed(session):
    turn = session.create_chat(temperature=0.2).send("a")
    with pytest.raises(dataclasses.FrozenInstanceError):
        turn.model = "other"
    with pytest.raises(TypeError, match="cannot be changed"):
        turn.config.params["temperature"] = "1"


# -- asyncio


def test_asend_and_astream_leave_the_event_loop_free():
    gate = Gate()
    chat = SessionManager(providers=Only(gate)).create_session("u").create_chat()

    async def both():
        asking = asyncio.create_task(chat.asend("hi"))
        await asyncio.to_thread(gate.entered.wait, 20)
        gate.open.set()  # nobody could, if the loop were blocked
        turn = await asking
        return turn.text, [delta async for delta in chat.astream("more")]

    assert asyncio.run(both()) == ("half whole", ["half ", "whole"])
    assert texts(chat) == ["half whole"] * 2


def test_a_cancelled_asend_keeps_what_had_arrived_and_releases_the_chat():
    gate, released = Gate(), threading.Event()
    manager = SessionManager(providers=Only(gate))
    chat = manager.create_session("u").create_chat()
    manager.subscribe(lambda event: released.set())

    async def cancel():
        asking = asyncio.create_task(chat.asend("hi"))
        await asyncio.to_thread(gate.entered.wait, 20)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        gate.open.set()
        await asyncio.to_thread(released.wait, 20)

    asyncio.run(cancel())
    (turn,) = chat.turns
    assert turn.finish_reason == "interrupted"
    assert chat.send("again").text == "half whole"


def test_a_cancelled_asend_ends_when_its_chat_is_free_and_its_turn_is_kept():
    with FaultServer() as server:
        for _ in range(2):
            server.steps(http(), delta("m", {"content": "half "}), Act.STALL)
        provider = lab_provider(server)
        manager = SessionManager(providers=Only(provider))
        chat, come = manager.create_session("u").create_chat(), threading.Semaphore(0)
        manager.subscribe(lambda event: come.release() if isinstance(event, TextArrived) else None)

        async def again_and_again():
            for _ in range(2):
                asking = asyncio.create_task(chat.asend("hi"))
                await asyncio.to_thread(come.acquire, timeout=PATIENCE)
                asking.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await asking
            return await chat.asend("and now?")

        last = asyncio.run(again_and_again())
        provider.close()
    assert [(turn.text, turn.finish_reason) for turn in chat.turns[:2]] == [("half ", "interrupted")] * 2
    assert last.finish_reason == "stop"


def test_an_astream_left_half_way_releases_the_chat():
    chat = scripted(["one", "two"], "next").create_session("u").create_chat()

    async def leave():
        stream = chat.astream("count")
        async for _ in stream:
            break
        await stream.aclose()
        return (await chat.asend("go on")).text

    assert asyncio.run(leave()) == "next"
    assert [turn.finish_reason for turn in chat.turns] == ["interrupted", "stop"]


# -- events and writing


def test_subscribers_are_told_what_was_made_here_until_they_leave(manager, session):
    events = []
    leave = manager.subscribe(events.append)
    chat = session.create_chat("A")
    chat.send("hi")
    leave()
    chat.send("unheard")
    assert all(event.session == session.id for event in events)
    events = [event for event in events if isinstance(event, EntriesAdded)]
    kinds = [entry["kind"] for event in events for entry in event.entries.values()]
    assert kinds == ["config", "chat", "message", "message"]


def test_a_subscriber_that_raises_is_logged_and_breaks_nothing(manager, session, caplog):
    def broken(event):
        raise ZeroDivisionError

    events = []
    manager.subscribe(broken)
    manager.subscribe(events.append)
    chat = session.create_chat()
    with caplog.at_level(logging.ERROR, "robota_nb"):
        assert chat.send("hi").text == "re: hi"
    assert events
    assert "a subscriber failed" in caplog.text
    assert texts(chat) == ["re: hi"]


def test_asking_again_in_a_cell_takes_the_place_of_its_answer_and_says_nothing(manager, session):
    chat = session.create_chat("A")
    events = []
    manager.subscribe(events.append)
    first, second = (ask_in_cell(manager, text, "cell", text) for text in ("hi", "hello"))
    assert [event for event in events if isinstance(event, Notice)] == []
    assert chat.turns == [second]
    assert [branch.turns for branch in chat.branches] == [(first,)]


def test_reading_and_flushing_an_untouched_manager_writes_nothing(manager, session):
    session.create_chat("A").send("hi")
    session.active_chat.fork("B").undo()
    again = new_manager()
    again.adopt(parse(manager.snapshot("u")), "u")
    events = []
    again.subscribe(events.append)
    for chat in again.sessions("u")[0].chats:
        repr(chat), chat.turns, chat.messages, chat.config, chat.name
    again.flush("u")
    assert events == []
    assert again.snapshot("u") == manager.snapshot("u")


def test_without_a_user_sessions_belong_to_whom_this_process_runs_for(monkeypatch):
    monkeypatch.setenv("JUPYTERHUB_USER", "hub-user")
    manager = new_manager()
    assert manager.create_session().user_id == "hub-user"
    assert [s.user_id for s in manager.sessions("hub-user")] == ["hub-user"]
