"""How recorded answers are used: words that the magics, the command line and the core share."""

from __future__ import annotations

from typing import Literal, TypeAlias

Mode: TypeAlias = Literal["auto", "strict", "off"]
"""``auto``: replay what is recorded, ask the rest; ``strict``: never ask; ``off``: always ask."""

MODES: tuple[Mode, ...] = ("auto", "strict", "off")

Rerun: TypeAlias = Literal["replace", "append"]
"""Where an edited cell asks that ran before: in the place of its former turn, or at the end of the chat."""

RERUNS: tuple[Rerun, ...] = ("replace", "append")
