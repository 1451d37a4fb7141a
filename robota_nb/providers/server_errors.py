"""The errors of servers: one line that says what happened and what to do next, and never shows a key or a URL."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from robota_nb.errors import ProviderError
from robota_nb.providers.redaction import scrub, shortened
from robota_nb.providers.retry import FailedAttempt, in_words, is_retryable, retry_after

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.providers.keys.secret import Secret
    from robota_nb.providers.retry import Headers

__all__ = ["CHECK_URL", "ServerErrors"]

CHECK_URL = "check that its base_url is the API's (it usually ends in /v1)"
_MAX_TEXT = 290

_REFUSED_KEY: Mapping[int, str] = {401: "", 403: ", and what that key may do"}
"""What else to check where the server has refused the key, by HTTP status."""

_BY_STATUS: Mapping[int, tuple[str, str]] = {
    404: ("does not know the model {model!r} or the path", "check the model's name and the base_url"),
    408: ("gave up waiting", "ask again"),
    413: ("finds the request too large", "start a new chat, or send less"),
    429: ("limits the rate, or the quota is used up", "wait a moment and ask again"),
    500: ("failed", "that is the server's side; ask again later"),
}
"""What happened and what to do, by HTTP status; 500 stands for all from there on."""

_OTHER_STATUS = ("refused the request", "check the model and the parameters of the chat")


class ServerErrors:
    """Makes the errors of one request.

    Parameters
    ----------
    endpoint
        The endpoint's alias.
    key
        The key that the server is sent, to keep it out of what the server says; empty if it needs none.
    model
        The model that is asked for.
    """

    def __init__(self, endpoint: str, key: Secret, model: str = "") -> None:
        self._endpoint = endpoint
        self.key = key
        self._model = shortened("".join(char for char in model if char.isprintable()), 60)

    def error(
        self, what: str, step: str = "", *, detail: str = "", status: int | None = None, hint: str = "", **names: str
    ) -> ProviderError:
        """Make an error.

        Parameters
        ----------
        what
            What happened, in words that follow "endpoint 'lab'".
        step
            What to do next.
        detail
            The server's own words, as they came.
        status
            The HTTP status.
        hint, **names
            In the place of *step*, the key of a hint and what that names (see `robota_nb.errors.RobotaError`); the
            server's words are its *said*.
        """
        words = self.clean(detail)
        said = f" (it said: {words})" if words else ""
        text = f"endpoint {self._endpoint!r} {what}"
        if hint:
            return ProviderError(text, status=status, hint=hint, name=self._endpoint, said=said, **names)
        return ProviderError(shortened(f"{text}: {step}{said}", _MAX_TEXT), status=status)

    def refused(self, status: int, headers: Headers, detail: str = "") -> FailedAttempt:
        """Make the failed attempt of a response with this HTTP status: its error, and whether to ask again, and when.

        Parameters
        ----------
        status
            The HTTP status.
        headers
            The headers of the response, where servers say whether and when to ask again.
        detail
            The server's own words, as they came.
        """
        retryable = is_retryable(status, headers)
        wait = retry_after(headers) if retryable else None
        return FailedAttempt(self._of_status(status, detail, in_words(wait) if wait else ""), retryable, wait)

    def clean(self, text: str, limit: int = 120) -> str:
        """Return a *text* of the server fit to be shown: one line without the key, of at most *limit* characters."""
        return scrub(text, self.key, limit)

    def _of_status(self, status: int, detail: str, wait: str) -> ProviderError:
        if detail.lstrip().startswith("<"):  # a web page, not words
            detail = ""
        if status in _REFUSED_KEY:
            return self._of_refused_key(status, detail)
        family = min(status, HTTPStatus.INTERNAL_SERVER_ERROR)
        what, step = _BY_STATUS.get(family, _OTHER_STATUS)
        what = f"{what.format(model=self._model)} (HTTP {status})"
        return self.error(what, f"ask again in {wait}" if wait else step, detail=detail, status=status)

    def _of_refused_key(self, status: int, detail: str) -> ProviderError:
        what, source, more = f"refused the key (HTTP {status})", self.key.source, _REFUSED_KEY[status]
        if source is None or source.place == "environment":
            step = f"check {source or 'whether it needs a key_env'}{more}"
            return self.error(what, step, detail=detail, status=status)
        return self.error(what, detail=detail, status=status, hint="key.check", source=str(source), more=more)
