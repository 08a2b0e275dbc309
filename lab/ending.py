"""Ends tasks for sure."""

import asyncio
from collections.abc import Collection
from typing import Any

_PATIENCE_S = 0.1


async def end_all(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancels until all have ended: a Redis client that connects can swallow a cancellation."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_PATIENCE_S)
