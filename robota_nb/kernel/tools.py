"""The tools of one kernel: what its cells offer to the asks below them, and what its user allows.

All of it is this kernel's alone: nothing of it is written, and nothing that is read can change it.
"""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from robota_nb.errors import ToolError, nearest
from robota_nb.tools.consent import Consent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from robota_nb.core.notebook_page import NotebookPage
    from robota_nb.core.ports import AnswerForm
    from robota_nb.tools.toolbox import Toolbox


class _Said(NamedTuple):
    """What a cell has said of tools when it ran last: in which execution, and what."""

    execution: int
    changes: list[tuple[Literal["add", "remove"], str]]


class KernelTools:
    """What is offered, and what is allowed.

    Parameters
    ----------
    shell
        The IPython shell, in whose variables functions are looked up.
    page
        Returns the notebook, with the running cell noted.
    hide
        Returns a text without the keys that this kernel knows.

    Attributes
    ----------
    consent
        What the user allows.
    max_result
        How many characters of a result the model is told.
    answered
        Called when the user has answered a question: what it has left on the page is no part of the answer.
    """

    def __init__(
        self,
        shell: Any,
        page: Callable[[], NotebookPage],
        hide: Callable[[str], str],
    ) -> None:
        self.consent = Consent()
        self.max_result = 0
        self.answered: Callable[[], object] = lambda: None
        self._shell, self._page, self._hide = shell, page, hide
        self._said: dict[str, _Said] = {}  # by the keys of cells
        self._execution = 0  # which one it is that runs

    # -- what cells say

    def add(self, name: str) -> None:
        """Offer a tool with the asks below the running cell; it need not be there before they ask."""
        self._say("add", name)

    def remove(self, name: str) -> None:
        """Offer it no more from here on.

        Raises
        ------
        ToolError
            If it is not offered here.
        """
        offered = self.offered()
        if name not in offered:
            raise ToolError(f"no tool {name!r} is offered here{nearest(name, offered)}: %robota tool list shows them")
        self._say("remove", name)

    def _say(self, what: Literal["add", "remove"], name: str) -> None:
        key = self._key()
        said = self._said.get(key)
        if said is None or said.execution != self._execution:
            self._said.pop(key, None)  # where nobody lists the cells, they stand as they ran last
            said = self._said[key] = _Said(self._execution, [])
        said.changes.append((what, name))

    def begins(self) -> None:
        """Note that a cell is about to be executed."""
        self._execution += 1

    def ended(self, key: str | None) -> None:
        """Note that the cell of this *key* was executed: what it said before, and not now, counts no more."""
        if key in self._said and self._said[key].execution != self._execution:
            del self._said[key]

    def offered(self) -> list[str]:
        """Return the names of the tools that an ask of the running cell offers, in the order in which they came."""
        names: dict[str, None] = {}
        for said in self._above():
            for what, name in said.changes:
                if what == "add":
                    names[name] = None
                else:
                    names.pop(name, None)
        return [*names]

    def _above(self) -> Iterator[_Said]:
        """Yield what cells have said, down to the one that runs; where nobody lists them, as they ran."""
        page, here = self._page().page, self._key()
        keys = [cell.key for cell in page.cells] if page.listed else [key for key in self._said if key != here]
        above = keys[: keys.index(here)] if here in keys else keys
        yield from (self._said[key] for key in above if key in self._said)
        if here in self._said and self._said[here].execution == self._execution:
            yield self._said[here]

    def _key(self) -> str:
        """Return what tells the running cell from others."""
        run = self._page().asking.running
        return run.cell.key if run else ""

    def allow(self, names: Iterable[str], *, trusted: bool) -> None:
        """Let calls of tools run that the user of a runner has named; *trusted*: also with text of others."""
        for name in names:
            self.consent.say(name, "allow")
            if trusted:
                self.consent.trust(name)

    # -- for an ask

    def toolbox(self, names: Iterable[str]) -> Toolbox | None:
        """Return the tools that are offered here, and those of the *names*; None if there are none.

        Raises
        ------
        ToolError
            If there is none of a name, or it cannot be offered.
        """
        every = dict.fromkeys((*self.offered(), *names))
        if not every:
            return None
        if self.consent.policy == "never":
            raise ToolError("tools are switched off here: c.RobotaMagics.tools = 'ask' has you asked for each call")
        return self.made([self._look_up(name) for name in every])

    def made(self, functions: Sequence[object]) -> Toolbox:
        """Return a toolbox of functions."""
        from robota_nb.tools.toolbox import Toolbox

        return Toolbox(
            functions, self.consent, read=self._read if self._can_ask() else None, hide=self._hide,
            captured=_captured, max_result=self.max_result,
        )  # fmt: skip

    def shape(self, kind: object) -> AnswerForm:
        """Return the form of answers that are values of a type."""
        from robota_nb.tools.value import Into

        return Into(kind)

    def _look_up(self, name: str) -> object:
        """Return what a name stands for; a dotted one is an attribute."""
        first, *rest = name.split(".")
        variables: Mapping[str, object] = self._shell.user_ns
        if first not in variables:
            known = (one for one, value in variables.items() if callable(value) and not one.startswith("_"))
            raise ToolError(f"no function {first!r}{nearest(first, known)}: run the cell that defines it")
        found = variables[first]
        for part in rest:
            if not hasattr(found, part):
                raise ToolError(f"{first!r} has no {part!r}: name a function, as in --tool {first}.METHOD")
            found = getattr(found, part)
        return found

    # -- asking

    def _can_ask(self) -> bool:
        """Say whether somebody is there to answer a question of the running cell."""
        if threading.current_thread() is not threading.main_thread():
            return False
        kernel = getattr(self._shell, "kernel", None)
        if kernel is not None:
            return bool(getattr(kernel, "_allow_stdin", False))  # ipykernel has no public name for it
        return sys.stdin is not None and sys.stdin.isatty()

    def _read(self, text: str) -> str:
        try:
            return input(text)
        except EOFError:
            return ""
        finally:
            self.answered()


@contextmanager
def _captured() -> Iterator[Callable[[], str]]:
    """Take what is printed and shown; a replay would not have it."""
    from IPython.utils.capture import capture_output

    with capture_output() as taken:
        yield lambda: "".join([taken.stdout, taken.stderr, *(f"{output!r}\n" for output in taken.outputs)])
