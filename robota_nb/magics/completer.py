"""Tab completion of what is said to the magics in IPython, in a terminal and in a kernel."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from IPython.core.completer import SimpleCompletion, SimpleMatcherResult, context_matcher

from robota_nb.core.users import expanded
from robota_nb.magics.cursor import place_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from IPython.core.completer import CompletionContext

    from robota_nb.magics.cursor import Place
    from robota_nb.magics.host import Host
    from robota_nb.magics.spelling import Names
    from robota_nb.prompt.offers import Offer

_PRIORITY = 200
"""Before IPython's own matchers."""


def install(shell: Any, host: Callable[[], Host], names: Callable[[], Names]) -> Callable[[Any], Any]:
    """Complete in a shell what is said to the magics; returns what `uninstall` takes.

    Parameters
    ----------
    shell
        The shell.
    host
        Returns the app; called when something is to be completed.
    names
        Returns what the magics are called, as for `robota_nb.magics.spelling.Spelling`.
    """

    def matcher(context: CompletionContext) -> SimpleMatcherResult:
        lines = context.full_text.split("\n")
        cursor = sum(len(line) + 1 for line in lines[: context.cursor_line]) + context.cursor_position
        place = place_in(context.full_text, cursor, names())
        if place is None or not (place.before or place.kind == "text"):  # right behind the name, it is IPython's
            return SimpleMatcherResult(completions=[])
        typed, offers = _offers(place, shell, host)
        # Where there is nothing to offer, the word stands for itself: else the names of Python would be offered.
        found = [SimpleCompletion(text=text, type=type_) for text, type_ in offers]
        return SimpleMatcherResult(
            completions=found or [SimpleCompletion(text=typed, type="text")],
            suppress=True,
            matched_fragment=typed,
            ordered=True,
        )

    hooked: Callable[[Any], Any] = context_matcher(identifier="robota_nb", priority=_PRIORITY)(matcher)
    shell.Completer.custom_matchers.append(hooked)
    return hooked


def uninstall(shell: Any, matcher: Callable[[Any], Any]) -> None:
    """Take the completion away again."""
    if matcher in shell.Completer.custom_matchers:
        shell.Completer.custom_matchers.remove(matcher)


def _offers(place: Place, shell: Any, host: Callable[[], Host]) -> tuple[str, list[Offer]]:
    """Return the word at a place, and what may stand there."""
    from robota_nb.magics.completion import complete, fragment
    from robota_nb.prompt.last_error import NAME
    from robota_nb.prompt.offers import in_field, variables_of

    variables = {NAME: "", **variables_of(shell)}
    if found := in_field(place.before, variables):
        return found
    if place.kind == "text":
        return (place.before.split() or [""])[-1] if place.before[-1:].strip() else "", []
    typed = fragment(place.before)
    path = typed.partition("=")[2] if typed[:2] == "--" else typed
    known = {**_names(host()), "path": lambda: _paths(path), "variable": lambda: variables}
    known["function"] = lambda: [name for name, value in variables.items() if callable(value)]
    return typed, complete(place.before, None, known, cell=place.kind == "cell")


def _names(host: Host) -> dict[str, Callable[[], Iterable[str]]]:
    """Return what there is to choose from, by the kind of value."""
    from robota_nb.prompt.cells import ABOVE

    def chats() -> Iterable[str]:
        host.ready()
        session = host.manager.active_session()
        return [chat.name for chat in session.chats] if session else []

    def sessions() -> Iterable[str]:
        host.ready()
        return [session.name for session in host.manager.sessions()]

    def models() -> Iterable[str]:
        host.ready()
        configs = [chat.config for session in host.manager.sessions() for chat in session.chats]
        chosen = [config.model for config in [*configs, host.manager.default_config()]]
        return dict.fromkeys(model for model in [*chosen, *host.endpoints.models()] if model)

    return {
        "chat": chats,
        "session": sessions,
        "model": models,
        "provider": host.endpoints.names,
        "preset": lambda: host.presets,
        "library": _prompts,
        "above": lambda: [ABOVE],
        "cell": lambda: host.page().cell_names,
    }


def _prompts() -> list[str]:
    from robota_nb.prompt.library import listed

    return [one.name for one in listed()]


def _paths(typed: str) -> list[str]:
    """Return the files and folders whose paths begin as one was typed; hidden ones where that is typed."""
    start = typed.lstrip("\"'")
    folder, begun = os.path.split(start)
    with os.scandir(expanded(folder) or ".") as found:
        entries = sorted(found, key=lambda entry: entry.name)
    return [
        os.path.join(folder, entry.name) + ("/" if entry.is_dir() else "")  # noqa: PTH118 - as it was typed
        for entry in entries
        if begun[:1] == "." or not entry.name.startswith(".")
    ]
