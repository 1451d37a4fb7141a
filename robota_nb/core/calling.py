"""The rounds of a turn: what the model calls is run if its user agrees, and it is asked with what that has returned.

It is asked again, too, if its answer has not the form that it is to have.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from robota_nb.core.events import StepsChanged
from robota_nb.core.record.steps import MAX_CALLS
from robota_nb.core.record.types import Step
from robota_nb.core.rules.request import messages_of

if TYPE_CHECKING:
    from robota_nb.core.doubts import Doubts
    from robota_nb.core.plan import Arriving, Plan
    from robota_nb.core.ports import Call, Finish, Request, Toolbox, ToolCall
    from robota_nb.core.runtime import Runtime


class Calling:
    """The rounds of one turn.

    Parameters
    ----------
    runtime
        Whose.
    request
        What the first round sends.
    plan
        What is asked: with which tools, and in which form.
    doubts
        What of the request its user has neither written nor confirmed.
    """

    def __init__(self, runtime: Runtime, request: Request, plan: Plan, doubts: Doubts) -> None:
        self.request = request
        self._runtime, self._may, self._doubts = runtime, plan.rounds, doubts
        self._rounds, self._repairs = 1, plan.rounds.repairs

    def after(self, arriving: Arriving, finish: Finish) -> Finish | None:
        """Run what the model has called, if it has; return how the turn has ended with that, or None if it goes on.

        The calls decide, and not the reason that the server gives: some say ``stop`` with calls, and ``tool_calls``
        where they were cut off. What may lack its end is not run.
        """
        calls, arriving.calls = arriving.calls[:MAX_CALLS], []
        tools = self._may.tools
        if not calls or tools is None or finish.reason == "unknown":
            return self._repaired(arriving, finish)
        if is_cut(calls[-1].arguments):
            return replace(finish, reason="length")
        step = self._step(arriving, finish, calls=tuple(map(tools.begun, calls)))
        if self._rounds >= self._runtime.max_rounds:
            return replace(finish, reason="tool_calls", usage=None)
        for at, call in enumerate(calls):
            done = self._run(tools, call)
            step = replace(step, calls=(*step.calls[:at], done, *step.calls[at + 1 :]))
            arriving.steps[-1] = step
            self._tell(arriving)
        self._ask_with(step)
        return None

    def _run(self, tools: Toolbox, call: ToolCall) -> Call:
        done = tools.run(call, doubted=self._doubts.are_left)
        if done.by == "asked":
            self._doubts.confirm()
        if done.by and not tools.is_safe(call.name):
            self._doubts.add_result()
        return done

    def _repaired(self, arriving: Arriving, finish: Finish) -> Finish | None:
        """Have the model asked again for an answer that has not its form; what was cut off cannot have it."""
        shape = self._may.shape
        if shape is None or not self._repairs or finish.reason != "stop" or not (faults := shape.faults(arriving.text)):
            return finish
        self._repairs -= 1
        self._ask_with(self._step(arriving, finish, problem=tuple(faults)))
        return None

    def _step(
        self, arriving: Arriving, finish: Finish, *, calls: tuple[Call, ...] = (), problem: tuple[str, ...] = ()
    ) -> Step:
        """Make a step of what has arrived since the last one."""
        step = Step(text=arriving.text, calls=calls, usage=finish.usage, echo=arriving.echo, problem=problem)
        arriving.parts, arriving.echo = [], ()
        arriving.steps.append(step)
        self._tell(arriving)
        return step

    def _ask_with(self, step: Step) -> None:
        """Have the next round send what was called and returned."""
        before, request = len(self.request.messages), self.request
        echo = {**request.echo, before: step.echo} if step.echo else request.echo
        self.request = replace(request, messages=[*request.messages, *messages_of(step)], echo=echo)
        self._rounds += 1

    def _tell(self, arriving: Arriving) -> None:
        self._runtime.emit(StepsChanged(session=arriving.view.id, chat=arriving.chat, steps=tuple(arriving.steps)))


def is_cut(arguments: str) -> bool:
    """Say whether a call's arguments end before they are whole, as where a limit of tokens was reached.

    Examples
    --------
    >>> is_cut('{"city": "Os'), is_cut('{"city": Oslo}'), is_cut("{}"), is_cut("")
    (True, False, False, False)
    """
    try:
        json.loads(arguments)
    except json.JSONDecodeError as error:
        text = arguments.strip()
        return bool(text) and (error.pos >= len(text) or error.msg.startswith("Unterminated string"))
    except RecursionError:
        return False
    return False
