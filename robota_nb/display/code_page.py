"""Texts for outputs that cannot show every character: a pipe on Windows, a log in ASCII."""

from __future__ import annotations

import codecs
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

__all__ = ["printable"]

_PLAIN = "robota_nb.plain"
"""The name of the error handler: plain marks in the place of ours, escapes for all else that the page lacks."""

_MARKS = {
    "▸": ">", "·": "-", "—": "-", "…": "...", "→": "->", "└": "`", "├": "|", "│": "|", "─": "-", "◇": "*", "⎇": "Y",
}  # fmt: skip


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(_MARKS.get(char) or char.encode("ascii", "backslashreplace").decode() for char in text), error.end


codecs.register_error(_PLAIN, _plain)


def printable(text: str, stream: TextIO | None = None) -> str:
    """Return a text as a stream can show it, by default the standard output."""
    encoding = getattr(stream or sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, _PLAIN).decode(encoding)
