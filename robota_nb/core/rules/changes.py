"""The log of a chat's settings: read off its entries, never stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from robota_nb.core.record.config import Config
from robota_nb.core.record.kinds import CHAT, MESSAGE, OPTION, SET, kind_of
from robota_nb.core.record.parameters import RESERVED_KEYS

if TYPE_CHECKING:
    from robota_nb.core.record.fold import SessionState


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A setting of a chat that was changed.

    Parameters
    ----------
    at
        When, in UTC, as ``2026-01-02T03:04:05Z``.
    key
        Which.
    old, new
        From what to what; empty if it was not set.
    """

    at: str
    key: str
    old: str
    new: str


def changes(record: SessionState, chat: str) -> list[Change]:
    """Return what was changed in a chat's settings, oldest first."""
    known: Config | None = None
    found = []
    for entry in sorted(record.entries.values(), key=lambda entry: entry.get("n", 0)):
        if entry.get("chat") != chat:
            continue
        if kind_of(entry) in (SET, OPTION) and entry["key"] not in RESERVED_KEYS:
            now = (known or Config(provider="")).with_settings({entry["key"]: entry.get("value")})
        elif kind_of(entry) in (CHAT, MESSAGE) and "config" in entry:
            now = record.config(entry["config"])
        else:
            continue
        if known is not None:
            found += [
                Change(at=entry["at"], key=key, old=known.get(key), new=now.get(key))
                for key in sorted(known.differing(now))
            ]
        known = now
    return found
