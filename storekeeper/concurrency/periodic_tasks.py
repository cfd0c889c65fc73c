"""Periodic tasks that a server runs beside the requests."""

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable

import msgspec
import structlog

from storekeeper.errors import StorekeeperError

TASK_SECONDS = 60.0  # that one run may take
GRACE_SECONDS = 5  # by which a run may be late without being called so
LOG_SECONDS = 3600  # between two log lines about a failure that is still the same
MIN_LOG_SECONDS = 60  # between any two log lines about one task
MAX_ERROR = 200  # characters

Run = Callable[[], Awaitable[object]]


class PeriodicTask(msgspec.Struct, frozen=True):
    """`every` is the pause between two runs, in seconds; a run that takes longer than `limit` seconds is cancelled."""

    name: str
    every: float
    run: Run
    limit: float = TASK_SECONDS


class TaskState(msgspec.Struct, frozen=True):
    """The state of a task. Times are seconds since 1970; `failures` counts those since the last success."""

    name: str
    every: float
    limit: float
    started_at: int
    last_success: int | None = None
    last_error: str | None = None
    last_error_at: int | None = None
    failures: int = 0

    @property
    def due_at(self) -> int:
        """The latest time at which it should have succeeded again: after that it fails, hangs, or is not run."""
        return int((self.last_success or self.started_at) + self.every + self.limit + GRACE_SECONDS)


class PeriodicTasks:
    """Runs each periodic task in its own asyncio task, so that the errors and waits of one do not affect the others.

    A failure is recorded and logged, and the task runs again after its pause. An asyncio task that ends is started
    again. The states are in memory, so reading them costs nothing.
    """

    def __init__(self) -> None:
        self.server = f"{socket.gethostname()}:{os.getpid()}"  # this process, among others
        self._loops: dict[str, _Loop] = {}
        self._is_closing = False

    def start(self, periodic_task: PeriodicTask) -> None:
        """Run a task from now on, at once for the first time. Requires a running event loop."""
        loop = self._loops[periodic_task.name] = _Loop(periodic_task)
        self._go(loop)

    @property
    def states(self) -> list[TaskState]:
        """The states of all started tasks, in that order."""
        return [loop.state for loop in self._loops.values()]

    def find(self, name: str) -> TaskState | None:
        loop = self._loops.get(name)
        return loop.state if loop else None

    async def close(self) -> None:
        """Cancel all running tasks."""
        self._is_closing = True
        tasks = [loop.task for loop in self._loops.values() if loop.task]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _go(self, loop: "_Loop") -> None:
        if not self._is_closing:
            loop.task = asyncio.create_task(loop.run(), name=loop.periodic_task.name)
            loop.task.add_done_callback(lambda task: self._restart(loop, task))

    def _restart(self, loop: "_Loop", task: "asyncio.Task[None]") -> None:
        """A loop ended in a way that `run` does not expect, such as by a cancelled future that its task awaited."""
        if not self._is_closing:
            error = None if task.cancelled() else task.exception()
            loop.note_failure(error or RuntimeError("The task was cancelled."))
            asyncio.get_running_loop().call_later(loop.periodic_task.every, self._go, loop)


class _Loop:
    """One periodic task, its asyncio task and its state."""

    def __init__(self, periodic_task: PeriodicTask) -> None:
        self.periodic_task = periodic_task
        self.state = TaskState(periodic_task.name, periodic_task.every, periodic_task.limit, int(time.time()))
        self.task: asyncio.Task[None] | None = None
        self._logged_at = float("-inf")
        self._logged: str | None = None  # the failure that the log has; None once it has the recovery, too

    async def run(self) -> None:
        while True:
            await self._run_once()
            await asyncio.sleep(self.periodic_task.every)

    async def _run_once(self) -> None:
        limit = asyncio.timeout(self.periodic_task.limit)
        try:
            async with limit:
                await self.periodic_task.run()
        except Exception as error:
            hangs = TimeoutError(f"It took longer than {self.periodic_task.limit:g} seconds.")
            self.note_failure(hangs if limit.expired() else error)
        else:
            self._note_success()

    def note_failure(self, error: BaseException) -> None:
        text = describe(error)
        self.state = msgspec.structs.replace(
            self.state, last_error=text, last_error_at=int(time.time()), failures=self.state.failures + 1
        )
        since = time.monotonic() - self._logged_at
        if since >= (LOG_SECONDS if text == self._logged else MIN_LOG_SECONDS):
            self._logged_at, self._logged = time.monotonic(), text
            log = structlog.get_logger().bind(chore=self.periodic_task.name, failures=self.state.failures, reason=text)
            if isinstance(error, StorekeeperError):  # foreseen, such as an outage: its trace tells nothing
                log.warning("chore_failed")
            else:
                log.error("chore_failed", exc_info=error)

    def _note_success(self) -> None:
        if self._logged is not None:
            self._logged = None
            structlog.get_logger().info("chore_recovered", chore=self.periodic_task.name, failures=self.state.failures)
        self.state = msgspec.structs.replace(self.state, last_success=int(time.time()), failures=0)


def describe(error: BaseException) -> str:
    """The kind of an error and the first line of its text, in limited length."""
    first = (str(error).splitlines() or [""])[0]
    return f"{type(error).__name__}: {first}"[:MAX_ERROR]
