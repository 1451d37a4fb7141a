"""What a model thinks before it answers: apart from the text wherever servers put it, and nothing of either is lost."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from robota_nb.core.ports import ReasoningDelta, SignOfLife, TextDelta, TextWasReasoning
from robota_nb.providers.openai.reply import Reply
from robota_nb.providers.openai.sse import EventParser
from robota_nb.providers.openai.thoughts import ThoughtTags
from support.provider import CANARY, ask, failure, lab_provider, said, thought

DONE = b"data: [DONE]\n\n"


def event(**delta):
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    return b"data: %b\n\n" % json.dumps({"choices": [choice]}).encode()


END = b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\n' + DONE


def split(*pieces):
    """(thoughts, text) of a content in pieces, with what was taken back among the thoughts."""
    tags, texts, thoughts = ThoughtTags(), [], []
    for at, piece in enumerate(pieces, 1):
        text = tags.feed(piece, last=at == len(pieces))
        if tags.took_back:
            tags.took_back = False
            thoughts += texts
            texts.clear()
        thoughts.append(tags.thoughts())
        texts.append(text)
    return "".join(thoughts), "".join(texts)


# -- tags

CONTENTS = {
    "<think>a</think>b": ("a", "b"),
    " \n<think>\na\n</think>\n\nb\n": ("a", "b\n"),
    "<think></think>\n\nb": ("", "b"),
    "<think>\n\n</think>\n\n": ("", ""),
    "<think>a</think>b <think>c</think>": ("a", "b <think>c</think>"),
    "<think>a <think> b</think>c</think>d": ("a <think> b", "c</think>d"),
    "<thinking>a</think>b</thinking>c": ("a</think>b", "c"),
    "<thought>a</thought>b": ("a", "b"),
    "a\n</think>\n\nb": ("a\n", "b"),
    "```\ncode\n```\nno\n</think>b": ("```\ncode\n```\nno\n", "b"),
    "</think>b": ("", "b"),
    # what is text
    "": ("", ""),
    " \n ": ("", " \n "),
    "  b": ("", "  b"),
    "<think>a": ("", "<think>a"),
    " <thi": ("", " <thi"),
    "<thin>a</thin>": ("", "<thin>a</thin>"),
    "b <think>a</think>c": ("", "b <think>a</think>c"),
    "a </thin": ("", "a </thin"),
    "a `</think>` b </think> c": ("", "a `</think>` b </think> c"),
    'a "</think>" b': ("", 'a "</think>" b'),
    "```\n</think>\n```\nb": ("", "```\n</think>\n```\nb"),
    "a < b and </ c": ("", "a < b and </ c"),
}


@pytest.mark.parametrize("content", CONTENTS)
def test_thoughts_between_tags_are_told_from_the_text_however_they_are_cut(content):
    assert split(content) == CONTENTS[content]
    assert split(*content, "") == CONTENTS[content]
    for at in range(len(content)):
        assert split(content[:at], content[at:]) == CONTENTS[content]


@given(
    st.lists(st.sampled_from(["<think>", "</think>", "<thi", "</", "`", "a", " ", "\n", "```\n"]), max_size=12),
    st.data(),
)
def test_any_cut_of_any_content_tells_the_same_and_loses_nothing_but_tags_and_space(words, data):
    content = "".join(words)
    places = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=6)))
    thoughts, text = split(*(content[a:b] for a, b in zip([0, *places], [*places, len(content)], strict=True)), "")
    assert (thoughts, text) == split(content)
    bare = "".join((thoughts + text).split())
    whole = "".join(content.split())
    assert bare in (whole, whole.replace("</think>", "", 1), whole.replace("<think>", "", 1).replace("</think>", "", 1))


def test_an_answer_that_begins_with_much_space_begins():
    tags = ThoughtTags()
    assert "".join(tags.feed(" ") for _ in range(2000))


def test_thoughts_of_any_length_cost_as_much_as_they_are_long():
    tags = ThoughtTags()
    tags.feed("<think>")
    for _ in range(200_000):
        assert tags.feed("x<") == ""
    assert tags.feed("</think>b") == "b"
    assert len(tags.thoughts()) == 400_000


# -- the whole stream

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="<"), min_size=1, max_size=5)
THOUGHT_DELTAS = {
    "reasoning_content": lambda text: {"reasoning_content": text, "content": None},
    "reasoning": lambda text: {"reasoning": text, "content": ""},
    "details": lambda text: {"reasoning_details": [{"type": "reasoning.text", "text": text, "index": 0}]},
    "both": lambda text: {"reasoning": text, "reasoning_details": [{"type": "reasoning.summary", "summary": text}]},
    "part": lambda text: {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": text}]}]},
}
REASONS = ["", "stop", "length", "null", "end_turn"]
ERRORS = [
    b'error: {"message": "magic"}\n\n',
    b'data: {"error": {"message": "magic"}}\n\n',
    b"event: error\ndata: magic\n\n",
]
NOTHING = [b": ping\n\n", b"data: {}\n\n", event(), event(content="", reasoning_content=""), event(reasoning=None)]
RUBBISH = [b"data: {oops\n\n", b"data: 7\n\n", b"<html>\n\n"]
steps = st.one_of(
    st.tuples(st.just("text"), texts),
    st.tuples(st.sampled_from(list(THOUGHT_DELTAS)), texts),
    st.tuples(st.just("reason"), st.sampled_from(REASONS)),
    st.tuples(st.just("raw"), st.sampled_from(NOTHING)),
    st.tuples(st.just("error"), st.sampled_from(ERRORS)),
    st.tuples(st.just("rubbish"), st.sampled_from(RUBBISH)),
    st.tuples(st.just("done"), st.just(DONE)),
)


def as_sent(kind, value):
    if kind == "text":
        return event(content=value)
    if kind in THOUGHT_DELTAS:
        return event(**THOUGHT_DELTAS[kind](value))
    if kind == "reason":
        return b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "%b"}]}\n\n' % value.encode()
    return value


def expected(script):
    text = thoughts = ""
    wrong = False
    for kind, value in script:
        if kind == "done":
            break
        text += value if kind == "text" else ""
        thoughts += value if kind in THOUGHT_DELTAS else ""
        wrong |= kind in ("error", "rubbish")
        if kind == "rubbish":
            break
    return text, thoughts, wrong


def read(pieces):
    parser, reply, events = EventParser(), Reply(), []
    for piece in pieces:
        reply.take(parser.feed(piece))
        events += reply.events()
        if reply.over:
            break
    else:
        reply.end(parser.close())
    return events + reply.events(last=True), reply


@given(st.lists(steps, max_size=14), st.data())
@example([("reasoning", "a"), ("reason", "stop"), ("reasoning", "b"), ("text", "c"), ("error", ERRORS[0])], None)
def test_text_and_thoughts_are_the_deltas_in_order_and_an_error_anywhere_is_told(script, data):
    stream = b"".join(as_sent(kind, value) for kind, value in script)
    places = data.draw(st.lists(st.integers(0, len(stream)), max_size=6).map(sorted)) if data else []
    events, reply = read(stream[a:b] for a, b in zip([0, *places], [*places, len(stream)], strict=True))
    text, thoughts, wrong = expected(script)
    assert (said(events), thought(events)) == (text, thoughts)
    assert not wrong or reply.problem is not None
    assert not (reply.complete and wrong)


def test_a_reason_with_every_piece_of_the_thoughts_is_no_end():
    pieces = [b'data: {"choices": [{"delta": {"reasoning": "a"}, "finish_reason": "stop"}]}\n\n'] * 2
    _, reply = read([*pieces, event(content="b")])
    assert not reply.complete


# -- the provider


@pytest.fixture
def lab(server):
    return lab_provider(server)


def whole(message):
    return json.dumps({"choices": [{"message": {"role": "assistant", **message}, "finish_reason": "stop"}]}).encode()


@pytest.mark.parametrize(
    "message",
    [
        {"content": "42", "reasoning_content": "Hm."},
        {"content": "<think>Hm.</think>\n\n42"},
        {"content": "Hm.</think>42"},
        {
            "content": [
                {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
                {"type": "text", "text": "42"},
            ]
        },
    ],
)
def test_an_answer_in_one_piece_has_its_thoughts_apart(server, lab, message):
    server.raw(whole(message), content_type="application/json")
    events = list(lab.stream(ask()))
    assert (said(events), thought(events)) == ("42", "Hm.")


def test_while_a_tag_is_open_it_is_told_that_the_model_thinks(server, lab):
    server.raw(event(content="<think>Hm.") + END)
    events = list(lab.stream(ask()))
    assert said(events) == "<think>Hm."
    reply = Reply()
    reply.take([(json.dumps({"choices": [{"delta": {"content": "<think>Hm."}}]}), "", "")])
    assert reply.events() == [SignOfLife(thinking=True)]


def test_text_before_a_closing_tag_alone_is_taken_back():
    events, _ = read([event(content="Hm. "), event(content="So.</th"), event(content="ink>\n\n42"), END])
    told = [event for event in events if not isinstance(event, SignOfLife)]
    assert told == [TextDelta("Hm. "), TextDelta("So."), TextWasReasoning(), TextDelta("42")]


def test_what_came_after_an_open_tag_is_not_lost_with_the_connection(server, lab):
    server.chunks = ["<think>", "Hm."]
    server.cut(after=2, reset=False)
    assert failure(lab)[0] == "<think>Hm."


def test_a_key_in_the_thoughts_does_not_pass(server, lab):
    pieces = [event(reasoning=CANARY[:9]), event(content="so: " + CANARY[:5]), event(reasoning=CANARY[9:]), END]
    server.raw(b"".join(pieces))
    events = list(lab.stream(ask()))
    assert thought(events) == "…"
    assert ReasoningDelta(CANARY) not in events
    assert said(events) == "so: " + CANARY[:5]
