"""The event parser: the same events for any cut of the same bytes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robota_nb.providers.openai.sse import Event, EventParser, SseError


def parse(*pieces, **options):
    parser = EventParser(**options)
    events = [event for piece in pieces for event in parser.feed(piece)]
    return events + list(parser.close())


def data(*pieces, **options):
    return [event.data for event in parse(*pieces, **options)]


def standard(text):
    """The standard's algorithm, line by line, for comparison; the end of the stream ends the last event.

    But what can be no field is data, and a field named ``error`` is an event of its own.
    """
    events, lines, errors, kind, last_id = [], [], [], "", ""
    for line in [*re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff")), ""]:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if lines:
                events.append(Event("\n".join(lines), kind, last_id))
            if errors:
                events.append(Event("\n".join(errors), "error", last_id))
            lines, errors, kind = [], [], ""
        elif name == "data":
            lines.append(value)
        elif name == "event":
            kind = value
        elif name == "id" and "\0" not in value:
            last_id = value
        elif name.casefold() == "error":
            errors.append(value)
        elif name.strip(" ") and not re.fullmatch(r"[A-Za-z_][\w.-]*", name, re.ASCII):
            lines.append(line)
    return events


WORDS = [
    "data",
    "data: ",
    "data:x",
    "event",
    "id: ",
    "retry: 5",
    "error: 5",
    "Error",
    "a field",
    ":",
    " ",
    "{}",
    "[DONE]",
    "é",
    "😀",
    "\u2028",
    "\x85",
    "\0",
]
ENDS = ["\n", "\r", "\r\n", "\n\n", "\r\n\r\n", "\r\r"]
streams = st.lists(st.sampled_from(WORDS + ENDS * 2 + ["\ufeff"]), max_size=40).map("".join)


def cut(draw, whole):
    places = draw(st.lists(st.integers(0, len(whole)), max_size=12).map(sorted))
    return [whole[a:b] for a, b in zip([0, *places], [*places, len(whole)], strict=True)]


@given(st.data(), streams)
def test_any_split_gives_what_the_standard_says(draw, text):
    assert parse(*cut(draw.draw, text.encode())) == standard(text)


@given(streams)
def test_byte_by_byte(text):
    assert parse(*(bytes([byte]) for byte in text.encode())) == standard(text)


def until_error(pieces):
    parser, events = EventParser(max_event_bytes=12), []
    try:
        for piece in pieces:
            events.extend(parser.feed(piece))
        events.extend(parser.close())
    except SseError as error:
        return events, str(error)
    return events, ""


noise = st.lists(
    st.sampled_from([b"data: ab", b"data: ", b"\n", b"\n\n", b"\r\n", b"\r", b"\xff", b"\xc3", b"\xa9", b"abcde"])
)


@given(st.data(), noise.map(b"".join))
def test_errors_come_after_the_same_events_in_any_split(draw, stream):
    events, error = until_error([stream])
    events_cut, error_cut = until_error(cut(draw.draw, stream))
    assert events_cut == events
    assert bool(error_cut) == bool(error)


def test_fields():
    parser = EventParser()
    stream = b": a comment\nevent: error\nid: 7\nretry: 250\ndata: one\ndata:two\ndata\n\ndata: next\n\n"
    assert list(parser.feed(stream)) == [Event("one\ntwo\n", "error", "7"), Event("next", "", "7")]


def test_an_event_without_data_is_none():
    assert parse(b"event: ping\n\n: comment\n\nid: 3\n\ndata: x\n\n") == [Event("x", "", "3")]


def test_what_can_be_no_field_is_an_event_or_goes_on_with_the_data_before_it():
    assert parse(b'{"code": 5}\n\n') == [Event('{"code": 5}')]
    assert parse(b"data: x\n\nInternal Server Error\n\n") == [Event("x"), Event("Internal Server Error")]
    assert parse(b'data: {\n  "a": 1,\n  "b": 2\n}\n\n') == [Event('{\n  "a": 1,\n  "b": 2\n}')]
    assert parse(b"x\ny: z\ndatax: {oops\n \n\n") == []  # which the standard lets pass


def test_a_field_named_error_is_an_event_of_its_own():
    assert parse(b'data: x\nerror: {"code": 5}\n\nERROR: no\n\n') == [
        Event("x"),
        Event('{"code": 5}', "error"),
        Event("no", "error"),
    ]


def test_only_cr_and_lf_end_lines():
    assert data("data: a\u2028b\u0085c\x0bd\n\n".encode()) == ["a\u2028b\u0085c\x0bd"]


@pytest.mark.parametrize("pieces", [(b"\xef\xbb\xbfdata: x\n\n",), (b"\xef", b"\xbb", b"\xbf", b"data: x\n\n")])
def test_a_byte_order_mark_is_dropped(pieces):
    assert data(*pieces) == ["x"]


def test_an_event_is_given_as_soon_as_its_empty_line_is_there():
    parser = EventParser()
    assert list(parser.feed(b"data: x\r\n\r")) == [Event("x")]
    assert list(parser.feed(b"\ndata: y\r\n\r\n")) == [Event("y")]


def test_the_end_of_the_stream_ends_the_last_event():
    assert data(b"data: a\n\ndata: [DONE]\n") == ["a", "[DONE]"]
    assert data(b"data: [DONE]") == ["[DONE]"]
    assert data(b"") == []


def test_bad_utf8_comes_after_the_good_events():
    parser, got = EventParser(), []
    with pytest.raises(SseError, match="UTF-8") as caught:
        got.extend(parser.feed(b"data: good\n\n"))
        for event in parser.feed(b"data: also\n\ndata: \xff\n\n"):
            got.append(event)
    assert [event.data for event in got] == ["good", "also"]
    assert caught.value.__cause__ is None


def test_the_cap_counts_bytes_and_holds_for_an_event_that_never_ends():
    assert data(b"data: 6789\n\n", max_event_bytes=10) == ["6789"]
    with pytest.raises(SseError, match="more than 10 bytes"):
        parse(b"data: 67890\n\n", max_event_bytes=10)
    with pytest.raises(SseError, match="more than 10 bytes"):
        parse("data: ééé\n\n".encode(), max_event_bytes=10)
    parser = EventParser(max_event_bytes=1000)
    with pytest.raises(SseError):
        for _ in range(2000):
            list(parser.feed(b"x"))


def test_empty_lines_never_pile_up():
    parser = EventParser(max_event_bytes=10)
    assert [event for _ in range(100) for event in parser.feed(b"\n")] == []
    assert data(b"\n" * 100 + b"data: x\n\n", max_event_bytes=10) == ["x"]
