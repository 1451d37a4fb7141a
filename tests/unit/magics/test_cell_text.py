"""What the text of a cell tells a reader who does not run it."""

import pytest

from robota_nb.magics.cell_text import is_talk


@pytest.mark.parametrize(
    "source",
    [
        "%%robota\nhello", "%%robota --cells above\nx = {{ y }}", "# a comment\n%%robota hello", "%robota new Left",
        "%load_ext robota_nb", "%load_ext robota_nb\n%robota ask hello?", "answer = %robota ask hello",
        "%%time\n%%robota\nhello", "%%ai\nhello",
    ],
)  # fmt: skip
def test_a_cell_that_only_talks_is_a_prompt(source):
    assert is_talk(source, {"robota": "", "ai": ""})


@pytest.mark.parametrize(
    "source",
    [
        "", "x = 1", "# %robota new Left", "x = 1\n%robota ask hello", "%load_ext other", "%%time\nx = 1", "x = (",
        "print('%%robota')", "%%bash\n%robota ask hello", "%%ai\nhello", "load = '%load_ext robota_nb'", "!robota_nb",
        "for place in places:\n    %robota ask hello",
    ],
)  # fmt: skip
def test_a_cell_with_code_is_none(source):
    assert not is_talk(source)
