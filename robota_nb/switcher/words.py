"""What to do next, in the words of somebody who clicks; what only a command can do is said as that."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from robota_nb.display.hints import HINTS as OF_COMMANDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.errors import RobotaError

_OTHER_MODEL = "choose a model that takes them from the chat's menu"

HINTS: Mapping[str, str] = MappingProxyType({
    **OF_COMMANDS,
    "account.quota": "add credit there, or choose a model of another endpoint from the chat's menu",
    "answer.silent": "stop it and ask again, or choose another model from the chat's menu",
    "ask.shorten": "Compact… below the draft sends a summary of its beginning; or fork it earlier, or begin a new one",
    "attached.clear": f"begin a new chat without them, or {_OTHER_MODEL}",
    "attached.fork": f"fork the chat at turn {{at}}, before them, or {_OTHER_MODEL}",
    "attached.now": "ask without it, or choose a model that takes it from the chat's menu",
    "chat.ask": "write a message",
    "chat.branches": "the arrows below a turn go through them",
    "chat.compact": "Compact… below the draft makes a summary, and has it sent",
    "chat.create": "write a message to start one",
    "chat.deleted": "undo brings it back",
    "chat.edit": "edit it, and send something else in its place",
    "chat.list": "choose one from the list, or start a new one",
    "chat.shorten": "Compact… below the draft sends a summary of its beginning; or fork it earlier, or begin a new one",
    "chat.turns": "scroll up to see them",
    "endpoint.choose": "choose a model of another endpoint from the chat's menu",
    "model.choose": "check its name, or choose another from the chat's menu",
    "model.name": "choose one from the chat's menu",
    "model.unlisted": "try again to send it anyway, or choose another from the chat's menu",
    "prompt.raw": "a space between the braces sends them as they stand",
    "session.archived": "restore it from the menu of the session",
    "session.deleted": "undo brings it back",
    "session.list": "choose one from the list, or create one from the menu of the session",
    "session.paused": "resume it from the menu of the session",
    "session.terminated": "that is for good; create another from the menu of the session",
    "turn.retry": "ask again below the turn",
})  # fmt: skip
"""The same keys as `robota_nb.errors.HINTS`."""


def told(error: RobotaError) -> str:
    """Return the text of an error as its user reads it in the switcher."""
    return error.in_words(HINTS)
