"""Whatever was done to a notebook is in its record: written as entries and read again, it says the same."""

import pytest

from support.replay import on_core
from support.replay.as_record import what_differs
from support.replay.histories import branches, history
from support.replay.stories import STORIES, S

KINDS = {"all that people do": (history, True), "two branches that are merged": (branches, True)}


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_the_record_holds_a_story(story):
    teller = S(on_core.Kernel)
    story(teller)
    assert what_differs(teller.k) == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_record_holds_whatever_is_done_to_a_notebook(kind, scale):
    tell, more = KINDS[kind]
    for seed in range(scale(fast=40, all=80, long=5_000)):
        world, log = tell(on_core.Kernel, seed, more)
        assert what_differs(world.k) == [], (seed, log)
