"""The README and the documents say what is so: their commands, their lines of magic, their example of a hash."""

import json
import re

import pytest

from robota_nb.core.record.entries import MAX_MESSAGE_BYTES, canonical, entry_id
from robota_nb.core.record.kinds import KINDS
from robota_nb.core.record.snapshot import MAX_BYTES, MAX_DEPTH, MAX_ENTRIES
from robota_nb.magics.commands import COMMANDS
from robota_nb.magics.parser import overview, parse, parse_cell
from robota_nb.magics.robota import RobotaMagics
from support.markdown import FENCE, INLINE, TEXTS, magics
from support.paths import ROOT

NOTEBOOKS = sorted(ROOT.joinpath("notebooks").glob("*.ipynb"))

SETUP = ("pip install '.[lab]' && robota-nb run notebooks/quickstart.ipynb", "pip install '.[test]' && pytest")
OPEN = "jupyter lab notebooks/quickstart.ipynb"


PATTERNS = ("…", "NAME")  # what holds one of these stands for several lines

LINES = sorted(
    {(name, line) for name, text in TEXTS.items() for line in magics(text) if not any(p in line for p in PATTERNS)}
)


def test_the_readme_has_the_two_commands_and_says_how_to_open_the_notebook():
    lines = [line for _, block in FENCE.findall(TEXTS["README.md"]) for line in block.splitlines()]
    assert [line for line in lines if line.startswith("pip ")] == list(SETUP)
    assert lines[lines.index(SETUP[0]) + 1] == OPEN


def test_the_first_screen_has_one_sentence_a_picture_and_three_cells():
    first = TEXTS["README.md"].split("\n## ")[0]
    picture = re.search(r"!\[.+\]\((.+)\)", first)
    assert picture
    assert (ROOT / picture[1]).stat().st_size < 300_000
    assert [language for language, _ in FENCE.findall(first)] == ["python"] * 3


def test_there_is_magic_to_check():
    assert len(LINES) > 15


@pytest.mark.parametrize(("page", "line"), LINES)
def test_every_line_of_magic_parses(page, line):
    magic, _, rest = line.partition(" ")
    parse_cell(rest, "\n") if magic == "%%robota" else parse(rest)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_magic_in_the_text_of_a_notebook_parses(path):
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "markdown":
            for line in INLINE.findall("".join(cell["source"])):
                magic, _, rest = line.partition(" ")
                parse_cell(rest, "\n") if magic == "%%robota" else parse(rest)


@pytest.mark.parametrize("name", TEXTS)
def test_links_lead_somewhere(name):
    for target in re.findall(r"\]\(([^)#]+)\)", TEXTS[name]):
        if not target.startswith("https:"):
            assert (ROOT / name).parent.joinpath(target).exists(), target


OURS = re.compile(r"`((?:robota_nb|tests|docs|notebooks|benchmarks)/[\w/-]+(?:\.(?:py|js|md|txt|ipynb))?)`")
"""Files and folders of this repository, in running text."""


@pytest.mark.parametrize("name", TEXTS)
def test_the_files_of_the_repository_that_a_page_names_are_there(name):
    assert [path for path in OURS.findall(TEXTS[name]) if not (ROOT / path).exists()] == []


def test_the_example_of_the_format_has_the_hash_it_says():
    example = TEXTS["docs/format.md"].split("For example")[1]
    (_, entry), (_, text), (_, name) = FENCE.findall(example)[:3]
    assert canonical(json.loads(entry)).decode() == text.strip()
    assert entry_id(json.loads(entry)) == name.strip()


def test_the_recipe_of_the_format_gives_that_hash():
    blocks = FENCE.findall(TEXTS["docs/format.md"].split("For example")[1])
    names = {"entry": json.loads(blocks[0][1])}
    exec(next(block for language, block in blocks if language == "python"), names)
    assert names["entry_id"] == blocks[2][1].strip()


def test_the_format_page_has_every_kind_and_field():
    rows = [(row[0], "|".join(row)) for row in rows_of(TEXTS["docs/format.md"])]
    for name, kind in KINDS.items():
        heads = ("`message`", "…") if name == "message" else (f"`{name}`",)
        row = "".join(text for head, text in rows if head.startswith(heads))
        fields = [*kind.required, *(f"{field}?" for field in (*kind.optional, *kind.added))]
        assert [field for field in fields if f"`{field}`" not in row] == []


def test_the_format_page_has_the_caps():
    cells = [cell for row in rows_of(TEXTS["docs/format.md"]) for cell in row]
    for cap in (MAX_BYTES, MAX_ENTRIES, MAX_MESSAGE_BYTES, MAX_DEPTH):
        assert f"{cap:,}" in cells


def rows_of(text):
    """Return the rows of a page's tables, as lists of cells."""
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines() if line[:1] == "|"]


@pytest.mark.parametrize("spec", COMMANDS, ids=lambda spec: " ".join(spec.words) or "status")
def test_every_command_is_in_the_help(spec):
    assert set(spec.words) <= set(overview().replace(",", " ").split())


@pytest.mark.parametrize("name", sorted(RobotaMagics.class_own_traits(config=True)))
def test_every_option_has_help(name):
    assert RobotaMagics.class_traits()[name].help


def test_every_promise_of_security_names_a_test_that_is_there():
    tests = "".join(path.read_text(encoding="utf-8") for path in ROOT.joinpath("tests").rglob("test_*.py"))
    promises = re.findall(r"^- .*?(?=^- |\Z)", TEXTS["SECURITY.md"].split("\n## ")[3], re.MULTILINE | re.DOTALL)
    assert len(promises) >= 10
    assert all(re.search(r"`test_\w+`", promise) for promise in promises)
    for name in re.findall(r"`(test_\w+)`", TEXTS["SECURITY.md"]):
        assert f"def {name}(" in tests, name


def test_nothing_names_this_machine():
    text = "".join(TEXTS.values()) + (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert str(ROOT) not in text
