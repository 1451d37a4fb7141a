"""A turn in flight: asks the provider, hands on the text, and records what came, however it ends."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from robota_nb.core import entries as make
from robota_nb.core.entries import MAX_MESSAGE_BYTES
from robota_nb.core.ports import Finish, FinishReason, Request, Usage
from robota_nb.errors import ProviderError, RobotaError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    from robota_nb.core.chat import Chat
    from robota_nb.core.config import Config
    from robota_nb.core.fold import Asked
    from robota_nb.core.turn import Turn

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
    is recorded and marked; without text nothing is.
    """

    def __init__(self, chat: Chat, plan: Plan, done: Callable[[Turn], None] | None = None) -> None:
        self.chat = chat
        self.plan = plan
        self.turn: Turn | None = None
        self._done = done
        self._stream = self._run()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        return next(self._stream)

    def close(self) -> None:
        """Stop: closes the connection and keeps what has arrived, marked as interrupted."""
        self._stream.close()

    def result(self) -> Turn:
        """Wait for the end and return the turn."""
        for _ in self:
            pass
        assert self.turn is not None
        return self.turn

    def _run(self) -> Generator[str, None, None]:
        parts: list[str] = []
        with self.chat.busy():
            events = None
            try:
                request = self.request()
                manager = self.chat.session.manager
                events = manager.providers.get(self._effective.provider).stream(request)
                manager.requests += 1
                finish, room = Finish(reason="unknown"), MAX_MESSAGE_BYTES
                for event in events:
                    if isinstance(event, Finish):
                        finish = event
                        continue
                    text = make.clean(event.text)
                    room -= len(text.encode())
                    if room < 0:  # more than a snapshot's message may hold: as if the model had been cut off
                        finish = Finish(reason="length")
                        break
                    parts.append(text)
                    yield text
            except (KeyboardInterrupt, GeneratorExit):
                self._end("interrupted", parts)
                raise
            except RobotaError:
                self._end("error", parts)
                raise
            except Exception as error:
                log.debug("provider failed", exc_info=True)
                self._end("error", parts)
                raise ProviderError(
                    f"the provider {self._effective.provider!r} failed with {type(error).__name__}: ask again, or switch the provider"
                ) from None
            finally:
                if close := getattr(events, "close", None):
                    close()
            self._end(finish.reason, parts, model=finish.model, usage=finish.usage)

    @property
    def _effective(self) -> Config:
        return self.plan.config.with_settings(self.plan.options)

    def request(self) -> Request:
        """Return what the provider is asked."""
        config = self._effective
        make.check_message_size(self.plan.text)
        messages: list[dict[str, Any]] = self.chat.history(self.plan.place)
        if config.system:
            messages.insert(0, {"role": "system", "content": config.system})
        messages.append({"role": "user", "content": self.plan.text})
        return Request(model=config.model, messages=messages, params=config.decoded_params())

    def _end(self, reason: FinishReason, parts: list[str], model: str = "", usage: Usage | None = None) -> None:
        """Record the turn, unless nothing came of it."""
        if not parts and reason in ("interrupted", "error"):
            return
        self.turn = self.chat.record_turn(self.plan, "".join(parts), reason, model or self._effective.model, usage)
        if self._done:
            self._done(self.turn)
