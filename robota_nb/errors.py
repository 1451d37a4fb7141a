"""What can go wrong, as typed exceptions: one line that says what happened and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ChatBusy",
    "ChatLimitReached",
    "ChatNotFound",
    "CommandError",
    "DuplicateName",
    "EndpointNotFound",
    "GitError",
    "InvalidName",
    "InvalidStateTransition",
    "KeyMissing",
    "PromptError",
    "ProviderError",
    "ReplayMiss",
    "RobotaError",
    "SessionLimitReached",
    "SessionNotActive",
    "SessionNotFound",
    "SnapshotError",
    "StoreError",
    "TurnNotFound",
    "nearest",
]


class RobotaError(Exception):
    """The root of every error that robota_nb raises on purpose; its text is one line with a next step."""


class SessionNotFound(RobotaError, LookupError):
    """No such session for this user (another user's session is unknown in the same words)."""


class ChatNotFound(RobotaError, LookupError):
    """No such chat in this session (another session's chat is unknown in the same words)."""


class TurnNotFound(RobotaError, LookupError):
    """No such turn or branch in this chat."""


class DuplicateName(RobotaError, ValueError):
    """The name is taken by a sibling."""


class InvalidName(RobotaError, ValueError):
    """A name that is empty, too long, or has control characters."""


class SessionNotActive(RobotaError):
    """The session is paused, archived or terminated: it can be read, not asked."""


class InvalidStateTransition(RobotaError):
    """A session cannot go from its state to the one asked for."""


class ChatBusy(RobotaError):
    """A turn is running in this chat."""


class SessionLimitReached(RobotaError):
    """The user has as many active sessions as allowed."""


class ChatLimitReached(RobotaError):
    """The session has as many chats as allowed."""


class ProviderError(RobotaError):
    """The model could not be asked, or its answer did not arrive whole.

    Parameters
    ----------
    text
        One line and a next step; never holds a key or a URL.
    status
        The HTTP status, where there is one.
    """

    def __init__(self, text: str, *, status: int | None = None) -> None:
        super().__init__(text)
        self.status = status


class EndpointNotFound(ProviderError, LookupError):
    """A provider or endpoint name that the user has not configured."""


class KeyMissing(ProviderError):
    """The endpoint has no API key."""


class ReplayMiss(RobotaError):
    """In strict mode, an ask has no recorded answer that fits."""


class SnapshotError(RobotaError, ValueError):
    """A snapshot that cannot be read, or a value that cannot be stored in one.

    Parameters
    ----------
    text
        One line that says what is wrong and what to do.
    at
        Where in the snapshot, as a path such as ``sessions.s_1.e_2.content``.
    """

    def __init__(self, text: str, *, at: str = "") -> None:
        super().__init__(f"{at}: {text}" if at else text)
        self.at = at


class StoreError(RobotaError):
    """The local store cannot be read or written."""


class GitError(RobotaError):
    """Git cannot do what is asked of it here."""


class CommandError(RobotaError, ValueError):
    """A ``%robota`` line that does not parse."""


class PromptError(RobotaError, ValueError):
    """A ``{{ name }}`` in a prompt that cannot be filled in."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return `` (did you mean 'x'?)`` for the known word nearest to *word*, or an empty string."""
    from difflib import get_close_matches

    match = get_close_matches(word[:100], list(known), n=1, cutoff=0.6)
    return f" (did you mean {match[0]!r}?)" if match else ""
