"""The SQLite store under fire: kills, damage, other schemas, and a system that has no room, no rights, no memory."""

import os
import random
import re
import signal
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from robota_nb.errors import StoreError
from robota_nb.stores import damage, database
from robota_nb.stores.sqlite import SqliteStore
from robota_nb.sync.unsaved import Unsaved
from support.file import SESSION, entries
from support.store import DOCUMENT, WRITER, child, ids_in, mode, posix, refused, some, start


@pytest.fixture
def path(tmp_path: Path) -> Path:
    directory = tmp_path / "robota_nb"
    directory.mkdir()
    return directory / "store.sqlite"


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def store(path: Path, told: list[str]):
    store = SqliteStore(path, told.append)
    yield store
    store.close()


def aside(path: Path) -> list[Path]:
    """Return the damaged files beside, without their logs."""
    return [file for file in sorted(path.parent.glob("*.damaged-*")) if not file.name.endswith(("-wal", "-shm"))]


def alter(path: Path, sql: str) -> None:
    """Change the file as another program would."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(sql)


def killed_writer(path: Path, *then: str) -> None:
    """Write e_1, and *then* these statements, in a process that is killed, so that all of it is in the log."""
    code = """
import os, signal, sys
from robota_nb.stores.sqlite import SqliteStore
store = SqliteStore(sys.argv[1])
store.add("a.ipynb", {"s_1": {"e_1": {"kind": "message", "content": ["x"]}}})
for statement in sys.argv[2:]:
    store._connection.execute(statement)
os.kill(os.getpid(), signal.SIGKILL)
"""
    with child(code, path, *then) as process:
        assert process.wait() == -signal.SIGKILL


# -- kills


def kill(writer, lines: int, turns: int = 0) -> set[str]:
    """Kill a writer so many lines, and so many turns of an empty loop, later; return what it has acknowledged."""
    said = [writer.stdout.readline() for _ in range(lines)]
    for _ in range(turns):
        pass
    writer.send_signal(signal.SIGKILL)
    said += writer.stdout
    writer.wait()
    writer.stdin.close()
    writer.stdout.close()
    return {line.strip() for line in said if line.endswith("\n")} - {"ready"}


@posix
def test_what_was_acknowledged_survives_every_kill_of_several_writers(path, store, told, scale):
    chance, acknowledged = random.Random(1), set()
    for number in range(0, scale(fast=4, all=10, long=200), 2):
        writers = [child(WRITER, path, number + one, 100_000) for one in range(2)]
        for writer in writers:
            start(writer)
        for writer in writers:  # the other one goes on
            acknowledged |= kill(writer, chance.randrange(41), chance.randrange(50_000))
        assert ids_in(path) >= acknowledged
    assert acknowledged
    assert (told, aside(path)) == ([], [])


@posix
def test_a_writer_that_is_killed_while_it_makes_the_file_leaves_room_for_the_next(path, scale):
    chance = random.Random(1)
    for number in range(scale(fast=2, all=3, long=50)):
        new = path.with_name(f"{number}.sqlite")
        writers = [child(WRITER, new, one, 100_000) for one in range(2)]
        acknowledged = set()
        for writer in writers:
            writer.stdout.readline()
        for writer in writers:
            start(writer)
            acknowledged |= kill(writer, 0, chance.randrange(200_000))
        with closing(SqliteStore(new)) as store:
            store.add(DOCUMENT, some("e_1"))
        assert ids_in(new) >= {"e_1", *acknowledged}
        assert aside(new) == []


# -- damage


def no_sqlite(path: Path) -> None:
    path.write_bytes(b"not a database, but long enough to be one\n" * 100)


def truncated_in_the_first_page(path: Path) -> None:
    os.truncate(path, 1000)


def truncated(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 8192 * 4096)


def overwritten(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))


def no_json(path: Path) -> None:
    alter(path, "UPDATE entry SET body = '{'")


def json_of_another_kind(path: Path) -> None:
    alter(path, "UPDATE entry SET body = '[]'")


def no_text(path: Path) -> None:
    alter(path, "UPDATE entry SET body = CAST(x'FF' AS TEXT)")


def no_unicode_in_its_keys(path: Path) -> None:
    alter(path, "UPDATE entry SET session = x'FF'")


@pytest.mark.parametrize("first", ["read", "write"])
@pytest.mark.parametrize(
    "damage",
    [
        no_sqlite, truncated_in_the_first_page, truncated, overwritten,
        no_json, json_of_another_kind, no_text, no_unicode_in_its_keys,
    ],
    ids=lambda damage: damage.__name__,
)  # fmt: skip
def test_a_damaged_file_is_kept_beside_and_a_new_one_is_made(store, path, told, damage, first):
    store.add(DOCUMENT, some(*(f"e_{i}" for i in range(200)), text="y" * 500))
    store.close()
    damage(path)
    before = path.read_bytes()
    if first == "read":
        store.unsaved(DOCUMENT)
    store.add(DOCUMENT, some("e_new"))
    if not aside(path):  # what cannot be seen in writing is seen in reading
        assert first == "write"
        store.unsaved(DOCUMENT)
        store.add(DOCUMENT, some("e_new"))
    (kept,) = aside(path)
    assert kept.name.startswith("store.sqlite.damaged-2")
    if damage not in {no_json, json_of_another_kind, no_text, no_unicode_in_its_keys}:
        assert kept.read_bytes() == before
    assert "e_new" in ids_in(path)
    (line,) = told
    assert line.startswith(f"the store store.sqlite was damaged: it is kept as {kept.name}, and a new one ")
    assert line.endswith("; save your open notebooks")
    assert "\n" not in line


@posix
def test_a_damaged_file_is_private_and_another_name_is_found_if_one_is_taken(store, path):
    for _ in range(3):  # most of them within one second
        store.close()
        no_sqlite(path)
        path.chmod(0o640)
        store.add(DOCUMENT, some("e_1"))
        assert mode(path) == 0o600
    assert [mode(file) for file in aside(path)] == [0o600] * 3


def test_damage_is_found_in_the_middle_of_use(store, path, told):
    store.add(DOCUMENT, some(*(f"e_{i}" for i in range(500)), text="y" * 500))
    store._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store._connection.execute("PRAGMA cache_size = 0")
    # From another process: closing the file in this one would drop SQLite's locks on it.
    child("import sys; f = open(sys.argv[1], 'r+b'); f.seek(4096); f.write(b'\\xff' * 200_000)", path).communicate()
    store.add(DOCUMENT, some("e_new"))
    assert len(told) == len(aside(path)) == 1
    store.close()
    assert ids_in(path) == {"e_new"}


def test_what_can_still_be_read_is_taken_over_as_it_was(store, path, told):
    written = entries(*(f"session {i:03}" for i in range(600)))
    names = {entry_id: entry["name"] for entry_id, entry in written[SESSION].items()}
    store.add(DOCUMENT, written)
    store.mark_saved(DOCUMENT, {SESSION: [next(iter(names))]})
    store.add("b.ipynb", {"s_1": {"e_stub": {"kind": "purged", "chat": "c_1", "role": "user"}}})
    store.close()
    whole = bytearray(path.read_bytes())
    page = whole.index(b'"session 300"') // 4096 * 4096
    whole[page : page + 4096] = b"\xff" * 4096
    path.write_bytes(whole)
    found = store.entries(DOCUMENT)[SESSION]
    assert found.items() < written[SESSION].items()
    assert len(found) > 550
    assert list(found) == [entry_id for entry_id in names if entry_id in found]  # as old as it was
    assert written[SESSION].keys() - store.unsaved(DOCUMENT)[SESSION].keys() > {next(iter(names))}
    assert list(store.unsaved("b.ipynb")["s_1"]) == ["e_stub"]
    (line,) = told
    assert f"a new one takes the {len(found) + 1} entries that could still be read" in line
    store.close()
    assert ids_in(path) == set()


def test_what_is_not_as_it_was_written_is_not_taken_over(store, path, told):
    genuine = entries("one", "two")
    one, two = genuine[SESSION]
    store.add(DOCUMENT, genuine)
    store.add("b.ipynb", {"s_1": {"e_3": {"kind": "message"}}})
    store.close()
    alter(path, f"UPDATE entry SET body = replace(body, 'one', 'eno') WHERE id = CAST('{one}' AS BLOB)")
    alter(path, "UPDATE entry SET body = '{' WHERE session = x'735f31'")
    store.unsaved("b.ipynb")
    assert store.unsaved(DOCUMENT) == {SESSION: {two: genuine[SESSION][two]}}
    assert "takes the 1 entry" in told[0]


def test_an_empty_file_is_a_new_one(store, path, told):
    path.touch()
    assert store.unsaved(DOCUMENT) == {}
    store.add(DOCUMENT, some("e_1"))
    assert store.unsaved(DOCUMENT) == some("e_1")
    assert (told, aside(path)) == ([], [])


@posix
def test_an_emptied_file_is_kept_with_its_log(store, path, told):
    killed_writer(path)
    log = path.with_name(f"{path.name}-wal").read_bytes()
    assert log
    os.truncate(path, 0)
    store.add(DOCUMENT, some("e_2"))
    (kept,) = aside(path)
    assert kept.with_name(f"{kept.name}-wal").read_bytes() == log
    assert "begins empty" in told[0]
    store.close()
    assert ids_in(path) == {"e_2"}


def test_of_several_processes_one_moves_a_damaged_file_and_all_use_the_new_one(path):
    code = """
import sys
from robota_nb.stores.sqlite import SqliteStore
store = SqliteStore(sys.argv[1], print)
print("ready", flush=True)
sys.stdin.readline()
store.add("a.ipynb", {"s_1": {f"e_{sys.argv[2]}": {"kind": "message"}}})
"""
    no_sqlite(path)
    processes = [child(code, path, number) for number in range(6)]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 6
    for process in processes:
        start(process)
    said = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 6
    assert len(aside(path)) == 1
    assert sorted(map(len, map(str.splitlines, said))) == [0] * 5 + [1]
    assert ids_in(path) == {f"e_{number}" for number in range(6)}


def test_the_new_file_is_not_moved_by_one_who_found_the_old_one_damaged(store, path):
    no_sqlite(path)
    found = database.identity(path)
    path.rename(path.with_suffix(".old"))
    store.add(DOCUMENT, some("e_1"))
    assert damage.put_aside(path, found) is None
    assert store.unsaved(DOCUMENT) == some("e_1")
    assert aside(path) == []


def test_what_is_committed_while_another_process_moves_the_file_is_in_the_new_one(store, path):
    store.add(DOCUMENT, some("e_1"))

    def move():
        damage.put_aside(path, database.identity(path))

    store._connection.create_function("move", 0, move)
    store._connection.execute("CREATE TEMP TRIGGER late AFTER INSERT ON entry BEGIN SELECT move(); END")
    store.add(DOCUMENT, some("e_2"))
    store.close()
    assert ids_in(path) == {"e_2"}


def test_a_file_that_is_damaged_again_and_again_is_an_error(store, path, monkeypatch):
    connect = database.connect

    def into_a_broken_disk(path, tell):
        connection = connect(path, tell)
        connection.execute("INSERT INTO entry VALUES (x'61', x'62', x'63', '{', 0)")
        return connection

    monkeypatch.setattr("robota_nb.stores.sqlite.connect", into_a_broken_disk)
    with pytest.raises(StoreError, match="store.sqlite is damaged again and again; check the disk"):
        store.add("a", {"b": {"c": {"kind": "purged"}}})


def test_another_program_s_database_is_left_alone(store, path):
    alter(path, "CREATE TABLE precious (text)")
    before = path.read_bytes()
    assert refused(store) == "the store store.sqlite is another program's database; set ROBOTA_NB_STORE to another path"
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_the_user_is_told_of_damage_once(path, monkeypatch):
    no_sqlite(path)
    monkeypatch.setenv("ROBOTA_NB_STORE", str(path))
    notices = []
    unsaved = Unsaved(lambda: None, notices.append)
    unsaved.commit(some("e_1"), {})
    unsaved.commit(some("e_2"), {})
    assert unsaved.store.unsaved(unsaved.place) == some("e_1", "e_2")
    unsaved.store.close()
    (notice,) = notices
    assert notice.text.startswith("the store store.sqlite was damaged: it is kept as store.sqlite.damaged-")


# -- newer and older schemas

NEWER = f"PRAGMA user_version = {len(database.MIGRATIONS) + 1}"
STEP = ("ALTER TABLE entry ADD COLUMN note TEXT", "UPDATE entry SET note = 'migrated'")


@posix
def test_a_newer_schema_is_read_and_never_changed(store, path):
    killed_writer(path, NEWER)
    files = [path, path.with_name(f"{path.name}-wal")]
    before = [file.read_bytes() for file in files]
    assert all(before)
    assert store.unsaved(DOCUMENT) == some("e_1")
    for act in (
        lambda: store.add(DOCUMENT, some("e_2")),
        lambda: store.add(DOCUMENT, {}, some("e_1")),
        lambda: store.mark_saved(DOCUMENT, some("e_1")),
        lambda: store.move(DOCUMENT, "b.ipynb"),
    ):
        with pytest.raises(StoreError, match="store.sqlite is of a newer robota_nb.*; update robota_nb, or set"):
            act()
    store.close()
    assert [file.read_bytes() for file in files] == before
    assert aside(path) == []


def test_a_newer_schema_that_cannot_be_read_is_no_damage(store, path):
    store.add(DOCUMENT, some("e_1"))
    store.close()
    alter(path, NEWER)
    alter(path, "UPDATE entry SET body = x'00'")
    assert "is of a newer robota_nb" in refused(store)
    alter(path, "DROP TABLE entry")
    assert "is of a newer robota_nb" in refused(store)
    assert aside(path) == []


def test_a_store_that_becomes_newer_while_it_is_open_is_written_no_more(store, path):
    store.add(DOCUMENT, some("e_1"))
    alter(path, NEWER)
    with pytest.raises(StoreError, match="is of a newer robota_nb"):
        store.add(DOCUMENT, some("e_2"))
    assert store.unsaved(DOCUMENT) == some("e_1")


def test_a_store_that_can_be_read_but_not_written_is_told_once(store, path, monkeypatch):
    store.add("b.ipynb", some("e_1"))
    store.close()
    alter(path, NEWER)
    monkeypatch.setenv("ROBOTA_NB_STORE", str(path))
    notices = []
    unsaved = Unsaved(lambda: None, notices.append)
    for number in range(3):
        unsaved.commit(some(f"e_{number}"), {})
        assert unsaved.store.unsaved("b.ipynb") == some("e_1")
        assert unsaved.failed
    assert len(notices) == 1
    unsaved.store.close()


@posix
def test_an_older_schema_is_migrated_after_a_backup(store, path, told, monkeypatch):
    killed_writer(path)  # what is to be backed up is in the log
    monkeypatch.setattr(database, "MIGRATIONS", (*database.MIGRATIONS, STEP))
    assert store.unsaved(DOCUMENT) == some("e_1")
    assert store._connection.execute("SELECT note FROM entry").fetchall() == [(b"migrated",)]
    backup = path.with_name("store.sqlite.v1.bak")
    assert sorted(file.name for file in path.parent.glob("*.bak*")) == [backup.name]
    assert mode(backup) == 0o600
    (line,) = told
    assert line.startswith("the store store.sqlite was brought up to date; as it was before, it is kept as ")
    assert backup.name in line
    monkeypatch.undo()
    assert ids_in(backup) == {"e_1"}


def test_a_backup_is_never_overwritten(store, path, monkeypatch):
    taken = path.with_name("store.sqlite.v1.bak")
    taken.write_text("precious")
    store.add(DOCUMENT, some("e_1"))
    store.close()
    monkeypatch.setattr(database, "MIGRATIONS", (*database.MIGRATIONS, STEP))
    store.add(DOCUMENT, some("e_2"))
    monkeypatch.undo()
    assert taken.read_text() == "precious"
    assert ids_in(path.with_name("store.sqlite.v1.bak-2")) == {"e_1"}


def test_without_a_backup_nothing_is_migrated(store, path, monkeypatch):
    store.add(DOCUMENT, some("e_1"))
    store.close()
    path.with_name("store.sqlite.bak.part").mkdir()  # where the copy would be made
    with monkeypatch.context() as patch:
        patch.setattr(database, "MIGRATIONS", (*database.MIGRATIONS, STEP))
        text = refused(store)
    assert "is of an older robota_nb, and no backup could be made before it is brought up to date" in text
    assert ids_in(path) == {"e_1"}


def test_a_migration_that_fails_leaves_the_old_schema_and_no_backup(store, path, told, monkeypatch):
    store.add(DOCUMENT, some("e_1"))
    store.close()
    with monkeypatch.context() as patch:
        patch.setattr(database, "MIGRATIONS", (*database.MIGRATIONS, ("CREATE TABLE note (text)", "NONSENSE")))
        assert "failed" in refused(store)
    assert ids_in(path) == {"e_1"}
    assert list(path.parent.glob("*.bak*")) == told == []


def test_of_several_processes_one_migrates(path):
    code = """
import sys
from robota_nb.stores import database
from robota_nb.stores.sqlite import SqliteStore
database.MIGRATIONS += (("ALTER TABLE entry ADD COLUMN note TEXT",),)
store = SqliteStore(sys.argv[1], print)
print("ready", flush=True)
sys.stdin.readline()
store.add("a.ipynb", {"s_1": {f"e_{sys.argv[2]}": {"kind": "message"}}})
"""
    with closing(SqliteStore(path)) as store:
        store.add(DOCUMENT, some("e_old"))
    processes = [child(code, path, number) for number in range(6)]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 6
    for process in processes:
        start(process)
    said = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 6
    assert sorted(map(len, map(str.splitlines, said))) == [0] * 5 + [1]
    assert [file.name for file in path.parent.glob("*.bak*")] == ["store.sqlite.v1.bak"]
    assert ids_in(path.with_name("store.sqlite.v1.bak")) == {"e_old"}
    with closing(SqliteStore(path)) as store:
        assert store.unsaved(DOCUMENT)["s_1"].keys() == {"e_old", *(f"e_{number}" for number in range(6))}


# -- no rights, no room, no time, no memory


@pytest.fixture
def open_directory():
    """A directory that other users reach, too (the one pytest gives is private)."""
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        yield Path(directory)
        os.chmod(directory, 0o755)


SOMEBODY = """
import os, sqlite3, sys
from robota_nb.errors import StoreError
from robota_nb.stores.sqlite import SqliteStore
if os.getuid() == 0:  # whom nothing is forbidden
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
store = SqliteStore(sys.argv[1], print)
for act in (
    lambda: print(sorted(store.unsaved("a.ipynb").get("s_1", {}))),
    lambda: store.add("a.ipynb", {"s_1": {"e_2": {"kind": "message"}}}),
):
    try:
        act()
    except StoreError as error:
        print(error)
"""


def answers_of_somebody(path):
    """What is said to somebody whose file it is not, but for that others can read it, which is said, too."""
    said = child(SOMEBODY, path).communicate()[0].splitlines()
    return [line for line in said if not line.startswith("others can read what is in the store")]


@posix
@pytest.mark.parametrize(
    ("file", "directory", "read", "write"),
    [
        (0o444, 0o777, r"\['e_1'\]", "the store store.sqlite is read-only; check its permissions, or .*"),
        (0o444, 0o555, *["the store store.sqlite (is read-only|cannot be opened); .*"] * 2),
        (0o000, 0o555, *["the store store.sqlite (is read-only|cannot be opened); .*"] * 2),
    ],
)
def test_a_store_without_rights(open_directory, file, directory, read, write):
    path = open_directory / "store.sqlite"
    with closing(SqliteStore(path)) as store:
        store.add(DOCUMENT, some("e_1"))
    before = path.read_bytes()
    path.chmod(file)
    open_directory.chmod(directory)
    said = answers_of_somebody(path)
    assert [bool(re.fullmatch(*both)) for both in zip([read, write], said, strict=True)] == [True, True], said
    path.chmod(0o600)
    assert path.read_bytes() == before


@posix
def test_a_store_in_a_directory_without_rights(open_directory):
    open_directory.chmod(0o555)
    path = open_directory / "store.sqlite"
    said = child(SOMEBODY, path).communicate()[0].splitlines()
    assert said == [
        "[]",
        "the store store.sqlite cannot be opened (Permission denied); set ROBOTA_NB_STORE to another path",
    ]


@posix
def test_a_damaged_store_that_cannot_be_moved(open_directory):
    path = open_directory / "store.sqlite"
    no_sqlite(path)
    path.chmod(0o666)
    open_directory.chmod(0o555)
    reason = "the store store.sqlite is damaged and cannot be moved (Permission denied); move it away, or set"
    said = answers_of_somebody(path)
    assert [line[: len(reason)] for line in said] == [reason] * 2


def test_what_the_store_could_not_take_comes_along_when_it_can(path, monkeypatch):
    path.mkdir()
    monkeypatch.setenv("ROBOTA_NB_STORE", str(path))
    notices = []
    unsaved = Unsaved(lambda: None, notices.append)
    for number in range(3):
        unsaved.commit(some(f"e_{number}"), {})
    unsaved.mark_saved({"s_1": ["e_1"]})
    assert unsaved.failed
    assert len(notices) == 1
    path.rmdir()
    unsaved.commit(some("e_3"), {})
    assert not unsaved.failed
    assert unsaved.store.unsaved(unsaved.place) == some("e_0", "e_2", "e_3")
    unsaved.commit(some("e_4"), {"s_1": ["e_0"]})
    assert unsaved.store.unsaved(unsaved.place) == some("e_2", "e_3", "e_4")
    unsaved.store.close()


def test_what_was_rescued_waits_until_it_can_be_written(store, path, monkeypatch):
    genuine = entries("one")
    store.add(DOCUMENT, {**genuine, **some("e_1")})
    store.close()
    alter(path, "UPDATE entry SET body = '{' WHERE session = x'735f31'")
    with monkeypatch.context() as patch, pytest.raises(StoreError, match="failed"):
        patch.setattr("robota_nb.stores.sqlite._KEEP", "NONSENSE")
        store.unsaved(DOCUMENT)
    assert store.unsaved(DOCUMENT) == genuine


def test_a_directory_in_its_place(store, path):
    path.mkdir()
    assert "cannot be opened" in refused(store)


def test_a_file_where_its_directory_should_be(tmp_path):
    (tmp_path / "file").touch()
    assert "cannot be opened" in refused(SqliteStore(tmp_path / "file" / "store.sqlite"))


def test_a_locked_file(store, path, monkeypatch):
    store.add(DOCUMENT, some("e_1"))
    store.close()
    monkeypatch.setattr(database, "PATIENCE", 0.0)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked by another process"):
        store.add(DOCUMENT, some("e_2"))
    assert store.unsaved(DOCUMENT) == some("e_1")  # readers do not wait
    other.execute("COMMIT")
    other.close()
    store.add(DOCUMENT, some("e_2"))
    assert store.unsaved(DOCUMENT) == some("e_1", "e_2")


@posix
def test_a_file_that_another_process_opens_for_ever_is_not_moved(store, path, monkeypatch):
    no_sqlite(path)
    monkeypatch.setattr(database, "PATIENCE", 0.0)
    with database.guarded(path.parent), pytest.raises(StoreError, match="locked by another process"):
        store.add(DOCUMENT, some("e_1"))
    assert aside(path) == []
    store.add(DOCUMENT, some("e_1"))
    assert len(aside(path)) == 1


def test_a_full_disk_loses_nothing_that_was_kept(store, path):
    store.add(DOCUMENT, some("e_1"))
    store._connection.execute("PRAGMA max_page_count = 20")
    with pytest.raises(StoreError, match="is full"):
        store.add(DOCUMENT, some(*(f"e_{i}" for i in range(100)), text="z" * 5000))
    assert store.unsaved(DOCUMENT) == some("e_1")
    store.add(DOCUMENT, some("e_2"))
    assert store.unsaved(DOCUMENT) == some("e_1", "e_2")


@posix
def test_a_write_that_the_system_refuses_loses_nothing_that_was_kept(path):
    code = """
import resource, sys
from robota_nb.errors import StoreError
from robota_nb.stores.sqlite import SqliteStore
store = SqliteStore(sys.argv[1], print)
def add(name, text):
    store.add("a.ipynb", {"s_1": {name: {"kind": "message", "content": [text]}}})
add("e_1", "x")
whole = resource.getrlimit(resource.RLIMIT_FSIZE)
for room in range(0, 200_000, 20_000):  # so that it ends in the log, in the file, in the middle of a page
    resource.setrlimit(resource.RLIMIT_FSIZE, (room + 1, whole[1]))
    try:
        add(f"e_refused_{room}", "z" * 200_000)
    except StoreError as error:
        print(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, whole)
    add(f"e_{room}", "x")
"""
    said = child(code, path).communicate()[0].splitlines()
    assert (
        said == ["the store store.sqlite had a disk error; check the disk, or set ROBOTA_NB_STORE to another path"] * 10
    )
    assert ids_in(path) == {"e_1", *(f"e_{room}" for room in range(0, 200_000, 20_000))}


@pytest.mark.parametrize("nth", [1, 2, 7])
def test_what_memory_does_not_suffice_for_is_kept_whole_or_not_at_all(store, path, nth):
    store.add(DOCUMENT, some("e_0"))
    seen = []

    def allocate():
        seen.append(1)
        if len(seen) == nth:
            raise MemoryError

    store._connection.create_function("allocate", 0, allocate)
    store._connection.execute("CREATE TEMP TRIGGER late AFTER INSERT ON entry BEGIN SELECT allocate(); END")
    wanted = [f"e_{i}" for i in range(1, 9)]
    with pytest.raises(StoreError, match="out of memory; free some, or restart the kernel"):
        store.add(DOCUMENT, some(*wanted))
    assert store.unsaved(DOCUMENT) == some("e_0")
    store.add(DOCUMENT, some(*wanted))
    store.close()
    assert ids_in(path) == {"e_0", *wanted}


@pytest.mark.skipif(sys.platform != "linux", reason="reads what is in use from /proc")
def test_a_process_without_memory_keeps_entries_whole_or_not_at_all(path):
    code = """
import resource, sys
from robota_nb.errors import StoreError
from robota_nb.stores.sqlite import SqliteStore
store = SqliteStore(sys.argv[1], print)
def add(name, text):
    store.add("a.ipynb", {"s_1": {name: {"kind": "message", "content": [text]}}})
add("e_1", "x")
whole, large = resource.getrlimit(resource.RLIMIT_AS), "z" * 5_000_000
for room in range(0, 50, 5):
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + room * 1_000_000, whole[1]))
    try:
        add("e_large", large)
        said = "kept"
    except (MemoryError, StoreError):
        said = "refused"
    resource.setrlimit(resource.RLIMIT_AS, whole)
    print(said)
    add(f"e_{room}", "x")
    assert ("e_large" in store.unsaved("a.ipynb")["s_1"]) == (said == "kept")
    store.add("a.ipynb", {}, {"s_1": ["e_large"]})
"""
    process = child(code, path)
    said = process.communicate()[0].split()
    assert process.returncode == 0
    assert len(said) == 10
    assert set(said) == {"kept", "refused"}
    assert ids_in(path) == {"e_1", *(f"e_{room}" for room in range(0, 50, 5))}
