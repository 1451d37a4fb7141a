"""What stands under our key is written in the very text of nbformat, which never gets to see it."""

import json
import tracemalloc

import nbformat
import pytest

from robota_nb.carriers.aside import put_aside

VALUES = [
    {},
    {"sessions": {}},
    {
        "b": ["", "line\n", 'a "quote"', "ä\u2028\x7f"],
        "a": [],
        "c": {"e": [1, True, None, "x", {"k": ["y"]}], "d": 1.5},
    },
    {"long": ["", "a\n", "b"] * 7000, "ten thousand": [""] * 10_000},
    {"marks": ["robota_nb:0:0", '"robota_nb:'], "deep": [[[["", ""]]]]},
]


def notebook(value):
    """A notebook with a value in its metadata, and in that of an output."""
    found = nbformat.v4.new_notebook(metadata={"robota_nb": value, "other": 1})
    output = nbformat.v4.new_output("display_data", {"text/plain": "a\nb"}, metadata={"robota_nb": value, "z": {}})
    found.cells = [
        nbformat.v4.new_code_cell("x = 1\ny = 2", id="code", outputs=[output], metadata={"trusted": True}),
        nbformat.v4.new_markdown_cell("# head\ntext", id="text"),
    ]
    return found


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_the_text_is_what_nbformat_writes(value):
    whole = notebook(value)
    aside = put_aside(whole)
    assert all(value not in (one, getattr(one, "robota_nb", None)) for one in (aside.notebook["metadata"],))
    assert aside.whole(nbformat.v4.writes(nbformat.from_dict(aside.notebook))).decode() == nbformat.v4.writes(whole)
    assert whole == notebook(value)


def test_what_is_put_back_is_the_value_itself():
    content = json.loads(nbformat.writes(notebook({"sessions": {"s": {"e": ["x"]}}})))
    aside = put_aside(content)
    node = nbformat.reads(json.dumps(aside.notebook), as_version=4)
    aside.put_back(node)
    assert node.metadata["robota_nb"] is content["metadata"]["robota_nb"]
    (output,) = node.cells[0].outputs
    assert output.metadata["robota_nb"] is content["cells"][0]["outputs"][0]["metadata"]["robota_nb"]


@pytest.mark.parametrize("wrong", [float("nan"), "\ud800", {1, 2}], ids=["no number", "a lone surrogate", "no JSON"])
def test_what_can_be_no_json_is_refused(wrong):
    aside = put_aside(notebook({"a": wrong}))
    with pytest.raises((TypeError, ValueError)):
        aside.whole(json.dumps(aside.notebook, indent=1))


def test_many_pieces_are_written_in_little_more_room_than_their_text_takes():
    aside = put_aside(notebook({"content": [""] * 200_000}))
    text = json.dumps(aside.notebook, indent=1)
    tracemalloc.start()
    try:
        size = len(aside.whole(text))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 * size
