"""What may be typed next in a field."""

from pathlib import Path

import pytest

from robota_nb.prompt.offers import in_field

FRAME = {"frame": Path(), "fruit": 1, "x": 2}


@pytest.mark.parametrize(
    ("before", "typed", "offered"),
    [
        ("see {{ fr", "fr", ["frame", "fruit"]),
        ("{{", "", ["frame", "fruit", "x"]),
        ("{{ x }} and {{ f", "f", ["frame", "fruit"]),
        ("{{ frame.su", "su", ["suffix", "suffixes"]),
        ("{{ frame | he", "he", ["head"]),
        ("{{ frame | head(3) | js", "js", ["json"]),
        ("{{ frame._", "_", []),
        ("{{ nobody.", "", []),
    ],
)
def test_a_field_is_completed_with_variables_attributes_and_filters(before, typed, offered):
    found = in_field(before, FRAME)
    assert found is not None
    assert (found[0], [offer.text for offer in found[1]]) == (typed, offered)


@pytest.mark.parametrize("before", ["", "text fr", "{{ x }}", "{{ x }} fr", "{ fr", "{{{ fr", "{{ frame fr"])
def test_a_text_outside_of_a_field_is_completed_with_nothing(before):
    assert in_field(before, FRAME) is None
