"""Markdown from which nothing is fetched: what is changed and what is not, and that other readers of Markdown agree."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from nbconvert.filters.markdown import markdown2html

from robota_nb.display.dialect import as_notebooks_read
from robota_nb.display.inert import inert

PUBLIC = "https://cdn.example.org/plot.png"

CHANGED = {
    "a picture": ("![x](http://a/b.png)", "[Picture: x](http://a/b.png)"),
    "a picture without a name": ("![](http://a/b.png)", "[Picture](http://a/b.png)"),
    "a picture with a title": ("![x](//a/b.png 'why')", "[Picture: x](//a/b.png 'why')"),
    "a picture with brackets in its name": ("![a [b] c](http://a)", "[Picture: a [b] c](http://a)"),
    "a picture by reference": ("![x][r]\n\n[r]: http://a", "[Picture: x][r]\n\n[r]: http://a"),
    "a picture by its own name": ("![r]\n\n[R]: http://a", "[r]\n\n[R]: http://a"),
    "a picture on the Jupyter server": ("![x](/api/kernels)", "[Picture: x](/api/kernels)"),
    "a picture in a link": ("[![x](http://a)](http://b)", "[x](http://b)"),
    "what is no picture": ("Wow![1] So", "Wow\\![1] So"),
    "a picture that does not end": ("![x](y <b>", "\\![x](y &lt;b>"),
    "a picture of no picture": ("![x](data:text/html;base64,AAAA)", "[Picture: x](data:text/html;base64,AAAA)"),
    "a tag": ("a<br>b <img src=x>", "a&lt;br>b &lt;img src=x>"),
    "a tag at the beginning": ("<div>\n![x](u)\n</div>", "&lt;div>\n[Picture: x](u)\n&lt;/div>"),
    "a comment": ("<!-- a\n\nb -->", "&lt;!-- a\n\nb -->"),
    "an escaped tag": (r"\<img src=x>", "&lt;img src=x>"),
    "a tag in a quote in a list": ("- > <b>a</b>", "- > &lt;b>a&lt;/b>"),
    "a tag in a table": ("|a|b|\n|-|-|\n|`x`|<b>|", "|a|b|\n|-|-|\n|`x`|&lt;b>|"),
    "a tag between ticks of two cells": ("|`|<b> `|\n|-|-|", "|`|&lt;b> `|\n|-|-|"),
    "a tag in maths": ("$a <b and c> d$", "$a < b and c> d$"),
    "a tag in maths of several lines": ("\\[\na <b>\n\\]", "\\[\na < b>\n\\]"),
    "a tag in an environment": ("\\begin{a}\nx <b> y\n\\end{a}", "\\begin{a}\nx < b> y\n\\end{a}"),
    "a style in maths": (r"$\style{color:red}{x}$ <b>", "$\\\u200bstyle{color:red}{x}$ &lt;b>"),
    "a style in a box": (r"$\bbox[background:url(x)]{y}$ <b>", "$\\\u200bbbox[background:url(x)]{y}$ &lt;b>"),
    "a style by a reference": ("$&#92;style{a}{x}$", "$&#92;\u200bstyle{a}{x}$"),
    "a formula that would end in code": ("$`$\n`<img src=x>`", "&#36;`$\n`&lt;img src=x>`"),
    "a formula that would end in a fence": ("$$\n```\n$$ <b>\n```", "&#36;&#36;\n```\n$$ <b>\n```"),
    "a definition that would end in a fence": ("[a]: x 'y\n```\n'\n<b>\n```", "[a]&#58; x 'y\n```\n'\n<b>\n```"),
    "a title that would end in a fence": ("[a]: x\n'y\n```\n'\n<b>\n```", "[a]: x\n&#39;y\n```\n'\n<b>\n```"),
    "an address in angle brackets": ("[x](<a b> 't')\n<b>", "[x](a%20b 't')\n&lt;b>"),
    "a diagram with a picture": ("```mermaid\nA[<img src='//a'>]\n```", "```text\nA[<img src='//a'>]\n```"),
    "a diagram with a style": ("~~~ mermaid\n%%{init: {}}%%\n~~~", "~~~text\n%%{init: {}}%%\n~~~"),
    "a diagram whose name is written otherwise": (
        "- ```mer&#109;aid\n  A@{ img: 'x' }\n  ```",
        "- ```text\n  A@{ img: 'x' }\n  ```",
    ),
    "a directive": ("```{image} https://a/b.png\n```", "```text\n```"),
    "a list that begins at ten": ("> a\n10) ```\n    <b>\n", "> a\n\n10) ```\n    <b>\n"),
    "what may be code or text": ("[^1]: \t```\n\t<b>", "[^1]: \t```\n\t&lt;b>"),
    "code of several lines": ("`a\n<img src=x>`", "`a\n< img src=x>`"),
}
SAME = {
    "text": "a < b, 5 > 4 & c! [x] *y* ~~z~~",
    "links": "[x](http://a 'b') <https://a.b/c?d=e> <mailto:a@b.c> <a@b.c> [r]\n\n[r]: http://a",
    "code": "`<img src=x>` and ``![x](y)``\n\n    <img>\n\n```html\n<img src=x>\n![x](y)\n```\n\n- a\n\n      <b>\n",
    "maths": r"$a < b$, $$x<3$$ \(y < 2\) \[z<1\] $\bbox[yellow, 5px]{x} \require{cancel}$",
    "prices": "It costs $5 and $6; `<b>` and $x$.",
    "a diagram": "```mermaid\ngraph TD\n  A[Start<br/>now] -->|yes| B(End)\n  C --- D\n```",
    "a table": "| a | b |\n|---|:-:|\n| `<x>` | 1 < 2 |\n",
    "pictures that are here": "![x](data:image/png;base64,AAAA) ![y](attachment:a.png)",
    "nothing": "",
    "ends of lines": "a\r\nb\rc",
}


@pytest.mark.parametrize(("text", "shown"), CHANGED.values(), ids=CHANGED)
def test_what_would_be_fetched_is_a_link_or_text_or_code(text, shown):
    assert inert(text) == shown


@pytest.mark.parametrize("text", SAME.values(), ids=SAME)
def test_ordinary_markdown_stays_as_it_is(text):
    assert inert(text) == text
    made = inert(f"{text}\n\n![x](y)\n").removesuffix("\n\n[Picture: x](y)\n")
    assert made == text.replace("\r\n", "\n").replace("\r", "\n")


def test_pictures_of_public_servers_may_stay():
    assert inert(f"![x]({PUBLIC} 'y') <b>", pictures=True) == f"![x]({PUBLIC} 'y') &lt;b>"


@pytest.mark.parametrize(
    "address",
    [
        "http://a.example.org/b", "//a.example.org/b", "/api/shutdown", "api/shutdown", "https:/a.example.org",
        "https://localhost/a", "https://127.0.0.1/a", "https://10.0.0.1/a", "https://[::1]/a", "https://2130706433/a",
        "https://0x7f.1/a", "https://hub/a", "https://a.example.org:8888/b", "https://a@b.example.org/c",
        "https://nas.local/a", "https://a.example.org\\@b.example.org", "javascript:a", "https://a.example.org/<b>",
        "https&colon;//a.example.org/b", "https://a&#46;example.org",
    ],
)  # fmt: skip
def test_other_pictures_never_stay(address):
    assert not re.search(r"(?<!\\)!\[", inert(f"![x]({address})", pictures=True))
    assert not re.search(r"(?<!\\)!\[", inert(f"![r]\n\n[r]: {address}", pictures=True))


# -- as others read it

PIECES = [
    *["<img src=EVIL>", "![x](EVIL)", "![x][r]", "![r]", "![](EVIL)", "<b>", "</b>", "<div>", "<!--", "-->"],
    *["<script>", "`", "``", "```", "~~~", "```html\n", "```\n", "```mermaid\n", "~~~\n", "`a`", "&#96;", "\\"],
    *["\n", "\n", "\n\n", "\n\n", " ", "  ", "    ", "      ", "\t", "> ", "- ", "1. ", "10) ", "# ", "---\n"],
    *["|", "|---|---|", "|-|-|\n", "| a | b |", "$", "$$", "\\(", "\\)", "\\[", "\\]", "\\begin{a}", "\\end{a}"],
    *["[r]: EVIL", "[r]: <EVIL x>", "[a]: x '", "[a]:", "]:", " x", "'", '"', "(", ")", "[", "]", "](", "[^1]: "],
    *["<https://EVIL>", "[x](<EVIL y> 'z')", "a", "b c", "*", "_", "\r\n", "===", "&lt;", "<"],
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=20).map("".join)
COMMONMARK = MarkdownIt("commonmark").enable("table")
WITHOUT_HTML = MarkdownIt("commonmark", {"html": False}).enable("table")


class Tags(HTMLParser):
    """The tags in HTML, and the texts."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text = set(), ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.text += dict(attrs).get("alt", "") if tag == "img" else ""

    def handle_data(self, data):
        self.text += data


OWN = {
    "p", "a", "em", "strong", "code", "pre", "ul", "ol", "li", "blockquote", "hr", "br", "table", "thead", "tbody",
    "tr", "th", "td", "del", *(f"h{level}" for level in range(1, 7)),
}  # fmt: skip


@given(TEXTS)
def test_no_reader_sees_html_or_a_picture(text):
    shown = inert(text)
    assert not [
        span.type
        for token in COMMONMARK.parse(shown)
        for span in [token, *(token.children or [])]
        if span.type in ("html_block", "html_inline", "image")
    ]
    page = markdown2html(shown)
    if 'class="mermaid"' not in page:  # it escapes nothing in these
        assert Tags(page).tags <= OWN | {"span", "div"}
        assert "<script" not in page
        assert not re.search(r"<(?:img|b|div)>|<img", page.replace('<div class="highlight">', ""))


def code(markdown):
    """The texts of all code, but of spans of several lines."""
    return [
        token.content
        for block in WITHOUT_HTML.parse(markdown)
        for token in [block, *(block.children or [])]
        if token.type in ("fence", "code_block", "code_inline")
    ]


@given(TEXTS.filter(lambda text: "|" not in text))
def test_code_stays_as_it_is(text):
    assert [piece.replace("< ", "<").replace("! ", "!") for piece in code(inert(text))] == [
        piece.replace("< ", "<").replace("! ", "!") for piece in code(text.replace("\r\n", "\n"))
    ]


def words(markdown):
    """The text of a page, but for what `inert` puts between: and, in a formula, for the angles of a link."""
    return re.sub(r"\s|\u200b|Picture:?|[!<>]", "", Tags(WITHOUT_HTML.render(markdown)).text)


@given(TEXTS.filter(lambda text: "|" not in text and "](" not in text.replace("![x](", "").replace("![](", "")))
def test_the_words_stay_as_they_are(text):
    assert words(inert(text)) == words(text)


# -- cost

BOMBS = {
    "ticks": "`" * 50_000 + "<b>",
    "runs of ticks": "".join("`" * n + " " for n in range(1, 440)) + "<b>",
    "two kinds of ticks": "` `` " * 20_000 + "<a>",
    "escaped ticks": "\\`" * 50_000 + "<a>",
    "backslashes": "\\" * 99_999 + "`<a>",
    "dollars": "$ <a " * 20_000,
    "brackets of maths": "\\( <a " * 17_000,
    "environments": "\\begin{a} <a " * 8_000,
    "pictures that open": "![" * 50_000,
    "pictures with a letter": "![a" * 33_000,
    "tags that open": "<a" * 50_000,
    "targets": "](<" * 33_000,
    "quotes": ">" * 50_000 + "<a>",
    "nested lists": "- " * 50_000 + "<a>",
    "lists": "- a <b>\n" * 12_000,
    "definitions": "[a]: b\n" * 14_000 + "<a>",
    "references": "&#92;" * 20_000 + "<a",
    "spaces": "](" + " " * 99_990 + "<a",
    "fences": "```a\n" * 20_000 + "<a>",
    "cells": "|" * 50_000 + "\n|-|\n<a>",
    "formulas": "\\(x\\) " * 16_000,
    "displayed formulas": "\\[\n" * 33_000,
    "headings": "# $\n" * 25_000,
    "lines below": "a\n=\n" * 25_000,
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_what_is_long_takes_no_long_time(text):
    assert len(inert(as_notebooks_read(text))) <= 8 * len(text)
