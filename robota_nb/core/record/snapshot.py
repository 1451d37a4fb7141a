"""Snapshots: reading what strangers may have written, and the one way to write and to merge them.

Reading checks everything before anything is taken over: caps, types, depth, hashes, references, cycles.
A merge is a set union, so it is commutative, associative and idempotent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from robota_nb.core.record.entries import but_plain, canonical, hashed
from robota_nb.core.record.kinds import (
    KINDS,
    Kind,
    is_entry_id,
    is_key,
    is_n,
    is_session_id,
    is_stub,
    kind_of,
    replaces,
)
from robota_nb.core.record.relations import references, without_dangling
from robota_nb.errors import SnapshotError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from robota_nb.core.record.types import Entries, Entry, Snapshot

KEY = "robota_nb"
"""The key in a notebook's metadata where its snapshot lives, and in an output's where its provenance does."""

MAJOR, MINOR = 1, 1
MAX_ENTRIES = 20_000
MAX_BYTES = 20_000_000
NOTICE_BYTES = 5_000_000
MAX_DEPTH = 8
MAX_INT = 2**53 - 1

_N_OF_ANY, _N_OF_EACH = 2**20, 1000
"""The greatest n of a snapshot is at most the first, and the second for each entry: nobody can use the numbers up."""

_USUAL_KEYS = frozenset(name for kind in KINDS.values() for name in (*kind.required, *kind.optional))

MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""From major N to N + 1; append-only."""


class NewerFormat(SnapshotError):
    """A snapshot of a later major format: it can be kept, not read."""


def dump(sessions: Entries) -> Snapshot:
    """Return the snapshot of these sessions as it stands in a notebook's metadata."""
    return {
        "format": {"major": MAJOR, "minor": MINOR},
        "sessions": {sid: dict(entries) for sid, entries in sessions.items()},
    }


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
        raise SnapshotError(f"expected an object, found {_json_type(value)}", at=KEY)
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
        raise SnapshotError(f"expected an object, found {_json_type(sessions)}", at="sessions")
    budget = MAX_BYTES
    for sid, entries in sessions.items():
        if not is_session_id(sid):
            raise SnapshotError("not a session id", at=f"sessions.{_quoted(sid)}")
        budget -= len(sid) + check_entries(entries, f"sessions.{sid}", budget)
    _check_greatest_n(sessions)
    return sessions


def check_entry(sid: str, eid: str, entry: object) -> None:
    """Check one entry by itself, and the id of its session; raises as `check_sessions` does."""
    if not is_session_id(sid):
        raise SnapshotError("not a session id", at=f"sessions.{_quoted(sid)}")
    _check_entry(eid, entry, f"sessions.{sid}")


def check_together(sid: str, entries: Mapping[str, Entry]) -> None:
    """Check what entries are to each other, as far as they are here; raises as `parse` does."""
    _check_greatest_n({sid: entries})
    _check_references(without_dangling(entries), f"sessions.{sid}")


def check_entries(entries: object, at: str, budget: int = MAX_BYTES) -> int:
    """Check entries one by one (not what they refer to), and return their size in bytes."""
    if not isinstance(entries, dict):
        raise SnapshotError(f"expected an object, found {_json_type(entries)}", at=at)
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
                if eid not in mine or replaces(entry, mine[eid]):
                    mine[eid] = entry
    return union


# -- one entry


def _check_entry(eid: object, entry: object, at: str) -> int:
    if not isinstance(eid, str) or not is_entry_id(eid):
        raise SnapshotError("not an entry id", at=f"{at}.{_quoted(eid)}")
    at = f"{at}.{eid}"
    if not isinstance(entry, dict):
        raise SnapshotError(f"expected an object, found {_json_type(entry)}", at=at)
    _check_json(entry, at, 1)
    try:
        text = canonical(entry)
    except UnicodeEncodeError:
        raise SnapshotError("not well-formed Unicode (a lone surrogate)", at=at) from None
    if not is_stub(entry) and hashed(text) != eid:
        raise SnapshotError("the entry was altered: its id is not the hash of its text", at=at)
    if not isinstance(entry.get("kind"), str):
        raise SnapshotError("the entry has no kind", at=at)
    if not is_n(entry.get("n", 1)):  # of whatever kind it is: it is counted with the others
        raise SnapshotError("the n of the entry is not what it must be", at=at)
    _check_fields(entry, kind_of(entry), at)
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
        before: object = object()
        for item in but_plain(value):
            if item is not before:  # the reader has made equal ones the same: see `json_reader.decode`
                _check_json(item, at, depth + 1)
            before = item
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in _USUAL_KEYS and not is_key(key):
                raise SnapshotError(f"{_quoted(key)} is not a key of this format", at=at)
            if type(item) is not str:  # which most are
                _check_json(item, at, depth + 1)
    else:
        raise SnapshotError(f"{_json_type(value)} is not part of this format", at=at)


def _check_fields(entry: Entry, kind: Kind, at: str) -> None:
    for name, value in kind.required.items():
        if name not in entry:
            raise SnapshotError(f"the {kind.name} has no {name}", at=at)
        if not value.check(entry[name]):
            raise SnapshotError(f"the {name} of the {kind.name} is not what it must be", at=at)
    for name, value in kind.optional.items():
        if name in entry and not value.check(entry[name]):
            raise SnapshotError(f"the {name} of the {kind.name} is not what it must be", at=at)
    if fault := kind.fault(entry):
        raise SnapshotError(fault, at=at)


# -- entries together


def _check_greatest_n(sessions: Entries) -> None:
    count = sum(map(len, sessions.values()))
    greatest = max((entry.get("n", 0) for entries in sessions.values() for entry in entries.values()), default=0)
    if greatest > _N_OF_ANY + _N_OF_EACH * count:
        raise SnapshotError(f"an n of {greatest:,} cannot be among {count:,} entries", at="sessions")


def _check_references(entries: Mapping[str, Entry], at: str) -> None:
    for eid, entry in entries.items():
        for link in references(entry):
            target = entries.get(link.target)
            if target is None:
                raise SnapshotError(f"the {link.name} {_quoted(link.target)} is missing", at=f"{at}.{eid}")
            if kind_of(target).name != link.kind and not is_stub(target):
                raise SnapshotError(f"the {link.name} {link.target} is no such thing", at=f"{at}.{eid}")
    # Hashes rule out circles, but the id of a stub is no hash.
    _check_acyclic(entries, (eid for eid, entry in entries.items() if is_stub(entry)), at)


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
    return ascii(key[:40]) if isinstance(key, str) else _json_type(key)


def _json_type(value: object) -> str:
    names = {
        dict: "an object",
        list: "a list",
        str: "text",
        type(None): "nothing",
        float: "a fraction",
        bool: "a truth value",
    }
    return names.get(type(value), "a number" if isinstance(value, int) else type(value).__name__)
