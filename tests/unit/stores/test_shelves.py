"""Where files are kept that are too large for a notebook: what every shelf promises, and what the folder adds."""

import os
import stat
import sys
from hashlib import sha256

import pytest

from robota_nb.core.shelf import MemoryShelf
from robota_nb.errors import StoreError
from robota_nb.stores.folder_shelf import FolderShelf, default_shelf

ONE, TWO = b"%PDF-1.7 one", bytes(range(256)) * 1000
NAME = sha256(ONE).hexdigest()


@pytest.fixture(params=["memory", "folder"])
def shelf(request, tmp_path):
    return MemoryShelf() if request.param == "memory" else FolderShelf(tmp_path / "files")


def test_what_is_put_there_is_found_by_its_hash_until_it_is_dropped(shelf):
    assert shelf.get(NAME) is None
    for data in (ONE, TWO, ONE):
        shelf.put(data)
    assert [shelf.get(sha256(data).hexdigest()) for data in (ONE, TWO)] == [ONE, TWO]
    for _ in range(2):
        shelf.drop(NAME)
        assert shelf.get(NAME) is None
    assert shelf.get(sha256(TWO).hexdigest()) == TWO


@pytest.mark.parametrize("name", ["", "..", "../secret", "x" * 64, "a\0b", NAME.upper(), f"{NAME}/"])
def test_only_a_hash_names_a_file(shelf, name, tmp_path):
    (tmp_path / "secret").write_bytes(b"secret")
    shelf.put(ONE)
    assert shelf.get(name) is None
    shelf.drop(name)
    assert (tmp_path / "secret").exists()
    assert shelf.get(NAME) == ONE


def test_another_process_finds_it_and_nobody_else_may_read_it(tmp_path):
    FolderShelf(tmp_path / "a" / "files").put(ONE)
    assert FolderShelf(tmp_path / "a" / "files").get(NAME) == ONE
    assert os.listdir(tmp_path / "a" / "files") == [NAME]
    if sys.platform != "win32":
        assert stat.S_IMODE((tmp_path / "a" / "files" / NAME).stat().st_mode) == 0o600
        assert stat.S_IMODE((tmp_path / "a" / "files").stat().st_mode) == 0o700


def test_a_file_that_is_not_what_it_was_is_not_there(tmp_path):
    shelf = FolderShelf(tmp_path)
    shelf.put(ONE)
    (tmp_path / NAME).write_bytes(b"other")
    assert shelf.get(NAME) is None


def test_what_cannot_be_written_or_read_is_one_line_with_a_next_step(tmp_path):
    (tmp_path / "file").touch()
    shelf = FolderShelf(tmp_path / "file" / "files")
    with pytest.raises(StoreError, match=r"^a file beside the store could not be written \(.*\); check the disk"):
        shelf.put(ONE)
    (tmp_path / NAME).mkdir()
    for act in (FolderShelf(tmp_path).get, FolderShelf(tmp_path).drop):
        with pytest.raises(StoreError, match="a file beside the store could not be re"):
            act(NAME)


def test_it_stands_beside_the_store(monkeypatch, tmp_path):
    monkeypatch.setenv("ROBOTA_NB_STORE", str(tmp_path / "mine.sqlite"))
    default_shelf().put(ONE)
    assert (tmp_path / "mine-files" / NAME).read_bytes() == ONE
    monkeypatch.setenv("ROBOTA_NB_STORE", "memory")
    assert isinstance(default_shelf(), MemoryShelf)
