"""What becomes of a turn: the entries that record it, as a whole, or as far as it has come."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from robota_nb.core.record import entries as make
from robota_nb.core.turn import Message, Turn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.core.ledger import Ledger
    from robota_nb.core.plan import Arriving
    from robota_nb.core.ports import Entry, Finish


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
    images = make.image_entries(plan.images)
    question = make.user_message(
        n=n, at=at, chat=chat, parent=plan.place, text=plan.text, images=images,
        cell=plan.cell and [plan.cell.id or "", plan.cell.k, plan.cell.source],
        set_=plan.settings, options=plan.options,
    )  # fmt: skip
    asked = make.entry_id(question)
    reply = make.assistant_message(
        n=n + 1, at=at, chat=chat, parent=asked, text="".join(arriving.parts), config=config,
        model=finish.model or plan.asked_of.model, finish_reason=finish.reason, usage=finish.usage,
    )  # fmt: skip
    answer = make.entry_id(reply)
    return Written({**new, **images, asked: question, answer: reply}, answer)


def record_turn(ledger: Ledger, arriving: Arriving, finish: Finish) -> Turn:
    """Make a turn part of its chat (unless the plan says not to), and return it."""
    plan, view = arriving.plan, arriving.view
    if not plan.record:
        return Turn(
            prompt=Message(id="", role="user", content=plan.text, parent=plan.place, images=plan.images),
            reply=Message(id="", role="assistant", content=make.clean("".join(arriving.parts))),
            model=finish.model or plan.asked_of.model, finish_reason=finish.reason, usage=finish.usage,
            config=plan.asked_of, cell=plan.cell,
        )  # fmt: skip
    with ledger.runtime.lock:
        entries, answer = turn_entries(arriving, finish, n=ledger.next_n(), at=ledger.runtime.now())
        view.turn_recorded(arriving.chat)
        ledger.commit(view, entries)
        return Turn.from_record(view.record, view.record.nodes[answer])
