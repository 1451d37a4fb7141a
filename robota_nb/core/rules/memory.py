"""What the page remembers at some place of it: of each chat what was said, and with which settings it goes on.

A `Memory` never changes: what a cell did makes another one of it, which shares with it whatever is the same. So the
page can keep one after each of its cells.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from robota_nb.core.record.config import Config

_SPREAD = 16
"""How many chats a memory says itself before it is put together anew: a cell changes one, and there may be many."""


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

    __slots__ = ("before", "says", "size", "turn")

    def __init__(self, before: Context | None, turn: str, says: bytes) -> None:
        self.before = before
        self.turn = turn
        self.says = says
        self.size: int = 0 if before is None else before.size + 1

    def __repr__(self) -> str:
        return f"<Context {' '.join(self.turns)}>"

    def __reversed__(self) -> Iterator[str]:
        here = self
        while here.before is not None:
            yield here.turn
            here = here.before

    @property
    def turns(self) -> tuple[str, ...]:
        """The ids of the turns, oldest first."""
        return tuple(reversed(tuple(reversed(self))))

    def first(self, size: int) -> Context:
        """Return the context of the first so many turns."""
        here = self
        while here.before is not None and here.size > size:
            here = here.before
        return here


class Contexts:
    """Makes contexts, of equal turns the same one.

    Parameters
    ----------
    says
        Returns a digest of what a turn says; of a purged one, of its id.
    """

    def __init__(self, says: Callable[[str], bytes]) -> None:
        self._says = says
        self._known: dict[tuple[Context, str], Context] = {}
        self.start = Context(None, "", b"")

    def after(self, context: Context, turn: str) -> Context:
        """Return a context and one more turn."""
        found = self._known.get((context, turn))
        if found is None:
            says = hashlib.blake2b(context.says + self._says(turn), digest_size=16).digest()
            found = self._known[context, turn] = Context(context, turn, says)
        return found

    def of(self, turns: Iterable[str], begin: Context | None = None) -> Context:
        """Return the context of these turns, oldest first; after those of *begin*."""
        context = self.start if begin is None else begin
        for turn in turns:
            context = self.after(context, turn)
        return context


class ChatMemory(NamedTuple):
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

    context: Context
    config: Config
    cell: str | None = None


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

    __slots__ = ("_base", "_over", "chosen", "current", "session")

    def __init__(
        self,
        current: str | None = None,
        chosen: str | None = None,
        session: str | None = None,
        base: Mapping[str, ChatMemory] | None = None,
        over: Mapping[str, ChatMemory] | None = None,
    ) -> None:
        self.current = current
        self.chosen = chosen
        self.session = session
        self._base = base or {}
        self._over = over or {}

    def get(self, chat: str) -> ChatMemory | None:
        """Return what is remembered of a chat; None if no cell above did anything to it."""
        return self._over.get(chat) or self._base.get(chat)

    def chats(self) -> set[str]:
        """Return the ids of the chats to which something was done above."""
        return {*self._base, *self._over}

    def put(self, chat: str, said: ChatMemory) -> Memory:
        """Return the memory with something else remembered of one chat."""
        over = {**self._over, chat: said}
        if len(over) > _SPREAD:
            return Memory(self.current, self.chosen, self.session, {**self._base, **over})
        return Memory(self.current, self.chosen, self.session, self._base, over)

    def be_in(self, chat: str, *, chosen: bool = False) -> Memory:
        """Return the memory with the page being in a chat; *chosen*: because a command says so."""
        return Memory(chat, chat if chosen else self.chosen, None, self._base, self._over)

    def enter(self, session: str) -> Memory:
        """Return the memory with the page being in a session, because a command says so, and in no chat of it yet."""
        return Memory(None, session, session, self._base, self._over)
