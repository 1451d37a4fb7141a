"""Three suites in one: what a newcomer waits for, what CI runs, and what is run before an issue is resolved.

``pytest``
    The fast suite: every test but those marked ``slow``, with small samples. Minutes.
``pytest --all``
    Every test, with the samples of CI.
``pytest --long``
    Every test, with samples as large as before a release.
``pytest --rest``
    What ``pytest`` leaves out of ``pytest --all``: the slow tests, and those whose samples are larger there.

A test that is named runs, slow or not: ``pytest tests/kernel/test_kills.py`` runs all of that file.

``@pytest.mark.slow("reason")``, on a test or as a module's ``pytestmark``, keeps tests out of the fast suite;
``@pytest.mark.fast`` takes one of a slow module into it, and ``@pytest.mark.long("reason")`` leaves a test to
``--long`` alone: where a sample of its kind is enough for CI. Of several marks the nearest counts. A test that takes
more than `LIMIT` seconds has to be marked, and is listed at the end of a run if it is not. How large a sample is, a
test asks the fixture `scale`. What fails is said at once, too.
"""

import os
from collections import Counter

import pytest

LIMIT = 10
"""Seconds that a test may take without the mark."""
WORKERS = 4
"""Processes for tests at most: with more of them, kernels and browsers wait for each other."""
SIZES = {"fast", "all", "long"}
MARKS = {"fast", "slow", "long"}
LEFT_OUT = {
    "fast": "fast tests were left out: pytest runs them",
    "slow": "slow tests were left out: pytest --all runs them, too",
    "long": "long tests were left out: pytest --long runs them, too",
}
"""What is said of the tests of other suites, by their marks."""


def pytest_addoption(parser):
    group = parser.getgroup("tiers", "which of the three suites").addoption
    group("--all", dest="tier", action="store_const", const="all", default="fast", help="run every test")
    group("--long", dest="tier", action="store_const", const="long", help="run every test, with large samples")
    group("--rest", dest="tier", action="store_const", const="rest", help="run what is in --all and not without it")


def pytest_configure(config):
    config.addinivalue_line("markers", "slow(reason): not in the fast suite, because of its length")
    config.addinivalue_line("markers", "long(reason): only in --long, because of its length")
    config.addinivalue_line("markers", "fast: in the fast suite, although its module is slow")
    config.pluginmanager.register(Tiers(config), "tiers")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    """Say how many processes ``-n auto`` in pyproject.toml is: just this one for tests that are named."""
    return 0 if named(config) else min(WORKERS, os.cpu_count() or 1)


@pytest.fixture(scope="session")
def scale(request):
    """Pick what fits the suite that runs, as in ``scale(fast=3, all=20, long=200)``."""
    tier = request.config.option.tier

    def pick(**sizes):
        assert sizes.keys() == SIZES
        return sizes["all" if tier == "rest" else tier]

    return pick


def named(config):
    """Return the files that the command line names, or names tests of."""
    paths = (config.invocation_params.dir / argument.partition("::")[0] for argument in config.args)
    return {path.resolve() for path in paths if path.is_file()}


def mark_of(item):
    """Return which of `MARKS` a test has; the nearest counts, and without one it is fast."""
    return next((mark.name for mark in item.iter_markers() if mark.name in MARKS), "fast")


class Tiers:
    """Leaves out the tests of other suites, and says at the end how many there were and which were long."""

    def __init__(self, config):
        self.config, self.tier = config, config.option.tier
        self.left_out = {}
        self.seconds, self.marked = Counter(), set()

    @pytest.hookimpl(trylast=True)  # what -k and -m leave out is not left out by the suite
    def pytest_collection_modifyitems(self, items):
        files = named(self.config)
        kept, others = [], []
        for item in items:
            (kept if item.path in files or self.selects(item) else others).append(item)
        if others:
            self.left_out = dict(Counter(map(mark_of, others)))
            self.config.hook.pytest_deselected(items=others)
            items[:] = kept

    def selects(self, item):
        """Tell whether the suite that runs has it."""
        mark = mark_of(item)
        if self.tier == "fast":
            return mark == "fast"
        if self.tier == "rest":
            return mark == "slow" or (mark == "fast" and "scale" in item.fixturenames)
        return self.tier == "long" or mark != "long"

    def pytest_runtest_setup(self, item):
        for mark in item.iter_markers():
            if mark.name in {"slow", "long"} and not mark.args:
                pytest.fail(f"mark.{mark.name} needs a reason", pytrace=False)

    def pytest_runtest_logreport(self, report):
        terminal = self.config.pluginmanager.get_plugin("terminalreporter")
        if report.failed and terminal:  # said at once, for a run that is ended before its summary
            terminal.ensure_newline()
            terminal.write_line(f"{report.nodeid} failed after {report.duration:.0f} s ({report.when})", red=True)
        self.seconds[report.nodeid] += report.duration
        if {"slow", "long"} & report.keywords.keys():
            self.marked.add(report.nodeid)

    def pytest_sessionfinish(self, session):
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["left_out"] = self.left_out

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node):
        self.left_out = getattr(node, "workeroutput", {}).get("left_out", {})  # each process collects the same

    def pytest_terminal_summary(self, terminalreporter):
        long = [(node, time) for node, time in self.seconds.most_common() if time > LIMIT and node not in self.marked]
        for node, time in long:
            terminalreporter.write_line(f"{node} took {time:.0f} s without @pytest.mark.slow('reason')", yellow=True)
        for mark, count in sorted(self.left_out.items()):
            terminalreporter.write_line(f"{count} {LEFT_OUT[mark]}")
