"""A provider that answers from a script."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from robota_nb.core.ports import Finish, FinishReason, Request, StreamEvent, TextDelta, ToolCall, Usage
from robota_nb.testing.servers.fake_openai import count_words, last_prompt

if TYPE_CHECKING:
    from types import TracebackType

Piece: TypeAlias = str | StreamEvent | BaseException
Step: TypeAlias = str | Sequence[Piece] | StreamEvent | BaseException | Callable[[Request], Any]
"""What one ask gets, which is text, pieces of it, an exception to raise, or a function of the request giving these."""


class ScriptedProvider:
    """A provider that answers from a script, and fails the test if it is asked more or less than that.

    Parameters
    ----------
    steps
        One step for each ask: a ``str`` is one delta; a list holds deltas, events, and exceptions to raise at
        that point; an exception is raised at once; a callable gets the request and returns any of these. A
        step that does not end with a `Finish` of its own ends with ``stop``, or ``tool_calls`` if it has a `ToolCall`.
    name
        The provider's name.

    Attributes
    ----------
    requests
        Every `Request`, in order.

    Examples
    --------
    >>> with ScriptedProvider(["Hello", ["par", "tial", KeyboardInterrupt()]]) as provider:
    ...     ...

    Leaving the ``with`` block without an exception checks that every step was used; so does `assert_done`.

    Raises
    ------
    AssertionError
        For an ask that is not in the script, and for steps that nobody asked for.
    """

    def __init__(self, steps: Iterable[Step] = (), *, name: str = "scripted") -> None:
        self.name = name
        self.requests: list[Request] = []
        self._steps = deque(steps)
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"ScriptedProvider({self.name!r}, asked {len(self.requests)}, {len(self._steps)} steps left)"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        if kind is None:
            self.assert_done()

    def stream(self, request: Request) -> Iterator[StreamEvent]:
        """Play the next step, and keep the *request*."""
        with self._lock:
            self.requests.append(request)
            if not self._steps:
                raise AssertionError(
                    f"ask {len(self.requests)} is not in the script: {last_prompt(request.messages)!r}"
                )
            step = self._steps.popleft()
        return self._play(step(request) if callable(step) else step, request)

    def assert_done(self) -> None:
        """Check that every step was asked for."""
        if self._steps:
            raise AssertionError(
                f"{len(self._steps)} scripted steps were never asked for; the next is {self._steps[0]!r}"
            )

    def _play(self, step: Any, request: Request) -> Iterator[StreamEvent]:
        pieces = [step] if isinstance(step, (str, TextDelta, ToolCall, Finish, BaseException)) else step
        text = ""
        reason: FinishReason = "stop"
        for piece in pieces:
            if isinstance(piece, BaseException):
                raise piece
            event = TextDelta(piece) if isinstance(piece, str) else piece
            if isinstance(event, TextDelta):
                if not event.text:
                    continue
                text += event.text
            elif isinstance(event, ToolCall):
                reason = "tool_calls"
            yield event
            if isinstance(event, Finish):
                return
        usage = Usage(input_tokens=count_words(request.messages), output_tokens=len(text.split()))
        yield Finish(reason=reason, model=request.model, usage=usage)
