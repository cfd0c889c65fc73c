"""Threads for CPU-bound work: a few calls at once, a bounded fair queue, and a 503 beyond it."""

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
    """Its queue is fair: a sender with a hundred waiting calls waits behind a sender with one."""

    def __init__(self, name: str, at_once: int, waiting: int) -> None:
        """`at_once` calls may run, and `waiting` times as many may wait."""
        self._threads = ThreadPoolExecutor(at_once, name)
        self._free = at_once
        self._limit = at_once * waiting
        self._waiting: FairQueue[asyncio.Future[None]] = FairQueue()

    async def run(self, sender: Sequence[str], function: Callable[[*Ts], T], *args: *Ts) -> T:
        """Run a call for a sender. Raises Unavailable if too many wait, unless another sender has more waiting."""
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
        """Wait until this call gets a slot."""
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
        """Give a free slot to the next in turn."""
        while self._waiting.size:
            turn = self._waiting.pop()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
