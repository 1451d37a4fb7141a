"""JSON from strangers: decoded as everywhere else, and an object that says two things under one key is remembered.

Every reader takes one of the two, not all the same one: in a snapshot that is an error, elsewhere not our business.
"""

from __future__ import annotations

import json
from typing import Any

from robota_nb.errors import SnapshotError


class Doubled(dict[str, Any]):
    """An object in which one key stood with two values; it holds the last one, as `json.loads` has it."""

    key = ""


def decode(text: str) -> Any:
    """Decode JSON; raises as `json.loads` does."""
    return json.loads(text, object_pairs_hook=_object)


def check_single(value: object, name: str) -> None:
    """Raise `SnapshotError` if anywhere in a value from `decode` a key stands with two values; *name* is the file's."""
    left = [value]
    while left:
        part = left.pop()
        if isinstance(part, Doubled):
            raise SnapshotError(
                f"{name}: the key {part.key[:40]!a} stands twice in its conversations, with two values: "
                "delete the wrong one, or restore the file from a copy"
            )
        if isinstance(part, dict):
            left += part.values()
        elif isinstance(part, list):
            left += part


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: dict[str, Any] = {}
    for key, value in pairs:
        if key in seen and seen[key] != value:  # the same twice, as a merge of text may leave it, is said once
            doubled = Doubled(found)
            doubled.key = key
            return doubled
        seen[key] = value
    return found
