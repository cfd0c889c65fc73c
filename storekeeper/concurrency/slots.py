"""Slots for exports: a limited number runs in this process, and a smaller number for one user.

If no slot is free, a request waits for some seconds, first come, first served. As many may wait as may run.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from functools import partial

from storekeeper.errors import StorekeeperError, TooManyExports, Unavailable

WAIT_SECONDS = 5.0


class Slots:
    def __init__(self, at_once: int, per_user: int, seconds: float = WAIT_SECONDS) -> None:
        self._at_once = at_once
        self._per_user = per_user
        self._seconds = seconds
        self._taken: Counter[int] = Counter()  # by user
        self._waiting: dict[asyncio.Future[None], int] = {}  # whose they are, in their order

    async def take(self, user_id: int) -> Callable[[], None]:
        """Wait for a slot, and return the function that frees it. Raises TooManyExports or Unavailable."""
        if self._has_room(user_id):
            self._taken[user_id] += 1
        else:
            await self._wait(user_id)
        return partial(self._give_back, user_id)

    def _has_room(self, user_id: int) -> bool:
        return self._taken.total() < self._at_once and self._taken[user_id] < self._per_user

    async def _wait(self, user_id: int) -> None:
        """Wait until a slot is handed over."""
        of_user = list(self._waiting.values()).count(user_id)
        if of_user >= self._per_user or len(self._waiting) >= self._at_once:
            raise self._refusal(user_id)
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting[turn] = user_id
        clock = loop.call_later(self._seconds, self._refuse, turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled() and turn.exception() is None:
                self._give_back(user_id)  # it had just come
            raise
        finally:
            clock.cancel()
            self._waiting.pop(turn, None)

    def _refuse(self, turn: asyncio.Future[None]) -> None:
        if not turn.done():
            turn.set_exception(self._refusal(self._waiting.pop(turn)))

    def _refusal(self, user_id: int) -> StorekeeperError:
        if self._taken[user_id] >= self._per_user:
            return TooManyExports()
        return Unavailable("exports_full")

    def _give_back(self, user_id: int) -> None:
        self._taken[user_id] -= 1
        self._taken += Counter()  # forgets whoever has none
        for turn, waiting_id in self._waiting.items():
            if not turn.done() and self._has_room(waiting_id):
                self._taken[waiting_id] += 1
                del self._waiting[turn]
                turn.set_result(None)
                return
