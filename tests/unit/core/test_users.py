"""Whose home a tilde means."""

import ntpath
import os

import pytest

from robota_nb.core.users import expanded


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_a_tilde_means_the_home_that_there_is(home):
    assert expanded("~/a.md") == f"{home}/a.md"
    assert expanded("~") == str(home)


def test_the_home_of_another_user_is_a_home(home):
    root = pytest.importorskip("pwd").getpwuid(0)
    assert expanded(f"~{root.pw_name}/a.md") == f"{root.pw_dir}/a.md"


@pytest.mark.parametrize("path", ["~draft.ipynb", "~nobody-here/a.md", "./~/a.md", "a~", "~$a.ipynb", "", "~\0"])
def test_else_it_is_a_part_of_the_name(home, path):
    assert expanded(path) == path


def test_windows_guesses_no_home(monkeypatch):
    monkeypatch.setattr(os, "path", ntpath)
    monkeypatch.setenv("USERPROFILE", r"C:\Users\ana")
    monkeypatch.setenv("USERNAME", "ana")
    assert ntpath.expanduser("~draft.ipynb") == r"C:\Users\draft.ipynb"
    assert expanded("~draft.ipynb") == "~draft.ipynb"
    monkeypatch.setattr(ntpath, "isdir", lambda path: path == r"C:\Users\ana")
    assert expanded(r"~\a.md") == r"C:\Users\ana\a.md"
    assert expanded("~/a.md") == "C:\\Users\\ana/a.md"
    assert expanded("~bob/a.md") == "~bob/a.md"
