"""What robota_nb offers to other programs, and takes from other packages, once wheels of them are installed."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from support.kernel import Kernel, isolated
from support.paths import ROOT
from support.require import require

pytestmark = pytest.mark.slow("builds packages and installs them")

PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "echoing"
version = "1"

[project.entry-points."robota_nb.providers"]
echo = "echoing:Echo"
"""

ECHO = """
from robota_nb.core.ports import Finish, TextDelta

class Echo:
    name = "echo"

    def stream(self, request):
        yield TextDelta("echo: " + request.messages[-1]["content"])
        yield Finish(reason="stop")
"""

LOADED = """
from importlib.metadata import distribution
import papermill, robota_nb  # papermill loads its engines itself, as it is imported: none comes before it
distribution = distribution("robota-nb")
assert robota_nb.__file__ == str(distribution.locate_file("robota_nb/__init__.py"))
for point in sorted(distribution.entry_points, key=lambda point: point.group):
    point.load()
    print(point.group, point.name, point.value)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A directory with robota_nb and another package that has a provider, installed from their wheels."""
    require("hatchling", find_spec("hatchling"), "pip install '.[test]'")
    from hatchling.builders.wheel import WheelBuilder

    root = tmp_path_factory.mktemp("installed")
    (root / "echoing").mkdir()
    (root / "echoing" / "pyproject.toml").write_text(PROJECT)
    (root / "echoing" / "echoing.py").write_text(ECHO)
    wheels = [
        next(WheelBuilder(str(source)).build(directory=str(root), versions=["standard"]))
        for source in (ROOT, root / "echoing")
    ]
    pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-index", "--no-deps"]
    subprocess.run([*pip, "--target", str(root / "site"), *wheels], check=True)
    return root / "site"


def run(installed, directory, *command):
    environment = {**isolated(directory), "PYTHONPATH": str(installed)}
    done = subprocess.run(command, env=environment, cwd=directory, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_entry_point_of_the_wheel_loads(installed, tmp_path):
    require("papermill", find_spec("papermill"), "pip install '.[test]'")
    assert run(installed, tmp_path, sys.executable, "-c", LOADED).splitlines() == [
        "console_scripts robota-nb robota_nb.cli.main:main",
        "jupyterlab.locale robota_nb robota_nb",
        "papermill.engine robota_nb robota_nb.frontends.papermill:RobotaEngine",
        "pytest11 robota_nb robota_nb.frontends.pytest_plugin",
        "robota_nb.providers offline robota_nb.providers.offline:OfflineProvider",
    ]


@pytest.mark.parametrize("way", ["script", "module"])
def test_the_command_of_the_wheel_says_its_version(installed, tmp_path, way):
    script = Path(installed, "Scripts" if os.name == "nt" else "bin", "robota-nb")
    command = [str(script)] if way == "script" else [sys.executable, "-m", "robota_nb"]
    version = (ROOT / "robota_nb" / "_version.py").read_text().split('"')[-2]
    assert run(installed, tmp_path, *command, "--version") == f"robota-nb, version {version}\n"
    assert run(installed, tmp_path, *command, "-h") == run(installed, tmp_path, *command, "--help")


def test_another_package_brings_a_provider_by_an_entry_point(installed, tmp_path):
    with Kernel(tmp_path, PYTHONPATH=str(installed)) as kernel:
        kernel.ok("%load_ext robota_nb")
        assert kernel.complete("%robota chat open X --provider ec") == ["%robota chat open X --provider echo"]
        kernel.ok("%robota chat open X --provider echo")
        assert kernel.ok("%%robota\nhello").answer == "echo: hello"
