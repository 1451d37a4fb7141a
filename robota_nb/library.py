"""The session manager for use from Python: the core's, with this user's providers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from robota_nb.core.manager import SessionManager as CoreManager
from robota_nb.providers.registry import ProviderRegistry

if TYPE_CHECKING:
    from robota_nb.core.ports import Providers


class SessionManager(CoreManager):
    """Holds the sessions of this process, and finds its providers by itself.

    Where a method takes a *user_id*, it is about the sessions of this user; `default_user` if none is given.

    Parameters
    ----------
    providers
        Where answers come from; what this user has configured in the environment if not given.
    max_active_sessions
        How many active sessions a user may have, by default 10; 0 for any number.
    max_chats
        How many chats a session may have, by default 50; 0 for any number.
    max_messages
        How many messages of a path go into a request; 0, the default, for all. The record always keeps all.
    now
        Gives the time as snapshots carry it, such as ``2026-01-02T03:04:05Z``.
    """

    def __init__(self, *, providers: Providers | None = None, **options: Any) -> None:
        super().__init__(providers=providers or ProviderRegistry(), **options)
