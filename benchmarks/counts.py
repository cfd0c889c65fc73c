"""Instructions, counted by callgrind: for each request to a server, and for its start.

They do not depend on what else the machine does. They say nothing of the kernel, of the disk and of waiting, nor of
what a PostgreSQL server does: only the candidate's own process is counted.
"""

import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks import load
from benchmarks.candidates import Candidate
from benchmarks.databases import open_databases
from benchmarks.failure import Failure
from benchmarks.growth import grow
from benchmarks.measure import LOAD_CORE, SERVER_CORE
from benchmarks.operations import ALL, CATALOGUE, Operation, aim
from benchmarks.server import Server, serve
from benchmarks.speech import Speaker

ITEMS = 1000
SOME = 10_000  # of which each word of the vocabulary finds some
MANY = 100_000
CONNECTIONS = 8  # few: those that are under way when the load ends are counted, but not reported
SECONDS = 5
IDLE_SECONDS = 20  # in which every sample that a server takes of its own state comes round twice at the least
WARM_UP = 3  # seconds: in one, on a busy machine, a server under callgrind may not answer at all
LOGINS = 6  # one after the other: Argon2 is most of them, and one under way would count for much
ROWS = 3  # of logins
AMONG = {  # the operations that want more items, and how many
    **{operation.name: (operation, SOME) for operation in CATALOGUE},
    "read among many": (ALL["read"], MANY),
}


def count(candidate: Candidate, kind: str, names: Iterable[str]) -> Mapping[str, float]:
    """Thousands of instructions by name, in this order: of `start`, of `idle`, of operations.

    `idle` is a second of a server that nobody asks anything. What it does by itself goes by the clock, and under
    callgrind a slow machine answers fewer requests in that time: so it has a count of its own, and is in no other.
    Operations of `AMONG` add items: they are the last.
    """
    with tempfile.TemporaryDirectory(prefix="storekeeper-guard-") as name:
        directory = Path(name)
        with (
            open_databases(kind, directory, [candidate.name], LOAD_CORE) as found,
            serve(candidate, found.url(candidate.name), directory, ITEMS, SERVER_CORE, _callgrind(directory)) as server,
        ):
            counter = _Counter(server, directory)
            found.settle(candidate.name)
            return {name: counter.count(name) for name in names}


def _callgrind(directory: Path) -> list[str]:
    return ["valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={directory / 'counted'}"]


class _Counter:
    """A server under callgrind that has just given its first answer, and what it took until then."""

    def __init__(self, server: Server, directory: Path) -> None:
        self._server = server
        self._directory = directory
        self._items = ITEMS
        self._start = self._take()
        self._control("-i", "off")
        self._idle = 0.0
        self._idle = self._count_idle()

    def count(self, name: str) -> float:
        if name == "start":
            return self._start
        if name == "idle":
            return self._idle
        if name == "login":
            return self._count_logins()
        operation, items = AMONG[name] if name in AMONG else (ALL[name], ITEMS)
        self._grow(items)
        return self._count(operation, items)

    def _grow(self, items: int) -> None:
        if items > self._items:
            grow(self._server.place.url, self._items, items)
            self._items = items

    def _count(self, operation: Operation, items: int) -> float:
        target = aim(operation, self._server.candidate.speech, self._server.place.port, 2)
        target = target._replace(connections=CONNECTIONS)
        load.run(target, items, WARM_UP, 0, LOAD_CORE)
        with self._counting() as taken:
            done = load.run(target, items, SECONDS, 1, LOAD_CORE)
        return taken() / float(done["requests"])

    def _count_idle(self) -> float:
        time.sleep(WARM_UP)
        with self._counting() as taken:
            time.sleep(IDLE_SECONDS)
        return taken() / IDLE_SECONDS

    def _count_logins(self) -> float:
        """The median of some rows of logins: in one of them may fall what the server does once in a minute."""
        speaker = Speaker(self._server.candidate.speech, self._server.place.port)
        speaker.sign_in()
        return median(self._count_row_of_logins(speaker) for _ in range(ROWS))

    def _count_row_of_logins(self, speaker: Speaker) -> float:
        with self._counting() as taken:
            for _ in range(LOGINS):
                speaker.sign_in()
        return taken() / LOGINS

    @contextmanager
    def _counting(self) -> Iterator[Callable[[], float]]:
        """Count what happens in here. Call what it yields afterwards: without what the server does by itself."""
        start = time.monotonic()
        self._control("-i", "on")
        yield lambda: counted - seconds * self._idle
        self._control("-i", "off")
        seconds = time.monotonic() - start
        counted = self._take()

    def _take(self) -> float:
        """What was counted since the last time, in thousands."""
        self._control("-d")  # into a file of its own, and from zero again
        newest = max(self._directory.glob("counted.*"), key=lambda path: path.stat().st_mtime_ns)
        told = re.search(r"^totals: (\d+)", newest.read_text("utf-8", "replace"), re.M)
        if told is None:
            raise Failure(f"{newest.name} tells no total.")
        return int(told[1]) / 1000

    def _control(self, *arguments: str) -> None:
        command = ["callgrind_control", *arguments, str(self._server.processes.pid)]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
