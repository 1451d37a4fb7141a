"""What a click in a view does, by the name of the action."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from robota_nb.core.ask_flow import begun_chat, begun_session
from robota_nb.core.inside import ledger_of, runtime_of, view_of
from robota_nb.core.rules.deletion import is_deleted
from robota_nb.core.rules.states import check_active
from robota_nb.core.users import default_user
from robota_nb.errors import ChatNotFound, PromptError, RobotaError, TurnNotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from robota_nb.core.chat import Chat
    from robota_nb.core.live import LiveTurn
    from robota_nb.core.manager import SessionManager
    from robota_nb.core.rules.states import Change
    from robota_nb.core.session import Session
    from robota_nb.switcher.messages import ActionName, Arguments, Result

Outcome: TypeAlias = "Result | Callable[[], Result] | None"
"""What the view is answered; or what waits for a model, to be called in a thread of its own."""
Action: TypeAlias = "Callable[[SessionManager, Arguments], Outcome]"


# -- sessions


def _open_session(manager: SessionManager, args: Arguments) -> Outcome:
    manager.activate(_session(manager, args))
    return None


def _new_session(manager: SessionManager, args: Arguments) -> Outcome:
    return {"session": manager.create_session(name=args.get("name") or None).id}


def _rename_session(manager: SessionManager, args: Arguments) -> Outcome:
    _session(manager, args).rename(args.get("name", ""))
    return None


def _change(by: Change) -> Action:
    def action(manager: SessionManager, args: Arguments) -> Outcome:
        ledger_of(manager).change_state(view_of(_session(manager, args)), by)
        return None

    return action


def _delete_session(manager: SessionManager, args: Arguments) -> Outcome:
    session = _session(manager, args)
    was_active = manager.active_session() is session
    manager.delete_session(session.id)
    return {"was_active": was_active}


def _undelete_session(manager: SessionManager, args: Arguments) -> Outcome:
    session = manager.bring_back(args.get("session", ""))
    if session and args.get("activate", False):
        manager.activate(session)
    return None


# -- chats


def _switch(manager: SessionManager, args: Arguments) -> Outcome:
    chat = _chat(manager, args)
    chat.session.switch_to(chat.id)
    return None


def _new_chat(manager: SessionManager, args: Arguments) -> Outcome:
    with runtime_of(manager).lock:
        session = manager.active_session() or manager.create_session()
        return {"chat": session.create_chat(args.get("name") or None).id}


def _rename_chat(manager: SessionManager, args: Arguments) -> Outcome:
    _chat(manager, args).rename(args.get("name", ""))
    return None


def _configure(manager: SessionManager, args: Arguments) -> Outcome:
    given: Mapping[str, object] = args
    settings = {key: given[key] for key in ("provider", "model", "system") if key in given}
    _chat(manager, args).configure(**settings)
    return None


def _fork(manager: SessionManager, args: Arguments) -> Outcome:
    with runtime_of(manager).lock:
        chat, at = _chat(manager, args), args.get("at")
        name = args.get("name") or _free_name(chat)
        return {"chat": chat.fork(name, at).id}


def _free_name(chat: Chat) -> str:
    """Return a name for a fork that no chat of the session has, or had before it was deleted."""
    view, count = view_of(chat), 2
    stem = chat.name[:80]
    while view.find(f"{stem} {count}") or is_deleted(view, f"{stem} {count}"):
        count += 1
    return f"{stem} {count}"


def _delete_chat(manager: SessionManager, args: Arguments) -> Outcome:
    chat = _chat(manager, args)
    was_active = chat.session.active_id == chat.id
    chat.delete()
    return {"was_active": was_active}


def _undelete_chat(manager: SessionManager, args: Arguments) -> Outcome:
    session = _session(manager, args)
    chat = session.bring_back(args.get("chat", ""))
    if chat and args.get("activate", False):
        session.switch_to(chat)
    return None


# -- turns


def _ask(manager: SessionManager, args: Arguments) -> Outcome:
    text, at = args.get("text", ""), args.get("at")
    if not text.strip():
        raise PromptError("the prompt is empty: write what to send")
    with runtime_of(manager).lock, ledger_of(manager).refusable():
        chat = _chat(manager, args) if "chat" in args else _first_chat(manager)
        live = chat.stream(text, at=at)
    return lambda: _finish(live)


def _finish(live: LiveTurn) -> Result:
    try:
        return {"turn": live.result().id}
    except RobotaError:
        if live.turn is None:
            raise
        return {"turn": live.turn.id}  # what has arrived is kept, and shows how it ended


def _first_chat(manager: SessionManager) -> Chat:
    ledger = ledger_of(manager)
    view = begun_session(ledger, default_user())
    check_active(view)
    session = manager.session(view.id)
    return session.active_chat or session.switch_to(begun_chat(ledger, view))


def _stop(manager: SessionManager, args: Arguments) -> Outcome:
    return {"stopped": _chat(manager, args).cancel()}


def _branch(manager: SessionManager, args: Arguments) -> Outcome:
    _chat(manager, args).checkout(args.get("turn", ""), to_end=True)
    return None


def _cell(manager: SessionManager, args: Arguments) -> Outcome:
    chat = _chat(manager, args)
    view, replay = view_of(chat), runtime_of(chat).replay
    node = view.record.nodes.get(args.get("turn", ""))
    if node is None:
        raise TurnNotFound("that turn is gone: look again")
    owner = replay.owner(view, node)
    if owner is None or replay.document.position(owner) is None:
        raise TurnNotFound("the cell that asked this is not in the notebook any more")
    return {"cell": owner.key}


# -- what they work on


def _session(manager: SessionManager, args: Arguments) -> Session:
    return manager.session(args.get("session", ""))


def _chat(manager: SessionManager, args: Arguments) -> Chat:
    """Return the chat with that id, in whichever of the user's sessions it is."""
    wanted = args.get("chat", "")
    for session in manager.sessions():
        if view_of(session).has(wanted):
            return session.chat(wanted)
    raise ChatNotFound("that chat is gone: choose another one")


ACTIONS: Mapping[ActionName, Action] = {
    "session.open": _open_session,
    "session.new": _new_session,
    "session.rename": _rename_session,
    "session.pause": _change("pause"),
    "session.resume": _change("resume"),
    "session.archive": _change("archive"),
    "session.restore": _change("restore"),
    "session.delete": _delete_session,
    "session.undelete": _undelete_session,
    "chat.switch": _switch,
    "chat.new": _new_chat,
    "chat.rename": _rename_chat,
    "chat.set": _configure,
    "chat.fork": _fork,
    "chat.delete": _delete_chat,
    "chat.undelete": _undelete_chat,
    "ask": _ask,
    "stop": _stop,
    "branch": _branch,
    "cell": _cell,
}
"""All actions, by name."""
