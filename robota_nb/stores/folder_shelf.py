"""A folder with the files that are too large for a notebook, beside the store: the extension's default."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from robota_nb.core.shelf import MemoryShelf
from robota_nb.errors import StoreError
from robota_nb.stores.faults import ELSEWHERE
from robota_nb.stores.sqlite import default_store_path

if TYPE_CHECKING:
    from robota_nb.core.ports import Shelf

__all__ = ["FolderShelf", "default_shelf"]

_NAME = re.compile(r"[0-9a-f]{64}")


def default_shelf() -> Shelf:
    """Return the shelf beside the store: a folder, or this process where the store is in memory."""
    if os.environ.get("ROBOTA_NB_STORE") == "memory":
        return MemoryShelf()
    store = default_store_path()
    return FolderShelf(store.with_name(f"{store.stem}-files"))


class FolderShelf:
    """Keep files in a folder, each under its SHA-256; see `robota_nb.core.ports.Shelf` for what each method promises.

    The folder (mode 0700) is made with the first file (mode 0600). A file is there whole or not at all.

    Parameters
    ----------
    path
        The folder.

    Raises
    ------
    StoreError
        From every method, if a file cannot be read, written or removed; its text is one line and a next step.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path).absolute()  # a later chdir changes nothing

    def put(self, data: bytes) -> None:
        """Keep a file with this *data*."""
        place = self._path / sha256(data).hexdigest()
        try:
            if place.exists():
                return
            self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=self._path, delete=False) as part:  # private from its first moment
                try:
                    part.write(data)
                    part.flush()
                    os.fsync(part.fileno())
                    Path(part.name).replace(place)
                except BaseException:
                    with suppress(OSError):
                        Path(part.name).unlink()
                    raise
        except OSError as error:
            raise self._failure("written", error) from error

    def get(self, sha256: str) -> bytes | None:
        """Return the file of this *sha256*; None if it is not here, or is not what it was."""
        if not _NAME.fullmatch(sha256):
            return None
        try:
            data = (self._path / sha256).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._failure("read", error) from error
        return data if _digest(data) == sha256 else None

    def drop(self, sha256: str) -> None:
        """Remove the file of this *sha256*."""
        if not _NAME.fullmatch(sha256):
            return
        try:
            (self._path / sha256).unlink(missing_ok=True)
        except OSError as error:
            raise self._failure("removed", error) from error

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._path.name!r})"

    @staticmethod
    def _failure(done: str, error: OSError) -> StoreError:
        reason = error.strerror or type(error).__name__
        return StoreError(f"a file beside the store could not be {done} ({reason}); check the disk, {ELSEWHERE}")


def _digest(data: bytes) -> str:
    return sha256(data).hexdigest()
