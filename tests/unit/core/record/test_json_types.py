"""JSON from strangers has a type only if it is of that type."""

from typing import Literal, NotRequired, TypedDict

import pytest

from robota_nb.core.record.json_types import JsonTypeError, by_op, check, check_message


class Inner(TypedDict):
    names: list[str]


class One(TypedDict):
    op: Literal["one"]
    number: int
    text: NotRequired[str | None]
    inner: NotRequired[dict[str, Inner]]
    anything: NotRequired[object]


class Two(One):
    op: Literal["two", "zwei"]
    flag: bool


GOOD = {"op": "one", "number": 1}


@pytest.mark.parametrize("more", [
    {}, {"text": "x"}, {"text": None}, {"inner": {}}, {"inner": {"a": {"names": ["x"]}}}, {"anything": None},
    {"anything": [1, {"a": 2}]}, {"unknown": 7},
])  # fmt: skip
def test_what_is_of_the_type_is_returned_as_it_is(more):
    value = {**GOOD, **more}
    assert check(value, One) is value


@pytest.mark.parametrize(("field", "more"), [
    ("op", {"op": "two"}), ("op", {"op": None}), ("op", {"op": ["one"]}), ("number", {"number": "1"}),
    ("number", {"number": True}), ("number", {"number": 1.0}), ("number", {"number": None}), ("text", {"text": 7}),
    ("inner", {"inner": []}), ("inner", {"inner": {"a": {}}}), ("inner", {"inner": {"a": {"names": "x"}}}),
    ("inner", {"inner": {"a": {"names": [1]}}}), ("inner", {"inner": {"a": None}}),
])  # fmt: skip
def test_the_first_field_of_another_type_is_named(field, more):
    with pytest.raises(JsonTypeError, match=f"^{field} is not what it must be$") as raised:
        check({**GOOD, **more}, One)
    assert raised.value.field == field


def test_a_field_that_is_missing_is_named():
    with pytest.raises(JsonTypeError, match="number"):
        check({"op": "one"}, One)


@pytest.mark.parametrize("value", [None, 7, "one", [], [GOOD]])
def test_what_is_no_object_is_refused(value):
    with pytest.raises(JsonTypeError, match="this is no object"):
        check(value, One)
    with pytest.raises(JsonTypeError):
        check_message(value, One | Two)


def test_a_message_is_checked_as_what_its_op_says():
    assert by_op(One | Two) == {"one": One, "two": Two, "zwei": Two}
    assert check_message({**GOOD, "op": "zwei", "flag": True}, One | Two)["flag"]
    with pytest.raises(JsonTypeError, match="flag"):
        check_message({**GOOD, "op": "two"}, One | Two)


@pytest.mark.parametrize("op", [None, "three", ["one"], {}, 1])
def test_a_message_of_no_known_op_is_refused(op):
    with pytest.raises(JsonTypeError, match="op"):
        check_message({**GOOD, "op": op}, One | Two)
