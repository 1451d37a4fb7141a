"""What a request says before its prompt: the turns that its chat remembers."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from robota_nb.core.record.attachments import content_parts, is_picture, is_picture_type
from robota_nb.core.record.kinds import added
from robota_nb.core.record.steps import echo_of, steps_of
from robota_nb.core.record.text import count
from robota_nb.core.rules.summaries import span
from robota_nb.errors import FileAbsent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from robota_nb.core.record.fold import SessionState
    from robota_nb.core.record.nodes import Node
    from robota_nb.core.record.types import Step
    from robota_nb.core.rules.summaries import Summary, Turns


class History(NamedTuple):
    """What the model sees before a prompt.

    Parameters
    ----------
    nodes
        The turns, oldest first.
    first
        The number in the chat of the first of them.
    summary
        What stands before them in the place of turns.
    summed
        These turns: of each, what was asked is sent.
    """

    nodes: list[Node]
    first: int
    summary: Summary | None = None
    summed: Sequence[Node] = ()


class Messages(NamedTuple):
    """What a request carries of a history.

    Parameters
    ----------
    sent
        The messages, with role and content.
    turns
        The number of each turn that is in them.
    echo
        By the index of an answer's message, what its server wants back with it.
    """

    sent: list[dict[str, Any]]
    turns: list[int]
    echo: dict[int, tuple[str, ...]]


_OF_A_TURN = 2
"""How many messages of a turn are sent: the question and the answer."""

_NO_TEXT = "[no text]"
"""What stands in the place of an answer that has none, as many models take no message that is empty."""

_AGAIN = "That does not have the form that was asked for:\n{}\nAnswer again, with all of it in that form."
"""What a model is told of an answer that has not the form which was asked for."""

_NO_RESULTS = {"interrupted": "[interrupted by the user]"}
"""What the model is told of a call that has not returned, by its status."""

_ENDINGS = {
    "interrupted": "[interrupted by the user]",
    "error": "[broken off by an error]",
    "length": "[cut off at the length limit]",
    "content_filter": "[stopped by the content filter]",
    "unknown": "[the end may be missing]",
}
"""What the model is told of an answer that did not end by itself, by its finish_reason."""


def sent_before(record: SessionState, before: Turns, limit: int = 0, summary: Summary | None = None) -> History:
    """Return the turns that the model sees before a prompt.

    Parameters
    ----------
    record
        The session's.
    before
        The turns that the chat remembers.
    limit
        How many messages are sent at most, the latest ones, and no answer without its question; 0 for all (see
        `left_out`). In the record everything stays.
    summary
        What is sent in the place of the first turns; the limit holds for the rest.
    """
    summed = summary.turns if summary else 0
    rest = before.size - summed
    out = left_out(rest, limit // _OF_A_TURN) if limit else 0
    latest_first = reversed(before)
    nodes = _oldest_first(record, islice(latest_first, rest - out))
    if summary is None:
        return History(nodes, out + 1)
    return History(nodes, summed + out + 1, summary, _oldest_first(record, islice(latest_first, out, None)))


def _oldest_first(record: SessionState, turns: Iterator[str]) -> list[Node]:
    return [node for turn in turns if (node := record.nodes.get(turn))][::-1]


def left_out(turns: int, most: int) -> int:
    """Return how many of so many turns are left out, the earliest ones, where at most *most* are sent.

    They leave in blocks of half as many as are sent at most, so that for some turns each request begins as the one
    before it did: servers keep what they have read of a beginning, and only what is new costs time and money.

    Examples
    --------
    >>> [(turns, turns - left_out(turns, 6)) for turns in (5, 6, 7, 8, 9, 10)]
    [(5, 5), (6, 6), (7, 4), (8, 5), (9, 6), (10, 4)]
    """
    if turns <= most:
        return 0
    block = max((most + 1) // 2, 1)
    return -((most - turns) // block) * block


def messages(
    record: SessionState,
    history: History,
    *,
    pictures: str = "all",
    mark_unfinished: bool = True,
    steps_for: str | None = None,
) -> Messages:
    """Return turns as a request carries them; the caller may add to the list.

    Of an answer that called tools, the last message stands for all unless tools are offered again: servers refuse what
    tools returned without the calls, and calls without a description of the tools. What was purged is not sent, and
    neither is a turn of which the question or the answer says nothing: many models take only messages that alternate,
    and none that are empty.

    Parameters
    ----------
    record
        The session's.
    history
        The turns.
    pictures
        Which of their pictures are sent again: ``all``, those of the ``latest`` turn that has some, or ``none``.
    mark_unfinished
        Whether the model is told which answers did not end by themselves.
    steps_for
        The provider that is asked, if tools are offered: then the steps of answers are sent, too, and with what it
        said itself what it wants back.
    """
    with_pictures = (node for node in reversed(history.nodes) if has_pictures(record, node))
    latest = next(with_pictures, None) if pictures == "latest" else None
    sent = _summed_up(record, history)
    echo = dict[int, tuple[str, ...]]()
    turns = [history.summary.turns] if history.summary else []
    all_seen = pictures == "all"
    for number, node in enumerate(history.nodes, history.first):
        seen = all_seen or node is latest
        ending = "" if node.finish_reason == "stop" or not mark_unfinished else _ending(record, node)
        try:
            question = _content(record, node.user, seen)
        except FileAbsent as error:
            raise FileAbsent(error.name, error.size, number) from None
        steps = steps_of(record.entries[node.id]) if steps_for is not None else ()
        if question and ((answer := _answer(record, node.id, seen, ending)) or steps):
            sent.append({"role": "user", "content": question})
            is_own = bool(steps_for) and record.node_config(node).provider == steps_for
            for step in steps:
                if is_own and step.echo:
                    echo[len(sent)] = step.echo
                sent += messages_of(step)
            if is_own and (wanted := echo_of(record.entries[node.id])):
                echo[len(sent)] = wanted
            sent.append({"role": "assistant", "content": answer or _NO_TEXT})
            turns.append(number)
    return Messages(sent, turns, echo)


def messages_of(step: Step) -> list[dict[str, Any]]:
    """Return a step as messages of a request: what the model said and called, and what it was told of that."""
    if not step.calls:
        again = _AGAIN.format("\n".join(step.problem))
        return [{"role": "assistant", "content": step.text or _NO_TEXT}, {"role": "user", "content": again}]
    calls = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments or "{}"}}
        for call in step.calls
    ]
    results = [
        {"role": "tool", "tool_call_id": call.id, "content": call.result or _NO_RESULTS.get(call.status, "")}
        for call in step.calls
    ]
    return [{"role": "assistant", "content": step.text or None, "tool_calls": calls}, *results]


def _summed_up(record: SessionState, history: History) -> list[dict[str, Any]]:
    """Return what stands in the place of turns that were summed up: all that was asked in them, and the summary.

    Both are messages of a conversation like any other: all servers take that, and a model's words get no more weight
    than a model's. What went along with the questions is only named.
    """
    if history.summary is None:
        return []
    what, by = span(history.summary.turns), history.summary.model
    asked = [
        f"[{number}] {text}"
        for number, node in enumerate(history.summed, 1)
        if (text := _without_attached(record, node.user))
    ]
    questions = "\n\n".join([f"[What I asked before; the answers are in the {what}]", *asked])
    answer = f"[{what[0].upper()}{what[1:]}{f', by {by}' if by else ''}]\n\n{history.summary.text}"
    return [{"role": "user", "content": questions}, {"role": "assistant", "content": answer}]


def _without_attached(record: SessionState, eid: str) -> str:
    """Return a message's text, and how much went along with it."""
    text, number = record.text(eid), len(record.attached(eid))
    note = f"[{count(number, 'attachment')} left out]" if number else ""
    return "\n\n".join(filter(None, (text if text.strip() else "", note)))


def _ending(record: SessionState, node: Node) -> str:
    """Return what the model is told of how an answer ended; nothing if the record does not say how."""
    return _ENDINGS.get(record.entries[node.id].get("finish_reason", ""), "")


def has_pictures(record: SessionState, node: Node) -> bool:
    """Say whether pictures were sent with a turn, and are there."""
    return any(is_picture(record.entries[one.id]) for eid in (node.user, node.id) for one in record.attached(eid))


def _answer(record: SessionState, eid: str, seen: bool, ending: str) -> str | list[dict[str, Any]]:
    """Return an answer's content; its own pictures are named, as servers take none from an assistant."""
    number = len(added(record.entries[eid], "pictures") or ()) if record.has_pictures(eid) else 0
    return _content(record, eid, seen, f"[{count(number, 'picture')}]" if number else "", ending)


def _content(record: SessionState, eid: str, seen: bool, own: str = "", ending: str = "") -> str | list[dict[str, Any]]:
    """Return a message's content: text, or parts if there are pictures or other files; nothing if it says nothing."""
    text = record.text(eid)
    if not (record.attached(eid) or own or ending):  # as with most messages, and a request needs all
        return "" if text.isspace() else text
    attached = record.attachments(eid)
    if not (attached or own or text.strip()):
        return ""
    unseen = [] if seen else [one for one in attached if is_picture_type(one.media_type)]
    note = f"[{count(len(unseen), 'picture')} left out]" if unseen else ""
    text = "\n\n".join(filter(None, (text if text.strip() else "", note, own, ending)))
    return content_parts(text, [one for one in attached if one not in unseen])
