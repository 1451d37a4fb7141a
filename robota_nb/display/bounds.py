"""Which part of an answer a cell shows: its beginning, as far as a page lays it out without standing still.

The text is measured as it comes, so what a stream shows is what a replay shows. It ends at a line, where there are
lines: a list at an item, a table at a row. What a page has to do for a line was measured in JupyterLab.
"""

from __future__ import annotations

import re

__all__ = ["MAX_CHARACTERS", "MAX_COLOURED", "MAX_LINES", "MAX_WORK", "Bound", "bounded", "uncoloured", "what_is_left"]

MAX_CHARACTERS = 100_000
"""Characters of an answer that a cell shows."""

MAX_LINES = 1000
"""Lines of an answer that a cell shows, blank ones not counted: blocks, items and rows have a line each at least."""

MAX_WORK = 8000
"""What a page may have to do for what a cell shows, in the units below; few answers of 60,000 characters need it."""

MAX_COLOURED = 5000
"""Characters of a block of code that are coloured: each word is an element then."""

# What a page has to do for one of each, by measurement: a mark of emphasis is 1.
_LINE = 6
_ITEM = 12
_CELL = 2
_HEADING = 100
_FENCE_LINE = 20
_FORMULA = 10  # for each end of one,
_IN_FORMULA = 5  # and for each character in it
_ADDRESS = 2  # for a slash: an address has two at least, and is a link
_MAIL = 5
_DENSE = 4  # times as much for a mark in a long line, which is laid out in one go

_DEEPEST = 60  # quotes and lists in each other; readers of Markdown take a time that grows with the square of that
_SHORT = 1000  # characters; a longer line is cut within
_DENSE_FROM = 2000  # characters of a line
_BACK = 20  # lines in which the beginning of an item or a block is looked for

_MARK = re.compile(r"[*_~`<>\[\]|&!+/@]")
_NEAR_FORMULAS = re.compile(r"[$\\]")
_WEIGHTS = {"/": _ADDRESS, "@": _MAIL}
_MARKERS = re.compile(r"\s*(?:>\s*|(?:[-+*]|[0-9]{1,9}[.)])\s+)")
_LEADING = 200  # characters in which they are looked for
_ROWS = re.compile(r"[\s>]*\|?[\s:]*-[\s:|-]*")  # the line below the head of a table
_UNDERLINE = re.compile(r"[\s>]*(?:=+|-+)\s*")
_BEGINS = re.compile(r"[\s>]*(?:[-+*]|[0-9]{1,9}[.)])[ \t]|[\s>]*$")  # an item, or what is blank
_FENCE = re.compile(r"(?P<before>[\s>]*(?:(?:[-+*]|[0-9]{1,9}[.)])[ \t]+)*)(?P<mark>`{3,}(?=[^`]*$)|~{3,})(?P<info>.*)")


class Bound:
    """Lets the beginning of one text pass, as it comes.

    Parameters
    ----------
    plain
        Whether it is shown as plain text, of which only characters and lines count.
    """

    def __init__(self, *, plain: bool = False) -> None:
        self._plain = plain
        self.full = False
        self._passed = 0  # characters,
        self._lines = 0  # lines with something in them,
        self._work = 0  # and the work, of what has passed
        self._columns = 0  # of the table that is open: a page fills its rows up to them
        self._fence = ""  # what ends the code that is open
        self._formulas = _Formulas()
        self._line: list[str] = []  # what has come of the line that is open,
        self._length = 0  # and its characters

    def feed(self, delta: str) -> str:
        """Take more text; return what of it passes."""
        at = 0
        while not self.full and at < len(delta):
            end = delta.find("\n", at)
            piece = delta[at : end if end >= 0 else len(delta)]
            fits = self._fitting(piece)
            at += fits
            self.full = self.full or fits < len(piece)
            if not self.full and end >= 0:
                self._end_line()
                at += not self.full
        return delta[:at]

    def _fitting(self, piece: str) -> int:
        """Return how many characters of a piece of a line pass."""
        fits = min(len(piece), MAX_CHARACTERS - self._passed)
        if not (self._fence or self._plain):
            fits = self._marked(piece, fits)
        if self._length < _LEADING and not self._plain:
            end = _too_deep("".join(self._line) + piece[: _LEADING - self._length])
            if end is not None:
                fits, self.full = max(0, min(fits, end - self._length)), True
        self._passed += fits
        self._length += fits
        self._line.append(piece[:fits])
        return fits

    def _marked(self, piece: str, fits: int) -> int:
        """Count the marks in a piece of a line, and what is in formulas; return how many characters pass."""
        all_count = self._formulas.is_open or _NEAR_FORMULAS.search(piece, 0, fits)
        for at in range(fits) if all_count else [mark.start() for mark in _MARK.finditer(piece, 0, fits)]:
            character = piece[at]
            self._work += self._formulas.feed(character)
            if _MARK.match(character):
                times = 1 if self._length + at < _DENSE_FROM else _DENSE
                self._work += _WEIGHTS.get(character, 1) * times
            if self._work > MAX_WORK:
                return at
        return fits

    def _end_line(self) -> None:
        """Count the line that has ended; the bound is full if it is too much."""
        line = "".join(self._line)
        self._passed += 1
        self._line, self._length = [], 0
        text = line.strip()
        if not self._plain:
            self._work += self._formulas.feed("\n") if text else self._formulas.end_paragraph()
        if not text:
            self._columns = 0
            return
        self._lines += 1
        self._work += 0 if self._plain else self._kind(line, text)
        self.full = self._lines > MAX_LINES or self._work > MAX_WORK

    def _kind(self, line: str, text: str) -> int:
        """Return the work for a line of this kind, and note what it opens or closes."""
        if self._fence:
            if text.startswith(self._fence) and not text.strip(self._fence[0]):
                self._fence = ""
            return _LINE
        if fence := _FENCE.fullmatch(line):
            self._fence = fence["mark"]
            return _FENCE_LINE
        if "|" in line and _ROWS.fullmatch(line):
            self._columns = line.count("|")
        if text[0] == "#" or _UNDERLINE.fullmatch(line):
            return _HEADING
        return (_ITEM if _BEGINS.match(line) else _LINE) + _CELL * self._columns


class _Formulas:
    """Says what each character of a text costs because of the formula that it stands in, or opens, or ends.

    A page draws each sign of a formula by itself. Whether a dollar opens one is known where it ends; until then it
    counts as if it did.
    """

    def __init__(self) -> None:
        self._begin()
        self._in_code = False

    def _begin(self, ends: str = "") -> None:
        self._ends = ends  # what ends the one that is open: "$", "$$", "\\)", "\\]", or "\\end" of an environment
        self._cost = self._length = 0
        self._before = ""  # the character before,
        self._command: str | None = None  # and the letters since a backslash

    @property
    def is_open(self) -> bool:
        """Whether what the next character costs depends on those before it."""
        return bool(self._ends or self._before == "\\" or self._command)

    def feed(self, character: str) -> int:
        """Return the cost of one more character."""
        if character.isalpha() and self._command is not None:
            self._command += character
        opened, ended = ("", self._is_end(character)) if self._ends else (self._opening(character), False)
        if opened:
            self._begin(opened)
        elif ended:
            self._begin()
        cost = _FORMULA if opened or ended else _IN_FORMULA if self._ends else 0
        if not character.isalpha():
            is_escaped = self._before == "\\" and character == "\\"
            self._command = "" if character == "\\" and not is_escaped else None
            self._before = "" if is_escaped else character
        else:
            self._before = character
        self._length += 1
        self._cost += cost if self._ends else 0
        return cost

    def _opening(self, character: str) -> str:
        """Return what ends the formula that this character opens, if it does."""
        if character == "`" and self._before != "\\":
            self._in_code = not self._in_code
        if self._in_code:
            return ""
        if character == "$":
            return "" if self._before == "\\" else "$"
        if character == "{":
            return "\\end" if self._command == "begin" else ""
        return {"(": "\\)", "[": "\\]"}.get(character, "") if self._before == "\\" else ""

    def _is_end(self, character: str) -> bool:
        """Say whether this character ends the formula that is open."""
        if character == "$" and self._length == 1 and self._ends == "$":
            self._ends = "$$"
            return False
        if self._ends == "$":
            return character == "$" and self._before not in ("\\", " ", "\n")
        if self._ends == "$$":
            return character == "$" == self._before and self._length >= len("$x$")
        if self._ends == "\\end":
            return character == "{" and self._command == "end"
        return f"{self._before}{character}" == self._ends

    def end_paragraph(self) -> int:
        """Return what the text costs less, as what is open now was no formula."""
        less = self._cost
        self._begin()
        self._in_code = False
        return -less


def bounded(text: str, *, plain: bool = False) -> str:
    """Return the part of a text that a cell shows; *plain* as for a `Bound`."""
    bound = Bound(plain=plain)
    shown = bound.feed(text)
    if not bound.full:
        return text
    whole, end, rest = shown.rpartition("\n")
    if len(rest) > _SHORT or not whole.strip():
        return shown
    lines = whole.split("\n")
    for back in range(1, min(_BACK, len(lines))):
        if _BEGINS.match(lines[-back]):
            return "\n".join(lines[:-back]) + "\n"
    return whole + end


def what_is_left(text: str, shown: str) -> str:
    """Return a line that says how much of an answer is not shown, and where it is; nothing if all is."""
    rest = len(text) - len(shown)
    if rest <= 0:
        return ""
    line, lines = shown.count("\n") + 1, text.count("\n") + 1
    return (
        f"{rest:,} more characters (from line {line:,} of {lines:,}) are not shown here: "
        "the panel of chats has all of it, and so has answer.text (with -o answer)"
    )


def uncoloured(markdown: str) -> str:
    """Return Markdown in which long blocks of code are of no language, so that they are not coloured."""
    if len(markdown) <= MAX_COLOURED:
        return markdown
    lines = markdown.split("\n")
    begun, fence, size = 0, "", 0
    for index, line in enumerate(lines):
        if not fence:
            if opening := _FENCE.fullmatch(line):
                begun, fence, size = index, opening["mark"], 0
            continue
        size += len(line) + 1
        text = line.strip(" \t>")
        if text.startswith(fence) and not text.strip(fence[0]):
            fence = ""
        elif size > MAX_COLOURED:
            lines[begun] = _FENCE.sub(r"\g<before>\g<mark>", lines[begun])
    return "\n".join(lines)


def _too_deep(line: str) -> int | None:
    """Return where a line begins more quotes and items in each other than are shown; None if it does not."""
    depth = at = 0
    while marker := _MARKERS.match(line, at):
        depth += 1
        if depth > _DEEPEST:
            return at
        at = marker.end()
    return None
