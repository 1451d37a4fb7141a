"""One line of the table."""

from __future__ import annotations

from typing import NamedTuple


class Figure(NamedTuple):
    """One line of the table.

    Parameters
    ----------
    what
        What was measured.
    value, limit
        In *unit*; a limit of None only informs.
    unit
        Such as ``ms``.
    note
        What it is made of.
    """

    what: str
    value: float
    limit: float | None
    unit: str
    note: str = ""

    @property
    def holds(self) -> bool:
        """Whether the limit is kept."""
        return self.limit is None or self.value <= self.limit
