"""Statistics: counted from the record when they are asked for, and never stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from robota_nb.core.record import html
from robota_nb.core.record.text import count
from robota_nb.core.rules import history

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from robota_nb.core.record.view import SessionView


@dataclass(slots=True)
class Tally:
    """Turns, and the tokens that were reported for them.

    Parameters
    ----------
    turns
        How many.
    input_tokens, output_tokens
        Of all of them; 0 where the server did not say.
    at_least
        Whether there were more: of a turn, a count is not known.
    """

    turns: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    at_least: bool = False

    def add(self, usage: Mapping[str, int], turns: int = 1) -> None:
        """Count one turn more, or what else costs tokens, with the *usage* that its entry has."""
        self.turns += turns
        self.at_least = self.at_least or "input_tokens" not in usage or "output_tokens" not in usage
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
    models, providers
        The same by model, and by who was asked, as an endpoint's name.
    asked, replayed
        Those that this kernel has asked live, and shown from the record.
    saved
        The latter by who would have been asked.
    """

    sessions: int
    chats: int
    on_path: int = 0
    branches: int = 0
    total: Tally = field(default_factory=Tally)
    models: Mapping[str, Tally] = field(default_factory=dict)
    providers: Mapping[str, Tally] = field(default_factory=dict)
    asked: Tally = field(default_factory=Tally)
    replayed: Tally = field(default_factory=Tally)
    saved: Mapping[str, Tally] = field(default_factory=dict)

    def __repr__(self) -> str:
        total = self.total
        return (
            f"<Stats: {count(self.sessions, 'session')}, {count(self.chats, 'chat')}, {count(total.turns, 'turn')} "
            f"({self.on_path} on paths, {count(self.branches, 'branch')}), "
            f"tokens {at_least(total)}{total.input_tokens} in, {total.output_tokens} out>"
        )

    def _repr_html_(self) -> str:
        """Show what was counted: all, by model, and what this kernel did."""
        rows = [_row("all", self.total)]
        rows += [_row(model, tally) for model, tally in list(self.models.items())[: html.ROWS]]
        rows += [_row("asked here", self.asked), _row("replayed here", self.replayed)]
        head = (
            f"{count(self.sessions, 'session')} · {count(self.chats, 'chat')} · "
            f"{count(self.on_path, 'turn')} on paths · {count(self.branches, 'branch')}"
        )
        left = max(0, len(self.models) - html.ROWS)
        columns = ["", "turns", "input tokens", "output tokens"]
        return html.div("stats", html.note(head), html.table(columns, rows, left_out=left, what="model"))


def _row(name: str, tally: Tally) -> list[str]:
    tokens = (f"{at_least(tally)}{number}" for number in (tally.input_tokens, tally.output_tokens))
    return [name, str(tally.turns), *tokens]


def cost_of(tally: Tally, price: Mapping[str, float]) -> float:
    """Return what tokens cost; *price* is that of a million, ``input`` and ``output``."""
    return (tally.input_tokens * price.get("input", 0) + tally.output_tokens * price.get("output", 0)) / 1e6


def at_least(tally: Tally) -> str:
    """Return what is said before a number of tokens, if there were more."""
    return "at least " if tally.at_least else ""


def count_chats(
    chats: Iterable[tuple[SessionView, str]], *, sessions: int, made: Container[str], replayed: Container[str]
) -> Stats:
    """Count what chats hold.

    Parameters
    ----------
    chats
        Each by its session and id.
    sessions
        How many sessions they are of.
    made
        The ids of the turns that this kernel has asked.
    replayed
        The ids of those that it has shown from the record.
    """
    chats = list(chats)
    total, asked, shown = Tally(), Tally(), Tally()
    models: dict[str, Tally] = {}
    providers: dict[str, Tally] = {}
    saved: dict[str, Tally] = {}
    on_path = branches = 0
    for view, chat in chats:
        record = view.record
        on_path += len(view.path(chat))
        branches += len(history.branches(view, chat))
        for node in record.turns_of(chat):
            if record.entries.kind(node.id).is_stub:
                continue
            answer = record.entries[node.id]
            config = record.node_config(node)
            model = answer.get("model") or config.model or "unknown"
            provider = config.provider or "unknown"
            here = asked if node.id in made else shown if node.id in replayed else Tally()
            for tally in (total, models.setdefault(model, Tally()), providers.setdefault(provider, Tally()), here):
                tally.add(answer.get("usage", {}))
            if here is shown:
                saved.setdefault(provider, Tally()).add(answer.get("usage", {}))
        for summary in record.summaries.values():
            if summary["chat"] == chat:
                config = record.config(summary["config"])
                model, provider = summary.get("model") or config.model or "unknown", config.provider or "unknown"
                for tally in (total, models.setdefault(model, Tally()), providers.setdefault(provider, Tally())):
                    tally.add(summary.get("usage", {}), turns=0)
    return Stats(
        sessions=sessions, chats=len(chats), on_path=on_path, branches=branches,
        total=total, models=models, providers=providers, asked=asked, replayed=shown, saved=saved,
    )  # fmt: skip
