"""Compaction: what is sent in the place of a chat's first turns, for how long, and what becomes of it."""

import asyncio

import pytest

from robota_nb.core.events import Notice
from robota_nb.core.inside import ledger_of, runtime_of, view_of
from robota_nb.core.ports import Finish, TextDelta, Usage
from robota_nb.core.record.relations import export_of
from robota_nb.core.record.snapshot import merge, parse
from robota_nb.errors import ProviderError, SnapshotError
from support.core import Echo, new_manager

SUMMARY = "It is about letters."


class Summing(Echo):
    """Answers as `Echo` does, and what asks for a summary, with one."""

    def __init__(self, reason="stop"):
        super().__init__()
        self.reason = reason

    def stream(self, request):
        if not request.messages[-1]["content"].startswith("Sum up this conversation"):
            yield from super().stream(request)
            return
        self.requests.append(request)
        yield TextDelta(SUMMARY)
        yield Finish(reason=self.reason, model="m-1")

    @property
    def asked(self):
        return sum(request.messages[-1]["content"].startswith("Sum up") for request in self.requests)


@pytest.fixture
def provider():
    return Summing()


@pytest.fixture
def chat(provider):
    chat = new_manager(providers=provider).create_session("u", "S").create_chat("A", system="Be brief.")
    for text in "abcdef":
        chat.send(f"What is {text}?")
    return chat


def contents(messages):
    return [message["content"] for message in messages]


def sent(chat, text="next"):
    return chat.preview(text).request.messages


def test_a_summary_is_sent_in_the_place_of_answers_and_no_prompt_is_lost(chat):
    summary = chat.compact()
    assert (summary.text, summary.turns, summary.model) == (SUMMARY, 2, "m-1")
    system, asked, answered, *rest = sent(chat)
    assert system == {"role": "system", "content": "Be brief."}
    assert asked["role"] == "user"
    assert "[1] What is a?\n\n[2] What is b?" in asked["content"]
    assert answered == {"role": "assistant", "content": f"[Summary of turns 1-2, by m-1]\n\n{SUMMARY}"}
    assert contents(rest)[::2] == [f"What is {text}?" for text in "cdef"] + ["next"]
    assert [message["role"] for message in rest] == ["user", "assistant"] * 4 + ["user"]


def test_the_turns_stay_where_they_are(chat):
    before = [turn.id for turn in chat.turns]
    chat.compact()
    assert [turn.id for turn in chat.turns] == before
    assert chat.branches == []


def test_undone_the_request_is_what_it_was_to_the_byte(chat):
    before = sent(chat)
    chat.compact()
    assert sent(chat) != before
    assert chat.compact_undo()
    assert sent(chat) == before
    assert chat.summary is None
    assert not chat.compact_undo()


def test_the_same_is_not_asked_twice(chat, provider):
    first = chat.compact()
    chat.compact_undo()
    assert chat.compact() == first
    assert provider.asked == 1
    chat.compact(text="Keep names.")
    chat.compact(keep=2)
    chat.compact(model="other")
    assert provider.asked == 4
    assert [request.model for request in provider.requests[-3:]] == ["m", "m", "other"]
    assert provider.requests[-3].messages[-1]["content"].endswith("\n\nKeep names.")


def test_a_summary_of_a_summary_is_of_all_turns(chat, provider):
    chat.compact()
    for text in "gh":
        chat.send(text)
    assert chat.compact().turns == 4
    asked = contents(provider.requests[-1].messages)
    assert SUMMARY in asked[2]
    assert "[4] What is d?" in contents(sent(chat))[1]


def test_there_is_nothing_to_sum_up_in_a_short_chat(chat, provider):
    asked = len(provider.requests)
    assert chat.compact(keep=6) is None
    assert len(provider.requests) == asked


def test_what_gives_answers_their_form_gives_the_summary_none(chat, provider):
    chat.configure(max_tokens=5, response_format={"type": "json_object"}, temperature=0.2)
    chat.compact()
    assert provider.requests[-1].params == {"temperature": 0.2}
    chat.send("and now?")
    assert provider.requests[-1].params["max_tokens"] == 5


def test_all_is_summed_up_whatever_the_limit_which_holds_for_the_rest(provider):
    manager = new_manager(providers=provider, max_messages=4)
    chat = manager.create_session("u", "S").create_chat("A")
    for text in "abcdef":
        chat.send(text)
    chat.compact(keep=3)
    assert len(provider.requests[-1].messages) == 7
    assert len(sent(chat)) == 2 + 4 + 1


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_a_summary_that_is_not_whole_changes_nothing(reason):
    provider = Summing(reason)
    chat = new_manager(providers=provider).create_session("u", "S").create_chat("A")
    for text in "abcdef":
        chat.send(text)
    before = sent(chat)
    with pytest.raises(ProviderError, match=f"the summary was cut off \\({reason}\\): ask again"):
        chat.compact()
    assert sent(chat) == before
    assert not view_of(chat).record.summaries


def test_where_it_does_not_fit_all_is_sent(chat):
    chat.compact()
    chat.edit(2, "another")
    assert contents(sent(chat)) == [
        "Be brief.", "What is a?", "re: What is a?", "another", "re: another", "next"
    ]  # fmt: skip
    chat.clear()
    assert contents(sent(chat)) == ["Be brief.", "next"]


def test_a_fork_takes_it_along(chat):
    chat.compact()
    fork = chat.fork("B")
    assert contents(sent(fork)) == contents(sent(chat))
    early = chat.fork("C", at=1)
    assert contents(sent(early)) == ["Be brief.", "What is a?", "re: What is a?", "next"]


@pytest.mark.parametrize("number", [1, 2])
def test_it_is_purged_with_any_turn_that_it_sums_up(chat, number):
    chat.compact()
    chat.purge(number)
    assert SUMMARY not in str(ledger_of(chat).records("u"))
    asked = contents(sent(chat))
    assert SUMMARY not in str(asked)
    assert f"What is {'ab'[2 - number]}?" in asked
    assert chat.summary is None


def test_a_turn_that_it_does_not_sum_up_is_purged_without_it(chat):
    chat.compact()
    chat.purge(3)
    assert chat.summary.text == SUMMARY


def test_what_was_purged_before_is_passed_over(chat):
    chat.purge(1)
    assert chat.compact().turns == 2
    asked = contents(sent(chat))
    assert "[2] What is b?" in asked[1]
    assert "[1]" not in asked[1]


def test_it_goes_along_with_an_export(chat):
    chat.compact()
    entries = ledger_of(chat).records("u")[chat.session.id]
    assert SUMMARY in str(export_of(entries, chat.id))


def test_it_outlives_the_kernel_and_a_merge(chat, provider):
    chat.compact()
    mine = parse(ledger_of(chat).snapshot("u"))
    chat.compact_undo()
    theirs = parse(ledger_of(chat).snapshot("u"))
    for sessions, is_sent in ((mine, True), (merge(mine, theirs), False), (merge(theirs, mine), False)):
        manager = new_manager(providers=provider)
        manager.adopt(sessions, "u")
        again = manager.sessions("u")[0].chats[0]
        assert (again.summary is not None) is is_sent
        assert again.compact().text == SUMMARY
    assert provider.asked == 1


def test_no_other_summary_is_set_by_hand(chat):
    with pytest.raises(SnapshotError, match="summary is no setting to type"):
        chat.configure(summary="e_" + "0" * 32)


def test_a_summary_that_is_nowhere_is_as_none(chat):
    before = sent(chat)
    ledger_of(chat).configure(view_of(chat), chat.id, {"summary": '"e_' + "0" * 32 + '"'})
    assert sent(chat) == before


def test_it_is_asked_for_without_blocking_the_loop(chat):
    assert asyncio.run(chat.acompact(3)).turns == 3


class Small(Summing):
    """A model that takes a hundred tokens, and counts none."""

    def stream(self, request):
        yield TextDelta("ok")
        yield Finish(reason="stop")

    def window(self, model):
        return 100


def test_near_the_end_of_the_window_the_user_is_told_once_and_what_sums_it_up_tells_nothing():

    manager = new_manager(providers=Small())
    told = []
    manager.subscribe(lambda event: told.append(str(event.text)) if isinstance(event, Notice) else None)
    chat = manager.create_session("u", "S").create_chat("A")
    chat.send("short")
    assert told == []
    chat.send("word " * 90)
    chat.send("word " * 90)
    chat.compact(keep=1)
    (notice,) = told
    assert notice.startswith("'A' sends about ")
    assert " of the 100 tokens that fit" in notice


def test_what_a_summary_took_is_counted_with_the_rest(chat):
    class Counting(Summing):
        def stream(self, request):
            yield TextDelta(SUMMARY)
            yield Finish(reason="stop", usage=Usage(input_tokens=100, output_tokens=10))

    runtime_of(chat).providers = Counting()
    before = chat.stats.total
    chat.compact()
    after = chat.stats.total
    assert (after.turns, after.input_tokens - before.input_tokens) == (before.turns, 100)
