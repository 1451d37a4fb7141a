"""An ask from a cell, and what is decided of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.core.document import Cell
    from robota_nb.core.fold import Node
    from robota_nb.core.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
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
    fresh
        Whether a recorded answer is out of the question.
    """

    cell: Cell
    k: int
    text: str
    options: Mapping[str, str] = field(default_factory=dict)
    fresh: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Where an ask belongs, and the recorded turn that answers it, if there is one."""

    session: Session
    chat: str
    place: str | None
    found: Node | None
    stands: Node | None
    settings: Mapping[str, str]
