"""Tab completion of the magics' lines in IPython, in a terminal and in a kernel."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from robota_nb.magics.host import Host

_MAGICS = ("%%robota", "%robota")


def install(shell: Any, host: Callable[[], Host]) -> Callable[[Any, Any], list[str]]:
    """Complete the magics' lines in a shell; returns what `uninstall` takes.

    Parameters
    ----------
    shell
        The shell.
    host
        Returns the app; called when something is to be completed.
    """

    def completer(_: Any, event: Any) -> list[str]:
        from robota_nb.magics.completion import complete, fragment

        line: str = event.line.lstrip()
        magic = next((m for m in _MAGICS if line.startswith(m)), None)
        if magic is None:
            return []
        rest = line[len(magic) :].lstrip()
        found = complete(rest, None, _names(host()), cell=magic == "%%robota")
        # IPython replaces the word as its own delimiters cut it, so what stands before that is left off.
        typed, symbol = fragment(rest), event.symbol or ""
        before = len(typed) - len(symbol) if typed.endswith(symbol) else 0
        return [_as_typed(option, typed)[before:] for option in found]

    for magic in _MAGICS:
        shell.set_hook("complete_command", completer, str_key=magic)
    return completer


def _names(host: Host) -> dict[str, Callable[[], Iterable[str]]]:
    """Return what there is to choose from, by the kind of value."""

    def chats() -> Iterable[str]:
        host.ready()
        session = host.manager.active_session()
        return [chat.name for chat in session.chats] if session else []

    def sessions() -> Iterable[str]:
        host.ready()
        return [session.name for session in host.manager.sessions()]

    def models() -> Iterable[str]:
        configs = [chat.config for session in host.manager.sessions() for chat in session.chats]
        return dict.fromkeys(config.model for config in [*configs, host.manager.default_config()] if config.model)

    return {"chat": chats, "session": sessions, "model": models, "provider": host.endpoints.names}


def _as_typed(option: str, typed: str) -> str:
    """Return what is offered with escapes for quotes: IPython drops what does not begin as it was typed."""
    if option[:1] != '"' or typed[:1] in ('"', "'"):
        return option
    return re.sub(r"([^\w@%+:,./-])", r"\\\1", re.sub(r"\\(.)", r"\1", option[1:-1]))


def uninstall(shell: Any, completer: Callable[[Any, Any], list[str]]) -> None:
    """Take the completion away again."""
    hooks = shell.strdispatchers["complete_command"]
    for magic in _MAGICS:
        chain = hooks.strs.pop(magic, ())
        for priority, hook in chain:
            if getattr(hook, "__func__", hook) is not completer:  # IPython binds a hook to its shell
                hooks.add_s(magic, hook, priority)
