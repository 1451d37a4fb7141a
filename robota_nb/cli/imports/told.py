"""Says which conversations an export holds, and what came of those that were taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robota_nb.core.record.text import count
from robota_nb.display.report import plain, short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from robota_nb.cli.imports.into import Imported
    from robota_nb.cli.imports.talks import Talk

_ID = 8


def listed(program: str, talks: Sequence[Talk]) -> str:
    """List the conversations of another program, a line each, the newest first."""
    rows = []
    for talk in sorted(talks, key=lambda talk: talk.at, reverse=True):
        said = [
            talk.at[:10],
            "too large" if talk.is_too_large else count(len(talk.exchanges), "turn"),
            short(talk.title) or "Untitled",
            f"({talk.id[:_ID]})",
        ]
        rows.append("  ".join(part for part in said if part))
    first = f"{program}: {count(len(talks), 'conversation')}; take some with --into NOTEBOOK --chat 'TITLE or id'"
    return "\n".join(plain(row) for row in [first, *rows])


def imported(program: str, notebook: str, done: Imported) -> str:
    """Say what came of an import, and what was not taken."""
    said = [
        f"{notebook}: {count(done.chats, 'chat')} with {count(done.turns, 'turn')} from {program}, marked as foreign"
    ]
    said += [f"{short(title)!r} is there already, and stays as it is" for title in done.known]
    if done.dropped:
        said.append("not taken: " + ", ".join(f"{what} ({n})" for what, n in sorted(done.dropped.items())))
    return "\n".join(plain(line) for line in said)
