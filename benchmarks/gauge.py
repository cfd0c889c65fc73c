"""What a process and its children use: CPU time and memory, from the kernel's own books."""

from collections.abc import Iterator
from contextlib import suppress

import psutil  # type: ignore[import-untyped]


class Tree:
    """A process with all its children, as they are at the time of each question."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._root = psutil.Process(pid)

    def cpu_seconds(self) -> float:
        """User and system time of all, and of the children that have ended."""
        times = self._root.cpu_times()
        ended = float(times.children_user + times.children_system)
        return ended + sum(_cpu(process) for process in self._all())

    def memory(self) -> int:
        """Resident bytes, summed: pages that two processes share count twice."""
        return sum(_resident(process) for process in self._all())

    def pin(self, core: int) -> None:
        """Keep these processes, and those they start from now on, on one core."""
        for process in self._all():
            with suppress(psutil.NoSuchProcess):
                process.cpu_affinity([core])

    def _all(self) -> Iterator[psutil.Process]:
        yield self._root
        yield from self._root.children(recursive=True)


def core_seconds(core: int) -> float:
    """For how long this core has not been idle, whoever used it, the hypervisor included."""
    times = psutil.cpu_times(percpu=True)[core]
    return float(sum(times[:8]) - times.idle - times.iowait)  # the rest, time for guests, is counted among these


def _cpu(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system)
    return 0.0


def _resident(process: psutil.Process) -> int:
    with suppress(psutil.NoSuchProcess):
        return int(process.memory_info().rss)
    return 0
