r"""Fill variables into a prompt: ``{{ name }}``, ``{{ frame.columns[0] }}``, ``{{ rows | head(5) | json }}``.

What is between the braces is looked up, never evaluated: attributes, indices, and the filters in `FILTERS`.
Everything of another form is not ours and stays as it stands: JSON, LaTeX, f-strings, Jinja, Helm. So between
the two, a known form with an unknown name is an error, and an unknown form is text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from robota_nb.errors import PromptError, nearest
from robota_nb.prompt.source import source_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["EXPRESSION", "FILTERS", "MAX_BYTES", "Filter", "expand", "find", "names", "value_of"]

MAX_BYTES = 1_000_000
"""A prompt beyond this is refused (a message of a snapshot has the same cap)."""

_NAME = r"[^\W\d]\w*"
_EXPRESSION = rf"""
        (?P<root> (?!__) {_NAME} )
        (?P<steps> (?: \.(?!_){_NAME} | \[ (?: -?[0-9]{{1,9}} | "[^"\\\n]*" | '[^'\\\n]*' ) \] )* )
"""
EXPRESSION = re.compile(_EXPRESSION, re.VERBOSE)
"""A variable and what to look up in it, as `find` takes it."""

_FIELD = re.compile(
    rf"""
    (?<!\{{) \{{\{{[ ]                          # two braces, not three, and one space
        {_EXPRESSION}
        (?P<filters> (?: [ ]*\|[ ]* {_NAME} (?: \( [ ]* [0-9]{{1,9}} [ ]* \) )? )* )
    [ ]\}}\}}
    """,
    re.VERBOSE,
)
_STEP = re.compile(
    rf"""\.(?P<attribute>{_NAME}) | \[(?P<number>-?[0-9]+)\] | \[(?P<quote>["'])(?P<key>.*?)(?P=quote)\]""", re.VERBOSE
)
_FILTER = re.compile(rf"\|[ ]*(?P<name>{_NAME})(?:\([ ]*(?P<count>[0-9]+)[ ]*\))?")
_REMEDY = "mend it, or use --raw to send the braces as they stand"

_TEMPLATE = re.compile(
    r"""
    \{% | \{\# | \{\{- | -\}\}
    | \{\{ \s* (?: \. | (?: if|else|end|endif|endfor|range|with|define|include|template|block )\b )
    """,
    re.VERBOSE,
)
"""What shows that a text is a template of another language (Jinja, Go, Helm)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What may follow a ``|`` in a field.

    Parameters
    ----------
    apply
        What it does with a value; with a count, too, if it *counts*.
    counts
        Whether it may be given a number, as ``head(20)``.
    help
        What it does, in a few words.
    """

    apply: Callable[..., Any]
    help: str
    counts: bool = False


def _head(value: Any, count: int = 5) -> Any:
    if isinstance(value, str):
        return "".join(value.splitlines(keepends=True)[:count]).rstrip("\r\n")
    if isinstance(value, Mapping):
        return dict(islice(value.items(), count))
    return value[:count]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _describe(value: Any) -> str:
    if not isinstance(value, type) and callable(getattr(value, "describe", None)):
        described = value.describe()
        to_string = getattr(described, "to_string", None)
        return str(to_string() if callable(to_string) else described)
    kind = type(value)
    parts = [kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"]
    if not isinstance(value, type):
        parts += [f"{name} {said}" for name in ("shape", "dtype") if (said := getattr(value, name, None)) is not None]
        with suppress(TypeError):  # it has no length
            parts.append(f"length {len(value)}")
    return ", ".join(parts)


FILTERS: Mapping[str, Filter] = {
    "describe": Filter(apply=_describe, help="what describe() of a frame says; of others type, shape and length"),
    "head": Filter(apply=_head, counts=True, help="the first lines of a text, items, or rows: 5, or as many as said"),
    "json": Filter(apply=_json, help="as JSON"),
    "repr": Filter(apply=repr, help="as Python shows it in a list"),
    "source": Filter(apply=source_of, help="the text of a function, class or module, also of one made in a cell"),
    "str": Filter(apply=str, help="as print shows it"),
}
"""The filters by name; to add one, add a row."""


def expand(text: str, namespace: Mapping[str, Any]) -> str:
    """Return *text* with every field replaced by its value; what is filled in is not looked at again.

    Parameters
    ----------
    text
        The text of a cell that the user runs; never restored or received text.
    namespace
        The user's variables.

    Returns
    -------
    str
        Text goes in as it is, other values as `str` shows them.

    Raises
    ------
    PromptError
        If a name, attribute or index does not exist or fails, or the prompt becomes larger than `MAX_BYTES`.
    """
    fields = _fields(text)
    if _TEMPLATE.search(text):  # there, a name that is no variable of ours is one of theirs
        fields = [field for field in fields if field["root"] in namespace]
    values = [_text_of(field, namespace) for field in fields]
    parts: list[str] = []
    end = 0
    for field, value in zip(fields, values, strict=True):
        parts += (text[end : field.start()], value)
        end = field.end()
    parts.append(text[end:])
    if fields and (size := sum(map(_size, parts))) > MAX_BYTES:
        largest = max(zip(values, fields, strict=True), key=lambda pair: len(pair[0]))[1]
        raise PromptError(
            f"the prompt would have {size:,} bytes, over the cap of {MAX_BYTES:,}; "
            f"fill in less than {largest[0]}, such as with | head(20)"
        )
    return "".join(parts)


def names(text: str) -> list[str]:
    """Return the variables that the fields of *text* begin with, each once, in order."""
    return list(dict.fromkeys(field["root"] for field in _fields(text)))


def _fields(text: str) -> list[re.Match[str]]:
    return [field for field in _FIELD.finditer(text) if all(map(_is_known, _FILTER.finditer(field["filters"])))]


def _is_known(used: re.Match[str]) -> bool:
    known = FILTERS.get(used["name"])
    return known is not None and (known.counts or used["count"] is None)


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def find(found: re.Match[str], namespace: Mapping[str, Any], *, where: str = "", remedy: str = "mend it") -> Any:
    """Return the value of a variable, or of what is in it.

    Parameters
    ----------
    found
        A match of `EXPRESSION`; its variable is in *namespace*.
    namespace
        The user's variables.
    where
        Where it stands, for the error, such as `` for {{ x }}``.
    remedy
        What to do when it fails.

    Raises
    ------
    PromptError
        If an attribute or an index does not exist or fails.
    """
    said = found["root"]
    value = namespace[said]
    for step in _STEP.finditer(found["steps"]):
        said += step[0]
        value = _tried(said, where, remedy, _look_up, value, step)
    return value


def value_of(expression: str, namespace: Mapping[str, Any]) -> Any:
    """Return the value of an expression that a command names, such as ``models["small"]``.

    Parameters
    ----------
    expression
        A variable, with attributes and indices as in ``{{ }}``; it is looked up, never evaluated.
    namespace
        The user's variables.

    Raises
    ------
    PromptError
        If it has another form, or there is no such thing.
    """
    found = EXPRESSION.fullmatch(expression)
    if found is None:
        raise PromptError(f"{expression!r} cannot be looked up: name a variable, such as model or models[0]")
    root = found["root"]
    if root not in namespace:
        public = (name for name in namespace if not name.startswith("_"))
        raise PromptError(f"no variable {root!r}{nearest(root, public)}: define it first")
    return find(found, namespace)


def _text_of(field: re.Match[str], namespace: Mapping[str, Any]) -> str:
    """Return what stands for a field: its variable, looked into, filtered, and as text."""
    root, where = field["root"], f" for {field[0]}"
    if root not in namespace:
        public = (name for name in namespace if not name.startswith("_"))
        raise PromptError(
            f"no variable {root!r}{where}{nearest(root, public)}; "
            "define it, or use --raw to send the braces as they stand"
        )
    value = find(field, namespace, where=where, remedy=_REMEDY)
    said = root + field["steps"]
    for used in _FILTER.finditer(field["filters"]):
        said += f" {used[0]}"
        count = [] if used["count"] is None else [int(used["count"])]
        value = _tried(said, where, _REMEDY, FILTERS[used["name"]].apply, value, *count)
    text: str = _tried(said, where, _REMEDY, str, value)
    return text


def _look_up(value: Any, step: re.Match[str]) -> Any:
    if step["attribute"]:
        return getattr(value, step["attribute"])
    return value[step["key"] if step["number"] is None else int(step["number"])]


def _tried(said: str, where: str, remedy: str, act: Callable[..., Any], *args: Any) -> Any:
    """Call *act*; the user's objects may raise anything, and each failure is the prompt's."""
    try:
        return act(*args)
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise PromptError(f"{said!r} failed{where} ({reason}); {remedy}") from error
