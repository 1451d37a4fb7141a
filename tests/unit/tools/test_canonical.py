"""JSON schemas in one form: the same text for the same type, whichever version of pydantic has made it."""

import doctest
import enum
import importlib
import json
from pathlib import Path
from typing import Any, Literal, Optional

import pytest
from pydantic import BaseModel, Field

from robota_nb.tools.canonical import canonical, changed, every, to_text

RECORDED = json.loads(Path(__file__).with_name("schemas.json").read_text(encoding="utf-8"))
"""The schema of `Trip`, as each of these versions of pydantic has made it."""


class Kind(enum.Enum):
    ONE = "one"
    TWO = "two"


class Only(enum.Enum):
    ONE = "one"


class Place(BaseModel):
    """Where."""

    name: str


class Trip(BaseModel):
    title: str = "x"
    to: Place = Field(default=Place(name="Oslo"), description="The goal.")
    plain: Place
    via: Optional[Place] = None  # noqa: UP045 - one way or the other
    kind: Kind = Kind.ONE
    only: Only = Field(description="Just one.")
    unit: Literal["km"]
    mode: Literal["car", "bus"] = Field("car", description="How.")
    mixed: Literal["a", 1, None]  # noqa: PYI061 - pydantic tells the two apart
    size: float = Field(gt=0, le=10.5)
    days: int = Field(ge=1)
    tags: dict[str, list[Place]] = {}
    pair: tuple[int, str]
    any: Any


def test_the_versions_of_pydantic_differ():
    assert len({json.dumps(schema, sort_keys=True) for schema in RECORDED.values()}) == 5


@pytest.mark.parametrize("version", RECORDED)
def test_the_schema_that_any_version_of_pydantic_makes_is_the_same(version):
    assert to_text(RECORDED[version]) == to_text(Trip.model_json_schema())


PLACE = {"$ref": "#/$defs/Place"}
FORMS = {
    "a reference": (
        {**PLACE, "description": "where"},
        [
            {"allOf": [PLACE], "default": {"name": "Oslo"}, "description": "where"},
            {**PLACE, "default": {"name": "Oslo"}, "description": "where"},
            {"allOf": [PLACE], "description": "where", "title": "Place"},
        ],
    ),
    "a literal": (
        {"const": "km", "type": "string"},
        [{"const": "km"}, {"const": "km", "enum": ["km"], "type": "string"}, {"enum": ["km"], "title": "Unit"}],
    ),
    "literals": (
        {"enum": ["km", "mi"], "type": "string"},
        [{"enum": ["km", "mi"]}, {"enum": ["km", "mi"], "type": "string", "default": "km", "title": "Unit"}],
    ),
    "a number": (
        {"exclusiveMinimum": 0, "maximum": 10.5, "type": "number"},
        [{"exclusiveMinimum": 0.0, "maximum": 10.5, "type": "number", "title": "Size", "default": 1.0}],
    ),
    "a free map": (
        {"additionalProperties": True, "type": "object"},
        [{"type": "object"}, {"type": "object", "title": "Options", "additionalProperties": True}],
    ),
    "a decimal": (
        {"anyOf": [{"type": "number"}, {"type": "string"}]},
        [{"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^(?!^[-+.]*$)[+-]?0*\d*\.?\d*$"}]}],
    ),
    "what is required": (
        {"properties": {"a": {}, "b": {}}, "required": ["a", "b"], "type": "object"},
        [{"type": "object", "required": ["b", "a"], "properties": {"b": {"title": "B"}, "a": {"title": "A"}}}],
    ),
}


@pytest.mark.parametrize(("form", "others"), FORMS.values(), ids=FORMS)
def test_what_means_the_same_becomes_the_same(form, others):
    assert canonical(form) == form
    for other in others:
        assert list(canonical(other).items()) == list(form.items())


def test_names_and_values_of_the_users_are_left_alone():
    schema = {
        "properties": {
            "default": {"enum": ["title", "default"], "title": "Default", "type": "string"},
            "title": {"$ref": "#/$defs/title", "title": "Title"},
            "allOf": {"const": {"title": 1, "default": 2}},
        },
        "$defs": {"title": {"type": "integer", "title": "title"}},
        "type": "object",
    }
    assert canonical(schema) == {
        "$defs": {"title": {"type": "integer"}},
        "properties": {
            "allOf": {"const": {"default": 2, "title": 1}},
            "default": {"enum": ["title", "default"], "type": "string"},
            "title": {"$ref": "#/$defs/title"},
        },
        "type": "object",
    }


@pytest.mark.parametrize(
    "schema",
    [
        {"allOf": [{"minimum": 1}, {"maximum": 3}]},
        {"allOf": [{"type": "integer", "minimum": 1}], "minimum": 2},
        {"enum": ["a", 1, None]},
        {"pattern": "^a+$", "type": "string"},
        {"additionalProperties": False, "properties": {}, "type": "object"},
    ],
)
def test_what_would_mean_something_else_stays(schema):
    assert canonical(schema) == schema


def test_it_is_made_once_for_all():
    once = canonical(Trip.model_json_schema())
    assert canonical(once) == once
    assert canonical(json.loads(to_text(once))) == once


def test_a_schema_is_not_changed_itself():
    schema = Trip.model_json_schema()
    before = json.dumps(schema)
    canonical(schema)
    changed(schema, lambda each: {**each, "x": 1})
    assert json.dumps(schema) == before


def test_a_number_that_json_has_not_is_refused():
    with pytest.raises(ValueError):
        to_text({"maximum": float("inf")})


def test_every_schema_in_a_schema_is_found():
    found = every({"properties": {"a": {"items": {"type": "integer"}}, "type": {"anyOf": [{"const": {"b": {}}}]}}})
    assert len(found) == 5


@pytest.mark.parametrize("name", ["canonical", "function", "results", "validation", "value"])
def test_the_examples_in_the_docstrings_are_true(name):
    assert doctest.testmod(importlib.import_module(f"robota_nb.tools.{name}")).failed == 0
