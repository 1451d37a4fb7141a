"""What an endpoint's entry in the user's configuration may say, and what is wrong with one that says something else."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from robota_nb.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SETTINGS", "Setting", "problem_of", "variables"]

Setting: TypeAlias = str | int | float | bool
"""The value of a setting that only its provider knows."""

_SETTING = re.compile(r"[a-z][a-z0-9_]{0,63}")
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")  # upper case: many a key would pass for a lower-case name
_IN_TEXT = re.compile(r"\$(?:\{([A-Z_][A-Z0-9_]*)\}|([A-Z_][A-Z0-9_]*))")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_SECRETS = frozenset({"apikey", "key", "password", "secret", "token"})
_SECRET_HEADERS = _SECRETS | {"auth", "authorization", "cookie", "credential", "credentials", "signature"}
_OURS = frozenset({
    "accept-encoding", "connection", "content-length", "content-type", "host", "te", "trailer", "transfer-encoding",
    "upgrade",
})  # fmt: skip
_NOT_DEFAULTS = ("messages", "model", "stream")
_TIMEOUTS = ("silence", "answer", "retry_wait")
_APIS = ("auto", "chat", "responses")
_PRICES = ("input", "output")
_NAME_A_VARIABLE = "put it into an environment variable and name that, as in '$LAB_KEY'"


def variables(text: str) -> list[str]:
    """Return the names of the environment variables that a text has in it, as ``$NAME`` or ``${NAME}``."""
    return [braced or plain for braced, plain in _IN_TEXT.findall(text)]


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return a text with the values of its variables in their place."""
    return _IN_TEXT.sub(lambda found: values[found[1] or found[2]], text)


def problem_of(key: object, value: object, *, own: bool) -> str:
    """Return what is wrong with a setting of an endpoint, never with its value in it; empty if nothing is.

    Parameters
    ----------
    key, value
        The setting.
    own
        Whether the endpoint's provider may have settings of its own.
    """
    if isinstance(key, str) and key in SETTINGS:
        return SETTINGS[key](key, value)
    if _SECRETS & _parts(str(key)):
        step = "put the key into an environment variable and name that with key_env"
        return f"no setting is called {str(key)[:60]!r}: {step}"
    if not own:
        return f"no setting is called {str(key)[:60]!r}{nearest(str(key), SETTINGS)}: there are {', '.join(SETTINGS)}"
    if not isinstance(key, str) or not _SETTING.fullmatch(key):
        return "the name of a setting has lower-case letters, digits and '_'"
    return "" if isinstance(value, Setting) else f"{key} is a string, a number, True or False"


def _parts(name: str) -> set[str]:
    return set(re.split(r"[^a-z]+", name.lower()))


# -- by setting


def _text(key: str, value: object) -> str:
    return "" if isinstance(value, str) else f"{key} is a string"


def _line(key: str, value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"[!-~]*", value):
        return ""
    return f"{key} is a string of letters, digits and signs"


def _key_env(key: str, value: object) -> str:
    if isinstance(value, str) and value and not _VARIABLE.fullmatch(value):
        return f"{key} is the name of an environment variable in upper case, such as 'LAB_KEY', not the key itself"
    return _text(key, value)


def _texts(key: str, value: object) -> str:
    """Headers, and what follows the question mark: texts in which secrets stand as names of variables."""
    if not isinstance(value, Mapping):
        return f"{key} is a dictionary of strings, such as {{'X-Team': 'blue'}}"
    for name, text in value.items():
        shown = str(name)[:60]
        if not isinstance(name, str) or not _HEADER.fullmatch(name):
            return f"a name in {key} has letters, digits and '-'"
        if key == "headers" and name.lower() in _OURS:
            return f"{key} cannot have {shown}, which belongs to the connection: leave it out"
        if not isinstance(text, str) or not re.fullmatch(r"[ -~]*", text):
            return f"{shown} in {key} is a string of one line, in ASCII"
        if _SECRET_HEADERS & _parts(re.sub(r"([a-z])([A-Z])", r"\1-\2", name)) and not variables(text):
            return f"{shown} in {key} is a secret: {_NAME_A_VARIABLE}"
    return ""


def _body(key: str, value: object) -> str:
    if not isinstance(value, Mapping):
        return f"{key} is a dictionary of what requests carry, such as {{'user': 'lab'}}"
    if taken := next((name for name in _NOT_DEFAULTS if name in value), ""):
        return f"{key} cannot have {taken}, which each request says itself: leave it out"
    if secret := next((str(name) for name in value if _SECRETS & _parts(str(name))), ""):
        return f"{secret[:60]} in {key} is a secret: headers can carry one, by the name of a variable"
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return f"{key} has no JSON form: use texts, numbers, True, False, None, lists and dictionaries"
    return ""


def _numbers(names: tuple[str, ...], what: str) -> Callable[[str, object], str]:
    def problem(key: str, value: object) -> str:
        example = ", ".join(f"{name!r}: 1.5" for name in names)
        if not isinstance(value, Mapping) or not set(value) <= set(names):
            return f"{key} is a dictionary of {what}, such as {{{example}}}"
        wrong = next((name for name, number in value.items() if not _is_amount(number)), "")
        return f"{wrong} in {key} is a number, 0 or more" if wrong else ""

    return problem


def _is_amount(value: object) -> bool:
    return type(value) in (int, float) and 0 <= value < float("inf")  # type: ignore[operator]


def _tokens(key: str, value: object) -> str:
    return "" if type(value) is int and value > 0 else f"{key} is how many tokens a request may have, such as 8192"


def _api(key: str, value: object) -> str:
    if value in _APIS:
        return ""
    return f"{key} is 'chat' (Chat Completions), 'responses', or 'auto' for the one that fits"


def _flag(key: str, value: object) -> str:
    return "" if isinstance(value, bool) else f"{key} is True or False"


SETTINGS: Mapping[str, Callable[[str, Any], str]] = {
    "base_url": _text, "key_env": _key_env, "model": _text, "provider": _text, "api": _api, "headers": _texts,
    "query": _texts, "body": _body, "organization": _line, "timeouts": _numbers(_TIMEOUTS, "seconds"),
    "context_window": _tokens, "price": _numbers(_PRICES, "what a million tokens cost"), "insecure": _flag,
}  # fmt: skip
"""The settings of every endpoint, and what is wrong with a value of each."""
