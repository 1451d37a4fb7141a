"""The states of a session, deleting it and bringing it back, and its limits."""

import pytest

from robota_nb.core import ask_flow
from robota_nb.core.events import Activated, Changed, EntriesAdded
from robota_nb.core.inside import ledger_of, runtime_of, view_of
from robota_nb.core.record.entries import entry_id, set_entry
from robota_nb.errors import (
    DuplicateName,
    InvalidStateTransition,
    SessionLimitReached,
    SessionNotActive,
    SessionNotFound,
)
from support.core import ask_in_cell, in_cell, new_manager, raised, restarted, texts

CHANGES = {
    "pause": {"active": "paused"},
    "resume": {"paused": "active"},
    "archive": {"active": "archived", "paused": "archived"},
    "restore": {"archived": "active"},
    "terminate": {"active": "terminated", "paused": "terminated", "archived": "terminated"},
}
LEADING_TO = {
    "active": [],
    "paused": ["pause"],
    "archived": ["archive"],
    "terminated": ["terminate"],
}
NEXT_STEPS = {
    "active": "it can be asked as it is",
    "paused": "session.resume() lets it go on",
    "archived": "session.restore() brings it back",
    "terminated": "that is for good; create another with manager.create_session()",
}


def in_state(state, manager=None, name="S"):
    """A session in this state, with a chat that was asked before."""
    session = (manager or new_manager()).create_session("u", name)
    session.create_chat("A").send("hi")
    for change in LEADING_TO[state]:
        getattr(session, change)()
    return session


# -- states


@pytest.mark.parametrize("state", LEADING_TO)
@pytest.mark.parametrize("change", CHANGES)
def test_a_session_changes_its_state_in_the_given_ways_and_in_no_other(state, change):
    session = in_state(state)
    after = CHANGES[change].get(state)
    if after:
        getattr(session, change)()
    else:
        before = session.manager.snapshot("u")
        assert raised(InvalidStateTransition, getattr(session, change)) == (
            f"cannot {change} the session 'S': it is {state}; {NEXT_STEPS[state]}"
        )
        assert session.manager.snapshot("u") == before
    assert session.state == (after or state)
    assert restarted(session.manager).session("S", "u").state == session.state


@pytest.mark.parametrize("state", ["paused", "archived", "terminated"])
def test_a_session_that_is_not_active_is_listed_and_read_and_not_asked(state):
    session = in_state(state)
    manager, chat = session.manager, session.chat("A")
    requests = len(runtime_of(manager).providers.requests)
    text = f"the session 'S' is {state}: it can be read, not asked; {NEXT_STEPS[state]}"
    for ask in (
        lambda: chat.send("more"),
        lambda: chat.stream("more"),
        lambda: chat.edit(1, "more"),
        chat.retry,
        lambda: ask_in_cell(manager, "more", session="S"),
    ):
        assert raised(SessionNotActive, ask) == text
    assert len(runtime_of(manager).providers.requests) == requests
    assert texts(chat) == ["re: hi"]
    assert manager.sessions("u") == [session]
    assert len(session.search("hi")) == 1
    assert session.stats.total.turns == 1
    assert chat.preview("more").request.messages[-1]["content"] == "more"
    assert len(session.to_records()) == 2


@pytest.mark.parametrize("state", ["paused", "archived", "terminated"])
def test_a_session_that_is_not_active_still_replays(state):
    manager = new_manager()
    session = manager.create_session("u", "S")
    session.create_chat("A")
    ask_in_cell(manager, "hi")
    for change in LEADING_TO[state]:
        getattr(session, change)()
    again = restarted(manager)
    turn = ask_in_cell(again, "hi")
    assert (turn.text, turn.replayed) == ("re: hi", True)
    assert runtime_of(again).providers.requests == []


def test_a_session_can_be_paused_and_resumed_again_and_again():
    session = in_state("active")
    for _ in range(3):
        session.pause()
        session.resume()
    session.manager.flush("u")
    assert session.chat("A").send("more").text == "re: more"


def test_a_state_that_is_what_it_was_when_the_kernel_is_idle_is_not_written():
    session = in_state("active")
    session.manager.flush("u")
    written = []
    session.manager.subscribe(lambda event: written.append(event) if isinstance(event, EntriesAdded) else None)
    session.pause()
    session.resume()
    session.manager.flush("u")
    assert written == []


def test_a_state_that_a_later_version_knows_is_read_and_not_asked():
    session = in_state("active")
    frozen = set_entry(n=90, at="2026-11-22T09:00:00Z", chat=None, key="state", value="frozen")
    session.manager.adopt({session.id: {entry_id(frozen): frozen}}, "u")
    assert raised(SessionNotActive, session.chat("A").send, "more") == (
        "the session 'S' is frozen: it can be read, not asked; a later version of robota_nb knows that state"
    )
    raised(InvalidStateTransition, session.resume)


# -- the active session


def test_creating_a_session_activates_it_for_its_user_alone():
    manager = new_manager()
    one = manager.create_session("u")
    hers = manager.create_session("v")
    two = manager.create_session("u")
    assert manager.active_session("u") is two
    assert manager.active_session("v") is hers
    manager.activate(one)
    assert manager.active_session("u") is one
    assert restarted(manager).active_session("u").id == one.id


def test_a_user_without_sessions_has_no_active_one():
    manager = new_manager()
    manager.create_session("v")
    assert manager.active_session("u") is None
    assert manager.sessions("u") == []


# -- deleting


def test_a_deleted_session_is_gone_from_all_lists_and_comes_back_as_it_was():
    session = in_state("active")
    manager = session.manager
    other = manager.create_session("u", "T")
    manager.activate(session)
    assert manager.delete_session("s", "u") is session
    assert manager.sessions("u") == [other]
    assert manager.active_session("u") is other
    assert manager.stats("u").total.turns == 0
    raised(SessionNotFound, manager.session, "S", "u")
    raised(SessionNotFound, manager.session, session.id, "u")
    raised(SessionNotFound, manager.delete_session, "S", "u")
    again = restarted(manager)
    assert [s.name for s in again.sessions("u")] == ["T"]
    assert again.is_deleted("S", "u")
    assert again.bring_back("s", "u").id == session.id
    assert texts(again.session("S", "u").chat("A")) == ["re: hi"]
    assert again.active_session("u").name == "T"
    assert not again.is_deleted("S", "u")


def test_the_name_of_a_deleted_session_is_free_and_of_twins_the_newest_comes_back():
    manager = new_manager()
    first = manager.create_session("u", "S")
    manager.delete_session("S", "u")
    second = manager.create_session("u", "S")
    assert manager.bring_back(first.id, "u") is first
    assert [s.name for s in manager.sessions("u")] == ["S", "S (2)"]
    for session in (first, second):
        manager.delete_session(session.id, "u")
    assert manager.bring_back("S", "u") is second
    assert manager.bring_back("S", "v") is None
    assert second.name == "S"


def test_another_users_session_is_not_deleted_and_does_not_come_back():
    session = in_state("active")
    raised(SessionNotFound, session.manager.delete_session, session.id, "v")
    session.manager.delete_session("S", "u")
    assert session.manager.bring_back(session.id, "v") is None
    assert not session.manager.is_deleted("S", "v")


def test_deleting_the_last_session_leaves_none_active():
    session = in_state("active")
    session.manager.delete_session("S", "u")
    assert session.manager.active_session("u") is None
    assert restarted(session.manager).active_session("u") is None


def test_who_listens_is_told_which_session_is_active_after_a_deletion():
    manager = new_manager()
    one, two = (manager.create_session("u", name) for name in "ST")
    told = []
    manager.subscribe(told.append)
    manager.delete_session("T", "u")
    assert told == [Changed(session=two.id), Activated(session=one.id, chat=None)]
    assert two.deleted


# -- names and descriptions


def test_a_session_says_what_it_is_about_also_after_a_restart():
    session = in_state("active")
    assert session.description == ""
    session.describe("  how the parser works ")
    assert session.description == "how the parser works"
    again = restarted(session.manager).session("S", "u")
    assert again.description == "how the parser works"
    again.describe("")
    assert restarted(again.manager).session("S", "u").description == ""


def test_a_renamed_session_is_found_by_both_names_also_after_a_restart():
    session = in_state("active")
    session.rename("Parser")
    again = restarted(session.manager)
    assert again.session("parser", "u").id == again.session("S", "u").id == session.id
    again.create_session("u", "T")
    raised(DuplicateName, again.session("T", "u").rename, "PARSER")


# -- limits


def test_only_active_sessions_count_against_the_limit():
    manager = new_manager(max_active_sessions=2)
    one, two = (manager.create_session("u", name) for name in ("one", "two"))
    raised(SessionLimitReached, manager.create_session, "u", "three")
    one.pause()
    manager.create_session("u", "three").archive()
    manager.create_session("u", "four").terminate()
    manager.create_session("u", "five")
    assert [session.state for session in manager.sessions("u")] == [
        "paused", "active", "archived", "terminated", "active",
    ]  # fmt: skip
    manager.delete_session("two", "u")
    manager.create_session("u", "six")
    assert two.deleted


@pytest.mark.parametrize(("state", "back"), [("paused", "resume"), ("archived", "restore")])
def test_at_the_limit_no_session_becomes_active_again(state, back):
    session = in_state(state, new_manager(max_active_sessions=1))
    session.manager.create_session("u", "T")
    before = session.manager.snapshot("u")
    assert "max_active_sessions is 1" in raised(SessionLimitReached, getattr(session, back))
    assert session.state == state
    assert session.manager.snapshot("u") == before
    session.manager.session("T", "u").pause()
    getattr(session, back)()
    assert session.state == "active"


@pytest.mark.parametrize("state", ["active", "paused"])
def test_at_the_limit_a_deleted_session_comes_back_if_it_is_not_active(state):
    session = in_state(state, new_manager(max_active_sessions=1))
    manager = session.manager
    manager.delete_session("S", "u")
    manager.create_session("u", "T")
    if state == "active":
        raised(SessionLimitReached, manager.bring_back, "S", "u")
        assert manager.is_deleted("S", "u")
    else:
        assert manager.bring_back("S", "u") is session
    assert len(manager.sessions("u")) == (1 if state == "active" else 2)


def test_what_a_notebook_holds_is_taken_over_whatever_the_limits():
    manager = new_manager(max_active_sessions=0, max_chats=0)
    for _ in range(3):
        session = manager.create_session("u")
        for _ in range(3):
            session.create_chat()
    again = restarted(manager, max_active_sessions=1, max_chats=1)
    assert [len(session.chats) for session in again.sessions("u")] == [3] * 3
    raised(SessionLimitReached, again.create_session, "u")


# -- all together


def test_a_manager_says_what_it_holds():
    manager = in_state("paused").manager
    manager.create_session("v", "hers").create_chat("B").send("hello")
    assert manager.stats("u").sessions == 1
    assert {record["session"] for record in manager.to_records("u")} == {"S"}
    assert ledger_of(manager).records("v").keys() == {manager.session("hers", "v").id}


# -- what cells say: the state counts from that cell on down


PAGE = [("one", "h1"), ("two", "h2"), ("three", "h3")]


def page(manager, cells=PAGE):
    """The front end lists the cells."""
    ledger_of(manager).page("u").list_cells((name, source, None) for name, source in cells)
    return manager


def source_of(name):
    return dict(PAGE).get(name, f"hash of {name}")


def says(manager, name, change, source=None):
    """A cell changes the state of the session S; the state afterwards."""
    session = manager.session("S", "u")
    with in_cell(manager, name, source or source_of(name)) as notebook:
        ledger_of(manager).change_state(view_of(session), change, notebook.here)
    return session.state


def asks(manager, name, text="more"):
    return ask_in_cell(manager, text, name, source_of(name), fresh=True).text


CLOSING = {"pause": "paused", "archive": "archived", "terminate": "terminated"}


def ending_in(change, listed=True):
    """A kernel whose page ends in a cell that says this, and the kernel after it."""
    manager = new_manager()
    if listed:
        page(manager)
    session = manager.create_session("u", "S")
    session.create_chat("A")
    asks(manager, "one", "hi")
    says(manager, "three", change)
    manager.flush("u")
    again = restarted(manager)
    return page(again) if listed else again


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("change", CLOSING)
def test_a_page_that_ends_in_a_state_can_be_run_again_from_the_top(change, listed):
    manager = ending_in(change, listed)
    assert manager.session("S", "u").state == CLOSING[change]
    assert asks(manager, "two") == "re: more"
    manager.flush("u")
    before = ledger_of(manager).records("u")
    assert says(manager, "three", change) == CLOSING[change]
    manager.flush("u")
    assert ledger_of(manager).records("u") == before
    raised(SessionNotActive, asks, manager, "below")
    if listed:  # then in one kernel, too
        assert asks(manager, "two") == "re: more"


@pytest.mark.parametrize("change", CLOSING)
def test_below_its_cell_the_state_counts_also_in_the_next_kernel(change):
    manager = ending_in(change)
    page(manager, [*PAGE, ("four", "h4")])
    raised(SessionNotActive, asks, manager, "four")
    raised(SessionNotActive, manager.session("S", "u").chat("A").send, "from outside of cells")


@pytest.mark.parametrize("change", CLOSING)
def test_a_state_that_was_set_by_hand_counts_for_all_cells(change):
    manager = page(new_manager())
    manager.create_session("u", "S").create_chat("A").send("hi")
    getattr(manager.session("S", "u"), change)()
    manager.flush("u")
    for kernel in (manager, page(restarted(manager))):
        raised(SessionNotActive, asks, kernel, "one")
        before = kernel.snapshot("u")
        assert says(kernel, "three", change) == CLOSING[change]  # a cell that says the same makes it no cell's
        raised(SessionNotActive, asks, kernel, "one")
        assert kernel.snapshot("u") == before


def test_a_state_whose_cell_is_gone_counts():
    manager = ending_in("archive")
    page(manager, PAGE[:2])
    raised(SessionNotActive, asks, manager, "one")


def test_a_cell_with_another_id_is_known_by_its_source_and_one_that_was_edited_by_its_id():
    for third in (("renamed", "h3"), ("three", "edited")):
        manager = ending_in("archive")
        page(manager, [*PAGE[:2], third])
        assert asks(manager, "two") == "re: more"


def test_a_page_with_several_changes_runs_again_and_again_and_ends_alike():
    cells = [(name, f"h {name}") for name in ("ask", "pause", "resume", "more", "archive", "restore", "terminate")]
    manager = page(new_manager(), cells)
    manager.create_session("u", "S").create_chat("A")

    def run(manager):
        states = []
        for name, source in cells:
            if name in ("ask", "more"):
                asks(manager, name)
            else:
                states.append(says(manager, name, name, source))
        manager.flush("u")
        return states

    first = run(manager)
    assert first == ["paused", "active", "archived", "active", "terminated"]
    entries = {eid for eid, entry in ledger_of(manager).records("u")[manager.session("S", "u").id].items()
               if entry.get("key") == "state"}  # fmt: skip
    again = page(restarted(manager), cells)
    for kernel in (manager, again, again):
        assert run(kernel) == first
        record = ledger_of(kernel).records("u")[kernel.session("S", "u").id]
        assert {eid for eid, entry in record.items() if entry.get("key") == "state"} == entries


def test_in_one_cell_the_state_counts_from_there_on_and_not_when_the_cell_runs_again():
    manager = page(new_manager())
    manager.create_session("u", "S").create_chat("A")
    for _ in range(2):
        with in_cell(manager, "one", source_of("one")) as notebook:
            assert ask_flow.ask(manager, "hi", user_id="u", fresh=True).result().text == "re: hi"
            ledger_of(manager).change_state(view_of(manager.session("S", "u")), "archive", notebook.here)
            raised(SessionNotActive, lambda: ask_flow.ask(manager, "more", user_id="u"))


def test_terminated_by_hand_stays_whatever_cells_say():
    manager = page(new_manager())
    manager.create_session("u", "S").terminate()
    manager.flush("u")
    assert says(page(restarted(manager)), "one", "restore") == "terminated"


@pytest.mark.parametrize("mark", ["three", [], ["three", -1, "h3"], [0, 0, "h3"], {"a": "b"}])
def test_a_mark_of_another_form_says_nothing(mark):
    manager = page(new_manager())
    session = manager.create_session("u", "S")
    session.create_chat("A")
    entry = {**set_entry(n=90, at="2026-11-22T09:00:00Z", chat=None, key="state", value="paused"), "cell": mark}
    manager.adopt({session.id: {entry_id(entry): entry}}, "u")
    raised(SessionNotActive, asks, manager, "one")
