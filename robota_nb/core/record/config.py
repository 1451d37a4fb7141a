"""What a request is made with: provider, model, system prompt and parameters."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from robota_nb.core.record.entries import check_message_size, clean, config_entry, to_text
from robota_nb.core.record.frozen import FrozenDict
from robota_nb.core.record.options import carried, is_option
from robota_nb.core.record.parameters import (
    CHOICES,
    body_field,
    check_param,
    check_param_key,
    is_param,
    is_safe,
    is_text,
)
from robota_nb.core.record.text import SHORT, seen
from robota_nb.errors import SnapshotError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from robota_nb.core.record.types import ConfigEntry

OFFLINE = "offline"
"""The embedded provider, and its one model."""

FIELDS = ("provider", "model", "system")
"""The settings that are no parameters; to set one may change another."""


@dataclass(frozen=True, kw_only=True)  # without slots: params are made when they are looked at
class Config:
    """The settings of a chat.

    What `with_settings` returns shares its parameters with what it was made of: of thousands of cells each may set one
    of thousands.

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
        such as 1.0 changes on its way through JavaScript); fields of the body, such as ``body.provider``; and options
        that no request carries, such as ``thinking``.
    """

    provider: str
    model: str = ""
    system: str = ""
    params: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        vars(self).update(params=FrozenDict(self.params), _root=None, _over={})

    def __getattr__(self, name: str) -> Any:
        if name != "params" or "_over" not in vars(self):
            raise AttributeError(name)
        vars(self)["params"] = _with(self._root.params, self._over)
        return self.params

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Config) and next(self.differing(other), None) is None

    def __hash__(self) -> int:
        return hash(frozenset(self.settings().items()))

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

    @property
    def keeps_thoughts(self) -> bool:
        """Whether what the model thinks before its answer is recorded."""
        return self.choice("thinking") == "keep"

    def settings(self) -> dict[str, str]:
        """Return all settings that have a value, flat: key → text."""
        fields = {key: getattr(self, key) for key in FIELDS}
        return {key: value for key, value in {**fields, **self.params}.items() if value}

    def get(self, key: str) -> str:
        """Return the setting called *key*; empty if it has no value."""
        if key in FIELDS:
            return str(getattr(self, key))
        return self._over[key] if key in self._over else (self._root or self).params.get(key, "")

    def choice(self, key: str) -> str:
        """Return what the chat does by *key*, a setting in ``CHOICES``; what is no such value sets nothing."""
        first, *others = CHOICES[key]
        return next((value for value in others if json.dumps(value) == self.get(key)), first)

    def choices(self) -> dict[str, str]:
        """Return those of the settings in ``CHOICES`` that are other than they are anyway."""
        return {key: value for key, (first, *_) in CHOICES.items() if (value := self.choice(key)) != first}

    def differing(self, other: Config) -> Iterator[str]:
        """Yield the keys of the settings in which the *other* config differs."""
        here, there = self._root or self, other._root or other
        shared = here is there
        params = {**self._over, **other._over} if shared else {**self.params, **other.params}
        yield from (key for key in (*FIELDS, *params) if self.get(key) != other.get(key))

    def with_settings(self, settings: Mapping[str, str | None]) -> Config:
        """Return a config with these settings over its own; None or empty text unsets one."""
        if not settings:
            return self
        named = {key: (settings[key] or "") if key in settings else self.get(key) for key in FIELDS}
        if named["provider"] == named["model"] == OFFLINE and settings.keys() & {"provider", "model"}:
            named["model"] = ""  # chosen, so no fallback
        root = self._root or self
        over = {**self._over, **{key: value or "" for key, value in settings.items() if key not in FIELDS}}
        made = object.__new__(Config)
        if len(over) ** 2 > len(root.params):  # as much is copied then, from time to time, as is at each step
            vars(made).update(named, params=_with(root.params, over), _root=None, _over={})
        else:
            vars(made).update(named, _root=root, _over=over)
        return made

    def decoded_params(self) -> dict[str, Any]:
        """Return the parameters and the fields of the body as JSON values, as a request carries them.

        What may be no parameter is left out, whoever wrote the snapshot: it must not decide where a request goes.

        Raises
        ------
        SnapshotError
            If a restored parameter is no JSON text.
        """
        try:
            params = {
                key: json.loads(text) for key, text in self.params.items() if is_param(key) and not is_option(key, text)
            }
            fields = {field: json.loads(text) for key, text in self.params.items() if (field := body_field(key))}
        except (ValueError, RecursionError):
            raise SnapshotError("a recorded parameter is not JSON text", hint="chat.set") from None
        return params | {field: value for field, value in fields.items() if is_safe(field, value)}

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
            params=carried(entry, "params"),
        )


def _with(params: Mapping[str, str], settings: Mapping[str, str]) -> FrozenDict[str, str]:
    """Return parameters with settings over them; what is set to nothing is not there."""
    flat = FrozenDict({**params, **settings})
    return FrozenDict({key: value for key, value in flat.items() if value}) if "" in flat.values() else flat


def chosen(settings: Mapping[str, str]) -> dict[str, str]:
    """Return those settings that somebody has chosen: not who is asked, if that is the fallback."""
    fallback = settings.get("provider") == settings.get("model") == OFFLINE
    return {key: value for key, value in settings.items() if not fallback or key not in ("provider", "model")}


def settings_from(given: Mapping[str, object], *, recorded: bool = False) -> dict[str, str]:
    """Bring settings given as Python values or as typed text into their stored form.

    Parameters
    ----------
    given
        Key → value; ``provider``, ``model`` and ``system`` are plain text. Every other key is a request
        parameter: a Python value, or text that is read as JSON where it is JSON, else taken as a string; or with
        ``body.`` before it, a field of the request's body. A provider without a model brings its own default: the
        model of another one would be unknown to it.
    recorded
        Whether they were recorded once: then nobody has just misspelt one, and each is taken as it stands.

    Raises
    ------
    InvalidName
        If a key cannot name a parameter, or is a misspelt one.
    SnapshotError
        If a value has no JSON form (NaN, an object), is of a type that the parameter never has, or is larger than a
        message may be.
    """
    stored = {key: _stored(key, value, recorded=recorded) for key, value in given.items() if value is not None}
    for key, text in stored.items():
        check_message_size(text, f"the setting {key}")
    if "provider" in stored:
        stored.setdefault("model", "")
    return stored


def _stored(key: str, value: object, *, recorded: bool) -> str:
    if key in FIELDS:
        return clean(str(value))
    check_param_key(key)
    if value == "":
        return ""  # unset
    if isinstance(value, str):
        value = _typed(key, clean(value))
    try:
        text = clean(json.dumps(value, allow_nan=False, ensure_ascii=False, sort_keys=True))
    except (TypeError, ValueError, RecursionError):
        raise SnapshotError(
            f"the setting {key}={str(value)[:40]} has no JSON form: "
            "use a finite number, text, true, false, a list or an object"
        ) from None
    if not recorded:
        check_param(key, value)
        if value == CHOICES.get(key, ("",))[0]:
            return ""  # as it is anyway: to replay that makes no difference
    return text


def _typed(key: str, text: str) -> object:
    """Return the value that a typed text stands for."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return text if is_text(key) and not isinstance(value, str) else value
