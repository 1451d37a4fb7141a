"""The build hook: places the labextension where JupyterLab looks, under a path that changes with its content.

JupyterLab lets browsers keep what lies under ``static`` for a year. So each version of the files has a directory of
its own, named by the hash of all of them; within it they find each other by their plain relative paths.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = "robota_nb/labextension"
PLACE = "share/jupyter/labextensions/robota_nb"
HASH = 16
"""Hex digits of the content's hash."""

ROOMS = (".", "switcher")
"""The directories that a browser loads from, as they lie in the source."""

SERVED = {".js", ".css", ".txt"}
"""What a browser loads from them, and the licences of that."""


def served(source: Path) -> list[Path]:
    """Return the files that a browser loads, in a fixed order, relative to *source*."""
    found = [path for room in ROOMS for path in Path(source, room).glob("*") if path.suffix in SERVED]
    return sorted((path.relative_to(source) for path in found), key=Path.as_posix)


def build(source: Path, target: Path) -> None:
    """Write the labextension as it is installed.

    Parameters
    ----------
    source
        Its modules and style sheets, the schemas of its settings, ``package.json`` and ``install.json``.
    target
        An empty directory.
    """
    files = served(source)
    package = json.loads((source / "package.json").read_text(encoding="utf-8"))
    texts = [[path.as_posix(), (source / path).read_text(encoding="utf-8")] for path in files]
    static = Path("static", hashlib.sha256(json.dumps(texts).encode()).hexdigest()[:HASH])
    for path in files:
        (target / static / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / path, target / static / path)
    package["jupyterlab"]["_build"]["load"] = (static / package["jupyterlab"]["_build"]["load"]).as_posix()
    (target / "package.json").write_text(json.dumps(package, indent=2) + "\n", encoding="utf-8")
    shutil.copyfile(source / "install.json", target / "install.json")
    shutil.copytree(source / "schemas", target / "schemas")
    shutil.copyfile(source / "package.json", target / "schemas" / package["name"] / "package.json.orig")


class LabextensionHook(BuildHookInterface):
    """Adds the labextension to the data files of the wheel, also of an editable one."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the interface
        """Build it before the wheel is."""
        self.built = Path(tempfile.mkdtemp())
        build(Path(self.root, SOURCE), self.built)
        build_data["shared_data"][str(self.built)] = PLACE

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Leave nothing behind."""
        shutil.rmtree(self.built, ignore_errors=True)
