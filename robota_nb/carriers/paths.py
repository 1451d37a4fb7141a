"""Which file a path means."""

from __future__ import annotations

import ntpath
import os
from pathlib import Path, PureWindowsPath

from robota_nb.errors import SnapshotError

__all__ = ["is_device", "resolved"]

_ON_WINDOWS = os.name == "nt"


def resolved(path: str | os.PathLike[str], remedy: str) -> Path:
    """Return the file itself, behind symlinks; ``~`` is a name like any other here.

    Parameters
    ----------
    path
        What somebody has said.
    remedy
        What to do if it is no path.

    Raises
    ------
    SnapshotError
        If there can be no such file.
    """
    try:
        found = Path(os.path.realpath(path))
        found.exists()
    except (ValueError, OSError) as error:  # a null character, too long
        reason = error.strerror if isinstance(error, OSError) else error
        raise SnapshotError(f"{str(path)[:100]!r} is no path ({reason}); {remedy}") from None
    if _ON_WINDOWS and is_device(path):
        raise SnapshotError(f"{found.name!r} is a device of Windows, not a file; choose another name")
    return found


def is_device(path: str | os.PathLike[str]) -> bool:
    """Say whether Windows takes a path for a device, such as ``NUL`` or ``con.md``: what is written there is lost."""
    if is_reserved := getattr(ntpath, "isreserved", None):  # from Python 3.13
        return bool(is_reserved(path))
    return PureWindowsPath(path).is_reserved()
