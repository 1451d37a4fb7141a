"""The one test that every provider has to pass."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, get_args

from robota_nb.core.ports import (
    Besides,
    Echo,
    Finish,
    FinishReason,
    Provider,
    ReasoningDelta,
    Remark,
    Request,
    SignOfLife,
    StreamEvent,
    TextDelta,
    TextWasReasoning,
    ToolCall,
    Waiting,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


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
        if isinstance(event, (TextDelta, ReasoningDelta)):
            assert isinstance(event.text, str), f"{event!r} holds no text"
            assert event.text, f"a {type(event).__name__} is never empty"
            text += event.text if isinstance(event, TextDelta) else ""
        elif isinstance(event, TextWasReasoning):
            text = ""
        elif isinstance(event, ToolCall):
            assert event.name, f"{event!r} has no name"
        elif isinstance(event, (Besides, Echo)):
            continue
        elif isinstance(event, (Remark, Waiting)):
            assert not text, f"{event!r} comes after text"
        elif not isinstance(event, SignOfLife):
            assert isinstance(event, Finish), f"{event!r} is no event of a stream"
            finish = event
    assert finish is not None, "the stream ends without a Finish; what broke off is a ProviderError"
    assert finish.reason in get_args(FinishReason), f"{finish.reason!r} is no finish reason"
    return text
