"""What a cell did when it ran: its effects, each of which changes what the page remembers below it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

from robota_nb.core.record.config import FIELDS
from robota_nb.core.record.kinds import is_hand, is_settings
from robota_nb.core.record.options import carried, put
from robota_nb.core.rules.memory import ChatMemory, Edit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from robota_nb.core.record.config import Config
    from robota_nb.core.rules.memory import Context, Contexts, Memory

Options: TypeAlias = "tuple[tuple[str, str], ...]"
"""The settings of one ask alone, by their keys in order."""


class Known(Protocol):
    """What effects need to know of the record."""

    contexts: Contexts

    def first_config(self, chat: str) -> Config:
        """Return the settings that a chat began with."""
        ...

    def start_of(self, chat: str) -> Context:
        """Return what a chat began with: nothing, or where it was forked outside cells."""
        ...

    def chat_of(self, turn: str) -> str | None:
        """Return the chat of a turn; None if it is not here."""
        ...

    def session_of(self, chat: str) -> str | None:
        """Return the session of a chat; None if it is not here."""
        ...


class ByHand(NamedTuple):
    """A setting that was clicked for an ask: it counts for as long as the page above gives what it overrode.

    Parameters
    ----------
    key
        The setting.
    over
        What the page gave; empty for nothing.
    value
        What was clicked; empty to unset it.
    """

    key: str
    over: str
    value: str


def of_chat(memory: Memory, chat: str, known: Known) -> ChatMemory:
    """Return what is remembered of a chat: of one to which nothing was done above, how it began."""
    return memory.get(chat) or ChatMemory(known.start_of(chat), known.first_config(chat))


def with_hand(config: Config, hand: tuple[ByHand, ...]) -> Config:
    """Return settings with what was clicked over them, as far as that still counts."""
    return config.with_settings({key: value for key, over, value in hand if config.get(key) == over})


def by_hand(base: Config, config: Config) -> tuple[ByHand, ...]:
    """Return what was clicked over these settings, if an ask is made with those."""
    return tuple(ByHand(key, base.get(key), config.get(key)) for key in sorted(base.differing(config)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A cell asked, and this turn stands as the answer.

    Parameters
    ----------
    chat
        Which chat was asked.
    turn
        The answer; None if there is none, as the ask failed.
    named
        Whether the ask said itself which chat it means.
    said
        The chat that commands above had chosen then.
    hand
        What was clicked for it.
    options
        The settings of this ask alone.
    used
        What was clicked of the chat's settings up to this n has been used by it; 0 if nothing waited.
    """

    chat: str
    turn: str | None = None
    named: bool = False
    said: str | None = None
    hand: tuple[ByHand, ...] = ()
    options: Options = ()
    used: int = field(default=0, compare=False)

    def apply(self, memory: Memory, known: Known, cell: str | None) -> Memory:
        """Return the memory after it."""
        was = of_chat(memory, self.chat, known)
        context = was.context
        if self.turn and known.chat_of(self.turn) == self.chat:  # a forged effect brings no other chat's text in
            context = known.contexts.after(context, self.turn)
        memory = memory.put(self.chat, ChatMemory(context, with_hand(was.config, self.hand), cell))
        return memory if self.named else memory.be_in(self.chat)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A cell did something to a chat other than asking it.

    Parameters
    ----------
    chat
        Which one.
    alone
        Whether no chat stood above, so that only this tells which one it was for.
    """

    chat: str
    alone: bool = False

    def apply(self, memory: Memory, known: Known, cell: str | None) -> Memory:
        """Return the memory after it."""
        was = of_chat(memory, self.chat, known)
        return memory.put(self.chat, ChatMemory(self.context(was.context, known), was.config, cell))

    def context(self, context: Context, known: Known) -> Context:  # noqa: ARG002 - some need it
        """Return what the chat remembers after it."""
        return context


class Choose(Command):
    """The chat was chosen: what is asked below goes there."""

    __slots__ = ()

    def apply(self, memory: Memory, known: Known, cell: str | None) -> Memory:
        """Return the memory after it."""
        return Command.apply(self, memory, known, cell).be_in(self.chat, chosen=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Set(Command):
    """A setting was set; without a value, it was unset."""

    key: str
    value: str = ""

    def apply(self, memory: Memory, known: Known, cell: str | None) -> Memory:
        """Return the memory after it."""
        was = of_chat(memory, self.chat, known)
        return memory.put(self.chat, was.but(was.config.with_settings({self.key: self.value}), cell))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork(Command):
    """The chat goes on from where another one is, with its settings."""

    source: str

    def apply(self, memory: Memory, known: Known, cell: str | None) -> Memory:
        """Return the memory after it."""
        source = of_chat(memory, self.source, known)
        return memory.put(self.chat, source.but(source.config, cell))


class Undo(Command):
    """The last turn was taken back."""

    __slots__ = ()

    def context(self, context: Context, known: Known) -> Context:  # noqa: ARG002
        """Return what the chat remembers after it."""
        return context if context.before is None else context.before


class Clear(Command):
    """The chat began anew."""

    __slots__ = ()

    def context(self, context: Context, known: Known) -> Context:  # noqa: ARG002
        """Return what the chat remembers after it."""
        return known.contexts.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Back(Command):
    """The chat went back to the turn of this number, from 1."""

    to: int

    def context(self, context: Context, known: Known) -> Context:  # noqa: ARG002
        """Return what the chat remembers after it."""
        return context.first(self.to)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop(Command):
    """Turns were taken out of memory."""

    turns: tuple[str, ...]

    def apply(self, memory: Memory, known: Known, cell: str | None) -> Memory:
        """Return the memory after it."""
        was = of_chat(memory, self.chat, known)
        return memory.put(self.chat, was.edited(Edit(drop=self.turns), known.contexts, cell))


@dataclass(frozen=True, slots=True, kw_only=True)
class Put(Command):
    """Turns were put at the end of memory."""

    turns: tuple[str, ...]

    def apply(self, memory: Memory, known: Known, cell: str | None) -> Memory:
        """Return the memory after it."""
        was, here = of_chat(memory, self.chat, known), tuple(turn for turn in self.turns if known.chat_of(turn))
        return memory.put(self.chat, was.edited(Edit(put=here), known.contexts, cell))


@dataclass(frozen=True, slots=True, kw_only=True)
class Enter:
    """A session was chosen: what is asked below goes to one of its chats."""

    session: str

    def apply(self, memory: Memory, known: Known, cell: str | None) -> Memory:  # noqa: ARG002 - as the others
        """Return the memory after it."""
        return memory.enter(self.session, known.session_of(memory.current) if memory.current else None)


def after(memory: Memory, effects: Iterable[Effect], known: Known, cell: str | None) -> Memory:
    """Return the memory after effects of a cell, in order; the settings of a chat that it set in a row in one go."""
    for chat, together in groupby(effects, _sets_param_of):
        if chat is None:
            for effect in together:
                memory = effect.apply(memory, known, cell)
        else:
            was = of_chat(memory, chat, known)
            settings = {one.key: one.value for one in together if isinstance(one, Set)}
            memory = memory.put(chat, was.but(was.config.with_settings(settings), cell))
    return memory


def _sets_param_of(effect: Effect) -> str | None:
    """Return the chat of which a parameter was set: the provider and the model may change each other."""
    return effect.chat if isinstance(effect, Set) and effect.key not in FIELDS else None


OfChat: TypeAlias = Answered | Command
Effect: TypeAlias = OfChat | Enter


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a cell did when it ran last.

    Parameters
    ----------
    id
        The id of the cell that lasts, or None (see `robota_nb.core.record.entries.cell_id_or_none`).
    source
        The hash of the source that ran.
    effects
        What it did, in order.
    n
        When; 0 if nothing is recorded of it.
    maker
        What tells it from others of the same n: whoever made it.
    also
        The ids that the cell had before it was cut and pasted.
    is_told
        Whether the record tells it; else it is what the turns say that the cell has asked, and what the cell's output
        shows says it better.
    """

    id: str | None
    source: str
    effects: tuple[Effect, ...] = ()
    n: int = 0
    maker: str = ""
    also: tuple[str, ...] = ()
    is_told: bool = field(default=True, compare=False)
    turns: tuple[str, ...] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        turns = tuple(e.turn for e in self.effects if isinstance(e, Answered) and e.turn)
        object.__setattr__(self, "turns", turns)

    @property
    def asks(self) -> list[Answered]:
        """The asks among its effects."""
        return [effect for effect in self.effects if isinstance(effect, Answered)]

    @property
    def name(self) -> str:
        """What tells it from all other steps of a record."""
        return f"{self.id or '#'} {self.n} {self.maker}"

    def says_the_same(self, other: Step) -> bool:
        """Say whether two steps differ only in when they were."""
        return (self.id, self.source, self.effects) == (other.id, other.source, other.effects)

    def under(self, id: str | None) -> tuple[str, ...]:  # noqa: A002 - the field's name
        """Return what `also` is once the cell has another id."""
        return self.also if self.id is None or self.id == id else (*self.also, self.id)

    def and_did(self, effect: Effect) -> Step:
        """Return the step with one more effect."""
        return replace(self, effects=(*self.effects, effect))

    def ids(self) -> Iterator[str]:
        """Yield all ids that the cell has had."""
        yield from self.also
        if self.id:
            yield self.id


# -- as they stand in the record (docs/format.md, "Format 1.1")


def to_op(effect: Effect) -> dict[str, Any]:
    """Return an effect of a cell as an ``effects`` entry holds it."""
    if isinstance(effect, Answered):
        op: dict[str, Any] = {"ask": effect.turn} if effect.turn else {}
        op["chat"] = effect.chat
        if effect.named:
            op["named"] = 1
        if effect.said:
            op["said"] = effect.said
        if effect.hand:
            put(op, "hand", {key: (over, value) for key, over, value in effect.hand})
        if effect.options:
            put(op, "options", dict(effect.options))
        if effect.used:
            op["used"] = effect.used
        return op
    if isinstance(effect, Enter):
        return {"do": "choose", "session": effect.session}
    fields = {name: _plain(getattr(effect, name)) for name in _OPS[type(effect)][1]}
    op = {"do": _OPS[type(effect)][0], "chat": effect.chat, **{_NAMES.get(name, name): v for name, v in fields.items()}}
    return op | ({"alone": 1} if effect.alone else {})


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def from_op(op: Mapping[str, Any]) -> Effect | None:
    """Return the effect that an ``effects`` entry holds; None for one that is not what it must be, or is not known."""
    if "session" in op:
        return Enter(session=op["session"]) if op.get("do") == "choose" else None
    chat = op["chat"]
    if "do" not in op:
        turn, said, used = op.get("ask"), op.get("said"), op.get("used")
        hand, options = carried(op, "hand"), carried(op, "options")
        if not (isinstance(turn or "", str) and isinstance(said or "", str) and is_hand(hand) and is_settings(options)):
            return None
        clicked = tuple(ByHand(key, over, value) for key, (over, value) in sorted(hand.items()))
        return Answered(
            chat=chat, turn=turn, named=bool(op.get("named")), said=said, hand=clicked,
            options=tuple(sorted(options.items())), used=used if type(used) is int else 0,
        )  # fmt: skip
    kind = _COMMANDS.get(op["do"]) if isinstance(op["do"], str) else None
    if kind is None:
        return None
    given: dict[str, Any] = {name: op.get(_NAMES.get(name, name)) for name in _OPS[kind][1]}
    for name, type_ in _OPS[kind][1].items():
        if not _is_of(given[name], type_):
            return None
        if type_ is list:
            given[name] = tuple(given[name])
    return kind(chat=chat, alone=bool(op.get("alone")), **given)


def _is_of(value: object, type_: type) -> bool:
    return type(value) is type_ and (not isinstance(value, list) or all(isinstance(item, str) for item in value))


_OPS: Mapping[type[Command], tuple[str, Mapping[str, type]]] = {
    Choose: ("choose", {}),
    Set: ("set", {"key": str, "value": str}),
    Fork: ("fork", {"source": str}),
    Undo: ("undo", {}),
    Clear: ("clear", {}),
    Back: ("back", {"to": int}),
    Drop: ("drop", {"turns": list}),
    Put: ("put", {"turns": list}),
}
"""By its class, what a command of a cell is called in the record, and its fields with their types."""
_COMMANDS = {name: kind for kind, (name, _) in _OPS.items()}
_NAMES = {"source": "from"}
"""What fields are called in the record, if something else."""
