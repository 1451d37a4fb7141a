"""Waiting for a live turn without blocking an event loop."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from robota_nb.core.live import LiveTurn


async def in_threads(live: LiveTurn) -> AsyncIterator[str]:
    """Iterate over a live turn in worker threads; a cancelled task stops the turn at its next text."""
    while True:
        step = asyncio.get_running_loop().run_in_executor(None, next, live, None)
        try:
            delta = await asyncio.shield(step)
        except asyncio.CancelledError:
            step.add_done_callback(partial(_stop, live))
            raise
        if delta is None:
            return
        try:
            yield delta
        except GeneratorExit:
            live.close()
            raise


def _stop(live: LiveTurn, step: asyncio.Future[str | None]) -> None:
    step.exception()  # it has nobody left to tell
    live.close()
