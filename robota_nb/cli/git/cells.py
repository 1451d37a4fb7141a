"""Merge what in a notebook is not conversations: with nbdime, or without it as text, as git itself would."""

from __future__ import annotations

import json
import logging
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robota_nb.carriers import file
from robota_nb.errors import SnapshotError

if TYPE_CHECKING:
    from collections.abc import Mapping

_MARKER = "<<<<<<<"
_LISTED = 10
"""How many cells or lines are named."""
_MOST_CONFLICTS = 127
"""``git merge-file`` ends with the number of conflicts, at most this; with more, it has failed."""


def merge(base: bytes, ours: bytes, theirs: bytes, *, name: str) -> tuple[bytes, list[str]]:
    """Merge three versions of a notebook's text.

    Parameters
    ----------
    base, ours, theirs
        The versions, as nbformat writes them.
    name
        What an error calls the notebook.

    Returns
    -------
    data, conflicts
        The merged text, and where conflicts are left in it, in words. After nbdime it is a notebook also then; with
        the markers of a text merge it is none.

    Raises
    ------
    SnapshotError
        If they cannot be merged.
    """
    if theirs in (base, ours):
        return ours, []
    if ours == base:
        return theirs, []
    return (_by_nbdime if find_spec("nbdime") else _by_text)(base, ours, theirs, name)


def _by_nbdime(base: bytes, ours: bytes, theirs: bytes, name: str) -> tuple[bytes, list[str]]:
    import nbformat.v4
    from nbdime.merging.notebooks import merge_notebooks

    logging.getLogger("nbdime").setLevel(logging.ERROR)  # what it warns of is said below
    try:
        merged, decisions = merge_notebooks(*map(nbformat.v4.reads, (base, ours, theirs)))
    except Exception as error:  # noqa: BLE001 - at some conflicts, and at cells that it does not expect
        kind = type(error).__name__
        return ours, [f"nbdime cannot merge the cells ({kind}): they are those of ours; merge them by hand"]
    for cell in merged["cells"]:
        if isinstance(cell.get("id"), dict):  # of two cells that became one: a notebook cannot hold both ids
            cell["id"] = cell["id"].get("local_id") or cell["id"]["remote_id"]
    data = file.dumps(merged, name)
    return data, _places(json.loads(data)) if any(decision.conflict for decision in decisions) else []


def _places(notebook: Mapping[str, Any]) -> list[str]:
    """Say where nbdime has left its marks."""
    marked = [number for number, cell in enumerate(notebook["cells"], 1) if _is_marked(cell)]
    if not marked:
        return ["conflicts in the notebook's metadata are noted there, under nbdime-conflicts"]
    return [f"conflicts are left, and marked with {_MARKER}, in {_list('cell', marked)}"]


def _is_marked(cell: Mapping[str, Any]) -> bool:
    return any(mark in json.dumps(cell) for mark in (_MARKER, "&lt;" * len(_MARKER), '"nbdime-conflicts"'))


def _by_text(base: bytes, ours: bytes, theirs: bytes, name: str) -> tuple[bytes, list[str]]:
    """Merge as git does without a driver."""
    with tempfile.TemporaryDirectory(prefix="robota-nb-") as directory:
        paths = [Path(directory, label) for label in ("ours", "base", "theirs")]
        for path, data in zip(paths, (ours, base, theirs), strict=True):
            path.write_bytes(data)
        command = ["git", "merge-file", "-p", *(word for path in paths for word in ("-L", path.name)), *map(str, paths)]
        try:
            done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - git, and files of our own
        except OSError:
            raise SnapshotError(f"the cells of {name} cannot be merged: install git, or robota-nb[git]") from None
    if done.returncode == 0:
        _check_whole(done.stdout, name)
        return done.stdout, []
    if done.returncode > _MOST_CONFLICTS:
        raise SnapshotError(f"the cells of {name} cannot be merged as text; install robota-nb[git] to merge them")
    lines = [number for number, line in enumerate(done.stdout.splitlines(), 1) if line.startswith(_MARKER.encode())]
    return done.stdout, [f"conflicts are left, and marked with {_MARKER}, in {_list('line', lines)}"]


def _check_whole(data: bytes, name: str) -> None:
    """Refuse lines that went together well and are no notebook any more, such as a list without a comma."""
    try:
        file.loads(data, name)
    except SnapshotError:
        raise SnapshotError(
            f"the cells of {name} do not merge as text; install robota-nb[git] to merge them as cells"
        ) from None


def _list(noun: str, numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:_LISTED])) + (", …" if len(numbers) > _LISTED else "")
    return f"{noun} {shown}" if len(numbers) == 1 else f"{noun}s {shown}"
