"""The pages of this repository, as text: their blocks of code, and the lines of magic in them."""

import re
from textwrap import dedent

from support.paths import ROOT

PAGES = [
    ROOT / "README.md",
    ROOT / "README.ko.md",
    *sorted(ROOT.joinpath("docs").rglob("*.md")),
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
]
TEXTS = {page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8") for page in PAGES}
"""The text of each page, by its path from the root."""

FENCE = re.compile(r"^ *```(\S*)[^\n]*\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"(?<!`)`(%%?robota\b[^`]*)`")


def blocks(text):
    """Return the blocks of code in a page, each as (language, code)."""
    return [(language, dedent(code)) for language, code in FENCE.findall(text)]


def magics(text):
    """Yield the lines of magic in a page: in its blocks, without what explains them, and in running text."""
    for _, block in FENCE.findall(text):
        for line in block.splitlines():
            if line.strip().startswith(("%robota", "%%robota")):
                yield re.split(r"\s{3,}", line.strip())[0]
    yield from (line.replace(r"\|", "|") for line in INLINE.findall(text))
