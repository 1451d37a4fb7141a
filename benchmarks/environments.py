"""An environment for each contender, outside the checkout, so that none changes what another one has installed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import venv
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.contenders import Contender

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "robota_nb-benchmarks"
STAMP = "requirements.txt"
"""The file in an environment that says what was installed there, once all of it was."""
COMMON = ("ipykernel",)

VERSION = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))"


class Entrant(NamedTuple):
    """A contender that can be measured.

    Parameters
    ----------
    contender
        What it is.
    python
        The interpreter that has it.
    """

    contender: Contender
    python: str

    @property
    def name(self) -> str:
        """What it is called in the tables."""
        return self.contender.name

    def version(self, package: str = "") -> str:
        """Return the version that is installed, of the contender or of another package beside it."""
        return _run(self.python, "-c", VERSION, package or self.contender.package).strip()


def here(contenders: Iterable[Contender]) -> list[Entrant]:
    """Return contenders as the running interpreter has them."""
    return [Entrant(contender, sys.executable) for contender in contenders]


def prepare(contenders: Iterable[Contender], directory: Path = CACHE) -> tuple[list[Entrant], dict[str, str]]:
    """Install what is not installed yet; return who can be measured, and why the others cannot."""
    entrants, missing = [], {}
    for contender in contenders:
        room = directory / (contender.room or contender.name)
        python = str(room / ("Scripts" if os.name == "nt" else "bin") / "python")
        try:
            if not contender.room:
                _install(room, python, contender.requirements)
            entrants.append(entrant := Entrant(contender, python))
            entrant.version()
        except (subprocess.CalledProcessError, OSError) as error:
            entrants = [each for each in entrants if each.contender is not contender]
            missing[contender.name] = f"cannot be installed: {_reason(error)}"
    return entrants, missing


def _install(room: Path, python: str, requirements: tuple[str, ...]) -> None:
    """Make an environment, or bring it up to date: what comes from a directory is built anew each time."""
    wanted, begin = "\n".join((*COMMON, *requirements, "")), time.monotonic()
    stamp = room / STAMP
    standing = stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted
    if standing and not any(Path(requirement).is_absolute() for requirement in requirements):
        return
    if not standing:
        print(f"installing {' '.join(requirements)} into {room}", file=sys.stderr, flush=True)
        venv.create(room, clear=True, with_pip=True)
    _run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *COMMON, *requirements)
    stamp.write_text(wanted, encoding="utf-8")
    if not standing:
        print(f"took {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)


def _run(*command: str) -> str:
    """Run a command with what is installed for it alone."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(command, env=environ, check=True, capture_output=True, text=True).stdout


def _reason(error: subprocess.CalledProcessError | OSError) -> str:
    """Return the last line of what a command has said."""
    said = error.stderr if isinstance(error, subprocess.CalledProcessError) else str(error)
    lines = [line for line in (said or "").splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it does not say why"
