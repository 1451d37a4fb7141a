"""One answer, put together from chat completion chunks. Pure: no network, no SDK."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from robota_nb.core.ports import Finish, FinishReason, Usage
from robota_nb.providers.openai.sse import SseError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from robota_nb.providers.openai.sse import Event

__all__ = ["Problem", "Reply"]

_REASONS: dict[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "content_filter": "content_filter",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    # The words of other servers for the same reasons.
    "end_turn": "stop",
    "eos": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_length": "length",
    "tool_use": "tool_calls",
    "abort": "error",
    "error": "error",
    "insufficient_system_resource": "error",
}


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
    """Puts an answer together from events: its text, how it ended, the model that answered, the tokens.

    Attributes
    ----------
    over
        Whether nothing that follows can matter: ``[DONE]`` has come, or there is a problem.
    problem
        What is wrong with the answer; None if nothing is.
    """

    def __init__(self) -> None:
        self.over = False
        self.problem: Problem | None = None
        self._seen = False
        self._spoke = False
        self._reason: FinishReason | None = None
        self._model = ""
        self._usage: Usage | None = None
        self._texts: list[str] = []
        self._half = ""  # the first half of a surrogate pair, while the second is on its way

    @property
    def complete(self) -> bool:
        """Whether the server has said that the answer is whole, by a finish_reason or by ``[DONE]``.

        Text after a finish_reason is ignored, and so is whatever breaks after it.
        """
        return self._reason is not None or (self.over and self.problem is None)

    def take(self, events: Iterable[Event]) -> None:
        """Take events up to the end of the answer or the first problem."""
        try:
            for data, kind, _ in events:
                self._seen = True
                if data.startswith("[DONE]"):
                    self.over = True
                    return
                if data:  # some servers keep the line open with empty events
                    self._chunk(json.loads(data), "delta", kind)
                    if self.over:
                        return
        except SseError as error:
            self._fail(f"sent a broken stream: {error}")
        except (ValueError, RecursionError):
            self._fail("sent an event that is not JSON")
        except (TypeError, AttributeError):  # JSON of another shape
            self._fail("sent an event that is not a chat completion chunk")

    def end(self, rest: Iterable[Event]) -> None:
        """Take what is left at the end of the body.

        It is a problem if there was no event at all, or no text and no sign that the answer is complete.
        """
        self.take(rest)
        if not self._seen:
            self._fail("answered with an empty stream")
        elif not self.over and not self._spoke:
            self._fail("ended the stream before any text came")

    def take_whole(self, data: bytes) -> None:
        """Take a completion that came in one piece, from a server that does not stream."""
        try:
            value = json.loads(data)
            self._seen = bool(value.get("choices") or value.get("error"))
            self._chunk(value, "message")
        except (ValueError, RecursionError):
            self._fail("answered with something that calls itself JSON and is not")
            return
        except (TypeError, AttributeError):
            self._seen = False
        if not self._seen:
            self._fail("answered with JSON that is not a chat completion")

    def text(self, *, last: bool = False) -> str:
        """Return the text that came since the last call, as well-formed Unicode whatever the server has escaped."""
        text = self._half + "".join(self._texts)
        self._texts.clear()
        self._half = ""
        if text.isascii():
            return text
        if not last and "\ud800" <= text[-1] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        # Halves of a pair that came as two escapes join here; a lone one becomes U+FFFD.
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def finish(self) -> Finish:
        """Return how the answer ended."""
        reason = self._reason or ("stop" if self.complete else "unknown")
        return Finish(reason=reason, model=self._model, usage=self._usage)

    def _fail(self, what: str, detail: str = "") -> None:
        self.over = True
        if self._reason is None:  # else the answer was complete before
            self.problem = Problem(what, detail)

    def _chunk(self, value: dict[str, Any], part: str, kind: str = "") -> None:
        error = value.get("error")
        if error or kind == "error" or value.get("object") == "error":
            self._fail("reported an error", _message(error or value))
            return
        if self._reason is None:
            for choice in value.get("choices") or ():
                index = choice.get("index")
                if not (index and isinstance(index, int)):  # of several alternatives, the first
                    self._choice(choice, choice.get(part) or {})
        if not self._model and isinstance(model := value.get("model"), str):
            self._model = "".join(char for char in model if char.isprintable())[:200]
        if usage := value.get("usage") or _groq_usage(value.get("x_groq")):
            self._usage = _usage(usage)

    def _choice(self, choice: dict[str, Any], message: dict[str, Any]) -> None:
        if content := message.get("content") or message.get("refusal"):
            self._texts.append(content if isinstance(content, str) else _parts(content))
            self._spoke = True
        if reason := choice.get("finish_reason"):
            self._reason = _REASONS.get(reason, "unknown")


def _parts(content: list[dict[str, Any]]) -> str:
    """Return the text of content that comes as a list of parts."""
    return "".join(part["text"] for part in content if isinstance(part.get("text"), str))


def _message(error: Any) -> str:
    """Return the words of an error, wherever the server has put them."""
    if isinstance(error, dict):
        error = error.get("message") or error.get("detail") or error.get("error") or ""
    return error if isinstance(error, str) else ""


def _groq_usage(extra: Any) -> Any:
    return extra.get("usage") if isinstance(extra, dict) else None


def _usage(usage: Any) -> Usage | None:
    if not isinstance(usage, dict):
        return None
    counts = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if not all(type(count) is int and count >= 0 for count in counts):
        return None
    return Usage(input_tokens=counts[0] or 0, output_tokens=counts[1] or 0)
