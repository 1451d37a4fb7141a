"""The house stands as designed: the core is pure, imports point down, and no file is two rooms."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import robota_nb
from support.paths import TESTS

HOUSE = Path(robota_nb.__file__).parent
FILES = sorted(path for path in HOUSE.rglob("*.py"))
SCRIPTS = sorted(path for path in HOUSE.rglob("*.js") if path.name != "marked.js")  # which is somebody else's
EXAMPLES = {path.stem: path for path in TESTS.joinpath("examples").glob("*.py")}
MAX_LINES = 400

# Floors, from the ground up. Rooms on one floor do not know each other.
FLOORS = [
    ["errors", "_version", "_local_server"],
    ["_fake_openai", "_fault_server"],
    ["_stream_shapes"],
    ["core"],
    ["providers", "carriers", "stores", "notebook", "switcher"],
    [
        "testing", "library", "unsaved", "drafts", "exchange", "keeping", "servers", "wiring", "extension", "headless",
        "papermill_engine", "cli", "shells", "pytest_plugin", "git",
    ],
    ["__init__", "__main__"],
]  # fmt: skip
TOP = len(FLOORS) - 2  # on the wiring floor modules may use each other: together they are what knows everything


def room(path):
    first = path.relative_to(HOUSE).parts[0]
    return first.removesuffix(".py")


def floor(name):
    return next(level for level, rooms in enumerate(FLOORS) if name in rooms)


def imported_rooms(path):
    """The rooms that a file imports from, wherever the import stands (for type checkers too)."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if name.split(".")[0] == "robota_nb":
                rest = name.split(".")[1:]
                known = bool(rest) and ((HOUSE / rest[0]).is_dir() or (HOUSE / f"{rest[0]}.py").is_file())
                yield rest[0] if known else "__init__"


def test_every_module_has_one_floor():
    assert sorted({room(path) for path in FILES}) == sorted(name for rooms in FLOORS for name in rooms)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(HOUSE).as_posix())
def test_imports_point_down_and_siblings_do_not_know_each_other(path):
    here = room(path)
    if here == "__init__":
        return
    for other in imported_rooms(path):
        if other == here:
            continue
        same_wiring = floor(here) == floor(other) == TOP
        assert floor(other) < floor(here) or same_wiring, f"{here} imports from {other}"


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_import_what_their_rooms_may(name):
    here = f"{name}s"
    assert here in FLOORS[TOP - 1]
    for other in imported_rooms(EXAMPLES[name]):
        assert other == here or floor(other) < floor(here), f"{name} imports from {other}"


def test_the_switcher_stands_alone_for_it_is_a_widget_too():
    for path in HOUSE.joinpath("labextension", "switcher").glob("*.js"):
        assert "'../" not in path.read_text(encoding="utf-8"), path.name


@pytest.mark.parametrize("path", [*FILES, *SCRIPTS], ids=lambda path: path.relative_to(HOUSE).as_posix())
def test_no_file_is_two_rooms(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES


CORE = sorted(f"robota_nb.core.{path.stem}" for path in (HOUSE / "core").glob("*.py") if path.stem != "__init__")


def loaded_by(*modules):
    code = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split())


def test_the_core_loads_nothing_of_jupyter_nor_of_any_client():
    before, loaded = loaded_by("json"), loaded_by(*CORE)
    assert set(CORE) <= loaded
    outside = {name.split(".")[0] for name in loaded - before} - sys.stdlib_module_names
    assert outside == {"robota_nb"}


def test_the_core_imports_only_the_standard_library_also_for_type_checkers():
    for path in (HOUSE / "core").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module] if isinstance(node, ast.ImportFrom) else []
            for module in modules:
                assert module.split(".")[0] in {*sys.stdlib_module_names, "robota_nb"}, f"{path.name}: {module}"


def test_importing_the_package_loads_nothing_but_itself():
    outside = {name for name in loaded_by("robota_nb") - loaded_by("json") if name.split(".")[0] != "robota_nb"}
    assert {name.split(".")[0] for name in outside} <= sys.stdlib_module_names
