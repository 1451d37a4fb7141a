"""The file that another program has exported: what it is, and the conversations in it.

Nothing of an archive is written to a disk, and no path of it is used. What is too large is not unpacked.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

from robota_nb.carriers.atomic import explained
from robota_nb.cli.imports import chatgpt, claude, llm
from robota_nb.cli.imports.talks import fields, items
from robota_nb.core.record.json_reader import decode
from robota_nb.errors import SnapshotError

if TYPE_CHECKING:
    from pathlib import Path

    from robota_nb.cli.imports.talks import Talk

MAX_BYTES = 500_000_000
"""A larger file, or a larger one in an archive, is not read."""

MAX_RATIO = 200
"""What grows by more than this when it is unpacked is made to do so: conversations grow by 3 to 20."""

MAX_MEMBERS = 100_000
"""An archive with more files is not looked through: each picture is one."""

_SQLITE = b"SQLite format 3\0"
_CONVERSATIONS = re.compile(r"(?:.*[/\\])?conversations(?:-\d{1,6})?\.json")


class Source(NamedTuple):
    """What a file is: an export of the *program*, with these conversations."""

    program: str
    talks: list[Talk]


def read(path: Path) -> Source:
    """Read the conversations in an export of ChatGPT or Claude, zipped or not, or in a log of llm.

    Raises
    ------
    SnapshotError
        If it is none of these, is damaged, or is too large.
    """
    with explained(path, "read"):
        with path.open("rb") as stream:
            head = stream.read(len(_SQLITE))
        if path.stat().st_size > MAX_BYTES:
            raise SnapshotError(_too_large(path.name))
        if head == _SQLITE:
            return Source(llm.NAME, llm.read_database(path))
        texts = _unpacked(path) if zipfile.is_zipfile(path) else [path.read_bytes()]
    found = [one for text in texts for one in _conversations(text, path.name)]
    for format_ in (chatgpt, claude):
        if talks := [format_.read(one) for one in found if format_.is_one(one)]:
            return Source(format_.NAME, talks)
    if rows := [one for one in found if llm.is_one(one)]:
        return Source(llm.NAME, llm.read_rows(rows))
    raise SnapshotError(
        f"{path.name} holds no conversations that are known: give the export of ChatGPT or Claude (the zip, or its "
        "conversations.json), or what 'llm logs --json -n 0' prints"
    )


def _conversations(data: bytes, name: str) -> list[dict[str, Any]]:
    try:
        value, _ = decode(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):  # no UTF-8, no JSON, nested without end
        raise SnapshotError(f"{name} is no export that can be read: download it again") from None
    if isinstance(value, dict) and isinstance(value.get("conversations"), list):
        value = value["conversations"]
    return [fields(one) for one in (items(value) or [value])]


def _unpacked(path: Path) -> list[bytes]:
    """Return the files of an archive that hold conversations, as far as they may be unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            wanted = [one for one in members[:MAX_MEMBERS] if _CONVERSATIONS.fullmatch(one.filename)]
            if not wanted:
                raise SnapshotError(
                    f"there is no conversations.json in {path.name}: give the export of ChatGPT or Claude"
                )
            if len(members) > MAX_MEMBERS or sum(one.file_size for one in wanted) > MAX_BYTES:
                raise SnapshotError(_too_large(path.name))
            if any(one.file_size > MAX_RATIO * max(one.compress_size, 1_000) for one in wanted):
                raise SnapshotError(f"{path.name} is packed as no export is: it was not unpacked")
            return [_member(archive, one, path.name) for one in wanted]
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise SnapshotError(f"{path.name} cannot be unpacked ({error}): download it again") from None


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> bytes:
    with archive.open(member) as stream:
        data = stream.read(member.file_size + 1)
    if len(data) != member.file_size:
        raise SnapshotError(f"{name} is not as large as it says: it was not unpacked")
    return data


def _too_large(name: str) -> str:
    return f"{name} is over the cap of {MAX_BYTES // 1_000_000} MB: export less of it"
