"""Segments: where a streamed Markdown text is cut, and that every way of streaming it gives the same cuts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robota_nb.display.blocks import MAX_DEFINITIONS, Container
from robota_nb.display.segments import LIMIT, MAX_PARAGRAPH, Segmenter, split

BEFORE = "before\n\n"
AFTER = "after\n\nthe end\n"

# Lines that open, continue, close or only resemble blocks; joined at random they make hostile Markdown.
LINES = [
    *["", "", "", "  ", "text", "use [a] and [B][c]", "# Heading", "---", "===", "***", "* * *"],
    *["- item", "-", "- ", "1. one", "2. two", "10. ten", "- - nested", "  - sub", "    - subsub", "-     code"],
    *["```", "```python", "````", "~~~", "   ```", "    ```", "- ```", "``", "```\r", "``` `no`"],
    *["> quote", ">", "> ```", "> - item", "    code", "\ttab", "-\ttab", " text"],
    *["<details>", "</details>", "<div>", "</div>", "<!-- c", "-->", "<pre>", "</pre>", "<b>", "<?php", "?>"],
    *["$$", "$$ x $$", "    $$", r"\[", r"\]", "| a | b |", "|---|---|", "| 1 | 2 |"],
    *["[a]: http://a", "[b]: <b> 'title'", "- [c]: http://c", "[^1]: note", "é日本🎉", "\u2028", "x\x0by"],
]


@st.composite
def texts(draw):
    return "\n".join(draw(st.lists(st.sampled_from(LINES), max_size=30))) + draw(st.sampled_from(["", "\n", "\n\n"]))


@st.composite
def streams(draw):
    """A text, in pieces."""
    text = draw(st.one_of(texts(), st.text(alphabet="ab \n\r\t`~-#>$<[]:1.", max_size=200)))
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=60)))
    return [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)])]


def feed(pieces, limit):
    segmenter = Segmenter(limit)
    closed = [segment for piece in pieces for segment in segmenter.feed(piece)]
    return segmenter, closed


# -- any chunking, the same cuts


@given(streams(), st.sampled_from([1, 20, 100]), st.sampled_from(["", "the note"]))
def test_any_chunking_gives_the_segments_of_the_whole(pieces, limit, note):
    segmenter, closed = feed(pieces, limit)
    assert segmenter.raw == [*closed, segmenter.open]
    assert segmenter.finish(note) == split("".join(pieces), note, limit=limit)


@given(streams(), st.sampled_from([1, 20, 100]))
def test_what_closed_is_final_and_nothing_is_lost(pieces, limit):
    segmenter, closed = feed(pieces, limit)
    assert "".join(segmenter.raw) == "".join(pieces)
    segmenter.finish()
    assert segmenter.raw[: len(closed)] == closed
    assert "".join(segmenter.raw) == "".join(pieces)
    for segment in segmenter.raw[:-1]:
        assert len(segment) >= limit
        assert segment.endswith("\n")
        assert not segment.splitlines()[-1].strip()  # a cut is at a blank line


@given(texts())
def test_one_character_at_a_time(text):
    assert feed(text, 1)[0].finish() == split(text, limit=1)


def test_a_cut_waits_for_the_whole_next_line():
    segmenter = Segmenter(1)
    assert segmenter.feed("one\n\n") == []
    assert segmenter.feed("- may still be") == []
    assert segmenter.open == "one\n\n- may still be"
    assert segmenter.feed(" a list\n") == ["one\n\n"]
    assert segmenter.open == "- may still be a list\n"


def test_the_limit():
    paragraph = "word " * 100 + "\n\n"
    segments = split(paragraph * 30)
    assert "".join(segments) == paragraph * 30
    assert [LIMIT <= len(segment) < LIMIT + len(paragraph) for segment in segments[:-1]] == [True, True, True]
    assert split("word\n\n" * 600) == ["word\n\n" * 600]  # nearly every answer is one segment


def test_nothing():
    assert split("") == [""]
    assert split("", "note") == ["note"]
    assert split("\n\n", "note") == ["\n\n\n\nnote"]


# -- blocks stay whole

WHOLE = {
    "fence": "```python\na = 1\n\nb = 2\n```\n\n",
    "fence that holds a shorter one": "````\n```\n\n```\n\n````\n\n",
    "fence that holds the other kind": "~~~\n```\n\nx\n~~~\n\n",
    "fence whose end has an info string": "```\na\n\n``` python\n\nb\n```\n\n",
    "fence with a fence indented as code": "```\na\n\n    ```\n\nb\n```\n\n",
    "fence indented": "text\n   ```\na\n\nb\n  ```\n\n",
    "fence after text": "text\n```\na\n\nb\n```\n\n",
    "fence with CRLF": "```\r\na\r\n\r\nb\r\n```\r\n\r\n",
    "loose list": "- one\n\n- two\n\n  more\n\n- three\n\n",
    "ordered list": "1. one\n\n   more\n\n2. two\n\n10. ten\n\n",
    "list with a fence": "1. run\n\n   ```\n   a\n\n   b\n   ```\n\n2. done\n\n",
    "list with a fence on the marker": "- ```\n  a\n\n  b\n  ```\n\n- c\n\n",
    "nested list": "- a\n\n  - b\n\n    - c\n\n      d\n\n",
    "list with a lazy line": "- a\nlazy\n\n  b\n\n",
    "two kinds of list": "- a\n\n* b\n\n",
    "table": "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n\n",
    "quote": "> a\n>\n> b\n>\n> ```\n> c\n> ```\nlazy\n\n",
    "indented code": "text\n\n    a\n\n    b\n\n",
    "math": "$$\na\n\nb\n$$\n\n",
    "math that looks like blocks": "$$\na\n+ b\n\n> 0\n\n= c\n$$\n\n",
    "math in brackets": "\\[\na\n\nb\n\\]\n\n",
    "setext heading": "a\nb\n===\n\n",
}


@pytest.mark.parametrize("block", WHOLE.values(), ids=WHOLE)
def test_no_cut_in_a_block(block):
    assert split(BEFORE + block + AFTER, limit=1) == [BEFORE, block, "after\n\n", "the end\n"]


ENDS = {
    "fence": ("```\na\n```\n\n", "b\n"),
    "list before a heading": ("- a\n\n", "# b\n"),
    "list before text": ("- a\n\n", "b\n"),
    "list whose fence is never closed": ("- ```\n  a\n\n", "b\n"),
    "quote before a quote": ("> a\n\n", "> b\n"),
    "quote whose fence is never closed": ("> ```\n> a\n\n", "b\n"),
    "text before a list": ("a\n\n", "1. b\n"),
    "text before a rule": ("a\n\n", "---\n"),
    "no list": ("a\n2. b\n\n", "- c\n"),
    "an end and a beginning that are no fence": ("``\n\n", "``` a`b\n\nc\n"),
    "math on one line": ("$$ a $$\n\n", "b\n"),
    "a lone $$ before code": ("$$\n\n```\necho $$\n```\n\n", "b\n"),
    "HTML, which is text": ("<details>\n\n", "a\n\n</details>\n"),
    "a comment, which is text": ("<!-- a\n\n", "b -->\n"),
}


@pytest.mark.parametrize(("block", "after"), ENDS.values(), ids=ENDS)
def test_a_block_ends(block, after):
    assert split(block + after, limit=len(block))[0] == block


# -- link definitions


def test_definitions_at_the_end_are_repeated_where_they_are_used():
    text = "see [One] and [x][two]\n\nno link\n\nsee [one][]\n\n[one]: http://1 'title'\n[two]: http://2\n"
    first, second, third = split(text, limit=1)
    assert first == "see [One] and [x][two]\n\n\n\n[one]: http://1 'title'\n[two]: http://2"
    assert second == "no link\n\n"
    assert third == "see [one][]\n\n[one]: http://1 'title'\n[two]: http://2\n"


def test_definitions_reach_forward_too_and_the_first_counts():
    assert split("[a]: http://1\n\n[a]: http://2\n\ntext\n\n[a]\n", limit=20) == [
        "[a]: http://1\n\n[a]: http://2\n\n",
        "text\n\n[a]\n\n\n[a]: http://1",
    ]


@pytest.mark.parametrize(
    "line",
    ["```\n[a]: http://1\n```", "- ```\n  [a]: http://1\n  ```", "text\n[a]: http://1"],
)
def test_what_only_looks_like_a_definition(line):
    assert split(f"[a]\n\n{line}\n", limit=1)[0] == "[a]\n\n"


def test_a_footnote_is_no_definition():
    assert split("see [^1]\n\n[^1]: http://1\n", limit=1) == ["see [^1]\n\n", "[^1]: http://1\n"]


def test_definitions_cannot_blow_up_an_answer():
    definitions = "".join(f"[{n}]: http://{'x' * 200}/{n}\n" for n in range(10 * MAX_DEFINITIONS))
    uses = "".join(f"[{n}] " for n in range(10 * MAX_DEFINITIONS)) + "\n\n"
    text = uses * 20 + definitions
    segments = split(text)
    assert sum(map(len, segments)) <= 2 * len(text)
    assert all(len(segment) <= len(uses) + LIMIT + 100 for segment in segments[:-1])


# -- what is put after a text that stops anywhere

STOPS = {
    "text": ("a **b", "a **b\n\nNOTE"),
    "fence": ("```python\nx = 1", "```python\nx = 1\n```\n\nNOTE"),
    "fence after a line": ("~~~~\nx = 1\n", "~~~~\nx = 1\n~~~~\n\nNOTE"),
    "fence in a list": ("- ```\n  x", "- ```\n  x\n\nNOTE"),
    "closed fence": ("```\nx\n```", "```\nx\n```\n\nNOTE"),
    "math": ("$$\nx", "$$\nx\n$$\n\nNOTE"),
}


@pytest.mark.parametrize(("text", "shown"), STOPS.values(), ids=STOPS)
def test_a_postscript_is_not_swallowed(text, shown):
    assert split(text, "NOTE") == [shown]
    assert split(text) == [text]


# -- cost


@pytest.mark.parametrize("text", ["line\n" * 3000, "para\n\n" * 3000, "- a\n" * 3000, "> a\n" * 3000, "```\n" * 3000])
def test_each_line_is_read_once(text, monkeypatch):
    read = []
    line = Container.line
    monkeypatch.setattr(Container, "line", lambda self, text: (read.append(text), line(self, text)))
    segmenter, _ = feed(text, LIMIT)
    segmenter.finish()
    assert len(read) <= 2 * text.count("\n")  # once by the document, once by the item or the quote


@pytest.mark.parametrize(
    "unit",
    [
        "- ",
        "> ",
        ">",
        "1. ",
        "* ",
        "[a",
        "<div>",
        "</div>",
        "<div>\n",
        "[a]: b\n",
        "$$",
        "`",
        "~",
        "\\",
        "<a ",
        "\t",
        "\n",
    ],
)
def test_hostile_nesting_is_only_text(unit):
    text = "x\n\n" + unit * (100_000 // len(unit)) + "x\n\nend\n"
    segmenter, _ = feed([text], LIMIT)
    segmenter.finish("note")
    assert "".join(segmenter.raw) == text


PROSE = "Lorem ipsum dolor sit amet, consectetur 7 adipiscing (elit) sed - do. "


@st.composite
def endless(draw):
    """A text with a paragraph beyond all measure, with or without line ends, in pieces of all sizes."""
    words = PROSE * draw(st.integers(400, 1200))
    if draw(st.booleans()):
        words = words.replace("elit) ", "elit)\n")
    text = (
        draw(st.sampled_from(["", "before\n\n", "- item\n\n", "```\n"]))
        + words
        + draw(st.sampled_from(["", "\n\nafter"]))
    )
    step = draw(st.integers(1_000, 60_000))
    return [text[at : at + step] for at in range(0, len(text), step)]


@given(endless())
def test_any_chunking_of_an_endless_paragraph_gives_the_segments_of_the_whole(pieces):
    segmenter = Segmenter()
    for piece in pieces:
        segmenter.feed(piece)
    assert segmenter.finish() == split("".join(pieces))
    assert "".join(segmenter.raw) == "".join(pieces)


def test_an_endless_paragraph_is_cut_at_words():
    segments = split(PROSE * 2000)
    assert max(map(len, segments)) < MAX_PARAGRAPH + LIMIT + 100
    assert all(segment[0].isalpha() for segment in segments)


def test_endless_code_and_lists_are_not_cut():
    assert len(split("```\n" + PROSE * 1000)) == 1
    assert len(split("- " + PROSE * 1000)) == 1
    assert len(split("x" * 100_000)) == 1
