"""The recorded answers, found by the request that each of them answers."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from robota_nb.core.record.parameters import SUMMARY

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from robota_nb.core.record.attachments import Attached
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
        A digest of what was asked, with its pictures and files.
    config
        What it was asked with.
    by_cell
        Whether a cell asked: what was sent outside cells, or by Python code, answers no other ask.
    is_cut
        Whether it ended before it was whole.
    is_purged
        Whether what it said was removed.
    attached
        The pictures and files that were sent with the question.
    has_pictures
        Whether a picture is among them.
    tools
        The ids of the tools that were offered.
    called
        The functions of the notebook that were run, each with the hash of the source that it had.
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
    attached: tuple[Attached, ...] = ()
    has_pictures: bool = False
    tools: tuple[str, ...] = ()
    called: tuple[tuple[str, str], ...] = ()


class Answers:
    """Finds the turns that answer a request: the same chat, context, prompt and settings.

    Parameters
    ----------
    sums_up
        Says whether the summary that settings name, if they name one, stands for the beginning of a context.
    """

    def __init__(self, sums_up: Callable[[Config, Context], bool] = lambda *_: True) -> None:
        self.sums_up = sums_up
        self._turns: dict[str, Answer] = {}
        self._by_request: dict[tuple[str, bytes, bytes], list[tuple[str, Config]]] = defaultdict(list)
        self._accepted: dict[str, list[Context]] = defaultdict(list)  # contexts that a turn stands for, too
        self._followed: set[str] = set()  # turns after which something was asked
        self.made: set[str] = set()  # in this kernel

    def __getitem__(self, turn: str) -> Answer:
        return self._turns[turn]

    def __contains__(self, turn: str) -> bool:
        return turn in self._turns

    def get(self, turn: str) -> Answer | None:
        """Return a turn; None if it is not here."""
        return self._turns.get(turn)

    def add(self, answer: Answer) -> None:
        """Take a turn over."""
        self._turns[answer.id] = answer
        here: Context | None = answer.context
        while here is not None and not here.is_followed:
            here.is_followed = True
            self._followed.add(here.turn)
            here = here.before
        if answer.by_cell and not answer.is_purged:
            self._enter(answer, answer.context, answer.config)

    def accept(self, turn: str, context: Context, config: Config) -> None:
        """Let a turn stand for another request, too."""
        answer = self._turns.get(turn)
        if answer is not None:
            self._accepted[turn].append(context)
            self._enter(answer, context, config)

    def _enter(self, answer: Answer, context: Context, config: Config) -> None:
        request = answer.chat, context.says, answer.prompt
        self._by_request[request].append((answer.id, config))

    def find(self, chat: str, context: Context, prompt: bytes, config: Config) -> Iterator[Answer]:
        """Yield the turns that answer a request.

        One that was cut does so only once something was asked after it, and never in the kernel that cut it.
        """
        for turn, with_config in self._by_request.get((chat, context.says, prompt), ()):
            answer = self._turns[turn]
            whole = not answer.is_cut or (turn not in self.made and turn in self._followed)
            if whole and not answer.is_purged and next(self.differing(with_config, config, context), None) is None:
                yield answer

    def differing(self, one: Config, other: Config, context: Context) -> Iterator[str]:
        """Yield the keys of the settings in which two configs differ, as far as that matters to a request.

        Which pictures are sent again makes no difference where none was sent before it, nor does a summary of
        something else.
        """
        for key in one.differing(other):
            if key == "pictures":
                matters = any(self._has_pictures(turn) for turn in reversed(context))
            else:
                matters = key != SUMMARY or self.sums_up(one, context) or self.sums_up(other, context)
            if matters:
                yield key

    def _has_pictures(self, turn: str) -> bool:
        return turn in self._turns and self._turns[turn].has_pictures

    def of_prompt(self, chat: str, prompt: bytes) -> list[Answer]:
        """Return the turns of a chat that ask the same, whatever was before them."""
        turns = self._turns.values()
        return [a for a in turns if a.prompt == prompt and a.chat == chat and a.by_cell and not a.is_purged]

    def answers(self, turn: str, chat: str, context: Context, config: Config) -> bool:
        """Say whether a turn answers a request that asks the same as it does."""
        prompt = self._turns[turn].prompt
        return any(answer.id == turn for answer in self.find(chat, context, prompt, config))

    def contexts(self, turn: str) -> Collection[Context]:
        """Return the contexts that a turn stands for: its own, and those that were accepted."""
        return [self._turns[turn].context, *self._accepted.get(turn, ())]


def newest(answers: Iterable[Answer]) -> Answer | None:
    """Return the answer that was given last."""
    return max(answers, default=None, key=lambda answer: (answer.n, answer.id))
