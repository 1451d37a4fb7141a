"""Finding what was said in a kernel, and in the other notebooks of its store: real stores, whoever has written them."""

import json

import pytest

from robota_nb.core.inside import runtime_of
from robota_nb.display import report
from robota_nb.stores.memory import MemoryStore
from robota_nb.stores.sqlite import SqliteStore
from robota_nb.sync.search import found_here
from support.git import only_chat, talk
from support.shell import Shell


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "store.sqlite")
    yield store
    store.close()


def file(store, place, manager):
    store.add(place, manager.snapshot("u")["sessions"])


def found(shell, text):
    return [(m.notebook, m.text) for m in found_here(shell.persistence, text, everywhere=True)]


def test_other_notebooks_are_searched_only_if_that_is_wanted(monkeypatch, store):
    file(store, "/there/b.ipynb", talk("데이터를 there"))
    here = Shell(monkeypatch, store)
    here.ask("데이터는 here")
    assert [m.text for m in found_here(here.persistence, "데이터")] == ["데이터는 here"]
    assert sorted(found(here, "데이터")) == [("", "데이터는 here"), ("/there/b.ipynb", "데이터를 there")]
    assert found(here, "데이터를") == [("/there/b.ipynb", "데이터를 there")]


def test_what_is_here_is_not_listed_again_as_another_notebook_s(monkeypatch, store):
    here = Shell(monkeypatch, store)
    here.ask("x one")
    store.add("/copy.ipynb", here.persistence.entries())
    assert found(here, "x") == [("", "x one")]


def test_what_was_undone_or_deleted_there_is_marked(monkeypatch, store):
    manager = talk("x one", "x two")
    only_chat(manager).undo()
    manager.sessions("u")[0].create_chat("B").send("x three")
    manager.sessions("u")[0].delete_chat("B")
    file(store, "/b.ipynb", manager)
    matches = found_here(Shell(monkeypatch, store).persistence, "x", everywhere=True)
    marks = {m.text: (m.number, m.deleted, m.foreign) for m in matches}
    assert marks == {"x one": (1, False, False), "x two": (None, False, False), "x three": (1, True, False)}


def test_what_was_purged_is_found_nowhere(monkeypatch, store):
    manager = talk("secret", "other")
    file(store, "/b.ipynb", manager)
    here = Shell(monkeypatch, store)
    here.ask("secret")
    assert len(found(here, "secret")) == 2
    only_chat(manager).purge(1)
    file(store, "/b.ipynb", manager)
    here.manager.active_session().active_chat.purge(1)
    assert found(here, "secret") == []


def test_what_cannot_be_read_there_is_told_and_the_rest_is_found(monkeypatch, store):
    file(store, "/b.ipynb", talk("x one"))
    sessions = talk("x two").snapshot("u")["sessions"]
    file_of = json.loads(json.dumps(sessions).replace("x two", "x three"))  # altered
    store.add("/c.ipynb", file_of)
    here = Shell(monkeypatch, store)
    assert found(here, "x") == [("/b.ipynb", "x one")]
    assert any("altered" in said for said in here.told)


def test_somebody_else_s_turns_are_marked_but_where_replay_is_strict(monkeypatch, store):
    here = Shell(monkeypatch, store)
    turn = here.ask("x one")
    runtime = runtime_of(here.manager)
    runtime.foreign.sure.add(turn.id)
    assert [m.foreign for m in found_here(here.persistence, "x")] == [True]
    runtime.mode = "strict"
    assert [m.foreign for m in found_here(here.persistence, "x")] == [False]


def test_of_many_turns_the_newest_are_listed_and_it_says_how_many_are_not(monkeypatch, store):
    here = Shell(monkeypatch, store)
    for number in range(103):
        here.ask(f"x {number}")
    lines = report.matches(found_here(here.persistence, "x ")).splitlines()
    assert len(lines) == 101
    assert lines[0].endswith(": x 102")
    assert lines[-1] == "… 3 older turns: a longer text finds fewer"
