"""The calls of tools in an answer, put together from their pieces. Pure: JSON values in, calls out.

Servers disagree in what a piece of a call carries. An index may be missing, always 0, or grow with each piece; an id
may be missing, come late, stand inside ``function``, or be a new one each time; a name may be said again with each
piece, or come after the arguments; arguments may be an object. So no key alone tells which call a piece belongs to.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from robota_nb.core.ports import ToolCall
from robota_nb.providers.openai.pieces import well_formed

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CallReader"]

_OF_A_PIECE = frozenset({"index", "id", "type", "function", "name", "arguments"})
_OF_A_FUNCTION = frozenset({"index", "id", "name", "arguments"})

_MARK = re.compile(r'\\.?|["{}]', re.DOTALL)
"""What tells how deep one is in JSON; half an escape ends a piece."""


class _Call:
    """A call, as far as it has come."""

    def __init__(self) -> None:
        self.id = self.name = ""
        self.more: dict[str, Any] = {}
        self._pieces: list[str] = []
        self._depth, self._in_text, self._escape = 0, False, ""

    @property
    def arguments(self) -> str:
        return "".join(self._pieces)

    @property
    def has_begun(self) -> bool:
        """Whether some of the arguments are there."""
        return any(self._pieces)

    @property
    def is_whole(self) -> bool:
        """Whether the arguments are one object of JSON; they are put together only if all its braces are closed."""
        return self._depth == 0 and not self._in_text and _is_object(self.arguments)

    def add(self, arguments: str) -> None:
        # Nothing can follow a whole object. Some servers say ``{}`` first, or all of it once more at the end.
        if arguments.lstrip().startswith("{") and self.is_whole:
            self._pieces.clear()
        self._pieces.append(arguments)
        for mark in _MARK.findall(self._escape + arguments):
            self._escape = mark if mark == "\\" else ""
            if mark == '"':
                self._in_text = not self._in_text
            elif not self._in_text and mark in "{}":
                self._depth += 1 if mark == "{" else -1

    def call_it(self, name: str, *, has_arguments: bool) -> None:
        """Take a name, or the next piece of one; one that is said again is none."""
        if name.startswith(self.name):
            self.name = name
        elif name != self.name and not (has_arguments or self.has_begun):
            self.name += name


class CallReader:
    """Puts the calls of one answer together.

    A known id tells the call. A new id is a new call, whatever its index, and so is a name that follows a whole call;
    else a piece goes on with the call of its index, or with the last one.
    """

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._by_id: dict[str, _Call] = {}
        self._by_index: dict[int, _Call] = {}

    def __bool__(self) -> bool:
        return bool(self._calls)

    def take(self, message: Mapping[str, Any], *, whole: bool = False) -> bool:
        """Take the calls in a message, or in a piece of one; return whether there were any.

        Parameters
        ----------
        message
            What may have ``tool_calls``, or the older ``function_call``.
        whole
            Whether each call in it is a whole one.
        """
        pieces = message.get("tool_calls")
        pieces = [pieces] if isinstance(pieces, dict) else pieces if isinstance(pieces, list) else []
        if not pieces and isinstance(older := message.get("function_call"), dict):
            pieces = [{"function": older}]
        found = [piece for piece in pieces if isinstance(piece, dict) and not _OF_A_PIECE.isdisjoint(piece)]
        for at, piece in enumerate(found):
            self._take(piece, alone=at > 0, whole=whole)
        return bool(found)

    def calls(self) -> list[ToolCall]:
        """Return the calls that have a name, in the order in which they began."""
        return [
            ToolCall(id=well_formed(call.id), name=well_formed(call.name), arguments=_arguments(call))
            for call in self._calls
            if call.name
        ]

    def more(self) -> list[dict[str, Any]]:
        """Return what else these calls have, by its keys."""
        return [call.more for call in self._calls if call.name]

    def _take(self, piece: dict[str, Any], *, alone: bool, whole: bool) -> None:
        function = piece.get("function")
        function = function if isinstance(function, dict) else piece
        call_id = _text(piece.get("id")) or _text(function.get("id"))
        index = piece.get("index", function.get("index"))
        index = index if type(index) is int else None
        name, arguments = _text(function.get("name")), _json(function.get("arguments"))
        if not (call_id or name or arguments or self._calls):
            return
        if whole:
            self._calls.append(call := _Call())
        else:
            call = self._by_id.get(call_id) or self._call(call_id, index, name, arguments, alone=alone)
        if call_id:
            call.id = call.id or call_id
            self._by_id[call_id] = call
        if index is not None:
            self._by_index[index] = call
        if name:
            call.call_it(name, has_arguments=bool(arguments))
        if arguments:
            call.add(arguments)
        call.more |= {key: value for key, value in piece.items() if key not in _OF_A_PIECE and value is not None}
        inside = {key: value for key, value in function.items() if key not in _OF_A_FUNCTION and value is not None}
        if inside and function is not piece:
            call.more["function"] = call.more.get("function", {}) | inside

    def _call(self, call_id: str, index: int | None, name: str, arguments: str, *, alone: bool) -> _Call:
        """Return the call that a piece without a known id goes on with, or a new one."""
        same_index = None if index is None else self._by_index.get(index)
        call = same_index or (self._calls[-1] if self._calls else None)
        is_new_index = index is not None and same_index is None
        if call is None or _begins(
            call, call_id, name, arguments, apart=is_new_index or (alone and same_index is None)
        ):
            call = _Call()
            self._calls.append(call)
        return call


def _begins(call: _Call, call_id: str, name: str, arguments: str, *, apart: bool) -> bool:
    """Return whether a piece whose id is not known begins another call than this one.

    Parameters
    ----------
    call
        The one that it would go on with.
    call_id, name, arguments
        What the piece has of these.
    apart
        Whether its place says that it is another one, which servers say of every piece, too.
    """
    if apart and (call_id or name):
        return True
    if not name:  # a new id with each piece is no new call, while that is not whole
        return bool(call_id or (apart and arguments)) and call.is_whole and call.arguments.strip() != "{}"
    if not call.name:
        return bool(call_id and call.id)
    if call_id and call.id:
        return True
    if name == call.name:
        return call.has_begun and call.is_whole
    return call.has_begun or bool(arguments) or bool(call_id)


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else _text(value)


def _arguments(call: _Call) -> str:
    text = well_formed(call.arguments)
    return text if text.strip() else "{}"
