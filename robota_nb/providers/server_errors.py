"""The errors of servers: one line that says what happened and what to do next, and never shows a key or a URL."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from robota_nb.errors import ProviderError, nearest
from robota_nb.providers.faults import KEY_REFUSED, NO_FILES, NO_PICTURES, Fault, fault_of
from robota_nb.providers.redaction import scrub, shortened
from robota_nb.providers.retry import FailedAttempt, in_words, is_retryable
from robota_nb.providers.said import said_in
from robota_nb.providers.waits import limit_reset, retry_after, wait_said

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from robota_nb.providers.keys.secret import Secret
    from robota_nb.providers.retry import Headers

__all__ = ["CHECK_URL", "ServerErrors"]

CHECK_URL = "check that its base_url is the API's (it usually ends in /v1)"
_MAX_TEXT = 290
_LISTED = 5
_MAX_WORDS = 500
"""The most characters of a server's own words."""

_REFUSED_KEY: Mapping[int, str] = {401: "", 403: ", and what that key may do"}
"""What else to check where the server has refused the key, by HTTP status."""

_BY_STATUS: Mapping[int, tuple[str, str]] = {
    402: ("wants to be paid", "add credit there, or choose another endpoint"),
    404: ("does not know the model {model!r}{near} or the path", "check the model's name and the base_url"),
    408: ("gave up waiting", "ask again"),
    413: ("finds the request too large", "start a new chat, or send less"),
    429: ("limits the rate, or the quota is used up", "wait a moment and ask again"),
    500: ("failed", "that is the server's side; ask again later"),
    504: ("did not get the answer in time", "it may have been billed; ask again, or ask for less"),
    524: ("did not get the answer in time", "it may have been billed; ask again, or ask for less"),
}
"""What happened and what to do, by HTTP status; 500 stands for all others from there on."""

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
    pictures
        The numbers of the turns that are sent with pictures, from 1; 0 is what is asked now.
    secrets
        What else the server is sent and may not be shown.
    files
        The numbers of the questions that are sent with files which are no text, as *pictures*.
    listed
        The models that the server has listed, if somebody has asked for them.
    """

    def __init__(
        self,
        endpoint: str,
        key: Secret,
        model: str = "",
        pictures: Sequence[int] = (),
        secrets: tuple[Secret, ...] = (),
        *,
        files: Sequence[int] = (),
        listed: Sequence[str] = (),
    ) -> None:
        self._endpoint = endpoint
        self._pictures = pictures
        self._files = files
        self.key = key
        self.secrets = (key, *secrets)
        self._model = shortened("".join(char for char in model if char.isprintable()), 60)
        self._listed = () if model in listed else listed

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
            In the place of *step*, the key of a hint and what that names (see `robota_nb.errors.RobotaError`).
        """
        said = self.clean(said_in(detail), _MAX_WORDS)
        text = f"endpoint {self._endpoint!r} {what}"
        if hint:
            return ProviderError(text, status=status, hint=hint, said=said, name=self._endpoint, **names)
        return ProviderError(shortened(f"{text}: {step}", _MAX_TEXT), status=status, said=said)

    def broken(self, what: str, detail: str = "") -> ProviderError:
        """Make the error of an answer that is none, or that broke off; *what* and *detail* are those of `error`."""
        fault = fault_of(HTTPStatus.OK, detail, pictures=bool(self._pictures), files=bool(self._files))
        return self._of_fault(fault, detail) if fault else self.error(what, "ask again", detail=detail)

    def refused(self, status: int, headers: Headers, detail: str = "") -> FailedAttempt:
        """Make the failed attempt of a response with this HTTP status: its error, and whether to ask again, and when.

        Parameters
        ----------
        status
            The HTTP status.
        headers
            The headers of the response, where servers say whether and when to ask again.
        detail
            The body, as it came.
        """
        wait = retry_after(headers)
        wait = wait_said(detail) if wait is None else wait
        along = {"pictures": bool(self._pictures), "files": bool(self._files)}
        fault = fault_of(status, detail, **along, waits=wait is not None)
        if wait is None and status == HTTPStatus.TOO_MANY_REQUESTS:
            wait = limit_reset(headers)
        passes = fault.passes if fault else None
        retryable = is_retryable(status, headers) if passes is None else passes
        wait = wait if retryable else None
        later = in_words(wait) if wait else ""
        error = self._of_fault(fault, detail, status, later) if fault else self._of_status(status, detail, later)
        return FailedAttempt(error, retryable, wait)

    def clean(self, text: str, limit: int = _MAX_WORDS) -> str:
        """Return a *text* of the server fit to be shown: one line without the key, of at most *limit* characters."""
        for secret in self.secrets:
            text = scrub(text, secret, limit)
        return text

    def _of_fault(self, fault: Fault, detail: str, status: int | None = None, wait: str = "") -> ProviderError:
        if fault is KEY_REFUSED:
            return self._of_refused_key(status, detail)
        what = self._named(fault.what) + (f" (HTTP {status})" if status else "")
        if wait:
            return self.error(what, f"ask again in {wait}", detail=detail, status=status)
        if fault is NO_PICTURES or fault is NO_FILES:
            return self._of_attached(fault, what, detail, status)
        step = fault.step.format(model=self._model)
        return self.error(what, step, detail=detail, status=status, hint=fault.hint)

    def _of_attached(self, fault: Fault, what: str, detail: str, status: int | None) -> ProviderError:
        are_pictures = fault is NO_PICTURES
        numbers = self._pictures if are_pictures else self._files
        before = [number for number in numbers if number]
        if before:
            turns = ", ".join(map(str, before[:_LISTED])) + (" …" if before[_LISTED:] else "")
            what = f"{what}; turn{'s' if before[1:] else ''} {turns} of the chat sent some"
        if len(before) < len(numbers):
            return self.error(what, detail=detail, status=status, hint="attached.now")
        hint = "pictures.fork" if are_pictures else "attached.fork" if before[0] > 1 else "attached.clear"
        return self.error(what, detail=detail, status=status, hint=hint, at=str(before[0] - 1))

    def _of_status(self, status: int, detail: str, wait: str) -> ProviderError:
        if status in _REFUSED_KEY:
            return self._of_refused_key(status, detail)
        known = _BY_STATUS.get(status) or _BY_STATUS.get(min(status, HTTPStatus.INTERNAL_SERVER_ERROR), _OTHER_STATUS)
        what = f"{self._named(known[0])} (HTTP {status})"
        return self.error(what, f"ask again in {wait}" if wait else known[1], detail=detail, status=status)

    def _named(self, what: str) -> str:
        """Return what happened with the name of the model, and of the nearest one where that is not known."""
        near = self.clean(nearest(self._model, self._listed)) if "{near}" in what else ""
        return what.format(model=self._model, near=f" {near}" if near else "")

    def _of_refused_key(self, status: int | None, detail: str) -> ProviderError:
        what = KEY_REFUSED.what + (f" (HTTP {status})" if status else "")
        source, more = self.key.source, _REFUSED_KEY.get(status or 0, "")
        if source is None or source.place == "environment":
            step = f"check {source or 'whether it needs a key_env'}{more}"
            return self.error(what, step, detail=detail, status=status)
        return self.error(what, detail=detail, status=status, hint="key.check", source=str(source), more=more)
