"""Starts commands in separate processes when there is work, so that no request waits for it or ends it.

Each process writes heartbeats to its standard output: see `heartbeat`. The server notices at once when a process dies,
logs it, and starts another; it kills a process whose heartbeats stop.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from threading import Thread

import msgspec
import structlog

from storekeeper.concurrency.heartbeat import Heartbeat, read_last

END_SECONDS = 2.0  # for a process that is told to end; then it is killed, which it has to bear at any time
CLOSING_SECONDS = 0.5  # for its leases, when the server ends
PAUSE_SECONDS = 0.5  # before a process that has died is replaced; twice as long after each further death
MAX_PAUSE_SECONDS = 60.0
STEADY_SECONDS = 60.0  # a process that has lived so long is no sign of a crash loop
SETTLE_PAUSES = (0.0, 1.0, 4.0)  # seconds before each try to give up the leases of a process that has died
READ_BYTES = 65_536


class End(msgspec.Struct, frozen=True):
    """How a process has ended: its last heartbeat, and whether it died or was told to end."""

    heartbeat: Heartbeat
    has_died: bool


async def _settle_nothing(_end: End) -> None:
    """For processes without leases."""


class Process:
    """A process that is started with SIGHUP blocked, and keeps it blocked, as it has no keys to reload.

    A SIGHUP to all processes of a server may reach one that has only begun and has not set its handlers yet. An event
    loop cannot start it like this: uvloop starts processes with default handlers for all signals.
    """

    @classmethod
    async def start(cls, *command: str) -> "Process":
        before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
        try:
            popen = Popen(command, stdin=DEVNULL, stdout=PIPE, env=_environment())  # noqa: ASYNC220, S603
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        process = cls(popen)
        try:
            await process._open()
        except BaseException:  # such as the end of the server: nobody would hear of it
            popen.kill()
            raise
        return process

    def __init__(self, popen: Popen[bytes]) -> None:
        self._popen = popen
        self.pid = popen.pid
        self.returncode: int | None = None
        self.stdout = asyncio.StreamReader()
        self._has_ended = asyncio.Event()
        Thread(target=self._follow, args=(asyncio.get_running_loop(),), daemon=True).start()

    async def _open(self) -> None:
        protocol = asyncio.StreamReaderProtocol(self.stdout)
        self._pipe, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, self._popen.stdout)

    def _follow(self, loop: asyncio.AbstractEventLoop) -> None:
        code = self._popen.wait()
        with suppress(RuntimeError):  # the loop has ended, and nobody waits any more
            loop.call_soon_threadsafe(self._note, code)

    def _note(self, code: int) -> None:
        self.returncode = code
        self._has_ended.set()

    async def wait(self) -> None:
        await self._has_ended.wait()
        self._pipe.close()

    def terminate(self) -> None:
        self._popen.terminate()

    def kill(self) -> None:
        self._popen.kill()


class BackgroundProcess:
    """At most `limit` processes of one command for this server. Other servers may run the same command."""

    def __init__(
        self,
        *command: str,
        limit: int = 1,
        silent_seconds: float = 60.0,
        on_end: Callable[[End], Awaitable[object]] = _settle_nothing,
    ) -> None:
        """`command` is one of Storekeeper's own. A process without a heartbeat for `silent_seconds` counts as hung.

        `on_end` is awaited after a process has died or was killed, so that others need not wait for its leases to
        expire.
        """
        self._command = command
        self._limit = limit
        self._silent_seconds = silent_seconds
        self._on_end = on_end
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_woken = False
        self._is_closing = False

    def start_if_idle(self) -> None:
        """Start a process, as there is work, unless `limit` are running."""
        if self._is_closing:
            return
        if len(self._tasks) >= self._limit:
            self._is_woken = True  # for the next one that ends
            return
        task = asyncio.create_task(self._run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End the processes; the next server continues their work."""
        self._is_closing = True
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _run(self) -> None:
        """Run one process after the other, until one ends in good order and nobody has called since."""
        deaths = 0
        while True:
            self._is_woken = False
            began = asyncio.get_running_loop().time()
            if await self._run_process():
                if not self._is_woken:
                    return
                deaths = 0
                continue
            deaths = 1 if asyncio.get_running_loop().time() - began > STEADY_SECONDS else deaths + 1
            await asyncio.sleep(pause_after(deaths))

    async def _run_process(self) -> bool:
        """Start a process and wait for its end. Return whether it has ended in good order."""
        command = (sys.executable, "-m", "storekeeper", *self._command)
        try:
            process = await Process.start(*command)
        except OSError as error:  # no memory, or too many processes
            structlog.get_logger().error("process_not_started", command=" ".join(self._command), reason=str(error))
            return False
        watch = _Watch(process, self._silent_seconds)
        try:
            await watch.wait()
        finally:
            has_died = process.returncode is not None and process.returncode != 0
            if process.returncode is None:
                await _end(process)
            await self._settle(process, watch, has_died=has_died)
        return process.returncode == 0

    async def _settle(self, process: Process, watch: "_Watch", *, has_died: bool) -> None:
        log = structlog.get_logger().bind(command=" ".join(self._command), pid=process.pid)
        if watch.is_hung:
            log.error("process_hung", silent_seconds=self._silent_seconds)
        elif has_died:
            log.error("process_died", **_describe(process.returncode or 0))
        if process.returncode != 0 and watch.heartbeat.name:
            await self._give_up_leases(log, End(watch.heartbeat, has_died))

    async def _give_up_leases(self, log: structlog.typing.FilteringBoundLogger, end: End) -> None:
        for pause in SETTLE_PAUSES:
            await asyncio.sleep(pause)
            try:
                async with asyncio.timeout(CLOSING_SECONDS if self._is_closing else None):
                    await self._on_end(end)
            except Exception as error:
                reason = f"{type(error).__name__}: {error}"[:200]
            else:
                return
            if self._is_closing:
                break
        log.warning("leases_kept", reason=reason)  # they end by themselves


class _Watch:
    """Reads the heartbeats of a process, until it ends or they stop."""

    def __init__(self, process: Process, silent_seconds: float) -> None:
        self._process = process
        self._silent_seconds = silent_seconds
        self.heartbeat = Heartbeat()
        self.is_hung = False

    async def wait(self) -> None:
        """Wait until the process has ended. Kill it if it hangs."""
        text = b""
        while True:
            try:
                async with asyncio.timeout(self._silent_seconds):
                    piece = await self._process.stdout.read(READ_BYTES)
            except TimeoutError:
                self.is_hung = True
                self._process.kill()
                break
            if not piece:
                break
            text = (text + piece)[-READ_BYTES:]
            self.heartbeat = read_last(text) or self.heartbeat
        await self._process.wait()


def pause_after(deaths: int) -> float:
    """Seconds until a process is replaced, by the number of deaths in a row."""
    return float(min(MAX_PAUSE_SECONDS, PAUSE_SECONDS * 2 ** min(deaths - 1, 10)))


def _describe(code: int) -> dict[str, int | str]:
    if code > 0:
        return {"exit_code": code}
    with suppress(ValueError):
        return {"signal": signal.Signals(-code).name}
    return {"signal": str(-code)}


async def _end(process: Process) -> None:
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), END_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()


def _environment() -> dict[str, str]:
    """The environment in which the new process finds this program, whether it is installed or not."""
    home = str(Path(__file__).parent.parent.parent)
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))}
