"""Spells out as calls what a cell says to ``%robota``, before IPython takes a question in it for a request for help.

IPython reads the line of a magic as Python first: a question mark at its end asks for help on its last word, and a
bracket or an apostrophe in it changes how the lines below are read. So these lines are taken out before.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableMapping
    from typing import TypeAlias

    Names: TypeAlias = MutableMapping[str, str]

__all__ = ["NAME", "Spelling", "mentions", "spelt"]

NAME = "robota"
"""What the magic is always called."""

_NEWLINE = r"(?:\r\n|\r|\n)"
_TOKEN = re.compile(
    rf"""
    (?P<string>\"{{3}}(?:[^"\\]|\\.|"(?!""))*(?:\"{{3}})?
              |'{{3}}(?:[^'\\]|\\.|'(?!''))*(?:'{{3}})?
              |"(?:[^"\\\r\n]|\\{_NEWLINE}|\\.)*"?
              |'(?:[^'\\\r\n]|\\{_NEWLINE}|\\.)*'?)
    |(?P<left_out>\#[^\r\n]*|\\{_NEWLINE}|[^\S\r\n]+)
    |(?P<end>{_NEWLINE})
    |(?P<word>\w+)
    |(?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_LOGICAL_LINE = re.compile(rf"(?:[^\r\n]*\\{_NEWLINE})*[^\r\n]*")
_MAGIC = re.compile(r"(?P<escape>%{1,2})[^\S\r\n]*(?P<name>\w+)(?:\s(?P<rest>.*))?", re.DOTALL)
_ESCAPES = {"\n": "%!?,;/", "=": "%!"}
"""What makes IPython take a line for itself, at the beginning of a statement and behind its equals sign."""
_OTHER_ESCAPE = re.compile(r"[!?,;/]+\s*%{0,2}(?P<name>\w+)\s")
_INNER = re.compile(r"%\s*(?P<name>\w+)\s")
_SHORT_NAME = re.compile(r"""RobotaMagics\.alias\s*=\s*['"](?P<name>\w+)""")
_AUTOMAGIC = re.compile(r"(?P<name>\w+)\s+(?P<rest>[\w\"'-][^#]*\?)", re.DOTALL)
_ABOVE_CELL_MAGIC = re.compile(rf"(?:[^\S\r\n]*(?:\#[^\r\n]*)?{_NEWLINE})*(?=%%)")


class Spelling:
    """Spells out the lines of each cell (a line transformer of IPython).

    Parameters
    ----------
    names
        Returns what the magic is called at the moment, each with the words that an alias puts before its line.
    """

    def __init__(self, names: Callable[[], Names]) -> None:
        self._names = names

    def __call__(self, lines: list[str]) -> list[str]:
        """Return the lines of a cell, with their line ends, as IPython is to read them."""
        source = "".join(lines)
        found = spelt(source, self._names())
        return lines if found == source else found.splitlines(keepends=True)


def spelt(source: str, names: Names) -> str:
    """Return the source of a cell with the lines of the magic spelt out; strings and comments stay as they are.

    Parameters
    ----------
    source
        The cell.
    names
        What the magic is called, as for `Spelling`; aliases that the cell makes are added.

    Raises
    ------
    SyntaxError
        If a question or ``%%robota`` stands where it would not be asked, such as behind a semicolon.
    """
    if not mentions(source, names):
        return source
    if above := _ABOVE_CELL_MAGIC.match(source):
        return _cell_magic(source, source[above.end() :], names)
    return "".join(_statements(source, names))


def mentions(source: str, names: Names) -> bool:
    """Say whether a cell may say something to the magic."""
    return "RobotaMagics" in source or any(name in source for name in names)


def _cell_magic(source: str, cell: str, names: Names) -> str:
    first, _, body = cell.partition("\n")
    magic = _MAGIC.fullmatch(first.rstrip())
    if magic is None or magic["name"] not in names:
        return source
    line = " ".join(filter(None, ("%%" + NAME, names[magic["name"]], magic["rest"])))
    return "\n".join((line, body or "\n"))  # IPython refuses a cell magic without a body, even if its line says it all


def _statements(source: str, names: Names) -> Iterator[str]:
    """Yield the source piece by piece; what IPython may read as a magic is one piece."""
    at, depth, last = 0, 0, "\n"  # how many brackets are open; the last token that is no space or comment
    misplaced = ""
    while token := _TOKEN.match(source, at):
        kind, text = token.lastgroup, token[0]
        is_escape = depth == 0 and text in _ESCAPES.get(last, "")
        if is_escape or (last == "\n" and text in names):
            line = _LOGICAL_LINE.match(source, at)
            assert line is not None
            spelt_out = _line(line[0], names)
            if is_escape or spelt_out != line[0]:  # else it is Python: a variable of that name
                yield spelt_out
                at, last = line.end(), text
                continue
        if text == "%" and (magic := _MAGIC.match(source, at)) and magic["name"] in names:
            misplaced = magic["name"]
        if kind == "end":
            _check(misplaced, last)
            misplaced = ""
            last = last if depth else "\n"
        elif kind != "left_out":
            last = text
            depth = max(depth + (text in "([{") - (text in ")]}"), 0)
        yield text
        at = token.end()
    _check(misplaced, last)


def _check(misplaced: str, last: str) -> None:
    """Refuse a line of Python with a magic in it that ends in a question mark: IPython would show help, and not ask."""
    if misplaced and last.endswith("?"):  # also where an apostrophe has begun a string
        raise SyntaxError(
            f"%{misplaced} cannot be asked in the middle of a line: put it on a line of its own, or behind 'name ='"
        )


def _line(line: str, names: Names) -> str:
    """Return the line of a magic spelt out, if it says something to ours."""
    *continued, last = re.split(_NEWLINE, line)
    text = " ".join([*(part.rstrip()[:-1] for part in continued), last.rstrip()])  # as IPython does it
    if automagic := _AUTOMAGIC.fullmatch(text):  # without "?" IPython finds it, if that is switched on
        return _call(NAME, names[automagic["name"]], automagic["rest"])
    if (other := _OTHER_ESCAPE.match(text)) and other["name"] in names:
        _check(other["name"], text)
    magic = _MAGIC.fullmatch(text)
    if magic is None:
        return line
    name, rest = magic["name"], magic["rest"] or ""
    if name in names:
        if magic["escape"] == "%%":
            raise SyntaxError(f"%%{name} comes first in its cell: only blank lines and comments may stand above it")
        return _call(NAME, names[name], rest)
    if name == "alias_magic":
        _note_alias(rest, names)
    elif name == "config" and (setting := _SHORT_NAME.search(rest)):
        names[setting["name"]] = ""
    if rest.endswith("?") and any(inner["name"] in names for inner in _INNER.finditer(rest)):  # as behind %time
        return _call(name, "", rest)
    return line


def _call(name: str, before: str, rest: str) -> str:
    words = f"{before} {rest}" if before else rest
    return f"get_ipython().run_line_magic({name!r}, {words!r})"


def _note_alias(line: str, names: Names) -> None:
    """Note what ``%alias_magic`` will call the magic from here on."""
    from IPython.core.error import UsageError
    from IPython.core.magic_arguments import parse_argstring
    from IPython.core.magics.basic import BasicMagics

    try:
        given = parse_argstring(BasicMagics.alias_magic, line)  # type: ignore[no-untyped-call] # IPython's own
    except UsageError:  # it says so when it runs
        return
    target, before = given.target.lstrip("%"), (given.params or "").strip("\"'")
    if target in names:
        names[given.name.lstrip("%")] = " ".join(filter(None, (names[target], before)))
