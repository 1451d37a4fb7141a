"""An ask from a cell, and what is decided of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from robota_nb.core.record.entries import image_entries

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.core.record.nodes import Node
    from robota_nb.core.record.types import Image
    from robota_nb.core.record.view import SessionView
    from robota_nb.core.rules.document import Cell


@dataclass(frozen=True, kw_only=True)  # without slots, for the cached property
class Ask:
    """One ask, with all that the decision depends on.

    Parameters
    ----------
    cell
        The cell that asks; None for an ask from outside cells.
    k
        It is the k-th ask of the cell's execution, counted from 0.
    text
        The prompt as it goes to the model.
    options
        Settings for this ask alone.
    images
        The pictures that go with it.
    fresh
        Whether a recorded answer is out of the question.
    at_end
        Whether it takes no turn's place that was shown, or asked by the cell before it was edited.
    """

    cell: Cell
    k: int
    text: str
    options: Mapping[str, str] = field(default_factory=dict)
    images: tuple[Image, ...] = ()
    fresh: bool = False
    at_end: bool = False

    @cached_property
    def image_ids(self) -> tuple[str, ...]:
        """The ids of the entries that hold the pictures."""
        return tuple(image_entries(self.images))


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Where an ask belongs, and the recorded turn that answers it, if there is one."""

    session: SessionView
    chat: str
    place: str | None
    found: Node | None
    stands: Node | None
    settings: Mapping[str, str]
