"""What a request carries of a chat: questions and answers in turns, whatever stands between them in the record."""

from test_fold import ANSWER, CALLS, CHAIN, LAST, MORE_CALLS, NEXT, QUESTION, RESULT, folded, of, said

from robota_nb.core.record.entries import entry_id
from robota_nb.core.rules.request import messages_before


def sent(place, *entries, limit=0):
    """What would be sent, as (role, text)."""
    record = folded(of(*(entries or CHAIN)))
    found = messages_before(record, entry_id(place), limit)
    return [(record.entries.role(eid), record.text(eid)) for eid in found]


def test_nothing_comes_before_the_start():
    assert messages_before(folded(of(*CHAIN)), None) == []


def test_of_an_answer_that_called_tools_the_last_message_is_sent():
    assert sent(LAST) == [
        ("user", "how warm?"), ("assistant", "7 and 8"), ("user", "thanks"), ("assistant", "welcome"),
    ]  # fmt: skip


def test_of_one_that_ended_in_a_call_what_it_said_last_is_sent():
    assert sent(RESULT, QUESTION, CALLS, RESULT) == [("user", "how warm?"), ("assistant", "let me look")]
    assert sent(MORE_CALLS) == [("user", "how warm?"), ("assistant", "and there?")]


def test_what_follows_a_question_that_was_not_answered_is_sent_as_it_is():
    again = said(9, "user", QUESTION, "well?")
    assert sent(again, QUESTION, again) == [("user", "how warm?"), ("user", "well?")]


def test_a_limit_counts_what_is_sent_and_begins_with_a_question():
    assert sent(LAST, limit=4) == sent(LAST)
    assert sent(LAST, limit=3) == sent(LAST, limit=2) == [("user", "thanks"), ("assistant", "welcome")]
    assert sent(ANSWER, limit=1) == []
    assert sent(NEXT, limit=1) == [("user", "thanks")]
