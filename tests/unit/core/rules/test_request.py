"""What a request carries of a chat: questions and answers in turns, whatever stands between them in the record."""

from robota_nb.core.inside import runtime_of
from robota_nb.core.record.entries import entry_id
from robota_nb.core.record.fold import SessionState
from robota_nb.core.rules.request import messages, sent_before
from support.core import new_manager
from support.tools import ANSWER, CALLS, CHAIN, CHAT, LAST, MORE_CALLS, NEXT, QUESTION, RESULT, of, said


def sent(place, *entries, limit=0):
    """What would be sent, as (role, text)."""
    record = SessionState("s_" + "0" * 32)
    record.apply(of(*(entries or CHAIN)))
    found = messages(record, sent_before(record, place and entry_id(place), limit))
    return [(message["role"], message["content"]) for message in found]


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
    assert sent(MORE_CALLS) == [("user", "how warm?"), ("assistant", "and there?")]


def test_what_follows_a_question_that_was_not_answered_is_sent_as_it_is():
    again = said(9, "user", QUESTION, "well?")
    assert sent(again, QUESTION, again) == [("user", "how warm?"), ("user", "well?")]


def test_a_limit_counts_what_is_sent_and_begins_with_a_question():
    assert sent(LAST, limit=4) == sent(LAST)
    assert sent(LAST, limit=3) == sent(LAST, limit=2) == [("user", "thanks"), ("assistant", "welcome")]
    assert sent(ANSWER, limit=1) == []
    assert sent(NEXT, limit=1) == [("user", "thanks")]
