"""Files that go along with prompts: kept as pictures are, sent again as sent, found again by what they hold."""

import pytest

from robota_nb.core import chat_format
from robota_nb.core.files import from_bytes, from_text
from robota_nb.core.inside import runtime_of
from robota_nb.core.record.attachments import Attached, attachment_of
from robota_nb.core.record.types import Image
from robota_nb.errors import PromptError, ReplayMiss, SnapshotError
from support.core import ask_in_cell, everything, in_cell, raised, restarted, texts

CSV = from_text("name,age\nana,7\n", "data.csv")
PDF = from_bytes(b"%PDF-1.7 confidential", "notes.pdf").file
PNG = Image(media_type="image/png", data=b"\x89PNG\r\n\x1a\n")
SENT = "look\n\nFile data.csv:\n```csv\nname,age\nana,7\n```"


def sent(manager, at=-1):
    return [message["content"] for message in runtime_of(manager).providers.requests[at].messages]


def kept(manager):
    (entries,) = manager.snapshot("u")["sessions"].values()
    return [entry for entry in entries.values() if entry["kind"] == "image"]


def test_a_text_stays_in_the_message_that_it_was_sent_with(manager, session):
    chat = session.create_chat("A")
    chat.send("look", files=[CSV])
    chat.send("and now?")
    assert sent(manager)[::2] == [SENT, "and now?"]
    assert chat.turns[0].prompt.content == "look"
    assert chat.turns[0].prompt.files == (CSV,)
    chat.edit(1, "look")
    assert sent(manager) == [SENT]


def test_it_is_kept_once_as_it_can_be_read_and_comes_back(manager, session):
    chat = session.create_chat("A")
    chat.send("one", files=[CSV, PDF])
    chat.send("two", files=[from_text("name,age\nana,7\n", "again.csv")])
    assert [entry["media_type"] for entry in kept(manager)] == ["text/plain", "application/pdf"]
    assert kept(manager)[0]["data"] == ["name,age\n", "ana,7\n"]
    again = restarted(manager).sessions("u")[0].chats[0]
    assert again.turns[0].prompt.files == (CSV, PDF)
    assert again.turns[1].prompt.files[0].name == "again.csv"


def test_pictures_and_files_go_together(manager, session):
    chat = session.create_chat("A")
    chat.send("look", [PNG], files=[CSV, PDF])
    assert [part["type"] for part in sent(manager)[0]] == ["text", "image_url", "file"]
    assert sent(manager)[0][0]["text"] == SENT
    prompt = restarted(manager).sessions("u")[0].chats[0].turns[0].prompt
    assert (prompt.images, prompt.files) == ((PNG,), (CSV, PDF))


def test_what_is_named_twice_is_sent_once_also_the_first_time(manager, session):
    chat = session.create_chat("A")
    chat.send("look", [PNG, PNG], files=[PDF, CSV, PDF])
    chat.send("and now?")
    assert [part["type"] for part in sent(manager, 0)[0]] == ["text", "image_url", "file"]
    assert sent(manager)[0] == sent(manager, 0)[0]


def test_a_purge_removes_what_no_other_turn_has(manager, session):
    chat = session.create_chat("A")
    chat.send("one", files=[CSV, PDF])
    chat.send("two", files=[PDF])
    chat.purge(1)
    assert "ana,7" not in everything(manager)
    assert [attachment_of(entry, Attached("", "notes.pdf")) for entry in kept(manager)] == [PDF]
    chat.purge(2)
    assert kept(manager) == []
    assert texts(chat) == ["", ""]


def test_an_export_names_them_and_as_json_takes_them_along(manager, session):
    chat = session.create_chat("A")
    chat.send("look", [PNG], files=[CSV, PDF])
    assert "\n(1 picture, data.csv, notes.pdf)\n" in chat_format.to_markdown(chat)
    assert "confidential" not in chat_format.to_markdown(chat)
    assert '"ana,7\\n"' in chat_format.to_json(chat)


def test_paths_are_read_when_it_is_asked(manager, session, tmp_path):
    (tmp_path / "data.csv").write_bytes(b"name,age\nana,7\n")
    chat = session.create_chat("A")
    assert chat.preview("look", files=[tmp_path / "data.csv"]).request.messages[-1]["content"] == SENT
    chat.send("look", files=[str(tmp_path / "data.csv")])
    assert sent(manager)[-1] == SENT
    assert str(tmp_path) not in everything(manager)
    assert raised(PromptError, lambda: chat.send("x", files=["gone"])) == "no file 'gone': check its path"


def test_one_over_the_cap_is_refused_before_anything_is_asked(manager, session):
    chat = session.create_chat("A")
    large = from_text("x", "a.txt").__class__(name="a.txt", media_type="text/plain", data=bytes(20_000_001))
    assert raised(SnapshotError, lambda: chat.send("look", files=[large])) == (
        "the file 'a.txt' of 20,000,001 bytes is over the cap of 20,000,000: send a part of it"
    )
    assert chat.turns == []


def test_a_replay_needs_the_same_files_under_the_same_names(manager, session):
    session.create_chat("A")

    def asks(manager, *files):
        return ask_in_cell(manager, "look", attached=files).replayed

    assert not asks(manager, CSV, PDF)
    assert asks(restarted(manager), CSV, PDF)
    for others in ((CSV,), (PDF, CSV), (from_text("name,age\nana,8\n", "data.csv"), PDF), ()):
        assert not asks(restarted(manager), *others)
    assert not asks(restarted(manager), from_text("name,age\nana,7\n", "b.csv"), PDF)


def test_strict_says_which_file_has_changed(manager, session):
    session.create_chat("A")
    ask_in_cell(manager, "look", attached=[CSV, PDF])
    again = restarted(manager)
    runtime_of(again).mode = "strict"
    changed = from_bytes(b"%PDF-1.7 other", "notes.pdf").file
    said = raised(ReplayMiss, lambda: ask_in_cell(again, "look", attached=[CSV, changed]))
    assert said.startswith("no recorded answer in 'A': the file 'notes.pdf' differs from what is recorded")
    assert "the prompt differs" in raised(ReplayMiss, lambda: ask_in_cell(again, "other", attached=[CSV, PDF]))


def test_a_file_is_found_as_the_cell_sent_it_last_else_as_anybody_did(manager, session):
    session.create_chat("A")
    texts_ = [from_text(text, "data.csv") for text in ("first", "second", "other")]
    ask_in_cell(manager, "look", "one", attached=[texts_[0], texts_[1]])
    ask_in_cell(manager, "look", "two", attached=[texts_[2]])
    with in_cell(restarted(manager), "three") as page:
        find = page.record.file_sent
        assert [find("look", "data.csv", number, "one") for number in range(3)] == [*texts_[:2], None]
        assert find("look", "data.csv", 0, "three") == texts_[2]
        assert find("look", "data.csv", 0, None) == texts_[2]
        assert find("look", "b.csv", 0, "one") is None
        assert find("other", "data.csv", 0, "one") is None


@pytest.mark.parametrize(
    ("name", "media_type"), [("a\nb", "text/plain"), ("", "text/plain"), (7, "text/plain"), ("a.html", "text/html")]
)
def test_of_a_file_that_nobody_here_wrote_so_nothing_is_sent_or_shown(name, media_type):
    from robota_nb.core.record.attachments import attached_in

    (one,) = attached_in(["text", {"image": "e_1", "name": name}])
    assert attachment_of({"kind": "image", "media_type": media_type, "data": ["x"]}, one) is None
