"""The way of a cell's ask to its answer: from the record, or live."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from robota_nb.core import plans
from robota_nb.core.cell_asks import stands, told
from robota_nb.core.events import Changed
from robota_nb.core.inside import ledger_of, view_of
from robota_nb.core.live import LiveTurn
from robota_nb.core.plan import ONE_ROUND, Plan, Rounds
from robota_nb.core.record import entries as make
from robota_nb.core.rules.effects import Back, Undo
from robota_nb.core.rules.states import check_active
from robota_nb.core.turn import Turn
from robota_nb.core.users import default_user
from robota_nb.errors import CellsUnseen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from robota_nb.core.chat import Chat
    from robota_nb.core.ledger import Ledger
    from robota_nb.core.manager import SessionManager
    from robota_nb.core.notebook_page import NotebookPage
    from robota_nb.core.ports import Attachment
    from robota_nb.core.record.nodes import Node
    from robota_nb.core.record.view import SessionView
    from robota_nb.core.rules.asking import Ask, Decision
    from robota_nb.errors import RobotaError


def current_chat(manager: SessionManager, user_id: str | None = None) -> Chat | None:
    """Return the chat that a command means which names none; None if there is no chat yet."""
    user, ledger = user_id or default_user(), ledger_of(manager)
    with ledger.runtime.lock:
        page = ledger.running(user)
        if page is None:
            active = manager.active_session(user)
            return active.active_chat if active else None
        chat, _ = page.asking.command_chat()
        view = page.record.view_of(chat)
        return manager.session(view.id, user).chat(chat) if view else None


def ask(
    manager: SessionManager,
    text: str,
    *,
    user_id: str | None = None,
    session: str | None = None,
    chat: str | None = None,
    options: Mapping[str, str] | None = None,
    attached: Sequence[Attachment] = (),
    fresh: bool = False,
    once: bool = False,
    append: bool = False,
    lacks: RobotaError | None = None,
    rounds: Rounds = ONE_ROUND,
) -> Turn | LiveTurn:
    """Answer an ask: of the running cell from the record, or live; outside cells live.

    Parameters
    ----------
    manager
        Whose chats.
    text
        The prompt.
    user_id
        Who asks.
    session, chat
        Where the cell says the ask goes; the page then stays in the chat that it is in.
    options
        Settings for this ask alone.
    attached
        The pictures, files and cells that go with the prompt.
    fresh
        Ask live even if an answer is recorded.
    once
        Ask live, and record nothing.
    append
        Go on after what the cell has asked before, as an input line.
    lacks
        What keeps the model from being asked, as what is to go along is not known: only a recorded answer will do. If
        nobody tells what cells hold, those that are recorded with the prompt stand in their place.
    rounds
        What may have the model asked more than once.

    Returns
    -------
    Turn or LiveTurn
        The recorded turn, or one to iterate over.

    Raises
    ------
    SessionNotFound, ChatNotFound, SessionNotActive, ChatBusy, ReplayMiss, or what it *lacks*
        Before anything is asked.
    """
    ledger, user = ledger_of(manager), user_id or default_user()
    with ledger.runtime.lock, ledger.refusable():
        page = ledger.running(user)
        where = manager.session(session, user) if session else None
        if chat is not None:
            where = where or manager.session(begun_session(ledger, user).id, user)
        to = where.chat(chat).id if where and chat is not None else None
        if page is None:
            if lacks:
                raise lacks
            view = ledger.views[where.id] if where else begun_session(ledger, user)
            return _outside(
                ledger, view, to, text, attached=attached, options=options or {}, record=not once, rounds=rounds
            )
        if append:
            page.asking.append()
        within = where.id if where and chat is None else None
        if isinstance(lacks, CellsUnseen):
            attached = (*attached, *page.record.cells_sent(make.clean(text), page.here_id))
        asked = page.ask(
            make.clean(text), attached, to=to, within=within, options=options or {}, fresh=fresh or once, lacks=lacks,
            tools=rounds.tools,
        )  # fmt: skip
        asked = _with_chat(ledger, page, user, asked)
        return _answer(ledger, page, asked, make.clean(text), attached, once=once, rounds=rounds)


def ask_instead(
    manager: SessionManager,
    chat: Chat,
    node: Node,
    text: str,
    *,
    attached: Sequence[Attachment] = (),
    options: Mapping[str, str] | None = None,
    rounds: Rounds = ONE_ROUND,
) -> Turn | LiveTurn:
    """Answer an ask in the place of a turn that a chat remembers; what stands from there on is left; as `ask` does."""
    ledger, view = ledger_of(manager), view_of(chat)
    with ledger.runtime.lock:
        page, path = ledger.running(view.user_id), view.path(chat.id)
        if page is None:
            check_active(view)
            made = replace(plans.instead(ledger, view, chat.id, text, node), rounds=rounds)
            return LiveTurn(ledger, view, chat.id, lambda: made)
        place = path.place(node)
        page.did(Undo(chat=chat.id) if place == len(path) else Back(chat=chat.id, to=place - 1))
        return ask(manager, text, user_id=view.user_id, attached=attached, options=options, rounds=rounds)


def _outside(
    ledger: Ledger,
    view: SessionView,
    chat: str | None,
    text: str,
    *,
    attached: Sequence[Attachment],
    options: Mapping[str, str],
    record: bool,
    rounds: Rounds,
) -> LiveTurn:
    """Ask outside cells: at the end of a chat, in none of a cell's places, and never from the record."""
    check_active(view)
    to = chat or view.active_id or begun_chat(ledger, view)
    plan = replace(plans.at_end(ledger, view, to, text, attached), options=options, record=record, rounds=rounds)
    return LiveTurn(ledger, view, to, lambda: plan)


def _with_chat(ledger: Ledger, page: NotebookPage, user: str, asked: Ask) -> Ask:
    """Return the ask with a chat to go to: where there is none, one is begun, unless nothing is to be asked."""
    run = page.asking.running
    assert run is not None
    if page.asking.target(asked) or not page.asking.may_ask(run.former) or asked.lacks:
        return asked
    session = asked.within or page.asking.where_to_begin()
    view = ledger.views.get(session or "") or begun_session(ledger, user)
    return replace(asked, to=begun_chat(ledger, view), named=False)


def begun_session(ledger: Ledger, user: str) -> SessionView:
    """Return a user's active session; if there is none, one that is recorded once something comes of the ask."""
    return ledger.active(user) or ledger.begin_session(user, for_ask=True)


def begun_chat(ledger: Ledger, view: SessionView) -> str:
    """Return the id of a new chat, which is recorded once something comes of the ask."""
    return ledger.begin_chat(view, None, ledger.inherited_config(view), for_ask=True)


def _answer(
    ledger: Ledger,
    page: NotebookPage,
    asked: Ask,
    text: str,
    attached: Sequence[Attachment],
    *,
    once: bool,
    rounds: Rounds,
) -> Turn | LiveTurn:
    decision = page.decide(asked)
    chat = decision.request.chat
    view = page.record.view_of(chat)
    assert view is not None
    if decision.found is None:
        check_active(view, page.here)
        plan = replace(_plan(page, decision, text, tuple(attached), record=not once), rounds=rounds)
        return LiveTurn(ledger, view, chat, lambda: plan, told(ledger, page, decision, once=once), here=page.here)
    turn = decision.found.id
    stands(ledger, page, decision, turn)
    ledger.runtime.emit(Changed(session=view.id, chat=chat))
    return replace(Turn.from_record(view.record, view.record.nodes[turn], replayed=True), shape=rounds.shape)


def _plan(page: NotebookPage, decision: Decision, text: str, attached: tuple[Attachment, ...], *, record: bool) -> Plan:
    request = decision.request
    place, context = page.last_of(request.context)
    return Plan(
        text=text, attached=attached, before=request.context, place=place, context=context, config=request.base,
        options=dict(decision.effect.options), cell=page.asker(), settings=page.chosen(), hand=request.hand,
        record=record,
    )  # fmt: skip
