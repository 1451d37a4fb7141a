"""What a user holds in hand: messages and turns, read-only."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from robota_nb.core import reprs

if TYPE_CHECKING:
    from robota_nb.core.ports import FinishReason, Image, Request, Usage
    from robota_nb.core.record.config import Config
    from robota_nb.core.record.nodes import Asked


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
    images
        The pictures that were sent with it.
    """

    id: str
    role: str
    content: str
    parent: str | None = None
    images: tuple[Image, ...] = ()

    __repr__ = reprs.message_line

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

    def to_records(self, number: int | None = None) -> list[dict[str, Any]]:
        """Return the two messages as plain dicts, for a data frame or a table; *number* is the turn's in its chat."""
        tokens = (self.usage.input_tokens, self.usage.output_tokens) if self.usage else (None, None)
        shared = {"turn": number, "model": self.model, "finish_reason": self.finish_reason, "replayed": self.replayed}
        return [
            {"role": message.role, "content": message.content, **shared, "tokens": count, "id": message.id}
            for message, count in zip((self.prompt, self.reply), tokens, strict=True)
        ]

    def __str__(self) -> str:
        return self.reply.content

    __repr__ = reprs.turn_line
    _repr_html_ = reprs.turn_html


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """What was asked in a chat beside its path.

    Parameters
    ----------
    number
        By which `Chat.checkout` finds it, from 1.
    after
        How many turns of the path come before it.
    turns
        What follows there instead.
    """

    number: int
    after: int
    turns: tuple[Turn, ...]

    __repr__ = reprs.branch_line
    _repr_html_ = reprs.branch_html

    @property
    def id(self) -> str:
        """The id of its last turn."""
        return self.turns[-1].id


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What an ask would send.

    Parameters
    ----------
    provider
        To whom, by its name in the user's configuration.
    request
        What.
    """

    provider: str
    request: Request

    __repr__ = reprs.preview_line
    _repr_html_ = reprs.preview_html

    @property
    def size(self) -> int:
        """The size of the messages, in bytes as JSON."""
        return len(json.dumps(list(self.request.messages), ensure_ascii=False).encode())

    def __str__(self) -> str:
        return "\n".join(f"{m['role']}: {m['content']}" for m in self.request.messages)
