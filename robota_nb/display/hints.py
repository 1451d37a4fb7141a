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
    "import.file": "give a file that %robota export has written",
    "snapshot.open_here": "leave out --to, and save it as usual",
    "snapshot.replace": "%robota snapshot --replace writes over it",
    "snapshot.replace_file": "name the file, %robota snapshot --to PATH --replace",
    "snapshot.resume": "%robota resume PATH",
    "store.list": "%robota recover lists what there is",
    "turn.retry": "%robota chat retry asks again",
})  # fmt: skip
"""The same keys as `robota_nb.errors.HINTS`."""


def told(error: RobotaError) -> str:
    """Return the text of an error as its user reads it in a notebook."""
    return error.in_words(HINTS)
