"""What a click in a view does, what it is refused, and that nothing a view may say breaks anything."""

import json
import logging
import threading

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from robota_nb.core import ask_flow
from robota_nb.core.inside import ledger_of, runtime_of
from robota_nb.core.record.entries import source_hash
from robota_nb.core.record.snapshot import parse
from robota_nb.core.record.types import Image
from robota_nb.core.turn import Turn
from robota_nb.core.users import default_user
from robota_nb.errors import ProviderError
from robota_nb.switcher.actions import ACTIONS
from support.core import ask_in_cell, everything, in_cell, new_manager, scripted
from support.hub import Reader, agree, fed, hub_of, known, rested, so


@pytest.fixture
def session(manager):
    return manager.create_session(name="S")


@pytest.fixture
def reader(hub, session):
    return Reader(hub).fence()


def clicked(manager):
    """The chat that was clicked, and not used yet, if cells may run here."""
    page = ledger_of(manager).pages.get(default_user())
    return page and page.by_hand


def unchanged(manager):
    """All that a refused click must leave as it is."""
    pointers = [(one.id, one.name, one.state, one.active_id, [c.head for c in one.chats]) for one in manager.sessions()]
    return (
        everything(manager),
        pointers,
        manager.active_session(),
        clicked(manager),
        runtime_of(manager).requests,
    )


# -- what is done


def test_an_answer_comes_after_the_changes_that_it_reports(manager, reader):
    reader.forget()
    made = reader.do("chat.new", name="A")
    assert reader.ops()[-1] == "answer"
    assert reader.chats[made["chat"]]["name"] == "A"
    assert reader.chat == reader.shown == made["chat"]
    turn = reader.do("ask", text="hello")
    assert reader.turns[0]["id"] == turn["turn"]
    assert reader.hub._host.writes_wanted == 2


def test_an_answer_goes_to_who_asked_alone(hub, reader):
    other = Reader(hub).fence()
    reader.do("chat.new")
    other.fence()
    assert not other.of("answer")
    assert other.chats == reader.chats


def test_a_click_counts_for_the_next_cell(manager, session, reader):
    one, two = session.create_chat("one"), session.create_chat("two")
    ledger_of(manager).page(default_user())
    reader.do("chat.switch", chat=one.id)
    assert clicked(manager) == one.id
    assert session.active_chat is one
    assert ask_in_cell(manager, "hi", user=default_user()) == one.turns[0]
    assert two.turns == []
    assert clicked(manager) is None


def test_a_setting_that_is_clicked_counts_too(manager, session, reader):
    chat = session.create_chat("one")
    ledger_of(manager).page(default_user())
    reader.do("chat.set", chat=chat.id, model="big", system="Be brief.")
    assert (chat.config.model, chat.config.system) == ("big", "Be brief.")
    assert reader.chats[chat.id]["model"] == "big"
    turn = ask_in_cell(manager, "hi", user=default_user())
    assert (turn.config.model, turn.config.system) == ("big", "Be brief.")


def test_the_first_prompt_makes_a_session_and_a_chat():
    manager = new_manager()
    reader = Reader(hub_of(manager)).fence()
    turn = reader.do("ask", text="hello")["turn"]
    assert [chat.turns[0].id for chat in manager.active_session().chats] == [turn]
    agree(manager, reader)
    reader.hub.close()


def test_sessions_are_opened_made_renamed_changed_deleted_and_brought_back(manager, session, reader):
    made = reader.do("session.new", name="T")["session"]
    assert manager.active_session().id == reader.session == made
    reader.do("session.rename", session=made, name="U")
    reader.do("session.open", session=session.id)
    assert manager.active_session() is session
    for change, state in (("pause", "paused"), ("resume", "active"), ("archive", "archived"), ("restore", "active")):
        reader.do(f"session.{change}", session=made)
        assert {row["id"]: row["state"] for row in reader.sessions}[made] == manager.session(made).state == state
    assert reader.do("session.delete", session=made) == {"was_active": False}
    assert [row["name"] for row in reader.sessions] == ["S"]
    reader.do("session.undelete", session=made)
    assert manager.active_session() is session
    assert reader.do("session.delete", session=session.id) == {"was_active": True}
    assert reader.session == made
    reader.do("session.undelete", session=session.id, activate=True)
    assert [row["name"] for row in reader.sessions] == ["S", "U"]
    agree(manager, reader)
    assert reader.session == session.id


def test_chats_are_made_renamed_forked_deleted_and_brought_back(manager, session, reader):
    one = reader.do("chat.new", name="one")["chat"]
    reader.do("ask", chat=one, text="a")
    reader.do("ask", chat=one, text="b")
    reader.do("chat.rename", chat=one, name="uno")
    fork = reader.do("chat.fork", chat=one, at=1)["chat"]
    assert (reader.chat, reader.chats[fork]["name"], reader.count) == (fork, "uno 2", 1)
    again = reader.do("chat.fork", chat=one)["chat"]
    assert (reader.chats[again]["name"], reader.count) == ("uno 3", 2)
    assert reader.do("chat.delete", chat=again) == {"was_active": True}
    assert again not in reader.chats
    assert reader.do("chat.fork", chat=one, name="mine")["chat"] == reader.chat
    assert reader.do("chat.delete", chat=fork) == {"was_active": False}
    reader.do("chat.undelete", session=session.id, chat=fork)
    assert reader.chat != fork
    reader.do("chat.undelete", session=session.id, chat=again, activate=True)
    assert reader.chat == again
    agree(manager, reader)


def test_a_fork_takes_no_name_that_somebody_has_or_had(session, reader):
    chat = session.create_chat("A" * 100)
    session.create_chat("A" * 80 + " 2").delete()
    chat.send("hi")
    reader.do("chat.fork", chat=chat.id)
    assert reader.chats[reader.chat]["name"] == "A" * 80 + " 3"


def test_a_click_in_a_chat_of_another_session_reaches_it(manager, session, reader):
    chat = session.create_chat("A")
    manager.create_session(name="T").create_chat("B")
    turn = reader.do("ask", chat=chat.id, text="hi")["turn"]
    assert [one.id for one in chat.turns] == [turn]
    assert manager.active_session().name == "T"


def test_the_cell_that_asked_is_found_as_long_as_it_is_there(manager, session, reader):
    chat, page = session.create_chat("A"), ledger_of(manager).page(default_user())
    page.list_cells([("cell-1", "hash", None)])
    turn = ask_in_cell(manager, "hi", "cell-1", user=default_user())
    assert reader.do("cell", chat=chat.id, turn=turn.id)["cell"] == "cell-1"
    page.list_cells([("cell-2", "another", None)])
    assert "not in the notebook" in reader.refused("cell", chat=chat.id, turn=turn.id)
    assert "not in the notebook" in reader.refused("cell", chat=chat.id, turn=chat.send("no cell").id)


# -- cells of what was asked outside cells


@pytest.fixture
def talked(manager, session, reader):
    """A chat in which a cell has asked, and then a view, three times; three cells are listed."""
    page = ledger_of(manager).page(default_user())
    page.list_cells([("c1", "1", None), ("c2", "2", None), ("c3", "3", None)])
    chat = session.create_chat('A "b"')
    ask_in_cell(manager, "one", "c1", "1", user=default_user())
    turns = [reader.do("ask", chat=chat.id, text=text)["turn"] for text in ("two", "{{ three }}", "four")]
    return page, chat, turns


def put_in(page, made):
    """Have the front end list the cells that a view has put into the notebook."""
    new = {cell["id"] for cell in made["cells"]}
    cells = [(cell.key, cell.source, cell.shows) for cell in page.page.cells if cell.key not in new]
    at = [key for key, *_ in cells].index(made["cell"]) + 1 if made["cell"] else 0
    cells[at:at] = [(cell["id"], source_hash(cell["source"]), None) for cell in made["cells"]]
    page.list_cells(cells)
    return [key for key, *_ in cells]


def states(page):
    return {cell.key: found.state for cell, found in page.marks()}


def run(manager, cell, chat, text):
    """Run a made cell, as its magic does; return the request count."""
    page = ledger_of(manager).page(default_user())
    with in_cell(manager, cell["id"], source_hash(cell["source"]), user=default_user()):
        answer = ask_flow.ask(manager, text, user_id=default_user(), chat=chat.name)
        answer if isinstance(answer, Turn) else answer.result()
    assert page.asking.outcomes[cell["id"]]
    return runtime_of(manager).requests


def test_a_cell_that_is_made_of_the_last_turn_owns_it_and_replays_it(manager, talked, reader):
    page, chat, turns = talked
    requests, said = runtime_of(manager).requests, [turn.id for turn in chat.turns]
    made = reader.do("cell.make", chat=chat.id, turn=turns[2], cell="c2")
    (cell,) = made["cells"]
    assert (made["cell"], cell["source"]) == ("c2", '%%robota --chat "A \\"b\\""\nfour')
    assert [turn.id for turn in chat.turns] == said  # also before the front end has told of the cell
    assert put_in(page, made) == ["c1", "c2", cell["id"], "c3"]
    assert [turn.id for turn in chat.turns] == said
    assert states(page) == {"c1": "asked", cell["id"]: "recorded"}
    row = reader.fence().fetch().turns[3]
    assert (row["cell"], row["marks"]) == (True, [])
    assert reader.do("cell", chat=chat.id, turn=turns[2])["cell"] == cell["id"]
    again = reader.do("cell.make", chat=chat.id, turn=turns[2], cell="c1")
    assert (again["cell"], again.get("cells")) == (cell["id"], None)
    assert run(manager, cell, chat, "four") == requests
    assert states(page)[cell["id"]] == "replayed"
    assert [turn.id for turn in chat.turns] == said


def test_what_follows_the_turn_becomes_cells_too_and_all_replay_in_the_next_kernel(manager, talked, reader):
    page, chat, turns = talked
    said = [turn.id for turn in chat.turns]
    made = reader.do("cell.make", chat=chat.id, turn=turns[0], cell="c1")
    assert [cell["source"].split("\n")[1] for cell in made["cells"]] == ["two", "{{ three }}", "four"]
    assert [" --raw" in cell["source"] for cell in made["cells"]] == [False, True, False]
    put_in(page, made)
    assert [turn.id for turn in chat.turns] == said
    again = new_manager()
    again.adopt(parse(json.loads(json.dumps(manager.snapshot()))))
    there = ledger_of(again).page(default_user())
    there.list_cells([(cell.key, cell.source, None) for cell in page.page.cells])
    chat = again.sessions()[0].chats[0]
    assert [turn.id for turn in chat.turns] == said
    assert list(states(there).values()) == ["recorded"] * 4
    for cell, text in zip(made["cells"], ("two", "{{ three }}", "four"), strict=True):
        assert run(again, cell, chat, text) == 0
    assert list(states(there).values()) == ["recorded", *["replayed"] * 3]


def test_it_stands_where_it_says_what_it_said(manager, session, talked, reader):
    """Below all that its chat said before, and above all that came after."""
    page, chat, turns = talked
    ask_in_cell(manager, "five", "c3", "3", user=default_user())
    made = reader.do("cell.make", chat=chat.id, turn=turns[2], cell="c3")
    assert made["cell"] == "c2"
    put_in(page, made)
    assert set(states(page).values()) == {"asked", "recorded"}
    made = reader.do("cell.make", chat=chat.id, turn=turns[1], cell="")
    assert made["cell"] == "c1"
    put_in(page, made)
    assert set(states(page).values()) == {"asked", "recorded"}
    other = session.create_chat("B")
    turn = reader.do("ask", chat=other.id, text="first words")["turn"]
    assert reader.do("cell.make", chat=other.id, turn=turn, cell="")["cell"] == ""


def test_a_made_cell_that_is_deleted_takes_its_answer_out_of_memory_and_one_that_is_edited_asks(
    manager, talked, reader
):
    page, chat, turns = talked
    made = reader.do("cell.make", chat=chat.id, turn=turns[2], cell="c1")
    (cell,) = made["cells"]
    put_in(page, made)
    edited = {"id": cell["id"], "source": cell["source"] + "?"}
    requests = runtime_of(manager).requests
    assert run(manager, edited, chat, "four?") == requests + 1
    assert [turn.prompt.content for turn in chat.turns] == ["one", "two", "{{ three }}", "four?"]
    page.list_cells([("c1", "1", None), ("c2", "2", None), ("c3", "3", None)])
    assert [turn.prompt.content for turn in chat.turns] == ["one", "two", "{{ three }}"]


def test_a_setting_that_was_clicked_for_the_turn_stays_with_the_made_cell(manager, talked, reader):
    page, chat, _ = talked
    chat.configure(system="Be brief.")
    turn = reader.do("ask", chat=chat.id, text="five")["turn"]
    made = reader.do("cell.make", chat=chat.id, turn=turn, cell="c3")
    put_in(page, made)
    requests = runtime_of(manager).requests
    assert run(manager, made["cells"][0], chat, "five") == requests


def test_no_cell_is_made_of_what_a_cell_could_not_say(manager, session, reader):
    chat, page = session.create_chat("A"), ledger_of(manager).page(default_user())
    turn = reader.do("ask", chat=chat.id, text="early")["turn"]
    assert "brought in" in reader.refused("cell.make", chat=chat.id, turn=turn)
    page.list_cells([("c1", "1", None)])
    odd = reader.do("ask", chat=chat.id, text="#| echo: false")["turn"]
    seen = chat.send("look", images=[Image(media_type="image/png", data=b"\x89PNG")])
    other = session.create_chat("B")
    gone = other.send("forget me")
    other.purge(1)
    before = everything(manager)
    assert "option of another tool" in reader.refused("cell.make", chat=chat.id, turn=odd)
    assert "pictures or files" in reader.refused("cell.make", chat=chat.id, turn=seen.id)
    assert "brought in" in reader.refused("cell.make", chat=other.id, turn=gone.id)
    assert "turn is gone" in reader.refused("cell.make", chat=chat.id, turn="none")
    assert everything(manager) == before


# -- what is refused


def bad_requests(session, chat):
    """All that is wrong with requests for one thing at a time: (what, fields, what the error says)."""
    here = {"chat": chat.id}
    for what in ("chat.switch", "chat.rename", "chat.set", "chat.fork", "chat.delete", "stop", "branch", "cell"):
        yield what, {"name": "N", "model": "m", "turn": "e_123456"}, "choose another one"
        for bad in ("c_unknown", "A", "", "\ud800"):  # no names: the view knows the ids
            yield what, {"chat": bad, "name": "N", "model": "m", "turn": "e_123456"}, "choose another one"
        for bad in (7, None, True, ["A"], {"a": 1}, 1.5):
            yield what, {"chat": bad, "name": "N", "model": "m", "turn": "e_123456"}, "reload the page"
    for what in ("open", "rename", "pause", "resume", "archive", "restore", "delete"):
        yield f"session.{what}", {"name": "N"}, "no session"
        for bad in ("s_unknown", "", "\ud800", "x" * 10_000):
            yield f"session.{what}", {"session": bad, "name": "N"}, "no session"
        for bad in (7, None, False, [], {}):
            yield f"session.{what}", {"session": bad, "name": "N"}, "reload the page"
    for bad in (7, None, True, ["N"]):
        yield "chat.new", {"name": bad}, "reload the page"
        yield "session.new", {"name": bad}, "reload the page"
        yield "chat.rename", {**here, "name": bad}, "reload the page"
        yield "session.rename", {"session": session.id, "name": bad}, "reload the page"
        yield "chat.fork", {**here, "name": bad}, "reload the page"
        yield "chat.set", {**here, "model": bad}, "reload the page"
        yield "chat.set", {**here, "system": bad}, "reload the page"
        yield "ask", {**here, "text": bad}, "reload the page"
        yield "branch", {**here, "turn": bad}, "reload the page"
        yield "cell", {**here, "turn": bad}, "reload the page"
        yield "chat.undelete", {"session": session.id, "chat": bad}, "reload the page"
        yield "session.undelete", {"session": bad}, "reload the page"
    for bad in ("1", True, 1.0, [1]):
        yield "ask", {**here, "text": "hi", "at": bad}, "reload the page"
        yield "chat.fork", {**here, "at": bad}, "reload the page"
    for bad in (7, [], {}, False, 0):
        yield "ask", {"chat": bad, "text": "hi"}, "reload the page"
    for bad in ("", " \n\t"):
        yield "ask", {**here, "text": bad}, "the prompt is empty"
    yield "ask", here, "the prompt is empty"
    yield "ask", {"chat": "c_unknown", "text": "hi"}, "choose another one"
    yield "ask", {"chat": "", "text": "hi"}, "choose another one"
    yield "ask", {**here, "text": "x" * 1_100_000}, "over the cap"
    for bad in (0, -1, 2, 10**30):
        yield "ask", {**here, "text": "hi", "at": bad}, "no turn"
    for bad in (-1, 2, 10**30):
        yield "chat.fork", {**here, "at": bad}, "no turn"
    for bad in ("", "x" * 101, "a\nb", "\x00"):
        yield "chat.rename", {**here, "name": bad}, ""
        yield "session.rename", {"session": session.id, "name": bad}, ""
    yield "chat.new", {"name": "x" * 101}, ""
    yield "chat.new", {"name": "a"}, "'a' already"  # names are case-folded
    yield "chat.rename", {**here, "name": "B"}, "'B' already"
    yield "session.new", {"name": "s"}, "'s' already"
    yield "session.rename", {"session": session.id, "name": "T"}, "'T' already"
    yield "session.resume", {"session": session.id}, "cannot resume"
    yield "session.restore", {"session": session.id}, "cannot restore"
    yield "chat.set", {**here, "model": "x" * 2_000_000}, ""
    for bad in ("e_unknown", "", "1", "e_", "9" * 5_000):
        yield "branch", {**here, "turn": bad}, "no branch"
        yield "cell", {**here, "turn": bad}, "look again"
    for bad in ("chat.purge", "", None, 7, ["ask"], {"a": "b"}, "__class__"):
        yield bad, here, "does not know that"


def test_what_cannot_be_done_is_refused_in_one_line_and_changes_nothing(manager, session, caplog):
    manager.create_session(name="T")
    manager.activate(session)
    chat = session.create_chat("A")
    chat.send("hi")
    session.create_chat("B")
    reader = Reader(hub_of(manager)).fence()
    before, state = unchanged(manager), reader.state()
    with caplog.at_level(logging.WARNING):
        for what, fields, error in bad_requests(session, chat):
            said = reader.view, {"op": "do", "id": "it", "what": what, **fields}
            reader.answers.clear()
            reader.hub.receive(*said)
            answer = reader.answer("it")
            assert set(answer) == {"error"}, (what, {key: str(value)[:50] for key, value in fields.items()}, answer)
            assert answer["error"]
            assert "\n" not in answer["error"]
            assert len(answer["error"]) < 500
            assert error in answer["error"], (what, answer)
            assert unchanged(manager) == before, (what, answer)
    assert caplog.records == []
    rested(manager)
    assert reader.fence().state() == state
    reader.hub.close()


def test_a_busy_chat_is_not_asked_deleted_or_left_for_a_branch():
    manager, provider = fed()
    session = manager.create_session(name="S")
    chat = session.create_chat("A")
    reader = Reader(hub_of(manager)).fence()
    provider.feed("re", None)
    first = reader.do("ask", chat=chat.id, text="first")["turn"]
    number = reader.ask("ask", chat=chat.id, text="second")
    reader.until(lambda: reader.arriving)
    before = unchanged(manager)
    for what, fields in (
        ("ask", {"text": "third"}), ("ask", {"text": "third", "at": 1}),
        ("chat.delete", {}), ("branch", {"turn": first}),
    ):  # fmt: skip
        assert "a turn is running in 'A'" in reader.refused(what, chat=chat.id, **fields)
    assert "a turn is running in 'A'" in reader.refused("session.delete", session=session.id)
    assert unchanged(manager) == before
    assert reader.arriving["prompt"] == "second"
    provider.feed("re", None)
    assert "turn" in reader.answer(number)
    agree(manager, reader)
    assert [row["prompt"] for row in reader.state()["turns"]] == ["first", "second"]
    reader.hub.close()


@pytest.mark.parametrize("begun", [True, False])
def test_a_first_ask_that_fails_leaves_no_chat_and_no_session(begun):
    manager = scripted([ProviderError("no key")], ["hello"])
    if begun:
        manager.create_session(name="S")
    reader = Reader(hub_of(manager)).fence()
    before, state = unchanged(manager)[:-1], reader.state()  # all but the number of requests
    assert "no key" in reader.refused("ask", text="hi")
    assert unchanged(manager)[:-1] == before
    rested(manager)
    assert reader.fence().state() == state
    turn = reader.do("ask", text="hi")["turn"]
    assert [row["id"] for row in reader.turns.values()] == [turn]
    agree(manager, reader)
    reader.hub.close()


@pytest.mark.parametrize("with_chat", [True, False])
def test_a_paused_session_is_not_asked(manager, session, reader, with_chat):
    if with_chat:
        session.create_chat("A")
    session.pause()
    before = unchanged(manager)
    assert "is paused: it can be read, not asked" in reader.refused("ask", text="hi")
    assert unchanged(manager) == before
    reader.do("session.resume", session=session.id)
    reader.do("ask", text="hi")


def test_at_a_limit_nothing_is_made_and_the_limit_is_named(manager, session, reader):
    runtime_of(manager).limits.max_chats, runtime_of(manager).limits.max_active_sessions = 1, 2
    chat = session.create_chat("A")
    chat.send("hi")
    chat.delete()
    other = session.create_chat("B")
    gone = manager.create_session("", "T")
    manager.delete_session("T")
    manager.create_session("", "U").archive()
    manager.create_session("", "V")
    manager.activate(session)
    before = unchanged(manager)
    for what, fields in (
        ("chat.new", {}), ("chat.fork", {"chat": other.id}), ("chat.undelete", {"session": session.id, "chat": chat.id})
    ):  # fmt: skip
        assert "max_chats is 1" in reader.refused(what, **fields)
    for what, fields in (
        ("session.new", {}), ("session.restore", {"session": manager.session("U").id}),
        ("session.undelete", {"session": gone.id}),
    ):  # fmt: skip
        assert "max_active_sessions is 2" in reader.refused(what, **fields)
    assert unchanged(manager) == before
    agree(manager, reader)


def test_a_session_of_another_user_is_unknown(manager, session, reader):
    other = manager.create_session("somebody else", "Secret")
    chat = other.create_chat("Hidden")
    said = reader.refused("session.open", session=other.id), reader.refused("ask", chat=chat.id, text="hi")
    assert "Secret" not in str(said)
    assert chat.turns == []
    agree(manager, reader)
    assert "Secret" not in str(reader.messages)
    assert "Hidden" not in str(reader.messages)


def test_a_model_that_cannot_be_asked_is_told_as_the_answer():
    manager = scripted(ProviderError("no key: set one"), RuntimeError("boom"))
    chat = manager.create_session().create_chat()
    reader = Reader(hub_of(manager)).fence()
    assert reader.refused("ask", chat=chat.id, text="hi") == "no key: set one"
    assert "RuntimeError" in reader.refused("ask", chat=chat.id, text="hi")
    agree(manager, reader)
    reader.hub.close()


def test_what_fails_inside_is_told_in_one_line_and_logged(reader, monkeypatch, caplog):
    monkeypatch.setattr("robota_nb.switcher.hub.ACTIONS", {"stop": lambda *_: 1 / 0, "ask": lambda *_: lambda: 1 / 0})
    with caplog.at_level(logging.ERROR):
        assert "inside robota_nb" in reader.refused("stop")
        assert "inside robota_nb" in reader.refused("ask")
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]


# -- whatever it is


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
KNOWN = "SESSION", "CHAT", "OTHER", "TURN"
field_values = st.sampled_from(KNOWN) | json_values
messages = json_values | st.fixed_dictionaries(
    {"op": st.sampled_from(["hello", "want", "picture", "do", "do", "do"]) | json_values},
    optional={
        "what": st.sampled_from([*ACTIONS]) | json_values,
        **dict.fromkeys(("id", "full", "text", "turn", "first", "last", "at", "activate", "provider"), field_values),
        "name": st.sampled_from("ABC") | field_values,
        "session": st.just("SESSION") | field_values,
        "chat": st.sampled_from(["CHAT", "OTHER"]) | field_values,
    },
)


@settings(max_examples=60)
@given(st.lists(messages, max_size=12))
@example([{"op": ["do"]}, {"op": "do", "what": ["ask"]}, {"op": "do", "what": "ask", "text": "\ud800 half"}])
@example([{"op": "do", "what": "chat.rename", "chat": "CHAT", "name": "\ud800"}])
def test_nothing_that_a_view_may_say_raises_or_breaks_anything(said):
    manager = new_manager()
    session = manager.create_session(name="S")
    chat, other = session.create_chat("A"), session.create_chat("B")
    known_values = {"SESSION": session.id, "CHAT": chat.id, "OTHER": other.id, "TURN": chat.send("hi").id}
    hub = hub_of(manager)
    reader, odd = Reader(hub).fence(), Reader(hub, hello=False)
    odd._answer = odd._picture = lambda **_: None
    failures = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = failures.append
    logging.getLogger("robota_nb").addHandler(handler)
    try:
        for message in said:
            if isinstance(message, dict):
                filled = {
                    key: known_values.get(value, value) if isinstance(value, str) else value
                    for key, value in message.items()
                }
            hub.receive(odd.view, filled if isinstance(message, dict) else message)
        for thread in threading.enumerate():
            if thread.name == "robota_nb-action":
                thread.join()
        agree(manager, reader)
    finally:
        logging.getLogger("robota_nb").removeHandler(handler)
        hub.close()
    assert failures == []
    assert known(reader) == so(manager)
