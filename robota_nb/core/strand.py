"""Which code belongs to an execution: threads and asyncio tasks of others may run while it lasts."""

from __future__ import annotations

from contextvars import ContextVar
from threading import get_ident

_LAST: ContextVar[Strand | None] = ContextVar("robota_nb_strand", default=None)
"""The execution that this code was begun by: a task keeps what held where it was made."""


class Strand:
    """The code of one execution: what runs in its thread, but for the tasks that others have left there.

    Making one says that an execution begins here.
    """

    __slots__ = ("_thread",)

    def __init__(self) -> None:
        self._thread = get_ident()
        _LAST.set(self)

    def is_here(self) -> bool:
        """Say whether the code that calls this belongs to the execution."""
        return get_ident() == self._thread and _LAST.get() is self
