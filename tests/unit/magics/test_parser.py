"""The lines of the magics: what parses, what does not and how it is said, help, and completion."""

import keyword
import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robota_nb.core.record.parameters import CHOICES
from robota_nb.core.record.parameters import KNOWN as KNOWN_PARAMETERS
from robota_nb.errors import CommandError
from robota_nb.magics.commands import CELL, COMMANDS, GROUPS, MEANT, NODES, SPECS, Arg, Spec
from robota_nb.magics.completion import complete, fragment
from robota_nb.magics.parser import Command, help_text, overview, parse, parse_cell, words_of

NOUNS = list(dict.fromkeys(spec.words[0] for spec in COMMANDS if spec.words))

ASKING = {
    "chat": None,
    "session": None,
    "provider": None,
    "model": None,
    "set": {},
    "out": None,
    "fresh": False,
    "once": False,
    "raw": False,
    "append": False,
    "at_end": False,
    "image": (),
    "file": (),
    "cells": None,
    "outputs": False,
    "tool": (),
    "into": None,
    "repair": None,
    "prompt": None,
    "format": None,
}

LINES = {
    "": ((), {}),
    "   ": ((), {}),
    "session open Python Development": (("session", "open"), {"name": "Python Development"}),
    "session list": (("session", "list"), {"all": False}),
    "session list --all": (("session", "list"), {"all": True}),
    "session describe What it's about --all": (("session", "describe"), {"text": "What it's about --all"}),
    **{f"session {verb}": (("session", verb), {"name": ""}) for verb in ("pause", "archive", "terminate", "delete")},
    **{
        f"session {verb} Data Cleaning": (("session", verb), {"name": "Data Cleaning"})
        for verb in ("resume", "restore")
    },
    "session stats": (("session", "stats"), {}),
    "chat preview": (("chat", "preview"), {"text": ""}),
    "chat preview And now?": (("chat", "preview"), {"text": "And now?"}),
    "chat redo": (("chat", "redo"), {}),
    "chat edit -o x 2 What's --raw?": (
        ("chat", "edit"),
        {"out": "x", "raw": False, "number": 2, "text": "What's --raw?"},
    ),
    "chat retry": (("chat", "retry"), {"out": None}),
    "chat fork --at 0 Another Way": (("chat", "fork"), {"at": 0, "name": "Another Way"}),
    "chat fork Another Way": (("chat", "fork"), {"at": None, "name": "Another Way"}),
    "chat branches": (("chat", "branches"), {}),
    "chat checkout e_0123ab": (("chat", "checkout"), {"branch": "e_0123ab"}),
    "chat clear": (("chat", "clear"), {}),
    "chat search 'group by'": (("chat", "search"), {"text": "'group by'"}),
    "chat delete": (("chat", "delete"), {"name": ""}),
    "chat purge 2": (("chat", "purge"), {"number": 2, "branch": None, "all": False, "chat": None}),
    "chat purge --branch 1": (("chat", "purge"), {"number": None, "branch": 1, "all": False, "chat": None}),
    "chat purge --all --chat X": (("chat", "purge"), {"number": None, "branch": None, "all": True, "chat": "X"}),
    "session purge Old Talks": (("session", "purge"), {"name": "Old Talks"}),
    "chat stats": (("chat", "stats"), {}),
    "snapshot strip": (("snapshot", "strip"), {}),
    'session rename "Data  Cleaning"': (("session", "rename"), {"name": "Data  Cleaning"}),
    "chat open Debug Session": (
        ("chat", "open"),
        {"name": "Debug Session", "provider": None, "model": None, "system": None, "set": {}, "preset": None},
    ),
    'chat set stop=["END"] response_format={"type": "json_object"} user="12345" body.provider={"order":["one"]}': (
        ("chat", "set"),
        {
            "set": {
                "stop": '["END"]',
                "response_format": '{"type": "json_object"}',
                "user": '"12345"',
                "body.provider": '{"order":["one"]}',
            }
        },
    ),
    """chat set 'stop=["END"]' system="[1]" logit_bias=[END] note="plain\"""": (
        ("chat", "set"),
        {"set": {"stop": '["END"]', "system": "[1]", "logit_bias": "[END]", "note": "plain"}},
    ),
    'chat open -p openai -m gpt-4o Debug --system "Be brief." --set temperature=0.2 --set stop="a=b"': (
        ("chat", "open"),
        {
            "name": "Debug",
            "provider": "openai",
            "model": "gpt-4o",
            "system": "Be brief.",
            "set": {"temperature": "0.2", "stop": "a=b"},
            "preset": None,
        },
    ),
    "chat list": (("chat", "list"), {}),
    "chat switch Debug": (("chat", "switch"), {"name": "Debug"}),
    "chat rename 'Bob''s' chat": (("chat", "rename"), {"name": "Bobs chat"}),
    "chat log": (("chat", "log"), {}),
    "chat undo": (("chat", "undo"), {}),
    "chat set temperature=0.2 top_p= model=m": (
        ("chat", "set"),
        {"set": {"temperature": "0.2", "top_p": "", "model": "m"}},
    ),
    "new Feature Development": (("new",), {"name": "Feature Development", "preset": None}),
    "switch   Debug   Session  ": (("switch",), {"name": "Debug Session"}),
    "new 漢字 é 🦊": (("new",), {"name": "漢字 é 🦊", "preset": None}),
    "new -- --odd": (("new",), {"name": "--odd", "preset": None}),
    "snapshot": (("snapshot",), {"save": False, "to": None, "replace": False}),
    'snapshot --save --to="my copy.ipynb" --replace': (
        ("snapshot",),
        {"save": True, "to": "my copy.ipynb", "replace": True},
    ),
    "snapshot show": (("snapshot", "show"), {}),
    "snapshot verify": (("snapshot", "verify"), {}),
    "resume": (("resume",), {"path": None}),
    "resume 'a b.ipynb'": (("resume",), {"path": "a b.ipynb"}),
    "recover": (("recover",), {"path": None, "saved": False}),
    "recover nb.ipynb --saved": (("recover",), {"path": "nb.ipynb", "saved": True}),
    "export 'a chat.md'": (("export",), {"path": "a chat.md"}),
    "import chat.json": (("import",), {"path": "chat.json"}),
    "endpoint find": (("endpoint", "find"), {}),
    "endpoint list": (("endpoint", "list"), {}),
    "endpoint add lab https://lab.example/v1 --key-env LAB_KEY -m llama3": (
        ("endpoint", "add"),
        {
            "name": "lab",
            "url": "https://lab.example/v1",
            "key_env": "LAB_KEY",
            "model": "llama3",
            "object": None,
            "insecure": False,
        },
    ),
    "endpoint add mine --object models[0]": (
        ("endpoint", "add"),
        {"name": "mine", "url": None, "key_env": None, "model": None, "object": "models[0]", "insecure": False},
    ),
    "endpoint add box http://ollama:11434/v1 --insecure": (
        ("endpoint", "add"),
        {
            "name": "box",
            "url": "http://ollama:11434/v1",
            "key_env": None,
            "model": None,
            "object": None,
            "insecure": True,
        },
    ),
    "endpoint key lab": (("endpoint", "key"), {"name": "lab", "save": False, "forget": False}),
    "endpoint key lab --save": (("endpoint", "key"), {"name": "lab", "save": True, "forget": False}),
    "endpoint key --forget lab": (("endpoint", "key"), {"name": "lab", "save": False, "forget": True}),
    "endpoint test lab": (("endpoint", "test"), {"name": "lab"}),
    "replay": (("replay",), {"mode": None}),
    "replay strict": (("replay",), {"mode": "strict"}),
    "replay stale": (("replay",), {"mode": "stale"}),
    "ui": (("ui",), {}),
    "help": (("help",), {"command": ()}),
    "version": (("version",), {}),
    "--version": (("version",), {}),
    "help chat open": (("help",), {"command": ("chat", "open")}),
    "--help": (("help",), {"command": ()}),
    "chat -h": (("help",), {"command": ("chat",)}),
    "chat open Debug --help": (("help",), {"command": ("chat", "open")}),
    "ask --help": (("help",), {"command": ("ask",)}),
    "ask Why?": (("ask",), {**ASKING, "text": "Why?"}),
    'ask What\'s  up, "Doc"? \\ # --raw': (("ask",), {**ASKING, "text": 'What\'s  up, "Doc"? \\ # --raw'}),
    'ask -o answer --raw --chat "Debug Session" it\'s {{ x }} ': (
        ("ask",),
        {**ASKING, "out": "answer", "raw": True, "chat": "Debug Session", "text": "it's {{ x }}"},
    ),
    "ask --set a=1 --set b=2 -- --fresh is an option": (
        ("ask",),
        {**ASKING, "set": {"a": "1", "b": "2"}, "text": "--fresh is an option"},
    ),
    'ask "What is a closure?"': (("ask",), {**ASKING, "text": "What is a closure?"}),
    "ask --raw 'say \"no\"?' ": (("ask",), {**ASKING, "raw": True, "text": 'say "no"?'}),
    'ask "a" or "b"?': (("ask",), {**ASKING, "text": '"a" or "b"?'}),
    'ask "': (("ask",), {**ASKING, "text": '"'}),
    'ask -- "as it is"': (("ask",), {**ASKING, "text": '"as it is"'}),
    'chat preview "And now?"': (("chat", "preview"), {"text": "And now?"}),
    "new What's next": (("new",), {"name": "What's next", "preset": None}),
    "new Bob's and Ann's": (("new",), {"name": "Bob's and Ann's", "preset": None}),
    "switch a\\b": (("switch",), {"name": "a\\b"}),
    "switch Two\\ Words": (("switch",), {"name": "Two Words"}),
    'switch "a\\\\b \\"c\\""': (("switch",), {"name": 'a\\b "c"'}),
    "new Issue # 15": (("new",), {"name": "Issue # 15", "preset": None}),
    "chat open A -m gpt-4o  # note": (
        ("chat", "open"),
        {"name": "A", "provider": None, "model": "gpt-4o", "system": None, "set": {}, "preset": None},
    ),
    "snapshot --save # it's a note": (("snapshot",), {"save": True, "to": None, "replace": False}),
    "chat log  # note": (("chat", "log"), {}),
    "ask -1 + 1 = ?": (("ask",), {**ASKING, "text": "-1 + 1 = ?"}),
    "ask --prompt review Why?": (("ask",), {**ASKING, "prompt": ("review", {}), "text": "Why?"}),
    "ask --prompt review table=df rows=a[0].b Why x=1?": (
        ("ask",),
        {**ASKING, "prompt": ("review", {"table": "df", "rows": "a[0].b"}), "text": "Why x=1?"},
    ),
    "ask --prompt review 'table=a[\"b\"]'": (
        ("ask",),
        {**ASKING, "prompt": ("review", {"table": 'a["b"]'}), "text": ""},
    ),
    "ask --prompt review -- x=1": (("ask",), {**ASKING, "prompt": ("review", {}), "text": "x=1"}),
    "ask - one\n- two": (("ask",), {**ASKING, "text": "- one\n- two"}),
}


@pytest.mark.parametrize(("line", "expected"), LINES.items(), ids=list(LINES))
def test_lines(line, expected):
    assert parse(line) == Command(*expected)


ALONE = [spec for spec in COMMANDS if not any(argument.required for argument in spec.arguments)]


@pytest.mark.parametrize("spec", ALONE, ids=lambda spec: spec.line)
def test_a_command_that_requires_nothing_parses_from_its_words_alone(spec):
    assert parse(" ".join(spec.words)).words == spec.words


CELL_LINES = {
    "": {},
    " -c 'Debug Session' -s Work -p openai -m gpt-4o --set a=1 --set b=2 -o answer --fresh --once --raw": {
        "chat": "Debug Session",
        "session": "Work",
        "provider": "openai",
        "model": "gpt-4o",
        "set": {"a": "1", "b": "2"},
        "out": "answer",
        "fresh": True,
        "once": True,
        "raw": True,
    },
    " --append -i fig --image 'a b.png' --format code": {
        "append": True,
        "image": ("fig", "a b.png"),
        "format": "code",
    },
    "--chat=Debug --out=x": {"chat": "Debug", "out": "x"},
    "--fresh  # it's a note": {"fresh": True},
    "  # note": {},
    r"-c a\b --image C:\pics\fig.png -i='C:\my pics\b.png'": {
        "chat": r"a\b",
        "image": (r"C:\pics\fig.png", r"C:\my pics\b.png"),
    },
}


@pytest.mark.parametrize(("line", "expected"), CELL_LINES.items())
def test_cell_lines(line, expected):
    assert parse_cell(line) == Command(("ask",), {**ASKING, **expected})


ERRORS = {
    "swich Debug": r"no command 'swich' \(did you mean 'switch'\?\); '%robota help' lists them",
    "chat opn x": r"no command 'chat opn' \(did you mean 'chat open'\?\)",
    "snapshot shwo": r"no command 'snapshot shwo' \(did you mean 'snapshot show'\?\)",
    "sesion list": r"no command 'sesion' \(did you mean 'session'\?\)",
    "Explain closures": r"no command 'Explain': '%robota ask TEXT' sends a text",
    "''": "no command ''",
    "chat": "'chat' needs a verb: open, .*undo.*; '%robota help chat'",
    "chat edit two x": "'two' is no number, such as 2",
    "chat edit 2": "TEXT is empty",
    "chat edit": "N is empty",
    "chat purge -1": "'-1' is no number, such as 2",
    "chat purge 99999999999": "'99999999999' is no number",
    "chat fork --at x y": "'x' is no number",
    "chat checkout": "B is empty",
    "ask --format html x": r"no format 'html'; there are markdown, text, json, code",
    "ask --image '' x": "it is empty; give a name",
    "--save": "%robota: no option '--save'; '%robota help' tells more",
    "new": "%robota new: .*required: NAME; '%robota help new' tells more",
    "ask --prompt ../x hi": "'../x' is no prompt's name: use letters, digits",
    "new ' '": "NAME: it is empty; give a name",
    "chat rename ''": "NAME is empty",
    "new Bob's 'chat": "a quote or backslash is left open",
    "new a\\": "a quote or backslash is left open",
    "chat open a --modle b": r"no option '--modle' \(did you mean '--model'\?\)",
    "chat open a --mod b": r"no option '--mod'",
    "chat open a --model": "--model/-m: expected one argument",
    "chat open a --model ''": "--model/-m: it is empty; give a name",
    "chat open a --model b c": "'c' is one word too many; put what has spaces in quotes",
    "chat open a --set b": "'b' is not KEY=VALUE, such as temperature=0.2",
    "chat open a --set B=1": "setting 'B' must be lower-case",
    "chat set": "required: KEY=VALUE",
    "chat set =1": "setting ''",
    "chat list x": "'x' is one word too many",
    "chat log --all": "no option '--all'",
    "resume a b": "'b' is one word too many",
    "resume ''": "it is empty",
    "replay of": r"no mode 'of' \(did you mean 'off'\?\); there are auto, stale, strict, off",
    "snapshot --save=x": "ignored explicit argument 'x'",
    "ask": "TEXT is empty",
    "ask -o answer ": "TEXT is empty",
    "ask --rwa text": r"no option '--rwa' \(did you mean '--raw'\?\)",
    "ask -o 'open": "a quote or backslash is left open",
    **{
        f"chat set {key}=1": f"setting '{key}' is reserved"
        for key in ("name", "chat", "session", "deleted", "from", "state")
    },
    **{f"ask -o {name} x": "is no variable name" for name in ("1a", "a.b", "class", "a-b", "''")},
}


@pytest.mark.parametrize(("line", "says"), ERRORS.items(), ids=list(ERRORS))
def test_errors(line, says, capsys):
    with pytest.raises(CommandError, match=says) as raised:
        parse(line)
    assert "\n" not in str(raised.value)
    assert capsys.readouterr() == ("", "")


def test_what_is_given_to_a_prompt_on_the_line_of_a_cell_names_its_field():
    with pytest.raises(CommandError, match="'Explain' is not FIELD=EXPR, such as table=df"):
        parse_cell("--prompt review Explain", "x")
    assert parse_cell("--prompt review a=b --fresh", "x").args["prompt"] == ("review", {"a": "b"})
    assert parse_cell("--prompt review", "\n").args["text"] == ""


def test_text_on_the_line_of_a_cell_is_sent_below():
    with pytest.raises(CommandError, match="'Explain' is no option; the text to send stands below this line"):
        parse_cell("Explain closures")


@pytest.mark.parametrize(
    ("line", "body", "text"),
    [
        ("", "Hello\n", "Hello"),
        ("", "#| echo: false\n#@title Ask\n# %% [markdown]\n# Title\n#| more", "# Title\n#| more"),
        ("", "\n#@title Ask", "\n#@title Ask"),
        ("", "#Title\n# %magic", "#Title\n# %magic"),
        ("", "#| echo: false", ""),
        ("What's it?", "\n", "What's it?"),
        ("--fresh -- -x?", "", "-x?"),
        ("--fresh", "\n", ""),
        ("--fresh  # note", "\n", ""),
    ],
)
def test_the_text_of_a_cell(line, body, text):
    assert parse_cell(line, body) == Command(
        ("ask",), {**ASKING, "fresh": "fresh" in line, "text": text.strip("\n") if not body.startswith("\n#") else text}
    )


PATHS = [
    r"C:\Users\ana\talk.md", r"\\server\share\a.ipynb", r".\talks\t.json", "C:talk.md", r"\\?\C:\long\a.md",
    "~draft.md", r"~\a.md", r"C:\it's\a.md", r"C:\new\table\a.md", r"C:/a\b.md", "a#b.md", r"C:\a(1)\b.md",
    "C:\\" + "x" * 300,
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_the_backslashes_of_a_path_stay(path):
    for said in (path, f'"{path}"', *([] if "'" in path else [f"'{path}'"])):
        for command, name in (
            ("export", "path"),
            ("import", "path"),
            ("resume", "path"),
            ("recover", "path"),
            ("snapshot --save --to", "to"),
        ):
            assert parse(f"{command} {said}").args[name] == path
        assert parse(f"ask --image {said} x").args["image"] == (path,)
        assert parse_cell(f"--image={said} -c a").args["image"] == (path,)


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="\"'"), min_size=1))
def test_any_path_can_be_said_in_quotes(path):
    if path.strip() and not path.endswith("\\"):
        assert parse(f'resume -- "{path}"').args == {"path": path}
        assert parse(f"resume -- '{path}'").args == {"path": path}


WORDS = [word for spec in COMMANDS for word in spec.words] + [
    *(flag for argument in CELL.arguments for flag in argument.flags),
    *("--", "-", "--=", "-o=", "--out=x", "a=1", "'a b'", '"', "'", "\\", "-oX", "---", "-cc", "--set=", "x"),
]


@given(st.text() | st.lists(st.sampled_from(WORDS) | st.text(max_size=5)).map(" ".join))
def test_any_line_parses_or_raises_a_command_error_of_one_line(line):
    for read in (parse, parse_cell):
        try:
            command = read(line)
        except CommandError as error:
            assert len(str(error).splitlines()) == 1
        else:
            assert isinstance(command, Command)
            help_text(command.words)


NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1).filter(
    lambda name: name.strip() == name and not name.startswith("-")
)


@given(NAMES)
def test_any_name_can_be_said_in_quotes(name):
    assert parse(f"new {shlex.quote(name)}").args == {"name": name, "preset": None}
    assert parse_cell(f"--chat {shlex.quote(name)}").args["chat"] == name


@given(NAMES)
def test_any_text_is_asked_as_it_is_typed(text):
    assert parse(f"ask -- {text}").args["text"] == text.strip()


# -- help


def rows() -> list[tuple[Spec, Arg]]:
    return [(spec, argument) for spec in (*COMMANDS, CELL) for argument in spec.arguments]


@pytest.mark.parametrize("spec", [*COMMANDS, CELL], ids=lambda spec: spec.line)
def test_the_table_is_in_order(spec):
    assert spec.summary.endswith(".")
    assert len(spec.summary) <= 100
    names = [argument.name for argument in spec.arguments]
    flags = [flag for argument in spec.arguments for flag in argument.flags]
    assert len(set(names)) == len(names)
    assert len(set(flags)) == len(flags)
    assert all(name.isidentifier() and not keyword.iskeyword(name) for name in names)
    placed = [argument.takes for argument in spec.arguments if not argument.flags]
    assert len(placed) <= 1 or placed in (["number", "text"], ["value", "value"])
    assert all((argument.takes == "switch") == (not argument.metavar) for argument in spec.arguments)
    assert not any(argument.flags and argument.required for argument in spec.arguments)
    assert [spec.words for spec in COMMANDS].count(spec.words) == 1


@pytest.mark.parametrize(("spec", "argument"), rows(), ids=lambda row: getattr(row, "line", None) or row.name)
def test_help_documents_every_argument(spec, argument):
    text = help_text(spec.words) if spec.words else overview()
    assert spec.line in text
    assert spec.summary in text
    assert f"  {argument.label} " in text
    assert argument.help in text
    assert all(flag in text for flag in argument.flags)
    assert 5 < len(argument.help) <= 100


@pytest.mark.parametrize("spec", [*COMMANDS, CELL], ids=lambda spec: spec.line)
def test_examples_parse_and_are_in_the_help(spec):
    for example in spec.examples:
        rest = example.removeprefix(spec.magic)
        assert rest != example
        assert (parse_cell if spec is CELL else parse)(rest).words == spec.words
        assert example in help_text(spec.words)
    assert spec.examples or not any(argument.required for argument in spec.arguments)


def test_the_overview_groups_every_command_and_fits_a_screen():
    assert help_text(()) == overview()
    lines = overview().splitlines()
    assert len(lines) <= 45
    assert max(map(len, lines)) <= 80
    assert sorted(noun for nouns in GROUPS.values() for noun in nouns) == sorted(NOUNS)
    named = set(overview().replace(",", " ").split())
    assert {word for spec in COMMANDS for word in spec.words} <= named


@pytest.mark.parametrize("noun", NOUNS)
def test_the_help_of_a_noun_fits_a_screen(noun):
    assert len(help_text((noun,)).splitlines()) <= 45


@pytest.mark.parametrize(("said", "meant"), MEANT.items())
def test_what_other_tools_call_a_command_is_one_that_is_hinted(said, meant):
    assert words_of(meant) in SPECS
    if said not in NOUNS:
        with pytest.raises(CommandError, match=f"did you mean '{meant}'"):
            parse(f"{said} x")


@pytest.mark.parametrize(
    ("line", "meant"),
    [("chat new X", "chat open"), ("session new X", "session open"), ("chat history", "chat log"), ("Log", "chat log"),
     ("chat model x", "chat set model=NAME"), ("endpoint providers", "endpoint list")],
)  # fmt: skip
def test_the_word_of_another_tool_behind_a_noun_is_hinted_as_that_noun_s(line, meant):
    with pytest.raises(CommandError, match=re.escape(f"did you mean '{meant}'")):
        parse(line)


@pytest.mark.parametrize(
    "line", ["What is a closure?", "what is a closure", "Explain closures", "List two kinds?", "x?y z?"]
)
def test_a_text_without_its_command_is_told_how_it_is_asked(line):
    with pytest.raises(CommandError, match=re.escape(f"as in %robota ask {line!r}")):
        parse(line)


@pytest.mark.parametrize("words", sorted(NODES - {()}), ids=" ".join)
def test_the_name_of_a_command_and_a_question_mark_ask_for_its_help(words):
    assert parse(f" {' '.join(words)}? ") == Command(("help",), {"command": words})


@pytest.mark.parametrize("line", ["chat fork ?", "chat fork??", "?", "chat fork x?", "ask fork?", "chat frok?"])
def test_nothing_else_that_ends_in_a_question_mark_asks_for_help(line):
    try:
        assert parse(line).words != ("help",)
    except CommandError:
        pass


def test_the_help_of_ask_tells_of_the_cell_too():
    assert "%robota ask [--chat C]" in help_text(("ask",))
    assert "%%robota [--chat C]" in help_text(("ask",))


def test_the_help_of_a_noun_lists_its_commands():
    assert help_text(("session",)).splitlines()[0].startswith("%robota session open NAME ")
    assert "%robota snapshot verify" in help_text(("snapshot",))
    assert "--save" in help_text(("snapshot",))
    assert all(help_text(node) for node in NODES)


def test_help_for_what_is_no_command():
    with pytest.raises(CommandError, match=r"no command 'chat opn' \(did you mean 'chat open'\?\)"):
        help_text(("chat", "opn"))


# -- completion


def broken():
    raise RuntimeError("no names today")


KNOWN = {
    "chat": lambda: ["Debug Session", "Debugging", "Éclair", 'a "quoted" one'],
    "session": lambda: iter(["Work", "Data Cleaning"]),
    "model": lambda: ["gpt-4o", "llama3:8b"],
    "provider": broken,
    "preset": lambda: {"reviewer": {}},
    "library": lambda: ["review"],
    "variable": lambda: ["fig", "table"],
    "path": lambda: ["plot.png"],
}


def verbs(noun, begin=""):
    """The second words of the table, in its order."""
    return [verb for spec in COMMANDS if spec.words[:1] == (noun,) for verb in spec.words[1:] if verb.startswith(begin)]


SETTINGS = ["provider=", "model=", "system="]
PARAMETERS = [f"{name}=" for name in (*CHOICES, *KNOWN_PARAMETERS)]

COMPLETIONS = {
    "|": NOUNS,
    "s|": [noun for noun in NOUNS if noun[0] == "s"],
    "sn|ap": ["snapshot"],
    "chat|": ["chat"],
    "chat |": verbs("chat"),
    "chat s|": verbs("chat", "s"),
    "chat sw|": ["switch"],
    "chat edit |": ["--out", "--raw"],
    "chat fork --at 2 D|": ['"Debug Session"', "Debugging"],
    "ask --format |": ["markdown", "text", "json", "code"],
    "ask --image fig --i|": ["--image", "--into"],
    "chat nope |": [],
    "chat set |": [*SETTINGS, *PARAMETERS],
    "chat set mo|": ["model=", "modalities="],
    "chat set model=|": ["model=gpt-4o", "model=llama3:8b"],
    "chat set temperature=0.2 thin|": ["thinking="],
    "chat set thinking=|": ["thinking=drop", "thinking=keep"],
    "chat set store=t|": ["store=true"],
    "chat set temperature=|": [],
    "ask --set |": PARAMETERS,
    "ask --set=pictures=n|": ["--set=pictures=none"],
    "ask --image |": ["fig", "table", "plot.png"],
    "ask --image f|": ["fig"],
    "endpoint add x --object t|": ["table"],
    "nope |": [],
    "snapshot |": [*verbs("snapshot"), "--save", "--to", "--replace"],
    "snapshot s|": verbs("snapshot", "s"),
    "snapshot --|": ["--save", "--to", "--replace"],
    "snapshot --save |": ["--to", "--replace"],
    "snapshot show |": [],
    "switch |": ['"Debug Session"', "Debugging", "Éclair", '"a \\"quoted\\" one"'],
    "switch d|": ['"Debug Session"', "Debugging"],
    'switch "debug s|': ['"Debug Session"'],
    "switch 'Debug |": ['"Debug Session"'],
    "switch Debug |": ["Session"],
    "switch Debug Se|": ["Session"],
    "switch éc|": ["Éclair"],
    "switch x|": [],
    "chat rename |": [],
    "chat open Debug| --model x": ['"Debug Session"', "Debugging"],
    "chat open Debugging --m|": ["--model"],
    "chat open Debugging --model |": ["gpt-4o", "llama3:8b"],
    "chat open Debugging --model g|": ["gpt-4o"],
    "chat open Debugging --model=l|": ["--model=llama3:8b"],
    "chat open Debugging --model gpt-4o --|": ["--provider", "--system", "--set", "--preset"],
    "chat open Debugging --provider |": [],
    "chat open Debugging --system |": [],
    "ask --prompt |": ["review"],
    "new X --preset |": ["reviewer"],
    "chat open Debugging --set a=1 --s|": ["--system", "--set"],
    "session open |": ["Work", '"Data Cleaning"' ],
    "session list |": ["--all"],
    "replay |": ["accept", "auto", "stale", "strict", "off"],
    "replay s|": ["stale", "strict"],
    "replay auto |": [],
    "endpoint |": verbs("endpoint"),
    "endpoint key lab --|": ["--save", "--forget"],
    "resume |": ["plot.png"],
    "help |": NOUNS,
    "help chat s|": verbs("chat", "s"),
    "help nope |": [],
    "ask --ch|": ["--chat"],
    "ask --chat D|": ['"Debug Session"', "Debugging"],
    "ask --chat Debugging --r|": ["--raw", "--repair"],
    "ask Why |": [],
    "ask Why --r|": [],
    "ask it's |": [],
}  # fmt: skip


def texts(offers):
    return [offer.text for offer in offers]


@pytest.mark.parametrize(("line", "expected"), COMPLETIONS.items(), ids=list(COMPLETIONS))
def test_completion(line, expected):
    cursor = line.index("|")
    assert texts(complete(line.replace("|", ""), cursor, KNOWN)) == expected


def test_completion_on_the_line_of_a_cell():
    flags = [argument.flags[0] for argument in CELL.arguments]
    for line, expected in {
        "": flags,
        "--fresh ": [flag for flag in flags if flag != "--fresh"],
        "--session w": ["Work"],
        "-c 'Debug S": ['"Debug Session"'],
        "chat ": flags,
    }.items():
        assert texts(complete(line, None, KNOWN, cell=True)) == expected
    assert complete("--out ", None, {}, cell=True) == []


def test_what_is_offered_says_what_it_is():
    assert [tuple(offer) for offer in complete("snapshot s", None, KNOWN)][0] == ("show", "command")
    assert complete("switch w", None, {"chat": lambda: ["Work"]}) == [("Work", "chat")]
    assert complete("ask --at", None, {}) == [("--at-end", "option")]
    assert complete("ask --image ", None, {**KNOWN, "path": broken}) == [("fig", "variable"), ("table", "variable")]


@pytest.mark.parametrize(
    ("line", "typed"),
    [("", ""), ("chat ", ""), ("chat op", "op"), ("switch 'Debug Se", "'Debug Se"), ("ask --chat=D", "--chat=D")],
)
def test_the_fragment_is_what_completions_replace(line, typed):
    assert fragment(line) == typed
    assert fragment(line + " more", len(line)) == typed


@pytest.mark.parametrize("name", KNOWN["chat"]())
def test_a_completed_name_parses_as_that_name(name):
    offered = texts(complete("switch ", None, KNOWN))
    (completed,) = (found for found in offered if name in (found, *shlex.split(found)))
    assert parse(f"switch {completed}").args == {"name": name}


@given(st.text() | st.lists(st.sampled_from(WORDS) | st.text(max_size=5)).map(" ".join), st.integers() | st.none())
def test_completion_never_fails_and_offers_only_what_goes_on(line, cursor):
    for cell in (False, True):
        assert all(isinstance(found.text, str) for found in complete(line, cursor, KNOWN, cell=cell))


@pytest.mark.parametrize("spec", COMMANDS, ids=lambda spec: spec.line)
def test_every_command_can_be_completed_word_by_word(spec):
    for length, word in enumerate(spec.words):
        assert word in texts(complete(" ".join((*spec.words[:length], word[:1])), None, {}))


@pytest.mark.parametrize("topic", ["nothing", " ", "chta"])
def test_the_help_of_what_is_no_command_says_so(topic):
    with pytest.raises(CommandError, match="no command"):
        help_text((topic,))
