"""Tools that clean notebooks, and what has them keep the conversations, by the settings around a notebook."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from robota_nb.core.record.snapshot import KEY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MOST = 200_000
"""Characters of a settings file that are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaner:
    """A tool that takes metadata out of notebooks.

    Parameters
    ----------
    name
        The tool's.
    where
        The settings file in which it is set up, or is to be.
    keep
        What has it keep the conversations, as that is to stand there.
    """

    name: str
    where: str
    keep: str


_JUPYTEXT = Cleaner(name="jupytext", where="jupytext.toml", keep=f'notebook_metadata_filter = "{KEY}"')

_SET_UP = (
    ("nbdev", "pyproject.toml", r"^\[tool\.nbdev\]", "allowed_metadata_keys", f'{{}} = ["{KEY}"]'),
    ("nbdev", "settings.ini", r"^(?:nbs_path|lib_path|nbdev\w*)\s*=", "allowed_metadata_keys", f"{{}} = {KEY}"),
    ("databooks", "pyproject.toml", r"^\[tool\.databooks\.meta\]", "nb-meta-keep", f'{{}} = ["{KEY}"]'),
    ("nbmetaclean", ".pre-commit-config.yaml", r"id: nbmetaclean\b", "--nb_metadata_preserve_mask", f"{{}} {KEY}"),
    ("nbstripout", ".pre-commit-config.yaml", rf"\bmetadata\.{KEY}\b", "--keep-metadata-keys", f"{{}} metadata.{KEY}"),
    ("nbstripout", ".git/config", rf"extrakeys\s*=.*\bmetadata\.{KEY}\b", "keepmetadatakeys", f"{{}} = metadata.{KEY}"),
)  # fmt: skip
"""The tool, its settings file, what stands there if it is set up and takes ours out, and what keeps them."""


def near(notebook: Path | None) -> Cleaner | None:
    """Return the tool that is set up to clean a notebook: in its directory, or above it in its repository.

    Parameters
    ----------
    notebook
        Its file. If that is not on this machine, only its name counts.

    Returns
    -------
    Cleaner or None
        None if no such tool is found, or only such as keep the conversations.
    """
    if notebook is None:
        return None
    if notebook.suffix != ".ipynb":
        return _JUPYTEXT
    for directory in _directories(notebook) if notebook.is_file() else ():
        for name, where, sign, setting, form in _SET_UP:
            text = _text(directory / where)
            if re.search(sign, text, re.MULTILINE) and not re.search(rf"{setting}.*\b{KEY}\b", text):
                return Cleaner(name=name, where=where, keep=form.format(setting))
    return None


def _directories(notebook: Path) -> Iterator[Path]:
    for directory in notebook.parents:
        yield directory
        if (directory / ".git").exists():
            return


def _text(path: Path) -> str:
    with suppress(OSError), path.open(encoding="utf-8", errors="replace") as file:
        return file.read(_MOST)
    return ""
