"""What a click in a view does, by its name. What a view sends may be anything, so all of it is checked here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from robota_nb.core.inside import ledger_of, runtime_of, view_of
from robota_nb.core.rules.deletion import is_deleted
from robota_nb.core.rules.states import check_active
from robota_nb.errors import ChatNotFound, CommandError, PromptError, RobotaError, TurnNotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from robota_nb.core.chat import Chat
    from robota_nb.core.live import LiveTurn
    from robota_nb.core.manager import SessionManager
    from robota_nb.core.rules.states import Change
    from robota_nb.core.session import Session

Said: TypeAlias = "Mapping[str, Any]"
Result: TypeAlias = "dict[str, Any] | Callable[[], dict[str, Any] | None] | None"
"""What the view is answered; or what asks a model, to be called where waiting disturbs nobody."""
Action: TypeAlias = "Callable[[SessionManager, Said], Result]"


# -- sessions


def _open_session(manager: SessionManager, said: Said) -> Result:
    manager.activate(_session(manager, said))
    return None


def _new_session(manager: SessionManager, said: Said) -> Result:
    return {"session": manager.create_session(name=_text(said, "name") or None).id}


def _rename_session(manager: SessionManager, said: Said) -> Result:
    _session(manager, said).rename(_text(said, "name"))
    return None


def _change(by: Change) -> Action:
    def action(manager: SessionManager, said: Said) -> Result:
        session = _session(manager, said)
        ledger_of(manager).change_state(view_of(session), by)
        return None

    return action


def _delete_session(manager: SessionManager, said: Said) -> Result:
    session = _session(manager, said)
    was_active = manager.active_session() is session
    manager.delete_session(session.id)
    return {"was_active": was_active}


def _undelete_session(manager: SessionManager, said: Said) -> Result:
    session = manager.bring_back(_text(said, "session"))
    if session and said.get("activate") is True:
        manager.activate(session)
    return None


# -- chats


def _switch(manager: SessionManager, said: Said) -> Result:
    chat = _chat(manager, said)
    chat.session.switch_to(chat.id)
    return None


def _new_chat(manager: SessionManager, said: Said) -> Result:
    with runtime_of(manager).lock:
        session = manager.active_session() or manager.create_session()
        return {"chat": session.create_chat(_text(said, "name") or None).id}


def _rename_chat(manager: SessionManager, said: Said) -> Result:
    _chat(manager, said).rename(_text(said, "name"))
    return None


def _configure(manager: SessionManager, said: Said) -> Result:
    settings = {key: _text(said, key) for key in ("provider", "model", "system") if key in said}
    _chat(manager, said).configure(**settings)
    return None


def _fork(manager: SessionManager, said: Said) -> Result:
    with runtime_of(manager).lock:
        chat, at = _chat(manager, said), _number(said, "at")
        name = _text(said, "name") or _free_name(chat)
        return {"chat": chat.fork(name, at).id}


def _free_name(chat: Chat) -> str:
    """Return a name for a fork that nobody has."""
    view, count = view_of(chat), 2
    stem = chat.name[:80]
    while view.find(f"{stem} {count}") or is_deleted(view, f"{stem} {count}"):
        count += 1
    return f"{stem} {count}"


def _delete_chat(manager: SessionManager, said: Said) -> Result:
    chat = _chat(manager, said)
    was_active = chat.session.active_id == chat.id
    chat.delete()
    return {"was_active": was_active}


def _undelete_chat(manager: SessionManager, said: Said) -> Result:
    session = _session(manager, said)
    chat = session.bring_back(_text(said, "chat"))
    if chat and said.get("activate") is True:
        session.switch_to(chat)
    return None


# -- turns


def _ask(manager: SessionManager, said: Said) -> Result:
    text, at = _text(said, "text"), _number(said, "at")
    if not text.strip():
        raise PromptError("the prompt is empty: write what to send")
    with runtime_of(manager).lock:
        chat = _chat(manager, said) if said.get("chat") is not None else _first_chat(manager)
        live = chat.stream(text, at=at)
    return lambda: _finish(live)


def _finish(live: LiveTurn) -> dict[str, Any] | None:
    try:
        return {"turn": live.result().id}
    except RobotaError:
        if live.turn is None:
            raise
        return {"turn": live.turn.id}  # what had arrived is kept, and shows how it ended


def _first_chat(manager: SessionManager) -> Chat:
    session = manager.active_session() or manager.create_session()
    check_active(view_of(session))
    return session.active_chat or session.create_chat()


def _stop(manager: SessionManager, said: Said) -> Result:
    return {"stopped": _chat(manager, said).cancel()}


def _branch(manager: SessionManager, said: Said) -> Result:
    chat = _chat(manager, said)
    runtime_of(chat).check_idle(view_of(chat), chat.id)
    chat.checkout(_text(said, "turn"), to_end=True)
    return None


def _cell(manager: SessionManager, said: Said) -> Result:
    chat = _chat(manager, said)
    view, replay = view_of(chat), runtime_of(chat).replay
    node = view.record.nodes.get(_text(said, "turn"))
    if node is None:
        raise TurnNotFound("that turn is not here any more: look again")
    owner = replay.owner(view, node)
    if owner is None or replay.document.position(owner) is None:
        raise TurnNotFound("the cell that asked this is not in the notebook any more")
    return {"cell": owner.key}


# -- inside


def _text(said: Said, key: str) -> str:
    value = said.get(key, "")
    if not isinstance(value, str):
        raise CommandError(f"{key} is no text: reload the page")
    return value


def _number(said: Said, key: str) -> int | None:
    value = said.get(key)
    if value is not None and type(value) is not int:
        raise CommandError(f"{key} is no number: reload the page")
    return value


def _session(manager: SessionManager, said: Said) -> Session:
    return manager.session(_text(said, "session"))


def _chat(manager: SessionManager, said: Said) -> Chat:
    """Return the chat that a view means, in whichever of the user's sessions it is."""
    wanted = _text(said, "chat")
    for session in manager.sessions():
        if view_of(session).has(wanted):
            return session.chat(wanted)
    raise ChatNotFound("that chat is not here any more: choose another one")


ACTIONS: Mapping[str, Action] = {
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
"""Every action."""
