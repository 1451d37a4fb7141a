"""Unique names among siblings, however many of them were given the same one."""

import pytest

from robota_nb.core.record import names
from robota_nb.core.record.names import Names
from robota_nb.core.record.nodes import Stamp


def given(*words):
    """Siblings, by numbers, with one name each."""
    return {str(at): [(Stamp(at, ""), word)] for at, word in enumerate(words)}


def test_twins_get_the_first_number_that_is_free():
    shown = Names(given("x", "x (2)", "X", "x", "x (2)")).shown
    assert list(shown.values()) == ["x", "x (2)", "X (3)", "x (4)", "x (2) (2)"]


ALIKE = {
    "Cyrillic": ("\u0420rivate", "U+0420"),
    "Greek": ("Priv\u03b1te", "U+03B1"),
    "zero width": ("Pri\u200bvate", "U+200B"),
    "a mark of direction": ("\u202ePrivate", "U+202E"),
    "a mark on a letter": ("Privat\u0325e", "U+0325"),
    "full width": ("\uff30rivate", "U+FF30"),
    "a variation": ("Private\ufe0e", "U+FE0E"),
    "all of it": ("\u0420\u0433\u0456v\u0430t\u0435", "U+0420 U+0433 U+0456…"),
}


@pytest.mark.parametrize(("name", "codes"), ALIKE.values(), ids=ALIKE)
@pytest.mark.parametrize("first", [True, False])
def test_a_name_that_looks_like_another_is_shown_with_what_makes_it_another(name, codes, first):
    names = Names(given(*[name, "Private"][:: 1 if first else -1]))
    shown = f"{name} ({codes})"
    assert set(names.shown.values()) == {shown, "Private"}
    theirs = "0" if first else "1"
    assert names.find(shown) == names.find(name) == names.holder(name) == theirs
    assert names.find("Private") == names.holder("private") != theirs


@pytest.mark.parametrize(
    "name", ["\u0420rivate", "R\u00e9sum\u00e9", "\u0412\u043e\u043f\u0440\u043e\u0441", "\u8cea\u554f"]
)
def test_a_name_that_looks_like_no_other_is_shown_as_it_is(name):
    assert list(Names(given(name, "Resume", "Other")).shown.values()) == [name, "Resume", "Other"]


def test_a_name_that_comes_later_is_told_apart_from_what_is_there():
    names = Names(given("\u0420rivate"), version=1)
    names.add("1", "Other", 2)
    assert names.version == 2
    names.add("2", "Private", 3)
    assert names.version != 3  # so they are put together anew


def test_each_of_many_twins_is_looked_at_as_often_as_one(monkeypatch):
    asked, fold = [], names.fold_name
    monkeypatch.setattr(names, "fold_name", lambda name: asked.append(name) or fold(name))
    Names(given(*["x"] * 50))
    few = len(asked)
    Names(given(*["x"] * 500))
    assert len(asked) - few <= 11 * few
