"""Cuts a streamed Markdown text into segments that show alone what they would show together.

A segment ends where it is past `LIMIT` and a block of the document ends: at a blank line after which the
next line begins a new block. Both are complete lines, whatever the pieces they came in, so the cuts are a
function of the text alone: a stream, and a replay in one go, give the same segments.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from robota_nb.display.blocks import Container, normal

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["LIMIT", "MAX_PARAGRAPH", "Segmenter", "split"]

LIMIT = 4096
"""Characters after which a segment ends with the next block."""

MAX_PARAGRAPH = 16_384
"""Characters after which a paragraph is cut at the next word: each update sends its segment anew, and one that
grew for ever would take ever more to send."""

_LABEL = re.compile(r"\[([^\[\]]+)\]")
_WORD = re.compile(r" (?=[^\W\d_])")  # what begins with a letter begins no block but a paragraph


class Segmenter:
    """Cuts one text, as it comes, into segments.

    Parameters
    ----------
    limit
        Characters after which a segment ends with the next block.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._document = Container()
        self._closed: list[str] = []
        self._defined = [0]  # how many definitions came before each segment
        self._lines: list[str] = []  # the complete lines of the open segment,
        self._size = 0  # their characters
        self._tail: list[str] = []  # and the pieces of the line that is still coming,
        self._coming = 0  # its characters,
        self._endless = False  # and whether there is no place in it to cut
        self._after_blank = False

    @property
    def open(self) -> str:
        """The segment that may still grow, or lose its last lines to the next one."""
        return "".join([*self._lines, *self._tail])

    @property
    def raw(self) -> list[str]:
        """The segments so far, the open one last; joined they are the text."""
        return [*self._closed, self.open]

    def feed(self, delta: str) -> list[str]:
        """Take more text; return the segments that have become final with it, mostly none."""
        known = len(self._closed)
        self._tail.append(delta)
        self._coming += len(delta)
        if "\n" in delta:
            *lines, tail = "".join(self._tail).split("\n")
            for line in lines:
                self._line(self._shortened(line), "\n")
            self._keep(self._shortened(tail))
        elif self._coming > MAX_PARAGRAPH and not self._endless:
            self._keep(self._shortened("".join(self._tail)))
            self._endless = self._coming > 2 * MAX_PARAGRAPH
        return self._closed[known:]

    def finish(self, postscript: str = "") -> list[str]:
        """End the text and return all segments as they are to be shown, at least one.

        Parameters
        ----------
        postscript
            A paragraph to show after the text, whatever block the text stops in.

        Returns
        -------
        list of str
            The segments; those that use link definitions of another one have them repeated at their end,
            up to `LIMIT` characters.
        """
        if line := self._shortened("".join(self._tail)):
            self._keep("")
            self._line(line, "")
        *closed, last = self.raw
        return [
            *(_append(text, "", self._borrowed(text, index)) for index, text in enumerate(closed)),
            _append(last, self._document.closing, self._borrowed(last, len(closed)), postscript),
        ]

    def _line(self, line: str, newline: str) -> None:
        text = line.rstrip(" \t\r").expandtabs(4)
        if text and self._ends_before(text):
            self._cut()
        self._document.line(text)
        self._lines.append(line + newline)
        self._size += len(line) + len(newline)
        self._after_blank = not text

    def _ends_before(self, text: str) -> bool:
        if self._after_blank:
            return self._size >= self._limit and self._document.begins(text)
        return self._size >= MAX_PARAGRAPH and self._document.flows and text[0].isalpha()

    def _shortened(self, line: str) -> str:
        """Cut an endless line of plain text at words, and return what is left of it.

        The cuts are counted from the line's start, so it does not matter how much of it has come.
        """
        while len(line) > MAX_PARAGRAPH and self._document.flows and line[0].isalpha():
            word = _WORD.search(line, MAX_PARAGRAPH, 2 * MAX_PARAGRAPH)
            if not word:
                break
            self._line(line[: word.end()], "")
            self._cut()
            line = line[word.end() :]
        return line

    def _keep(self, tail: str) -> None:
        self._tail, self._coming, self._endless = [tail] if tail else [], len(tail), False

    def _cut(self) -> None:
        self._closed.append("".join(self._lines))
        self._defined.append(len(self._document.definitions))
        self._lines = []
        self._size = 0

    def _borrowed(self, text: str, index: int) -> str:
        """Return the link definitions that segment *index* uses and does not hold, as lines."""
        definitions = list(self._document.definitions.items())
        if not definitions:
            return ""
        first, last = [*self._defined, len(definitions)][index : index + 2]
        used = {normal(label) for label in _LABEL.findall(text)}
        others = (line for label, line in definitions[:first] + definitions[last:] if label in used)
        return "\n".join(_up_to(LIMIT, others))


def split(text: str, postscript: str = "", *, limit: int = LIMIT) -> list[str]:
    """Return the segments of a whole text as they are to be shown; see `Segmenter.finish`."""
    segmenter = Segmenter(limit)
    segmenter.feed(text)
    return segmenter.finish(postscript)


def _up_to(limit: int, lines: Iterable[str]) -> Iterable[str]:
    for line in lines:
        limit -= len(line)
        if limit >= 0:
            yield line


def _append(text: str, closing: str, *blocks: str) -> str:
    """Return *text* and more blocks after it; *closing* ends what is open in it."""
    more = [block for block in blocks if block]
    if not (text and more):
        return text + "\n\n".join(more)
    if closing and not text.endswith("\n"):
        closing = f"\n{closing}"
    return "\n\n".join([text + closing, *more])
