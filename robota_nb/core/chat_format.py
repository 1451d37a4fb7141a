"""A chat as a text of its own: as JSON with all of its branches, or as Markdown for people.

JSON is a snapshot (docs/format.md) of what the chat needs, so reading it is a merge. In Markdown each message stands
below a comment that says how long it is: whatever is in it, fences and headings too, it is read back as it was.
What only people read, such as the headings, is skipped.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from robota_nb.core.events import EntriesAdded
from robota_nb.core.inside import ledger_of, runtime_of, view_of
from robota_nb.core.interrupts import deferred
from robota_nb.core.ports import Besides, FinishReason, Source, Usage
from robota_nb.core.record import entries as make
from robota_nb.core.record import snapshot
from robota_nb.core.record.besides import checked, put_besides
from robota_nb.core.record.config import chosen, settings_from
from robota_nb.core.record.json_reader import check_unambiguous, decode
from robota_nb.core.record.kinds import CHAT, kind_of
from robota_nb.core.record.relations import export_of
from robota_nb.core.record.text import count
from robota_nb.core.rules.history import is_purged
from robota_nb.errors import SnapshotError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from robota_nb.core.chat import Chat
    from robota_nb.core.ledger import Ledger
    from robota_nb.core.ports import Entry
    from robota_nb.core.record.view import SessionView
    from robota_nb.core.session import Session
    from robota_nb.core.turn import Turn

MAX_BYTES = 50_000_000
"""A larger file is not read."""

_MARK = re.compile(r"^<!-- robota_nb (?P<what>chat|user|assistant) (?P<said>\{.*\}) -->\n", re.MULTILINE)
_MAX_LINE = 200


# -- JSON


def to_json(chat: Chat) -> str:
    """Return a chat with its branches, pictures and settings, and what a fork started from, as a snapshot's text."""
    view = view_of(chat)
    with runtime_of(chat).lock:
        whole: dict[str, Entry] = {**view.record.entries.copy(), **_waiting(view)}
    return json.dumps(snapshot.dump({view.id: export_of(whole, chat.id)}), ensure_ascii=False, indent=1) + "\n"


def _waiting(view: SessionView) -> dict[str, Entry]:
    """Return what waits to be written, always in the same words: as if it had been said with what was said last."""
    entries = view.record.entries.values()
    times = (entry.get("at") for entry in entries)
    n, at = view.record.n + 1, max((at for at in times if isinstance(at, str)), default="")
    built = [build(n=number, at=at) for number, build in enumerate(view.waiting(), n)]
    return {make.entry_id(entry): entry for entry in built}


def is_export(data: bytes, suffix: str) -> bool:
    """Say whether a file's content was exported, so that a new export may take its place."""
    if suffix == ".md":
        return data.removeprefix(b"\xef\xbb\xbf").startswith(b"<!-- robota_nb chat {")
    try:
        return bool(snapshot.parse(json.loads(data)))
    except (ValueError, RecursionError):
        return False


def exported(entries: Mapping[str, Entry]) -> str | None:
    """Return the id of the chat that a session's entries were exported for: the newest, what it forked comes before."""
    chats = {entry["chat"]: entry["n"] for entry in entries.values() if kind_of(entry) is CHAT}
    return max(chats, key=chats.__getitem__, default=None)


def from_json(text: str, name: str) -> dict[str, dict[str, Entry]]:
    """Read what `to_json` has written; *name* is the file's, for the error.

    Raises
    ------
    SnapshotError
        If it is nothing of the kind, or damaged.
    """
    try:
        value, is_ambiguous = decode(text)
    except (ValueError, RecursionError):
        raise SnapshotError(f"{name} is not JSON", hint="file.exported") from None
    if is_ambiguous:
        check_unambiguous(value, name)
    return snapshot.parse(value)


# -- Markdown


def to_markdown(chat: Chat) -> str:
    """Return what a chat remembers as Markdown; pictures and files are left out, and named."""
    said = {key: value for key, value in chat.config.settings().items() if key != "system"}
    settings = _line(", ".join(f"{key} = {value}" for key, value in said.items()))
    head = _mark("chat", {"name": chat.name, "settings": chat.config.settings()})
    parts = [f"{head}# {_line(chat.name)}\n\n{settings}\n"]
    for turn in chat.turns:
        along = {"pictures": len(turn.prompt.images), "files": [file.name for file in turn.prompt.files]}
        parts += [_message("You", "user", turn.prompt.content, along)]
        title = " · ".join(part for part in ("Model", turn.model, turn.finish_reason) if part)
        parts += [_message(title, "assistant", turn.text, _ending(turn)), _listed(turn)]
    return "".join(parts)


def _listed(turn: Turn) -> str:
    """Return the sources of an answer for people to read."""
    names = (" ".join(part for part in (_line(source.title), source.url) if part) for source in turn.sources)
    items = "".join(f"{number}. {name}\n" for number, name in enumerate(names, 1))
    return f"\nSources:\n\n{items}" if items else ""


def _message(title: str, role: str, text: str, more: Mapping[str, Any]) -> str:
    notes = {key: value for key, value in more.items() if value}
    along = [count(notes["pictures"], "picture")] if "pictures" in notes else []
    along += [_line(name) for name in notes.get("files", ())]
    left_out = f"\n({', '.join(along)})\n" if along else ""
    return f"\n## {_line(title)}\n{left_out}\n{_mark(role, {'characters': len(text), **notes})}{text}\n"


def _line(text: str) -> str:
    """Return a text for people as one line that Markdown and HTML leave alone."""
    seen = "".join(char if char.isprintable() else " " for char in text[:_MAX_LINE])
    return re.sub(r"([\\`*\[\]<>&|$~])", r"\\\1", seen)


def _ending(turn: Turn) -> dict[str, Any]:
    usage = turn.usage and [turn.usage.input_tokens, turn.usage.output_tokens]
    return {
        "model": turn.model, "finish_reason": turn.finish_reason, "usage": usage, "pictures": len(turn.images),
        "sources": [[source.title, source.url] for source in turn.sources], "refused": turn.besides.refused,
    }  # fmt: skip


def _mark(what: str, said: Mapping[str, Any]) -> str:
    return f"<!-- robota_nb {what} {json.dumps(said).replace('>', chr(92) + 'u003e')} -->\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """What a Markdown file holds: a name, settings, and (prompt, answer, how it ended) for each turn."""

    name: str
    settings: Mapping[str, str]
    turns: list[tuple[str, str, Mapping[str, Any]]]


def from_markdown(text: str, name: str) -> Talk:
    """Read what `to_markdown` has written; *name* is the file's, for the error.

    Raises
    ------
    SnapshotError
        If it is nothing of the kind, or was edited.
    """
    if (first := text.find("\n")) > 0 and text[first - 1] == "\r":  # its line breaks were changed on the way
        text = text.replace("\r\n", "\n")
    head = _MARK.match(text)
    if head is None or head["what"] != "chat":
        raise SnapshotError(f"{name} is no chat", hint="file.exported")
    said = _said(head, name)
    messages = list(_messages(text, head.end(), name))
    roles = [role for role, _, _ in messages]
    if roles != ["user", "assistant"] * (len(roles) // 2):
        raise SnapshotError(f"{name} was edited: questions and answers do not take turns; export it again")
    pairs = zip(messages[::2], messages[1::2], strict=True)
    settings = said.get("settings")
    return Talk(
        name=make.check_name(str(said.get("name", "")), "chat"),
        settings=settings_from(settings, recorded=True) if isinstance(settings, dict) else {},
        turns=[(asked, answered, ending) for (_, asked, _), (_, answered, ending) in pairs],
    )


def _messages(text: str, at: int, name: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    while mark := _MARK.search(text, at):
        said = _said(mark, name)
        length, start = said.get("characters"), mark.end()
        if type(length) is not int or length < 0 or text[start + length : start + length + 1] != "\n":
            raise SnapshotError(f"{name} was edited: a message is not as long as it says; export it again")
        make.check_message_size(text[start : start + length])
        yield mark["what"], text[start : start + length], said
        at = start + length + 1


def _said(mark: re.Match[str], name: str) -> dict[str, Any]:
    try:
        said = json.loads(mark["said"])
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise SnapshotError(f"{name} was edited: a comment of robota_nb cannot be read; export it again")
    return said


def add(session: Session, talk: Talk) -> tuple[Chat, bool]:
    """Add a chat with these turns, unless one of that name has them; return it, and whether it is new.

    Raises
    ------
    DuplicateName
        If there is another chat of that name.
    """
    ledger, view = ledger_of(session), view_of(session)
    runtime = ledger.runtime
    with runtime.lock, deferred():  # all of it or nothing
        if found := _found(session, talk):
            return session.chat(found), False
        config = ledger.default_config().with_settings(chosen(talk.settings))
        chat = ledger.begin_chat(view, talk.name, config)
        new = _messages_of(ledger, view, chat, talk)
        # Taken over, not made here: nobody was asked.
        ledger.adopt({view.id: new}, view.user_id)
        runtime.emit(EntriesAdded(session=view.id, entries=new))
        return session.chat(chat), True


def _messages_of(ledger: Ledger, view: SessionView, chat: str, talk: Talk) -> dict[str, Entry]:
    place = None
    new: dict[str, Entry] = {}
    config, configs = view.config_entry(view.config(chat))
    n, at = ledger.next_n(), ledger.runtime.now()
    for asked, answered, ending in talk.turns:
        user = make.user_message(n=n, at=at, chat=chat, parent=place, text=asked)
        asked_id = make.entry_id(user)
        answer = make.assistant_message(
            n=n + 1, at=at, chat=chat, parent=asked_id, text=answered, config=config,
            model=make.clean(str(ending.get("model", "")))[:_MAX_LINE],
            finish_reason=_reason(ending), usage=_usage(ending),
        )  # fmt: skip
        put_besides(answer, _besides(ending))
        place, n = make.entry_id(answer), n + 2
        new |= {asked_id: user, place: answer}
    return {**configs, **new}


def _found(session: Session, talk: Talk) -> str | None:
    """Return the chat of that name that holds these turns; one that was deleted comes back."""
    view = view_of(session)
    found = view.find(talk.name)
    if found and _holds(view, found, talk):
        return found
    for chat in () if found else view.record.chats_by_age():
        same = make.fold_name(chat.name) == make.fold_name(talk.name)
        if same and not view.has(chat.id) and _holds(view, chat.id, talk):
            return session.bring_back(chat.id)
    return None


def _holds(view: SessionView, chat: str, talk: Talk) -> bool:
    """Say whether these turns stand in a chat, one after the other from its start."""
    record, places = view.record, {view.base(chat)}
    for asked, answered, _ in talk.turns:
        wanted = make.clean(asked), make.clean(answered)
        places = {
            node.id
            for place in places
            for node in record.children(chat, place)
            if (record.text(node.user), record.text(node.id)) == wanted or is_purged(view, node)
        }
    return bool(places)


def _reason(ending: Mapping[str, Any]) -> FinishReason:
    known: tuple[FinishReason, ...] = get_args(FinishReason)
    return next((reason for reason in known if reason == ending.get("finish_reason")), "unknown")


def _besides(ending: Mapping[str, Any]) -> Besides:
    said = ending.get("sources")
    pairs = [pair for pair in said if isinstance(pair, list)] if isinstance(said, list) else []
    sources = [Source(title=str(title), url=str(url)) for title, url, *_ in (pair for pair in pairs if len(pair) > 1)]
    return checked(Besides(sources=tuple(sources), refused=ending.get("refused") is True))


def _usage(ending: Mapping[str, Any]) -> Usage | None:
    counts = ending.get("usage")
    if isinstance(counts, list) and len(counts) == 2 and all(type(n) is int and 0 <= n < 2**53 for n in counts):  # noqa: PLR2004 - in and out
        return Usage(input_tokens=counts[0], output_tokens=counts[1])
    return None
