r"""Where code and formulas stand in a text: fences and backticks, ``$…$``, ``$$…$$``, ``\(…\)``, ``\[…\]``.

As in pandoc, a dollar begins a formula only if no space follows it, and ends one only if no space stands before it and
no digit behind it: so ``from $5 to $6`` is none. A backslash before a dollar takes its meaning away. Neither a formula
nor a span of code goes over a blank line, and in code nothing is a formula.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

from robota_nb.core.record.text import fenced

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Markup"]

_FENCE = re.compile(
    r"^[ \t>]*(?P<item>(?:[-*+]|[0-9]{1,9}[.)])[ \t]+)?(?P<marks>`{3,}|~{3,})(?P<info>.*)$", re.MULTILINE
)
_BLANK = re.compile(r"\n[ \t\r]*(?=\n)")
_LINE_END = re.compile(r"[\r\n]")
_TICKS = re.compile(r"`+")
_MARK = re.compile(r"\\[\s\S]|`+|\$\$?")
_ENDS = {"$": "$", "$$": "$$", r"\(": r"\)", r"\[": r"\]"}


class _Spans:
    """Parts of a text that do not touch, in their order; each is a start, an end, and whether it is code."""

    def __init__(self, spans: Iterable[tuple[int, int, bool]]) -> None:
        self._spans = sorted(spans)
        self.starts = [start for start, _, _ in self._spans]

    def are_code(self, at: int) -> bool | None:
        """Return whether the part is code that this character is in; None if it is in no part."""
        index = bisect_right(self.starts, at) - 1
        if index < 0 or at >= self._spans[index][1]:
            return None
        return self._spans[index][2]


class Markup:
    """Tells of places in a text whether they are in code or in a formula; it is read when that is first asked.

    Parameters
    ----------
    text
        The text; it takes time linear in its length, whatever it is.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    def in_code(self, at: int) -> bool:
        """Return whether this character stands in a fence, or between backticks."""
        return self._spans.are_code(at) is True

    def in_formula(self, at: int) -> bool:
        """Return whether this character stands in a formula."""
        return self._spans.are_code(at) is False

    def laid_out(self, value: str, start: int, end: int) -> str:
        """Return a value as it takes the place of this part of the text.

        Several lines stand in a fence that nothing in them ends, on lines of its own. In code, which is marked already,
        they stand as they are, and so does one line.
        """
        if not _LINE_END.search(value.strip("\r\n")) or self.in_code(start):
            return value
        left, right = start, end
        while left and self._text[left - 1] in " \t":
            left -= 1
        while right < len(self._text) and self._text[right] in " \t":
            right += 1
        begins_line = not left or self._text[left - 1] in "\r\n"
        ends_line = right == len(self._text) or self._text[right] in "\r\n"
        lines = fenced(value)
        indent = self._text[left:start]  # of what goes on in an item of a list
        lines = lines.replace("\n", f"\n{indent}") if begins_line else f"\n{lines}"
        return lines if ends_line else f"{lines}\n"

    @cached_property
    def _spans(self) -> _Spans:
        fences = list(_fences(self._text))
        return _Spans([*fences, *_inline(self._text, _Spans(fences))])


def _fences(text: str) -> Iterator[tuple[int, int, bool]]:
    opened = None
    for line in _FENCE.finditer(text):
        marks, info = line["marks"], line["info"].strip()
        if opened is None:
            opened = None if marks[0] == "`" and "`" in info else line
        elif marks.startswith(opened["marks"]) and not info and not line["item"]:
            yield opened.start(), line.end(), True
            opened = None
    if opened:
        yield opened.start(), len(text), True


def _inline(text: str, fences: _Spans) -> Iterator[tuple[int, int, bool]]:
    """Yield the formulas and the code between backticks: from a mark to the next that ends it, if there is one."""
    ends: dict[str, list[int]] = defaultdict(list)
    for ticks in _TICKS.finditer(text):  # in code, a backslash is one
        ends[ticks[0]].append(ticks.start())
    marks = [mark for mark in _MARK.finditer(text) if fences.are_code(mark.start()) is None]
    for mark in marks:
        if mark[0] in _ENDS.values():
            ends[mark[0]].append(mark.start())
    stops = sorted([*(line.start() for line in _BLANK.finditer(text)), *fences.starts, len(text)])
    done = 0
    for mark in marks:
        wanted = mark[0] if mark[0][0] == "`" else _ENDS.get(mark[0])
        if mark.start() < done or wanted is None:
            continue
        places = ends[wanted]
        index = bisect_left(places, mark.end())
        if index == len(places) or places[index] > stops[bisect_left(stops, mark.start())]:
            continue
        if wanted == "$" and not _is_formula(text, mark.end(), places[index]):
            continue
        done = places[index] + len(wanted)
        yield mark.start(), done, wanted[0] == "`"


def _is_formula(text: str, start: int, end: int) -> bool:
    """Return whether what stands here between dollars is a formula, and no price."""
    return not (text[start].isspace() or text[end - 1].isspace() or text[end + 1 : end + 2].isdigit())
