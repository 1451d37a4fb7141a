"""Finding words again, in every branch of every chat."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from robota_nb.core.record.entries import to_text
from robota_nb.core.record.kinds import is_message
from robota_nb.core.record.names import Names
from robota_nb.core.rules.provenance import is_foreign

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from robota_nb.core.record.fold import SessionState
    from robota_nb.core.record.nodes import Node, Path, Trail
    from robota_nb.core.record.types import Entry
    from robota_nb.core.record.view import SessionView

_BEFORE, _AFTER = 24, 48
"""How many characters are shown before and from the place where a text was found."""


class Found(NamedTuple):
    """A turn that holds the words: the chat it was found in, its place on that chat's path, from 1, and the text."""

    chat: str
    node: Node
    number: int | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A turn that holds the words, with what tells a person where it is, and whether it still counts there.

    Parameters
    ----------
    notebook
        The place of the notebook it is in; empty for the one that is open.
    session, chat
        The names,
    session_id, chat_id
        and the ids.
    number
        Its place on the chat's path, from 1; None if it is not there, as after an undo.
    turn
        Its id.
    at
        When it was answered, as snapshots carry it.
    used
        When the chat was used last.
    deleted
        Whether the chat or its session was deleted.
    foreign
        Whether somebody else wrote it.
    text
        The question or the answer that holds the words.
    wanted
        The words, folded.
    """

    notebook: str
    session: str
    session_id: str
    chat: str
    chat_id: str
    number: int | None
    turn: str
    at: str
    used: str
    deleted: bool
    foreign: bool
    text: str
    wanted: str

    @property
    def excerpt(self) -> str:
        """The words, and what stands around them, on one line."""
        at, size = folded(self.text).find(self.wanted), len(self.text)
        if len(folded(self.text[:at])) != at:  # a text may be longer or shorter when it is folded
            at = bisect_right(range(size + 1), at, key=lambda end: len(folded(self.text[:end]))) - 1
        first, last = max(at - _BEFORE, 0), at + max(_AFTER, len(self.wanted))
        line = " ".join(self.text[first:last].split())
        return f"{'…' if first else ''}{line}{'…' if last < size else ''}"


def folded(text: str) -> str:
    """Return a text as it is compared: its case does not count, nor how its letters and accents are put together."""
    return unicodedata.normalize("NFC", text.casefold())


def holds(entries: Iterable[Entry], text: str) -> bool:
    """Say whether any message among *entries*, which nobody may have checked yet, holds a text."""
    wanted = folded(text)
    contents = (entry.get("content") for entry in entries if is_message(entry))
    return any(wanted in folded(to_text(content)) for content in contents if isinstance(content, list))


def search(
    record: SessionState, chats: Sequence[str], text: str, path_of: Callable[[str], Path] | None = None
) -> list[Found]:
    """Return the turns of these *chats* whose question or answer holds a text, oldest first, in whatever case.

    Parameters
    ----------
    record
        The session's.
    chats
        The ids of the chats.
    text
        What is looked for.
    path_of
        Returns the turns that a chat remembers; by default those of the record.
    """
    wanted = folded(text)
    found: dict[str, Found] = {}
    seen, searched = set[str](), set(chats)
    passed: set[Trail] = set()
    for chat in chats:
        path = (path_of or record.chat_path)(chat)
        on_path = list(takewhile(lambda trail: trail not in passed, path.trail.back()))
        passed.update(on_path)
        begun = [trail.node for trail in on_path if trail.node.chat not in searched]  # what a fork began with
        for node in [*record.turns_of(chat), *begun]:
            if node.id not in seen and (holding := _holding(record, node, wanted)) is not None:
                found[node.id] = Found(chat, node, path.place(node) or None, holding)
            seen.add(node.id)
    return sorted(found.values(), key=lambda one: one.node.stamp)


def _holding(record: SessionState, node: Node, wanted: str) -> str | None:
    """Return the text of a turn that holds the words."""
    return next((text for eid in (node.user, node.id) if wanted in folded(text := record.text(eid))), None)


def matches_here(view: SessionView, text: str, foreign: AbstractSet[str] = frozenset()) -> list[Match]:
    """Return the turns of a session of this kernel that hold a text; raises nothing, as `search` does.

    Parameters
    ----------
    view
        The session.
    text
        What is looked for.
    foreign
        The ids of the entries that somebody else wrote.
    """
    record = view.record
    names = {chat: view.chat_name(chat) for chat in record.chats}
    deleted = {chat for chat in record.chats if view.deleted or not view.has(chat)}
    return _matches(record, text, _Shown("", view.name, names, deleted, view.path), foreign)


def matches_in(record: SessionState, text: str, notebook: str, foreign: AbstractSet[str] = frozenset()) -> list[Match]:
    """Return the turns of a session that hold a text, as its entries alone say; the rest as of `matches_here`.

    Parameters
    ----------
    record
        The session's.
    text
        What is looked for.
    notebook
        The place of the notebook it is in.
    foreign
        The ids of the entries that somebody else wrote.
    """
    deleted = {chat.id for chat in record.chats.values() if record.deleted or chat.deleted}
    names = {chat.id: chat.name for chat in record.chats_by_age()}
    names |= Names({chat.id: chat.names for chat in record.live_chats()}).shown
    return _matches(record, text, _Shown(notebook, record.name, names, deleted, record.chat_path), foreign)


class _Shown(NamedTuple):
    """What a session is called, and where it is; its chats, those that were deleted, and what they remember."""

    notebook: str
    session: str
    names: dict[str, str]
    deleted: set[str]
    path_of: Callable[[str], Path]


def _matches(record: SessionState, text: str, shown: _Shown, foreign: AbstractSet[str]) -> list[Match]:
    ids = [chat.id for chat in record.chats_by_age()]
    found = search(record, [chat for chat in ids if chat not in shown.deleted], text, shown.path_of)
    there = {one.node.id for one in found}  # what a fork has kept was not deleted
    gone = search(record, [chat for chat in ids if chat in shown.deleted], text, shown.path_of)
    found += [one for one in gone if one.node.id not in there]
    wanted = folded(text)
    used = {chat: _time(record, record.chats[chat].last.id) for chat in {one.chat for one in found}}
    return [
        Match(
            notebook=shown.notebook,
            session=shown.session,
            session_id=record.id,
            chat=shown.names[one.chat],
            chat_id=one.chat,
            number=one.number,
            turn=one.node.id,
            at=_time(record, one.node.id),
            used=used[one.chat],
            deleted=one.chat in shown.deleted,
            foreign=is_foreign(foreign, one.node),
            text=one.text,
            wanted=wanted,
        )
        for one in found
    ]


def _time(record: SessionState, eid: str) -> str:
    """Return when an entry was made; empty if it was purged."""
    entry = record.entries.get(eid)
    return entry.get("at", "") if entry else ""


def by_use(matches: Iterable[Match]) -> list[Match]:
    """Return them with the chat first that was used last, and of each chat the newest turn."""
    newest_first = list(matches)[::-1]  # of those that were answered in the same second, too
    return sorted(newest_first, key=lambda match: (match.used, match.notebook, match.chat, match.at), reverse=True)
