"""JSON schemas in one form, whichever version of pydantic has made them.

What was offered to a model, or asked of it, is compared with the record as text: it must not change with a library.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["SUBSCHEMAS", "canonical", "changed", "every", "to_text"]

_LEFT_OUT = ("title", "default")
_NOTES = ("description", "examples", "deprecated")
"""Keywords that say something of a schema, and do not change what fits it."""

SUBSCHEMAS = ("properties", "$defs", "patternProperties", "dependentSchemas")
"""Keywords whose value has a schema under each name; the names are the user's."""

_VALUES = ("const", "enum", "examples", "discriminator")
"""Keywords whose value is no schema."""

_OF_OBJECTS = ("properties", "additionalProperties", "patternProperties", "propertyNames")
_TYPES = {str: "string", bool: "boolean", int: "integer", type(None): "null"}
_DECIMAL = "^(?!^[-+.]*$)"
"""How the pattern of a decimal number begins, which only some versions of pydantic have."""

_MAX_EXACT = 2**53


def canonical(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JSON schema that means the same, in the one form that all versions of pydantic come to.

    It is without ``title`` and ``default``, which are for people. An ``allOf`` of one schema is that schema, an
    ``enum`` of one value is a ``const``, and either has the ``type`` that its values have. An object that may have any
    properties says so. ``0.0`` is ``0``. Keys and ``required`` are sorted. The names in ``$defs`` stay.

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
    return changed(schema, _canonical)


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


def changed(schema: Mapping[str, Any], change: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    """Return a schema with each schema in it changed, and then itself; *change* may change what it is given.

    Parameters
    ----------
    schema
        A JSON schema; it is not changed.
    change
        Makes of a schema another one.
    """

    def inner(value: Any) -> Any:
        if isinstance(value, dict):
            return changed(value, change)
        return [inner(item) for item in value] if isinstance(value, (list, tuple)) else value

    made = dict[str, Any]()
    for name, value in schema.items():
        if name in SUBSCHEMAS and isinstance(value, dict):
            made[name] = {key: inner(each) for key, each in value.items()}
        else:
            made[name] = value if name in _VALUES else inner(value)
    return change(made)


def every(schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return all schemas in a schema, and itself."""
    found = list[dict[str, Any]]()

    def note(each: dict[str, Any]) -> dict[str, Any]:
        found.append(each)
        return each

    changed(schema, note)
    return found


def _canonical(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema in the canonical form, if those in it are."""
    found = _unwrapped({name: _plain(value) for name, value in schema.items() if name not in _LEFT_OUT})
    if "const" in found:
        found.pop("enum", None)
    elif len(found.get("enum", ())) == 1:
        (found["const"],) = found.pop("enum")
    if "type" not in found and (kind := _type_of([found["const"]] if "const" in found else found.get("enum", ()))):
        found["type"] = kind
    if found.get("type") == "object" and not any(name in found for name in _OF_OBJECTS):
        found["additionalProperties"] = True
    if str(found.get("pattern", "")).startswith(_DECIMAL):
        del found["pattern"]
    if "required" in found:
        found["required"] = sorted(found["required"])
    return dict(sorted(found.items()))


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
    kinds = {_TYPES.get(type(value), "") for value in values}
    return kinds.pop() if len(kinds) == 1 else ""
