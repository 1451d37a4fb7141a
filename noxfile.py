"""One command for each thing that is done here: ``nox -l`` lists them, ``nox -s lint types`` runs two.

They run in the environment that nox is installed in (``pip install -e '.[test]' --group dev``), but for those that try
others: each would hold its own JupyterLab. What stands behind ``--`` goes to the program. ``.ci/run`` calls it, too.
"""

from __future__ import annotations

import json
import os
import runpy
import shutil
from pathlib import Path

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types", "tests"]


@nox.session
def tests(session: nox.Session) -> None:
    """Run the fast tests."""
    session.run("pytest", *session.posargs)


@nox.session
def full(session: nox.Session) -> None:
    """Run every test, as CI does."""
    session.run("pytest", "--all", *session.posargs)


@nox.session
def notebooks(session: nox.Session) -> None:
    """Run the example notebooks as a user's CI would."""
    session.run("pytest", "--nbval", "notebooks", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Look for mistakes, and for what is not formatted."""
    session.run("ruff", "check", *session.posargs, ".")
    session.run("ruff", "format", "--check", *session.posargs, ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types, strictly: of the Python, and where there is Node, of the labextension's JavaScript."""
    session.run("mypy", *session.posargs)
    if shutil.which("npx"):
        pinned = json.loads(Path("tests/typedefs/package.json").read_text(encoding="utf-8"))["devDependencies"]
        typescript = f"typescript@{pinned['typescript']}"
        session.run("npx", "--yes", "-p", typescript, "tsc", "-p", "robota_nb/labextension", external=True)
    elif "node" in os.environ.get("ROBOTA_NB_REQUIRE", "").replace(",", " ").split():
        session.error("npx is missing, and ROBOTA_NB_REQUIRE names node: install Node.js with npm")
    else:
        session.warn("npx is missing, so the JavaScript is not checked: install Node.js with npm")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation; a warning is an error."""
    session.run("sphinx-build", "-W", "-n", "docs", "docs/_build/html", *session.posargs)


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Measure; `nox -s benchmarks -- load burst` measures some of it."""
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Fuzz for longer than the tests do; `nox -s fuzz -- prompt --seconds 60` for less."""
    session.run("python", "-m", "tests.fuzz", *session.posargs)


@nox.session
def thorough(session: nox.Session) -> None:
    """Run every test, and kill, cut, merge and look for keys as often as before a release."""
    session.run("pytest", "--long", *session.posargs)


@nox.session(venv_backend="venv", reuse_venv=True)
def wheel(session: nox.Session) -> None:
    """Test what a user installs, in a fresh environment; `nox -s wheel -- tests/installed` for that alone."""
    session.install(".[test]")
    session.run("pytest", *(session.posargs or ["--all"]), env={"ROBOTA_NB_REQUIRE": "wheel", "PYTHONPATH": None})


@nox.session(venv_backend="uv", reuse_venv=True)
def minimum(session: nox.Session) -> None:
    """Test with the oldest versions that pyproject.toml allows, in a fresh environment."""
    session.install("--resolution", "lowest-direct", ".[test]")
    session.run("pytest", *session.posargs, env={"PYTHONPATH": None})


@nox.session(venv_backend="uv", reuse_venv=True)
def prereleases(session: nox.Session) -> None:
    """Test with what will be released next, in a fresh environment."""
    session.install("--prerelease", "allow", "--upgrade", ".[test]")
    session.run("pytest", *session.posargs, env={"PYTHONPATH": None})


@nox.session
def build(session: nox.Session) -> None:
    """Build what is published, into `dist`; `nox -s build -- v0.2.0` also checks that this is the version."""
    version = f"v{runpy.run_path('robota_nb/_version.py')['__version__']}"
    if session.posargs not in ([], [version]):
        session.error(f"this is {version}, not {session.posargs[0]}: change _version.py, or tag another commit")
    session.run("uv", "build", "--out-dir", "dist")
