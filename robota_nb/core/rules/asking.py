"""Which answer does an ask of a cell get? Which chat it goes to, with what before it, and whether that is on record.

An `Asking` is what one kernel knows of its own life: the page, what was clicked, and the cell that runs. It decides,
and leaves it to others to ask the model and to write.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from robota_nb.core.record.config import Config
from robota_nb.core.record.parameters import SUMMARY
from robota_nb.core.record.text import short
from robota_nb.core.rules.answers import newest
from robota_nb.core.rules.effects import (
    Answered,
    ByHand,
    Choose,
    Command,
    Enter,
    Fork,
    Set,
    Step,
    after,
    by_hand,
    of_chat,
    with_hand,
)
from robota_nb.core.rules.page import Record as PageRecord
from robota_nb.errors import ReplayMiss

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from robota_nb.core.record.attachments import Attached
    from robota_nb.core.rules.answers import Answer, Answers
    from robota_nb.core.rules.effects import Effect, Options
    from robota_nb.core.rules.memory import Context, Memory
    from robota_nb.core.rules.modes import Mode, Rerun
    from robota_nb.core.rules.page import Cell, Page
    from robota_nb.errors import RobotaError

_NOTHING = "nothing is recorded for this prompt"

Outcome: TypeAlias = Literal["asked", "replayed", "failed"]
"""How a cell has ended here."""


class Record(PageRecord, Protocol):
    """What is to be known of the record."""

    def has(self, chat: str) -> bool:
        """Say whether there is such a chat."""
        ...

    def first_chat(self, session: str | None) -> str | None:
        """Return the first one, of all or of a session; None if there is none."""
        ...

    def chat_name(self, chat: str) -> str:
        """Return what a chat is called."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a cell asks.

    Parameters
    ----------
    prompt
        A digest of the text, the pictures and the files.
    to
        The chat that the ask goes to, if that is said.
    named
        Whether the ask itself says it; else there was no chat, and this one was begun for it.
    within
        The session that the ask names, if it names no chat.
    options
        The settings of this ask alone.
    fresh
        Whether a recorded answer is out of the question.
    attached
        The pictures, files and cells that go along.
    lacks
        What keeps the model from being asked, as what is to go along is not known: only a recorded answer will do.
    tools
        The names of the tools that are offered, by the ids of their entries.
    sources
        The hashes of the sources that those have which are functions of the notebook, by their names.
    """

    prompt: bytes
    to: str | None = None
    named: bool = True
    within: str | None = None
    options: Options = ()
    fresh: bool = False
    attached: tuple[Attached, ...] = ()
    lacks: RobotaError | None = None
    tools: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)

    def changed(self, answer: Answer) -> str:
        """Return the name of a function that was run for an answer, and has another source now; empty if none has."""
        return next((name for name, source in answer.called if self.sources.get(name, source) != source), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What would be sent, as far as it decides which answers fit.

    Parameters
    ----------
    chat
        Which chat.
    context
        All that is sent before the prompt.
    base
        The settings, without those of the ask alone.
    config
        The settings with them.
    hand
        What of them was clicked.
    """

    chat: str
    context: Context
    base: Config
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
    fresh
        Whether it asks anew whatever is recorded.
    missed
        Whether an ask of it was refused, because nothing is recorded.
    clicked
        Whether something that was clicked has been used, or does not count any more.
    states
        The sessions whose state it has set.
    """

    cell: Cell
    was: Step | None
    step: Step
    memory: Memory
    kept: int = 0
    before: tuple[Effect, ...] = ()
    asked: int = 0
    live: bool = False
    fresh: bool = False
    missed: bool = False
    clicked: bool = False
    former_asks: list[Answered] = field(default_factory=list)
    states: set[str] = field(default_factory=set)

    @property
    def former(self) -> Answered | None:
        """The ask of the former run whose place the next ask takes."""
        return self.former_asks[self.asked] if self.asked < len(self.former_asks) else None


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
    used
        Whether it has been asked since.
    clicked_session
        The session that was clicked, if it has no chat.
    anew
        The keys of the cells whose next run asks anew.
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
    used: bool = False
    clicked_session: str | None = None
    anew: set[str] = field(default_factory=set)
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
        memory = after(page.above(cell.key), kept, self.record, cell.key)
        self.running = Execution(
            cell=cell, was=was, step=step, memory=memory, kept=len(kept), before=before, fresh=cell.key in self.anew,
            former_asks=[effect for effect in before if isinstance(effect, Answered)],
        )  # fmt: skip
        self.anew.discard(cell.key)
        return self.running

    def append(self) -> None:
        """Have the running cell go on after what it asked before, unless it has done something already."""
        run = self.running
        assert run is not None
        if run.step.effects or run.asked or run.kept:
            return
        self.page.put(run.cell.key, run.was)
        now = self.begin(run.cell, append=True)
        now.states, now.fresh = run.states, run.fresh

    def redo(self, count: int | None = None) -> bool:
        """Have the running cell do what it did when it ran before, the first *count* of it; False if that was less."""
        run = self.running
        assert run is not None
        again = run.before[:count]
        for effect in again:
            run.asked += isinstance(effect, Answered)
            self._do(effect)
        return count in (None, len(again))

    def end(self, *, failed: bool = False) -> bool:
        """Note that the cell has ended, and return whether what it did is to be recorded.

        If it failed because nothing was recorded and the mode let nobody be asked, what it did before still counts.
        """
        run, self.running = self.running, None
        assert run is not None
        key = run.cell.key
        self.outcomes[key] = "failed" if failed else "asked" if run.live else "replayed"
        self.page.ran.add(key)
        step = run.step
        if failed and run.missed:
            step = run.was or replace(step, effects=())
        same = run.was is not None and run.was.says_the_same(step)
        new = not same and (run.was is not None or bool(step.effects))
        if same and run.missed and run.live:  # else the next kernel would take what was asked for what stands
            same, new = False, True
        if not failed and same and run.clicked:  # else the next kernel would take the click for one that was not used
            same, new = False, True
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
            self.clicked = self.clicked_session = None
        elif isinstance(effect, Set) and self.running and effect.key in self.pending.get(effect.chat, {}):
            del self.pending[effect.chat][effect.key]
            self.running.clicked = True
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
            If none does, and the mode lets nobody be asked in this place.
        RobotaError
            If none does, and the ask lacks something.
        """
        run = self.running
        assert run is not None
        former = run.former
        run.asked += 1
        again = bool(
            self.rerun == "ask" and run.cell.key in self.outcomes and former and former.turn
            and former.turn in self.answers and self.answers[former.turn].prompt == ask.prompt
        )  # fmt: skip
        fresh = ask.fresh or again or run.fresh or self.mode == "off"
        memory, request, found = self._looked_up(run, ask, former, fresh=fresh)
        effect = Answered(
            chat=request.chat, named=bool(ask.within or (ask.to and ask.named)), said=memory.chosen, hand=request.hand,
            options=ask.options,
        )  # fmt: skip
        if found is None and not self.may_ask(former):
            run.missed = True
            hint = "replay.new" if self.mode == "stale" else "replay.miss"
            raise ReplayMiss(self._why_missed(request, ask, former), hint="" if ask.fresh else hint)
        if found is None and ask.lacks:
            run.missed = True
            raise ask.lacks
        run.live = run.live or found is None
        return Decision(request=request, effect=effect, found=found)

    def may_sum_up(self, *, again: bool, what: str) -> None:
        """Note that the model is asked for a summary in the running cell; *again*: it was when that ran before.

        Raises
        ------
        ReplayMiss
            If the mode lets nobody be asked; *what* is not recorded.
        """
        run = self.running
        assert run is not None
        if self.mode == "strict" or (self.mode == "stale" and not again):
            run.missed = True
            raise ReplayMiss(f"{what} is not recorded", hint="replay.new" if self.mode == "stale" else "replay.miss")
        run.live = True

    def may_ask(self, former: Answered | None) -> bool:
        """Say whether the mode lets the model be asked in the place of this ask of the former run."""
        return self.mode != "strict" and (self.mode != "stale" or bool(former and former.turn))

    def _why_missed(self, request: Request, ask: Ask, former: Answered | None) -> str:
        if not request.chat:
            return "no answer is recorded: there is no chat yet"
        name = self.record.chat_name(request.chat)
        if ask.fresh:
            return f"{name!r} is asked anew each time (--fresh, --once): take the option off, or skip the cell"
        if self.mode == "stale":
            return f"no recorded answer in {name!r}: this cell had none, and only what is stale or edited is asked"
        alike = list(self.answers.of_prompt(request.chat, ask.prompt))
        if not alike and former and former.turn and former.chat != request.chat:
            why = f"nothing is recorded there; the answer of this cell is in {self.record.chat_name(former.chat)!r}"
        elif not alike:
            known = former.turn if former else None
            why = f"{self._what_differs(ask, known)} from what is recorded" if known else _NOTHING
        elif all(answer.context.says != request.context.says for answer in alike):
            why = "what was said before it differs from what is recorded"
        else:
            here = [answer.config for answer in alike if answer.context.says == request.context.says]
            key = min(self.answers.differing(here[-1], request.config, request.context), default="")
            tool = next(filter(None, map(ask.changed, alike)), "")
            why = f"the tool {tool} has changed since it was called" if tool else "its answer stands in a cell above"
            why = f"the {key} differs from what is recorded" if key else why
        return f"no recorded answer in {name!r}: {why}"

    def _what_differs(self, ask: Ask, turn: str) -> str:
        """Say what of a prompt is not as a turn asked it: the first file or cell that is not, else the prompt."""
        answer = self.answers.get(turn)
        if answer and set(answer.tools) != set(ask.tools):
            new = sorted(name for eid, name in ask.tools.items() if eid not in answer.tools)
            return f"the tool {new[0]} differs" if new else "what tools are offered differs"
        was = {one.said for one in answer.attached} if answer else set()
        first = next((one for one in ask.attached if one.name and one.said and one.said not in was), None)
        if first is None:
            return "the prompt differs"
        return f"{short(first.name)} differs" if first.cell else f"the file {first.name!r} differs"

    def _looked_up(
        self, run: Execution, ask: Ask, former: Answered | None, *, fresh: bool
    ) -> tuple[Memory, Request, Answer | None]:
        for memory in self._memories(run):
            to = ask.to or (self._chat_within(memory, ask.within, former) if ask.within else None)
            request = self.request(memory, run.cell, former, to, ask.options)
            found = None if fresh else self._find(run, request, ask, former)
            if found:
                if memory is run.memory and not self.page.listed:
                    self.page.ran.add(run.cell.key)
                return memory, request, found
        if self.old_pending.get(request.chat):  # it is asked anyway: what was clicked before the restart counts
            request = self.request(memory, run.cell, former, to, ask.options, anew=True)
            found = None if fresh else self._find(run, request, ask, former)
        return memory, request, found

    def _memories(self, run: Execution) -> Iterator[Memory]:
        """Yield what may be remembered: where there is no list, also without what is recorded and did not run here."""
        yield run.memory
        page = self.page
        if not page.listed and page.ran & page.recorded:
            skip = {cell.key for cell in page.cells if cell.key not in page.ran and cell is not run.cell}
            memory = page.without(skip, run.cell.key)
            yield after(memory, run.step.effects, self.record, run.cell.key)

    def _find(self, run: Execution, request: Request, ask: Ask, former: Answered | None) -> Answer | None:
        """Return of several answers the one that stands here, else one that stands nowhere, else the newest."""
        page, key = self.page, run.cell.key
        found = [
            answer
            for answer in self.answers.find(request.chat, request.context, ask.prompt, request.config)
            if answer.id not in run.step.turns and not page.stands_above(answer.id, key) and not ask.changed(answer)
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
        chat = self.chat_of(memory, cell, former) if to is None else to
        said = of_chat(memory, chat, self.record)
        config = with_hand(said.config, former.hand) if former and former.chat == chat else said.config
        if not (former and former.turn) or anew:
            config = config.with_settings(self._waiting(chat, said.context))
        config = config.with_settings(self.pending.get(chat, {}))
        return Request(
            chat=chat,
            context=said.context,
            base=config,
            config=config.with_settings(dict(options)),
            hand=by_hand(said.config, config),
        )

    def _waiting(self, chat: str, context: Context) -> Mapping[str, str]:
        """Return what was clicked of a chat and counts for what is asked anyway; a summary, where it can be sent."""
        clicked = self.old_pending.get(chat, {})
        named = clicked.get(SUMMARY)
        if not named or self.answers.sums_up(Config(provider="", params={SUMMARY: named}), context):
            return clicked
        return {key: value for key, value in clicked.items() if key != SUMMARY}

    def chat_of(self, memory: Memory, cell: Cell, former: Answered | None) -> str:
        """Return the chat to which an ask goes that names none; empty if there is none yet."""
        if former and not former.named and self._is_there(former.chat, memory):
            says_nothing = memory.current is None and memory.session is None
            if says_nothing or former.said == memory.chosen:  # the page above, or it says the same as then
                return former.chat
        if self.clicked or self.clicked_session:
            return self.clicked or self.record.first_chat(self.clicked_session) or ""
        if memory.current and self._is_there(memory.current, memory):
            return memory.current
        return self._first_below(cell, memory.session) or self.record.first_chat(memory.session) or ""

    def _is_there(self, chat: str, memory: Memory) -> bool:
        """Say whether a chat is there: one that is deleted below comes back with the command that chooses it."""
        return self.record.has(chat) or memory.chosen in (chat, self.record.session_of(chat))

    def _chat_within(self, memory: Memory, session: str, former: Answered | None) -> str:
        """Return the chat to which an ask goes that names a session, and no chat; empty if it has none yet."""

        def fits(chat: str | None) -> bool:
            return bool(chat and self.record.has(chat) and self.record.session_of(chat) == session)

        if former and former.named and fits(former.chat):
            return former.chat
        chat = next((chat for chat in (self.clicked, memory.last_in(session)) if fits(chat)), None)
        if chat is None and memory.current and fits(memory.current):
            chat = memory.current
        return chat or self.record.first_chat(session) or ""

    def target(self, ask: Ask) -> str:
        """Return the chat to which the running cell's next ask goes; empty if that is still to be begun."""
        run = self.running
        assert run is not None
        if ask.to:
            return ask.to
        if ask.within:
            return self._chat_within(run.memory, ask.within, run.former)
        return self.chat_of(run.memory, run.cell, run.former)

    def where_to_begin(self) -> str | None:
        """Return the session in which a chat is to be begun; None if nothing says which."""
        run = self.running
        return self.clicked_session or (run.memory.session if run else self.page.end().session)

    def _first_below(self, cell: Cell, session: str | None) -> str | None:
        for other in self.page.cells[self.page.position(cell.key) :]:
            if other is not cell and (step := self.page.steps.get(other.key)):
                for asked in step.asks:
                    fits = not session or self.record.session_of(asked.chat) == session
                    if fits and not asked.named and not asked.said and self.record.has(asked.chat):
                        return asked.chat
        return None

    def answered(self, decision: Decision, turn: str | None, *, once: bool = False) -> None:
        """Note the turn that stands as the answer; None: the ask failed; *once*: it leaves no trace."""
        if once:
            return
        assert self.running is not None
        chat, used = decision.request.chat, 0
        if turn is not None:
            self.used = self.used or chat == self.clicked
            clicked = self.pending.pop(chat, None)
            if decision.found is None or self._goes_along(chat, decision.request):
                clicked = self.old_pending.pop(chat, None) or clicked
            if clicked and decision.found is not None:
                self.running.clicked, used = True, self.page.next_n()
        self._do(replace(decision.effect, turn=turn, used=used))

    def _goes_along(self, chat: str, request: Request) -> bool:
        """Say whether something that waited, and counts for what is asked anyway, went into a request."""
        waited = self.old_pending.get(chat, {})
        return any(waited.get(key) == value for key, _, value in request.hand)

    def resolved(self, decision: Decision, base: Config) -> Decision:
        """Return a decision with other settings than the page gives, because nobody has chosen any."""
        assert self.running is not None
        request = decision.request
        if base == request.base:
            return decision
        given = of_chat(self.running.memory, request.chat, self.record).config
        config = base.with_settings(dict(decision.effect.options))
        request = replace(request, base=base, config=config, hand=by_hand(given, base))
        return replace(decision, request=request, effect=replace(decision.effect, hand=request.hand))

    # -- a command

    def command_chat(self) -> tuple[str, bool]:
        """Return the chat that a command of the running cell is for, and whether nothing above says so."""
        run = self.running
        assert run is not None
        if run.memory.current and self.record.has(run.memory.current):
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
