"""What a model is told that a tool has returned: a text, cut where it is long; and of errors, no more than is safe."""

import os
from datetime import date
from importlib import import_module
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from IPython.core.formatters import DisplayFormatter
from IPython.display import Image as Shown
from pydantic import BaseModel

from robota_nb.errors import ToolError
from robota_nb.tools.results import MAX_ERROR, error_text, result_text
from support.require import optional


class Place(BaseModel):
    name: str
    since: date


class Point(NamedTuple):
    x: int
    y: int


OSLO = Place(name="Øst-Oslo", since=date(2026, 12, 1))
JSON = {
    "nothing": (None, "null"),
    "yes": (True, "true"),
    "a number": (7, "7"),
    "a list": ([1, "ø", None], '[1, "ø", null]'),
    "an object": ({"city": "Tromsø", "at": [69.6, 18.9]}, '{"city": "Tromsø", "at": [69.6, 18.9]}'),
    "a model": (OSLO, '{"name": "Øst-Oslo", "since": "2026-12-01"}'),
    "models": ([OSLO], '[{"name": "Øst-Oslo", "since": "2026-12-01"}]'),
}


@pytest.mark.parametrize(("value", "text"), JSON.values(), ids=JSON)
def test_what_json_has_is_told_as_json(value, text):
    assert result_text(value) == text


@pytest.mark.parametrize("text", ["", "7 °C", '{"a": 1}', "two\nlines", "x" * 50_000])
def test_a_text_is_told_as_it_is(text):
    assert result_text(text) == text


def test_what_json_has_not_is_told_as_its_repr():
    assert result_text({(1, 2): date(2026, 12, 1)}) == "{(1, 2): datetime.date(2026, 12, 1)}"
    assert result_text(b"abc") == "b'abc'"
    (circle := []).append(circle)
    assert result_text(circle) == "[[...]]"


@pytest.fixture
def shell(monkeypatch):
    """A shell that shows values as that of a kernel does."""
    shell = SimpleNamespace(display_formatter=DisplayFormatter())
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    return shell


def test_in_a_notebook_a_value_is_told_as_cells_show_it(shell):
    shell.display_formatter.formatters["text/plain"].for_type(
        SimpleNamespace, lambda value, printer, cycle: printer.text(f"with {value.a}")
    )
    assert result_text(SimpleNamespace(a=1)) == "with 1"
    shell.display_formatter.formatters["text/plain"].pprint = False
    assert result_text(SimpleNamespace(a=1)) == "namespace(a=1)"


def test_a_data_frame_is_told_as_large_as_pandas_is_told_to_show_it(shell):
    pd = optional("pandas", "pip install pandas")
    frame = pd.DataFrame({"n": range(1000)})
    with pd.option_context("display.max_rows", 6):
        assert result_text(frame) == repr(frame)
        assert len(result_text(frame).splitlines()) == 10


def test_a_repr_that_raises_is_an_error_and_nothing_is_shown(shell, capsys):
    class Broken:
        def __repr__(self):
            raise RuntimeError("no connection")

    for value in (Broken(), {date(2026, 12, 1): Broken()}):
        with pytest.raises(RuntimeError, match="no connection"):
            result_text(value)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("limit", [60, 100, 1000, 50_000])
def test_a_long_text_keeps_its_beginning_and_its_end(limit):
    text = "".join(f"{number:06}\n" for number in range(20_000))
    said = result_text(text, limit)
    head, gap, tail = said.partition("\n… ")
    left_out, _, tail = tail.partition(" characters left out …\n")
    assert len(said) <= limit
    assert len(said) > limit - 10
    assert text.startswith(head)
    assert text.endswith(tail)
    assert len(head) > len(tail) > 0
    assert int(left_out.replace(",", "")) == len(text) - len(head) - len(tail)


def test_a_text_of_just_the_limit_is_whole():
    assert result_text("x" * 100, 100) == "x" * 100


class Figure:
    """A stand-in for what draws itself."""

    def savefig(self, file): ...


PNG = b"\x89PNG\r\n\x1a\nfake"


@pytest.mark.parametrize(
    "value",
    [PNG, bytearray(b"\xff\xd8\xff\xe0fake"), Shown(data=PNG), Figure(), [Figure()], (1, Figure())],
    ids=["png", "jpeg", "shown", "figure", "in a list", "in a tuple"],
)
def test_a_picture_is_refused_with_what_to_do_instead(value):
    with pytest.raises(ToolError, match=r"^a tool cannot return a picture, as results are text: return what it shows"):
        result_text(value)


def test_pictures_of_matplotlib_and_pil_are_refused():
    optional("matplotlib", "pip install --group benchmarks")
    axes = import_module("matplotlib.figure").Figure().subplots()
    for value in (axes.figure, axes, axes.plot([1, 2]), import_module("PIL.Image").new("RGB", (1, 1))):
        with pytest.raises(ToolError):
            result_text(value)


def test_a_tuple_is_told_with_the_names_of_its_items_where_they_have_some():
    assert result_text(Point(1, 2)) == "Point(x=1, y=2)"
    assert result_text((1, 2)) == "[1, 2]"


# -- errors


def test_an_error_is_told_by_its_type_and_what_it_says():
    assert error_text(TypeError("n must be a number")) == "TypeError: n must be a number"
    assert error_text(KeyError("Oslo")) == "KeyError: 'Oslo'"
    assert error_text(ValueError()) == "ValueError"


def test_an_error_that_cannot_say_what_it_is_is_told_by_its_type():
    class Broken(Exception):
        def __str__(self):
            raise RuntimeError

    assert error_text(Broken()) == "Broken"


def test_an_error_names_no_home(monkeypatch):
    monkeypatch.setattr(os.path, "expanduser", lambda path: path.replace("~", "/home/ada"))
    assert error_text(OSError("cannot open '/home/ada/plans.csv'")) == "OSError: cannot open '~/plans.csv'"
    monkeypatch.setattr(os.path, "expanduser", lambda path: path.replace("~", r"C:\Users\ada"))
    error = FileNotFoundError(2, "No such file", r"C:\Users\ada\plans.csv")
    assert "ada" not in error_text(error)


def test_a_long_error_is_cut():
    said = error_text(ValueError("x" * 10_000))
    assert len(said) == MAX_ERROR
    assert said.endswith("x…")


def test_an_error_has_no_traceback_and_nothing_of_its_cause():
    try:
        try:
            raise KeyError("secret")
        except KeyError as cause:
            raise ValueError("no such city") from cause
    except ValueError as error:
        assert error_text(error) == "ValueError: no such city"
