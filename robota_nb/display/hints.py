"""What to do next, in the words of somebody who works in a notebook: commands, and settings of the extension."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.errors import RobotaError

HINTS: Mapping[str, str] = MappingProxyType({
    "chat.create": "%robota new NAME creates one",
    "chat.list": "%robota chat list shows them, %robota new creates one",
    "setting.endpoint": "it belongs to a server in c.RobotaMagics.endpoints",
    "setting.key": "%robota endpoint key NAME asks for the key of a server",
    "setting.set": "set it anew with %robota chat set",
})  # fmt: skip
"""The same keys as `robota_nb.errors.HINTS`."""


def told(error: RobotaError) -> str:
    """Return the text of an error as its user reads it in a notebook."""
    return error.in_words(HINTS)
