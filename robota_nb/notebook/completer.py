"""Tab completion of the magics' lines in IPython, in a terminal and in a kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from robota_nb.notebook.completion import complete, fragment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from robota_nb.notebook.host import Host

_MAGICS = ("%%robota", "%robota")


def install(shell: Any, host: Host) -> Callable[[Any, Any], list[str]]:
    """Complete the magics' lines in a shell; returns what `uninstall` takes."""

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

    names = {"chat": chats, "session": sessions, "model": models, "provider": host.provider_names}

    def completer(_: Any, event: Any) -> list[str]:
        line: str = event.line.lstrip()
        magic = next((m for m in _MAGICS if line.startswith(m)), None)
        if magic is None:
            return []
        rest = line[len(magic) :].lstrip()
        found = complete(rest, None, names, cell=magic == "%%robota")
        # IPython replaces the word as its own delimiters cut it, so what stands before that is left off.
        typed, symbol = fragment(rest), event.symbol or ""
        before = len(typed) - len(symbol) if typed.endswith(symbol) else 0
        return [option[before:] for option in found]

    for magic in _MAGICS:
        shell.set_hook("complete_command", completer, str_key=magic)
    return completer


def uninstall(shell: Any, completer: Callable[[Any, Any], list[str]]) -> None:
    """Take the completion away again."""
    hooks = shell.strdispatchers["complete_command"]
    for magic in _MAGICS:
        chain = hooks.strs.pop(magic, ())
        for priority, hook in chain:
            if getattr(hook, "__func__", hook) is not completer:  # IPython binds a hook to its shell
                hooks.add_s(magic, hook, priority)
