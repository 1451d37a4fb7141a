"""What ``--file`` names: a file, or a variable that holds one, its path, or a text."""

from pathlib import Path

import pytest

from robota_nb.core.files import from_text
from robota_nb.core.record.types import Image
from robota_nb.errors import PromptError
from robota_nb.prompt.files import Absent, look_up
from support.core import raised


class Frame:
    csv = "a column"

    def __str__(self):
        return "   a\n0  1"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.csv").write_text("a,b\n")
    (tmp_path / "report").mkdir()
    return tmp_path


def test_a_file_comes_before_a_variable_with_a_column_of_that_name():
    assert look_up("data.csv", {"data": Frame()}).file == from_text("a,b\n", "data.csv")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a,b\n", from_text("a,b\n", "it")),
        ("data.csv", from_text("data.csv", "it")),
        (b"a,b\n", from_text("a,b\n", "it")),
        (bytearray(b"a,b\n"), from_text("a,b\n", "it")),
        (Path("data.csv"), from_text("a,b\n", "data.csv")),
        (from_text("x", "y.md"), from_text("x", "y.md")),
        (Frame(), from_text("   a\n0  1", "it")),
        ([1, 2], from_text("[1, 2]", "it")),
    ],
)
def test_a_variable_holds_a_text_bytes_a_path_a_file_or_what_its_text_says(value, expected):
    assert look_up("it", {"it": value}).file == expected
    assert look_up("all['it']", {"all": {"it": value}}).file.data == expected.data


def test_a_picture_of_a_variable_is_a_file_with_its_name():
    file = look_up("dot", {"dot": Image(media_type="image/png", data=b"\x89PNG\r\n\x1a\n")}).file
    assert (file.name, file.media_type) == ("dot", "image/png")


def test_a_variable_comes_before_a_folder_of_that_name():
    assert look_up("report", {"report": "x"}).file == from_text("x", "report")
    assert raised(PromptError, look_up, "report", {}) == "'report' is a folder, not a file: name a file"


@pytest.mark.parametrize(
    ("expression", "namespace", "name", "said"),
    [
        ("gone.csv", {}, "gone.csv", "no file and no variable 'gone.csv': check its path, or name a variable"),
        ("no/gone.csv", {}, "gone.csv", "no file 'no/gone.csv': check its path, or name a variable"),
        ("repport", {"repport_": 1}, "repport", "no file and no variable 'repport' (did you mean 'repport_'?): check"),
        ("it", {"it": Path("no/gone.csv")}, "gone.csv", "no file 'gone.csv', which 'it' is the path of: check it"),
        ("gone.csv", {"gone": Frame}, "gone.csv", None),
        ("frame.tsv", {"frame": Frame()}, "frame.tsv", "'frame.tsv' failed (AttributeError:"),
    ],
)
def test_what_is_not_here_has_a_name_by_which_it_may_be_recorded(expression, namespace, name, said):
    found = look_up(expression, namespace)
    if said is None:
        assert found.file.data == b"a column"
        return
    assert isinstance(found, Absent)
    assert found.name == name
    assert str(found.error).startswith(said)


def test_an_object_without_a_text_is_refused():
    assert raised(PromptError, look_up, "it", {"it": object()}) == (
        "'it' (object) has no text but an address: name a text, bytes, or a file"
    )
