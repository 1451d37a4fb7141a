"""A question about an error holds the error, the code and the variables; text that only stands in it stays text."""

import math
import sys

import pytest

from robota_nb.magics.parser import parse_cell
from robota_nb.prompt.fields import expand, names
from robota_nb.prompt.last_error import with_error
from robota_nb.prompt.question import is_newest, question, shown_error, variables


class Frame:
    shape = (2, 3)

    def describe(self):
        return "mean 1"


class Fussy:
    def __getattribute__(self, name):
        raise AssertionError(name)


NAMESPACE = {
    "math": math, "frame": Frame(), "count": 3, "nothing": None, "words": ["a"], "run": lambda: 0, "Kind": Frame,
    "fussy": Fussy(), "_private": 1, "In": [], "steps": iter("ab"),
}  # fmt: skip
SOURCE = "import math\n%time x\nfor word in words:\n    run(frame.mean(), count + missing, _private, In, fussy, steps)"


@pytest.fixture
def fail(monkeypatch):
    """Makes the last error that there was; pytest forgets it where the test begins."""
    return lambda: monkeypatch.setattr(sys, "last_value", ValueError("no {{ luck }}"), raising=False)


def read(source):
    """The prompt of a cell, and whether it is sent as it stands."""
    line, body = source.split("\n", 1)
    args = parse_cell(line.removeprefix("%%robota"), body).args
    return args["text"], args["raw"]


def test_it_names_the_variables_of_the_code_that_say_something_in_their_order():
    assert variables(SOURCE, NAMESPACE, hidden={"In"}) == ["words", "frame", "count"]
    assert variables("nothing + count", NAMESPACE) == ["nothing", "count"]
    assert variables("a + b + c + d + e + f", dict.fromkeys("abcdef", 1)) == list("abcde")


@pytest.mark.parametrize("source", ["x = (", "", "\0", "%%bash\nls count", "(" * 1000, "!ls\n?frame"])
def test_code_that_cannot_be_read_names_none(source):
    assert variables(source, NAMESPACE) == []


def test_the_last_error_and_the_variables_are_filled_in_where_the_user_sees_them(fail):
    fail()
    text, raw = read(question(SOURCE, NAMESPACE, hidden={"In"}))
    assert not raw
    assert names(text) == ["Err", "words", "frame", "count"]
    sent = expand(text, with_error(NAMESPACE)).text
    assert "ValueError: no {{ luck }}" in sent
    assert f"```python\n{SOURCE}\n```" in sent
    assert "frame: mean 1" in sent


@pytest.mark.parametrize(
    ("source", "said"), [("f'{{{count}}}'", None), ("'''{{ count }}'''", None), ("count", "Boom {{ count }}")]
)
def test_what_only_looks_like_a_field_is_not_filled_in(fail, source, said):
    fail()
    text, raw = read(question(source, NAMESPACE, error=said))
    assert raw
    assert source in text
    assert (said or "ValueError: no {{ luck }}") in text


def test_a_variable_of_the_error_s_name_is_not_taken_for_the_error(fail):
    fail()
    text, _ = read(question("count", {"Err": "mine", "count": 1}))
    assert "Err" not in names(text)
    assert "ValueError: no {{ luck }}" in text


def test_code_with_fences_in_it_stands_in_a_longer_one():
    text, _ = read(question('"""\n````\n"""', NAMESPACE))
    assert '`````python\n"""\n````\n"""\n`````' in text


def test_what_an_output_shows_of_an_error_is_told_without_colours():
    shown = shown_error("KeyError", "'a'", "\x1b[31mKeyError\x1b[39m  Traceback\nKeyError: 'a'\x00")
    assert shown == "KeyError  Traceback\nKeyError: 'a'"
    assert shown_error("KeyError", "'a'", "") == "KeyError: 'a'"


def test_an_older_error_is_told_from_the_newest(fail):
    fail()
    assert is_newest("ValueError", "no {{ luck }}", "raise it", "raise it\n")
    assert not is_newest("ValueError", "no {{ luck }}", "raise it", "raise another")
    assert not is_newest("ValueError", "luck", "raise it", "raise it")
    assert not is_newest("KeyError", "no {{ luck }}", "raise it", "raise it")
