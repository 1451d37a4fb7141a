"""One answer, put together from the events of a server, whichever API it speaks. Pure: no network, no SDK."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, NamedTuple

from robota_nb.core.ports import Echo, Finish, ReasoningDelta, SignOfLife, TextDelta, TextWasReasoning
from robota_nb.providers.openai.besides import BesidesReader
from robota_nb.providers.openai.pieces import Pieces
from robota_nb.providers.openai.sse import ERROR, EventParser, SseError
from robota_nb.providers.openai.thoughts import ThoughtTags
from robota_nb.providers.openai.usage import PLACES, Counts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from robota_nb.core.ports import Besides, FinishReason, StreamEvent, ToolCall
    from robota_nb.providers.openai.sse import Event

__all__ = ["Answer", "Problem"]


class Problem(NamedTuple):
    """What is wrong with an answer.

    Parameters
    ----------
    what
        What happened, in words that follow "endpoint 'lab'".
    detail
        The server's own words, as they came.
    """

    what: str
    detail: str = ""


class Answer(ABC):
    """Puts an answer together from events: text, thoughts before it, calls, how it ended, the model, the tokens.

    Text counts until the end that the API knows or the end of the stream, whatever was said before it, a reason or a
    fault.

    Attributes
    ----------
    over
        Whether nothing that follows can matter: the end has come, or the stream cannot be read on.
    problem
        What is wrong with the answer, the first of it; None if nothing is.
    ends_in_text
        Whether the last reason came with text.
    """

    def __init__(self) -> None:
        self.over = False
        self.problem: Problem | None = None
        self._seen = False
        self._answered = False  # whether a choice came, be it empty
        self._spoke = False
        self._reason: FinishReason | None = None  # the last one that is known
        self._ended = False  # whether any reason was said, be it unknown
        self.ends_in_text = False
        self._went_on = False  # whether text came after a reason
        self._thinks = False  # whether it is known that the model is thinking
        self._unread = False  # whether something came of which nobody knows what it is
        self._model = ""
        self._counts = Counts()
        self._besides = BesidesReader()
        self._content, self._reasoning, self._tags = Pieces(), Pieces(), ThoughtTags()

    @property
    def ending(self) -> bool:
        """Whether little is to be expected after this: the answer is complete, or something is wrong with it."""
        return self.problem is not None or self.complete

    @property
    def complete(self) -> bool:
        """Whether the answer is whole as far as can be told, so that nothing is lost with the connection.

        A reason was said, and this is no server that goes on after one; nothing is wrong with the answer.
        """
        return self._ended and not self._went_on and not self._unread and self.problem is None

    def take(self, events: Iterable[Event]) -> None:
        """Take events up to the end of the answer, or to what cannot be read."""
        try:
            for data, kind, _ in events:
                self._seen = True
                if data.startswith("[DONE]"):
                    if not self._answered:
                        self._note("answered nothing, and said that it was done")
                    self.over = True
                    return
                try:
                    value = json.loads(data)
                except ValueError:
                    self._take_other(data, kind)
                else:
                    self._chunk(value, kind)
                if self.over:
                    return
        except SseError as error:
            self._fail(f"sent a broken stream: {error}")
        except (ValueError, RecursionError):
            self._fail("sent an event that is not JSON", _readable(data))
        except (TypeError, AttributeError, KeyError):  # JSON of another shape
            self._fail("sent an event that is no part of an answer")

    def end(self, rest: Iterable[Event]) -> None:
        """Take what is left at the end of the body.

        It is a problem if there was no event at all, or no text and no sign that the answer is complete. An event that
        was cut off at the end is none if the answer was complete before, and nothing in it says otherwise.
        """
        try:
            last = list(rest)
        except SseError as error:
            if not self.complete:
                self._fail(f"sent a broken stream: {error}")
            return
        if self.complete and last and not _matters(last[-1]):
            last.pop()
        self.take(last)
        if not self._seen:
            self._fail("answered with an empty stream")
        elif not self.over and not self._spoke and not self._ended:
            self._note("ended the stream before any text came")

    def take_whole(self, data: bytes) -> None:
        """Take an answer that came in one piece, from a server that does not stream."""
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            if b"\n" in data.strip():  # events, a line for each
                parser = EventParser(max_event_bytes=len(data))
                self.take(parser.feed(data))
                self.end(() if self.over else parser.close())
            else:
                self._fail("answered with something that calls itself JSON and is not")
            return
        try:
            self._whole(value)
        except (TypeError, AttributeError, KeyError):
            self._seen = False
        if not self._seen:
            self._fail("answered with JSON that is no answer")

    def text(self, *, last: bool = False) -> str:
        """Return the text that came since the last call, as well-formed Unicode whatever the server has escaped."""
        return self._tags.feed(self._content.take(last=last), last=last)

    def thoughts(self, *, last: bool = False) -> str:
        """Return the thoughts that came since the last call; ask for the text first, it may hold some."""
        return self._reasoning.take(last=last) + self._tags.thoughts()

    def events(self, *, last: bool = False) -> list[StreamEvent]:
        """Return what came since the last call: text and thoughts, or a sign that the server is at work."""
        text = self.text(last=last)
        found: list[StreamEvent] = [TextDelta(text)] if text else []
        if thoughts := self.thoughts(last=last):
            found.insert(0, ReasoningDelta(thoughts))
        if self._tags.took_back:
            self._tags.took_back = False
            found.insert(0, TextWasReasoning())
        if besides := self.besides():
            found.append(besides)
        return found or ([] if last or self.ending else [SignOfLife(thinking=self._thinks or self._tags.is_inside)])

    def besides(self) -> Besides | None:
        """Return what has come beside the text, if something has come since the last call."""
        return self._besides.news()

    def outcome(self, *, echoes: bool = False) -> Iterator[ToolCall | Echo | Finish]:
        """Yield what an answer ends with: its calls, with *echoes* what its server wants back, and how it ended."""
        yield from self._called()
        if echoes and (items := self._echoes()):
            yield Echo(items)
        yield self.finish()

    def finish(self) -> Finish:
        """Return how the answer ended: ``unknown`` if no reason was said, or not all of it could be read."""
        reason = self._reason or ("stop" if self._ended else "unknown")
        if reason == "stop" and self._called():
            reason = "tool_calls"
        return Finish(reason="unknown" if self._unread else reason, model=self._model, usage=self._counts.usage())

    # -- what each API does in its own way

    @abstractmethod
    def _chunk(self, value: Any, kind: str = "") -> None:
        """Take the JSON of an event of this *kind*.

        Raises
        ------
        TypeError, AttributeError, KeyError
            It is JSON of another shape.
        """

    @abstractmethod
    def _whole(self, value: Any) -> None:
        """Take the JSON of a whole answer, and note that it is one (`_seen`); it raises as `_chunk` does."""

    @abstractmethod
    def _called(self) -> Sequence[ToolCall]:
        """Return the calls that have come whole."""

    @abstractmethod
    def _echoes(self) -> tuple[str, ...]:
        """Return what the server wants back."""

    # -- what they share

    def _about(self, value: dict[str, Any]) -> None:
        """Take what is said of the whole answer: the model, the tokens."""
        if not self._model and isinstance(model := value.get("model"), str):
            self._model = "".join(char for char in model if char.isprintable())[:200]
        if not PLACES.isdisjoint(value):
            self._counts.take(value)

    def _note(self, what: str, detail: str = "") -> None:
        """Note what is wrong; what follows is read."""
        self.problem = self.problem or Problem(what, detail)

    def _fail(self, what: str, detail: str = "") -> None:
        """Note what is wrong; what follows cannot be read."""
        self.over = True
        self._note(what, detail)

    def _take_other(self, data: str, kind: str) -> None:
        """Take an event that is not one piece of JSON."""
        if kind == ERROR:
            self._note("reported an error", data)
        elif not data.isspace():  # some servers keep the line open with empty events
            for value in _values(data):
                self._chunk(value, kind)


_SPACE = re.compile(r"\s*")


def _values(data: str) -> Iterator[Any]:
    """Yield the values of several pieces of JSON that stand one after the other."""
    decoder, at = json.JSONDecoder(), 0
    while (at := _end_of_space(data, at)) < len(data):
        value, at = decoder.raw_decode(data, at)
        yield value


def _end_of_space(data: str, at: int) -> int:
    found = _SPACE.match(data, at)
    return found.end() if found else at


def _readable(data: str) -> str:
    """Return what a server has said in the place of an event, unless it is the rest of one."""
    return "" if data.lstrip()[:1] in ("{", "[") else data


_SAYS_OTHERWISE = re.compile(
    r'"error|"(content|reasoning(_content)?)"\s*:\s*"[^"]|"tool_calls"\s*:\s*\[\s*\{', re.IGNORECASE
)


def _matters(event: Event) -> bool:
    """Return whether the last event of a body, which may be cut off, can make a complete answer incomplete."""
    try:
        json.loads(event.data)
    except (ValueError, RecursionError):
        is_json = event.data.startswith(("{", "["))
        return event.event == ERROR or not is_json or _SAYS_OTHERWISE.search(event.data) is not None
    return True
