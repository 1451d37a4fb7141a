"""An answer over Chat Completions, put together from its chunks. Pure: no network, no SDK."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from robota_nb.providers.openai.answer import Answer
from robota_nb.providers.openai.besides import KEYS
from robota_nb.providers.openai.calls import CallReader
from robota_nb.providers.openai.echoes import EchoReader
from robota_nb.providers.openai.reasons import reason_said
from robota_nb.providers.openai.sse import ERROR
from robota_nb.providers.openai.thoughts import is_thought, thoughts_in
from robota_nb.providers.openai.usage import PLACES
from robota_nb.providers.said import reports_error

if TYPE_CHECKING:
    from robota_nb.core.ports import ToolCall

__all__ = ["Reply"]


class Reply(Answer):
    """Puts an answer together from chat completion chunks, up to ``[DONE]``."""

    def __init__(self) -> None:
        super().__init__()
        self._by_deltas = False
        self._calls, self._echo = CallReader(), EchoReader()

    def _called(self) -> list[ToolCall]:
        return self._calls.calls()

    def _echoes(self) -> tuple[str, ...]:
        return self._echo.items(self._calls.more())

    def _whole(self, value: Any) -> None:
        for each in value if isinstance(value, list) else [value]:
            self._seen |= bool(each.get("choices")) or reports_error(each)
            self._chunk(each)

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
        self._about(value)
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


def _parts(content: list[dict[str, Any]]) -> str:
    """Return the text of content that comes as a list of parts."""
    return "".join(part["text"] for part in content if isinstance(part.get("text"), str) and not is_thought(part))
