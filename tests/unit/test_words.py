"""Rooms below the magics know nothing of the notebook's user: the words that name commands and settings stand apart."""

import ast
import re
from pathlib import Path

import pytest

import robota_nb
from robota_nb import errors
from robota_nb.display import hints
from robota_nb.switcher import words

HOUSE = Path(robota_nb.__file__).parent
BELOW = ("carriers", "core", "display", "prompt", "providers", "stores", "switcher", "sync", "testing", "tools")
WORDS = {
    "display/hints.py",
    "display/notices.py",
    "display/report.py",
    "prompt/made.py",
    "prompt/question.py",
    "providers/offline.py",
}
"""Where commands and settings may be named. What the offline model answers is recorded in notebooks; cells are made."""

NAMED = re.compile(r"%%?robota\b|\bRobotaMagics\b")


def texts(path):
    """The strings of a module that are no docstrings, with their lines."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.lineno, node.value


@pytest.mark.parametrize("room", BELOW)
def test_no_text_below_the_magics_names_a_command_or_a_setting_of_the_notebook(room):
    files = [path for path in HOUSE.joinpath(room).rglob("*.py") if path.relative_to(HOUSE).as_posix() not in WORDS]
    assert files
    found = [f"{path.name}:{line}: {text}" for path in files for line, text in texts(path) if NAMED.search(text)]
    assert found == []


def test_every_next_step_is_said_to_all_users():
    assert errors.HINTS.keys() == hints.HINTS.keys() == words.HINTS.keys()
    assert list(errors.HINTS) == sorted(errors.HINTS)


def test_a_program_is_not_told_of_the_notebooks_commands():
    assert [key for key, text in errors.HINTS.items() if NAMED.search(text)] == []
