"""Cells that went along with a prompt, for ever: read by every version, and to format 1.0 pictures of unknown types.

Never edit the golden file: a new format gets a new one.
"""

import json

import pytest

from robota_nb.core.inside import ledger_of
from robota_nb.core.record import entries as make
from robota_nb.core.record import snapshot
from robota_nb.core.record.attachments import Attached, attached_entries, attached_in
from robota_nb.core.record.types import File, Image
from robota_nb.core.rules.recorded import digest
from support.core import new_manager
from support.golden import in_the_first_release
from support.paths import TESTS

GOLDEN = json.loads(TESTS.joinpath("golden", "format-1.1-cells.json").read_text(encoding="utf-8"))
SID, MAIN = "s_" + "a" * 32, "c_" + "1" * 32
AT = "2026-12-01T09:00:00Z"
TEXT = "text/plain"


def source(name, text, cell):
    return File(name=name, media_type=TEXT, data=text.encode(), cell=cell, source=make.source_hash(text))


CONFIG = make.config_entry(provider="lab", model="m", system="", params={})
SESSION = make.session_entry(n=1, at=AT, name="Cells")
CHAT = make.chat_entry(n=2, at=AT, chat=MAIN, name="Main", config=make.entry_id(CONFIG))
CELLS = [
    source("cell 2", "# Größe", "markdown"),
    source("cell load", "rows = [3, 1]\nplot(rows)", "shown"),
    File(name="output of cell load", media_type=TEXT, data=b"[1, 3]", cell="output"),
    Image(media_type="image/png", data=b"\x89PNG\r\n\x1a\n", cell="output"),
    source("cell 4", "total = 4", "code"),
]
KEPT = attached_entries(CELLS)
ASKED = make.user_message(
    n=3, at=AT, chat=MAIN, parent=None, text="look", attached=[one.part() for one in KEPT], cell=["c", 0, "0" * 16]
)
ANSWERED = make.assistant_message(
    n=4, at=AT, chat=MAIN, parent=make.entry_id(ASKED), text="ho", config=make.entry_id(CONFIG), model="m",
    finish_reason="stop", usage=None,
)  # fmt: skip
ENTRIES = [CONFIG, SESSION, CHAT, *KEPT.values(), ASKED, ANSWERED]


def test_the_constructors_make_every_entry_of_the_golden_file_under_its_id():
    assert GOLDEN["sessions"] == {SID: {make.entry_id(entry): entry for entry in ENTRIES}}


def test_the_golden_file_is_read_and_means_what_it_meant():
    manager = new_manager()
    manager.adopt(snapshot.parse(GOLDEN), "u")
    assert ledger_of(manager).records("u") == GOLDEN["sessions"]
    turn = manager.sessions("u")[0].chats[0].turns[0]
    assert list(turn.prompt.attached) == CELLS


def test_the_first_release_asks_on_keeps_every_byte_and_purges_it():
    _, sent, kept, purged = in_the_first_release("format-1.1-cells.json", purge=1)
    assert "rows" not in json.dumps(sent)  # a picture that it cannot send
    assert kept.items() >= GOLDEN["sessions"][SID].items()
    assert "rows" not in json.dumps(purged)


def test_what_a_cell_shows_is_no_part_of_what_is_asked_and_that_it_goes_along_is():
    places = list(KEPT)
    shown = [one for one in places if one.cell == "output"]
    assert shown
    assert digest("look", places) == digest("look", [one for one in places if one not in shown])
    without = [one._replace(cell="code") if one.cell == "shown" else one for one in places]
    assert digest("look", places) != digest("look", without)
    renamed = [one._replace(name="cell 9") if one.cell == "code" else one for one in places]
    assert digest("look", places) == digest("look", renamed)  # it has only moved


@pytest.mark.parametrize(
    "wrong", [{"cell": 7}, {"cell": "raw"}, {"cell": "code", "source": "x"}, {"cell": "code"}, {"source": "0" * 16}]
)
def test_a_part_of_another_form_is_a_file_and_no_cell(wrong):
    part = {"image": "e_" + "0" * 32, "name": "data.csv"}
    assert attached_in([{**part, **wrong}]) == (Attached(part["image"], "data.csv"),)
