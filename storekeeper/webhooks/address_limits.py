"""Limits for each address: concurrent messages, and messages per second. Further messages wait.

Hosts that share an address take turns: the next is the host with the fewest messages under way, and of these the one
whose last turn was longest ago. So a host with many or slow messages delays the others as little as possible.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from storekeeper.concurrency.rate_limiter import DeliveryLimits, RateLimiter

MAX_WAITING = 256  # at one address
MIN_PAUSE = 0.001  # seconds between looks at the clock
CACHE_SIZE = 10_000  # hosts


class QueueFull(Exception):
    """Too many messages wait, or one has waited too long."""


class _Waiter:
    def __init__(self, host: str) -> None:
        self.host = host
        self.turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class _AddressQueue:
    """Who waits for a turn at an address, and who has a message under way there."""

    def __init__(self) -> None:
        self.under_way: Counter[str] = Counter()  # by host
        self.waiting: list[_Waiter] = []  # in the order in which they came
        self.timer: asyncio.TimerHandle | None = None

    @property
    def pending(self) -> list[_Waiter]:
        """Those that still wait: not who was cancelled, and has not left yet."""
        return [each for each in self.waiting if not each.turn.done()]


class AddressLimits:
    def __init__(self, limits: DeliveryLimits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._pace = RateLimiter(limits.messages_per_second)
        self._clock = clock
        self._addresses: dict[str, _AddressQueue] = {}
        self._turns = 0
        self._last_turn: dict[str, int] = {}  # of each host; those whose last was longest ago come first

    @property
    def waiting(self) -> int:
        return sum(len(queue.waiting) for queue in self._addresses.values())

    def under_way(self, address: str) -> int:
        return self._addresses[address].under_way.total() if address in self._addresses else 0

    @asynccontextmanager
    async def slot(self, address: str, host: str) -> AsyncIterator[None]:
        """Hold a slot for one message. Raises QueueFull if too many wait for one."""
        queue = self._addresses.setdefault(address, _AddressQueue())
        waiter = _Waiter(host)
        queue.waiting.append(waiter)
        self._go_on(address)
        self._make_room(queue)
        try:
            await waiter.turn
            yield
        finally:
            self._leave(queue, waiter)
            self._go_on(address)

    def _go_on(self, address: str) -> None:
        """Let the next messages go, as far as the limits allow."""
        queue = self._addresses.get(address)
        if queue is None:
            return
        while (waiting := queue.pending) and self._has_room(address):
            waiter = min(waiting, key=lambda each: self._rank(queue, each))
            queue.waiting.remove(waiter)
            queue.under_way[waiter.host] += 1
            self._note_turn(address, waiter.host)
            waiter.turn.set_result(None)
        self._set_timer(queue, address)
        if not queue.waiting and not queue.under_way:
            del self._addresses[address]

    def _has_room(self, address: str) -> bool:
        return self.under_way(address) < self._limits.connections and self._pace.bucket(address).room(self._clock()) > 0

    def _set_timer(self, queue: _AddressQueue, address: str) -> None:
        """For when the pace lets the next one go, if that is what is waited for."""
        if queue.timer:
            queue.timer.cancel()
            queue.timer = None
        if queue.waiting and self.under_way(address) < self._limits.connections:
            pause = max(MIN_PAUSE, self._pace.bucket(address).wait(self._clock(), 1))
            queue.timer = asyncio.get_running_loop().call_later(pause, self._go_on, address)

    def _rank(self, queue: _AddressQueue, waiter: _Waiter) -> tuple[int, int]:
        return queue.under_way[waiter.host], self._last_turn.get(waiter.host, 0)

    def _note_turn(self, address: str, host: str) -> None:
        self._pace.bucket(address).take(self._clock(), 1)
        self._turns += 1
        self._last_turn.pop(host, None)
        self._last_turn[host] = self._turns
        if len(self._last_turn) > CACHE_SIZE:
            del self._last_turn[next(iter(self._last_turn))]

    def _make_room(self, queue: _AddressQueue) -> None:
        """If too many wait, refuse the one whose turn would be last."""
        waiting = queue.pending
        if len(waiting) > MAX_WAITING:
            last = max(reversed(waiting), key=lambda each: self._rank(queue, each))
            queue.waiting.remove(last)
            last.turn.set_exception(QueueFull())

    def _leave(self, queue: _AddressQueue, waiter: _Waiter) -> None:
        if waiter in queue.waiting:
            queue.waiting.remove(waiter)
        elif not waiter.turn.cancelled() and waiter.turn.exception() is None:
            queue.under_way -= Counter((waiter.host,))  # which forgets those of whom there is none any more
