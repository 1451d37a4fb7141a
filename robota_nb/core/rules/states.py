"""The states of a session, and how it gets from one to another (DESIGN §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from robota_nb.core.record.nodes import Asked
from robota_nb.errors import ChatNotFound, InvalidStateTransition, SessionNotActive

if TYPE_CHECKING:
    from robota_nb.core.record.view import SessionView
    from robota_nb.core.rules.asking import Execution
    from robota_nb.core.rules.page import Page

State: TypeAlias = Literal["active", "paused", "archived", "terminated"]
Change: TypeAlias = Literal["pause", "resume", "archive", "restore", "terminate"]

_CHANGES: dict[Change, tuple[tuple[State, ...], State]] = {
    "pause": (("active",), "paused"),
    "resume": (("paused",), "active"),
    "archive": (("active", "paused"), "archived"),
    "restore": (("archived",), "active"),
    "terminate": (("active", "paused", "archived"), "terminated"),
}


class Here(NamedTuple):
    """The cell that is being executed, and the page that it stands on."""

    run: Execution
    page: Page


def is_to_come(view: SessionView, here: Here) -> bool:
    """Say whether the session's state is the doing of a cell that comes after this one.

    Such a state is what the page ends with, and does not count yet. That is a cell further down or, where the order of
    the cells is not known, one that has not run in this process; and this very cell, when it ran before. A state that
    no cell has set counts everywhere, and so does one whose cell is gone.
    """
    if view.state_by is None:
        return False
    run, page = here
    by = page.find(view.state_by)
    if by is run.cell:
        return view.id not in run.states
    if not page.listed:
        return not view.state_changed
    return by is not None and page.position(run.cell.key) < page.position(by.key)


def after(view: SessionView, by: Change, here: Here | None = None) -> State | None:
    """Return the state that a change leads to; None if the session is to stay as it is.

    Parameters
    ----------
    view
        The session.
    by
        What is to be done.
    here
        The cell that says so, which may have run before: it may say what already stands so. A state that is to come
        (see `is_to_come`) says nothing then, so the change counts from any. So does the first change of this process,
        but from ``terminated``.

    Raises
    ------
    InvalidStateTransition
        If the session's state does not allow it.
    """
    sources, state = _CHANGES[by]
    before = view.state
    if here and (before == state or is_to_come(view, here)):
        return state
    if here and not view.state_changed:
        return None if before == "terminated" else state
    if before not in sources:
        raise InvalidStateTransition(f"cannot {by} the session {view.name!r}: it is {before}", hint=next_step(before))
    return state


def enter(view: SessionView, state: State, here: Here | None = None) -> None:
    """Bring a session into a state, or leave it there; *here*: the cell that says so."""
    view.state_changed = True
    if here:
        here.run.states.add(view.id)
    if state == "active":
        view.overlay.put(None, "state", None)
    elif state != view.state or view.state_by:  # else it stands so by hand, which counts for all cells
        view.overlay.put(None, "state", state, by=_mark(view, here) if here else None)


def _mark(view: SessionView, here: Here) -> Asked:
    """Return what is remembered of a cell that has set the state: what is written already, if that means it, too."""
    cell, written = here.run.cell, view.overlay.recorded_by(None, "state")
    return written if written and here.page.find(written) is cell else Asked(cell.id, here.run.asked, cell.source)


def check_active(view: SessionView, here: Here | None = None) -> None:
    """Raise `SessionNotActive` unless the session may be asked, by a cell or from outside of cells."""
    if view.deleted:
        raise SessionNotActive(f"the session {view.name!r} was deleted", hint="session.deleted")
    if view.state != "active" and not (here and is_to_come(view, here)):
        raise SessionNotActive(
            f"the session {view.name!r} is {view.state}: it can be read, not asked", hint=next_step(view.state)
        )


def check_asked(view: SessionView, chat: str, here: Here | None = None) -> None:
    """Raise `SessionNotActive` or `ChatNotFound` unless this chat of the session may be asked now."""
    check_active(view, here)
    if not view.has(chat):
        raise ChatNotFound(f"the chat {view.chat_name(chat)!r} was deleted", hint="chat.deleted")


def next_step(state: str) -> str:
    """Return the key of what can be done with a session in this state (see `robota_nb.errors.HINTS`)."""
    return f"session.{state}" if state in ("active", "paused", "archived", "terminated") else "session.unknown"
