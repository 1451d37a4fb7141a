"""What models may call: what they are told of a function, which arguments it takes, and which functions are refused."""

import asyncio
import copy
import enum
import functools
import json
import linecache
import math
import pickle
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, TypedDict

import pytest
from pydantic import BaseModel, Field, field_validator

from robota_nb.core.record.entries import source_hash
from robota_nb.core.record.types import ToolSpec
from robota_nb.errors import ToolError
from robota_nb.tools.function import InvalidArguments, Tool, tool
from support.require import optional


def parameters(made):
    """The schema of a tool's arguments."""
    return json.loads(made.spec.parameters)


@tool
def rows(table: str, limit: int = 20) -> list[str]:
    """Return the first rows of a table."""
    return [table] * limit


@tool(safe=True, name="warmth")
def temperature(city: str) -> str:
    """Return how warm it is."""
    return f"7 °C in {city}"


# -- what the model is told


def test_a_tool_is_told_by_its_name_its_docstring_and_its_hints():
    assert rows.spec == ToolSpec(
        name="rows",
        description="Return the first rows of a table.",
        parameters='{"additionalProperties":false,"properties":{"limit":{"type":"integer"},"table":{"type":"string"}},'
        '"required":["table"],"type":"object"}',
    )


def test_a_tool_asks_first_unless_it_is_said_to_be_safe():
    assert not rows.safe
    assert temperature.safe
    assert (temperature.name, temperature.spec.name) == ("warmth", "warmth")


def numpy_style(city, unit="C"):
    """Return how warm it is.

    It is measured once an hour,
    at the airport.

    Parameters
    ----------
    city
        Where, such as ``Oslo``.
    unit : str
        C or F.

    Returns
    -------
    str
        The temperature.
    """


def google_style(city, unit="C"):
    """Return how warm it is.

    It is measured once an hour,
    at the airport.

    Args:
        city: Where, such as ``Oslo``.
        unit (str): C or F.

    Returns:
        The temperature.
    """


def rest_style(city, unit="C"):
    """Return how warm it is.

    It is measured once an hour,
    at the airport.

    :param city: Where, such as ``Oslo``.
    :param str unit: C or F.
    :returns: The temperature.
    """


@pytest.mark.parametrize("function", [numpy_style, google_style, rest_style], ids=lambda each: each.__name__)
def test_a_docstring_of_each_style_describes_the_tool_and_its_parameters(function):
    made = tool(function)
    assert made.spec.description == "Return how warm it is.\n\nIt is measured once an hour,\nat the airport."
    assert parameters(made)["properties"] == {
        "city": {"description": "Where, such as ``Oslo``."},
        "unit": {"description": "C or F."},
    }


def test_two_parameters_described_together_are_each_described():
    def distance(x, y):
        """Return a distance.

        Parameters
        ----------
        x, y
            Places.
        """

    assert {each["description"] for each in parameters(tool(distance))["properties"].values()} == {"Places."}


def test_a_docstring_of_no_known_style_is_the_description():
    def odd(x):
        """Do it.  >>> odd(:param)  :raises"""

    assert tool(odd).spec.description.startswith("Do it.")


def test_a_function_without_docstring_has_no_description():
    def plain(x): ...

    assert tool(plain).spec.description == ""


def test_hints_of_pydantic_go_into_the_schema():
    def ask(n: Annotated[int, Field(ge=1, description="How many.")], unit: Literal["km", "mi"], only: Literal["x"]): ...

    assert parameters(tool(ask))["properties"] == {
        "n": {"description": "How many.", "minimum": 1, "type": "integer"},
        "only": {"const": "x", "type": "string"},
        "unit": {"enum": ["km", "mi"], "type": "string"},
    }


def test_a_default_is_not_told_and_its_parameter_not_required():
    def ask(a: int, b: int = 3, c: object = object()): ...

    assert parameters(tool(ask))["required"] == ["a"]
    assert "default" not in tool(ask).spec.parameters


def test_hints_that_are_strings_are_read():
    def ask(city: "str", days: "list[int] | None" = None): ...

    assert parameters(tool(ask))["properties"]["city"] == {"type": "string"}
    assert tool(ask).arguments('{"city": "Oslo", "days": [1]}') == {"city": "Oslo", "days": [1]}


@pytest.mark.parametrize("name", ["title", "default", "_table", "copy", "model_config", "schema", "self_", "json"])
def test_a_parameter_may_have_any_name(name):
    scope = {}
    exec(f"def ask({name}: int, other: str = 'x'): return {name}", scope)
    made = tool(scope["ask"])
    assert parameters(made)["properties"][name] == {"type": "integer"}
    assert made.call(made.arguments(json.dumps({name: 3}))) == 3


# -- it stays the function


def test_a_tool_is_called_like_its_function():
    assert rows("a", limit=2) == ["a", "a"]
    assert rows.__wrapped__("b", 1) == ["b"]
    assert (rows.__name__, rows.__doc__) == ("rows", "Return the first rows of a table.")


def test_its_repr_is_short():
    assert repr(rows) == "<Tool rows(table, limit)>"
    assert repr(temperature) == "<Tool warmth(city), safe>"


def test_a_tool_of_a_tool_is_that_tool():
    assert tool(rows) is rows
    assert tool(temperature).safe
    assert (again := tool(rows, name="first_rows")).function is rows.function
    assert again.name == "first_rows"


def test_a_tool_is_pickled_by_its_name_as_its_function_is():
    assert pickle.loads(pickle.dumps(rows)) is rows


def test_a_tool_made_of_a_function_is_pickled_with_it():
    made = pickle.loads(pickle.dumps(tool(numpy_style, name="warm", safe=True)))
    assert isinstance(made, Tool)
    assert (made.name, made.safe, made.function) == ("warm", True, numpy_style)


def test_a_decorated_function_under_another_name_is_pickled_and_no_safer_than_it_was():
    made = pickle.loads(pickle.dumps(Tool(temperature.function, name="other")))
    assert (made.name, made.safe, made.function) == ("other", False, temperature.function)


def test_a_copy_of_a_tool_is_that_tool():
    assert copy.copy(rows) is rows
    assert copy.deepcopy({"tool": rows})["tool"] is rows


# -- all kinds of functions


class Thermometer:
    """Measures."""

    def __init__(self, degrees):
        self.degrees = degrees

    @tool
    def read(self, unit: str) -> str:
        """Return what it says."""
        return f"{self.degrees} {unit}"

    def add(self, change: int) -> int:
        """Return it with a change."""
        return self.degrees + change

    def __call__(self, factor: float) -> float:
        """Return a multiple of it."""
        return self.degrees * factor


def test_a_method_that_is_a_tool_is_one_of_each_object():
    made = Thermometer(7).read
    assert list(parameters(made)["properties"]) == ["unit"]
    assert made("°C") == made.call(made.arguments('{"unit": "°C"}')) == "7 °C"
    assert pickle.loads(pickle.dumps(made)).call({"unit": "K"}) == "7 K"


def test_a_bound_method_is_a_tool():
    made = tool(Thermometer(7).add)
    assert (made.name, made.spec.description) == ("add", "Return it with a change.")
    assert made.call(made.arguments('{"change": -2}')) == 5


def test_an_object_that_can_be_called_is_a_tool():
    made = tool(Thermometer(2))
    assert (made.name, made.spec.description) == ("Thermometer", "Return a multiple of it.")
    assert made.call(made.arguments('{"factor": 1.5}')) == 3.0


def test_what_a_partial_has_fixed_is_not_the_models_to_change():
    def query(sql: str, database: str, limit: int = 10) -> str:
        """Ask a database."""
        return f"{database}: {sql} {limit}"

    made = tool(functools.partial(query, database="copy"))
    assert (made.name, made.spec.description) == ("query", "Ask a database.")
    assert list(parameters(made)["properties"]) == ["limit", "sql"]
    assert made.call(made.arguments('{"sql": "select 1"}')) == "copy: select 1 10"
    with pytest.raises(InvalidArguments, match="database: Extra inputs are not permitted"):
        made.arguments('{"sql": "select 1", "database": "real"}')


def test_a_function_that_wraps_another_has_its_parameters():
    @functools.wraps(numpy_style)
    def wrapper(*args, **kwargs):
        return kwargs

    made = tool(wrapper)
    assert (made.name, list(parameters(made)["properties"])) == ("numpy_style", ["city", "unit"])
    assert made.call(made.arguments('{"city": "Oslo"}')) == {"city": "Oslo", "unit": "C"}


def test_a_function_that_caches_is_a_tool():
    made = tool(functools.lru_cache(rows.function))
    assert made.call(made.arguments('{"table": "a", "limit": 1}')) == ["a"]


def test_an_async_function_is_a_tool_whose_call_is_awaited():
    @tool
    async def fetch(name: str) -> str:
        return f"got {name}"

    assert fetch.is_async
    assert not rows.is_async
    assert asyncio.run(fetch.call(fetch.arguments('{"name": "a"}'))) == "got a"


def test_parameters_without_names_for_callers_are_given_by_place():
    def ratio(a: int, b: int = 2, /, *, digits: int = 1):
        return round(a / b, digits)

    made = tool(ratio)
    assert made.call(made.arguments('{"a": 5}')) == 2.5


def test_a_lambda_is_a_tool_under_a_name():
    assert tool(lambda x: x + 1, name="next").call({"x": 1}) == 2


def test_a_parameter_without_a_hint_takes_any_json():
    made = tool(numpy_style)
    for value in (None, 1, "x", [1, {"a": None}], {"b": 2.5}):
        assert made.arguments(json.dumps({"city": value}))["city"] == value


# -- arguments


class Unit(enum.Enum):
    KM = "km"
    MI = "mi"


class Place(BaseModel):
    name: str
    at: tuple[float, float]


@dataclass
class Span:
    first: date
    days: int = 1


class Filter(TypedDict, total=False):
    column: str
    values: list[str]


def test_arguments_become_what_the_hints_say():
    def ask(*, unit: Unit, place: Place, span: Span, only: Filter, file: Path, share: float, flag: bool): ...

    found = tool(ask).arguments(
        json.dumps({
            "unit": "mi", "place": {"name": "Oslo", "at": [59.9, 10.7]}, "span": {"first": "2026-12-01"},
            "only": {"column": "a"}, "file": "a.csv", "share": 1, "flag": True,
        })
    )  # fmt: skip
    assert found == {
        "unit": Unit.MI, "place": Place(name="Oslo", at=(59.9, 10.7)), "span": Span(date(2026, 12, 1)),
        "only": {"column": "a"}, "file": Path("a.csv"), "share": 1.0, "flag": True,
    }  # fmt: skip


def test_a_default_is_that_very_object():
    default = object()

    def ask(a=default): ...

    assert tool(ask).arguments("{}") == {"a": default}


@pytest.mark.parametrize("text", ["", "  \n", "{}"])
def test_no_arguments_are_an_empty_object(text):
    assert rows_of_nothing.arguments(text) == {}


@tool
def rows_of_nothing() -> None:
    """Do nothing."""


def invalid(made, text):
    """The lines with which arguments are refused."""
    with pytest.raises(InvalidArguments) as raised:
        made.arguments(text)
    return str(raised.value).splitlines()


def test_each_fault_of_the_arguments_is_a_line():
    assert invalid(rows, '{"limit": "ten", "sort": "up"}') == [
        "table: Field required",
        'limit: Input should be a valid integer, unable to parse string as an integer (got "ten")',
        "sort: Extra inputs are not permitted",
    ]


def test_a_fault_within_a_list_of_objects_says_where():
    def draw(places: list[Place]): ...

    assert invalid(tool(draw), '{"places": [{"name": "a", "at": [1, 2]}, {"name": "b", "at": [1, "x"]}]}') == [
        'places[1].at[1]: Input should be a valid number, unable to parse string as a number (got "x")'
    ]


@pytest.mark.parametrize("text", ['{"table": "cit', "rows", "[]", "null", '"cities"', "{'table': 'a'}"])
def test_what_is_no_json_object_is_refused_in_one_line(text):
    (line,) = invalid(rows, text)
    assert "JSON" in line or "object" in line


def test_at_most_five_faults_are_told():
    lines = invalid(rows, json.dumps({"table": "a"} | dict.fromkeys("bcdefghi", 1)))
    assert len(lines) == 5
    assert lines[-1].endswith("(and 3 more)")


def test_what_the_model_wrote_is_repeated_to_a_hundred_characters_and_without_addresses():
    class Checked(BaseModel):
        code: str

        @field_validator("code")
        @classmethod
        def check(cls, value):
            raise ValueError(f"no such code: {value}")

    def find(limit: int, item: Checked): ...

    lines = invalid(tool(find), json.dumps({"limit": "x" * 5000, "item": {"code": "y" * 5000}, "z" * 5000: 1}))
    assert len(lines) == 3
    assert all(len(line) < 500 and "http" not in line for line in lines)
    assert max(line.count("x") for line in lines) < 110
    assert "no such code: yyy" in lines[1]


def test_a_type_whose_check_fails_makes_the_arguments_invalid():
    class Broken(BaseModel):
        code: str

        @field_validator("code")
        @classmethod
        def check(cls, value):
            return {}[value]

    def find(item: Broken): ...

    assert invalid(tool(find), '{"item": {"code": "a"}}') == ["KeyError: 'a'"]


def test_the_types_of_parameters_are_as_open_as_they_are_without_the_tool():
    def keep(row: Filter, span: Span): ...

    found = tool(keep).arguments('{"row": {"column": "a", "more": 1}, "span": {"first": "2026-12-01", "more": 1}}')
    assert found == {"row": {"column": "a"}, "span": Span(date(2026, 12, 1))}
    assert '"additionalProperties":false' not in json.dumps(parameters(tool(keep))["$defs"], separators=(",", ":"))


def test_reading_arguments_never_calls_the_function():
    called = []

    @tool
    def remove(path: str) -> None:
        called.append(path)

    assert remove.arguments('{"path": "a"}') == {"path": "a"}
    assert called == []
    remove.call({"path": "a"})
    assert called == ["a"]


# -- what is refused


class DataFrame:
    """What JSON has not."""


def with_frame(frame: DataFrame): ...
def with_nested_frame(frames: dict[str, DataFrame]): ...
def with_function(place: json.loads): ...
def with_list(*names): ...
def with_options(**options): ...
def with_unknown(city: "Nowhere"): ...  # noqa: F821
def with_no_type(city: "1 +"): ...  # noqa: F722


REFUSED = {
    "a data frame": (with_frame, "a model cannot write frame of 'with_frame', which is a DataFrame: take its name"),
    "a data frame within": (with_nested_frame, "a model cannot write frames of 'with_nested_frame'"),
    "a function": (with_function, "a model cannot write place of 'with_function'"),
    "a star": (with_list, "'with_list' takes *names, which a model cannot name: take one parameter instead"),
    "two stars": (with_options, "'with_options' takes **options, which a model cannot name: take one parameter"),
    "an unknown name": (with_unknown, "'with_unknown' has a hint with 'Nowhere', which is not defined: define"),
    "no type": (with_no_type, "'with_no_type' has a hint that is no type"),
    "a lambda": (lambda x: x, "a lambda has no name: give it one"),
    "built in": (math.hypot, "'hypot' does not say which parameters it has: offer a function of your own"),
    "a class": (Thermometer, "'Thermometer' is a class: give a function"),
    "a value": (3, "an object of type int cannot be called: give a function"),
    "a name in Greek": (type("Θερμός", (), {"__call__": lambda self: 1})(), "'Θερμός' is no name that models can call"),
}


@pytest.mark.parametrize(("function", "text"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_a_tool_is_refused_with_what_to_do_instead(function, text):
    with pytest.raises(ToolError) as raised:
        tool(function)
    said = str(raised.value)
    assert said.startswith(text)
    assert "\n" not in said
    assert ": " in said


def test_a_data_frame_of_pandas_is_refused_by_the_parameter_that_takes_it():
    pd = optional("pandas", "pip install pandas")

    def describe(column: str, frame: pd.DataFrame): ...

    with pytest.raises(ToolError, match="cannot write frame of 'describe', which is a DataFrame: take its name"):
        tool(describe)


@pytest.mark.parametrize("name", ["", "a b", "files.read", "x" * 65, "날씨", "a\n"])
def test_a_name_that_servers_refuse_is_refused(name):
    if name:
        with pytest.raises(ToolError, match="is no name that models can call"):
            tool(rows.function, name=name)
    else:
        assert tool(rows.function, name=name).name == "rows"


# -- the source


def cell(code, number=0, module="__main__"):
    """Run code as a cell, and return what it defines."""
    filename = f"/tmp/ipykernel_1/{number}.py"
    linecache.cache[filename] = (len(code), None, code.splitlines(keepends=True), filename)
    scope = {"__name__": module, "tool": tool}
    exec(compile(code, filename, "exec"), scope)
    return scope


BODY = 'def half(n: int) -> float:\n    "Return the half."\n    return n / 2'


def test_the_source_of_a_function_of_the_notebook_is_hashed_without_decorators():
    plain = tool(cell(BODY)["half"])
    assert plain.source == source_hash(BODY)
    assert cell(f"@tool(\n    safe=True,\n)\n{BODY}\n\nhalf(3)\n", 1)["half"].source == plain.source
    assert cell(f"if True:\n{''.join(f'    {line}{chr(10)}' for line in BODY.splitlines())}", 2)["half"]
    inner = cell("if True:\n    @tool\n" + "".join(f"    {line}\n" for line in BODY.splitlines()), 3)["half"]
    assert inner.source == plain.source


def test_another_body_has_another_source():
    assert cell(f"@tool\n{BODY}")["half"].source != cell(f"@tool\n{BODY} + 0", 1)["half"].source


def test_a_string_that_stands_further_left_does_not_hide_the_decorators():
    code = 'if True:\n    @tool(safe={})\n    def say(n: int):\n        return """\nfar left\n"""\n'
    one, two = (cell(code.format(safe), number)["say"].source for number, safe in enumerate([True, False]))
    assert one == two != ""


def test_a_function_of_a_library_has_no_source():
    assert rows.source == ""
    assert cell(f"@tool\n{BODY}", module="library")["half"].source == ""


def test_a_function_without_its_text_has_no_source():
    scope = {"__name__": "__main__"}
    exec(BODY, scope)
    assert tool(scope["half"]).source == ""


def test_the_source_is_that_of_the_function_which_is_wrapped():
    code = f"import functools\n@tool\n@functools.lru_cache\n{BODY}"
    assert cell(code)["half"].source == source_hash(BODY)


def test_nothing_is_imported_before_the_first_tool():
    code = (
        "import sys, robota_nb.tools.function, robota_nb.tools.results, robota_nb.tools.canonical\n"
        "print({'pydantic', 'docstring_parser', 'typing_extensions', 'IPython'} & set(sys.modules))"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert said.strip() == "set()"
