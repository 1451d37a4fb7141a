"""The recorded answers, found by the request that each of them answers."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from robota_nb.core.record.config import Config
    from robota_nb.core.rules.memory import Context


class Answer(NamedTuple):
    """A turn, as far as it matters to an ask.

    Parameters
    ----------
    id, n
        The turn, and when it was.
    chat
        Whose it is.
    context
        All that was sent before it.
    prompt
        A digest of what was asked, with its pictures.
    config
        What it was asked with.
    by_cell
        Whether a cell asked: what was sent outside cells, or by Python code, answers no other ask.
    is_cut
        Whether it ended before it was whole.
    is_purged
        Whether what it said was removed.
    """

    id: str
    n: int
    chat: str
    context: Context
    prompt: bytes
    config: Config
    by_cell: bool = True
    is_cut: bool = False
    is_purged: bool = False


class Answers:
    """Finds the turns that answer a request: the same chat, context, prompt and settings."""

    def __init__(self) -> None:
        self._turns: dict[str, Answer] = {}
        self._by_request: dict[tuple[str, bytes, bytes], list[tuple[str, Config]]] = defaultdict(list)
        self._accepted: dict[str, list[Context]] = defaultdict(list)  # contexts that a turn stands for, too
        self._cut: set[str] = set()
        self._followed: set[str] = set()  # cut turns after which something was asked
        self.made: set[str] = set()  # in this kernel

    def __getitem__(self, turn: str) -> Answer:
        return self._turns[turn]

    def __contains__(self, turn: str) -> bool:
        return turn in self._turns

    def add(self, answer: Answer) -> None:
        """Take a turn over."""
        self._turns[answer.id] = answer
        if answer.is_cut:
            self._cut.add(answer.id)
        if self._cut:
            self._followed.update(turn for turn in reversed(answer.context) if turn in self._cut)
        if answer.by_cell and not answer.is_purged:
            self._enter(answer, answer.context, answer.config)

    def accept(self, turn: str, context: Context, config: Config) -> None:
        """Let a turn stand for another request, too."""
        answer = self._turns.get(turn)
        if answer is not None:
            self._accepted[turn].append(context)
            self._enter(answer, context, config)

    def _enter(self, answer: Answer, context: Context, config: Config) -> None:
        self._by_request[answer.chat, context.says, answer.prompt].append((answer.id, config))

    def find(self, chat: str, context: Context, prompt: bytes, config: Config) -> Iterator[Answer]:
        """Yield the turns that answer a request.

        One that was cut does so only once something was asked after it, and never in the kernel that cut it.
        """
        for turn, with_config in self._by_request.get((chat, context.says, prompt), ()):
            answer = self._turns[turn]
            whole = not answer.is_cut or (turn not in self.made and turn in self._followed)
            if whole and not answer.is_purged and with_config == config:
                yield answer

    def answers(self, turn: str, chat: str, context: Context, config: Config) -> bool:
        """Say whether a turn answers a request that asks the same as it does."""
        prompt = self._turns[turn].prompt
        return any(answer.id == turn for answer in self.find(chat, context, prompt, config))

    def contexts(self, turn: str) -> Collection[Context]:
        """Return the contexts that a turn stands for: its own, and those that were accepted."""
        return [self._turns[turn].context, *self._accepted.get(turn, ())]


def differs_at(context: Context, now: Context) -> int:
    """Return how many turns two contexts begin with that say the same."""
    one, other = _says(context), _says(now)
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _says(context: Context) -> list[bytes]:
    out: list[bytes] = []
    here: Context | None = context
    while here is not None and here.before is not None:
        out.append(here.says)
        here = here.before
    return out[::-1]


def newest(answers: Iterable[Answer]) -> Answer | None:
    """Return the answer that was given last."""
    return max(answers, default=None, key=lambda answer: (answer.n, answer.id))
