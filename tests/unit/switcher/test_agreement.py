"""Whoever changes whatever: at rest, all views know the same, and it is what the manager says."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from robota_nb.errors import RobotaError
from support.core import new_manager
from support.hub import Reader, agree, hub_of, rested
from support.operations import OPERATIONS


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from(OPERATIONS), st.integers(0, 1), st.integers(0, 10_000)), max_size=30),
    st.integers(0, 30),
)
def test_at_rest_all_views_know_what_is_so(operations, late):
    manager = new_manager()
    manager.create_session(name="S").create_chat("A").send("first")
    hub = hub_of(manager)
    views = [Reader(hub), Reader(hub)]
    for at, (operate, who, seed) in enumerate(operations):
        if at == late:
            views.append(Reader(hub))
        try:
            operate(manager, views[who], random.Random(seed))
        except (RobotaError, IndexError):  # there is nothing of that kind, or it may not be
            pass
    agree(manager, *views)
    for view in views:
        view.leave()


def test_at_rest_all_views_know_what_is_so_after_a_long_day():
    manager = new_manager()
    manager.create_session(name="S").create_chat("A").send("first")
    hub = hub_of(manager)
    views = [Reader(hub), Reader(hub)]
    pick, done = random.Random(2_028), set()
    for at in range(800):
        operate = pick.choice(OPERATIONS)
        try:
            operate(manager, pick.choice(views), pick)
        except (RobotaError, IndexError):
            continue
        done.add(operate)
        if at % 20 == 0:
            rested(manager)
            agree(manager, *views)
    agree(manager, *views)
    assert done == {*OPERATIONS}
    answers = [answer for view in views for answer in view.answers.values()]
    assert sum("turn" in answer for answer in answers) > 10
    hub.close()
