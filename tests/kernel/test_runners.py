"""Tools that run recorded notebooks, without a key: the recorded answers are found, or the run ends in an error.

Those that are no test dependency are in the environment whose Python ``ROBOTA_NB_TOOLS_PYTHON`` names.
"""

import os
import sys

import pytest

from support.notebook import offline, run, write
from support.paths import ROOT
from support.require import require
from support.runners import NOTEBOOKS, OFFLINE, RUNNERS, has, shown

pytestmark = pytest.mark.slow("runs notebooks with other people's tools, each in a kernel of its own")

LONG = pytest.mark.long("runs twelve tools on four notebooks")
OTHERS = {"nbmake", "myst-nb", "voila", "ploomber-engine"}
TOOLS_PYTHON = os.environ.get("ROBOTA_NB_TOOLS_PYTHON") or sys.executable


@pytest.fixture(scope="module")
def once():
    """The recorded notebooks, by name."""
    return {}


@pytest.fixture
def recorded(connected, server, once, monkeypatch):
    """A folder of notebooks recorded with a model, whose kernels may not reach the network, nor have a key."""
    server.reply = lambda request: f"{len(request['messages'])}: **Paris**."
    folder = connected / "notebooks"
    folder.mkdir()
    for name, cells in NOTEBOOKS.items():
        path = folder / f"{name}.ipynb"
        if name not in once:
            run(write(path, *cells))
            once[name] = path.read_bytes()
        path.write_bytes(once[name])
    server.requests.clear()
    attempts = offline(monkeypatch, connected)
    monkeypatch.delenv("OPENAI_MODEL", raising=False)
    yield folder
    assert server.requests == []
    assert not attempts.exists(), "a model server was asked"


def documented():
    """What docs/front-ends.md says of each tool, by notebook."""
    page = ROOT.joinpath("docs", "front-ends.md").read_text(encoding="utf-8")
    table = page[page.index("| tool | chat |") :].partition("\n\n")[0].splitlines()
    (_, *names), _, *rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in table]
    return {tool: dict(zip(names, cells, strict=True)) for tool, *cells in rows}


def test_the_table_has_these_tools_and_notebooks():
    assert list(documented()) == list(RUNNERS)
    assert all(list(row) == [*NOTEBOOKS, "it needs"] for row in documented().values())


def check(tool, name, recorded):
    """See that a tool does with a notebook what the documentation says."""
    call, module = RUNNERS[tool]
    require("runners", has(TOOLS_PYTHON, module), f"{TOOLS_PYTHON} has no {module}")
    assert documented()[tool][name] == "yes"
    path = recorded / f"{name}.ipynb"
    before = shown(path)
    after = call(TOOLS_PYTHON, path)
    if after.suffix == ".html":
        assert "**Paris**" in after.read_text()  # as the last cell prints it
        assert not OFFLINE.search(after.read_text())
    elif name == "interact":  # widgets have other ids each time, and some tools show what is in them below them
        assert shown(after)[-1] == before[-1]
        assert not OFFLINE.search(after.read_text())
    else:
        assert shown(after) == before


@pytest.mark.parametrize("tool", [pytest.param(tool, marks=LONG) if tool in OTHERS else tool for tool in RUNNERS])
def test_a_tool_shows_the_recorded_answers_without_a_key(tool, recorded):
    check(tool, "chat", recorded)


@LONG
@pytest.mark.parametrize("name", [name for name in NOTEBOOKS if name != "chat"])
@pytest.mark.parametrize("tool", RUNNERS)
def test_a_tool_shows_the_recorded_answers_without_a_key_whatever_they_are(tool, name, recorded):
    check(tool, name, recorded)
