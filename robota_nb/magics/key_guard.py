"""Keys do not belong on a line: the notebook keeps it, and IPython's history. They are refused, and not repeated."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from robota_nb.core.record.entries import names_key
from robota_nb.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["key_on_line", "refuse_keys", "shown"]

_SETTING = re.compile(r"-{0,2}([\w-]+)=.+|--([\w-]+)", re.DOTALL)
_KNOWN = re.compile(
    r"\b(sk|rk|gsk|xai|hf|ghp|glpat|nvapi|pplx|csk|tgp)[-_][\w-]*(?=[A-Za-z]*\d)[A-Za-z0-9]{12,}"
    r"|\bAIza[\w-]{30,}|\beyJ[\w-]{8,}\.[\w-]+\."
)
_RANDOM = re.compile(r"(?=[A-Za-z+/_-]*\d)(?=[\d+/_-]*[A-Za-z])[A-Za-z0-9+/_-]{16,}")


def key_on_line() -> CommandError:
    """Return the error of a line with a key on it."""
    return CommandError(
        "a key does not belong on a line, where the notebook and the history keep it: "
        "take it out of the cell, and run %robota endpoint key NAME, which asks for it"
    )


def refuse_keys(words: Iterable[str]) -> None:
    """Raise an error that repeats nothing, if one of a line's words is a key or the setting of one."""
    if any(_sets_key(word) or _KNOWN.search(word) for word in words):
        raise key_on_line()


def _sets_key(word: str) -> bool:
    setting = _SETTING.fullmatch(word)
    return setting is not None and names_key(setting[1] or setting[2])


def shown(word: str) -> str:
    """Return a word as an error may repeat it: in quotes, and if it could be a key, without."""
    return "'…'" if _RANDOM.search(word) else repr(word)
