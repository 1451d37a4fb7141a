"""What was measured of several contenders in turns: round by round, so that ratios are of one round."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from statistics import median

WARM = 1
"""Rounds at the beginning that do not count, where others were run: imports, connections."""


@dataclass
class Table:
    """Samples of some contenders.

    Parameters
    ----------
    title
        What was measured.
    columns
        The figures, each with its unit.
    note
        How it was measured.
    samples
        Contender and column to round to figure.
    missing
        Contender to why it has no (more) figures.
    """

    title: str
    columns: tuple[str, ...]
    note: str = ""
    samples: dict[tuple[str, str], dict[int, float]] = field(default_factory=lambda: defaultdict(dict))
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Who has figures, in order."""
        return list(dict.fromkeys(name for name, _ in self.samples))

    def add(self, name: str, number: int, row: dict[str, float]) -> None:
        """Add what was measured in a round."""
        for column, value in row.items():
            self.samples[name, column][number] = value

    def values(self, name: str, column: str) -> list[float]:
        """Return the figures that count; empty if there are none."""
        rounds = self.samples.get((name, column), {})
        return [value for number, value in rounds.items() if number >= WARM] or list(rounds.values())

    def median(self, name: str, column: str) -> float:
        """Return the median of the figures that count."""
        return median(self.values(name, column))

    def worst(self, name: str, column: str) -> float:
        """Return the greatest of the figures that count."""
        return max(self.values(name, column))

    def ratios(self, name: str, column: str, other: str) -> list[float]:
        """Return a contender's figures as parts of another's, of the rounds that both have; empty if there are none."""
        mine, theirs = self.samples.get((name, column), {}), self.samples.get((other, column), {})
        shared = [number for number in mine if theirs.get(number)]
        counted = [number for number in shared if number >= WARM] or shared
        return [mine[number] / theirs[number] for number in counted]

    def ratio(self, name: str, column: str, other: str) -> float:
        """Return the median of the ratios."""
        return median(self.ratios(name, column, other))
