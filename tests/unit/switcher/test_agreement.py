"""Whoever changes whatever: at rest, all views know the same, and it is what the manager says."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from robota_nb.core import ask_flow
from robota_nb.core.inside import ledger_of, runtime_of, view_of
from robota_nb.core.record import entries as make
from robota_nb.core.users import default_user
from robota_nb.errors import RobotaError
from support.core import new_manager
from support.hub import Reader, agree, hub_of, rested

# Each takes the manager, a way to act as a view (None: as the API does), and a source of choices.


def api_create(manager, view, pick):
    (manager.active_session() or manager.create_session()).create_chat(pick.choice([None, "A", "B", "C" * 100]))


def api_rename(manager, view, pick):
    some_chat(manager, pick).rename(pick.choice("ABCDE"))


def api_switch(manager, view, pick):
    session = some_session(manager, pick)
    session.switch_to(pick.choice(session.chats).id)


def api_open(manager, view, pick):
    manager.activate(some_session(manager, pick))


def api_session(manager, view, pick):
    getattr(some_session(manager, pick), pick.choice(["pause", "resume", "archive", "restore"]))()


def api_delete(manager, view, pick):
    some_chat(manager, pick).delete()


def api_undelete(manager, view, pick):
    some_session(manager, pick).bring_back(pick.choice("ABCD"))


def api_history(manager, view, pick):
    getattr(some_chat(manager, pick), pick.choice(["undo", "redo", "clear", "undo", "redo"]))()


def api_checkout(manager, view, pick):
    some_chat(manager, pick).checkout(pick.randint(1, 3), to_end=pick.random() < 0.5)


def api_ask(manager, view, pick):
    some_chat(manager, pick).send(f"api {pick.randint(0, 99)}")


def api_ask_as_a_cell(manager, view, pick):
    source = f"cell {pick.randint(0, 5)}"
    turn = ask_flow.ask(
        manager,
        source,
        runtime_of(manager).replay.document.run(source.replace(" ", "-"), make.source_hash(source)),
    )
    if hasattr(turn, "result"):
        turn.result()


def api_edit(manager, view, pick):
    chat = some_chat(manager, pick)
    chat.edit(pick.randint(1, max(1, len(chat.turns))), f"edited {pick.randint(0, 9)}")


def api_retry(manager, view, pick):
    some_chat(manager, pick).retry()


def api_fork(manager, view, pick):
    chat = some_chat(manager, pick)
    chat.fork(pick.choice("ABCDEF"), pick.choice([None, 0, 1]))


def api_purge(manager, view, pick):
    some_chat(manager, pick).purge(1)


def api_set(manager, view, pick):
    some_chat(manager, pick).configure(model=pick.choice(["m", "n", ""]))


def api_flush(manager, view, pick):
    manager.flush()


def api_merge(manager, view, pick):
    """What another kernel did with the same notebook comes in."""
    there = new_manager()
    there.adopt({sid: dict(entries) for sid, entries in ledger_of(manager).records(default_user()).items()})
    chat = some_chat(there, pick)
    pick.choice([chat.retry, lambda: chat.send("there"), lambda: chat.session.create_chat("there")])()
    there.flush()
    with runtime_of(manager).lock:
        new = manager.adopt(ledger_of(there).records(default_user()))
        runtime_of(manager).foreign |= {eid for entries in new.values() for eid in entries}


def view_lists(manager, view, pick):
    what = pick.choice(["chat.new", "session.new"])
    view.ask(what, name=pick.choice(["", "A", "B", "X", "Y"]))


def view_chat(manager, view, pick):
    what = pick.choice(["chat.switch", "chat.switch", "chat.rename", "chat.set", "chat.fork", "chat.delete"])
    chat = some_chat(manager, pick)
    view.ask(what, chat=chat.id, **({"name": pick.choice("PQR")} if what != "chat.set" else {"model": "big"}))


def view_undelete(manager, view, pick):
    session = some_session(manager, pick)
    gone = [chat for chat in view_of(session).record.chats if not view_of(session).has(chat)]
    view.ask("chat.undelete", session=session.id, chat=pick.choice(gone), activate=pick.random() < 0.5)


def view_session(manager, view, pick):
    what = pick.choice(["open", "pause", "resume", "archive", "restore", "rename", "delete", "undelete"])
    sessions = [session for session in manager._sessions.values() if session.deleted is (what == "undelete")]
    view.ask(f"session.{what}", session=pick.choice(sessions).id, name=pick.choice(["Work", "Play"]), activate=True)


def view_ask(manager, view, pick):
    session = manager.active_session()
    chat = {"chat": some_chat(manager, pick).id} if session and pick.random() < 0.8 else {}
    number = view.ask("ask", text=f"view {pick.randint(0, 99)}", **chat)
    if pick.random() < 0.5:
        view.answer(number)


def view_edit(manager, view, pick):
    chat = some_chat(manager, pick)
    view.answer(view.ask("ask", chat=chat.id, text="changed", at=pick.randint(1, len(chat.turns) + 1)))


def view_branch(manager, view, pick):
    chat = some_chat(manager, pick)
    nodes = [node for node in view_of(chat).record.nodes.values() if node.chat == chat.id]
    view.ask("branch", chat=chat.id, turn=pick.choice(nodes).id)


def view_again(manager, view, pick):
    pick.choice([view.fence, view.fetch, lambda: view.say(op="hello", full=True)])()


def some_session(manager, pick):
    return pick.choice(manager.sessions())


def some_chat(manager, pick):
    return pick.choice([chat for session in manager.sessions() for chat in session.chats])


OPERATIONS = [
    value for name, value in [*globals().items()] if name.startswith(("api_", "view_")) and value.__module__ == __name__
]


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from(OPERATIONS), st.integers(0, 1), st.integers(0, 10_000)), max_size=30),
    st.integers(0, 30),
)
def test_at_rest_all_views_know_what_is_so(operations, late):
    manager = new_manager()
    manager.create_session(name="S").create_chat("A").send("first")
    hub = hub_of(manager)
    views = [Reader(hub), Reader(hub)]
    for at, (operate, who, seed) in enumerate(operations):
        if at == late:
            views.append(Reader(hub))
        try:
            operate(manager, views[who], random.Random(seed))
        except (RobotaError, IndexError):  # there is nothing of that kind, or it may not be
            pass
    agree(manager, *views)
    for view in views:
        view.leave()


def test_at_rest_all_views_know_what_is_so_after_a_long_day():
    manager = new_manager()
    manager.create_session(name="S").create_chat("A").send("first")
    hub = hub_of(manager)
    views = [Reader(hub), Reader(hub)]
    pick, done = random.Random(2_026), set()
    for at in range(400):
        operate = pick.choice(OPERATIONS)
        try:
            operate(manager, pick.choice(views), pick)
        except (RobotaError, IndexError):
            continue
        done.add(operate)
        if at % 20 == 0:
            rested(manager)
            agree(manager, *views)
    agree(manager, *views)
    assert done == {*OPERATIONS}
    answers = [answer for view in views for answer in view.answers.values()]
    assert sum("turn" in answer for answer in answers) > 10
    hub.close()
