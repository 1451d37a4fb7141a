"""What models write is shown as they meant it, and code as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from robota_nb.display.dialect import as_notebooks_read
from robota_nb.display.inert import inert
from support.dialect import CASES


def shown(text):
    return inert(as_notebooks_read(text))


def code(text):
    """The code in a text, as CommonMark has it."""
    tokens = MarkdownIt("commonmark").disable(["html_block", "html_inline"]).parse(text)
    inner = [child for token in tokens for child in (token, *(token.children or ()))]
    return [(token.type, token.content) for token in inner if token.type in ("fence", "code_block", "code_inline")]


@pytest.mark.parametrize("name", CASES)
def test_what_models_write_is_shown_as_they_meant_it(name):
    source, written = CASES[name]
    assert shown(source) == (source if written is None else written)
    assert code(shown(source)) == code(source)


PIECES = [
    "$", "$$", "$5", "\\(", "\\)", "\\[", "\\]", "x", " ", "\n", "\n\n", "# ", "> ", "- ", "    ", "`", "```\n", "|",
    "===\n", "---\n", "\\", "1. ", "*", "https://a.b/", "<b>", "\\begin{align}", "\\end{align}",
]  # fmt: skip
texts = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)


@given(texts)
def test_code_stays_as_it_is_whatever_stands_around_it(text):
    made = as_notebooks_read(text)
    lines = [content for kind, content in code(text) if kind != "code_inline"]
    assert [content for kind, content in code(made) if kind != "code_inline"] == lines


@given(texts)
def test_nothing_but_marks_changes(text):
    kept = str.maketrans("", "", "#$\\()[]=-> \t\n\r")
    made = as_notebooks_read(text).replace(r"<span>\$</span>", "").replace("%24", "")
    assert made.translate(kept) == text.translate(kept)
