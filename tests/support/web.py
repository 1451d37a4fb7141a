"""A page to give away, read as a browser reads it: which tags and attributes are on it, and what it shows."""

import re
from html.parser import HTMLParser

VOID = {"meta", "img", "br", "hr"}
ATTRIBUTES = {
    "html": {"lang"}, "meta": {"charset", "name", "content", "http-equiv"}, "nav": {"aria-label"},
    "section": {"aria-labelledby"}, "article": {"id", "aria-labelledby"}, "h2": {"id"}, "h3": {"id"}, "h4": {"id"},
    "a": {"href", "rel"}, "img": {"src", "alt"}, "ol": {"start"}, "td": {"style"}, "th": {"style"},
    "p": {"class"}, "div": {"class", "dir", "role", "aria-label", "tabindex"}, "code": {"class"}, "pre": {"class"},
    "details": {"class"},
}  # fmt: skip
"""The tags that may have attributes, and which."""

BARE = set(
    "head title style body header h1 ul li main summary h5 h6 strong em s blockquote table thead tbody tr br hr".split()
)
"""The tags that may have none."""

VALUES = {
    "href": re.compile(
        r"https?://[\w.-]+(?::\d+)?(?:[/?#][!-~]*)?|mailto:[\w.+-]+@[\w.-]+|#(?:chat|turn)-\d+", re.ASCII
    ),
    "src": re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]+"),
    "style": re.compile(r"text-align:(?:left|center|right)"),
    "class": re.compile(r"about|asked|branch|formula|note|table|written"),
    "id": re.compile(r"(?:chat|turn|asked)-\d+"),
    "start": re.compile(r"\d+"),
}


class Page(HTMLParser):
    """Reads a page, and fails at the first thing on it that is not allowed."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.links, self.sources, self.styles, self._text = [], [], [], [], [], []
        self.feed(html)
        self.close()
        assert self.open == [], self.open
        assert len(self.styles) == 1

    @property
    def text(self):
        """What it shows, without its title and its style."""
        return "".join(self._text)

    def handle_starttag(self, tag, attrs):
        assert tag in BARE or tag in ATTRIBUTES, tag
        assert {name for name, _ in attrs} <= ATTRIBUTES.get(tag, set()), (tag, attrs)
        for name, value in attrs:
            if name in VALUES:
                assert VALUES[name].fullmatch(value), (tag, name, value)
        said = dict(attrs)
        assert tag != "a" or not said or said.get("rel") or said["href"].startswith("#"), said
        assert not (tag == "a" and "a" in self.open)
        self.tags.append(tag)
        self.links += [said["href"]] if said.get("href") else []
        self.sources += [said["src"]] if "src" in said else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert tag in VOID, tag
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "style":
            self.styles.append(data)
        elif self.open and self.open[-1] != "title":
            self._text.append(data)

    def handle_decl(self, decl):
        assert decl == "DOCTYPE html"

    def handle_comment(self, data):
        raise AssertionError(data)

    def handle_pi(self, data):
        raise AssertionError(data)

    def unknown_decl(self, data):
        raise AssertionError(data)
