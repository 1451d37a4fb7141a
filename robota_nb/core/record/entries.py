"""The entries of a snapshot: immutable facts as plain JSON, named by the hash of their canonical text.

Format 1 (DESIGN §4): no nulls, no floats, integers below 2**53, well-formed Unicode, depth at most 8.
An entry's id is ``e_`` + BLAKE2b-128 of the whole canonical JSON of the entry.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from robota_nb.core.record.options import is_option, put
from robota_nb.core.record.types import Usage
from robota_nb.errors import InvalidName, SnapshotError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from robota_nb.core.record.types import (
        AcceptEntry,
        ActiveEntry,
        BeforeEntry,
        ChatEntry,
        ConfigEntry,
        EffectsEntry,
        Entry,
        FinishReason,
        HeadEntry,
        ImagePart,
        MessageEntry,
        OptionEntry,
        OutsideEntry,
        PurgedEntry,
        SessionEntry,
        SetEntry,
        SummaryEntry,
    )

MAX_MESSAGE_BYTES = 1_000_000
MAX_NAME = 100
UNFINISHED = ("interrupted", "error")
"""How answers end that are kept only for the text that had arrived."""

Builder: TypeAlias = "Callable[..., Entry]"
"""Makes an entry when its ``n`` and ``at`` are known."""

_CELL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SURROGATES = re.compile("[\ud800-\udfff]")

_encode = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"), check_circular=False
).encode


def canonical(value: object) -> bytes:
    """Return the one text of a JSON value: UTF-8, keys sorted, no spaces.

    Raises
    ------
    UnicodeEncodeError
        If a string holds a lone surrogate.
    """
    return _encode(value).encode()


def entry_id(entry: Entry) -> str:
    """Return the id of an entry: ``e_`` and 32 hex digits."""
    return hashed(canonical(entry))


def hashed(text: bytes) -> str:
    """Return the id of the entry with this canonical text."""
    return "e_" + hashlib.blake2b(text, digest_size=16).hexdigest()


def new_id(prefix: str) -> str:
    """Return a fresh id such as ``s_…`` (session) or ``c_…`` (chat)."""
    return f"{prefix}_{uuid.uuid4().hex}"


def timestamp(moment: datetime | None = None) -> str:
    """Return a time in UTC to the second, as snapshots carry it."""
    return (moment or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")


# -- text, in the form in which a notebook can hold it


def clean(text: str) -> str:
    """Return *text* as a notebook can hold it: lone surrogates become U+FFFD, halves of a pair are joined."""
    if _SURROGATES.search(text) is None:
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def to_lines(text: str) -> list[str]:
    r"""Split *text* after each ``\n``, so that text-based tools see lines; `to_text` joins them again."""
    parts = text.split("\n")
    lines = [part + "\n" for part in parts[:-1]]
    return [*lines, parts[-1]] if parts[-1] else lines


def to_text(content: Iterable[Any]) -> str:
    """Join the text parts of a content (parts that are no strings, such as images, are left out)."""
    parts = list(content)
    if not but_plain(parts):
        return "".join(parts)
    return "".join([part for part in filter(None, parts) if isinstance(part, str)])


def but_plain(values: Sequence[Any]) -> Sequence[Any]:
    """Return values, or nothing if all are plain texts: then nobody has to look at each of what may be a million."""
    return () if {str}.issuperset(map(type, values)) else values


def parts_of(content: Sequence[Any]) -> Iterator[Any]:
    """Yield the parts of a content that are no text, such as pictures; not the empty ones: there may be a million."""
    return (part for part in filter(None, but_plain(content)) if not isinstance(part, str))


def check_message_size(text: str, what: str = "a message") -> None:
    """Raise `SnapshotError` if a message, or what else a user may write, is larger than a snapshot may carry."""
    if len(text) * 4 > MAX_MESSAGE_BYTES and (size := len(text.encode())) > MAX_MESSAGE_BYTES:
        raise SnapshotError(f"{what} of {size:,} bytes is over the cap of {MAX_MESSAGE_BYTES:,}: shorten it")


def check_name(name: str, what: str) -> str:
    """Return *name* in its stored form (NFC, stripped), or raise `InvalidName`.

    Parameters
    ----------
    name
        What the user typed.
    what
        ``"chat"`` or ``"session"``, for the message.
    """
    name = unicodedata.normalize("NFC", clean(name)).strip()
    if not name:
        raise InvalidName(f"a {what} needs a name: give it 1 to {MAX_NAME} characters")
    if len(name) > MAX_NAME:
        raise InvalidName(f"the name has {len(name)} characters: a {what} name has at most {MAX_NAME}")
    if any(unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in name):
        raise InvalidName(f"a {what} name cannot hold control characters or line breaks: leave them out")
    return name


def fold_name(name: str) -> str:
    """Return the form in which two names are compared."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def cell_id_or_none(raw: object) -> str | None:
    """Return a front end's cell id if turns may remember it.

    VS Code's ids hold a path, and nbstripout renumbers: neither names a cell in another kernel's life.
    """
    return raw if isinstance(raw, str) and _CELL_ID.fullmatch(raw) and not raw.isdecimal() else None


def source_hash(source: str) -> str:
    """Return the hash by which a cell's source is known: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(clean(source).encode()).hexdigest()[:16]


# -- the entries, by their kinds; absent means none


def session_entry(*, n: int, at: str, name: str, config: str | None = None) -> SessionEntry:
    """Return the entry with which a session begins; *config* is the id of its default settings."""
    entry: SessionEntry = {"kind": "session", "n": n, "at": at, "name": name}
    if config:
        entry["config"] = config
    return entry


def config_entry(*, provider: str, model: str, system: str, params: Mapping[str, str]) -> ConfigEntry:
    """Return the settings of requests as an entry; equal settings are one entry, as nothing tells them apart."""
    entry: ConfigEntry = {"kind": "config"}
    if provider:
        entry["provider"] = provider
    if model:
        entry["model"] = model
    if system:
        entry["system"] = to_lines(system)
    put(entry, "params", params)
    return entry


def chat_entry(*, n: int, at: str, chat: str, name: str, config: str, from_: str | None = None) -> ChatEntry:
    """Return the entry with which a chat begins; with *from_*, as a fork that starts at that message."""
    entry: ChatEntry = {"kind": "chat", "n": n, "at": at, "chat": chat, "name": name, "config": config}
    if from_:
        entry["from"] = from_
    return entry


def user_message(
    *,
    n: int,
    at: str,
    chat: str,
    parent: str | None,
    text: str,
    attached: Iterable[ImagePart] = (),
    context: Iterable[str] | None = None,
    cell: Sequence[str | int] | None = None,
    after: str | None = None,
    by_code: bool = False,
    hand: Mapping[str, Sequence[str]] | None = None,
    set_: Mapping[str, str] | None = None,
    options: Mapping[str, str] | None = None,
    tools: Iterable[str] = (),
) -> MessageEntry:
    """Return what was asked.

    Parameters
    ----------
    n, at, chat, parent
        When, in which chat, and after which message.
    text, attached
        The question, and the places of its pictures and files.
    context
        All turns that were sent before it, oldest first, where they are not the path of *parent*.
    cell
        ``[cell id or "", k-th ask of the execution, hash of the source]``, if a cell asked.
    after
        The id of the cell after which it was sent, if that was outside cells; "" above all of them.
    by_code
        Whether the Python of a cell asked.
    hand
        What was clicked for it: by the key of each setting, what the page gave, and what was clicked; not given if that
        is what its settings have beyond those of the turn before it, and beyond *set_*.
    set_, options
        What cells had set then, and the settings of this ask alone.
    tools
        The ids of the tools that were offered.

    Raises
    ------
    SnapshotError
        If the text is larger than a message may be.
    """
    entry: MessageEntry = {
        "kind": "message", "n": n, "at": at, "chat": chat, "role": "user", "content": [*_content(text), *attached],
    }  # fmt: skip
    if parent:
        entry["parent"] = parent
    if context is not None:
        entry["context"] = list(context)
    if cell:
        entry["cell"] = list(cell)
    if after is not None:
        entry["after"] = after
    if by_code:
        entry["by"] = "code"
    if hand is not None:
        entry["hand"] = {}
        put(entry, "hand", hand)
    put(entry, "set", set_ or {})
    put(entry, "options", options or {})
    if offered := list(tools):
        entry["tools"] = offered
    return entry


def assistant_message(
    *,
    n: int,
    at: str,
    chat: str,
    parent: str,
    text: str,
    config: str,
    model: str,
    finish_reason: FinishReason,
    usage: Usage | None,
    reasoning: str = "",
) -> MessageEntry:
    """Return what was answered, by whom, and how it ended; raises as `user_message` does.

    Of the *reasoning*, what the model thought before it, only so much is recorded as a message may have with its text.
    """
    entry: MessageEntry = {
        "kind": "message", "n": n, "at": at, "chat": chat, "role": "assistant", "parent": parent,
        "content": [*_content(text)], "finish_reason": finish_reason,
    }  # fmt: skip
    if config:
        entry["config"] = config
    if model:
        entry["model"] = model
    if usage:
        entry["usage"] = usage_counts(usage)
    if reasoning:
        room = max(MAX_MESSAGE_BYTES - len(text.encode()), 0)
        entry["reasoning"] = to_lines(clean(reasoning).encode()[:room].decode(errors="ignore"))
    return entry


def usage_counts(usage: Usage) -> dict[str, int]:
    """Return counts as an entry holds them: of the first two, one that was not reported is not there."""
    counts = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
    return {**usage.more, **{name: count for name, count in counts.items() if count or not usage.at_least}}


def usage_of(counts: Mapping[str, int]) -> Usage:
    """Return the counts of an entry."""
    names = ("input_tokens", "output_tokens")
    return Usage(
        input_tokens=counts.get("input_tokens", 0),
        output_tokens=counts.get("output_tokens", 0),
        more={name: count for name, count in counts.items() if name not in names},
        at_least=any(name not in counts for name in names),
    )


def _content(text: str) -> list[str]:
    text = clean(text)
    check_message_size(text)
    return to_lines(text)


def active_entry(*, n: int, at: str, chat: str | None, by_hand: bool = False) -> ActiveEntry:
    """Return the entry that makes the session, and this chat in it, the active ones; *by_hand*: it was clicked."""
    entry: ActiveEntry = {"kind": "active", "n": n, "at": at}
    if chat:
        entry["chat"] = chat
    if by_hand:
        entry["by"] = "hand"
    return entry


def head_entry(*, n: int, at: str, chat: str, message: str | None, context: Iterable[str] | None = None) -> HeadEntry:
    """Return the entry that ends the chat's path at this message; at none, the path is empty.

    With *context*, these turns stand before the message, and not what it followed.
    """
    entry: HeadEntry = {"kind": "head", "n": n, "at": at, "chat": chat}
    if message:
        entry["message"] = message
    if context is not None:
        entry["context"] = list(context)
    return entry


def effects_entry(
    *, n: int, at: str, cell: str | None, source: str, ops: Iterable[Mapping[str, Any]], also: Iterable[str] = ()
) -> EffectsEntry:
    """Return what a cell did when it ran last.

    Parameters
    ----------
    n, at
        When.
    cell, source
        The id of the cell, if it has one that lasts, and the hash of its source.
    ops
        What it did, in order (see docs/format.md).
    also
        The ids that it had before.
    """
    did = [dict(op) for op in ops]
    entry: EffectsEntry = {"kind": "effects", "n": n, "at": at, "cell": [cell or "", source], "ops": did}
    if former := list(also):
        entry["also"] = former
    return entry


def accept_entry(*, n: int, at: str, turn: str, context: Iterable[str], config: str) -> AcceptEntry:
    """Return the entry that lets a turn stand for another request, too: after these turns, with these settings."""
    return {"kind": "accept", "n": n, "at": at, "turn": turn, "context": list(context), "config": config}


def outside_entry(
    *,
    n: int,
    at: str,
    chat: str,
    op: Literal["drop", "put", "clear"],
    after: str | None = None,
    context: Iterable[str] = (),
    turns: Iterable[str] = (),
) -> OutsideEntry:
    """Return what was done to a chat outside cells.

    Parameters
    ----------
    n, at, chat
        When, and to which chat.
    op
        ``drop`` takes turns out of memory, ``put`` puts them at its end, ``clear`` begins anew.
    after
        The id of the last cell that had done something to the chat.
    context
        The turns that the chat remembered then: if the cell is gone, it stands after the nearest that is left.
    turns
        Which turns.
    """
    entry: OutsideEntry = {"kind": "outside", "n": n, "at": at, "chat": chat, "op": op}
    if after:
        entry["after"] = after
    if said := list(context):
        entry["context"] = said
    if which := list(turns):
        entry["turns"] = which
    return entry


def summary_entry(
    *,
    n: int,
    at: str,
    chat: str,
    turns: Iterable[str],
    text: str,
    config: str,
    asked: str = "",
    model: str = "",
    usage: Usage | None = None,
) -> SummaryEntry:
    """Return what a model made of the beginning of a chat.

    Parameters
    ----------
    n, at, chat
        When, and of which chat.
    turns
        The turns that it sums up, oldest first: all of them, so that whoever purges one finds it.
    text
        The summary.
    config
        The id of the settings that it was asked with.
    asked
        What the user has asked of it.
    model, usage
        Who wrote it, and the tokens.

    Raises
    ------
    SnapshotError
        If the text is larger than a message may be.
    """
    entry: SummaryEntry = {
        "kind": "summary", "n": n, "at": at, "chat": chat, "turns": list(turns), "content": _content(text),
        "config": config,
    }  # fmt: skip
    if asked:
        entry["asked"] = _content(asked)
    if model:
        entry["model"] = model
    if usage:
        entry["usage"] = usage_counts(usage)
    return entry


def set_entry(
    *, n: int, at: str, chat: str | None, key: str, value: str | None, by: tuple[str | None, int, str] | None = None
) -> SetEntry | OptionEntry:
    """Return the entry that sets a property of a chat, or of the session (no *chat*); without a value, unsets it.

    *by* is the cell that says so, as messages have it: its id, how many asks it had made, the hash of its source.
    """
    if chat and is_option(key, value or ""):
        option: OptionEntry = {"kind": "option", "n": n, "at": at, "chat": chat, "key": key}
        if value is not None:
            option["value"] = value
        return option
    entry: SetEntry = {"kind": "set", "n": n, "at": at, "key": key}
    if chat:
        entry["chat"] = chat
    if value is not None:
        entry["value"] = value
    if by:
        entry["cell"] = [by[0] or "", by[1], by[2]]
    return entry


def before_entry(*, turn: str, says: str) -> BeforeEntry:
    """Return the entry that tells what all says that was sent before a turn, where not all of it is here."""
    return {"kind": "before", "turn": turn, "says": says}


def missing_entry() -> PurgedEntry:
    """Return what stands in the place of a message that others follow, and that is nowhere."""
    return {"kind": "purged", "missing": 1}
