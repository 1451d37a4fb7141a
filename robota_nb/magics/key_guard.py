"""Keys do not belong on a line: the notebook keeps it, and IPython's history. They are refused, and not repeated.

Nor do they belong in what is given away.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from robota_nb.core.record.parameters import names_key
from robota_nb.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["key_on_line", "refuse_keys", "shown", "without_keys"]

_SETTING = re.compile(r"-{0,2}([\w-]+)=.+|--([\w-]+)", re.DOTALL)
_MAY_BE_KEY = re.compile(  # reads each character once, however many beginnings of keys there are
    r"\b(?:(?P<given>(?:sk|rk|gsk|xai|hf|ghp|glpat|nvapi|pplx|csk|tgp)[-_])|(?P<google>AIza))[\w-]*+"
    r"|\beyJ(?P<header>[\w-]*+)(?:\.(?P<claims>[\w-]*+)\.[\w-]*+)?"
)
_RUN = re.compile(r"[A-Za-z0-9]{12,}")
_RANDOM = re.compile(r"(?=[A-Za-z+/_-]*\d)(?=[\d+/_-]*[A-Za-z])[A-Za-z0-9+/_-]{16,}")


def key_on_line() -> CommandError:
    """Return the error of a line with a key on it."""
    return CommandError(
        "a key does not belong on a line, where the notebook and the history keep it: "
        "take it out of the cell, and run %robota endpoint key NAME, which asks for it"
    )


def refuse_keys(words: Iterable[str]) -> None:
    """Raise an error that repeats nothing, if one of a line's words is a key or the setting of one."""
    if any(_sets_key(word) or any(map(_is_key, _MAY_BE_KEY.finditer(word))) for word in words):
        raise key_on_line()


def without_keys(text: str, mark: str = "…") -> str:
    """Return a text with a mark in the place of what servers that many use give out as keys."""
    return _MAY_BE_KEY.sub(lambda word: mark if _is_key(word) else word[0], text)


def _is_key(word: re.Match[str]) -> bool:
    """Say whether what begins as a key does goes on as one."""
    if word["given"]:
        return any(not run.isalpha() for run in _RUN.findall(word[0], word.end("given") - word.start()))
    if word["google"]:
        return len(word[0]) >= len("AIza") + 30
    return len(word["header"]) >= 8 and bool(word["claims"])  # noqa: PLR2004 - a token, in three parts


def _sets_key(word: str) -> bool:
    setting = _SETTING.fullmatch(word)
    return setting is not None and names_key(setting[1] or setting[2])


def shown(word: str) -> str:
    """Return a word as an error may repeat it: in quotes, and if it could be a key, without."""
    return "'…'" if _RANDOM.search(word) else repr(word)
