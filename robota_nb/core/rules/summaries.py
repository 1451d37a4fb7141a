"""Which summary a chat sends in the place of its beginning, and whether it stands for what is there now."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from robota_nb.core.record import html
from robota_nb.core.record.entries import to_text, usage_of
from robota_nb.core.record.parameters import SUMMARY, is_summary
from robota_nb.core.record.text import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from robota_nb.core.record.config import Config
    from robota_nb.core.record.fold import SessionState
    from robota_nb.core.record.types import SummaryEntry, Usage


class Turns(Protocol):
    """The turns that a chat remembers, by their ids."""

    @property
    def size(self) -> int:
        """How many there are."""
        ...

    def first(self, size: int) -> Turns:
        """Return the first so many of them."""
        ...

    def __reversed__(self) -> Iterator[str]:
        """Yield them, the last one first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a model made of the first turns of a chat.

    Parameters
    ----------
    id
        By which the chat's settings name it.
    turns
        How many turns it stands for.
    text
        What it says.
    model
        Who wrote it.
    usage
        The tokens that it took, as far as they were reported.
    """

    id: str
    turns: int
    text: str
    model: str
    usage: Usage | None

    def __repr__(self) -> str:
        return f"<Summary of {count(self.turns, 'turn')}, by {self.model!r}: {len(self.text)} characters>"

    def _repr_html_(self) -> str:
        """Show it as text."""
        return html.div("summary", html.note(f"{span(self.turns)} · {self.model}"), html.box(self.text))


def span(turns: int) -> str:
    """Name the turns that a summary of so many is of."""
    return f"summary of turns 1-{turns}" if turns > 1 else "summary of turn 1"


def setting(summary: str) -> str:
    """Return the setting that has a chat send a summary, by the id of its entry."""
    return json.dumps(summary)


def named_in(config: Config) -> str:
    """Return the id of the summary that settings name; empty if they name none."""
    value = config.get(SUMMARY)
    return json.loads(value) if is_summary(value) else ""


def counting(record: SessionState, config: Config, before: Turns) -> Summary | None:
    """Return the summary that is sent in the place of the first of these turns.

    None if the settings name none, or if what it sums up is not the beginning of what is remembered: after an edit,
    on a branch, or when some of it was purged. Then all is sent.
    """
    summary = named_in(config)
    entry = record.summaries.get(summary)
    turns = covered(record, entry, before) if entry else 0
    return replace(read(record, summary), turns=turns) if turns else None


def covered(record: SessionState, entry: SummaryEntry, before: Turns) -> int:
    """Return how many of these turns a summary stands for: 0 if those that it sums up are not the first of them.

    What was purged before it was made is passed over; what was purged since is missed.
    """
    turns, at = [*reversed(before)][::-1], 0
    for turn in entry["turns"]:
        while at < len(turns) and not says_something(record, turns[at]):
            at += 1
        if at == len(turns) or not _says_same(record, turn, turns[at]):
            return 0
        at += 1
    return at


def of_turns(record: SessionState, chat: str, turns: Sequence[str], asked: str, model: str) -> Iterator[str]:
    """Yield the summaries of a chat that are of these turns and were asked for in these words, the newest first.

    Parameters
    ----------
    record, chat
        Of which session, and of which chat.
    turns
        All that it is to sum up, oldest first.
    asked
        What the user has asked of it.
    model
        Who is to have written it; empty for anybody.
    """
    for eid, entry in sorted(record.summaries.items(), key=lambda one: (one[1]["n"], one[0]), reverse=True):
        if (
            entry["chat"] == chat
            and len(entry["turns"]) == len(turns)
            and to_text(entry.get("asked", ())) == asked
            and model in ("", record.config(entry["config"]).model)
            and all(_says_same(record, *pair) for pair in zip(entry["turns"], turns, strict=True))
        ):
            yield eid


def read(record: SessionState, summary: str) -> Summary:
    """Return a summary that is recorded, by the id of its entry."""
    entry = record.summaries[summary]
    counts = entry.get("usage")
    return Summary(
        id=summary, turns=len(entry["turns"]), text=to_text(entry["content"]),
        model=entry.get("model", "") or record.config(entry["config"]).model,
        usage=usage_of(counts) if counts else None,
    )  # fmt: skip


def _says_same(record: SessionState, turn: str, other: str) -> bool:
    """Say whether two turns say the same; of what was purged, nobody knows."""
    if not (says_something(record, turn) and says_something(record, other)):
        return False
    mine, its = record.nodes[turn], record.nodes[other]
    return turn == other or (
        record.text(turn) == record.text(other)
        and record.text(mine.user) == record.text(its.user)
        and record.attached(mine.user) == record.attached(its.user)
    )


def says_something(record: SessionState, turn: str) -> bool:
    """Say whether a turn is here, and was not purged."""
    node, kind = record.nodes.get(turn), record.entries.kind
    return node is not None and not kind(turn).is_stub and not kind(node.user).is_stub
