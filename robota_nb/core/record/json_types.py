"""JSON from strangers, checked against a `TypedDict` before it has that type."""

from __future__ import annotations

from functools import cache
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    NotRequired,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T", bound="Mapping[str, object]")


class JsonTypeError(TypeError):
    """A JSON value is not of the type that it must have.

    Parameters
    ----------
    field
        The first field that is missing or of another type; empty if the value is no object.
    """

    def __init__(self, field: str) -> None:
        super().__init__(f"{field} is not what it must be" if field else "this is no object")
        self.field = field


def check(value: object, expected: type[T]) -> T:
    """Return a JSON object as the `TypedDict` that it must be. Fields that this does not know are left alone.

    Raises
    ------
    JsonTypeError
        If the value is no object, or a field is missing or of another type.
    """
    if not isinstance(value, dict):
        raise JsonTypeError("")
    for field, (hint, required) in fields(expected).items():
        if field in value:
            if not fits(value[field], hint):
                raise JsonTypeError(field)
        elif required:
            raise JsonTypeError(field)
    return cast("T", value)


def check_message(value: object, union: Any) -> Any:
    """Return a JSON object as that one of several `TypedDict` which its field ``op`` names; raises as `check` does."""
    op = value.get("op") if isinstance(value, dict) else None
    kind = by_op(union).get(op) if isinstance(op, str) else None
    if kind is None:
        raise JsonTypeError("op")
    return check(value, kind)


@cache
def by_op(union: Any) -> dict[str, type]:
    """Return the members of a union of messages by their ``op``."""
    return {op: kind for kind in get_args(union) for op in get_args(fields(kind)["op"][0])}


@cache
def fields(kind: Any) -> dict[str, tuple[Any, bool]]:
    """Return the fields of a `TypedDict`: the type of each, and whether it must be there."""
    hints = get_type_hints(kind, include_extras=True)
    return {
        name: (get_args(hint)[0], False) if get_origin(hint) is NotRequired else (hint, True)
        for name, hint in hints.items()
    }


def fits(value: object, hint: Any) -> bool:
    """Say whether a JSON value is of a type: a plain one, a list, a dict, a literal, a `TypedDict`, or a union."""
    origin, args = get_origin(hint), get_args(hint)
    if hint is object:
        return True
    if origin in (Union, UnionType):
        return any(fits(value, arg) for arg in args)
    if origin is Literal:
        return isinstance(value, str) and value in args
    if origin is list:
        return isinstance(value, list) and all(fits(item, args[0]) for item in value)
    if origin is dict:
        return isinstance(value, dict) and all(fits(item, args[1]) for item in value.values())
    if is_typeddict(hint):
        try:
            check(value, hint)
        except JsonTypeError:
            return False
        return True
    return type(value) is (NoneType if hint is None else hint)  # not isinstance: true is no number
