"""A turn in flight: asks the provider, hands on the text, and records what came, however it ends."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_args

from robota_nb.core import entries as make
from robota_nb.core.entries import MAX_MESSAGE_BYTES
from robota_nb.core.interrupts import deferred
from robota_nb.core.ports import Finish, FinishReason, Request, Usage
from robota_nb.errors import ProviderError, RobotaError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    from robota_nb.core.chat import Chat
    from robota_nb.core.config import Config
    from robota_nb.core.fold import Asked
    from robota_nb.core.ports import StreamEvent
    from robota_nb.core.turn import Turn

MAX_TOKENS = 2**53
UNFINISHED = ("interrupted", "error")
"""How answers end that are kept only for the text that had arrived."""

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
        The asking cell, and what cells had set (see `robota_nb.core.replay`).
    record
        Whether the turn becomes part of the chat.
    """

    text: str
    place: str | None
    config: Config
    options: Mapping[str, str] = field(default_factory=dict)
    cell: Asked | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    record: bool = True


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


def _answer(
    chat: Chat, make_plan: Callable[[], Plan], told: list[Callable[[Turn], None]]
) -> Generator[str, None, None]:
    parts: list[str] = []
    ended = False

    def end(reason: FinishReason, model: str = "", usage: Usage | None = None) -> None:
        nonlocal ended
        with deferred():  # recorded, stored and carried, or none of it
            if (parts or reason not in UNFINISHED) and not ended:
                ended = True
                turn = chat.record_turn(plan, "".join(parts), reason, model or config.model, usage)
                for tell in told:
                    tell(turn)

    with chat.busy():
        plan = make_plan()
        config = plan.config.with_settings(plan.options)
        events: Iterator[StreamEvent] | None = None
        try:
            request = _request(chat, plan, config)
            manager = chat.session.manager
            events = manager.providers.get(config.provider).stream(request)
            manager.requests += 1
            finish, room = Finish(reason="unknown"), MAX_MESSAGE_BYTES
            for event in events:
                if isinstance(event, Finish):
                    finish = _checked(event)
                    continue
                text = make.clean(event.text)
                room -= len(text.encode())
                if room < 0:  # more than a snapshot's message may hold: as if the model had been cut off
                    finish = Finish(reason="length")
                    break
                parts.append(text)
                yield text
            end(finish.reason, finish.model, finish.usage)
        except RobotaError:
            end("error")
            raise
        except Exception as error:  # noqa: BLE001 - other people's code may raise anything
            log.debug("the provider %s failed with %s", config.provider, type(error).__name__)
            end("error")
            raise ProviderError(
                f"the provider {config.provider!r} failed with {type(error).__name__}: "
                "ask again, or switch the provider"
            ) from None
        except BaseException:  # the user's interrupt, or nobody listens any more
            end("interrupted")
            raise
        finally:
            if close := getattr(events, "close", None):
                close()
        if not parts and finish.reason in UNFINISHED:
            raise ProviderError(f"the provider {config.provider!r} gave up before any text came: ask again")


def _request(chat: Chat, plan: Plan, config: Config) -> Request:
    make.check_message_size(plan.text)
    messages: list[dict[str, Any]] = chat.history(plan.place)
    if config.system:
        messages.insert(0, {"role": "system", "content": config.system})
    messages.append({"role": "user", "content": plan.text})
    return Request(model=config.model, messages=messages, params=config.decoded_params())


def _checked(finish: Finish) -> Finish:
    """Return what a provider said at the end as far as a snapshot can hold it: providers are other people's code."""
    usage = finish.usage
    counts = (usage.input_tokens, usage.output_tokens) if usage else ()
    return Finish(
        reason=finish.reason if finish.reason in get_args(FinishReason) else "unknown",
        model=make.clean(finish.model) if isinstance(finish.model, str) else "",
        usage=usage if all(type(count) is int and 0 <= count < MAX_TOKENS for count in counts) else None,
    )
