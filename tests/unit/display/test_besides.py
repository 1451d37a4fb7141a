"""What is shown of an answer beside its text: inert, whole in live and replayed answers, and in each format."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from robota_nb.core.ports import Besides, Image, Source
from robota_nb.core.record.besides import checked
from robota_nb.display.render import FORMATS, NotebookRenderer, TerminalRenderer
from support.render import Clock, FrontEnd

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
PICTURE = Image(media_type="image/png", data=PNG)
CITED = Besides(sources=(Source(title="One", url="https://one.example/a"), Source(url="https://two.example/b")))


def left(text, besides, reason="stop", form="markdown", *, fed=()):
    front_end = FrontEnd(Clock())
    renderer = NotebookRenderer(front_end, front_end.clock, form)
    for piece in fed:
        renderer.feed(piece)
    renderer.replay(text, reason, {"turn": "e_1"}, besides)
    return front_end.saved


def shown(text, besides, **options):
    return [
        output["data"].get("text/markdown", output["data"]["text/plain"] if "text/plain" in output["data"] else "")
        for output in left(text, besides, **options)
    ]


def test_sources_are_a_numbered_list_of_links_below_the_answer():
    items = "1. [One](https://one.example/a) (one.example)\n2. [two.example/b](https://two.example/b)"
    assert shown("so[1][2].", CITED) == [f"so[1][2].\n\n**Sources**\n\n{items}"]


def test_as_plain_text_they_are_lines():
    assert shown("so", CITED, form="text") == [
        "so\n\nSources\n[1] One https://one.example/a\n[2] https://two.example/b"
    ]


def test_what_is_not_kept_is_said():
    besides = Besides(sources=CITED.sources, more_sources=9800, lost_pictures=2)
    (text,) = shown("so", besides)
    assert "*— 2 pictures of the answer not kept: only PNG, JPEG, GIF and WebP are" in text
    assert text.endswith("*— and 9800 more sources, not kept*")


def test_json_stays_json():
    (output,) = left('{"a": 1}', CITED, form="json")
    assert output["data"]["application/json"] == {"a": 1}


def test_a_refusal_is_marked_and_never_an_empty_answer():
    assert shown("No.", Besides(refused=True)) == ["No.\n\n*— the model refused to answer*"]
    assert shown("", Besides(refused=True)) == ["*— the model refused to answer*"]


def test_pictures_stand_below_the_text_as_outputs_of_their_own():
    text, picture = left("here", Besides(pictures=(PICTURE,)))
    assert text["data"] == {"text/markdown": "here"}
    assert picture["data"]["image/png"] == base64.b64encode(PNG).decode()
    assert picture["metadata"]["robota_nb"] == {"turn": "e_1"}


@pytest.mark.parametrize("text", ["", "\n"])
def test_an_answer_of_pictures_alone_is_no_empty_one(text):
    outputs = left(text, Besides(pictures=(PICTURE, PICTURE)))
    assert [sorted(output["data"]) for output in outputs] == [["image/png", "text/plain"]] * 2


def test_a_lost_picture_alone_is_said_and_the_answer_not_called_empty():
    assert "empty" not in shown("", Besides(lost_pictures=1))[0]


besides = st.builds(
    Besides,
    sources=st.lists(st.builds(Source, title=st.text(max_size=20), url=st.text(max_size=20)), max_size=3).map(tuple),
    pictures=st.sampled_from([(), (PICTURE,), (PICTURE, PICTURE)]),
    refused=st.booleans(),
    more_sources=st.integers(0, 3),
    lost_pictures=st.integers(0, 2),
).map(checked)


@given(
    st.lists(st.text("ab \n#`-", min_size=1, max_size=9)),
    besides,
    st.sampled_from(FORMATS),
    st.sampled_from(["stop", "length"]),
)
def test_a_live_answer_leaves_what_its_replay_leaves(pieces, besides, form, reason):
    text = "".join(pieces)
    assert left(text, besides, reason, form, fed=pieces) == left(text, besides, reason, form)


EVIL = [
    "<img src=https://evil.example/x>", "![x](https://evil.example/x)", "](javascript:alert(1))[", "# heading",
    "1. item",
    "- item", "> quote", "`code", "$x$ and $y$", "\\(x\\)", "\\", "[a]: https://evil.example/",
    "|a|b|\n|-|-|", "***", "a\n\n<b>",
    "<script>alert(1)</script>", "&lt;img&gt;", "\\$\\style{x}", "~~~", "====", "\\require{x}", "<!-- x",
]  # fmt: skip
titles = st.lists(st.sampled_from(EVIL) | st.text(max_size=8), max_size=3).map(" ".join)


@given(
    st.lists(
        st.builds(
            Source, title=titles, url=st.sampled_from(["https://one.example/a_(b)*c*$d$", "javascript:alert(1)", ""])
        ),
        min_size=1,
    )
)
def test_a_title_is_text_whatever_stands_in_it(sources):
    besides = checked(Besides(sources=tuple(sources)))
    (text,) = shown("so", besides)
    tokens = MarkdownIt("commonmark").parse(text)
    assert [token.type for token in tokens if token.level == 0 and token.nesting == 1] == [
        "paragraph_open", "paragraph_open", "ordered_list_open",
    ]  # fmt: skip
    assert sum(token.type == "list_item_open" for token in tokens) == len(sources)
    inlines = [token for token in tokens if token.type == "inline"]
    kinds = {child.type for inline in inlines[2:] for child in inline.children}
    assert kinds <= {"text", "text_special", "link_open", "link_close", "html_inline", "entity", "softbreak"}
    links = [child.attrGet("href") for inline in inlines for child in inline.children if child.type == "link_open"]
    assert {*links} <= {"https://one.example/a_%28b%29*c*%24d%24"}
    html = [child.content for inline in inlines for child in inline.children if child.type == "html_inline"]
    assert {*html} <= {"<span>", "</span>"}  # around a dollar


def test_a_terminal_says_all_of_it():
    written = []
    TerminalRenderer(written.append).replay("so", "stop", {}, Besides(sources=CITED.sources, pictures=(PICTURE,)))
    assert "".join(written) == (
        "so\n\n— picture 1: image/png, 48 bytes\nSources\n[1] One https://one.example/a\n[2] https://two.example/b\n"
    )


def test_the_outputs_are_what_a_notebook_can_hold():
    json.dumps(left("so", Besides(sources=CITED.sources, pictures=(PICTURE,))), allow_nan=False)
