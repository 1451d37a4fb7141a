"""What only the SQLite store promises: a private file, other processes, sudden death, clear errors."""

import os
import random
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from robota_nb.errors import StoreError
from robota_nb.stores import sqlite
from robota_nb.stores.sqlite import SqliteStore, default_store_path

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX file modes, signals and forks")

DOCUMENT = "a.ipynb"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "robota_nb" / "store.sqlite"


@pytest.fixture
def store(path: Path):
    store = SqliteStore(path)
    yield store
    store.close()


def some(*ids: str, text: str = "x") -> dict:
    return {"s_1": {entry_id: {"kind": "message", "content": [text]} for entry_id in ids}}


def ids_in(path: Path) -> set[str]:
    """Return what a new kernel would find, and check the file on the way."""
    with closing(SqliteStore(path)) as store:
        found = set(store.unsaved(DOCUMENT).get("s_1", {}))
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    return found


def child(code: str, *arguments: object, options=(), **more) -> subprocess.Popen[str]:
    command = [sys.executable, *options, "-c", code, *map(str, arguments)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=env, **more)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


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
def test_its_directory_is_private(store, path):
    store.add(DOCUMENT, some("e_1"))
    assert mode(path.parent) == 0o700


def test_it_is_in_wal_mode_and_syncs_normally(store, path):
    store.add(DOCUMENT, some("e_1"))
    assert store._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert store._connection.execute("PRAGMA synchronous").fetchone() == (1,)
    assert store._connection.execute("PRAGMA user_version").fetchone() == (len(sqlite._MIGRATIONS),)


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
    assert body == '{"a":1,"content":["é\\n"],"kind":"message"}'


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

WRITER = """
import os, sys
from robota_nb.stores.sqlite import SqliteStore
store = SqliteStore(sys.argv[1])
os.write(1, b"ready\\n")
sys.stdin.readline()
for i in range(int(sys.argv[3])):
    entry_id = f"e_{sys.argv[2]}_{i}"
    store.add("a.ipynb", {"s_1": {entry_id: {"kind": "message", "content": ["x" * 3000]}}})
    os.write(1, f"{entry_id}\\n".encode())
"""


def start(process: subprocess.Popen[str]) -> None:
    print("go", file=process.stdin, flush=True)


def test_processes_that_start_at_once_share_a_new_file(path):
    writers = [child(WRITER, path, number, 50) for number in range(4)]
    assert [writer.stdout.readline() for writer in writers] == ["ready\n"] * 4
    for writer in writers:
        start(writer)
    said = [set(writer.communicate()[0].split()) for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * 4
    assert ids_in(path) == set().union(*said) == {f"e_{number}_{i}" for number in range(4) for i in range(50)}


@posix
def test_what_was_acknowledged_survives_a_killed_writer(path):
    acknowledged = set()
    for kill in range(20):
        with child(WRITER, path, kill, 100_000) as writer:
            start(writer)
            lines = [writer.stdout.readline() for _ in range(random.randint(1, 40))]
            writer.send_signal(signal.SIGKILL)
            lines += writer.stdout
        acknowledged |= {line.strip() for line in lines if line.endswith("\n")} - {"ready"}
        assert ids_in(path) >= acknowledged
    assert acknowledged


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
    assert process.communicate(timeout=60)[0] == "0\n"
    assert ids_in(path) >= {f"e_child_{i}" for i in range(20)}


# -- errors


def refused(store: SqliteStore) -> str:
    """Check that reading and writing say the same, in one line without the directory; return it."""
    texts = set()
    for act in (lambda: store.unsaved(DOCUMENT), lambda: store.add(DOCUMENT, some("e_1"))):
        with pytest.raises(StoreError) as raised:
            act()
        texts.add(str(raised.value))
    (text,) = texts
    assert "\n" not in text
    assert str(store._path.parent) not in text
    assert "store.sqlite" in text
    return text


def test_a_file_that_is_no_database(store, path):
    path.parent.mkdir(parents=True)
    path.write_bytes(b"not a database, but long enough to be one\n" * 100)
    assert "is no SQLite file; move it away" in refused(store)
    path.rename(path.with_suffix(".old"))
    store.add(DOCUMENT, some("e_1"))
    assert store.unsaved(DOCUMENT) == some("e_1")


def test_a_damaged_database(store, path):
    store.add(DOCUMENT, some(*(f"e_{i}" for i in range(500)), text="y" * 500))
    store.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    assert "is damaged; move it away" in refused(store)


def test_a_body_that_is_no_json_any_more(store, path):
    store.add(DOCUMENT, some("e_1"))
    store._connection.execute("UPDATE entry SET body = '{'")
    with pytest.raises(StoreError, match="is damaged; move it away"):
        store.unsaved(DOCUMENT)


def test_a_newer_schema_is_left_alone(store, path):
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {len(sqlite._MIGRATIONS) + 1}")
    before = path.read_bytes()
    assert "newer robota_nb; update robota_nb" in refused(store)
    assert path.read_bytes() == before


def test_an_older_schema_is_migrated(store, path, monkeypatch):
    store.add(DOCUMENT, some("e_1"))
    store.close()
    step = ("ALTER TABLE entry ADD COLUMN note TEXT", "UPDATE entry SET note = 'migrated'")
    monkeypatch.setattr(sqlite, "_MIGRATIONS", (*sqlite._MIGRATIONS, step))
    assert store.unsaved(DOCUMENT) == some("e_1")
    assert store._connection.execute("SELECT note FROM entry").fetchall() == [("migrated",)]


def test_a_migration_that_fails_leaves_the_old_schema(store, path, monkeypatch):
    store.add(DOCUMENT, some("e_1"))
    store.close()
    with monkeypatch.context() as patch:
        patch.setattr(sqlite, "_MIGRATIONS", (*sqlite._MIGRATIONS, ("CREATE TABLE note (text)", "NONSENSE")))
        assert "failed" in refused(store)
    assert ids_in(path) == {"e_1"}


def test_a_directory_in_its_place(store, path):
    path.mkdir(parents=True)
    assert "cannot be opened" in refused(store)


def test_a_file_where_its_directory_should_be(store, path):
    path.parent.parent.mkdir()
    path.parent.write_text("")
    assert "cannot be opened" in refused(store)


def test_a_locked_file(store, path, monkeypatch):
    store.add(DOCUMENT, some("e_1"))
    store.close()
    monkeypatch.setattr(sqlite, "_PATIENCE", 0.0)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked by another process"):
        store.add(DOCUMENT, some("e_2"))
    assert store.unsaved(DOCUMENT) == some("e_1")  # readers do not wait
    other.execute("COMMIT")
    other.close()
    store.add(DOCUMENT, some("e_2"))
    assert store.unsaved(DOCUMENT) == some("e_1", "e_2")


def test_a_full_disk_loses_nothing_that_was_kept(store, path):
    store.add(DOCUMENT, some("e_1"))
    store._connection.execute("PRAGMA max_page_count = 20")
    with pytest.raises(StoreError, match="is full"):
        store.add(DOCUMENT, some(*(f"e_{i}" for i in range(100)), text="z" * 5000))
    assert store.unsaved(DOCUMENT) == some("e_1")
    store.add(DOCUMENT, some("e_2"))
    assert store.unsaved(DOCUMENT) == some("e_1", "e_2")


def test_a_read_only_store_can_be_read(store, path):
    store.add(DOCUMENT, some("e_1"))
    store._connection.execute("PRAGMA query_only = ON")  # a mode would not stop root
    with pytest.raises(StoreError, match="is read-only"):
        store.add(DOCUMENT, some("e_2"))
    assert store.unsaved(DOCUMENT) == some("e_1")
