"""Markdown without what a page fetches by itself: an answer must not carry the reader's words to an address in it.

Pictures become links, HTML becomes text, and a diagram that holds addresses becomes code. Code stays as it is, and so
does a text in which there is none of that. Which lines are code is found by a parser of CommonMark that knows no HTML,
as there is none in what is returned; where front ends read a text differently, it is changed rather than left.
"""

from __future__ import annotations

import html
import ipaddress
import re
from urllib.parse import quote, urlsplit

from robota_nb.display.dialect import DOLLAR
from robota_nb.display.spans import BRACKETS, TICKS, code_in, formula_end, parser

__all__ = ["inert"]

PICTURE = "Picture"
"""How a link begins that stands in the place of a picture; where our labextension draws it, a click shows that."""

_SUSPECT = re.compile(r"<[a-z/!?]|!\[|(?:`{3}|~{3}).*[a-z{&\\]|(?:\\|&(?:#0*92|#x0*5c|bsol);)[a-z]", re.IGNORECASE)

_INDENT = re.compile(r"[\s>*+\d.)-]*")
_FENCE = re.compile(r"(?P<mark>`{3,}|~{3,})(?P<info>.*)")
_LANGUAGE = re.compile(r"[\w+#./-]*", re.ASCII)
_DIAGRAMS = re.compile(r"mermaid|vega(?:-?lite)?|plantuml|kroki|(?:image|figure|iframe|video|embed|raw|card|button)$")
_ADDRESS = re.compile(  # or what may come to one: a diagram's directives, styles, shapes, escapes
    r"//|\\|:\\|www\.|[a-z]:[^\s:]*/|url|image-set|src|href|import|theme|style|img|image|data:|%%\{|^\s*---\s*$|@\{|&|"
    r"#\w+;|<(?!-|br\s*/?>|/?[bi]>|[\s<=|])|\]\(|!include",
    re.IGNORECASE | re.MULTILINE,
)

_DEFINES = re.compile(r"\]:[ \t]*\S*(?:[ \t]+['\"(][^\n]*)?[ \t]*$", re.MULTILINE)
_TITLE = re.compile(rf"({_INDENT.pattern})(['\"(])")
_CLOSES = re.compile(r"\$|\\(?:[)\]]|end)")  # a formula
_MARK = re.compile(r"[<!$\\&]|\]:")
_TEXT = re.compile(r"[^\]\\`$<!&]+")
_ANGLE = re.compile(r"<(?=[A-Za-z/!?])")
_PICTURE = re.compile(r"!(?=\[)")
_AUTOLINK = re.compile(r"<(?:(?:https?|ftp|mailto):[^\s<>`$\"']*|[\w.+-]+@[\w.-]+)>", re.ASCII)
_TARGET = re.compile(r"<([^<>\n]*)>")
_NAMED = re.compile(r"!\[((?:[^\[\]\\]|\\.|\[[^\[\]]{0,200}\]){0,1000})\](?:(\()|\[([^\[\]]{0,1000})\])?")
_REST = re.compile(  # of a link, after "("
    r"\s{0,9}(?:<[^<>\n]*>|[^\s()<>]*(?:\([^\s()]*\)[^\s()]*)*)"
    r"(?:\s{1,9}(?:\"[^\"]{0,1000}\"|'[^']{0,1000}'|\([^()]{0,1000}\)))?\s{0,9}\)"
)
_BADGE = re.compile(r"!\[([^\[\]<>`$\\!]{0,200})\]\([^\s()<>`$\\]{0,2000}\)(?=\]\()")
_CARRIED = re.compile(
    r"!\[[^\[\]<>`$\\]*\]\((?:attachment:[\w.%-]+|data:image/(?:png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/=]+)"
    r"(?: (?:\"[^\"<>`$\\\n]*\"|'[^'<>`$\\\n]*'))?\)",
    re.ASCII,
)
_REMOTE = re.compile(
    r"!\[[^\[\]<>`$\\]*\]\((https://[^\s()<>`$\\\"'\[\]]+)(?: (?:\"[^\"<>`$\\\n]*\"|'[^'<>`$\\\n]*'))?\)"
)
_HOST = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+", re.ASCII | re.IGNORECASE)

# Commands of MathJax that style, and so load pictures, or that load a file.
_REACHING = re.compile(
    r"(\\|&(?:#0*92|#x0*5c|bsol);)(?=(?:style|mmlToken|includegraphics|data|texhtml)(?![A-Za-z])"
    r"|bbox(?!\s*\[(?:[\w\s,.:-]|#[0-9a-f]{3})*\])|require(?!\s*\{\s*[a-z]*\s*\}))",
    re.IGNORECASE,
)
_ESCAPE = re.compile(r"\\[!-/:-@\[-`{-~]")


def inert(text: str, *, pictures: bool = False) -> str:
    """Return a Markdown text that shows the same, and from which no front end fetches anything.

    Parameters
    ----------
    text
        The text: whole blocks.
    pictures
        Whether pictures of public servers stay, where they come over TLS.
    """
    if not _SUSPECT.search(text):
        return text
    blocks = _Blocks(text.replace("\r\n", "\n").replace("\r", "\n"))
    return "\n".join(blocks.rewritten(_Scanner(blocks.labels, pictures=pictures, torn=blocks.torn)))


def _draws(info: str, content: str) -> bool:
    """Whether a front end may draw a fence, and fetch something for it."""
    named = html.unescape(info).replace("\\", "").strip().casefold()
    language = re.split(r"[\s{}:,]+", named.lstrip("{ ."), maxsplit=1)[0]
    is_odd = not _LANGUAGE.fullmatch(language)
    return bool((is_odd or _DIAGRAMS.match(language)) and _ADDRESS.search(f"{content}\n{info}"))


def _is_public(url: str) -> bool:
    """Whether a picture's address is on a server in the open, so that it is not the reader's own or their Jupyter's."""
    parts = urlsplit(url)
    if not _HOST.fullmatch(parts.netloc):
        return False  # a port, a name or a password in it; an address of IPv6; a name of the reader's own network
    try:
        return ipaddress.ip_address(parts.netloc).is_global
    except ValueError:
        return not re.search(r"\.(?:\d+|local|localhost|localdomain|internal|lan|home|corp)$", parts.netloc.lower())


class _Blocks:
    """Which lines of a text are code, and which are paragraphs and the like.

    Attributes
    ----------
    labels
        The labels of the link definitions.
    """

    def __init__(self, text: str) -> None:
        environment: dict[str, dict[str, object]] = {}
        tokens = parser().parse(text, environment)
        self.labels = frozenset(environment.get("references", ()))
        self._lines = text.split("\n")
        self._code: set[int] = set()
        self._flows: list[tuple[int, int, dict[int, int]]] = []  # first line, last line, spans of code
        self._after_blank: set[int] = set()  # lines that are to come after a blank one
        doubtful: set[int] = set()  # lines that some read as a paragraph
        for token in tokens:
            start, end = token.map or (0, 0)
            if token.type == "inline":
                self._flows.append((start, end, code_in(self._text(start, end))))
            elif token.type == "ordered_list_open" and token.attrGet("start") is not None and self._after_text(start):
                if token.level:  # not all begin such a list right below a quote
                    doubtful.update(range(start, end))
                else:
                    self._after_blank.add(start)
            elif token.type == "fence":
                self._code.update(range(start, end))
                if _draws(token.info, token.content):
                    self._lines[start] = _FENCE.sub(r"\g<mark>text", self._lines[start], count=1)
            elif token.type == "code_block" and not self._after_text(start):  # else some go on with a paragraph
                self._code.update(range(start, end))
                if token.level:  # where a tab leads in a quote, readers do not agree
                    self._lines[start:end] = [_INDENT.sub(_without_tabs, line, 1) for line in self._lines[start:end]]
        self._code -= doubtful

    @property
    def torn(self) -> bool:
        """Whether a formula that begins in text could end in code."""
        spans = (self._text(start, end)[at:until] for start, end, found in self._flows for at, until in found.items())
        return any(_CLOSES.search(piece) for piece in (*(self._lines[index] for index in self._code), *spans))

    def rewritten(self, scanner: _Scanner) -> list[str]:
        """Return the lines as they are to be shown."""
        apart = self._code.union(*(range(start, end) for start, end, _ in self._flows))
        shown = [line if index in apart else scanner.bare(line) for index, line in enumerate(self._lines)]
        for start, end, code in self._flows:
            below = start - 1 not in apart and self._after_text(start)
            shown[start:end] = scanner.flow(self._text(start, end), code, below_definition=below).split("\n")
        return [f"\n{line}" if index in self._after_blank else line for index, line in enumerate(shown)]

    def _after_text(self, line: int) -> bool:
        return line > 0 and bool(self._lines[line - 1].strip())

    def _text(self, start: int, end: int) -> str:
        return "\n".join(self._lines[start:end])


def _without_tabs(indent: re.Match[str]) -> str:
    return indent[0].expandtabs(4)


class _Scanner:
    """Rewrites what is not code.

    Parameters
    ----------
    labels
        The labels of the link definitions.
    pictures
        Whether remote pictures stay.
    torn
        Whether a formula that begins in text could end in code, and would take the code apart where formulas are read
        first.
    """

    def __init__(self, labels: frozenset[str], *, pictures: bool, torn: bool) -> None:
        self._labels = labels
        self._pictures = pictures
        self._torn = torn

    def flow(self, text: str, code: dict[int, int], *, below_definition: bool) -> str:
        """Rewrite the lines of a paragraph, a heading or a table, in which there are spans of code."""
        made = self._spans(text, code)
        if below_definition and (title := _TITLE.match(made)):  # some would read that, and all to its end, as a title
            made = f"{title[1]}&#{ord(title[2])};{made[title.end() :]}"
        return made

    def bare(self, line: str) -> str:
        """Rewrite a line in which there are no spans: link definitions, and what is too deep to be read."""
        return self._spans(line, None) if line.strip() else ""  # not all take a line of spaces for a blank one

    def _spans(self, text: str, code: dict[int, int] | None) -> str:
        if not _MARK.search(text):
            return text
        made: list[str] = []
        at = 0
        closers: dict[str, int] = {}
        while at < len(text):
            if plain := _TEXT.match(text, at):
                made.append(plain[0])
                at = plain.end()
            elif code and at in code:
                made.append(_span(text[at : code[at]]))
                at = code[at]
            elif (end := formula_end(text, at, len(text), closers)) > at:
                made.append(_disarmed(text[at:end]))
                at = end
            elif code is not None and text[at] == "]" and _DEFINES.match(text, at):
                made.append("]&#58;")  # it defines nothing, but some would take a fence below for its address or title
                at += 2
            else:
                piece, at = self._mark(text, at, is_bare=code is None)
                made.append(piece)
        return "".join(made)

    def _mark(self, text: str, at: int, *, is_bare: bool) -> tuple[str, int]:
        """Return what is written for the mark at an index, and the index after it."""
        mark = text[at]
        if mark == "`":
            ticks = TICKS.match(text, at)
            return (ticks[0], ticks.end()) if ticks else (mark, at + 1)
        if mark == "$":
            return ("&#36;" if self._torn else mark), at + 1
        if mark == "<":
            return self._angle(text, at, "]:" if is_bare else "](")
        if mark == "!" and _PICTURE.match(text, at):
            return self._picture(text, at)
        if reach := _REACHING.match(text, at):
            return f"{reach[0]}\u200b", reach.end()
        if mark == "\\" and _ESCAPE.match(text, at):
            return self._escape(text, at)
        if self._torn and text.startswith("\\begin", at):
            return "\\\u200b", at + 1
        return mark, at + 1

    def _escape(self, text: str, at: int) -> tuple[str, int]:
        escaped = text[at : at + 2]
        if escaped == "\\<":
            return "&lt;", at + 2
        if escaped == "\\\\" and (_REACHING.match(text, at + 1) or (self._torn and text[at + 2 : at + 3] in "([")):
            return f"{escaped}\u200b", at + 2
        return (escaped[1:] if self._torn and escaped in BRACKETS else escaped), at + 2

    @staticmethod
    def _angle(text: str, at: int, before_target: str) -> tuple[str, int]:
        target = _TARGET.match(text, at)
        if target and text[max(0, at - 100) : at].rstrip().endswith(before_target):
            return quote(target[1], safe="/:?#[]@!$&'*+,;=%~") or "#", target.end()
        if not _ANGLE.match(text, at):
            return "<", at + 1
        if text.startswith(DOLLAR, at):
            return DOLLAR, at + len(DOLLAR)
        link = _AUTOLINK.match(text, at)
        return (link[0], link.end()) if link else ("&lt;", at + 1)

    def _picture(self, text: str, at: int) -> tuple[str, int]:
        if carried := _CARRIED.match(text, at):
            return carried[0], carried.end()
        if self._pictures and (remote := _REMOTE.match(text, at)) and _is_public(remote[1]):
            return remote[0], remote.end()
        if text[at - 1 : at] == "[" and (badge := _BADGE.match(text, at)):
            return badge[1] or "picture", badge.end()  # there is no link in a link
        named = _NAMED.match(text, at)
        if not named or named[1].startswith("^"):
            return "\\!", at + 1
        labels = (named[3] or named[1], named[1])
        is_link = (named[2] and _REST.match(text, named.end())) or any(
            _label(label) in self._labels for label in labels
        )
        if not is_link:
            return "\\!", at + 1
        if not named[1].strip():
            return f"[{PICTURE}]", named.end(1) + 1
        if named[2] or named[3]:
            return f"[{PICTURE}: ", at + 2
        return "", at + 1  # what it is called is where it is


def _label(label: str) -> str:
    from markdown_it.common.utils import normalizeReference

    return normalizeReference(label)


def _span(code: str) -> str:
    """Return a span of code; one of several lines is not known for one by all that look for formulas."""
    return _disarmed(code) if "\n" in code else code


def _disarmed(source: str) -> str:
    """Return a formula or code that shows the same, and is nothing else where it is not read as that."""
    source = _PICTURE.sub("! ", _ANGLE.sub("< ", source))
    return re.sub(r"\\\\|(?=\\|&)" + f"(?:{_REACHING.pattern})", _apart, source, flags=re.IGNORECASE)


def _apart(found: re.Match[str]) -> str:
    return found[0] if found[0] == "\\\\" else f"{found[0]}\u200b"
