"""What stands in a cell, and what goes to and fro about it: lines, prompts, answers, messages."""

import json
import re
import shlex
from contextlib import suppress
from dataclasses import replace
from random import Random
from unittest.mock import patch

from robota_nb.carriers.document import TARGET, Bridge
from robota_nb.display.segments import Segmenter, split
from robota_nb.errors import CommandError, PromptError
from robota_nb.magics import completion
from robota_nb.magics import parser as command
from robota_nb.magics.commands import CELL, COMMANDS, SPECS
from robota_nb.magics.spec import Filled
from robota_nb.prompt import fields as prompt
from robota_nb.prompt import offers

from . import mutations
from .harness import REFUSED, Target

# -- lines

FORMS = {
    "switch": bool, "value": (str, type(None)), "number": int, "values": tuple, "pairs": dict, "words": str,
    "list": tuple, "text": str, "filled": (Filled, type(None)),
}  # fmt: skip

NAMES = ["Plain", "two words", 'a "quote"', "it's", "back\\slash", "-dash", "a=b", "🦊", "\u202e", "", " ", "é"]


def fail():
    raise RuntimeError("there are no names here")


KNOWN = {"chat": lambda: NAMES, "session": lambda: iter(NAMES), "model": fail, "provider": lambda: ["openai"]}

WORDS = sorted(
    {word for spec in (*COMMANDS, CELL) for word in spec.words}
    | {flag for spec in (*COMMANDS, CELL) for argument in spec.arguments for flag in argument.flags}
    | {"--help", "temperature=0.2", "auto", "2", "answer", "json", *map(shlex.quote, NAMES)}
)


def a_line(case):
    line = mutations.decoded(case)
    check_completion(line, Random(case))
    said = [parsed(command.parse, line), parsed(command.parse_cell, line)]
    return f"{REFUSED} {said}" if all(text.startswith("no ") for text in said) else f"{said}"


def parsed(parse, line):
    try:
        found = parse(line)
    except CommandError as error:
        assert "\n" not in str(error)
        return "no " + re.sub("'.*'|[0-9]+", "", str(error))[:40]
    if found.words == ("help",):
        with suppress(CommandError):  # help of what is no command
            assert command.help_text(tuple(found.args["command"]))
        return "help"
    spec = CELL if parse is command.parse_cell else SPECS[found.words]
    assert set(found.args) == {argument.name for argument in spec.arguments}
    for argument in spec.arguments:
        value = found.args[argument.name]
        assert isinstance(value, FORMS[argument.takes]) or (value is None and not argument.required)
        assert not argument.required or value or value == 0
    return " ".join(found.words)


def check_completion(line, rng):
    cell, cursor = rng.random() < 0.5, rng.choice((None, rng.randint(0, len(line) + 1)))
    found = completion.complete(line, cursor, KNOWN, cell=cell)
    typed = completion.fragment(line, cursor)
    assert (line if cursor is None else line[:cursor]).endswith(typed)
    for text, type_ in found:
        assert type_
        if text.startswith('"'):
            said = command.next_word(text)[0]
            assert any(name.endswith(said) for name in NAMES)
    offers.in_field(line, {"x": 1})


def some_line(rng, case, other):
    """Change words, or any characters."""
    if rng.random() < 0.4:
        return mutations.as_text(rng, case, other)
    words = mutations.decoded(case).split(" ")
    at = rng.randint(0, len(words))
    words[at : at + rng.randrange(2)] = rng.sample(WORDS, rng.randint(0, 2))
    return mutations.encoded(" ".join(words)[: mutations.MAX_TEXT])


# -- prompts


MARK = "\ue000"


class Value:
    """Whatever is looked up in it, it is such a value again; as text it shows where it was put."""

    reached = set()

    def __getattribute__(self, name):
        Value.reached.add(name)
        return Value()

    def __getitem__(self, key):
        return Value()

    def __str__(self):
        return MARK


SPACE = {"name": Value(), "x": Value(), "df": Value(), "über": Value(), "_": Value(), "__class__": Value()}
PLAIN = {"name": "Ada\n{{ x }}", "x": [1, {"a": float("nan")}], "df": {"a": {1}}, "über": print, "_": None}
PASSING = {name: replace(used, apply=lambda value, *_: value) for name, used in prompt.FILTERS.items()}
"""Filters that leave a value what it is."""
FIELD = r"""\{\{[ \t]*(?!__)\w(?:[\w.|()\[\] \t-]|"[^"]*"|'[^']*')*\}\}"""
WRONG = ("no variable", "failed", "cap", "no filter", "takes", "nothing is", "only a number", "begin with _")


def a_prompt(case):
    text = mutations.decoded(case).replace(MARK, "")
    said, _ = filled(text, PLAIN)
    Value.reached.clear()
    with patch.object(prompt, "FILTERS", PASSING):
        how, made = filled(text, SPACE)
    private = {name for name in Value.reached if name.startswith("_")}
    assert not private, private
    if made is not None:
        fields = fields_of(text, made.split(MARK))
        assert not [field for field in fields if "._" in re.sub(r""""[^"]*"|'[^']*'""", "", field)]
        how = f"{min(len(fields), 4)} fields"
    return f"{how} {said}"


def filled(text, space):
    try:
        prepared = prompt.expand(text, space)
    except PromptError as error:
        assert "\n" not in str(error)
        return next(why for why in WRONG if why in str(error)), None
    made = prepared.text
    assert not [said for notice in prepared.notices if len((said := str(notice)).splitlines()) != 1]
    if not prompt.names(text):
        assert made == text
    return "filled" if made != text else "as it was", made


def fields_of(text, literals):
    """Return what was replaced: what stands between the parts of the text that came out as they went in."""
    found = re.fullmatch(f"({FIELD})".join(map(re.escape, literals)), text)
    assert found
    return found.groups()


# -- answers


def an_answer(case):
    text = mutations.decoded(case)
    said = []
    for limit in (20, 200):
        whole, cut, rng = Segmenter(limit), Segmenter(limit), Random(case)
        whole.feed(text)
        final, at = [], 0
        while at < len(text):
            start, at = at, at + rng.randint(1, 30)
            final += cut.feed(text[start:at])
        assert final == cut.raw[: len(final)]
        assert "".join(cut.raw) == "".join(whole.raw) == text
        assert cut.finish("*— cut*") == whole.finish("*— cut*") == split(text, "*— cut*", limit=limit)
        said.append(min(len(whole.raw), 5))
    return f"{said}"


# -- messages


def a_message(case):
    value = json.loads(case)
    heard = []
    bridge = Bridge()
    bridge.listen(heard.append)
    for metadata in value if isinstance(value, list) else [value]:
        if isinstance(metadata, dict):  # Jupyter's own check
            bridge.take(metadata)
    whole = {"op": "open", "value": value}
    text, rng = json.dumps(whole, ensure_ascii=rng_bit(case)), Random(case)
    bridge.take({TARGET: {"message": "lost", "chunk": 0, "of": 2, "text": "{"}})
    for metadata in packets(text, rng.choice((1, 3, 50, 1000))):
        bridge.take(metadata)
    assert json.dumps(heard[-1]) == json.dumps({**whole, "size": len(text)})
    said = {message.get("problem") if message["op"] == "open" else "said" for message in heard}
    return f"{min(len(heard), 5)} {sorted(map(str, said))[:3]}"


def rng_bit(case):
    """Return one thing or the other, by the case."""
    return len(case) % 2 == 0


def packets(text, size):
    """Yield a text as a page may send it: cut by halves of characters, as JavaScript counts."""
    data = text.encode("utf-16-le", "surrogatepass")
    parts = [data[at : at + 2 * size] for at in range(0, len(data), 2 * size)]
    for number, part in enumerate(parts):
        packet = {"message": "m", "chunk": number, "of": len(parts), "text": part.decode("utf-16-le", "surrogatepass")}
        yield {TARGET: packet}


TARGETS = [
    Target("line", mutate=some_line, check=a_line),
    Target("prompt", mutate=mutations.as_text, check=a_prompt),
    Target("answer", mutate=mutations.as_text, check=an_answer),
    Target("message", mutate=mutations.as_json, check=a_message, smaller=mutations.smaller_json),
]
