"""pyproject.toml declares what is imported, all of it and no more, and the workflows run what is there."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from support.paths import ROOT

TREE = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT, GROUPS = TREE["project"], TREE["dependency-groups"]
EXTRAS = PROJECT["optional-dependencies"]

BY_OTHERS = {
    "pytest": "loads robota_nb.frontends.pytest_plugin itself, and nothing else does",
    "pandas": "turn.to_frame() makes a data frame for who has it",
}
"""Imported by the package, and declared for the tests only."""

NOT_IMPORTED = {
    "ipykernel": "the kernel that the package is loaded into",
    "ipywidgets": "anywidget's widgets are of its kind; the version is that of JupyterLab 4's manager",
    "jupyterlab": "an application that the package serves, and that tests start",
    "jupyterlab-language-pack-ko-kr": "the language of an application that tests start",
    "notebook": "another one",
    "editables": "hatchling asks for it, to install a checkout that can be edited",
    "jupyter-kernel-gateway": "a program that tests start",
    "nbstripout": "a program that tests run",
    "nbval": "a plugin of pytest",
    "pip": "a program that tests run",
    "pre-commit": "a program that tests run",
    "pytest-xdist": "a plugin of pytest",
    "mypy": "a program",
    "ruff": "a program",
    "uv": "what nox makes its environments with",
    "myst-nb": "an extension of Sphinx that docs/conf.py names",
    "pydata-sphinx-theme": "a theme that docs/conf.py names",
    "sphinx-copybutton": "an extension of Sphinx that docs/conf.py names",
}
"""Declared, and used by no import."""


def declared(*lists):
    """Return what these lists of requirements ask for, by its name; a list may include other ones."""
    found = {}
    for line in (line for lines in lists for line in lines):
        if isinstance(line, dict):
            found |= declared(GROUPS[line["include-group"]])
        elif (requirement := Requirement(line)).name == PROJECT["name"]:
            found |= declared(*(EXTRAS[name] for name in requirement.extras))
        else:
            found[canonicalize_name(requirement.name)] = requirement
    return found


RUNNING = declared(PROJECT["dependencies"])
FOR_USERS = RUNNING | declared(*(lines for name, lines in EXTRAS.items() if name != "test"))
ALL = declared(PROJECT["dependencies"], *EXTRAS.values(), *GROUPS.values(), TREE["build-system"]["requires"])
DISTRIBUTIONS = packages_distributions()
ROOTS = [ROOT, ROOT / "tests", ROOT / "docs" / "_ext"]
"""Where our own modules are imported from; those that are in no package also find what lies beside them."""


def ours(name, importer):
    """Return whether a file imports a module of this repository by that name."""
    beside = [] if importer.with_name("__init__.py").exists() else [importer.parent]
    return any(Path(place, f"{name}.py").exists() or Path(place, name).is_dir() for place in [*ROOTS, *beside])


def imported(*paths):
    """Return the distributions that files import from, each with the first file that does."""
    found = {}
    for path in (each for path in paths for each in sorted(path.rglob("*.py") if path.is_dir() else [path])):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module] if isinstance(node, ast.ImportFrom) and not node.level else []
            for name in {module.partition(".")[0] for module in modules} - sys.stdlib_module_names:
                if not ours(name, path):
                    (distribution, *_) = DISTRIBUTIONS.get(name, [name])
                    found.setdefault(canonicalize_name(distribution), path.relative_to(ROOT).as_posix())
    return found


PACKAGE = imported(ROOT / "robota_nb")
PARTS = ("robota_nb", "tests", "benchmarks", "docs", "noxfile.py", "hatch_build.py")
EVERYTHING = imported(*(ROOT / part for part in PARTS))


def test_the_package_imports_what_its_users_have():
    assert {name: path for name, path in PACKAGE.items() if name not in FOR_USERS} == {
        name: PACKAGE[name] for name in BY_OTHERS
    }


def test_tests_benchmarks_and_docs_import_what_is_declared():
    assert {name: path for name, path in EVERYTHING.items() if name not in ALL} == {}


def test_what_is_declared_is_used():
    assert ALL.keys() - EVERYTHING.keys() == NOT_IMPORTED.keys()
    assert FOR_USERS.keys() - PACKAGE.keys() == FOR_USERS.keys() & NOT_IMPORTED.keys()


@pytest.mark.parametrize("name", ALL)
def test_each_has_an_oldest_version_and_none_a_newest_one(name):
    assert [clause.operator for clause in ALL[name].specifier] == [">="]


def oldest(name):
    (clause,) = ALL[name].specifier
    return Version(clause.version)


def test_ci_tries_the_oldest_jupyterlab_that_is_declared():
    (line,) = re.findall(r"^environment oldest (.+)", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.MULTILINE)
    pins = dict(pin.split("==") for pin in line.split())
    assert pins.keys() == {"jupyterlab", "notebook", "ipykernel"}
    assert {name: Version(version) for name, version in pins.items()} == {name: oldest(name) for name in pins}


# -- the workflows

WORKFLOWS = {path.stem: path.read_text(encoding="utf-8") for path in ROOT.joinpath(".github/workflows").glob("*.yml")}


def jobs(name):
    return yaml.safe_load(WORKFLOWS[name])["jobs"].values()


def test_the_tests_run_on_every_python_and_system_that_is_promised():
    (job,) = jobs("tests")
    matrix = job["strategy"]["matrix"]
    promised = re.findall(r":: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    assert matrix["python"] == promised
    assert f">={promised[0]}" == PROJECT["requires-python"]
    assert {system.partition("-")[0] for system in matrix["os"]} == {"ubuntu", "macos", "windows"}


def test_every_session_that_a_workflow_runs_is_there():
    sessions = set(
        re.findall(r"^def (\w+)\(session", Path(ROOT, "noxfile.py").read_text(encoding="utf-8"), re.MULTILINE)
    )
    (job,) = jobs("tests")
    matrix = job["strategy"]["matrix"]
    run = {*matrix["session"], *(row["session"] for row in matrix["include"])}
    run |= set(re.findall(r"nox -s (\w+)", "".join(WORKFLOWS.values())))
    assert {"lint", "types", "docs", "minimum", "prereleases", "build"} < run <= sessions


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_may_only_read_and_pins_what_it_uses(name):
    assert yaml.safe_load(WORKFLOWS[name])["permissions"] == {"contents": "read"}
    used = [step["uses"] for job in jobs(name) for step in job["steps"] if "uses" in step]
    assert used
    assert [action for action in used if not re.fullmatch(r"[\w-]+/[\w-]+@(release/)?v\d+", action)] == []
