"""What of a request its user has neither written nor confirmed: as long as there is any, each call of a tool is asked.

A text from elsewhere may ask the model to call a tool. So nothing that was allowed before counts while one is sent that
nobody here has looked at.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from robota_nb.core.record.steps import steps_of
from robota_nb.core.rules import provenance

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from robota_nb.core.plan import Plan
    from robota_nb.core.record.nodes import Node
    from robota_nb.core.record.view import SessionView
    from robota_nb.core.runtime import Runtime

_RESULTS = count()


class Doubts:
    """The doubtful parts of one turn's requests.

    Parameters
    ----------
    parts
        What tells each of them from others.
    confirmed
        Those that the user has confirmed in this chat; it is added to.
    """

    def __init__(self, parts: Iterable[str], confirmed: set[str]) -> None:
        self._parts = set(parts)
        self._confirmed = confirmed

    @property
    def are_left(self) -> bool:
        """Whether there is one that was not confirmed."""
        return not self._parts <= self._confirmed

    def add_result(self) -> None:
        """Note what a tool has returned that may be a stranger's text."""
        self._parts.add(f"result {next(_RESULTS)}")

    def confirm(self) -> None:
        """Note that the user agrees to what there is now."""
        self._confirmed |= self._parts


def doubts_of(runtime: Runtime, view: SessionView, chat: str, plan: Plan, nodes: Iterable[Node]) -> Doubts:
    """Return the doubtful parts of a request.

    Parameters
    ----------
    runtime
        Which knows what somebody else wrote, and what was confirmed.
    view, chat
        The session, and the chat that is asked.
    plan
        What is asked.
    nodes
        The turns that are sent before it.
    """
    return Doubts(_parts(runtime, view, chat, plan, list(nodes)), runtime.confirmed.setdefault(chat, set()))


def _parts(runtime: Runtime, view: SessionView, chat: str, plan: Plan, nodes: list[Node]) -> Iterator[str]:
    tools = plan.rounds.tools
    found = provenance.foreign_parts(view.record, runtime.foreign, chat, nodes, plan.asked_of)
    yield from found.told()
    yield from found.doubtful
    for node in nodes:
        called = (call for step in steps_of(view.record.entries[node.id]) for call in step.calls)
        if any(call.by and not (tools and tools.is_safe(call.name)) for call in called):
            yield f"results of {node.id}"
        yield from (attached.id for attached in view.record.attached(node.user))
    yield from (attached.id for attached in plan.attached_entries)
