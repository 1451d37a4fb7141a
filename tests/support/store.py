"""What the tests of the SQLite store share: entries, other processes, and what a new kernel would find."""

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from robota_nb.errors import StoreError
from robota_nb.stores.sqlite import SqliteStore

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX file modes, signals and forks")

DOCUMENT = "a.ipynb"


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
