"""What is to be said of a cell's answers: whether they are those that the page would get now, and if not, why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from robota_nb.core.rules.answers import differs_at
from robota_nb.core.rules.effects import Answered

if TYPE_CHECKING:
    from collections.abc import Collection

    from robota_nb.core.rules.asking import Asking, Request
    from robota_nb.core.rules.memory import Memory
    from robota_nb.core.rules.page import Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What is to be said of one answer.

    Parameters
    ----------
    turn
        The answer.
    request
        What the page would send now.
    state
        ``fresh``, ``out``, ``cut``, ``purged`` or ``stale``.
    why
        Why it is stale: the key of the first cell above that differs (empty for what was sent outside cells, above all
        of them), ``gone``, a setting's name, or a chat.
    kind
        Which of them *why* is.
    """

    turn: str
    request: Request
    state: Literal["fresh", "out", "cut", "purged", "stale"]
    why: str = ""
    kind: Literal["", "cell", "outside", "gone", "setting", "chat"] = ""


def judge(asking: Asking, cell: Cell) -> list[Judged]:
    """Say of each answer of a cell whether it is the one that the page would get now."""
    step = asking.page.steps.get(cell.key)
    if step is None or not step.turns:
        return []
    page, out = asking.page, list[Judged]()
    memory, moves = page.above(cell.key), page.is_displaced
    for at, effect in enumerate(step.effects):
        if isinstance(effect, Answered) and effect.turn:
            now = page.while_running(cell.key, step.effects[:at]) if moves else memory
            out.append(_judged(asking, cell, now, effect, {one.turn for one in out}))
        memory = effect.apply(memory, asking.record, cell.key)
    return out


def _judged(asking: Asking, cell: Cell, memory: Memory, effect: Answered, above: Collection[str]) -> Judged:
    """Judge one answer; *above*: those that the same cell shows above it."""
    assert effect.turn is not None
    answers, turn = asking.answers, effect.turn
    answer = answers[turn]
    to = effect.chat if effect.named else None
    request = asking.request(memory, cell, effect, to, effect.options)
    chat, context, config = request.chat, request.context, request.config
    if chat != answer.chat:
        return Judged(turn=turn, request=request, state="stale", why=chat, kind="chat")
    if answer.is_purged:
        return Judged(turn=turn, request=request, state="purged")
    fits = answers.answers(turn, chat, context, config)
    if answer.is_cut and not fits:
        return Judged(turn=turn, request=request, state="cut")
    if fits or not answer.by_cell:
        said = asking.page.end().get(chat)
        inside = said is not None and turn in said.context.turns
        return Judged(turn=turn, request=request, state="fresh" if inside else "out")
    if answer.context.says != context.says:
        at = max(differs_at(known, context) for known in answers.contexts(turn))
        if at >= context.size:
            return Judged(turn=turn, request=request, state="stale", why="gone", kind="gone")
        first = context.turns[at]
        place = cell.key if first in above else asking.page.place_of(first, above=cell.key)
        return Judged(turn=turn, request=request, state="stale", why=place or "", kind="cell" if place else "outside")
    given, now = answer.config.settings(), config.settings()
    key = next((key for key in sorted(given.keys() | now.keys()) if given.get(key) != now.get(key)), "")
    return Judged(turn=turn, request=request, state="stale", why=key, kind="setting")
