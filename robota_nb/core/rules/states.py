"""The states of a session, and how it gets from one to another (DESIGN §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from robota_nb.errors import ChatNotFound, InvalidStateTransition, SessionNotActive

if TYPE_CHECKING:
    from robota_nb.core.record.view import SessionView

State: TypeAlias = Literal["active", "paused", "archived", "terminated"]
Change: TypeAlias = Literal["pause", "resume", "archive", "restore", "terminate"]

_CHANGES: dict[Change, tuple[tuple[State, ...], State]] = {
    "pause": (("active",), "paused"),
    "resume": (("paused",), "active"),
    "archive": (("active", "paused"), "archived"),
    "restore": (("archived",), "active"),
    "terminate": (("active", "paused", "archived"), "terminated"),
}


def after(view: SessionView, by: Change, *, again: bool = False) -> State | None:
    """Return the state that a change leads to; None if all is to stay as it is.

    Parameters
    ----------
    view
        The session.
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
    """
    sources, state = _CHANGES[by]
    before, first = view.state, again and not view.state_changed
    if (again and before == state) or (first and before == "terminated"):
        return None
    if not first and before not in sources:
        raise InvalidStateTransition(f"cannot {by} the session {view.name!r}: it is {before}", hint=next_step(before))
    return state


def enter(view: SessionView, state: State) -> None:
    """Bring a session into a state."""
    view.state_changed = True
    view.overlay.put(None, "state", None if state == "active" else state)


def check_active(view: SessionView) -> None:
    """Raise `SessionNotActive` unless the session may be asked."""
    if view.deleted:
        raise SessionNotActive(f"the session {view.name!r} was deleted", hint="session.deleted")
    if view.state != "active":
        raise SessionNotActive(
            f"the session {view.name!r} is {view.state}: it can be read, not asked", hint=next_step(view.state)
        )


def check_asked(view: SessionView, chat: str) -> None:
    """Raise `SessionNotActive` or `ChatNotFound` unless this chat of the session may be asked now."""
    check_active(view)
    if not view.has(chat):
        raise ChatNotFound(f"the chat {view.chat_name(chat)!r} was deleted", hint="chat.deleted")


def next_step(state: str) -> str:
    """Return the key of what can be done with a session in this state (see `robota_nb.errors.HINTS`)."""
    return f"session.{state}" if state in ("active", "paused", "archived", "terminated") else "session.unknown"
