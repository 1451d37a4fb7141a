"""The session manager for use from Python: the core's, with this user's providers."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from robota_nb.core.inside import runtime_of
from robota_nb.core.manager import SessionManager as CoreManager
from robota_nb.core.record.entries import timestamp
from robota_nb.providers.objects import ProviderObjects
from robota_nb.providers.registry import ProviderRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from robota_nb.core.ports import AnswerForm, Provider, Providers, Shelf, Toolbox


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
        How many messages of a path go into a request at most; 0 for all. Of more, the older ones leave in blocks of
        half as many, so that most requests begin as the one before did. The record always keeps all.
    mark_unfinished
        Whether requests say of earlier answers that did not end by themselves how they ended, as in
        ``[interrupted by the user]``.
    shelf
        Where files are kept that are too large for a notebook (`robota_nb.stores.folder_shelf.FolderShelf`); in this
        process if not given.
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
        mark_unfinished: bool = True,
        shelf: Shelf | None = None,
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
            mark_unfinished=mark_unfinished,
            shelf=shelf,
            now=now,
        )
        runtime = runtime_of(self)
        runtime.make_toolbox, runtime.make_shape = _toolbox, _shape


def _shape(kind: object) -> AnswerForm:
    from robota_nb.tools.value import Into

    return Into(kind)


def _toolbox(functions: Sequence[object]) -> Toolbox:
    """Return tools whose calls are asked for in the terminal; without one, only those that read can be offered."""
    from robota_nb.tools.consent import Consent
    from robota_nb.tools.toolbox import Toolbox

    is_terminal = sys.stdin is not None and sys.stdin.isatty()
    return Toolbox(functions, Consent(), read=input if is_terminal else None)
