"""Reading snapshots that strangers may have written, and merging them."""

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robota_nb.core.record import entries as make
from robota_nb.core.record import snapshot
from robota_nb.core.record.kinds import purged_stub
from robota_nb.core.record.snapshot import NewerFormat, merge, parse
from robota_nb.errors import SnapshotError
from support.core import genuine, new_manager

GENUINE = genuine()
SID = "s_" + "0" * 32
CID = "c_" + "0" * 32
AT = "2026-11-22T09:00:00Z"


def of(*entries, sid=SID):
    """A snapshot of one session with these entries, under their genuine ids."""
    return snapshot.dump({sid: {make.entry_id(entry): entry for entry in entries}})


def message(**fields):
    return {"kind": "message", "n": 1, "at": AT, "chat": CID, "role": "user", "content": ["hi"], **fields}


def test_a_genuine_snapshot_is_read_as_it_was_written():
    assert snapshot.dump(parse(json.loads(json.dumps(GENUINE)))) == GENUINE


# -- anything else is a SnapshotError, and nothing but


odd = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3),
    max_leaves=6,
)


def parses_or_says_why(value):
    try:
        parse(value)
    except SnapshotError as error:
        text = str(error)
        assert text
        assert "\n" not in text
        text.encode()  # it can be printed anywhere


@given(odd | st.fixed_dictionaries({"format": odd, "sessions": odd}))
def test_any_json_is_read_or_refused(value):
    parses_or_says_why(value)


fields = st.sampled_from(
    ["kind", "n", "at", "chat", "role", "parent", "content", "config", "from", "message", "key", "value", "set", "x"]
)
kinds = st.sampled_from(["session", "config", "chat", "message", "active", "head", "set", "image", "purged", "new"])


@settings(max_examples=300)
@given(st.lists(st.dictionaries(fields, odd | kinds, max_size=6) | odd, max_size=3))
def test_any_entry_is_read_or_refused(entries):
    def eid(entry):
        try:
            return make.entry_id(entry)
        except (TypeError, ValueError):
            return "e_" + "0" * 32

    parses_or_says_why(snapshot.dump({SID: {eid(entry): entry for entry in entries}}))


def places(value, path=()):
    """Every place in a JSON value."""
    yield path
    if isinstance(value, (dict, list)):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(item, (*path, key))


PLACES = [path for path in places(GENUINE) if path]


@settings(max_examples=300)
@given(st.sampled_from(PLACES), st.just(KeyError) | odd)
def test_a_snapshot_that_was_cut_or_retyped_anywhere_is_read_or_refused(path, change):
    value = copy.deepcopy(GENUINE)
    holder = value
    for key in path[:-1]:
        holder = holder[key]
    if change is KeyError:
        del holder[path[-1]]
    else:
        holder[path[-1]] = change
    parses_or_says_why(value)
    if len(path) > 3 and value != GENUINE:  # inside an entry: its id tells
        with pytest.raises(SnapshotError):
            parse(value)


def test_altered_text_is_found_out_by_its_hash():
    sid, entries = next(iter(GENUINE["sessions"].items()))
    eid = next(eid for eid, entry in entries.items() if entry["kind"] == "message")
    altered = {sid: {**entries, eid: {**entries[eid], "content": ["other"]}}}
    with pytest.raises(SnapshotError, match="was altered") as caught:
        parse(snapshot.dump(altered))
    assert caught.value.at == f"sessions.{sid}.{eid}"


deep = "x"
for _ in range(600):
    deep = [deep]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (None, "robota_nb: expected an object, found nothing"),
        ([], "robota_nb: expected an object, found a list"),
        ({}, "format: no format number: this is not a snapshot"),
        ({"format": {"major": "1"}, "sessions": {}}, "format: no format number: this is not a snapshot"),
        ({"format": {"major": True}, "sessions": {}}, "format: no format number: this is not a snapshot"),
        ({"format": {"major": 0}, "sessions": {}}, "format: no format number: this is not a snapshot"),
        ({"format": {"major": 1}}, "sessions: expected an object, found nothing"),
        (snapshot.dump({"s_1\n": {}}), "sessions.'s_1\\n': not a session id"),
        (snapshot.dump({10**5000: {}}), "sessions.a number: not a session id"),
        (snapshot.dump({SID: {"\ud800": {}}}), f"sessions.{SID}.'\\ud800': not an entry id"),
        ({**snapshot.dump({}), "sessions": {SID: []}}, f"sessions.{SID}: expected an object, found a list"),
    ],
    ids=lambda value: None if isinstance(value, dict | list | None) else value[:40],
)
def test_what_is_no_snapshot_is_refused_with_where_and_why(value, why):
    with pytest.raises(SnapshotError) as caught:
        parse(value)
    assert str(caught.value) == why


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("text", "expected an object, found text"),
        ({}, "the entry has no kind"),
        ({"kind": ["message"]}, "the entry has no kind"),
        (message(x=None), "nothing is not part of this format"),
        (message(x=0.5), "a fraction is not part of this format"),
        (message(x=float("nan")), "a fraction is not part of this format"),
        (message(x=2**53), "an integer is beyond 2**53"),
        (message(x=-(10**5000)), "an integer is beyond 2**53"),
        (message(x=deep), "nested deeper than 8"),
        (message(x="\ud800"), "not well-formed Unicode (a lone surrogate)"),
        (message(x={"A b": 1}), "'A b' is not a key of this format"),
        (message(x={1: 1}), "a number is not a key of this format"),
        ({"kind": "message", "n": 1}, "the message has no at"),
        (message(n=0), "the n of the entry is not what it must be"),
        (message(n=True), "the n of the entry is not what it must be"),
        (message(n=2**48 + 1), "the n of the entry is not what it must be"),
        ({"kind": "new_kind", "n": "1"}, "the n of the entry is not what it must be"),
        ({"kind": "config", "n": "1"}, "the n of the entry is not what it must be"),
        (message(chat="c_1"), "the chat of the message is not what it must be"),
        (message(role="system"), "the role of the message is not what it must be"),
        (message(content="hi"), "the content of the message is not what it must be"),
        (message(content=[1]), "the content of the message is not what it must be"),
        (message(content=[{"image": "cat.png"}]), "the content of the message is not what it must be"),
        (message(cell=["id", -1, "h"]), "the cell of the message is not what it must be"),
        (message(usage={"input_tokens": -1}), "the usage of the message is not what it must be"),
        (message(set={"chat": 1}), "the set of the message is not what it must be"),
        (message(content=["ü" * 500_001]), "a message is over the cap of 1,000,000 bytes"),
        ({"kind": "session", "n": 1, "at": AT, "name": "a\x1b[2J"}, "the name of the session is not what it must be"),
        ({"kind": "set", "n": 1, "at": AT, "key": "No Key"}, "the key of the set is not what it must be"),
        ({"kind": "set", "n": 1, "at": AT, "key": "name"}, "the name that is set is not what it must be"),
        ({"kind": "set", "n": 1, "at": AT, "key": "from", "value": "x"}, "the from that is set is not what it must be"),
    ],
    ids=lambda value: value.replace(" ", "-")[:50] if isinstance(value, str) else None,
)
def test_a_malformed_entry_is_refused_with_where_and_why(entry, why):
    try:
        eid = make.entry_id(entry)
    except (ValueError, TypeError):
        eid = "e_" + "0" * 32
    with pytest.raises(SnapshotError) as caught:
        parse(snapshot.dump({SID: {eid: entry}}))
    assert str(caught.value) == f"sessions.{SID}.{eid}: {why}"


@pytest.mark.parametrize(
    "entry",
    [
        message(parent="e_" + "1" * 32),
        message(config="e_" + "1" * 32),
        message(content=[{"image": "e_" + "1" * 32}]),
        {"kind": "head", "n": 1, "at": AT, "chat": CID, "message": "e_" + "1" * 32},
        {"kind": "set", "n": 1, "at": AT, "chat": CID, "key": "from", "value": "e_" + "1" * 32},
        {"kind": "purged", "parent": "e_" + "1" * 32},
    ],
    ids=["parent", "config", "image", "head", "from", "stub"],
)
def test_a_reference_to_what_is_not_there_or_to_another_kind_is_refused(entry):
    def with_target(target, target_id):
        referring = json.loads(json.dumps(entry).replace("e_" + "1" * 32, target_id))
        eid = "e_" + "2" * 32 if entry["kind"] == "purged" else make.entry_id(referring)
        return snapshot.dump({SID: {eid: referring, **({target_id: target} if target else {})}})

    with pytest.raises(SnapshotError, match="is missing"):
        parse(with_target(None, "e_" + "1" * 32))
    session = {"kind": "session", "n": 1, "at": AT, "name": "S"}
    with pytest.raises(SnapshotError, match="is no such thing"):
        parse(with_target(session, make.entry_id(session)))
    parse(with_target({"kind": "purged"}, "e_" + "1" * 32))


@pytest.mark.parametrize(
    "said", [{"content": ["forged"]}, {"usage": {}}, {"cell": 5}, {"data": 7}, {"name": "x"}, {"config": "e_x"}]
)
def test_a_purged_stub_that_says_something_is_refused(said):
    stub = {"kind": "purged", "n": 1, "chat": CID, "role": "user", **said}
    with pytest.raises(SnapshotError, match="a purged entry says nothing"):
        parse(snapshot.dump({SID: {"e_" + "1" * 32: stub}}))


def test_messages_that_go_in_a_circle_through_purged_stubs_are_refused():
    one, two = "e_" + "1" * 32, "e_" + "2" * 32
    with pytest.raises(SnapshotError, match="in a circle"):
        parse(snapshot.dump({SID: {one: {"kind": "purged", "parent": two}, two: {"kind": "purged", "parent": one}}}))
    between = message(parent=one)
    stub = {"kind": "purged", "parent": make.entry_id(between)}
    with pytest.raises(SnapshotError, match="in a circle"):
        parse(snapshot.dump({SID: {one: stub, make.entry_id(between): between}}))


def test_a_newer_major_format_is_told_apart_and_a_newer_minor_is_read():
    with pytest.raises(NewerFormat, match="upgrade robota-nb"):
        parse({**GENUINE, "format": {"major": 2, "minor": 0}, "sessions": "who knows"})
    assert parse({**GENUINE, "format": {"major": 1, "minor": 9}}) == GENUINE["sessions"]


def test_unknown_kinds_and_keys_are_kept():
    value = of(message(mood="good", later={"a": [1]}), {"kind": "reaction", "n": 2, "chat": ["any"], "parent": ["x"]})
    manager = new_manager()
    manager.adopt(parse(value), "u")
    assert manager.snapshot("u") == value


def test_a_session_has_a_cap_of_entries():
    few = {f"e_{n:032x}": {"kind": "purged"} for n in range(snapshot.MAX_ENTRIES)}
    assert parse(snapshot.dump({SID: few}))
    with pytest.raises(SnapshotError, match="20,001 entries are over the cap of 20,000"):
        parse(snapshot.dump({SID: {**few, "e_" + "f" * 32: {"kind": "purged"}}}))


def test_a_snapshot_has_a_cap_of_bytes_over_all_its_sessions():
    big = [{"kind": "image", "media_type": "image/png", "data": ["A" * 1_000_000, str(n)]} for n in range(19)]
    assert parse(of(*big))
    more = of({"kind": "image", "media_type": "image/png", "data": ["B" * 1_000_000]}, sid="s_" + "1" * 32)
    with pytest.raises(SnapshotError, match="over the cap of 20,000,000 bytes"):
        parse(snapshot.dump({**of(*big)["sessions"], **more["sessions"]}))


# -- merging

ALL = {(sid, eid): entry for sid, entries in GENUINE["sessions"].items() for eid, entry in entries.items()}


@st.composite
def parts(draw):
    """Some of the genuine entries, some of them purged."""
    part = {}
    for sid, eid in draw(st.lists(st.sampled_from(sorted(ALL)), max_size=8)):
        entry = ALL[sid, eid]
        stubs = [purged_stub(entry), {"kind": "purged"}]
        part.setdefault(sid, {})[eid] = draw(st.sampled_from([entry, *stubs]))
    return part


@given(parts(), parts(), parts())
def test_a_merge_is_commutative_associative_and_idempotent(a, b, c):
    assert merge(a, b) == merge(b, a)
    assert merge(merge(a, b), c) == merge(a, merge(b, c)) == merge(a, b, c)
    assert merge(a, a) == merge(a) == a


@given(parts(), parts())
def test_a_merge_loses_nothing_but_what_was_purged(a, b):
    both = merge(a, b)
    for part in (a, b):
        for sid, entries in part.items():
            for eid, entry in entries.items():
                assert both[sid][eid] == entry or both[sid][eid]["kind"] == "purged"


def test_a_purged_stub_beats_its_original_whichever_comes_first():
    entry = message()
    eid = make.entry_id(entry)
    original, stub = {SID: {eid: entry}}, {SID: {eid: purged_stub(entry)}}
    assert merge(original, stub) == merge(stub, original) == stub
    assert parse(snapshot.dump(stub)) == stub
