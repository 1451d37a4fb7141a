"""Finds the notebook that a tool runs without saying which: by the cells that have run, in the working directory alone.

Files are only read; what an answer in one of them is worth is for the caller to say.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from robota_nb.carriers import file
from robota_nb.core.record.entries import to_text
from robota_nb.errors import NotebookUnknown, SnapshotError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from robota_nb.core.turn import Turn

MAX_FILES = 200
MAX_BYTES = 50_000_000
"""A folder with more notebooks, or with larger ones in all, is not searched: one that was left out might fit, too."""

_OPTIONAL = {"injected-parameters", "skip-execution"}
"""Tags of cells that tools replace, or leave out."""

_PUT_IN = re.compile(r"# (Injected p|P)arameters$|import os\s+os\.environ\[\"VOILA_", re.MULTILINE)
"""How cells begin that are in no file: papermill and ploomber-engine put parameters in, voila the kernel's id."""


class Ran(NamedTuple):
    """The cells that have run in a kernel.

    Parameters
    ----------
    sources
        Their sources, the running one's last.
    from_start
        Whether these are all of them, or those from the one on that has loaded the extension.
    """

    sources: Sequence[str]
    from_start: bool


class Found(NamedTuple):
    """A notebook file that begins with the cells that have run.

    Parameters
    ----------
    path, notebook
        The file, and what stands in it.
    sources
        The sources of those of its cells that have run.
    """

    path: Path
    notebook: dict[str, Any]
    sources: Sequence[str]


def find(
    folder: Path, ran: Ran, answered: Callable[[Found], Turn | None], environ: Mapping[str, str] = os.environ
) -> Found | None:
    """Return the notebook that is being run; None if there is none that is sure to be it, or has no answer.

    Parameters
    ----------
    folder
        Where to look, and not below it.
    ran
        The cells that have run.
    answered
        Returns the answer that a notebook has to what is asked now, or None.
    environ
        The environment, in which some tools name the notebook.

    Raises
    ------
    NotebookUnknown
        If several begin with these cells, and not all of them have the same answer.
    """
    named = named_by_tool(folder, environ)
    paths = [named] if named else _notebooks(folder)
    fits = [found for path in paths if (found := fitting(path, ran))]
    answers = [(found, answered(found)) for found in fits]
    known = [(found, turn) for found, turn in answers if turn is not None]
    if not known:
        return None
    (first, turn), *_ = known
    for other, said in answers:
        if said is None or (said.text, said.finish_reason) != (turn.text, turn.finish_reason):
            raise NotebookUnknown(
                f"{first.path.name} and {other.path.name} both begin with the cells that have run, and differ in this "
                "answer: set ROBOTA_NB_NOTEBOOK to the path of the one that is run"
            )
    return first


def named_by_tool(folder: Path, environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return the notebook in a folder that the tool names which runs it there; None if it names none."""
    said = environ.get
    by_voila = said("SCRIPT_NAME", "") if said("SERVER_SOFTWARE", "").startswith("voila/") else ""
    by_pytest = said("PYTEST_CURRENT_TEST", "").partition("::")[0]  # as under nbmake
    for name in (unquote(by_voila), by_pytest, said("QUARTO_DOCUMENT_FILE", "")):
        path = folder / name.replace("\\", "/").rpartition("/")[2]
        if name.endswith(".ipynb") and path.is_file():
            return path
    return None


def _notebooks(folder: Path) -> list[Path]:
    """Return the notebooks of a folder, by name; none if there are too many to read them all."""
    found: list[os.DirEntry[str]] = []
    size = 0
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".ipynb") and not entry.name.startswith(".") and entry.is_file():
                found.append(entry)
                size += entry.stat().st_size
                if len(found) > MAX_FILES or size > MAX_BYTES:
                    return []
    return sorted(Path(entry.path) for entry in found)


def fitting(path: Path, ran: Ran) -> Found | None:
    """Return a notebook if it begins with the cells that have run."""
    with suppress(SnapshotError):  # no notebook, or not one that can be read
        notebook = file.load(path)
        cells = [cell for cell in map(_code, notebook["cells"]) if cell is not None]
        for start in range(1 if ran.from_start else len(cells)):
            if (sources := _beginning(cells[start:], ran.sources)) is not None:
                return Found(path, notebook, sources)
    return None


def _code(cell: Mapping[str, Any]) -> tuple[str, bool] | None:
    """Return the source of a code cell, and whether a tool may run the notebook without it; None for other cells."""
    source = cell.get("source", "")
    text = source if isinstance(source, str) else to_text(source if isinstance(source, list) else ())
    if cell["cell_type"] != "code" or not text.strip():
        return None
    tags = cell["metadata"].get("tags", ())
    return text, isinstance(tags, list) and any(tag in _OPTIONAL for tag in tags if isinstance(tag, str))


def _beginning(cells: Sequence[tuple[str, bool]], ran: Sequence[str]) -> list[str] | None:
    """Return the sources of those of these cells that have run, if they come first; None if they do not."""
    taken, at = list[str](), 0
    for source in ran:
        here = at
        while here < len(cells) and cells[here][1] and not _same(cells[here][0], source):
            here += 1
        if here < len(cells) and _same(cells[here][0], source):
            taken.append(cells[here][0])
            at = here + 1
        elif source.strip() and not _PUT_IN.match(source):
            return None
    return taken or None


def _same(one: str, other: str) -> bool:
    return one.rstrip("\n") == other.rstrip("\n")
