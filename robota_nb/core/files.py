"""Files for a prompt: from a path, bytes or a text to what a model can be sent.

What a file is, its content tells, not its name. It is read when somebody asks with it, never as a notebook names it.
"""

from __future__ import annotations

import codecs
import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from robota_nb.core.record.attachments import MAX_FILE_BYTES, MAX_IMAGE_BYTES, PDF, TEXT, picture_type, sign_in
from robota_nb.core.record.entries import MAX_NAME, clean
from robota_nb.core.record.text import seen
from robota_nb.core.record.types import File
from robota_nb.core.users import expanded
from robota_nb.errors import PromptError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from robota_nb.core.ports import Attachment, Image

__all__ = [
    "AnyFile",
    "Read",
    "along",
    "check_size",
    "from_bytes",
    "from_path",
    "from_text",
    "given",
    "is_absent",
    "is_file",
    "name_of",
    "read",
]

_OTHER_SIGNS = (("audio/wav", b"RIFF....WAVE"), ("audio/mpeg", b"ID3"), ("audio/mpeg", b"\xff\xfb"),
                ("audio/mpeg", b"\xff\xf3"), ("audio/mpeg", b"\xff\xf2"))  # fmt: skip
_HEAD = 1000
"""Bytes in which a file says what it is."""

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"), (codecs.BOM_UTF8, "utf-8-sig"),
)  # fmt: skip
"""The longer ones first: one begins as another."""

_SAYS_ENCODING = re.compile(rb"(?:coding|charset)[:=][ \t]*[\"']?([-\w.]+)")
"""How Python, XML, HTML and editors have a file say its encoding in its first lines."""

_GUESS = "cp1252"
_NO_TEXT = re.compile("[\0-\x08\x0e-\x1a\x1c-\x1f\x7f]")


_SMALLER = "draw it with fewer dots per inch (dpi), or send a smaller picture"
_PART = "send a part of it"

AnyFile: TypeAlias = "File | str | os.PathLike[str]"
"""What a program may give for a file: its path, or itself."""


class Read(NamedTuple):
    """A file, and what its user should know of how it was read; nothing if empty."""

    file: File
    notice: str = ""


def given(files: Iterable[AnyFile]) -> list[Read]:
    """Return the files that a program gives, by their paths or as they are; raises as `from_path` does."""
    return [Read(one) if isinstance(one, File) else from_path(one) for one in files]


def along(images: Sequence[Image], files: Sequence[Read]) -> tuple[Attachment, ...]:
    """Return what goes along with a prompt, in order, and none of it twice."""
    return tuple(dict.fromkeys((*images, *(one.file for one in files))))


def is_file(path: str) -> bool:
    """Say whether there is a file at a path, and no folder or device."""
    try:
        return Path(expanded(path)).is_file()
    except (OSError, ValueError):
        return False


def is_absent(path: str | os.PathLike[str]) -> bool:
    """Say whether there is nothing at a path, or a link to nothing."""
    try:
        return not Path(expanded(os.fspath(path))).exists()
    except (OSError, ValueError):  # a null character, a name that is too long, a circle of links
        return True


def name_of(path: str | os.PathLike[str]) -> str:
    """Return what a model is told that a file is called: without the folders that it is in."""
    last = re.split(r"[/\\]", os.fspath(path))[-1]
    name = " ".join(seen(clean(last), MAX_NAME - 1).split())
    return name or "file"


def from_path(path: str | os.PathLike[str]) -> Read:
    """Read a file.

    Parameters
    ----------
    path
        Where it is. A link is followed; a folder or a device is not read.

    Raises
    ------
    PromptError
        If it cannot be read, is too large, or is none that models take.
    """
    return from_bytes(*read(path))


def read(path: str | os.PathLike[str], *, picture: bool = False) -> tuple[bytes, str]:
    """Return what is in a file, and its name; raises as `from_path` does. Only a *picture* is wanted, or any file."""
    name, size, data = name_of(path), 0, b""
    try:
        place = Path(expanded(os.fspath(path)))
        mode = place.stat().st_mode
        if stat.S_ISREG(mode):  # others are not opened: that may wait, or do something
            with place.open("rb") as opened:
                size = os.fstat(opened.fileno()).st_size
                data = b"" if size > MAX_FILE_BYTES else opened.read(MAX_FILE_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise PromptError(f"no file {name!r}: check its path") from None
    except (OSError, ValueError) as error:
        raise PromptError(f"{name!r} cannot be read ({type(error).__name__}): check the file") from None
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "a device or the like"
        raise PromptError(f"{name!r} is {what}, not a file: name a file")
    check_size(size, repr(name), picture=picture)
    return data, name


def from_bytes(data: bytes, name: str) -> Read:
    """Return the file with this content; raises as `from_path` does."""
    media_type = _type_of(data)
    check_size(len(data), repr(name), picture=media_type.startswith("image/"))
    if media_type:
        return Read(File(name=name, media_type=media_type, data=data))
    text, notice = _decoded(data, name)
    return Read(from_text(text, name), notice)


def from_text(text: str, name: str) -> File:
    """Return the file with this text; raises as `from_path` does."""
    data = clean(text).encode()
    check_size(len(data), repr(name))
    return File(name=name, media_type=TEXT, data=data)


def check_size(size: int, what: str, *, picture: bool = False) -> None:
    """Raise `PromptError` if a file, or a *picture*, of so many bytes is over the cap; *what* it is called."""
    most, kind, step = (MAX_IMAGE_BYTES, " for a picture", _SMALLER) if picture else (MAX_FILE_BYTES, "", _PART)
    if size > most:
        raise PromptError(f"{what} has {size:,} bytes, over the cap of {most:,}{kind}: {step}")


def _type_of(data: bytes) -> str:
    if data[:_HEAD].lstrip().startswith(b"%PDF-"):
        return PDF
    return picture_type(data) or sign_in(data, _OTHER_SIGNS)


def _decoded(data: bytes, name: str) -> tuple[str, str]:
    """Return the text of a file, and what its user should know of its encoding."""
    declared = _SAYS_ENCODING.search(data[:_HEAD])
    marked = next((encoding for bom, encoding in _BOMS if data.startswith(bom)), "")
    for encoding in (marked or "utf-8", declared[1].decode("ascii", "replace") if declared else ""):
        text = _as(encoding, data)
        if text is not None and "\0" not in text:
            return text, ""
    text = None if marked else _as(_GUESS, data)
    if text is None or _NO_TEXT.search(text):
        raise PromptError(
            f"{name!r} is no text, PDF, WAV, MP3 or picture, and models take no other files: "
            "save it as PDF, or send its text"
        )
    return text, (
        f"{name!r} is not in UTF-8, and does not say in what: it was read as Windows-1252. If that is wrong, read it "
        "yourself, as in text = open(path, encoding=…).read(), and name the variable"
    )


def _as(encoding: str, data: bytes) -> str | None:
    try:
        return data.decode(encoding) if encoding else None
    except (LookupError, ValueError):  # unknown, no encoding of texts, or not this one
        return None
