"""The pages, built once for all tests of a process."""

import subprocess
import sys
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from require import require

ROOT = Path(__file__).parent.parent
NEEDED = ("sphinx", "myst_parser", "pydata_sphinx_theme", "sphinx_copybutton")
_kept = []


@cache
def _build():
    directory = tempfile.TemporaryDirectory(prefix="robota_nb-docs-")
    _kept.append(directory)  # until the process ends
    words = [sys.executable, "-m", "sphinx", "-q", "-n", "-W", "--keep-going", "-d", f"{directory.name}/doctrees"]
    done = subprocess.run(
        [*words, ROOT / "docs", f"{directory.name}/html"], capture_output=True, text=True, check=False
    )
    return Path(directory.name, "html"), done.returncode, done.stdout + done.stderr


def built():
    """Return the directory of the built pages; fail with what Sphinx has said if it warned of anything.

    Skips the test where Sphinx is missing, if ``ROBOTA_NB_REQUIRE`` does not name the part ``docs``.
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    require("docs", not missing, f"no {', '.join(missing)}")
    directory, code, said = _build()
    assert code == 0, said
    return directory
