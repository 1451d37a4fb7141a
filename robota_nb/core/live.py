"""A turn in flight: asks the provider, hands on the text, and records what came, however it ends."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

from robota_nb.core.events import Delayed, Notice, TextArrived, TurnEnded, TurnStarted
from robota_nb.core.interrupts import Cancellation, deferred
from robota_nb.core.plan import Arriving
from robota_nb.core.ports import Finish, FinishReason, Request, Waiting
from robota_nb.core.record import entries as make
from robota_nb.core.record.entries import MAX_MESSAGE_BYTES, UNFINISHED
from robota_nb.core.record.text import count
from robota_nb.core.recording import record_turn
from robota_nb.core.rules import provenance
from robota_nb.core.rules import request as requests
from robota_nb.errors import ProviderError, RobotaError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from robota_nb.core.ledger import Ledger
    from robota_nb.core.plan import Plan
    from robota_nb.core.ports import StreamEvent
    from robota_nb.core.record.view import SessionView
    from robota_nb.core.rules.states import Here
    from robota_nb.core.turn import Turn

MAX_TOKENS = 2**53

_DELAYED = "the server asks to wait {:.0f} s: waiting, then it is asked again"

log = logging.getLogger("robota_nb")


class LiveTurn:
    """Iterate over it for the text as it arrives; afterwards `turn` is the whole.

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
        Called with the recorded turn.
    here
        The cell that asks; None from outside of cells.
    """

    def __init__(
        self,
        ledger: Ledger,
        view: SessionView,
        chat_id: str,
        plan: Callable[[], Plan],
        done: Callable[[Turn], None] | None = None,
        *,
        here: Here | None = None,
    ) -> None:
        self.chat_id = chat_id
        self._turns: list[Turn] = []
        # The generator does not know this object: without that circle, dropping one closes the other at once.
        told = [self._turns.append, *([done] if done else [])]
        self._stream = _answer(ledger, view, chat_id, plan, told, here=here)

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

    def __init__(self, ledger: Ledger, arriving: Arriving, told: list[Callable[[Turn], None]]) -> None:
        self.turn: Turn | None = None
        self._ledger, self._arriving, self._told = ledger, arriving, told

    def end(self, finish: Finish) -> None:
        """Record the turn, if there is something to keep."""
        runtime = self._ledger.runtime
        with deferred(), runtime.lock:  # recorded, stored and carried, or none of it; nobody sees it twice, or not
            runtime.arriving.pop(self._arriving.chat, None)
            if (self._arriving.parts or finish.reason not in UNFINISHED) and self.turn is None:
                self.turn = record_turn(self._ledger, self._arriving, finish)
                for tell in self._told:
                    tell(self.turn)


def _answer(
    ledger: Ledger,
    view: SessionView,
    chat: str,
    make_plan: Callable[[], Plan],
    told: list[Callable[[Turn], None]],
    *,
    here: Here | None,
) -> Generator[str, None, None]:
    runtime = ledger.runtime
    with runtime.one_turn(view, chat, here) as cancellation, ledger.kept_if_answered(view):
        plan, parts = make_plan(), list[str]()
        plan = replace(plan, config=ledger.to_ask(plan.config))
        arriving = Arriving(view=view, chat=chat, plan=plan, parts=parts)
        outcome = _Outcome(ledger, arriving, told)
        where = {"session": view.id, "chat": chat}
        provider = plan.asked_of.provider
        events: Iterator[StreamEvent] | None = None
        runtime.arriving[chat] = arriving
        runtime.emit(TurnStarted(**where, prompt=plan.text))
        try:
            events = _send(ledger, view, chat, plan, cancellation)
            runtime.requests += 1
            finish, room = Finish(reason="unknown"), MAX_MESSAGE_BYTES
            for event in events:
                if cancellation.cancelled:
                    break
                if isinstance(event, Finish):
                    finish = _checked(event)
                    continue
                if isinstance(event, Waiting):
                    runtime.emit(Delayed(**where, text=_DELAYED.format(event.seconds)))
                    continue
                text = make.clean(event.text)
                room -= len(text.encode())
                if room < 0:  # more than a snapshot's message may hold: as if the model had been cut off
                    finish = Finish(reason="length")
                    break
                _take(ledger, arriving, text)
                yield text
            finish = Finish(reason="interrupted") if cancellation.cancelled else finish
            outcome.end(finish)
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
            runtime.arriving.pop(chat, None)
            runtime.emit(TurnEnded(**where, turn=outcome.turn.id if outcome.turn else None))
        if not parts and finish.reason in UNFINISHED:
            raise _nothing(provider, stopped=cancellation.cancelled)


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


def _send(
    ledger: Ledger, view: SessionView, chat: str, plan: Plan, cancellation: Cancellation
) -> Iterator[StreamEvent]:
    """Begin to ask; the user is told first what is unusual about it."""
    runtime = ledger.runtime
    request = build_request(view, plan, runtime.limits.max_messages, cancellation)
    provider = runtime.providers.get(plan.asked_of.provider)
    _tell_if_long(ledger, view, chat, request)
    _tell_what_is_foreign(ledger, view, chat, plan)
    return provider.stream(request)


LONG_BYTES = 400_000
"""Bytes of a history (about 100,000 tokens) beyond which its user is told, once a chat, what each ask sends."""


def _tell_if_long(ledger: Ledger, view: SessionView, chat: str, request: Request) -> None:
    runtime = ledger.runtime
    if chat in runtime.warned:
        return
    size = sum(_size(message["content"]) for message in request.messages)
    if size > LONG_BYTES:
        runtime.warned.add(chat)
        name = view.chat_name(chat)
        runtime.emit(
            Notice(text=f"each ask in {name!r} now sends about {size // 1000:,} KB of history", hint="chat.shorten")
        )


def _size(content: str | list[dict[str, Any]]) -> int:
    if isinstance(content, str):
        return len(content)
    return sum(len(part["text"] if "text" in part else part["image_url"]["url"]) for part in content)


def _tell_what_is_foreign(ledger: Ledger, view: SessionView, chat: str, plan: Plan) -> None:
    """Before an ask carries what somebody else wrote to a provider, tell the user, once a chat and provider."""
    runtime, config = ledger.runtime, plan.asked_of
    told = f"{chat} {config.provider}"
    if not runtime.foreign or told in runtime.warned:
        return
    with runtime.lock:
        sent = requests.sent_before(view.record, plan.place, runtime.limits.max_messages)
        turns, settings = provenance.foreign_parts(view.record, runtime.foreign, plan.place, sent, config)
    what = [count(turns, "foreign turn")] if turns else []
    what += [f"foreign settings ({', '.join(settings)})"] if settings else []
    if what:
        runtime.warned.add(told)
        text = f"{view.chat_name(chat)!r} sends {' and '.join(what)} to {config.target}: somebody else wrote that"
        runtime.emit(Notice(text=text, hint="chat.preview"))


def build_request(
    view: SessionView, plan: Plan, max_messages: int, cancellation: Cancellation | None = None
) -> Request:
    """Return what a plan sends to the provider, with at most *max_messages* of the path before it; 0: with all."""
    config = plan.asked_of
    make.check_message_size(plan.text)
    make.image_entries(plan.images)  # what cannot be recorded is not sent
    ids = requests.sent_before(view.record, plan.place, max_messages)
    messages = requests.messages(view.record, ids)
    if config.system:
        messages.insert(0, {"role": "system", "content": config.system})
    messages.append({"role": "user", "content": make.content_parts(plan.text, plan.images)})
    return Request(
        model=config.model,
        messages=messages,
        params=config.decoded_params(),
        cancellation=cancellation or Cancellation(),
    )


def _checked(finish: Finish) -> Finish:
    """Return what a provider said at the end as far as a snapshot can hold it: providers are other people's code."""
    usage = finish.usage
    counts = (usage.input_tokens, usage.output_tokens) if usage else ()
    return Finish(
        reason=finish.reason if finish.reason in get_args(FinishReason) else "unknown",
        model=make.clean(finish.model) if isinstance(finish.model, str) else "",
        usage=usage if all(type(count) is int and 0 <= count < MAX_TOKENS for count in counts) else None,
    )
