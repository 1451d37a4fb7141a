"""The tools that are offered with one ask: calls are checked, asked for, run, and told in text."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from robota_nb.core.record.types import Call
from robota_nb.errors import ConsentMissing, ToolError
from robota_nb.tools import consent as consenting
from robota_nb.tools.function import InvalidArguments, tool
from robota_nb.tools.results import MAX_RESULT, error_text, result_text

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from robota_nb.core.ports import ToolCall, ToolSpec
    from robota_nb.core.record.types import CallBy
    from robota_nb.tools.consent import Consent, Read, Reply
    from robota_nb.tools.function import Tool

__all__ = ["Stopped", "Toolbox"]

_REFUSED = "The user refuses this call"


class Stopped(KeyboardInterrupt):
    """The user has stopped the answer when he was asked for a call."""


class Toolbox:
    """Tools, and the way to call them; it is made anew for each ask.

    Parameters
    ----------
    functions
        Functions, or what `robota_nb.tool` has made of them.
    consent
        What the user allows.
    read
        Asks the user, as `input` does; None where nobody is there to be asked.
    hide
        Returns a text without keys: arguments and results are told, shown and recorded without.
    captured
        Takes what a function prints and shows while it runs; what it returns then is kept in `Call.printed`.
    max_result
        The most characters of a result.

    Raises
    ------
    ToolError
        If something cannot be offered, or two are called the same.
    """

    def __init__(
        self,
        functions: Sequence[object],
        consent: Consent,
        *,
        read: Read | None = None,
        hide: Callable[[str], str] = lambda text: text,
        captured: Callable[[], AbstractContextManager[Callable[[], str]]] | None = None,
        max_result: int = MAX_RESULT,
    ) -> None:
        self._tools: dict[str, Tool[..., Any]] = {}
        for function in functions:
            made = tool(function)  # type: ignore[call-overload]  # what is no function is refused there
            if self._tools.setdefault(made.name, made) is not made:
                raise ToolError(
                    f"two tools are called {made.name!r}: give one another name, as in tool(function, name=…)"
                )
        self._consent, self._read, self._hide = consent, read, hide
        self._captured = captured or _uncaptured
        self._max_result = max_result
        self._refused: dict[tuple[str, str], str] = {}  # what was refused of this turn, and what the model was told

    @property
    def specs(self) -> Sequence[ToolSpec]:
        """What the model is told of them."""
        return [one.spec for one in self._tools.values()]

    @property
    def sources(self) -> Mapping[str, str]:
        """The hashes of their sources, by the names of those that are functions of the notebook."""
        return {name: one.source for name, one in self._tools.items() if one.source}

    def is_safe(self, name: str) -> bool:
        """Say whether a tool only reads what is the user's own."""
        return name in self._tools and self._tools[name].safe

    def check(self, *, doubted: bool) -> None:
        """Raise `ConsentMissing` if a call could not be run, as nobody is there to be asked for it."""
        if self._read is not None:
            return
        asks = [name for name, one in self._tools.items() if self._consent.verdict(one, doubted=doubted) == "ask"]
        if asks:
            why = "; text that is not yours is sent along" if doubted else ""
            raise ConsentMissing(
                f"nobody is here to be asked before {', '.join(asks)} runs{why}; nothing was sent", hint="tool.allow"
            )

    def begun(self, call: ToolCall) -> Call:
        """Return a call as it is shown and recorded before it has returned."""
        return Call(id=call.id, name=call.name, arguments=self._hide(call.arguments))

    def run(self, call: ToolCall, *, doubted: bool) -> Call:
        """Run a call if the user agrees; what goes wrong in it is its result.

        Raises
        ------
        Stopped
            If the user stops the answer, where he is asked for it.
        """
        made = self.begun(call)
        found = self._tools.get(call.name)
        if found is None:
            names = ", ".join(self._tools)
            return replace(made, status="unknown", result=f"No tool is called {call.name[:100]!r}. There are: {names}.")
        try:
            arguments = found.arguments(call.arguments)
        except InvalidArguments as error:
            return replace(made, status="invalid", result=self._hide(str(error)))
        same = (call.name, call.arguments)
        if same in self._refused:
            return replace(made, status="denied", result=self._refused[same])
        by = self._asked(found, arguments, doubted=doubted)
        if isinstance(by, str):
            return self._done(replace(made, by=by, source=found.source), found, arguments)
        self._refused[same] = result = f"{_REFUSED}: {by.words}" if by.words else f"{_REFUSED}."
        return replace(made, status="denied", result=result)

    def _asked(self, found: Tool[..., Any], arguments: Mapping[str, Any], *, doubted: bool) -> CallBy | Reply:
        """Return why a call may be run, else what the user has said."""
        verdict = self._consent.verdict(found, doubted=doubted)
        if verdict in ("safe", "allowed"):
            return verdict
        if verdict == "denied" or self._read is None:
            return consenting.Reply("no")
        reply = consenting.ask(found, arguments, lambda text: self._read(self._hide(text)))  # type: ignore[misc]
        if reply.answer == "stop":
            raise Stopped
        if reply.answer == "no":
            return reply
        if reply.answer == "always":
            self._consent.always(found)
        return "asked"

    def _done(self, call: Call, found: Tool[..., Any], arguments: Mapping[str, Any]) -> Call:
        with self._captured() as printed:
            try:
                value = found.call(arguments)
                if asyncio.iscoroutine(value):
                    value = _awaited(value)
                result, status = result_text(value, self._max_result), "ok"
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # noqa: BLE001 - a function may raise anything, SystemExit, too
                result, status = error_text(error), "error"
        return replace(call, result=self._hide(result), status=status, printed=printed())  # type: ignore[arg-type]


@contextmanager
def _uncaptured() -> Iterator[Callable[[], str]]:
    yield lambda: ""


# -- coroutines


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """Return the loop on which the coroutines of tools run: a cell's thread may have a loop that runs already."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="robota_nb-tools", daemon=True).start()
    return loop


def _awaited(coroutine: Coroutine[Any, Any, object]) -> object:
    future = asyncio.run_coroutine_threadsafe(coroutine, _loop())
    try:
        return future.result()
    except KeyboardInterrupt:
        future.cancel()
        raise
