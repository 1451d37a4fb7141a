"""Files that are too large for a notebook: their hash is recorded, and the machine of who sent them keeps them."""

import json
import pickle

import pytest

from robota_nb import SessionManager
from robota_nb.core.inside import ledger_of
from robota_nb.core.record import snapshot
from robota_nb.core.record.attachments import MAX_IMAGE_BYTES
from robota_nb.core.record.types import File
from robota_nb.core.shelf import MemoryShelf
from robota_nb.errors import FileAbsent, StoreError
from robota_nb.testing import ScriptedProvider
from support.core import Only

BIG = File(name="big.pdf", media_type="application/pdf", data=b"%PDF-1.7 " + bytes(MAX_IMAGE_BYTES))
LOG = File(name="big.log", media_type="text/plain", data=b"line\n" * (MAX_IMAGE_BYTES // 5 + 1))


def manager(provider, shelf=None):
    return SessionManager(providers=Only(provider), shelf=shelf)


def sent(provider):
    """The files in the last request, by the number of their message, and whether its text has the log."""
    messages = provider.requests[-1].messages
    found = []
    for number, message in enumerate(messages):
        content = message["content"]
        parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
        found += [(number, part["type"]) for part in parts if part["type"] != "text"]
        found += [(number, "log") for part in parts if "File big.log" in part.get("text", "")]
    return found


def test_the_notebook_has_its_hash_and_later_turns_send_it_again():
    provider = ScriptedProvider(["ok"] * 2)
    mine = manager(provider)
    chat = mine.create_session("u", "S").create_chat("A")
    turn = chat.send("read", files=[BIG, LOG])
    assert turn.prompt.files == (BIG, LOG)
    assert len(json.dumps(mine.snapshot("u"))) < 5000
    chat.send("and now?")
    assert sent(provider) == [(0, "log"), (0, "file")] or sent(provider) == [(0, "file"), (0, "log")]


class CountingShelf(MemoryShelf):
    """Counts how often a file is read."""

    reads = 0

    def get(self, sha256):
        self.reads += 1
        return super().get(sha256)


def test_a_turn_reads_its_files_when_somebody_looks_at_them_and_once():
    shelf = CountingShelf()
    chat = manager(ScriptedProvider(["ok"] * 2), shelf).create_session("u", "S").create_chat("A")
    assert chat.send("read", files=[BIG, LOG]).prompt.files == (BIG, LOG)
    (turn,) = chat.turns
    assert shelf.reads == 0
    assert turn.prompt.files == turn.prompt.attached == (BIG, LOG)
    assert shelf.reads == 2
    copied = pickle.loads(pickle.dumps(chat.turns[0].prompt))
    assert copied == turn.prompt
    assert copied.files == (BIG, LOG)


def carried(mine, provider, shelf=None):
    """The chat as somebody else gets it with the notebook."""
    other = manager(provider, shelf)
    other.adopt(snapshot.parse(json.loads(json.dumps(mine.snapshot("u")))), "u")
    return other.sessions("u")[0].chats[0]


def test_a_colleague_is_told_what_is_missing_and_the_same_file_brings_it_back():
    provider = ScriptedProvider(["ok"] * 6)
    mine = manager(provider)
    chat = mine.create_session("u", "S").create_chat("A")
    chat.send("first")
    chat.send("read", files=[BIG])
    theirs = carried(mine, provider)
    (file,) = theirs.turns[1].prompt.files
    assert (file.name, file.data, file.absent[1]) == ("big.pdf", b"", len(BIG.data))
    asked = len(provider.requests)
    with pytest.raises(FileAbsent) as absent:
        theirs.send("and now?")
    assert str(absent.value) == (
        f"the file 'big.pdf' of turn 2 ({len(BIG.data):,} bytes) was too large for the notebook and is not on this "
        "machine: chat.send(text, files=[PATH]) with it brings it back, or chat.fork(NAME, 1) goes on before it"
    )
    assert len(provider.requests) == asked
    assert len(theirs.turns) == 2
    theirs.send("once more", files=[BIG])
    assert sent(provider) == [(2, "file"), (4, "file")]


def test_the_next_kernel_of_the_same_machine_has_it():
    provider, shelf = ScriptedProvider(["ok"] * 2), MemoryShelf()
    mine = manager(provider, shelf)
    mine.create_session("u", "S").create_chat("A").send("read", files=[BIG])
    again = carried(mine, provider, shelf)
    assert again.turns[0].prompt.files == (BIG,)
    again.send("and now?")
    assert sent(provider) == [(0, "file")]


def test_a_purge_removes_it_here_too():
    provider, shelf = ScriptedProvider(["ok"]), MemoryShelf()
    mine = manager(provider, shelf)
    chat = mine.create_session("u", "S").create_chat("A")
    turn = chat.send("read", files=[BIG])
    (entry,) = (e for e in ledger_of(mine).records("u")[chat.session.id].values() if e["kind"] == "image")
    assert shelf.get(entry["sha256"]) == BIG.data
    chat.purge(1)
    assert shelf.get(entry["sha256"]) is None
    assert turn.prompt.files == (BIG,)  # what a program holds, it holds


def test_a_disk_that_takes_no_more_costs_a_notice_and_not_the_turn():
    class Full(MemoryShelf):
        def put(self, data):
            raise StoreError("a file beside the store could not be written (full); check the disk")

    provider = ScriptedProvider(["ok"])
    mine, told = manager(provider, Full()), []
    mine.subscribe(told.append)
    assert mine.create_session("u", "S").create_chat("A").send("read", files=[BIG]).text == "ok"
    assert "the file 'big.pdf' cannot be kept for later turns: a file beside the store" in str(told)


def test_a_purge_leaves_what_another_turn_has_sent_too():
    provider, shelf = ScriptedProvider(["ok"] * 3), MemoryShelf()
    chat = manager(provider, shelf).create_session("u", "S").create_chat("A")
    chat.send("read", files=[BIG])
    chat.send("again", files=[BIG])
    chat.purge(2)
    assert chat.turns[0].prompt.files == (BIG,)
    chat.send("and now?")
    assert sent(provider) == [(0, "file")]
