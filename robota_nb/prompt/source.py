"""Finds the text of functions, classes and modules, also of those that were defined in a cell."""

from __future__ import annotations

import ast
import inspect
import linecache
import re
import sys
from textwrap import dedent
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["is_cell", "source_of"]

_CELL = re.compile(r".*[\\/](?:ipykernel|xpython)_[0-9]+[\\/][0-9]+\.py|<ipython-input-.*>")


def is_cell(filename: str) -> bool:
    """Return whether this is what kernels and IPython call a cell's code."""
    return _CELL.fullmatch(filename) is not None


def source_of(value: Any) -> str:
    """Return the source of a function, method, class or module.

    Raises
    ------
    TypeError
        If it is nothing of that kind, or built in.
    OSError
        If its source cannot be found.
    """
    if isinstance(value, type) and value.__module__ == "__main__" and (text := _class_in_cells(value)):
        return text
    return dedent(inspect.getsource(value)).rstrip("\n")


def _class_in_cells(kind: type) -> str:
    """Return a class's source from the cell that defined it; `inspect` wants a file of its module, and there is none.

    The cell is the one of its methods; of a class without any, the last one run that defines such a class.
    """
    for lines in (*_cells_of(kind), *_cells_that_ran()):
        found = ""
        for name, node in _classes(_tree("".join(lines))):
            if name == kind.__qualname__:  # the last one in a cell counts
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                found = dedent("".join(lines[first - 1 : node.end_lineno])).rstrip("\n")
        if found:
            return found
    return ""


def _cells_of(kind: type) -> Iterator[list[str]]:
    """Yield the cells that a class's methods come from, as lines."""
    members = (getattr(member, "__func__", member) for member in vars(kind).values())
    codes = (getattr(member, "__code__", None) for member in members)
    for filename in dict.fromkeys(code.co_filename for code in codes if code is not None):
        if is_cell(filename):
            yield linecache.getlines(filename)


def _cells_that_ran() -> Iterator[list[str]]:
    """Yield the cells that have run, the last one first, as IPython keeps them: as lines of Python."""
    for text in reversed(getattr(sys.modules["__main__"], "In", ())):
        yield text.splitlines(keepends=True)


def _tree(text: str) -> ast.AST:
    try:
        return ast.parse(text)
    except SyntaxError:
        return ast.Module(body=[], type_ignores=[])


def _classes(node: ast.AST, prefix: str = "") -> Iterator[tuple[str, ast.ClassDef]]:
    for child in ast.iter_child_nodes(node):
        inner = prefix
        if isinstance(child, ast.ClassDef):
            yield prefix + child.name, child
            inner = f"{prefix}{child.name}."
        elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            inner = f"{prefix}{child.name}.<locals>."
        yield from _classes(child, inner)
