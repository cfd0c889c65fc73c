"""Threads for CPU-bound work: a few calls at once, a bounded queue, and a 503 beyond it."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar, TypeVarTuple

from storekeeper.concurrency.fair_queue import FairQueue
from storekeeper.errors import Unavailable

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class BoundedPool:
    """Its queue is shared fairly: who has a hundred calls waiting waits behind who has one."""

    def __init__(self, name: str, at_once: int, waiting: int) -> None:
        """`waiting` is how many may wait for each one under way."""
        self._threads = ThreadPoolExecutor(at_once, name)
        self._free = at_once
        self._limit = at_once * waiting
        self._waiting: FairQueue[asyncio.Future[None]] = FairQueue()

    async def run(self, sender: Sequence[str], function: Callable[[*Ts], T], *args: *Ts) -> T:
        """Unavailable where too many wait, and of this sender no fewer than of others."""
        if self._free:
            self._free -= 1
        else:
            await self._wait(sender)
        work = self._threads.submit(partial(function, *args))
        # Its place is taken until it is done, also when its caller has hung up: the core is busy all the same.
        loop = asyncio.get_running_loop()
        work.add_done_callback(lambda _: loop.call_soon_threadsafe(self._hand_on))
        return await asyncio.wrap_future(work)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _wait(self, sender: Sequence[str]) -> None:
        """Until a place is handed on to this call."""
        if self._waiting.size >= self._limit:
            ousted = self._waiting.make_room(sender)
            if ousted is None:
                raise Unavailable
            if not ousted.done():
                ousted.set_exception(Unavailable())
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.push(sender, turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled() and turn.exception() is None:
                self._hand_on()  # it had just come
            raise

    def _hand_on(self) -> None:
        """A place is free: give it to whoever has the next turn."""
        while self._waiting.size:
            turn = self._waiting.pop()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
