"""A parser of server-sent events: bytes in, events out, however the network cuts the bytes.

It knows nothing of HTTP or of models. Lines end with CR, LF or CRLF, and with nothing else (U+2028 is text).

The standard lets fields that it does not know pass. Servers that break off say so in such lines: in a field named
``error``, or in JSON, HTML or words that stand there bare. What can be no field is therefore an event, too.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ERROR", "Event", "EventParser", "SseError"]

_BOM = b"\xef\xbb\xbf"
_BREAK = b"\n\n"
_FIELD = re.compile(rb"[A-Za-z_][\w.-]*")
_ERROR_FIELD = re.compile(rb"errors?", re.IGNORECASE)
ERROR = "error"
"""The kind of an event that says what went wrong."""


class SseError(ValueError):
    """Bytes that are not server-sent events: bad UTF-8, or an event over the cap."""


class Event(NamedTuple):
    """One event.

    Parameters
    ----------
    data
        The ``data:`` lines, joined by newlines.
    event
        The ``event:`` line; empty if there was none.
    id
        The last ``id:`` seen in the stream.
    """

    data: str
    event: str = ""
    id: str = ""


class EventParser:
    """Turns the pieces of one stream into events.

    Parameters
    ----------
    max_event_bytes
        The most bytes that one event may have; more is an `SseError`, so that a stream that never ends an
        event cannot fill the memory.
    """

    def __init__(self, *, max_event_bytes: int = 1_000_000) -> None:
        self._cap = max_event_bytes
        self._id = ""
        self._head: bytes | None = b""  # the first bytes, until it is clear whether they are a BOM
        self._after_cr = False
        self._buffer = bytearray()  # the event that has not ended yet

    def feed(self, data: bytes) -> Iterator[Event]:
        """Yield the events that end in *data*; exhaust it before the next call.

        Raises
        ------
        SseError
            Bad UTF-8 in an event, or an event over the cap; the events before it have been yielded.
        """
        if self._head is not None:
            data = self._without_bom(data)
        if self._after_cr or b"\r" in data:
            data = self._unix_lines(data)
        buffer = self._buffer
        if not buffer and data.endswith(_BREAK):  # nearly every piece is whole events: no copy
            yield from self._events(data[:-2])
            return
        start = max(len(buffer) - 1, 0)  # a break may lie across the seam
        buffer += data
        end = buffer.rfind(_BREAK, start)
        if end >= 0:
            whole = bytes(buffer[:end])
            del buffer[: end + 2]
            yield from self._events(whole)
        # One byte of grace: the newline that ends the last line is not part of the event.
        if len(buffer) > self._cap + 1 and len(buffer.lstrip(b"\n")) > self._cap + 1:
            raise self._too_long()

    def close(self) -> Iterator[Event]:
        """Yield the event that the stream's end left without its empty line, if any.

        The standard drops such an event; but some servers end with ``data: [DONE]`` and a single newline.
        """
        rest = (self._head or b"") + bytes(self._buffer)
        self._head = None
        self._buffer.clear()
        yield from self._events(rest)

    def _without_bom(self, data: bytes) -> bytes:
        data = (self._head or b"") + data
        if len(data) < len(_BOM) and _BOM.startswith(data):
            self._head = data
            return b""
        self._head = None
        return data.removeprefix(_BOM)

    def _unix_lines(self, data: bytes) -> bytes:
        if not data:
            return data
        # A CR ends its line at once; an LF that follows in the next piece belongs to it.
        lines = data.removeprefix(b"\n") if self._after_cr else data
        self._after_cr = data.endswith(b"\r")
        return lines.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _events(self, whole: bytes) -> Iterator[Event]:
        cap = self._cap
        for block in whole.split(_BREAK):
            if len(block) > cap and len(block.strip(b"\n")) > cap:
                raise self._too_long()
            if block.startswith(b"data: ") and b"\n" not in block:  # the common case, without a loop over lines
                yield Event(_text(block[6:]), "", self._id)
            elif block:
                yield from self._fields(block)

    def _fields(self, block: bytes) -> Iterator[Event]:
        """Read an event line by line; without a ``data:`` line there is none.

        A line that can be no field goes on with the data before it (JSON in several lines); without any it is an event.
        """
        data: list[bytes] = []
        wrong: list[bytes] = []
        kind = ""
        for line in block.split(b"\n"):
            name, _, value = line.partition(b":")
            value = value.removeprefix(b" ")
            if name == b"data":
                data.append(value)
            elif name == b"event":
                kind = _text(value)
            elif name == b"id":
                self._id = self._id if b"\0" in value else _text(value)
            elif _ERROR_FIELD.fullmatch(name):
                wrong.append(value)
            elif name.strip() and not _FIELD.fullmatch(name):
                data.append(line)
        if data:
            yield Event(_text(b"\n".join(data)), kind, self._id)
        if wrong:
            yield Event(_text(b"\n".join(wrong)), ERROR, self._id)

    def _too_long(self) -> SseError:
        return SseError(f"an event has more than {self._cap} bytes")


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise SseError("an event is not UTF-8") from None
