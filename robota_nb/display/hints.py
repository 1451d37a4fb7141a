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
    "endpoint.add": "add it with c.RobotaMagics.endpoints = {{{name!r}: {{'base_url': …, 'key_env': …}}}}",
    "endpoint.choose": "%robota chat set provider=NAME chooses one",
    "endpoint.list": "%robota endpoint list shows them, endpoint add adds one",
    "key.again": "run %robota endpoint key {name} again",
    "key.check": "check {source} (%robota endpoint key {name} --forget removes it){more}{said}",
    "key.env": (
        "if it does, name a variable for it: key_env in its settings, or --key-env of %robota endpoint add"
    ),
    "key.missing": (
        "run %robota endpoint key {name}, or set the environment variable {variable} before Jupyter starts{note}"
    ),
    "key.replace": "{step}; %robota endpoint key {name} --forget removes it",
    "model.name": "name one with --model",
    "timeout.answer": "ask for less, or raise c.RobotaMagics.answer_timeout",
    "timeout.silence": "ask again, or raise c.RobotaMagics.silence_timeout",
})  # fmt: skip
"""The same keys as `robota_nb.errors.HINTS`."""


def told(error: RobotaError) -> str:
    """Return the text of an error as its user reads it in a notebook."""
    return error.in_words(HINTS)
