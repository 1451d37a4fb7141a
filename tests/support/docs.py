"""The documentation, built once for all tests of a process."""

import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from support.paths import ROOT
from support.require import require

NEEDS = ("sphinx", "myst_nb", "pydata_sphinx_theme", "sphinx_copybutton")

_place = TemporaryDirectory(prefix="robota-nb-docs-")  # gone with the process


@cache
def built():
    """Build the site as CI does, where a warning is an error; return (the directory of its pages, what was said)."""
    target = Path(_place.name, "html")
    words = ["-W", "--keep-going", "-n", "-q", "-d", f"{_place.name}/doctrees", "docs", target]
    done = subprocess.run([sys.executable, "-m", "sphinx", *words], cwd=ROOT, capture_output=True, text=True)
    return target, f"{done.stderr}{done.stdout}" if done.returncode else ""


def site():
    """Return the directory of the site's pages; skip where Sphinx is not, and fail where it complains."""
    require("docs", all(map(find_spec, NEEDS)), "pip install --group docs")
    target, problem = built()
    assert not problem, problem
    return target
