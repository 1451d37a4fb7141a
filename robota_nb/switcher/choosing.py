"""What the user can choose from: models and settings, names for a field, and what a search has found."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from robota_nb.core.inside import runtime_of
from robota_nb.core.record.parameters import SUMMARY
from robota_nb.prompt.fields import said_of
from robota_nb.prompt.last_error import NAME
from robota_nb.prompt.offers import in_field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.core.chat import Chat
    from robota_nb.core.rules.search import Match
    from robota_nb.switcher.host import Host
    from robota_nb.switcher.messages import Hit, Offer, Settings

MOST = 50
"""How many names, or turns that were found, a view is sent."""
MODELS = 1000
"""How many models of a server a view is sent."""
_ABOUT = 60


def settings(host: Host, chat: Chat) -> Settings:
    """Return the settings of a chat, and what may be chosen in their place."""
    config = chat.config
    return {
        "provider": config.provider,
        "model": config.model,
        "system": config.system,
        "params": {key: value for key, value in config.params.items() if key != SUMMARY},
        "endpoints": list(host.endpoints.names()),
        "presets": [str(name) for name in host.presets],
    }


def models(host: Host, provider: str) -> list[str]:
    """Return the models that an endpoint offers; none if it does not say, or nobody may be asked.

    Raises
    ------
    ProviderError
        If it cannot be reached, or does not take the key.
    """
    if runtime_of(host.manager).mode == "strict":
        return []
    return list(host.endpoints.check(provider).models or ())[:MODELS]


def offers(before: str, variables: Mapping[str, object]) -> tuple[str, list[Offer]]:
    """Return the word at the end of a draft, and what may stand there in a field, with a word on each variable."""
    typed, found = in_field(before, {NAME: "", **variables}) or ("", [])
    return typed, [
        {"text": text, "type": kind, "about": _about(variables[text]) if text in variables else ""}
        for text, kind in found[:MOST]
    ]


def _about(value: object) -> str:
    with suppress(Exception):  # the user's objects may raise anything
        return said_of(value)[:_ABOUT]
    return ""


def hit(match: Match) -> Hit:
    """Return a turn that was found, as a view lists it."""
    return {
        "notebook": match.notebook,
        "session": match.session_id,
        "chat": match.chat_id,
        "turn": match.turn,
        "name": match.chat,
        "number": match.number or 0,
        "at": match.at,
        "text": match.excerpt,
        "deleted": match.deleted,
        "foreign": match.foreign,
    }
