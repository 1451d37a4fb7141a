"""The turns that a view is told: those that are there, in pages, and the one that arrives, in time."""

import json
import time

import pytest

from robota_nb.core.inside import ledger_of, view_of
from robota_nb.core.plan import Arriving, Plan
from robota_nb.core.ports import File, Finish, Image
from robota_nb.core.record.nodes import Path
from robota_nb.core.recording import record_turn
from robota_nb.errors import ProviderError
from robota_nb.switcher import hub as hubs
from robota_nb.switcher import rows
from support.core import scripted
from support.hub import Reader, agree, fed, filled, hub_of, rested


@pytest.fixture
def session(manager):
    return manager.create_session(name="S")


# -- pages


def test_a_switch_to_a_chat_of_2000_turns_costs_less_than_100_kb(manager, session, hub):
    long = session.create_chat("long")
    for at in range(2_000):
        plan = Plan(text=f"{at}: what is so and why? " * 10, before=Path([]), place=long.head, config=long.config)
        arriving = Arriving(view=view_of(long), chat=long.id, plan=plan, parts=["so is what is, and why not? " * 10])
        record_turn(ledger_of(long), arriving, Finish(reason="stop", model="m-1"))
    session.create_chat("short")
    reader = Reader(hub).fence()
    reader.forget()
    reader.do("chat.switch", chat=long.id)
    assert reader.bytes < 100_000
    assert reader.count == 2_000
    assert (reader.count - 1) in reader.turns
    agree(manager, reader)


@pytest.mark.parametrize("letter", ["x", "\n", "\u65e5", "\U0001f389"], ids=["latin", "escaped", "cjk", "emoji"])
def test_pages_are_no_larger_whatever_is_written(letter):
    manager = scripted(*[letter * 3_000] * 60)
    chat = filled(manager.create_session().create_chat("A"), 60)
    manager.active_session().create_chat("B")
    hub = hub_of(manager)
    reader = Reader(hub).fence()
    reader.forget()
    reader.do("chat.switch", chat=chat.id)
    assert reader.bytes < 100_000
    reader.fetch()
    assert all(len(json.dumps(message, ensure_ascii=False).encode()) < 100_000 for message in reader.of("turns"))
    hub.close()


def test_pages_hold_what_fits_and_at_least_one_turn():
    sizes = [10, rows.PAGE - 5_000, 10, 2 * rows.PAGE, 10, *[10] * (2 * rows.PAGE_TURNS)]
    manager = scripted(*["x" * size for size in sizes])
    chat = filled(manager.create_session().create_chat(), len(sizes))
    hub = hub_of(manager)
    reader = Reader(hub).fence()
    assert sorted(reader.turns) == [*range(len(sizes) - rows.PAGE_TURNS, len(sizes))]
    reader.fetch()
    pages = [[len(row["reply"]) for row in message["turns"]] for message in reader.of("turns")]
    assert pages[0] == [10, rows.PAGE - 5_000, 10]
    assert pages[1] == [2 * rows.PAGE]
    assert all(len(page) <= rows.PAGE_TURNS for page in pages)
    assert [row["id"] for row in reader.state()["turns"]] == [turn.id for turn in chat.turns]
    hub.close()


@pytest.mark.parametrize(("first", "last"), [(5, 2), (-1, 3), (10**20, 10**21)])
def test_pages_that_are_not_there_are_empty_or_what_is(session, hub, first, last):
    filled(session.create_chat("A"), 4)
    reader = Reader(hub).fence()
    reader.say(op="want", first=first, last=last)
    reader.until(lambda: reader.of("turns"))
    assert len(reader.of("turns")[0]["turns"]) <= 4
    assert reader.state()["turns"] == [reader.turns[at] for at in range(4)]


@pytest.mark.parametrize(("first", "last"), [("0", 3), (None, True), (0.5, 2)])
def test_what_does_not_say_which_turns_is_dropped(session, hub, first, last):
    filled(session.create_chat("A"), 4)
    reader = Reader(hub).fence()
    reader.say(op="want", first=first, last=last)
    assert reader.fence().of("turns") == []


def test_pictures_come_when_they_are_wanted_and_nothing_that_is_none(session, hub):
    image = Image(media_type="image/png", data=b"\x89PNG")
    drawn = Image(media_type="image/svg+xml", data=b"<svg onload='alert(1)'/>")
    turn = session.create_chat("A").send("look", images=[image, drawn])
    reader = Reader(hub).fence()
    ids = reader.turns[0]["pictures"]
    for eid in (*ids, turn.id, "e_unknown"):
        reader.say(op="picture", id=eid)
        reader.answer(eid)
    assert reader.answers[ids[0]] == {"media_type": "image/png", "data": "iVBORw=="}
    assert [reader.answers[eid]["data"] for eid in (ids[1], turn.id, "e_unknown")] == ["", "", ""]


def test_files_are_named_with_their_sizes_and_those_that_are_pictures_are_shown(session, hub):
    image = File(name="dot.png", media_type="image/png", data=b"\x89PNG")
    text = File(name="data.csv", media_type="text/plain", data="é,b\n".encode())
    pdf = File(name="notes.pdf", media_type="application/pdf", data=bytes(4000))
    chat = session.create_chat("A")
    chat.send("look", files=[image, text, pdf])
    row = Reader(hub).fence().turns[0]
    assert row["files"] == [
        {"name": "dot.png", "size": 4}, {"name": "data.csv", "size": 5}, {"name": "notes.pdf", "size": 4000},
    ]  # fmt: skip
    assert len(row["pictures"]) == 1
    chat.purge(1)
    row = Reader(hub).fence().turns[0]
    assert (row["files"], row["pictures"]) == ([], [])


# -- answers that arrive


def test_the_text_that_arrives_is_told_and_then_the_turn(monkeypatch):
    monkeypatch.setattr(hubs, "TEXT_EVERY", 0.0)
    manager, provider = fed()
    chat = manager.create_session().create_chat()
    hub = hub_of(manager)
    reader = Reader(hub).fence()
    number = reader.ask("ask", chat=chat.id, text="hello")
    reader.until(lambda: reader.arriving)
    assert (reader.arriving["after"], reader.arriving["prompt"], reader.arriving["cell"]) == (0, "hello", False)
    assert reader.chats[chat.id]["running"]
    assert reader.status["running"] == 1
    text = ""
    for piece in ("one ", "two ", "\u65e5\u672c ", "four"):
        provider.feed(piece)
        text += piece
        reader.until(lambda: reader.arriving["text"] == text)  # before the next one comes
    provider.feed(None)
    assert reader.answer(number) == {"turn": reader.turns[0]["id"]}
    assert reader.turns[0]["reply"] == text
    begun = reader.of("arriving")[0]["text"]
    assert begun + "".join(message["text"] for message in reader.of("text")) == text
    order = [op for op in reader.ops() if op in ("arriving", "arrived", "answer")]
    assert order[-3:] == ["arriving", "arrived", "answer"]
    agree(manager, reader)
    hub.close()


def test_text_waits_until_it_is_time_and_goes_along_with_what_does_not_wait(monkeypatch):
    monkeypatch.setattr(hubs, "TEXT_EVERY", 3600.0)
    manager, provider = fed()
    session = manager.create_session()
    chat = session.create_chat()
    hub = hub_of(manager)
    reader = Reader(hub).fence()
    live = chat.stream("hello")
    provider.feed(*"abc")
    assert next(live) == "a"
    reader.until(lambda: reader.arriving)
    reader.fence()
    reader.forget()
    assert [next(live), next(live)] == ["b", "c"]
    provider.feed(*map(str, range(100)))
    for _ in range(100):
        next(live)
    assert reader.ops() == []
    reader.fence()
    assert reader.ops() == ["text", "picture"]
    provider.feed("the end", None)
    turn = live.result()
    agree(manager, reader)
    assert reader.turns[0]["reply"] == turn.text
    assert len(reader.of("text")) == 1
    hub.close()


def test_text_is_told_no_more_often_than_it_is_to_be(monkeypatch):
    manager, provider = fed()
    chat = manager.create_session().create_chat()
    hub = hub_of(manager)
    reader = Reader(hub).fence()
    live, began = chat.stream("hello"), time.monotonic()
    arrived = []
    while len(reader.of("text")) < 4:  # as fast as it can
        provider.feed("word ")
        arrived.append(next(live))
        if len(arrived) % 100 == 0:
            with reader.heard:
                reader.heard.wait(0.02)
    provider.feed(None)
    live.result()
    took = time.monotonic() - began
    agree(manager, reader)
    assert reader.turns[0]["reply"] == "".join(arrived)
    assert len(reader.of("text")) <= took / hubs.TEXT_EVERY + 1
    hub.close()


def test_an_answer_of_10000_chunks_costs_at_most_3_times_its_bytes():
    manager = scripted([f"word{at} " for at in range(10_000)])
    chat = manager.create_session().create_chat()
    hub = hub_of(manager)
    reader = Reader(hub).fence()
    reader.forget()
    reader.do("ask", chat=chat.id, text="hello")
    answer = chat.turns[0].text
    assert reader.turns[0]["reply"] == answer
    assert len(answer.encode()) < reader.bytes <= 3 * len(answer.encode())
    hub.close()


def test_a_view_that_opens_in_the_middle_of_an_answer_is_told_the_text_so_far():
    manager, provider = fed()
    chat = filled_by(provider, manager.create_session().create_chat(), "before")
    hub = hub_of(manager)
    reader = Reader(hub).fence()
    live = chat.stream("hello")
    provider.feed("one ", "two ")
    assert [next(live), next(live)] == ["one ", "two "]
    late = Reader(hub)
    late.until(lambda: late.arriving)
    assert (late.arriving["text"], late.arriving["after"], late.count) == ("one two ", 1, 1)
    provider.feed("three", None)
    live.result()
    agree(manager, reader, late)
    assert late.turns[1]["reply"] == "one two three"
    hub.close()


def filled_by(provider, chat, *prompts):
    for prompt in prompts:
        provider.feed("re", None)
        chat.send(prompt)
    return chat


def test_an_answer_in_another_chat_is_shown_when_one_switches_there_and_back():
    manager, provider = fed()
    session = manager.create_session()
    one, two = session.create_chat("one"), session.create_chat("two")
    hub = hub_of(manager)
    reader = Reader(hub).fence()
    live = one.stream("hello")
    provider.feed("first ")
    next(live)
    reader.until(lambda: reader.chats[one.id]["running"])
    assert reader.arriving is None
    reader.do("chat.switch", chat=one.id)
    assert reader.arriving["text"] == "first "
    reader.do("chat.switch", chat=two.id)
    assert reader.arriving is None
    provider.feed("second ")
    next(live)
    reader.do("chat.switch", chat=one.id)
    assert reader.arriving["text"] == "first second "
    provider.feed(None)
    live.result()
    agree(manager, reader)
    hub.close()


def test_an_edit_says_whose_place_it_takes():
    manager, provider = fed()
    chat = filled_by(provider, manager.create_session().create_chat(), "a", "b", "c")
    hub = hub_of(manager)
    reader = Reader(hub).fence()
    number = reader.ask("ask", chat=chat.id, text="B", at=2)
    reader.until(lambda: reader.arriving)
    assert (reader.arriving["after"], reader.arriving["prompt"], reader.count) == (1, "B", 3)
    provider.feed("re", None)
    reader.answer(number)
    assert [row["prompt"] for row in reader.state()["turns"]] == ["a", "B"]
    assert reader.turns[1]["place"] == [2, 2]
    agree(manager, reader)
    hub.close()


def test_an_answer_that_is_stopped_is_kept_and_says_how_it_ended():
    manager, provider = fed()
    chat = manager.create_session().create_chat()
    hub = hub_of(manager)
    reader = Reader(hub).fence()
    number = reader.ask("ask", chat=chat.id, text="hello")
    provider.feed("half ")
    reader.until(lambda: reader.arriving and reader.arriving["text"] == "half ")
    assert reader.do("stop", chat=chat.id) == {"stopped": True}
    provider.feed("never seen", None)
    assert reader.answer(number) == {"turn": chat.turns[0].id}
    assert (reader.turns[0]["reply"], reader.turns[0]["reason"]) == ("half ", "interrupted")
    assert reader.do("stop", chat=chat.id) == {"stopped": False}
    agree(manager, reader)
    hub.close()


def test_an_answer_that_is_stopped_or_fails_before_any_text_leaves_nothing_but_why():
    manager, provider = fed()
    chat = manager.create_session().create_chat()
    hub = hub_of(manager)
    reader = Reader(hub).fence()
    for piece, why in (("late", "stopped"), (ProviderError("no server: start it"), "no server: start it")):
        number = reader.ask("ask", chat=chat.id, text="hello")
        reader.until(lambda: reader.arriving)
        if why == "stopped":
            reader.do("stop", chat=chat.id)
        provider.feed(piece)
        assert why in reader.answer(number)["error"]
        rested(manager)
        assert (reader.fence().arriving, reader.count) == (None, 0)
    agree(manager, reader)
    hub.close()


def test_an_answer_that_breaks_off_is_kept_and_says_how_it_ended():
    manager = scripted(["half", ProviderError("cut: ask again")])
    chat = manager.create_session().create_chat()
    hub = hub_of(manager)
    reader = Reader(hub).fence()
    assert reader.do("ask", chat=chat.id, text="hello") == {"turn": chat.turns[0].id}
    assert (reader.turns[0]["reply"], reader.turns[0]["reason"]) == ("half", "error")
    agree(manager, reader)
    hub.close()
