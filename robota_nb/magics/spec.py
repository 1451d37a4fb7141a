"""What a command and its arguments are, as the table in `robota_nb.magics.commands` says them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Takes: TypeAlias = Literal["switch", "value", "number", "values", "pairs", "filled", "words", "list", "text"]
"""What an argument takes, and what it becomes.

=========  ============================================  =======================
switch     nothing: it is there or not                   bool
value      one word                                      str or None
number     a whole number, 0 or more                     int or None
values     one word, as often as wanted                  tuple of str
pairs      KEY=VALUE, as often as wanted                 dict of str
filled     one word, and FIELD=EXPR as often as wanted   Filled or None
words      all the words, as one name                    str
list       all the words                                 tuple of str
text       the rest of the line as typed, quotes too     str
=========  ============================================  =======================
"""

Kind: TypeAlias = Literal[
    "", "chat", "session", "provider", "model", "preset", "mode", "format", "variable", "expression", "path", "command",
    "prompt", "library", "cells", "function",
]  # fmt: skip
"""What a value is: completion offers names, `variable` and `mode` are checked, a `prompt` loses quotes around it."""


class Filled(NamedTuple):
    """A prompt of the library as a line names it, and the expressions that it gives to fields, by their names."""

    name: str
    given: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arg:
    """One argument of a command.

    Parameters
    ----------
    name
        Its key in `Command.args`.
    flags
        How it is written, such as ``("--chat", "-c")``; none for an argument that stands by its place.
    metavar
        What stands for its value in the help; a switch has none.
    takes, kind
        See `Takes` and `Kind`.
    required
        Whether the command makes no sense without it (options never are).
    help
        What it does, in a few words.
    """

    name: str
    help: str
    flags: tuple[str, ...] = ()
    metavar: str = ""
    takes: Takes = "value"
    kind: Kind = ""
    required: bool = False

    @property
    def usage(self) -> str:
        """How it stands in a usage line."""
        text = f"{self.flags[0]} {self.metavar}".strip() if self.flags else self.metavar
        if not self.required:
            text = f"[{text}]"
        return f"{text}..." if self.takes in ("pairs", "values", "list") else text

    @property
    def label(self) -> str:
        """How it stands in the list of arguments."""
        return f"{', '.join(self.flags)} {self.metavar}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One command.

    Parameters
    ----------
    words
        Its words, such as ``("chat", "open")``; none for the status.
    summary
        What it does, in one line.
    arguments
        In the order of the help; a `text` argument is the last.
    examples
        Whole lines. Tests parse them.
    magic
        The magic it follows.
    """

    words: tuple[str, ...]
    summary: str
    arguments: tuple[Arg, ...] = ()
    examples: tuple[str, ...] = ()
    magic: Literal["%robota", "%%robota"] = "%robota"

    @property
    def line(self) -> str:
        """The magic and the command's words, where a magic of lines needs them."""
        return self.magic if self.magic == "%%robota" else " ".join((self.magic, *self.words))

    @property
    def usage(self) -> str:
        """The whole usage line."""
        return " ".join((self.line, *(argument.usage for argument in self.arguments)))
