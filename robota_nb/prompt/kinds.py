"""The type that ``--into`` names: looked up, never evaluated."""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING, Any

from robota_nb.errors import PromptError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["look_up"]

_BUILT_IN = ("bool", "dict", "float", "int", "list", "set", "str", "tuple")
_MAX = 1000  # characters
_EXAMPLE = "name a type, such as Person or list[Row]"


def look_up(expression: str, namespace: Mapping[str, Any]) -> Any:
    """Return the type that an expression names.

    Parameters
    ----------
    expression
        A variable, with attributes; the built-in types; both with types in brackets, and with ``|`` between them.
    namespace
        The user's variables.

    Raises
    ------
    PromptError
        If there is no such thing, or it is no type.

    Examples
    --------
    >>> look_up("list[int]", {})
    list[int]
    """
    try:
        tree = ast.parse(expression.strip(), mode="eval").body if len(expression) <= _MAX else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        tree = None
    if tree is None:
        raise PromptError(f"{expression[:60]!r} names no type: {_EXAMPLE}")
    try:
        return _value(tree, namespace)
    except (AttributeError, TypeError, KeyError, RecursionError) as error:
        what = str(error).partition("\n")[0][:100]
        raise PromptError(f"{expression[:60]!r} names no type ({what}): {_EXAMPLE}") from None


def _value(node: ast.expr, namespace: Mapping[str, Any]) -> Any:
    match node:
        case ast.Name(id=name):
            if name in namespace:
                return namespace[name]
            if name in _BUILT_IN:
                return getattr(builtins, name)
            near = nearest(name, [*(one for one in namespace if not one.startswith("_")), *_BUILT_IN])
            raise PromptError(f"no type {name!r}{near}: run the cell that defines it")
        case ast.Attribute(value=value, attr=name):
            return getattr(_value(value, namespace), name)
        case ast.Subscript(value=value, slice=inside):
            return _value(value, namespace)[_value(inside, namespace)]
        case ast.Tuple(elts=parts):
            return tuple(_value(part, namespace) for part in parts)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _value(left, namespace) | _value(right, namespace)
        case ast.Constant(value=None | str() | int() | bool() as value):
            return value
    raise PromptError(f"{ast.unparse(node)[:60]!r} names no type: {_EXAMPLE}")
