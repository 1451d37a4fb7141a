"""Reads Markdown line by line, as far as to know which blocks stand open.

What a block is follows CommonMark without HTML, which answers are shown without, and adds what readers of notebooks see
as one: ``$$`` math with blank lines. Each line is read once.
"""

from __future__ import annotations

import re
import sys

MAX_DEFINITIONS = 100
"""Link definitions of an answer that segments can share."""

MAX_DEFINITION = 1000
"""Characters of a link definition that segments can share."""

# Deeper containers are read as text: real answers nest four or five deep, hostile ones a million.
_MAX_DEPTH = 16
_NEVER = sys.maxsize
_CODE_INDENT = 4

_FENCE = re.compile(r"(`{3,})[^`]*$|(~{3,})")
_RULE = re.compile(r"([-*_])(?:[ ]*\1){2,} *$")
_HEADING = re.compile(r"#{1,6}(?: |$)")
_UNDERLINE = re.compile(r"(?:=+|-+) *$")
_ITEM = re.compile(r"(?:[-+*]|([0-9]{1,9})[.)])( +|$)")
_MATH = {"$$": "$$", r"\[": r"\]"}

_DEFINITION = re.compile(
    r" {0,3}\[(?!\^)((?:[^\[\]\\]|\\.)+)\]:[ ]*(?:<[^<>]*>|[^\s<]\S*)"
    r"(?:[ ]+(?:\"[^\"]*\"|'[^']*'|\([^()]*\)))?[ ]*$"
)


class Container:
    """The document, a list item or a block quote, and what stands open in it.

    Parameters
    ----------
    offset
        Columns by which the lines of this list item are indented; 0 for the document and a quote.
    quote
        Whether it is a block quote.
    parent
        The container it stands in.

    Attributes
    ----------
    definitions
        The link definitions of the whole document, as lines by label; the first of a label counts.
    """

    __slots__ = ("child", "definitions", "depth", "end", "math", "offset", "paragraph", "quote", "void")

    def __init__(self, offset: int = 0, *, quote: bool = False, parent: Container | None = None) -> None:
        self.offset = offset
        self.quote = quote
        self.depth: int = parent.depth + 1 if parent else 0
        self.definitions: dict[str, str] = parent.definitions if parent else {}
        self.child: Container | None = None
        self.end = ""  # what ends the fence that is open
        self.math = ""  # what ends the math; to CommonMark it is text, so blocks are read on in it
        self.paragraph = False
        self.void = False  # an item of which only the marker has come

    @property
    def in_paragraph(self) -> bool:
        """Whether a plain line would continue a paragraph, here or in the innermost child."""
        return self.child.in_paragraph if self.child else self.paragraph

    @property
    def flows(self) -> bool:
        """Whether only plain text is open, or nothing."""
        return not (self.end or self.math or self.child)

    @property
    def closing(self) -> str:
        """What to write on the next line, that no open block swallows the paragraph after it."""
        return self.end or self.math

    def begins(self, text: str) -> bool:
        """Whether *text*, coming after a blank line, begins a block that owes nothing to what stands before."""
        if self.end or self.math or text.startswith(" "):
            return False
        # After a blank line a child is a list. Definitions alone would make a segment that shows nothing.
        return not (_DEFINITION.match(text) or (self.child and _ITEM.match(text)))

    def line(self, text: str) -> None:
        """Read the next line, without its end and without tabs."""
        body = text.lstrip(" ")
        indent = len(text) - len(body)
        if self.end:
            self._verbatim(indent, body)
        elif not body:
            self._blank()
        elif (inner := self._inner(indent, body)) is not None and self.child:
            self.child.line(inner)
        else:
            self._own(indent, body)
        self.void = self.void and not body

    def _own(self, indent: int, body: str) -> None:
        """Read a line that no child takes by its indent or its quote mark."""
        if self.math:
            self.math = "" if self.math in body else self.math
        elif (end := _MATH.get(body[:2])) and end not in body[2:]:
            self.math = end
        if indent >= _CODE_INDENT:
            if not self.in_paragraph:
                self._leave()  # indented code
        elif not self._opens(indent, body):
            self._plain(body)

    def _inner(self, indent: int, body: str) -> str | None:
        """Return the line as the child sees it, or None if the line does not reach into the child."""
        child = self.child
        if child is None:
            return None
        if child.quote:
            return body[1:].removeprefix(" ") if indent < _CODE_INDENT and body.startswith(">") else None
        return " " * (indent - child.offset) + body if indent >= child.offset else None

    def _verbatim(self, indent: int, body: str) -> None:
        """Read a line of a fence, in which only its end means anything."""
        rest = body.rstrip()
        if indent < _CODE_INDENT and rest.startswith(self.end) and not rest.strip(self.end[0]):
            self.end = ""

    def _blank(self) -> None:
        self.paragraph = False
        if self.void:
            self.offset = _NEVER  # a marker and a blank line: the item is empty
        if self.child and self.child.quote:
            self.child = None
        elif self.child:
            self.child.line("")

    def _plain(self, body: str) -> None:
        """Read text: it goes on with the paragraph that is open, be it a child's, or begins one."""
        if not self.in_paragraph:
            self._leave()
            self.paragraph = not self._define(body)

    def _define(self, body: str) -> bool:
        definition = _DEFINITION.match(body)
        if definition and len(body) <= MAX_DEFINITION and len(self.definitions) < MAX_DEFINITIONS:
            self.definitions.setdefault(normal(definition[1]), body)
        return definition is not None

    def _leave(self) -> None:
        self.child = None
        self.paragraph = False

    def _opens(self, indent: int, body: str) -> bool:
        """Open the block, other than a paragraph, that begins with this line, if one does."""
        match body[0]:
            case "`" | "~" if fence := _FENCE.match(body):
                self._leave()
                self.end = fence[1] or fence[2]
                self.math = ""  # there is no code in math: the "$$" was none
            case "#" if _HEADING.match(body):
                self._leave()
            case "=" | "-" if self.paragraph and _UNDERLINE.match(body):
                self._leave()
            case "-" | "*" | "_" if _RULE.match(body):
                self._leave()
            case ">" if self.depth < _MAX_DEPTH:
                self._enter(Container(quote=True, parent=self), body[1:].removeprefix(" "))
            case _:
                return self._opens_item(indent, body)
        return True

    def _opens_item(self, indent: int, body: str) -> bool:
        item = _ITEM.match(body)
        if not item or self.depth == _MAX_DEPTH:
            return False
        rest = body[item.end() :]
        if self.paragraph and not (rest and int(item[1] or 1) == 1):
            return False  # only a first item that says something interrupts a paragraph
        space = len(item[2])
        if not rest or space > _CODE_INDENT:  # an empty item, or one that begins with code
            rest, space = " " * (space - 1) + rest, 1
        width = indent + item.end() - len(item[2]) + space
        child = Container(width, parent=self)
        child.void = not rest.strip(" ")
        self._enter(child, rest)
        return True

    def _enter(self, child: Container, rest: str) -> None:
        self._leave()
        self.child = child
        if rest.strip(" "):
            child.line(rest)


def normal(label: str) -> str:
    """Return a link label as Markdown compares it."""
    return " ".join(label.split()).casefold()
