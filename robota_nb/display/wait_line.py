"""What stands in the place of an answer that does not come: whom it waits for, how long, and what can be done."""

from __future__ import annotations

import logging
import math
import re
import time
from contextlib import contextmanager
from contextvars import copy_context
from threading import Event, Thread
from typing import TYPE_CHECKING

from robota_nb.display.hints import HINTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["WaitLine", "ticking"]

EVERY = 1.0
"""Seconds between two looks at what the line has to say."""

FIRST, SILENT, STUCK = 2, 30, 120
"""Seconds from which on something is said: without a word, without any sign of life, and for much too long."""

_PATIENCE = (
    "nothing has come for {:.0f} s: long prompts, models that are being loaded and silent thinking take minutes; "
    "interrupting the kernel stops it"
)
_STUCK = f"nothing has come for {{:.0f}} s: {HINTS['answer.silent']}"

_NOT_OF_NAMES = re.compile(r"[^\w .:/@+-]")  # a model's name is a stranger's word: none of it is markup

log = logging.getLogger("robota_nb")


class WaitLine:
    """Says in the place of an answer what it waits for, until it comes.

    Parameters
    ----------
    show
        Shows the line; nothing if it is empty.
    name
        Returns whom the answer is waited for.
    clock
        Seconds that only grow.
    """

    def __init__(
        self, show: Callable[[str], object], name: Callable[[], str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._show, self._name, self._clock = show, name, clock
        self._began = self._heard = clock()
        self._was_heard = False
        self._thinks: float | None = None  # since when
        self._speaks = False
        self._delay, self._delayed = "", self._began  # what is waited for, and until when
        self._shown = ""

    def heard(self, *, thinking: bool = False) -> None:
        """Note that the server was heard, and whether its model thinks."""
        self._heard, self._was_heard = self._clock(), True
        self._delayed = self._heard
        if thinking and self._thinks is None:
            self._thinks = self._heard

    def spoke(self) -> None:
        """Note that text has come."""
        self.heard()
        self._speaks = True

    def taken_back(self) -> None:
        """Note that what has come as text was thoughts."""
        self.heard()
        self._speaks, self._thinks = False, self._began

    def held(self) -> None:
        """Note that a call is run, or the user asked for it: nobody waits for the model until it `goes_on`."""
        self._delay, self._delayed = "", math.inf

    def goes_on(self) -> None:
        """Note that the model is asked with what was returned."""
        self._began = self._heard = self._delayed = self._clock()
        self._was_heard = self._speaks = False
        self._thinks = None

    def delayed(self, text: str, seconds: float) -> None:
        """Note that the server asks to wait; *text* says so for as long."""
        self.heard()
        self._delay, self._delayed = text, self._heard + seconds

    def tick(self) -> None:
        """Show the line as it is now, unless it stands there."""
        line = self.line()
        if line != self._shown:
            self._shown = line
            self._show(line)

    def line(self) -> str:
        """Return what there is to say now; nothing if the answer comes as it should."""
        now = self._clock()
        if now < self._delayed:
            return self._delay
        silent = now - max(self._heard, self._delayed)
        said = [self._waits_for(now, silent)]
        if silent >= SILENT:
            said.append((_STUCK if silent >= STUCK else _PATIENCE).format(silent))
        return " · ".join(filter(None, said))

    def _waits_for(self, now: float, silent: float) -> str:
        if self._speaks:
            return ""
        if self._thinks is not None:
            return f"thinking · {now - self._thinks:.0f} s"
        if now - self._began < FIRST:
            return ""
        name = _NOT_OF_NAMES.sub("", self._name())[:60] or "the model"
        line = f"waiting for {name} · {now - self._began:.0f} s"
        since = self._was_heard and FIRST <= silent < SILENT
        return f"{line} · last sign of life {silent:.0f} s ago" if since else line


@contextmanager
def ticking(tick: Callable[[], object], every: float = EVERY) -> Iterator[None]:
    """Have *tick* called again and again while the block runs, and never after it: in a thread, as the block waits."""
    ended = Event()

    def run() -> None:
        while not ended.wait(every):
            try:
                tick()
            except Exception:
                log.exception("what an answer waits for could not be shown")

    # In the context of the caller: a kernel knows by it which cell an output belongs to.
    thread = Thread(target=copy_context().run, args=(run,), name="robota_nb-wait", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
