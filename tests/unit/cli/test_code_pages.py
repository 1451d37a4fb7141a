"""What the command line writes into a pipe whose code page has few characters, as it is on Windows."""

import json

import pytest
from click.testing import CliRunner

from robota_nb.cli import main as cli
from support.core import new_manager
from support.notebook import write

PAGES = ["cp1252", "cp437", "cp932", "ascii", "latin-1", "cp1251", "utf-8"]
TEXT = "漢字 é ▸ 🦊 └─ “q” Ж"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A directory with notebooks: one with conversations whose names no code page has, and one without."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROBOTA_NB_STORE", "memory")
    manager = new_manager()
    manager.create_session("u", TEXT).create_chat(TEXT).send(TEXT)
    value = manager.snapshot("u")
    write(tmp_path / "a.ipynb", f"%load_ext robota_nb\n# {TEXT}", f"%%robota\n{TEXT}", metadata={"robota_nb": value})
    write(tmp_path / "▸.ipynb", "1")
    write(tmp_path / "empty.ipynb", "1")
    return tmp_path


COMMANDS = [
    "show a.ipynb", "show --json a.ipynb", "verify a.ipynb empty.ipynb", "check a.ipynb", "settle a.ipynb",
    "diff empty.ipynb a.ipynb", "diff --json empty.ipynb a.ipynb", "strip a.ipynb", "git textconv a.ipynb",
    "merge empty.ipynb a.ipynb empty.ipynb --path ▸.ipynb", "completion bash", "show ▸.ipynb", "verify no-▸.ipynb",
    "export --html a.ipynb", "--help",
]  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("line", COMMANDS)
def test_no_command_fails_for_want_of_a_character(here, page, line):
    done = CliRunner(charset=page).invoke(cli.main, line.split())
    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert done.exit_code == {"check a.ipynb": 1, "verify no-▸.ipynb": 2}.get(line, 0), done.output
    done.stdout_bytes.decode("utf-8" if "textconv" in line else page)


@pytest.mark.parametrize("page", PAGES)
def test_marks_become_plain_ones_and_other_characters_escapes(here, page):
    said = CliRunner(charset=page).invoke(cli.main, ["show", "a.ipynb"]).stdout_bytes.decode(page)
    for mark, plain in {"▸": ">", "└─": "`-", "🦊": r"\U0001f98a", "é": r"\xe9"}.items():
        try:
            mark.encode(page)
        except UnicodeEncodeError:
            assert plain in said
        else:
            assert mark in said


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("line", ["show --json a.ipynb", "diff --json empty.ipynb a.ipynb"])
def test_json_says_the_same_in_every_code_page(here, page, line):
    said = CliRunner(charset=page).invoke(cli.main, line.split()).stdout_bytes.decode(page)
    assert TEXT in str(json.loads(said))
