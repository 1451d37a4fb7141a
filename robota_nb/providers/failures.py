"""What a user reads when a model cannot be asked: one line, a next step, and never a key or a URL."""

from __future__ import annotations

import os
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from urllib.parse import unquote

from robota_nb.errors import ProviderError

__all__ = ["CHECK_URL", "Environment", "Faults", "Secret", "scrub"]

_MAX_TEXT = 290
CHECK_URL = "check that its base_url is the API's (it usually ends in /v1)"
_FRAGMENT = 4
"""So many characters of a key in a row are too many to show (servers like to echo `sk-...abcd`)."""

_KEY_LIKE = re.compile(r"sk[-_]\S+", re.IGNORECASE)
_TERMINAL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://\S+|\bwww\.\S+", re.IGNORECASE)

_BY_STATUS: dict[int, tuple[str, str]] = {
    401: ("refused the key", "check {source}"),
    403: ("refused the key", "check {source}, and what that key may do"),
    404: ("does not know the model {model!r} or the path", "check --model and the base_url"),
    408: ("gave up waiting", "ask again"),
    413: ("finds the request too large", "start a new chat with %robota new, or send less"),
    429: ("limits the rate, or the quota is used up", "wait a moment and ask again"),
    500: ("failed", "that is the server's side; ask again later"),
}
"""What happened and the next step, by HTTP status; 500 stands for its whole family."""


class Secret:
    """A key that no repr, traceback or f-string shows.

    Parameters
    ----------
    value
        The key; empty for none.
    source
        Where it was found, as a user reads it, such as "the environment variable LAB_KEY".
    """

    __slots__ = ("_value", "source")

    def __init__(self, value: str, source: str = "") -> None:
        self._value = value
        self.source = source

    def reveal(self) -> str:
        """Return the key."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "Secret(...)"

    def __reduce__(self) -> str:
        raise TypeError("a key is not to be pickled")


class Environment(Mapping[str, str]):
    """Environment variables that no repr or traceback shows.

    Parameters
    ----------
    variables
        By default, and always up to date, those of the process.
    """

    __slots__ = ("_variables",)

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        self._variables = os.environ if variables is None else variables

    def __getitem__(self, name: str) -> str:
        return self._variables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)

    def __repr__(self) -> str:
        return "Environment(...)"

    def __reduce__(self) -> str:
        raise TypeError("an environment is not to be pickled: keys stand in it")


def scrub(text: str, secret: Secret, limit: int) -> str:
    """Return *text* from a server as one short line without control characters, URLs, and parts of keys."""
    visible = "".join(char if char.isprintable() else " " for char in _TERMINAL.sub(" ", text[:2000]))
    visible = _KEY_LIKE.sub("…", _URL.sub("…", visible))
    fragments = _fragments(secret)
    words = ("…" if _holds(word, fragments) else word for word in visible.split())
    return _short(" ".join(words), limit)


class Faults:
    """Makes the errors of one ask.

    Parameters
    ----------
    endpoint
        The endpoint's alias.
    secret
        The key, to keep it out of what the server says; empty if the endpoint needs none.
    model
        The model asked for.
    """

    def __init__(self, endpoint: str, secret: Secret, model: str) -> None:
        self._endpoint = endpoint
        self.secret = secret
        self._model = _short("".join(char for char in model if char.isprintable()), 60)

    def error(self, what: str, step: str, *, detail: str = "", status: int | None = None) -> ProviderError:
        """Make an error of what happened, the next step, and the server's own words."""
        text = f"endpoint {self._endpoint!r} {what}: {step}"
        if said := self.clean(detail):
            text += f" (it said: {said})"
        return ProviderError(_short(text, _MAX_TEXT), status=status)

    def clean(self, text: str, limit: int = 120) -> str:
        """Return the server's own words, fit to be shown."""
        return scrub(text, self.secret, limit)

    def status(self, status: int, detail: str, wait: str = "") -> ProviderError:
        """Make the error of an HTTP status; *wait* is how long the server asks to wait before the next ask."""
        if detail.lstrip().startswith("<"):  # a web page, not words
            detail = ""
        what, step = self._by_status(status)
        if wait:
            step = f"ask again in {wait}"
        return self.error(f"{what} (HTTP {status})", step, detail=detail, status=status)

    def _by_status(self, status: int) -> tuple[str, str]:
        family = min(status, HTTPStatus.INTERNAL_SERVER_ERROR)
        what, step = _BY_STATUS.get(family, ("refused the request", "check the model and what was set with --set"))
        source = self.secret.source or "whether it needs a key_env"
        return what.format(model=self._model), step.format(source=source)


def _fragments(secret: Secret) -> set[str]:
    """Return all pieces of a key that are too long to show: as it is, and in the codes in which headers travel."""
    key = secret.reveal().encode()
    found = _pieces(key.decode().casefold(), _FRAGMENT) | _pieces(key.hex(), 2 * _FRAGMENT)
    for before in (b"", b"-", b"--"):  # Base64 has another text for each place that the key may begin at
        found |= _pieces(b64encode(before + key).decode().casefold(), 2 * _FRAGMENT)
    return found


def _pieces(text: str, size: int) -> set[str]:
    return {text[start : start + size] for start in range(len(text) - size + 1)}


def _holds(word: str, fragments: set[str]) -> bool:
    plain = unquote(word).casefold()
    return any(piece in fragments for size in (_FRAGMENT, 2 * _FRAGMENT) for piece in _pieces(plain, size))


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
