"""The site builds without a warning, and its reference has all there is: commands, options, names, errors, the rest."""

import importlib
import inspect
import pkgutil
import re
from html.parser import HTMLParser
from pathlib import Path

import click
import pytest

import robota_nb
from robota_nb import errors, testing, typing
from robota_nb.cli.main import main
from robota_nb.core import events, ports, turn
from robota_nb.core.interrupts import Cancellation
from robota_nb.core.live import LiveTurn
from robota_nb.core.record import snapshot, types
from robota_nb.magics.commands import CELL, COMMANDS
from robota_nb.magics.robota import RobotaMagics
from robota_nb.prompt.fields import FILTERS
from support.docs import site
from support.paths import ROOT

pytestmark = pytest.mark.slow("builds the site with Sphinx, once")

PAGES = {path.stem: path.read_text(encoding="utf-8") for path in ROOT.joinpath("docs", "reference").glob("*.md")}


@pytest.fixture(scope="module")
def inventory():
    """What can be linked to in the built pages, by its kind."""
    directory = site()
    from sphinx.util.inventory import InventoryFile

    with directory.joinpath("objects.inv").open("rb") as file:
        return {kind: set(found) for kind, found in InventoryFile.load(file, "", lambda _, path: path).items()}


@pytest.fixture(scope="module")
def page():
    """What a reader sees of a built page of the reference."""
    directory = site()

    def text(name):
        from html import unescape

        return unescape(re.sub(r"<[^>]+>", "", directory.joinpath("reference", f"{name}.html").read_text("utf-8")))

    return text


# -- the whole


class Fetched(HTMLParser):
    """What a browser fetches by itself for a page."""

    def __init__(self):
        super().__init__()
        self.urls = []

    def handle_starttag(self, tag, attributes):
        link = dict(attributes).get("href" if tag == "link" else "src")
        if link:
            self.urls.append(link)


def test_the_site_builds_without_a_warning_and_has_every_page_and_notebook():
    pages = site()
    expected = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}
    expected |= {path.relative_to(ROOT).with_suffix(".html") for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert {path.relative_to(pages) for path in pages.rglob("*.html")} >= expected


def test_a_page_of_the_site_fetches_nothing_from_elsewhere():
    pages = site()
    for page in pages.rglob("*.html"):
        parser = Fetched()
        parser.feed(page.read_text(encoding="utf-8"))
        assert [url for url in parser.urls if re.match(r"(https?:)?//", url)] == [], page


def test_the_site_shows_the_notebooks_with_their_recorded_answers():
    page = site().joinpath("notebooks", "quickstart.html").read_text(encoding="utf-8")
    assert "<strong>340</strong>" in page


def test_links_between_the_pages_lead_to_pages_of_the_site():
    project = site().joinpath("project.html").read_text(encoding="utf-8")
    assert 'href="SECURITY.html"' in project
    security = site().joinpath("SECURITY.html").read_text(encoding="utf-8")
    assert 'href="CHANGELOG.html"' in security
    assert "_downloads" not in project + security


# -- what is said and set


def test_every_command_is_there_with_its_arguments_and_what_they_do(inventory, page):
    seen = page("commands")
    for spec, words in [(CELL, ("robota", "cell")), *((spec, ("robota", *spec.words)) for spec in COMMANDS)]:
        program = "-".join(words)
        assert program in inventory["std:label"]
        assert spec.summary in seen
        assert spec.usage in re.sub(r"\s+", " ", seen)
        for example in spec.examples:
            assert example in seen
        for argument in spec.arguments:
            for name in argument.flags or (argument.metavar.partition("=")[0],):
                assert f"{program}.{name}" in inventory["std:cmdoption"]
            assert re.sub(r"\W", "", argument.help) in re.sub(r"\W", "", seen)


def test_every_filter_of_a_prompt_is_there(page):
    seen = page("commands")
    for name, known in FILTERS.items():
        assert re.search(rf"\b{name}\b", seen)
        assert known.help in seen


def test_every_option_is_there_and_no_other(inventory):
    assert inventory["std:confval"] == {f"RobotaMagics.{name}" for name in RobotaMagics.class_own_traits(config=True)}


def leaves(what, words):
    """Yield the click commands below these words that do something."""
    if isinstance(what, click.Group):
        for name, inner in what.commands.items():
            yield from leaves(inner, (*words, name))
    else:
        yield what, words


def test_every_command_of_the_command_line_is_there_with_its_options(inventory, page):
    seen = re.sub(r"\s+", " ", page("cli"))
    for found, words in leaves(main, ("robota-nb",)):
        program = "-".join(words)
        assert program in inventory["std:label"]
        assert found.help.split("\n\n")[0].replace("\n", " ") in seen
        for option in (option for option in found.params if isinstance(option, click.Option)):
            for flag in (*option.opts, *option.secondary_opts):
                assert f"{program}.{flag}" in inventory["std:cmdoption"]


# -- Python


def named(module):
    """The public names that a module defines itself."""
    own = (name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__)
    return {name for name in own if not name.startswith("_")}


PUBLIC = {
    **{f"robota_nb.{name}": getattr(robota_nb, name) for name in robota_nb.__all__ if name != "RobotaError"},
    **{
        f"robota_nb.errors.{name}": getattr(errors, name)
        for name in errors.__all__
        if name not in {"HINTS", "nearest", "with_hint"}
    },
    **{f"robota_nb.testing.{name}": getattr(testing, name) for name in testing.__all__},
    **{
        f"{part.__name__}.{name}": getattr(part, name)
        for part in (ports, events, turn, types)
        for name in named(part) - {"Turn", "Image", "Usage"}
    },
    **{f"{part.__module__}.{part.__name__}": part for part in (LiveTurn, Cancellation)},
    **{
        f"robota_nb.core.record.snapshot.{name}": getattr(snapshot, name)
        for name in ("NewerFormat", "parse", "dump", "merge")
    },
    **{f"robota_nb.core.ports.{name}": getattr(ports, name) for name in ("Image", "Usage")},
    **{f"robota_nb.core.record.types.{name}": None for name in ("Entry", "Entries", "FinishReason", "ChatEntry")},
    "robota_nb.core.ports.StreamEvent": None,
    "robota_nb.core.events.Event": None,
}


def members(whole):
    """The public members of a class that robota_nb has defined, but for those that it has from another public class."""
    elsewhere = [base for base in whole.__mro__[1:] if base in PUBLIC.values()]
    for name, member in inspect.getmembers_static(whole):
        if name not in vars(whole) and any(name in vars(base) for base in elsewhere):
            continue
        real = getattr(member, "fget", None) or getattr(member, "__func__", member)
        if not name.startswith("_") and (getattr(real, "__module__", "") or "").startswith("robota_nb"):
            yield name, real


def documented(inventory):
    return set().union(*(names for kind, names in inventory.items() if kind.startswith("py:")))


def test_every_public_name_is_there(inventory):
    assert sorted(PUBLIC.keys() - documented(inventory)) == []


def test_every_public_member_of_a_class_is_there(inventory):
    for name, whole in PUBLIC.items():
        if inspect.isclass(whole):
            there = {f"{name}.{member}" for member, _ in members(whole)}
            assert sorted(there - documented(inventory)) == [], name


def test_the_reference_leaves_no_member_of_a_class_out():
    assert [name for name in PAGES if re.search(r"autoclass::[^.]*:exclude-members:", PAGES[name])] == []


@pytest.mark.parametrize("module", [testing, typing], ids=lambda module: module.__name__)
def test_a_module_that_gathers_names_exports_each_that_it_imports(module):
    imported = {name for name, value in vars(module).items() if name[0] != "_" and not inspect.ismodule(value)}
    assert imported - {"annotations"} == set(module.__all__)


def test_the_face_offers_what_it_says():
    assert all(hasattr(robota_nb, name) for name in robota_nb.__all__)


def test_every_error_is_there(inventory):
    kinds, found = [errors.RobotaError], set()
    house = Path(robota_nb.__file__).parent
    for path in house.rglob("*.py"):
        if re.search(r"^class \w+\((\w*Error|SnapshotError|ProviderError)\b", path.read_text("utf-8"), re.MULTILINE):
            importlib.import_module(".".join(path.relative_to(house.parent).with_suffix("").parts))
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        if kind.__module__.startswith("robota_nb"):
            found.add(f"{kind.__module__}.{kind.__qualname__}")
    assert sorted(found - inventory["py:exception"]) == []


def called(name):
    """The function that a dotted name calls, if it is one of ours: of a class, the one that makes its objects."""
    found = pkgutil.resolve_name(name)
    function = found.__init__ if inspect.isclass(found) else found
    return function if inspect.isfunction(function) and function.__module__.startswith("robota_nb") else None


def test_nothing_that_is_there_is_private(inventory):
    for name in documented(inventory):
        public = name.replace("robota_nb._f", "robota_nb.f")  # where the public servers are made
        assert not re.search(r"\._(?!_version__)", public), name


def test_docstrings_name_every_parameter(inventory):
    unnamed = []
    for kind in ("class", "method", "function", "exception"):
        for name in inventory[f"py:{kind}"]:
            function = called(name)
            owner = pkgutil.resolve_name(name.rpartition(".")[0]) if kind == "method" else None
            whole = pkgutil.resolve_name(name)
            kin = [*whole.__mro__] if kind == "exception" else [whole, owner]  # an error takes what its kind takes
            said = "".join(inspect.getdoc(part) or "" for part in kin if part)
            for parameter in inspect.signature(function).parameters.values() if function else ():
                if parameter.name in OWNERS or parameter.kind == parameter.VAR_KEYWORD:
                    continue
                if not re.search(rf"\b{parameter.name}\b", said):
                    unnamed.append(f"{name}: {parameter.name}")
    assert sorted(unnamed) == []


OWNERS = {"self", "manager", "session", "ledger", "view"}  # what makes a session or a chat has these, and no user does


# -- surroundings

READS = re.compile(r'\benviron(?:\.get\(|\[)"(\w+)"|\b(ROBOTA_NB_[A-Z_]+)\b')


@pytest.mark.fast
def test_every_environment_variable_is_there_and_no_other():
    house = Path(robota_nb.__file__).parent
    found = {one or other for path in house.rglob("*.py") for one, other in READS.findall(path.read_text("utf-8"))}
    listed = set(re.findall(r"^\| `(\w+)` \|", PAGES["environment"].split("## Files")[0], re.MULTILINE))
    assert listed == found | {"OPENAI_API_KEY"}  # which the endpoint names


@pytest.mark.fast
def test_exit_codes_are_what_the_page_says():
    source = ROOT.joinpath("robota_nb", "cli", "main.py").read_text(encoding="utf-8")
    codes = {int(code) for code in re.findall(r"(?:sys\.exit\(|exit_code = )(\d)", source)}
    codes |= {0, click.ClickException.exit_code, click.UsageError.exit_code}
    section = PAGES["environment"].split("## Exit codes")[1]
    assert {int(code) for code in re.findall(r"^\| (\d) \|", section, re.MULTILINE)} == codes
