"""An answer of the Responses API, put together from its events. Pure: no network, no SDK."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeGuard

from robota_nb.core.ports import ToolCall
from robota_nb.providers.openai.answer import Answer
from robota_nb.providers.openai.echoes import to_item
from robota_nb.providers.openai.pieces import well_formed
from robota_nb.providers.openai.reasons import reason_said
from robota_nb.providers.openai.sse import ERROR
from robota_nb.providers.said import reports_error

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["API", "ResponsesReply", "is_opaque"]

API = "responses"
"""What the configuration calls this API, and what a server of it wants back (`Echo`)."""

_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed", "response.cancelled"})
_NOT_OPAQUE = frozenset({"function_call", "custom_tool_call"})
_PARAGRAPH = "\n\n"


def is_opaque(item: object) -> TypeGuard[dict[str, Any]]:
    """Say whether an item of an answer is one that only its server knows what to do with, and takes back.

    Thoughts are some, and calls of the server's own tools. Thoughts that are not sealed are kept by the server, or not
    at all: it does not know them any more.
    """
    if not isinstance(item, dict) or not isinstance(kind := item.get("type"), str) or "role" in item:
        return False
    if kind == "reasoning":
        return bool(item.get("encrypted_content") or item.get("content"))
    return kind == "compaction" or (kind.endswith("_call") and kind not in _NOT_OPAQUE)


class _Call:
    """A call, as far as it has come."""

    def __init__(self) -> None:
        self.id = self.name = ""
        self.is_whole = False
        self.pieces: list[str] = []

    @property
    def arguments(self) -> str:
        """The arguments as the model wrote them; without any, an empty object."""
        text = well_formed("".join(self.pieces))
        return text if text.strip() else "{}"

    def take(self, item: Mapping[str, Any]) -> None:
        """Take what an item says of it."""
        self.id = _text(item.get("call_id")) or self.id or _text(item.get("id"))
        self.name = _text(item.get("name")) or self.name
        arguments = item.get("arguments")
        said = json.dumps(arguments, ensure_ascii=False) if isinstance(arguments, dict) else _text(arguments)
        self.pieces = [said] if said else self.pieces


class ResponsesReply(Answer):
    """Puts an answer together from the events of the Responses API, up to ``response.completed`` or its like.

    What comes in pieces is said once more at the end of its item, and all of it at the end of the answer; it is taken
    from there only if the pieces have not come.
    """

    def __init__(self) -> None:
        super().__init__()
        self._places: dict[str, int] = {}  # of items in the answer, by their ids
        self._told: set[tuple[Any, ...]] = set()  # the parts of items that have come
        self._spoke_in = -1  # the item that has spoken last
        self._thought_in: tuple[int, Any] | None = None  # the item that has thought last, and the part of it
        self._calls: dict[int, _Call] = {}
        self._done: dict[int, dict[str, Any]] = {}  # the items that have ended

    def _called(self) -> list[ToolCall]:
        calls = (call for _, call in sorted(self._calls.items()) if call.is_whole and call.name)
        return [
            ToolCall(id=well_formed(call.id), name=well_formed(call.name), arguments=call.arguments) for call in calls
        ]

    def _echoes(self) -> tuple[str, ...]:
        """Return the opaque items, each with how many calls stand before it, and the text, which counts as one."""
        found, spoke, calls = list[str](), False, 0
        for at, item in sorted(self._done.items()):
            if item.get("type") == "message":
                spoke = True
                if isinstance(phase := item.get("phase"), str):
                    found.append(to_item(API, {"phase": phase}))
            elif at in self._calls:
                calls += 1
            elif is_opaque(item):
                found.append(to_item(API, {"before": spoke + calls, "item": item}))
        return tuple(found)

    def _whole(self, value: Any) -> None:
        if isinstance(value.get("output"), list):
            self._seen = True
            self._take_response(value, _text(value.get("status")))
        elif reports_error(value):
            self._seen = True
            self._note("reported an error", json.dumps(value))

    def _chunk(self, value: Any, kind: str = "") -> None:
        kind = value["type"] if kind != ERROR and isinstance(value.get("type"), str) else kind
        match kind:
            case "response.output_text.delta" | "response.refusal.delta":
                self._speak(value, value["delta"], refuses=kind == "response.refusal.delta")
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
                self._think(value, value["delta"])
            case "response.output_text.annotation.added":
                self._besides.take({"annotations": [value["annotation"]]})
            case "response.output_item.added":
                self._begin(self._place(value), value["item"])
            case "response.function_call_arguments.delta":
                self._call(value).pieces.append(_checked(value["delta"]))
            case "response.function_call_arguments.done":
                call = self._call(value)
                call.take({"arguments": value["arguments"]})
                call.is_whole = True
            case "response.output_item.done":
                self._finish_item(self._place(value), value["item"])
            case _ if kind in _ENDS:
                response = value["response"]
                self._take_response(response, _text(response.get("status")) or kind.removeprefix("response."))
                self.over = True
            case _ if isinstance(response := value.get("response"), dict):
                self._about(response)
            case _ if kind == ERROR or (not kind.startswith("response.") and reports_error(value)):
                self._note("reported an error", json.dumps(value))

    # -- items

    def _place(self, value: Mapping[str, Any]) -> int:
        """Return which item of the answer an event speaks of, from 0."""
        item = value.get("item")
        key = _text(value.get("item_id")) or (_text(item.get("id")) if isinstance(item, dict) else "")
        place = value.get("output_index")
        if type(place) is not int:
            place = self._places.get(key, len(self._places) if key else 0)
        if key:
            self._places.setdefault(key, place)
        return place

    def _begin(self, place: int, item: Mapping[str, Any]) -> None:
        self._answered = True
        self._thinks = item.get("type") == "reasoning"
        if item.get("type") == "function_call":
            self._calls.setdefault(place, _Call()).take(item)

    def _call(self, value: Mapping[str, Any]) -> _Call:
        self._answered = self._spoke = True
        return self._calls.setdefault(self._place(value), _Call())

    def _speak(self, value: Mapping[str, Any], text: str, *, refuses: bool = False) -> None:
        """Take text of a message; that of another one stands apart."""
        place = self._place(value)
        self._told.add(("text", place, value.get("content_index", 0)))
        if not text:
            return
        if self._spoke_in not in (-1, place):
            self._content.add(_PARAGRAPH)
        self._spoke_in = place
        self._content.add(_checked(text))
        self._answered = self._spoke = True
        if refuses:
            self._besides.refuse()

    def _think(self, value: Mapping[str, Any], text: str) -> None:
        """Take thoughts: their summary, or if there is none, what was thought."""
        part = self._place(value), value.get("summary_index", value.get("content_index", 0))
        self._told.add(("thoughts", part[0]))
        if text:
            if self._thought_in not in (None, part):
                self._reasoning.add(_PARAGRAPH)
            self._thought_in = part
            self._reasoning.add(_checked(text))

    def _finish_item(self, place: int, item: dict[str, Any]) -> None:
        """Take an item that has ended, and of its text what has not come yet."""
        kind = item.get("type")
        self._done[place] = item
        self._thinks = False
        match kind:
            case "message":
                self._take_parts(place, item)
            case "reasoning":
                self._take_thoughts(place, item)
            case "function_call":
                call = self._calls.setdefault(place, _Call())
                call.take(item)
                call.is_whole = self._answered = self._spoke = True
            case "image_generation_call":
                self._besides.take({"images": [{"b64_json": item.get("result")}]})

    def _take_parts(self, place: int, item: Mapping[str, Any]) -> None:
        self._answered = True
        for at, part in enumerate(item.get("content") or ()):
            self._besides.take(part)
            if ("text", place, at) not in self._told:
                refusal = part.get("refusal")
                where = {"output_index": place, "content_index": at}
                self._speak(where, refusal or part.get("text") or "", refuses=bool(refusal))

    def _take_thoughts(self, place: int, item: Mapping[str, Any]) -> None:
        if ("thoughts", place) not in self._told:
            for at, part in enumerate(item.get("summary") or item.get("content") or ()):
                self._think({"output_index": place, "summary_index": at}, part.get("text") or "")

    # -- the end

    def _take_response(self, response: dict[str, Any], status: str) -> None:
        """Take the answer as a whole: how it has ended, and its items if none has ended before."""
        self._about(response)
        output = response.get("output") or ()
        known = bool(self._done)
        for place, item in enumerate(output):
            if not known:
                self._finish_item(place, item)
            elif item.get("type") == "message":  # which may have sources that came late
                for part in item.get("content") or ():
                    self._besides.take(part)
        error = response.get("error")
        if error or status == "failed":
            self._note("reported an error", json.dumps(error) if error else "")
            return
        details = response.get("incomplete_details")
        said = reason_said(_text(details.get("reason")) if isinstance(details, dict) else "")
        reason = reason_said(status)
        if status == "incomplete" and said not in ("", "other"):
            reason = said
        if reason and reason != "other":
            self._answered = self._ended = True
            self._reason = reason


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _checked(text: Any) -> str:
    if not isinstance(text, str):
        raise TypeError
    return text
