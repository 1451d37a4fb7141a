"""What becomes of the asks of a running cell, also of those that its Python makes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from robota_nb.core.live import LiveTurn
from robota_nb.core.rules.effects import Drop

if TYPE_CHECKING:
    from collections.abc import Callable

    from robota_nb.core.ledger import Ledger
    from robota_nb.core.notebook_page import NotebookPage
    from robota_nb.core.plan import Plan
    from robota_nb.core.record.view import SessionView
    from robota_nb.core.rules.asking import Decision
    from robota_nb.core.turn import Turn


def told(ledger: Ledger, page: NotebookPage, decision: Decision, *, once: bool) -> Callable[[Turn | None], None]:
    """Return what is to be called at the end of a turn, with None if nothing of it is kept."""

    def done(turn: Turn | None) -> None:
        with ledger.runtime.lock:
            if turn is None:
                page.asking.answered(decision, None)
            elif not once:
                stands(ledger, page, decision, turn.id)

    return done


def stands(ledger: Ledger, page: NotebookPage, decision: Decision, turn: str) -> None:
    """Note the turn that stands as the answer to an ask of the running cell."""
    page.asking.answered(decision, turn)
    ledger.runtime.shown[turn] = None
    page.point_active()


def by_code(
    ledger: Ledger, page: NotebookPage, view: SessionView, chat: str, make_plan: Callable[[], Plan]
) -> LiveTurn:
    """Ask because the Python of the running cell says so: it asks each time, and stands where the cell does."""
    decisions: list[Decision] = []

    def plan() -> Plan:
        with ledger.runtime.lock:
            made = make_plan()
            if made.instead_of:
                page.did(Drop(chat=chat, turns=made.instead_of))
            named = page.asking.command_chat()[0] != chat  # else it is the chat that the page is in
            asked = page.ask(made.text, made.attached, to=chat, named=named, options=made.options, fresh=True)
            decisions.append(page.decide(asked))
            request = decisions[0].request
            place, context = page.last_of(request.context)
            return replace(
                made, before=request.context, place=place, context=context, config=request.base, hand=request.hand,
                after=page.here_id, by_code=True, instead_of=(),
            )  # fmt: skip

    def done(turn: Turn | None) -> None:
        if decisions:
            told(ledger, page, decisions[0], once=False)(turn)

    return LiveTurn(ledger, view, chat, plan, done, here=page.here)
