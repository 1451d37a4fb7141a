"""How many tokens a chat sends: near what servers count, in whatever script, without a tokenizer."""

import json
from pathlib import Path

import pytest

from robota_nb.core.inside import view_of
from robota_nb.core.ports import Finish, TextDelta, Usage
from robota_nb.core.record.config import Config
from robota_nb.core.rules.tokens import estimate, guess
from support.core import Echo, new_manager

RECORDED = json.loads(Path(__file__).with_name("usages.json").read_text(encoding="utf-8"))
"""Conversations in four scripts; of each turn, the tokens in and out as a model of OpenAI has them (o200k)."""


class Recorded(Echo):
    """Answers as recorded."""

    def __init__(self, turns, **more):
        super().__init__()
        self.turns = iter(turns)
        self.more = more

    def stream(self, request):
        turn = next(self.turns)
        came, went = turn["usage"]
        yield TextDelta(turn["answer"])
        thoughts = self.more.get("reasoning_tokens", 0)
        yield Finish(reason="stop", usage=Usage(input_tokens=came, output_tokens=went + thoughts, more=self.more))


def chat_with(provider, **settings):
    return new_manager(providers=provider).create_session("u", "S").create_chat("A", **settings)


def errors(script, **more):
    """How far off each request was foreseen, but for the first: of that nothing is known."""
    turns = RECORDED[script]
    chat, found = chat_with(Recorded(turns, **more)), []
    for turn in turns:
        path = view_of(chat).path(chat.id)
        foreseen = estimate(view_of(chat).record, path, chat.config, turn["prompt"])
        found.append(abs(foreseen / turn["usage"][0] - 1))
        chat.send(turn["prompt"])
    return found[1:]


def test_of_recorded_conversations_it_is_within_five_percent():
    found = sorted(error for script in RECORDED for error in errors(script))
    assert found[int(0.95 * len(found))] < 0.05
    assert found[len(found) // 2] < 0.02


def test_thoughts_which_are_sent_to_nobody_again_make_no_difference():
    assert max(errors("latin", reasoning_tokens=5000)) < 0.1


@pytest.mark.parametrize("script", RECORDED)
def test_before_any_answer_it_is_a_guess_that_is_not_far_off(script):
    text = "".join(turn["prompt"] + turn["answer"] for turn in RECORDED[script])
    last = RECORDED[script][-1]["usage"]
    assert sum(last) / 2 < guess(text) < sum(last) * 2


def test_an_undone_turn_is_not_counted():
    chat = chat_with(Recorded(RECORDED["latin"]))
    chat.send("one")
    before = chat.tokens
    chat.send("two")
    assert chat.tokens > before
    chat.undo()
    assert chat.tokens == before == sum(RECORDED["latin"][0]["usage"])


def test_an_empty_chat_has_its_system_prompt():
    assert chat_with(Echo()).tokens == 0
    assert chat_with(Echo(), system="Be brief.").tokens == 7


def test_a_turn_that_nobody_counted_is_estimated_in_characters():
    class Silent(Echo):
        def stream(self, request):
            yield TextDelta("word " * 100)
            yield Finish(reason="stop")

    chat = chat_with(Silent())
    chat.send("word " * 100)
    assert chat.tokens == pytest.approx(200, rel=0.1)


def test_settings_that_somebody_else_wrote_break_nothing():
    chat = chat_with(Echo())
    chat.send("a")
    view = view_of(chat)
    assert estimate(view.record, view.path(chat.id), Config(provider="", params={"summary": '"x"'})) > 0
