"""What a view shows: a row for each session, chat and turn. All texts in them are data from strangers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from robota_nb.core.compaction import KEEP
from robota_nb.core.inside import runtime_of, view_of
from robota_nb.core.record.attachments import attachment_of, is_picture, size_of
from robota_nb.core.record.besides import besides_of
from robota_nb.core.record.steps import steps_of
from robota_nb.core.record.types import TEXT_ALONE, Image
from robota_nb.core.rules import history
from robota_nb.core.rules.provenance import is_foreign
from robota_nb.core.rules.stats import cost_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from robota_nb.core.chat import Chat
    from robota_nb.core.manager import SessionManager
    from robota_nb.core.record.nodes import Node
    from robota_nb.core.record.types import Step
    from robota_nb.core.record.view import SessionView
    from robota_nb.core.rules.stats import Tally
    from robota_nb.core.session import Session
    from robota_nb.switcher.messages import CallRow, ChatRow, Gauge, Mark, SessionRow, SourceRow, StepRow, TurnRow

_MARKUP = re.compile(r"[#*`_>|~]+")  # of Markdown, which one line of plain text has no use for
_UNNAMED = re.compile(r"Chat \d+")  # that a chat is called if it was given no name

NAME = 100
"""Characters that are sent of a model's name."""
WORDS = 120
"""Characters that are sent of a chat's first and last words."""
PAGE = 48_000
"""About how many bytes of turns go into one message: to switch to another chat is to cost less than 100 KB."""
CALL = 2000
"""Characters that are sent of what a tool was called with, and of what it returned."""
PAGE_TURNS = 40
"""How many turns go into one message: more are not in view at once."""
_ROW = 300
"""About how many bytes a turn's row has beside its texts."""


def sessions(manager: SessionManager) -> list[SessionRow]:
    """Return a row for each session of the user."""
    return [
        {"id": session.id, "name": session.name, "state": session.state, "chats": len(view_of(session).live_chats())}
        for session in manager.sessions()
    ]


def chat(session: Session, cid: str) -> ChatRow:
    """Return a chat's row."""
    view = view_of(session)
    path, config = view.path(cid), session.chat(cid).config
    state = view.record.chats[cid]
    last, base = view.record.entries.get(state.last.id), view.record.entries.get(state.base or "")
    return {
        "id": cid,
        "name": view.chat_name(cid),
        "title": _title(view, cid),
        "model": (config.model or config.provider)[:NAME],
        "provider": config.provider[:NAME],
        "turns": len(path),
        "words": _words(view, path.last) if path.last else "",
        "used": state.last.n,
        "at": last.get("at", "") if last else "",
        "origin": (base.get("chat") if base else _forked_from(view, cid)) or "",
        "running": cid in runtime_of(session).running,
    }


def _forked_from(view: SessionView, cid: str) -> str | None:
    forked = view.record.forked_from.get(cid)
    return forked.value if forked else None


def _title(view: SessionView, cid: str) -> str:
    state = view.record.chats[cid]
    if not _UNNAMED.fullmatch(view.chat_name(cid)):
        return ""
    asked = [node for node in view.record.children(cid, state.base) if not history.is_purged(view, node)]
    return _line(view.record.text(min(asked, key=lambda node: node.stamp).user)) if asked else ""


def _words(view: SessionView, node: Node) -> str:
    return _line(view.record.text(node.id) or view.record.text(node.user))


def _line(text: str) -> str:
    return " ".join(_MARKUP.sub("", text[: 2 * WORDS]).split())[:WORDS]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownTurn:
    """A turn as a view shows it, without its texts: it must be sent again when any of this has changed."""

    node: Node
    replayed: bool
    foreign: bool
    purged: bool
    outside: bool
    before: str | None
    after: str | None
    place: int
    places: int


def path(of: Chat) -> list[ShownTurn]:
    """Return the turns on a chat's path as they are shown."""
    return [_shown(of, node) for node in view_of(of).path(of.id).nodes]


def _shown(of: Chat, node: Node) -> ShownTurn:
    view, runtime = view_of(of), runtime_of(of)
    siblings = [node]
    if node.chat == of.id and len(found := view.record.children(of.id, node.parent)) > 1:
        siblings = sorted(found, key=lambda sibling: sibling.stamp)
    at = siblings.index(node)
    return ShownTurn(
        node=node,
        replayed=node.id in runtime.shown and node.id not in runtime.made,
        foreign=is_foreign(runtime.foreign, node),
        purged=history.is_purged(view, node),
        outside=view.record.is_outside(node),
        before=siblings[at - 1].id if at else None,
        after=siblings[at + 1].id if at + 1 < len(siblings) else None,
        place=at + 1,
        places=len(siblings),
    )


def turn(session: Session, shown: ShownTurn) -> TurnRow:
    """Return a turn's row."""
    record, node = view_of(session).record, shown.node
    answer = record.entries[node.id]
    usage, along = answer.get("usage"), record.attached(node.user)
    marks: dict[Mark, bool] = {"replayed": shown.replayed, "foreign": shown.foreign, "purged": shown.purged}
    marks["outside"] = shown.outside
    row: TurnRow = {
        "id": node.id,
        "prompt": record.text(node.user),
        "reply": record.text(node.id),
        "model": (answer.get("model", "") or record.node_config(node).model)[:NAME],
        "reason": node.finish_reason,
        "tokens": [usage.get("input_tokens", 0), usage.get("output_tokens", 0)] if usage else None,
        "marks": [mark for mark, is_so in marks.items() if is_so],
        "cell": node.cell is not None or (node.is_outside and not shown.outside),
        "before": shown.before,
        "after": shown.after,
        "place": [shown.place, shown.places],
        "pictures": [one.id for one in along if is_picture(record.entries[one.id])],
        "files": [{"name": one.name, "size": size_of(record.entries[one.id])} for one in along if one.name],
    }
    if (beside := besides_of(record, node.id)) != TEXT_ALONE:
        row["besides"] = {
            "sources": [{"title": source.title, "url": source.url} for source in beside.sources],
            "pictures": [f"{node.id}.{place}" for place in range(len(beside.pictures))],
            "refused": beside.refused,
            "more_sources": beside.more_sources,
            "lost_pictures": beside.lost_pictures,
        }
    if thoughts := record.reasoning(node.id):
        row["thoughts"] = thoughts
    if steps := steps_of(answer):
        row["steps"] = list(map(_step, steps))
    return row


def _step(step: Step) -> StepRow:
    calls: list[CallRow] = [
        {
            "name": call.name[:NAME], "arguments": call.arguments[:CALL], "status": call.status,
            "result": call.result[:CALL],
        }
        for call in step.calls
    ]  # fmt: skip
    return {"text": step.text, "calls": calls, "problem": "; ".join(step.problem)[:CALL]}


def gauge(of: Chat | None, prices: Mapping[str, Mapping[str, float]]) -> Gauge:
    """Return how full the window of a chat is, and what the chat has cost at endpoints that have a price."""
    if of is None:
        return {
            "op": "gauge", "chat": None, "tokens": 0, "window": 0, "summed": 0, "model": "", "can": False,
            "cost": None, "saved": None,
        }  # fmt: skip
    view, summary = view_of(of), of.summary
    cost = saved = None
    if prices:
        counted = of.stats
        cost, saved = _at(counted.providers, prices), _at(counted.saved, prices)
    summed = summary.turns if summary else 0
    return {
        "op": "gauge", "chat": of.id, "tokens": of.tokens, "window": of.window, "summed": summed,
        "model": (summary.model if summary else "")[:NAME], "can": len(view.path(of.id)) - KEEP > summed,
        "cost": cost, "saved": saved,
    }  # fmt: skip


def _at(tallies: Mapping[str, Tally], prices: Mapping[str, Mapping[str, float]]) -> float | None:
    """Return what tokens cost at those who have a price; None if nobody of them has."""
    found = [cost_of(tally, prices[name]) for name, tally in tallies.items() if name in prices]
    return sum(found) if found else None


def picture(view: SessionView, id: str) -> Image | None:  # noqa: A002 - as the message calls it
    """Return the picture of a prompt, by the id of its entry; of an answer, by its id, a dot and its place in it."""
    eid, _, place = id.partition(".")
    entry = view.record.entries.get(eid)
    if entry is None:
        return None
    if not place:
        image = attachment_of(entry)
        return image if isinstance(image, Image) else None
    pictures = besides_of(view.record, eid).pictures
    return next((one for at, one in enumerate(pictures) if str(at) == place), None)


def page(session: Session, shown: list[ShownTurn], first: int, last: int) -> list[TurnRow]:
    """Return the rows of the turns from *first* up to, and not with, *last*, as many as fit into a message."""
    return [row for _, row in _fitting(session, ((at, shown[at]) for at in range(first, last)))]


def last_page(session: Session, shown: list[ShownTurn], first: int) -> tuple[int, list[TurnRow]]:
    """Return where the last turns begin that fit into a message, none of them before *first*; and their rows."""
    found = list(_fitting(session, ((at, shown[at]) for at in range(len(shown) - 1, first - 1, -1))))
    return (found[-1][0] if found else len(shown)), [row for _, row in reversed(found)]


def _sources(row: TurnRow) -> list[SourceRow]:
    return row["besides"]["sources"] if "besides" in row else []


def _fitting(session: Session, numbered: Iterator[tuple[int, ShownTurn]]) -> Iterator[tuple[int, TurnRow]]:
    room = PAGE
    for count, (at, one) in enumerate(numbered):
        row = turn(session, one)
        room -= len(row["prompt"].encode()) + len(row["reply"].encode()) + _ROW
        room -= sum(len(source["title"].encode()) + len(source["url"]) for source in _sources(row))
        room -= sum(len(step["text"].encode()) + len(step["calls"]) * CALL for step in row.get("steps", ()))
        if count and (room < 0 or count >= PAGE_TURNS):
            return
        yield at, row
