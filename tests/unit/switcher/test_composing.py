"""What is sent of a draft: only what was typed is filled in, and what is attached stands below it as it is."""

import base64
import sys

import pytest

from robota_nb.errors import PromptError
from robota_nb.switcher.composing import MAX_OUTPUT, about, compose

DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
"""A picture of one pixel."""


class Frame:
    """As a data frame looks to who asks it."""

    dtypes = "a int64\nb object"
    shape = (3, 2)

    def describe(self):
        return "mean 2"

    def head(self):
        raise AssertionError("it is sliced")

    def __getitem__(self, rows):
        return f"rows to {rows.stop}"


def test_fields_are_filled_in_where_the_user_typed_them():
    assert compose({"text": "see {{ n }}", "fields": True}, {"n": 7}).text == "see 7"
    assert compose({"text": "see {{ n }}"}, {"n": 7}).text == "see {{ n }}"


def test_what_is_attached_is_never_filled_in():
    cell = {"kind": "cell", "text": "print('{{ n }}')", "output": "{{ n }}"}
    composed = compose({"text": "why {{ n }}?", "fields": True, "attached": [cell]}, {"n": 7})
    assert composed.text == (
        "why 7?\n\nA cell of the notebook:\n\n```\nprint('{{ n }}')\n```\n\nIts output:\n\n```\n{{ n }}\n```"
    )


def test_a_fence_in_a_cell_does_not_end_the_one_around_it():
    composed = compose({"text": "", "attached": [{"kind": "cell", "text": "a = '''\n```\n'''"}]}, {})
    assert composed.text == "A cell of the notebook:\n\n````\na = '''\n```\n'''\n````"


def test_of_a_long_output_the_end_is_sent():
    cell = {"kind": "cell", "text": "x", "output": "begin" + "." * MAX_OUTPUT + "end"}
    text = compose({"text": "", "attached": [cell]}, {}).text
    assert "begin" not in text
    assert text.endswith("end\n```")
    assert len(text) < MAX_OUTPUT + 100


def test_an_unknown_name_is_refused_with_the_nearest_one():
    with pytest.raises(PromptError, match="did you mean 'frame'"):
        compose({"text": "{{ fram }}", "fields": True}, {"frame": 1})
    with pytest.raises(PromptError, match="did you mean 'frame'"):
        compose({"text": "", "attached": [{"kind": "variable", "name": "fram"}]}, {"frame": 1})


@pytest.mark.parametrize("args", [{}, {"text": "  \n"}, {"text": "", "fields": True, "attached": []}])
def test_nothing_is_not_sent(args):
    with pytest.raises(PromptError, match="the prompt is empty"):
        compose(args, {})


def test_of_a_frame_its_columns_what_describe_says_and_its_first_rows_are_sent():
    said = about("frame", {"frame": Frame()})
    assert said == "`frame`:\n\n```\na int64\nb object\n```\n\nmean 2\n\nrows to 5"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([1, 2], "list, length 2\n\n[1, 2]"),
        (list(range(100)), f"list, length 100\n\n{list(range(20))}"),
        ({"a": 1}, "dict, length 1\n\n{'a': 1}"),
        (0.5, "float\n\n0.5"),
        ("one\ntwo", "str, length 7\n\n```\none\ntwo\n```"),
        (Frame, "type"),
    ],
    ids=["list", "long list", "dict", "float", "text", "class"],
)
def test_of_other_values_their_type_and_size_and_the_first_of_it_are_sent(value, said):
    assert about("value", {"value": value}) == f"`value`:\n\n{said}"


def test_the_last_error_is_sent_as_a_prompt_cell_has_it(monkeypatch):
    monkeypatch.setattr(sys, "last_value", ValueError("no such thing"), raising=False)
    text = compose({"text": "why?", "attached": [{"kind": "error"}]}, {}).text
    assert text == "why?\n\nThe last error:\n\n```\nValueError: no such thing\n```"


def test_pictures_and_files_go_along_as_they_are():
    data = base64.b64encode(b"a,b\n1,2\n").decode()
    attached = [{"kind": "picture", "data": DOT}, {"kind": "file", "name": "../folder/table.csv", "data": data}]
    composed = compose({"text": "look", "attached": attached}, {})
    assert composed.images[0].media_type == "image/png"
    assert [(file.name, file.data) for file in composed.files] == [("table.csv", b"a,b\n1,2\n")]
    assert composed.text == "look"


@pytest.mark.parametrize("kind", ["picture", "file"])
def test_what_has_not_arrived_whole_is_refused(kind):
    with pytest.raises(PromptError, match="has not arrived whole"):
        compose({"text": "look", "attached": [{"kind": kind, "name": "a.txt", "data": "%%%"}]}, {})


def test_cells_go_along_as_they_stand_and_the_whole_can_be_looked_at():
    source = "x = '{{ n }}'\n```"
    told = [
        {"id": "a", "type": "code", "hash": "0" * 16, "source": source, "output": "{{ n }}", "pictures": [DOT]},
        {"id": "b", "type": "code", "hash": "1" * 16, "source": "%%robota\nhello"},
    ]
    cells = {"kind": "cells", "cells": told, "outputs": True}
    composed = compose(
        {"text": "see {{ n }}", "fields": True, "attached": [cells]}, {"n": 7}, lambda text: text.startswith("%%robota")
    )
    assert composed.text == "see 7"
    assert [one.name for one in composed.files] == ["cell 1", "output of cell 1"]
    assert len(composed.images) == 1
    assert composed.said == (
        f"see 7\n\nCell 1:\n````python\n{source}\n````\n\nOutput of cell 1:\n```\n{{{{ n }}}}\n```"
    )
    told[0]["pending"] = True
    with pytest.raises(PromptError, match="cell 1 was still to run"):
        compose({"text": "see", "attached": [cells]}, {})
