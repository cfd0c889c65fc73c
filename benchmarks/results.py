"""The results of a run: their shape, their medians, and how they are kept in a file."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import msgspec


class Sample(msgspec.Struct, frozen=True):
    """One run of wrk. CPU times are microseconds for each request, `others` is a share of the server's core."""

    requests_per_second: float
    p50_ms: float
    p99_ms: float
    server_cpu_us: float
    database_cpu_us: float | None  # None where the database works inside the server, or is not ours to look at
    others: float  # what was taken by everything but the server: its core should be its own


class Measurement(msgspec.Struct, frozen=True):
    database: str
    operation: str
    candidate: str
    median: Sample
    samples: list[Sample]


class Memory(msgspec.Struct, frozen=True):
    """Resident mebibytes of all the server's processes."""

    database: str
    candidate: str
    after_start: float
    after_reads: float
    after_all: float


class Start(msgspec.Struct, frozen=True):
    """Seconds from the start of a server, its database filled, to its first answer."""

    database: str
    candidate: str
    seconds: float


class Machine(msgspec.Struct, frozen=True):
    processor: str
    cores: int
    memory_gib: float
    is_virtual: bool
    system: str
    file_system: str  # where the databases were
    versions: dict[str, str]


class Results(msgspec.Struct, frozen=True):
    date: str
    machine: Machine
    items: int
    seconds: int
    rounds: int
    connections: dict[str, int]
    measurements: list[Measurement]
    memory: list[Memory]
    starts: list[Start] = []
    sizes: dict[str, float] = {}  # mebibytes that were installed for a candidate

    def find(self, database: str, operation: str, candidate: str) -> Measurement | None:
        wanted = (database, operation, candidate)
        return next((m for m in self.measurements if (m.database, m.operation, m.candidate) == wanted), None)

    def ratio(self, database: str, operation: str, candidate: str, to: str) -> float | None:
        """How many times the requests per second of another candidate; None where one was not measured."""
        ours, theirs = self.find(database, operation, candidate), self.find(database, operation, to)
        if ours is None or theirs is None:
            return None
        return ours.median.requests_per_second / theirs.median.requests_per_second


def disturbance(results: Results) -> float:
    """The median share of the server's core that others took."""
    return median(sample.others for each in results.measurements for sample in each.samples)


def measurement(database: str, operation: str, candidate: str, samples: Sequence[Sample]) -> Measurement:
    return Measurement(database, operation, candidate, _median(samples), list(samples))


def _median(samples: Sequence[Sample]) -> Sample:
    """Of each number by itself."""
    columns = zip(*(msgspec.structs.astuple(sample) for sample in samples), strict=True)
    return rounded(*(None if None in column else median(column) for column in columns))


def rounded(*numbers: float | None) -> Sample:
    """A sample of these numbers, to as many digits as mean something."""
    kept: list[Any] = [None if number is None else round(number, 3) for number in numbers]
    return Sample(*kept)


def save(results: Results, path: Path) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=2) + b"\n")


def load(path: Path) -> Results:
    return msgspec.json.decode(path.read_bytes(), type=Results)
