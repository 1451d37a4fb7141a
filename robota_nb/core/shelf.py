"""The files that are too large for a notebook, kept as long as their process: the library's default."""

from __future__ import annotations

from hashlib import sha256


class MemoryShelf:
    """Keep files in this process; see `robota_nb.core.ports.Shelf` for what each method promises."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}

    def put(self, data: bytes) -> None:
        """Keep a file with this *data*."""
        self._files[sha256(data).hexdigest()] = data

    def get(self, sha256: str) -> bytes | None:
        """Return the file of this *sha256*; None if it is not here."""
        return self._files.get(sha256)

    def drop(self, sha256: str) -> None:
        """Remove the file of this *sha256*."""
        self._files.pop(sha256, None)
