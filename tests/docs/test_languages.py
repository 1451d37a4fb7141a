"""What is there in another language is there as in English: the same cells, commands and parts."""

import re

import pytest

from support.markdown import FENCE, TEXTS, blocks, magics

PAIRS = [("README.md", "README.ko.md"), ("docs/tutorial.md", "docs/tutorial.ko.md")]


@pytest.mark.parametrize(("english", "other"), PAIRS)
def test_a_translated_page_has_the_same_blocks(english, other):
    """Of those that a magic explains, the magic."""

    def said(page):
        return [
            list(magics(f"```\n{code}```")) or code if language == "" else code
            for language, code in blocks(TEXTS[page])
        ]

    assert said(other) == said(english)


@pytest.mark.parametrize(("english", "other"), PAIRS)
def test_a_translated_page_has_the_same_parts_in_order_and_both_link_to_each_other(english, other):
    def levels(page):
        return re.findall(r"^#+(?= )", FENCE.sub("", TEXTS[page]), re.MULTILINE)

    assert levels(other) == levels(english)
    assert f"]({other.rpartition('/')[2]})" in TEXTS[english]
    assert f"]({english.rpartition('/')[2]})" in TEXTS[other]


def test_each_word_that_users_see_has_its_korean():
    rows = re.search(r"What users see:\n(.*?)\n\nWhat the code says", TEXTS["CONTRIBUTING.md"], re.DOTALL)[1]
    words = re.findall(r"^\| ([a-z ]+) \|", rows, re.MULTILINE)
    table = TEXTS["docs/how-to/languages.md"]
    korean = {word for line in re.findall(r"^\| ([a-z ,]+) \|", table, re.MULTILINE) for word in line.split(", ")}
    assert [word for word in words if word not in korean | {"word"}] == []
