"""Whatever was done to a notebook: restart and run all, and from then on it replays."""

from hypothesis import given, settings
from hypothesis import strategies as st

from support.manager_world import ManagerWorld
from support.story import Story

prompts = st.sampled_from(["a", "b", "c"])
lines = st.one_of(
    prompts.map("ask {}".format),
    prompts.map("ask {}".format),
    st.lists(prompts, min_size=1, max_size=3).map(lambda xs: "loop " + " ".join(xs)),
    st.sampled_from(["open A", "open B", "switch main", "ask --chat main d"]),
    st.sampled_from(["open A; set model=m", "ask b; set model=n"]),  # a setting alone stands nowhere: docs/replay.md
)
sources = st.lists(lines, min_size=1, max_size=2).map("; ".join)
at = st.integers(0, 9)
histories = st.lists(
    st.one_of(
        st.tuples(st.just("edit"), at, sources),
        st.tuples(st.just("insert"), at, sources),
        st.tuples(st.just("delete"), at),
        st.tuples(st.just("run"), at),
        st.tuples(st.just("run all")),
        st.tuples(st.just("restart")),
        st.tuples(st.just("next answer: error")),
        st.tuples(st.just("next answer: interrupted")),
        st.tuples(st.just("click chat B")),
        st.tuples(st.just("click set model=w")),
        st.tuples(st.just("send"), prompts),
    ),
    max_size=14,
)


def steps(history, world):
    """Turn random actions into steps that fit the notebook as it is then."""
    for word, *args in history:
        size = len(world.cells)
        if word in ("edit", "delete", "run") and not size:
            continue
        if word == "edit":
            yield f"edit {args[0] % size + 1}: {args[1]}"
        elif word == "insert":
            yield f"insert {args[0] % (size + 1) + 1}: {args[1]}"
        elif word in ("delete", "run"):
            yield f"{word} {args[0] % size + 1}"
        elif word == "send":
            yield f"send {args[0]}"
        else:
            yield word


def test_after_any_history_a_restarted_notebook_runs_and_then_replays(scale):
    @settings(max_examples=scale(fast=50, all=400, long=20_000), derandomize=True)
    @given(st.lists(sources, min_size=1, max_size=5), histories)
    def replays(cells, history):
        world = ManagerWorld()
        story = Story(world)
        story.tell(["cells: " + " | ".join(cells), "run all"])
        for step in steps(history, world):
            story.tell([step])
        world.oracle.failure = None
        story.tell(["restart", "run all", "replays"])

    replays()
