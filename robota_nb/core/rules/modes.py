"""How recorded answers are used: words that the magics, the command line and the core share."""

from __future__ import annotations

from typing import Literal, TypeAlias

Mode: TypeAlias = Literal["auto", "stale", "strict", "off"]
"""``auto``: replay what is recorded, ask the rest; ``stale``: of the rest, ask only what had an answer before it was
edited or became stale; ``strict``: never ask; ``off``: always ask."""

MODES: tuple[Mode, ...] = ("auto", "stale", "strict", "off")

Rerun: TypeAlias = Literal["replay", "ask", "append"]
"""What a cell does that has run in this kernel: it shows the answer that is recorded, it asks anew, or it goes on after
what it has asked, as an input line."""

Policy: TypeAlias = Literal["ask", "allow", "never"]
"""What comes of calls of tools of which the user has said nothing: he is asked, they are run, or none is offered."""

POLICIES: tuple[Policy, ...] = ("ask", "allow", "never")

RERUNS: tuple[Rerun, ...] = ("replay", "ask", "append")
