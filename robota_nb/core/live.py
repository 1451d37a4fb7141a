"""A turn in flight: asks the provider, hands on the text, and records what came, however it ends."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_args

from robota_nb.core.events import Delayed, Notice, TextArrived, TurnEnded, TurnStarted
from robota_nb.core.interrupts import Cancellation, deferred
from robota_nb.core.ports import Finish, FinishReason, Request, Waiting
from robota_nb.core.record import entries as make
from robota_nb.core.record.entries import MAX_MESSAGE_BYTES
from robota_nb.core.rules import provenance as foreign
from robota_nb.errors import ProviderError, RobotaError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    from robota_nb.core.chat import Chat
    from robota_nb.core.ports import Image, StreamEvent
    from robota_nb.core.record.config import Config
    from robota_nb.core.record.nodes import Asked
    from robota_nb.core.turn import Turn

MAX_TOKENS = 2**53
UNFINISHED = ("interrupted", "error")
"""How answers end that are kept only for the text that had arrived."""

_DELAYED = "the server asks to wait {:.0f} s: waiting, then it is asked again"

log = logging.getLogger("robota_nb")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be asked, where it hangs, and what will be remembered of who asked.

    Parameters
    ----------
    text
        The prompt.
    place
        The message it follows; None for the start of the chat.
    config
        The chat's config; *options* are over it for this turn alone.
    cell, settings
        The asking cell, and what cells had set (see `robota_nb.core.rules.replay`).
    record
        Whether the turn becomes part of the chat.
    images
        The pictures that go with the prompt.
    """

    text: str
    place: str | None
    config: Config
    options: Mapping[str, str] = field(default_factory=dict)
    cell: Asked | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    record: bool = True
    images: tuple[Image, ...] = ()

    @property
    def asked_of(self) -> Config:
        """The config that the request is made with."""
        return self.config.with_settings(self.options)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arriving:
    """A turn that is being asked: where, its plan, and the text that has arrived so far, in the pieces that came."""

    chat: Chat
    plan: Plan
    parts: list[str]


class LiveTurn:
    """Iterate over it for the text as it arrives; afterwards `turn` is the whole.

    The chat is busy from the first text asked for until the end. What arrived before an error or an interrupt
    is recorded and marked; without text nothing is. Dropping it half-way stops it, as `close` does.

    Parameters
    ----------
    chat
        Where the turn goes.
    plan
        Says what is to be asked, when the chat is free and the turn begins.
    done
        Called with the recorded turn.
    """

    def __init__(self, chat: Chat, plan: Callable[[], Plan], done: Callable[[Turn], None] | None = None) -> None:
        self.chat = chat
        self._turns: list[Turn] = []
        # The generator does not know this object: without that circle, dropping one closes the other at once.
        self._stream = _answer(chat, plan, [self._turns.append, *([done] if done else [])])

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

    def __init__(self, chat: Chat, plan: Plan, told: list[Callable[[Turn], None]]) -> None:
        self.parts: list[str] = []
        self.turn: Turn | None = None
        self._chat, self._plan, self._told = chat, plan, told

    def end(self, finish: Finish) -> None:
        """Record the turn, if there is something to keep."""
        manager = self._chat.session.manager
        with deferred(), manager.lock:  # recorded, stored and carried, or none of it; nobody sees it twice, or not
            manager.arriving.pop(self._chat.id, None)
            if (self.parts or finish.reason not in UNFINISHED) and self.turn is None:
                self.turn = self._chat.record_turn(self._plan, "".join(self.parts), finish)
                for tell in self._told:
                    tell(self.turn)


def _answer(
    chat: Chat, make_plan: Callable[[], Plan], told: list[Callable[[Turn], None]]
) -> Generator[str, None, None]:
    with chat.busy() as cancellation:
        plan = make_plan()
        outcome, manager = _Outcome(chat, plan, told), chat.session.manager
        where = {"session": chat.session.id, "chat": chat.id}
        provider = plan.asked_of.provider
        events: Iterator[StreamEvent] | None = None
        manager.arriving[chat.id] = Arriving(chat=chat, plan=plan, parts=outcome.parts)
        manager.emit(TurnStarted(**where, prompt=plan.text))
        try:
            request = build_request(chat, plan, cancellation)
            events = _send(chat, plan, request, provider)
            manager.requests += 1
            finish, room = Finish(reason="unknown"), MAX_MESSAGE_BYTES
            for event in events:
                if cancellation.cancelled:
                    break
                if isinstance(event, Finish):
                    finish = _checked(event)
                    continue
                if isinstance(event, Waiting):
                    manager.emit(Delayed(**where, text=_DELAYED.format(event.seconds)))
                    continue
                text = make.clean(event.text)
                room -= len(text.encode())
                if room < 0:  # more than a snapshot's message may hold: as if the model had been cut off
                    finish = Finish(reason="length")
                    break
                outcome.parts.append(text)
                manager.emit(TextArrived(**where, text=text))
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
            manager.arriving.pop(chat.id, None)
            manager.emit(TurnEnded(**where, turn=outcome.turn.id if outcome.turn else None))
        if not outcome.parts and finish.reason in UNFINISHED:
            raise _nothing(provider, stopped=cancellation.cancelled)


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


def _send(chat: Chat, plan: Plan, request: Request, provider: str) -> Iterator[StreamEvent]:
    """Begin to ask; the user is told first what is unusual about it."""
    asked = chat.session.manager.providers.get(provider)
    _warn_if_long(chat, request)
    foreign.tell(chat, plan)
    return asked.stream(request)


LONG_BYTES = 400_000
"""Bytes of a history (about 100,000 tokens) beyond which its user is told, once a chat, what each ask sends."""


def _warn_if_long(chat: Chat, request: Request) -> None:
    manager = chat.session.manager
    size = sum(_size(message["content"]) for message in request.messages)
    if size > LONG_BYTES and chat.id not in manager.warned:
        manager.warned.add(chat.id)
        manager.emit(
            Notice(
                text=f"each ask in {chat.name!r} now sends about {size // 1000:,} KB of history: %robota chat clear or "
                "chat fork --at makes it shorter, c.RobotaMagics.max_messages limits it"
            )
        )


def _size(content: str | list[dict[str, Any]]) -> int:
    if isinstance(content, str):
        return len(content)
    return sum(len(part["text"] if "text" in part else part["image_url"]["url"]) for part in content)


def build_request(chat: Chat, plan: Plan, cancellation: Cancellation | None = None) -> Request:
    """Return what a plan sends to the provider."""
    config = plan.asked_of
    make.check_message_size(plan.text)
    make.image_entries(plan.images)  # what cannot be recorded is not sent
    messages: list[dict[str, Any]] = chat.history(plan.place)
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
