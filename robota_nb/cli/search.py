"""Finds what was said in the notebooks of a folder; nothing is run, and no kernel is asked."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from robota_nb.carriers import file, output
from robota_nb.core.record import snapshot
from robota_nb.core.rules.search import by_use, holds
from robota_nb.display.hints import told
from robota_nb.display.notices import notice
from robota_nb.errors import SnapshotError
from robota_nb.sync.search import found_in
from robota_nb.sync.unsaved import Unsaved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from robota_nb.core.rules.search import Match

_HELD = snapshot.KEY.encode()
"""What stands in each notebook that holds conversations, in its metadata or in its outputs."""


def search(text: str, folder: Path, tell: Callable[[str], None]) -> list[Match]:
    """Return the turns that hold a text in the notebooks of a folder and those below it, what was used last first.

    Parameters
    ----------
    text
        What is looked for.
    folder
        Where; a notebook may be given, too.
    tell
        Takes one line for the user about each notebook that cannot be read.
    """
    known = Unsaved(lambda: None, lambda of: tell(notice(of)))
    found: list[Match] = []
    for path in _notebooks(folder):
        try:
            data = file.read_bytes(path)
            if _HELD not in data:
                continue
            held = snapshot.merge(*output.read(file.loads(data, path.name)))
        except SnapshotError as error:
            tell(f"{path}: {told(error)}")
            continue
        if sessions := {sid: entries for sid, entries in held.items() if holds(entries.values(), text)}:
            found += found_in(sessions, text, str(path), known.unknown(sessions) or frozenset())
    return by_use(found)


def _notebooks(folder: Path) -> Iterator[Path]:
    if folder.is_file():
        yield folder
        return
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))  # such as .ipynb_checkpoints
        yield from (Path(here, name) for name in sorted(names) if name.endswith(".ipynb"))
