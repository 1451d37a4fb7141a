"""Answers as values: the schema of each kind of type, and the way from an answer's JSON to a value of it."""

import enum
import json
import uuid
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, NamedTuple, NotRequired, TypedDict, TypeVar

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ConfigDict, Field, RootModel, field_validator

from robota_nb.errors import PromptError
from robota_nb.tools.value import Into, ValueInvalid
from support.require import optional


class Person(BaseModel):
    """Somebody."""

    name: str
    age: int


class Address(BaseModel):
    street: str
    person: Person = Field(description="Who lives there.")


class Tree(BaseModel):
    label: str
    children: list["Tree"]


class Loose(BaseModel):
    name: str
    nick: str | None = None
    tags: list[str] = []


class Free(BaseModel):
    model_config = ConfigDict(extra="allow")
    name: str


class Cat(BaseModel):
    type: Literal["cat"]
    lives: int


class Dog(BaseModel):
    type: Literal["dog"]
    breed: str


T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    items: list[T]


class Names(RootModel[list[str]]):
    """Names of people."""


class Mood(enum.Enum):
    GOOD = "good"
    BAD = "bad"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@dataclass
class Span:
    """Some days."""

    first: date
    days: int


@dataclass
class Plan:
    span: Span
    notes: list[str] = field(default_factory=list)


class Row(TypedDict):
    name: str
    mass: float


class Partly(TypedDict):
    name: str
    mass: NotRequired[float]


class Point(NamedTuple):
    x: float
    y: float


ADA = Person(name="Ada", age=36)
OAK = Tree(label="oak", children=[Tree(label="leaf", children=[])])
Pet = Annotated[Cat | Dog, Field(discriminator="type")]

SHAPES = {
    "a model": (Person, ADA, True),
    "a model in a model": (Address, Address(street="Elm", person=ADA), True),
    "a model in itself": (Tree, OAK, True),
    "a model with defaults": (Loose, Loose(name="a"), False),
    "a model with more": (Free, Free(name="a", more=1), False),
    "a model of others": (Page[Person], Page[Person](items=[ADA]), True),
    "a model of a list": (Names, Names(["a", "b"]), True),
    "models": (list[Person], [ADA, ADA], True),
    "models in themselves": (list[Tree], [OAK], True),
    "one of two models": (Person | Address, ADA, True),
    "one of two that say which": (Pet, Dog(type="dog", breed="pug"), True),
    "some that say which": (list[Pet], [Cat(type="cat", lives=9), Dog(type="dog", breed="pug")], True),
    "a model or none": (Person | None, None, True),
    "a dataclass": (Span, Span(date(2026, 12, 1), 3), True),
    "a dataclass in a dataclass": (Plan, Plan(Span(date(2026, 12, 1), 3), ["a"]), False),
    "a typed dict": (Row, {"name": "a", "mass": 1.5}, True),
    "a typed dict with less": (Partly, {"name": "a"}, False),
    "typed dicts": (list[Row], [{"name": "a", "mass": 1.5}], True),
    "a named tuple": (Point, Point(1.0, 2.0), False),
    "a tuple": (tuple[int, str], (1, "a"), False),
    "a tuple of any length": (tuple[int, ...], (1, 2, 3), True),
    "a set": (set[str], {"a"}, False),
    "a literal": (Literal["yes", "no"], "no", True),
    "the only literal": (Literal["yes"], "yes", True),
    "an enum": (Mood, Mood.BAD, True),
    "an enum of numbers": (Level, Level.HIGH, True),
    "enums": (list[Mood], [Mood.GOOD], True),
    "a text": (str, "Grüße", True),
    "a number": (float, 0.5, True),
    "an integer": (int, 7, True),
    "yes or no": (bool, True, True),
    "a number or a text": (int | str, "x", True),
    "a number within bounds": (Annotated[int, Field(ge=1, le=5)], 3, True),
    "a short text": (Annotated[str, Field(max_length=5)], "abc", False),
    "a day": (date, date(2026, 12, 1), True),
    "a time": (datetime, datetime(2026, 12, 1, 9), True),
    "a while": (timedelta, timedelta(hours=2), True),
    "a decimal number": (Decimal, Decimal("1.50"), True),
    "an id": (uuid.UUID, uuid.UUID(int=1), True),
    "a path": (Path, Path("a.csv"), False),
    "a map": (dict[str, int], {"a": 1}, False),
    "a map of models": (dict[str, Person], {"a": ADA}, False),
    "a free map": (dict, {"a": [1, None]}, False),
    "anything": (Any, [1, {"a": None}], False),
    "numbers in lists": (list[list[float]], [[1.0], []], True),
}
each_shape = pytest.mark.parametrize(("kind", "value", "strict"), SHAPES.values(), ids=SHAPES)


def written(kind, value):
    """A value as JSON, as a server writes it that keeps to the schema."""
    into = Into(kind)
    plain = into._adapter.dump_python(value, mode="json", by_alias=True)
    return json.dumps({"value": plain} if into._is_wrapped else plain)


@each_shape
def test_a_value_of_each_shape_comes_back_from_its_json(kind, value, strict):
    assert Into(kind).parse(written(kind, value)) == value


@each_shape
def test_the_schema_of_each_shape_is_an_objects_and_its_values_fit(kind, value, strict):
    into = Into(kind)
    schema = json.loads(into.schema_text)
    assert schema["type"] == "object"
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(json.loads(written(kind, value)))


@each_shape
def test_the_schema_of_each_shape_is_strict_if_it_can_be(kind, value, strict):
    into = Into(kind)
    assert into.is_strict == strict
    assert into.response_format() == {
        "type": "json_schema",
        "json_schema": {"name": into.name, "schema": json.loads(into.schema_text), "strict": strict},
    }


RECORDED = Path(__file__).with_name("into.json")
"""What has to be asked for, for each shape, as pydantic 2.11 has made it."""


@each_shape
def test_the_schema_of_each_shape_is_that_of_the_oldest_pydantic(kind, value, strict, request):
    assert (
        json.loads(Into(kind).schema_text) == json.loads(RECORDED.read_text(encoding="utf-8"))[request.node.callspec.id]
    )


def test_there_are_thirty_shapes_at_least():
    assert len(SHAPES) >= 30


NAMES = [
    (Person, "Person"), (list[Person], "list_Person"), (Person | None, "Person_or_None"),
    (dict[str, int], "dict_str_int"), (Literal["yes", "no"], "one_of_yes_no"), (Annotated[int, Field(ge=1)], "int"),
    (Page[Person], "Page_Person"), (Any, "Any"), (None, "None"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "name"), NAMES, ids=[name for _, name in NAMES])
def test_a_schema_has_a_name_that_servers_take(kind, name):
    assert Into(kind).name == name


def test_a_schema_of_a_long_or_foreign_name_has_one_that_servers_take():
    assert Into(type("날씨", (Person,), {})).name == "value"
    assert len(Into(Literal["a" * 100]).name) == 64


# -- the schema


def test_what_is_described_where_it_is_used_keeps_its_description():
    schema = json.loads(Into(Address).schema_text)
    assert "$defs" not in schema
    assert schema["properties"]["person"]["description"] == "Who lives there."
    assert schema["properties"]["person"]["required"] == ["age", "name"]


def test_a_class_that_holds_itself_under_a_description_ends():
    class Chain(BaseModel):
        link: "Chain | None"
        first: "Chain" = Field(description="The first one.")

    assert not Into(Chain).is_strict
    Draft202012Validator.check_schema(json.loads(Into(Chain).schema_text))


def test_the_description_of_a_dataclass_is_its_docstring_and_not_its_signature():
    assert json.loads(Into(Span).schema_text)["description"] == "Some days."
    assert "description" not in json.loads(Into(Plan).schema_text)


# -- answers


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "Ada", "age": 36}',
        '\n  {"name": "Ada", "age": 36}\n',
        '```json\n{"name": "Ada", "age": 36}\n```',
        '```\n{"name": "Ada", "age": 36}\n```\n',
        'Here it is:\n\n```json\n{"name": "Ada",\n "age": 36}```\n\nAnything else?',
        '\ufeff{"name": "Ada", "age": "36"}',
        '{"name": "Ada", "age": 36, "born": 1815}',
    ],
)
def test_json_is_read_also_in_a_fence(text):
    assert Into(Person).parse(text) == ADA


def test_a_fence_within_the_json_is_no_fence():
    assert Into(str).parse(json.dumps({"value": "```json\n1\n```"})) == "```json\n1\n```"
    text = '```json\n{"value": "```json\\n1\\n```"}\n```'
    assert Into(str).parse(text) == "```json\n1\n```"


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (list[int], "[1, 2]", [1, 2]),
        (list[int], "```json\n[1]\n```", [1]),
        (int, "7", 7),
        (Literal["yes", "no"], '"yes"', "yes"),
        (Person | None, '{"name": "Ada", "age": 36}', ADA),
        (Person | None, "null", None),
    ],
)
def test_a_value_that_a_server_did_not_put_into_an_object_is_read(kind, text, value):
    assert Into(kind).parse(text) == value


def problem(kind, text):
    """Why an answer is no value of a type."""
    with pytest.raises(ValueInvalid) as raised:
        Into(kind).parse(text)
    assert str(raised.value) == "\n".join(raised.value.problem)
    return raised.value.problem


def test_each_fault_is_a_line():
    assert problem(Person, '{"age": "old"}') == (
        "name: Field required",
        'age: Input should be a valid integer, unable to parse string as an integer (got "old")',
    )
    assert problem(list[Person], '{"value": [{"name": "a"}]}') == ("value[0].age: Field required",)
    assert problem(list[Person], '[{"name": "a"}]') == ("[0].age: Field required",)


@pytest.mark.parametrize("text", ["", "I cannot say.", '{"name": "Ada", ', "[]", "null", "```json\nno\n```"])
@pytest.mark.parametrize("kind", [Person, Person | Address])
def test_what_is_no_such_value_is_said(kind, text):
    assert all("\n" not in line and "http" not in line for line in problem(kind, text))


def test_at_most_five_faults_are_told():
    lines = problem(list[int], json.dumps({"value": ["x"] * 20}))
    assert len(lines) == 5
    assert lines[-1].endswith("(and 15 more)")


def test_a_class_whose_check_fails_is_a_fault():
    class Broken(BaseModel):
        code: str

        @field_validator("code")
        @classmethod
        def check(cls, value):
            raise KeyError(value)

    assert problem(Broken, '{"code": "a"}') == ("KeyError: 'a'",)


@pytest.mark.parametrize("kind", [3, "Nobody", lambda: 1, list[asdict], list["Nobody"], type("DataFrame", (), {})])  # noqa: F821
def test_what_is_no_such_type_is_refused_with_what_to_name_instead(kind):
    with pytest.raises(PromptError, match=r"^an answer cannot be .*: name a class of pydantic") as raised:
        Into(kind)
    assert "\n" not in str(raised.value)


# -- rows

RECORDS = {
    "models": (list[Person], [ADA], [{"name": "Ada", "age": 36}]),
    "a model": (Person, ADA, [{"name": "Ada", "age": 36}]),
    "dataclasses": (list[Span], [Span(date(2026, 12, 1), 3)], [asdict(Span(date(2026, 12, 1), 3))]),
    "typed dicts": (list[Row], [{"name": "a", "mass": 1.5}], [{"name": "a", "mass": 1.5}]),
    "named tuples": (list[Point], [Point(1.0, 2.0)], [{"x": 1.0, "y": 2.0}]),
    "a named tuple": (Point, Point(1.0, 2.0), [{"x": 1.0, "y": 2.0}]),
    "a tuple": (tuple[int, ...], (1, 2), [{"value": 1}, {"value": 2}]),
    "enums": (list[Mood], [Mood.GOOD], [{"value": "good"}]),
    "a map": (dict[Mood, int], {Mood.GOOD: 1}, [{"good": 1}]),
    "a scalar": (int, 7, [{"value": 7}]),
    "a model of a list": (Names, Names(["a", "b"]), [{"value": "a"}, {"value": "b"}]),
    "nothing": (list[Person], [], []),
}


@pytest.mark.parametrize(("kind", "value", "records"), RECORDS.values(), ids=RECORDS)
def test_a_value_becomes_the_rows_of_a_data_frame(kind, value, records):
    assert Into(kind).to_records(value) == records


def test_rows_are_what_pandas_makes_a_data_frame_of():
    pd = optional("pandas", "pip install pandas")
    into = Into(list[Row])
    rows = into.parse('{"value": [{"name": "a", "mass": 1}, {"name": "b", "mass": 2.5}]}')
    frame = pd.DataFrame(into.to_records(rows))
    assert list(frame.columns) == ["name", "mass"]
    assert frame.mass.sum() == 3.5
