"""What a chat sends: pictures, and previews of it; what is found in it, and the log of its settings."""

import json

import pytest

from robota_nb import SessionManager
from robota_nb.core.inside import ledger_of, runtime_of
from robota_nb.core.ports import Image
from robota_nb.core.record.snapshot import parse
from support.core import Echo, ask_in_cell, everything, in_cell, new_manager, of_three_turns, raised, restarted, texts


@pytest.fixture
def chat(session):
    return of_three_turns(session)


# -- pictures


PNG = Image(media_type="image/png", data=b"\x89PNG one")
OTHER = Image(media_type="image/png", data=b"\x89PNG two")


def pictures(manager):
    entries = [entry for session in ledger_of(manager).records("u").values() for entry in session.values()]
    return [entry for entry in entries if entry["kind"] == "image"]


def test_a_picture_is_stored_once_however_often_it_is_sent_and_stays_in_the_request(manager, session):
    chat = session.create_chat()
    chat.send("look", images=[PNG])
    chat.send("again", images=[PNG, OTHER])
    assert len(pictures(manager)) == 2
    first, _, second = runtime_of(manager).providers.requests[-1].messages
    url = "data:image/png;base64,iVBORyBvbmU="
    assert first["content"] == [{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": url}}]
    assert [part["type"] for part in second["content"]] == ["text", "image_url", "image_url"]
    assert chat.turns[1].prompt.images == (PNG, OTHER)
    assert restarted(manager).sessions("u")[0].chats[0].turns[1].prompt.images == (PNG, OTHER)


def test_retry_sends_the_pictures_again(manager, session):
    chat = session.create_chat()
    chat.send("look", images=[PNG])
    assert chat.retry().prompt.images == (PNG,)
    assert len(pictures(manager)) == 1


def test_a_purge_takes_pictures_along_that_no_other_turn_has(manager, session):
    chat = session.create_chat()
    chat.send("look", images=[PNG, OTHER])
    chat.send("again", images=[OTHER])
    chat.purge(1)
    (left,) = pictures(manager)
    assert "b25l" not in everything(manager)  # "one" of the first picture, in Base64
    assert chat.turns[1].prompt.images == (OTHER,)
    assert left["media_type"] == "image/png"
    chat.purge(2)
    assert pictures(manager) == []
    assert texts(chat) == ["", ""]


def test_a_replay_needs_the_same_pictures(manager, session):
    session.create_chat()

    def asks(manager, *images):
        return ask_in_cell(manager, "look", attached=images).replayed

    assert not asks(manager, PNG)
    assert asks(restarted(manager), PNG)
    assert not asks(restarted(manager), OTHER)
    assert not asks(restarted(manager))


def test_a_picture_over_the_cap_is_refused_before_anything_is_asked(manager, session):
    from robota_nb.core.record.attachments import MAX_IMAGE_BYTES
    from robota_nb.errors import SnapshotError

    chat = session.create_chat()
    large = Image(media_type="image/png", data=bytes(MAX_IMAGE_BYTES + 1))
    assert raised(SnapshotError, lambda: chat.send("look", images=[large])) == (
        "a picture of 2,000,001 bytes is over the cap of 2,000,000: make it smaller"
    )
    assert (runtime_of(manager).providers.requests, chat.turns, pictures(manager)) == ([], [], [])
    chat.send("look", images=[Image(media_type="image/png", data=bytes(MAX_IMAGE_BYTES))])
    parse(manager.snapshot("u"))


# -- what is sent


def test_preview_is_exactly_what_the_next_ask_sends(manager, session):
    chat = session.create_chat("A", system="be brief", temperature=0.5)
    chat.send("a")
    chat.send("look", images=[PNG])
    chat.configure(model="n", seed=7)
    shown = chat.preview("more \ud800", images=[OTHER])
    requests = len(runtime_of(manager).providers.requests)
    chat.send("more \ud800", images=[OTHER])
    assert len(runtime_of(manager).providers.requests) == requests + 1
    assert shown.request == runtime_of(manager).providers.requests[-1]
    assert shown.provider == "echo"
    assert shown.size == len(
        json.dumps(runtime_of(manager).providers.requests[-1].messages, ensure_ascii=False).encode()
    )


def test_preview_is_shortened_as_the_request_is(manager):
    manager = new_manager(max_messages=2)
    chat = manager.create_session("u").create_chat(system="s")
    for text in "abc":
        chat.send(text)
    chat.undo()
    shown = chat.preview("d")
    chat.send("d")
    assert shown.request == runtime_of(manager).providers.requests[-1]
    assert [m["content"] for m in shown.request.messages] == ["s", "b", "re: b", "d"]


def test_preview_asks_nobody_and_changes_nothing(manager, session, chat):
    before, requests = manager.snapshot("u"), len(runtime_of(manager).providers.requests)
    assert str(chat.preview("d")).endswith("user: d")
    assert manager.snapshot("u") == before
    assert len(runtime_of(manager).providers.requests) == requests


# -- search


def test_search_finds_words_of_questions_and_answers_in_every_branch_whatever_their_case(session, chat):
    chat.edit(2, "Straße")
    other = session.create_chat("B")
    other.send("strasse 2")
    hits = session.search("STRASSE")
    assert [(hit.chat.name, hit.turn.prompt.content, hit.number) for hit in hits] == [
        ("A", "Straße", 2), ("B", "strasse 2", 1),
    ]  # fmt: skip
    assert [(hit.turn.prompt.content, hit.number) for hit in chat.search("re: C")] == [("c", None)]
    assert session.search("nowhere") == []


def test_search_finds_what_a_fork_began_with_once(session, chat):
    fork = chat.fork("B", at=2)
    assert [(hit.turn.prompt.content, hit.number) for hit in fork.search("re:")] == [("a", 1), ("b", 2)]
    assert [hit.chat.name for hit in session.search("re:")] == ["A"] * 3
    chat.delete()
    assert [(hit.chat.name, hit.turn.prompt.content) for hit in session.search("re:")] == [("B", "a"), ("B", "b")]


def test_search_never_looks_into_other_sessions_or_at_other_users(manager, session, chat):
    manager.create_session("u", "T").create_chat().send("a")
    manager.create_session("v", "T").create_chat().send("a")
    assert len(session.search("a")) == 1


# -- the log of settings


def test_changes_lists_when_which_setting_was_changed_from_what_to_what():
    clock = iter(f"2026-01-01T00:00:{second:02}Z" for second in range(60))
    manager = SessionManager(providers=Echo(), now=lambda: next(clock))
    chat = manager.create_session("u").create_chat("A", model="one", temperature=0.5)
    chat.send("a")
    assert chat.changes == []
    chat.configure(model="two", system="be brief")
    chat.configure(temperature="")
    chat.configure(model="two")
    found = [(change.key, change.old, change.new) for change in chat.changes]
    assert found == [("model", "one", "two"), ("system", "", "be brief"), ("temperature", "0.5", "")]
    times = [change.at for change in chat.changes]
    assert times == sorted(times)
    assert len(set(times)) == 3
    chat.send("b")
    assert len(chat.changes) == 3
    again = restarted(manager)
    assert again.sessions("u")[0].chats[0].changes == chat.changes


def test_changes_lists_what_came_with_a_turn(manager, session):
    chat = session.create_chat("A", model="one")
    with in_cell(manager, "one"):
        chat.configure(model="two")
    assert chat.changes == []
    ask_in_cell(manager, "a", "two")
    assert [(change.key, change.old, change.new) for change in chat.changes] == [("model", "one", "two")]


def test_a_fork_begins_with_a_log_of_its_own(session):
    chat = session.create_chat("A", model="one")
    chat.configure(model="two")
    fork = chat.fork("B")
    fork.configure(model="three")
    assert [(change.old, change.new) for change in chat.changes] == [("one", "two")]
    assert [(change.old, change.new) for change in fork.changes] == [("two", "three")]
