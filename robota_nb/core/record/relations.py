"""What entries have to do with each other: which refer to which, and which come and go together."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from robota_nb.core.record.entries import before_entry, entry_id, missing_entry
from robota_nb.core.record.kinds import (
    MESSAGE,
    MISSING,
    UNKNOWN,
    Export,
    Kind,
    Link,
    Purge,
    added,
    is_digest,
    is_message,
    is_stub,
    kind_of,
    purged_stub,
    replaces,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from robota_nb.core.record.types import Entry, PurgedEntry

_ID = re.compile(r"[ce]_[0-9a-f]{32}")

_NOT_SAID = frozenset({"deleted", "state"})
"""Properties of a chat or session that are no part of what was said in it."""


def references(entry: Entry) -> Iterator[Link]:
    """Yield the references of an entry of a known kind: what they lead to must be there."""
    kind = kind_of(entry)
    for name, leads_to in kind.links:
        if name in entry:
            yield Link(name, entry[name], leads_to)
    yield from kind.more_links(entry)


def named(entry: Entry) -> set[str]:
    """Return the ids of the entries that an entry names, whether or not they must be there.

    Of an unknown kind, and of one that a later minor format has brought, those of all entries and chats in it.
    """
    kind = kind_of(entry)
    if kind is UNKNOWN or kind.minor:
        return set(_ids_in(entry))
    more = {eid for name in kind.added for eid in _ids_in(added(entry, name))}
    return {link.target for link in references(entry)} | more


def _ids_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        if _ID.fullmatch(value):
            yield value
    elif isinstance(value, list):
        for item in value:
            yield from _ids_in(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _ids_in(key)
            yield from _ids_in(item)


def without_dangling(entries: Mapping[str, Entry]) -> dict[str, Entry]:
    """Return the entries but for those that refer, directly or through others, to one that is missing."""
    referring = defaultdict[str, list[str]](list)
    for eid, entry in entries.items():
        for link in references(entry):
            referring[link.target].append(eid)
    whole, missing = dict(entries), [target for target in referring if target not in entries]
    while missing:
        missing += [eid for eid in referring.get(missing.pop(), ()) if whole.pop(eid, None) is not None]
    return whole


def lacking_in(entries: Mapping[str, Entry], present: Mapping[str, Entry]) -> dict[str, Entry]:
    """Return those of the entries that are not *present*, or that replace what stands there under their ids."""
    return {
        eid: entry
        for eid, entry in entries.items()
        if eid not in present or (is_stub(entry) and replaces(entry, present[eid]))
    }


def with_missing(entries: Mapping[str, Entry], said: Mapping[str, object]) -> dict[str, Entry]:
    """Return the entries with stubs in the place of those messages that others follow, and that are not among them.

    Parameters
    ----------
    entries
        Those of a session, as they were found in several places of which others are gone.
    said
        By the id of a turn, a digest of what was said before it: of the turns for which that is not among them, it is
        kept, so that they are found as the answers that they are.
    """
    whole = dict(entries)
    for entry in entries.values():
        for link in references(entry):
            if link.kind == MESSAGE.name and not kind_of(entry).is_pointer:
                whole.setdefault(link.target, missing_entry())
    for turn, digest in said.items():
        question = next((entries[eid] for eid in turn_of(entries, turn) if entries[eid].get("role") == "user"), {})
        if is_message(question) and is_digest(digest):
            before = added(question, "context") or [question.get("parent")]
            if any(eid not in entries for eid in before if eid is not None):
                entry = before_entry(turn=turn, says=digest)
                whole[entry_id(entry)] = entry
    return whole


def missing_of(entries: Mapping[str, Entry]) -> set[str]:
    """Return the ids of the messages that others follow, and that are nowhere."""
    sent = {eid for entry in entries.values() if is_message(entry) for eid in added(entry, "context") or ()}
    return {eid for eid, entry in entries.items() if kind_of(entry) is MISSING} | (sent - entries.keys())


def turn_of(entries: Mapping[str, Entry], answer: str) -> set[str]:
    """Return the ids of the messages of a turn: its answer, back to its question; none if they are not here."""
    said, here = {answer}, entries.get(answer)
    while here is not None and here.get("role") != "user":
        parent = here.get("parent", "")
        if parent in said:
            return set()
        said.add(parent)
        here = entries.get(parent)
    return said if here is not None else set()


def reached(entries: Mapping[str, Entry], start: Iterable[str], through: Callable[[Kind], bool]) -> set[str]:
    """Return the ids of what the entries *start* refer to, directly or through each other.

    Parameters
    ----------
    entries
        All that there are.
    start
        The ids of those to begin with.
    through
        Says for a kind whether its entries are wanted.
    """
    found, left = set[str](), list(start)
    while left:
        wanted = {eid for eid in named(entries[left.pop()]) if eid in entries and through(kind_of(entries[eid]))}
        left += wanted - found
        found |= wanted
    return found


def purge_of(entries: Mapping[str, Entry], question: str) -> dict[str, PurgedEntry]:
    """Return the stubs that are to stay when all is removed that a question, and what answers it, have said.

    Parameters
    ----------
    entries
        The entries of the session.
    question
        The id of the question.
    """
    following, telling = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
    for eid, entry in entries.items():
        kind = kind_of(entry)
        if kind.purge is Purge.WITH_ITS_TARGET:
            for target in named(entry):
                telling[target].append(eid)
        elif kind.knows("role") and entry.get("role") != "user" and "parent" in entry:
            following[entry["parent"]].append(eid)
    gone = {question}
    for follows in (following, telling):
        left = list(gone)
        while left:
            new = set(follows.get(left.pop(), ())) - gone
            gone |= new
            left += new
    used = {target for eid, entry in entries.items() if eid not in gone for target in named(entry)}
    gone |= reached(entries, gone, lambda kind: kind.purge is Purge.WHEN_UNUSED) - used
    return {eid: purged_stub(entry) for eid, entry in entries.items() if eid in gone}


def purge_of_chats(entries: Mapping[str, Entry], chats: Collection[str]) -> dict[str, Entry]:
    """Return what is to be added to a record when all is removed that chats have said, and that is said of them.

    That is a stub for each entry that goes, and what stays of one that is about other chats, too. Settings and
    attachments go if nothing that stays refers to them.

    Parameters
    ----------
    entries
        The entries of a session, of these chats or another one: what a cell did in several may be recorded in any.
    chats
        The ids of the chats.
    """
    gone = {eid for eid, entry in entries.items() if entry.get("chat") in chats}
    left = {eid: entry for eid, entry in entries.items() if eid not in gone}
    new = gone
    while new:
        known = gone.union(chats)
        new = {eid for eid, entry in left.items() if not known.isdisjoint(_subjects(entry))}
        gone |= new
        left = {eid: entry for eid, entry in left.items() if eid not in new}
    parts = (kind_of(entries[eid]).rest(entries[eid], chats) for eid in gone)
    rest = {entry_id(part): part for part in parts if part is not None}
    used = {target for entry in (*left.values(), *rest.values()) for target in named(entry)}
    gone |= {eid for eid, entry in left.items() if kind_of(entry).export is Export.WHEN_USED and eid not in used}
    return {**purge_of_all({eid: entries[eid] for eid in gone}), **rest}


def _subjects(entry: Entry) -> Iterable[str]:
    """Return the ids of the chats and entries without which nobody is to know of an entry."""
    kind = kind_of(entry)
    return named(entry) if kind.purge is Purge.WITH_ITS_TARGET else kind.tells_of(entry)


def purge_of_all(entries: Mapping[str, Entry]) -> dict[str, PurgedEntry]:
    """Return the stubs that are to stay of all of these entries."""
    return {eid: purged_stub(entry) for eid, entry in entries.items() if not is_stub(entry)}


def export_of(entries: Mapping[str, Entry], chat: str) -> dict[str, Entry]:
    """Return what a chat needs to be read elsewhere: what is of it, what comes before, and what that refers to.

    Parameters
    ----------
    entries
        The entries of the session.
    chat
        The id of the chat.
    """
    kept = {
        eid
        for eid, entry in entries.items()
        if entry.get("chat") == chat and kind_of(entry).export in (Export.SAID, Export.FRAME)
    }
    kept |= reached(entries, kept, lambda kind: kind.export is Export.SAID)
    chats = {chat, *(entries[eid]["chat"] for eid in kept if "chat" in entries[eid])}
    kept -= {eid for eid in kept if kind_of(entries[eid]).export is Export.FRAME}
    kept |= {eid for eid, entry in entries.items() if _is_frame(entry, chats, chat)}
    kept |= _telling_of(entries, kept | chats)
    kept |= reached(entries, kept, lambda kind: kind.export is Export.WHEN_USED)
    return without_dangling({eid: entry for eid, entry in entries.items() if eid in kept})


def _is_frame(entry: Entry, chats: set[str], exported: str) -> bool:
    """Say whether an entry tells what the session and these chats are."""
    chat = entry.get("chat")
    if kind_of(entry).export is not Export.FRAME or (chat is not None and chat not in chats):
        return False
    return entry.get("key") not in _NOT_SAID or chat not in (None, exported)


def _telling_of(entries: Mapping[str, Entry], known: set[str]) -> set[str]:
    """Return the ids of the entries that tell of these entries and chats, or of each other, and of nothing else."""
    about = {
        eid: {
            target
            for target in named(entry)
            if target not in entries or kind_of(entries[target]).export is not Export.WHEN_USED
        }
        for eid, entry in entries.items()
        if kind_of(entry).export is Export.WITH_ITS_TARGET
    }
    found = set[str]()
    while new := {eid for eid, targets in about.items() if targets and targets <= known | found} - found:
        found |= new
    return found
