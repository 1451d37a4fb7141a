"""Snapshots: reading what strangers may have written, and the one way to write and to merge them.

Reading checks everything before anything is taken over: caps, types, depth, hashes, references, cycles.
A merge is a set union, so it is commutative, associative and idempotent.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from robota_nb.core.record.entries import MAX_MESSAGE_BYTES, MAX_NAME, canonical, hashed, to_text
from robota_nb.errors import SnapshotError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from robota_nb.core.ports import Entries, Entry

KEY = "robota_nb"
"""The key in a notebook's metadata where its snapshot lives, and in an output's where its provenance does."""

MAJOR, MINOR = 1, 0
MAX_ENTRIES = 20_000
MAX_BYTES = 20_000_000
NOTICE_BYTES = 5_000_000
MAX_DEPTH = 8
MAX_INT = 2**53 - 1
MAX_N = 2**48  # of an entry by itself;
MAX_LEAD, LEAD = 2**20, 1000  # and among others n is at most MAX_LEAD + LEAD for each: there is room for the next

_SESSION = re.compile(r"s_[0-9a-f]{32}")
_CHAT = re.compile(r"c_[0-9a-f]{32}")
_ID = re.compile(r"e_[0-9a-f]{32}")
_KEY = re.compile(r"[a-z][a-z0-9_]*")
_NAME = re.compile(rf"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{{1,{MAX_NAME}}}")

MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""From major N to N + 1; append-only."""


class NewerFormat(SnapshotError):
    """A snapshot of a later major format: it can be kept, not read."""


def dump(sessions: Mapping[str, Any]) -> dict[str, Any]:
    """Return the snapshot of these sessions as it stands in a notebook's metadata."""
    return {
        "format": {"major": MAJOR, "minor": MINOR},
        "sessions": {sid: dict(entries) for sid, entries in sessions.items()},
    }


def is_session_id(text: str) -> bool:
    """Say whether a text has the form of a session's id."""
    return _SESSION.fullmatch(text) is not None


def parse(value: object) -> dict[str, dict[str, Entry]]:
    """Check a snapshot and return its entries.

    Parameters
    ----------
    value
        What was found under ``metadata.robota_nb``, decoded from JSON.

    Returns
    -------
    dict
        Session id → entry id → entry; the entries are shared with *value*, and are never changed.

    Raises
    ------
    NewerFormat
        If the snapshot's major format is newer than this package.
    SnapshotError
        If it is no snapshot, is damaged, or is over a cap; ``at`` says where.
    """
    if not isinstance(value, dict):
        raise SnapshotError(f"expected an object, found {_kind(value)}", at=KEY)
    sessions = check_sessions(_migrated(value).get("sessions"))
    for sid, entries in sessions.items():
        _check_references(entries, f"sessions.{sid}")
    return sessions


def check_sessions(sessions: object) -> dict[str, dict[str, Entry]]:
    """Check each entry by itself (not what they refer to), and return the sessions.

    Raises
    ------
    SnapshotError
        If any of it is not what it must be, or over a cap.
    """
    if not isinstance(sessions, dict):
        raise SnapshotError(f"expected an object, found {_kind(sessions)}", at="sessions")
    budget = MAX_BYTES
    for sid, entries in sessions.items():
        if not isinstance(sid, str) or not _SESSION.fullmatch(sid):
            raise SnapshotError("not a session id", at=f"sessions.{_quoted(sid)}")
        budget -= len(sid) + check_entries(entries, f"sessions.{sid}", budget)
    _check_lead(sessions)
    return sessions


def check_entry(sid: str, eid: str, entry: object) -> None:
    """Check one entry by itself, and the id of its session; raises as `check_sessions` does."""
    if not is_session_id(sid):
        raise SnapshotError("not a session id", at=f"sessions.{_quoted(sid)}")
    _check_entry(eid, entry, f"sessions.{sid}")


def check_together(sid: str, entries: Mapping[str, Entry]) -> None:
    """Check what entries are to each other, as far as they are here; raises as `parse` does."""
    _check_lead({sid: entries})
    _check_references(closed(entries), f"sessions.{sid}")


def check_entries(entries: object, at: str, budget: int = MAX_BYTES) -> int:
    """Check entries one by one (not what they refer to), and return their size in bytes."""
    if not isinstance(entries, dict):
        raise SnapshotError(f"expected an object, found {_kind(entries)}", at=at)
    if len(entries) > MAX_ENTRIES:
        raise SnapshotError(f"{len(entries):,} entries are over the cap of {MAX_ENTRIES:,}", at=at)
    size = 0
    for eid, entry in entries.items():
        size += _check_entry(eid, entry, at)
        if size > budget:
            raise SnapshotError(f"the snapshot is over the cap of {MAX_BYTES:,} bytes", at=at)
    return size


def merge(*snapshots: Entries) -> dict[str, dict[str, Entry]]:
    """Return the union of (parsed) snapshots; a purged stub beats its original."""
    union: dict[str, dict[str, Entry]] = {}
    for snapshot in snapshots:
        for sid, entries in snapshot.items():
            mine = union.setdefault(sid, {})
            for eid, entry in entries.items():
                if eid not in mine or beats(entry, mine[eid]):
                    mine[eid] = entry
    return union


def closed(entries: Mapping[str, Entry]) -> dict[str, Entry]:
    """Return the entries that do not refer, directly or through others, to one that is missing."""
    whole = dict(entries)
    while dangling := [eid for eid, entry in whole.items() if any(t not in whole for _, t in references(entry))]:
        for eid in dangling:
            del whole[eid]
    return whole


def beats(entry: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Say whether *entry* replaces *other* under the same id: only a purged stub replaces anything."""
    if entry.get("kind") != "purged":
        return False
    return other.get("kind") != "purged" or canonical(entry) > canonical(other)


# -- one entry


def _check_entry(eid: object, entry: object, at: str) -> int:
    if not isinstance(eid, str) or not _ID.fullmatch(eid):
        raise SnapshotError("not an entry id", at=f"{at}.{_quoted(eid)}")
    at = f"{at}.{eid}"
    if not isinstance(entry, dict):
        raise SnapshotError(f"expected an object, found {_kind(entry)}", at=at)
    _check_json(entry, at, 1)
    try:
        text = canonical(entry)
    except UnicodeEncodeError:
        raise SnapshotError("not well-formed Unicode (a lone surrogate)", at=at) from None
    if entry.get("kind") != "purged" and hashed(text) != eid:
        raise SnapshotError("the entry was altered: its id is not the hash of its text", at=at)
    kind = entry.get("kind")
    if not isinstance(kind, str):
        raise SnapshotError("the entry has no kind", at=at)
    if not _is_n(entry.get("n", 1)):  # of whatever kind it is: it is counted with the others
        raise SnapshotError("the n of the entry is not what it must be", at=at)
    _check_fields(entry, _FIELDS.get(kind, {}), at)
    if kind == "message" and len(to_text(entry["content"]).encode()) > MAX_MESSAGE_BYTES:
        raise SnapshotError(f"a message is over the cap of {MAX_MESSAGE_BYTES:,} bytes", at=at)
    return len(text)


def _check_json(value: object, at: str, depth: int) -> None:
    """Reject what JSON, JavaScript or nbformat would change or choke on."""
    if isinstance(value, str) or value is True or value is False:
        return
    if isinstance(value, int):
        if abs(value) > MAX_INT:
            raise SnapshotError("an integer is beyond 2**53", at=at)
    elif depth > MAX_DEPTH:
        raise SnapshotError(f"nested deeper than {MAX_DEPTH}", at=at)
    elif isinstance(value, list):
        for item in value:
            _check_json(item, at, depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in _KEYS and (not isinstance(key, str) or not _KEY.fullmatch(key)):
                raise SnapshotError(f"{_quoted(key)} is not a key of this format", at=at)
            if type(item) is not str:  # which most are
                _check_json(item, at, depth + 1)
    else:
        raise SnapshotError(f"{_kind(value)} is not part of this format", at=at)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_anything(_: object) -> bool:
    return True


def _is_n(value: object) -> bool:
    return type(value) is int and 0 < value <= MAX_N


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


def _matches(pattern: re.Pattern[str]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_lines(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(line, str) for line in value)


def _is_content(value: object) -> bool:
    """Lines of text, and parts such as ``{"image": "e_…"}``."""
    return isinstance(value, list) and all(isinstance(part, str) or _is_part(part) for part in value)


def _is_part(value: object) -> bool:
    return isinstance(value, dict) and ("image" not in value or _is_entry(value["image"]))


def _is_settings(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


def _is_cell(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 3  # noqa: PLR2004 - [id, k, hash]
        and isinstance(value[0], str)
        and _is_count(value[1])
        and isinstance(value[2], str)
    )


def _is_base(value: object) -> bool:
    return value is None or _is_entry(value)  # unset: a fork that was moved to the start


def _is_usage(value: object) -> bool:
    return isinstance(value, dict) and all(_is_count(count) for count in value.values())


def _is_role(value: object) -> bool:
    return value in ("user", "assistant", "tool")


_is_chat, _is_entry, _is_key, _is_name = _matches(_CHAT), _matches(_ID), _matches(_KEY), _matches(_NAME)
_CLOCK = {"n": _is_n, "at": _is_text}

# kind → field → check; a name that ends in "?" may be absent
_FIELDS: dict[str, dict[str, Callable[[object], bool]]] = {
    "session": {**_CLOCK, "name": _is_name, "config?": _is_entry},
    "config": {"provider?": _is_text, "model?": _is_text, "system?": _is_lines, "params?": _is_settings},
    "chat": {**_CLOCK, "chat": _is_chat, "name": _is_name, "config": _is_entry, "from?": _is_entry},
    "message": {
        **_CLOCK, "chat": _is_chat, "role": _is_role, "content": _is_content, "parent?": _is_entry,
        "cell?": _is_cell, "set?": _is_settings, "options?": _is_settings,
        "config?": _is_entry, "model?": _is_text, "finish_reason?": _is_text, "usage?": _is_usage,
    },
    "active": {**_CLOCK, "chat?": _is_chat},
    "head": {**_CLOCK, "chat": _is_chat, "message?": _is_entry},
    "set": {**_CLOCK, "chat?": _is_chat, "key": _is_key, "value?": _is_text},
    "image": {"media_type": _is_text, "data": _is_lines},
    "purged": {"n?": _is_n, "chat?": _is_chat, "role?": _is_role, "parent?": _is_entry},
}  # fmt: skip
_KEYS = frozenset(name.rstrip("?") for fields in _FIELDS.values() for name in fields)
# Nobody can tell whether a stub's id is genuine: one that said something could put it under another's id.
_SAYING = _KEYS - {"n", "at", "chat", "role", "parent"}

# Of these keys the state makes more than text: a value that cannot be shown or found is no value.
_SET_VALUES = {"name": _is_name, "from": _is_base}

_MESSAGES = frozenset({"message", "purged"})
_TARGETS = {
    "parent": _MESSAGES,
    "message": _MESSAGES,
    "from": _MESSAGES,
    "config": frozenset({"config", "purged"}),
    "image": frozenset({"image", "purged"}),
}
"""Which kinds a reference may lead to."""


def _check_fields(entry: Mapping[str, Any], fields: Mapping[str, Callable[[object], bool]], at: str) -> None:
    for field, check in fields.items():
        name = field.rstrip("?")
        if name not in entry:
            if field != name:
                continue
            raise SnapshotError(f"the {entry['kind']} has no {name}", at=at)
        if not check(entry[name]):
            raise SnapshotError(f"the {name} of the {entry['kind']} is not what it must be", at=at)
    if entry["kind"] == "purged" and (said := sorted(_SAYING & entry.keys())):
        raise SnapshotError(f"a purged entry says nothing, and this one has a {said[0]}", at=at)
    if entry["kind"] == "set" and not _SET_VALUES.get(entry["key"], _is_anything)(entry.get("value")):
        raise SnapshotError(f"the {entry['key']} that is set is not what it must be", at=at)


# -- entries together


def _check_lead(sessions: Entries) -> None:
    count = sum(map(len, sessions.values()))
    greatest = max((entry.get("n", 0) for entries in sessions.values() for entry in entries.values()), default=0)
    if greatest > MAX_LEAD + LEAD * count:
        raise SnapshotError(f"an n of {greatest:,} cannot be among {count:,} entries", at="sessions")


def _check_references(entries: Mapping[str, Entry], at: str) -> None:
    for eid, entry in entries.items():
        for name, target in references(entry):
            if target not in entries:
                raise SnapshotError(f"the {name} {_quoted(target)} is missing", at=f"{at}.{eid}")
            if entries[target]["kind"] not in _TARGETS[name]:
                raise SnapshotError(f"the {name} {target} is no such thing", at=f"{at}.{eid}")
    # Hashes rule out cycles, but the id of a purged stub is no hash.
    _check_acyclic(entries, (eid for eid, entry in entries.items() if entry.get("kind") == "purged"), at)


def references(entry: Entry) -> Iterator[tuple[str, str]]:
    """Yield the references of an entry of a known kind, by what they lead to."""
    fields = _FIELDS.get(entry["kind"], {})
    for name in _TARGETS:
        if name in entry and (name in fields or f"{name}?" in fields):
            yield name, entry[name]
    if entry["kind"] == "set" and entry["key"] == "from" and "value" in entry:
        yield "from", entry["value"]
    if entry["kind"] == "message":
        yield from (
            ("image", part["image"]) for part in entry["content"] if not isinstance(part, str) and "image" in part
        )


def _check_acyclic(entries: Mapping[str, Entry], starts: Iterable[str], at: str) -> None:
    safe: set[str] = set()
    for start in starts:
        walk, here = set[str](), start
        while here and here not in safe:
            if here in walk:
                raise SnapshotError("the messages go in a circle", at=f"{at}.{here}")
            walk.add(here)
            here = entries.get(here, {}).get("parent", "")
        safe |= walk


def _migrated(value: dict[str, Any]) -> dict[str, Any]:
    version = value.get("format")
    major = version.get("major") if isinstance(version, dict) else None
    if type(major) is not int or major < 1:
        raise SnapshotError("no format number: this is not a snapshot", at="format")
    if major > MAJOR:
        raise NewerFormat(
            f"format {major} is newer than this version of robota_nb reads ({MAJOR}): upgrade robota-nb",
            at="format",
        )
    for step in range(major, MAJOR):
        value = MIGRATIONS[step](value)
    return value


def _quoted(key: object) -> str:
    """Return a stranger's key so that it can stand in a message: short, in one line, printable anywhere."""
    return ascii(key[:40]) if isinstance(key, str) else _kind(key)


def _kind(value: object) -> str:
    names = {
        dict: "an object",
        list: "a list",
        str: "text",
        type(None): "nothing",
        float: "a fraction",
        bool: "a truth value",
    }
    return names.get(type(value), "a number" if isinstance(value, int) else type(value).__name__)
