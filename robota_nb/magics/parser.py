"""From the text of a magic's line to a typed `Command`; nothing here runs one, or knows IPython.

`argparse` takes the arguments of one command apart; which command it is, we find ourselves, because we want to
answer a word that is none with the nearest one, and because the text of ``ask`` is not to be split into words.
"""

from __future__ import annotations

import argparse
import json
import keyword
import re
import textwrap
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn

from robota_nb.core.record.parameters import check_param_key
from robota_nb.core.record.text import short
from robota_nb.core.rules.modes import MODES
from robota_nb.display.formats import FORMATS
from robota_nb.display.hints import told
from robota_nb.errors import CommandError, InvalidName, nearest
from robota_nb.magics.commands import CELL, COMMANDS, GROUPS, MEANT, NODES, SPECS, Arg, Kind, Spec, verbs
from robota_nb.magics.key_guard import key_on_line, refuse_keys, shown
from robota_nb.magics.spec import Filled
from robota_nb.prompt.library import NAME
from robota_nb.prompt.made import OPTION_LINE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Command", "help_text", "next_word", "overview", "parse", "parse_cell", "words_of"]

_HELP = ("-h", "--help")


@dataclass(frozen=True, slots=True)
class Command:
    """What a line says.

    Parameters
    ----------
    words
        The command, such as ``("chat", "open")``; empty for the status. A ``%%robota`` cell is an ``("ask",)``.
    args
        Every argument of the command by its name in `robota_nb.magics.commands`, also those not given.
    """

    words: tuple[str, ...]
    args: Mapping[str, Any]


def parse(line: str) -> Command:
    """Parse what follows ``%robota``.

    Raises
    ------
    CommandError
        If it is no command: one line that says why, with the nearest match.
    """
    if (asked := _help_on(line)) is not None:
        return Command(("help",), {"command": asked})
    node: tuple[str, ...] = ()
    at = 0
    while verbs(node):
        word, end = next_word(line, at)
        if word in _HELP:
            return Command(("help",), {"command": node})
        if word == "--version" and not node:
            return Command(("version",), {})
        if word is None or word.startswith("-"):
            break
        if (*node, word) not in NODES:
            if node in SPECS and any(not argument.flags for argument in SPECS[node].arguments):
                break  # a value, as in replay strict, beside the verb of replay accept
            raise _no_command((*node, word), line)
        node, at = (*node, word), end
    return _arguments(_spec(node), line[at:])


def _help_on(line: str) -> tuple[str, ...] | None:
    """Return the command of which a line is the name and a question mark, as ``chat fork?``; None if it is not that."""
    words = line.split()
    if not words or not words[-1].endswith("?"):
        return None
    words[-1] = words[-1][:-1]
    return tuple(words) if tuple(words) in NODES else None


def words_of(line: str) -> tuple[str, ...]:
    """Return the words of the command, or of the noun, that a line begins with, whatever follows them."""
    node: tuple[str, ...] = ()
    for word in line.split():
        if word not in verbs(node):
            break
        node = (*node, word)
    return node


def parse_cell(line: str, body: str | None = None) -> Command:
    """Parse what follows ``%%robota``: the command is an ask whose ``text`` is the body of the cell, if that is given.

    Lines at the top of the body that are options of other tools (``#|``, ``#@``, ``# %%``) are left out. Of a cell
    without a body, what follows the options on its line is the text.

    Raises
    ------
    CommandError
        If it does not parse.
    """
    if body is None:
        return _arguments(CELL, line)
    if not body.strip() and not _COMMENT.match(_options_and_text(CELL, line)[1] or "#"):
        return _arguments(SPECS[CELL.words], line)
    command = _arguments(CELL, line)
    return Command(command.words, {**command.args, "text": _without_option_lines(body).removesuffix("\n")})


_COMMENT = re.compile(r"#(\s|$)")


def _without_option_lines(body: str) -> str:
    lines = body.splitlines(keepends=True)
    first = next((number for number, line in enumerate(lines) if not OPTION_LINE.match(line)), len(lines))
    return "".join(lines[first:])


def next_word(text: str, at: int = 0, *, path: bool = False) -> tuple[str | None, int]:
    r"""Return the next word of *text* (None if there is none), and where it ends.

    It is read as a shell would read it, but that an apostrophe within a word is one, as in ``What's``, and that a
    backslash stays where it makes nothing of what follows it, as in ``a\b``.

    Parameters
    ----------
    text, at
        The line, and where to begin.
    path
        Whether it is a path, in which each backslash stays, but for those before a space or a quote.

    Raises
    ------
    CommandError
        If it begins a quote that does not end.
    """
    start = len(text) - len(text[at:].lstrip())
    pieces, end = [], start
    while piece := _PIECES[path].match(text, end):
        pieces.append(piece[piece.lastgroup] if piece.lastgroup else piece[0])
        if piece.lastgroup == "double":
            pieces[-1] = _ESCAPED_IN_QUOTES[path].sub(r"\1", pieces[-1])
        end = piece.end()
    if end < len(text) and not text[end].isspace():
        raise CommandError("a quote or backslash is left open; close it, or put the name in the other kind of quotes")
    return "".join(pieces) if pieces else None, end


_PIECES = {
    path: re.compile(
        rf"""
        (?<=\w)'(?=\w)         # an apostrophe
        |'(?P<single>[^']*)'
        |"(?P<double>(?:[^"\\]|\\.)*)"
        |\\(?P<escaped>{escaped})
        |{backslash}
        |[^\s'"\\]+
        """,
        re.VERBOSE | re.DOTALL,
    )
    for path, escaped, backslash in ((False, r"\W", r"\\(?=\w)"), (True, r"[\s'\"]", r"\\"))
}
"""What a word is made of, of a path and of everything else."""
_ESCAPED_IN_QUOTES = {False: re.compile(r'\\(["\\])'), True: re.compile(r'\\(")')}


def _spec(words: tuple[str, ...]) -> Spec:
    if spec := SPECS.get(words):
        return spec
    if words in NODES:
        said = " ".join(words)
        raise CommandError(f"{said!r} needs a verb: {', '.join(verbs(words))}; '%robota help {said}' tells more")
    raise _no_command(words)


def _no_command(words: tuple[str, ...], line: str = "") -> CommandError:
    """Return the error of words that are no command, with what was meant by them, or by the whole *line*."""
    said = " ".join(words)
    if len(words) == 1 and _is_prose(line):
        text = shown(short(line.strip()))
        return CommandError(f"no command {shown(said)}: '%robota ask TEXT' sends a text, as in %robota ask {text}")
    meant = _meant(words)
    hint = f" (did you mean {meant!r}?)" if meant else nearest(said, sorted(map(" ".join, NODES)))
    if not hint and len(words) == 1:  # perhaps a question
        hint = "; '%robota ask TEXT' sends a text"
    return CommandError(f"no command {shown(said)}{hint}; '%robota help' lists them")


def _meant(words: tuple[str, ...]) -> str:
    """Return the command that other tools call by the last of these words; of a noun, one of its own."""
    meant, noun = MEANT.get(words[-1].lower(), ""), words[:-1]
    if not noun:
        return meant
    here = meant.partition(" ")[2]
    return " ".join((*noun, here)) if here.partition(" ")[0] in verbs(noun) else ""


def _is_prose(line: str) -> bool:
    """Say whether a line is a text for a model: it ends in a question mark, or has the form of a sentence."""
    words = line.split()
    if not words[1:] or words[0].lower() in verbs(()):
        return False
    return words[-1].endswith("?") or words[0][0].isupper() or words[0].lower() in _OPENINGS


_OPENINGS = frozenset({
    "a", "an", "are", "can", "could", "define", "describe", "do", "does", "explain", "fix", "give", "hello", "hi",
    "how", "i", "is", "please", "should", "summarise", "summarize", "tell", "the", "translate", "what", "what's",
    "when", "where", "which", "who", "why", "would", "write", "you",
})  # fmt: skip
"""What texts for a model begin with."""


# -- help


def overview(say: Callable[[str], str] = str) -> str:
    """Return all commands in groups, by their names: no more than a screen shows."""
    lines = [say("%robota COMMAND does one of these; %robota alone shows where you are:")]
    for heading, nouns in GROUPS.items():
        lines += ["", say(heading), *(line for noun in nouns for line in _names_below(noun, say))]
    lines += ["", say("'%robota help COMMAND' tells more, such as '%robota help chat open'.")]
    return "\n".join(lines)


def _names_below(noun: str, say: Callable[[str], str]) -> list[str]:
    """Return a command with what it does, or a noun with its verbs, in lines of the overview."""
    spec = SPECS.get((noun,))
    said = ([say(spec.summary)] if spec else []) + ([", ".join(verbs((noun,)))] if verbs((noun,)) else [])
    lines = [line for text in said for line in textwrap.wrap(text, _WIDTH - _INDENT, break_on_hyphens=False)]
    return [f"  {noun if not number else '':{_INDENT - 2}}{line}" for number, line in enumerate(lines)]


_WIDTH = 80
_INDENT = 12
"""Columns of the overview, and of the names in it."""


def help_text(words: tuple[str, ...], say: Callable[[str], str] = str) -> str:
    """Return how a command is used, with its options and examples; for a noun, its commands.

    Parameters
    ----------
    words
        The command's.
    say
        Returns a text of the help in the language of who reads it. Usage lines and examples are in no language.

    Raises
    ------
    CommandError
        If there is no such command.
    """
    if not words:
        return overview(say)
    if words not in NODES:
        raise _no_command(words)
    below = [spec for spec in COMMANDS if spec.words[: len(words)] == words and spec.words != words]
    paragraphs = [_manual(SPECS[words], say)] if words in SPECS else []
    if words == CELL.words:
        paragraphs.append(_manual(CELL, say, arguments=False))  # they are the same
    if below:
        paragraphs.append("\n".join(_table([(_short(spec), say(spec.summary)) for spec in below])))
    return "\n\n".join(paragraphs)


def _manual(spec: Spec, say: Callable[[str], str], *, arguments: bool = True) -> str:
    usage = textwrap.fill(spec.usage, 100, subsequent_indent=" " * 8, break_long_words=False, break_on_hyphens=False)
    rows = [(f"  {argument.label}", say(argument.help)) for argument in spec.arguments if arguments]
    parts = [[usage, f"    {say(spec.summary)}"], _table(rows)]
    parts.append([say("Examples:"), *(f"  {example}" for example in spec.examples)] if spec.examples else [])
    return "\n\n".join("\n".join(part) for part in parts if part)


def _short(spec: Spec) -> str:
    """Return the usage without the options."""
    return " ".join((spec.line, *(argument.usage for argument in spec.arguments if not argument.flags)))


def _table(rows: Sequence[tuple[str, str]]) -> list[str]:
    width = max((len(left) for left, _ in rows), default=0)
    return [f"{left:{width}}  {right}" for left, right in rows]


# -- the arguments of one command


def _arguments(spec: Spec, rest: str) -> Command:
    has_text = any(argument.takes == "text" for argument in spec.arguments)
    words, text = _options_and_text(spec, rest) if has_text else (_words(spec, rest), "")
    if not set(_HELP).isdisjoint(words):
        return Command(("help",), {"command": spec.words})
    refuse_keys(words)
    given, left = _parser(spec).parse_known_args(words)
    if left:
        _refuse(spec, left)
    found = {**vars(given), "text": text}
    args = {argument.name: _value(argument, found[argument.name]) for argument in spec.arguments}
    for argument in spec.arguments:
        has_other = argument.kind == "prompt" and args.get("prompt")
        if argument.required and not has_other and not args[argument.name] and args[argument.name] != 0:
            _parser(spec).error(f"{argument.metavar} is empty")
    return Command(spec.words, args)


def _words(spec: Spec, text: str) -> list[str]:
    """Return the words of a line, without the comment behind them."""
    words = list[str]()
    at = 0
    while not (_BEHIND.match(text, at) and _may_end(spec, words)):
        word, at = _next_word(spec, words, text, at)
        if word is None:
            break
        words.append(word)
    return words


_BEHIND = re.compile(r"\s*#(\s|$)")


def _may_end(spec: Spec, words: list[str]) -> bool:
    """Say whether a # that stands behind these words begins a comment: in a name it would be a part of that."""
    if not any(argument.takes == "words" for argument in spec.arguments):
        return True
    before, last = ["", "", *words][-2:]
    return before in _valued(spec) or (last.startswith("--") and last != "--")


def _next_word(spec: Spec, words: list[str], text: str, at: int) -> tuple[str | None, int]:
    """Return the word of a line that stands behind these words.

    Where a path may stand, backslashes are its own; and JSON that is the value of a setting is a word as it stands,
    with the quotes and spaces that a shell would take out.
    """
    if any(argument.takes == "pairs" for argument in spec.arguments) and (end := _json_end(text, at)):
        return text[at:end].strip(), end
    paths = [argument for argument in spec.arguments if argument.kind in ("path", "expression")]
    flags = [flag for argument in paths for flag in argument.flags]
    named = words[-1:] and words[-1] in flags
    joined = text[at:].lstrip().startswith(tuple(f"{flag}=" for flag in flags))
    return next_word(text, at, path=bool(named or joined or any(not argument.flags for argument in paths)))


def _json_end(text: str, at: int) -> int:
    """Return where a KEY=JSON that begins at an index ends; 0 if none does, or quotes are the line's own."""
    found = _BEFORE_JSON.match(text, at)
    if not found:
        return 0
    try:
        value, end = json.JSONDecoder().raw_decode(text, found.end())
        if isinstance(value, str):
            json.loads(value)  # as text it would be a number or the like
    except (ValueError, RecursionError):
        return 0
    return end if not text[end : end + 1].strip() else 0


_BEFORE_JSON = re.compile(r"\s*(?:--set=)?(?!(?:provider|model|system)=\")[A-Za-z][\w.-]*=(?=[\[{\"])")


def _filled(spec: Spec) -> set[str]:
    """Return the options that are followed by a name, and by what fills its fields."""
    return {flag for argument in spec.arguments if argument.takes == "filled" for flag in argument.flags}


_GIVEN = re.compile(r"\s*['\"]?[^\W\d]\w*=\S")


def _valued(spec: Spec) -> set[str]:
    """Return the options that are followed by a value."""
    return {flag for argument in spec.arguments if argument.metavar for flag in argument.flags}


_OPTION = re.compile(r"\s*--?[A-Za-z]")
_END_OF_OPTIONS = re.compile(r"\s*--(\s|$)")


def _options_and_text(spec: Spec, rest: str) -> tuple[list[str], str]:
    """Cut the options off the front; what follows them is text, and never taken apart."""
    words = list[str]()
    at = 0
    while _OPTION.match(rest, at):
        word, at = _next_word(spec, words, rest, at)
        words.append(word or "")
        if word in _valued(spec):
            value, at = _next_word(spec, words, rest, at)
            words += [] if value is None else [value]
        while word in _filled(spec) and _GIVEN.match(rest, at):
            given, at = next_word(rest, at)
            words.append(given or "")
    for argument in spec.arguments:
        if not argument.flags and argument.takes != "text":
            word, at = _next_word(spec, words, rest, at)
            words += [] if word is None else [word]
    if end := _END_OF_OPTIONS.match(rest, at):
        return words, rest[end.end() :].strip()
    text = rest[at:].strip()
    if any(argument.kind == "prompt" for argument in spec.arguments) and (quoted := _IN_QUOTES.fullmatch(text)):
        text = quoted["text"]
    return words, text


_IN_QUOTES = re.compile(r"""(?P<quote>["'])(?P<text>((?!(?P=quote)).)+)(?P=quote)""", re.DOTALL)
"""A prompt in quotes: without them black and others take a question mark at its end for IPython's."""


class _Parser(argparse.ArgumentParser):
    """An argument parser that raises; argparse's own prints and ends the process."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(prog=spec.line, add_help=False, allow_abbrev=False)
        self._spec = spec

    def error(self, message: str) -> NoReturn:
        more = " ".join(("%robota help", *self._spec.words))
        raise CommandError(f"{self.prog}: {message}; '{more}' tells more")


class _Fill(argparse.Action):
    """Takes the name of a prompt, and what is given to its fields."""

    def __call__(self, _parser: Any, namespace: Any, values: Any, _flag: Any = None) -> None:
        """Check them, and keep them."""
        name, *given = values
        if not NAME.fullmatch(name):
            raise argparse.ArgumentError(self, f"{shown(name)} is no prompt's name: use letters, digits, '-' and '_'")
        pairs: dict[str, str] = {}
        for word in given:
            field, equals, pairs[field] = word.partition("=")
            if not (field.isidentifier() and equals):
                raise argparse.ArgumentError(self, f"{shown(word)} is not FIELD=EXPR, such as table=df")
        setattr(namespace, self.dest, Filled(name, pairs))


@cache
def _parser(spec: Spec) -> _Parser:
    parser = _Parser(spec)
    for argument in spec.arguments:
        if argument.takes != "text":
            parser.add_argument(*argument.flags or (argument.name,), **_settings(argument))
    return parser


def _settings(argument: Arg) -> dict[str, Any]:
    """Say to argparse what the table says."""
    if argument.takes == "switch":
        return {"action": "store_true"}
    check = _BY_FORM.get(argument.takes) or _CHECKS.get(argument.kind, str)
    settings: dict[str, Any] = {"metavar": argument.metavar, "type": check}
    if argument.takes == "filled":
        return settings | {"dest": argument.name, "action": _Fill, "nargs": "+"}
    if argument.flags:
        return settings | {"dest": argument.name, "action": "append" if argument.takes in _REPEATED else "store"}
    many = argument.takes in ("words", "pairs", "list")
    return settings | {"nargs": ("+" if argument.required else "*") if many else "?"}


def _value(argument: Arg, given: Any) -> Any:
    """Return what argparse found in the form that `Takes` promises."""
    if argument.takes == "pairs":
        return dict(given or ())
    if argument.takes == "values":
        return tuple(given or ())
    if argument.takes == "words":
        return " ".join(given).strip()
    return tuple(given) if argument.takes == "list" else given


def _refuse(spec: Spec, left: Sequence[str]) -> NoReturn:
    """Say what is wrong with words that argparse had no place for."""
    parser = _parser(spec)
    if spec.words[:1] == ("endpoint",):
        raise key_on_line()
    if option := next((word for word in left if word.startswith("-")), None):
        flags = [flag for argument in spec.arguments for flag in argument.flags]
        parser.error(f"no option {shown(option)}{nearest(option.partition('=')[0], flags)}")
    if spec is CELL:
        parser.error(f"{shown(left[0])} is no option; the text to send stands below this line")
    parser.error(f"{shown(left[0])} is one word too many; put what has spaces in quotes")


# -- checks of single values; argparse wants ArgumentTypeError


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{shown(text)} is not KEY=VALUE, such as temperature=0.2")
    try:
        return check_param_key(key), value
    except InvalidName as error:
        raise argparse.ArgumentTypeError(told(error)) from None


def _variable(text: str) -> str:
    if not text.isidentifier() or keyword.iskeyword(text):
        raise argparse.ArgumentTypeError(f"{shown(text)} is no variable name, such as answer")
    return text


def _mode(text: str) -> str:
    if text not in MODES:
        raise argparse.ArgumentTypeError(f"no mode {shown(text)}{nearest(text, MODES)}; there are {', '.join(MODES)}")
    return text


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > _DIGITS:
        raise argparse.ArgumentTypeError(f"{shown(text[:40])} is no number, such as 2")
    return int(text)


def _format(text: str) -> str:
    if text not in FORMATS:
        raise argparse.ArgumentTypeError(
            f"no format {shown(text)}{nearest(text, FORMATS)}; there are {', '.join(FORMATS)}"
        )
    return text


def _name(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty; give a name")
    return text


_CHECKS: Mapping[Kind, Callable[[str], str]] = {
    "variable": _variable,
    "mode": _mode,
    "format": _format,
    **dict.fromkeys(("chat", "session", "provider", "model", "preset", "path", "expression", "function"), _name),
}

_BY_FORM: Mapping[str, Callable[[str], Any]] = {"pairs": _pair, "number": _number}
_REPEATED = ("pairs", "values")
_DIGITS = 9
