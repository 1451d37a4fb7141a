"""Conversations of ChatGPT, Claude and llm: listed, taken by their names, and marked as foreign for good."""

import json
import sqlite3
import zipfile

import pytest

from robota_nb.cli.imports import source
from robota_nb.core.inside import ledger_of, view_of
from robota_nb.core.record import snapshot
from robota_nb.core.users import default_user
from robota_nb.display import report
from support.core import new_manager
from support.notebook import command, value, write


def node(name, parent, role=None, text="", **more):
    """A node of ChatGPT's tree; without a role, one without a message."""
    content = more.pop("content", {"content_type": "text", "parts": [text]})
    message = role and {
        "id": name, "author": {"role": role, "name": None, "metadata": {}}, "create_time": 1700000000.5,
        "content": content, "status": "finished_successfully", "weight": 1.0, "recipient": "all",
        "metadata": {"model_slug": "gpt-4o"} if role == "assistant" else {}, **more,
    }  # fmt: skip
    return {name: {"id": name, "message": message, "parent": parent, "children": []}}


def chatgpt(title="Closures", name="conv-0001", current="a3", **more):
    """A conversation as ChatGPT exports it: an edited question, an answer asked for twice, a tool, a picture."""
    mapping = {
        **node("root", None),
        **node("system", "root", "system", "You are ChatGPT."),
        **node("custom", "system", "user", content={"content_type": "user_editable_context", "user_profile": "me"}),
        **node("q1", "custom", "user", content={"content_type": "multimodal_text", "parts": [
            {"content_type": "image_asset_pointer", "asset_pointer": "file-service://file-1"}, "What is a closure?",
        ]}),
        **node("a1", "q1", "assistant", "A function with its surroundings."),
        **node("a1b", "q1", "assistant", "Another answer."),
        **node("q2", "a1", "user", "Show me"),
        **node("call", "q2", "assistant", recipient="python", content={"content_type": "code", "text": "1+1"}),
        **node("result", "call", "tool", content={"content_type": "execution_output", "text": "2"}),
        **node("t2", "result", "assistant", content={"content_type": "thoughts", "thoughts": [{"content": "hm"}]}),
        **node("a2", "t2", "assistant", "Here it is."),
        **node("q2b", "a1", "user", "Show me, shorter"),
        **node("a3", "q2b", "assistant", "def f(): ..."),
        **node("q4", "a2", "user", "never answered"),
    }  # fmt: skip
    return {
        "title": title, "create_time": 1700000000.25, "update_time": 1700000009.0, "mapping": mapping,
        "current_node": current, "conversation_id": name, "id": name, **more,
    }  # fmt: skip


ROOT = "00000000-0000-4000-8000-000000000000"


def claude(*, tree):
    """A conversation as Claude exports it, with the parents of messages or, as it was before, without."""
    said = [
        ("m1", ROOT, "human", "What is a monad?"), ("m2", "m1", "assistant", "A monoid."),
        ("m3", "m2", "human", "Seriously"), ("m4", "m3", "assistant", "A pattern."),
    ]  # fmt: skip
    said += [("m5", "m2", "human", "In one word"), ("m6", "m5", "assistant", "Chaining.")] if tree else []
    messages = [
        {
            "uuid": name, "text": f"{text} (old)", "content": [{"type": "text", "text": text}], "sender": sender,
            "created_at": "2025-03-04T05:06:07.123456Z", "updated_at": "2025-03-04T05:06:07.123456Z",
            "attachments": [], "files": [], **({"parent_message_uuid": parent} if tree else {}),
        }
        for name, parent, sender, text in said
    ]  # fmt: skip
    messages[0]["attachments"] = [{"file_name": "a.txt", "file_size": 3, "extracted_content": "abc"}]
    messages[1]["content"] += [{"type": "thinking", "thinking": "hm"}, {"type": "tool_use", "name": "x", "input": {}}]
    return {
        "uuid": "claude-0001", "name": "Monads", "created_at": "2025-03-04T05:06:00Z", "account": {"uuid": "u"},
        "updated_at": "2025-03-04T05:06:09Z", "chat_messages": messages,
    }  # fmt: skip


LOGGED = [
    ("r2", "llama3", None, "and shorter", None, "A name.", "c1", "2025-01-01T00:00:02.5+00:00"),
    ("r1", "llama3", "llama3:8b", "What is a variable?", "Be brief.", "A named value.", "c1", "2025-01-01T00:00:01"),
    ("r3", "gpt", None, "alone", None, "yes", None, "2025-01-02T00:00:00"),
]
COLUMNS = ("id", "model", "resolved_model", "prompt", "system", "response", "conversation_id", "datetime_utc")


def llm_database(path):
    """A ``logs.db``, as llm makes it."""
    with sqlite3.connect(path) as made:
        made.execute("CREATE TABLE conversations (id TEXT PRIMARY KEY, name TEXT, model TEXT)")
        made.execute("INSERT INTO conversations VALUES ('c1', 'Variables', 'llama3')")
        made.execute(
            "CREATE TABLE responses (id TEXT PRIMARY KEY, model TEXT, prompt TEXT, system TEXT, prompt_json TEXT, "
            "options_json TEXT, response TEXT, response_json TEXT, conversation_id TEXT, duration_ms INTEGER, "
            "datetime_utc TEXT, input_tokens INTEGER, output_tokens INTEGER, resolved_model TEXT)"
        )
        made.execute("CREATE TABLE prompt_attachments (response_id TEXT, attachment_id TEXT, [order] INTEGER)")
        made.execute("INSERT INTO prompt_attachments VALUES ('r1', 'x', 0)")
        made.executemany(f"INSERT INTO responses ({', '.join(COLUMNS)}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", LOGGED)
    made.close()


def llm_json():
    """What ``llm logs --json`` prints."""
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in LOGGED]
    return [
        {**row, "conversation_name": row["conversation_id"] and "Variables", "attachments": [{}] * (row["id"] == "r1")}
        for row in rows
    ]


def export(root, which):
    """The file of an export, and what it lists, takes and drops."""
    if which == "ChatGPT's zip":
        path = root / "export.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("chat.html", "<html>" + "x" * 1_000_000)
            archive.writestr("conversations.json", json.dumps([chatgpt(), chatgpt("Other", "conv-0002", "a1")]))
            archive.writestr("../../evil.txt", "evil")
        return path
    if which == "llm's database":
        llm_database(root / "logs.db")
        return root / "logs.db"
    values = {
        "ChatGPT": [chatgpt(), chatgpt("Other", "conv-0002", "a1")], "Claude": [claude(tree=True)],
        "Claude, before it had branches": [claude(tree=False)], "llm's JSON": llm_json(),
    }  # fmt: skip
    path = root / "conversations.json"
    path.write_text(json.dumps(values[which]))
    return path


CHATGPT = {
    "listed": ["ChatGPT: 2 conversations", "2023-11-14  4 turns  Closures  (conv-000)"],
    "name": "Closures",
    "path": [("What is a closure?", "A function with its surroundings."), ("Show me, shorter", "def f(): ...")],
    "branches": ["Another answer.", "Here it is."],
    "model": "gpt-4o",
    "dropped": (
        "not taken: custom instructions (1), pictures, sounds and files (1), questions without an answer (1), "
        "system messages (1), thoughts (1), tool calls and what they returned (2)"
    ),
}
CLAUDE = {
    "listed": ["Claude: 1 conversation", "2025-03-04  3 turns  Monads  (claude-0)"],
    "name": "Monads",
    "path": [("What is a monad?", "A monoid."), ("In one word", "Chaining.")],
    "branches": ["A pattern."],
    "model": "",
    "dropped": "not taken: pictures, sounds and files (1), thoughts (1), tool calls and what they returned (1)",
}
LINEAR = {
    "path": [("What is a monad?", "A monoid."), ("Seriously", "A pattern.")], "branches": [],
    "listed": ["Claude: 1 conversation", "2025-03-04  2 turns  Monads  (claude-0)"],
}  # fmt: skip
LLM = {
    "listed": ["llm: 2 conversations", "2025-01-02  1 turn  alone  (r3)", "2025-01-01  2 turns  Variables  (c1)"],
    "name": "Variables",
    "path": [("What is a variable?", "A named value."), ("and shorter", "A name.")],
    "branches": [],
    "model": "llama3",
    "dropped": "not taken: pictures, sounds and files (1), system messages (1)",
}
EXPORTS = {
    "ChatGPT's zip": CHATGPT, "ChatGPT": CHATGPT, "Claude": CLAUDE, "Claude, before it had branches": CLAUDE | LINEAR,
    "llm's database": LLM, "llm's JSON": LLM,
}  # fmt: skip


def opened(path):
    """A kernel's manager with what a notebook holds, and a page with cells."""
    manager = new_manager()
    manager.adopt(snapshot.parse(value(path)))
    ledger_of(manager).page(default_user()).list_cells([])
    return manager


@pytest.mark.parametrize("which", EXPORTS)
def test_it_is_listed_and_what_is_named_is_taken_with_its_branches(tmp_path, which):
    expected, path = EXPORTS[which], export(tmp_path, which)
    done = command("import", path)
    assert done.exit_code == 0, done.output
    assert [line for line in expected["listed"] if line not in done.output] == []
    before = sorted(tmp_path.rglob("*"))
    notebook = tmp_path / "talk.ipynb"
    done = command("import", path, "--into", notebook, "--chat", expected["name"])
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[0].startswith("talk.ipynb: 1 chat with ")
    assert expected["dropped"] in done.output
    assert sorted(tmp_path.rglob("*")) == [*before, notebook] or {*tmp_path.rglob("*")} == {*before, notebook}
    manager = opened(notebook)
    (session,) = manager.sessions()
    (chat,) = session.chats
    assert (session.name, chat.name) == ("Imported", expected["name"])
    assert [(turn.prompt.content, turn.text) for turn in chat.turns] == expected["path"]
    assert sorted(turn.text for branch in chat.branches for turn in branch.turns[-1:]) == expected["branches"]
    assert chat.turns[-1].model == expected["model"]
    assert command("verify", notebook).exit_code == 0


def test_it_is_marked_as_foreign_in_every_kernel_and_store_its_importers_too(tmp_path):
    path, notebook = export(tmp_path, "ChatGPT"), tmp_path / "talk.ipynb"
    command("import", path, "--into", notebook, "--chat", "Closures")
    manager = opened(notebook)
    told = []
    manager.subscribe(lambda event: told.append(event) if hasattr(event, "text") else None)
    session = manager.active_session()
    chat = session.active_chat
    log = report.log(chat)
    assert log.count("◇") == 3
    assert log.endswith("◇ foreign: imported from ChatGPT")
    chat.configure(provider="echo", model="m")
    assert chat.send("and now?").text == "re: and now?"
    assert "sends 2 foreign turns to echo/m: somebody else wrote that" in told[0].text
    assert report.log(chat).count("◇") == 3  # what was asked here is not
    again = new_manager()
    again.adopt(snapshot.parse(json.loads(json.dumps(manager.snapshot()))))
    assert report.log(again.active_session().active_chat).count("◇") == 3
    exported = view_of(session).record.entries.values()
    assert {entry["imported"] for entry in exported if "imported" in entry} == {"ChatGPT"}
    page = tmp_path / "talk.html"
    assert command("export", notebook, "--html").exit_code == 0
    assert "foreign" in page.read_text()


def test_what_is_there_stays_and_so_does_the_active_chat(tmp_path):
    manager = new_manager()
    manager.create_session(default_user(), "Work").create_chat("Mine").send("one")
    notebook = write(tmp_path / "talk.ipynb", metadata={"robota_nb": manager.snapshot()})
    path = export(tmp_path, "ChatGPT")
    command("import", path, "--into", notebook, "--chat", "Closures")
    after = notebook.read_bytes()
    again = command("import", path, "--into", notebook, "--chat", "conv-0001")
    assert "'Closures' is there already, and stays as it is" in again.output
    assert notebook.read_bytes() == after
    command("import", path, "--into", notebook, "--chat", "Other")
    there = opened(notebook)
    assert there.active_session().active_chat.name == "Mine"
    assert [chat.name for chat in there.session("Imported").chats] == ["Closures", "Other"]
    command("purge", notebook, "--chat", "Closures")
    assert "A function with" not in json.dumps(value(notebook)["sessions"][there.session("Work").id])
    command("import", path, "--into", notebook, "--chat", "Closures")
    assert [chat.name for chat in opened(notebook).session("Imported").chats] == ["Other", "Closures"]


def test_what_is_not_named_or_not_there_is_an_error(tmp_path):
    path, notebook = export(tmp_path, "ChatGPT"), tmp_path / "talk.ipynb"
    errors = {
        ("--into", notebook): "name conversations with --chat",
        ("--chat", "Closures"): "and a notebook with --into",
        ("--into", notebook, "--chat", "Closure"): "there is no conversation 'Closure' (did you mean 'Closures'?)",
        ("--into", notebook, "--chat", "conv-000"): "there are 2 conversations called 'conv-000': say which, by its id",
    }
    for words, error in errors.items():
        done = command("import", path, *words)
        assert done.exit_code != 0
        assert error in done.output
        assert not notebook.exists()


def packed(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("_json", ".json"), data)
    return path


def lying(path):
    """An archive whose file is larger than it says."""
    packed(path, conversations_json=json.dumps([chatgpt()]))
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02") + 24
    data[at : at + 4] = (10).to_bytes(4, "little")
    path.write_bytes(data)


def database(path, *statements):
    with sqlite3.connect(path) as made:
        for statement in statements:
            made.execute(statement)
    made.close()


HOSTILE = {
    "no JSON": lambda path: path.write_bytes(b"{" * 100_000),
    "deep JSON": lambda path: path.write_bytes(b"[" * 5_000_000 + b"]" * 5_000_000),
    "another encoding": lambda path: path.write_bytes(b"\xff\xfe[\x00"),
    "an integer of many digits": lambda path: path.write_text('[{"mapping": ' + "9" * 10_000 + "}]"),
    "another JSON": lambda path: path.write_text('[{"a": 1}, [], null, 3]'),
    "an empty list": lambda path: path.write_text("[]"),
    "an empty file": lambda path: path.write_bytes(b""),
    "a bomb": lambda path: packed(path, conversations_json=b" " * 30_000_000),
    "a file larger than it says": lying,
    "an archive of others": lambda path: packed(path, other_json="[]"),
    "half an archive": lambda path: path.write_bytes(packed(path, conversations_json="[]").read_bytes()[:-30]),
    "a database of others": lambda path: database(path, "CREATE TABLE t (a)"),
    "a view in the place of the table": lambda path: database(path, "CREATE VIEW responses AS SELECT 1 AS id"),
    "half a database": lambda path: path.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000),
    "a table without end": lambda path: database(
        path, "CREATE TABLE responses (id TEXT, prompt TEXT AS (zeroblob(1000000000)), response TEXT)",
        "INSERT INTO responses (id, response) VALUES ('a', 'b')",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_file_ends_in_one_line_and_writes_nothing(tmp_path, what):
    path = tmp_path / "export"
    HOSTILE[what](path)
    done = command("import", path, "--into", tmp_path / "talk.ipynb", "--chat", "x")
    assert done.exit_code == 1, done.output
    assert len(done.output.splitlines()) == 1, done.output
    assert sorted(tmp_path.iterdir()) == [path]


ODD = {
    "nothing as it should be": {"mapping": {"a": 1, "b": {"message": {"author": 3, "content": [], "metadata": 1}}}},
    "a circle": {"mapping": {**node("a", "b", "user", "q"), **node("b", "a", "assistant", "x")}},
    "a parent of its own": {"mapping": node("a", "a", "user", "q")},
    "parents that are nowhere": {"mapping": {**node("a", "?", "user", "q"), **node("b", "a", "assistant", "x")}},
    "times that are none": {**chatgpt(), "create_time": 1e300},
    "a lone surrogate": {"mapping": {**node("a", "", "user", "q\ud800"), **node("b", "a", "assistant", "x\udfff")}},
    "a title that acts": {**chatgpt(), "title": "\u202e\x1b[2J" + "x" * 5000 + "\n<script>"},
    "no title": {**chatgpt(), "title": None},
}


@pytest.mark.parametrize("what", ODD)
def test_an_odd_conversation_is_read_as_far_as_it_goes(tmp_path, what):
    path, notebook = tmp_path / "conversations.json", tmp_path / "talk.ipynb"
    path.write_text(json.dumps([{**ODD[what], "conversation_id": "the-only-one"}]))
    listed = command("import", path)
    assert listed.exit_code == 0, listed.output
    assert not {"\x1b", "\u202e"} & set(listed.output)
    assert len(listed.output.splitlines()) == 2
    done = command("import", path, "--into", notebook, "--chat", "the-only-one")
    assert done.exit_code == 0, done.output
    assert command("verify", notebook).exit_code == 0
    assert len(opened(notebook).session("Imported").chats) == 1


def test_a_long_conversation_is_read_in_one_go_and_one_that_grows_without_end_is_refused(tmp_path):
    mapping, before = {}, ""
    for number in range(4_000):
        mapping |= node(f"n{number}", before, "user" if number % 2 == 0 else "assistant", "x" * 20)
        before = f"n{number}"
    path = tmp_path / "conversations.json"
    path.write_text(json.dumps([{"title": "long", "mapping": mapping}]))
    (talk,) = source.read(path).talks
    assert len(talk.exchanges) == 2_000
    mapping, before = node("q", "", "user", "q"), "q"
    for number in range(700):
        mapping |= node(f"n{number}", before, "assistant", "x" * 2_000)
        mapping |= node(f"q{number}", f"n{number}", "user", "q")
        before = f"n{number}"
    path.write_text(json.dumps([{"title": "growing", "mapping": mapping}, chatgpt()]))
    assert "too large  growing" in command("import", path).output
    notebook = tmp_path / "talk.ipynb"
    assert "has more text than a notebook may hold" in command(
        "import", path, "--into", notebook, "--chat", "growing"
    ).output  # fmt: skip
    assert not notebook.exists()
    assert command("import", path, "--into", notebook, "--chat", "Closures").exit_code == 0
