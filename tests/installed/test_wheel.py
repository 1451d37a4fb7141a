"""What a user installs is the wheel: built from the sdist, with all that belongs in it, and tested by these tests."""

import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from configparser import ConfigParser
from email import message_from_string
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path

import pytest

import robota_nb
from support.paths import ROOT
from support.require import require

pytestmark = pytest.mark.slow("builds the package")

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LABEXTENSION = "share/jupyter/labextensions/robota_nb/"


def built(kind, source, where):
    """Build a distribution with the backend, as packagers do, and return its path."""
    require("hatchling", find_spec("hatchling"), "pip install '.[test]'")
    command = [sys.executable, "-m", "hatchling", "build", "--target", kind, "--directory", str(where)]
    done = subprocess.run(command, cwd=source, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    (path,) = where.iterdir()
    return path


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """The sdist, as somebody who has nothing else unpacks it."""
    where = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(built("sdist", ROOT, tmp_path_factory.mktemp("sdist"))) as sdist:
        sdist.extractall(where, filter="data")
    (root,) = where.iterdir()
    return root


@pytest.fixture(scope="module")
def wheel(unpacked, tmp_path_factory):
    """The wheel that is built from it."""
    return built("wheel", unpacked, tmp_path_factory.mktemp("wheel"))


@pytest.fixture
def files(wheel):
    """What is in the wheel, by name."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def below(root):
    """The files of a directory, relative to it."""
    return {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}


def test_the_sdist_is_what_git_keeps(unpacked):
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout")
    require("git", shutil.which("git"))
    # As root, git would not look into a checkout of somebody else.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    kept = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    assert below(unpacked).keys() == {"PKG-INFO", *filter(None, kept)}


def test_the_wheel_holds_the_package_whole_and_nothing_else(unpacked, files):
    kept = {f"robota_nb/{name}": path for name, path in below(unpacked / "robota_nb").items()}
    package = {name: path.read_bytes() for name, path in kept.items() if not name.endswith((".d.ts", "/tsconfig.json"))}
    rest = {name: data for name, data in files.items() if name not in package}
    assert {name: files.get(name) for name in package} == package
    assert "robota_nb/py.typed" in package
    info = f"robota_nb-{robota_nb.__version__}"
    described = {name for name in rest if name.startswith(f"{info}.dist-info/")}
    parts = ["METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"]
    assert described == {f"{info}.dist-info/{part}" for part in parts}
    assert {name for name in rest if name.startswith(f"{info}.data/data/{LABEXTENSION}")} == rest.keys() - described


def test_a_wheel_from_the_checkout_is_the_same_to_the_byte(wheel, tmp_path):
    assert built("wheel", ROOT, tmp_path).read_bytes() == wheel.read_bytes()


def test_the_wheel_says_what_the_project_says(files):
    info = f"robota_nb-{robota_nb.__version__}.dist-info"
    said = message_from_string(files[f"{info}/METADATA"].decode())
    assert (said["Version"], said["Requires-Python"]) == (robota_nb.__version__, PROJECT["requires-python"])
    assert set(said.get_all("Provides-Extra")) == PROJECT["optional-dependencies"].keys()
    points = ConfigParser()
    points.read_string(files[f"{info}/entry_points.txt"].decode())
    found = {group: dict(points[group]) for group in points.sections()}
    assert found == {"console_scripts": PROJECT["scripts"], **PROJECT["entry-points"]}


@pytest.fixture
def installed():
    """The distribution that is imported here, which must not be the checkout."""
    there = Path(robota_nb.__file__).parent != ROOT / "robota_nb"
    require("wheel", there, "robota_nb is imported from the checkout; pip install '.[test]' installs one")
    return distribution("robota-nb")


def test_what_is_tested_here_is_this_wheel(installed, files):
    here = Path(robota_nb.__file__)
    assert here in {Path(file.locate()) for file in installed.files}
    there = {file.as_posix().replace("../", ""): file for file in installed.files}
    for name, data in files.items():
        if ".dist-info/" not in name:
            assert there[name.partition(".data/data/")[2] or name].read_binary() == data, name


def test_another_python_process_imports_it_too(installed, tmp_path):
    code = "import robota_nb; print(robota_nb.__file__)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == robota_nb.__file__
