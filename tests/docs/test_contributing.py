"""CONTRIBUTING.md is a map: it names every module in its room, and every command, and nothing that is not there."""

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest
import yaml

from robota_nb.cli.main import main
from support.paths import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
MAP = re.search(r"^## The map\n\n```\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)[1]
HOUSE = ROOT / "robota_nb"


def rooms():
    """What the map says of each thing in the package, by its name."""
    told = defaultdict(str)
    names = []
    for line in MAP.partition("notebooks/ ")[0].splitlines()[1:]:
        if found := re.match(r"  ((?:\w[\w.]*/?(?:, )?)+)(.*)", line):
            names, line = found[1].split(", "), found[2]
        for name in names:
            told[name.removesuffix("/").removesuffix(".py")] += f" {line}"
    return told


ROOMS = rooms()
MODULES = [path for path in sorted(HOUSE.rglob("*")) if path.suffix in (".py", ".js") and path.stem != "__init__"]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(HOUSE).as_posix())
def test_the_map_names_every_module_in_its_room(path):
    room, *inside = path.relative_to(HOUSE).with_suffix("").parts
    if inside:
        assert set(inside) <= set(re.findall(r"\w+", ROOMS[room])), f"{room}/ in CONTRIBUTING.md does not name it"
    else:
        beside = " ".join(told for name, told in ROOMS.items() if (HOUSE / f"{name}.py").exists())
        assert room in {*ROOMS, *re.findall(r"\w+", beside)}, "CONTRIBUTING.md does not name it"


def test_the_map_names_nothing_that_is_not_there():
    there = {path.name.removesuffix(".py") for path in HOUSE.iterdir()}
    assert ROOMS.keys() <= there
    named = re.findall(r"^(\w+(?:\.py|/))", MAP, re.MULTILINE)
    assert {"robota_nb/", "tests/", "noxfile.py"} < set(named)
    assert all(Path(ROOT, name).exists() for name in named)


def test_every_session_of_nox_stands_in_the_table_and_there_is_no_other():
    tree = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
    sessions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert set(re.findall(r"`nox -s (\w+)", TEXT)) == sessions
    run = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert set(re.findall(r"nox -s (\w+)", run)) == {"lint", "types"} <= sessions


def test_the_examples_are_there():
    named = re.findall(r"`(provider\.py|store\.py|carrier\.py|command\.diff)`", TEXT)
    assert sorted(named) == sorted(path.name for path in (ROOT / "tests" / "examples").iterdir() if path.is_file())
    for suite in re.findall(r"`((?:conformance/)?test_\w+\.py)`", TEXT):
        assert (ROOT / "tests" / suite).is_file()


def hooks():
    """The hooks that we have, and those that we offer."""
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    return local["hooks"] + yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("hook", hooks(), ids=lambda hook: hook["id"])
def test_a_hook_runs_a_command_that_there_is(hook):
    program, command, *_ = [*hook["entry"].split(), ""]
    if program == "robota-nb":
        assert command in main.commands
    else:
        assert program in {"ruff", "mypy"}
