"""Keeps a key out of what others write: out of an answer, and out of the records of the libraries that carry it.

A server was sent the key and may send it back, by mistake or not. An answer goes into the notebook, and from there to
whoever gets the file; so the whole key does not pass. Parts of it, and other codes for it, cannot be told from text
that the user wants, and stay. A frame of a traceback shows what it holds, so none that read a server is left in one.
"""

from __future__ import annotations

import logging
import re
from contextlib import closing, contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import TYPE_CHECKING

from robota_nb.core.ports import TextDelta, Waiting
from robota_nb.errors import ProviderError
from robota_nb.providers.failures import Secret, scrub

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from types import TracebackType

    from robota_nb.core.ports import StreamEvent

__all__ = ["Outermost", "discreet_logs", "veiled"]

_INSTEAD = "…"
_SHORT = 8
_WORDS = re.compile(r"([A-Z]?[a-z]+|[A-Z]+)([-_.]([A-Z]?[a-z]+|[A-Z]+))*")
"""What stands for a key where none is needed, such as `lm-studio` or `EMPTY`, may be said."""


def veiled(events: Generator[StreamEvent], key: Secret) -> Iterator[StreamEvent]:
    """Yield the events of an answer without the key, also where it comes in pieces.

    Parameters
    ----------
    events
        What the server says; closed when this is.
    key
        The key; empty, short ones and plain words are let through.
    """
    with closing(events):
        if len(key.reveal()) < _SHORT or _WORDS.fullmatch(key.reveal()):
            yield from events
            return
        held = ""  # what may be the beginning of the key
        try:
            for event in events:
                if isinstance(event, TextDelta):
                    text = (held + event.text).replace(key.reveal(), _INSTEAD)
                    held = _beginning(text, key)
                    if shown := text.removesuffix(held):
                        yield TextDelta(shown)
                elif isinstance(event, Waiting):
                    yield event
                else:
                    if held:
                        yield TextDelta(held)
                        held = ""
                    named = key.reveal()[:_SHORT] in event.model  # which is cut, and so perhaps the key in it
                    yield replace(event, model=_INSTEAD) if named else event
        except ProviderError:
            if held:
                yield TextDelta(held)
            raise


def _beginning(text: str, key: Secret) -> str:
    """Return the longest end of a text that the key may begin with."""
    whole = key.reveal()
    start = max(len(text) - len(whole) + 1, 0)
    while (start := text.find(whole[0], start)) >= 0:
        if whole.startswith(text[start:]):
            return text[start:]
        start += 1
    return ""


class Outermost:
    """Around all that reads a server: what went wrong leaves without the frames below."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if isinstance(error, (ProviderError, KeyboardInterrupt)):
            error.__traceback__ = error.__context__ = error.__cause__ = None


# -- the records of other libraries

_LIBRARIES = ("openai", "httpx2", "httpcore2")
_asking: ContextVar[Secret | None] = ContextVar("robota_nb_asking", default=None)
_MAX_RECORD = 500


@contextmanager
def discreet_logs(key: Secret) -> Iterator[None]:
    """Let no key and no prompt into the records that the libraries below us write meanwhile, in this thread.

    Other users of these libraries find their own records as they were.
    """
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if name.partition(".")[0] in _LIBRARIES and isinstance(logger, logging.Logger):
            logger.addFilter(_tidy)  # which is there once, however often it is added
    token = _asking.set(key)
    try:
        yield
    finally:
        _asking.reset(token)


def _tidy(record: logging.LogRecord) -> bool:
    key = _asking.get()
    if key is None:
        return True
    if isinstance(record.args, dict) and "json_data" in record.args:  # the whole request, with the prompts
        return False
    record.msg, record.args, record.exc_info = scrub(record.getMessage(), key, _MAX_RECORD), (), None
    return True
