"""Waiting for a live turn without blocking an event loop."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from robota_nb.core.live import LiveTurn

PATIENCE = 2.0
"""Seconds that a provider has to hear that its answer is cancelled; then it is left behind."""


async def in_threads(live: LiveTurn) -> AsyncIterator[str]:
    """Iterate over a live turn in worker threads; a cancelled task stops the turn, and ends when its chat is free."""
    loop = asyncio.get_running_loop()
    while True:
        step = loop.run_in_executor(None, next, live, None)
        try:
            delta = await asyncio.shield(step)
        except asyncio.CancelledError:
            live.cancel()
            heard, _ = await asyncio.wait([step], timeout=PATIENCE)
            if heard:
                await loop.run_in_executor(None, _stop, live, step)
            else:
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
