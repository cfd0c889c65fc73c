"""Wakes all tasks of a process that wait for a change."""

import asyncio
from contextlib import suppress


class Broadcast:
    def __init__(self) -> None:
        self._next = asyncio.Event()

    def notify_all(self) -> None:
        event, self._next = self._next, asyncio.Event()
        event.set()

    async def wait(self, seconds: float) -> None:
        """Wait for the next notification, at most for `seconds`."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._next.wait(), seconds)
