"""The way of a cell's ask to its answer: from the record, or live (DESIGN §3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robota_nb.core.events import Changed, Notice
from robota_nb.core.inside import ledger_of, view_of
from robota_nb.core.live import LiveTurn
from robota_nb.core.plan import Plan
from robota_nb.core.record import entries as make
from robota_nb.core.record.nodes import Asked
from robota_nb.core.record.text import count
from robota_nb.core.rules import states
from robota_nb.core.rules.ask import Ask
from robota_nb.core.rules.states import Here
from robota_nb.core.turn import Turn
from robota_nb.core.users import default_user

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from robota_nb.core.chat import Chat
    from robota_nb.core.ledger import Ledger
    from robota_nb.core.manager import SessionManager
    from robota_nb.core.ports import Image
    from robota_nb.core.record.nodes import Node
    from robota_nb.core.record.view import SessionView
    from robota_nb.core.rules.ask import Decision
    from robota_nb.core.rules.document import Cell
    from robota_nb.core.session import Session


def current_chat(manager: SessionManager, cell: Cell | None, user_id: str | None = None) -> Chat | None:
    """Return the chat that a command in this cell means when it names none; None if there is no chat yet."""
    user, ledger = user_id or default_user(), ledger_of(manager)
    with ledger.runtime.lock:
        if cell and (found := ledger.runtime.replay.command_context(cell, ledger.sessions(user))):
            view, chat = found
            return manager.session(view.id, user).chat(chat)
        active = manager.active_session(user)
        return active.active_chat if active else None


def ask(
    manager: SessionManager,
    text: str,
    cell: Cell,
    *,
    user_id: str | None = None,
    session: str | None = None,
    chat: str | None = None,
    options: Mapping[str, str] | None = None,
    images: Sequence[Image] = (),
    fresh: bool = False,
    once: bool = False,
    at_end: bool = False,
) -> Turn | LiveTurn:
    """Answer a cell's ask: from the record, or live.

    Parameters
    ----------
    manager
        Whose chats.
    text
        The prompt.
    cell
        The cell that is being executed.
    user_id
        Who asks.
    session, chat
        Where the cell says the ask goes; the active ones then stay as they are.
    options
        Settings for this ask alone.
    images
        The pictures that go with the prompt.
    fresh
        Ask live even if an answer is recorded.
    once
        Ask live, and record nothing.
    at_end
        Go on at the end of the chat, also if this cell has a turn on its path that it showed or was edited since.

    Returns
    -------
    Turn or LiveTurn
        The recorded turn, or one to iterate over.

    Raises
    ------
    SessionNotFound, ChatNotFound, SessionNotActive, ChatBusy, ReplayMiss
        Before anything is asked.
    """
    ledger = ledger_of(manager)
    with ledger.runtime.lock, ledger.refusable():
        asked = _ask(cell, text, images, options, fresh=fresh or once, at_end=at_end)
        target = _target(manager, asked, user_id or default_user(), session, chat)
        named = session is not None or chat is not None
        decision = ledger.runtime.replay.decide(asked, view_of(target), target.id)
        return _answer(ledger, asked, decision, named=named, once=once)


def ask_at(
    manager: SessionManager,
    text: str,
    cell: Cell,
    chat: Chat,
    turn: Node,
    *,
    images: Sequence[Image] = (),
    options: Mapping[str, str] | None = None,
) -> Turn | LiveTurn:
    """Answer a cell's ask in the place of a turn of the path, which becomes a branch; as `ask` does."""
    ledger = ledger_of(manager)
    with ledger.runtime.lock:
        asked = _ask(cell, text, images, options)
        decision = ledger.runtime.replay.decide_at(asked, view_of(chat), chat.id, turn.parent)
        return _answer(ledger, asked, decision, named=False, once=False)


def _ask(
    cell: Cell,
    text: str,
    images: Sequence[Image],
    options: Mapping[str, str] | None,
    *,
    fresh: bool = False,
    at_end: bool = False,
) -> Ask:
    cell.asks += 1
    return Ask(
        cell=cell, k=cell.asks - 1, text=make.clean(text), images=tuple(images), options=options or {},
        fresh=fresh, at_end=at_end,
    )  # fmt: skip


def _target(manager: SessionManager, asked: Ask, user: str, session: str | None, chat: str | None) -> Chat:
    """Return the chat that is asked; one is begun where there is none."""
    ledger = ledger_of(manager)
    where = view_of(manager.session(session, user)) if session else begun_session(ledger, user)
    if chat is not None:
        return _face(manager, where).chat(chat)
    candidates = [where] if session else ledger.sessions(user)
    view, found = ledger.runtime.replay.which_chat(asked, candidates, where)
    if found is None:
        found = begun_chat(ledger, view)
        view.choose(found)
        ledger.tell_active(view)
    return _face(manager, view).chat(found)


def begun_session(ledger: Ledger, user: str) -> SessionView:
    """Return a user's active session; if there is none, one that is recorded once something comes of the ask."""
    return ledger.active(user) or ledger.begin_session(user, for_ask=True)


def begun_chat(ledger: Ledger, view: SessionView) -> str:
    """Return the id of a new chat, which is recorded once something comes of the ask."""
    return ledger.begin_chat(view, None, ledger.inherited_config(view), for_ask=True)


def _face(manager: SessionManager, view: SessionView) -> Session:
    return manager.session(view.id, view.user_id)


def _answer(ledger: Ledger, asked: Ask, decision: Decision, *, named: bool, once: bool) -> Turn | LiveTurn:
    view, chat, replay = decision.session, decision.chat, ledger.runtime.replay
    if decision.found is None:
        states.check_active(view, Here(asked.cell, replay.document))
        return _live(ledger, asked, decision, named=named, once=once)
    if decision.found not in view.path(chat):
        view.move_head(chat, replay.newest_end(view, decision.found, asked))
    view.turn_replayed(chat)
    _answered(ledger, asked, decision, decision.found.id, named=named)
    ledger.runtime.emit(Changed(session=view.id, chat=chat))
    return Turn.from_record(view.record, decision.found, replayed=True)


def _live(ledger: Ledger, asked: Ask, decision: Decision, *, named: bool, once: bool) -> LiveTurn:
    view, chat = decision.session, decision.chat

    def done(turn: Turn) -> None:
        if not once:
            with ledger.runtime.lock:
                _answered(ledger, asked, decision, turn.id, named=named)
            if left:
                stay = f"{count(left, 'earlier turn')} {'stays' if left == 1 else 'stay'} as a branch"
                ledger.runtime.emit(Notice(text=f"asked again in {view.chat_name(chat)!r}: {stay}"))

    chosen = {"session": view.name, "chat": view.chat_name(chat)} if named else {}
    path = view.path(chat)
    left = len(path.nodes) - path.index[decision.stands.id] if decision.stands else 0
    plan = Plan(
        text=asked.text,
        place=decision.place,
        config=view.config_after(chat, decision.stands),
        options=asked.options,
        cell=Asked(asked.cell.id, asked.k, asked.cell.source),
        settings={**decision.settings, **chosen},
        record=not once,
        images=asked.images,
    )
    here = Here(asked.cell, ledger.runtime.replay.document)
    return LiveTurn(ledger, view, chat, lambda: plan, done, here=here)


def _answered(ledger: Ledger, asked: Ask, decision: Decision, turn: str, *, named: bool) -> None:
    ledger.runtime.replay.show(asked, decision, turn, named=named)
    if not named:
        decision.session.point_to(decision.chat)
        ledger.activate_silently(decision.session)
