r"""Markdown as models write it, made what a notebook's page shows as it was meant.

Models write formulas as ``\(…\)`` and ``\[…\]``, which front ends read as escaped brackets; prices, of which front ends
make formulas; and headings, as if theirs was the page. Code, and formulas in dollars, stay as they are.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from robota_nb.display.spans import BRACKETS, code_in, formula_end, parser

__all__ = ["DOLLAR", "as_notebooks_read"]

DOLLAR = r"<span>\$</span>"
"""A dollar that is no end of a formula: front ends look for formulas in each element alone, and again after escapes."""

_SUSPECT = re.compile(r"\$|\\[(\[]|^[\s>*+\d.)-]*#|^[\s>]*(?:=+|-+)[ \t]*$", re.MULTILINE)
_PREFIX = re.compile(r"\s*(?:(?:>|[-+*](?=\s)|\d{1,9}[.)](?=\s))\s*)*")  # the marks of quotes and items
_HASHES = re.compile(r"#{1,6}")
_DELIMITER = re.compile(r"\$|\\[(\[]")
_PLAIN = re.compile(r"[^\\`$hf<#]+")
_DOLLAR = re.compile(rf"{re.escape(DOLLAR)}|\\?\$")
_ESCAPE = re.compile(r"\\[!-/:-@\[-`{-~]")
_ADDRESS = re.compile(r"(?:https?|ftp)://[^\s<>\\`]*")
_LINE_END = re.compile(r"[ \t]*\n[ \t]*")
_QUOTED_LINE_END = re.compile(r"[ \t]*\n[ \t>]*")
_COMMENT = re.compile(r"(?<!\\)%")

_LEVELS = {"h1": 5, "h2": 5}
_LOWEST = 6  # neither of the two is in JupyterLab's table of contents, unless its user wants them there


class _Flow(NamedTuple):
    """A paragraph, a heading or the like: what formulas and code stand in.

    Parameters
    ----------
    start, end
        Where it stands in the text, in whole lines.
    limit
        Up to where a formula that begins a line may go on: blocks are not looked for in one.
    level
        Of the heading that it is to be; 0 if it is none.
    after
        Where the text goes on: below the line that makes it a heading.
    """

    start: int
    end: int
    limit: int
    level: int
    after: int


def as_notebooks_read(text: str) -> str:
    """Return a Markdown text that notebooks show as its author meant it.

    Parameters
    ----------
    text
        The text: whole blocks.
    """
    if not _SUSPECT.search(text):
        return text
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    made, at = list[str](), 0
    closers: dict[str, int] = {}
    alone = sum(1 for _ in _DELIMITER.finditer(text)) == 1
    for flow in _flows(text):
        if flow.start > at:
            made.append(text[at : flow.start])
            at = flow.start
        if at < flow.end:
            is_whole = at == flow.start
            piece, at = _rewritten(text, at, flow, closers, alone=alone)
            if flow.level and is_whole and at == flow.end:
                piece, at = _heading(piece, flow.level), flow.after
            made.append(piece)
    return "".join([*made, text[at:]])


def _flows(text: str) -> list[_Flow]:
    """Return what is no code, from the top."""
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    tokens = parser().parse(text, {})
    apart = {number for number, line in enumerate(lines) if not line.strip()}
    for token in tokens:
        if token.type in ("fence", "code_block") and token.map:
            apart.update(range(*token.map))
    limits = [0] * len(lines)
    for number in range(len(lines) - 1, -1, -1):
        goes_on = number + 1 < len(lines) and number + 1 not in apart
        limits[number] = limits[number + 1] if goes_on else starts[number + 1] - 1
    flows, level, below = list[_Flow](), 0, 0
    for token in tokens:
        if token.type == "heading_open" and token.map:
            level, below = _LEVELS.get(token.tag, _LOWEST), token.map[1]
        elif token.type == "inline" and token.map:
            first, last = token.map[0], token.map[1] - 1
            after = starts[below] - 1 if level else 0
            flows.append(_Flow(starts[first], starts[last + 1] - 1, limits[first], level, after))
            level = 0
    return flows


def _rewritten(text: str, at: int, flow: _Flow, closers: dict[str, int], *, alone: bool) -> tuple[str, int]:
    """Return what is written for a flow from an index on, and the index after it.

    *alone*: the text has one dollar, of which nobody makes a formula.
    """
    source = text[flow.start : flow.end]
    code = {flow.start + start: flow.start + end for start, end in code_in(source).items()}
    dollar = DOLLAR if sum(1 for _ in _DELIMITER.finditer(source)) > 1 else r"\$"
    made: list[str] = []
    while at < flow.end:
        if plain := _PLAIN.match(text, at, flow.end):
            made.append(plain[0])
            at = plain.end()
        elif at in code:
            made.append(text[at : code[at]])
            at = code[at]
        elif (end := _formula(text, at, flow, closers)) > at:
            made.append(_in_dollars(text[at:end], is_quoted="\n" in text[at:end] and ">" in _before(text, at)))
            at = end
        elif found := _DOLLAR.match(text, at):
            made.append(found[0] if alone else dollar)
            at = found.end()
        elif found := _ADDRESS.match(text, at):
            made.append(found[0].replace("$", "%24"))
            at = found.end()
        elif text[at] == "#" and not flow.level and _PREFIX.fullmatch(_before(text, at)):
            made.append("\\#")  # nbconvert takes it for a heading without a space, too
            at += 1
        else:
            found = _ESCAPE.match(text, at)
            made.append(found[0] if found else text[at])
            at += len(made[-1])
    return "".join(made), at


def _formula(text: str, at: int, flow: _Flow, closers: dict[str, int]) -> int:
    """Return the end of the formula that begins at an index, or the index."""
    if text[at] not in "$\\":
        return at
    begins_line = text.startswith(("$$", "\\[", "\\begin"), at) and _PREFIX.fullmatch(_before(text, at))
    return formula_end(text, at, max(flow.limit, flow.end) if begins_line else flow.end, closers)


def _before(text: str, at: int) -> str:
    """Return what stands before an index in its line."""
    return text[text.rfind("\n", 0, at) + 1 : at]


def _in_dollars(source: str, *, is_quoted: bool) -> str:
    """Return a formula in brackets as one in dollars, on one line: the next could begin an item."""
    opens, inner = source[:2], source[2:-2]
    if opens not in BRACKETS or "$" in inner:
        return source
    if not _COMMENT.search(inner):
        inner = (_QUOTED_LINE_END if is_quoted else _LINE_END).sub(" ", inner)
    mark = "$" if opens == "\\(" else "$$"
    return f"{mark}{inner.strip()}{mark}" if inner.strip() else source


def _heading(source: str, level: int) -> str:
    """Return the source of a heading of whatever kind as one of a level."""
    prefix = _PREFIX.match(source)
    assert prefix is not None
    content = source[prefix.end() :]
    if "\n" not in content and (hashes := _HASHES.match(content)):
        return f"{prefix[0]}{'#' * level}{content[hashes.end() :]}"
    pattern = _QUOTED_LINE_END if ">" in prefix[0] else _LINE_END
    return f"{prefix[0]}{'#' * level} {pattern.sub(' ', content.strip())}"
