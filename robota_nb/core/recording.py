"""What becomes of a turn: the entries that record it, as a whole, or as far as it has come."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from robota_nb.core import rewind
from robota_nb.core.record import entries as make
from robota_nb.core.record.besides import put_besides
from robota_nb.core.record.steps import put_steps, total
from robota_nb.core.turn import Message, Turn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.core.ledger import Ledger
    from robota_nb.core.plan import Arriving
    from robota_nb.core.ports import Entry, Finish, Step, Usage


class Written(NamedTuple):
    """The entries of a turn, and the id of its answer's."""

    entries: Mapping[str, Entry]
    answer: str


QUESTION_AND_ANSWER = 2
"""How many numbered entries a turn has."""


def turn_entries(arriving: Arriving, finish: Finish, *, n: int, at: str) -> Written:
    """Return the entries that would record a turn now, numbered from *n*; nothing is recorded yet.

    Parameters
    ----------
    arriving
        The turn, with what has come of it.
    finish
        How it ended.
    n, at
        The number and the time of its first entry.
    """
    chat, plan = arriving.chat, arriving.plan
    config, new = arriving.view.config_entry(plan.config)
    attached = plan.attached_entries
    question = make.user_message(
        n=n, at=at, chat=chat, parent=plan.place, text=plan.text, attached=[one.part() for one in attached],
        context=plan.context,
        cell=plan.cell and [plan.cell.id or "", plan.cell.k, plan.cell.source], after=plan.after, by_code=plan.by_code,
        hand=None if plan.hand is None else {key: [over, value] for key, over, value in plan.hand},
        set_=plan.settings, options=plan.options, tools=plan.tool_entries,
    )  # fmt: skip
    asked = make.entry_id(question)
    reply = make.assistant_message(
        n=n + 1, at=at, chat=chat, parent=asked, text=arriving.text, config=config,
        model=finish.model or plan.asked_of.model, finish_reason=finish.reason, usage=_usage(arriving, finish),
        reasoning=arriving.reasoning if plan.asked_of.keeps_thoughts else "",
    )  # fmt: skip
    put_besides(reply, arriving.besides)
    put_steps(reply, arriving.steps, arriving.echo if plan.rounds.tools else ())
    answer = make.entry_id(reply)
    files = {one.id: entry for one, entry in attached.items()}
    return Written({**new, **plan.tool_entries, **files, asked: question, answer: reply}, answer)


def _with_printed(recorded: Step, live: Step) -> Step:
    """Return a step as it is recorded, with what its calls have printed in this kernel."""
    calls = (replace(call, printed=here.printed) for call, here in zip(recorded.calls, live.calls, strict=False))
    return replace(recorded, calls=tuple(calls))


def _usage(arriving: Arriving, finish: Finish) -> Usage | None:
    """Return the tokens of all requests of a turn together: that is what it has cost."""
    counted = [usage for usage in (*(step.usage for step in arriving.steps), finish.usage) if usage]
    return total(counted) if arriving.steps and counted else finish.usage


def record_turn(ledger: Ledger, arriving: Arriving, finish: Finish) -> Turn:
    """Make a turn part of its chat (unless the plan says not to), and return it."""
    plan, view, thoughts = arriving.plan, arriving.view, arriving.reasoning
    if not plan.record:
        return Turn(
            prompt=Message(id="", role="user", content=plan.text, parent=plan.place, attached=plan.attached),
            reply=Message(
                id="", role="assistant", content=make.clean(arriving.text), attached=arriving.besides.pictures
            ),
            model=finish.model or plan.asked_of.model, finish_reason=finish.reason, usage=_usage(arriving, finish),
            config=plan.asked_of, cell=plan.cell, reasoning=thoughts, besides=arriving.besides,
            steps=tuple(arriving.steps), shape=plan.rounds.shape,
        )  # fmt: skip
    with ledger.runtime.lock:
        if plan.instead_of:
            rewind.take_out(ledger, view, arriving.chat, plan.instead_of)
        entries, answer = turn_entries(arriving, finish, n=ledger.next_n(), at=ledger.runtime.now())
        if thoughts:
            view.record.heard[answer] = thoughts
        ledger.commit(view, entries)
        turn = Turn.from_record(view.record, view.record.nodes[answer])
    if plan.rounds.shape:
        turn = replace(turn, shape=plan.rounds.shape)
    if turn.steps:
        turn = replace(turn, steps=tuple(map(_with_printed, turn.steps, arriving.steps)))
    return replace(turn, prompt=replace(turn.prompt, attached=plan.attached)) if plan.attached else turn
