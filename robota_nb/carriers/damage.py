"""What has happened to a notebook's file that is no JSON: what it is in place of that, and the next step."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import json

_LFS = ("version https://git-lfs.github.com/spec/", "version https://hawser.github.com/spec/")
_ANNEX = "/annex/objects/"
_GIT_CRYPT = b"\0GITCRYPT\0"
_MARKER = re.compile(r"^(?:<{7,}|\|{7,}|>{7,})(?=[ \r]|$)|^={7,}\r?$", re.MULTILINE)  # longer ones are an option of git
_UNFINISHED = "if it is still being written, try again when that is done, else restore it from a copy"


def of_bytes(data: bytes, error: UnicodeDecodeError) -> str:
    """Say what is the matter with a file that is no text."""
    if data.startswith(_GIT_CRYPT):
        return "is encrypted by git-crypt: run 'git-crypt unlock' to have the notebook itself"
    return f"is not UTF-8 text (byte {error.start}); give the path of a notebook"


def of_text(text: str, error: json.JSONDecodeError) -> str:
    """Say what is the matter with a text that is no JSON."""
    body = text.rstrip()
    if not body:
        return f"is empty; {_UNFINISHED}"
    if marker := _MARKER.search(text):
        line = text.count("\n", 0, marker.start()) + 1
        return f"has git conflict markers (line {line}); resolve the merge first"
    if body.startswith(_LFS):
        return "is a Git LFS pointer, not the notebook itself; run 'git lfs pull' to get that"
    if body.startswith(_ANNEX):
        return "is a git-annex pointer, not the notebook itself; run 'git annex get' to get that"
    cut = error.pos >= len(body) or error.msg.startswith("Unterminated string") or not body.endswith("}")
    if body.startswith("{") and cut:
        lines = body.count("\n") + 1
        return f"is truncated: it ends in the middle, at line {lines}; {_UNFINISHED}"
    return f"is not JSON ({error.msg}, line {error.lineno} column {error.colno}); give the path of a notebook"
