"""The states of a session, and how it gets from one to another (DESIGN §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from robota_nb.core.rules import limits
from robota_nb.errors import ChatNotFound, InvalidStateTransition, SessionNotActive

if TYPE_CHECKING:
    from robota_nb.core.session import Session

State: TypeAlias = Literal["active", "paused", "archived", "terminated"]
Change: TypeAlias = Literal["pause", "resume", "archive", "restore", "terminate"]

_CHANGES: dict[Change, tuple[tuple[State, ...], State]] = {
    "pause": (("active",), "paused"),
    "resume": (("paused",), "active"),
    "archive": (("active", "paused"), "archived"),
    "restore": (("archived",), "active"),
    "terminate": (("active", "paused", "archived"), "terminated"),
}

_NEXT_STEPS: dict[str, str] = {
    "active": "it can be asked as it is",
    "paused": "%robota session resume lets it go on",
    "archived": "%robota session restore brings it back",
    "terminated": "that is for good; open another with %robota session open NAME",
}


def change(session: Session, by: Change, *, again: bool = False) -> None:
    """Change a session's state.

    Parameters
    ----------
    session
        Which.
    by
        What is to be done.
    again
        Whether a cell says so that may have run before. Then the state that the last kernel ended with says
        nothing: the first change of this process counts from any state but ``terminated``, which stays; and
        what already stands so is left as it is.

    Raises
    ------
    InvalidStateTransition
        If the session's state does not allow it.
    SessionLimitReached
        If the user has as many active sessions as allowed.
    """
    sources, after = _CHANGES[by]
    with session.manager.lock:
        before, fresh = session.state, again and not session.state_changed
        if (again and before == after) or (fresh and before == "terminated"):
            return
        if not fresh and before not in sources:
            raise InvalidStateTransition(
                f"cannot {by} the session {session.name!r}: it is {before}; {next_step(before)}"
            )
        if after == "active":
            limits.check_sessions(session.manager, session.user_id)
        session.state_changed = True
        session.overlay.put(None, "state", None if after == "active" else after)


def check_active(session: Session) -> None:
    """Raise `SessionNotActive` unless the session may be asked."""
    if session.deleted:
        raise SessionNotActive(f"the session {session.name!r} was deleted: %robota session open brings it back")
    if session.state != "active":
        raise SessionNotActive(
            f"the session {session.name!r} is {session.state}: it can be read, not asked; {next_step(session.state)}"
        )


def check_asked(session: Session, chat: str) -> None:
    """Raise `SessionNotActive` or `ChatNotFound` unless this chat may be asked now."""
    session.manager.check_open()
    check_active(session)
    if not session.has(chat):
        raise ChatNotFound(f"the chat {session.chat_name(chat)!r} was deleted: %robota chat open brings it back")


def next_step(state: str) -> str:
    """Say what can be done with a session in this state."""
    return _NEXT_STEPS.get(state, "a later version of robota_nb knows that state")
