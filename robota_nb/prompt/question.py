"""The source of a cell that asks why another one fails: with the error, its source, and the variables that it names."""

from __future__ import annotations

import ast
import re
from itertools import islice
from linecache import getlines
from traceback import walk_tb
from types import FunctionType, ModuleType, NoneType
from typing import TYPE_CHECKING, Any

from robota_nb.core.record.controls import strip_controls
from robota_nb.core.users import without_home
from robota_nb.prompt.last_error import MAX_ERROR, NAME, last_error, newest
from robota_nb.prompt.source import is_cell

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

__all__ = ["MOST_NAMES", "failed_source", "is_newest", "question", "shown_error", "variables"]

MOST_NAMES = 5
"""Of how many variables the question tells: the first ones that the source names."""

_QUESTION = "Why does this fail, and how do I mend it?"
_MAX_SOURCE = 100_000
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_MAGIC = re.compile(r"^[ \t]*[%!?].*$", re.MULTILINE)
_FENCE = re.compile(r"^ {0,3}(`{3,})", re.MULTILINE)
_WITHOUT_WORTH = (ModuleType, FunctionType, type)


def question(
    source: str, namespace: Mapping[str, Any], *, error: str | None = None, hidden: Collection[str] = ()
) -> str:
    """Return the source of a cell that asks why another one has failed.

    Parameters
    ----------
    source
        Of the cell that failed.
    namespace
        The user's variables.
    error
        What its output says; None if it is the last error that there was, which the prompt then fills in itself.
    hidden
        Names in the namespace that are not the user's.

    Returns
    -------
    str
        What of it is filled in are fields alone. If anything else in it looks like one, nothing is filled in.
    """
    source = source[:_MAX_SOURCE].strip("\n")
    code = _fenced(source, "python")
    if error is None and "{{" not in code and NAME not in namespace:
        names = variables(source, namespace, hidden)
        fields = [f"{name}: {{{{ {name} | describe }}}}" for name in names]
        return "%%robota\n" + "\n\n".join([_QUESTION, f"{{{{ {NAME} }}}}", code, *fields])
    text = "\n\n".join([_QUESTION, _fenced(last_error() if error is None else error, "text"), code])
    return f"%%robota{' --raw' if '{{' in text else ''}\n{text}"


def variables(source: str, namespace: Mapping[str, Any], hidden: Collection[str] = ()) -> list[str]:
    """Return the variables that a source names, and that can be described at no cost, in order.

    Parameters
    ----------
    source
        The code; that of other magics in it is left out.
    namespace
        The user's variables.
    hidden
        Names in it that are not the user's.
    """
    try:
        tree = ast.parse(_MAGIC.sub("", source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    named = (node for node in ast.walk(tree) if isinstance(node, ast.Name))
    names = dict.fromkeys(node.id for node in sorted(named, key=lambda node: (node.lineno, node.col_offset)))
    known = (name for name in names if not name.startswith("_") and name not in hidden and name in namespace)
    return list(islice((name for name in known if _is_worth_it(namespace[name])), MOST_NAMES))


def _is_worth_it(value: object) -> bool:
    """Say whether a value says something: by its type alone, as the user's objects may do anything if asked."""
    kind = type(value)
    has_size = any(hasattr(kind, name) for name in ("__len__", "shape", "dtype"))
    is_plain = issubclass(kind, int | float | complex | NoneType)
    return (has_size or is_plain) and not issubclass(kind, _WITHOUT_WORTH)


def _fenced(text: str, language: str) -> str:
    longest = max((len(found[1]) for found in _FENCE.finditer(text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def shown_error(name: str, value: str, traceback: str) -> str:
    """Return an error as text, from what its output says of it."""
    text = strip_controls(_COLOURS.sub("", traceback)).strip("\n") or f"{name}: {value}"
    return without_home(text)[-MAX_ERROR:]


def failed_source(shell: Any) -> str:
    """Return the source of the cell that has ended with the last error, as it was typed; empty if that is not known.

    Parameters
    ----------
    shell
        IPython's, which keeps what was typed, and what Python read of that.
    """
    history = shell.history_manager
    parsed, raw = (history.input_hist_parsed, history.input_hist_raw) if history else ((), ())
    for lines in _cells_of_error():
        ran = "".join(lines).rstrip("\n")
        for at in reversed(range(min(len(parsed), len(raw)))):
            if ran and parsed[at].rstrip("\n") == ran:
                return str(raw[at])
        if ran:
            return ran
    return ""


def is_newest(name: str, value: str, source: str, failed: str) -> bool:
    """Say whether an output's error is the last one that there was, and came of this source."""
    error = newest()
    if error is None or source.strip("\n") != failed.strip("\n") or type(error).__name__ != name:
        return False
    try:
        return strip_controls(str(error)).startswith(strip_controls(value)[:1000])
    except Exception:  # noqa: BLE001 - the user's exceptions may do anything
        return False


def _cells_of_error() -> Iterator[list[str]]:
    """Yield the lines of the cells in which the last error was raised, the outermost first."""
    error = newest()
    if error is not None:
        for frame, _ in walk_tb(error.__traceback__):
            if is_cell(frame.f_code.co_filename):
                yield getlines(frame.f_code.co_filename)
        if isinstance(error, SyntaxError) and error.filename and is_cell(error.filename):
            yield getlines(error.filename)
