"""What the text of a cell tells a reader: the commands in it, for those who do not run it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from robota_nb.display.hints import told
from robota_nb.errors import CommandError
from robota_nb.magics.parser import parse, parse_cell
from robota_nb.magics.spelling import NAME, Spelling, mentions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from IPython.core.inputtransformer2 import TransformerManager

    from robota_nb.magics.parser import Command
    from robota_nb.magics.spelling import Names

__all__ = ["Written", "commands", "is_talk"]

_AROUND_CELLS = ("capture", "prun", "time")
"""Cell magics that run what stands below them as a cell, once."""

_PERHAPS = (
    ast.If, ast.For, ast.AsyncFor, ast.While, ast.Match, ast.ExceptHandler, ast.IfExp, ast.BoolOp,
    ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.comprehension,
)  # fmt: skip
"""What runs the code in it once, several times, or not at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A command of ``%robota`` in a cell.

    Parameters
    ----------
    command
        What it says; None if it is no command.
    problem
        Why it is none.
    always
        Whether it runs whenever its cell does, once; else the code around it decides.
    """

    command: Command | None
    problem: str = ""
    always: bool = True


def commands(source: str, names: Names | None = None) -> list[Written]:
    """Return the commands in the source of a cell, as IPython reads it; none of a text that it cannot read.

    Parameters
    ----------
    source
        The cell.
    names
        What the magic is called, as for `spelt`: aliases that the cell makes are added, for the cells below.
    """
    names = {NAME: ""} if names is None else names
    return list(_commands(source, names)) if mentions(source, names) else []


def is_talk(source: str, names: Names | None = None) -> bool:
    """Say whether a cell does nothing but talk to chats, as IPython reads it: it is no code that others need to see.

    Loading the extension is a part of that, and so is keeping an answer in a variable.
    """
    names = {NAME: ""} if names is None else {**names}
    if not (mentions(source, names) or _LOADS in source):
        return False
    try:
        tree = ast.parse(_transformer(names).transform_cell(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return bool(tree.body) and all(_is_talk(statement, names) for statement in tree.body)


_LOADS = "robota_nb"


def _is_talk(statement: ast.stmt, names: Names) -> bool:
    if not isinstance(statement, ast.Expr | ast.Assign) or not isinstance(statement.value, ast.Call):
        return False
    found = [(name, words) for name, words, _ in _magics(statement.value, always=True)]
    if len(found) != 1:
        return False
    ((name, words),) = found
    if name == "run_cell_magic" and words[0] in _AROUND_CELLS:
        return is_talk(words[-1], names)
    return words[0] == NAME or (words[0] in ("load_ext", "reload_ext") and words[1].strip() == _LOADS)


def _commands(source: str, names: Names, *, always: bool = True) -> Iterator[Written]:
    try:
        tree = ast.parse(_transformer(names).transform_cell(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # it does nothing when it runs, either
        return
    for name, words, once in _magics(tree, always=always):
        if name == "run_line_magic" and words[0] == NAME:
            yield _written(parse, words[1], always=once)
        elif name == "run_cell_magic" and words[0] == NAME:
            yield _written(partial(parse_cell, body=words[-1]), words[1], always=once)
        elif name == "run_cell_magic" and words[0] in _AROUND_CELLS:
            yield from _commands(words[-1], names, always=once)


def _transformer(names: Names) -> TransformerManager:
    from IPython.core.inputtransformer2 import TransformerManager

    manager = TransformerManager()  # type: ignore[no-untyped-call] # IPython's own
    manager.line_transforms.insert(0, Spelling(lambda: names))
    return manager


def _magics(node: ast.AST, *, always: bool) -> Iterator[tuple[str, list[str], bool]]:
    """Yield the calls into which IPython makes lines of magics: which call, its texts, whether it runs just once."""
    always = always and not isinstance(node, _PERHAPS)
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="get_ipython")), attr=name), args=args):
            words = [arg.value for arg in args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
            if len(words) == len(args) > 1:
                yield name, words, always
    for child in ast.iter_child_nodes(node):
        yield from _magics(child, always=always)


def _written(read: Callable[[str], Command], line: str, *, always: bool) -> Written:
    try:
        return Written(command=read(line), always=always)
    except CommandError as error:
        return Written(command=None, problem=told(error), always=always)
