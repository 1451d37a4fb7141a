"""``robota-nb search``: what stands in the files of a folder, without a kernel; the store tells what is foreign."""

from contextlib import closing

import pytest

from robota_nb.carriers.file import read
from robota_nb.core.inside import view_of
from robota_nb.core.record.snapshot import parse
from robota_nb.stores.sqlite import SqliteStore
from support.git import notebook, only_chat, talk
from support.notebook import command


@pytest.fixture
def folder(alone, tmp_path, monkeypatch):
    monkeypatch.setenv("ROBOTA_NB_STORE", str(tmp_path / "the store" / "store.sqlite"))
    (tmp_path / "books" / "below").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "books")
    return tmp_path / "books"


def lines(*words):
    done = command("search", *words)
    assert done.exit_code == 0, done.output
    return [line.replace("\\", "/") for line in done.output.splitlines()]


def test_each_turn_that_holds_the_text_is_a_line_with_where_it_is_and_since_when(folder):
    manager = talk("How do I group rows?", "데이터를 나누는 방법")
    notebook(folder / "below" / "a.ipynb", manager=manager)
    day = view_of(only_chat(manager)).record.entries[only_chat(manager).head]["at"].partition("T")[0]
    assert lines("GROUP") == [f"below/a.ipynb · S ▸ A 1 · {day}: How do I group rows?"]
    assert lines("데이터") == [f"below/a.ipynb · S ▸ A 2 · {day}: 데이터를 나누는 방법"]
    assert lines("group", folder / "below" / "a.ipynb")[0].endswith(": How do I group rows?")
    assert lines("group", "below")[0].startswith("below/a.ipynb · ")


def test_what_was_undone_or_deleted_is_found_and_marked(folder):
    manager = talk("x one", "x two")
    only_chat(manager).undo()
    session = manager.sessions("u")[0]
    session.create_chat("B").send("x three")
    session.delete_chat("B")
    notebook(folder / "a.ipynb", manager=manager)
    marked = {line.rpartition(": ")[2]: line.split(" · ")[3:] for line in lines("x")}
    assert [marked["x one"], marked["x two"], marked["x three"]] == [[], ["undone: x two"], ["deleted: x three"]]


def test_what_the_store_does_not_know_is_foreign_and_without_a_store_nothing_is(folder):
    path = notebook(folder / "a.ipynb", manager=talk("mine", "theirs"))
    assert [" · foreign: " in line for line in lines("re:")] == [False, False]
    assert not (folder.parent / "the store").exists()
    ((sid, entries),) = parse(read(path)).items()
    mine = {eid: entry for eid, entry in entries.items() if entry.get("content") in (["mine"], ["re: mine"])}
    with closing(SqliteStore(folder.parent / "the store" / "store.sqlite")) as store:
        store.add("elsewhere.ipynb", {sid: mine})
    found = lines("re:")
    assert [" · foreign: " in line for line in found] == [True, False]
    assert found[0].endswith("re: theirs")


def test_a_text_that_is_nowhere_ends_with_exit_code_1_and_says_nothing(folder):
    notebook(folder / "a.ipynb", manager=talk("one"))
    notebook(folder / "b.ipynb", "x = 1")
    (folder / "notes.txt").write_text("nowhere")
    done = command("search", "nowhere")
    assert (done.exit_code, done.output) == (1, "")


@pytest.mark.parametrize("text", ["", "  "])
def test_without_a_text_there_is_nothing_to_look_for(folder, text):
    done = command("search", text)
    assert done.exit_code == 2
    assert "there is no text to look for" in done.output


def test_a_notebook_that_cannot_be_read_is_named_and_the_others_are_searched(folder):
    notebook(folder / "a.ipynb", manager=talk("one"))
    (folder / "bad.ipynb").write_text('{"robota_nb": ')
    done = command("search", "one")
    assert done.exit_code == 2
    assert done.stdout.endswith(": one\n")
    assert done.stderr.startswith("Error: bad.ipynb")
    assert done.stderr.count("\n") == 1


def test_hidden_folders_are_left_out(folder):
    (folder / ".ipynb_checkpoints").mkdir()
    notebook(folder / ".ipynb_checkpoints" / "a-checkpoint.ipynb", manager=talk("one"))
    assert command("search", "one").exit_code == 1


def test_a_hostile_name_stays_on_its_line(folder):
    manager = talk("one\x1b[31m\ntwo\u202e three")
    notebook(folder / "a.ipynb", manager=manager)
    (line,) = lines("three")
    assert line.endswith(": one two three")
