"""The table of kinds: whatever stands in it is read, folded, purged, exported, carried, merged, shown and verified."""

import json

import pytest

from robota_nb.carriers import output
from robota_nb.carriers.output import OutputCarrier
from robota_nb.core.chat_format import from_json, to_json
from robota_nb.core.inside import ledger_of, view_of
from robota_nb.core.ports import Image
from robota_nb.core.record import entries as make
from robota_nb.core.record import snapshot
from robota_nb.core.record.attachments import attachment_of, image_entry
from robota_nb.core.record.kinds import (
    CHAT_ID,
    CLOCK,
    COUNT,
    KINDS,
    TEXT,
    TO_MESSAGE,
    UNKNOWN,
    Export,
    Kind,
    Purge,
    Rides,
    Value,
    kind_of,
    purged_stub,
)
from robota_nb.core.record.relations import purge_of
from robota_nb.display import report
from robota_nb.errors import SnapshotError
from support.core import everything, new_manager, restarted

SID, A, B = "s_" + "0" * 32, "c_" + "a" * 32, "c_" + "b" * 32
AT = "2026-11-22T09:00:00Z"

RATING = Kind(
    name="rating",
    required={**CLOCK, "chat": CHAT_ID, "message": TO_MESSAGE, "stars": COUNT},
    optional={"comment": TEXT},
    rides=Rides.ONCE,
    purge=Purge.WITH_ITS_TARGET,
    export=Export.WITH_ITS_TARGET,
    shown=("stars", "comment"),
)


@pytest.fixture(autouse=True)
def rating(monkeypatch):
    """A kind more, as a feature to come would bring it: this row, and the code that makes such entries."""
    monkeypatch.setitem(KINDS, RATING.name, RATING)


def rate(chat, turn, stars, comment):
    """What that code would do."""
    said = {"chat": chat.id, "message": turn.id, "stars": stars, "comment": comment}
    ledger_of(chat).write(view_of(chat), lambda n, at: {"kind": "rating", "n": n, "at": at, **said})


# -- a session with two chats, and one more entry, of any kind

CONFIG = make.config_entry(provider="p", model="m", system="", params={})
PICTURE = image_entry(media_type="image/png", data=b"\x89PNG")


def turn_entries(n, chat, text, parent=None, images=()):
    asked = make.user_message(
        n=n, at=AT, chat=chat, parent=parent, text=text, attached=[{"image": eid} for eid in images]
    )
    answered = make.assistant_message(
        n=n + 1, at=AT, chat=chat, parent=make.entry_id(asked), text=f"re: {text}", config=make.entry_id(CONFIG),
        model="m", finish_reason="stop", usage=None,
    )  # fmt: skip
    return asked, answered


ASKED, ANSWERED = turn_entries(4, A, "the first", images=[make.entry_id(PICTURE)])
LATER = turn_entries(6, A, "the second", parent=make.entry_id(ANSWERED))
ELSEWHERE = turn_entries(8, B, "in another chat")
BEGUN = [
    make.session_entry(n=1, at=AT, name="S"),
    CONFIG,
    make.chat_entry(n=2, at=AT, chat=A, name="A", config=make.entry_id(CONFIG)),
    make.chat_entry(n=3, at=AT, chat=B, name="B", config=make.entry_id(CONFIG)),
]
TALK = [*BEGUN, PICTURE, ASKED, ANSWERED, *LATER, *ELSEWHERE]
TARGETS = {"message": make.entry_id(ANSWERED), "config": make.entry_id(CONFIG), "image": make.entry_id(PICTURE)}


SAID = ("x", A, 1, "user", TARGETS["message"], ["x"], {"x": "y"}, {"x": 1}, ["", 0, "x"], ["", "x"], "0" * 32)
SAID += ([TARGETS["message"]], {"x": ["", "y"]}, [{"chat": A}], "body.x", [["options", "body.x", "1"]])
SAID += ([{"media_type": "image/png", "data": ["x"]}], "0" * 64)
"""Values of which each field can have one."""


def named(*entries):
    return {make.entry_id(entry): entry for entry in entries}


def sample(name):
    """An entry of a kind with all of its fields, which refers to the first turn if it refers to any; and its id."""

    def value(field, of):
        if field == "n":
            return 10
        if of.leads_to:
            return TARGETS[of.leads_to]
        return next(said for said in SAID if of.check(said))

    if name == "later":
        entry = {"kind": "later", "n": 10, "says": ["x"], "of": [{"turn": TARGETS["message"]}]}
    else:
        kind = KINDS[name]
        fields = {**kind.required, **kind.optional, **kind.added}
        entry = {"kind": name, **{field: value(field, of) for field, of in fields.items()}}
    return ("e_" + "0" * 32 if kind_of(entry).is_stub else make.entry_id(entry)), entry


@pytest.fixture(params=[*KINDS, RATING.name, "later"])
def one(request):
    """An entry of each kind, with its id; *later* is one that this version does not know."""
    return sample(request.param)


def holding(*pairs):
    return snapshot.dump({SID: {**named(*TALK), **dict(pairs)}})


def taken_over(value):
    manager = new_manager()
    manager.adopt(snapshot.parse(json.loads(json.dumps(value))), "u")
    return manager


# -- every kind


def test_it_is_read_kept_and_written_as_it_was(one):
    assert ledger_of(taken_over(holding(one))).records("u")[SID][one[0]] == one[1]


def test_it_is_verified_and_without_a_field_that_must_be_there_refused(one):
    assert report.verified(holding(one)).startswith("verified: 1 session")
    kind = kind_of(one[1])
    for field in kind.required:
        less = {name: value for name, value in one[1].items() if name != field}
        pair = make.entry_id(less), less
        if kind.minor:  # to a reader of format 1.0, all of them are of an unknown kind
            assert kind_of(less) is UNKNOWN
            assert ledger_of(taken_over(holding(pair))).records("u")[SID][pair[0]] == less
        else:
            with pytest.raises(SnapshotError, match=f"has no {field}"):
                report.verified(holding(pair))


def test_what_it_refers_to_must_be_there(one):
    for field, _ in kind_of(one[1]).links:
        wrong = {**one[1], field: "e_" + "9" * 32}
        with pytest.raises(SnapshotError, match="is missing"):
            snapshot.parse(holding((make.entry_id(wrong) if not kind_of(wrong).is_stub else one[0], wrong)))


def test_a_purge_of_a_turn_removes_it_if_its_row_says_so_and_leaves_a_readable_snapshot(one):
    eid, entry = one
    manager = taken_over(holding(one))
    manager.session(SID, "u").chat(A).purge(1)
    held = ledger_of(manager).records("u")[SID]
    is_gone = kind_of(entry).purge is Purge.WITH_ITS_TARGET
    assert held[eid] == (purged_stub(entry) if is_gone else entry)
    assert snapshot.parse(manager.snapshot("u"))


def test_an_export_of_its_chat_has_it_if_its_row_says_so(one):
    eid, entry = one
    exported = from_json(to_json(taken_over(holding(one)).session(SID, "u").chat(A)), "a.json")[SID]
    is_of_it = kind_of(entry).export in (Export.FRAME, Export.SAID, Export.WITH_ITS_TARGET)
    assert (eid in exported) == (is_of_it or eid in named(CONFIG, PICTURE))


def test_an_export_of_another_chat_has_nothing_that_tells_of_a_chat(one):
    eid, entry = one
    exported = from_json(to_json(taken_over(holding(one)).session(SID, "u").chat(B)), "b.json")[SID]
    is_of_session = kind_of(entry).export is Export.FRAME and "chat" not in entry
    assert (eid in exported) == (is_of_session or eid in named(CONFIG))


def test_outputs_carry_it_as_often_as_its_row_says(one):
    eid, entry = one
    carrier, outputs = OutputCarrier(), []
    carrier.write({SID: {**named(*BEGUN, PICTURE, ASKED, ANSWERED), eid: entry}}, {})
    carrier.begins("first", known=True)
    outputs.append(carrier.take()[SID])
    carrier.begins("second", known=True)
    carrier.write({SID: named(*LATER)}, {})
    outputs.append(carrier.take()[SID])
    riding = [eid in carried for carried in outputs]
    if kind_of(entry).rides is Rides.NEVER:
        assert riding == [False, False]
    elif kind_of(entry).rides is Rides.ALONG:
        used = [eid in named(CONFIG, PICTURE), eid in named(CONFIG)]  # by both turns; by the first
        assert riding == used
    else:
        assert riding == [True, kind_of(entry).rides is Rides.ALWAYS]
    carrier.begins("first", known=True)  # whose output is replaced
    carrier.write({SID: named(*ELSEWHERE)}, {})
    assert carrier.take()[SID].items() >= outputs[0].items()


def test_merged_with_what_stays_of_it_purged_it_is_gone_whichever_comes_first(one):
    eid, entry = one
    with_it, without = {SID: {eid: entry}}, {SID: {eid: {"kind": "purged"}}}
    union = snapshot.merge(with_it, without)
    assert union == snapshot.merge(without, with_it)
    assert union == without  # of two stubs, too: it is the one with the greater text
    assert snapshot.merge(with_it, with_it) == with_it


def test_it_is_shown_where_its_row_says_so(one):
    shown = report.tree(holding(one))
    assert "the first" in shown
    for field in kind_of(one[1]).shown:
        assert f"{field} {one[1][field]}" in shown
    json.dumps(report.outline(holding(one)))


# -- a kind more, from its entry to the end


def test_a_rating_is_kept_shown_exported_and_purged_with_its_turn():
    manager = new_manager()
    chat = manager.create_session("u", "S").create_chat("A")
    chat.send("one")
    turn = chat.send("two")
    rate(chat, turn, 4, "my secret")
    again = restarted(manager)
    value = again.snapshot("u")
    assert report.verified(value).startswith("verified")
    assert "rating: stars 4, comment my secret" in report.tree(value)
    (_, rated) = report.outline(value)[0]["chats"][0]["turns"]
    assert rated["notes"] == [{"kind": "rating", "stars": 4, "comment": "my secret"}]
    assert "my secret" in to_json(again.session("S", "u").chat("A"))
    chat.purge(1)
    assert "my secret" in everything(manager)
    chat.purge(2)
    assert "my secret" not in everything(manager)
    assert report.verified(manager.snapshot("u")).startswith("verified")


def test_what_tells_of_a_rating_goes_with_it():
    eid, entry = sample("rating")
    reply = {"kind": "later", "re": eid, "says": ["as you said"]}
    gone = purge_of({**named(*TALK, reply), eid: entry}, make.entry_id(ASKED))
    assert gone.keys() >= {eid, make.entry_id(reply)}


# -- kinds of later versions


def later(*names, n=11):
    return {"kind": "later", "n": n, "says": ["x"], "of": list(names)}


def test_what_names_another_turn_is_not_purged():
    (_, other), about = LATER, later(make.entry_id(LATER[1]))
    assert make.entry_id(about) not in purge_of(named(*TALK, about), make.entry_id(ASKED))
    assert make.entry_id(about) in purge_of(named(*TALK, about), other["parent"])


def test_what_names_another_chat_too_is_not_exported():
    of_both = later(TARGETS["message"], make.entry_id(ELSEWHERE[1]))
    of_chats, of_this, of_none = later(A, B), later(A), later()
    manager = taken_over(holding(*named(of_both, of_chats, of_this, of_none).items()))
    exported = from_json(to_json(manager.session(SID, "u").chat(A)), "a.json")[SID]
    kept = [entry in exported.values() for entry in (of_both, of_chats, of_this, of_none)]
    assert kept == [False, False, True, False]


# -- pictures


def test_a_purge_takes_the_pictures_that_nobody_else_has():
    manager = new_manager()
    chat = manager.create_session("u", "S").create_chat("A")
    shared, own = (Image(media_type="image/png", data=data) for data in (b"shared", b"own"))
    chat.send("one", images=[shared, own])
    chat.send("two", images=[shared])
    chat.purge(1)
    assert chat.turns[1].prompt.images == (shared,)
    held = [attachment_of(entry) for entry in ledger_of(manager).records("u")[chat.session.id].values()]
    assert shared in held
    assert own not in held


def test_a_picture_of_a_question_that_was_never_answered_is_left():
    waiting = make.user_message(
        n=20, at=AT, chat=A, parent=None, text="?", attached=[{"image": make.entry_id(PICTURE)}]
    )
    assert make.entry_id(PICTURE) not in purge_of(named(*TALK, waiting), make.entry_id(ASKED))


def test_outputs_carry_the_pictures_of_their_own_turns_only():
    manager, carrier, cells, sizes = new_manager(), OutputCarrier(), {}, {}
    chat = manager.create_session("u", "S").create_chat("A")
    manager.subscribe(lambda event: carrier.write({event.session: event.entries}, {event.session: event.removed}))
    carrier.write(ledger_of(manager).records("u"), {})

    def ask(cell, images=()):
        carrier.begins(cell, known=True)
        chat.send(f"look at {cell}", images=images)
        cells[cell] = {"sessions": carrier.take()}
        sizes[cell] = len(json.dumps(cells[cell]))

    pictures = [Image(media_type="image/png", data=bytes([number]) * 300_000) for number in range(4)]
    for number, picture in enumerate(pictures):
        ask(f"picture {number}", [picture])
    ask("plain")
    assert all(400_000 < sizes[f"picture {number}"] < 500_000 for number in range(4))
    assert sizes["plain"] < 2_000
    ask("picture 1")  # again, without it: its output is replaced, and what rode there is in the new one
    assert 400_000 < sizes["picture 1"] < 500_000
    ask("picture 2", [pictures[3]])
    assert 800_000 < sizes["picture 2"] < 1_000_000
    notebook = {
        "metadata": {},
        "cells": [{"id": cell, "outputs": [{"metadata": {"robota_nb": mine}}]} for cell, mine in cells.items()],
    }
    assert output.read(notebook)[1] == ledger_of(manager).records("u")
    assert output.settle(notebook) == 0
    again = new_manager()
    again.adopt(snapshot.parse(notebook["metadata"]["robota_nb"]), "u")
    shown = [turn.prompt.images for turn in again.session("S", "u").chat("A").turns]
    assert shown == [*((picture,) for picture in pictures), (), (), (pictures[3],)]


def test_a_row_has_a_check_for_each_field():
    for kind in KINDS.values():
        for value in {**kind.required, **kind.optional, **kind.added}.values():
            assert isinstance(value, Value)
            assert not value.check(None)
            assert value.leads_to in {"", *KINDS}
