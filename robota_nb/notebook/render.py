"""Shows answers: rendered Markdown in a notebook, plain streaming text in a terminal.

What a finished answer leaves behind depends on its text, its finish_reason and its metadata alone, never on
how it arrived: the live end and the replay are the same code, `NotebookRenderer.replay`.
"""

from __future__ import annotations

import math
import re
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from robota_nb.core.entries import clean, new_id
from robota_nb.core.interrupts import deferred
from robota_nb.core.snapshot import KEY
from robota_nb.notebook.segments import Segmenter, split

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.core.ports import FinishReason

__all__ = ["NotebookRenderer", "Publish", "TerminalRenderer", "choose_renderer"]

Publish: TypeAlias = Callable[[dict[str, Any], dict[str, Any], str, bool], None]
"""Sends one output: mime bundle, output metadata, display id, and whether it updates that display."""

INTERVAL = 0.1
"""Seconds between two updates of a segment that is growing."""

BUDGET = 40_000
"""Bytes a second for such updates: the longer the segment, the fewer of them."""

_OVERHEAD = 600  # bytes of a message around its text

_NOTES = {
    "length": "cut off at the length limit",
    "content_filter": "stopped by the content filter",
    "tool_calls": "stopped to call a tool, and no tool was offered",
    "interrupted": "interrupted",
    "error": "the connection broke; run the cell again to ask again",
    "unknown": "the stream ended without saying that it was complete",
}
_EMPTY = "the answer is empty"


def _note(reason: str, *, blank: bool) -> str:
    """Return the line that says how an answer ended, or nothing if it simply ended."""
    if reason == "stop":
        return _EMPTY if blank else ""
    return _NOTES.get(reason, _NOTES["unknown"])


class NotebookRenderer:
    """Shows one answer as Markdown outputs, one for each segment; the last one is updated while it grows.

    Parameters
    ----------
    publish
        Sends an output to the front end.
    clock
        Seconds that only grow.
    """

    def __init__(self, publish: Publish, clock: Callable[[], float] = time.monotonic) -> None:
        self._publish = publish
        self._clock = clock
        self._segmenter = Segmenter()
        self._deltas: list[str] = []
        self._open = 0  # index of the segment that grows
        self._id = new_id("answer")
        self._shown: dict[int, tuple[str, dict[str, Any]]] = {}
        self._due = -math.inf  # when the next update may go out
        self._paid = -math.inf  # when what was sent fits the budget

    def feed(self, delta: str) -> None:
        """Show more text: the first at once, the rest when an update is due."""
        self._deltas.append(delta)
        closed = self._segmenter.feed(delta)
        for text in closed:
            self._show(self._open, text)
            self._open += 1
        # A segment that closes hands its last lines on: they must not be gone until the next update.
        if closed or (delta and self._clock() >= self._due):
            self._show(self._open, self._segmenter.open)

    def finish(self, reason: FinishReason, metadata: Mapping[str, Any]) -> None:
        """Show the last text and how it ended; *metadata* goes into the metadata of the last output."""
        self.replay("".join(self._deltas), reason, metadata)

    def replay(self, text: str, reason: FinishReason, metadata: Mapping[str, Any]) -> None:
        """Show a whole answer as a live one is left behind: an output for each segment, at least one.

        On a renderer that was fed it brings the outputs in line with *text*: after an interrupt, which can
        strike between a delta's record and its display, the recorded text is what a replay will show.
        """
        note = _note(reason, blank=not text.strip())
        *closed, last = split(clean(text), f"*— {note}*" if note else "")
        for index, segment in enumerate(closed):
            self._show(index, segment)
        self._show(len(closed), last, {KEY: dict(metadata)} if metadata else {})

    def _show(self, index: int, text: str, metadata: dict[str, Any] | None = None) -> None:
        """Display segment *index*, or update it, unless it stands there just so."""
        output = (clean(text), metadata or {})
        if self._shown.get(index) == output:
            return
        with deferred():  # an interrupt in between would have it displayed twice
            self._publish({"text/markdown": output[0]}, output[1], f"{self._id}_{index}", index in self._shown)
            self._shown[index] = output
        self._charge(len(output[0].encode()) + _OVERHEAD)

    def _charge(self, size: int) -> None:
        now = self._clock()
        self._paid = max(self._paid, now) + size / BUDGET
        self._due = max(self._paid, now + INTERVAL)


class TerminalRenderer:
    """Writes one answer as it comes, without control sequences.

    Parameters
    ----------
    write
        Takes the next piece of text.
    """

    def __init__(self, write: Callable[[str], object] | None = None) -> None:
        self._write = write or _to_stdout
        self._plain = _Plain()
        self._blank = True  # nothing to be seen so far
        self._last = "\n"  # the last character
        self._fed = 0  # characters

    def feed(self, delta: str) -> None:
        """Write more text."""
        self._fed += len(delta)
        if text := self._plain(clean(delta)):
            self._write(text)
            self._blank = self._blank and not text.strip()
            self._last = text[-1]

    def finish(self, reason: FinishReason, metadata: Mapping[str, Any]) -> None:  # noqa: ARG002 - a terminal keeps none
        """End the line, and say how the answer ended."""
        end = "" if self._last == "\n" else "\n"
        if note := _note(reason, blank=self._blank):
            end += f"— {note}\n" if self._blank else f"\n— {note}\n"
        if end:
            self._write(end)

    def replay(self, text: str, reason: FinishReason, metadata: Mapping[str, Any]) -> None:
        """Write a whole answer: what of it was not fed yet."""
        self.feed(text[self._fed :])
        self.finish(reason, metadata)


def choose_renderer(shell: Any) -> NotebookRenderer | TerminalRenderer:
    """Return a renderer for one answer in this IPython shell: a kernel's front end renders, a terminal does not."""
    if getattr(shell, "kernel", None) is None:
        return TerminalRenderer()

    def publish(data: dict[str, Any], metadata: dict[str, Any], display_id: str, update: bool) -> None:
        transient = {"display_id": display_id}
        shell.display_pub.publish(data=data, metadata=metadata, transient=transient, update=update)

    return NotebookRenderer(publish)


def strip_controls(text: str) -> str:
    r"""Return *text* without control characters but ``\n`` and ``\t``, and without what they introduce."""
    return _Plain()(text)


def _to_stdout(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class _Plain:
    r"""Strips control characters but ``\n`` and ``\t``, and what they introduce (ECMA-48), from a text in pieces.

    A sequence may be cut anywhere. One that never ends takes its line with it, no more.
    """

    def __init__(self) -> None:
        self._state = "text"

    def __call__(self, piece: str) -> str:
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
