"""Keep a key out of what others write: answers, error messages, tracebacks, and the logs of the libraries below.

A server was sent the key and may send it back, by mistake or not. An answer goes into the notebook, and from there to
whoever gets the file; so the whole key does not pass. Parts of a key, and encodings of it, cannot be told from text
that the user wants, and stay in answers; from error messages they are removed, too.
"""

from __future__ import annotations

import logging
import re
from base64 import b64encode
from contextlib import closing, contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

from robota_nb.core.ports import TextDelta, Waiting
from robota_nb.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from types import TracebackType

    from robota_nb.core.ports import StreamEvent
    from robota_nb.providers.keys.secret import Secret

__all__ = ["hide_frames", "redacted", "redacted_logs", "scrub", "shortened"]

_REDACTED = "…"


# -- answers

_SHORT = 8
_WORDS = re.compile(r"([A-Z]?[a-z]+|[A-Z]+)([-_.]([A-Z]?[a-z]+|[A-Z]+))*")
"""What users write where a server needs no key, such as `lm-studio` or `EMPTY`; an answer may say it."""


def redacted(events: Generator[StreamEvent], key: Secret) -> Iterator[StreamEvent]:
    """Yield the events of an answer without the key, also where the key comes in pieces.

    Parameters
    ----------
    events
        The answer; closed when this is.
    key
        The key. An empty or short one, or one made of plain words, is not redacted.
    """
    with closing(events):
        if len(key.reveal()) < _SHORT or _WORDS.fullmatch(key.reveal()):
            yield from events
            return
        held = ""  # the end of the text so far, if the key may begin there
        try:
            for event in events:
                if isinstance(event, TextDelta):
                    text = (held + event.text).replace(key.reveal(), _REDACTED)
                    held = _possible_beginning(text, key)
                    if shown := text.removesuffix(held):
                        yield TextDelta(shown)
                elif isinstance(event, Waiting):
                    yield event
                else:
                    if held:
                        yield TextDelta(held)
                        held = ""
                    named = key.reveal()[:_SHORT] in event.model  # providers may shorten the name, and the key with it
                    yield replace(event, model=_REDACTED) if named else event
        except ProviderError:
            if held:
                yield TextDelta(held)
            raise


def _possible_beginning(text: str, key: Secret) -> str:
    """Return the longest end of a text that the key may begin with."""
    whole = key.reveal()
    start = max(len(text) - len(whole) + 1, 0)
    while (start := text.find(whole[0], start)) >= 0:
        if whole.startswith(text[start:]):
            return text[start:]
        start += 1
    return ""


# -- error messages

_FRAGMENT = 4
"""Error messages show no piece of a key that has so many characters (servers like to quote `sk-...abcd`)."""

_KEY_LIKE = re.compile(r"sk[-_]\S+", re.IGNORECASE)
_TERMINAL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://\S+|\bwww\.\S+", re.IGNORECASE)


def scrub(text: str, key: Secret, limit: int) -> str:
    """Return a server's words as one short line, without control characters, URLs, and pieces of the key.

    Parameters
    ----------
    text
        The server's words.
    key
        The key that the server was sent.
    limit
        The most characters that the line may have.
    """
    visible = "".join(char if char.isprintable() else " " for char in _TERMINAL.sub(" ", text[:2000]))
    visible = _KEY_LIKE.sub(_REDACTED, _URL.sub(_REDACTED, visible))
    fragments = _fragments(key)
    words = (_REDACTED if _has_any(word, fragments) else word for word in visible.split())
    return shortened(" ".join(words), limit)


def shortened(text: str, limit: int) -> str:
    """Return a text, cut if it has more characters than *limit*."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _fragments(key: Secret) -> set[str]:
    """Return all pieces of a key that are too long to show: as it is, and in the encodings that headers use."""
    whole = key.reveal().encode()
    found = _pieces(whole.decode().casefold(), _FRAGMENT) | _pieces(whole.hex(), 2 * _FRAGMENT)
    for before in (b"", b"-", b"--"):  # Base64 has another text for each place that the key may begin at
        found |= _pieces(b64encode(before + whole).decode().casefold(), 2 * _FRAGMENT)
    return found


def _pieces(text: str, size: int) -> set[str]:
    return {text[start : start + size] for start in range(len(text) - size + 1)}


def _has_any(word: str, fragments: set[str]) -> bool:
    plain = unquote(word).casefold()
    return any(piece in fragments for size in (_FRAGMENT, 2 * _FRAGMENT) for piece in _pieces(plain, size))


# -- tracebacks


class hide_frames:  # noqa: N801 (it is used as a function is, like contextlib.suppress)
    """Let errors leave the ``with`` block without the frames inside it, and without the errors that led to them.

    A verbose traceback shows the variables of each frame, and those of a frame that talks to a server hold the key.
    (A class, because ``contextlib.contextmanager`` puts the traceback back.)
    """

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if isinstance(error, (ProviderError, KeyboardInterrupt)):
            error.__traceback__ = error.__context__ = error.__cause__ = None


# -- logs

_key_in_use: ContextVar[Secret | None] = ContextVar("robota_nb_key_in_use", default=None)
_MAX_RECORD = 500


@contextmanager
def redacted_logs(key: Secret, *libraries: str) -> Iterator[None]:
    """Keep the key and the prompts out of what libraries log while the block runs, in this thread.

    Parameters
    ----------
    key
        The key that they carry.
    *libraries
        The packages that log, such as ``"httpx2"``. What they log for other users is left as it is.
    """
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if name.partition(".")[0] in libraries and isinstance(logger, logging.Logger):
            logger.addFilter(_redact_record)  # adding it again changes nothing
    token = _key_in_use.set(key)
    try:
        yield
    finally:
        _key_in_use.reset(token)


def _redact_record(record: logging.LogRecord) -> bool:
    key = _key_in_use.get()
    if key is None:
        return True
    if isinstance(record.args, dict) and "json_data" in record.args:  # the openai SDK's whole request, with the prompts
        return False
    record.msg, record.args, record.exc_info = scrub(record.getMessage(), key, _MAX_RECORD), (), None
    return True
