"""What is to be asked, and what has arrived of the answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.core.ports import Image
    from robota_nb.core.record.config import Config
    from robota_nb.core.record.nodes import Asked
    from robota_nb.core.record.view import SessionView


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be asked, where it hangs, and what will be remembered of who asked.

    Parameters
    ----------
    text
        The prompt.
    place
        The message it follows; None for the start of the chat.
    config
        The chat's config; *options* are over it for this turn alone.
    cell, settings
        The asking cell, and what cells had set (see `robota_nb.core.rules.replay`).
    record
        Whether the turn becomes part of the chat.
    images
        The pictures that go with the prompt.
    """

    text: str
    place: str | None
    config: Config
    options: Mapping[str, str] = field(default_factory=dict)
    cell: Asked | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    record: bool = True
    images: tuple[Image, ...] = ()

    @property
    def asked_of(self) -> Config:
        """The config that the request is made with."""
        return self.config.with_settings(self.options)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arriving:
    """A turn that is being asked.

    Parameters
    ----------
    view, chat
        The session, and the id of the chat.
    plan
        What is asked.
    parts
        The text that has arrived so far, in the pieces that came.
    """

    view: SessionView
    chat: str
    plan: Plan
    parts: list[str]
