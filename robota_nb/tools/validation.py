"""What pydantic has to know of a user's types, and what it says of values that do not fit, in short lines."""

from __future__ import annotations

import json
import sys
from functools import cache
from inspect import cleandoc
from types import UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import ValidationError
    from pydantic.json_schema import GenerateJsonSchema

__all__ = ["MAX_FAULTS", "faults_of", "for_pydantic", "schema_maker"]

MAX_FAULTS = 5
"""How many of the faults of a value are told."""

_MAX_INPUT = 100
_MAX_PLACE = 100
_MAX_MESSAGE = 300
_SAYS_ALL = ("missing", "extra_forbidden", "json_invalid", "json_type")
"""Kinds of faults that are clear without the value."""


def faults_of(*errors: ValidationError) -> tuple[str, ...]:
    """Return what is wrong with a value, one line for each fault, the first `MAX_FAULTS` of them.

    Parameters
    ----------
    *errors
        What pydantic has raised.

    Examples
    --------
    >>> from pydantic import TypeAdapter, ValidationError
    >>> try:
    ...     TypeAdapter(dict[str, int]).validate_json('{"limit": "ten"}')
    ... except ValidationError as error:
    ...     faults_of(error)
    ('limit: Input should be a valid integer, unable to parse string as an integer (got "ten")',)
    """
    faults = [fault for error in errors for fault in error.errors(include_url=False, include_context=False)]
    lines = [_line(fault) for fault in faults[:MAX_FAULTS]]
    if (more := len(faults) - MAX_FAULTS) > 0:
        lines[-1] += f" (and {more} more)"
    return tuple(lines)


def _line(fault: Mapping[str, Any]) -> str:
    given = fault["input"]
    message = " ".join(fault["msg"].split())
    if isinstance(given, str) and len(given) > _MAX_INPUT:
        message = message.replace(given, _cut(given, _MAX_INPUT))
    message = _cut(message, _MAX_MESSAGE)
    if fault["type"] not in _SAYS_ALL:
        message = f"{message} (got {_cut(_shown(given), _MAX_INPUT)})"
    place = _cut(_place(fault["loc"]), _MAX_PLACE)
    return f"{place}: {message}" if place else message


def _place(location: Sequence[int | str]) -> str:
    """Return where a fault is, such as ``rows[0].name``."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location).removeprefix(".")


def _shown(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):  # a validator of the user's has made something else of it
        return f"a value of type {type(value).__name__}"


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def for_pydantic(hint: Any, *, within: tuple[Any, ...] = ()) -> Any:
    """Return a type as pydantic takes it: before Python 3.12, it takes no `typing.TypedDict`.

    Parameters
    ----------
    hint
        A type, or what stands in its place in a signature.
    within
        The types that it is a part of; one that is a part of itself is left as it is.
    """
    if sys.version_info >= (3, 12) or hint in within:
        return hint
    if is_typeddict(hint):
        return _typed_dict(hint, (*within, hint)) if type(hint).__module__ == "typing" else hint
    origin, inner = get_origin(hint), get_args(hint)
    if not any(map(_holds_typed_dict, inner)):
        return hint
    if origin is Annotated:
        return Annotated[(for_pydantic(inner[0], within=within), *inner[1:])]
    changed = tuple(for_pydantic(each, within=within) for each in inner)
    return Union[changed] if origin in (Union, UnionType) else origin[changed]  # noqa: UP007 - of any number


def _typed_dict(kind: Any, within: tuple[Any, ...]) -> Any:
    """Return a `TypedDict` as the library of the same name has it that brings Python's newer types to older ones."""
    import typing_extensions

    make: Any = typing_extensions.TypedDict
    fields = dict[str, Any]()
    for name, hint in get_type_hints(kind, include_extras=True).items():
        plain = get_args(hint)[0] if get_origin(hint) in (NotRequired, Required) else hint
        mark: Any = Required if name in kind.__required_keys__ else NotRequired
        fields[name] = mark[for_pydantic(plain, within=within)]
    made = make(kind.__name__, fields)
    made.__doc__, made.__module__ = kind.__doc__, kind.__module__
    return made


def _holds_typed_dict(hint: Any) -> bool:
    return is_typeddict(hint) or any(map(_holds_typed_dict, get_args(hint)))


@cache
def schema_maker() -> type[GenerateJsonSchema]:
    """Return what makes JSON schemas: the same whichever version of pydantic, and without a word on defaults."""
    from pydantic.json_schema import GenerateJsonSchema

    class SchemaMaker(GenerateJsonSchema):
        ignored_warning_kinds = GenerateJsonSchema.ignored_warning_kinds | {"non-serializable-default"}

        def dataclass_schema(self, schema: Any) -> dict[str, Any]:
            """Add what the docstring says, as later versions do; Python's own one only repeats the signature."""
            made = dict(super().dataclass_schema(schema))
            kind = schema["cls"]
            if kind.__doc__ and not kind.__doc__.startswith(f"{kind.__name__}("):
                made.setdefault("description", cleandoc(kind.__doc__))
            return made

        def call_schema(self, schema: Any) -> dict[str, Any]:
            """Refuse a function in the place of a type: to check a value would be to call it."""
            if isinstance(schema["function"], type):  # a named tuple, which is made by a call before pydantic 2.14
                return super().call_schema(schema)
            return self.handle_invalid_for_json_schema(schema, "a function")

    return SchemaMaker
