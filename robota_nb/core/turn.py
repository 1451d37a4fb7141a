"""What a user holds in hand: messages and turns, read-only."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from robota_nb.core.record import html
from robota_nb.core.record.attachments import named_part
from robota_nb.core.record.besides import besides_of
from robota_nb.core.record.entries import usage_of
from robota_nb.core.record.steps import steps_of
from robota_nb.core.record.text import count, short
from robota_nb.core.record.types import TEXT_ALONE, File, Image
from robota_nb.errors import AnswerInvalid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from robota_nb.core.ports import AnswerForm, Attachment, Besides, FinishReason, Request, Source, Step, Usage
    from robota_nb.core.record.config import Config
    from robota_nb.core.record.fold import SessionState
    from robota_nb.core.record.nodes import Asked, Node
    from robota_nb.core.rules.history import Fork
    from robota_nb.core.rules.summaries import Summary


class _Reads:
    """What reads the files of a message once somebody looks at them; a slot that no dataclass copies or pickles."""

    __slots__ = ("_read",)
    _read: Callable[[], tuple[Attachment, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(_Reads):
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
    attached
        The pictures and files that were sent with it, or the pictures that came with it.
    """

    id: str
    role: str
    content: str
    parent: str | None = None
    attached: tuple[Attachment, ...] = ()

    @classmethod
    def from_record(cls, record: SessionState, eid: str) -> Message:
        """Return the message with the entry id *eid*; its pictures and files but for those that were purged."""
        entry = record.entries[eid]
        made = cls(id=eid, role=entry.get("role", ""), content=record.text(eid), parent=entry.get("parent"))
        if record.attached(eid):  # large ones are files, and few look at them
            object.__setattr__(made, "_read", record.to_read(eid))
            object.__delattr__(made, "attached")
        return made

    def __getattr__(self, name: str) -> Any:
        if name != "attached":
            raise AttributeError(name)
        attached = self._read()
        object.__setattr__(self, "attached", attached)
        return attached

    @property
    def images(self) -> tuple[Image, ...]:
        """The pictures that were sent with it."""
        return tuple(one for one in self.attached if isinstance(one, Image))

    @property
    def files(self) -> tuple[File, ...]:
        """The files that were sent with it."""
        return tuple(one for one in self.attached if isinstance(one, File))

    def __repr__(self) -> str:
        return f"<Message {short(self.content)!r} role={short(self.role)!r}>"

    def __str__(self) -> str:
        return self.content


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Turn(str):  # noqa: SLOT000 (the dataclass makes them)
    """The answer to a message, as text, and all that is known of it.

    Wherever text is wanted, it is the answer: it can be searched, joined, written, sent as JSON, used as a key. Two
    turns are equal if they read the same; `id` tells them apart.

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
    reasoning
        What the model thought before it answered, apart from the answer: as it was heard in this kernel, or was
        recorded with the setting ``thinking=keep``; else empty.
    besides
        What the answer has beside its text.
    steps
        What the model said and called before its answer, and what it was told, in order.
    shape
        The form that it was asked for in this process, if it was.
    """

    prompt: Message
    reply: Message
    model: str
    finish_reason: FinishReason
    usage: Usage | None
    config: Config
    replayed: bool = False
    cell: Asked | None = None
    reasoning: str = ""
    besides: Besides = TEXT_ALONE
    steps: tuple[Step, ...] = ()
    shape: AnswerForm | None = field(default=None, repr=False)

    def __new__(cls, *, reply: Message, **_: object) -> Self:
        """Make the text; what else there is to know, the dataclass takes."""
        return str.__new__(cls, reply.content)

    def __getnewargs_ex__(self) -> tuple[tuple[()], dict[str, Message]]:
        return (), {"reply": self.reply}

    @classmethod
    def from_record(cls, record: SessionState, node: Node, *, replayed: bool = False) -> Turn:
        """Return a recorded turn."""
        answer = record.entries[node.id]
        config = record.node_config(node)
        counts, besides = answer.get("usage"), besides_of(record, node.id)
        reply = Message.from_record(record, node.id)
        return cls(
            prompt=Message.from_record(record, node.user),
            reply=replace(reply, attached=besides.pictures) if besides.pictures else reply,
            model=answer.get("model", "") or config.model,
            finish_reason=answer.get("finish_reason", "unknown"),
            usage=usage_of(counts) if counts else None,
            config=config,
            replayed=replayed,
            cell=node.cell,
            reasoning=record.reasoning(node.id),
            besides=besides,
            steps=steps_of(answer),
        )

    @property
    def id(self) -> str:
        """The id of the answer's entry."""
        return self.reply.id

    @property
    def text(self) -> str:
        """The answer."""
        return self.reply.content

    @property
    def value(self) -> Any:
        """The answer as a value of the type that was asked for with ``into``, as that is now.

        Raises
        ------
        AnswerInvalid
            If it is none, or none was asked for in this process.
        """
        return self._shape.value(self.text)

    def to_frame(self) -> Any:
        """Return the value as a pandas data frame: of a list, a row for each item; raises as `value`."""
        return self._shape.frame(self.text)

    @property
    def _shape(self) -> AnswerForm:
        if self.shape is None:
            raise AnswerInvalid("this answer was asked for without a type: turn.text has it")
        return self.shape

    @property
    def images(self) -> tuple[Image, ...]:
        """The pictures in the answer."""
        return self.besides.pictures

    @property
    def sources(self) -> tuple[Source, ...]:
        """What the answer names as its sources, in its own order; their titles and addresses are a stranger's."""
        return self.besides.sources

    @property
    def refused(self) -> bool:
        """Whether the model, or a filter, has refused to answer."""
        return self.besides.refused or self.finish_reason == "content_filter"

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
        pictures = f" · {count(len(self.images), 'picture')}" if self.images else ""
        about = html.note(f"{self.model}{used}{ending}{pictures}")
        rows = [[str(number), s.title, s.url] for number, s in enumerate(self.sources[: html.ROWS], 1)]
        left = len(self.sources) - len(rows) + self.besides.more_sources
        sources = html.table(["", "source", "address"], rows, left_out=left, what="source") if rows else ""
        return html.div("turn", html.folded(self.prompt.content), html.box(self.text), sources, about)


class Branch:
    """What was asked in a chat beside its path.

    Parameters
    ----------
    record
        The session's.
    fork
        Where it leaves the path, and its last turn.
    number
        By which `Chat.checkout` finds it, from 1.

    Attributes
    ----------
    after
        How many turns of the path come before it.
    size
        How many turns follow there instead.
    id
        The id of its last turn.
    """

    def __init__(self, record: SessionState, fork: Fork, number: int) -> None:
        self.number = number
        self.after = fork.after
        self.size = fork.size
        self.id = fork.last.id
        self._record = record
        self._fork = fork

    @cached_property
    def turns(self) -> tuple[Turn, ...]:
        """What follows there instead; read when it is asked for, as many branches may have turns in common."""
        return self._first(self.size)

    def prompts(self, size: int) -> list[str]:
        """Return what the first so many turns ask."""
        return [self._record.text(node.user) for node in self._fork.first_nodes(size)]

    def _first(self, size: int) -> tuple[Turn, ...]:
        return tuple(Turn.from_record(self._record, node) for node in self._fork.first_nodes(size))

    def __repr__(self) -> str:
        first = short(self._record.text(self._fork.first.user))
        return f"<Branch {self.number} after turn {self.after}: {count(self.size, 'turn')}, {first!r}>"

    def _repr_html_(self) -> str:
        """Show the first turns, a row each."""
        shown = self._first(html.ROWS)
        rows = [[str(number), t.prompt.content, t.text] for number, t in enumerate(shown, self.after + 1)]
        head = html.note(f"branch {self.number} · after turn {self.after}")
        left = self.size - len(shown)
        return html.div("branch", head, html.table(["", "asked", "answered"], rows, left_out=left, what="later turn"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What an ask would send.

    Parameters
    ----------
    provider
        To whom, by its name in the user's configuration.
    request
        What.
    choices
        What the chat's settings leave out of it, such as ``{"pictures": "none"}``.
    summary
        What it says in the place of the first turns; None if it has them all.
    tokens
        About how many it has.
    """

    provider: str
    request: Request
    choices: Mapping[str, str] = field(default_factory=dict)
    summary: Summary | None = None
    tokens: int = 0

    def __repr__(self) -> str:
        messages = count(len(self.request.messages), "message")
        return f"<Preview: {messages}, {self.size} bytes, to {short(self._asked)!r}>"

    def _repr_html_(self) -> str:
        """Show the last messages, a row each."""
        messages = self.request.messages
        shown = messages[-html.ROWS :]
        rows = [[str(message.get("role")), _plain(message.get("content"))] for message in shown]
        given = {**self.choices, **self.request.params}
        settings = "".join(f" · {key} = {value}" for key, value in given.items())
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
    """Return what a message of a request says; pictures, and files that are no text, are named, not shown."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(part.get("text") or f"({named_part(part)})" for part in parts if isinstance(part, dict))
