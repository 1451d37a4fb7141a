"""A turn in flight: asks the provider, hands on the text, and records what came, however it ends."""

from __future__ import annotations

import logging
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, get_args

from robota_nb.core.calling import Calling
from robota_nb.core.doubts import doubts_of
from robota_nb.core.events import (
    Delayed,
    Notice,
    ServerHeard,
    TextArrived,
    TextTakenBack,
    TurnEnded,
    TurnStarted,
)
from robota_nb.core.interrupts import Cancellation, deferred
from robota_nb.core.plan import ONE_ROUND, Arriving
from robota_nb.core.ports import (
    Besides,
    Echo,
    Finish,
    FinishReason,
    ReasoningDelta,
    Remark,
    Request,
    SignOfLife,
    TextDelta,
    TextWasReasoning,
    ToolCall,
    Usage,
    Waiting,
)
from robota_nb.core.record import entries as make
from robota_nb.core.record.attachments import content_parts, is_picture_type
from robota_nb.core.record.besides import checked
from robota_nb.core.record.config import OFFLINE
from robota_nb.core.record.entries import MAX_MESSAGE_BYTES, UNFINISHED
from robota_nb.core.record.kinds import is_key
from robota_nb.core.record.lookalikes import named, told_apart
from robota_nb.core.record.text import count
from robota_nb.core.recording import record_turn
from robota_nb.core.rules import provenance
from robota_nb.core.rules import request as requests
from robota_nb.core.rules.summaries import counting
from robota_nb.core.rules.tokens import estimate
from robota_nb.core.runtime import window_of
from robota_nb.errors import ForeignChange, KeyMissing, ProviderError, RobotaError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    from robota_nb.core.ledger import Ledger
    from robota_nb.core.plan import Plan
    from robota_nb.core.ports import Provider, StreamEvent
    from robota_nb.core.record.view import SessionView
    from robota_nb.core.rules.states import Here
    from robota_nb.core.runtime import Runtime
    from robota_nb.core.turn import Turn

MAX_TOKENS = 2**53
_MAX_COUNTS = 32  # of an answer, beside the tokens in and out

_DELAYED = "the server asks to wait {:.0f} s: waiting, then it is asked again"

log = logging.getLogger("robota_nb")


class LiveTurn:
    """Iterate over it for the text as it arrives; afterwards `turn` is the whole.

    Of some models only the end of their thoughts can be told, when these have come as text: they are not in the turn's.

    The chat is busy from the first text asked for until the end. What arrived before an error or an interrupt
    is recorded and marked; without text nothing is. Dropping it half-way stops it, as `close` does.

    Parameters
    ----------
    ledger
        Where the turn is recorded.
    view, chat_id
        The session, and the id of the chat that is asked.
    plan
        Says what is to be asked, when the chat is free and the turn begins.
    done
        Called with the recorded turn; with None, if nothing of it is kept.
    here
        The cell that asks; None from outside of cells.
    """

    def __init__(
        self,
        ledger: Ledger,
        view: SessionView,
        chat_id: str,
        plan: Callable[[], Plan],
        done: Callable[[Turn | None], None] | None = None,
        *,
        here: Here | None = None,
    ) -> None:
        self.chat_id = chat_id
        self._turns: list[Turn | None] = []
        # The generator does not know this object: without that circle, dropping one closes the other at once.
        told = [self._turns.append, *([done] if done else [])]
        self._cancellation = Cancellation()
        self._stream = _answer(ledger, view, chat_id, plan, told, here=here, cancellation=self._cancellation)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        return next(self._stream)

    @property
    def turn(self) -> Turn | None:
        """The turn, once it has ended with something to keep."""
        return self._turns[0] if self._turns else None

    def close(self) -> None:
        """Stop: closes the connection and keeps what has arrived, marked as interrupted."""
        self._stream.close()

    def cancel(self) -> None:
        """Have another thread, which waits for the next piece of text, stop at once."""
        self._cancellation.cancel()

    def result(self) -> Turn:
        """Wait for the end and return the turn.

        Raises
        ------
        ProviderError
            If the model cannot be asked, the answer breaks off, or it was closed before any text came.
        """
        for _ in self:
            pass
        if self.turn is None:
            raise ProviderError("the answer was stopped before any text came: ask again")
        return self.turn


class _Outcome:
    """What has arrived of an answer, and the turn that is made of it, once."""

    def __init__(self, ledger: Ledger, arriving: Arriving, told: list[Callable[[Turn | None], None]]) -> None:
        self.turn: Turn | None = None
        self.arriving = arriving
        self._ledger, self._told = ledger, told
        self._room = MAX_MESSAGE_BYTES  # for thoughts
        self._begin()

    def _begin(self) -> None:
        self._ledger.runtime.arriving[self.arriving.chat] = self.arriving

    def take_back(self) -> None:
        """Take what has arrived so far for thoughts."""
        self.arriving = self.arriving.taken_back()
        self._begin()

    def think(self, text: str) -> None:
        """Add thoughts, as many as may be kept."""
        text = make.clean(text)
        self._room -= len(text.encode())
        if self._room >= 0:
            self.arriving.thoughts.append(text)

    def end(self, finish: Finish) -> None:
        """Record the turn, if there is something to keep."""
        runtime = self._ledger.runtime
        with deferred(), runtime.lock:  # recorded, stored and carried, or none of it; nobody sees it twice, or not
            runtime.arriving.pop(self.arriving.chat, None)
            something = self.arriving.parts or self.arriving.besides.pictures or self.arriving.steps
            if (something or finish.reason not in UNFINISHED) and self.turn is None:
                self.turn = record_turn(self._ledger, self.arriving, finish)
                for tell in self._told:
                    tell(self.turn)

    def close(self) -> None:
        """Tell that nothing of the turn is kept, if that is so."""
        self._ledger.runtime.arriving.pop(self.arriving.chat, None)
        if self.turn is None:
            for tell in self._told:
                tell(None)


def _answer(
    ledger: Ledger,
    view: SessionView,
    chat: str,
    make_plan: Callable[[], Plan],
    told: list[Callable[[Turn | None], None]],
    *,
    here: Here | None,
    cancellation: Cancellation,
) -> Generator[str, None, None]:
    runtime = ledger.runtime
    with runtime.one_turn(view, chat, cancellation, here), ledger.kept_if_answered(view):
        plan = make_plan()
        plan = replace(plan, config=ledger.to_ask(plan.config))
        outcome = _Outcome(ledger, Arriving(view=view, chat=chat, plan=plan), told)
        where = {"session": view.id, "chat": chat}
        provider = plan.asked_of.provider
        events: Iterator[StreamEvent] | None = None
        runtime.emit(TurnStarted(**where, prompt=plan.text))
        try:
            answering, request, calling = _begin(ledger, view, chat, plan, cancellation)
            ended: Finish | None = None
            while ended is None:
                _close(events)
                events = answering.stream(request)
                runtime.requests += 1
                finish = yield from _heard(events, ledger, outcome, where, cancellation)
                ended = calling.after(outcome.arriving, finish) if calling and not cancellation.cancelled else finish
                request = calling.request if calling else request
            outcome.end(Finish(reason="interrupted") if cancellation.cancelled else ended)
        except Exception as error:  # other people's code may raise anything, also because it was cancelled
            finish = Finish(reason="interrupted" if cancellation.cancelled else "error")
            outcome.end(finish)
            if not cancellation.cancelled:
                if isinstance(error, RobotaError):
                    raise
                raise _failure(provider, error) from None
        except BaseException:  # the user's interrupt, or nobody listens any more
            outcome.end(Finish(reason="interrupted"))
            raise
        finally:
            _close(events)
            outcome.close()
            runtime.emit(TurnEnded(**where, turn=outcome.turn.id if outcome.turn is not None else None))
        if outcome.turn is None:
            raise _nothing(provider, stopped=cancellation.cancelled)


def _heard(
    events: Iterator[StreamEvent],
    ledger: Ledger,
    outcome: _Outcome,
    where: Mapping[str, str],
    cancellation: Cancellation,
) -> Generator[str, None, Finish]:
    """Take what a provider yields, hand on its text, and return how it ended."""
    finish, room = Finish(reason="unknown"), MAX_MESSAGE_BYTES
    for event in events:
        if cancellation.cancelled:
            break
        if isinstance(event, Finish):
            finish = _checked(event)
            continue
        if not isinstance(event, TextDelta):
            _take_other(event, outcome, where, ledger.runtime)
            continue
        text = make.clean(event.text)
        room -= len(text.encode())
        if room < 0:  # more than a snapshot's message may hold: as if the model had been cut off
            return Finish(reason="length")
        _take(ledger, outcome.arriving, text)
        yield text
    return finish


def _take_other(
    event: ReasoningDelta | TextWasReasoning | SignOfLife | Besides | Waiting | Remark | ToolCall | Echo,
    outcome: _Outcome,
    where: Mapping[str, str],
    runtime: Runtime,
) -> None:
    """Take what comes beside the text, and tell the subscribers."""
    match event:
        case ReasoningDelta():
            outcome.think(event.text)
            runtime.emit(ServerHeard(**where, thinking=True))
        case TextWasReasoning():
            outcome.take_back()
            runtime.emit(TextTakenBack(**where))
        case SignOfLife():
            runtime.emit(ServerHeard(**where, thinking=event.thinking))
        case Besides():
            outcome.arriving.besides = checked(event)
        case Waiting():
            runtime.emit(Delayed(**where, text=_DELAYED.format(event.seconds), seconds=event.seconds))
        case Remark():
            runtime.emit(Notice(text=make.clean(event.text)))
        case ToolCall():
            outcome.arriving.calls.append(event)
        case Echo():
            outcome.arriving.echo = event.items


def _take(ledger: Ledger, arriving: Arriving, text: str) -> None:
    """Add what has arrived, and tell the subscribers."""
    arriving.parts.append(text)
    if arriving.plan.record and len(arriving.parts) == 1:
        ledger.keep(arriving.view)
    ledger.runtime.emit(TextArrived(session=arriving.view.id, chat=arriving.chat, text=text))


def _close(events: object) -> None:
    """Close the connection that answers come over; an iterator that has none need not know how."""
    close = getattr(events, "close", None)
    if close is not None:
        close()


def _failure(provider: str, error: Exception) -> ProviderError:
    what = type(error).__name__
    log.debug("the provider %s failed with %s", provider, what)
    return ProviderError(f"the provider {provider!r} failed with {what}: ask again, or switch the provider")


def _nothing(provider: str, *, stopped: bool) -> ProviderError:
    what = "the answer was stopped" if stopped else f"the provider {provider!r} gave up"
    return ProviderError(f"{what} before any text came: ask again")


def _begin(
    ledger: Ledger, view: SessionView, chat: str, plan: Plan, cancellation: Cancellation
) -> tuple[Provider, Request, Calling | None]:
    """Return who is asked what, and what runs the calls; the user is told first what is unusual about it."""
    runtime = ledger.runtime
    runtime.shelve(plan.attached)
    request = build_request(runtime, view, plan, cancellation)
    if plan.asked_of.is_fallback:
        _check_fallback(ledger, view, chat)
    provider = runtime.providers.get(plan.asked_of.provider)
    _tell_if_long(ledger, view, chat, plan, request, window=window_of(provider, request.model))
    _tell_what_is_foreign(ledger, view, chat, plan)
    return provider, request, _calling(runtime, view, chat, plan, request)


def _calling(runtime: Runtime, view: SessionView, chat: str, plan: Plan, request: Request) -> Calling | None:
    if plan.rounds is ONE_ROUND:
        return None
    sent = _sent_before(runtime, view, plan)
    doubts = doubts_of(runtime, view, chat, plan, [*sent.summed, *sent.nodes])
    if plan.rounds.tools:
        plan.rounds.tools.check(doubted=doubts.are_left)
    return Calling(runtime, request, plan, doubts)


def _check_fallback(ledger: Ledger, view: SessionView, chat: str) -> None:
    """Raise if the embedded model is not to answer for want of a key.

    Raises
    ------
    KeyMissing
        If another model has answered in the chat before.
    """
    ledger.runtime.check_fallback()
    asked = (view.record.config(node.config) for node in view.record.chats[chat].children if node.config)
    if real := next((config for config in asked if config.provider != OFFLINE), None):
        raise KeyMissing(
            f"{real.target} has answered in {view.chat_name(chat)!r}, and now there is no key for a model",
            hint="endpoint.choose",
        )


LONG_BYTES = 400_000
"""Bytes of a history (about 100,000 tokens) beyond which its user is told, once a chat, what each ask sends."""


NEARLY_FULL = 0.8
"""The part of a window from which on its user is told, once a chat, how full it is."""


def _tell_if_long(ledger: Ledger, view: SessionView, chat: str, plan: Plan, request: Request, *, window: int) -> None:
    runtime = ledger.runtime
    if chat in runtime.warned or plan.sums_up:
        return
    name = view.chat_name(chat)
    if window:
        tokens = estimate(view.record, plan.before, plan.asked_of, plan.text)
        text = f"{name!r} sends about {tokens:,} of the {window:,} tokens that fit"
        is_long = tokens >= NEARLY_FULL * window
    else:
        size = sum(_size(message["content"]) for message in request.messages)
        text = f"each ask in {name!r} now sends about {size // 1000:,} KB of history"
        is_long = size > LONG_BYTES
    if is_long:
        runtime.warned.add(chat)
        runtime.emit(Notice(text=text, hint="chat.shorten"))


def _size(content: str | list[Any] | dict[str, Any] | None) -> int:
    """Return how many characters the texts have that are in a content."""
    if isinstance(content, str) or content is None:
        return len(content or "")
    parts = content.values() if isinstance(content, dict) else content
    return sum(map(_size, parts))


def _tell_what_is_foreign(ledger: Ledger, view: SessionView, chat: str, plan: Plan) -> None:
    """Tell the user what somebody else wrote, or has changed, of an ask, before it is sent; nothing of it twice.

    Raises
    ------
    ForeignChange
        If somebody else has changed where or with what the user's chat asks, and nobody would see that it is told.
    """
    runtime, config = ledger.runtime, plan.asked_of
    with runtime.lock:
        sent = _sent_before(runtime, view, plan)
        nodes = [*sent.summed, *sent.nodes]
        if not runtime.foreign and not any(node.imported for node in nodes):
            return
        found = provenance.foreign_parts(view.record, runtime.foreign, chat, nodes, config)
        told = runtime.told_foreign.setdefault((chat, config.provider), set())
        new, policy = found.without(told), runtime.on_foreign_change()
        name, target = view.chat_name(chat), named(config.target)
        if policy != "refuse" or not new.moves_the_chat:
            told |= found.told()
    if new.moves_the_chat and policy != "tell":
        raise ForeignChange(f"{_about(name, new, target)}; nothing was sent", hint="run.trust")
    if new.doubtful and not runtime.told_doubtful:
        runtime.told_doubtful = True
        runtime.emit(Notice(text=_about_doubtful(name, new, target), hint="chat.preview"))
    if new.told():
        runtime.emit(Notice(text=_about(name, new, target), hint="chat.preview"))


def _about(name: str, foreign: provenance.ForeignParts, target: str) -> str:
    """Say what of an ask somebody else wrote or has changed, and where it goes."""
    what = [count(len(foreign.turns), "foreign turn")] if foreign.turns else []
    what += [f"foreign settings ({provenance.listed(foreign.settings)})"] if foreign.settings else []
    was, name = foreign.was_called, told_apart(name, [foreign.was_called or name])
    sends = f"{name!r} sends {' and '.join(what)} to {target}: somebody else wrote that"
    if was is None:
        return sends
    renamed = f"{name!r} was called {told_apart(was, [name])!r} until somebody else renamed it; it asks {target}"
    return f"{renamed}; {sends}" if what else renamed


def _about_doubtful(name: str, foreign: provenance.ForeignParts, target: str) -> str:
    """Say that nothing is known of who wrote what is sent, and where it goes."""
    what = f"{name!r} sends {count(len(foreign.doubtful), 'turn')} to {target}"
    return f"{what} that may be somebody else's: your store was empty when this notebook came"


def build_request(runtime: Runtime, view: SessionView, plan: Plan, cancellation: Cancellation | None = None) -> Request:
    """Return what a plan sends to the provider."""
    config = plan.asked_of
    pictures = config.choice("pictures")
    make.check_message_size(plan.text)
    plan.attached_entries  # noqa: B018 - what cannot be recorded is not sent
    history = _sent_before(runtime, view, plan)
    has_picture = any(is_picture_type(one.media_type) for one in plan.attached)
    messages, turns, echo = requests.messages(
        view.record,
        history,
        pictures="none" if pictures == "latest" and has_picture else pictures,
        mark_unfinished=runtime.mark_unfinished,
        steps_for=config.provider if plan.rounds.tools else None,
    )
    if config.system:
        messages.insert(0, {"role": "system", "content": config.system})
        echo = {at + 1: items for at, items in echo.items()}
    messages.append({"role": "user", "content": content_parts(plan.text, plan.attached)})
    return Request(
        model=config.model,
        messages=messages,
        turns=turns,
        params=config.decoded_params(),
        tools=tuple(plan.rounds.tools.specs) if plan.rounds.tools else (),
        echo=echo,
        cancellation=cancellation or Cancellation(),
    )


def _sent_before(runtime: Runtime, view: SessionView, plan: Plan) -> requests.History:
    summary = counting(view.record, plan.asked_of, plan.before)
    limit = 0 if plan.sums_up else runtime.limits.max_messages
    return requests.sent_before(view.record, plan.before, limit, summary)


def _checked(finish: Finish) -> Finish:
    """Return what a provider said at the end as far as a snapshot can hold it: providers are other people's code."""
    return Finish(
        reason=finish.reason if finish.reason in get_args(FinishReason) else "unknown",
        model=make.clean(finish.model) if isinstance(finish.model, str) else "",
        usage=finish.usage and _checked_usage(finish.usage),
    )


def _checked_usage(usage: Usage) -> Usage | None:
    if not (_is_count(usage.input_tokens) and _is_count(usage.output_tokens)):
        return None
    more = {name: count for name, count in usage.more.items() if is_key(name) and _is_count(count)}
    return replace(usage, more=dict(islice(more.items(), _MAX_COUNTS)))


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < MAX_TOKENS
