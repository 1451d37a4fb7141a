"""Take the conversations out of a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from robota_nb.carriers import file
from robota_nb.core.record.snapshot import KEY

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping


def strip(notebook: MutableMapping[str, Any]) -> bool:
    """Remove all that robota_nb keeps in the metadata of a notebook and of its outputs; say whether there was any.

    None of it is read, so a snapshot that is damaged, or too new to be read, goes as well.
    """
    found = [metadata for metadata in _metadata(notebook) if KEY in metadata]
    for metadata in found:
        del metadata[KEY]
    return bool(found)


def _metadata(notebook: MutableMapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield notebook["metadata"]
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            if isinstance(output.get("metadata"), dict):
                yield output["metadata"]


def stripped(data: bytes, name: str) -> bytes:
    """Return a notebook's file without its conversations; one that has none comes back as it is.

    Raises
    ------
    SnapshotError
        If it is no notebook that can be read.
    """
    notebook = file.loads(data, name)
    return file.dumps(notebook, name) if strip(notebook) else data
