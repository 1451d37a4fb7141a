"""JSON schemas in one form, whichever version of pydantic has made them.

What was offered to a model, or asked of it, is compared with the record as text: it must not change with a library.
"""

from __future__ import annotations

import json
from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["canonical", "to_text"]

_LEFT_OUT = ("title", "default")
_NOTES = ("description", "examples", "deprecated")
"""Keywords that say something of a schema, and do not change what fits it."""

_NAMED = ("properties", "$defs", "patternProperties", "dependentSchemas")
"""Keywords whose value has a schema under each name; the names are the user's."""

_VALUES = ("const", "enum", "examples")
"""Keywords whose value is no schema."""

_TYPES = {str: "string", bool: "boolean", int: "integer", type(None): "null"}
_MAX_EXACT = 2**53


def canonical(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JSON schema that means the same, in the one form that all versions of pydantic come to.

    It is without ``title`` and ``default``, which are for people. An ``allOf`` of one schema is that schema, an
    ``enum`` of one value is a ``const``, and either has the ``type`` that its values have. ``0.0`` is ``0``. Keys and
    ``required`` are sorted. The names in ``$defs`` stay.

    Parameters
    ----------
    schema
        A JSON schema; it is not changed.

    Examples
    --------
    >>> canonical({"title": "Unit", "enum": ["km"], "default": "km"})
    {'const': 'km', 'type': 'string'}
    >>> canonical({"allOf": [{"$ref": "#/$defs/Place"}], "description": "where"})
    {'$ref': '#/$defs/Place', 'description': 'where'}
    """
    found = {name: _value(name, value) for name, value in schema.items() if name not in _LEFT_OUT}
    found = _unwrapped(found)
    if "const" in found:
        found.pop("enum", None)
    elif len(found.get("enum", ())) == 1:
        (found["const"],) = found.pop("enum")
    if "type" not in found and (kind := _type_of([found["const"]] if "const" in found else found.get("enum", ()))):
        found["type"] = kind
    return dict(sorted(found.items()))


def to_text(schema: Mapping[str, Any]) -> str:
    """Return the one text of a JSON schema: that of its canonical form.

    Raises
    ------
    ValueError
        If it holds a number that JSON has not, such as infinity.

    Examples
    --------
    >>> to_text({"type": "object", "properties": {"city": {"title": "City", "type": "string"}}})
    '{"properties":{"city":{"type":"string"}},"type":"object"}'
    """
    return json.dumps(canonical(schema), ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def _value(name: str, value: Any) -> Any:
    """Return the value of a keyword in its canonical form."""
    if name in _NAMED and isinstance(value, dict):
        return {key: _schema(value[key]) for key in sorted(value)}
    if name == "required" and isinstance(value, list):
        return sorted(value)
    return _plain(value) if name in _VALUES else _schema(value)


def _schema(value: Any) -> Any:
    """Return a schema, or what stands in the place of one, in its canonical form."""
    if isinstance(value, dict):
        return canonical(value)
    if isinstance(value, (list, tuple)):
        return [_schema(item) for item in value]
    return _plain(value)


def _plain(value: Any) -> Any:
    """Return a JSON value with whole numbers as integers, and sorted keys."""
    if isinstance(value, dict):
        return {key: _plain(value[key]) for key in sorted(value)}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < _MAX_EXACT else value


def _unwrapped(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema without an ``allOf`` of one, unless a keyword stands in both and has to hold twice."""
    match schema.get("allOf"):
        case [dict(inner)]:
            outer = {name: value for name, value in schema.items() if name != "allOf"}
            if all(name in _NOTES or inner[name] == outer[name] for name in inner.keys() & outer.keys()):
                return inner | outer
    return schema


def _type_of(values: Iterable[Any]) -> str:
    """Return the type that all *values* have; empty if they differ, or there are none."""
    kinds = {_TYPES.get(type(value), "") for value in chain(values)}
    return kinds.pop() if len(kinds) == 1 else ""
