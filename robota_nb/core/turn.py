"""What a user holds in hand: messages and turns, read-only."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from robota_nb.core.ports import Usage
from robota_nb.core.record import html
from robota_nb.core.record.entries import image_of
from robota_nb.core.record.text import count, short

if TYPE_CHECKING:
    from robota_nb.core.ports import FinishReason, Image, Request
    from robota_nb.core.record.config import Config
    from robota_nb.core.record.fold import SessionState
    from robota_nb.core.record.nodes import Asked, Node


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

    @classmethod
    def from_record(cls, record: SessionState, eid: str) -> Message:
        """Return the message with the entry id *eid*; its pictures but for those that were purged."""
        entry = record.entries[eid]
        images = tuple(image for key in record.images(eid) if (image := image_of(record.entries[key])))
        return cls(
            id=eid, role=entry.get("role", ""), content=record.text(eid), parent=entry.get("parent"), images=images
        )

    def __repr__(self) -> str:
        return f"<Message {short(self.content)!r} role={short(self.role)!r}>"

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

    @classmethod
    def from_record(cls, record: SessionState, node: Node, *, replayed: bool = False) -> Turn:
        """Return a recorded turn."""
        answer = record.entries[node.id]
        config = record.node_config(node)
        counts = answer.get("usage")
        return cls(
            prompt=Message.from_record(record, node.user),
            reply=Message.from_record(record, node.id),
            model=answer.get("model", "") or config.model,
            finish_reason=answer.get("finish_reason", "unknown"),
            usage=Usage(input_tokens=counts.get("input_tokens", 0), output_tokens=counts.get("output_tokens", 0))
            if counts
            else None,
            config=config,
            replayed=replayed,
            cell=node.cell,
        )

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

    def __repr__(self) -> str:
        return f"<Turn {short(self.text)!r} model={short(self.model)!r} finish_reason={short(self.finish_reason)!r}>"

    def _repr_html_(self) -> str:
        """Show the question folded, and the answer."""
        ending = "" if self.finish_reason == "stop" else f" · {self.finish_reason}"
        used = f" · {self.usage.input_tokens} + {self.usage.output_tokens} tokens" if self.usage else ""
        about = html.note(f"{self.model}{used}{ending}")
        return html.div("turn", html.folded(self.prompt.content), html.box(self.text), about)


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

    def __repr__(self) -> str:
        first = short(self.turns[0].prompt.content) if self.turns else ""
        return f"<Branch {self.number} after turn {self.after}: {count(len(self.turns), 'turn')}, {first!r}>"

    def _repr_html_(self) -> str:
        """Show the first turns, a row each."""
        shown = self.turns[: html.ROWS]
        rows = [[str(number), t.prompt.content, t.text] for number, t in enumerate(shown, self.after + 1)]
        head = html.note(f"branch {self.number} · after turn {self.after}")
        left = len(self.turns) - len(shown)
        return html.div("branch", head, html.table(["", "asked", "answered"], rows, left_out=left, what="later turn"))

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

    def __repr__(self) -> str:
        messages = count(len(self.request.messages), "message")
        return f"<Preview: {messages}, {self.size} bytes, to {short(self._asked)!r}>"

    def _repr_html_(self) -> str:
        """Show the last messages, a row each."""
        messages = self.request.messages
        shown = messages[-html.ROWS :]
        rows = [[str(message.get("role")), _plain(message.get("content"))] for message in shown]
        settings = "".join(f" · {key} = {value}" for key, value in self.request.params.items())
        head = html.note(f"to {self._asked} · {self.size} bytes{settings}")
        left = len(messages) - len(shown)
        return html.div("preview", head, html.table(["role", "content"], rows, left_out=left, what="earlier message"))

    @property
    def _asked(self) -> str:
        return f"{self.provider}/{self.request.model}".strip("/")

    @property
    def size(self) -> int:
        """The size of the messages, in bytes as JSON."""
        return len(json.dumps(list(self.request.messages), ensure_ascii=False).encode())

    def __str__(self) -> str:
        return "\n".join(f"{m['role']}: {m['content']}" for m in self.request.messages)


def _plain(content: object) -> str:
    """Return what a message of a request says; its pictures are named, not shown."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(part.get("text") or "(a picture)" for part in parts if isinstance(part, dict))
