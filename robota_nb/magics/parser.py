"""From the text of a magic's line to a typed `Command`; nothing here runs one, or knows IPython.

`argparse` takes the arguments of one command apart; which command it is, we find ourselves, because we want to
answer a word that is none with the nearest one, and because the text of ``ask`` is not to be split into words.
"""

from __future__ import annotations

import argparse
import keyword
import re
import shlex
import textwrap
from dataclasses import dataclass
from functools import cache
from io import StringIO
from typing import TYPE_CHECKING, Any, NoReturn

from robota_nb.core.record.entries import check_param_key
from robota_nb.core.rules.modes import MODES
from robota_nb.display.formats import FORMATS
from robota_nb.display.hints import told
from robota_nb.errors import CommandError, InvalidName, nearest
from robota_nb.magics.commands import CELL, COMMANDS, NODES, SPECS, Arg, Kind, Spec, verbs
from robota_nb.magics.key_guard import key_on_line, refuse_keys, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Command", "help_text", "next_word", "overview", "parse", "parse_cell"]

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
            raise _no_command((*node, word))
        node, at = (*node, word), end
    return _arguments(_spec(node), line[at:])


def parse_cell(line: str) -> Command:
    """Parse what follows ``%%robota``: the command is an ask whose ``text`` is the body of the cell.

    Raises
    ------
    CommandError
        If it does not parse.
    """
    return _arguments(CELL, line)


def next_word(text: str, at: int = 0) -> tuple[str | None, int]:
    """Return the next word of *text* as a shell would read it (None if there is none), and where it ends.

    Raises
    ------
    CommandError
        If it begins a quote that does not end.
    """
    stream = StringIO(text[at:])
    lexer = shlex.shlex(stream, posix=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    try:
        word = lexer.get_token()
    except ValueError:
        raise CommandError(
            "a quote or backslash is left open; close it, or put the name in the other kind of quotes"
        ) from None
    return word, at + stream.tell()


def _spec(words: tuple[str, ...]) -> Spec:
    if spec := SPECS.get(words):
        return spec
    if words in NODES:
        said = " ".join(words)
        raise CommandError(f"{said!r} needs a verb: {', '.join(verbs(words))}; '%robota help {said}' tells more")
    raise _no_command(words)


def _no_command(words: tuple[str, ...]) -> CommandError:
    said = " ".join(words)
    hint = nearest(said, sorted(map(" ".join, NODES)))
    if not hint and len(words) == 1:  # perhaps a question
        hint = "; '%robota ask TEXT' sends a text"
    return CommandError(f"no command {shown(said)}{hint}; '%robota help' lists them")


# -- help


def overview() -> str:
    """Return a list of all commands, one line each."""
    rows = [(_short(spec), spec.summary) for spec in (*COMMANDS, CELL)]
    return "\n".join([*_table(rows), "", "'%robota help COMMAND' tells more, such as '%robota help chat open'."])


def help_text(words: tuple[str, ...]) -> str:
    """Return how a command is used, with its options and examples; for a noun, its commands.

    Raises
    ------
    CommandError
        If there is no such command.
    """
    if not words:
        return overview()
    if words not in NODES:
        raise _no_command(words)
    below = [spec for spec in COMMANDS if spec.words[: len(words)] == words and spec.words != words]
    paragraphs = [_manual(SPECS[words])] if words in SPECS else []
    if words == CELL.words:
        paragraphs.append(_manual(CELL))
    if below:
        paragraphs.append("\n".join(_table([(_short(spec), spec.summary) for spec in below])))
    return "\n\n".join(paragraphs)


def _manual(spec: Spec) -> str:
    usage = textwrap.fill(spec.usage, 100, subsequent_indent=" " * 8, break_long_words=False, break_on_hyphens=False)
    parts = [[usage, f"    {spec.summary}"], _table([(f"  {arg.label}", arg.help) for arg in spec.arguments])]
    parts.append(["Examples:", *(f"  {example}" for example in spec.examples)] if spec.examples else [])
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
    words, text = _options_and_text(spec, rest) if has_text else (_words(rest), "")
    if not set(_HELP).isdisjoint(words):
        return Command(("help",), {"command": spec.words})
    refuse_keys(words)
    given, left = _parser(spec).parse_known_args(words)
    if left:
        _refuse(spec, left)
    found = {**vars(given), "text": text}
    args = {argument.name: _value(argument, found[argument.name]) for argument in spec.arguments}
    for argument in spec.arguments:
        if argument.required and not args[argument.name] and args[argument.name] != 0:
            _parser(spec).error(f"{argument.metavar} is empty")
    return Command(spec.words, args)


def _words(text: str) -> list[str]:
    words, (word, at) = [], next_word(text)
    while word is not None:
        words.append(word)
        word, at = next_word(text, at)
    return words


_OPTION = re.compile(r"\s*--?[A-Za-z]")
_END_OF_OPTIONS = re.compile(r"\s*--(\s|$)")


def _options_and_text(spec: Spec, rest: str) -> tuple[list[str], str]:
    """Cut the options off the front; what follows them is text, and never taken apart."""
    valued = {flag for argument in spec.arguments if argument.metavar for flag in argument.flags}
    words, at = [], 0
    while _OPTION.match(rest, at):
        word, at = next_word(rest, at)
        words.append(word or "")
        if word in valued:
            word, at = next_word(rest, at)
            words += [] if word is None else [word]
    for argument in spec.arguments:
        if not argument.flags and argument.takes != "text":
            word, at = next_word(rest, at)
            words += [] if word is None else [word]
    if end := _END_OF_OPTIONS.match(rest, at):
        at = end.end()
    return words, rest[at:].strip()


class _Parser(argparse.ArgumentParser):
    """An argument parser that raises; argparse's own prints and ends the process."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(prog=spec.line, add_help=False, allow_abbrev=False)
        self._spec = spec

    def error(self, message: str) -> NoReturn:
        more = " ".join(("%robota help", *self._spec.words))
        raise CommandError(f"{self.prog}: {message}; '{more}' tells more")


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
    **dict.fromkeys(("chat", "session", "provider", "model", "path", "expression"), _name),
}

_BY_FORM: Mapping[str, Callable[[str], Any]] = {"pairs": _pair, "number": _number}
_REPEATED = ("pairs", "values")
_DIGITS = 9
