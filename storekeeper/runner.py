"""Starts a command in a process of its own when there is work: no request waits for it, nor does it end with one."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL
from pathlib import Path

END_SECONDS = 2.5  # for a process that is told to end; then it is killed, which it has to bear at any time


class Runner:
    """At most one process of this server's; other servers may have theirs, and each job goes to one of them."""

    def __init__(self, *command: str) -> None:
        """`command` is one of Storekeeper's own."""
        self._command = (sys.executable, "-m", "storekeeper", *command)
        self._task: asyncio.Task[None] | None = None
        self._is_woken = False

    def wake(self) -> None:
        """There is something to be done."""
        self._is_woken = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while self._is_woken:  # also when something came in as the last process was about to end
            self._is_woken = False
            process = await asyncio.create_subprocess_exec(*self._command, stdin=DEVNULL, env=_environment())
            try:
                await process.wait()
            finally:
                await _end(process)

    async def close(self) -> None:
        """End the process: what it has begun goes on when a server is there again."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), END_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()


def _environment() -> dict[str, str]:
    """Where this process finds the program, that one does too, whether it is installed or not."""
    home = str(Path(__file__).parent.parent)
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))}
