"""What only the SQLite store promises: a private file, other processes, forks."""

import os
import random
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from robota_nb.errors import StoreError
from robota_nb.stores import database
from robota_nb.stores.sqlite import SqliteStore, default_store_path
from support.patience import PATIENCE
from support.store import DOCUMENT, WRITER, child, ids_in, mode, posix, some, start


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "robota_nb" / "store.sqlite"


@pytest.fixture
def store(path: Path):
    store = SqliteStore(path)
    yield store
    store.close()


# -- the file


@posix
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_its_files_are_private_whatever_the_umask(store, path, umask):
    path.parent.mkdir(mode=0o755, parents=True)  # with umask 777 nobody could enter a directory made now
    before = os.umask(umask)
    try:
        store.add(DOCUMENT, some("e_1"))
    finally:
        os.umask(before)
    files = sorted(path.parent.iterdir())
    assert [file.name for file in files] == ["store.sqlite", "store.sqlite-shm", "store.sqlite-wal"]
    assert {mode(file) for file in files} == {0o600}
    assert mode(path.parent) == 0o755  # a directory that was there is left as it is


@posix
@pytest.mark.parametrize("given", [0o666, 0o644, 0o640])
def test_a_file_that_others_could_read_is_private_again_once_it_is_used(store, path, given):
    store.add(DOCUMENT, some("e_1"))
    held = path.open("rb")  # so that the log stays
    for file in path.parent.iterdir():
        file.chmod(given)
    other = SqliteStore(path)
    assert other.unsaved(DOCUMENT)
    assert {mode(file) for file in path.parent.iterdir()} == {0o600}
    held.close()
    other.close()


@posix
def test_where_the_rights_cannot_be_taken_from_others_the_user_is_told(store, path, monkeypatch):
    store.add(DOCUMENT, some("e_1"))
    store.close()
    path.chmod(0o644)
    told = []
    monkeypatch.setattr(Path, "chmod", refused)  # root may do all, and tests may run as root
    other = SqliteStore(path, told.append)
    assert other.unsaved(DOCUMENT)
    assert told == [f"others can read what is in the store: chmod 600 {path}"]
    other.close()


def refused(*_):
    raise PermissionError


@posix
def test_its_directory_is_private(store, path):
    store.add(DOCUMENT, some("e_1"))
    assert mode(path.parent) == 0o700


def test_it_is_in_wal_mode_and_syncs_normally(store, path):
    store.add(DOCUMENT, some("e_1"))
    assert store._connection.execute("PRAGMA journal_mode").fetchone() == (b"wal",)
    assert store._connection.execute("PRAGMA synchronous").fetchone() == (1,)
    assert store._connection.execute("PRAGMA user_version").fetchone() == (len(database.MIGRATIONS),)


def test_reading_what_is_not_there_creates_nothing(store, path):
    assert store.unsaved(DOCUMENT) == store.unsaved_documents() == {}
    store.move(DOCUMENT, "b.ipynb")
    store.mark_saved(DOCUMENT, some("e_1"))
    store.add(DOCUMENT, {}, some("e_1"))
    store.add(DOCUMENT, {"s_1": {}})
    assert not path.parent.exists()


def test_a_body_is_canonical_text(store, path):
    store.add(DOCUMENT, {"s_1": {"e_1": {"kind": "message", "content": ["é\n"], "a": 1}}})
    body = store._connection.execute("SELECT body FROM entry").fetchone()[0]
    assert body == b'{"a":1,"content":["\xc3\xa9\\n"],"kind":"message"}'


@pytest.mark.parametrize("move", [None, (DOCUMENT, "b.ipynb"), ("b.ipynb", DOCUMENT)])
def test_a_purged_text_is_nowhere_in_the_files(store, path, move):
    secret = "sk-canary-" * 500
    store.add(DOCUMENT, some("e_1", text=secret))
    store.add("b.ipynb" if move else DOCUMENT, {"s_1": {"e_1": {"kind": "purged"}}})
    if move:
        store.move(*move)
    assert all(b"canary" not in file.read_bytes() for file in path.parent.iterdir())
    store.close()
    assert all(b"canary" not in file.read_bytes() for file in path.parent.iterdir())


@pytest.mark.parametrize("seed", range(6))
def test_a_purged_text_is_in_no_gap_that_rows_have_left_when_they_were_moved(store, path, seed):
    chance = random.Random(seed)  # ids in no order, bodies of many sizes: pages are split, and united again
    ids = [f"e_{chance.getrandbits(128):032x}" for _ in range(100)]
    said = {eid: {"kind": "message", "content": ["the secret ", "x" * chance.randrange(900)]} for eid in ids}
    for at in range(0, 100, 10):
        store.add("d", {"s_1": {eid: said[eid] for eid in ids[at : at + 10]}})
    store.add("d", {"s_1": {eid: {"kind": "purged"} for eid in ids}})
    assert sum(file.read_bytes().count(b"the secret") for file in path.parent.iterdir()) == 0
    assert len(store.entries("d")["s_1"]) == 100


def test_a_store_that_cannot_be_written_anew_after_a_purge_has_purged_and_says_so(path):
    told = []
    store = SqliteStore(path, told.append)
    store.add(DOCUMENT, {"s_1": {"e_1": {"kind": "message", "content": ["the secret"]}}})
    scrub = store._scrub

    class Busy:
        def execute(self, statement):
            raise sqlite3.OperationalError("database is locked")

    store._scrub = lambda _: scrub(Busy())
    store.add(DOCUMENT, {"s_1": {"e_1": {"kind": "purged"}}})
    assert store.entries(DOCUMENT) == {"s_1": {"e_1": {"kind": "purged"}}}
    assert len(told) == 1
    assert "pieces of it may be left in the file" in told[0]
    store.close()


def test_reading_the_unsaved_costs_the_same_however_much_is_saved(store):
    store.add(DOCUMENT, some("e_new"))
    steps, costs = [], set()
    store._connection.set_progress_handler(lambda: steps.append(1), 1)  # at each step of SQLite's machine
    for saved in some("e_0"), some(*(f"e_{i}" for i in range(1000))):
        store.add(DOCUMENT, saved)
        store.mark_saved(DOCUMENT, saved)
        steps.clear()
        assert (store.unsaved(DOCUMENT), store.unsaved_documents()) == (some("e_new"), {DOCUMENT: 1})
        costs.add(len(steps))
    assert len(costs) == 1


def test_a_move_is_seen_whole_or_not_at_all_and_fails_as_a_whole(store, path):
    store.add(DOCUMENT, some("e_1", "e_2"))
    store.add("b.ipynb", some("e_1"))
    store.mark_saved("b.ipynb", some("e_1"))  # so that the last step of a move marks it as unsaved
    other, seen = SqliteStore(path), []
    store._connection.create_function("look", 0, lambda: seen.append(other.unsaved_documents()))
    late = "CREATE TEMP TRIGGER late AFTER UPDATE OF saved ON entry BEGIN SELECT look(), RAISE(ABORT, 'late'); END"
    store._connection.execute(late)
    with closing(other), pytest.raises(StoreError, match="late"):
        store.move(DOCUMENT, "b.ipynb")
    assert [*seen, store.unsaved_documents()] == [{DOCUMENT: 2}, {DOCUMENT: 2}]


def test_a_relative_path_stays_where_it_was(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = SqliteStore("store.sqlite")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    store.add(DOCUMENT, some("e_1"))
    store.close()
    assert ids_in(tmp_path / "store.sqlite") == {"e_1"}


def test_a_file_deleted_under_a_living_store_is_made_anew(store, path):
    store.add(DOCUMENT, some("e_1"))
    for file in list(path.parent.iterdir()):
        file.unlink()
    assert store.unsaved(DOCUMENT) == {}
    store.add(DOCUMENT, some("e_2"))
    store.close()
    assert ids_in(path) == {"e_2"}


def test_the_path_comes_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("ROBOTA_NB_STORE", "~/mine.sqlite")
    assert default_store_path() == Path.home() / "mine.sqlite"
    monkeypatch.delenv("ROBOTA_NB_STORE")
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    assert default_store_path() == tmp_path / "robota_nb" / "store.sqlite"


def test_importing_it_is_cheap():
    code = "import sys, robota_nb.stores.sqlite; print({'sqlite3', 'jupyter_core'} & set(sys.modules) or 'cheap')"
    assert child(code).communicate()[0].strip() == "cheap"


def test_a_forgotten_store_closes_itself(path):
    code = """
import sys
from robota_nb.stores.sqlite import SqliteStore
a, b = SqliteStore(sys.argv[1]), SqliteStore(sys.argv[1])
for store in a, b:
    store.add("a.ipynb", {"s_1": {"e_1": {"kind": "message"}}})
del store, a
print("done")
"""
    process = child(code, path, options=("-W", "error", "-X", "dev"), stderr=subprocess.PIPE)
    assert process.communicate() == ("done\n", "")
    assert [file.name for file in path.parent.iterdir()] == ["store.sqlite"]  # the last one out cleans up


# -- other processes


def test_processes_that_start_at_once_share_a_new_file(path):
    writers = [child(WRITER, path, number, 25) for number in range(8)]
    assert [writer.stdout.readline() for writer in writers] == ["ready\n"] * 8
    for writer in writers:
        start(writer)
    said = [set(writer.communicate()[0].split()) for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * 8
    assert ids_in(path) == set().union(*said) == {f"e_{number}_{i}" for number in range(8) for i in range(25)}


def test_a_move_loses_nothing_of_what_another_process_adds_and_yet_another_sees_it(store, path):
    with child(WRITER, path, 0, 100) as writer:
        start(writer)
        for _ in writer.stdout:
            store.move(DOCUMENT, "b.ipynb")
    see = "import sys; from robota_nb.stores.sqlite import SqliteStore as S; print(S(sys.argv[1]).unsaved_documents())"
    assert child(see, path).communicate()[0] == "{'b.ipynb': 100}\n"


@posix
def test_it_may_be_used_on_both_sides_of_a_fork(store, path):
    store.add(DOCUMENT, some("e_before"))
    pid = os.fork()
    if pid == 0:
        try:
            store.add(DOCUMENT, some("e_child"))
            os._exit(0 if store.unsaved(DOCUMENT)["s_1"].keys() >= {"e_before", "e_child"} else 1)
        finally:
            os._exit(2)
    store.add(DOCUMENT, some("e_parent"))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert store.unsaved(DOCUMENT)["s_1"].keys() == {"e_before", "e_child", "e_parent"}


@posix
def test_a_fork_waits_for_a_thread_inside_the_store(path):
    # In a process of its own: a fork while threads run would warn here on newer Pythons.
    code = """
import os, sys, threading
from robota_nb.stores.sqlite import SqliteStore
store, stop = SqliteStore(sys.argv[1]), threading.Event()
def work():
    i = 0
    while not stop.is_set():
        store.add("a.ipynb", {"s_1": {f"e_{i}": {"kind": "message"}}})
        i += 1
thread = threading.Thread(target=work)
thread.start()
codes = []
for i in range(20):
    pid = os.fork()
    if pid == 0:
        store.add("a.ipynb", {"s_1": {f"e_child_{i}": {"kind": "message"}}})
        os._exit(0)
    codes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
stop.set()
thread.join()
print(sum(codes))
"""
    process = child(code, path)
    assert process.communicate(timeout=PATIENCE)[0] == "0\n"
    assert ids_in(path) >= {f"e_child_{i}" for i in range(20)}
