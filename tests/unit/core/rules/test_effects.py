"""What cells did, taken together: the same as one after the other, and without a step for each of 100,000."""

import os
import random

import pytest

from robota_nb.core.record.config import OFFLINE, Config
from robota_nb.core.record.fold import SessionState
from robota_nb.core.record.kinds import kind_of
from robota_nb.core.rules import recorded
from robota_nb.core.rules.effects import Answered, Choose, Clear, Fork, Set, after
from robota_nb.core.rules.memory import Contexts, Memory
from robota_nb.core.rules.recorded import Recorded
from support import bombs

CHATS = [f"c_{at:032x}" for at in range(3)]


@pytest.fixture
def record():
    state = SessionState(bombs.SESSION)
    state.apply(bombs.forks(3))
    return Recorded(state)


def done(chance):
    """Return what a cell may have done: mostly settings, several in a row."""
    chat = chance.choice(CHATS)
    key = chance.choice(["p1", "p2", "p3", "provider", "model", "system", "body.x"])
    value = chance.choice(["", "1", OFFLINE])
    others = [Choose(chat=chat), Clear(chat=chat), Fork(chat=chat, source=CHATS[0]), Answered(chat=chat)]
    return [Set(chat=chat, key=key, value=value)] if chance.random() < 0.8 else [chance.choice(others)]


def said(memory):
    """Return all that a memory tells."""
    chats = {chat: memory.get(chat) for chat in memory.chats()}
    told = {
        chat: (one.context.says, one.config.settings(), one.config.to_entry(), one.cell) for chat, one in chats.items()
    }
    return memory.current, memory.chosen, memory.session, told


@pytest.mark.parametrize("seed", range(200))
def test_effects_in_one_go_are_the_same_as_one_after_the_other(record, seed):
    chance = random.Random(seed)
    effects = [effect for _ in range(chance.randrange(40)) for effect in done(chance)]
    one_by_one = Memory()
    for effect in effects:
        one_by_one = effect.apply(one_by_one, record, "cell")
    assert said(after(Memory(), effects, record, "cell")) == said(one_by_one)


def test_settings_in_a_row_make_one_config(record, monkeypatch):
    made = []
    with_settings = Config.with_settings
    monkeypatch.setattr(Config, "with_settings", lambda *args: made.append(args) or with_settings(*args))
    sets = [Set(chat=CHATS[0], key=f"p{at}", value=str(at)) for at in range(500)]
    memory = after(Memory(), sets, record, "cell")
    assert len(made) == 1
    assert len(memory.get(CHATS[0]).config.params) == 500


def test_each_effect_is_read_once_however_often_it_is_asked_for(monkeypatch):
    state = SessionState(bombs.SESSION)
    state.apply(bombs.ops(10))
    read = []
    from_op = recorded.from_op
    monkeypatch.setattr(recorded, "from_op", lambda op: read.append(op) or from_op(op))
    record = Recorded(state)
    steps = [*record.steps(), *record.steps()]
    record.pending()
    assert len(read) == len(steps[0].effects) == 202


@pytest.mark.parametrize("seed", range(100))
def test_what_contexts_begin_with_is_found_as_by_looking_at_each_turn(seed):
    chance = random.Random(seed)
    contexts = Contexts(lambda turn: turn[0].encode())  # a1 and a2 say the same
    first = [chance.choice("abc") + "1" for _ in range(chance.randrange(70))]
    shared = chance.randrange(len(first) + 1)
    second = [turn[0] + "2" for turn in first[:shared]] + [chance.choice("abc") for _ in range(chance.randrange(70))]
    one, other = contexts.of(first), contexts.of(second)
    said = [turn[0] for turn in first], [turn[0] for turn in second]
    same = len(os.path.commonprefix(said))
    assert one.shared_with(other) == other.shared_with(one) == same
    assert [one.first(size).turns for size in range(len(first) + 2)] == [
        tuple(first[:size]) for size in range(len(first) + 2)
    ]


@pytest.mark.parametrize(
    ("op", "is_known"),
    [
        ({"chat": CHATS[0]}, True),
        ({"session": bombs.SESSION}, True),
        ({"chat": "c_1"}, False),
        ({"chat": [CHATS[0]]}, False),
        ({"session": CHATS[0]}, False),
        ({"session": None, "chat": CHATS[0]}, False),
        ({}, False),
        ([CHATS[0]], False),
    ],
)
def test_one_op_that_names_no_chat_is_found_among_many(op, is_known):
    ops = [*({"chat": chat} for chat in CHATS), op, *({"chat": chat} for chat in CHATS)]
    entry = {"kind": "effects", "n": 1, "at": bombs.AT, "cell": ["one", "0" * 16], "ops": ops}
    assert (kind_of(entry).name == "effects") == is_known
