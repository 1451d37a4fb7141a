"""The formats of an answer: which there are, and how its text is cut, read as JSON, or searched for code."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from robota_nb.core.record.entries import clean
from robota_nb.core.record.text import seen
from robota_nb.display.segments import LIMIT, MAX_PARAGRAPH

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FORMATS", "VALUE", "Code", "Lines", "NotKept", "Whole", "code_of", "read_json"]

VALUE = "value"
"""How an answer is shown that was asked for as a value: as JSON with its lines indented, in a fence."""

FORMATS = ("markdown", "text", "json", "code")
"""How an answer can be shown: rendered, as plain text, as JSON to unfold, or rendered with its code in a new cell."""

MAX_DEPTH = 100
"""How deep JSON may nest that is shown as such; the libraries that write notebooks fail at a few hundred."""

MAX_INTEGER = 2**53 - 1
"""Front ends keep integers up to here; beyond, a saved notebook holds another number."""

_DIGITS = 16  # of MAX_INTEGER

_FENCE = re.compile(
    r"(?P<before>[ \t]*(?:(?:[-+*]|[0-9]{1,9}[.)])[ \t]+)*)(?P<fence>`{3,}(?=[^`]*$)|~{3,})(?P<info>.*)"
)
_LANGUAGE = re.compile(r"[\s{.]*([^\s{}.,:]+)")
PYTHON = "python"
_ALIASES = dict.fromkeys(("py", "python3", "ipython", "ipython3"), PYTHON)
_NAME, _OTHERS = 20, 5  # characters of a language's name, and how many are named


class Lines:
    """Cuts one plain text, as it comes, into segments: at line ends, best where a line is blank.

    A segment that is past `LIMIT` ends before the first line after a blank one, and any segment ends at the
    first line end past `MAX_PARAGRAPH`. It is decided on complete lines, so any chunking gives the same cuts.
    """

    def __init__(self) -> None:
        self._lines: list[str] = []  # the complete lines of the open segment,
        self._size = 0  # their characters,
        self._blank = False  # whether the last of them is blank,
        self._tail: list[str] = []  # and the pieces of the line that is still coming

    @property
    def open(self) -> str:
        """The segment that may still grow, or lose its last line to the next one."""
        return "".join([*self._lines, *self._tail])

    def feed(self, delta: str) -> list[str]:
        """Take more text; return the segments that have become final with it, mostly none."""
        self._tail.append(delta)
        if "\n" not in delta:
            return []
        *lines, tail = "".join(self._tail).split("\n")
        self._tail = [tail] if tail else []
        return [closed for line in lines for closed in self._line(line + "\n")]

    def _line(self, line: str) -> Iterator[str]:
        blank = not line.strip()
        if not blank and self._size >= (LIMIT if self._blank else MAX_PARAGRAPH):
            yield "".join(self._lines)
            self._lines, self._size = [], 0
        self._lines.append(line)
        self._size += len(line)
        self._blank = blank


class Whole:
    """Cuts nothing: for what must be one output in the end, as JSON must."""

    def __init__(self) -> None:
        self._deltas: list[str] = []

    @property
    def open(self) -> str:
        """All there is."""
        return "".join(self._deltas)

    def feed(self, delta: str) -> list[str]:
        """Take more text; nothing becomes final."""
        self._deltas.append(delta)
        return []


class NotKept(ValueError):
    """JSON that would not be the same in a notebook that a front end has saved."""


def read_json(text: str) -> tuple[str, Any]:
    """Return the JSON text of an answer that is JSON, bare or as all there is in one fence, and its value.

    Parameters
    ----------
    text
        The answer.

    Returns
    -------
    tuple of (str, object)
        The text without the fence; the value, with lone surrogates replaced in it.

    Raises
    ------
    NotKept
        If it nests deeper than `MAX_DEPTH`, or holds numbers or keys that front ends do not keep.
    ValueError
        If it is no JSON.
    """
    body = text.strip()
    blocks, outside = _blocks(body)
    if len(blocks) == 1 and not outside.strip() and blocks[0][0] in ("", "json"):
        body = blocks[0][1].strip()
    try:
        value = json.loads(body, parse_int=_integer, parse_float=_number, parse_constant=_no_constant)
    except RecursionError:
        raise NotKept from None
    return body, _kept(value)


class Code(NamedTuple):
    """The code in an answer."""

    text: str
    """What can go into a cell; empty if there is nothing."""
    others: tuple[str, ...] = ()
    """The other languages that code in the answer is of."""


def code_of(text: str) -> Code:
    """Return the Python in an answer.

    Parameters
    ----------
    text
        The answer, as Markdown.

    Returns
    -------
    Code
        The fenced blocks of Python, with blank lines between them; where there are none, those that name no language,
        which beside them mostly are what the code prints. A block that was cut off counts. The whole text if there is
        no fence in it.
    """
    blocks, _ = _blocks(text)
    if not blocks:
        return Code(text)
    blocks = [(language, code.strip("\n")) for language, code in blocks if code.strip()]
    named = [code for language, code in blocks if language == PYTHON]
    found = named or [code for language, code in blocks if not language]
    others = dict.fromkeys(seen(language, _NAME) for language, _ in blocks if language not in ("", PYTHON))
    return Code("\n\n".join(found), tuple(others)[:_OTHERS])


def _blocks(text: str) -> tuple[list[tuple[str, str]], str]:
    """Return the fenced blocks, as (language, code), and the text around them."""
    blocks: list[tuple[str, str]] = []
    outside: list[str] = []
    within: list[str] | None = None
    fence, width, language = "", 0, ""
    for line in text.split("\n"):
        if within is None:
            opening = _FENCE.fullmatch(line.rstrip("\r"))
            if opening is None:
                outside.append(line)
                continue
            within, fence, width = [], opening["fence"], len(opening["before"])
            named = _LANGUAGE.match(opening["info"])
            language = named[1].lower() if named else ""
            continue
        mark = line.strip()
        if len(mark) >= len(fence) and not mark.strip(fence[0]):
            blocks.append((_ALIASES.get(language, language), "\n".join(within)))
            within = None
        else:
            indent = len(line) - len(line.lstrip(" "))
            within.append(line[min(indent, width) :].rstrip("\r"))
    if within is not None:
        blocks.append((_ALIASES.get(language, language), "\n".join(within)))
    return blocks, "\n".join(outside)


def _integer(digits: str) -> int:
    if len(digits.lstrip("-")) > _DIGITS or abs(int(digits)) > MAX_INTEGER:
        raise NotKept
    return int(digits)


def _number(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise NotKept
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity are Python's, not JSON's


def _kept(value: Any, depth: int = 0) -> Any:
    """Return *value* as a notebook can hold it: escapes can stand for lone surrogates, too."""
    if isinstance(value, str):
        return clean(value)
    if not isinstance(value, (dict, list)):
        return value
    if depth == MAX_DEPTH:
        raise NotKept
    if isinstance(value, list):
        return [_kept(item, depth + 1) for item in value]
    if "__proto__" in value:  # JavaScript takes it for something else
        raise NotKept
    return {clean(key): _kept(item, depth + 1) for key, item in value.items()}
