"""The open document: the kernel's side of what the front end and the kernel say to each other.

The front end speaks first: before the first cell, and whenever the kernel must know something *now*, it sends a
silent request whose message metadata carries a message (FACTS: a kernel cannot wait for a comm's answer while a
cell runs, but the metadata of a request is there at once). Everything else goes over a comm.

docs/protocol.md has all messages.
"""

from __future__ import annotations

import json
import logging
from collections import deque
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from robota_nb.carriers.messages import Change, Chunk, FromFrontEnd, FromKernel, Part
    from robota_nb.core.ports import Entries, Level

Later: TypeAlias = "Callable[[float, Callable[[], None]], object]"

TARGET = "robota_nb"
"""The comm's target, and the key in a request's metadata."""

CHUNK = 1_000_000
"""Characters of a message in one request: gateways drop what is over 10 MiB, and JSON in JSON may grow."""

PART, PAUSE, PACED = 24_000, 0.5, 1_200_000
"""A message of more than `PART` characters goes out in parts, and one of up to `PACED` (a turn, not a whole
snapshot) with `PAUSE` seconds between them: the entry of a long answer would take as much as a second may."""

MAX_PUSH = 25_000_000
"""Characters of a whole message; more is not even decoded (a snapshot has at most 20 MB)."""

PUSH_CODE = "try:\n    from robota_nb import _receive; _receive()\nexcept ImportError: pass"
"""What the front end has the kernel run; the message is in the request's metadata."""

ENGLISH = "en"
"""The language of a front end that does not name its own."""

log = logging.getLogger("robota_nb")


def chunks(message: FromFrontEnd, number: str) -> Iterator[dict[str, Chunk]]:
    """Yield the metadata of the requests that carry a message to the kernel.

    Parameters
    ----------
    message
        What to say.
    number
        Tells this message's chunks from another's.
    """
    text = json.dumps(message, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate somewhere in the notebook: it must arrive to be refused
        text = json.dumps(message)
    count = max(1, -(-len(text) // CHUNK))
    for at in range(count):
        part = text[at * CHUNK : (at + 1) * CHUNK]
        yield {TARGET: {"message": number, "chunk": at, "of": count, "text": part}}


class Bridge:
    """The kernel's end of what goes between it and the front end of its document."""

    def __init__(self) -> None:
        self._listener: Callable[[FromFrontEnd], None] | None = None
        self._waiting: list[FromFrontEnd] = []
        self._number: object = None
        self._parts: list[str] = []
        self._length = 0  # characters of the message so far
        self._version: str | None = None
        self._later: Later  # comes with `connect`, before there is a comm
        self._wake: Callable[[], object] = lambda: None
        self._lock = RLock()  # turns may end in any thread
        self._parts_out: deque[Part] = deque()
        self._pacing = False  # whether a timer runs that sends the next part
        self._comm: Any = None
        self._opened = False
        self._locale = ENGLISH

    def connect(self, version: str, later: Later, wake: Callable[[], object] = lambda: None) -> None:
        """Open a comm to the front end that has sent a document, and to each one that does from now on.

        Parameters
        ----------
        version
            This package's, for the front end to compare with its own.
        later
            Calls a function after so many seconds, when the kernel is idle. It is called in whatever thread.
        wake
            Sees to it that somebody listens: the user has clicked something before the first command.
        """
        self._version, self._later, self._wake = version, later, wake
        if self._opened:
            self._open_comm(version)

    def _open_comm(self, version: str) -> None:
        """Open a comm in place of the one before: a page that was reloaded knows nothing of that."""
        import comm

        former, self._comm = self._comm, comm.create_comm(target_name=TARGET, data={"version": version})
        self._parts_out.clear()
        opened = self._comm
        opened.on_msg(lambda packet: self.deliver(packet["content"]["data"]))
        opened.on_close(lambda _: self._closed(opened))
        if former is not None:
            former.close()

    def _closed(self, comm: Any) -> None:
        """The front end is gone; the next ``open`` gets a comm of its own."""
        if comm is self._comm:
            self._comm = None
            self._parts_out.clear()

    @property
    def reached(self) -> bool:
        """Whether there is a comm to a front end, as far as is known."""
        return self._comm is not None

    @property
    def locale(self) -> str:
        """The language of the front end that has opened the document last, such as ``ko-KR``."""
        return self._locale

    def disconnect(self) -> None:
        """Close the comm, and let messages wait."""
        self._hurry()
        self._listener = self._version = None
        if self._comm is not None:
            self._comm.close()
            self._comm = None

    def send(self, message: FromKernel) -> None:
        """Send a message to the front end, if there is one; after what was sent before it, in whatever thread."""
        with self._lock:
            self._hurry()
            if self._comm is None:
                return
            text = json.dumps(message, ensure_ascii=False)
            if len(text) <= PART:
                self._comm.send(message)
                return
            of = -(-len(text) // PART)
            for at in range(of):
                self._parts_out.append({"op": "part", "at": at, "of": of, "text": text[at * PART : (at + 1) * PART]})
            if len(text) > PACED:
                self._hurry()
            elif not self._pacing:  # else the timer that runs sends these, too
                self._send_part()

    def _send_part(self) -> None:
        with self._lock:
            self._pacing = bool(self._parts_out) and self._comm is not None
            if self._pacing:
                self._comm.send(self._parts_out.popleft())
                self._later(PAUSE, self._send_part)

    def _hurry(self) -> None:
        """Send the parts that wait for their time now."""
        while self._parts_out and self._comm is not None:
            self._comm.send(self._parts_out.popleft())

    def listen(self, listener: Callable[[FromFrontEnd], None]) -> None:
        """Hand messages to *listener* from now on, first those that are waiting."""
        self._listener = listener
        waiting, self._waiting = self._waiting, []
        for message in waiting:
            listener(message)

    def take(self, metadata: Mapping[str, Any]) -> None:
        """Take in the metadata of one request."""
        from robota_nb.carriers.messages import as_chunk  # not before a page says something: loading is to be fast

        chunk = as_chunk(metadata.get(TARGET))
        if chunk is None:
            return
        if chunk["chunk"] == 0:
            self._number, self._parts, self._length = chunk["message"], [], 0
        elif chunk["message"] != self._number or chunk["chunk"] != len(self._parts):
            return  # a chunk was lost: the front end sends the whole again
        self._parts.append(chunk["text"] if self._length <= MAX_PUSH else "")  # what is too long is not kept
        self._length += len(chunk["text"])
        if len(self._parts) == chunk["of"]:
            parts, self._parts = self._parts, []
            self.deliver(decode(_joined(parts)) if self._length <= MAX_PUSH else _too_long(self._length))

    def deliver(self, data: object) -> None:
        """Hand a message of a page's on, or keep it until somebody listens; one that is none is dropped."""
        from robota_nb.carriers.messages import from_front_end
        from robota_nb.core.record.json_types import JsonTypeError

        try:
            message = from_front_end(data)
        except JsonTypeError as error:
            log.info("a message of the page was dropped: %s", error)  # no warning: those show in the cell that runs
            return
        if message["op"] == "open":
            self._opened = True
            self._locale = message.get("locale", ENGLISH)
            self._waiting.clear()  # it stands for all before it
            if self._version is not None:
                self._open_comm(self._version)
        if self._listener:
            self._listener(message)
            return
        if message["op"] == "cells" and "from" not in message:  # a whole list stands for all before it
            self._waiting = [waiting for waiting in self._waiting if waiting["op"] != "cells"]
        self._waiting.append(message)
        if message["op"] == "why":
            self._wake()


def _joined(parts: list[str]) -> str:
    """Put a text together; a page may have cut a character in two, as JavaScript counts its halves."""
    text = "".join(parts)
    if any("\ud800" <= part[-1:] <= "\udbff" for part in parts):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return text


def decode(text: str) -> object:
    """Decode a message, and note its ``size``; one that cannot be decoded is an ``open`` with a ``problem``."""
    if len(text) > MAX_PUSH:
        return _too_long(len(text))
    try:
        message = json.loads(text)
    except RecursionError:
        return {"op": "open", "problem": "the snapshot is nested too deep"}
    except ValueError:
        return {"op": "open", "problem": "the snapshot is not JSON"}
    if not isinstance(message, dict):
        return {"op": "open", "problem": "the message is no object"}
    return {**message, "size": len(text)}


def _too_long(length: int) -> object:
    return {"op": "open", "problem": f"the snapshot has {length:,} characters, over the cap of {MAX_PUSH:,}"}


_BRIDGES: WeakKeyDictionary[Any, Bridge] = WeakKeyDictionary()


def bridge(shell: Any) -> Bridge:
    """Return the bridge of a shell."""
    return _BRIDGES.setdefault(shell, Bridge())


def receive() -> None:
    """Take in what came with the request that is being executed."""
    from IPython import get_ipython

    shell = get_ipython()
    if shell is not None and hasattr(shell, "get_parent"):
        bridge(shell).take(shell.get_parent().get("metadata", {}))


class DocumentCarrier:
    """Writes into the metadata of the document that the front end has open.

    Parameters
    ----------
    send
        Sends one message over the comm.
    """

    def __init__(self, send: Callable[[FromKernel], None]) -> None:
        self._send = send
        self._lock = RLock()  # turns may end in any thread
        self._seq = 0
        self._acked = 0
        self._saved = 0
        self._written: dict[int, dict[str, list[str]]] = {}

    @property
    def level(self) -> Level:
        """How far what was written has got: ``in kernel``, ``in notebook`` or ``saved``."""
        if self._saved >= self._seq:
            return "saved"
        return "in notebook" if self._acked == self._seq else "in kernel"

    def write(self, add: Entries, remove: Mapping[str, Iterable[str]], *, replace: bool = False) -> None:
        """Send entries to the document, and drop superseded ones from it; *replace* whatever stands there."""
        with self._lock:
            gone = {sid: list(ids) for sid, ids in remove.items()}
            sessions: dict[str, Change] = {
                sid: {"add": dict(add.get(sid, {})), "remove": gone.get(sid, [])}
                for sid in dict.fromkeys([*add, *gone])
            }
            self._seq += 1
            self._written[self._seq] = {sid: [*s["add"], *s["remove"]] for sid, s in sessions.items()}
            self._send({"op": "write", "seq": self._seq, "replace": replace, "sessions": sessions})

    def opened(self, *, dirty: bool) -> None:
        """A front end has opened the document; what it misses of what was written before is written again.

        Parameters
        ----------
        dirty
            Whether there is something in it that was not saved.
        """
        self._acked = self._seq
        self._saved = self._seq - dirty

    def acked(self, seq: int) -> None:
        """The document holds all up to write number *seq*."""
        self._acked = max(self._acked, min(seq, self._seq))

    def dropped(self, seq: int) -> None:
        """The document was saved with all up to write number *seq*, but not all of it is in the file."""
        self.acked(seq)
        self._saved = min(self._saved, seq - 1)

    def saved(self, seq: int) -> Iterator[Mapping[str, Iterable[str]]]:
        """The document was saved with all up to write number *seq*; yields what had not been saved before."""
        self.acked(seq)
        self._saved = max(self._saved, min(seq, self._seq))
        for number in [n for n in self._written if n <= self._saved]:
            yield self._written.pop(number)
