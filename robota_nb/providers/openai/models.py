"""A server's list of models, in each form that servers give it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from robota_nb.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["misspelt", "models_in", "name_of"]

_LISTS = ("data", "models", "result", "results", "items", "body", "value")
_NAMES = ("id", "model", "name", "slug", "model_id", "modelId")


def models_in(data: bytes) -> list[str] | None:
    """Return the names in a list of models, sorted; None if it is none.

    Examples
    --------
    >>> models_in(b'{"data": [{"id": "b"}, {"id": "a"}]}'), models_in(b'["m"]'), models_in(b'{"ok": true}')
    (['a', 'b'], ['m'], None)
    """
    try:
        return _names(json.loads(data))
    except (ValueError, RecursionError):
        return None


def misspelt(model: str, listed: Sequence[str]) -> str:
    """Return `` (did you mean 'x'?)`` for the name of a *model* that is none of those *listed*, and looks like one.

    A shorter or a longer name is none: servers know ``x`` as ``x:latest`` or ``maker/x``, and list no versions or all.

    Examples
    --------
    >>> misspelt("lama3", ["llama3:latest", "phi"]), misspelt("llama3", ["llama3:latest", "phi"])
    (" (did you mean 'llama3:latest'?)", '')
    """
    if any(one.startswith(model) or model.startswith(one) or one.endswith(f"/{model}") for one in listed):
        return ""
    return nearest(model, listed)


def _names(value: Any, depth: int = 0) -> list[str] | None:
    if isinstance(value, list):
        names = [name_of(model) for model in value]
        return sorted({name for name in names if name}) if all(names) else None
    if not isinstance(value, dict) or depth > len(_LISTS):
        return None
    for key in _LISTS:
        inner = value.get(key)
        if isinstance(inner, dict) and (found := _names(inner, depth + 1)):
            return found
        if isinstance(inner, dict) and key == "models" and all(isinstance(each, dict) for each in inner.values()):
            return sorted(map(str, inner))
        if isinstance(inner, list):
            return _names(inner)
    return None


def name_of(model: Any) -> str:
    """Return the name of a model in a list; empty if there is none."""
    if isinstance(model, dict):
        model = next((model[key] for key in _NAMES if isinstance(model.get(key), str)), None)
    return model.removeprefix("models/") if isinstance(model, str) else ""
