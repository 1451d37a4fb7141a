"""Notebook files: what is read is checked, and what is written is whole."""

import json
import os
import stat
from pathlib import Path

import nbformat
import pytest

from robota_nb.carriers import file as file_module
from robota_nb.carriers.file import FileCarrier, load, read, write_notebook
from robota_nb.core.record import snapshot
from robota_nb.errors import SnapshotError
from support.file import a_notebook, entries, posix


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "demo.ipynb"
    nbformat.write(a_notebook(), path)
    return path


# -- reading


def test_a_notebook_without_a_snapshot(path):
    assert read(path) is None


def test_the_value_is_returned_as_it_stands(path):
    nbformat.write(a_notebook(robota_nb={"anything": ["at", "all"]}), path)
    assert read(path) == read(str(path)) == {"anything": ["at", "all"]}


def test_a_byte_order_mark_does_not_matter(path):
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read(path) is None


DEEP = '{"nbformat": 4, "metadata": ' + '{"a":' * 100_000 + "1" + "}" * 100_000 + ', "cells": []}'
CONFLICT = '{\n "cells": [\n<<<<<<< HEAD\n  1\n=======\n  2\n>>>>>>> theirs\n ],\n "nbformat": 4\n}\n'
LFS_POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'ab' * 32}\nsize 12345\n"
UNREADABLE = {
    "is empty": "",
    "is empty;": "\n \n",
    "is not JSON": "hello, world",
    "is not JSON (Expecting value, line 1 column 12)": '{"cells": [}, {}]}',
    "is not JSON ": "<html>\n</html>",
    "is truncated": '{"cells": [],\n "metadata": {"a',
    "if it is still being written, try again": '{"cells": [],\n "metadata": {},\n "nbformat": 4',
    "is empty; if it is still being written": "\n",
    "git conflict markers (line 3); resolve": CONFLICT,
    "git conflict markers (line 3);": CONFLICT.replace("<<<<<<<", "<" * 12),
    "git conflict markers (line 4);": CONFLICT.replace("<<<<<<< HEAD\n", ""),
    "git conflict markers (line 6);": CONFLICT.replace("<<<<<<< HEAD\n", "").replace("=======", '"a",'),
    "is a Git LFS pointer, not the notebook itself; run 'git lfs pull'": LFS_POINTER,
    "git conflict markers (line 2);": LFS_POINTER.replace("oid", "<<<<<<< HEAD\noid", 1),
    "is a git-annex pointer, not the notebook itself; run 'git annex get'": "/annex/objects/SHA256E-s12--ab.ipynb\n",
    "is encrypted by git-crypt: run 'git-crypt unlock'": "\0GITCRYPT\0\udcff\udcfe",
    "is nested too deep": DEEP,
    "is no notebook": '{"a": 1}',
    "is no notebook;": "[1, 2]",
    "is no notebook; give": "null",
    "is no notebook; give ": '{"nbformat": "4", "cells": [], "metadata": {}}',
    "is in notebook format 3, not 4": '{"nbformat": 3, "worksheets": [], "metadata": {}}',
    "is in notebook format 5": '{"nbformat": 5, "cells": [], "metadata": {}}',
    "without metadata or cells": '{"nbformat": 4, "cells": []}',
    "without metadata or cells;": '{"nbformat": 4, "metadata": {}, "cells": {}}',
    "cell 1 of demo.ipynb": '{"nbformat": 4, "metadata": {}, "cells": [1]}',
    "cell 2 of demo.ipynb": json.dumps(
        {
            "nbformat": 4,
            "metadata": {},
            "cells": [{"cell_type": "raw", "metadata": {}, "source": ""}, {"cell_type": "code", "metadata": {}}],
        }
    ),
    "cannot be read (Exceeds the limit": '{"nbformat": 4, "cells": [], "metadata": {"a": ' + "1" * 5000 + "}}",
    "is not UTF-8 text (byte 0)": "\udcff\udcfe",
}


@pytest.mark.parametrize(("says", "text"), UNREADABLE.items(), ids=[key[:30] for key in UNREADABLE])
def test_what_cannot_be_read_is_said_in_one_line_and_left_alone(path, says, text):
    data = text.encode("utf-8", "surrogateescape")
    path.write_bytes(data)
    for act in (lambda: read(path), lambda: FileCarrier(path).write(entries("one"), {})):
        with pytest.raises(SnapshotError) as raised:
            act()
        assert says.rstrip() in str(raised.value)
        assert "\n" not in str(raised.value)
        assert str(path.parent) not in str(raised.value)
    assert path.read_bytes() == data
    assert os.listdir(path.parent) == ["demo.ipynb"]


def test_every_cut_is_called_a_cut(path):
    text = path.read_text(encoding="utf-8").rstrip()
    for end in range(1, len(text)):
        path.write_text(text[:end], encoding="utf-8")
        with pytest.raises(SnapshotError, match="is truncated"):
            read(path)


def test_a_file_that_does_not_exist_is_made(path):
    made = path.with_name("new.ipynb")
    FileCarrier(made).write(entries("one"), {})
    assert snapshot.parse(read(made)) == entries("one")
    assert nbformat.read(made, as_version=4).cells == []


def test_a_missing_file_hints_at_its_neighbours(path):
    with pytest.raises(SnapshotError, match=r"no file 'dem.ipynb' \(did you mean 'demo.ipynb'\?\)"):
        read(path.with_name("dem.ipynb"))
    with pytest.raises(SnapshotError, match="no file 'x.ipynb'; check"):
        FileCarrier(path.parent / "nowhere" / "x.ipynb").write(entries("one"), {})


def test_a_file_over_the_cap_is_not_parsed(path, monkeypatch):
    monkeypatch.setattr(file_module, "MAX_FILE_BYTES", path.stat().st_size)
    assert read(path) is None
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(SnapshotError, match="is over the cap of"):
        read(path)


def test_what_is_no_file(path, tmp_path):
    with pytest.raises(SnapshotError, match="cannot be read"):
        read(tmp_path)
    with pytest.raises(SnapshotError, match="is no path"):
        read("a\0b.ipynb")


@posix
def test_a_pipe_or_a_link_to_itself_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe.ipynb")
    with pytest.raises(SnapshotError, match="is no regular file"):
        read(tmp_path / "pipe.ipynb")
    (tmp_path / "loop.ipynb").symlink_to(tmp_path / "loop.ipynb")
    with pytest.raises(SnapshotError, match="cannot be read"):
        read(tmp_path / "loop.ipynb")


# -- writing notebooks


def test_the_text_is_what_nbformat_writes(path, tmp_path):
    ours, theirs = tmp_path / "ours.ipynb", tmp_path / "theirs.ipynb"
    for notebook in (a_notebook(), a_notebook(robota_nb={"z": 1, "a": ["é\n"]}), nbformat.v4.new_notebook()):
        nbformat.write(notebook, theirs)
        write_notebook(ours, notebook)
        assert ours.read_bytes() == theirs.read_bytes()
        write_notebook(ours, load(theirs))
        assert ours.read_bytes() == theirs.read_bytes()


def test_writing_leaves_the_value_alone(tmp_path):
    notebook = a_notebook(signature="x")
    before = json.dumps(notebook)
    write_notebook(tmp_path / "new.ipynb", notebook)
    assert json.dumps(notebook) == before


def nested(depth: int) -> dict:
    value: dict = {}
    for _ in range(depth):
        value = {"a": value}
    return value


UNWRITABLE = {
    "lone surrogate at metadata.robota_nb.a.1": a_notebook(robota_nb={"a": ["fine", "\ud800"]}),
    "lone surrogate at cells.0.source": {**a_notebook(), "cells": [nbformat.v4.new_code_cell("\udfff")]},
    "lone surrogate at metadata.": a_notebook(**{"\ud800": 1}),
    "NaN or infinity at metadata.x.0": a_notebook(x=[float("nan")]),
    "NaN or infinity at metadata.x": a_notebook(x=float("-inf")),
    "nested too deep": {**nbformat.v4.new_notebook(), "metadata": nested(600)},
    "cannot be JSON": a_notebook(x={1, 2}),
    "is no notebook": {"cells": []},
    "is in notebook format 3": {"nbformat": 3, "metadata": {}},
    "cell 1 of": {**nbformat.v4.new_notebook(), "cells": [{"cell_type": "code"}]},
}


@pytest.mark.parametrize(("says", "notebook"), UNWRITABLE.items(), ids=list(UNWRITABLE))
def test_what_would_damage_the_file_is_refused_before(path, says, notebook):
    before = path.read_bytes()
    with pytest.raises(SnapshotError, match=says):
        write_notebook(path, notebook)
    assert path.read_bytes() == before
    with pytest.raises(SnapshotError, match=says):
        write_notebook(path.with_name("new.ipynb"), notebook)
    assert os.listdir(path.parent) == ["demo.ipynb"]


@posix
@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664, 0o755])
def test_mode_and_owner_stay(path, mode):
    path.chmod(mode)
    if os.geteuid() == 0:
        os.chown(path, 12345, 54321)
    before = path.stat()
    FileCarrier(path).write(entries("one"), {})
    after = path.stat()
    assert after.st_ino != before.st_ino
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)


@posix
def test_a_new_file_gets_what_the_umask_says(tmp_path):
    before = os.umask(0o027)
    try:
        write_notebook(tmp_path / "new.ipynb", a_notebook())
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new.ipynb").stat().st_mode) == 0o640


@posix
def test_a_symlink_stays_and_its_target_is_written(path, tmp_path):
    (tmp_path / "links").mkdir()
    link = tmp_path / "links" / "link.ipynb"
    link.symlink_to("../demo.ipynb")
    FileCarrier(link).write(entries("one"), {})
    assert link.is_symlink()
    assert read(path) == read(link)
    assert read(path)["sessions"] == entries("one")
    assert os.listdir(link.parent) == ["link.ipynb"]


@posix
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_read_only_notebook_is_respected(path):
    path.chmod(0o444)
    with pytest.raises(SnapshotError, match="cannot be written"):
        FileCarrier(path).write(entries("one"), {})


def test_a_directory_that_is_missing(tmp_path):
    with pytest.raises(SnapshotError, match=r"new.ipynb cannot be written \(No such file"):
        write_notebook(tmp_path / "nowhere" / "new.ipynb", a_notebook())


@pytest.mark.parametrize("step", ["fsync", "chmod"])
def test_a_failure_on_the_way_leaves_the_old_file_and_nothing_else(path, monkeypatch, step):
    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    before = path.read_bytes()
    monkeypatch.setattr(os, step, fail)
    with pytest.raises(SnapshotError, match=r"demo.ipynb cannot be written \(No space left on device\)"):
        FileCarrier(path).write(entries("one"), {})
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == ["demo.ipynb"]
