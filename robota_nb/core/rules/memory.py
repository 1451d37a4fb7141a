"""What the page remembers at some place of it: of each chat what was said, and with which settings it goes on.

A `Memory` never changes: what a cell did makes another one of it, which shares with it whatever is the same. So the
page can keep one after each of its cells.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from robota_nb.core.record.config import Config

_SPREAD = 16
"""How many changes a memory says itself before it is put together anew: a cell makes one, of what may be many chats.

Of very many chats it says more itself, so that as much is looked through as is copied.
"""


class Context:
    """All that is sent before an ask: turns of one chat, as a chain that shares its beginning with others.

    Parameters
    ----------
    before
        What stands before the last turn; None for the context of a chat that begins.
    turn
        The id of the last turn.
    says
        A digest of what all of it says. Two contexts are the same to an ask if this is equal: an answer that was given
        again and reads the same makes no difference.
    """

    __slots__ = ("_after", "before", "far", "is_followed", "says", "size", "turn")

    def __init__(self, before: Context | None, turn: str, says: bytes) -> None:
        self.before = before
        self.turn = turn
        self.says = says
        self.size: int = 0 if before is None else before.size + 1
        # One farther back, so that any is reached in few steps; of two contexts of one size, equally far.
        far = self if before is None else before.far
        evenly = before is None or before.size - far.size == far.size - far.far.size
        self.far: Context = far if before is None else far.far if evenly else before
        self.is_followed = False  # whether something was asked in it, or after it
        self._after: Context | dict[str, Context] | None = None  # those of one turn more; most have one, or none

    def __repr__(self) -> str:
        return f"<Context {' '.join(self.turns)}>"

    def back(self) -> Iterator[Context]:
        """Yield it, and those of one turn less each."""
        here = self
        while here.before is not None:
            yield here
            here = here.before

    def __reversed__(self) -> Iterator[str]:
        return (part.turn for part in self.back())

    @property
    def turns(self) -> tuple[str, ...]:
        """The ids of the turns, oldest first."""
        return tuple(reversed(tuple(reversed(self))))

    def known_after(self, turn: str) -> Context | None:
        """Return the context of one more turn, if it was made."""
        after = self._after
        if isinstance(after, dict):
            return after.get(turn)
        return after if after is not None and after.turn == turn else None

    def make_after(self, turn: str, says: bytes) -> Context:
        """Make the context of one more turn, which says this."""
        made, after = Context(self, turn, says), self._after
        if after is None:
            self._after = made
        elif isinstance(after, dict):
            after[turn] = made
        else:
            self._after = {after.turn: after, turn: made}
        return made

    def first(self, size: int) -> Context:
        """Return the context of the first so many turns."""
        here = self
        while here.before is not None and here.size > size:
            here = here.far if here.far.size >= size else here.before
        return here

    def shared_with(self, other: Context) -> int:
        """Return how many turns both begin with that say the same."""
        here, there = self.first(other.size), other.first(self.size)
        while here.says != there.says and here.before is not None and there.before is not None:
            if here.far.says == there.far.says:
                here, there = here.before, there.before
            else:
                here, there = here.far, there.far
        return here.size


class Contexts:
    """Makes contexts, of equal turns the same one.

    Parameters
    ----------
    says
        Returns a digest of what a turn says; of a purged one, of its id.
    """

    def __init__(self, says: Callable[[str], bytes]) -> None:
        self._says = says
        self.start = Context(None, "", b"")
        self._lost: dict[tuple[str, bytes], Context] = {}

    def after(self, context: Context, turn: str) -> Context:
        """Return a context and one more turn."""
        found = context.known_after(turn)
        if found is None:
            says = hashlib.blake2b(context.says + self._says(turn), digest_size=16).digest()
            found = context.make_after(turn, says)
        return found

    def lost(self, turn: str, says: bytes) -> Context:
        """Return a context of which no more is known than its last turn, and a digest of what all of it says."""
        return self._lost.setdefault((turn, says), Context(self.start, turn, says))

    def of(self, turns: Iterable[str], begin: Context | None = None) -> Context:
        """Return the context of these turns, oldest first; after those of *begin*."""
        context = self.start if begin is None else begin
        for turn in turns:
            context = self.after(context, turn)
        return context

    def edited(self, context: Context, edits: Iterable[Edit]) -> Context:
        """Return a context after edits, one after the other."""
        turns: list[str | None] = [*context.turns]
        places = defaultdict[str, list[int]](list)
        for at, turn in enumerate(context.turns):
            places[turn].append(at)
        first = len(turns)  # up to which it stays as it is
        for edit in edits:
            for at in (at for turn in edit.drop for at in places.pop(turn, ())):
                turns[at] = None
                first = min(first, at)
            for turn in edit.put:
                places[turn].append(len(turns))
                turns.append(turn)
        return self.of((turn for turn in turns[first:] if turn is not None), context.first(first))


class Edit(NamedTuple):
    """Turns that are taken out of a context, and then turns that are put at its end."""

    drop: tuple[str, ...] = ()
    put: tuple[str, ...] = ()


class _Edited:
    """A context after an edit, made when it is looked at: what looks only at the last of many makes none between."""

    __slots__ = ("contexts", "made")

    def __init__(self, was: Context | _Edited, edit: Edit, contexts: Contexts) -> None:
        self.made: Context | tuple[Context | _Edited, Edit] = was, edit
        self.contexts = contexts

    def context(self) -> Context:
        """Return it."""
        edits: list[Edit] = []
        here: Context | _Edited = self
        while isinstance(here, _Edited):
            if isinstance(here.made, tuple):
                here, edit = here.made
                edits.append(edit)
            else:
                here = here.made
        self.made = self.contexts.edited(here, reversed(edits)) if edits else here
        return self.made


class ChatMemory:
    """What is remembered of one chat.

    Parameters
    ----------
    context
        What was said in it.
    config
        What its next ask is made with.
    cell
        The key of the last cell that did something to it.
    """

    __slots__ = ("_context", "cell", "config")

    def __init__(self, context: Context | _Edited, config: Config, cell: str | None = None) -> None:
        self._context = context
        self.config = config
        self.cell = cell

    @property
    def context(self) -> Context:
        """What was said in it."""
        return self._context.context() if isinstance(self._context, _Edited) else self._context

    def edited(self, edit: Edit, contexts: Contexts, cell: str | None) -> ChatMemory:
        """Return what is remembered after an edit, which a cell has made."""
        return ChatMemory(_Edited(self._context, edit, contexts), self.config, cell)

    def but(self, config: Config, cell: str | None) -> ChatMemory:
        """Return what is remembered once a cell has said that it goes on with other settings."""
        return ChatMemory(self._context, config, cell)


class _Change(NamedTuple):
    """What was remembered of one chat, and what was changed before."""

    chat: str
    said: ChatMemory
    before: _Change | None
    depth: int


_NOTHING: Mapping[str, ChatMemory] = {}
_LEFT_NONE: Mapping[str, str] = {}


class Memory:
    """What is remembered at some place of the page.

    Parameters
    ----------
    current
        The chat the page is in: that of the last command or unnamed ask above.
    chosen
        The chat, or the session, that the last command above has chosen.
    session
        The session the page is in, if a command has chosen that, and no chat since.
    """

    __slots__ = ("_base", "_changes", "_left", "chosen", "current", "session")

    def __init__(
        self,
        current: str | None = None,
        chosen: str | None = None,
        session: str | None = None,
        *,
        base: Mapping[str, ChatMemory] | None = None,
        changes: _Change | None = None,
        left: Mapping[str, str] | None = None,
    ) -> None:
        self.current = current
        self.chosen = chosen
        self.session = session
        self._base = base or _NOTHING
        self._changes = changes  # since the base
        self._left = left or _LEFT_NONE  # session -> the chat that the page was in when another session was chosen

    def get(self, chat: str) -> ChatMemory | None:
        """Return what is remembered of a chat; None if no cell above did anything to it."""
        change = self._changes
        while change is not None:
            if change.chat == chat:
                return change.said
            change = change.before
        return self._base.get(chat)

    def chats(self) -> set[str]:
        """Return the ids of the chats to which something was done above."""
        return {*self._all()}

    def put(self, chat: str, said: ChatMemory) -> Memory:
        """Return the memory with something else remembered of one chat."""
        before = self._changes
        changes = _Change(chat, said, before, before.depth + 1 if before else 1)
        if changes.depth > _SPREAD and changes.depth**2 > len(self._base):
            return Memory(
                self.current, self.chosen, self.session, base={**self._all(), chat: said}, left=self._left
            )  # fmt: skip
        return Memory(self.current, self.chosen, self.session, base=self._base, changes=changes, left=self._left)

    def _all(self) -> dict[str, ChatMemory]:
        changed: list[_Change] = []
        change = self._changes
        while change is not None:
            changed.append(change)
            change = change.before
        return {**self._base, **{one.chat: one.said for one in reversed(changed)}}

    def be_in(self, chat: str, *, chosen: bool = False) -> Memory:
        """Return the memory with the page being in a chat; *chosen*: because a command says so."""
        return Memory(chat, chat if chosen else self.chosen, base=self._base, changes=self._changes, left=self._left)

    def last_in(self, session: str) -> str | None:
        """Return the chat that the page was in when it left a session; None if it did not."""
        return self._left.get(session)

    def enter(self, session: str, left: str | None) -> Memory:
        """Return the memory with the page being in a session, because a command says so.

        It is in the chat of it that it was in before, if it was; *left*: the session that it was in so far.
        """
        before = {**self._left, left: self.current} if left and self.current else self._left
        chat = before.get(session)
        return Memory(chat, session, None if chat else session, base=self._base, changes=self._changes, left=before)
