"""Tell what is wrong with a text that stands in the place of a key, without showing any of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from robota_nb.providers.keys.secret import Secret

__all__ = ["KeyProblem", "key_problem"]

_PLACE = r"(~|\.{1,2}|/(home|Users|root|etc|run|var|opt|tmp|mnt|srv|usr|workspace|content|drive))/|[A-Za-z]:[\\/]|file:"
_FILE = r"[^=]*\.(txt|key|pem|env|json|ya?ml|toml|ini|cfg|conf)"
_FILLER = r"sk|your|insert|replace|paste|put|enter|add|change|the|own|real|openai|api|secret|access|auth|key|token|here"
_FILL_IN = r"your|insert|replace|paste|enter|here|x{3,}"


class KeyProblem(NamedTuple):
    """Why a text cannot be a key.

    Parameters
    ----------
    what
        What is wrong, in words that follow "the API key".
    step
        What to do about it.
    """

    what: str
    step: str


_PROBLEMS = (
    (r"['\"`\u2018-\u201f].*|.*['\"]", KeyProblem("stands in quotes", "set it without them")),
    (r"(?i:(authorization:\s*)?bearer\b).*", KeyProblem("begins with 'Bearer'", "set what follows that word")),
    (
        r"(export\s+)?[A-Za-z_][A-Za-z0-9_]*\s?=\s?[^=\s].*",
        KeyProblem("is a whole assignment", "set what follows the '='"),
    ),
    (
        r"\$\w+|\$?\{+.*\}+|%\w+%|\$\(.*\)|<.*>|\[.*\]",
        KeyProblem("is a placeholder that nobody filled in", "put the key there"),
    ),
    (r".*(environ\b|getenv\(|getpass\().*", KeyProblem("is a line of code", "set what it gives")),
    (
        r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*_(KEY|TOKEN|SECRET)",
        KeyProblem("is the name of a variable", "set the key that it stands for"),
    ),
    (r"https?://.*", KeyProblem("is a URL", "that goes into base_url")),
    (rf"({_PLACE}).*|{_FILE}", KeyProblem("is the path of a file", "set what stands in that file")),
    (r".*(\.\.\.|…|\*\*\*|•••).*", KeyProblem("is cut short, as pages show keys", "copy the whole key")),
    (
        rf"(?i:(?=.*({_FILL_IN}))(({_FILLER}|x{{3,}})[-_. ]?)+)",
        KeyProblem("is a placeholder from an example", "put your own key there"),
    ),
)
"""Patterns of texts that are no keys, each with its problem; the first that fits counts."""

_ODD_CHARACTER = KeyProblem("has a space, a line break or another character that keys do not have", "copy it again")


def key_problem(key: Secret) -> KeyProblem | None:
    """Return what is wrong with a key; None if nothing is.

    Parameters
    ----------
    key
        The key, without spaces around it. Whether a server takes it is another question.
    """
    for pattern, problem in _PROBLEMS:
        if re.fullmatch(pattern, key.reveal(), re.DOTALL):
            return problem
    return None if re.fullmatch(r"[!-~]+", key.reveal()) else _ODD_CHARACTER
