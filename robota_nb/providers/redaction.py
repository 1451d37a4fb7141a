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

from robota_nb.core.ports import Besides, Echo, Finish, ReasoningDelta, Source, TextDelta, TextWasReasoning, ToolCall
from robota_nb.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from types import TracebackType

    from robota_nb.core.ports import StreamEvent
    from robota_nb.providers.keys.secret import Secret

__all__ = ["hide_frames", "redacted", "redacted_logs", "scrub", "shortened", "without_key"]

_REDACTED = "…"


# -- answers

_SHORT = 8
_WORDS = re.compile(r"([A-Z]?[a-z]+|[A-Z]+)([-_.]([A-Z]?[a-z]+|[A-Z]+))*")
"""What users write where a server needs no key, such as `lm-studio` or `EMPTY`; an answer may say it."""


def redacted(events: Generator[StreamEvent], key: Secret) -> Generator[StreamEvent]:
    """Yield the events of an answer without the key, also where the key comes in pieces.

    Parameters
    ----------
    events
        The answer; closed when this is.
    key
        The key. An empty or short one, or one made of plain words, is not redacted.
    """
    with closing(events):
        if not _is_secret(key):
            yield from events
            return
        # The ends of what is said and of what is thought, if the key may begin there.
        held: dict[type[TextDelta | ReasoningDelta], str] = {TextDelta: "", ReasoningDelta: ""}
        try:
            for event in events:
                if isinstance(event, (TextDelta, ReasoningDelta)):
                    kind = type(event)
                    text = (held[kind] + event.text).replace(key.reveal(), _REDACTED)
                    held[kind] = _possible_beginning(text, key)
                    if shown := text.removesuffix(held[kind]):
                        yield kind(shown)
                elif isinstance(event, Besides):
                    yield replace(event, sources=tuple(_without_key(source, key) for source in event.sources))
                elif isinstance(event, ToolCall):
                    yield ToolCall(
                        id=without_key(event.id, key),
                        name=without_key(event.name, key),
                        arguments=without_key(event.arguments, key),
                    )
                elif isinstance(event, Echo):
                    yield Echo(tuple(without_key(item, key) for item in event.items))
                elif isinstance(event, Finish):
                    yield from _released(held)
                    named = key.reveal()[:_SHORT] in event.model  # providers may shorten the name, and the key with it
                    yield replace(event, model=_REDACTED) if named else event
                else:
                    if isinstance(event, TextWasReasoning):
                        yield from _released(held)
                    yield event
        except ProviderError:
            yield from _released(held)
            raise


def without_key(text: str, key: Secret) -> str:
    """Return a whole text without the key; one that is empty, short or made of plain words stays."""
    return text.replace(key.reveal(), _REDACTED) if _is_secret(key) else text


def _is_secret(key: Secret) -> bool:
    return len(key.reveal()) >= _SHORT and not _WORDS.fullmatch(key.reveal())


def _without_key(source: Source, key: Secret) -> Source:
    return Source(title=without_key(source.title, key), url=without_key(source.url, key))


def _released(held: dict[type[TextDelta | ReasoningDelta], str]) -> Iterator[StreamEvent]:
    """Yield what was held back, as no more comes that could make it the key."""
    for kind, text in held.items():
        if text:
            held[kind] = ""
            yield kind(text)


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

_FRAGMENT = 8
"""Error messages show no piece of a key that has so many characters."""

_END = 4
"""Nor its first or last characters, so many or more, where they stand alone or beside a mask (``sk-...abcd``); nor any
more than these, if it is a word with letters and digits, which is no ordinary one."""

_WORD = re.compile(r"(?=.{1,12}$)([A-Z]?[a-z]+|[A-Z]+)")
"""A part of a key that may be an ordinary word."""

_NOT_OF_KEYS = re.compile(r"[^\w+/=~-]")
_MIXED = re.compile(r"(?=.*[0-9])(?=.*[^\W0-9_])")
_PUNCTUATION = "\"'`.,;:!?()[]{}<>"
_MASK = re.compile(r"\*{2,}|\.{2,}|…|•+|#{2,}|[xX]{4,}|_{3,}")
_KEY_LIKE = re.compile(r"(?<![a-z0-9])sk[-_]\S+", re.IGNORECASE)
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
    shows = _shows(key)
    words = (_REDACTED if shows(word) else word for word in visible.split())
    return shortened(" ".join(words), limit)


def shortened(text: str, limit: int) -> str:
    """Return a text, cut if it has more characters than *limit*."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _shows(key: Secret) -> Callable[[str], bool]:
    """Return what says whether a word shows something of the key; ordinary words do not, even if they are in it."""
    whole = key.reveal().casefold()
    ordinary = {part.casefold() for part in re.split(r"[\W_]+", key.reveal()) if _WORD.fullmatch(part)}
    if not whole or whole in ordinary:  # such as EMPTY, where none is needed
        return lambda _: False
    fragments = _fragments(key) - {piece for part in ordinary for piece in _pieces(part, _FRAGMENT)}

    def shows(word: str) -> bool:
        plain = unquote(word).casefold()
        bare = plain.strip(_PUNCTUATION)
        if bare == whole or (whole in plain and len(whole) >= _FRAGMENT):
            return True
        if any(piece in fragments for size in (_FRAGMENT, 2 * _FRAGMENT) for piece in _pieces(plain, size)):
            return True
        before, *rest = _MASK.split(plain)
        if rest:
            return before not in ordinary and _are_ends(before, rest[-1], whole)
        return bool(_MIXED.match(bare)) and (_is_end(bare, whole, _END) or (len(bare) > _END and bare in whole))

    return shows


def _are_ends(before: str, after: str, whole: str) -> bool:
    """Return whether what stands before and after a mask are the beginning and the end of the key, or one of them."""
    before = _NOT_OF_KEYS.split(before)[-1]
    after = _NOT_OF_KEYS.split(after)[0]
    if before and after:
        return whole.startswith(before) and whole.endswith(after)
    return _is_end(before or after, whole, _END - 1)


def _is_end(text: str, whole: str, size: int) -> bool:
    return len(text) >= size and (whole.startswith(text) or whole.endswith(text))


def _fragments(key: Secret) -> set[str]:
    """Return all pieces of a key that are too long to show: as it is, and in the encodings that headers use."""
    whole = key.reveal().encode()
    found = _pieces(whole.decode().casefold(), _FRAGMENT) | _pieces(whole.hex(), 2 * _FRAGMENT)
    for before in (b"", b"-", b"--"):  # Base64 has another text for each place that the key may begin at
        found |= _pieces(b64encode(before + whole).decode().casefold(), _FRAGMENT)
    return found


def _pieces(text: str, size: int) -> set[str]:
    return {text[start : start + size] for start in range(len(text) - size + 1)}


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

_in_use: ContextVar[tuple[Secret, ...]] = ContextVar("robota_nb_secrets_in_use", default=())
_MAX_RECORD = 500


@contextmanager
def redacted_logs(secrets: tuple[Secret, ...], *libraries: str) -> Iterator[None]:
    """Keep secrets and the prompts out of what libraries log while the block runs, in this thread.

    Parameters
    ----------
    secrets
        The key and whatever else of that kind they carry.
    *libraries
        The packages that log, such as ``"httpx2"``. What they log for other users is left as it is.
    """
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if name.partition(".")[0] in libraries and isinstance(logger, logging.Logger):
            logger.addFilter(_redact_record)  # adding it again changes nothing
    token = _in_use.set(secrets)
    try:
        yield
    finally:
        _in_use.reset(token)


def _redact_record(record: logging.LogRecord) -> bool:
    secrets = _in_use.get()
    if not secrets:
        return True
    if isinstance(record.args, dict) and "json_data" in record.args:  # the openai SDK's whole request, with the prompts
        return False
    message = record.getMessage()
    for secret in secrets:
        message = scrub(message, secret, _MAX_RECORD)
    record.msg, record.args, record.exc_info = message, (), None
    return True
