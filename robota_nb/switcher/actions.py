"""What a click in a view does, by the name of the action."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from robota_nb.core import compaction
from robota_nb.core.ask_flow import begun_chat, begun_session
from robota_nb.core.events import Notice
from robota_nb.core.inside import ledger_of, runtime_of, view_of
from robota_nb.core.rules import history
from robota_nb.core.rules.deletion import is_deleted
from robota_nb.core.rules.states import check_active
from robota_nb.core.turn import Turn
from robota_nb.core.users import default_user
from robota_nb.errors import ChatNotFound, PromptError, RobotaError, TurnNotFound
from robota_nb.prompt.made import ask_cell
from robota_nb.switcher import choosing
from robota_nb.switcher.composing import compose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from robota_nb.core.chat import Chat
    from robota_nb.core.live import LiveTurn
    from robota_nb.core.manager import SessionManager
    from robota_nb.core.record.nodes import Node
    from robota_nb.core.rules.states import Change
    from robota_nb.core.session import Session
    from robota_nb.switcher.host import Host
    from robota_nb.switcher.messages import ActionName, Arguments, Draft, Result

Outcome: TypeAlias = "Result | Callable[[], Result] | None"
"""What the view is answered; or what waits for a model, to be called in a thread of its own."""
Action: TypeAlias = "Callable[[Host, Arguments], Outcome]"


# -- sessions


def _open_session(host: Host, args: Arguments) -> Outcome:
    host.manager.activate(_session(host.manager, args))
    return None


def _new_session(host: Host, args: Arguments) -> Outcome:
    return {"session": host.manager.create_session(name=args.get("name") or None).id}


def _rename_session(host: Host, args: Arguments) -> Outcome:
    _session(host.manager, args).rename(args.get("name", ""))
    return None


def _change(by: Change) -> Action:
    def action(host: Host, args: Arguments) -> Outcome:
        ledger_of(host.manager).change_state(view_of(_session(host.manager, args)), by)
        return None

    return action


def _delete_session(host: Host, args: Arguments) -> Outcome:
    session = _session(host.manager, args)
    was_active = host.manager.active_session() is session
    host.manager.delete_session(session.id)
    return {"was_active": was_active}


def _undelete_session(host: Host, args: Arguments) -> Outcome:
    session = host.manager.bring_back(args.get("session", ""))
    if session and args.get("activate", False):
        host.manager.activate(session)
    return None


# -- chats


def _switch(host: Host, args: Arguments) -> Outcome:
    chat = _chat(host.manager, args)
    chat.session.switch_to(chat.id)
    return None


def _new_chat(host: Host, args: Arguments) -> Outcome:
    with runtime_of(host.manager).lock:
        session = host.manager.active_session() or host.manager.create_session()
        return {"chat": session.create_chat(args.get("name") or None).id}


def _rename_chat(host: Host, args: Arguments) -> Outcome:
    _chat(host.manager, args).rename(args.get("name", ""))
    return None


def _configure(host: Host, args: Arguments) -> Outcome:
    given: Mapping[str, object] = args
    preset = host.preset(args["preset"]) if args.get("preset") else {}
    texts = {key: given[key] for key in ("provider", "model", "system") if key in given}
    _chat(host.manager, args).configure(**{**preset, **texts, **args.get("params", {})})
    return None


def _settings(host: Host, args: Arguments) -> Outcome:
    return {"settings": choosing.settings(host, _chat(host.manager, args))}


def _models(host: Host, args: Arguments) -> Outcome:
    return lambda: {"models": choosing.models(host, args.get("provider", ""))}


def _fork(host: Host, args: Arguments) -> Outcome:
    with runtime_of(host.manager).lock:
        chat, at = _chat(host.manager, args), args.get("at")
        name = args.get("name") or _free_name(chat)
        return {"chat": chat.fork(name, at).id}


def _free_name(chat: Chat) -> str:
    """Return a name for a fork that no chat of the session has, or had before it was deleted."""
    view, count = view_of(chat), 2
    stem = chat.name[:80]
    while view.find(f"{stem} {count}") or is_deleted(view, f"{stem} {count}"):
        count += 1
    return f"{stem} {count}"


def _compact(host: Host, args: Arguments) -> Outcome:
    chat = _chat(host.manager, args)
    answer = compaction.compact(ledger_of(chat), view_of(chat), chat.id)
    if answer is None:
        raise PromptError("there is nothing to sum up yet: the last turns are sent as they are")
    if isinstance(answer, Turn):
        return None

    def finish() -> Result:
        compaction.check_whole(answer.result())
        return {}

    return finish


def _compact_undo(host: Host, args: Arguments) -> Outcome:
    _chat(host.manager, args).compact_undo()
    return None


def _delete_chat(host: Host, args: Arguments) -> Outcome:
    chat = _chat(host.manager, args)
    was_active = chat.session.active_id == chat.id
    chat.delete()
    return {"was_active": was_active}


def _undelete_chat(host: Host, args: Arguments) -> Outcome:
    session = _session(host.manager, args)
    chat = session.bring_back(args.get("chat", ""))
    if chat and args.get("activate", False):
        session.switch_to(chat)
    return None


# -- turns


def _ask(host: Host, args: Arguments) -> Outcome:
    prompt = compose(args, host.namespace, host.is_prompt)
    runtime = runtime_of(host.manager)
    for notice in (*prompt.notices, *_as_it_was(host, args)):
        runtime.emit(notice)
    with runtime.lock, ledger_of(host.manager).refusable():
        chat = _chat(host.manager, args) if "chat" in args else _first_chat(host.manager)
        live = chat.stream(prompt.text, prompt.images, files=prompt.files, at=args.get("at"))
    return lambda: _finish(live)


def _as_it_was(host: Host, args: Arguments) -> Iterator[Notice]:
    """Yield what the user should know of variables that were looked at while a cell ran: it may have been half-way."""
    number = host.running_number
    names_some = args.get("fields", False) and "{{" in args.get("text", "")
    if number is not None and (names_some or any(one["kind"] == "variable" for one in args.get("attached", []))):
        yield Notice(text=f"the variables were sent as they were while cell [{number}] ran")


def _preview(host: Host, args: Arguments) -> Outcome:
    prompt = compose(args, host.namespace, host.is_prompt)
    said, pictures = prompt.said, len(prompt.images)
    draft: Draft = {"text": said, "size": len(said.encode()), "messages": 1, "pictures": pictures}
    if "chat" in args:
        preview = _chat(host.manager, args).preview(prompt.text, prompt.images, files=prompt.files)
        draft |= {"size": preview.size, "messages": len(preview.request.messages)}
    return {"draft": draft}


def _complete(host: Host, args: Arguments) -> Outcome:
    word, offers = choosing.offers(args.get("text", ""), host.variables)
    return {"word": word, "offers": offers}


def _search(host: Host, args: Arguments) -> Outcome:
    def search() -> Result:
        found = host.search(args.get("text", ""), everywhere=args.get("everywhere", False))
        shown = found[: choosing.MOST]
        return {"hits": [choosing.hit(match) for match in shown], "more": len(found) - len(shown)}

    return search


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


def _stop(host: Host, args: Arguments) -> Outcome:
    return {"stopped": _chat(host.manager, args).cancel()}


def _branch(host: Host, args: Arguments) -> Outcome:
    _chat(host.manager, args).checkout(args.get("turn", ""), to_end=True)
    return None


def _cell(host: Host, args: Arguments) -> Outcome:
    chat = _chat(host.manager, args)
    node = _turn(chat, args)
    page = ledger_of(host.manager).page(chat.session.user_id).page
    cell = page.place_of(node.id) if page.listed and not view_of(chat).record.is_outside(node) else None
    if cell is None:
        raise TurnNotFound("the cell that asked this is not in the notebook any more")
    return {"cell": cell}


def _make_cell(host: Host, args: Arguments) -> Outcome:
    chat = _chat(host.manager, args)
    view, node = view_of(chat), _turn(chat, args)
    if not view.record.is_outside(node):
        return _cell(host, args)
    several = len(host.manager.sessions()) > 1

    def source_of(node: Node) -> str:
        if history.is_purged(view, node):
            raise PromptError("no cell can be made of what was removed for good")
        if view.record.attached(node.user):
            raise PromptError(
                "a cell would not find the pictures or files of this prompt again: copy it, and name them"
            )
        if not view.has(node.chat):
            raise ChatNotFound("its chat was deleted: bring that back first")
        return ask_cell(
            view.record.text(node.user), chat=view.chat_name(node.chat), session=chat.session.name if several else ""
        )

    made = ledger_of(host.manager).page(chat.session.user_id).make_cells(node.id, args.get("cell", ""), source_of)
    if made is None:
        raise TurnNotFound("no cell can be made of this: it, or what follows it, was brought in, or removed for good")
    return {"cell": made.below, "cells": [{"id": cell.id, "source": cell.source} for cell in made.cells]}


# -- what they work on


def _turn(chat: Chat, args: Arguments) -> Node:
    node = view_of(chat).record.nodes.get(args.get("turn", ""))
    if node is None:
        raise TurnNotFound("that turn is gone: look again")
    return node


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
    "chat.settings": _settings,
    "chat.fork": _fork,
    "chat.compact": _compact,
    "chat.compact_undo": _compact_undo,
    "chat.delete": _delete_chat,
    "chat.undelete": _undelete_chat,
    "ask": _ask,
    "stop": _stop,
    "branch": _branch,
    "cell": _cell,
    "models": _models,
    "complete": _complete,
    "preview": _preview,
    "search": _search,
    "cell.make": _make_cell,
}
"""All actions, by name."""
