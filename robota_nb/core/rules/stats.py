"""Statistics: counted from the record when they are asked for, and never stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from robota_nb.core import reprs
from robota_nb.core.rules import history

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from robota_nb.core.chat import Chat


@dataclass(slots=True)
class Tally:
    """Turns, and the tokens that were reported for them.

    Parameters
    ----------
    turns
        How many.
    input_tokens, output_tokens
        Of all of them; 0 where the server did not say.
    """

    turns: int = 0
    input_tokens: int = 0
    output_tokens: int = 0

    def add(self, usage: Mapping[str, int]) -> None:
        """Count one turn more, with the *usage* that its entry has."""
        self.turns += 1
        self.input_tokens += usage.get("input_tokens", 0)
        self.output_tokens += usage.get("output_tokens", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """What chats hold, branches included, and what this kernel has done with them.

    Parameters
    ----------
    sessions, chats
        How many.
    on_path, branches
        Turns that the models see, and branches beside them.
    total
        All turns that were ever recorded.
    models
        The same by model.
    asked, replayed
        Those that this kernel has asked live, and shown from the record.
    """

    sessions: int
    chats: int
    on_path: int = 0
    branches: int = 0
    total: Tally = field(default_factory=Tally)
    models: Mapping[str, Tally] = field(default_factory=dict)
    asked: Tally = field(default_factory=Tally)
    replayed: Tally = field(default_factory=Tally)

    __repr__ = reprs.stats_line
    _repr_html_ = reprs.stats_html


def count(chats: Iterable[Chat], sessions: int = 1) -> Stats:
    """Count what these chats hold."""
    chats = list(chats)
    total, asked, replayed = Tally(), Tally(), Tally()
    models: dict[str, Tally] = {}
    on_path = branches = 0
    for chat in chats:
        record, path, manager = chat.session.record, chat.session.path(chat.id), chat.session.manager
        on_path += len(path.nodes)
        branches += len(history.branches(chat.session, chat.id))
        for node in [node for node in list(record.nodes.values()) if node.chat == chat.id]:
            if record.entries.kind(node.id).is_stub:
                continue
            answer = record.entries[node.id]
            model = answer.get("model") or record.node_config(node).model or "unknown"
            shown_by = manager.replay.shown.get(node.id)  # the cell; none if asks are only to follow the turn
            here = asked if node.id in manager.made else replayed if shown_by else Tally()
            for tally in (total, models.setdefault(model, Tally()), here):
                tally.add(answer.get("usage", {}))
    return Stats(
        sessions=sessions, chats=len(chats), on_path=on_path, branches=branches,
        total=total, models=models, asked=asked, replayed=replayed,
    )  # fmt: skip
