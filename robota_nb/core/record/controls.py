"""Control characters in texts from strangers, and what they introduce, stripped before anything is shown or sent."""

from __future__ import annotations

import re

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class ControlStripper:
    r"""Strips control characters but ``\n`` and ``\t``, and what they introduce (ECMA-48), from a text in pieces.

    A sequence may be cut anywhere. One that never ends takes its line with it, no more.
    """

    def __init__(self) -> None:
        self._state = "text"

    def __call__(self, piece: str) -> str:
        """Return what is text in the next *piece*."""
        if self._state == "text" and not _CONTROL.search(piece):
            return piece
        return "".join(filter(self._shows, piece))

    def _shows(self, char: str) -> bool:
        """Move on by one character; return whether it is text."""
        if char == "\x1b":
            self._state = "escape"
            return False
        if self._state != "text" and self._within(char):
            return False
        if char == "\x9b":
            self._state = "csi"
        elif char in "\x90\x98\x9d\x9e\x9f":
            self._state = "string"
        return not _CONTROL.match(char)

    def _within(self, char: str) -> bool:
        """Return whether *char* belongs to the sequence that is open, and see if it ends there."""
        if self._state == "string":  # of an operating system command, a device control…
            self._state = "text" if char in "\x07\x9c\x18\x1a\n" else "string"
            return char != "\n"
        if self._state == "escape" and char in "[]PX^_":
            self._state = "csi" if char == "[" else "string"
            return True
        if " " <= char <= ("?" if self._state == "csi" else "/"):
            return True
        first = "@" if self._state == "csi" else "0"
        self._state = "text"
        return first <= char <= "~"


def strip_controls(text: str) -> str:
    r"""Return *text* without control characters but ``\n`` and ``\t``, and without what they introduce."""
    return ControlStripper()(text)
