"""Entries: canonical text, ids, and text on its way in."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robota_nb.core.record import entries as make
from robota_nb.core.record.kinds import purged_stub
from robota_nb.core.record.parameters import check_param_key, names_key
from robota_nb.errors import InvalidName, SnapshotError

anything = st.text(st.characters(codec=None, exclude_categories=()), max_size=40)  # surrogates too
json_values = st.recursive(
    st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_canonical_text_is_sorted_compact_and_plain_unicode():
    assert make.canonical({"b": [1, True], "a": "ü\n"}) == '{"a":"ü\\n","b":[1,true]}'.encode()


@given(st.dictionaries(st.text(), json_values))
def test_canonical_text_survives_a_round_trip_and_any_order_of_keys(value):
    text = make.canonical(value)
    back = json.loads(text)
    assert make.canonical(back) == text
    assert make.canonical(dict(reversed(back.items()))) == text


def test_an_entry_is_named_by_the_hash_of_its_whole_text():
    entry = make.head_entry(n=7, at="2026-11-22T09:00:00Z", chat="c_" + "0" * 32, message=None)
    assert make.entry_id(entry) == "e_cccd8bdd557c0aa1170e5e6eae1702f0"
    assert make.entry_id({**entry, "n": 8}) != make.entry_id(entry)


@given(anything)
def test_clean_text_is_well_formed_and_is_left_alone_from_then_on(text):
    clean = make.clean(text)
    clean.encode()
    assert make.clean(clean) == clean
    if not any("\ud800" <= c <= "\udfff" for c in text):
        assert clean == text


def test_clean_replaces_lone_surrogates_and_joins_pairs():
    assert make.clean("a\ud800b\udc00") == "a\ufffdb\ufffd"
    assert make.clean("\ud83d\ude42") == "🙂"


@given(st.text(st.sampled_from("ab\n\r\u2028")))
def test_lines_join_to_the_text_they_came_from(text):
    lines = make.to_lines(text)
    assert make.to_text(lines) == text
    assert all(line and "\n" not in line[:-1] for line in lines)


def test_text_parts_join_and_other_parts_are_left_out():
    assert make.to_text(["a\n", {"image": "e_1"}, "b"]) == "a\nb"


def test_absent_means_none():
    entry = make.config_entry(provider="offline", model="", system="", params={})
    assert entry == {"kind": "config", "provider": "offline"}
    answer = make.user_message(n=1, at="t", chat="c", parent=None, text="")
    assert answer == {"kind": "message", "n": 1, "at": "t", "chat": "c", "role": "user", "content": []}


def test_equal_configs_are_one_entry_whatever_the_order_of_their_parameters():
    one, two = (
        make.config_entry(provider="p", model="m", system="s", params=params)
        for params in ({"a": "1", "b": "2"}, {"b": "2", "a": "1"})
    )
    assert make.entry_id(one) == make.entry_id(two)


def test_a_message_of_a_megabyte_fits_and_one_byte_more_does_not():
    make.user_message(n=1, at="t", chat="c", parent=None, text="ü" * 500_000)
    with pytest.raises(SnapshotError, match=r"1,000,001 bytes is over the cap of 1,000,000: shorten it"):
        make.user_message(n=1, at="t", chat="c", parent=None, text="ü" * 500_000 + "x")


def test_a_purged_stub_keeps_where_and_when_and_nothing_that_was_said():
    user = make.user_message(n=3, at="t", chat="c", parent="e_1", text="secret", cell=["id", 0, "hash"])
    assert purged_stub(user) == {"kind": "purged", "n": 3, "chat": "c", "role": "user", "parent": "e_1"}


@pytest.mark.parametrize(
    ("given", "stored"), [("  Chat  ", "Chat"), ("Cafe\u0301", "Café"), ("x" * 100, "x" * 100), ("a\ud800", "a\ufffd")]
)
def test_a_name_is_stripped_composed_and_well_formed(given, stored):
    assert make.check_name(given, "chat") == stored


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("", "a chat needs a name: give it 1 to 100 characters"),
        (" \t ", "a chat needs a name: give it 1 to 100 characters"),
        ("x" * 101, "the name has 101 characters: a chat name has at most 100"),
        ("a\nb", "a chat name cannot hold control characters or line breaks: leave them out"),
        ("a\x1b[31mb", "a chat name cannot hold control characters or line breaks: leave them out"),
        ("a\u2028b", "a chat name cannot hold control characters or line breaks: leave them out"),
    ],
)
def test_what_is_no_name_is_refused_with_what_to_do(name, text):
    with pytest.raises(InvalidName) as caught:
        make.check_name(name, "chat")
    assert str(caught.value) == text


def test_names_are_compared_without_case_and_composition():
    assert make.fold_name("CAFE\u0301") == make.fold_name("café")
    assert make.fold_name("Straße") == make.fold_name("STRASSE")


@pytest.mark.parametrize("word", ["key", "api_key", "API-KEY", "openai_api_key", "x-authorization", "Bearer", "token"])
def test_what_would_hold_a_key_is_known_by_its_name(word):
    assert names_key(word)
    with pytest.raises(InvalidName, match="is no setting of a chat: a key stands in the environment variable"):
        check_param_key(word)


@pytest.mark.parametrize("word", ["max_tokens", "keys", "top_k", "my_token", "-key", "key\n", ""])
def test_other_names_hold_no_key(word):
    assert not names_key(word)


@pytest.mark.parametrize("key", ["name", "deleted", "from", "Temperature", "a-b", "", "1a", "a\n"])
def test_a_parameter_cannot_have_a_reserved_or_odd_name(key):
    with pytest.raises(InvalidName, match="use the provider's parameter name"):
        check_param_key(key)


@pytest.mark.parametrize(
    ("raw", "kept"),
    [("a1-b_C", True), ("12", False), ("", False), ("x" * 65, False), ("/home/a.ipynb#W0", False), (7, False)],
)
def test_a_cell_id_is_kept_only_if_it_names_the_cell_elsewhere_too(raw, kept):
    assert make.cell_id_or_none(raw) == (raw if kept else None)
