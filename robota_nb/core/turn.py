"""What a user holds in hand: messages and turns, read-only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from robota_nb.core.config import Config
    from robota_nb.core.fold import Asked
    from robota_nb.core.ports import FinishReason, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a chat.

    Parameters
    ----------
    id
        Its entry's id; empty for a message that was not recorded (``--once``).
    role
        ``"user"`` or ``"assistant"``.
    content
        The text.
    parent
        The message it follows, or None.
    """

    id: str
    role: str
    content: str
    parent: str | None = None

    def __str__(self) -> str:
        return self.content


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A user message and the answer to it; ``str(turn)`` is the answer.

    Parameters
    ----------
    prompt, reply
        The two messages.
    model
        The model that answered, as the server named it, else as it was asked for.
    finish_reason
        How the answer ended.
    usage
        Tokens as the provider reported them, or None.
    config
        What it was asked with.
    replayed
        Whether it was taken from the record.
    cell
        The cell that asked, or None.
    """

    prompt: Message
    reply: Message
    model: str
    finish_reason: FinishReason
    usage: Usage | None
    config: Config
    replayed: bool = False
    cell: Asked | None = None

    @property
    def id(self) -> str:
        """The id of the answer's entry."""
        return self.reply.id

    @property
    def text(self) -> str:
        """The answer."""
        return self.reply.content

    def __str__(self) -> str:
        return self.reply.content

    def __repr__(self) -> str:
        short = self.text if len(self.text) <= 60 else self.text[:57] + "…"  # noqa: PLR2004 - one line
        return f"<Turn {short!r} model={self.model!r} finish_reason={self.finish_reason!r}>"
