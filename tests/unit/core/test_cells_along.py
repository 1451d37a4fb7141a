"""Cells that go along with a prompt: the answer holds for as long as their sources do, whatever they show."""

import pytest

from robota_nb.core.inside import runtime_of
from robota_nb.core.record.entries import source_hash
from robota_nb.core.record.types import File, Image
from robota_nb.errors import CellsUnseen, PromptError, ReplayMiss
from support.core import ask_in_cell, in_cell, raised, restarted

LOAD, CLEAN = "rows = [3, 1]", "rows.sort()"


def cell(name, text, kind="code"):
    return File(name=name, media_type="text/plain", data=text.encode(), cell=kind, source=source_hash(text))


def output(text):
    return File(name="output of cell load", media_type="text/plain", data=text.encode(), cell="output")


def asks(manager, *attached, **options):
    """Whether a cell asks with these, and nothing is replayed."""
    return not ask_in_cell(manager, "look", attached=attached, **options).replayed


@pytest.fixture
def asked(manager, session):
    """A manager in which a cell has asked with two others, and with what one of them shows."""
    session.create_chat("A")
    assert asks(manager, cell("cell load", LOAD, "shown"), output("3"), cell("cell 2", CLEAN, "markdown"))
    return manager


def test_an_answer_holds_while_the_sources_are_the_same_in_their_order(asked):
    load, clean = cell("cell load", LOAD, "shown"), cell("cell 2", CLEAN, "markdown")
    picture = Image(media_type="image/png", data=b"\x89PNG\r\n\x1a\n", cell="output")
    for same in (
        [load, clean],
        [load, output("4"), picture, clean],
        [load, output("3"), cell("cell 7", CLEAN, "markdown")],
    ):
        assert not asks(restarted(asked), *same)
    for other in (
        [load], [clean, load], [load, cell("cell 2", CLEAN + " ", "markdown")], [cell("cell load", LOAD), clean],
        [load, clean, cell("cell 3", "x")], [],
    ):  # fmt: skip
        assert asks(restarted(asked), *other)


def test_strict_says_which_cell_has_changed(asked):
    again = restarted(asked)
    runtime_of(again).mode = "strict"
    changed = [cell("cell load", "rows = []", "shown"), cell("cell 2", CLEAN, "markdown")]
    said = raised(ReplayMiss, lambda: asks(again, *changed))
    assert said.startswith("no recorded answer in 'A': cell load differs from what is recorded")


def test_where_nobody_tells_what_they_hold_what_is_recorded_stands_in_their_place(asked):
    assert not asks(restarted(asked), lacks=CellsUnseen())
    again = restarted(asked)
    said = raised(CellsUnseen, lambda: ask_in_cell(again, "another", lacks=CellsUnseen()))
    assert "take --cells" not in said  # a program's next step
    assert len(runtime_of(again).providers.requests) == 0
    assert raised(CellsUnseen, lambda: ask_in_cell(again, "look", lacks=CellsUnseen(), fresh=True))


def test_an_ask_that_lacks_something_else_replays_what_it_knows(asked):
    known = [cell("cell load", LOAD, "shown"), cell("cell 2", CLEAN, "markdown")]
    assert not asks(restarted(asked), *known, lacks=PromptError("not yet"))
    assert raised(PromptError, lambda: asks(restarted(asked), known[0], lacks=PromptError("not yet"))) == "not yet"


def test_it_is_sent_again_as_it_was(asked):
    chat = asked.sessions("u")[0].chats[0]
    chat.send("next")
    (first, *_) = runtime_of(asked).providers.requests[-1].messages
    code = f"Cell load:\n```python\n{LOAD}\n```\n\nOutput of cell load:\n```\n3\n```"
    assert first["content"] == f"look\n\n{code}\n\nCell 2:\n```markdown\n{CLEAN}\n```"


def test_a_cell_that_is_here_as_it_was_makes_nothing_stale(asked):
    def states(*sources, prose=()):
        again = restarted(asked)
        with in_cell(again, "other") as page:
            page.list_cells([("cell", "hash", None), ("other", "hash", None), *sources])
            page.tell_prose(prose)
            (found,) = [mark for one, mark in page.marks() if one.key == "cell"]
            return found.state, found.judged.why

    here = ("load", source_hash(LOAD), None)
    assert states(here, prose=[source_hash(CLEAN)]) == ("recorded", "")
    assert states(here, prose=["0" * 16]) == ("stale", "cell 2")
    assert states(prose=[source_hash(CLEAN)]) == ("stale", "cell load")
