"""The session manager for use from Python: the core's, with this user's providers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from robota_nb.core.manager import SessionManager as CoreManager
from robota_nb.core.record.entries import timestamp
from robota_nb.providers.objects import ProviderObjects
from robota_nb.providers.registry import ProviderRegistry

if TYPE_CHECKING:
    from collections.abc import Callable

    from robota_nb.core.ports import Provider, Providers


class SessionManager(CoreManager):
    """Holds the sessions of this process, and finds its providers by itself.

    Where a method takes a *user_id*, it is about the sessions of this user; `default_user` if none is given.

    Parameters
    ----------
    providers
        Where answers come from: provider objects by name, of which new chats ask the first, or a
        `robota_nb.providers.registry.ProviderRegistry`. What the environment configures if not given.
    max_active_sessions
        How many active sessions a user may have; 0 for any number.
    max_chats
        How many chats a session may have; 0 for any number.
    max_messages
        How many messages of a path go into a request; 0 for all. The record always keeps all.
    now
        Gives the time as snapshots carry it, such as ``2026-01-02T03:04:05Z``.
    """

    def __init__(
        self,
        *,
        providers: Mapping[str, Provider] | Providers | None = None,
        max_active_sessions: int = 10,
        max_chats: int = 50,
        max_messages: int = 0,
        now: Callable[[], str] = timestamp,
    ) -> None:
        if providers is None:
            providers = ProviderRegistry()
        elif isinstance(providers, Mapping):
            providers = ProviderObjects(providers)
        super().__init__(
            providers=providers,
            max_active_sessions=max_active_sessions,
            max_chats=max_chats,
            max_messages=max_messages,
            now=now,
        )
