"""Which file a path means, on Linux and as far as it can be said here on Windows."""

from pathlib import Path

import pytest

from robota_nb.carriers import file, paths
from robota_nb.carriers.paths import is_device, resolved
from robota_nb.errors import SnapshotError


def test_a_tilde_is_a_part_of_the_name(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "elsewhere"))
    monkeypatch.chdir(tmp_path)
    for path in ("~a.ipynb", "./~a.ipynb", "~/a.ipynb", Path("~")):
        assert resolved(path, "") == tmp_path / path


def test_a_symlink_is_followed(tmp_path):
    (tmp_path / "b.ipynb").write_text("{}")
    (tmp_path / "a.ipynb").symlink_to("b.ipynb")
    assert resolved(tmp_path / "a.ipynb", "") == tmp_path / "b.ipynb"


@pytest.mark.parametrize("path", ["a\0b.ipynb", "x" * 5000, "x" * 300 + ".ipynb"])
def test_what_can_be_no_path_is_said_to_be_none(path):
    with pytest.raises(SnapshotError, match="is no path .*; give the path of a notebook$") as raised:
        file.load(path)
    assert len(str(raised.value)) < 400


@pytest.mark.parametrize("path", ["NUL", "con.md", r"C:\a\AUX.ipynb", "a/prn", "COM1.json", "lpt9", "nul.tar.gz"])
def test_devices_of_windows(path, tmp_path, monkeypatch):
    assert is_device(path)
    assert resolved(tmp_path / path, "").name
    monkeypatch.setattr(paths, "_ON_WINDOWS", True)
    with pytest.raises(SnapshotError, match="is a device of Windows"):
        resolved(path, "")


@pytest.mark.parametrize(
    "path", ["null.md", "a.con", r"C:\Users\ana\a.md", "~draft.md", r"\\server\share\a.md", "COM0x"]
)
def test_what_is_no_device_of_windows(path):
    assert not is_device(path)
