"""What a model thinks before it answers: on the turn in this kernel, recorded on request, and nowhere else."""

import json

import pytest

from robota_nb import SessionManager
from robota_nb.core import chat_format
from robota_nb.core.events import Delayed, ServerHeard, TextArrived, TextTakenBack
from robota_nb.core.inside import ledger_of, runtime_of
from robota_nb.core.ports import Finish, ReasoningDelta, SignOfLife, TextDelta, TextWasReasoning, Waiting
from robota_nb.core.record.entries import MAX_MESSAGE_BYTES
from robota_nb.errors import InvalidName, ProviderError, SnapshotError
from support.core import Only, ask_in_cell

STOP = Finish(reason="stop")


class Thinker:
    """A provider that plays a script of events for each ask, and keeps the requests."""

    name = "thinker"

    def __init__(self, *script):
        self.script, self.requests = script, []

    def stream(self, request):
        self.requests.append(request)
        for event in self.script:
            if isinstance(event, BaseException):
                raise event
            yield event


THOUGHT = (ReasoningDelta("Hm. "), SignOfLife(), ReasoningDelta("So."), TextDelta("42"), STOP)


def thinking(*script):
    provider = Thinker(*(script or THOUGHT))
    return provider, SessionManager(providers=Only(provider)).create_session("u").create_chat("A")


def recorded(chat):
    return json.dumps(ledger_of(chat.session.manager).records("u"))


def test_thoughts_are_on_the_turn_and_in_no_text_no_request_and_no_record():
    provider, chat = thinking()
    live = chat.stream("how many?")
    assert list(live) == ["42"]
    assert (live.turn.text, live.turn.reasoning, str(live.turn)) == ("42", "Hm. So.", "42")
    assert chat.turns[0].reasoning == "Hm. So."
    chat.send("and now?")
    assert [message["content"] for message in provider.requests[-1].messages] == ["how many?", "42", "and now?"]
    exported = chat_format.to_json(chat) + chat_format.to_markdown(chat)
    assert "So." not in recorded(chat) + exported + json.dumps(chat.to_records())


def test_a_replay_in_the_same_kernel_has_them():
    provider, chat = thinking()
    manager = chat.session.manager
    first = ask_in_cell(manager, "how many?", user="u")
    again = ask_in_cell(manager, "how many?", user="u")
    assert (first.reasoning, again.reasoning, again.replayed) == ("Hm. So.", "Hm. So.", True)
    assert len(provider.requests) == 1


def test_they_are_recorded_where_the_chat_says_so_and_go_with_a_purge():
    provider, chat = thinking()
    chat.configure(thinking="keep")
    turn = chat.send("how many?")
    assert provider.requests[0].params == {}
    entries = ledger_of(chat.session.manager).records("u")[chat.session.id]
    assert entries[turn.id]["reasoning"] == ["Hm. So."]
    assert not [entry for entry in entries.values() if entry["kind"] == "set"]
    chat.purge(1)
    assert "So." not in recorded(chat)
    assert chat.session.manager is not None
    assert [turn.reasoning for turn in chat.turns] == [""] * len(chat.turns)


def test_what_was_not_recorded_goes_with_a_purge_too():
    _, chat = thinking()
    chat.send("how many?")
    chat.purge(1)
    assert not [turn for turn in chat.turns if turn.reasoning]


def test_of_an_ask_that_records_nothing_they_are_on_the_turn():
    _, chat = thinking()
    chat.session.create_chat("B")
    turn = ask_in_cell(chat.session.manager, "x", user="u", once=True)
    assert turn.reasoning == "Hm. So."


def test_text_that_turns_out_to_be_thoughts_is_none():
    events = []
    _, chat = thinking(TextDelta("Hm. "), TextDelta("So."), TextWasReasoning(), TextDelta("42"), STOP)
    chat.session.manager.subscribe(events.append)
    live = chat.stream("how many?")
    assert list(live) == ["Hm. ", "So.", "42"]
    assert (live.turn.text, live.turn.reasoning) == ("42", "Hm. So.")
    kinds = [type(event) for event in events if isinstance(event, (TextArrived, TextTakenBack))]
    assert kinds == [TextArrived, TextArrived, TextTakenBack, TextArrived]


def test_nothing_is_kept_of_a_turn_of_which_all_text_was_thoughts():
    _, chat = thinking(TextDelta("Hm. "), TextWasReasoning(), ProviderError("cut: ask again"))
    with pytest.raises(ProviderError, match="cut"):
        chat.send("how many?")
    assert list(chat.turns) == []


def test_thoughts_alone_and_the_limit_are_a_turn():
    _, chat = thinking(ReasoningDelta("Hm."), Finish(reason="length"))
    turn = chat.send("how many?")
    assert (turn.text, turn.reasoning, turn.finish_reason) == ("", "Hm.", "length")


def test_marks_of_no_thought_are_none():
    _, chat = thinking(ReasoningDelta("\n\n"), TextDelta("42"), STOP)
    assert chat.send("how many?").reasoning == ""


def test_there_are_no_more_of_them_than_a_message_may_hold():
    _, chat = thinking(*[ReasoningDelta("x" * 400_000)] * 4, TextDelta("42"), STOP)
    assert len(chat.send("how many?").reasoning) <= MAX_MESSAGE_BYTES


def test_it_is_told_when_the_server_is_heard():
    events = []
    _, chat = thinking(
        Waiting(seconds=3), SignOfLife(), SignOfLife(thinking=True), ReasoningDelta("a"), TextDelta("b"), STOP
    )
    chat.session.manager.subscribe(events.append)
    chat.send("x")
    told = [event for event in events if isinstance(event, (Delayed, ServerHeard))]
    assert [getattr(event, "thinking", event) for event in told[1:]] == [False, True, True]
    assert told[0].seconds == 3
    assert not runtime_of(chat).arriving


def test_keep_is_all_that_thinking_can_be():
    _, chat = thinking()
    with pytest.raises(SnapshotError, match=r"thinking is drop or keep, not 'on'; body\.thinking=… sends it"):
        chat.configure(thinking="on")
    with pytest.raises(InvalidName, match="did you mean 'thinking'"):
        chat.configure(thinkin="keep")
    chat.configure(thinking="keep")
    chat.configure(thinking="drop")
    turn = chat.send("x")
    assert "reasoning" not in ledger_of(chat.session.manager).records("u")[chat.session.id][turn.id]
