"""Texts on outputs that lack characters."""

import io

import pytest

from robota_nb.display import code_page
from robota_nb.display.code_page import printable


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        ("utf-8", "▸ a · b — é 漢 \\ud800"),
        ("ascii", "> a - b - \\xe9 \\u6f22 \\ud800"),
        ("cp1252", "> a · b — é \\u6f22 \\ud800"),
        ("cp437", "> a · b - é \\u6f22 \\ud800"),
    ],
)
def test_a_text_is_shown_as_far_as_the_output_can(monkeypatch, page, shown):
    monkeypatch.setattr(code_page.sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding=page))
    assert printable("▸ a · b — é 漢 \ud800") == shown


def test_bytes_that_are_no_text_stay_an_error():
    with pytest.raises(UnicodeDecodeError):
        b"\xff".decode("utf-8", code_page._PLAIN)
