"""The house stands as designed: imports point down and never in a circle, the core is pure, the face is light.

All of it is read from the imports themselves, wherever they stand: those for type checkers count, too.
"""

import ast
import subprocess
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

import robota_nb
from support.paths import TESTS

HOUSE = Path(robota_nb.__file__).parent
FILES = sorted(path for path in HOUSE.rglob("*.py"))
EXAMPLES = {path.stem: path for path in TESTS.joinpath("examples").glob("*.py")}

# From the ground up. Rooms on one floor do not know each other.
FLOORS = [
    ["errors", "_version"],
    ["core.record"],
    ["core.rules"],
    ["core"],
    ["providers", "carriers", "stores", "prompt", "testing", "tools"],
    ["sync"],
    ["display"],
    ["switcher", "magics"],
    ["kernel", "frontends"],
    ["cli"],
    ["library"],
    ["typing"],
    ["__init__", "__main__"],
]
LEVELS = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}
FACES = 6
"""How many modules may stand in the root: what is imported or run by its name."""


def module(path):
    """The dotted name of a file below ``robota_nb``, such as ``core.record.fold``; of a package, that of its folder."""
    parts = path.relative_to(HOUSE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


MODULES = {module(path): path for path in FILES}


def room(name):
    """The room that a module is in: the longest of `LEVELS` that its name begins with."""
    parts = name.split(".")
    return next(".".join(parts[:size]) for size in range(len(parts), 0, -1) if ".".join(parts[:size]) in LEVELS)


def names_imported(node):
    """The dotted names that a statement imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "relative import"
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def for_types_only(tree):
    """All statements that stand below ``if TYPE_CHECKING``."""
    tests = [node for node in ast.walk(tree) if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    return {id(inner) for test in tests for inner in ast.walk(test)}


@cache
def imports(path, *, types=True):
    """The modules of the package that a file imports; without *types*, only those that running it imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    left_out = set() if types else for_types_only(tree)
    found = set()
    for node in ast.walk(tree):
        for name in names_imported(node) if id(node) not in left_out else ():
            parts = name.split(".")
            if parts[0] == "robota_nb":
                inside = [".".join(parts[1:size]) for size in range(len(parts), 1, -1)]
                found.add(next((name for name in inside if name in MODULES), "__init__"))
    return frozenset(found)


def circles(graph):
    """The sets of modules each of which can be reached from each other (Tarjan's algorithm)."""
    numbers, lowest, stack, found = {}, {}, [], []

    def visit(node):
        numbers[node] = lowest[node] = len(numbers)
        stack.append(node)
        for other in graph[node]:
            if other not in numbers:
                visit(other)
            if other in stack:
                lowest[node] = min(lowest[node], lowest[other])
        if lowest[node] == numbers[node]:
            at = stack.index(node)
            found.append(set(stack[at:]))
            del stack[at:]

    for node in graph:
        if node not in numbers:
            visit(node)
    return [circle for circle in found if len(circle) > 1]


def test_every_module_is_in_a_room():
    assert {room(name) for name in MODULES} == set(LEVELS)


def test_few_modules_stand_in_the_root():
    loose = sorted(path.name for path in HOUSE.glob("*.py"))
    assert len(loose) <= FACES, loose


@pytest.mark.parametrize("name", sorted(MODULES))
def test_imports_point_down_and_rooms_on_one_floor_do_not_know_each_other(name):
    here = room(name)
    for other in imports(MODULES[name]):
        there = room(other)
        assert there == here or LEVELS[there] < LEVELS[here], f"{name} imports {other}"


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_import_what_their_rooms_may(name):
    here = f"{name}s"
    for other in imports(EXAMPLES[name]):
        there = room(other)
        assert there == here or LEVELS[there] < LEVELS[here], f"{name} imports {other}"


def test_no_module_needs_itself_to_be_loaded():
    assert circles({name: imports(path, types=False) for name, path in MODULES.items()}) == []


def test_the_only_circle_of_types_is_that_of_the_objects_a_user_holds():
    found = circles({name: imports(path) for name, path in MODULES.items()})
    assert found == [{"core.manager", "core.session", "core.chat"}]


def test_a_circle_is_found():
    assert circles({"a": ["b"], "b": ["c"], "c": ["b"], "d": ["a"]}) == [{"b", "c"}]


def test_the_floors_are_named_from_the_ground_up():
    assert all(not set(lower) & set(upper) for lower, upper in pairwise(FLOORS))


def test_the_switcher_stands_alone_for_it_is_a_widget_too():
    for path in HOUSE.joinpath("labextension", "switcher").glob("*.js"):
        assert "'../" not in path.read_text(encoding="utf-8"), path.name


# -- what is loaded


def loaded_by(*modules):
    """The modules that a fresh process has after importing these."""
    code = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split())


CORE = sorted(f"robota_nb.{name}" for name in MODULES if name.split(".")[0] == "core")


def test_the_core_loads_nothing_of_jupyter_nor_of_any_client():
    before, loaded = loaded_by("json"), loaded_by(*CORE)
    assert set(CORE) <= loaded
    outside = {name.split(".")[0] for name in loaded - before} - sys.stdlib_module_names
    assert outside == {"robota_nb"}


def test_the_core_imports_only_the_standard_library_also_for_type_checkers():
    for name in CORE:
        for node in ast.walk(ast.parse(MODULES[name.removeprefix("robota_nb.")].read_text(encoding="utf-8"))):
            for imported in names_imported(node):
                assert imported.split(".")[0] in {*sys.stdlib_module_names, "robota_nb"}, f"{name}: {imported}"


def test_importing_the_package_loads_nothing_but_itself():
    outside = {name for name in loaded_by("robota_nb") - loaded_by("json") if name.split(".")[0] != "robota_nb"}
    assert {name.split(".")[0] for name in outside} <= sys.stdlib_module_names
