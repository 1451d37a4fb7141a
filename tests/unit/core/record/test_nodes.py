"""Trails: the turns up to one, as chains that share their beginnings."""

import random

from robota_nb.core.record.nodes import Node, Path, Stamp, Trails


def node(name):
    """A turn of which only the id matters."""
    return Node(
        id=name, user="", chat="c", parent=None, stamp=Stamp(1, name), config="", finish_reason="stop", cell=None,
        set={}, options={},
    )  # fmt: skip


def test_trails_say_what_lists_of_their_turns_would_say():
    chance = random.Random(7)
    nodes, trails = [node(f"n{at}") for at in range(30)], Trails()
    grown = [(trails.start, [])]
    for _ in range(600):
        trail, turns = chance.choice(grown[-20:])
        one = chance.choice(nodes)
        grown.append((trail.and_then(one), [*turns, one]))
    for trail, turns in grown:
        path = Path(trail)
        assert path.nodes == turns
        assert len(path) == len(turns)
        assert path.last == (turns[-1] if turns else None)
        assert list(reversed(path)) == [one.id for one in turns[::-1]]
        size = chance.randint(0, len(turns))
        assert Path(trail.first(size)).nodes == turns[:size]
        for one in nodes:
            places = [at for at, other in enumerate(turns, 1) if other is one]
            assert path.place(one) == max(places, default=0)
            assert (one in path) == bool(places)


def test_equal_turns_are_one_trail():
    first, second, third = map(node, "abc")
    trails = Trails()
    one = trails.of([first, second])
    assert trails.of([first, third]).before is one.before
    assert trails.of([first, second]) is one


def test_a_trail_of_any_length_is_reached_in_few_steps():
    trail = Trails().of(node(str(at)) for at in range(10_000))
    here, steps = trail, 0
    while here.size > 4321:
        here = here.jump if here.jump.size >= 4321 else here.before
        steps += 1
    assert here is trail.first(4321)
    assert steps < 60
