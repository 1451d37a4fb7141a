"""What a request is made with: provider, model, system prompt and parameters."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from robota_nb.core.record.entries import check_message_size, check_param_key, clean, config_entry, is_param, to_text
from robota_nb.core.record.text import SHORT, seen
from robota_nb.errors import SnapshotError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.core.record.types import ConfigEntry

OFFLINE = "offline"
"""The embedded provider, and its one model."""

_FIELDS = ("provider", "model", "system")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The settings of a chat.

    Parameters
    ----------
    provider
        A provider's or an endpoint's name in the user's configuration; never a URL. Empty if none is chosen.
    model
        The model's name there; empty for the endpoint's default.
    system
        The system prompt; empty for none.
    params
        Request parameters as JSON text by name, such as ``{"temperature": "0.2"}`` (text, because a number
        such as 1.0 changes on its way through JavaScript).
    """

    provider: str
    model: str = ""
    system: str = ""
    params: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "params", MappingProxyType(dict(self.params)))

    @property
    def target(self) -> str:
        """Who is asked, in one line that can stand anywhere, such as ``openai/gpt-4o``."""
        name = self.provider if self.model in ("", self.provider) else f"{self.provider}/{self.model}"
        return re.sub(r"\s+", " ", seen(name, SHORT)) or "no model"

    @property
    def is_fallback(self) -> bool:
        """Whether the embedded model is asked only because nobody has chosen another one, and no key is there.

        Then its model is named, too. Who chooses the provider ``offline`` gets it without a model: see `with_settings`.
        """
        return self.provider == self.model == OFFLINE

    def settings(self) -> dict[str, str]:
        """Return all settings that have a value, flat: key → text."""
        fields = {key: getattr(self, key) for key in _FIELDS}
        return {key: value for key, value in {**fields, **self.params}.items() if value}

    def with_settings(self, settings: Mapping[str, str | None]) -> Config:
        """Return a config with these settings over its own; None or empty text unsets one."""
        if not settings:
            return self
        flat = {**self.settings(), **settings}
        named = {key: flat.pop(key, None) or "" for key in _FIELDS}
        if named["provider"] == named["model"] == OFFLINE and settings.keys() & {"provider", "model"}:
            named["model"] = ""  # chosen, so no fallback
        return Config(**named, params={key: value for key, value in flat.items() if value})

    def decoded_params(self) -> dict[str, Any]:
        """Return the parameters as JSON values, as a request carries them.

        What may be no parameter is left out, whoever wrote the snapshot: it must not decide where a request goes.

        Raises
        ------
        SnapshotError
            If a restored parameter is no JSON text.
        """
        try:
            return {key: json.loads(text) for key, text in self.params.items() if is_param(key)}
        except (ValueError, RecursionError):
            raise SnapshotError("a recorded parameter is not JSON text", hint="chat.set") from None

    def to_entry(self) -> ConfigEntry:
        """Return the config as a snapshot's entry."""
        return config_entry(provider=self.provider, model=self.model, system=self.system, params=self.params)

    @classmethod
    def from_entry(cls, entry: ConfigEntry) -> Config:
        """Read a config from a (checked) entry."""
        return cls(
            provider=entry.get("provider", ""),
            model=entry.get("model", ""),
            system=to_text(entry.get("system", ())),
            params=entry.get("params", {}),
        )


def chosen(settings: Mapping[str, str]) -> dict[str, str]:
    """Return those settings that somebody has chosen: not who is asked, if that is the fallback."""
    fallback = settings.get("provider") == settings.get("model") == OFFLINE
    return {key: value for key, value in settings.items() if not fallback or key not in ("provider", "model")}


def settings_from(given: Mapping[str, object]) -> dict[str, str]:
    """Bring settings given as Python values or as typed text into their stored form.

    Parameters
    ----------
    given
        Key → value; ``provider``, ``model`` and ``system`` are plain text. Every other key is a request
        parameter: a Python value, or text that is read as JSON where it is JSON, else taken as a string. A provider
        without a model brings its own default: the model of another one would be unknown to it.

    Raises
    ------
    InvalidName
        If a key cannot name a parameter.
    SnapshotError
        If a value has no JSON form (NaN, an object), or is larger than a message may be.
    """
    stored = {key: _stored(key, value) for key, value in given.items() if value is not None}
    for key, text in stored.items():
        check_message_size(text, f"the setting {key}")
    if "provider" in stored:
        stored.setdefault("model", "")
    return stored


def _stored(key: str, value: object) -> str:
    if key in _FIELDS:
        return clean(str(value))
    check_param_key(key)
    if value == "":
        return ""  # unset
    if isinstance(value, str):
        try:
            value = json.loads(clean(value))
        except (ValueError, RecursionError):
            value = clean(str(value))
    try:
        return clean(json.dumps(value, allow_nan=False, ensure_ascii=False, sort_keys=True))
    except (TypeError, ValueError, RecursionError):
        raise SnapshotError(
            f"the setting {key}={str(value)[:40]} has no JSON form: "
            "use a finite number, text, true, false, a list or an object"
        ) from None
