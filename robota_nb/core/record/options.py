"""Settings that are no parameters of a request, as entries carry them: in pairs, under a field of their own.

A reader of format 1.0 sends every setting that it knows as a parameter, and takes no name such as ``body.provider`` for
the key of an object. So these are kept apart from the parameters in entries, and are one with them everywhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from robota_nb.core.record.parameters import CHOICES, SUMMARY, body_field, is_summary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["MORE", "carried", "is_more", "is_option", "put"]

MORE = "more"
"""The field: rows of another field, a key, and its value; of what was clicked, what the page gave, and the value."""

_ROWS = {"hand": 4, "options": 3, "params": 3, "set": 3}
"""The fields that have rows, and how long these are."""


def is_option(key: object, *values: str) -> bool:
    """Say whether a setting of this name is no parameter of a request, and of a form that may be kept.

    Of a choice the *values* are texts, as JSON: format 1.0 may have recorded an object that servers take under its
    name.
    """
    if not isinstance(key, str):
        return False
    given = [value for value in values if value]
    if key == SUMMARY:
        return all(map(is_summary, given))
    return bool(body_field(key)) or (key in CHOICES and all(value.startswith('"') for value in given))


def is_more(value: object) -> bool:
    """Say whether a value has the form of the field."""
    return isinstance(value, list) and all(map(_is_row, value))


def _is_row(row: object) -> bool:
    return (
        isinstance(row, list)
        and len(row) > 1
        and all(isinstance(text, str) for text in row)
        and len(row) == _ROWS.get(row[0])
        and is_option(row[1])
    )


def put(entry: Any, field: str, settings: Mapping[str, str] | Mapping[str, Sequence[str]]) -> None:
    """Give an entry the settings of one of its fields; those that are none of format 1.0 under `MORE`."""
    rows = [[field, key, *row] for key in sorted(settings) if is_option(key, *(row := _row(settings[key])))]
    plain = {key: _plain(value) for key, value in settings.items() if not is_option(key, *_row(value))}
    if plain:
        entry[field] = plain
    if rows:
        entry[MORE] = sorted((*entry.get(MORE, ()), *rows))


def carried(entry: Mapping[str, Any], field: str) -> Any:
    """Return the settings of a field, as `put` took them; what is there, if that has another form."""
    plain, more = entry.get(field, {}), entry.get(MORE)
    if not more or not is_more(more) or not isinstance(plain, dict):
        return plain
    rows = (row for row in more if row[0] == field)
    return {**plain, **{key: values if len(values) > 1 else values[0] for _, key, *values in rows}}


def _plain(value: str | Sequence[str]) -> str | list[str]:
    return value if isinstance(value, str) else list(value)


def _row(value: str | Sequence[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
