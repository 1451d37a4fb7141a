"""What becomes of a turn: the entries that record it, as a whole, or as far as it has come."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from robota_nb.core.record import entries as make
from robota_nb.core.turn import Message, Turn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.core.chat import Chat
    from robota_nb.core.live import Plan
    from robota_nb.core.ports import Entry, Finish


class Written(NamedTuple):
    """The entries of a turn, and the id of its answer's."""

    entries: Mapping[str, Entry]
    answer: str


QUESTION_AND_ANSWER = 2


def written(chat: Chat, plan: Plan, text: str, finish: Finish, n: int) -> Written:
    """Return the entries that would record a turn now, numbered from *n*; nothing is recorded yet."""
    at = chat.session.manager.now()
    config, new = chat.session.config_entry(plan.config)
    images = make.image_entries(plan.images)
    question = make.user_message(
        n=n, at=at, chat=chat.id, parent=plan.place, text=plan.text, images=images,
        cell=plan.cell and [plan.cell.id or "", plan.cell.k, plan.cell.source],
        set_=plan.settings, options=plan.options,
    )  # fmt: skip
    asked = make.entry_id(question)
    reply = make.assistant_message(
        n=n + 1, at=at, chat=chat.id, parent=asked, text=text, config=config,
        model=finish.model or plan.asked_of.model, finish_reason=finish.reason, usage=finish.usage,
    )  # fmt: skip
    answer = make.entry_id(reply)
    return Written({**new, **images, asked: question, answer: reply}, answer)


def record_turn(chat: Chat, plan: Plan, text: str, finish: Finish) -> Turn:
    """Make a turn part of the chat (unless the plan says not to), and return it."""
    if not plan.record:
        return Turn(
            prompt=Message(id="", role="user", content=plan.text, parent=plan.place, images=plan.images),
            reply=Message(id="", role="assistant", content=make.clean(text)),
            model=finish.model or plan.asked_of.model, finish_reason=finish.reason, usage=finish.usage,
            config=plan.asked_of, cell=plan.cell,
        )  # fmt: skip
    manager = chat.session.manager
    with manager.lock:
        entries, answer = written(chat, plan, text, finish, manager.next_n())
        chat.session.turn_recorded(chat.id)
        manager.commit(chat.session, entries)
        return chat.turn(chat.session.record.nodes[answer])
