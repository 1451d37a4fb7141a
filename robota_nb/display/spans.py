"""Code and formulas in Markdown, as all who rewrite it read them."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

__all__ = ["BRACKETS", "NESTING", "TICKS", "code_in", "formula_end", "parser"]

BRACKETS = {r"\(": r"\)", r"\[": r"\]"}
"""What opens a formula, besides dollars, and what closes it."""

NESTING = 60
"""Of blocks in each other; what is deeper is taken for text."""

_CELLS = re.compile(r"^[\s>|:+*-]*-[\s|:-]*$", re.MULTILINE)  # what makes a table of lines with pipes
_PIPE = re.compile(r"((?<!\\)\||\n)")

TICKS = re.compile(r"`+")

_FORMULA = re.compile(  # as the switcher's maths.js reads them; there is no backtick and no blank line in one
    r"\$\$(?:[^$`\\]|\\[^`]|\$(?!\$)){1,10000}?\$\$"
    r"|\$(?=\S)(?:[^$`\\]|\\[^`]){1,10000}?(?<!\s)\$(?!\d)"
)
_OPENS = re.compile(r"\\(?:[(\[]|begin\{([A-Za-z]+\*?)\})")
_LONGEST = 10_000  # characters of a formula in brackets


@cache
def parser() -> MarkdownIt:
    """Return what reads which lines are code; spans are left unread."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"maxNesting": NESTING}).disable("html_block")
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser


def code_in(flow: str) -> dict[int, int]:
    """Return where the spans of code begin and end, by their beginnings: those that all readers see."""
    spans = _code_spans(flow)
    if spans and "|" in flow and _CELLS.search(flow):
        in_cells: dict[int, int] = {}
        at = 0
        for cell in _PIPE.split(flow):  # with what parts them, each second one
            in_cells.update({at + start: at + end for start, end in _code_spans(cell).items()})
            at += len(cell)
        return dict(spans.items() & in_cells.items())
    return spans


def _code_spans(text: str) -> dict[int, int]:
    """Return where the spans of code begin and end, by their beginnings."""
    runs = [(run.start(), run.end()) for run in TICKS.finditer(text)]
    later: dict[int, list[int]] = {}  # by length, the runs of it, the next one last
    for index in range(len(runs) - 1, -1, -1):
        later.setdefault(runs[index][1] - runs[index][0], []).append(index)
    spans: dict[int, int] = {}
    index = 0
    while index < len(runs):
        start, end = runs[index]
        escapes = start - len(text[:start].rstrip("\\")) if text[start - 1 : start] == "\\" else 0
        if escapes % 2:  # the first tick is text, and the others are a shorter run
            start += 1
        same = later.get(end - start, []) if end > start else []
        while same and same[-1] <= index:
            same.pop()
        if same:
            index = same[-1]
            spans[start] = runs[index][1]
        index += 1
    return spans


def formula_end(text: str, at: int, until: int, closers: dict[str, int]) -> int:
    """Return the end of the formula that begins at an index and ends before another, or the index.

    *closers* remembers where each way to close one comes next, as each of many that open would look for it anew.
    """
    if text[at] == "$":
        formula = _FORMULA.match(text, at, until)
        return formula.end() if formula else at
    opens = _OPENS.match(text, at)
    if not opens:
        return at
    closes = f"\\end{{{opens[1]}}}" if opens[1] else BRACKETS[opens[0]]
    if 0 <= closers.get(closes, 0) < opens.end():
        closers[closes] = text.find(closes, opens.end())
    end = closers[closes]
    is_formula = opens.end() < end <= min(at + _LONGEST, until - len(closes)) and "`" not in text[at:end]
    return end + len(closes) if is_formula else at
