"""Exported chats are read back as they were, whatever was said in them, and nothing else is taken for one."""

import json

import pytest
from core_support import new_manager, raised
from hypothesis import given
from hypothesis import strategies as st

from robota_nb import exchange as files
from robota_nb.core import exchange, snapshot
from robota_nb.core.ports import Image
from robota_nb.errors import DuplicateName, SnapshotError

HOSTILE = [
    "```python\nprint('a')\n```",
    '## You\n\n<!-- robota_nb user {"characters": 3} -->\nabc\n',
    "--> <!-- <script>alert(1)</script>",
    "line\r\nline\rline  \n\n\n",
    "\u2028\u2029\x0b\x0c\x1c tab\t",
    "漢字 é 🦊",
    "# Title",
    "x" * 100_000,
]
texts = st.sampled_from(HOSTILE) | st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=40)


def chat_of(prompts, name="Talk", **settings):
    chat = new_manager().create_session("u", "S").create_chat(name, **settings)
    for prompt in prompts:
        chat.send(prompt)
    return chat


def said(chat):
    return [(turn.prompt.content, turn.text, turn.model, turn.finish_reason, turn.usage) for turn in chat.turns]


@given(st.lists(texts, max_size=4))
def test_markdown_gives_the_same_messages_back(prompts):
    chat = chat_of(prompts, system="Be\nbrief -->", temperature=0.2)
    talk = exchange.from_markdown(exchange.to_markdown(chat), "a.md")
    session = new_manager().create_session("v", "T")
    copy, new = exchange.add(session, talk)
    assert new
    assert said(copy) == said(chat)
    assert copy.config == chat.config
    snapshot.parse(session.manager.snapshot("v"))
    assert exchange.to_markdown(copy) == exchange.to_markdown(chat)
    assert exchange.add(session, talk) == (copy, False)


@given(st.lists(texts, max_size=4))
def test_json_gives_the_same_chat_back_with_its_branches(prompts):
    chat = chat_of([*prompts, "one", "two"])
    chat.edit(1, "another beginning")
    chat.configure(model="m2")
    chat.session.create_chat("Not this one").send("private")
    text = exchange.to_json(chat)
    assert "private" not in text
    manager = new_manager()
    for _ in range(2):
        manager.adopt(exchange.from_json(text, "a.json"), "v")
    (session,) = manager.sessions("v")
    (copy,) = session.chats
    assert said(copy) == said(chat)
    assert [said_(b) for b in copy.branches] == [said_(b) for b in chat.branches]
    assert copy.config == chat.config


def said_(branch):
    return branch.after, [(turn.prompt.content, turn.text) for turn in branch.turns]


def test_json_of_a_fork_holds_what_it_started_from():
    chat = chat_of(["one", "two"])
    fork = chat.fork("Fork", at=1)
    fork.send("three")
    manager = new_manager()
    manager.adopt(exchange.from_json(exchange.to_json(fork), "a.json"), "v")
    (session,) = manager.sessions("v")
    assert said(session.chat("Fork")) == said(fork)


def test_importing_where_it_came_from_changes_nothing():
    chat = chat_of(["one", "two"])
    before = chat.session.manager.snapshot("u")
    assert chat.session.manager.adopt(exchange.from_json(exchange.to_json(chat), "a.json"), "u") == {}
    assert exchange.add(chat.session, exchange.from_markdown(exchange.to_markdown(chat), "a.md")) == (chat, False)
    assert chat.session.manager.snapshot("u") == before


def test_json_keeps_pictures_and_markdown_counts_them():
    chat = new_manager().create_session("u").create_chat()
    picture = Image(media_type="image/png", data=b"\x89PNG...")
    chat.send("look", images=[picture])
    manager = new_manager()
    manager.adopt(exchange.from_json(exchange.to_json(chat), "a.json"), "v")
    assert manager.sessions("v")[0].chats[0].turns[0].prompt.images == (picture,)
    assert "(1 picture)" in exchange.to_markdown(chat)


def test_another_chat_of_that_name_is_not_touched():
    talk = exchange.from_markdown(exchange.to_markdown(chat_of(["one"])), "a.md")
    other = chat_of(["something else"])
    raised(DuplicateName, exchange.add, other.session, talk)
    assert len(other.turns) == 1


WRONG = {
    "no.md": ("# A README\n", "is no chat"),
    "cut.md": (exchange.to_markdown(chat_of(["one"]))[:-6], "not as long as it says"),
    "edited.md": (exchange.to_markdown(chat_of(["one"])).replace("one\n", "another\n", 1), "not as long as it says"),
    "half.md": (exchange.to_markdown(chat_of(["one"])).split("\n## Model")[0], "do not take turns"),
    "no.json": ("{", "is not JSON"),
    "other.json": ('{"sessions": 3}', "format"),
    "deep.json": ("[" * 100_000, "is not JSON"),
    "notes.txt": ("", "neither .md nor .json"),
    "missing.md": (None, "there is no file 'missing.md'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_exported_chat_is_said_in_one_line(tmp_path, name):
    text, says = WRONG[name]
    if text is not None:
        (tmp_path / name).write_text(text)
    assert says in raised(SnapshotError, files.read, str(tmp_path / name))


def test_an_export_takes_the_place_of_an_export_and_of_nothing_else(tmp_path):
    chat = chat_of(["one"])
    for name in ("a.md", "a.json"):
        files.write(chat, str(tmp_path / name))
        before = (tmp_path / name).read_bytes()
        files.write(chat, str(tmp_path / name))
        assert (tmp_path / name).read_bytes() == before
    (tmp_path / "README.md").write_text("# Mine")
    (tmp_path / "package.json").write_text(json.dumps({"name": "mine"}))
    for name in ("README.md", "package.json"):
        assert "no exported chat" in raised(SnapshotError, files.write, chat, str(tmp_path / name))
    raised(SnapshotError, files.write, chat, str(tmp_path / "nowhere" / "a.md"))
