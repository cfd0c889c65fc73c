"""Threads for the database, with a bounded queue of jobs."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Protocol

from storekeeper.errors import OutcomeUnknown, Unavailable

CLOSING_SECONDS = 2
TURN_SECONDS = 0.001  # that an answer may wait for others, to be told of together


class Worker(Protocol):
    """What a thread holds to do its jobs with."""

    def run(self, jobs: Sequence["QueuedCall"]) -> Iterable["QueuedCall"]:
        """Do the jobs that somebody still waits for, and yield each once it is settled. Raises nothing."""

    def close(self) -> None: ...


class QueuedCall:
    """A call that waits for a thread, what comes of it, and the future that its caller waits for.

    `is_committing` from the moment on from which the change may be kept, whatever its caller is told.
    """

    __slots__ = ("_function", "args", "due", "error", "future", "is_committing", "result")

    def __init__(self, function: Callable[..., Any], args: Any, future: asyncio.Future[Any], due: float) -> None:
        self._function = function
        self.args = args
        self.future = future
        self.due = due
        self.is_committing = False
        self.result: Any = None
        self.error: Exception | None = None

    def call(self, first: Any) -> Any:
        return self._function(first, *self.args)

    def settle(self, run: Callable[["QueuedCall"], Any]) -> None:
        """Keep what `run` makes of this job: what it returns, or what it raises."""
        try:
            self.result, self.error = run(self), None
        except Exception as raised:
            self.error = raised

    def is_abandoned(self) -> bool:
        """Asked by the thread: whether the caller has had their answer, a 503, before the job is done."""
        return self.future.done()

    def give_up(self) -> None:
        if self.future.done():
            return
        if self.is_committing:
            self.future.set_exception(OutcomeUnknown())
        else:
            self.future.set_exception(Unavailable("database_silent"))

    def finish(self) -> None:
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


class WorkerThreads:
    """A few threads that each hold something of their own and serve one queue, oldest job first.

    `do` waits about `seconds` at most. At most `limit` jobs are unfinished at any time: a job whose caller has given up
    counts until a thread is rid of it, so when the database hangs the queue stays full and callers hear so at once.
    A thread takes up to `together` of the jobs that wait, and tells of those that are done once in a turn: where jobs
    are short, that spares it and the loop from interrupting each other for each.
    """

    def __init__(
        self, hold: Callable[[], Worker], limit: int, seconds: float, *, threads: int = 1, together: int = 1
    ) -> None:
        self._hold = hold
        self._size = threads
        self._together = together
        self._limit = limit
        self._seconds = seconds
        self._unfinished = 0
        self._jobs: SimpleQueue[QueuedCall | None] = SimpleQueue()
        self._waiting: dict[QueuedCall, None] = {}  # in their order
        self._watcher: asyncio.AbstractEventLoop | None = None
        self._threads: list[Thread] = []

    def submit(self, function: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        """What will come of it. Unavailable at once where too much waits."""
        if self._unfinished >= self._limit:
            raise Unavailable
        if not self._threads:
            self._start()
        loop = asyncio.get_running_loop()
        job = QueuedCall(function, args, loop.create_future(), loop.time() + self._seconds)
        self._unfinished += 1
        self._waiting[job] = None
        self._jobs.put(job)
        if self._watcher is not loop:
            self._watch(loop, self._seconds)
        return job.future

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
        is_open = True
        while is_open:
            taken = self._take()
            is_open = None not in taken
            self._tell_in_turns(held.run([job for job in taken if job]))
        held.close()

    def _take(self) -> list[QueuedCall | None]:
        """The oldest job, once there is one, and those behind it that are done with it. A None ends a thread."""
        taken = [self._jobs.get()]
        with suppress(Empty):  # another thread may be faster
            while len(taken) < self._together and taken[-1] is not None:
                taken.append(self._jobs.get_nowait())
        return taken

    def _tell_in_turns(self, settled: Iterable[QueuedCall]) -> None:
        """Tell of many at once, but of none much later than it was settled."""
        jobs: list[QueuedCall] = []
        end = time.monotonic() + TURN_SECONDS
        for job in settled:
            jobs.append(job)
            if time.monotonic() > end:
                self._tell(jobs)
                jobs, end = [], time.monotonic() + TURN_SECONDS
        self._tell(jobs)

    def _tell(self, jobs: Sequence[QueuedCall]) -> None:
        if jobs:
            with suppress(RuntimeError):  # the loop has ended, and nobody waits any more
                jobs[-1].future.get_loop().call_soon_threadsafe(self._finish, jobs)

    def _finish(self, jobs: Sequence[QueuedCall]) -> None:
        """Back on the loop's thread: the only one that touches futures and the count."""
        self._unfinished -= len(jobs)
        for job in jobs:
            self._waiting.pop(job, None)
            job.finish()

    def _watch(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        """See to it that nobody waits much longer. One clock for all: one for each job would cost more than its way."""
        self._watcher = loop
        loop.call_later(seconds, self._give_up, loop)

    def _give_up(self, loop: asyncio.AbstractEventLoop) -> None:
        self._watcher = None
        for job in [job for job in self._waiting if job.due <= loop.time()]:
            del self._waiting[job]
            job.give_up()
        if self._waiting:
            self._watch(loop, next(iter(self._waiting)).due - loop.time())
