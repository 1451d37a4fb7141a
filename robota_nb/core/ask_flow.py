"""The way of a cell's ask to its answer: from the record, or live (DESIGN §3). Methods of `SessionManager`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robota_nb.core.events import Changed, Notice
from robota_nb.core.live import LiveTurn, Plan
from robota_nb.core.record import entries as make
from robota_nb.core.record.nodes import Asked
from robota_nb.core.rules.ask import Ask
from robota_nb.core.users import default_user

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from robota_nb.core.chat import Chat
    from robota_nb.core.manager import SessionManager
    from robota_nb.core.ports import Image
    from robota_nb.core.record.nodes import Node
    from robota_nb.core.rules.ask import Decision
    from robota_nb.core.rules.document import Cell
    from robota_nb.core.session import Session
    from robota_nb.core.turn import Turn


def here(manager: SessionManager, cell: Cell | None, user_id: str | None = None) -> Chat | None:
    """Return the chat that a command in this cell means when it names none; None if there is no chat yet."""
    user = user_id or default_user()
    with manager.lock:
        if cell and (found := manager.replay.command_context(cell, manager.sessions(user))):
            return found[0].chat(found[1])
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
    with manager.lock:
        ask = _ask(cell, text, images, options, fresh=fresh or once, at_end=at_end)
        where, target = _target(manager, ask, user_id or default_user(), session, chat)
        named = session is not None or chat is not None
        decision = manager.replay.decide(ask, where, target.id)
        return _answer(ask, decision, target, named=named, once=once)


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
    with manager.lock:
        ask = _ask(cell, text, images, options)
        decision = manager.replay.decide_at(ask, chat.session, chat.id, turn.parent)
        return _answer(ask, decision, chat, named=False, once=False)


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


def _answer(ask: Ask, decision: Decision, target: Chat, *, named: bool, once: bool) -> Turn | LiveTurn:
    where, replay = decision.session, target.session.manager.replay
    if decision.found:
        if decision.found not in where.path(target.id):
            where.move_head(target.id, replay.newest_end(where, decision.found, ask))
        where.turn_replayed(target.id)
        _answered(ask, decision, decision.found.id, named=named)
        where.manager.emit(Changed(session=where.id, chat=target.id))
        return target.turn(decision.found, replayed=True)
    where.check_active()
    return _live(ask, decision, target, named=named, once=once)


def _target(
    manager: SessionManager, ask: Ask, user: str, session: str | None, chat: str | None
) -> tuple[Session, Chat]:
    where = manager.session(session, user) if session else manager.active_session(user) or manager.create_session(user)
    if chat is not None:
        return where, where.chat(chat)
    where, found = manager.replay.which_chat(ask, [where] if session else manager.sessions(user), where)
    return where, where.chat(found) if found else where.create_chat()


def _live(ask: Ask, decision: Decision, target: Chat, *, named: bool, once: bool) -> LiveTurn:
    manager = target.session.manager

    def done(turn: Turn) -> None:
        if not once:
            with manager.lock:
                _answered(ask, decision, turn.id, named=named)
            if left:
                turns = "1 earlier turn stays" if left == 1 else f"{left} earlier turns stay"
                manager.emit(Notice(text=f"asked again in {target.name!r}: {turns} as a branch"))

    chosen = {"session": decision.session.name, "chat": target.name} if named else {}
    path = decision.session.path(target.id)
    left = len(path.nodes) - path.index[decision.stands.id] if decision.stands else 0
    plan = Plan(
        text=ask.text,
        place=decision.place,
        config=decision.session.config_after(target.id, decision.stands),
        options=ask.options,
        cell=Asked(ask.cell.id, ask.k, ask.cell.source),
        settings={**decision.settings, **chosen},
        record=not once,
        images=ask.images,
    )
    return LiveTurn(target, lambda: plan, done)


def _answered(ask: Ask, decision: Decision, turn: str, *, named: bool) -> None:
    manager = decision.session.manager
    manager.replay.show(ask, decision, turn, named=named)
    if not named:
        decision.session.point_to(decision.chat)
        manager.activate_silently(decision.session)
