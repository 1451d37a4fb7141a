"""The build hook: places the labextension where JupyterLab looks, under a path that changes with its content.

JupyterLab lets browsers keep what lies under ``static`` for a year. So each version of the files has a directory of
its own, named by the hash of all of them; within it they find each other by their plain names.
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


def build(source: Path, target: Path) -> None:
    """Write the labextension as it is installed.

    Parameters
    ----------
    source
        Its modules, ``package.json`` and ``install.json``.
    target
        An empty directory.
    """
    modules = sorted(source.glob("*.js"))
    package = json.loads((source / "package.json").read_text(encoding="utf-8"))
    digest = hashlib.sha256(json.dumps([[path.name, path.read_text(encoding="utf-8")] for path in modules]).encode())
    static = Path("static", digest.hexdigest()[:HASH])
    (target / static).mkdir(parents=True)
    for path in modules:
        shutil.copyfile(path, target / static / path.name)
    package["jupyterlab"]["_build"]["load"] = (static / package["jupyterlab"]["_build"]["load"]).as_posix()
    (target / "package.json").write_text(json.dumps(package, indent=2) + "\n", encoding="utf-8")
    shutil.copyfile(source / "install.json", target / "install.json")


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
