"""The one door from the public objects to what they are faces of, for the package's own rooms."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from robota_nb.core.chat import Chat
    from robota_nb.core.ledger import Ledger
    from robota_nb.core.manager import SessionManager
    from robota_nb.core.record.view import SessionView
    from robota_nb.core.runtime import Runtime
    from robota_nb.core.session import Session


def ledger_of(face: SessionManager | Session | Chat) -> Ledger:
    """Return the ledger that a manager, a session or a chat belongs to."""
    return face._ledger  # noqa: SLF001 - that is what this module is for


def runtime_of(face: SessionManager | Session | Chat) -> Runtime:
    """Return what goes on in the manager that a session or a chat belongs to."""
    return ledger_of(face).runtime


def view_of(face: Session | Chat) -> SessionView:
    """Return the view of a session, or of the session that a chat is in."""
    return face._view  # noqa: SLF001 - that is what this module is for
