"""What users, cells, views and other kernels do to the chats of a manager, in any order."""

from robota_nb.core.inside import ledger_of, runtime_of, view_of
from robota_nb.core.record import entries as make
from robota_nb.core.users import default_user
from support.core import ask_in_cell, in_cell, new_manager

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
    ask_in_cell(manager, source, source.replace(" ", "-"), make.source_hash(source), user=default_user())


def api_in_a_cell(manager, view, pick):
    """What the Python or the commands of a cell do."""
    with in_cell(manager, f"cell-{pick.randint(0, 5)}", f"hash {pick.randint(0, 2)}", user=default_user()):
        for _ in range(pick.randint(0, 3)):
            pick.choice([api_history, api_fork, api_set, api_switch, api_open, api_ask, api_retry, api_checkout])(
                manager, view, pick
            )


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
        for sid, entries in new.items():
            runtime_of(manager).foreign.add(sid, entries)


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
