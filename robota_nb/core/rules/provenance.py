"""What somebody else wrote: it came with a notebook, and this user's store does not know it (DESIGN §5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from robota_nb.core.record.text import short

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from robota_nb.core.record.config import Config
    from robota_nb.core.record.fold import SessionState
    from robota_nb.core.record.nodes import Node

MEANING = "neither made in this kernel nor known to your store"
"""What a mark says; the views say it in the same words."""

_LISTED = 8
"""How many settings are named."""


class ForeignParts(NamedTuple):
    """What of a request somebody else wrote: how many turns, and the names of the settings."""

    turns: int
    settings: list[str]


def is_foreign(foreign: AbstractSet[str], node: Node) -> bool:
    """Say whether somebody else wrote a turn, or one half of it; *foreign* are the ids of what others wrote."""
    return node.id in foreign or node.user in foreign


def foreign_parts(
    record: SessionState, foreign: AbstractSet[str], place: str | None, sent: Sequence[str], config: Config
) -> ForeignParts:
    """Return what others wrote of the request of an ask.

    Parameters
    ----------
    record
        The session's.
    foreign
        The ids of the entries that somebody else wrote.
    place
        The message that the ask follows.
    sent
        The ids of the messages that are sent before it.
    config
        What it is asked with.
    """
    going = set(sent)
    nodes = record.path(place).nodes
    turns = sum(is_foreign(foreign, node) and not going.isdisjoint((node.user, node.id)) for node in nodes)
    return ForeignParts(turns, _settings(record, foreign, config))


def _settings(record: SessionState, foreign: AbstractSet[str], config: Config) -> list[str]:
    """Return the names of those settings that are as somebody else has set them."""
    theirs: set[tuple[str, str]] = set()
    for eid in record.entries.keys() & foreign:
        theirs.update(record.entries.kind(eid).settings(record.entries[eid]).items())
    found = [short(key) for key, value in config.settings().items() if (key, value) in theirs]
    return [*found[:_LISTED], "…"] if len(found) > _LISTED else found
