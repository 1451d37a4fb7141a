"""The JSON Schema of the snapshot, and the reader: what has the shape of a snapshot to one has it to the other."""

import json
import random
import re
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from robota_nb.core.inside import ledger_of
from robota_nb.core.record import entries as make
from robota_nb.core.record import snapshot
from robota_nb.core.record.attachments import image_entry
from robota_nb.core.record.kinds import KINDS, MAX_N, purged_stub
from robota_nb.core.users import default_user
from robota_nb.errors import SnapshotError
from robota_nb.sync.notebook import Notebook
from support.core import genuine, new_manager
from support.git import wander
from support.hostile import READ, REFUSED
from support.paths import ROOT
from support.require import require

SCHEMA = json.loads(files("robota_nb").joinpath("schemas", "snapshot-1.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
GOLDEN = {path.name: json.loads(path.read_text()) for path in sorted(ROOT.glob("tests/golden/format-*.json"))}
SID = "s_" + "0" * 32

FIRST = {name: kind for name, kind in KINDS.items() if not kind.minor}
"""The kinds of format 1.0: whatever an entry of a later kind is, the schema and the reader take it."""
BEYOND = {
    "a circle of stubs",
    "a message of more than a megabyte",
    "a missing parent",
    "a parent of another kind",
    "a surrogate",
    "an edited message",
    "an image that is missing",
    "an n far ahead of the others",
}
"""What a schema cannot see: hashes, what refers to what, sums, bytes, and halves of a character."""


def is_valid(value):
    return VALIDATOR.is_valid(value)


def is_read(value):
    """Whether the reader takes it, but for what entries are to each other."""
    try:
        snapshot.parse({**value, "sessions": {}})
        snapshot.check_sessions(value["sessions"])
    except SnapshotError:
        return False
    return True


def holding(*entries):
    """A snapshot with these entries, each under its genuine id, if it can have one."""

    def name(entry):
        try:
            return "e_" + "1" * 32 if entry.get("kind") == "purged" else make.entry_id(entry)
        except (AttributeError, TypeError, ValueError):
            return "e_" + "0" * 32

    return snapshot.dump({SID: {name(entry): entry for entry in entries}})


# -- the schema itself


def test_it_is_a_schema_and_its_name_is_a_urn():
    Draft202012Validator.check_schema(SCHEMA)
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", SCHEMA["$id"])


def test_everything_in_it_is_used():
    text = json.dumps(SCHEMA)
    assert [name for name in SCHEMA["$defs"] if f'"#/$defs/{name}"' not in text] == []


def test_it_knows_the_kinds_the_fields_and_the_caps_of_the_reader():
    defined = SCHEMA["$defs"]
    for name, kind in FIRST.items():
        properties = {field for field, allowed in defined[name]["properties"].items() if allowed is not False}
        assert properties == {*kind.required, *kind.optional} - {"n"}, name  # n is any entry's
        assert set(defined[name].get("required", ())) == set(kind.required), name
    refused = {field for field, allowed in defined["purged"]["properties"].items() if allowed is False}
    assert refused == FIELDS - {"n", "at", "chat", "role", "parent"}
    assert defined["n"]["maximum"] == MAX_N
    assert defined["any"]["maximum"] == defined["scalar"]["maximum"] == snapshot.MAX_INT
    assert defined["any"]["minimum"] == defined["scalar"]["minimum"] == -snapshot.MAX_INT
    assert defined["name"]["maxLength"] == make.MAX_NAME
    assert defined["sessions"]["additionalProperties"]["maxProperties"] == snapshot.MAX_ENTRIES
    assert max(int(name[6:]) for name in defined if name.startswith("level_")) == snapshot.MAX_DEPTH


def test_a_wheel_has_it():
    try:
        from hatchling.builders.wheel import WheelBuilder
    except ImportError as error:
        require("hatchling", there=False, why=str(error))
    included = {Path(file.path).relative_to(ROOT) for file in WheelBuilder(str(ROOT)).recurse_included_files()}
    assert Path("robota_nb", "schemas", "snapshot-1.schema.json") in included


# -- what is written


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_files_are_valid(name):
    VALIDATOR.validate(GOLDEN[name])


@pytest.mark.parametrize("path", sorted(ROOT.joinpath("notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_the_conversations_of_the_examples_are_valid(path):
    VALIDATOR.validate(json.loads(path.read_text(encoding="utf-8"))["metadata"]["robota_nb"])


@pytest.mark.parametrize("seed", range(20))
def test_whatever_users_do_what_is_written_is_valid(seed):
    manager, chance = new_manager(max_active_sessions=0), random.Random(seed)
    manager.create_session("u", "S").create_chat("A").send("begin")
    wander(manager, chance, 40)
    VALIDATOR.validate(manager.snapshot("u"))


def test_pictures_and_what_cells_say_are_valid():
    VALIDATOR.validate(genuine())
    image = image_entry(media_type="image/png", data=bytes(100))
    part = {"image": make.entry_id(image), "name": "dot.png"}
    asked = make.user_message(
        n=1, at="2026-01-02T03:04:05Z", chat="c_" + "1" * 32, parent=None, text="", attached=[part],
        cell=["", 0, make.source_hash("x")], set_={"chat": "A"}, options={"seed": "1"},
    )  # fmt: skip
    VALIDATOR.validate(holding(image, asked, purged_stub(asked)))


# -- what is read and refused


@pytest.mark.parametrize("what", REFUSED)
def test_what_the_reader_refuses_for_its_shape_is_refused(what):
    assert is_valid(REFUSED[what]) == (what in BEYOND)


@pytest.mark.parametrize("what", READ)
def test_what_the_reader_takes_is_valid_however_odd_it_says_things(what):
    VALIDATOR.validate(READ[what])


def test_a_fraction_that_is_whole_is_told_from_an_integer_by_the_reader_alone():
    value = holding({"kind": "later", "part": 1.0})
    assert is_valid(value)
    assert not is_read(value)


# -- every place of every kind, changed

ENTRIES = {
    " ".join([entry["kind"], *entry, entry.get("role", ""), entry.get("key", "")]): entry
    for golden in GOLDEN.values()
    for entries in golden["sessions"].values()
    for entry in entries.values()
}
"""An entry of the golden files for each kind, and for each choice of its fields."""

FIELDS = {field for kind in FIRST.values() for field in (*kind.required, *kind.optional)}
ODD = (None, True, 0, -1, 2**53, 0.5, "", "x", "a\nb", "e_" + "0" * 32, "e_" + "0" * 32 + "\n", [], ["x"], [1])
ODD += (-(2**53), "c_" + "0" * 32 + "\n", *({"x": [[[[[[deep]]]]]]} for deep in (True, 7, 2**53, -(2**53), None)))
ODD += ({}, {"x": "y"}, {"x": 1}, {"X": "y"}, {"image": "x"}, {"x": [[[[[["x"]]]]]]}, {"x": [[[[[[["x"]]]]]]]})


def variants(value):
    """Yield a value with each place in it changed: something odd in it, or nothing, or one more."""
    yield from ODD
    if isinstance(value, dict):
        for key, inner in value.items():
            yield {name: kept for name, kept in value.items() if name != key}
            yield from ({**value, key: other} for other in variants(inner))
        yield from ({**value, "later": other} for other in ODD)
    elif isinstance(value, list):
        yield [*value, *value]
        for at, inner in enumerate(value):
            yield [*value[:at], *value[at + 1 :]]
            yield from ([*value[:at], other, *value[at + 1 :]] for other in variants(inner))


@pytest.mark.parametrize("name", ENTRIES)
def test_a_changed_entry_is_valid_if_and_only_if_the_reader_takes_it(name):
    entry = ENTRIES[name]
    foreign = FIELDS - entry.keys()  # of another kind, or absent here
    for other in (*variants(entry), *({**entry, field: said} for field in foreign for said in (True, "x", ["x"]))):
        assert is_valid(holding(other)) == is_read(holding(other)), other


@pytest.mark.parametrize("kind", FIRST)
def test_without_a_required_field_neither_takes_an_entry(kind):
    whole = next(entry for entry in ENTRIES.values() if entry["kind"] == kind)
    for field in ("kind", *KINDS[kind].required):
        value = holding({name: said for name, said in whole.items() if name != field})
        assert not is_valid(value), field
        assert not is_read(value), field


def test_a_changed_frame_is_valid_if_and_only_if_the_reader_takes_it():
    for value in variants({"format": {"major": 1, "minor": 0}, "sessions": {SID: {}}, "later": 1}):
        if isinstance(value, dict) and "sessions" in value:
            assert is_valid(value) == is_read(value), value
        else:
            assert not is_valid(value)


keys = st.sampled_from(["kind", "n", "at", "chat", "role", "parent", "content", "config", "name", "key", "value", "x"])
kinds = st.sampled_from([*KINDS, "later"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(0.5) | st.text(st.characters(codec="utf-8"), max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys | st.text(max_size=2), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(keys, json_values | kinds | st.just("e_" + "0" * 32) | st.just("c_" + "0" * 32), max_size=8))
def test_any_entry_is_valid_if_and_only_if_the_reader_takes_it(entry):
    assert is_valid(holding(entry)) == is_read(holding(entry))


# -- what grows


@pytest.mark.parametrize("name", ENTRIES)
def test_a_later_minor_may_add_fields_kinds_and_what_stands_beside(name):
    later = {**ENTRIES[name], "later": {"deep": ["x", 1, True]}}
    beside = {"format": {"major": 1, "minor": 7, "more": None}, "beside": 0.5}
    value = {**holding(later, {"kind": "later", "to": ["x"]}), **beside}
    VALIDATOR.validate(value)
    assert is_read(value)


def test_a_later_major_is_another_format():
    value = {**holding(), "format": {"major": 2, "minor": 0}}
    assert not is_valid(value)
    assert not is_read(value)


# -- the page that specifies it

PAGE = ROOT.joinpath("docs", "format.md").read_text(encoding="utf-8")


def blocks(heading):
    """The fenced blocks below a heading of the page."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^```\w*\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


def test_the_test_vector_of_the_page_is_right():
    entry, text, name = blocks("Test vectors")
    assert bytes.fromhex(text) == make.canonical(json.loads(entry))
    assert name.strip() == make.entry_id(json.loads(entry))
    VALIDATOR.validate(holding(json.loads(entry)))


def test_the_page_s_way_to_the_schema_leads_there():
    names = {}
    exec(blocks("The JSON Schema")[0], names)
    assert names["schema"] == SCHEMA


def test_what_the_page_shows_of_outputs_is_what_they_carry():
    manager, notebook = new_manager(), Notebook(print, print, has_outputs=True)
    turn = manager.create_session().create_chat().send("x")
    notebook.outputs.write(ledger_of(manager).records(default_user()), {})
    carried = notebook.output_metadata(turn, "0" * 32)
    assert carried.keys() == json.loads(blocks("In outputs")[0]).keys()
    VALIDATOR.evolve(schema={"$ref": f"{SCHEMA['$id']}#/$defs/sessions"}).validate(carried["sessions"])
