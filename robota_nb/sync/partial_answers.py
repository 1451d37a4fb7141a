"""Files answers in the store while they arrive: a kernel that dies loses no more than their last words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from robota_nb.core.inside import ledger_of
from robota_nb.core.ports import Finish
from robota_nb.core.recording import QUESTION_AND_ANSWER, turn_entries

if TYPE_CHECKING:
    from robota_nb.core.manager import SessionManager
    from robota_nb.core.plan import Arriving
    from robota_nb.sync.persistence import Persistence

INTERVAL = 0.15
"""Seconds between two looks at what has arrived: no more than that, and the time that the store takes, is lost.

With that, text that has stood on the screen for a quarter of a second is in the store.
"""


@dataclass(slots=True)
class _Filed:
    """How much of an answer is filed, and under which n."""

    arriving: Arriving
    parts: int = 0
    n: int = 0


class PartialAnswers:
    """Looks at the turns that run, in a thread of its own while there are any.

    What it files is what the turn would be if it were interrupted now, so nothing else has to know of it: a new
    kernel takes it for a turn that was not saved, and `Unsaved.commit` drops it for the turn itself.

    Parameters
    ----------
    manager
        Knows the turns that run.
    persistence
        Writes them to the store.
    """

    def __init__(self, manager: SessionManager, persistence: Persistence) -> None:
        self._ledger, self._persistence = ledger_of(manager), persistence
        self._lock = Lock()
        self._thread: Thread | None = None
        self._filed: dict[str, _Filed] = {}  # by their chats
        self._never = Event()

    def begin(self) -> None:
        """Look until no turn runs; one has begun."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():  # a fork takes no threads along
                self._thread = Thread(target=self._look, name="robota_nb-partial-answers", daemon=True)
                self._thread.start()

    def file(self, chat: str) -> None:
        """File now what has come in a chat: before a call is run, and after it, as it may have done something."""
        arriving = self._ledger.runtime.arriving.get(chat)
        if arriving is not None:
            self._file(arriving, anyway=True)

    def _look(self) -> None:
        while not self._done():
            self._never.wait(INTERVAL)
            for arriving in list(self._ledger.runtime.arriving.values()):
                self._file(arriving)

    def _done(self) -> bool:
        with self._lock:
            if not self._ledger.runtime.arriving:
                self._thread = None
                self._filed.clear()
            return self._thread is None

    def _file(self, arriving: Arriving, *, anyway: bool = False) -> None:
        """File an answer as far as it has come, unless that is done."""
        chat, plan = arriving.chat, arriving.plan
        with self._ledger.runtime.lock:  # in the order of the record: not after the whole turn
            if self._ledger.runtime.arriving.get(chat) is not arriving:
                return
            filed = self._filed.get(chat)
            if filed is None or filed.arriving is not arriving:
                filed = self._filed[chat] = _Filed(arriving)
            count = len(arriving.parts)
            if plan.record and (count > filed.parts or anyway):
                filed.parts = count
                # The whole gets a greater n: who has both, goes on from there.
                filed.n = filed.n or self._ledger.next_n(reserved=QUESTION_AND_ANSWER)
                now = replace(arriving, parts=arriving.parts[:count], besides=replace(arriving.besides, pictures=()))
                at = self._ledger.runtime.now()
                entries, _ = turn_entries(now, Finish(reason="interrupted"), n=filed.n, at=at)
                self._persistence.commit_partial(arriving.view.id, chat, entries)
