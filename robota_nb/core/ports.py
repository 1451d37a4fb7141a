"""The protocols through which the core speaks to the rooms around it."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, runtime_checkable

from robota_nb.core.interrupts import Cancellation
from robota_nb.core.record.types import (
    Attachment,
    Besides,
    Call,
    Entries,
    Entry,
    File,
    FinishReason,
    Image,
    Source,
    Step,
    ToolSpec,
    Usage,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = [
    "AnswerForm",
    "Attachment",
    "Besides",
    "Call",
    "Carrier",
    "Echo",
    "Entries",
    "Entry",
    "File",
    "Finish",
    "FinishReason",
    "Image",
    "KnowsWindow",
    "Level",
    "ListsModels",
    "Provider",
    "Providers",
    "ReasoningDelta",
    "Remark",
    "Request",
    "Shelf",
    "SignOfLife",
    "Source",
    "Step",
    "Store",
    "StreamEvent",
    "TextDelta",
    "TextWasReasoning",
    "ToolCall",
    "ToolSpec",
    "Toolbox",
    "Usage",
    "Waiting",
    "Warms",
]

Level: TypeAlias = Literal["in kernel", "in store", "in the cells' outputs", "in notebook", "saved"]
"""How far the conversations have got, as their user reads it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a provider is asked.

    Parameters
    ----------
    model
        The model's name at the provider; empty for the provider's own default.
    messages
        ``{"role": "system" | "user" | "assistant", "content": …}``, oldest first; to be read only. A content is
        text, which the files that are text are a part of; with others, a list of ``{"type": "text", "text": …}``,
        ``{"type": "image_url", "image_url": {"url": "data:image/png;base64,…"}}``,
        ``{"type": "file", "file": {"filename": …, "file_data": "data:application/pdf;base64,…"}}`` and
        ``{"type": "input_audio", "input_audio": {"data": "…", "format": "wav" | "mp3"}}`` (the form of OpenAI's API).
        The roles alternate: after the system prompt comes a user's message, and each is followed by the other's.
        Where tools are offered, an assistant's message may have ``"tool_calls"``: ``[{"id": …, "type": "function",
        "function": {"name": …, "arguments": "{…}"}}]``; then comes a ``{"role": "tool", "tool_call_id": …, "content":
        …}`` for each call, and the next message is an assistant's again.
    turns
        The number in its chat, from 1, of each turn that the messages before the last one come from, for errors that
        name one.
    params
        Decoded JSON values by parameter name, such as ``{"temperature": 0.2}``.
    tools
        What the model may call; a provider that knows of none answers without.
    echo
        By the index of an assistant's message, what this provider has yielded as `Echo` with it.
    cancellation
        Tells a provider that waits for a silent server that nobody waits for the answer any more.
    """

    model: str
    messages: Sequence[dict[str, Any]]
    turns: Sequence[int] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    tools: Sequence[ToolSpec] = ()
    echo: Mapping[int, Sequence[str]] = field(default_factory=dict)
    cancellation: Cancellation = field(default_factory=Cancellation, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of the answer's text; never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """The next piece of what the model thinks, apart from its answer; its *text* is never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class TextWasReasoning:
    """All text so far was no answer, but what the model thought before it: the answer begins after this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOfLife:
    """The server was heard, and what came is neither text nor thoughts.

    Parameters
    ----------
    thinking
        Whether it is known that the model thinks.
    """

    thinking: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """The model calls a tool that was offered. Whole: nothing of it is yielded before all of it is there.

    Parameters
    ----------
    id
        What the server calls it; empty if it gives it no name.
    name, arguments
        The tool, and its arguments as the model wrote them: JSON text, if the model writes that.
    """

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Echo:
    """What the server wants back, as it came, with what it has said so far; the last one counts.

    Parameters
    ----------
    items
        JSON texts, of which only the provider knows what they are. They are kept with the answer, and are given back
        in ``Request.echo`` to a provider of that name, as long as the conversation offers tools.
    """

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """The last event of every stream that did not raise.

    Parameters
    ----------
    reason
        How it ended.
    model
        The model that answered, as the server names it; empty if it did not say.
    usage
        Token counts, if reported.
    """

    reason: FinishReason
    model: str = ""
    usage: Usage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The server asks to wait, and the provider does: what the user should see, as nothing else is to be seen.

    Parameters
    ----------
    seconds
        How long.
    """

    seconds: float


@dataclass(frozen=True, slots=True)
class Remark:
    """What the user should know of how it was asked, such as a setting that the server does not take.

    Parameters
    ----------
    text
        One line; it is told beside the answer.
    """

    text: str


StreamEvent: TypeAlias = (
    TextDelta | ReasoningDelta | TextWasReasoning | SignOfLife | Besides | Waiting | Remark | ToolCall | Echo | Finish
)
"""What a provider yields."""


@runtime_checkable
class Provider(Protocol):
    """Something that answers: any number of `TextDelta`, then exactly one `Finish`.

    Before the first text there may be `Waiting` and `Remark`; before the `Finish`, where a provider can tell,
    `ReasoningDelta`, `TextWasReasoning` and `SignOfLife`. What has come beside the text so far is told by `Besides`, at
    any point; the last one counts. Of the tools that are offered, each call is a `ToolCall` before the `Finish`.

    Closing the iterator closes the connection. What goes wrong is raised as `ProviderError`, at any point.
    A provider is used from several threads at once.
    """

    name: str

    def stream(self, request: Request) -> Iterator[StreamEvent]:
        """Ask, and yield the answer as it arrives.

        Parameters
        ----------
        request
            What is asked; it is not changed.

        Raises
        ------
        ProviderError
            If the model cannot be asked, or the answer breaks off: one line, with a next step.
        """
        ...


@runtime_checkable
class ListsModels(Protocol):
    """A provider that can say which models it has; to be one is optional."""

    def models(self) -> Sequence[str]:
        """Return the names of the models, without asking any of them.

        Raises
        ------
        ProviderError
            If the server cannot be reached, or does not take the key: one line, with a next step.
        """
        ...


@runtime_checkable
class Warms(Protocol):
    """A provider whose first ask has a slow part that can be done before; to be one is optional."""

    def warm(self) -> None:
        """Do the slow part of a first ask, such as an import; called in a thread of its own. It asks nobody."""
        ...


@runtime_checkable
class KnowsWindow(Protocol):
    """A provider that can say how long a request may be; to be one is optional."""

    def window(self, model: str) -> int:
        """Return how many tokens a request to a model and its answer may have together; 0 if that is not known.

        Nobody is asked for it. *model* is empty for the provider's default.
        """
        ...


class Providers(Protocol):
    """The providers this user has, by the names that configs carry."""

    def default(self) -> tuple[str, str]:
        """Return (provider name, model) for a chat where nothing is configured."""
        ...

    def get(self, name: str) -> Provider:
        """Return the provider of that name, or raise `EndpointNotFound` with how to add it."""
        ...


class Toolbox(Protocol):
    """The tools that are offered with an ask, and the way to call them. They are functions of this process."""

    @property
    def specs(self) -> Sequence[ToolSpec]:
        """What the model is told of them."""
        ...

    @property
    def sources(self) -> Mapping[str, str]:
        """The hashes of their sources, by the names of those that are functions of the notebook."""
        ...

    def is_safe(self, name: str) -> bool:
        """Say whether the tool of a *name* only reads what is the user's own, so that its results are, too."""
        ...

    def check(self, *, doubted: bool) -> None:
        """Raise if a call could not be run, as nobody is there to be asked whether it may be.

        Parameters
        ----------
        doubted
            Whether the request holds text that the user has neither written nor confirmed.

        Raises
        ------
        ConsentMissing
            Before anything is sent.
        """
        ...

    def begun(self, call: ToolCall) -> Call:
        """Return a *call* as it is shown and recorded before it has returned: without keys."""
        ...

    def run(self, call: ToolCall, *, doubted: bool) -> Call:
        """Run a call, if the user agrees; what goes wrong in it is its result.

        Parameters
        ----------
        call
            Which one.
        doubted
            Whether the user is asked whatever was allowed before, as in `check`.

        Raises
        ------
        KeyboardInterrupt
            If the user stops the answer.
        """
        ...


class AnswerForm(Protocol):
    """The form that an answer is to have."""

    def faults(self, text: str) -> Sequence[str]:
        """Return why a *text* has not that form, a line for each fault; nothing if it has."""
        ...

    def settings(self) -> Mapping[str, str]:
        """Return the settings of an ask that asks for that form."""
        ...

    def value(self, text: str) -> Any:
        """Return the value that a *text* of that form stands for; raise `AnswerInvalid` if it has another one."""
        ...

    def frame(self, text: str) -> Any:
        """Return what a *text* stands for as a data frame of pandas; raises as `value`."""
        ...


class Shelf(Protocol):
    """Keeps the files that are too large for a notebook, by what is in them. Idempotent, thread-safe."""

    def put(self, data: bytes) -> None:
        """Keep a file with this *data*.

        Raises
        ------
        StoreError
            If it cannot be written, as from every method here.
        """
        ...

    def get(self, sha256: str) -> bytes | None:
        """Return the file of this *sha256*, in hex; None if it is not here."""
        ...

    def drop(self, sha256: str) -> None:
        """Remove the file of this *sha256* for good; nothing happens if it is not here."""
        ...


class Store(Protocol):
    """Keeps entries for the next kernel, filed under a document's path. Idempotent, thread-safe."""

    def add(self, document: str, entries: Entries, remove: Mapping[str, Iterable[str]] = MappingProxyType({})) -> None:
        """Commit entries as not yet saved in the notebook and drop others, all of it or nothing.

        Parameters
        ----------
        document
            Under which they are filed.
        entries
            What is new. Those that are there already stay as they are.
        remove
            Session id → ids of superseded entries; unknown ones are ignored.

        Raises
        ------
        StoreError
            If they cannot be written, as from every method here.
        """
        ...

    def mark_saved(self, document: str, entries: Mapping[str, Iterable[str]]) -> None:
        """Note that *document* has saved these *entries* (session id → ids); unknown ids are ignored."""
        ...

    def unsaved(self, document: str) -> dict[str, dict[str, Entry]]:
        """Return the entries of a document that no notebook has saved yet, by session, oldest first."""
        ...

    def documents(self) -> list[str]:
        """Return the documents that have any entries."""
        ...

    def entries(self, document: str) -> dict[str, dict[str, Entry]]:
        """Return all entries of a document, saved ones too, by session, oldest first."""
        ...

    def ids(self, session: str) -> set[str]:
        """Return the ids of all entries of a session, in whatever document."""
        ...

    def unsaved_documents(self) -> dict[str, int]:
        """Return how many unsaved entries each document has that has any; the one with the newest comes first."""
        ...

    def move(self, document: str, to: str) -> None:
        """File under *to* what is filed under *document*, as when its notebook was renamed; all of it or nothing.

        The result is a union. Of an entry that is in both places one stays: the one there, unless the moved one
        replaces it (`robota_nb.core.record.kinds.replaces`). It counts as saved only if both are saved and alike:
        nothing that a notebook may still lack is forgotten. The entries keep their age. Nothing happens if both names
        are the same, or if nothing is filed under *document*.
        """
        ...

    def close(self) -> None:
        """Release files; the store may be used again and reopens by itself."""
        ...


class Carrier(Protocol):
    """A place where a snapshot lives."""

    @property
    def level(self) -> Level:
        """How far what was written has got."""
        ...

    def write(self, add: Entries, remove: Mapping[str, Iterable[str]]) -> None:
        """Carry entries there. Union semantics: repeating a write changes nothing.

        Parameters
        ----------
        add
            New ones.
        remove
            Session id → ids of superseded ones, to be dropped.

        Raises
        ------
        SnapshotError
            If what stands there cannot be read; it is as it was then.
        """
        ...
