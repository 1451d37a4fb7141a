"""Reading JSON that anybody may have written, where an object may have one key twice, with two values.

Readers of JSON differ in which of the two they take. So in a snapshot that is an error; elsewhere in a notebook it is
left to others, and the last value counts, as everywhere in Python.
"""

from __future__ import annotations

import json
from typing import Any

from robota_nb.core.record.entries import but_plain
from robota_nb.core.record.frozen import FrozenDict
from robota_nb.errors import SnapshotError

_NOTHING: FrozenDict[str, Any] = FrozenDict()


class AmbiguousObject(dict[str, Any]):
    """An object of whose JSON text one key had two values; it holds the last one, as `json.loads` has it."""

    key = ""
    """The key."""


def decode(text: str) -> tuple[Any, bool]:
    """Decode JSON, with an `AmbiguousObject` where a key has two values; raises as `json.loads` does.

    Returns
    -------
    value
        The value. Objects without keys that stand in lists are one and the same, which cannot be changed: there may be
        millions, which would take twenty times the room of their text.
    is_ambiguous
        Whether there is an `AmbiguousObject` in it.
    """
    ambiguous = list[AmbiguousObject]()

    def made(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if not pairs:
            return _NOTHING
        found = dict(pairs)
        if len(found) != len(pairs) and (key := _ambiguous_key(pairs)) is not None:
            found = AmbiguousObject(found)
            found.key = key
            ambiguous.append(found)
        for key, value in pairs:
            if value is _NOTHING and found[key] is value:
                found[key] = {}
        return found

    return json.loads(text, object_pairs_hook=made), bool(ambiguous)


def check_unambiguous(value: object, name: str) -> None:
    """Raise `SnapshotError` if a value from `decode` holds an `AmbiguousObject` anywhere; *name* is the file's."""
    left = [value]
    while left:
        part = left.pop()
        if isinstance(part, AmbiguousObject):
            raise SnapshotError(
                f"{name}: the key {part.key[:40]!a} stands twice in its conversations, with two values: "
                "delete the wrong one, or restore the file from a copy"
            )
        if isinstance(part, dict):
            left += part.values()
        elif isinstance(part, list):
            left += but_plain(part)


def _ambiguous_key(pairs: list[tuple[str, Any]]) -> str | None:
    """Return a key that has two values; None if there is none."""
    seen: dict[str, Any] = {}
    for key, value in pairs:
        if key in seen and seen[key] != value:  # the same value twice, as a merge of text may leave it, is no matter
            return key
        seen[key] = value
    return None
