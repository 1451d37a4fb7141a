"""Tells the front end what is to be said of the answers of cells."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from robota_nb.core.events import Notice
from robota_nb.core.record.text import count
from robota_nb.display.marks import why

if TYPE_CHECKING:
    from collections.abc import Callable

    from robota_nb.carriers.messages import Mark as MarkMessage
    from robota_nb.carriers.messages import Marks
    from robota_nb.core.notebook_page import NotebookPage
    from robota_nb.core.rules.marks import Mark
    from robota_nb.core.rules.memory import Memory
    from robota_nb.core.runtime import Runtime

SOON = 0.05
"""Seconds without a running cell after which all marks are told: a front end that runs all sends the next at once."""


class MarksTeller:
    """Tells marks that are other ones than before: of a cell when it has run, of all when the kernel is idle.

    Parameters
    ----------
    page
        The notebook.
    runtime
        What has been asked and replayed here.
    send
        Sends a message to the front end.
    loop
        Returns the kernel's event loop; None where there is none.
    is_ready
        Says whether what the notebook holds is known, and no cell runs.
    on_memory
        Called when the kernel is idle and what is remembered at the page's end may be something else than before.
    say
        Returns a text in the language of the front end.
    """

    def __init__(
        self,
        page: NotebookPage,
        runtime: Runtime,
        send: Callable[[Marks], None],
        *,
        loop: Callable[[], Any],
        is_ready: Callable[[], bool],
        on_memory: Callable[[], None],
        say: Callable[[str], str],
    ) -> None:
        self._page = page
        self._runtime = runtime
        self._send = send
        self._loop = loop
        self._is_ready = is_ready
        self._on_memory = on_memory
        self._say = say
        self._end: Memory | None = None  # what was remembered at the page's end
        self._timer: Any = None
        self._opened = False  # whether a front end shows marks
        self._is_first = True  # whether nothing was told yet
        self._whole = False  # whether it is to forget all that was told
        self._told: dict[str, MarkMessage] = {}
        self._counted = 0  # turns that were shown here
        self._asked = self._replayed = self._tokens = 0
        self._at_least = False  # whether of some of these, not all tokens are known

    def opened(self) -> None:
        """Note that a front end has opened the document, and knows nothing yet."""
        self._opened = self._whole = True
        self._told.clear()
        self.soon()

    def closed(self) -> None:
        """Note that the extension is unloaded: nothing more is told."""
        self.cell_begins()
        self._opened = False

    def cell_begins(self) -> None:
        """Wait: the kernel is at work."""
        if self._timer is not None:
            self._loop().remove_timeout(self._timer)
            self._timer = None

    def cell_ended(self, key: str | None) -> None:
        """Tell the mark of the cell that has ended, and what else has changed when the kernel is idle."""
        if self._opened and key and not self._whole and self._page.page.has(key):
            cell = self._page.page.cell(key)
            found = self._page.mark_of(cell)
            mark = found and self._message(key, found)
            if mark != self._told.get(key):
                self._tell({key: mark})
        self.soon()

    def soon(self) -> None:
        """Tell what has changed once the kernel is idle; call it in the kernel's thread, others call `changed`."""
        self.cell_begins()
        if self._opened and (loop := self._loop()):
            self._timer = loop.call_later(SOON, self.now)

    def changed(self) -> None:
        """Tell what has changed, if something has, once the kernel is idle; may be called in any thread."""
        if self._opened and (loop := self._loop()):
            loop.add_callback(lambda: self.soon() if self._is_ready() else None)  # else the cell's end does it

    def now(self) -> None:
        """Tell what has changed."""
        self.cell_begins()
        if not (self._opened and self._is_ready()):
            return
        if self._is_first and not self._runtime.shown:
            self._tell_contradictions()
        self._is_first = False
        marks = {cell.key: self._message(cell.key, mark) for cell, mark in self._page.marks()}
        changed: dict[str, MarkMessage | None] = {k: mark for k, mark in marks.items() if mark != self._told.get(k)}
        changed |= dict.fromkeys(self._told.keys() - marks.keys())
        if changed or self._whole:
            self._tell(changed)
        with self._runtime.lock:
            former, self._end = self._end, self._page.page.end()
        if former is not None and former is not self._end:
            self._on_memory()

    def _tell_contradictions(self) -> None:
        if number := self._page.contradictions():
            said = f"{count(number, 'answer')} of an earlier version, given in another order than this page has"
            self._runtime.emit(Notice(text=f"{said} (or after commands that have still to run)", hint="replay.stale"))

    def _tell(self, changed: dict[str, MarkMessage | None]) -> None:
        for key, mark in changed.items():
            if mark is None:
                self._told.pop(key, None)
            else:
                self._told[key] = mark
        self._count()
        stale = sum(mark["state"] == "stale" for mark in self._told.values())
        message: Marks = {
            "op": "marks", "cells": changed, "stale": stale,
            "asked": self._asked, "replayed": self._replayed, "tokens": self._tokens,
        }  # fmt: skip
        if self._at_least:
            message["at_least"] = True
        if self._whole:
            message["whole"], self._whole = True, False
        self._send(message)

    def _message(self, key: str, mark: Mark) -> MarkMessage:
        page, judged = self._page, mark.judged
        step = page.page.steps[key]
        message: MarkMessage = {"state": mark.state, "hash": step.source, "chat": "", "model": "", "turn": ""}
        if judged:
            effect = next(effect for effect in step.asks if effect.turn == judged.turn)
            told = page.told_of(judged.turn)
            message |= {"turn": judged.turn, "chat": page.record.chat_name(effect.chat), "model": told.model}
            if told.tokens:
                message["tokens"] = told.tokens
            if effect.hand:
                message["by"] = "hand"
        if reason := why(page, key, mark):
            message["why"] = self._say(reason)
        return message

    def _count(self) -> None:
        """Count the turns that were shown since the last time."""
        for turn in islice(self._runtime.shown, self._counted, None):
            if turn in self._runtime.made:
                self._asked += 1
                told = self._page.told_of(turn)
                self._tokens += told.tokens
                self._at_least = self._at_least or told.at_least
            else:
                self._replayed += 1
        self._counted = len(self._runtime.shown)
