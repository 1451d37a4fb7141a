"""What is to be said of a cell's answers: whether they are those that the page would get now, and if not, why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from robota_nb.core.rules.effects import Answered, after

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
        of them), ``gone``, a setting's name, a chat, or what a cell was called that went along with it.
    kind
        Which of them *why* is.
    """

    turn: str
    request: Request
    state: Literal["fresh", "out", "cut", "purged", "stale"]
    why: str = ""
    kind: Literal["", "cell", "outside", "gone", "setting", "chat", "along"] = ""


State: TypeAlias = Literal["asked", "replayed", "failed", "recorded", "edited", "stale", "purged", "out", "cut"]
"""What is to be said of a cell."""


class Mark(NamedTuple):
    """What is to be said of a cell that has asked something.

    Parameters
    ----------
    state
        The worst of its answers' states; of one where all are well, how it has got them.
    judged
        The answer that this is about.
    """

    state: State
    judged: Judged | None


_WORST_FIRST: tuple[Literal["stale", "purged", "out", "cut"], ...] = ("stale", "purged", "out", "cut")


def mark(asking: Asking, cell: Cell, *, to_end: bool = True) -> Mark | None:
    """Return what is to be said of a cell; None if it asks nothing, or has not run yet.

    Without *to_end* no cell below it is looked at: what is ``out`` is not known then.
    """
    step = asking.page.steps.get(cell.key)
    if step is None or not step.asks:
        return None
    judged = judge(asking, cell, to_end=to_end)
    last = judged[-1] if judged else None
    if step.source != cell.source:
        return Mark("edited", last)
    outcome: State = asking.outcomes.get(cell.key, "recorded")
    for state in _WORST_FIRST if outcome != "failed" else ():
        if found := next((one for one in judged if one.state == state), None):
            return Mark(state, found)
    return Mark(outcome, last)


def judge(asking: Asking, cell: Cell, *, to_end: bool = True) -> list[Judged]:
    """Say of each answer of a cell whether it is the one that the page would get now; *to_end*: see `mark`."""
    step = asking.page.steps.get(cell.key)
    if step is None or not step.turns:
        return []
    page, out, above = asking.page, list[Judged](), set[str]()
    memory, moves, done = page.above(cell.key), page.is_displaced, 0
    for at, effect in enumerate(step.effects):
        if isinstance(effect, Answered) and effect.turn:
            memory, done = after(memory, step.effects[done:at], asking.record, cell.key), at
            now = page.while_running(cell.key, step.effects[:at]) if moves else memory
            out.append(_judged(asking, cell, now, effect, above, to_end=to_end))
            above.add(effect.turn)
    return out


def _judged(
    asking: Asking, cell: Cell, memory: Memory, effect: Answered, above: Collection[str], *, to_end: bool
) -> Judged:
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
    along = (one.name for one in answer.attached if not asking.page.may_have(one))
    if answer.by_cell and (name := next(along, "")):
        return Judged(turn=turn, request=request, state="stale", why=name, kind="along")
    if fits or not answer.by_cell:
        inside = not to_end or turn in asking.page.remembers(chat)
        return Judged(turn=turn, request=request, state="fresh" if inside else "out")
    if answer.context.says != context.says:
        at = max(context.shared_with(known) for known in answers.contexts(turn))
        if at >= context.size:
            return Judged(turn=turn, request=request, state="stale", why="gone", kind="gone")
        first = context.first(at + 1).turn
        place = cell.key if first in above else asking.page.place_of(first, above=cell.key)
        return Judged(turn=turn, request=request, state="stale", why=place or "", kind="cell" if place else "outside")
    key = min(answers.differing(answer.config, config, context), default="")
    return Judged(turn=turn, request=request, state="stale", why=key, kind="setting")
