"""Which answer does an ask of a cell get? Which chat it goes to, with what before it, and whether that is on record.

An `Asking` is what one kernel knows of its own life: the page, what was clicked, and the cell that runs. It decides,
and leaves it to others to ask the model and to write.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from robota_nb.core.rules.answers import newest
from robota_nb.core.rules.effects import (
    Answered,
    ByHand,
    Choose,
    Command,
    Enter,
    Fork,
    Step,
    by_hand,
    of_chat,
    with_hand,
)
from robota_nb.core.rules.page import Record as PageRecord
from robota_nb.errors import ReplayMiss

if TYPE_CHECKING:
    from collections.abc import Iterator

    from robota_nb.core.record.config import Config
    from robota_nb.core.rules.answers import Answer, Answers
    from robota_nb.core.rules.effects import Effect, Options
    from robota_nb.core.rules.memory import Context, Memory
    from robota_nb.core.rules.modes import Mode
    from robota_nb.core.rules.page import Cell, Page

Rerun: TypeAlias = Literal["replay", "ask", "append"]
Outcome: TypeAlias = Literal["asked", "replayed", "failed"]


class Record(PageRecord, Protocol):
    """What is to be known of the record."""

    def has(self, chat: str) -> bool:
        """Say whether there is such a chat."""
        ...

    def first_chat(self, session: str | None) -> str | None:
        """Return the first one, of all or of a session; None if there is none."""
        ...

    def is_in(self, chat: str, session: str) -> bool:
        """Say whether a chat is one of a session."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a cell asks.

    Parameters
    ----------
    prompt
        A digest of the text and the pictures.
    to
        The chat that the ask names, if it does.
    options
        The settings of this ask alone.
    fresh
        Whether a recorded answer is out of the question.
    """

    prompt: bytes
    to: str | None = None
    options: Options = ()
    fresh: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What would be sent, as far as it decides which answers fit.

    Parameters
    ----------
    chat
        Which chat.
    context
        All that is sent before the prompt.
    config
        The settings, with those of the ask alone.
    hand
        What of them was clicked.
    """

    chat: str
    context: Context
    config: Config
    hand: tuple[ByHand, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What becomes of an ask.

    Parameters
    ----------
    request
        What it sends.
    effect
        What the cell has done with it, but for the turn.
    found
        The recorded answer, if there is one.
    """

    request: Request
    effect: Answered
    found: Answer | None


@dataclass(slots=True)
class Execution:
    """A cell that runs.

    Parameters
    ----------
    cell
        Which one.
    was
        What it did when it ran before.
    step
        What it has done so far.
    memory
        What is remembered by now.
    kept
        How many of its effects were there before it began: of an input line.
    before
        The effects of the former run that this one takes the place of.
    former_asks
        The asks among them.
    asked
        How many asks there were so far.
    live
        Whether one of them has no recorded answer.
    """

    cell: Cell
    was: Step | None
    step: Step
    memory: Memory
    kept: int = 0
    before: tuple[Effect, ...] = ()
    asked: int = 0
    live: bool = False
    former_asks: list[Answered] = field(default_factory=list)


@dataclass(slots=True)
class Asking:
    """What this kernel knows of its life, and the rules by which recorded answers are found again.

    Parameters
    ----------
    page
        The cells, and what each of them did.
    answers
        What is recorded.
    record
        What else the page, and what is asked, need to know of the record.
    mode, rerun
        See `robota_nb.core.rules.modes`.
    clicked
        The chat that was clicked, until a command says one.
    pending
        What was clicked in this kernel of the settings of chats, and not used yet.
    old_pending
        The same of an earlier kernel: that counts only for what is asked anyway.
    outcomes
        How cells ended here, by their keys.
    running
        The cell that runs.
    """

    page: Page
    answers: Answers
    record: Record
    mode: Mode = "auto"
    rerun: Rerun = "replay"
    clicked: str | None = None
    pending: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    old_pending: dict[str, dict[str, str]] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    running: Execution | None = None

    # -- an execution

    def begin(self, cell: Cell, *, append: bool = False) -> Execution:
        """Note that a cell begins to run; *append*: what it asked before stays above it, as of an input line."""
        page = self.page
        page.look()
        was = page.steps.get(cell.key)
        kept: tuple[Effect, ...] = ()
        if was and (append or self.rerun == "append"):
            if was.source != cell.source or cell.key in self.outcomes:
                kept = was.effects
            else:  # an unchanged one shows its last answer
                asks = (at for at in reversed(range(len(was.effects))) if isinstance(was.effects[at], Answered))
                kept = was.effects[: next(asks, 0)]
        also = was.under(cell.id) if was else ()
        before = was.effects[len(kept) :] if was else ()
        step = Step(id=cell.id, source=cell.source, effects=kept, also=also)
        page.put(cell.key, step)
        memory = page.above(cell.key)
        for effect in kept:
            memory = effect.apply(memory, self.record, cell.key)
        self.running = Execution(
            cell=cell, was=was, step=step, memory=memory, kept=len(kept), before=before,
            former_asks=[effect for effect in before if isinstance(effect, Answered)],
        )  # fmt: skip
        return self.running

    def end(self, *, failed: bool = False, missed: bool = False) -> bool:
        """Note that the cell has ended, and return whether what it did is to be recorded.

        Parameters
        ----------
        failed
            Whether it ended with an error.
        missed
            Whether that is because nothing was recorded, in strict mode: what it did before is what it did then.
        """
        run, self.running = self.running, None
        assert run is not None
        key = run.cell.key
        self.outcomes[key] = "failed" if failed else "asked" if run.live else "replayed"
        self.page.ran.add(key)
        step = run.step
        if missed:
            step = run.was or replace(step, effects=())
        same = run.was is not None and run.was.says_the_same(step)
        new = not same and (run.was is not None or bool(step.effects))
        if same:
            assert run.was is not None
            step = run.was
        elif new:
            step = replace(step, n=self.page.next_n(), maker=self.page.maker)
        self.page.put(key, step)
        return new

    def did(self, effect: Command | Enter) -> None:
        """Note that the running cell has done something; a chat that was clicked does not count once it has chosen."""
        if isinstance(effect, Choose | Enter):
            self.clicked = None
        self._do(effect)

    def _do(self, effect: Effect) -> None:
        run = self.running
        assert run is not None
        run.memory = effect.apply(run.memory, self.record, run.cell.key)
        run.step = run.step.and_did(effect)

    # -- an ask

    def decide(self, ask: Ask) -> Decision:
        """Decide where the running cell's next ask goes, and which recorded answer it gets.

        Raises
        ------
        ReplayMiss
            In strict mode, if none does.
        """
        run = self.running
        assert run is not None
        former = run.former_asks[run.asked] if run.asked < len(run.former_asks) else None
        run.asked += 1
        again = bool(
            self.rerun == "ask" and run.cell.key in self.outcomes and former and former.turn
            and former.turn in self.answers and self.answers[former.turn].prompt == ask.prompt
        )  # fmt: skip
        fresh = ask.fresh or again or self.mode == "off"
        memory, request, found = self._looked_up(run, ask, former, fresh=fresh)
        effect = Answered(
            chat=request.chat, named=ask.to is not None, said=memory.chosen, hand=request.hand, options=ask.options
        )
        if found is None and self.mode == "strict":
            raise ReplayMiss("no recorded answer", hint="replay.miss")
        run.live = run.live or found is None
        return Decision(request=request, effect=effect, found=found)

    def _looked_up(
        self, run: Execution, ask: Ask, former: Answered | None, *, fresh: bool
    ) -> tuple[Memory, Request, Answer | None]:
        for memory in self._memories(run):
            request = self.request(memory, run.cell, former, ask.to, ask.options)
            found = None if fresh else self._find(run, request, ask, former)
            if found:
                if memory is run.memory and not self.page.listed:
                    self.page.ran.add(run.cell.key)
                return memory, request, found
        if self.old_pending.get(request.chat):  # it is asked anyway: what was clicked before the restart counts
            request = self.request(memory, run.cell, former, ask.to, ask.options, anew=True)
            found = None if fresh else self._find(run, request, ask, former)
        return memory, request, found

    def _memories(self, run: Execution) -> Iterator[Memory]:
        """Yield what may be remembered: where there is no list, also without what is recorded and did not run here."""
        yield run.memory
        page = self.page
        if not page.listed and page.ran & page.recorded:
            skip = {cell.key for cell in page.cells if cell.key not in page.ran and cell is not run.cell}
            memory = page.without(skip, run.cell.key)
            for effect in run.step.effects:
                memory = effect.apply(memory, self.record, run.cell.key)
            yield memory

    def _find(self, run: Execution, request: Request, ask: Ask, former: Answered | None) -> Answer | None:
        """Return of several answers the one that stands here, else one that stands nowhere, else the newest."""
        page, key = self.page, run.cell.key
        found = [
            answer
            for answer in self.answers.find(request.chat, request.context, ask.prompt, request.config)
            if answer.id not in run.step.turns and not page.stands_above(answer.id, key)
        ]
        mine = [answer for answer in found if former and answer.id == former.turn]
        free = [answer for answer in found if not page.stands(answer.id, key)]
        return newest(mine or free or found)

    def request(
        self,
        memory: Memory,
        cell: Cell,
        former: Answered | None,
        to: str | None,
        options: Options,
        *,
        anew: bool = False,
    ) -> Request:
        """Return what an ask of a cell sends.

        Parameters
        ----------
        memory
            What is remembered where it asks.
        cell
            Which cell.
        former
            The ask that it takes the place of, if there is one.
        to
            The chat that it names, if it does.
        options
            The settings of this ask alone.
        anew
            Whether it is asked whatever stands there: what was clicked in an earlier kernel counts then.
        """
        chat = to or self.chat_of(memory, cell, former)
        said = of_chat(memory, chat, self.record)
        config = with_hand(said.config, former.hand) if former and former.chat == chat else said.config
        if not (former and former.turn) or anew:
            config = config.with_settings(self.old_pending.get(chat, {}))
        config = config.with_settings(self.pending.get(chat, {}))
        return Request(
            chat=chat,
            context=said.context,
            config=config.with_settings(dict(options)),
            hand=by_hand(said.config, config),
        )

    def chat_of(self, memory: Memory, cell: Cell, former: Answered | None) -> str:
        """Return the chat to which an ask goes that names none; empty if there is none yet."""
        if former and not former.named and self.record.has(former.chat):
            says_nothing = memory.current is None and memory.session is None
            if says_nothing or former.said == memory.chosen:  # the page above, or it says the same as then
                return former.chat
        if self.clicked:
            return self.clicked
        if memory.current:
            return memory.current
        return self._first_below(cell, memory.session) or self.record.first_chat(memory.session) or ""

    def _first_below(self, cell: Cell, session: str | None) -> str | None:
        for other in self.page.cells[self.page.position(cell.key) :]:
            if other is not cell and (step := self.page.steps.get(other.key)):
                for asked in step.asks:
                    if not asked.named and not asked.said and (not session or self.record.is_in(asked.chat, session)):
                        return asked.chat
        return None

    def answered(self, decision: Decision, turn: str | None, *, once: bool = False) -> None:
        """Note the turn that stands as the answer; None: the ask failed; *once*: it leaves no trace."""
        if once:
            return
        self._do(replace(decision.effect, turn=turn))
        if turn is None:
            return
        chat = decision.request.chat
        self.pending.pop(chat, None)
        if decision.request.hand:
            self.old_pending.pop(chat, None)

    # -- a command

    def command_chat(self) -> tuple[str, bool]:
        """Return the chat that a command of the running cell is for, and whether nothing above says so."""
        run = self.running
        assert run is not None
        if run.memory.current:
            return run.memory.current, False
        return self.chat_of(run.memory, run.cell, self._was_here(run)), True

    def _was_here(self, run: Execution) -> Answered | None:
        """Return the effect that the cell had at this point when it ran before, if it tells the chat of this one."""
        done = len(run.step.effects) - run.kept
        effect = run.before[done] if done < len(run.before) else None
        if isinstance(effect, Command):
            chat = effect.source if isinstance(effect, Fork) else effect.chat
            return Answered(chat=chat) if effect.alone else None
        return effect if isinstance(effect, Answered) else None
