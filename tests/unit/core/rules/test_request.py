"""What a request carries of a chat: questions and answers in turns, whatever stands between them in the record."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robota_nb.core.inside import runtime_of
from robota_nb.core.record.entries import entry_id
from robota_nb.core.record.fold import SessionState
from robota_nb.core.rules.request import left_out, messages, sent_before
from support.core import new_manager
from support.tools import ANSWER, CALLS, CHAIN, CHAT, LAST, MORE_CALLS, QUESTION, RESULT, of, said


def sent(last, *entries, limit=0, **how):
    """What would be sent after the turn of that answer, as (role, text)."""
    record = SessionState("s_" + "0" * 32)
    record.apply(of(*(entries or CHAIN)))
    found = messages(record, sent_before(record, record.path(last and entry_id(last)), limit), **how)
    return [(message["role"], message["content"]) for message in found.sent]


def test_nothing_comes_before_the_start():
    assert sent(None) == []


def test_after_an_answer_that_called_tools_a_chat_goes_on():
    manager = new_manager()
    manager.adopt({"s_" + "0" * 32: of(*CHAIN)}, "u")
    chat = manager.sessions("u")[0].chat(CHAT)
    assert [(turn.prompt.content, turn.text) for turn in chat.turns] == [
        ("how warm?", "7 and 8"), ("thanks", "welcome"),
    ]  # fmt: skip
    chat.configure(provider="echo")
    assert chat.send("more?").text == "re: more?"
    roles = [message["role"] for message in runtime_of(manager).providers.requests[-1].messages]
    assert roles == ["user", "assistant", "user", "assistant", "user"]
    chat.purge(1)
    assert [turn.text for turn in chat.turns] == ["", "welcome", "re: more?"]
    assert not any(text in str(manager.snapshot("u")) for text in ("how warm?", "let me look", "and there?", "7 and 8"))


def test_of_an_answer_that_called_tools_the_last_message_is_sent():
    assert sent(LAST) == [
        ("user", "how warm?"), ("assistant", "7 and 8"), ("user", "thanks"), ("assistant", "welcome"),
    ]  # fmt: skip


def test_of_one_that_ended_in_a_call_what_it_said_last_is_sent():
    assert sent(RESULT, QUESTION, CALLS, RESULT) == [("user", "how warm?"), ("assistant", "let me look")]
    assert sent(MORE_CALLS, QUESTION, CALLS, RESULT, MORE_CALLS) == [("user", "how warm?"), ("assistant", "and there?")]


def test_a_question_that_was_not_answered_is_not_sent():
    again = said(9, "user", QUESTION, "well?")
    answer = said(10, "assistant", again, "warm")
    assert sent(answer, QUESTION, again, answer) == [("user", "well?"), ("assistant", "warm")]


@pytest.mark.parametrize("text", ["", " ", "\n\t\u3000"])
@pytest.mark.parametrize("ended", ["stop", "interrupted"])
def test_a_question_whose_answer_is_empty_is_not_sent(text, ended):
    nothing = {**said(9, "assistant", QUESTION, text), "finish_reason": ended}
    again = said(10, "user", nothing, "well?")
    answer = said(11, "assistant", again, "warm")
    assert sent(answer, QUESTION, nothing, again, answer) == [("user", "well?"), ("assistant", "warm")]


@given(data=st.data())
def test_of_messages_that_follow_each_other_in_any_way_the_roles_alternate(data):
    entries = []
    for n in range(1, data.draw(st.integers(1, 9)) + 1):
        role = data.draw(st.sampled_from(["user", "assistant", "tool"]))
        parent = data.draw(st.sampled_from([None, *entries]))
        entries.append(said(n, role, parent, data.draw(st.sampled_from(["", " ", "so"]))))
    for last in entries:
        roles = [role for role, _ in sent(last, *entries, limit=data.draw(st.integers(0, 5)))]
        assert roles == ["user", "assistant"] * (len(roles) // 2)


def test_a_limit_counts_what_is_sent_and_begins_with_a_question():
    assert sent(LAST, limit=4) == sent(LAST)
    assert sent(LAST, limit=3) == sent(LAST, limit=2) == [("user", "thanks"), ("assistant", "welcome")]
    assert sent(ANSWER, limit=1) == []


# -- what did not end by itself


@pytest.mark.parametrize(
    ("ended", "told"),
    [
        ("stop", "7 and"),
        ("tool_calls", "7 and"),
        ("interrupted", "7 and\n\n[interrupted by the user]"),
        ("error", "7 and\n\n[broken off by an error]"),
        ("length", "7 and\n\n[cut off at the length limit]"),
        ("content_filter", "7 and\n\n[stopped by the content filter]"),
        ("unknown", "7 and\n\n[the end may be missing]"),
    ],
)
def test_the_model_is_told_how_an_answer_ended_that_did_not_end_by_itself(ended, told):
    answer = {**said(9, "assistant", QUESTION, "7 and"), "finish_reason": ended}
    assert sent(answer, QUESTION, answer) == [("user", "how warm?"), ("assistant", told)]
    assert sent(answer, QUESTION, answer, mark_unfinished=False) == [("user", "how warm?"), ("assistant", "7 and")]


# -- what is left out of a long history


@given(turns=st.integers(0, 300), most=st.integers(1, 100))
def test_a_long_history_leaves_in_blocks_of_half_of_what_is_sent(turns, most):
    out, block = left_out(turns, most), -(-most // 2)
    assert (out == 0) if turns <= most else (most - block < turns - out <= most)
    assert left_out(turns + 1, most) - out in (0, block)
    assert out % block == 0


@given(turns=st.integers(0, 300))
def test_of_a_limit_of_less_than_a_turn_nothing_is_left(turns):
    assert left_out(turns, 0) == turns
