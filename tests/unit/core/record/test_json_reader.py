"""Reading JSON: a key with two values is told, and a million empty objects take no room."""

import json

import pytest

from robota_nb.core.record.json_reader import check_unambiguous, decode
from robota_nb.errors import SnapshotError
from support import bombs

TEXTS = [
    "{}", "[]", "[{}, {}]", '{"a": {}, "b": [{}, {"c": {}}], "d": [[{}]]}', '{"a": 1, "a": 1}', '{"a": {}, "a": {}}',
    '{"a": {}, "a": 1}', '[{"a": 1, "a": 2}]', '{"a": [{"b": {"c": [], "c": {}}}]}', json.dumps(bombs.comb(3)),
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_the_value_is_that_of_json(text):
    value, _ = decode(text)
    assert value == json.loads(text)
    assert json.dumps(value) == json.dumps(json.loads(text))


@pytest.mark.parametrize("text", TEXTS)
def test_a_key_with_two_values_is_told(text):
    value, is_ambiguous = decode(text)
    assert is_ambiguous == (text in TEXTS[6:9])
    if is_ambiguous:
        with pytest.raises(SnapshotError, match="stands twice"):
            check_unambiguous(value, "a.ipynb")
    else:
        check_unambiguous(value, "a.ipynb")


def test_an_empty_object_under_a_key_is_one_of_its_own():
    value, _ = decode('{"a": {}, "b": {}, "c": {}, "c": {}}')
    for number, key in enumerate("abc"):
        value[key]["number"] = number
    assert value == {key: {"number": number} for number, key in enumerate("abc")}


def test_empty_objects_in_lists_are_one_which_cannot_be_changed():
    value, _ = decode("[{}, [{}], {}]")
    assert len({id(value[0]), id(value[1][0]), id(value[2])}) == 1
    with pytest.raises(TypeError, match="cannot be changed"):
        value[0]["key"] = 1
