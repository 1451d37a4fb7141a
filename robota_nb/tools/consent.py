"""Whether a call may be run: what the user has said for this process, and the question where that is not enough.

Nothing that is read from a notebook, and nothing that a model, a tool or a server says, has a way in here.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from robota_nb.core.record.text import acts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from robota_nb.core.rules.modes import Policy
    from robota_nb.tools.function import Tool

__all__ = ["Consent", "Read", "Reply", "Said", "Verdict", "ask", "call_words"]

Said: TypeAlias = Literal["allow", "ask", "deny"]
"""What the user has said of a tool."""

Verdict: TypeAlias = Literal["safe", "allowed", "ask", "denied"]
"""What becomes of a call: it is run, as the tool only reads or was allowed; the user is asked; or it is refused."""

Read: TypeAlias = "Callable[[str], str]"
"""Shows a text and returns the line that the user types, as `input` does."""

_PROMPT = "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"

MOST_SHOWN = 500
"""Characters of arguments that a question shows; of longer ones the beginning and the end, and all if asked for."""


class Reply(NamedTuple):
    """What the user has said to a question; with a *no*, perhaps in *words* for the model."""

    answer: Literal["yes", "no", "always", "stop"]
    words: str = ""


class Consent:
    """What the user allows in this process.

    Attributes
    ----------
    policy
        What holds for tools of which nothing was said.
    """

    def __init__(self) -> None:
        self.policy: Policy = "ask"
        self._said: dict[str, Said] = {}
        self._always: set[tuple[object, ...]] = set()
        self._trusted: set[str] = set()

    def say(self, name: str, what: Said) -> None:
        """Note what the user says of the tools of a name; what was allowed by *always* before counts no more."""
        self._said[name] = what
        self._always = {one for one in self._always if one[0] != name}
        self._trusted.discard(name)

    def trust(self, name: str) -> None:
        """Let calls of a tool that is allowed run whatever is sent along, as who runs a notebook has said of both."""
        self._trusted.add(name)

    def said(self, name: str) -> Said | None:
        """Return what the user has said of the tools of a name; None if nothing."""
        return self._said.get(name)

    def always(self, tool: Tool[..., Any]) -> None:
        """Allow a tool as it is now: one that is described in another way, or has another source, is asked again."""
        self._always.add(_identity(tool))

    def verdict(self, tool: Tool[..., Any], *, doubted: bool) -> Verdict:
        """Say what becomes of a call of a tool.

        Parameters
        ----------
        tool
            Which one.
        doubted
            Whether a request holds text that the user has neither written nor confirmed: then nothing is run unasked.
        """
        said = self._said.get(tool.name)
        if said == "deny" or self.policy == "never":
            return "denied"
        if (doubted and tool.name not in self._trusted) or said == "ask":
            return "ask"
        if tool.safe:
            return "safe"
        is_allowed = said == "allow" or self.policy == "allow" or _identity(tool) in self._always
        return "allowed" if is_allowed else "ask"


def _identity(tool: Tool[..., Any]) -> tuple[object, ...]:
    return tool.name, tool.spec, tool.source


def ask(tool: Tool[..., Any], arguments: Mapping[str, Any], read: Read) -> Reply:
    """Ask the user whether a call may be run.

    Parameters
    ----------
    tool
        What would be called.
    arguments
        With what: as the function would get them.
    read
        Shows the question and returns the answer. An empty one is no; what is nothing of the kind is asked again.
    """
    whole = call_words(tool.name, arguments)
    is_long = len(whole) > MOST_SHOWN
    choices = f"{'[v]iew all ' if is_long else ''}[y]es [n]o [a]lways in this kernel [s]top"
    shown = _cut(whole) if is_long else whole
    has_seen = not is_long
    while True:
        typed = read(f"{shown} · run it? {choices} {_PROMPT} ").strip()
        letter, _, rest = typed.partition(" ")
        match letter.casefold():
            case "v" | "view":
                shown, has_seen = whole, True
            case "y" | "yes" | "a" | "always" if not has_seen:
                shown, has_seen = whole, True  # it counts once all of it was seen
            case "y" | "yes" if not rest:
                return Reply("yes")
            case "a" | "always" if not rest:
                return Reply("always")
            case "s" | "stop":
                return Reply("stop")
            case "n" | "no" | "":
                return Reply("no", rest.strip())


def call_words(name: str, arguments: Mapping[str, Any]) -> str:
    """Return a call as it would be written, with what acts on other text made visible.

    Examples
    --------
    >>> call_words("temperature", {"city": "Oslo", "days": [1, 2]})
    'temperature(city="Oslo", days=[1, 2])'
    """
    said = ", ".join(f"{key}={_word(value)}" for key, value in arguments.items())
    return "".join(_visible(char) for char in f"{name}({said})")


def _word(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return repr(value)


def _visible(char: str) -> str:
    return char.encode("unicode_escape").decode() if acts(char) or char in "\n\t\u200c\u200d" else char


def _cut(whole: str) -> str:
    half = MOST_SHOWN // 2
    return f"{whole[:half]} … {len(whole) - 2 * half:,} more … {whole[-half:]}"
