"""Merge three versions of a notebook: of the conversations the union, of all else what `cells` makes of it.

While their cells are merged, a mark stands for the union in all three versions: no conflict can fall on it, and it
takes its room once.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robota_nb.carriers import file, output
from robota_nb.carriers.aside import set_aside
from robota_nb.carriers.atomic import locked, replace_file
from robota_nb.cli.git import cells
from robota_nb.core.record import snapshot
from robota_nb.core.record.snapshot import KEY
from robota_nb.errors import SnapshotError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from robota_nb.core.ports import Entries

_REMOVED = (
    "one side has removed the conversations and the other has added to them; they are kept: "
    "'robota-nb strip' takes them out"
)


def merge_file(base: Path, ours: Path, theirs: Path, name: str) -> list[str]:
    """Merge the files of three versions into that of *ours*; return the conflicts that are left, as `merge` does.

    Raises
    ------
    SnapshotError
        As `merge` does, or if the file cannot be written; it is as it was then.
    """
    target = Path(os.path.realpath(ours))
    with locked(target):
        data, conflicts = merge(file.read_bytes(base), file.read_bytes(target), file.read_bytes(theirs), name)
        replace_file(target, data)
    return conflicts


def merge(base: bytes, ours: bytes, theirs: bytes, name: str) -> tuple[bytes, list[str]]:
    """Merge two versions of a notebook that come from a third.

    Parameters
    ----------
    base, ours, theirs
        What stands in the three files. An empty *base* means that there is none: both sides have added the file.
    name
        What an error calls the notebook.

    Returns
    -------
    data, conflicts
        What is to stand in the merged file, and each conflict that is left in it, in words.

    Raises
    ------
    SnapshotError
        If any of the three cannot be read, or they cannot be merged.
    """
    empty: dict[str, Any] = {"cells": [], "metadata": {}, "nbformat": 4}
    former = _settled(base, f"{name} (base)") if base.strip() else empty
    before = _ids((former["metadata"].pop(KEY, None) or {}).get("sessions", {}))  # three at a time take much room
    sides = [_settled(ours, f"{name} (ours)"), _settled(theirs, f"{name} (theirs)")]
    empty["nbformat_minor"] = sides[0].get("nbformat_minor", 5)
    notebooks = [former, *sides]
    value, conflicts = _united(before, *(notebook["metadata"].pop(KEY, None) for notebook in sides))
    aside = set_aside(value, *notebooks) if value is not None else None
    data, left = cells.merge(*(file.dumps(notebook, name) for notebook in notebooks), name=name)
    return file.filled(data, aside, name) if aside else data, [*conflicts, *left]


def _settled(data: bytes, name: str) -> dict[str, Any]:
    """Read a notebook, check it, and move what rides in its outputs to its metadata: a merge could lose it there."""
    notebook = file.loads(data, name)
    try:
        output.settle(notebook)
    except SnapshotError as error:
        raise SnapshotError(f"the snapshot in {name} cannot be read: {error}") from error
    return notebook


def _united(before: set[tuple[str, str]], ours: Any, theirs: Any) -> tuple[dict[str, Any] | None, list[str]]:
    """Return the union of two (checked) snapshots, and what about it somebody has to decide.

    Entries never change, so what is on either side stays. But if one side has removed all of them (`robota-nb strip`)
    and the other has added none, that was done on purpose, and nothing speaks against it.
    """
    mine, yours = (value["sessions"] if value else {} for value in (ours, theirs))
    union = snapshot.merge(mine, yours)
    stripped = bool(before) and not (_ids(mine) and _ids(yours))
    added = not _ids(union) <= before
    if stripped and not added:
        union = {}
    present = [value for value in (ours, theirs) if value]
    if not present or (not union and len(present) == 1):
        return None, []
    value = {**_frame(present), "sessions": union}
    snapshot.parse(value)  # together they may be over a cap
    return value, [_REMOVED] if stripped and added else []


def _ids(entries: Entries) -> set[tuple[str, str]]:
    return {(sid, eid) for sid, mine in entries.items() for eid in mine}


def _frame(values: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what stands beside the sessions, such as keys of a later minor format: of two values the greater."""
    keys = {key for value in values for key in value} - {"sessions"}
    return {key: max((value[key] for value in values if key in value), key=_order) for key in keys}


def _order(value: object) -> tuple[int, str]:
    minor = value.get("minor") if isinstance(value, dict) else None
    return (minor if isinstance(minor, int) else -1), json.dumps(value, sort_keys=True)
