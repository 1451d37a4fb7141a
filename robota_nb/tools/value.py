"""Answers as values of a type: the JSON schema that a server is asked to keep to, and the way from JSON to a value."""

from __future__ import annotations

import dataclasses
import json
import re
from enum import Enum
from functools import cached_property
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from robota_nb.core.record.config import settings_from
from robota_nb.errors import AnswerInvalid, PromptError
from robota_nb.tools.canonical import SUBSCHEMAS, changed, every, to_text
from robota_nb.tools.results import error_text
from robota_nb.tools.validation import faults_of, for_pydantic, schema_maker

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import BaseModel, TypeAdapter

__all__ = ["Into", "ValueInvalid"]

_MAX_NAME = 64
_TOLD = 3  # faults of an answer that its user is told
_FENCED = re.compile(r"```(?:json)?[ \t]*\n(.*)```", re.DOTALL | re.IGNORECASE)
_REF = "#/$defs/"

_STRICT = frozenset({
    "$defs", "$ref", "additionalProperties", "anyOf", "const", "description", "enum", "exclusiveMaximum",
    "exclusiveMinimum", "format", "items", "maxItems", "maximum", "minItems", "minimum", "multipleOf", "pattern",
    "properties", "required", "type",
})  # fmt: skip
"""The keywords that OpenAI's strict mode knows."""

_FORMATS = frozenset({"date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uuid"})


class ValueInvalid(ValueError):
    """An answer is no value of the type that was asked for.

    Parameters
    ----------
    problem
        Why: a line for each fault, for the model.
    """

    def __init__(self, problem: tuple[str, ...]) -> None:
        super().__init__("\n".join(problem))
        self.problem = problem


class Into:
    """A type that an answer is to be a value of.

    Parameters
    ----------
    kind
        A model of pydantic, a dataclass, a `TypedDict`, an `Enum`, a ``Literal``, a scalar, a list or a union of those:
        whatever pydantic can make of JSON.

    Attributes
    ----------
    schema_text
        The JSON schema, of an object, as text in its canonical form. Where values are no objects, they are its
        ``value``. Of what a class declares, it allows no more.
    name
        What the server is told that it is called.
    is_strict
        Whether OpenAI's strict mode takes the schema: then an answer cannot but fit.

    Raises
    ------
    PromptError
        If a model cannot write values of this type.

    Examples
    --------
    >>> into = Into(list[int])
    >>> into.schema_text
    '{"additionalProperties":false,"properties":{"value":{"items":{"type":"integer"},"type":"array"}},\
"required":["value"],"type":"object"}'
    >>> into.parse('{"value": [1, "2"]}')
    [1, 2]
    """

    def __init__(self, kind: Any) -> None:
        self.kind = kind
        self.name = re.sub(r"[^A-Za-z0-9_-]+", "_", _called(kind)).strip("_")[:_MAX_NAME] or "value"
        self._adapter, schema = _adapted(kind)
        schema = _root(changed(json.loads(to_text(schema)), _closed))
        self._is_wrapped = schema.get("type") != "object"
        if self._is_wrapped:
            schema = _wrapped(schema)
        schema = _without_notes_at_references(schema)
        self.schema_text = to_text(schema)
        self.is_strict = all(map(_fits_strict, every(schema)))

    def __repr__(self) -> str:
        return f"Into({self.name})"

    def response_format(self) -> dict[str, Any]:
        """Return the parameter of Chat Completions that asks for such a value."""
        schema = {"name": self.name, "schema": json.loads(self.schema_text), "strict": self.is_strict}
        return {"type": "json_schema", "json_schema": schema}

    def parse(self, text: str) -> Any:
        """Return the value that an answer is.

        Parameters
        ----------
        text
            JSON, also in a Markdown fence. Servers that do not keep to a schema may leave out that values which are no
            objects stand in one.

        Raises
        ------
        ValueInvalid
            If it is no such value.
        """
        from pydantic import ValidationError

        text = _json_in(text)
        try:
            if not self._is_wrapped or not text.startswith("{"):
                return self._adapter.validate_json(text)
            try:
                return getattr(self._wrapper.model_validate_json(text), "value")  # noqa: B009 - made above
            except ValidationError as error:
                try:
                    return self._adapter.validate_json(text)  # an object, as one of several kinds of values
                except ValidationError:
                    raise error from None
        except ValidationError as error:
            raise ValueInvalid(faults_of(error)) from None
        except Exception as error:  # a class of the user's has a validator that fails
            raise ValueInvalid((error_text(error),)) from error

    # -- as the core asks for it (see `robota_nb.core.ports.AnswerForm`)

    def faults(self, text: str) -> Sequence[str]:
        """Return why a text is no such value, a line for each fault; nothing if it is one."""
        try:
            self.parse(text)
        except ValueInvalid as error:
            return error.problem
        return ()

    def value(self, text: str) -> Any:
        """Return the value that a text is; raise `AnswerInvalid` if it is none."""
        try:
            return self.parse(text)
        except ValueInvalid as error:
            more = len(error.problem) - _TOLD
            rest = f"; and {more} more" if more > 0 else ""
            said = "; ".join(error.problem[:_TOLD])
            raise AnswerInvalid(f"the answer is no {self.name}: {said}{rest}", hint="answer.invalid") from None

    def frame(self, text: str) -> Any:
        """Return the value that a text is as a data frame of pandas; raises as `value`."""
        rows = self.to_records(self.value(text))
        try:
            import pandas as pd  # type: ignore[import-untyped, unused-ignore]
        except ImportError:
            raise AnswerInvalid("a data frame needs pandas: pip install pandas, or take turn.value") from None
        return pd.DataFrame(rows)

    def settings(self) -> dict[str, str]:
        """Return the setting of an ask that asks for such a value."""
        return settings_from({"response_format": self.response_format()})

    def to_records(self, value: Any) -> list[dict[str, Any]]:
        """Return a value as the rows of a data frame: one for each item, or a single one.

        Parameters
        ----------
        value
            What `parse` has returned. Of an object, each field is a column; anything else is the column ``value``.

        Examples
        --------
        >>> Into(list[int]).to_records([1, 2])
        [{'value': 1}, {'value': 2}]
        """
        from pydantic import RootModel

        if isinstance(value, RootModel):
            value = value.root
        many = isinstance(value, (list, set, frozenset)) or (isinstance(value, tuple) and not hasattr(value, "_fields"))
        return [_record(item) for item in (value if many else [value])]

    @cached_property
    def _wrapper(self) -> type[BaseModel]:
        from pydantic import create_model

        fields: dict[str, Any] = {"value": (for_pydantic(self.kind), ...)}
        return create_model("Value", **fields)


# -- the type


def _adapted(kind: Any) -> tuple[TypeAdapter[Any], dict[str, Any]]:
    """Return what makes values of a type, and its schema; or raise `PromptError`."""
    from pydantic import TypeAdapter

    try:
        adapter = TypeAdapter[Any](for_pydantic(kind))
        return adapter, adapter.json_schema(schema_generator=schema_maker())
    except Exception as error:  # a class of the user's may raise anything
        instead = "name a class of pydantic, a dataclass, a TypedDict, an Enum, or list[…] of one"
        if getattr(error, "code", "") == "typed-dict-version":
            instead = "import TypedDict from typing_extensions, or use Python 3.12 or later"
        raise PromptError(f"an answer cannot be {_said(kind)}: {instead}") from error


def _said(kind: Any) -> str:
    return (kind.__name__ if isinstance(kind, type) else repr(kind))[:100]


def _called(kind: Any) -> str:
    """Return a name for a type, such as ``list_Person``."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind in (None, type(None)):
        return "None"
    if origin is Annotated:
        return _called(inner[0])
    if origin in (Union, UnionType):
        return "_or_".join(map(_called, inner))
    if origin is Literal:
        return "_".join(["one_of", *map(str, inner)])
    if origin is not None:
        return "_".join([origin.__name__, *map(_called, inner)])
    return str(getattr(kind, "__name__", kind))


# -- the schema


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that allows what is declared and no more, and tells classes apart without ``discriminator``."""
    if schema.get("type") == "object" and "properties" in schema:
        schema.setdefault("additionalProperties", False)
    if schema.pop("discriminator", None) is not None and "oneOf" in schema:
        schema["anyOf"] = schema.pop("oneOf")
    return schema


def _root(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema whose root is no reference, as that of a class which holds its own kind is."""
    found = schema.get("$defs", {}).get(_reference(schema))
    return found | {name: value for name, value in schema.items() if name != "$ref"} if found else schema


def _wrapped(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of an object with a value."""
    made: dict[str, Any] = {
        "type": "object", "required": ["value"], "additionalProperties": False,
        "properties": {"value": {name: value for name, value in schema.items() if name != "$defs"}},
    }  # fmt: skip
    return made | ({"$defs": schema["$defs"]} if "$defs" in schema else {})


def _without_notes_at_references(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema with a definition in the place of a reference that has a description of its own.

    Strict mode wants that. A definition that holds itself stays where it is.
    """
    known = schema.get("$defs", {})

    def inlined(each: dict[str, Any]) -> dict[str, Any]:
        name = _reference(each)
        if len(each) == 1 or name not in known or name in _reached(known[name], known):
            return each
        return changed(known[name], inlined) | {key: value for key, value in each.items() if key != "$ref"}

    made = changed({key: value for key, value in schema.items() if key != "$defs"}, inlined)
    defs = {name: changed(definition, inlined) for name, definition in known.items()}
    used = {name: defs[name] for name in _reached(made, defs)}
    return made | ({"$defs": used} if used else {})


def _reference(schema: Mapping[str, Any]) -> str:
    return str(schema.get("$ref", "")).removeprefix(_REF)


def _reached(schema: Mapping[str, Any], known: Mapping[str, Any]) -> set[str]:
    """Return the names of the definitions that a schema refers to, and those that these refer to."""
    found, left = set[str](), [schema]
    while left:
        new = {_reference(each) for each in every(left.pop())} & known.keys() - found
        found |= new
        left += [known[name] for name in new]
    return found


def _fits_strict(schema: Mapping[str, Any]) -> bool:
    """Say whether OpenAI's strict mode takes a schema, if it takes those in it."""
    if not schema.keys() <= _STRICT or schema.get("format", "date") not in _FORMATS:
        return False
    if "$ref" in schema:
        return schema.keys() <= {"$ref", *SUBSCHEMAS}
    if "(?" in schema.get("pattern", "").replace("(?:", ""):  # it cannot look around
        return False
    match schema.get("type"):
        case "object":
            all_of_them = sorted(schema.get("properties", ())) == sorted(schema.get("required", ()))
            return all_of_them and schema.get("additionalProperties") is False
        case "array":
            return "items" in schema
        case None:
            return "anyOf" in schema
    return True


# -- the answer


def _json_in(text: str) -> str:
    """Return the JSON of an answer, which may stand in a fence, with words around it."""
    text = text.strip("\ufeff \t\r\n")
    found = None if text.startswith(("{", "[", '"')) else _FENCED.search(text)
    return found[1].strip() if found else text


def _record(value: Any) -> dict[str, Any]:
    """Return a value as a row."""
    from pydantic import BaseModel

    if isinstance(value, BaseModel):
        found: Any = value.model_dump()
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        found = dataclasses.asdict(value)
    elif isinstance(value, tuple) and hasattr(value, "_asdict"):
        found = value._asdict()
    else:
        found = value if isinstance(value, dict) else {"value": value}
    return {str(_cell(name)): _cell(each) for name, each in found.items()}


def _cell(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value
