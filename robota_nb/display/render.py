"""Shows answers: in a notebook as one of the `FORMATS`, mostly rendered Markdown; in a terminal as plain text.

What a finished answer leaves behind depends on its text, its finish_reason and its metadata alone, never on
how it arrived: the live end and the replay are the same code, `NotebookRenderer.replay`.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from robota_nb.core.interrupts import deferred
from robota_nb.core.record.controls import ControlStripper, strip_controls
from robota_nb.core.record.entries import clean, new_id
from robota_nb.core.record.snapshot import KEY
from robota_nb.display.formats import FORMATS, Lines, NotKept, Whole, read_json
from robota_nb.display.hints import HINTS
from robota_nb.display.segments import Segmenter, split

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.core.ports import FinishReason

__all__ = ["FORMATS", "NotebookRenderer", "Publish", "TerminalRenderer", "choose_renderer"]

Publish: TypeAlias = Callable[[dict[str, Any], dict[str, Any], str, bool], None]
"""Sends one output: mime bundle, output metadata, display id, and whether it updates that display."""

INTERVAL = 0.1
"""Seconds between two updates of a segment that is growing."""

BUDGET = 40_000
"""Bytes a second for such updates: the longer the segment, the fewer of them."""

_OVERHEAD = 600  # bytes of a message around its text

_RETRY = HINTS["turn.retry"]
_NOTES = {
    "length": "cut off at the length limit",
    "content_filter": "stopped by the content filter",
    "tool_calls": "stopped to call a tool, and no tool was offered",
    "interrupted": f"interrupted; {_RETRY}",
    "error": f"the answer broke off; {_RETRY}",
    "unknown": f"the stream ended without saying that it was complete; {_RETRY}",
}
_EMPTY = "the answer is empty"
_NO_JSON = "the answer is no JSON"
_NOT_KEPT = "a notebook cannot keep this JSON as it is, so it is shown as text"

_Output: TypeAlias = tuple[dict[str, Any], dict[str, Any]]
"""A mime bundle, and output metadata."""


def _note(reason: str, *, blank: bool) -> str:
    """Return the line that says how an answer ended, or nothing if it simply ended."""
    if reason == "stop":
        return _EMPTY if blank else ""
    return _NOTES.get(reason, _NOTES["unknown"])


class _Cutter(Protocol):
    @property
    def open(self) -> str: ...

    def feed(self, delta: str) -> list[str]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """What a format is in a notebook.

    Parameters
    ----------
    cutter
        Makes what cuts the stream into segments.
    segment
        How a segment is displayed while it streams.
    left
        What a whole answer leaves behind, from its text and the note on how it ended: an output for each
        segment that `cutter` has made of it, at least one.
    """

    cutter: Callable[[], _Cutter]
    segment: Callable[[str], _Output]
    left: Callable[[str, str], list[_Output]]


def _markdown(text: str) -> _Output:
    # By the mark our labextension knows an answer: without it, the scripts in one would run in a trusted notebook.
    return {"text/markdown": text}, {KEY: {}}


def _left_markdown(text: str, note: str) -> list[_Output]:
    return [_markdown(segment) for segment in split(text, f"*— {note}*" if note else "")]


def _plain(text: str) -> _Output:
    return {"text/plain": strip_controls(text)}, {}


def _left_text(text: str, note: str) -> list[_Output]:
    lines = Lines()
    segments = [*lines.feed(text), lines.open]
    return [*map(_plain, segments[:-1]), _plain(_noted(segments[-1], note))]


def _left_json(text: str, note: str) -> list[_Output]:
    """Return JSON for an answer that ended by itself and is JSON, else text."""
    if not note:
        try:
            body, value = read_json(text)
        except NotKept:
            note = _NOT_KEPT
        except ValueError:
            note = _NO_JSON
        else:
            if isinstance(value, (dict, list)):  # else there is nothing to unfold, and JupyterLab shows 0 as {}
                # As text, too: many readers of notebooks, nbconvert among them, show no JSON at all.
                return [({"application/json": value, **_plain(body)[0]}, {"application/json": {"expanded": True}})]
    return [_plain(_noted(text, note))]


def _noted(text: str, note: str) -> str:
    """Return plain text with a note as its last line."""
    if not note:
        return text
    return f"{text.rstrip()}\n\n— {note}" if text.strip() else f"— {note}"


_FORMS = {
    "markdown": _Form(cutter=Segmenter, segment=_markdown, left=_left_markdown),
    "text": _Form(cutter=Lines, segment=_plain, left=_left_text),
    "json": _Form(cutter=Whole, segment=_plain, left=_left_json),
    "code": _Form(cutter=Segmenter, segment=_markdown, left=_left_markdown),  # the cell is inserted elsewhere
}


class NotebookRenderer:
    """Shows one answer as outputs, one for each segment; the last one is updated while it grows.

    Parameters
    ----------
    publish
        Sends an output to the front end.
    clock
        Seconds that only grow.
    format
        One of `FORMATS`.
    """

    def __init__(
        self,
        publish: Publish,
        clock: Callable[[], float] = time.monotonic,
        format: str = "markdown",  # noqa: A002 - as the option is called
    ) -> None:
        self._publish = publish
        self._clock = clock
        self._form = _FORMS[format]
        self._cutter = self._form.cutter()
        self._deltas: list[str] = []
        self._open = 0  # index of the segment that grows
        self._id = new_id("answer")
        self._shown: dict[int, _Output] = {}
        self._due = -math.inf  # when the next update may go out
        self._paid = -math.inf  # when what was sent fits the budget

    def feed(self, delta: str) -> None:
        """Show more text: the first at once, the rest when an update is due."""
        self._deltas.append(delta)
        closed = self._cutter.feed(delta)
        for text in closed:
            self._show(self._open, self._form.segment(clean(text)))
            self._open += 1
        # A segment that closes hands its last lines on: they must not be gone until the next update.
        if closed or (delta and self._clock() >= self._due):
            self._show(self._open, self._form.segment(clean(self._cutter.open)))

    def wait(self, text: str) -> None:
        """Show why no text comes yet; the first text takes its place."""
        self._show(0, self._form.segment(f"*— {text}*"))

    def finish(self, reason: FinishReason, metadata: Mapping[str, Any]) -> None:
        """Show the last text and how it ended; *metadata* goes into the metadata of the last output."""
        self.replay("".join(self._deltas), reason, metadata)

    def replay(self, text: str, reason: FinishReason, metadata: Mapping[str, Any]) -> None:
        """Show a whole answer as a live one is left behind: an output for each segment, at least one.

        On a renderer that was fed it brings the outputs in line with *text*: after an interrupt, which can
        strike between a delta's record and its display, the recorded text is what a replay will show.
        """
        *closed, last = self._form.left(clean(text), _note(reason, blank=not text.strip()))
        for index, output in enumerate(closed):
            self._show(index, output)
        self._show(len(closed), (last[0], last[1] | ({KEY: dict(metadata)} if metadata else {})))

    def _show(self, index: int, output: _Output) -> None:
        """Display segment *index*, or update it, unless it stands there just so."""
        if self._shown.get(index) == output:
            return
        with deferred():  # an interrupt in between would have it displayed twice
            self._publish(*output, f"{self._id}_{index}", index in self._shown)
            self._shown[index] = output
        self._charge(sum(len(text.encode()) for text in output[0].values() if isinstance(text, str)) + _OVERHEAD)

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
        self._plain = ControlStripper()
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

    def wait(self, text: str) -> None:
        """Write why no text comes yet."""
        self._write(f"— {text}\n")

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


def choose_renderer(
    shell: Any,
    format: str = "markdown",  # noqa: A002 - as the option is called
) -> NotebookRenderer | TerminalRenderer:
    """Return a renderer for one answer in this IPython shell.

    Parameters
    ----------
    shell
        A kernel's front end renders; a terminal shows plain text, whatever the format.
    format
        One of `FORMATS`.
    """
    if getattr(shell, "kernel", None) is None:
        return TerminalRenderer()

    def publish(data: dict[str, Any], metadata: dict[str, Any], display_id: str, update: bool) -> None:
        transient = {"display_id": display_id}
        shell.display_pub.publish(data=data, metadata=metadata, transient=transient, update=update)

    return NotebookRenderer(publish, format=format)


def _to_stdout(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
