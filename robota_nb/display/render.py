"""Shows answers: in a notebook as one of the `FORMATS`, mostly rendered Markdown; in a terminal as plain text.

What a finished answer leaves behind depends on its text, its finish_reason and its metadata alone, never on
how it arrived: the live end and the replay are the same code, `NotebookRenderer.replay`.
"""

from __future__ import annotations

import json
import math
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from robota_nb.core.interrupts import deferred
from robota_nb.core.record.controls import ControlStripper, strip_controls
from robota_nb.core.record.entries import clean, new_id
from robota_nb.core.record.snapshot import KEY
from robota_nb.core.record.text import fenced
from robota_nb.core.record.types import TEXT_ALONE
from robota_nb.display.besides import notes, picture_data, pictures_plain, sources_markdown, sources_plain
from robota_nb.display.bounds import Bound, bounded, uncoloured, what_is_left
from robota_nb.display.calls import call_markdown, call_plain, problem_said
from robota_nb.display.code_page import printable
from robota_nb.display.dialect import as_notebooks_read
from robota_nb.display.formats import FORMATS, VALUE, Lines, NotKept, Whole, read_json
from robota_nb.display.hints import HINTS
from robota_nb.display.inert import inert
from robota_nb.display.place import is_console, keeps_outputs
from robota_nb.display.segments import Segmenter, split

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from robota_nb.core.ports import FinishReason, Step
    from robota_nb.core.record.types import Besides

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
_ROUNDS = f"stopped after many calls: {HINTS['turn.rounds']}"
_EMPTY = "the answer is empty"
_ALL_THOUGHTS = "the limit went into thinking: raise max_tokens"
_NO_JSON = "the answer is no JSON"
_NOT_KEPT = "a notebook cannot keep this JSON as it is, so it is shown as text"

_Output: TypeAlias = tuple[dict[str, Any], dict[str, Any]]
"""A mime bundle, and output metadata."""


def _notes(reason: str, text: str, besides: Besides, *, has_steps: bool = False) -> list[str]:
    """Return the lines that say how an answer ended, and what of it is not here; none if it simply ended.

    The *text* is the answer's, or how that begins.
    """
    if reason == "tool_calls" and has_steps:
        return [_ROUNDS]
    blank = not text.strip()
    said = [*notes(besides, is_whole=reason == "stop")]
    if reason == "length" and (blank or _only_thinks(text)) and not besides.pictures:
        return [_ALL_THOUGHTS, *said]
    if reason != "stop":
        return [_NOTES.get(reason, _NOTES["unknown"]), *said]
    return said or ([_EMPTY] if blank and not besides.pictures else [])


def _only_thinks(text: str) -> bool:
    """Say whether a text is what a model thinks before it answers, as far as it came."""
    return text.lstrip().startswith("<think>") and "</think>" not in text


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
    noted
        The text of such a segment with a line below it.
    left
        What the text of a whole answer leaves behind, with the notes on how it ended, and its sources: an output for
        each segment that `cutter` has made of it, at least one.
    step
        What a step before the answer leaves behind; or shows as long as its calls run.
    """

    cutter: Callable[[], _Cutter]
    segment: Callable[[str], _Output]
    noted: Callable[[str, str], str]
    left: Callable[[str, list[str], Besides], list[_Output]]
    step: Callable[[Step, bool], list[_Output]]


def _markdown(text: str) -> _Output:
    # By the mark our labextension knows an answer: without it, the scripts in one would run in a trusted notebook.
    return {"text/markdown": text}, {KEY: {}}


def _left_markdown(text: str, said: list[str], besides: Besides) -> list[_Output]:
    shown = bounded(text)
    below = [f"*— {line}*" for line in (what_is_left(text, shown), *said) if line]
    below += [sources] if (sources := sources_markdown(besides)) else []
    return [_markdown(segment) for segment in split(shown, "\n\n".join(below))]


def _step_markdown(step: Step, runs: bool) -> list[_Output]:
    """Return what a step leaves behind: its text, and a line for each call; or for what was wrong with the text."""
    if step.problem:
        return [_markdown(f"> *{problem_said(step)}*")]
    shown = bounded(step.text)
    said = split(shown, f"*— {left}*" if (left := what_is_left(step.text, shown)) else "") if step.text.strip() else []
    return [*map(_markdown, said), *(_markdown(call_markdown(call, runs=runs)) for call in step.calls)]


def _step_plain(step: Step, runs: bool) -> list[_Output]:
    if step.problem:
        return [_plain(f"> {problem_said(step)}")]
    said = _left_text(step.text, [], TEXT_ALONE) if step.text.strip() else []
    return [*said, *(_plain(call_plain(call, runs=runs)) for call in step.calls)]


def _noted_markdown(text: str, note: str) -> str:
    return "".join(split(text, f"*— {note}*"))


def _plain(text: str) -> _Output:
    return {"text/plain": strip_controls(text)}, {}


def _left_text(text: str, said: list[str], besides: Besides) -> list[_Output]:
    lines = Lines()
    shown, note = _bounded_and_noted(text, said)
    segments = [*lines.feed(shown), lines.open]
    last = _noted(segments[-1], note)
    if sources := sources_plain(besides):
        last = f"{last.rstrip()}\n\n{sources}".lstrip()
    return [*map(_plain, segments[:-1]), _plain(last)]


def _left_json(text: str, said: list[str], besides: Besides) -> list[_Output]:  # noqa: ARG001 - that would be no JSON
    """Return JSON for an answer that ended by itself and is JSON, and no more than that; else text."""
    if not said:
        try:
            body, value = read_json(text)
        except NotKept:
            said = [_NOT_KEPT]
        except ValueError:
            said = [_NO_JSON]
        else:
            if isinstance(value, (dict, list)):  # else there is nothing to unfold, and JupyterLab shows 0 as {}
                # As text, too: many readers of notebooks, nbconvert among them, show no JSON at all.
                unfolded = {"expanded": bounded(body, plain=True) == body}
                return [({"application/json": value, **_plain(body)[0]}, {"application/json": unfolded})]
    return [_plain(_noted(*_bounded_and_noted(text, said)))]


def _fenced(text: str) -> _Output:
    return _markdown(fenced(text, "json") if text.strip() else text)


def _left_value(text: str, said: list[str], besides: Besides) -> list[_Output]:
    """Return JSON with its lines indented, in a fence; what is none, as it is."""
    try:
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return _left_markdown(text, said, besides)
    return _left_markdown(fenced(text, "json"), said, besides)


def _bounded_and_noted(text: str, said: list[str]) -> tuple[str, str]:
    """Return the part of plain text that a cell shows, and what is to be said below it."""
    shown = bounded(text, plain=True)
    return shown, "\n— ".join(line for line in (what_is_left(text, shown), *said) if line)


def _noted(text: str, note: str) -> str:
    """Return plain text with a note as its last line."""
    if not note:
        return text
    return f"{text.rstrip()}\n\n— {note}" if text.strip() else f"— {note}"


_FORMS = {
    "markdown": _Form(
        cutter=Segmenter, segment=_markdown, noted=_noted_markdown, left=_left_markdown, step=_step_markdown
    ),
    "text": _Form(cutter=Lines, segment=_plain, noted=_noted, left=_left_text, step=_step_plain),
    "json": _Form(cutter=Whole, segment=_plain, noted=_noted, left=_left_json, step=_step_plain),
    VALUE: _Form(cutter=Whole, segment=_fenced, noted=_noted_markdown, left=_left_value, step=_step_markdown),
}
_FORMS["code"] = _FORMS["markdown"]  # the cell is inserted elsewhere


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
    at_end
        Show nothing before the whole answer is there: what displays it may not follow updates.
    remote_pictures
        Whether pictures of public servers are shown as such, and not as links.
    sweep
        Takes away all that the cell shows; None where that may be more than the answer.
    """

    def __init__(
        self,
        publish: Publish,
        clock: Callable[[], float] = time.monotonic,
        format: str = "markdown",  # noqa: A002 - as the option is called
        *,
        at_end: bool = False,
        remote_pictures: bool = False,
        sweep: Callable[[], object] | None = None,
    ) -> None:
        self._publish = publish
        self._sweep = sweep
        self._clock = clock
        self._remote_pictures = remote_pictures
        self._form = _FORMS[format]
        self._at_end = at_end
        self._is_plain = format in ("text", "json")
        self._lock = threading.RLock()  # what the answer waits for is shown from another thread
        self._first = 0  # index of the answer's first segment: below the steps
        self._begin()
        self._id = new_id("answer")
        self._shown: dict[int, _Output] = {}  # by the segments' indices
        self._due = -math.inf  # when the next update may go out
        self._paid = -math.inf  # when what was sent fits the budget

    @property
    def is_live(self) -> bool:
        """Whether something can be shown in the place of the answer before it is whole."""
        return not self._at_end

    def _begin(self) -> None:
        self._cutter = self._form.cutter()
        self._bound = Bound(plain=self._is_plain)
        self._deltas: list[str] = []
        self._open = self._first  # index of the segment that grows

    def feed(self, delta: str) -> None:
        """Show more text: the first at once, the rest when an update is due."""
        self._deltas.append(delta)
        if not self._at_end:
            with self._lock:
                self._feed(self._bound.feed(delta))

    def _feed(self, delta: str) -> None:
        closed = self._cutter.feed(delta)
        for text in closed:
            self._show(self._open, self._form.segment(clean(text)))
            self._open += 1
        # A segment that closes hands its last lines on: they must not be gone until the next update.
        if closed or (delta and self._clock() >= self._due):
            self._show(self._open, self._form.segment(clean(self._cutter.open)))

    def wait(self, text: str) -> bool:
        """Show why no text comes, until text takes its place; return False if that cannot be done.

        An empty *text* takes away what was shown.
        """
        if self._at_end:
            return False
        with self._lock:
            if text or self._shown:
                shown = clean(self._cutter.open)
                self._show(self._open, self._form.segment(self._form.noted(shown, text) if text else shown))
        return True

    def restart(self) -> None:
        """Forget the text so far, which was none of the answer."""
        with self._lock:
            self._begin()
            self.clear()

    def go_on(self, steps: Sequence[Step], *, runs: bool) -> None:
        """Show the steps so far in the place of what was fed; *runs*: a call of the last one has not returned yet."""
        with self._lock:
            left = self._of_steps(steps[:-1]) + self._form.step(steps[-1], runs)
            self._first = len(left)
            self._begin()
            if not self._at_end:
                self._bring_in_line(left)

    def show_again(self) -> None:
        """Show all anew, in the place of what a question and its answer have left between: no replay has that."""
        with self._lock:
            if self._sweep and not self._at_end:
                shown = [*self._shown.values()]
                with deferred():
                    self._sweep()
                    self._id, self._shown = new_id("answer"), {}
                self._bring_in_line(shown)

    def _of_steps(self, steps: Sequence[Step]) -> list[_Output]:
        return [output for step in steps for output in self._form.step(step, False)]

    def clear(self) -> None:
        """Show nothing where something was shown: no answer has come.

        Nobody can take one output away. So it is emptied; and where the answer is all that the cell shows, it goes
        with that.
        """
        with self._lock:
            for index in self._shown:
                self._show(index, self._form.segment(""))
            if self._shown and self._sweep:
                with deferred():
                    self._sweep()
                    self._id, self._shown = new_id("answer"), {}

    def finish(self, reason: FinishReason, metadata: Mapping[str, Any]) -> None:
        """Show the last text and how it ended; *metadata* goes into the metadata of the last output."""
        self.replay("".join(self._deltas), reason, metadata)

    def replay(
        self,
        text: str,
        reason: FinishReason,
        metadata: Mapping[str, Any],
        besides: Besides = TEXT_ALONE,
        steps: Sequence[Step] = (),
    ) -> None:
        """Show a whole answer as a live one is left behind: an output for each segment and each picture, at least one.

        Above them stand its steps. On a renderer that was fed it brings the outputs in line with *text*: after an
        interrupt, which can strike between a delta's record and its display, the recorded text is what a replay will
        show.
        """
        *closed, last = [*self._of_steps(steps), *self._left(clean(text), reason, besides, has_steps=bool(steps))]
        with self._lock:
            self._bring_in_line([*closed, (last[0], last[1] | ({KEY: dict(metadata)} if metadata else {}))])

    def _bring_in_line(self, outputs: Sequence[_Output]) -> None:
        """Show these outputs; what stands below them is emptied, as the end of a long answer that is cut at an item."""
        for index, output in enumerate(outputs):
            self._show(index, output)
        for index in range(len(outputs), len(self._shown)):
            self._show(index, self._form.segment(""))

    def _left(self, text: str, reason: FinishReason, besides: Besides, *, has_steps: bool) -> list[_Output]:
        """Return the outputs of a whole answer; its text has none if there is only a picture to be shown."""
        blank = not text.strip()
        said = _notes(reason, text, besides, has_steps=has_steps)
        pictures: list[_Output] = [(picture_data(picture, at), {}) for at, picture in enumerate(besides.pictures, 1)]
        is_text = not (blank and pictures) or said or besides.sources
        return [*(self._form.left(text, said, besides) if is_text else ()), *pictures]

    def _show(self, index: int, output: _Output) -> None:
        """Display segment *index*, or update it, unless it stands there just so."""
        if self._shown.get(index) == output:
            return
        data, metadata = output
        if "text/markdown" in data:
            data = {**data, "text/markdown": self._on_page(data["text/markdown"])}
        with deferred():  # an interrupt in between would have it displayed twice
            self._publish(data, metadata, f"{self._id}_{index}", index in self._shown)
            self._shown[index] = output
        self._charge(sum(len(text.encode()) for text in data.values() if isinstance(text, str)) + _OVERHEAD)

    def _on_page(self, text: str) -> str:
        """Return Markdown as pages are to show it."""
        return inert(as_notebooks_read(uncoloured(text)), pictures=self._remote_pictures)

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
    at_end
        Write nothing before the whole answer is there.
    """

    def __init__(self, write: Callable[[str], object] | None = None, *, at_end: bool = False) -> None:
        self._write = write or _to_stdout
        self._at_end = at_end
        self._plain = ControlStripper()
        self._begins = ""  # how the answer begins, up to the first that is to be seen
        self._last = "\n"  # the last character
        self._held: list[str] = []  # what was fed and not written
        self._fed = 0  # characters that were written
        self._steps = 0  # that were written as a whole,
        self._lines = 0  # and lines of the next one

    def feed(self, delta: str) -> None:
        """Write more text."""
        self._held.append(delta)
        if not self._at_end:
            self._write_held()

    def _write_held(self) -> None:
        delta, self._held = "".join(self._held), []
        self._fed += len(delta)
        if text := self._plain(clean(delta)):
            self._write(text)
            if not self._begins.strip():
                self._begins += text
            self._last = text[-1]

    def wait(self, text: str) -> bool:
        """Write why no text comes yet."""
        self._write(f"— {text}\n")
        return True

    is_live = False
    """A terminal cannot take back what was written."""

    def restart(self) -> None:
        """Write that the text so far was none of the answer."""
        if self._begins.strip():
            self._write(("" if self._last == "\n" else "\n") + "— so far it thought; the answer:\n")
        self._held, self._fed, self._begins, self._last = [], 0, "", "\n"

    def go_on(self, steps: Sequence[Step], *, runs: bool) -> None:
        """Write of the steps so far what is new; *runs*: a call of the last one has not returned yet."""
        if self._at_end:
            self._held = []
        else:
            self._write_steps(steps, runs=runs)

    def _write_steps(self, steps: Sequence[Step], *, runs: bool = False) -> None:
        for step in steps[self._steps :]:
            still = runs and step is steps[-1]
            self._held = [step.text[self._fed :]]
            self._write_held()
            lines = [call_plain(call) for call in step.calls if not (still and call.status == "interrupted")]
            lines += [f"> {problem_said(step)}"] if step.problem else []
            for line in lines[self._lines :]:
                self._write(("" if self._last == "\n" else "\n") + f"{line}\n")
                self._last = "\n"
            self._lines = len(lines)
            if not still:
                self._steps += 1
                self._fed, self._lines, self._begins = 0, 0, ""

    def show_again(self) -> None:
        """Leave a question and its answer where they stand."""

    def clear(self) -> None:
        """Leave what was written as it is."""

    def finish(
        self,
        reason: FinishReason,
        metadata: Mapping[str, Any],  # noqa: ARG002 - a terminal keeps none
        besides: Besides = TEXT_ALONE,
    ) -> None:
        """End the line, and say how the answer ended, and what it has besides."""
        self._finish(reason, besides)

    def _finish(self, reason: FinishReason, besides: Besides, *, has_steps: bool = False) -> None:
        self._write_held()
        end = "" if self._last == "\n" else "\n"
        below = [
            f"— {note}"
            for note in (*_notes(reason, self._begins, besides, has_steps=has_steps), *pictures_plain(besides))
        ]
        below += [sources] if (sources := sources_plain(besides)) else []
        if below:
            end += ("\n" if self._begins.strip() else "") + "\n".join(below) + "\n"
        if end:
            self._write(end)

    def replay(
        self,
        text: str,
        reason: FinishReason,
        metadata: Mapping[str, Any],  # noqa: ARG002 - a terminal keeps none
        besides: Besides = TEXT_ALONE,
        steps: Sequence[Step] = (),
    ) -> None:
        """Write a whole answer: what of it was not written yet."""
        self._write_steps(steps)
        self._held = [text[self._fed :]]
        self._finish(reason, besides, has_steps=bool(steps))


def choose_renderer(
    shell: Any,
    format: str = "markdown",  # noqa: A002 - as the option is called
    *,
    at_end: bool = False,
    alone: bool = False,
    remote_pictures: bool = False,
) -> NotebookRenderer | TerminalRenderer:
    """Return a renderer for one answer in this IPython shell.

    Parameters
    ----------
    shell
        A kernel's front end renders; a terminal and a console show plain text, whatever the format.
    format
        One of `FORMATS`.
    at_end
        Show the answer only when it is whole.
    alone
        Whether the answer is all that its cell shows.
    remote_pictures
        Whether pictures of public servers are shown as such, and not as links.
    """
    if not keeps_outputs(shell):
        return TerminalRenderer(at_end=at_end)
    at_end = at_end or getattr(shell, "kernel", None) is None  # who keeps them otherwise knows of no updates
    if is_console(shell):
        format, at_end = "json" if format == "json" else "text", True  # noqa: A001

    def publish(data: dict[str, Any], metadata: dict[str, Any], display_id: str, update: bool) -> None:
        transient = {"display_id": display_id}
        shell.display_pub.publish(data=data, metadata=metadata, transient=transient, update=update)

    def sweep() -> None:
        shell.display_pub.clear_output(wait=True)  # till the next output, so that nothing jumps

    return NotebookRenderer(
        publish, format=format, at_end=at_end, remote_pictures=remote_pictures, sweep=sweep if alone else None
    )


def _to_stdout(text: str) -> None:
    sys.stdout.write(printable(text))
    sys.stdout.flush()
