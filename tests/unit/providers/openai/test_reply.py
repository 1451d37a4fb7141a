"""What is made of a stream: all of its text, an end that is honest, and every fault that is told in it."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from robota_nb.providers.openai.reasons import reason_said
from robota_nb.providers.openai.reply import Reply
from robota_nb.providers.openai.sse import EventParser
from robota_nb.providers.said import said_in

DONE = b"data: [DONE]\n\n"


def event(value):
    return b"data: %b\n\n" % json.dumps(value).encode()


def chunk(content=None, reason=None, **more):
    delta = {} if content is None else {"content": content}
    return event({"choices": [{"index": 0, "delta": delta, "finish_reason": reason}], **more})


def read(*pieces):
    parser, reply, texts = EventParser(), Reply(), []
    for piece in pieces:
        reply.take(parser.feed(piece))
        texts.append(reply.text())
        if reply.over:
            break
    else:
        reply.end(parser.close())
    return "".join(texts) + reply.text(last=True), reply


REASONS = {"stop": "stop", "MAX_TOKENS": "length", "SAFETY": "content_filter", "tool_use": "tool_calls", "hm": "stop"}
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5)
ERRORS = [
    b'error: {"code": 500, "message": "magic"}\n\n',
    b"ERROR: magic\n\n",
    b'event: error\ndata: {"detail": "magic"}\n\n',
    b"event: error\ndata: magic\n\n",
    b'{"error": "magic"}\n\n',
    b'{\n  "error": {\n    "message": "magic"\n  }\n}\n\n',
    b'data: {\n"error": "magic"}\n\n',
    event({"code": 50505, "message": "magic", "data": None}),
    event({"error": {"message": "magic"}, "choices": []}),
    event([{"error": {"message": "magic"}}]),
    event({"detail": [{"msg": "magic", "loc": ["body"]}]}),
    event({"success": False, "errors": [{"code": 7, "message": "magic"}]}),
    event({"choices": None, "base_resp": {"status_code": 1008, "status_msg": "magic"}}),
    event({"choices": [{"delta": {}, "error": {"code": 502, "message": "magic"}}]}),
    event({"status": 503, "title": "magic"}),
    event({"Message": "magic"}),
]
RUBBISH = [b"data: {oops\n\n", b"data: 7\n\n", b"data: \xff\n\n", b"<html>\n\n", b"upstream connect error\n\n"]
NOTHING = [
    b": ping\n\n",
    b"x\ny: z\n\n",
    b"data:\n\n",
    b"data: {}\n\n",
    b"event: ping\ndata: {}\n\n",
    event({"type": "ping"}),
    event({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}),
    event({"choices": [], "error": None}),
    event({"id": "c1", "object": "chat.completion.chunk"}),
    chunk(reason=""),
    chunk(reason="null"),
    chunk(reason="FINISH_REASON_UNSPECIFIED"),
    b"event: sources\ndata: [1]\n\n".replace(b"[1]", b'{"items": [1]}'),
]
steps = st.one_of(
    st.tuples(st.just("text"), texts),
    st.tuples(st.just("text"), texts),
    st.tuples(st.just("reason"), st.sampled_from(list(REASONS))),
    st.tuples(st.just("both"), st.tuples(texts, st.sampled_from(list(REASONS)))),
    st.tuples(st.just("nothing"), st.sampled_from(NOTHING)),
    st.tuples(st.just("error"), st.sampled_from(ERRORS)),
    st.tuples(st.just("rubbish"), st.sampled_from(RUBBISH)),
    st.tuples(st.just("done"), st.just(DONE)),
)


def as_sent(kind, value):
    if kind == "text":
        return chunk(value)
    if kind == "reason":
        return chunk(reason=value)
    return chunk(*value) if kind == "both" else value


def expected(script):
    """Return the text, the known reason (or None), and whether something went wrong, of all up to ``[DONE]``."""
    text, reason, ended, wrong = "", None, False, False
    for kind, value in script:
        if kind == "done":
            break
        if kind in ("text", "both"):
            text += value if kind == "text" else value[0]
        if kind in ("reason", "both"):
            word = value if kind == "reason" else value[1]
            ended, reason = True, reason if word == "hm" else REASONS[word]
        wrong |= kind in ("error", "rubbish")
        if kind == "rubbish":  # from there on nothing can be read
            break
    return text, reason or ("stop" if ended else "unknown"), wrong


@given(st.lists(steps, max_size=12), st.data())
@example([("both", ("a", "stop")), ("text", "b")], None)
@example([("both", ("a", "stop")), ("error", ERRORS[0]), ("text", "b"), ("done", DONE)], None)
def test_text_is_the_deltas_in_order_and_an_error_anywhere_is_told(script, data):
    stream = b"".join(as_sent(kind, value) for kind, value in script)
    places = data.draw(st.lists(st.integers(0, len(stream)), max_size=6).map(sorted)) if data else []
    text, reply = read(*(stream[a:b] for a, b in zip([0, *places], [*places, len(stream)], strict=True)))
    whole, reason, wrong = expected(script)
    assert text == whole
    if wrong:
        assert reply.problem is not None
    elif reply.problem is not None:  # an answer that is none
        assert text == ""
        assert "before any text" in reply.problem.what or "done" in reply.problem.what or "empty" in reply.problem.what
    else:
        assert reply.finish().reason == reason
    assert not (reply.complete and (wrong or reply.finish().reason == "unknown"))


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("before", [b"", chunk("half"), chunk("half", "stop")])
def test_an_error_is_told_in_the_words_of_the_server(error, before):
    text, reply = read(before + error + DONE)
    assert text == ("half" if before else "")
    assert said_in(reply.problem.detail) == "magic"


def test_what_nobody_knows_is_not_passed_over():
    _, reply = read(chunk("text", "stop") + event({"items": [1]}) + DONE)
    assert (reply.problem, reply.finish().reason, reply.complete) == (None, "unknown", False)


def test_several_chunks_in_one_event_are_read():
    one, two = chunk("a")[6:-2], chunk("b", "stop")[6:-2]
    for between in (b"", b"\n", b" "):
        text, reply = read(b"data: " + one + between + two + b"\n\n")
        assert (text, reply.finish().reason) == ("ab", "stop")


def test_a_last_event_that_is_cut_off_matters_only_if_it_says_something():
    whole = chunk("a", "stop")
    for rest in (b"data: [DO", b'data: {"choices": [], "usage": {"prompt', b"dat", b": pi"):
        text, reply = read(whole + rest)
        assert (text, reply.problem, reply.finish().reason) == ("a", None, "stop")
    for rest in (
        b'data: {"choices": [{"delta": {"content": "mor',
        b'data: {"error": {"mess',
        b'error: {"code',
        b"<htm",
    ):
        text, reply = read(whole + rest)
        assert text == "a"
        assert reply.problem is not None


def test_the_text_of_a_message_counts_once():
    message = event({"choices": [{"message": {"content": "ab"}, "finish_reason": "stop"}]})
    assert read(chunk("a") + chunk("b") + message + DONE)[0] == "ab"
    assert read(message + DONE)[0] == "ab"


def test_lines_of_json_are_an_answer():
    reply = Reply()
    reply.take_whole(b"\n".join([chunk("a")[6:-2], chunk("b", "stop")[6:-2], b""]))
    assert (reply.text(), reply.problem, reply.finish().reason) == ("ab", None, "stop")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("stop STOP eos eos_token end_turn endTurn stop_sequence FinishReason.STOP complete", "stop"),
        ("length MAX_TOKENS max_output_tokens model_length MaxTokens max-new-tokens FINISH_REASON_LENGTH", "length"),
        ("content_filter SAFETY RECITATION PROHIBITED_CONTENT contentFilter refusal guardrail", "content_filter"),
        ("tool_calls tool_use function_call TOOL_CALL", "tool_calls"),
        ("error abort MALFORMED_FUNCTION_CALL insufficient_system_resource cancelled network_error", "error"),
        ("because OTHER 7", "other"),
        ("null None NULL undefined FINISH_REASON_UNSPECIFIED FinishReason.FINISH_REASON_UNSPECIFIED", ""),
    ],
)
def test_the_words_for_an_end(words, reason):
    assert [reason_said(word) for word in words.split()] == [reason] * len(words.split())


def test_a_word_with_more_to_it():
    assert reason_said("content_filter: OTHER") == "content_filter"
    assert reason_said(" ") == ""
