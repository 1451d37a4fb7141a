"""Pictures and files in prompts: as entries, and as requests carry them.

A file is kept as pictures are, by an entry of the kind ``image``, so that a reader of format 1.0 carries, exports and
purges it; and as it is no picture, sends and shows nothing of it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from robota_nb.core.record.entries import entry_id, parts_of, to_lines
from robota_nb.core.record.kinds import added, is_name, is_source_hash
from robota_nb.core.record.text import fenced
from robota_nb.core.record.types import File, Image
from robota_nb.errors import FileAbsent, SnapshotError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from robota_nb.core.record.types import Attachment, CellPart, Entry, ImageEntry, ImagePart, PictureItem

MAX_IMAGE_BYTES = 2_000_000
"""A larger picture is refused, and a larger file stays out of the notebook, whose snapshot may have 20 MB."""

MAX_FILE_BYTES = 20_000_000
"""A larger file is refused."""

TEXT, PDF = "text/plain", "application/pdf"
AUDIO: Mapping[str, str] = {"audio/wav": "wav", "audio/mpeg": "mp3"}
"""What may be heard, with its name in requests."""

_PICTURES = (("image/png", b"\x89PNG\r\n\x1a\n"), ("image/jpeg", b"\xff\xd8\xff"), ("image/gif", b"GIF87a"),
             ("image/gif", b"GIF89a"), ("image/webp", b"RIFF....WEBP"))  # fmt: skip
_BASE64_LINE = 76
_LANGUAGES: Mapping[CellPart, str] = {"code": "python", "shown": "python", "markdown": "markdown"}
_PICTURE = re.compile(r"image/[a-z0-9.+-]{1,60}")
_SUFFIX = re.compile(r"\.([A-Za-z0-9+-]{1,20})$")


class Attached(NamedTuple):
    """A place in a message where a picture or a file stands.

    Parameters
    ----------
    id
        Its entry's.
    name
        The file's; empty for a picture without a name.
    cell, source
        What of a cell it is, and the hash of its source, as in `File`.
    """

    id: str
    name: str = ""
    cell: CellPart = ""
    source: str = ""

    @property
    def said(self) -> str:
        """All that tells it from others; empty for what a cell shows: that may be another each time that it runs."""
        if self.cell:
            return f"{self.cell} {self.source}" if self.source else ""
        return f"{self.id} {self.name}" if self.name else self.id

    def part(self) -> ImagePart:
        """Return how it stands in the content of a message."""
        part: ImagePart = {"image": self.id}
        if self.name:
            part["name"] = self.name
        if self.cell:
            part["cell"] = self.cell
        if self.source:
            part["source"] = self.source
        return part


def attached_in(content: Iterable[Any]) -> tuple[Attached, ...]:
    """Return the pictures and files of a content; a name that cannot be shown is none."""
    parts = (part for part in parts_of(list(content)) if "image" in part)
    return tuple(_attached(part) for part in parts)


def _attached(part: Mapping[str, Any]) -> Attached:
    name = str(part["name"]) if is_name(part.get("name")) else ""
    cell, source = part.get("cell"), part.get("source")
    if cell == "output":
        return Attached(part["image"], name, cell)
    if name and cell in ("code", "shown", "markdown") and is_source_hash(source):
        return Attached(part["image"], name, cell, source)
    return Attached(part["image"], name)


# -- as entries


def image_entry(*, media_type: str, data: bytes) -> ImageEntry:
    """Return a picture or a file as an entry; equal ones are one entry, whatever they are called.

    Of a file that is too large for a notebook, the entry says which it is, and not what is in it.
    """
    if len(data) > MAX_IMAGE_BYTES and not is_picture_type(media_type):
        return _beside(media_type, hashlib.sha256(data).hexdigest(), len(data))
    lines = to_lines(data.decode()) if media_type == TEXT else _base64_lines(data)
    return {"kind": "image", "media_type": media_type, "data": lines}


def _beside(media_type: str, sha256: str, size: int) -> ImageEntry:
    return {"kind": "image", "media_type": media_type, "data": [], "sha256": sha256, "size": size}


def picture_item(image: Image) -> PictureItem:
    """Return a picture of an answer, which stands in its entry.

    So a reader that does not know of it exports and purges it with the answer, and does not send it as a part of that,
    which servers refuse.
    """
    return {"media_type": image.media_type, "data": _base64_lines(image.data)}


def _base64_lines(data: bytes) -> list[str]:
    text = base64.b64encode(data).decode()
    return [text[at : at + _BASE64_LINE] for at in range(0, len(text), _BASE64_LINE)]


def attached_entries(attachments: Iterable[Attachment]) -> dict[Attached, Entry]:
    """Return the entries of pictures and files, in order, by where they stand in a message.

    Raises
    ------
    SnapshotError
        If one is larger than a snapshot may carry.
    """
    found: dict[Attached, Entry] = {}
    for one in attachments:
        name, absent, source = (one.name, one.absent, one.source) if isinstance(one, File) else ("", None, "")
        most = MAX_IMAGE_BYTES if is_picture_type(one.media_type) else MAX_FILE_BYTES
        if len(one.data) > most:
            what = f"the file {name!r}" if name else "a picture"
            step = "send a part of it" if name else "make it smaller"
            raise SnapshotError(f"{what} of {len(one.data):,} bytes is over the cap of {most:,}: {step}")
        entry = _beside(one.media_type, *absent) if absent else image_entry(media_type=one.media_type, data=one.data)
        found[Attached(entry_id(entry), name, one.cell, source)] = entry
    return found


def sign_in(data: bytes, signs: Iterable[tuple[str, bytes]]) -> str:
    """Return the first type whose sign the bytes begin with; ``....`` in one stands for the size in a RIFF file."""
    head = data[:12]
    in_riff = head[:4] + b"...." + head[8:] if head.startswith(b"RIFF") else head
    return next((media_type for media_type, sign in signs if in_riff.startswith(sign)), "")


def picture_type(data: bytes) -> str:
    """Return the type of a picture by how its bytes begin; empty if it is none that models take and pages show."""
    return sign_in(data, _PICTURES)


def is_picture_type(media_type: str) -> bool:
    """Say whether this is the type of a picture, whoever sends it, and as a file or not."""
    return _PICTURE.fullmatch(media_type) is not None


def is_picture(entry: Entry | PictureItem) -> bool:
    """Say whether what is attached is a picture."""
    return is_picture_type(entry.get("media_type", ""))


def size_of(entry: Entry) -> int:
    """Return the size of a file in bytes; 0 if it was purged."""
    if size := added(entry, "size"):
        return int(size)
    text = "".join(entry.get("data", ()))
    if entry.get("media_type") == TEXT:
        return len(text.encode())
    return len(text) * 3 // 4 - text[-2:].count("=")


def kept_beside(entry: Entry) -> str:
    """Return the SHA-256 of a file that is too large for a notebook; empty for any other entry."""
    return added(entry, "sha256") or "" if entry.get("kind") == "image" and not is_picture(entry) else ""


def attachment_of(
    entry: Entry | PictureItem, at: Attached | None = None, fetch: Callable[[str], bytes | None] = lambda _: None
) -> Attachment | None:
    """Return the picture or, of a place with a name, the file in an entry; None if it was purged, or is not sent.

    Parameters
    ----------
    entry
        The entry.
    at
        Where in a message it stands, if it does in one.
    fetch
        Returns a file that is too large for a notebook, by its SHA-256, if it is on this machine.
    """
    media_type = entry.get("media_type", "")
    name, cell, source = (at.name, at.cell, at.source) if at else ("", "", "")
    if not is_picture(entry) and not (name and media_type in (TEXT, PDF, *AUDIO)):
        return None
    if name and (sha256 := kept_beside(entry)):
        found = fetch(sha256)
        absent = None if found is not None else (sha256, size_of(entry))
        return File(
            name=name, media_type=media_type, data=found or b"", absent=absent, cell=cell, source=source
        )  # fmt: skip
    try:
        text = "".join(entry["data"])
        data = text.encode() if media_type == TEXT else base64.b64decode(text, validate=True)
    except (KeyError, ValueError):
        return None
    if name:
        return File(name=name, media_type=media_type, data=data, cell=cell, source=source)
    return Image(media_type=media_type, data=data, cell=cell)


# -- as requests carry them


def content_parts(text: str, attachments: Iterable[Attachment]) -> str | list[dict[str, Any]]:
    """Return a message's content as a request carries it (see `robota_nb.core.ports.Request`).

    Raises
    ------
    FileAbsent
        If it needs a file that is not on this machine.
    """
    told, parts = [text], list[dict[str, Any]]()
    for one in attachments:
        if isinstance(one, File) and one.absent:
            raise FileAbsent(one.name, one.absent[1])
        if isinstance(one, File) and one.media_type == TEXT:
            told.append(_as_text(one))
        else:
            parts.append(_part(one))
    said = "\n\n".join(told)
    return [{"type": "text", "text": said}, *parts] if parts else said


def _as_text(file: File) -> str:
    if file.cell:
        return f"{file.name[0].upper()}{file.name[1:]}:\n{fenced(file.data.decode(), _LANGUAGES.get(file.cell, ''))}"
    suffix = _SUFFIX.search(file.name)
    return f"File {file.name}:\n{fenced(file.data.decode(), suffix[1].lower() if suffix else '')}"


def _part(one: Attachment) -> dict[str, Any]:
    data = base64.b64encode(one.data).decode()
    if one.media_type in AUDIO:
        return {"type": "input_audio", "input_audio": {"data": data, "format": AUDIO[one.media_type]}}
    url = f"data:{one.media_type};base64,{data}"
    if one.media_type == PDF and isinstance(one, File):
        return {"type": "file", "file": {"filename": one.name, "file_data": url}}
    return {"type": "image_url", "image_url": {"url": url}}


def named_part(part: Mapping[str, Any]) -> str:
    """Return in words what a part of a request's message is that is no text."""
    if part.get("type") == "file":
        return f"file {part['file'].get('filename', '')}"
    return "sound" if part.get("type") == "input_audio" else "picture"
