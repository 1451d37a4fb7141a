"""Reading JSON that anybody may have written, where an object may have one key twice, with two values.

Readers of JSON differ in which of the two they take. So in a snapshot that is an error; elsewhere in a notebook it is
left to others, and the last value counts, as everywhere in Python.
"""

from __future__ import annotations

import json
from typing import Any

from robota_nb.errors import SnapshotError


class AmbiguousObject(dict[str, Any]):
    """An object of whose JSON text one key had two values; it holds the last one, as `json.loads` has it."""

    key = ""
    """The key."""


def decode(text: str) -> Any:
    """Decode JSON, with an `AmbiguousObject` where a key has two values; raises as `json.loads` does."""
    return json.loads(text, object_pairs_hook=_object)


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
            left += part


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: dict[str, Any] = {}
    for key, value in pairs:
        if key in seen and seen[key] != value:  # the same value twice, as a merge of text may leave it, is no matter
            ambiguous = AmbiguousObject(found)
            ambiguous.key = key
            return ambiguous
        seen[key] = value
    return found
