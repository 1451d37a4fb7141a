"""Compaction: a summary is sent in the place of a chat's first turns, which stay where they are."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from robota_nb.core import plans
from robota_nb.core.live import LiveTurn
from robota_nb.core.record import entries as make
from robota_nb.core.record.parameters import SUMMARY
from robota_nb.core.rules import summaries
from robota_nb.core.rules.effects import Set
from robota_nb.core.rules.states import check_active
from robota_nb.core.turn import Message, Turn
from robota_nb.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from robota_nb.core.ledger import Ledger
    from robota_nb.core.notebook_page import NotebookPage
    from robota_nb.core.plan import Plan
    from robota_nb.core.record.view import SessionView

KEEP = 4
"""How many of the last turns are sent as they are, unless the user says otherwise."""

INSTRUCTION = (
    "Sum up this conversation so far, so that it can go on with your summary in the place of your answers: what I ask "
    "is kept word for word. Keep what was found out and decided, and why; names, numbers, code and file names exactly; "
    "corrections that I made; and what is still open. Leave out greetings and what no longer matters. Answer with the "
    "summary alone, in the language of the conversation."
)
"""What a model is asked for a summary."""

_FOR_ANSWERS = (
    "audio", "function_call", "functions", "grammar", "max_completion_tokens", "max_tokens", "min_tokens",
    "modalities", "n", "num_predict", "prediction", "response_format", "stop", "tool_choice", "tools",
)  # fmt: skip
"""Parameters that give the chat's answers their form or length: a summary has its own."""


def compact(
    ledger: Ledger, view: SessionView, chat: str, *, keep: int = KEEP, model: str = "", text: str = ""
) -> Turn | LiveTurn | None:
    """Have a chat send a summary of all but its last turns: one that is recorded, else one that is asked for now.

    In a cell it counts from there on down, else for what is asked from now on. One that ends before it is whole does
    not count: see `check_whole`.

    Parameters
    ----------
    ledger, view, chat
        Which chat.
    keep
        How many turns at its end are sent as they are.
    model
        Who writes it, at the chat's provider; the chat's model if not given: then a recorded one by anybody will do.
    text
        What it is to heed besides.

    Returns
    -------
    Turn or LiveTurn or None
        The summary as an answer that is no part of the chat; None if the chat has no more turns than are kept.

    Raises
    ------
    SessionNotActive, ReplayMiss
        If nobody may be asked.
    """
    text = make.clean(text).strip()
    with ledger.runtime.lock:
        page = ledger.running(view.user_id)
        plan = _plan(ledger, view, chat, keep=keep, model=model, text=text)
        turns = [turn for turn in reversed(plan.before) if summaries.says_something(view.record, turn)][::-1]
        if not turns:
            return None
        known = summaries.of_turns(view.record, chat, turns, text, model) if ledger.runtime.mode != "off" else ()
        if found := _recorded(page, known):
            _count(ledger, view, chat, found, page)
            return _as_turn(view, found)
        if page:
            what = f"the {summaries.span(plan.before.size)} of {view.chat_name(chat)!r}"
            page.asking.may_sum_up(again=bool(page.former_summary()), what=what)
        check_active(view, page.here if page else None)

    def done(turn: Turn | None) -> None:
        if turn is None or not _is_whole(turn):
            return
        with ledger.runtime.lock:
            config, new = view.config_entry(plan.asked_of)
            entry = make.summary_entry(
                n=ledger.next_n(), at=ledger.runtime.now(), chat=chat, turns=turns, text=turn.text, config=config,
                asked=text, model=turn.model, usage=turn.usage,
            )  # fmt: skip
            summary = make.entry_id(entry)
            ledger.commit(view, {**new, summary: entry})
            _count(ledger, view, chat, summary, page)

    return LiveTurn(ledger, view, chat, lambda: plan, done, here=page.here if page else None)


def undo(ledger: Ledger, view: SessionView, chat: str) -> bool:
    """Have a chat send all of its turns again; in a cell, from there on down. Return whether it had a summary."""
    with ledger.runtime.lock:
        had = bool(summaries.named_in(view.config(chat)))
        if had or ledger.running(view.user_id):
            ledger.configure(view, chat, {SUMMARY: ""})
        return had


def check_whole(turn: Turn) -> None:
    """Raise `ProviderError` if a summary is not whole, or says nothing."""
    if not _is_whole(turn):
        if turn.finish_reason in _WHOLE:
            raise ProviderError("the summary says nothing, so all turns are sent: ask again, or another model")
        raise ProviderError(f"the summary was cut off ({turn.finish_reason}): ask again, or another model")


_WHOLE = ("stop", "unknown")


def _is_whole(turn: Turn) -> bool:
    return turn.finish_reason in _WHOLE and bool(turn.text.strip())


def _plan(ledger: Ledger, view: SessionView, chat: str, *, keep: int, model: str, text: str) -> Plan:
    prompt = f"{INSTRUCTION}\n\n{text}" if text else INSTRUCTION
    whole = plans.at_end(ledger, view, chat, prompt, ())
    first = whole.before.first(max(whole.before.size - max(keep, 0), 0))
    options = {key: "" for key in _FOR_ANSWERS if whole.config.get(key)}
    options |= {"pictures": json.dumps("none")} | ({"model": model} if model else {})
    return replace(whole, before=first, context=None, options=options, record=False, sums_up=True)


def _recorded(page: NotebookPage | None, found: Iterable[str]) -> str | None:
    """Return of several summaries the one that the running cell had before, else the newest."""
    all_, former = list(found), page.former_summary() if page else ""
    return next((one for one in all_ if summaries.setting(one) == former), next(iter(all_), None))


def _count(ledger: Ledger, view: SessionView, chat: str, summary: str, page: NotebookPage | None) -> None:
    """Have a summary be sent from now on; *page*: because its running cell says so, in whatever thread it came."""
    value = summaries.setting(summary)
    if page is None or page.asking.running is None:
        ledger.configure(view, chat, {SUMMARY: value})
        return
    page.did(Set(chat=chat, key=SUMMARY, value=value))
    ledger.runtime.tell_changed(view, chat)


def _as_turn(view: SessionView, summary: str) -> Turn:
    """Return a recorded summary as it was shown when it was written."""
    found, record = summaries.read(view.record, summary), view.record
    return Turn(
        prompt=Message(id="", role="user", content="", parent=None),
        reply=Message(id="", role="assistant", content=found.text),
        model=found.model, finish_reason="stop", usage=found.usage,
        config=record.config(record.summaries[summary]["config"]), replayed=True,
    )  # fmt: skip
