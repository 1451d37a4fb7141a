"""Formats: an answer as text, as JSON, or for its code; and what is taken out of it."""

import json
from types import SimpleNamespace

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robota_nb.display import render
from robota_nb.display.formats import FORMATS, MAX_DEPTH, VALUE, Lines, NotKept, code_of, read_json
from robota_nb.display.render import NotebookRenderer, TerminalRenderer, choose_renderer
from robota_nb.display.segments import LIMIT, MAX_PARAGRAPH
from support.render import Clock, FrontEnd, replayed

PROSE = "The quick brown fox jumps over the lazy dog. " * 9 + "\n\n"
NO_JSON = "— the answer is no JSON"


def left(text, form, reason="stop", metadata={}):
    """The bundles that an answer leaves."""
    return [output["data"] for output in replayed(text, reason, metadata, form)]


def live(text, form, size=7):
    clock = Clock()
    front_end = FrontEnd(clock)
    renderer = NotebookRenderer(front_end, clock, form)
    for start in range(0, len(text), size):
        renderer.feed(text[start : start + size])
        clock.now += 1
    return renderer, front_end


# -- text


def test_text_is_not_rendered():
    assert left("# No *heading*\n", "text") == [{"text/plain": "# No *heading*\n"}]


def test_text_shows_nothing_of_link_definitions_nor_closes_a_fence():
    text = "See [this].\n\n" + PROSE * 12 + "[this]: http://example.org\n```python\nx = 1"
    assert "".join(bundle["text/plain"] for bundle in left(text, "text")) == text


def test_text_is_cut_where_a_line_is_blank():
    first, second = left(PROSE * 11 + "The end.\n", "text")
    assert first["text/plain"] == PROSE * 11
    assert second["text/plain"] == "The end.\n"


def test_text_is_cut_after_all_of_its_blank_lines():
    first, second = left(PROSE * 11 + "\n \nThe end.\n", "text")
    assert first["text/plain"] == PROSE * 11 + "\n \n"
    assert second["text/plain"] == "The end.\n"


@pytest.mark.parametrize("text", [PROSE * 30, "word " * 10_000], ids=["paragraphs", "a line"])
def test_text_streams_as_it_is_left(text):
    renderer, front_end = live(text, "text", 1000)
    streamed = front_end.saved
    renderer.finish("stop", {})
    assert streamed == front_end.saved == replayed(text, form="text")


def test_text_without_blank_lines_is_cut_at_a_line_end():
    line = "1,2,3" * 10 + "\n"
    segments = [bundle["text/plain"] for bundle in left(line * 900, "text")]
    assert "".join(segments) == line * 900
    assert {len(segment) // len(line) for segment in segments[:-1]} == {-(-MAX_PARAGRAPH // len(line))}


def test_text_of_one_line_is_one_output():
    assert len(left("word " * 10_000, "text")) == 1


@pytest.mark.parametrize("text", ["Half a sen", "Half a sen\n", "Half a sen\n\n"])
def test_text_says_in_its_last_line_how_it_ended(text):
    assert left(text, "text", "length") == [{"text/plain": "Half a sen\n\n— cut off at the length limit"}]


def test_an_empty_text_says_so():
    assert left("", "text") == [{"text/plain": "— the answer is empty"}]


def test_text_has_no_control_sequences():
    """A front end shows them as colours, or hides what stands in them."""
    assert left("a \x1b[8mhidden\x1b[0m\r\n\tb\x07", "text") == [{"text/plain": "a hidden\n\tb"}]


@given(
    st.lists(st.sampled_from(["x" * 3000, "y", "\n", "\n\n", "  \n", "line\n" * 900]), max_size=12),
    st.integers(1, 5000),
)
def test_text_is_cut_alike_in_any_chunking(parts, size):
    text = "".join(parts)
    whole, chunked = Lines(), Lines()
    closed = [segment for start in range(0, len(text), size) for segment in chunked.feed(text[start : start + size])]
    assert [*closed, chunked.open] == [*whole.feed(text), whole.open]
    assert "".join([*closed, chunked.open]) == text
    assert all(len(segment) >= LIMIT for segment in closed)


# -- json

VALUES = {
    '{"a": [1, 2.5, true, null, "é"]}': {"a": [1, 2.5, True, None, "é"]},
    " \n[1, 2]\n": [1, 2],
    '```json\n{"a": 1}\n```': {"a": 1},
    '\n```JSON\n{\n  "a": "```"\n}\n```\n\n': {"a": "```"},
    "~~~~\n[]\n~~~~": [],
    '{"a": "\\ud83d\\ude00 \\ud800"}': {"a": "😀 \ufffd"},
    '{"\\udc80": {}}': {"\ufffd": {}},
    f"[{2**53 - 1}, -{2**53 - 1}, 1e300]": [2**53 - 1, 1 - 2**53, 1e300],
    "[" * MAX_DEPTH + "]" * MAX_DEPTH: json.loads("[" * MAX_DEPTH + "]" * MAX_DEPTH),
}  # fmt: skip


@pytest.mark.parametrize(("text", "value"), VALUES.items(), ids=range(len(VALUES)))
def test_an_answer_that_is_json_is_json(text, value):
    [output] = replayed(text, metadata={"turn": "e_1"}, form="json")
    assert output["data"]["application/json"] == value
    assert output["metadata"]["robota_nb"] == {"turn": "e_1"}
    assert output["metadata"]["application/json"] == {"expanded": True}
    nbformat.writes(nbformat.v4.new_notebook(metadata={"value": value}))


def test_json_is_there_as_text_too_for_readers_that_show_no_json():
    [bundle] = left('```json\n{"a": 1}\n```', "json")
    assert bundle == {"application/json": {"a": 1}, "text/plain": '{"a": 1}'}


@pytest.mark.parametrize(
    "text",
    [
        "Here it is: {}",
        'Sure:\n```json\n{"a": 1}\n```',
        '```json\n{"a": 1}\n```\n```json\n{}\n```',
        "```python\n{}\n```",
        "{'a': 1}",
        '{"a": 1,}',
        "[NaN]",
        "[Infinity]",
        '{"a": 1',
    ],
)
def test_an_answer_that_is_no_json_is_text_that_says_so(text):
    assert left(text, "json") == [{"text/plain": f"{text}\n\n{NO_JSON}"}]


@pytest.mark.parametrize(
    "text",
    [
        f"[{2**53}]",
        "[" + "9" * 5000 + "]",
        "[1e999]",
        '{"__proto__": 1}',
        "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1),
        '{"a":' * 10_000 + "1" + "}" * 10_000,
    ],
    ids=["integer", "huge", "float", "proto", "deep", "very deep"],
)
def test_json_that_a_notebook_would_change_is_text_that_says_so(text):
    with pytest.raises(NotKept):
        read_json(text)
    [bundle] = left(text, "json")
    assert bundle == {"text/plain": f"{text}\n\n— a notebook cannot keep this JSON as it is, so it is shown as text"}


@pytest.mark.parametrize("text", ["0", "null", '"word"', "true", "1.5"])
def test_a_single_value_is_json_with_nothing_to_unfold(text):
    assert left(text, "json") == [{"text/plain": text}]


@pytest.mark.parametrize("text", ['{"a": 1}', '{"a": '])
def test_json_that_did_not_end_by_itself_is_text_that_says_how(text):
    assert left(text, "json", "interrupted") == [
        {"text/plain": f"{text.rstrip()}\n\n— interrupted; %robota chat retry asks again"}
    ]


def test_json_streams_as_text_in_one_output():
    text = json.dumps([PROSE] * 40, indent=1)
    renderer, front_end = live(text, "json", 1000)
    [output] = front_end.saved
    assert output["data"] == {"text/plain": text}
    assert len(front_end.sent) > 2
    renderer.finish("stop", {"turn": "e_1"})
    assert front_end.saved == replayed(text, "stop", {"turn": "e_1"}, "json")
    assert front_end.saved[0]["data"]["application/json"] == [PROSE] * 40


# -- code

CODE = {
    "no fence": ("just text\n", "just text\n"),
    "one": ("Here:\n\n```python\nx = 1\n```\nDone.", "x = 1"),
    "several": ("```python\nx = 1\n```\nthen\n```python\n\ny = 2\n\n```", "x = 1\n\ny = 2"),
    "another language": ("```python\nx = 1\n```\n```bash\nls\n```\n```py\ny = 2\n```", "x = 1\n\ny = 2"),
    "another one first": ("```bash\npip install x\n```\n```python\nimport x\n```", "import x"),
    "no Python": ("```bash\npip install x\n```\n```text\nabc\n```", ""),
    "no language": ("```\na\n```\nand\n```\nc\n```", "a\n\nc"),
    "what it prints": ("```python\nprint(1)\n```\n```\n1\n```", "print(1)"),
    "tildes": ("~~~python\nx = '''\n```\n'''\n~~~", "x = '''\n```\n'''"),
    "longer fence": ("````python\n```\nx\n```\n````", "```\nx\n```"),
    "cut off": ("```python\nx = 1\ny =", "x = 1\ny ="),
    "in a list": ("1. Do\n   ```python\n   if x:\n       y\n   ```\n2. So", "if x:\n    y"),
    "on the item's line": ("- ```python\n  x = 1\n\n  y = 2\n  ```", "x = 1\n\ny = 2"),
    "attributes": ('```{.python title="a.py"}\nx\n```\n```Python {1,2}\ny\n```\n```python:a.py\nz\n```', "x\n\ny\n\nz"),
    "inline": ("use ```x``` here\n```python\nx\n```", "x"),
    "an empty one": ("```text\n\n```\n```python\nx\n```", "x"),
    "only empty ones": ("a\n```\n```\n", ""),
    "windows": ("```python\r\nx = 1\r\ny = 2\r\n```\r\n", "x = 1\ny = 2"),
    "empty": ("", ""),
}  # fmt: skip


@pytest.mark.parametrize(("text", "code"), CODE.values(), ids=CODE)
def test_the_code_of_an_answer(text, code):
    assert code_of(text).text == code


def test_the_other_languages_of_an_answer_are_named_once_and_not_too_many():
    fences = "".join(f"```{name}\nx\n```\n" for name in ["sh", "python", "sh", "", "r", "l" * 99, *"abcdef"])
    assert code_of(fences).others == ("sh", "r", "l" * 20 + "…", "a", "b")


@given(st.text("`~a \n-1.{}", max_size=80))
def test_any_text_has_a_code(text):
    assert isinstance(code_of(text).text, str)


def test_long_texts_are_quick_to_search():
    for text in ("- " * 200_000, "```" * 200_000, "`" * 500_000, "```\n" * 100_000, " " * 500_000 + "```"):
        code_of(text)


def test_an_answer_with_code_is_shown_as_markdown():
    text = "Here:\n\n```python\nx = 1\n```\n"
    assert left(text, "code") == left(text, "markdown") == [{"text/markdown": text}]


# -- all of them


def test_the_formats():
    assert set(render._FORMS) == {*FORMATS, VALUE}


def test_a_kernel_has_a_renderer_for_each_format():
    sent = []
    publisher = SimpleNamespace(publish=lambda **message: sent.append(message["data"]))
    shell = SimpleNamespace(kernel=object(), display_pub=publisher, get_parent=dict)
    for form in FORMATS:
        choose_renderer(shell, form).replay("[1]", "stop", {})
    assert sent == [
        {"text/markdown": "[1]"},
        {"text/plain": "[1]"},
        {"application/json": [1], "text/plain": "[1]"},
        {"text/markdown": "[1]"},
    ]


@pytest.mark.parametrize("form", FORMATS)
def test_a_terminal_shows_plain_text_in_each_format(form, capsys):
    renderer = choose_renderer(None, form)
    assert isinstance(renderer, TerminalRenderer)
    renderer.feed("```json\n{}\n```")
    renderer.finish("stop", {})
    assert capsys.readouterr().out == "```json\n{}\n```\n"


@pytest.mark.parametrize("form", FORMATS)
def test_after_an_interrupt_each_format_settles_to_the_recorded_text(form):
    renderer, front_end = live('{"a": 1, "b"', form)
    renderer.replay('{"a": 1, "b": 2}', "interrupted", {})
    assert front_end.saved == replayed('{"a": 1, "b": 2}', "interrupted", {}, form)
