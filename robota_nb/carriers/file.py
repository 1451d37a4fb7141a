"""The notebook file: read with care, written whole or not at all.

For notebooks that no front end holds open: under one, a change on disk gives the user a conflict dialog.
"""

from __future__ import annotations

import json
import math
import os
import re
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robota_nb.carriers import damage
from robota_nb.carriers.aside import put_aside
from robota_nb.carriers.atomic import explained, locked, replace_file
from robota_nb.carriers.paths import resolved
from robota_nb.core.record.json_reader import AmbiguousObject, check_unambiguous, decode
from robota_nb.core.record.snapshot import KEY, NewerFormat, dump, merge, parse
from robota_nb.core.users import expanded
from robota_nb.errors import SnapshotError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from robota_nb.carriers.aside import Aside
    from robota_nb.core.ports import Entries, Level

__all__ = [
    "MAX_FILE_BYTES",
    "FileCarrier",
    "changing",
    "dumps",
    "load",
    "loads",
    "notebook_path",
    "read",
    "read_bytes",
    "write_notebook",
]

MAX_FILE_BYTES = 200_000_000
"""A notebook file beyond this is not opened; the snapshot in it has a cap of its own."""

_NBFORMAT = 4
_AROUND = ("metadata", KEY)


def notebook_path(namespace: Mapping[str, object] | None = None) -> Path | None:
    """Guess the file of the notebook this kernel belongs to.

    Parameters
    ----------
    namespace
        The user's namespace, where VS Code leaves ``__vsc_ipynb_file__``.

    Returns
    -------
    Path or None
        What the user says in ``ROBOTA_NB_NOTEBOOK`` (existing or not); else, if there is such a file, what
        Jupyter (``JPY_SESSION_NAME``) or VS Code says: a name may be stale, or of a notebook not saved yet.
    """
    if chosen := os.environ.get("ROBOTA_NB_NOTEBOOK"):
        return Path(expanded(chosen))
    said = os.environ.get("JPY_SESSION_NAME"), (namespace or {}).get("__vsc_ipynb_file__")
    return next((Path(text) for text in said if isinstance(text, str) and _is_notebook_file(text)), None)


def _is_notebook_file(text: str) -> bool:
    with suppress(OSError, ValueError):  # a name too long, a null character
        return text.endswith(".ipynb") and Path(text).is_absolute() and Path(text).is_file()
    return False


def read(path: str | os.PathLike[str]) -> Any | None:
    """Return what stands under ``metadata.robota_nb`` of a notebook file, unchecked; None if nothing does.

    Raises
    ------
    SnapshotError
        If the file is missing, or no notebook that can be read: one line that says why, and a next step.
    """
    return load(path)["metadata"].get(KEY)


def load(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return a notebook as plain JSON, as it stands in the file: multi-line text as lists of lines.

    Raises
    ------
    SnapshotError
        As `read` does.
    """
    return loads(read_bytes(path), _target(path).name)


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """Return what stands in a notebook's file, unchecked.

    Raises
    ------
    SnapshotError
        If the file is missing, cannot be read, is no regular file, or is over the cap.
    """
    path = _target(path)
    with explained(path, "read"):
        return _bytes(path)


def loads(data: bytes, name: str) -> dict[str, Any]:
    """Return a notebook from the bytes of a file, as `load` does; *name* is what an error calls it.

    Raises
    ------
    SnapshotError
        If it is no notebook that can be read.
    """
    value, is_ambiguous = _decoded(data, name)
    notebook = _checked(value, name)
    for place in _ours(notebook) if is_ambiguous else ():
        check_unambiguous(place, name)
    return notebook


def dumps(notebook: Mapping[str, Any], name: str) -> bytes:
    """Return the very bytes that nbformat writes of a notebook; *name* is what an error calls it.

    Raises
    ------
    SnapshotError
        If this is no notebook, or holds what would damage the file.
    """
    return _encoded(_checked(notebook, name), name)


def filled(text: bytes, aside: Aside, name: str) -> bytes:
    """Return the text of a notebook with what was put aside in its place; raises as `dumps` does."""
    with _writable(aside.values, name):
        return aside.whole(text.decode())


def write_notebook(path: str | os.PathLike[str], notebook: Mapping[str, Any]) -> None:
    """Write a notebook atomically, in the very text that nbformat writes.

    Parameters
    ----------
    path
        The file, old or new. Of an old one mode and owner stay; a symlink stays, its target is replaced.
    notebook
        A notebook of format 4, as nbformat holds it or as `load` returns it.

    Raises
    ------
    SnapshotError
        If this is no notebook, holds what would damage the file (lone surrogates, NaN, endless nesting), or
        the file cannot be written. The file is as it was then.
    """
    path = _target(path)
    data = dumps(notebook, path.name)
    with locked(path):
        replace_file(path, data)


@contextmanager
def changing(path: str | os.PathLike[str], *, may_be_new: bool = False) -> Iterator[dict[str, Any]]:
    """Load a notebook, let the block change it, and write it if it did; nobody else writes it meanwhile.

    With *may_be_new*, a file that does not exist is made, in a directory that does.

    Raises
    ------
    SnapshotError
        As `read` and `write_notebook` do; the file is as it was then.
    """
    target = _target(path)
    with locked(target):
        is_new = may_be_new and not target.exists() and target.parent.is_dir()
        notebook = _empty() if is_new else load(target)
        before = json.dumps(notebook, sort_keys=True)
        yield notebook
        if json.dumps(notebook, sort_keys=True) != before:
            replace_file(target, _encoded(notebook, target.name))


def _empty() -> dict[str, Any]:
    return {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


class FileCarrier:
    """Carries a snapshot in the metadata of a notebook file (`robota_nb.core.ports.Carrier`).

    Parameters
    ----------
    path
        The notebook; one that does not exist is made when something is written.
    """

    level: Level = "saved"  # as soon as it is written

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def write(self, add: Entries, remove: Mapping[str, Iterable[str]], *, replace: bool = False) -> None:
        """Add entries to the file's snapshot and drop others; if that changes nothing, leave the file alone.

        With *replace*, whatever stands there is dropped first.

        Raises
        ------
        SnapshotError
            If the file or the snapshot in it cannot be read, or the new one would not be valid. The file is
            as it was then.
        """
        with changing(self.path, may_be_new=True) as notebook:
            before = dump({}) if replace else notebook["metadata"].get(KEY, dump({}))
            after = _united(before, add, remove, self.path.name)
            if after != before or replace:
                notebook["metadata"][KEY] = after


def _united(value: Any, add: Entries, remove: Mapping[str, Iterable[str]], name: str) -> dict[str, Any]:
    """Return the snapshot *value* with entries added and dropped; *value* itself is not changed."""
    try:
        present = parse(value)
    except NewerFormat:
        raise
    except SnapshotError as error:
        raise SnapshotError(
            f"the snapshot in {name} is malformed and was left as it is ({error})", hint="snapshot.replace"
        ) from error
    sessions = merge(present, add)
    for session, ids in remove.items():
        for entry_id in ids:
            sessions.get(session, {}).pop(entry_id, None)
    after = dump({session: entries for session, entries in sessions.items() if entries})
    if value["format"]["major"] == after["format"]["major"]:
        after["format"] = value["format"]  # a later minor number stays with what it stands for
    parse(after)  # never write what could not be read again
    return {**value, **after}


# -- from the file


def _target(path: str | os.PathLike[str]) -> Path:
    return resolved(path, "give the path of a notebook")


def _bytes(path: Path) -> bytes:
    def opened(name: str, flags: int) -> int:
        # Without O_NONBLOCK a named pipe would keep us waiting for its other end.
        return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))

    try:
        file = open(path, "rb", opener=opened)  # noqa: SIM115 - Path.open takes no opener
    except FileNotFoundError:
        siblings = (sibling.name for sibling in path.parent.glob("*.ipynb"))
        hint = nearest(path.name, siblings)
        raise SnapshotError(f"there is no file {path.name!r}{hint}; check its path") from None
    with file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise SnapshotError(f"{path.name} is no regular file; give the path of a notebook")
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        cap = f"{MAX_FILE_BYTES // 1_000_000} MB"
        raise SnapshotError(f"{path.name} is over the cap of {cap}; clear large outputs and save it again")
    return data


def _decoded(data: bytes, name: str) -> tuple[object, bool]:
    """Parse the text of a notebook file, as `decode` does, or say what has happened to it."""
    text = ""
    try:
        text = data.decode("utf-8-sig")
        return decode(text)
    except UnicodeDecodeError as error:
        reason = damage.of_bytes(data, error)
    except json.JSONDecodeError as error:
        reason = damage.of_text(text, error)
    except RecursionError:
        reason = "is nested too deep; remove the output or metadata that is"
    except ValueError as error:  # an integer of thousands of digits
        reason = f"cannot be read ({error}); remove that value"
    raise SnapshotError(f"{name} {reason}")


def _checked(notebook: Any, name: str) -> dict[str, Any]:
    """Return the notebook if it has what every notebook has, and what nbformat takes for granted."""
    if not isinstance(notebook, dict) or not isinstance(notebook.get("nbformat"), int):
        raise SnapshotError(f"{name} is no notebook; give the path of an .ipynb file")
    if notebook["nbformat"] != _NBFORMAT:
        raise SnapshotError(
            f"{name} is in notebook format {notebook['nbformat']}, not {_NBFORMAT}; open it in JupyterLab and save it"
        )
    if not isinstance(notebook.get("metadata"), dict) or not isinstance(notebook.get("cells"), list):
        raise SnapshotError(f"{name} is a notebook without metadata or cells; restore it from a copy")
    for number, cell in enumerate(notebook["cells"], start=1):
        if not _is_cell(cell):
            raise SnapshotError(f"cell {number} of {name} is not in the notebook format; restore it from a copy")
    return notebook


def _is_cell(cell: object) -> bool:
    if not isinstance(cell, dict) or "cell_type" not in cell or not isinstance(cell.get("metadata"), dict):
        return False
    outputs = cell.get("outputs", None if cell["cell_type"] == "code" else [])
    return isinstance(outputs, list) and all(isinstance(out, dict) and "output_type" in out for out in outputs)


def _ours(notebook: dict[str, Any]) -> Iterator[object]:
    """Yield what may hold a snapshot, and what is around it if something stands there twice."""
    metadata = notebook["metadata"]
    yield metadata.get(KEY)
    yield from (
        around for around in (notebook, metadata) if isinstance(around, AmbiguousObject) and around.key in _AROUND
    )
    for cell in notebook["cells"]:
        yield from (output.get("metadata", {}).get(KEY) for output in cell.get("outputs", ()) if _has_metadata(output))


def _has_metadata(output: dict[str, Any]) -> bool:
    return isinstance(output.get("metadata"), dict)


# -- to the file


def _encoded(notebook: Mapping[str, Any], name: str) -> bytes:
    """Return the bytes that nbformat would write; what cannot be written fails here, before the file is open."""
    from nbformat import from_dict
    from nbformat.v4 import writes  # the text only: `nbformat.writes` would also mend the notebook

    with _writable(notebook, name):
        aside = put_aside(notebook)
        text = writes(from_dict(aside.notebook), allow_nan=False)  # type: ignore[no-untyped-call]
        return aside.whole(f"{text}\n")


@contextmanager
def _writable(value: object, name: str) -> Iterator[None]:
    """Say what is wrong with a value of which no JSON text can be made."""
    reason = ""
    try:
        yield
    except RecursionError:
        reason = "is nested too deep"
    except UnicodeEncodeError:
        reason = f"has a lone surrogate at {_where(value, _has_surrogate)}"
    except (AttributeError, TypeError, ValueError) as error:
        place = _where(value, _is_no_number)
        reason = f"has NaN or infinity at {place}" if place else f"cannot be JSON ({error})"
    if reason:
        raise SnapshotError(f"{name} was not written: the notebook {reason}; remove that and try again")


def _where(notebook: object, wanted: Callable[[object], bool]) -> str:
    """Return the path of a key or value that is as wanted, such as ``cells.0.source``, or an empty string."""
    left: list[tuple[str, object]] = [("", notebook)]
    while left:
        path, value = left.pop()
        if isinstance(value, dict):
            left += [(f"{path}.{key!a}", child) for key, value_ in value.items() for child in (value_, key)]
        elif isinstance(value, (list, tuple)):
            left += [(f"{path}.{number}", child) for number, child in enumerate(value)]
        elif wanted(value):
            return path.removeprefix(".").replace("'", "")
    return ""


def _has_surrogate(value: object) -> bool:
    return isinstance(value, str) and re.search("[\ud800-\udfff]", value) is not None


def _is_no_number(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)
