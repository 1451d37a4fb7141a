"""What answers have beside their text, in each shape in which servers send it: sources, pictures, refusals."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robota_nb.core.ports import Besides, Finish, Image, Source, TextDelta
from robota_nb.errors import ProviderError
from robota_nb.providers.openai.reply import Reply
from robota_nb.providers.openai.sse import EventParser
from robota_nb.testing import FakeOpenAIServer
from support.provider import CANARY, ask, lab_provider

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100
DATA = base64.b64encode(PNG).decode()
URL = f"data:image/png;base64,{DATA}"
ONE, TWO = "https://one.example/a", "https://two.example/b"
DONE = b"data: [DONE]\n\n"


def event(value):
    return b"data: %b\n\n" % json.dumps(value).encode()


def chunk(delta, reason=None, **more):
    return event(
        {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": reason}], **more}
    )


def whole(message, **more):
    return json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], **more}).encode()


def read(*pieces):
    """The text, what came beside it, and the reply."""
    parser, reply, texts, besides = EventParser(max_event_bytes=20_000_000), Reply(), [], Besides()
    for piece in pieces:
        reply.take(parser.feed(piece))
        texts.append(reply.text())
        besides = reply.besides() or besides
    reply.end(() if reply.over else parser.close())
    return "".join(texts) + reply.text(last=True), reply.besides() or besides, reply


def streamed(*deltas, **more):
    return read(chunk({"content": "so[1][2]"}), *(chunk(delta, **more) for delta in deltas), chunk({}, "stop"), DONE)


def cited(url, title=None):
    return {
        "type": "url_citation",
        "url_citation": {"url": url, "start_index": 0, "end_index": 2} | ({"title": title} if title else {}),
    }


SHAPES = {
    "perplexity": ({}, {"citations": [ONE, TWO]}),
    "perplexity with titles": ({}, {"citations": [ONE, TWO], "search_results": [{"title": "One", "url": ONE}]}),
    "openai": ({"annotations": [cited(ONE, "One"), cited(TWO), cited(ONE, "One")]}, {}),
    "flat": ({"annotations": [{"type": "url_citation", "url": ONE, "title": "One"}, {"url": TWO}]}, {}),
    "azure": (
        {"context": {"citations": [{"url": ONE, "title": "One", "content": "x"}, {"url": TWO}], "intent": "[]"}},
        {},
    ),
    "qwen": ({}, {"search_info": {"search_results": [{"index": 1, "site_name": "One", "url": ONE}, {"url": TWO}]}}),
    "zhipu": ({}, {"web_search": [{"link": ONE, "title": "One", "refer": "ref_1"}, {"link": TWO}]}),
    "gemini": (
        {},
        {"groundingMetadata": {"groundingChunks": [{"web": {"uri": ONE, "title": "One"}}, {"web": {"uri": TWO}}]}},
    ),
    "cohere": (
        {
            "citations": [
                {
                    "start": 0,
                    "text": "so",
                    "sources": [{"document": {"url": ONE, "title": "One"}}, {"document": {"url": TWO}}],
                }
            ]
        },
        {},
    ),
    "open webui": ({}, {"sources": [{"source": {"name": "One", "url": ONE}}, {"source": {"url": TWO}}]}),
    "mistral": (
        {
            "content": [
                {"type": "tool_reference", "tool": "web_search", "url": ONE, "title": "One"},
                {"type": "tool_reference", "url": TWO},
            ]
        },
        {},
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_sources_are_read_in_each_shape(shape):
    delta, more = SHAPES[shape]
    text, besides, reply = streamed(delta, **more)
    assert text == "so[1][2]"
    assert [source.url for source in besides.sources] == [ONE, TWO]
    assert shape == "perplexity" or besides.sources[0].title == "One"
    assert reply.finish().reason == "stop"


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape != "mistral"])
def test_they_are_read_from_a_whole_answer_too(shape):
    message, more = SHAPES[shape]
    reply = Reply()
    reply.take_whole(whole({"content": "so", **message}, **more))
    assert [source.url for source in reply.besides().sources] == [ONE, TWO]


def test_a_list_with_the_same_source_twice_keeps_the_numbers_of_the_others():
    _, besides, _ = streamed({}, citations=[ONE, ONE, TWO])
    assert [source.url for source in besides.sources] == [ONE, ONE, TWO]


@given(st.lists(st.sampled_from("abcdef"), unique=True), st.lists(st.integers(0, 6), max_size=8))
def test_however_a_list_grows_it_is_whole_and_in_order_in_the_end(names, cuts):
    urls = [f"https://{name}.example/" for name in names]
    lists = [urls[:cut] for cut in cuts] + [urls]
    _, besides, _ = read(*(chunk({"content": "x"}, citations=some) for some in lists), chunk({}, "stop"), DONE)
    assert [source.url for source in besides.sources] == urls


@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=3), max_size=6))
def test_annotations_in_pieces_are_each_there_once(pieces):
    deltas = [{"content": "x", "annotations": [cited(f"https://{n}.example/") for n in names]} for names in pieces]
    _, besides, _ = read(*map(chunk, deltas), chunk({}, "stop"), DONE)
    assert [source.url for source in besides.sources] == list(
        dict.fromkeys(f"https://{name}.example/" for names in pieces for name in names)
    )


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["url", "title", "citations", "source", "x"]), inner)
    ),
    max_leaves=8,
)


@given(st.sampled_from(["citations", "annotations", "search_results", "images", "context"]), json_values, json_values)
def test_whatever_stands_there_takes_nothing_of_the_answer_away(key, value, other):
    text, _, reply = read(chunk({"content": "a", key: value}), chunk({"content": "b"}, "stop", **{key: other}), DONE)
    assert (text, reply.problem, reply.finish().reason) == ("ab", None, "stop")


PICTURES = {
    "openrouter": {"images": [{"type": "image_url", "image_url": {"url": URL}}]},
    "plain": {"images": [URL]},
    "a string": {"images": [{"image_url": URL}]},
    "b64_json": {"images": [{"b64_json": DATA}]},
    "parts": {"content": [{"type": "image_url", "image_url": {"url": URL}}]},
    "anthropic": {
        "content": [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": DATA}}]
    },
    "gemini": {"content": [{"inline_data": {"mime_type": "image/png", "data": DATA}}]},
    "base64url": {
        "images": [URL.replace("+", "-").replace("/", "_").rstrip("=").replace("data:image_png", "data:image/png")]
    },
}


@pytest.mark.parametrize("shape", PICTURES)
def test_pictures_are_read_in_each_shape(shape):
    for text, besides, reply in (
        read(chunk(PICTURES[shape]), chunk({}, "stop"), DONE),
        read(chunk(PICTURES[shape]), DONE),  # a picture is an answer
    ):
        assert text == ""
        assert [picture.data for picture in besides.pictures] == [PNG]
        assert reply.problem is None


def test_a_message_that_says_all_of_it_once_more_brings_no_picture_twice():
    again = event(
        {"choices": [{"index": 0, "message": {"content": "here", **PICTURES["plain"]}, "finish_reason": "stop"}]}
    )
    text, besides, _ = read(chunk({"content": "here"}), chunk(PICTURES["plain"]), again, DONE)
    assert (text, len(besides.pictures)) == ("here", 1)


def test_the_address_of_a_picture_is_a_link():
    _, besides, _ = streamed({"images": [{"image_url": {"url": ONE}}]})
    assert (besides.pictures, besides.sources) == ((), (Source(title="Picture", url=ONE),))


@pytest.mark.parametrize("part", [{"type": "redacted_thinking", "data": "abcd"}, {"type": "audio", "data": "abcd"}, {}])
def test_other_parts_are_no_pictures(part):
    _, besides, _ = streamed({"content": [part]})
    assert besides == Besides()


def test_a_picture_of_several_megabytes_comes_whole_over_the_wire():
    data = b"\x89PNG\r\n\x1a\n" + b"\1" * 4_000_000
    image = {"image_url": {"url": f"data:image/png;base64,{base64.b64encode(data).decode()}"}}
    stream = chunk({"content": "here"}) + chunk({"content": "", "images": [image]}) + chunk({}, "stop") + DONE
    with FakeOpenAIServer() as server:
        server.raw(stream)
        *_, besides, finish = lab_provider(server).stream(ask())
    assert besides == Besides(pictures=(Image(media_type="", data=data),))
    assert finish == Finish(reason="stop")


def test_what_came_before_a_break_is_told():
    stream = chunk({"content": "so"}, citations=[ONE]) + event({"error": {"message": "magic"}})
    events = []
    with FakeOpenAIServer() as server:
        server.raw(stream)
        with pytest.raises(ProviderError):
            events.extend(iter_into(events, lab_provider(server).stream(ask())))
    assert events == [TextDelta("so"), Besides(sources=(Source(url=ONE),))]


def iter_into(events, stream):
    for one in stream:
        events.append(one)
    return ()


def test_a_key_does_not_pass_among_the_sources():
    stream = chunk({"content": "so"}, citations=[f"https://one.example/?{CANARY}"]) + chunk({}, "stop") + DONE
    with FakeOpenAIServer() as server:
        server.raw(stream)
        assert CANARY not in repr([*lab_provider(server).stream(ask())])


@pytest.mark.parametrize(
    ("deltas", "text"),
    [
        ([{"refusal": "I "}, {"refusal": "will not."}], "I will not."),
        ([{"content": None, "refusal": "No."}], "No."),
        ([{"content": "Well. "}, {"content": "", "refusal": "No."}], "Well. No."),
    ],
)
def test_a_refusal_is_the_text_and_marked(deltas, text):
    said, besides, reply = read(*map(chunk, deltas), chunk({}, "stop"), DONE)
    assert (said, besides.refused, reply.finish().reason) == (text, True, "stop")


def test_a_refusal_in_a_whole_answer_is_one_too():
    reply = Reply()
    reply.take_whole(whole({"content": None, "refusal": "No."}))
    assert (reply.text(last=True), reply.besides()) == ("No.", Besides(refused=True))


def test_no_refusal_is_none():
    assert read(chunk({"content": "yes", "refusal": None}), chunk({}, "stop"), DONE)[1] == Besides()
