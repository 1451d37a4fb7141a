"""What is made of an answer of the Responses API, wherever it is cut, and whatever of it does not come."""

import json
from copy import deepcopy
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robota_nb.core.ports import Echo, Finish, Source, ToolCall
from robota_nb.providers.openai.responses_reply import ResponsesReply
from robota_nb.providers.openai.sse import EventParser
from support.paths import TESTS
from support.picky import answered_with, event

STREAM = (TESTS / "streams" / "responses" / "openai.sse").read_bytes()
TEXT, THOUGHTS = "Let me look – é 😀", "First, the table.\n\nThen its rows."
CALLS = [
    ToolCall(id="call_a", name="rows", arguments='{"table":"é"}'),
    ToolCall(id="call_b", name="count", arguments="{}"),
]


def read(*pieces):
    """A stream that comes in these pieces."""
    parser, reply = EventParser(), ResponsesReply()
    for piece in pieces:
        reply.take(parser.feed(piece))
        if reply.over:
            return reply
    reply.end(parser.close())
    return reply


def whole(value):
    reply = ResponsesReply()
    reply.take_whole(json.dumps(value).encode())
    return reply


def told(reply):
    """Text, thoughts, calls, and how it ended."""
    *calls, finish = reply.outcome()
    text = reply.text(last=True)
    return text, reply.thoughts(last=True), calls, "error" if reply.problem else finish.reason


def message(*parts, **more):
    return {"type": "message", "id": "msg_1", "role": "assistant", "content": list(parts), **more}


def text(words, *annotations):
    return {"type": "output_text", "text": words, "annotations": list(annotations)}


def delta(words, kind="output_text", **more):
    return event(
        f"response.{kind}.delta", **{"item_id": "msg_1", "output_index": 0, "content_index": 0} | more, delta=words
    )


def completed(**more):
    return event("response.completed", response={"status": "completed", "output": [], **more})


class Honest(NamedTuple):
    """What can be said of the beginning of a stream, read in the simplest way."""

    text: str = ""
    calls: int = 0
    spoke: bool = False
    end: str = ""

    def after(self, block):
        """After one more event, or the beginning of one."""
        data = block.decode(errors="replace").partition("data: ")[2]
        if not data.strip():
            return self
        try:
            value = json.loads(data)
        except ValueError:
            return self._replace(end="error")
        kind, said = value["type"], value.get("delta", "")
        return Honest(
            self.text + (said if kind == "response.output_text.delta" else ""),
            self.calls + (kind == "response.function_call_arguments.done"),
            self.spoke or kind in ("response.output_text.delta", "response.function_call_arguments.delta"),
            "tool_calls" if kind == "response.completed" else "",
        )


class TestStream:
    def test_a_whole_stream_is_a_whole_answer(self):
        reply = read(STREAM)
        assert told(reply) == (TEXT, THOUGHTS, CALLS, "tool_calls")
        assert reply.besides().sources == (Source(title="Rome", url="https://example.org/rome"),)
        finish = reply.finish()
        assert finish.model == "gpt-5.4-2026-03-05"
        assert (finish.usage.input_tokens, finish.usage.output_tokens) == (42, 77)
        assert finish.usage.more == {"cached_tokens": 32, "reasoning_tokens": 50}

    def test_a_cut_at_every_byte(self):
        parser, reply, expected, wrong = EventParser(), ResponsesReply(), Honest(), []
        for block in STREAM.removesuffix(b"\n\n").split(b"\n\n"):
            for at in range(len(block) + 1):
                cut, told_of = deepcopy((parser, reply))
                told_of.take(cut.feed(block[:at]))
                told_of.end(cut.close())
                text, _, calls, end = told(told_of)
                right = expected.after(block[:at])
                if (text, len(calls), end) != (*right[:2], right.end or ("unknown" if right.spoke else "error")):
                    wrong.append(block[:at])
            reply.take(parser.feed(block + b"\n\n"))
            expected = expected.after(block)
        assert wrong == []
        assert expected == (TEXT, 2, True, "tool_calls")

    def test_the_same_wherever_the_network_cuts_it(self):
        right = told(read(STREAM))
        assert told(read(*(STREAM[at : at + 1] for at in range(len(STREAM))))) == right
        assert [at for at in range(0, len(STREAM), 7) if told(read(STREAM[:at], STREAM[at:])) != right] == []

    @given(st.lists(st.integers(0, len(STREAM)), max_size=8))
    def test_the_same_in_any_pieces(self, places):
        pieces = (STREAM[a:b] for a, b in pairwise([0, *sorted(places), len(STREAM)]))
        assert told(read(*pieces)) == (TEXT, THOUGHTS, CALLS, "tool_calls")

    def test_what_is_opaque_is_wanted_back_where_it_stood(self):
        (echo,) = (each for each in read(STREAM).outcome(echoes=True) if isinstance(each, Echo))
        items = [json.loads(item)["responses"] for item in echo.items]
        assert [(each.get("before"), each.get("phase"), each.get("item", {}).get("type")) for each in items] == [
            (0, None, "reasoning"), (None, "commentary", None), (1, None, "web_search_call"), (2, None, "reasoning")
        ]  # fmt: skip
        assert items[0]["item"]["encrypted_content"] == "gAAAAAB-one"
        assert not [each for each in read(STREAM).outcome() if isinstance(each, Echo)]


class TestPieces:
    """The same answer is said up to four times: in pieces, part by part, item by item, and as a whole."""

    ITEMS = (
        message(text("Hello")),
        {"type": "function_call", "id": "f", "call_id": "c", "name": "g", "arguments": "{}"},
    )
    CALL = ToolCall(id="c", name="g", arguments="{}")

    def test_items_alone_are_enough(self):
        assert told(read(*answered_with(self.ITEMS))) == ("Hello", "", [self.CALL], "tool_calls")

    def test_the_end_alone_is_enough(self):
        assert told(read(completed(output=list(self.ITEMS)))) == ("Hello", "", [self.CALL], "tool_calls")

    def test_pieces_alone_are_enough(self):
        begun = event("response.output_item.added", output_index=1, item={**self.ITEMS[1], "arguments": ""})
        more = event("response.function_call_arguments.delta", item_id="f", output_index=1, delta="{}")
        done = event("response.function_call_arguments.done", item_id="f", output_index=1, arguments="{}")
        assert told(read(delta("Hel"), delta("lo"), begun, more, done, completed())) == (
            "Hello", "", [self.CALL], "tool_calls"
        )  # fmt: skip

    def test_pieces_and_the_end_say_it_once(self):
        assert told(read(delta("Hel"), delta("lo"), completed(output=[self.ITEMS[0]])))[0] == "Hello"

    def test_pieces_without_an_index_or_with_the_id_alone(self):
        bare = event("response.output_text.delta", delta="Hel"), event("response.output_text.delta", delta="lo")
        assert told(read(*bare, completed()))[0] == "Hello"
        first, second = ({**self.ITEMS[1], "id": name, "call_id": name} for name in "xy")
        items = [event("response.output_item.done", item=each) for each in (first, second)]
        assert [call.id for call in told(read(*items, completed()))[2]] == ["x", "y"]

    def test_messages_and_parts_of_thoughts_stand_apart(self):
        thoughts = [delta(word, "reasoning_summary_text", summary_index=at) for at, word in enumerate("ab")]
        texts = [delta("one", output_index=1), delta("two", output_index=2), delta(" three", output_index=2)]
        assert told(read(*thoughts, *texts, completed())) == ("one\n\ntwo three", "a\n\nb", [], "stop")

    def test_a_call_that_has_not_come_whole_is_none(self):
        begun = event("response.output_item.added", output_index=0, item={**self.ITEMS[1], "arguments": ""})
        more = event("response.function_call_arguments.delta", item_id="f", output_index=0, delta="{")
        reply = read(begun, more)
        assert told(reply) == ("", "", [], "unknown")

    def test_thoughts_that_are_no_summary(self):
        item = {"type": "reasoning", "id": "r", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm."}]}
        assert told(read(*answered_with([item, self.ITEMS[0]])))[:2] == ("Hello", "Hm.")
        assert told(read(delta("Hm.", "reasoning_text", item_id="r"), completed()))[1] == "Hm."

    def test_a_sign_of_thinking(self):
        reply, parser = ResponsesReply(), EventParser()
        item = {"type": "reasoning", "id": "r", "summary": []}
        reply.take(parser.feed(event("response.output_item.added", output_index=0, item=item)))
        assert reply.events()[0].thinking
        reply.take(parser.feed(event("response.output_item.done", output_index=0, item=item)))
        assert not reply.events()[0].thinking

    def test_a_picture_is_one(self):
        item = {"type": "image_generation_call", "id": "i", "result": "iVBORw0KGgo="}
        assert read(*answered_with([item])).besides().pictures

    def test_events_that_nobody_knows_change_nothing(self):
        odd = event("response.new.thing", delta="x"), event("keepalive"), event("response.queued", response={})
        assert told(read(*odd, delta("Hello"), *odd, completed())) == ("Hello", "", [], "stop")


class TestEnds:
    @pytest.mark.parametrize(
        ("status", "reason", "end"),
        [
            ("incomplete", "max_output_tokens", "length"),
            ("incomplete", "content_filter", "content_filter"),
            ("incomplete", None, "length"),
            ("incomplete", "because", "length"),
            ("completed", None, "stop"),
            ("cancelled", None, "error"),
        ],
    )
    def test_the_end_is_honest(self, status, reason, end):
        details = {"reason": reason} if reason else None
        stream = (*answered_with([message(text("Hello"))], status, incomplete_details=details),)
        assert told(read(*stream))[::3] == ("Hello", end)
        value = {"object": "response", "status": status, "output": [message(text("Hello"))]}
        assert told(whole({**value, "incomplete_details": details}))[::3] == ("Hello", end)

    @pytest.mark.parametrize(
        "end",
        [
            event("error", code="server_error", message="magic", param=None),
            event("error", error={"message": "magic"}),
            b'data: {"error": {"message": "magic"}}\n\n',
            event("response.failed", response={"status": "failed", "error": {"code": "x", "message": "magic"}}),
            event("response.completed", response={"status": "completed", "error": {"message": "magic"}}),
        ],
    )
    def test_a_fault_is_told(self, end):
        reply = read(delta("Hello"), end)
        assert told(reply)[::3] == ("Hello", "error")
        assert "magic" in reply.problem.detail

    @pytest.mark.parametrize("end", [b"", b"data: [DONE]\n\n"])
    def test_without_its_end_it_is_not_complete(self, end):
        assert told(read(delta("Hello"), end))[::3] == ("Hello", "unknown")
        assert told(read(event("response.created", response={}), end))[3] == "error"

    def test_what_follows_the_end_is_not_read(self):
        for pieces in ([delta("Hello") + completed() + b"data: {oops\n\n"], [delta("Hello"), completed(), b"\xff"]):
            assert told(read(*pieces))[::3] == ("Hello", "stop")

    @pytest.mark.parametrize("status", ["in_progress", "queued", None])
    def test_an_answer_that_is_still_at_work_is_not_complete(self, status):
        assert told(whole({"status": status, "output": []}))[3] == "unknown"

    @pytest.mark.parametrize("value", [{}, [], None, 7, {"choices": []}, {"output": 7}, {"output": [7]}])
    def test_json_that_is_no_answer(self, value):
        assert whole(value).problem.what == "answered with JSON that is no answer"

    @pytest.mark.parametrize(
        "odd",
        [
            event("response.output_text.delta", delta=7),
            event("response.output_text.delta"),
            event("response.output_item.done", output_index=0, item=7),
            event("response.completed"),
            event("response.completed", response=7),
            b"data: 7\n\n",
            b"data: {oops\n\n",
        ],
    )
    def test_what_cannot_be_read_is_a_fault(self, odd):
        assert told(read(delta("Hello"), odd))[::3] == ("Hello", "error")

    def test_a_refusal_is_one(self):
        stream = delta("No", "refusal"), delta(".", "refusal"), completed()
        for reply in (read(*stream), read(*answered_with([message({"type": "refusal", "refusal": "No."})]))):
            assert told(reply) == ("No.", "", [], "stop")
            assert reply.besides().refused

    def test_sources_come_with_the_text_or_after_it(self):
        cited = {"type": "url_citation", "url": "https://x.org", "title": "X", "start_index": 0, "end_index": 1}
        added = event("response.output_text.annotation.added", output_index=0, annotation_index=0, annotation=cited)
        for stream in (
            [delta("a"), added, *answered_with([message(text("a", cited))])],
            [delta("a"), added, completed()],
        ):
            assert read(*stream).besides().sources == (Source(title="X", url="https://x.org"),)
        reply = whole({"status": "completed", "output": [message(text("a", cited))]})
        assert reply.besides().sources == (Source(title="X", url="https://x.org"),)

    def test_nothing_but_the_end_is_an_empty_answer(self):
        assert told(read(completed())) == ("", "", [], "stop")
        assert isinstance(read(completed()).finish(), Finish)

    def test_halves_of_a_character_join(self):
        assert told(read(delta("a\ud83d"), delta("\ude00"), completed()))[0] == "a😀"
