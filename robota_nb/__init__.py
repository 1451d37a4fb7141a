"""LLM conversations that live in the notebook.

``%load_ext robota_nb`` gives ``%robota`` and ``%%robota``; from Python, start with `SessionManager`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from robota_nb._version import __version__
from robota_nb.errors import RobotaError

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from robota_nb.core.chat import Chat
    from robota_nb.core.record.config import Config
    from robota_nb.core.session import Session
    from robota_nb.core.turn import Turn
    from robota_nb.library import SessionManager
    from robota_nb.tools.function import tool

__all__ = [
    "Chat",
    "Config",
    "RobotaError",
    "Session",
    "SessionManager",
    "Turn",
    "__version__",
    "load_ipython_extension",
    "tool",
    "unload_ipython_extension",
]

_HOMES = {
    "Chat": "robota_nb.core.chat",
    "Config": "robota_nb.core.record.config",
    "Session": "robota_nb.core.session",
    "SessionManager": "robota_nb.library",
    "Turn": "robota_nb.core.turn",
    "tool": "robota_nb.tools.function",
}
"""Where the names live that are imported at their first use."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Set up ``%robota`` in this *shell*; loading again keeps its sessions."""
    from robota_nb.kernel.extension import load

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take away all that loading has set up in this *shell*."""
    from robota_nb.kernel.extension import unload

    unload(shell)


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Tell ``jupyter labextension develop`` where the labextension's source is."""
    return [{"src": "labextension", "dest": __name__}]


def _receive() -> None:
    """Take in what the front end has sent along with the running (silent) request."""
    from robota_nb.carriers.document import receive

    receive()
