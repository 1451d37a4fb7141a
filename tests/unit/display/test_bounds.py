"""The part of a long answer that a cell shows: how much, where it ends, and that any stream of it shows the same."""

import random
import re

import pytest

from robota_nb.display.bounds import (
    MAX_CHARACTERS,
    MAX_COLOURED,
    MAX_LINES,
    Bound,
    bounded,
    uncoloured,
    what_is_left,
)
from robota_nb.display.render import NotebookRenderer
from support.render import Clock, FrontEnd, replayed

ORDINARY = {
    "nothing": "",
    "words": "Hello *there*.\n",
    "prose": ("The **quick** brown `fox` jumps over the [lazy](http://dog) dog. " * 5 + "\n\n") * 100,
    "code": "Do this:\n\n```python\n" + "def f(x):\n    return [x, 'a', g(x)]\n" * 400 + "```\n",
    "a table": "|a|b|c|\n|-|-|-|\n" + "|1|2|3|\n" * 300,
    "lists": "1. one\n   - two\n   - three\n\n" * 150,
    "formulas": "Let $x < 3$ and \\(y\\):\n\n$$\nx + y\n$$\n\n" * 35,
    "a price, a variable": ("It costs $5, and `$HOME` is " + "a word " * 100 + "away from `$PATH`.\n\n") * 20,
    "dollars that are escaped": "\\$x " * 300,
}
LONG = {
    "lines": "a\n" * 3000,
    "paragraphs": "a\n\n" * 3000,
    "items": "- a\n  b\n  c\n" * 3000,
    "rows": "|a|b|\n|-|-|\n" + "|a|b|\n" * 3000,
    "short rows of a wide table": "|a" * 500 + "|\n" + "|-" * 500 + "|\n" + "|a|\n" * 3000,
    "headings": "# a\n" * 3000,
    "underlined headings": "a\n=\n" * 3000,
    "a word": "x" * 300_000,
    "a line of words": "word " * 60_000,
    "emphasis": "*a* " * 60_000,
    "formulas": "$a$ " * 60_000,
    "a long formula": "$$" + "x+" * 60_000 + "x$$",
    "a long formula in brackets": "\\[" + "x+" * 60_000 + "x\\]",
    "a matrix": "\\begin{matrix}" + ("a&" * 30 + "b\\\\\n") * 3000 + "\\end{matrix}",
    "nested fractions": ("$" + "\\frac{a}{" * 50 + "b" + "}" * 50 + "$\n\n") * 300,
    "code": "```python\n" + "x = 1\n" * 3000 + "```\n",
    "blocks of code": "```python\nx\n```\n\n" * 3000,
    "quotes in each other": ">" * 300 + " a\n",
    "lists in each other": "- " * 100_000,
    "lists in each other, in many lines": "".join("  " * depth + "- a\n" for depth in range(300)) * 20,
    "dollars": "$" * 100_000,
    "links": "[a](http://a.b) " * 6000,
    "addresses": "http://a.b <http://a.b> a@b.cd\n" * 4000,
}


@pytest.mark.parametrize("text", ORDINARY.values(), ids=ORDINARY)
def test_an_ordinary_answer_is_shown_whole(text):
    assert bounded(text) == text
    assert what_is_left(text, text) == ""


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_of_a_long_answer_the_beginning_is_shown_and_where_the_rest_is(text):
    shown = bounded(text)
    assert shown
    assert text.startswith(shown)
    assert len(shown) <= MAX_CHARACTERS
    assert len(re.findall(r"^.*\S.*$", shown, re.MULTILINE)) <= MAX_LINES
    said = what_is_left(text, shown)
    assert said.startswith(f"{len(text) - len(shown):,} more characters")
    assert "panel" in said
    assert "answer.text" in said


def test_a_list_ends_at_an_item_and_a_table_at_a_row():
    assert bounded(LONG["items"]).endswith("- a\n  b\n  c\n")
    assert bounded(LONG["rows"]).endswith("\n|a|b|\n")


def test_plain_text_is_bounded_by_characters_and_lines_alone():
    assert bounded("[" * 50_000, plain=True) == "[" * 50_000
    assert bounded("a\n" * 3000, plain=True) == "a\n" * MAX_LINES


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_any_chunking_lets_the_same_pass(text):
    whole = Bound()
    passed = whole.feed(text)
    for seed in range(3):
        rng = random.Random(seed)
        bound, pieces, at = Bound(), [], 0
        while at < len(text) and not bound.full:
            size = rng.randint(1, 200)
            pieces.append(bound.feed(text[at : at + size]))
            at += size
        assert "".join(pieces) == passed
        assert bound.full == whole.full


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_a_live_answer_leaves_what_a_replay_shows(text):
    clock = Clock()
    front_end = FrontEnd(clock)
    renderer = NotebookRenderer(front_end, clock)
    for at in range(0, len(text), 700):
        renderer.feed(text[at : at + 700])
        clock.now += 0.01
    renderer.finish("stop", {"turn": "e_1"})
    left = [output for output in front_end.saved if output["data"]["text/markdown"]]
    assert left == replayed(text, "stop", {"turn": "e_1"})
    assert "more characters" in left[-1]["data"]["text/markdown"]


def test_the_line_about_the_rest_is_not_within_the_code_that_was_cut():
    (*_, last) = replayed("```python\n" + "x = 1\n" * 3000 + "```\n")
    assert re.search(r"\n```\n\n\*— [0-9,]+ more characters", last["data"]["text/markdown"])


def test_a_long_block_of_code_is_not_coloured():
    short, long = "```python\nx\n```\n", "- ~~~python\n" + "  x = 1\n" * 1000 + "  ~~~\n"
    assert uncoloured(short + "word " * MAX_COLOURED) == short + "word " * MAX_COLOURED
    assert uncoloured(short + long + short) == short + long.replace("~~~python", "~~~") + short


@pytest.mark.parametrize("name", ["a long formula", "a long formula in brackets", "a matrix", "nested fractions"])
def test_each_character_of_a_formula_counts_as_a_page_draws_it_by_itself(name):
    assert len(bounded(LONG[name])) < 2000
