"""Threads for work that keeps a core busy: a few calls at once, some more that wait, and a 503 beyond."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar, TypeVarTuple

from storekeeper.errors import Unavailable

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Pool:
    def __init__(self, name: str, at_once: int, waiting: int) -> None:
        """`waiting` is how many may wait for each one under way."""
        self._threads = ThreadPoolExecutor(at_once, name)
        self._limit = at_once * (1 + waiting)
        self._unfinished = 0

    async def run(self, function: Callable[[*Ts], T], *args: *Ts) -> T:
        if self._unfinished >= self._limit:
            raise Unavailable
        self._unfinished += 1
        work = self._threads.submit(partial(function, *args))
        # Counted until it is done, also when its caller has hung up: the core is busy all the same.
        loop = asyncio.get_running_loop()
        work.add_done_callback(lambda _: loop.call_soon_threadsafe(self._finish))
        return await asyncio.wrap_future(work)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _finish(self) -> None:
        self._unfinished -= 1
