"""The session manager for use from Python: the core's, with this user's providers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from robota_nb.core.manager import SessionManager as CoreManager
from robota_nb.providers.endpoints import ProviderRegistry

if TYPE_CHECKING:
    from robota_nb.core.ports import Providers


class SessionManager(CoreManager):
    """A session manager that finds its providers by itself (see `robota_nb.core.manager.SessionManager`).

    Parameters
    ----------
    providers
        Where answers come from; what this user has configured in the environment if not given.
    **options
        As the core's manager takes them: ``max_active_sessions``, ``max_chats``, ``max_messages``.
    """

    def __init__(self, *, providers: Providers | None = None, **options: Any) -> None:
        super().__init__(providers=providers or ProviderRegistry(), **options)
