"""Compaction on a page: a command counts from its cell on down, a click for what is new, and nothing above is stale."""

import pytest

from robota_nb.core import compaction
from robota_nb.core.events import Notice
from robota_nb.core.inside import ledger_of, view_of
from robota_nb.core.live import LiveTurn
from robota_nb.core.record.snapshot import parse
from robota_nb.errors import ReplayMiss
from support.core import ask_in_cell, in_cell, new_manager
from unit.core.test_compaction import Summing

CELLS = ["a", "b", "c", "d", "e", "f"]


@pytest.fixture
def provider():
    return Summing()


@pytest.fixture
def manager(provider):
    manager = new_manager(providers=provider)
    listed(manager, CELLS)
    for cell in CELLS:
        ask_in_cell(manager, f"What is {cell}?", cell, cell)
    return manager


def listed(manager, cells):
    ledger_of(manager).page("u").list_cells([(cell, cell, None) for cell in cells])


def the_chat(manager):
    return manager.sessions("u")[0].chats[0]


def compact_in_cell(manager, cell="z", **options):
    with in_cell(manager, cell, cell):
        chat = the_chat(manager)
        answer = compaction.compact(ledger_of(chat), view_of(chat), chat.id, **options)
        return answer.result() if isinstance(answer, LiveTurn) else answer


def marks(manager):
    return {cell.key: mark.state for cell, mark in ledger_of(manager).page("u").marks()}


def fresh_kernel(manager, provider, cells):
    """Another kernel, with what this one has recorded."""
    other = new_manager(providers=provider)
    listed(other, cells)
    other.adopt(parse(ledger_of(manager).snapshot("u")), "u")
    return other


def first_sent(provider):
    return provider.requests[-1].messages[0]["content"]


def test_a_command_counts_from_its_cell_on_down(manager, provider):
    listed(manager, [*CELLS, "z", "g"])
    compact_in_cell(manager)
    ask_in_cell(manager, "and now?", "g", "g")
    assert first_sent(provider).startswith("[What I asked before")
    assert set(marks(manager).values()) == {"asked"}
    asked = len(provider.requests)
    for cell in CELLS:
        assert ask_in_cell(manager, f"What is {cell}?", cell, cell).replayed
    assert compact_in_cell(manager).replayed
    assert ask_in_cell(manager, "and now?", "g", "g").replayed
    assert len(provider.requests) == asked


def test_another_kernel_finds_it_without_a_request_and_strict_mode_misses_another(manager, provider):
    cells = [*CELLS, "z", "g"]
    listed(manager, cells)
    compact_in_cell(manager)
    ask_in_cell(manager, "and now?", "g", "g")
    asked = len(provider.requests)
    other = fresh_kernel(manager, provider, cells)
    ledger_of(other).runtime.mode = "strict"
    for cell in CELLS:
        assert ask_in_cell(other, f"What is {cell}?", cell, cell).replayed
    with pytest.raises(ReplayMiss, match="the summary of turns 1-2 of 'Chat 1' is not recorded"):
        compact_in_cell(other, text="Keep names.")
    assert ask_in_cell(other, "and now?", "g", "g").replayed  # a miss leaves what stands
    assert compact_in_cell(other).replayed
    assert len(provider.requests) == asked


def test_taken_away_the_answers_below_are_stale_and_say_why(manager):
    listed(manager, [*CELLS, "z", "g"])
    compact_in_cell(manager)
    ask_in_cell(manager, "and now?", "g", "g")
    listed(manager, [*CELLS, "g"])
    page = ledger_of(manager).page("u")
    (judged,) = [mark.judged for _, mark in page.marks() if mark.state == "stale"]
    assert (judged.kind, judged.why) == ("setting", "summary")


def test_below_a_clear_it_makes_no_difference(manager, provider):
    listed(manager, [*CELLS, "z", "y", "g"])
    compact_in_cell(manager)
    with in_cell(manager, "y", "y"):
        the_chat(manager).clear()
    ask_in_cell(manager, "and now?", "g", "g")
    listed(manager, [*CELLS, "y", "g"])
    assert "stale" not in marks(manager).values()


def test_a_click_counts_for_what_is_new_and_makes_nothing_stale(manager, provider):
    the_chat(manager).compact()
    asked = len(provider.requests)
    for cell in CELLS:
        assert ask_in_cell(manager, f"What is {cell}?", cell, cell).replayed
    assert len(provider.requests) == asked
    listed(manager, [*CELLS, "g", "h"])
    ask_in_cell(manager, "and now?", "g", "g")
    assert first_sent(provider).startswith("[What I asked before")
    ask_in_cell(manager, "and then?", "h", "h")
    assert first_sent(provider).startswith("[What I asked before")
    assert set(marks(manager).values()) <= {"asked", "replayed"}
    other = fresh_kernel(manager, provider, [*CELLS, "g", "h"])
    assert set(marks(other).values()) == {"recorded"}
    assert ask_in_cell(other, "and then?", "h", "h").replayed


def test_a_click_waits_for_an_ask_that_it_fits(manager, provider):
    the_chat(manager).compact()
    ask_in_cell(manager, "What is a?", "a", "a", fresh=True)
    assert first_sent(provider) == "What is a?"
    assert "stale" not in marks(manager).values()


def test_what_somebody_else_summed_up_is_told_before_it_is_sent(manager, provider):

    listed(manager, [*CELLS, "z", "g"])
    compact_in_cell(manager)
    runtime = ledger_of(manager).runtime
    told = []
    manager.subscribe(lambda event: told.append(str(event.text)) if isinstance(event, Notice) else None)
    runtime.foreign.sure.update(view_of(the_chat(manager)).record.summaries)
    ask_in_cell(manager, "and now?", "g", "g")
    assert "foreign settings (summary)" in told[0]
