"""The benchmarks' own machinery: who is compared, in which order, and what the page says of it."""

import os
import sys
from importlib.util import find_spec

import pytest

from support.paths import ROOT
from support.require import require

sys.path.append(str(ROOT))

from benchmarks import __main__, compare, environments
from benchmarks.contenders import BARE, CONTENDERS, OURS, PEERS, RAW, Contender
from benchmarks.environments import Entrant, here, prepare
from benchmarks.figure import Figure
from benchmarks.page import about, markdown, page
from benchmarks.table import Table

PEER = Contender(name="peer", package="pytest", load="pass", ask="print('NUMBER')", requirements=("pytest",))


def table(*columns, title="A comparison", **rounds):
    """A comparison in which each name has these figures, round by round, in every column."""
    made = Table(title, columns)
    for name, values in rounds.items():
        for number, value in enumerate(values):
            made.add(name, number, dict.fromkeys(columns, value))
    return made


# -- who is compared


@pytest.mark.parametrize("contender", CONTENDERS, ids=lambda contender: contender.name)
def test_every_contender_has_the_cells_that_a_measurement_needs(contender):
    assert contender.load and contender.fresh and contender.package and contender.shows
    assert "NUMBER" in contender.ask
    assert contender.history or contender.asked or contender.document
    assert contender.requirements or contender.room in {other.name for other in CONTENDERS}


def test_names_tell_contenders_apart():
    names = [contender.name for contender in (*CONTENDERS, RAW)]
    assert len(set(names)) == len(names)


def test_the_bare_client_is_measured_in_the_environment_of_robota_nb():
    assert BARE.room == OURS.name
    assert not any(peer.room for peer in PEERS)


def test_a_peer_that_cannot_be_installed_is_named_with_the_reason(tmp_path, monkeypatch):
    def fails(room, python, requirements):
        environments._run(sys.executable, "-c", "import sys; sys.exit('first line\\nERROR: no such thing as peer')")

    monkeypatch.setattr(environments, "_install", fails)
    assert prepare([PEER], tmp_path) == ([], {"peer": "cannot be installed: ERROR: no such thing as peer"})


def test_an_environment_that_stands_is_not_made_again(tmp_path):
    room = tmp_path / "peer"
    (room / "bin").mkdir(parents=True)
    (room / "bin" / "python").symlink_to(sys.executable)
    (room / environments.STAMP).write_text("ipykernel\npytest\n")
    entrants, missing = prepare([PEER], tmp_path)
    assert entrants == [Entrant(PEER, str(room / "bin" / "python"))]
    assert not missing


# -- in turns


def test_contenders_are_measured_in_turns():
    order = []
    compare._in_turns(
        Table("", ()), here((OURS, BARE, PEER)), 1, lambda entrant, number: order.append((number, entrant.name)) or {}
    )
    assert order == [(number, name) for number in (0, 1) for name in ("robota_nb", "bare", "peer")]


def test_a_peer_that_fails_is_left_out_and_named_while_the_others_go_on():
    def measure(entrant, number):
        if entrant.contender is PEER and number == 1:
            raise RuntimeError("Traceback\nKeyError: 'model'")
        return {"a, ms": 1.0}

    made = Table("", ("a, ms",))
    compare._in_turns(made, here((OURS, PEER, BARE)), 2, measure)
    assert made.missing == {"peer": "KeyError: 'model'"}
    assert [len(made.samples[name, "a, ms"]) for name in ("robota_nb", "peer", "bare")] == [3, 1, 3]


def test_robota_nb_is_never_left_out():
    def measure(entrant, number):
        raise RuntimeError("it fails")

    with pytest.raises(RuntimeError, match="it fails"):
        compare._in_turns(Table("", ()), here((OURS,)), 1, measure)


def test_a_slow_peer_sits_out_the_rounds_that_are_left(monkeypatch):
    monkeypatch.setattr(compare, "PATIENCE", 0)
    made = Table("", ("a, ms",))
    compare._in_turns(made, here((OURS, PEER)), 3, lambda entrant, number: {"a, ms": 2.0})
    assert made.values("robota_nb", "a, ms") == [2, 2, 2]
    assert made.values("peer", "a, ms") == [2]


def test_the_first_round_counts_only_where_there_is_no_other():
    made = table("a, ms", robota_nb=[50, 1, 3], peer=[7])
    assert made.median("robota_nb", "a, ms") == 2
    assert made.median("peer", "a, ms") == 7


def test_ratios_are_taken_within_each_round():
    made = table("a, ms", robota_nb=[9, 1, 20, 3], bare=[1, 10, 20, 10])
    assert made.ratio("robota_nb", "a, ms", "bare") == 0.3
    assert made.ratios("robota_nb", "a, ms", "nobody") == []


# -- the page


def test_a_comparison_shows_medians_ranges_ratios_and_who_is_missing():
    made = table("total, ms", "messages", robota_nb=[0, 1, 2, 3], bare=[0, 2, 4, 6])
    made.missing["peer"] = "a | b"
    assert markdown(made).splitlines()[-5:] == [
        "|  | total, ms | messages |",
        "| --- | --- | --- |",
        "| robota_nb | 2 (1–3), **0.5 ×** | 2 (1–3) |",
        "| bare | 4 (2–6) | 4 (2–6) |",
        "| peer | not measured: a \\| b |  |",
    ]


def test_the_page_tells_which_limits_hold():
    figures = [Figure("good", 1, 2, "ms"), Figure("bad", 3, 2, "ms"), Figure("told", 1, None, "")]
    text = page(figures, [table("a, ms", robota_nb=[1])], here((OURS,)), {"peer": "why"}, "results.svg")
    assert "| good | 1 ms | ≤ 2 | yes |  |\n| bad | 3 ms | ≤ 2 | **no** |  |\n| told | 1  |  |  |  |" in text
    assert "(results.svg)" in text
    assert "| peer |  |  |  |  | not measured: why |" in text


def test_who_was_compared_is_told_with_versions():
    assert f"| peer | {pytest.__version__} | yes | plain text | `print('NUMBER')` |  |" in about(here([PEER]), {})


@pytest.mark.slow("draws with matplotlib, which the test extra leaves out")
def test_the_picture_is_drawn_and_small(tmp_path):
    require("matplotlib", find_spec("matplotlib"), "pip install --group benchmarks")
    from benchmarks.plot import draw

    names = {contender.name: [number + 1.0] for number, contender in enumerate((*CONTENDERS, RAW))}
    long = table(compare.TOTAL, compare.TRAFFIC, title=compare.ANSWER.format(compare.CHUNKS[-1]), **names)
    calls = table(*compare.COLUMNS.values(), title=compare.CONVERSATION, **names)
    draw(path := tmp_path / "results.svg", [long, calls])
    assert path.stat().st_size < 60_000
    assert all(name in path.read_text() for name in names)


# -- ten tasks in a browser


@pytest.fixture
def tasks():
    require("browser", find_spec("playwright"), "pip install '.[test]'")
    from benchmarks import tasks

    return tasks


def test_every_task_is_done_in_every_way(tasks):
    assert all(hasattr(way, task) for way in (*tasks.OURS, tasks.JupyterAI) for task in tasks.TASKS)


def test_what_needs_more_moves_than_jupyter_ai_is_set_apart_and_what_cannot_be_done_there_is_no_limit(tasks):
    found = {("panel", "frame"): 4, ("cells", "frame"): 5, ("jupyter-ai", "frame"): 4}
    found |= {("panel", "fork"): 9, ("cells", "fork"): 1, ("jupyter-ai", "fork"): None}
    done = {key: tasks.Tried(count, "") for key, count in found.items()}
    assert tasks.table(done, ["frame", "fork"], ["panel", "cells", "jupyter-ai"]).splitlines()[2:] == [
        "| ask about a frame | 4 | **5** | 4 |",
        "| fork, and compare | 9 | 1 | – |",
    ]


def test_moves_are_told_with_what_was_typed_in_one_piece(tasks):
    person = tasks.Person(page=None)
    person.moves = ["Control+Home", *" -m x", "Enter", "click"]
    assert person.told() == "Control+Home, ` -m x`, Enter, click"


# -- the command


def test_an_unknown_case_is_refused(capsys):
    with pytest.raises(SystemExit):
        __main__.main(["--no-peers", "laod"])
    assert "no such case: laod" in capsys.readouterr().err


def test_a_case_runs_with_real_kernels(monkeypatch, capsys):
    require("kernel", find_spec("ipykernel"))
    require("http", os.name)
    monkeypatch.setattr(compare, "SHORT_ROUNDS", 0)
    assert __main__.main(["--no-peers", "short_call"]) in (0, 1)  # how fast it is, is not asked here
    said = capsys.readouterr().out
    assert "| one short call, over an empty cell |" in said
    assert "\n| robota_nb | " in said and "\n| bare | " in said
