"""Presets: settings of chats under a name of the user's. A chat gets, and a snapshot keeps, what one says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from robota_nb.core.record.config import settings_from
from robota_nb.display.hints import told
from robota_nb.errors import CommandError, RobotaError, nearest

__all__ = ["faulty", "settings_of_preset"]

_NAME = re.compile(r"[\w.-]+")
_TEXTS = ("provider", "model", "system")
_PARAMS = "params"
_SETTINGS = (*_TEXTS, _PARAMS)


def settings_of_preset(name: str, presets: Mapping[str, Any]) -> dict[str, str]:
    """Return the settings of a preset, as a chat stores them.

    Parameters
    ----------
    name
        The preset's.
    presets
        The user's, as ``c.RobotaMagics.presets`` has them.

    Raises
    ------
    CommandError
        If there is none of that name, or it cannot be used as it stands; a setting's value is not repeated.
    """
    if name not in presets:
        there = f"there are {', '.join(presets)}" if presets else "there are none"
        raise CommandError(f"no preset {name!r}{nearest(name, presets)}: {there} in c.RobotaMagics.presets")
    if not _NAME.fullmatch(name):
        raise CommandError(f"a preset cannot be named {name[:60]!r}: use letters, digits, '-', '_' and '.'")
    preset = presets[name]
    if problem := _problem(preset):
        raise CommandError(f"preset {name!r}: {problem}")
    try:
        return settings_from({**{key: preset[key] for key in _TEXTS if key in preset}, **preset.get(_PARAMS, {})})
    except RobotaError as error:
        raise CommandError(f"preset {name!r}: {told(error)}") from None


def faulty(presets: Mapping[Any, Any]) -> dict[str, CommandError]:
    """Return what is wrong with those presets that cannot be used, by their names; they harm no others."""
    found: dict[str, CommandError] = {}
    for name in presets:
        try:
            settings_of_preset(str(name), {str(name): presets[name]})
        except CommandError as error:
            found[str(name)] = error
    return found


def _problem(preset: object) -> str:
    if not isinstance(preset, Mapping):
        return "it is a dictionary, such as {'model': 'gpt-4o', 'system': 'Be brief.', 'params': {'temperature': 0.2}}"
    for key, value in preset.items():
        if key not in _SETTINGS:
            near = nearest(str(key), _SETTINGS)
            return f"no setting is called {str(key)[:60]!r}{near}: a parameter stands in 'params'"
        if key in _TEXTS and not isinstance(value, str):
            return f"{key} is a string"
    params = preset.get(_PARAMS, {})
    if not isinstance(params, Mapping) or not all(isinstance(key, str) for key in params):
        return "params is a dictionary, such as {'temperature': 0.2}"
    if own := next((key for key in params if key in _TEXTS), None):
        return f"{own} stands beside 'params', not in it"
    return ""
