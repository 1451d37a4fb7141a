"""Texts from strangers as HTML for a page of its own, on which no other code makes them harmless.

What comes out has only the tags that a reader of Markdown makes, and of attributes only those named here. HTML in a
text is text; a picture is a link to it; a link leads to the web or to a mailbox; a formula is its source.
"""

from __future__ import annotations

import re
from functools import cache
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import unquote

from robota_nb.core.record.besides import web_address
from robota_nb.display.bounds import bounded
from robota_nb.display.inert import PICTURE
from robota_nb.display.report import plain, short
from robota_nb.display.spans import NESTING, formula_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence

    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

__all__ = ["WebText"]

_KEPT = {"a": ("href",), "ol": ("start",), "th": ("style",), "td": ("style",)}
"""The attributes that Markdown may give to tags; those of ``th`` and ``td`` say how a column is aligned."""

_LINK = {"rel": "noopener noreferrer nofollow"}
_LOWEST = 6
_MAILBOX = re.compile(r"mailto:[\w.+-]+@[\w-]+(?:\.[\w-]+)*", re.ASCII)
_REST = "The rest, as it was written:"


class WebText:
    """Makes HTML of texts, without what is not to be shown.

    Parameters
    ----------
    redact
        Returns a text without that.
    """

    def __init__(self, redact: Callable[[str], str]) -> None:
        self._redact = redact

    def line(self, text: str) -> str:
        """Return a text as it may stand in an element or an attribute, on one line."""
        return " ".join(self.plain(text).split())

    def plain(self, text: str) -> str:
        """Return a text as it may stand in an element, with its line breaks."""
        return escape(self._redact(plain(text)))

    def beginning(self, text: str) -> str:
        """Return the first words of a text; it is cut where nothing stands any more that is not to be shown."""
        return escape(short(self._redact(plain(text))))

    def markdown(self, text: str, below: int) -> str:
        """Return what a Markdown text shows; its headings are below a heading of the level *below*.

        What is more than readers of Markdown, and of pages, are good for, follows as it was written.
        """
        text = self._redact(plain(text))
        shown = bounded(text)
        environment: MutableMapping[str, object] = {}
        tokens = _reader().parse(shown, environment)
        self._limit(tokens, below)
        made: str = _reader().renderer.render(tokens, _reader().options, environment)
        rest = text[len(shown) :].strip("\n")
        return f'{made}<p>{_REST}</p>\n<div class="written">{escape(rest)}</div>\n' if rest else made

    def link(self, title: str, address: str) -> str:
        """Return a link to a web address, or where that is none or not to be shown, its title alone."""
        shown = self.line(title or address)
        is_open = web_address(address) == address and self._redact(unquote(address)) == unquote(address)
        return f'<a href="{escape(address)}" rel="{_LINK["rel"]}">{shown}</a>' if is_open and address else shown

    def _limit(self, tokens: Sequence[Token], below: int) -> None:
        """Take from tokens what they are not to show, and lower their headings."""
        for token in tokens:
            token.attrs = {name: token.attrs[name] for name in _KEPT.get(token.tag, ()) if name in token.attrs}
            token.info = ""
            if token.type in ("heading_open", "heading_close"):
                token.tag = f"h{min(_LOWEST, below + int(token.tag[1:]))}"
            elif token.type == "inline":
                token.children = list(self._spans(token.children or []))
            elif token.content:  # the lines of a quote have marks in the source, and are as one here
                token.content = self._redact(token.content)

    def _spans(self, spans: Sequence[Token]) -> Iterator[Token]:
        """Yield what stands in a paragraph; marks of emphasis, or escapes, hide nothing that is not to be shown."""
        read = "".join("\n" if span.type.endswith("break") else span.content for span in spans)
        if (redacted := self._redact(read)) != read:
            yield _token("text", redacted)
            return
        links = 0  # that are open: one in another is none
        for span in spans:
            if span.type in ("link_open", "link_close"):
                opens = span.type == "link_open"
                links += span.nesting
                if links == int(opens):
                    yield _opening(span.attrs, self._redact) if opens else span
            elif span.type != "image":
                span.attrs = {}
                yield span
            elif links:
                yield _token("text", span.content or PICTURE)
            else:
                yield _opening({"href": span.attrs["src"]}, self._redact)
                yield _token("text", f"{PICTURE}: {span.content}" if span.content else PICTURE)
                yield _token("link_close", tag="a", nesting=-1)


def _opening(attributes: Mapping[str, str | int | float], redact: Callable[[str], str]) -> Token:
    """Return the beginning of a link, which leads nowhere if its address is not to be shown."""
    target = str(attributes.get("href", ""))
    said = unquote(target)
    token = _token("link_open", tag="a", nesting=1)
    token.attrs = {"href": target, **_LINK} if target and redact(said) == said else {}
    return token


def _token(kind: str, content: str = "", *, tag: str = "", nesting: int = 0) -> Token:
    from markdown_it.token import Token

    return Token(kind, tag, nesting, content=content)  # type: ignore[arg-type]


# -- the reader of Markdown


@cache
def _reader() -> MarkdownIt:
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": False, "maxNesting": NESTING}).enable(["table", "strikethrough"])
    reader.validateLink = _leads_out  # type: ignore[method-assign, assignment]
    reader.inline.ruler.before("escape", "formula", _formula)
    reader.block.ruler.before("fence", "formula", _formula_block, {"alt": ["paragraph"]})
    reader.add_render_rule("formula", _formula_html)
    reader.add_render_rule("formula_block", _formula_block_html)
    reader.add_render_rule("table_open", _table_open)
    reader.add_render_rule("table_close", _table_close)
    return reader


def _leads_out(address: str) -> bool:
    """Say whether an address may be linked to: one of the web, or a mailbox without what is to be written there."""
    return bool(web_address(address) or _MAILBOX.fullmatch(address))


def _formula(state: StateInline, silent: bool) -> bool:
    """Read a formula in a paragraph, so that its marks are none of emphasis."""
    if state.src[state.pos] not in "$\\":
        return False
    end = formula_end(state.src, state.pos, state.posMax, {})
    if end == state.pos:
        return False
    if not silent:
        state.push("formula", "", 0).content = state.src[state.pos : end]
    state.pos = end
    return True


def _formula_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read a formula of whole lines, so that they begin no items or headings."""
    at = state.bMarks[start] + state.tShift[start]
    if not state.src.startswith(("$$", "\\[", "\\begin"), at) or state.is_code_block(start):
        return False
    after = start + 1
    while after < end and not state.isEmpty(after) and state.sCount[after] >= state.blkIndent:
        after += 1
    source = state.getLines(start, after, state.blkIndent, keepLastLF=False).lstrip()
    until = formula_end(source, 0, len(source), {})
    lines = source[:until].count("\n") + 1
    if not until or source[until:].partition("\n")[0].strip():
        return False
    if not silent:
        state.line = start + lines
        token = state.push("formula_block", "", 0)
        token.content, token.map = source[:until], [start, state.line]
    return True


def _formula_html(_renderer: object, tokens: Sequence[Token], index: int, *_: object) -> str:
    return f'<code class="formula">{escape(tokens[index].content)}</code>'


def _formula_block_html(_renderer: object, tokens: Sequence[Token], index: int, *_: object) -> str:
    return f'<pre class="formula"><code>{escape(tokens[index].content)}</code></pre>\n'


def _table_open(*_: object) -> str:
    """Begin a table that is scrolled by itself, with the keyboard, too."""
    return '<div class="table" role="group" aria-label="Table" tabindex="0"><table>\n'


def _table_close(*_: object) -> str:
    return "</table></div>\n"
