"""Files in prompts, for ever: read by every version, and to a reader of format 1.0 pictures that it does not know.

Never edit the golden files: a new format gets new ones.
"""

import json

import pytest

from robota_nb.core.inside import ledger_of
from robota_nb.core.record import entries as make
from robota_nb.core.record import snapshot
from robota_nb.core.record.attachments import MAX_IMAGE_BYTES, Attached, image_entry, kept_beside
from robota_nb.core.record.types import File
from support.core import new_manager
from support.golden import in_the_first_release
from support.paths import TESTS

GOLDEN = json.loads(TESTS.joinpath("golden", "format-1.1-files.json").read_text(encoding="utf-8"))
SID, MAIN = "s_" + "a" * 32, "c_" + "1" * 32
AT = "2026-11-30T09:00:00Z"

CONFIG = make.config_entry(provider="lab", model="m", system="", params={})
CONFIG_ID = make.entry_id(CONFIG)
SESSION = make.session_entry(n=1, at=AT, name="Files")
CHAT = make.chat_entry(n=2, at=AT, chat=MAIN, name="Main", config=CONFIG_ID)
FILES = [
    File(name="data.csv", media_type="text/plain", data="name,größe\r\nana,7\n".encode()),
    File(name="notes.pdf", media_type="application/pdf", data=b"%PDF-1.7 " + bytes(60)),
    File(name="hi.wav", media_type="audio/wav", data=b"RIFF\0\0\0\0WAVE"),
    File(name="dot.png", media_type="image/png", data=b"\x89PNG\r\n\x1a\n"),
]
KEPT = [image_entry(media_type=file.media_type, data=file.data) for file in FILES]
PARTS = [Attached(make.entry_id(entry), file.name).part() for file, entry in zip(FILES, KEPT, strict=True)]
ASKED = make.user_message(n=3, at=AT, chat=MAIN, parent=None, text="look", attached=PARTS)
ANSWERED = make.assistant_message(
    n=4, at=AT, chat=MAIN, parent=make.entry_id(ASKED), text="ho", config=CONFIG_ID, model="m", finish_reason="stop",
    usage=None,
)  # fmt: skip
ENTRIES = [CONFIG, SESSION, CHAT, *KEPT, ASKED, ANSWERED]


def test_the_constructors_make_every_entry_of_the_golden_file_under_its_id():
    assert GOLDEN["sessions"] == {SID: {make.entry_id(entry): entry for entry in ENTRIES}}


def test_the_golden_file_is_read_and_means_what_it_meant():
    manager = new_manager()
    manager.adopt(snapshot.parse(GOLDEN), "u")
    assert ledger_of(manager).records("u") == GOLDEN["sessions"]
    assert list(manager.sessions("u")[0].chats[0].turns[0].prompt.files) == FILES


@pytest.fixture(scope="module")
def released():
    return in_the_first_release("format-1.1-files.json", purge=1)


def test_the_first_release_asks_on_keeps_every_byte_and_sends_of_it_the_picture(released):
    _, sent, kept, _ = released
    assert [message["content"] for message in sent][1:] == ["ho", "next"]
    assert [part["type"] for part in sent[0]["content"]] == ["text", "image_url"]
    assert kept.items() >= GOLDEN["sessions"][SID].items()


def test_a_purge_by_the_first_release_removes_the_files_too(released):
    *_, purged = released
    assert "ana,7" not in json.dumps(purged)
    assert {entry["kind"] for entry in purged.values()} >= {"purged", "message"}
    assert "image" not in {entry["kind"] for entry in purged.values()}


# -- a file that is too large for a notebook

LARGE = json.loads(TESTS.joinpath("golden", "format-1.1-large-files.json").read_text(encoding="utf-8"))
BIG = File(name="big.pdf", media_type="application/pdf", data=b"%PDF-1.7 " + bytes(MAX_IMAGE_BYTES))


def test_of_a_large_one_the_hash_stands_in_the_golden_file():
    entry = image_entry(media_type=BIG.media_type, data=BIG.data)
    assert LARGE["sessions"][SID][make.entry_id(entry)] == entry
    manager = new_manager()
    manager.adopt(snapshot.parse(LARGE), "u")
    assert ledger_of(manager).records("u") == LARGE["sessions"]
    (file,) = manager.sessions("u")[0].chats[0].turns[0].prompt.files
    assert file.absent == (entry["sha256"], len(BIG.data))


def test_the_first_release_asks_on_without_it_and_keeps_and_purges_its_hash():
    _, sent, kept, purged = in_the_first_release("format-1.1-large-files.json", purge=1)
    assert "big" not in json.dumps(sent)
    assert kept.items() >= LARGE["sessions"][SID].items()
    assert "sha256" not in json.dumps(purged)


@pytest.mark.parametrize("wrong", [{"sha256": "abc"}, {"sha256": 7}, {"sha256": "A" * 64}])
def test_a_hash_of_another_form_is_as_if_it_was_not_there(wrong):
    assert kept_beside({"kind": "image", "media_type": "application/pdf", "data": [], "size": 1, **wrong}) == ""
