"""Public doubles for tests: a scripted provider, a recording renderer, and real local model servers, good and bad.

None of them sleeps or guesses: what they do is scripted, and what was asked of them is recorded. And `check_provider`,
for tests of providers.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Self, TypeAlias, get_args

from robota_nb._fake_openai import FakeOpenAIServer, count_words, last_prompt
from robota_nb._fault_server import Act, FaultServer, Shape, http
from robota_nb._stream_shapes import SHAPES
from robota_nb.core.ports import Finish, FinishReason, Provider, Request, StreamEvent, TextDelta, Usage, Waiting

if TYPE_CHECKING:
    from types import TracebackType

__all__ = [
    "SHAPES",
    "Act",
    "FakeOpenAIServer",
    "FaultServer",
    "RecordingRenderer",
    "ScriptedProvider",
    "Shape",
    "Step",
    "check_provider",
    "http",
]

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
        step that does not end with a `Finish` of its own ends with ``stop``.
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
        pieces = [step] if isinstance(step, (str, TextDelta, Finish, BaseException)) else step
        text = ""
        for piece in pieces:
            if isinstance(piece, BaseException):
                raise piece
            event = TextDelta(piece) if isinstance(piece, str) else piece
            if isinstance(event, TextDelta):
                if not event.text:
                    continue
                text += event.text
            yield event
            if isinstance(event, Finish):
                return
        usage = Usage(input_tokens=count_words(request.messages), output_tokens=len(text.split()))
        yield Finish(reason="stop", model=request.model, usage=usage)


class RecordingRenderer:
    """A renderer that remembers what it was told.

    Attributes
    ----------
    deltas
        What was fed, piece by piece.
    reason
        How the answer ended, or ``None`` while it runs.
    metadata
        The metadata given at the end.
    """

    def __init__(self) -> None:
        self.deltas: list[str] = []
        self.reason: FinishReason | None = None
        self.metadata: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"RecordingRenderer({self.text!r}, reason={self.reason!r})"

    @property
    def text(self) -> str:
        """All that was fed."""
        return "".join(self.deltas)

    def feed(self, delta: str) -> None:
        """Remember *delta*; nothing may come after the end."""
        assert self.reason is None, "feed() after finish()"
        self.deltas.append(delta)

    def finish(self, reason: FinishReason, metadata: Mapping[str, Any]) -> None:
        """Remember the *reason* and the *metadata* it ended with; it ends once."""
        assert self.reason is None, "finish() twice"
        self.reason = reason
        self.metadata = dict(metadata)


def check_provider(provider: Provider, request: Request) -> str:
    """Check that a provider keeps to what `robota_nb.core.ports.Provider` asks of it.

    It is asked six times: once, then by four threads at the same time, and once without being heard out.

    Parameters
    ----------
    provider
        The provider, with a server that can answer.
    request
        What it is asked.

    Returns
    -------
    str
        The text of the first answer.

    Raises
    ------
    AssertionError
        If it does not; the text says in what.
    """
    from concurrent.futures import ThreadPoolExecutor

    assert isinstance(provider, Provider), "a provider has a name and stream()"
    assert isinstance(provider.name, str), "its name is a str"
    sent = deepcopy((request.messages, request.params))
    text = _checked_answer(provider.stream(request))
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: _checked_answer(provider.stream(request)), range(4)))
    unheard = provider.stream(request)
    next(unheard)
    if hasattr(unheard, "close"):
        unheard.close()
    assert (request.messages, request.params) == sent, "a request is only read"
    return text


def _checked_answer(stream: Iterator[StreamEvent]) -> str:
    text = ""
    finish = None
    for event in stream:
        assert finish is None, f"{event!r} comes after the Finish"
        if isinstance(event, TextDelta):
            assert isinstance(event.text, str), f"{event!r} holds no text"
            assert event.text, "a TextDelta is never empty"
            text += event.text
        elif isinstance(event, Waiting):
            assert not text, f"{event!r} comes after text"
        else:
            assert isinstance(event, Finish), f"{event!r} is no event of a stream"
            finish = event
    assert finish is not None, "the stream ends without a Finish; what broke off is a ProviderError"
    assert finish.reason in get_args(FinishReason), f"{finish.reason!r} is no finish reason"
    return text
