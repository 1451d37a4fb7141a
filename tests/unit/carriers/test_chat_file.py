"""Exported chats are read back as they were, whatever was said in them, and nothing else is taken for one."""

import json
import os
import threading

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robota_nb.carriers import chat_file as files
from robota_nb.core import chat_format as exchange
from robota_nb.core.ports import Finish, Image, TextDelta
from robota_nb.core.record import snapshot
from robota_nb.errors import DuplicateName, SnapshotError
from support.core import Only, new_manager, raised
from support.notebook import outputs, run, write
from support.patience import PATIENCE

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


class Named:
    """A provider that names its model as it likes."""

    def __init__(self, model):
        self.model = model

    def stream(self, request):
        yield TextDelta("an answer")
        yield Finish(reason="stop", model=self.model)


MARK = '<!-- robota_nb user {"characters": 0} -->'


@pytest.mark.parametrize("name", ["x <!-- robota_nb chat {} -->", "# <script>", "a `b` *c* [d](javascript:e)"])
def test_a_name_is_no_part_of_the_format(name):
    talk = exchange.from_markdown(exchange.to_markdown(chat_of(["one"], name, model=f"m\n{MARK}\n")), "a.md")
    assert talk.name == name
    assert len(talk.turns) == 1


def test_what_a_server_calls_its_model_is_no_part_of_the_format():
    chat = new_manager(providers=Only(Named(f"m\n{MARK}\n\nx"))).create_session("u").create_chat("T")
    chat.send("one")
    copy, _ = exchange.add(
        new_manager().create_session("v"), exchange.from_markdown(exchange.to_markdown(chat), "a.md")
    )
    assert said(copy) == said(chat)


def test_a_message_that_is_too_large_adds_nothing():
    big = "y" * (snapshot.NOTICE_BYTES // 4)
    text = exchange.to_markdown(chat_of(["one", "two"]))
    text = text.replace('{"characters": 3} -->\ntwo', f'{{"characters": {len(big)}}} -->\n{big}')
    assert "over the cap" in raised(SnapshotError, exchange.from_markdown, text, "a.md")


def test_imported_turns_were_not_asked_here():
    session = new_manager().create_session("v")
    exchange.add(session, exchange.from_markdown(exchange.to_markdown(chat_of(["one"])), "a.md"))
    assert (session.stats.total.turns, session.stats.asked.turns) == (1, 0)


def test_what_an_earlier_version_took_for_a_parameter_is_imported_as_it_was_recorded():
    chat = chat_of(["one"])
    chat.configure(temperature=0.2, stop="x")
    text = exchange.to_markdown(chat)
    edited = text.replace("temperature", "temprature").replace('"stop": ', '"seed": ')
    assert edited.count('"temprature": ') == edited.count('"seed": ') == 1
    copy, _ = exchange.add(new_manager().create_session("v"), exchange.from_markdown(edited, "a.md"))
    assert copy.config.params == {"temprature": "0.2", "seed": '"x"'}


def test_a_deleted_chat_comes_back_instead_of_a_twin():
    session = new_manager().create_session("v")
    talk = exchange.from_markdown(exchange.to_markdown(chat_of(["one"])), "a.md")
    first, _ = exchange.add(session, talk)
    first.delete()
    again, new = exchange.add(session, talk)
    assert (again.id, new) == (first.id, False)


def test_turns_are_found_behind_the_second_of_two_equal_answers():
    chat = chat_of(["one"])
    chat.retry()
    chat.send("two")
    assert exchange.add(chat.session, exchange.from_markdown(exchange.to_markdown(chat), "a.md")) == (chat, False)


def test_json_with_what_waits_is_the_same_at_any_time():
    clock = iter(f"2026-01-01T00:00:{second:02}Z" for second in range(60))
    chat = new_manager(now=lambda: next(clock)).create_session("u").create_chat("A")
    chat.send("one")
    chat.undo()
    text = exchange.to_json(chat)
    assert exchange.to_json(chat) == text
    manager = new_manager()
    manager.adopt(exchange.from_json(text, "a.json"), "v")
    assert manager.sessions("v")[0].chats[0].turns == []


def test_what_a_fork_started_from_has_its_name_and_stays_deleted():
    chat = chat_of(["one"], "Source")
    fork = chat.fork("Fork")
    fork.send("two")
    chat.rename("Renamed")
    manager = new_manager()
    manager.adopt(exchange.from_json(exchange.to_json(fork), "a.json"), "v")
    assert [c.name for c in manager.sessions("v")[0].chats] == ["Renamed", "Fork"]
    chat.delete()
    manager = new_manager()
    manager.adopt(exchange.from_json(exchange.to_json(fork), "a.json"), "v")
    assert [c.name for c in manager.sessions("v")[0].chats] == ["Fork"]


def test_a_line_without_end_is_read_at_once():
    text = '<!-- robota_nb chat {"name": "A"} -->\n' + "<!-- robota_nb user {" * 500_000
    assert exchange.from_markdown(text, "a.md").turns == []


def test_line_breaks_that_a_tool_has_changed_are_changed_back():
    text = exchange.to_markdown(chat_of(["one\ntwo"]))
    assert exchange.from_markdown(text.replace("\n", "\r\n"), "a.md") == exchange.from_markdown(text, "a.md")


def test_a_model_that_is_no_unicode_is_cleaned():
    text = exchange.to_markdown(chat_of(["one"])).replace('"model": "m-1"', '"model": "\\ud800"')
    session = new_manager().create_session("v")
    exchange.add(session, exchange.from_markdown(text, "a.md"))
    snapshot.parse(session.manager.snapshot("v"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("data.json", '{"sessions": [1, 2], "mine": true}'),
        ("empty.json", '{"format": {"major": 1, "minor": 0}, "sessions": {}}'),
        ("notes.md", "# How it looks\n\n<!-- robota_nb chat {} -->\n"),
    ],
)
def test_what_only_looks_like_an_export_stays(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert "no exported chat" in raised(SnapshotError, files.write, chat_of(["one"]), str(tmp_path / name))
    assert (tmp_path / name).read_text() == text


def test_a_link_stays_a_link(tmp_path):
    files.write(chat_of(["one"]), str(tmp_path / "real.md"))
    (tmp_path / "link.md").symlink_to(tmp_path / "real.md")
    files.write(chat_of(["two"]), str(tmp_path / "link.md"))
    assert (tmp_path / "link.md").is_symlink()
    assert "re: two" in (tmp_path / "real.md").read_text()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.md")
    refused = threading.Event()

    def write():
        raised(SnapshotError, files.write, chat_of(["one"]), str(tmp_path / "pipe.md"))
        refused.set()

    threading.Thread(target=write, daemon=True).start()
    assert refused.wait(PATIENCE)


def test_asks_go_on_after_imported_turns_also_when_the_notebook_runs_again(connected, server):
    theirs = write(
        connected / "theirs.ipynb", "%load_ext robota_nb\n%robota session open Theirs\n%robota new Talk",
        "%%robota\none", "%%robota\ntwo", "%robota export talk.json",
    )  # fmt: skip
    notebook = nbformat.read(theirs, as_version=4)
    for cell in notebook.cells:
        cell.id = f"their-{cell.id}"  # the cells of two notebooks have ids of their own
    nbformat.write(notebook, theirs)
    run(theirs)
    mine = write(
        connected / "mine.ipynb", "%load_ext robota_nb\n%robota session open Mine\n%robota new Own", "%%robota\nmine",
        "%robota import talk.json", "%%robota\nmine again", "%%robota --session Theirs --chat Talk\nthree",
    )  # fmt: skip
    run(mine)
    asked = [[m["content"] for m in body["messages"] if m["role"] == "user"] for body in server.requests[-2:]]
    assert asked == [["mine", "mine again"], ["one", "two", "three"]]
    before, count = outputs(mine), len(server.requests)
    run(mine)
    assert outputs(mine) == before
    assert len(server.requests) == count
