"""CONTRIBUTING.md is a map: it names every module in its room, and nothing that is not there."""

import ast
import re
from pathlib import Path

import pytest
import yaml

from robota_nb.cli.main import main
from support.paths import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL))
PACKAGE, BESIDE = SECTIONS["The map"].split("\nBeside the package:\n")
HOUSE = ROOT / "robota_nb"


def bullets(text):
    """Return what stands in backticks in each item of a list, by the folder that begins it."""
    items = re.findall(r"^- `([\w./]+)/`: (.*?)(?=^- |^$|\Z)", text, re.MULTILINE | re.DOTALL)
    return {folder: set(re.findall(r"`([^`]+)`", said)) for folder, said in items}


def modules(folder):
    """Return the modules of a room, by their stems."""
    return {path.stem for path in folder.iterdir() if path.suffix in (".py", ".js") and path.stem != "__init__"}


ROOMS = bullets(PACKAGE)
THERE = {path.relative_to(HOUSE).as_posix() for path in HOUSE.rglob("*") if path.is_dir() and modules(path)} - {"."}


def test_the_map_names_every_room_and_no_other():
    assert ROOMS.keys() == THERE


@pytest.mark.parametrize("room", ROOMS)
def test_the_map_names_every_module_of_a_room_and_no_other(room):
    assert {name for name in ROOMS[room] if name.isidentifier()} == modules(HOUSE / room)


def floors():
    """Return the number of the floor of each room, as the test of the imports has them."""
    tree = ast.parse((ROOT / "tests" / "unit" / "test_architecture.py").read_text(encoding="utf-8"))
    (value,) = (node.value for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "FLOORS")
    return {room: level for level, rooms in enumerate(ast.literal_eval(value)) for room in rooms}


def test_the_map_goes_from_the_ground_up():
    levels = floors()
    rooms = [room.replace("/", ".") for room in ROOMS if not room.startswith("labextension")]
    met = [levels[room if room in levels else room.partition(".")[0]] for room in rooms]
    assert met == sorted(met)


def test_the_map_names_what_is_in_no_room():
    named = set(re.findall(r"`(\w+\.py)`", re.sub(r"^- .*?(?=^$)", "", PACKAGE, flags=re.MULTILINE | re.DOTALL)))
    assert named == {path.name for path in HOUSE.glob("*.py")}


def test_the_map_names_the_folders_beside_the_package_and_what_is_in_them():
    beside = bullets(BESIDE)
    assert beside.keys() == {"notebooks", "tests", "benchmarks", "docs"}
    for folder, named in beside.items():
        for name in named:
            if re.fullmatch(r"[\w./]+", name):
                assert any(Path(ROOT, folder, place).exists() for place in (name, f"{name}.py")), name
    folders = {f"{path.name}/" for path in ROOT.joinpath("tests").iterdir() if any(path.glob("*[!_]*"))}
    assert folders - {"__pycache__/"} <= beside["tests"]


ROWS = re.findall(r"^\| (.+?) \| `(\w+)` \| (.+?) \|$", SECTIONS["Where does … live?"], re.MULTILINE)


@pytest.mark.parametrize(("_", "name", "place"), ROWS, ids=[row[0] for row in ROWS])
def test_what_one_looks_for_is_where_the_page_says(_, name, place):
    paths = [HOUSE / path for path in re.findall(r"`([\w./]+/[\w./]*|\w+\.py)`", place)]
    source = paths[0].read_text(encoding="utf-8")
    assert re.search(rf"^(def |class |){name}\b", source, re.MULTILINE)
    assert all(path.exists() or paths[0].with_name(path.name).exists() for path in paths)


def test_the_page_says_where_the_first_things_that_one_looks_for_are():
    asked = " ".join(row[0] for row in ROWS)
    for words in ("`{{ }}` is read", "cut into segments", "snapshot is refused", "becomes an ask", "key is looked up"):
        assert words in asked


def test_each_word_stands_once_in_a_table_that_is_in_order():
    tables = SECTIONS["The words"].split("\nWhat the code says:\n")
    found = [re.findall(r"^\| ([\w ]+) \| ", table, re.MULTILINE)[1:] for table in tables]
    assert [sorted(words) for words in found] == found
    assert len(found[0] + found[1]) == len({*found[0], *found[1]}) > 60


def test_every_session_of_nox_stands_in_the_table_and_there_is_no_other():
    tree = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
    sessions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert set(re.findall(r"`nox -s (\w+)", TEXT)) == sessions
    run = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert set(re.findall(r"nox -s (\w+)", run)) == {"lint", "types"} <= sessions


def test_the_examples_are_there():
    named = re.findall(r"`(provider\.py|store\.py|carrier\.py|command\.diff)`", TEXT)
    assert sorted(named) == sorted(path.name for path in (ROOT / "tests" / "examples").iterdir() if path.is_file())


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
