"""Threads that do the database's work, so that the event loop never waits for it."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any, Protocol

from storekeeper.errors import Unavailable

CLOSING_SECONDS = 2


class Held(Protocol):
    """What a thread holds to do its jobs with."""

    def run(self, job: "Job") -> Any: ...
    def close(self) -> None: ...


class Job:
    """A call that waits for a thread, and the future that its caller waits for."""

    __slots__ = ("_args", "_function", "future", "loop")

    def __init__(self, function: Callable[..., Any], args: Any) -> None:
        self._function = function
        self._args = args
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self.loop.create_future()

    def call(self, first: Any) -> Any:
        return self._function(first, *self._args)

    def give_up(self) -> None:
        if not self.future.done():
            self.future.set_exception(Unavailable("The database does not answer. Try again soon."))

    def is_abandoned(self) -> bool:
        """Asked by the thread: whether the caller has had his answer, a 503, before the job is done."""
        return self.future.done()


class Crew:
    """A few threads that each hold something of their own and serve one queue, oldest job first.

    `do` waits at most `seconds`. At most `limit` jobs are unfinished at any time: a job whose caller has given up
    counts until a thread is rid of it, so when the database hangs the queue stays full and callers hear so at once.
    """

    def __init__(self, hold: Callable[[], Held], size: int, limit: int, seconds: float) -> None:
        self._hold = hold
        self._size = size
        self._limit = limit
        self._seconds = seconds
        self._unfinished = 0
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._threads: list[Thread] = []

    async def do(self, function: Callable[..., Any], *args: Any) -> Any:
        if self._unfinished >= self._limit:
            raise Unavailable
        if not self._threads:
            self._start()
        job = Job(function, args)
        self._unfinished += 1
        self._jobs.put(job)
        deadline = job.loop.call_later(self._seconds, job.give_up)  # asyncio.timeout costs 3 times that
        try:
            return await job.future
        finally:
            deadline.cancel()

    def close(self) -> None:
        """Let the threads end after their jobs; the next job starts new ones. Does not wait long for one that hangs."""
        for _ in self._threads:
            self._jobs.put(None)
        patience = time.monotonic() + CLOSING_SECONDS
        for thread in self._threads:
            thread.join(max(0, patience - time.monotonic()))
        self._threads = []

    def _start(self) -> None:
        # Daemons, so that a database that hangs cannot keep the process from ending.
        self._threads = [Thread(target=self._work, daemon=True) for _ in range(self._size)]
        for thread in self._threads:
            thread.start()

    def _work(self) -> None:
        held = self._hold()
        while job := self._jobs.get():
            result, error = None, None
            if not job.is_abandoned():
                try:
                    result = held.run(job)
                except Exception as raised:
                    error = raised
            with suppress(RuntimeError):  # the loop has ended, and nobody waits any more
                job.loop.call_soon_threadsafe(self._finish, job, result, error)
        held.close()

    def _finish(self, job: Job, result: Any, error: Exception | None) -> None:
        """Back on the loop's thread: the only one that touches futures and the count."""
        self._unfinished -= 1
        if job.future.done():
            return
        if error is None:
            job.future.set_result(result)
        else:
            job.future.set_exception(error)
