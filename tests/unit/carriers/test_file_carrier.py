"""The file carrier: a union, whatever others do to the file at the same time."""

import os
import random
import signal
import threading
from pathlib import Path
from typing import IO

import nbformat
import pytest

from robota_nb.carriers.file import FileCarrier, load, notebook_path, read
from robota_nb.core.record.snapshot import parse
from robota_nb.display.hints import told
from robota_nb.errors import SnapshotError
from support.file import SESSION, a_notebook, entries, posix


def names(path: Path) -> set[str]:
    return {entry["name"] for entry in parse(read(path)).get(SESSION, {}).values()}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "demo.ipynb"
    nbformat.write(a_notebook(), path)
    return path


# -- the carrier


def test_a_first_write_adds_the_snapshot_and_nothing_else(path):
    expected = a_notebook(robota_nb={"format": {"major": 1, "minor": 1}, "sessions": entries("one")})
    FileCarrier(path).write(entries("one"), {})
    assert path.read_text(encoding="utf-8") == nbformat.writes(expected) + "\n"


def test_writes_are_a_union(path):
    carrier = FileCarrier(path)
    carrier.write(entries("one", "two"), {})
    carrier.write(entries("two", "three"), {})
    assert names(path) == {"one", "two", "three"}


def test_repeating_a_write_does_not_touch_the_file(path):
    carrier = FileCarrier(path)
    carrier.write(entries("one"), {})
    before = path.stat()
    carrier.write(entries("one"), {})
    carrier.write({}, {SESSION: ["e_unknown"], "s_unknown": ["e_1"]})
    assert path.stat() == before or path.stat().st_ino == before.st_ino


def test_nothing_to_write_adds_no_snapshot(path):
    before = path.read_bytes()
    FileCarrier(path).write({}, {})
    FileCarrier(path).write({SESSION: {}}, {SESSION: []})
    assert path.read_bytes() == before


def test_removing(path):
    carrier = FileCarrier(path)
    carrier.write(entries("one", "two"), {})
    carrier.write(entries("three"), {SESSION: list(entries("one")[SESSION])})
    assert names(path) == {"two", "three"}
    carrier.write({}, {SESSION: iter(entries("two", "three")[SESSION])})
    assert read(path)["sessions"] == {}


def test_a_stub_beats_its_original(path):
    carrier = FileCarrier(path)
    (purged,) = entries("secret")[SESSION]
    carrier.write(entries("secret"), {})
    carrier.write({SESSION: {purged: {"kind": "purged"}}}, {})
    carrier.write(entries("secret"), {})
    assert read(path)["sessions"][SESSION] == {purged: {"kind": "purged"}}
    assert b"secret" not in path.read_bytes()


def test_what_we_do_not_know_is_kept(path):
    value = {"format": {"major": 1, "minor": 7}, "sessions": {}, "later": {"a": 1}}
    nbformat.write(a_notebook(robota_nb=value, other={"b": 2}), path)
    FileCarrier(path).write(entries("one"), {})
    assert read(path) == {**value, "sessions": entries("one")}
    assert load(path)["metadata"]["other"] == {"b": 2}


(GENUINE,) = entries("one")[SESSION]
MALFORMED = {
    "null": None,
    "text": "sessions",
    "list": [],
    "no format": {"sessions": {}},
    "no number": {"format": {"major": True}, "sessions": {}},
    "major 0": {"format": {"major": 0, "minor": 0}, "sessions": {}},
    "no sessions": {"format": {"major": 1, "minor": 0}},
    "sessions list": {"format": {"major": 1, "minor": 0}, "sessions": []},
    "session list": {"format": {"major": 1, "minor": 0}, "sessions": {SESSION: []}},
    "altered": {"format": {"major": 1, "minor": 0}, "sessions": {SESSION: {GENUINE: {"kind": "session"}}}},
}


@pytest.mark.parametrize("value", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_snapshot_is_left_as_it_is(path, value):
    nbformat.write(a_notebook(robota_nb=value), path)
    before = path.read_bytes()
    with pytest.raises(SnapshotError, match="snapshot in demo.ipynb is malformed and was left as it is") as raised:
        FileCarrier(path).write(entries("one"), {})
    assert "--replace" in told(raised.value)
    assert path.read_bytes() == before


def test_a_newer_snapshot_is_left_as_it_is(path):
    nbformat.write(a_notebook(robota_nb={"format": {"major": 2, "minor": 0}, "sessions": {}}), path)
    before = path.read_bytes()
    with pytest.raises(SnapshotError, match="newer"):
        FileCarrier(path).write(entries("one"), {})
    assert path.read_bytes() == before


def test_what_could_not_be_read_again_is_not_written(path):
    before = path.read_bytes()
    with pytest.raises(SnapshotError):
        FileCarrier(path).write({SESSION: {GENUINE: {"kind": "altered"}}}, {})
    assert path.read_bytes() == before


# -- others at the same time


def test_threads_lose_nothing(path):
    threads = [
        threading.Thread(target=lambda i=i: [FileCarrier(path).write(entries(f"{i}-{k}"), {}) for k in range(5)])
        for i in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names(path) == {f"{i}-{k}" for i in range(6) for k in range(5)}


def forked_writer(path: Path, number: int, count: int) -> tuple[int, IO[str]]:
    """Start a process that writes to the notebook, and says after each write which entry it wrote.

    A fork, because each of 30 new interpreters would import nbformat first.
    """
    source, sink = os.pipe()
    pid = os.fork()
    if pid:
        os.close(sink)
        return pid, open(source)
    status = 1
    try:
        os.close(source)
        for k in range(count):
            FileCarrier(path).write(entries(f"{number}-{k}"), {})
            os.write(sink, f"{number}-{k}\n".encode())
        status = 0
    finally:
        os._exit(status)


@posix
def test_processes_lose_nothing(path):
    FileCarrier(path).write(entries("before"), {})
    writers = [forked_writer(path, number, 25) for number in range(4)]
    for pid, said in writers:
        with said:
            assert len(said.readlines()) == 25
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert names(path) == {f"{number}-{k}" for number in range(4) for k in range(25)} | {"before"}
    assert os.listdir(path.parent) == ["demo.ipynb"]


@posix
def test_a_killed_writer_never_leaves_half_a_notebook(path, scale):
    nbformat.write(a_notebook(filler="x" * 300_000), path)
    written = set()
    for kill in range(scale(fast=8, all=30, long=200)):
        pid, said = forked_writer(path, kill, 100_000)
        with said:
            lines = [said.readline() for _ in range(random.randint(1, 6))]
            for _ in range(random.randrange(200_000)):  # some way into the next write
                pass
            os.kill(pid, signal.SIGKILL)
            lines += said.readlines()
        os.waitpid(pid, 0)
        written |= {line.strip() for line in lines if line.endswith("\n")}
        nbformat.validate(nbformat.read(path, as_version=4))
        assert names(path) >= written
    FileCarrier(path).write(entries("last"), {})
    assert os.listdir(path.parent) == ["demo.ipynb"]  # the next writer clears away what the killed ones left


# -- which notebook is open


@pytest.fixture
def clean_environment(monkeypatch):
    for name in ("ROBOTA_NB_NOTEBOOK", "JPY_SESSION_NAME"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("clean_environment")
def test_the_open_notebook_is_guessed(path, monkeypatch):
    other = path.with_name("other.ipynb")
    nbformat.write(a_notebook(), other)
    assert notebook_path() is None
    assert notebook_path({"__vsc_ipynb_file__": str(path)}) == path
    monkeypatch.setenv("JPY_SESSION_NAME", str(other))
    assert notebook_path({"__vsc_ipynb_file__": str(path)}) == other
    monkeypatch.setenv("ROBOTA_NB_NOTEBOOK", "mine.ipynb")
    assert notebook_path() == Path("mine.ipynb")


@pytest.mark.usefixtures("clean_environment")
@pytest.mark.parametrize(
    "said", ["", "demo.ipynb", "{}/gone.ipynb", "{}", "{}/demo.txt", "RTC:demo.ipynb", "\0.ipynb", 3]
)
def test_what_names_no_notebook_is_no_guess(path, monkeypatch, said):
    monkeypatch.chdir(path.parent)
    path.with_name("demo.txt").write_text("")
    said = said.format(path.parent) if isinstance(said, str) else said
    assert notebook_path({"__vsc_ipynb_file__": said}) is None
    if isinstance(said, str) and "\0" not in said:
        monkeypatch.setenv("JPY_SESSION_NAME", said)
        assert notebook_path() is None
