"""What looks like a key that servers give out is taken out of a text, and nothing else."""

import pytest

from robota_nb.errors import CommandError
from robota_nb.magics.key_guard import refuse_keys, without_keys

KEYS = [
    "sk-proj-Ab3dEf6hIj9kLm2nOp5q", "sk-ant-api03-x_y-Ab3dEf6hIj9k", "hf_abcdefghijkl1", "gsk_0123456789ab",
    "AIza" + "aB3-_" * 7, "eyJhbGciOiJI.eyJzdWIi.c2lnbmF0dXJl",
]  # fmt: skip
OTHERS = [
    "sk-learn",
    "sk-abcdefghijklmnop",
    "risk-abcdefghijkl1",
    "AIza-short",
    "eyJhbGciOiJI",
    "hf_a1_b2_c3",
    "eyJ.a.b",
]


@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_taken_out_whole_and_refused_on_a_line(key):
    assert without_keys(f"the key {key}, ({key})\n{key}") == "the key …, (…)\n…"
    with pytest.raises(CommandError):
        refuse_keys([f"x={key}"])


@pytest.mark.parametrize("text", OTHERS)
def test_what_only_begins_as_a_key_stays(text):
    assert without_keys(f"say {text}.") == f"say {text}."
    refuse_keys([text])


@pytest.mark.parametrize("text", ["sk-" * 300_000, "-eyJ.a" * 150_000, "sk-" + "a" * 900_000, "AIza." * 200_000])
def test_many_beginnings_of_keys_are_read_once(text):
    assert without_keys(text) == text
