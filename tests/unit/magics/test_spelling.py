"""How the lines of a cell are spelt out before IPython reads them: which are, and that nothing else is changed."""

import io
import json
import random
import site
import tokenize
from pathlib import Path

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from robota_nb.magics.cell_text import commands
from robota_nb.magics.spelling import Spelling, spelt

QUESTION = "%robota ask What's (a closure?"


def call(rest, name="robota"):
    return f"get_ipython().run_line_magic({name!r}, {rest!r})"


def spell(source, **aliases):
    return spelt(source, {"robota": "", **aliases})


SPELT = {
    "%robota ask Why?": call("ask Why?"),
    "%robota": call(""),
    "%robota\task Why?": call("ask Why?"),
    "% robota ask Why?": call("ask Why?"),
    "%robota ask What's it?  ": call("ask What's it?"),
    "%robota ask What is (?\nx = '%s'": call("ask What is (?") + "\nx = '%s'",
    "%robota ask What is \\\n  it?\nx = 1": call("ask What is    it?") + "\nx = 1",
    "%robota ask a\\\r\nb?\r\nx = 1": call("ask a b?") + "\r\nx = 1",
    "a = %robota ask Why?": "a = " + call("ask Why?"),
    "a: object = %robota ask Why?": "a: object = " + call("ask Why?"),
    "a.b['c?'] = %robota ask Why?": "a.b['c?'] = " + call("ask Why?"),
    "a = b = %robota ask Why?": "a = b = " + call("ask Why?"),
    "a += %robota ask Why?": "a += " + call("ask Why?"),
    "a = \\\n  %robota ask Why?": "a = \\\n  " + call("ask Why?"),
    "for x in y:\n    %robota ask {{ x }}?\n    z()": "for x in y:\n    " + call("ask {{ x }}?") + "\n    z()",
    "%time %robota ask Why?": call("%robota ask Why?", "time"),
    "%time a = %robota ask Why?": call("a = %robota ask Why?", "time"),
    "!echo it's\n%robota ask Why?": "!echo it's\n" + call("ask Why?"),
    "%cd it's\n%robota ask Why?": "%cd it's\n" + call("ask Why?"),
    "x = !echo it's\n%robota ask Why?": "x = !echo it's\n" + call("ask Why?"),
    "'''\n'''\n%robota ask Why?": "'''\n'''\n" + call("ask Why?"),
    "# it's\n%robota ask Why?": "# it's\n" + call("ask Why?"),
    "robota ask Why?": call("ask Why?"),
    "robota chat preview why not?": call("chat preview why not?"),
    "%alias_magic ai robota\n%ai ask Why?": "%alias_magic ai robota\n" + call("ask Why?"),
    "%alias_magic -l q robota -p ask\n%q Why?": "%alias_magic -l q robota -p ask\n" + call("ask Why?"),
    "%alias_magic q %robota -p 'ask --raw'\n%q Why?": "%alias_magic q %robota -p 'ask --raw'\n"
    + call("ask --raw Why?"),
    "%config RobotaMagics.alias = 'ai'\n%ai ask Why?": "%config RobotaMagics.alias = 'ai'\n" + call("ask Why?"),
    "%%robota\nWhy?": "%%robota\nWhy?",
    "%%robota Why?": "%%robota Why?\n\n",
    "%%robota": "%%robota\n\n",
    "\n# a note\n  # %robota\n%%robota -c x\n# Title\nWhy?": "%%robota -c x\n# Title\nWhy?",
}


@pytest.mark.parametrize(("source", "expected"), SPELT.items())
def test_what_is_said_to_robota_is_spelt_out(source, expected):
    assert spell(source) == expected


@pytest.mark.parametrize("source", SPELT)
def test_what_is_spelt_out_asks_ipython_for_no_help(source):
    manager = TransformerManager()
    manager.line_transforms.insert(0, Spelling(lambda: {"robota": ""}))
    read = manager.transform_cell(source)
    assert "'pinfo" not in read
    assert "'robota'" in read or "%robota" in read  # which %time will read in its turn
    assert manager.check_complete(source + "\n\n")[0] == "complete"


ALONE = [
    "'''\n%robota ask Why?\n'''", '"""\na = %robota ask Why?\n"""', "f'''\n{x}\n%robota ask Why?\n'''",
    "x = 'a\\\n%robota ask Why?\\\n'", "# %robota ask Why?", "x = 1  # %robota ask Why?", "x = '%robota ask Why?'",
    "robota?", "%robota?", "%robota??", "%%robota?", "%%ai?", "?%robota", "robota.ask?", "x = 7 %robota", "robota = 5",
    "robota -x  # why?", "%robotask Why?", "%%bash\n%robota ask Why?", "%%writefile a.py\n# x\n%robota ask Why?",
    "%%time\n%robota ask Why?", "!robota ask Why", "print('%robota ask Why?')", "len?", "%time robota",
    "%time print('%robota ask Why?')", "x = (7\n%robota)", "",
]  # fmt: skip


@pytest.mark.parametrize("source", ALONE)
def test_all_else_stays_as_it_is(source):
    assert spell(source, ai="") == source


MISPLACED = [
    "x = 1; %robota ask Why?", "if x: %robota ask Why?", "print(%robota ask Why?", "f(a=%robota ask What's it?",
    "x = (\n%robota ask Why?\n)", "x + \\\n%robota ask Why?", "x = 1\n%%robota\nWhy?",
    "!robota ask Why?", "/robota ask Why?", ",robota ask Why?", ";%robota ask Why?", "?robota ask Why?",
    "return %robota ask Why?", "x = 1; %ai ask Why?",
]  # fmt: skip


@pytest.mark.parametrize("source", MISPLACED)
def test_a_question_that_cannot_be_asked_is_an_error(source):
    with pytest.raises(SyntaxError, match="own line|line of its own|comes first"):
        spell(source, ai="")


def test_an_alias_puts_its_words_first():
    assert spell("%q Why?", q="ask --raw") == call("ask --raw Why?")
    assert spell("%%q -c x\nWhy?", q="--raw") == "%%robota --raw -c x\nWhy?"


def test_who_reads_the_cells_of_a_notebook_knows_the_names_that_those_above_give():
    names = {"robota": ""}
    cells = ["%alias_magic q robota -p 'ask --raw'", "t = %q Why?", "%config RobotaMagics.alias = 'ai'", "%%ai Why?",
             "%%time\n%ai ask Why?"]  # fmt: skip
    found = [one.command.args for cell in cells for one in commands(cell, names)]
    assert [args["text"] for args in found] == ["Why?"] * 3
    assert [args["raw"] for args in found] == [True, False, False]
    assert commands("%ai ask Why?") == []


def test_lines_are_cut_as_ipython_cuts_them_elsewhere():
    lines = ["a = 1\x0c\n", "%robota ask one\u2028", "two?\n", "b = 2"]
    assert Spelling(lambda: {"robota": ""})(lines) == ["a = 1\x0c", "\n", call("ask one\u2028two?") + "\n", "b = 2"]


# -- what people write


def scripts():
    """Python files that are installed here, but for our own."""
    for folder in site.getsitepackages():
        yield from (path for path in Path(folder).rglob("*.py") if "robota" not in str(path.relative_to(folder)))


def notebooks():
    """Notebooks that are installed here."""
    for folder in site.getsitepackages():
        yield from Path(folder).rglob("*.ipynb")


def sources(paths):
    """The texts of Python that is right, and of its tokens."""
    for path in paths:
        try:
            texts = [path.read_text("utf-8")]
            if path.suffix == ".ipynb":
                cells = json.loads(texts[0]).get("cells", ())
                texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
            for text in texts:
                yield text, list(tokenize.generate_tokens(io.StringIO(text).readline))
        except (OSError, UnicodeDecodeError, tokenize.TokenError, SyntaxError, ValueError, KeyError):
            continue


def inserted(text, line, written):
    """The text with a line written in above one of its own lines, counted from 1."""
    lines = text.splitlines(keepends=True)
    lines[line - 1 : line - 1] = [written + "\n"]
    return "".join(lines)


def within(tokens):
    """The lines that begin within a string, of which there is one on each."""
    inner = [token for token in tokens if token.type in STRINGS and token.end[0] > token.start[0]]
    return [line for token in inner for line in range(token.start[0] + 1, token.end[0] + 1)]


STRINGS = {tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}


def statements(tokens):
    """The lines that begin a statement."""
    return [after.start[0] for token, after in zip(tokens, tokens[1:], strict=False) if token.type == tokenize.NEWLINE]


def test_scripts_and_notebooks_stay_as_they_are_with_the_line_in_a_string_or_comment(scale):
    chance = random.Random(15)
    paths = [*scripts(), *notebooks()]
    wanted = scale(fast=30, all=60, long=500)
    seen = 0
    for text, tokens in sources(chance.sample(paths, len(paths))):
        if "\r" in text or "\x0c" in text or not (lines := within(tokens)):
            continue
        for question in (QUESTION, "    a = " + QUESTION):
            held = inserted(text, chance.choice(lines), question)
            assert spell(held) == held
        noted = inserted(text, chance.choice(statements(tokens)), f"# {QUESTION}")
        assert spell(noted) == noted
        stringed = f'lesson = """\n{QUESTION}\n"""\n{text}\nx = "{QUESTION}"\n'
        assert spell(stringed) == stringed
        seen += 1
        if seen == wanted:
            break
    assert seen == wanted


def test_a_line_between_the_statements_of_a_script_is_spelt_out_wherever_that_is(scale):
    chance = random.Random(16)
    paths = list(scripts())
    left = scale(fast=30, all=60, long=500)
    for text, tokens in sources(chance.sample(paths, len(paths))):
        if "\r" in text or "\x0c" in text or not (places := statements(tokens)):
            continue
        place = chance.choice(places)
        assert spell(inserted(text, place, QUESTION)) == inserted(text, place, call("ask What's (a closure?"))
        left -= 1
        if not left:
            break
    assert not left
