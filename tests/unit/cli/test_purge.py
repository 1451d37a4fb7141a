"""Removing chats and sessions for good: their text is nowhere after it, and what may still have it is said."""

import json
import sqlite3
from hashlib import sha256
from pathlib import Path

import pytest

from robota_nb.core.inside import ledger_of, view_of
from robota_nb.core.record import entries as make
from robota_nb.core.record import snapshot
from robota_nb.core.record.kinds import KINDS, is_stub, kind_of
from robota_nb.core.users import default_user
from robota_nb.stores.folder_shelf import FolderShelf, default_shelf
from robota_nb.stores.sqlite import SqliteStore
from support.core import Echo, ask_in_cell, new_manager
from support.notebook import command, content, write
from support.shell import Shell

MARK = "zq_marker_text"
SID, A, B = "s_" + "0" * 32, "c_" + "a" * 32, "c_" + "b" * 32
LARGE = MARK.encode() * 9
DIGEST = sha256(LARGE).hexdigest()

MARKED = (
    MARK, [MARK], [MARK, {"image": "e_" + "1" * 32, "name": MARK}], {"x": MARK}, {"x": [MARK, MARK]}, {MARK: 1},
    [MARK, 0, MARK], [MARK, MARK], [{"chat": A, "do": "set", "key": MARK, "value": MARK, "more": {MARK: MARK}}],
    [["options", "body.x", MARK]], [{"media_type": MARK, "data": [MARK]}], [{"title": MARK, "url": MARK}],
    "body.zq_marker_text", A, 1, "user", "e_" + "0" * 32, ["e_" + "0" * 32], "0" * 32, DIGEST,
)  # fmt: skip
"""Values with the text in them as far as a field can have it: of each field the first that it may hold."""


def marked(kind, targets, **fields):
    """An entry of a kind with the text in each of its fields that can have it."""
    row = KINDS[kind]

    def value(name, of):
        if name == "n":
            return 7
        if name == "content":
            return [MARK, {"image": targets["image"], "name": MARK}]
        return targets[of.leads_to] if of.leads_to else next(one for one in MARKED if of.check(one))

    return {
        "kind": kind,
        **{name: value(name, of) for name, of in {**row.required, **row.optional, **row.added}.items()},
        **fields,
    }


def every_kind():
    """A chat with the text in every field of every kind, and others that have nothing of it."""
    found = {}

    def add(entry):
        found[make.entry_id(entry)] = entry
        return make.entry_id(entry)

    image = add(marked("image", {}))
    large = add({"kind": "image", "media_type": "application/pdf", "data": [], "sha256": DIGEST, "size": len(LARGE)})
    config = add(marked("config", {}))
    plain = add(make.config_entry(provider="echo", model="m", system="", params={}))
    add(make.session_entry(n=1, at="", name="Work"))
    add({**make.chat_entry(n=2, at="", chat=B, name="Other", config=plain)})
    asked = add(make.user_message(n=3, at="", chat=B, parent=None, text="another question"))
    add(make.assistant_message(
        n=4, at="", chat=B, parent=asked, text="another answer", config=plain, model="m", finish_reason="stop",
        usage=None,
    ))  # fmt: skip
    targets = {"image": image, "config": config, "message": None}
    first = marked("message", targets, n=5, role="user")
    del first["parent"]
    targets["message"] = add(first)
    targets["message"] = add(marked("message", targets, n=6, role="assistant"))
    add(marked("message", targets, n=7, role="tool"))
    add({**marked("message", targets, n=8, role="user"), "content": [MARK, {"image": large, "name": MARK}]})
    for kind in KINDS.keys() - {"session", "config", "message", "image", "purged"}:
        fields = {"turn": targets["message"], "config": config}
        add(marked(kind, targets, **{name: fields[name] for name in fields if name in KINDS[kind].required}))
    for key in ("name", "system", "deleted", "state", MARK):
        add(make.set_entry(n=20, at=MARK, chat=A, key=key, value=MARK))
    add({"kind": "later", "n": 21, "chat": A, "says": [MARK]})
    add({"kind": "later", "n": 22, "of": [{"turn": targets["message"]}], "says": [MARK]})
    add({
        "kind": "effects", "n": 23, "at": "", "cell": ["cell-9", "0" * 16],
        "ops": [{"do": "choose", "chat": B}, {"do": "set", "chat": A, "key": "system", "value": MARK}],
    })  # fmt: skip
    return found


WHOLE = {
    "a session's name": {**marked("session", {"config": "e_" + "0" * 32}), "n": 30},
    "its description": make.set_entry(n=31, at=MARK, chat=None, key="description", value=MARK),
}
"""What only goes with the whole session."""


class Places:
    """Wherever a notebook's conversations are kept; each returns all the bytes that are there."""

    def __init__(self, root, monkeypatch):
        self.root = root
        self.path = root / "talk.ipynb"
        monkeypatch.setenv("ROBOTA_NB_STORE", str(root / "store.sqlite"))
        self.store = SqliteStore(root / "store.sqlite")
        self.shelf = default_shelf()
        self.reader = None

    def fill(self, entries):
        """Put entries into all of them, as a kernel whose front end is there has done, and one without."""
        write(self.path, "%%robota\nhello", metadata={"robota_nb": snapshot.dump({SID: entries})})
        notebook = content(self.path)
        riding = {eid: entry for eid, entry in entries.items() if "robota_nb" not in entry}
        turn = next(eid for eid, entry in entries.items() if entry.get("chat") == A and entry["kind"] == "message")
        notebook["cells"][0]["outputs"] = [{
            "output_type": "display_data", "data": {"text/plain": ["shown"]},
            "metadata": {"robota_nb": {"turn": turn, "model": MARK, "sessions": {SID: riding}}},
        }]  # fmt: skip
        self.path.write_text(json.dumps(notebook, indent=1))
        self.shelf.put(LARGE)
        ids = list(entries)
        self.store.add(str(self.path), {SID: {eid: entries[eid] for eid in ids[::2]}})
        self.reader = sqlite3.connect(self.root / "store.sqlite")  # while it is open, there is a log
        self.reader.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        self.store.add(str(self.path), {SID: {eid: entries[eid] for eid in ids[1::2]}})

    def metadata(self):
        return json.dumps(content(self.path)["metadata"]).encode()

    def outputs(self):
        return json.dumps(content(self.path)["cells"]).encode()

    def sqlite(self):
        return (self.root / "store.sqlite").read_bytes()

    def log_of_sqlite(self):
        return (self.root / "store.sqlite-wal").read_bytes()

    def side_files(self):
        return b"".join(path.read_bytes() for path in (self.root / "store-files").iterdir())

    def anything_else_here(self):
        return b"".join(path.read_bytes() for path in self.root.rglob("*") if path.is_file())


EVERYWHERE = ["metadata", "outputs", "sqlite", "log_of_sqlite", "side_files", "anything_else_here"]
"""A row for each place; a store of another kind adds its own."""


@pytest.fixture
def places(tmp_path, monkeypatch):
    found = Places(tmp_path, monkeypatch)
    yield found
    found.store.close()
    if found.reader:
        found.reader.close()


def by_command(*words):
    def purge(places):
        done = command("purge", places.path, *words)
        assert done.exit_code == 0, done.output

    return purge


def in_a_kernel(do):
    """Purge in a kernel that has adopted the notebook, and writes into its document and the store."""

    def purge(places):
        with pytest.MonkeyPatch.context() as patch:
            value = content(places.path)["metadata"]["robota_nb"]
            shell = Shell(patch, store=places.store, path=str(places.path), value=value)
            ledger_of(shell.manager).runtime.shelf = places.shelf
            do(shell.manager)
            shell.manager.flush()
            there = snapshot.merge(snapshot.parse(value), snapshot.parse(shell.document()))
            for message in shell.sent:
                for sid, change in message.get("sessions", {}).items():
                    for eid in change["remove"]:
                        there[sid].pop(eid, None)
            write(places.path, "%%robota\nhello", metadata={"robota_nb": snapshot.dump(there)})

    return purge


PURGES = {
    "a chat, by the command": (by_command("--chat", MARK), False),
    "a session, by the command": (by_command("--session", SID), True),
    "everything, by the command": (by_command("--all"), True),
    "a chat, in a kernel": (in_a_kernel(lambda manager: manager.session(SID).purge_chat(A)), False),
    "a session, in a kernel": (in_a_kernel(lambda manager: manager.purge_session(SID)), True),
}


@pytest.mark.parametrize("how", PURGES)
def test_what_is_purged_is_in_no_place_that_holds_text(places, how):
    purge, is_whole = PURGES[how]
    entries = every_kind()
    if is_whole:
        config = next(eid for eid, entry in entries.items() if entry["kind"] == "config" and "system" in entry)
        more = [{**entry, **({"config": config} if "config" in entry else {})} for entry in WHOLE.values()]
        entries |= {make.entry_id(entry): entry for entry in more}
    snapshot.parse(snapshot.dump({SID: entries}))
    places.fill(entries)
    assert [name for name in EVERYWHERE if MARK.encode() not in getattr(places, name)()] == []
    purge(places)
    assert [name for name in EVERYWHERE if MARK.encode() in getattr(places, name)()] == []
    held = snapshot.parse(content(places.path)["metadata"]["robota_nb"])
    assert is_whole or "another answer" in json.dumps(held)
    assert is_whole or {"do": "choose", "chat": B} in [
        op for entry in held[SID].values() if entry["kind"] == "effects" for op in entry["ops"]
    ]
    again = snapshot.merge({SID: entries}, held)
    said = [
        entry for entry in again[SID].values() if not kind_of(entry).is_pointer
    ]  # which say nothing, and are dropped
    assert MARK not in json.dumps(said), "a merge with an older copy brings it back"
    assert again == snapshot.merge(held, {SID: entries})


def notebook_with(path, *chats, deleted=()):
    """A notebook with chats in which a question was asked, and the manager that made it."""
    manager = new_manager()
    session = manager.create_session(default_user(), "Work")
    for name in chats:
        session.create_chat(name, system=f"system of {name}").send(f"question in {name}")
    for name in deleted:
        session.delete_chat(name)
    write(path, *(f"%%robota\nquestion in {name}" for name in chats), metadata={"robota_nb": manager.snapshot()})
    return manager


def show(path):
    return command("show", path).output


def test_a_chat_that_was_deleted_is_purged_by_its_name_and_the_others_stay(places):
    notebook_with(places.path, "Keep", "Gone", deleted=["Gone"])
    assert "question in Gone" in places.path.read_text()
    said = command("purge", places.path, "--chat", "gone").output
    assert said.startswith("talk.ipynb: 1 chat is gone from the file and the store\n")
    assert "it still stands in code cell 2: edit its source, and clear its output" in said
    assert "code cell 1" not in said
    assert "system of Gone" not in places.path.read_text()
    assert "question in Keep" in show(places.path)
    assert command("verify", places.path).exit_code == 0


def test_what_is_not_there_or_is_meant_twice_is_an_error_and_nothing_changes(places):
    manager = notebook_with(places.path, "Keep")
    other = manager.create_session(default_user(), "Second")
    other.create_chat("Keep").send("there")
    write(places.path, metadata={"robota_nb": manager.snapshot()})
    before = places.path.read_bytes()
    errors = {
        ("--chat", "Kepe"): "no chat is called 'Kepe' (did you mean 'Keep'?): robota-nb show lists them",
        ("--chat", "Keep"): "there are 2 chats called 'Keep': say which, by its id: c_",
        ("--session", "Nowhere"): "no session is called 'Nowhere'",
        (): "what is to go? Name it with --chat or --session, or say --all",
        ("--all", "--chat", "Keep"): "what is to go?",
    }
    for words, error in errors.items():
        done = command("purge", places.path, *words)
        assert done.exit_code != 0
        assert error in done.output
        assert places.path.read_bytes() == before
    assert "there is no file" in command("purge", places.path.with_name("none.ipynb"), "--all").output


def test_what_a_purge_does_not_reach_is_named(places):
    manager = notebook_with(places.path, "Keep", "Gone")
    session = manager.active_session()
    session.chat("Keep").configure(system="system of Gone")
    session.chat("Keep").send("the same prompt here")
    write(places.path, metadata={"robota_nb": manager.snapshot()})
    copy = places.root / "copy.ipynb"
    places.store.add(str(copy), manager.snapshot()["sessions"])
    checkpoint = places.root / ".ipynb_checkpoints" / "talk-checkpoint.ipynb"
    checkpoint.parent.mkdir()
    checkpoint.write_bytes(places.path.read_bytes())
    backup = places.root / "store.sqlite.v1.bak"
    backup.write_bytes(b"")
    said = command("purge", places.path, "--chat", "Gone").output
    assert "Keep is asked with the same system prompt or settings: they stay there" in said
    assert f"the store still has some of it for {copy}: 'robota-nb purge' takes it from there" in said
    assert f"{checkpoint} may still hold it: delete that copy" in said
    assert f"{backup} may still hold it: delete that copy" in said
    assert said.endswith("copies, git's history and whoever was asked still have it\n")
    done = command("purge", copy, "--chat", "Gone")  # there is no such file, only what the store has of it
    assert done.exit_code == 0
    assert "question in Gone" not in json.dumps(places.store.entries(str(copy)))


def test_a_notebook_that_the_command_has_purged_gets_the_stubs_from_the_store_if_it_was_open(places, monkeypatch):
    manager = notebook_with(places.path, "Keep", "Gone")
    held = manager.snapshot()
    places.store.add(str(places.path), held["sessions"])
    command("purge", places.path, "--chat", "Gone")
    shell = Shell(monkeypatch, store=places.store, path=str(places.path), value=held)  # saved from memory since
    assert [chat.name for chat in shell.manager.session("Work").chats] == ["Keep"]
    assert "question in Gone" not in json.dumps(shell.manager.snapshot())
    document = snapshot.merge(snapshot.parse(held), snapshot.parse(shell.document()))
    assert "question in Gone" not in json.dumps(document)


def test_a_purge_reaches_a_document_that_is_opened_again_as_it_was_saved_before(places, monkeypatch):
    manager = notebook_with(places.path, "Keep", "Gone")
    held = manager.snapshot()
    shell = Shell(monkeypatch, store=places.store, path=str(places.path), value=held)
    shell.manager.session("Work").purge_chat("Gone")
    shell.sent.clear()
    shell.reader.document_opened({"op": "open", "path": str(places.path), "value": held})  # the page was loaded anew
    shell.reader.adopt_notebook()
    document = snapshot.merge(snapshot.parse(held), snapshot.parse(shell.document()))
    assert "question in Gone" not in json.dumps(document)


def test_the_settings_of_a_purged_chat_can_be_used_anew(tmp_path):
    manager = new_manager()
    session = manager.create_session("u", "S")
    session.create_chat("A", system="Be brief.").send("one")
    session.purge_chat("A")
    chat = session.create_chat("A", system="Be brief.")
    assert chat.send("two").text == "re: two"
    assert chat.config.system == "Be brief."
    session.purge_chat("A")
    assert "Be brief." not in json.dumps(manager.snapshot("u"))
    chat = session.create_chat("A", system="Be brief.")
    assert (chat.send("three").text, chat.config.provider) == ("re: three", "echo")


def test_what_cells_did_in_a_purged_chat_is_not_recorded_again():
    manager = new_manager()
    session = manager.create_session("u", "S")
    session.create_chat("B")
    chat = session.create_chat("A")
    ask_in_cell(manager, "one", "cell-1")
    page = ledger_of(manager).page("u")
    page.begin("cell-2", "hash")
    chat.configure(system="a secret")
    page.end(failed=False)
    page.begin("cell-3", "hash")
    session.purge_chat("A")
    page.end(failed=False)
    manager.flush("u")
    page.begin("cell-2", "other")
    page.end(failed=False)
    assert "a secret" not in json.dumps(manager.snapshot("u"))
    assert session.active_chat.name == "B"
    with pytest.raises(Exception, match="no chat 'A'"):
        session.chat("A")


def test_what_is_purged_as_a_whole_is_shown_nowhere_and_cannot_be_purged_twice(places):
    notebook_with(places.path, "Keep", "Gone")
    command("purge", places.path, "--chat", "Keep", "--chat", "Gone")
    assert show(places.path) == "Work\n"
    assert command("purge", places.path, "--all").output.startswith("talk.ipynb: 1 session is gone from the file")
    assert show(places.path) == "no conversations\n"
    assert "there are no conversations: nothing was purged" in command("purge", places.path, "--all").output


def test_a_fork_keeps_what_is_its_own():
    manager = new_manager()
    session = manager.create_session("u", "S")
    session.create_chat("A").send("secret question")
    session.chat("A").fork("F").send("my own")
    session.purge_chat("A")
    assert [turn.prompt.content for turn in session.chat("F").turns] == ["", "my own"]
    assert all(is_stub(entry) for entry in view_of(session).record.entries.values() if "secret" in json.dumps(entry))


def test_no_chat_is_purged_while_a_turn_runs_in_it():
    from robota_nb.errors import ChatBusy

    manager = new_manager(providers=Echo())
    session = manager.create_session("u", "S")
    chat = session.create_chat("A")
    live = chat.stream("a")
    next(iter(live))
    for purge in (lambda: session.purge_chat("A"), lambda: manager.purge_session("S", "u")):
        with pytest.raises(ChatBusy):
            purge()
    live.result()
    manager.purge_session("S", "u")
    assert manager.sessions("u") == []


def test_the_shelf_of_the_command_is_that_of_the_store(places):
    assert isinstance(places.shelf, FolderShelf)
    assert Path(repr(places.shelf).split("'")[1]).name == "store-files"
