"""The page is the memory: the rules as a program, and the core, which does what that program does."""

import pytest

from support.replay import on_core, rules
from support.replay.histories import branches, history
from support.replay.stories import STORIES, S

KERNELS = [pytest.param(rules.Kernel, id="rules"), pytest.param(on_core.Kernel, id="core")]
KINDS = {
    "asks only": (history, False),
    "all that people do": (history, True),
    "two branches that are merged": (branches, True),
}


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_story(kernel, story):
    teller = S(kernel)
    story(teller)
    assert teller.bad == []


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_is_done_to_a_notebook_the_core_does_what_the_rules_say(kind, scale):
    tell, more = KINDS[kind]
    for seed in range(scale(fast=60, all=200, long=17_000)):
        said, log = tell(rules.Kernel, seed, more)
        done, _ = tell(on_core.Kernel, seed, more)
        assert done.seen == said.seen, (seed, log)
        assert done.bad == said.bad, (seed, log)


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_is_done_to_a_notebook_what_is_sent_is_what_stands_on_the_page_and_it_replays(kind, scale):
    tell, more = KINDS[kind]
    for seed in range(scale(fast=60, all=200, long=7_000)):
        world, log = tell(on_core.Kernel, seed, more)
        assert world.bad == [], (seed, log)


def test_what_was_done_outside_cells_stands_after_no_answer_of_the_cell_that_is_judged():
    """A history of many: the cell after which it was done is gone, and another cell shows an answer of it."""
    (said, _), (done, _) = (history(kernel, 300_694, True) for kernel in (rules.Kernel, on_core.Kernel))
    assert done.seen == said.seen
