"""What is wrong with a text that should be a key, said without showing any of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from robota_nb.providers.failures import Secret

__all__ = ["key_problem"]

_PLACE = r"(~|\.{1,2}|/(home|Users|root|etc|run|var|opt|tmp|mnt|srv|usr|workspace|content|drive))/|[A-Za-z]:[\\/]|file:"
_FILE = r"[^=]*\.(txt|key|pem|env|json|ya?ml|toml|ini|cfg|conf)"
_FILLER = r"sk|your|insert|replace|paste|put|enter|add|change|the|own|real|openai|api|secret|access|auth|key|token|here"
_FILL_IN = r"your|insert|replace|paste|enter|here|x{3,}"

_PROBLEMS = (
    (r"['\"`\u2018-\u201f].*|.*['\"]", "stands in quotes", "set it without them"),
    (r"(?i:(authorization:\s*)?bearer\b).*", "begins with 'Bearer'", "set what follows that word"),
    (r"(export\s+)?[A-Za-z_][A-Za-z0-9_]*\s?=\s?[^=\s].*", "is a whole assignment", "set what follows the '='"),
    (r"\$\w+|\$?\{+.*\}+|%\w+%|\$\(.*\)|<.*>|\[.*\]", "is a placeholder that nobody filled in", "put the key there"),
    (r".*(environ\b|getenv\(|getpass\().*", "is a line of code", "set what it gives"),
    (r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*_(KEY|TOKEN|SECRET)", "is the name of a variable", "set the key that it stands for"),
    (r"https?://.*", "is a URL", "that goes into base_url"),
    (rf"({_PLACE}).*|{_FILE}", "is the path of a file", "set what stands in that file"),
    (r".*(\.\.\.|…|\*\*\*|•••).*", "is cut short, as pages show keys", "copy the whole key"),
    (
        rf"(?i:(?=.*({_FILL_IN}))(({_FILLER}|x{{3,}})[-_. ]?)+)",
        "is a placeholder from an example",
        "put your own key there",
    ),
)
"""What a text looks like that is no key, what is wrong with it, and what to do."""


def key_problem(key: Secret) -> str:
    """Return what is wrong with a key, to follow "the API key", with the next step; empty if nothing is.

    Parameters
    ----------
    key
        The key, without spaces around it. Whether a server takes it is another question.
    """
    for pattern, what, step in _PROBLEMS:
        if re.fullmatch(pattern, key.reveal(), re.DOTALL):
            return f"{what}: {step}"
    if re.fullmatch(r"[!-~]+", key.reveal()):
        return ""
    return "has a space, a line break or another character that keys do not have: copy it again"
