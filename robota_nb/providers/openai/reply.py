"""One answer, put together from chat completion chunks. Pure: no network, no SDK."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from robota_nb.core.ports import Echo, Finish, ReasoningDelta, SignOfLife, TextDelta, TextWasReasoning
from robota_nb.providers.openai.besides import KEYS, BesidesReader
from robota_nb.providers.openai.calls import CallReader
from robota_nb.providers.openai.echoes import EchoReader
from robota_nb.providers.openai.pieces import Pieces
from robota_nb.providers.openai.reasons import reason_said
from robota_nb.providers.openai.sse import ERROR, EventParser, SseError
from robota_nb.providers.openai.thoughts import ThoughtTags, is_thought, thoughts_in
from robota_nb.providers.openai.usage import PLACES, Counts
from robota_nb.providers.said import reports_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from robota_nb.core.ports import Besides, FinishReason, StreamEvent, ToolCall
    from robota_nb.providers.openai.sse import Event

__all__ = ["Problem", "Reply"]


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


class Reply:
    """Puts an answer together from events: text, thoughts before it, calls, how it ended, the model, the tokens.

    Text counts until ``[DONE]`` or the end of the stream, whatever was said before it, a reason or a fault.

    Attributes
    ----------
    over
        Whether nothing that follows can matter: ``[DONE]`` has come, or the stream cannot be read on.
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
        self._by_deltas = False
        self._reason: FinishReason | None = None  # the last one that is known
        self._ended = False  # whether any reason was said, be it unknown
        self.ends_in_text = False
        self._went_on = False  # whether text came after a reason
        self._unread = False  # whether something came of which nobody knows what it is
        self._model = ""
        self._counts = Counts()
        self._besides = BesidesReader()
        self._calls, self._echo = CallReader(), EchoReader()
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
        except SseError as error:
            self._fail(f"sent a broken stream: {error}")
        except (ValueError, RecursionError):
            self._fail("sent an event that is not JSON", _readable(data))
        except (TypeError, AttributeError):  # JSON of another shape
            self._fail("sent an event that is not a chat completion chunk")

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
        """Take a completion that came in one piece, from a server that does not stream."""
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            if b"\n" in data.strip():  # chunks, a line for each
                parser = EventParser(max_event_bytes=len(data))
                self.take(parser.feed(data))
                self.end(() if self.over else parser.close())
            else:
                self._fail("answered with something that calls itself JSON and is not")
            return
        try:
            for each in value if isinstance(value, list) else [value]:
                self._seen |= bool(each.get("choices")) or reports_error(each)
                self._chunk(each)
        except (TypeError, AttributeError):
            self._seen = False
        if not self._seen:
            self._fail("answered with JSON that is not a chat completion")

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
        return found or ([] if last or self.ending else [SignOfLife(thinking=self._tags.is_inside)])

    def besides(self) -> Besides | None:
        """Return what has come beside the text, if something has come since the last call."""
        return self._besides.news()

    def outcome(self, *, echoes: bool = False) -> Iterator[ToolCall | Echo | Finish]:
        """Yield what an answer ends with: its calls, with *echoes* what its server wants back, and how it ended."""
        yield from self._calls.calls()
        if echoes and (items := self._echo.items(self._calls.more())):
            yield Echo(items)
        yield self.finish()

    def finish(self) -> Finish:
        """Return how the answer ended: ``unknown`` if no reason was said, or not all of it could be read."""
        reason = self._reason or ("stop" if self._ended else "unknown")
        if reason == "stop" and self._calls:
            reason = "tool_calls"
        return Finish(reason="unknown" if self._unread else reason, model=self._model, usage=self._counts.usage())

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

    def _chunk(self, value: Any, kind: str = "") -> None:
        if isinstance(value, list) and value and kind != ERROR:
            for each in value:
                self._chunk(each, kind)
            return
        choices = kind != ERROR and value.get("choices")
        for choice in choices or ():
            index = choice.get("index")
            if not (index and isinstance(index, int)):  # of several alternatives, the first
                self._choice(choice)
        if kind == ERROR or (not _HEAD.issuperset(value) and reports_error(value)):
            self._note("reported an error", json.dumps(value))
            return
        if not choices and not kind and value and _HEAD.isdisjoint(value) and value.get("type") != "ping":
            self._unread = True
        if not self._model and isinstance(model := value.get("model"), str):
            self._model = "".join(char for char in model if char.isprintable())[:200]
        if not PLACES.isdisjoint(value):
            self._counts.take(value)
        self._besides.take(value)

    def _choice(self, choice: dict[str, Any]) -> None:
        self._answered = True
        message = choice.get("delta")
        is_whole = message is None and not self._by_deltas
        if is_whole:  # else it is the whole text once more
            message = choice.get("message")
        elif message:
            self._by_deltas = True
        content = message and message.get("content")
        refusal = message and message.get("refusal")
        for text in (content, refusal):
            if text:
                self._content.add(text if isinstance(text, str) else _parts(text))
        self._take_besides(choice)
        if refusal:
            self._besides.refuse()
        said = bool(content or refusal)
        if message and (len(message) > 1 or not isinstance(content, str)):
            said |= self._calls.take(message, whole=is_whole)
            self._echo.take(message)
            self._spoke |= said
            if thoughts := thoughts_in(message):
                self._reasoning.add(thoughts)
                said = True
        self._spoke |= bool(content or refusal) or self._besides.shows
        self._went_on |= said and self._ended
        if reason := choice.get("finish_reason"):
            self._end(reason, in_text=said)
        if error := choice.get("error"):
            self._note("reported an error", json.dumps(error))

    def _take_besides(self, choice: dict[str, Any]) -> None:
        """Take what stands beside the text of a choice, also in a message that says the whole of it once more."""
        if "usage" in choice:
            self._counts.take(choice)
        self._besides.take(choice)
        for message in (choice.get("delta"), choice.get("message")):
            if message:
                self._besides.take(message)
                if isinstance(content := message.get("content"), list):
                    self._besides.take_parts(content)

    def _end(self, reason: Any, *, in_text: bool) -> None:
        if isinstance(reason, (list, dict)):
            raise TypeError
        if isinstance(reason, str) and (said := reason_said(reason)):
            self._ended, self.ends_in_text = True, in_text
            if said != "other":
                self._reason = said


_HEAD = frozenset({
    *("id", "object", "created", "model", "usage", "choices", "system_fingerprint", "x_groq", "provider"),
    *("timings", "prompt_filter_results", "service_tier", "obfuscation", *KEYS, *PLACES),
})  # fmt: skip
"""The keys of chunks, of which one without choices has at least one; no fault is told in these alone."""

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


def _parts(content: list[dict[str, Any]]) -> str:
    """Return the text of content that comes as a list of parts."""
    return "".join(part["text"] for part in content if isinstance(part.get("text"), str) and not is_thought(part))
