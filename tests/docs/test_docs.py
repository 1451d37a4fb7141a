"""What the pages of the documentation tell a user to do can be done."""

import re
import shlex

import click
import pytest

from robota_nb.cli.main import main
from robota_nb.magics.robota import RobotaMagics
from support.markdown import FENCE, TEXTS, blocks
from support.notebook import command, content, edit, run, write

TUTORIAL = TEXTS["docs/tutorial.md"]
OFFLINE = TUTORIAL.split("## Connect a real model")[0]
RECIPES = sorted(name for name, text in TEXTS.items() if name.startswith("docs/how-to/") and "```python\n" in text)

CONFIGURATION = "# ipython_config.py\n"
"""Such a block is not a cell, but what the kernel is configured with."""

CONFIGURED = """
%unload_ext robota_nb
c = get_ipython().config
{lines}
c.RobotaMagics.endpoints = {{"ollama": {{"base_url": "{address}"}}, **c.RobotaMagics.get("endpoints", {{}})}}
%load_ext robota_nb
"""


def shown(outputs):
    """Return the lines that outputs show."""
    texts = [
        output.get("text") or output["data"].get("text/markdown") or output["data"]["text/plain"] for output in outputs
    ]
    return "".join("".join(text) + "\n" for text in texts).splitlines()


def holds(lines, expected):
    """Check that each line of what a page says is shown stands in a line that is."""
    for line in expected.splitlines():
        assert any(line.strip() in real for real in lines), (line, lines)


def cells_of(text):
    """Return the cells of a page."""
    return [code.rstrip() for language, code in blocks(text) if language == "python"]


@pytest.fixture
def tour(connected):
    """The notebook that a reader of the tutorial has made, and run, before the last section."""
    path = write(connected / "tour.ipynb", *cells_of(OFFLINE))
    run(path)
    return path


def test_the_cells_of_the_tutorial_run_and_show_what_it_says(tour, server):
    assert server.requests == []
    outputs = iter([cell["outputs"] for cell in content(tour)["cells"]])
    lines = []
    for language, code in blocks(OFFLINE):
        if language == "text" and lines:
            holds(lines, code)
        lines = shown(next(outputs)) if language == "python" else []


@pytest.mark.slow("runs the tutorial's notebook four times")
def test_the_tutorial_s_notebook_replays_and_only_what_is_edited_is_asked_again(tour, server):
    told = iter([code for language, code in blocks(OFFLINE) if language in ("sh", "text")])
    (replay, replayed), (again, asked), (show, kept) = [
        (code, next(told)) for code in told if code.startswith("robota-nb")
    ]
    holds(said(replay), replayed)
    at = cells_of(OFFLINE).index("nights, price = 4, 85")
    after = "nights, price = 5, 85"
    assert f"`{after}`" in OFFLINE
    edit(tour, at, after)
    holds(said(again), asked)
    holds(said(show), kept)

    write(tour, *cells_of(TUTORIAL), metadata=content(tour)["metadata"])
    edit(tour, at, after)
    holds(said(again), "1 turn asked, 4 replayed")
    (request,) = server.requests
    assert request["messages"][-1]["content"] == cells_of(TUTORIAL)[-1].removeprefix("%%robota\n")


def said(line):
    """Run a line of ``robota-nb``, and return the lines that it says."""
    result = command(*shlex.split(line)[1:])
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


@pytest.mark.parametrize("name", RECIPES)
def test_the_cells_of_a_recipe_run_and_show_what_it_says(name, kernel, server):
    configure(kernel, server, "")
    lines = []
    for language, code in blocks(TEXTS[name]):
        if language == "text":
            holds(lines, code)
        if language != "python":
            continue
        code = re.sub(r"https?://[^\s\"]+/v1/?(?=[\s\"])", server.base_url, code)
        for variable in re.findall(r"\b[A-Z_]+_KEY\b", code):
            kernel.ok(f"import os; os.environ[{variable!r}] = {server.api_key!r}")
        if code.startswith(CONFIGURATION):
            configure(kernel, server, code)
        else:
            lines = shown(kernel.ok(code.rstrip()).outputs)


def configure(kernel, server, lines):
    """Do what a kernel does that starts with this configuration; Ollama is the server of the tests."""
    kernel.ok(CONFIGURED.format(lines=lines, address=server.base_url))


def test_there_are_recipes_whose_cells_run():
    assert len(RECIPES) >= 5


def commands():
    """Yield the lines of ``robota-nb`` of all pages, in blocks and in running text."""
    for name, text in TEXTS.items():
        lines = [line for _, block in FENCE.findall(text) for line in block.splitlines() if "pip install" not in line]
        for line in [*lines, *re.findall(r"(?<!`)`([^`\n]+)`", text)]:
            if found := re.search(r"(?<![^\s'])robota-nb [a-z][^,;|&']*", line):
                yield name, re.split(r"\s{3,}", found[0])[0]


@pytest.mark.parametrize(("name", "line"), sorted(set(commands())))
def test_the_commands_of_a_page_are_there_with_their_options(name, line):
    words, at = line.split()[1:], main
    while words and isinstance(at, click.Group):
        at = at.commands[words.pop(0)]
    options = {option for parameter in at.params for option in parameter.opts + parameter.secondary_opts}
    assert [word for word in words if word.startswith("-") and word not in options] == []


@pytest.mark.parametrize("name", TEXTS)
def test_the_options_that_a_page_names_are_there(name):
    options = set(re.findall(r"\bRobotaMagics\.([a-z_]+)", TEXTS[name]))
    assert options <= set(RobotaMagics.class_own_traits(config=True))
