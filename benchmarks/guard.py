"""`python -m benchmarks.guard`: what a request costs, in instructions, beside the bare function. Fails if it is dear.

Both servers run under callgrind, which counts what the processor is told to do: a number that does not depend on what
else the machine does. It says nothing of the kernel, of the disk and of waiting; what it guards is our own code.
A limit stands some 15 % above what was measured when it was last set. Whoever beats one by much lowers it.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import NamedTuple

from benchmarks import candidates, load, operations
from benchmarks.candidates import Candidate
from benchmarks.databases import open_databases
from benchmarks.failure import Failure
from benchmarks.measure import LOAD_CORE, SERVER_CORE
from benchmarks.operations import Operation, aim
from benchmarks.server import Server, serve

ITEMS = 1000
CONNECTIONS = 8  # few: those that are under way when the load ends are counted, but not reported
SECONDS = 6
MISSING = "The guard needs wrk and valgrind. On Debian: sudo apt-get install wrk valgrind"

# How many times the instructions of the bare function, at the most.
LIMITS = {"read": 2.65, "list": 3.1, "update": 6.5, "refresh": 1.35}


class Count(NamedTuple):
    """Thousands of instructions for each request."""

    bare: float
    ours: float

    @property
    def ratio(self) -> float:
        return self.ours / self.bare


def main() -> None:
    try:
        _require()
        costs = [_measure(candidate) for candidate in (candidates.BARE, candidates.STOREKEEPER)]
    except Failure as failure:
        sys.exit(f"guard: {failure}")
    counts = {name: Count(*(each[name] for each in costs)) for name in LIMITS}
    for name, count in counts.items():
        print(f"{name:<9}{count.bare:7,.0f}k bare {count.ours:7,.0f}k ours {count.ratio:6.2f} of {LIMITS[name]:.2f}")
    if dear := [name for name, count in counts.items() if count.ratio > LIMITS[name]]:
        sys.exit(f"guard: {', '.join(dear)}: more instructions than there may be. See docs/performance.md.")


def _require() -> None:
    if not (which("wrk") and which("valgrind")):
        raise Failure(MISSING)


def _measure(candidate: Candidate) -> Mapping[str, float]:
    """Thousands of instructions for a request, by operation."""
    with tempfile.TemporaryDirectory(prefix="storekeeper-guard-") as name:
        directory = Path(name)
        counted = candidate._replace(command=lambda place: [*_callgrind(directory), *candidate.command(place)])
        with (
            open_databases("sqlite", directory, [candidate.name], LOAD_CORE) as found,
            serve(counted, found.url(candidate.name), directory, ITEMS, SERVER_CORE) as server,
        ):
            return {name: _count(server, operations.ALL[name], directory) for name in LIMITS}


def _callgrind(directory: Path) -> list[str]:
    out = directory / "counted"
    return ["valgrind", "--quiet", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={out}"]


def _count(server: Server, operation: Operation, directory: Path) -> float:
    target = aim(operation, server.candidate.speech, server.place.port, 2)._replace(connections=CONNECTIONS)
    load.run(target, ITEMS, 1, 0, LOAD_CORE)
    with _counting(server):
        done = load.run(target, ITEMS, SECONDS, 1, LOAD_CORE)
    _control(server, "-d")  # into a file of its own, and from zero again
    newest = max(directory.glob("counted.*"), key=lambda path: path.stat().st_mtime_ns)
    told = re.search(r"^totals: (\d+)", newest.read_text("utf-8", "replace"), re.M)
    if told is None:
        raise Failure(f"{newest.name} tells no total.")
    return int(told[1]) / done["requests"] / 1000


@contextmanager
def _counting(server: Server) -> Iterator[None]:
    _control(server, "-i", "on")
    yield
    _control(server, "-i", "off")


def _control(server: Server, *arguments: str) -> None:
    command = ["callgrind_control", *arguments, str(server.processes.pid)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)


if __name__ == "__main__":
    main()
