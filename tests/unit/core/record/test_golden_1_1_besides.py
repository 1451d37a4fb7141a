"""What answers have beside their text, for ever: read by every version, and by 0.1 kept, exported and purged.

Never edit the golden file: a new format gets a new one.
"""

import base64
import json

import pytest

from robota_nb.core.inside import ledger_of
from robota_nb.core.ports import Besides, Image, Source, Usage
from robota_nb.core.record import entries as make
from robota_nb.core.record import snapshot
from robota_nb.core.record.besides import besides_of, put_besides
from robota_nb.core.record.fold import SessionState
from robota_nb.core.turn import Turn
from support.core import new_manager
from support.golden import in_the_first_release
from support.paths import TESTS

FILE = TESTS / "golden" / "format-1.1-besides.json"
GOLDEN = json.loads(FILE.read_text(encoding="utf-8"))
SID, MAIN = "s_" + "a" * 32, "c_" + "1" * 32
AT = "2026-11-30T09:00:00Z"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")

CITED = Besides(
    sources=(
        Source(title="One", url="https://one.example/a"), Source(url="https://two.example/b"),
        Source(title="notes.pdf"), Source(),
    ),
    more_sources=3,
)  # fmt: skip
DRAWN = Besides(
    pictures=(Image(media_type="image/png", data=PNG), Image(media_type="image/gif", data=GIF)), lost_pictures=1
)
REFUSED = Besides(refused=True)

CONFIG = make.config_entry(provider="lab", model="m", system="", params={})
SESSION = make.session_entry(n=1, at=AT, name="Sources")
CHAT = make.chat_entry(n=2, at=AT, chat=MAIN, name="Main", config=make.entry_id(CONFIG))


def ask(n, parent, text):
    cell = [f"cell-{n}", 0, "0123456789abcdef"]
    return make.user_message(n=n, at=AT, chat=MAIN, parent=parent and make.entry_id(parent), text=text, cell=cell)


def answer(asked, text, besides, usage=None):
    entry = make.assistant_message(
        n=asked["n"] + 1, at=AT, chat=MAIN, parent=make.entry_id(asked), text=text, config=make.entry_id(CONFIG),
        model="m", finish_reason="stop", usage=usage,
    )  # fmt: skip
    put_besides(entry, besides)
    return entry


SO = ask(3, None, "is it so?")
COUNTED = Usage(input_tokens=12, output_tokens=34, more={"cached_tokens": 8, "reasoning_tokens": 20})
IT_IS = answer(SO, "It is so[1][2].", CITED, COUNTED)
DRAW = ask(5, IT_IS, "draw it")
HERE = answer(DRAW, "", DRAWN, Usage(input_tokens=5, at_least=True))
BOMB = ask(7, HERE, "and a bomb")
NO = answer(BOMB, "I will not.", REFUSED)
ENTRIES = [CONFIG, SESSION, CHAT, SO, IT_IS, DRAW, HERE, BOMB, NO]


@pytest.fixture
def state():
    state = SessionState(SID)
    state.apply(snapshot.parse(GOLDEN)[SID])
    return state


def test_the_constructors_make_every_entry_of_the_golden_file_under_its_id():
    assert GOLDEN["sessions"] == {SID: {make.entry_id(entry): entry for entry in ENTRIES}}


def test_the_golden_file_is_read_and_kept_as_it_stands():
    manager = new_manager()
    manager.adopt(snapshot.parse(GOLDEN), "u")
    assert ledger_of(manager).records("u") == GOLDEN["sessions"]


def test_the_turns_have_it_all(state):
    turns = [Turn.from_record(state, state.nodes[make.entry_id(entry)]) for entry in (IT_IS, HERE, NO)]
    assert [turn.besides for turn in turns] == [CITED, DRAWN, REFUSED]
    assert [turn.refused for turn in turns] == [False, False, True]
    assert turns[0].sources == CITED.sources
    assert turns[1].images == turns[1].reply.images == DRAWN.pictures
    assert [turn.usage for turn in turns] == [COUNTED, Usage(input_tokens=5, at_least=True), None]


@pytest.mark.parametrize(
    ("field", "value"),
    [("sources", ["x"]), ("sources", [{"url": 1}]), ("pictures", [{"media_type": "image/png"}]), ("pictures", ["x"]),
     ("refused", True), ("refused", 2), ("left_out", {"sources": -1}), ("left_out", [1])],
)  # fmt: skip
def test_a_field_of_another_form_is_as_if_it_was_not_there(field, value):
    entry = {**NO, field: value}
    if field != "refused":
        del entry["refused"]
    state = SessionState(SID)
    state.apply({make.entry_id(each): each for each in (*ENTRIES[:-1], entry)})
    assert besides_of(state, make.entry_id(entry)) == Besides()


def test_what_a_stranger_wrote_is_checked_when_it_is_read():
    evil = {"kind": "x", "sources": [{"title": "a\u202eb\n<b>", "url": "javascript:alert(1)"}] * 300}
    script = {"media_type": "image/svg+xml", "data": [base64.b64encode(b"<svg onload=alert(1)>").decode()]}
    entry = {**NO, "sources": evil["sources"], "pictures": [script], "left_out": {"sources": 7}}
    state = SessionState(SID)
    state.apply({make.entry_id(each): each for each in (*ENTRIES[:-1], entry)})
    found = besides_of(state, make.entry_id(entry))
    assert set(found.sources) == {Source(title="ab <b>")}
    assert (len(found.sources), found.more_sources) == (200, 107)
    assert (found.pictures, found.lost_pictures) == ((), 1)


def test_the_first_release_reads_it_asks_after_it_keeps_it_and_purges_it():
    texts, sent, kept, purged = in_the_first_release(FILE.name, purge=2)
    assert texts == ["It is so[1][2].", "", "I will not."]
    assert all(isinstance(message["content"], str) for message in sent)
    assert GOLDEN["sessions"][SID].items() <= kept.items()
    assert purged[make.entry_id(HERE)]["kind"] == "purged"
    assert not any("pictures" in entry for entry in purged.values())
