"""What a provider is made with: its endpoint, the key, the timeouts, and the care that every ask of a server needs."""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from robota_nb.core.interrupts import Cancellation
from robota_nb.core.ports import Finish
from robota_nb.errors import ProviderError
from robota_nb.providers.endpoint_settings import filled
from robota_nb.providers.keys.lookup import Keys
from robota_nb.providers.redaction import hide_frames, redacted
from robota_nb.providers.retry import Deadline, FailedAttempt, TooLate, attempted, in_words, with_retries
from robota_nb.providers.server_errors import ServerErrors

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

    from robota_nb.core.ports import Request, StreamEvent
    from robota_nb.providers.endpoint import Endpoint
    from robota_nb.providers.keys.secret import Secret

__all__ = ["More", "ProviderContext", "Response", "Timeouts"]


class Response(Protocol):
    """A response of a server, whose body is still on its way."""

    def hang_up(self) -> object:
        """Wake the thread that waits for the next piece of the body; called from another thread."""
        ...

    def close(self) -> object:
        """Release the connection."""
        ...


T = TypeVar("T")
R = TypeVar("R", bound=Response)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long a server is waited for, in seconds.

    Parameters
    ----------
    silence
        The longest silence, from the request to the first byte and between two pieces of the answer.
    answer
        The longest that a whole answer may take, waits included; 0 for any time.
    retry_wait
        The longest wait that a busy server may ask for before it is asked again.
    """

    silence: float = 600
    answer: float = 1800
    retry_wait: float = 60

    @property
    def read(self) -> float:
        """The longest that one read may take, which is a silence, and never more than the whole answer."""
        return min(self.silence, self.answer or self.silence)


@dataclass(frozen=True, slots=True, kw_only=True)
class More:
    """What the requests of an endpoint carry besides.

    Parameters
    ----------
    headers, query
        By name.
    secrets
        What of it nobody may see.
    """

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[Secret, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderContext:
    """What robota_nb gives to a provider of an endpoint when it makes one.

    A provider that asks by `ask` has its key looked up and kept out of answers and tracebacks; its requests are sent
    again where that may help, waits are shown, and cancelling and timeouts end them.

    Parameters
    ----------
    endpoint
        The endpoint as the user has configured it: its name, ``base_url``, ``model``, and ``settings``.
    keys
        Where its key is looked up, at each ask.
    timeouts
        How long the server is waited for.
    max_retries
        How often a request is sent again, before the first byte of an answer and never after it.
    """

    endpoint: Endpoint
    keys: Keys = field(default_factory=Keys)
    timeouts: Timeouts = field(default_factory=Timeouts)
    max_retries: int = 2

    def key(self) -> Secret:
        """Return the endpoint's key as it is now; an empty secret if the endpoint needs none.

        The user has bound the key to the endpoint's name and its `origin`: send it to no other server.

        Raises
        ------
        KeyMissing
            There is none, or the one that is there cannot be a key.
        """
        return self.keys.find(self.endpoint)

    def more(self) -> More:
        """Return the headers and the query that each request carries besides, with the values of their variables.

        Raises
        ------
        KeyMissing
            A variable is not set.
        """
        endpoint = self.endpoint
        if not endpoint.headers and not endpoint.query:
            return More()
        secrets = self.keys.fill(endpoint, (*endpoint.headers.values(), *endpoint.query.values()))
        values = {name: secret.reveal() for name, secret in secrets.items()}
        return More(
            headers={name: filled(text, values) for name, text in endpoint.headers.items()},
            query={name: filled(text, values) for name, text in endpoint.query.items()},
            secrets=tuple(secrets.values()),
        )

    def errors(
        self,
        key: Secret,
        model: str = "",
        pictures: Sequence[int] = (),
        *,
        files: Sequence[int] = (),
        more: More | None = None,
        listed: Sequence[str] = (),
    ) -> ServerErrors:
        """Return what makes the errors of a request; they never show the key or other secrets.

        Parameters
        ----------
        key, model, pictures, files, listed
            As for `ServerErrors`.
        more
            What the request carries besides.
        """
        secrets = more.secrets if more else ()
        return ServerErrors(self.endpoint.name, key, model, pictures, secrets, files=files, listed=listed)

    def ask(
        self,
        request: Request,
        send: Callable[[Secret], R | FailedAttempt],
        read: Callable[[R], Iterator[StreamEvent]],
    ) -> Iterator[StreamEvent]:
        """Ask a server, and yield its answer as it arrives: what `robota_nb.core.ports.Provider.stream` has to do.

        Parameters
        ----------
        request
            What is asked.
        send
            Sends it once, with the key. It returns the response as soon as its headers are there, or a
            `FailedAttempt`; what it raises is final.
        read
            Yields the answer. It raises a `ProviderError` if the response breaks off; the response is closed for it.

        Raises
        ------
        KeyMissing
            The endpoint needs a key, and there is none that can be used.
        ProviderError
            Anything else that keeps the answer from arriving whole; what came before has been yielded. It carries
            no frame and no other exception in which the key could be seen.
        """
        with hide_frames():
            self.endpoint.check()
            key = self.key()
            events = self._answer(request, partial(send, key), read)
            for secret in (key, *self.more().secrets):
                events = redacted(events, secret)
            yield from events

    def fetch(self, send: Callable[[Secret], R | FailedAttempt], read: Callable[[R], T]) -> T:
        """Ask a server once for something that is no answer, such as its list of models.

        Parameters
        ----------
        send
            As for `ask`.
        read
            Returns what the response holds; what it raises and when it ends is as for `ask`.

        Raises
        ------
        KeyMissing, ProviderError
            As `ask` does.
        """
        with hide_frames():
            self.endpoint.check()
            deadline, key = Deadline(self.timeouts.answer), self.key()
            with self._in_time():
                response = attempted(partial(send, key), cancellation=Cancellation(), deadline=deadline)
            assert response is not None  # nobody cancels it
            if isinstance(response, FailedAttempt):
                raise response.error
            with self._reading(response, deadline):
                return read(response)

    def _answer(
        self,
        request: Request,
        attempt: Callable[[], R | FailedAttempt],
        read: Callable[[R], Iterator[StreamEvent]],
    ) -> Generator[StreamEvent]:
        deadline = Deadline(self.timeouts.answer)
        with self._in_time():
            response = yield from with_retries(
                attempt,
                cancellation=request.cancellation,
                deadline=deadline,
                max_retries=self.max_retries,
                max_wait=self.timeouts.retry_wait,
            )
        request.cancellation.on_cancel(response.hang_up)
        with self._reading(response, deadline):
            for event in read(response):
                if isinstance(event, Finish) and event.reason == "unknown" and deadline.passed:
                    raise self._too_late()  # after hanging up, the connection may seem to end as it should
                yield event

    @contextmanager
    def _in_time(self) -> Iterator[None]:
        """Say it if the deadline passes before there is a response."""
        try:
            yield
        except TooLate:
            raise self._too_late() from None

    @contextmanager
    def _reading(self, response: Response, deadline: Deadline) -> Iterator[None]:
        """Hang up when the deadline passes, say so then, and close the response in any case."""
        try:
            with closing(response), deadline.calls(response.hang_up):
                yield
        except ProviderError:
            if not deadline.passed:
                raise
            raise self._too_late() from None

    def _too_late(self) -> ProviderError:
        what = f"had not ended its answer after {in_words(self.timeouts.answer)}"
        return ProviderError(f"endpoint {self.endpoint.name!r} {what}", hint="timeout.answer")
