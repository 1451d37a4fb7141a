"""The kinds of entries: one table that says what an entry of each kind holds, and what is done with it.

The reader, the fold, purge, export, the carriers and what people are shown ask this table, and do not know the kinds by
name. So a new kind is a row here, and the code that has a use for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias, TypeGuard, cast

from robota_nb.core.record.config import Config
from robota_nb.core.record.entries import (
    MAX_MESSAGE_BYTES,
    MAX_NAME,
    but_plain,
    canonical,
    missing_entry,
    parts_of,
    to_text,
)
from robota_nb.core.record.options import carried, is_more, is_option

if TYPE_CHECKING:
    from robota_nb.core.record.nodes import Stamp
    from robota_nb.core.record.types import (
        AcceptEntry,
        ActiveEntry,
        BeforeEntry,
        ChatEntry,
        ConfigEntry,
        EffectsEntry,
        Entry,
        HeadEntry,
        MessageEntry,
        OptionEntry,
        OutsideEntry,
        PurgedEntry,
        SessionEntry,
        SetEntry,
        SummaryEntry,
    )

MAX_N = 2**48
"""The greatest n that an entry may have."""
MAX_STEPS, MAX_CALLS = 100, 64
"""How many steps an answer has at most, and how many calls each of them."""

_SESSION = re.compile(r"s_[0-9a-f]{32}")
_CHAT = re.compile(r"c_[0-9a-f]{32}")
_ENTRY = re.compile(r"e_[0-9a-f]{32}")
_KEY = re.compile(r"[a-z][a-z0-9_]*")
_DIGEST = re.compile(r"[0-9a-f]{32}")
_SOURCE = re.compile(r"[0-9a-f]{16}")
_NAME = re.compile(rf"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{{1,{MAX_NAME}}}")


# -- what a field may hold


class Value(NamedTuple):
    """What the value of a field must be."""

    check: Callable[[object], bool]
    leads_to: str = ""
    """If it is the id of another entry: of which kind that must be (or purged)."""


def is_n(value: object) -> bool:
    """Say whether an entry may be numbered so."""
    return type(value) is int and 0 < value <= MAX_N


def is_entry_id(value: object) -> bool:
    """Say whether a value has the form of an entry's id."""
    return isinstance(value, str) and _ENTRY.fullmatch(value) is not None


def is_chat_id(value: object) -> bool:
    """Say whether a value has the form of a chat's id."""
    return isinstance(value, str) and _CHAT.fullmatch(value) is not None


def is_session_id(value: object) -> bool:
    """Say whether a value has the form of a session's id."""
    return isinstance(value, str) and _SESSION.fullmatch(value) is not None


def is_key(value: object) -> bool:
    """Say whether a value may be a key of an object in an entry."""
    return isinstance(value, str) and _KEY.fullmatch(value) is not None


def is_name(value: object) -> bool:
    """Say whether a value may be the name of a session or a chat."""
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def is_digest(value: object) -> TypeGuard[str]:
    """Say whether a value has the form of the digest of what is said."""
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def is_source_hash(value: object) -> TypeGuard[str]:
    """Say whether a value has the form of the hash of a cell's source."""
    return isinstance(value, str) and _SOURCE.fullmatch(value) is not None


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


def _is_lines(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(line, str) for line in but_plain(value))


def _is_content(value: object) -> bool:
    """Lines of text, and parts such as ``{"image": "e_…"}``."""
    return (
        isinstance(value, list)
        and all(issubclass(type_, (str, dict)) for type_ in set(map(type, value)))
        and all(is_entry_id(part["image"]) for part in parts_of(value) if "image" in part)
    )


def is_settings(value: object) -> TypeGuard[dict[str, str]]:
    """Say whether a value is an object whose values are texts."""
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


def _is_usage(value: object) -> bool:
    return isinstance(value, dict) and all(_is_count(count) for count in value.values())


def _is_sources(value: object) -> bool:
    """Objects with a ``title`` and a ``url``, or one of them; and what a later version adds."""
    return isinstance(value, list) and all(
        isinstance(source, dict) and all(_is_text(source.get(key, "")) for key in ("title", "url")) for source in value
    )


def _is_pictures(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, dict) and _is_text(one.get("media_type")) and _is_lines(one.get("data")) for one in value
    )


def _is_call(value: object) -> bool:
    return (
        isinstance(value, dict)
        and all(_is_text(value.get(key)) for key in ("id", "name", "status"))
        and all(_is_text(value.get(key, "")) for key in ("by", "source"))
        and all(_is_lines(value.get(key)) for key in ("arguments", "result"))
    )


def _is_step(value: object) -> bool:
    return (
        isinstance(value, dict)
        and all(_is_lines(value.get(key, [])) for key in ("content", "echo", "problem"))
        and _is_usage(value.get("usage", {}))
        and isinstance(calls := value.get("calls", []), list)
        and len(calls) <= MAX_CALLS
        and all(map(_is_call, calls))
    )


def _is_steps(value: object) -> bool:
    return isinstance(value, list) and len(value) <= MAX_STEPS and all(map(_is_step, value))


def _is_one(value: object) -> bool:
    return type(value) is int and value == 1


def _is_role(value: object) -> bool:
    return value in ("user", "assistant", "tool")


def _is_cell(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 3  # noqa: PLR2004 - [id, k, hash]
        and isinstance(value[0], str)
        and _is_count(value[1])
        and isinstance(value[2], str)
    )


def _is_ids(value: object) -> bool:
    return isinstance(value, list) and all(map(is_entry_id, value))


def is_hand(value: object) -> TypeGuard[dict[str, list[str]]]:
    """Say whether a value has, for the key of each setting, [what the page gave, what was clicked]."""
    return isinstance(value, dict) and all(_is_lines(pair) and len(pair) == 2 for pair in value.values())  # noqa: PLR2004


def _is_ran(value: object) -> bool:
    return _is_lines(value) and len(value) == 2  # type: ignore[arg-type] # noqa: PLR2004 - [id, hash]


def _is_sha256(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[0-9a-f]{64}", value) is not None


def _is_ops(value: object) -> bool:
    """What a cell did; of what a later version adds to it, only which chat or session it is of."""
    if not isinstance(value, list) or not all(isinstance(op, dict) for op in value):
        return False
    sessions = [op["session"] for op in value if "session" in op]
    chats = [op.get("chat") for op in value if "session" not in op]
    return _are_ids(is_session_id, sessions) and _are_ids(is_chat_id, chats)


def _are_ids(check: Callable[[object], bool], values: list[object]) -> bool:
    """Say whether all values have the form of an id: each is looked at once, of what may be 100,000 that are equal."""
    return all(isinstance(value, str) for value in values) and all(map(check, set(values)))


TEXT = Value(_is_text)
ID = Value(is_entry_id)
IDS = Value(_is_ids)
LINES = Value(_is_lines)
COUNT = Value(_is_count)
SETTINGS = Value(is_settings)
NAME = Value(is_name)
KEY = Value(is_key)
ROLE = Value(_is_role)
CHAT_ID = Value(is_chat_id)
DIGEST = Value(is_digest)
TO_MESSAGE = Value(is_entry_id, leads_to="message")
TO_CONFIG = Value(is_entry_id, leads_to="config")
CLOCK: Mapping[str, Value] = MappingProxyType({"n": Value(is_n), "at": TEXT})


# -- what is done with an entry


class Link(NamedTuple):
    """A reference of an entry to another one."""

    name: str
    target: str
    kind: str
    """Which kind the target must be of; or it is purged."""


class Rides(Enum):
    """Which outputs carry an entry, where no front end gives a way to the notebook's metadata."""

    ALWAYS = "every output that carries anything of its session"
    ONCE = "the output that shows its turn; of what no output shows, the next one, and another when that is replaced"
    ALONG = "the outputs that carry an entry which refers to it"
    NEVER = "none: it stands for what was in another output, and is made again where that is missing"


class Purge(Enum):
    """What becomes of an entry when a turn is purged, if it is none of the messages of that turn."""

    STAYS = "it repeats nothing of what was said"
    WITH_ITS_TARGET = "it is purged with any entry that it refers to, as it may repeat what that said"
    WHEN_UNUSED = "it is purged if only purged entries refer to it"


class Export(Enum):
    """When the export of a chat takes an entry along."""

    NEVER = "it says nothing of the chat"
    FRAME = "if it is of the session as a whole, or of a chat of which messages are taken along"
    SAID = "if it is of the chat itself, or a message comes before one that is taken along"
    WHEN_USED = "if an entry that is taken along refers to it"
    WITH_ITS_TARGET = "if all that it refers to is taken along"


class State(Protocol):
    """What entries can do to the state of a session; `robota_nb.core.record.fold.SessionState` is one."""

    def begin_session(self, stamp: Stamp, entry: SessionEntry) -> None:
        """Take over when the session began, its name and its default settings."""

    def begin_chat(self, stamp: Stamp, entry: ChatEntry) -> None:
        """Take over a chat, or what else begins it."""

    def add_message(self, stamp: Stamp, entry: MessageEntry) -> None:
        """Take over a message, and the turn if it is whole now."""

    def add_stub(self, stamp: Stamp, entry: PurgedEntry) -> None:
        """Take over the place of a message that was purged."""

    def point_active(self, stamp: Stamp, entry: ActiveEntry) -> None:
        """Take over which chat is the active one."""

    def point_head(self, stamp: Stamp, entry: HeadEntry) -> None:
        """Take over where a chat's path ends."""

    def set_property(self, stamp: Stamp, entry: SetEntry | OptionEntry) -> None:
        """Take over a property of a chat or of the session."""

    def add_effects(self, stamp: Stamp, entry: EffectsEntry) -> None:
        """Take over what a cell did."""

    def accept(self, stamp: Stamp, entry: AcceptEntry) -> None:
        """Take over that a turn stands for another request, too."""

    def add_outside(self, stamp: Stamp, entry: OutsideEntry) -> None:
        """Take over what was done outside cells."""

    def add_summary(self, stamp: Stamp, entry: SummaryEntry) -> None:
        """Take over what a model made of the beginning of a chat."""

    def add_before(self, entry: BeforeEntry) -> None:
        """Take over what was said before a turn, of which not all is here."""


Apply: TypeAlias = Callable[[State, "Stamp", Any], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A row of the table.

    Parameters
    ----------
    name
        As entries carry it under ``kind``.
    required, optional
        The fields, and what their values must be.
    added
        The fields that a later minor format has added to the kind: one whose value is not what it must be is as if it
        were not there, as to a reader of format 1.0.
    minor
        The minor format that has brought the kind. An entry of a later one than 1.0 that has not its form is of an
        unknown kind, as to a reader of format 1.0.
    rides, purge, export
        What outputs, a purge and an export do with an entry.
    apply
        What an entry does to the state of its session; nothing, if it is read in another way.
    fault
        Returns what is wrong with an entry whose fields are right one by one; empty if nothing is.
    more_links
        Returns the references that stand elsewhere than in a field of their own.
    tells_of
        Returns the chats and turns that an entry is about, by their ids, so that it goes with a whole chat.
    rest
        Returns what is to stay of an entry when these chats are purged that it, too, is about; None if nothing is.
    settings
        Returns the settings that an entry gives; of those that somebody else wrote, the user is told.
    shown
        The fields that people are shown, beside the turn that the entry refers to.
    place
        The fields that stay when an entry is purged.
    is_pointer
        Whether an entry has no part in the state once a later one points elsewhere, and may be dropped then.
    is_stub
        Whether an entry stands under the id of another one, which it replaces wherever both are.
    """

    name: str
    required: Mapping[str, Value]
    optional: Mapping[str, Value] = field(default_factory=dict)
    added: Mapping[str, Value] = field(default_factory=dict)
    minor: int = 0
    rides: Rides
    purge: Purge
    export: Export
    apply: Apply | None = None
    fault: Callable[[Any], str] = lambda _: ""
    more_links: Callable[[Any], Iterator[Link]] = lambda _: iter(())
    tells_of: Callable[[Any], Iterable[str]] = lambda entry: (entry["chat"],) if "chat" in entry else ()
    rest: Callable[[Any, Collection[str]], Entry | None] = lambda *_: None
    settings: Callable[[Any], Mapping[str, str]] = lambda _: {}
    shown: tuple[str, ...] = ()
    place: tuple[str, ...] = ()
    is_pointer: bool = False
    is_stub: bool = False
    links: tuple[tuple[str, str], ...] = field(init=False)

    def __post_init__(self) -> None:
        fields = {**self.required, **self.optional}
        object.__setattr__(self, "links", tuple((name, value.leads_to) for name, value in fields.items() if value[1]))

    def knows(self, name: str) -> bool:
        """Say whether it has a field of that name in format 1.0."""
        return name in self.required or name in self.optional

    def is_form_of(self, entry: Entry) -> bool:
        """Say whether an entry has all the fields that it must have, and nothing wrong in any of them."""
        return all(name in entry for name in self.required) and all(
            value.check(entry[name]) for name, value in {**self.required, **self.optional}.items() if name in entry
        )

    @property
    def is_shared(self) -> bool:
        """Whether equal entries are one, as they have no clock: then any number of others may refer to it."""
        return self is not UNKNOWN and not self.knows("n")


# -- the table


def _pictures(entry: MessageEntry) -> Iterator[Link]:
    for part in parts_of(entry["content"]):
        if "image" in part:
            yield Link("image", part["image"], "image")


def _too_long(entry: MessageEntry | SummaryEntry) -> str:
    size = len(to_text(entry["content"]).encode())
    return f"a message is over the cap of {MAX_MESSAGE_BYTES:,} bytes" if size > MAX_MESSAGE_BYTES else ""


def _base(entry: SetEntry) -> Iterator[Link]:
    """Where a fork starts now."""
    if entry["key"] == "from" and "value" in entry:
        yield Link("from", entry["value"], "message")


def _unusable(entry: SetEntry) -> str:
    """The state makes more of these than text: a name that cannot be shown, or a base that cannot be found, is none."""
    key, value = entry["key"], entry.get("value")
    usable = is_name(value) if key == "name" else key != "from" or value is None or is_entry_id(value)
    return "" if usable else f"the {key} that is set is not what it must be"


def _outspoken(entry: PurgedEntry) -> str:
    """Nobody can tell whether a stub's id is genuine: one that said something could put it under another's id."""
    said = sorted(name for name in entry if name not in _PLACE_AND_TIME and _is_field(name))
    return f"a purged entry says nothing, and this one has a {said[0]}" if said else ""


def _is_field(name: str) -> bool:
    """Say whether format 1.0 has a field of that name: what later minors add must not refuse what was read before."""
    return any(kind.knows(name) for kind in KINDS.values() if not kind.minor)


def _settings_of_config(entry: ConfigEntry) -> Mapping[str, str]:
    return Config.from_entry(entry).settings()


def _setting_that_is_set(entry: SetEntry | OptionEntry) -> Mapping[str, str]:
    return {entry["key"]: entry["value"]} if "value" in entry else {}


def _settings_of_this_ask(entry: MessageEntry) -> Mapping[str, str]:
    return {**_clicked(entry), **carried(entry, "options")}


def _clicked(entry: Mapping[str, Any]) -> dict[str, str]:
    hand = carried(entry, "hand")
    return {key: pair[-1] for key, pair in hand.items()} if is_hand(hand) else {}


def _settings_of_effects(entry: EffectsEntry) -> Mapping[str, str]:
    found = dict[str, str]()
    for op in entry["ops"]:
        if _is_text(op.get("key")) and _is_text(op.get("value")):
            found[op["key"]] = op["value"]
        found |= _clicked(op)
        if is_settings(options := carried(op, "options")):
            found |= options
    return found


def _chats_of_ops(entry: EffectsEntry) -> set[str]:
    return {op["chat"] for op in entry["ops"] if "chat" in op}


def _ops_of_others(entry: EffectsEntry, chats: Collection[str]) -> Entry | None:
    ops = [op for op in entry["ops"] if op.get("chat") not in chats]
    return {**entry, "ops": ops} if ops else None


_PLACE = ("n", "chat", "role", "parent")
_PLACE_AND_TIME = frozenset({*_PLACE, "at"})

SESSION = Kind(
    name="session",
    required={**CLOCK, "name": NAME},
    optional={"config": TO_CONFIG},
    rides=Rides.ALWAYS, purge=Purge.STAYS, export=Export.FRAME,
    apply=lambda state, stamp, entry: state.begin_session(stamp, entry),
)  # fmt: skip

CONFIG = Kind(
    name="config",
    required={},
    optional={"provider": TEXT, "model": TEXT, "system": LINES, "params": SETTINGS},
    added={"more": Value(is_more), "again": COUNT},
    rides=Rides.ALONG, purge=Purge.STAYS, export=Export.WHEN_USED,
    settings=_settings_of_config,
)  # fmt: skip

CHAT = Kind(
    name="chat",
    required={**CLOCK, "chat": CHAT_ID, "name": NAME, "config": TO_CONFIG},
    optional={"from": TO_MESSAGE},
    rides=Rides.ALWAYS, purge=Purge.STAYS, export=Export.FRAME,
    apply=lambda state, stamp, entry: state.begin_chat(stamp, entry),
)  # fmt: skip

MESSAGE = Kind(
    name="message",
    required={**CLOCK, "chat": CHAT_ID, "role": ROLE, "content": Value(_is_content)},
    optional={
        "parent": TO_MESSAGE,
        "cell": Value(_is_cell), "set": SETTINGS, "options": SETTINGS,
        "config": TO_CONFIG, "model": TEXT, "finish_reason": TEXT, "usage": Value(_is_usage),
    },
    added={
        "context": IDS, "after": TEXT, "by": TEXT, "hand": Value(is_hand), "more": Value(is_more), "reasoning": LINES,
        "sources": Value(_is_sources), "pictures": Value(_is_pictures), "refused": Value(_is_one),
        "left_out": Value(_is_usage), "imported": TEXT, "tools": IDS, "steps": Value(_is_steps), "echo": LINES,
    },
    rides=Rides.ONCE, purge=Purge.STAYS, export=Export.SAID,
    apply=lambda state, stamp, entry: state.add_message(stamp, entry),
    fault=_too_long, more_links=_pictures, settings=_settings_of_this_ask, place=_PLACE,
)  # fmt: skip

ACTIVE = Kind(
    name="active",
    required=CLOCK,
    optional={"chat": CHAT_ID},
    added={"by": TEXT},
    rides=Rides.ALWAYS, purge=Purge.STAYS, export=Export.NEVER,
    apply=lambda state, stamp, entry: state.point_active(stamp, entry),
    is_pointer=True,
)  # fmt: skip

HEAD = Kind(
    name="head",
    required={**CLOCK, "chat": CHAT_ID},
    optional={"message": TO_MESSAGE},
    added={"context": IDS},
    rides=Rides.ALWAYS, purge=Purge.STAYS, export=Export.SAID,
    apply=lambda state, stamp, entry: state.point_head(stamp, entry),
    is_pointer=True,
)  # fmt: skip

SET = Kind(
    name="set",
    required={**CLOCK, "key": KEY},
    optional={"chat": CHAT_ID, "value": TEXT},
    added={"cell": Value(_is_cell)},
    rides=Rides.ALWAYS, purge=Purge.STAYS, export=Export.FRAME,
    apply=lambda state, stamp, entry: state.set_property(stamp, entry),
    fault=_unusable, more_links=_base, settings=_setting_that_is_set,
)  # fmt: skip

OPTION = Kind(
    name="option",
    required={**CLOCK, "chat": CHAT_ID, "key": Value(is_option)},
    optional={"value": TEXT},
    minor=1,
    rides=Rides.ALWAYS, purge=Purge.STAYS, export=Export.FRAME,
    apply=lambda state, stamp, entry: state.set_property(stamp, entry),
    settings=_setting_that_is_set,
)  # fmt: skip

EFFECTS = Kind(
    name="effects",
    required={**CLOCK, "cell": Value(_is_ran), "ops": Value(_is_ops)},
    optional={"also": LINES},
    minor=1,
    rides=Rides.ONCE, purge=Purge.STAYS, export=Export.NEVER,
    apply=lambda state, stamp, entry: state.add_effects(stamp, entry),
    tells_of=_chats_of_ops, rest=_ops_of_others, settings=_settings_of_effects,
)  # fmt: skip

ACCEPT = Kind(
    name="accept",
    required={**CLOCK, "turn": ID, "context": IDS, "config": ID},
    minor=1,
    rides=Rides.ONCE, purge=Purge.STAYS, export=Export.NEVER,
    apply=lambda state, stamp, entry: state.accept(stamp, entry),
    tells_of=lambda entry: (entry["turn"],),
)  # fmt: skip

OUTSIDE = Kind(
    name="outside",
    required={**CLOCK, "chat": CHAT_ID, "op": TEXT},
    optional={"after": TEXT, "context": IDS, "turns": IDS},
    minor=1,
    rides=Rides.ONCE, purge=Purge.STAYS, export=Export.NEVER,
    apply=lambda state, stamp, entry: state.add_outside(stamp, entry),
)  # fmt: skip

SUMMARY = Kind(
    name="summary",
    required={**CLOCK, "chat": CHAT_ID, "turns": IDS, "content": LINES, "config": ID},
    optional={"asked": LINES, "model": TEXT, "usage": Value(_is_usage)},
    minor=1,
    rides=Rides.ONCE, purge=Purge.WITH_ITS_TARGET, export=Export.WITH_ITS_TARGET,
    apply=lambda state, stamp, entry: state.add_summary(stamp, entry),
    fault=_too_long,
)  # fmt: skip

BEFORE = Kind(
    name="before",
    required={"turn": ID, "says": DIGEST},
    minor=1,
    rides=Rides.NEVER, purge=Purge.WITH_ITS_TARGET, export=Export.WITH_ITS_TARGET,
    apply=lambda state, _, entry: state.add_before(entry),
)  # fmt: skip

TOOL = Kind(
    name="tool",
    required={"name": TEXT, "description": LINES, "parameters": LINES},
    minor=1,
    rides=Rides.ALONG, purge=Purge.WHEN_UNUSED, export=Export.WHEN_USED,
)  # fmt: skip

IMAGE = Kind(
    name="image",
    required={"media_type": TEXT, "data": LINES},
    added={"sha256": Value(_is_sha256), "size": COUNT},
    rides=Rides.ALONG, purge=Purge.WHEN_UNUSED, export=Export.WHEN_USED,
)  # fmt: skip

PURGED = Kind(
    name="purged",
    required={},
    optional={"n": CLOCK["n"], "chat": CHAT_ID, "role": ROLE, "parent": TO_MESSAGE},
    rides=Rides.ALWAYS, purge=Purge.STAYS, export=Export.SAID,
    apply=lambda state, stamp, entry: state.add_stub(stamp, entry),
    fault=_outspoken, place=_PLACE, is_stub=True,
)  # fmt: skip

MISSING = Kind(name=PURGED.name, required={}, rides=Rides.NEVER, purge=Purge.STAYS, export=Export.SAID, is_stub=True)
"""A message that others follow, and that is nowhere: the output which carried it was cleared.

To a reader of an earlier version it is purged, so that what follows it can be read; here the message itself, wherever
it is found again, takes its place.
"""

UNKNOWN = Kind(name="", required={}, rides=Rides.ONCE, purge=Purge.WITH_ITS_TARGET, export=Export.WITH_ITS_TARGET)
"""Any kind of a later version: its entries are kept as they are, and may repeat the text of whatever they name."""

_ALL = (
    SESSION, CONFIG, CHAT, MESSAGE, ACTIVE, HEAD, SET, OPTION, EFFECTS, ACCEPT, OUTSIDE, SUMMARY, BEFORE,
    TOOL, IMAGE, PURGED,
)  # fmt: skip

KINDS: dict[str, Kind] = {kind.name: kind for kind in _ALL}
"""The kinds of this version, by their names."""


# -- asking it


def kind_of(entry: Entry) -> Kind:
    """Return the row of an entry, which need not be checked; `UNKNOWN` if this version has none."""
    kind = _kind_called(entry)
    if kind is PURGED and entry == missing_entry():
        return MISSING
    return UNKNOWN if kind.minor and not kind.is_form_of(entry) else kind


def _kind_called(entry: Entry) -> Kind:
    """Return the row that an entry names, whatever its form: to look at that takes as long as the entry is large."""
    name = entry.get("kind")
    return KINDS.get(name, UNKNOWN) if isinstance(name, str) else UNKNOWN


def added(entry: Entry, name: str) -> Any:
    """Return the value of a field that a later minor has added; None if there is none, or it is not what it must be."""
    value = entry.get(name)
    return value if value is not None and kind_of(entry).added[name].check(value) else None


def is_message(entry: Entry) -> bool:
    """Say whether an entry is a message that was not purged."""
    return _kind_called(entry) is MESSAGE


def is_stub(entry: Entry) -> bool:
    """Say whether an entry is what stays of a purged one: its id is not the hash of its text."""
    return _kind_called(entry).is_stub


def replaces(entry: Entry, other: Entry) -> bool:
    """Say whether an *entry* takes the place of the *other* one under the same id.

    What is purged takes that of any, and any takes that of what is missing.
    """
    mine, its = _rank(entry), _rank(other)
    return mine > its or (mine == its != _WHOLE and canonical(entry) > canonical(other))


_WHOLE = 1


def _rank(entry: Entry) -> int:
    kind = kind_of(entry)
    return 0 if kind is MISSING else 1 + kind.is_stub


def purged_stub(entry: Entry) -> PurgedEntry:
    """Return what stays of a purged entry under its id: where it stood and when, nothing of what it said."""
    place = {name: entry[name] for name in kind_of(entry).place if name in entry}
    return cast("PurgedEntry", {"kind": PURGED.name, **place})
