"""The three suites: which tests each of them has, how large their samples are, and what is said at the end."""

import os
import subprocess
import sys

import pytest

from support.paths import TESTS

SUITE = {
    "conftest.py": 'pytest_plugins = ["support.tiers"]\n',
    "room/test_quick.py": """
import pytest

def test_quick(): pass

def test_scaled(scale):
    print("sample of", scale(fast=1, all=2, long=3))

@pytest.mark.slow("it is long")
def test_slow(): pass
""",
    "room/test_long.py": """
import pytest

pytestmark = pytest.mark.slow("all of it is long")

def test_long(): pass

@pytest.mark.fast
def test_not_so_long(): pass

@pytest.mark.parametrize("way", [pytest.param("one"), pytest.param("another", marks=pytest.mark.long("as one"))])
def test_ways(way): pass
""",
    "unsaid/test_unsaid.py": """
import pytest

@pytest.mark.slow
def test_slow(): pass
""",
}


@pytest.fixture
def ran(tmp_path):
    """Runs pytest on the suite above, and returns the names of the tests that ran, and what was said."""
    for name, text in SUITE.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def run(*words):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rP", "-vv", "--strict-markers", *words],
            cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(TESTS)},
        )  # fmt: skip
        said = done.stdout + done.stderr
        lines = [line.split() for line in said.splitlines() if "::" in line and "PASSED" in line]
        return {word.rpartition("::")[2] for line in lines for word in line if "::" in word}, said

    return run


QUICK, SLOW = {"test_quick", "test_scaled"}, {"test_slow", "test_long", "test_ways[one]"}


@pytest.mark.parametrize(
    "processes", ["-n0", pytest.param("-n2", marks=pytest.mark.slow("runs pytest in processes of its own"))]
)
def test_the_fast_suite_leaves_out_what_is_slow_and_says_how_to_run_it(ran, processes):
    names, said = ran("room", processes)
    assert names == {*QUICK, "test_not_so_long"}
    assert "3 slow tests were left out: pytest --all runs them, too" in said
    assert "1 long tests were left out: pytest --long runs them, too" in said
    assert "sample of 1" in said


@pytest.mark.slow("runs pytest in a process of its own")
def test_the_suite_of_ci_has_all_but_what_is_marked_as_long(ran):
    names, said = ran("room", "--all")
    assert names == {*QUICK, *SLOW, "test_not_so_long"}
    assert "1 long tests were left out: pytest --long runs them, too" in said
    assert "sample of 2" in said


@pytest.mark.slow("runs pytest in a process of its own")
def test_the_long_suite_has_every_test(ran):
    names, said = ran("room", "--long")
    assert names == {*QUICK, *SLOW, "test_not_so_long", "test_ways[another]"}
    assert "left out" not in said
    assert "sample of 3" in said


@pytest.mark.slow("runs pytest in a process of its own")
def test_the_rest_is_what_the_fast_suite_leaves_out_and_what_has_a_larger_sample(ran):
    names, said = ran("room", "--rest")
    assert names == {*SLOW, "test_scaled"}
    assert "2 fast tests were left out: pytest runs them" in said
    assert "sample of 2" in said


@pytest.mark.slow("runs pytest in a process of its own")
@pytest.mark.parametrize("word", ["room/test_long.py", "room/test_long.py::test_long"])
def test_a_slow_test_that_is_named_runs_in_this_process(ran, word):
    names, said = ran("-n", "auto", word)
    assert "test_long" in names
    assert "workers" not in said


@pytest.mark.slow("runs pytest in a process of its own")
def test_a_slow_test_without_a_reason_fails(ran):
    names, said = ran("unsaid", "--all")
    assert names == set()
    assert "mark.slow needs a reason" in said


@pytest.mark.slow("runs pytest in processes of its own")
@pytest.mark.parametrize("processes", ["-n0", "-n2"])
def test_what_fails_is_said_before_the_other_tests_have_ended(ran, processes):
    said = ran("unsaid", "--all", processes)[1]
    assert said.index("test_slow failed after 0 s (setup)") < said.index("= ERRORS =")


@pytest.mark.slow("runs pytest in a process of its own")
def test_a_long_test_without_the_mark_is_listed(ran, tmp_path):
    with tmp_path.joinpath("conftest.py").open("a") as conftest:
        conftest.write("from support import tiers\n\ntiers.LIMIT = -1\n")
    for processes in ("-n0", "-n2"):
        said = ran("room", "--all", processes)[1]
        listed = {
            line.split()[0].rpartition("::")[2] for line in said.splitlines() if "without @pytest.mark.slow" in line
        }
        assert listed == QUICK
