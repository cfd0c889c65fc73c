"""A run: every operation on every candidate, on one database after the other.

All servers of a database are up at once and take turns, so that whatever else the machine does hits all alike.
"""

import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import load, machine
from benchmarks.candidates import Candidate
from benchmarks.databases import Databases, open_databases
from benchmarks.failure import Failure
from benchmarks.gauge import core_seconds
from benchmarks.load import Target
from benchmarks.operations import Operation, aim
from benchmarks.results import Measurement, Memory, Results, Sample, Start, measurement, rounded
from benchmarks.server import Server, serve

SERVER_CORE, LOAD_CORE = 0, 1  # a PostgreSQL server of our own shares the load's
LONGEST_WARM_UP = 4  # times what is measured: a quick look stays quick


class Plan(NamedTuple):
    """What is measured, and for how long."""

    databases: list[str]
    candidates: list[Candidate]
    operations: list[Operation]
    items: int
    seconds: int
    rounds: int


class Measured(NamedTuple):
    """What one database yields."""

    measurements: list[Measurement]
    memory: list[Memory]
    starts: list[Start]
    versions: dict[str, str]


def measure(plan: Plan) -> Results:
    with tempfile.TemporaryDirectory(prefix="storekeeper-bench-") as name:
        measured = [_measure_database(plan, kind, Path(name)) for kind in plan.databases]
        described = machine.describe(Path(name), _versions(plan, measured))
    return Results(
        date=datetime.now(UTC).date().isoformat(),
        machine=described,
        items=plan.items,
        seconds=plan.seconds,
        rounds=plan.rounds,
        connections={operation.name: operation.connections for operation in plan.operations},
        measurements=[each for one in measured for each in one.measurements],
        memory=[each for one in measured for each in one.memory],
        starts=[each for one in measured for each in one.starts],
    )


def _versions(plan: Plan, measured: Sequence[Measured]) -> dict[str, str]:
    """Of what took part beside Python and wrk: the databases, and the candidates' packages."""
    found = {name: number for each in measured for name, number in each.versions.items()}
    packages = dict.fromkeys(part for candidate in plan.candidates for part in candidate.parts)
    others = {name: number for candidate in plan.candidates for name, number in candidate.versions().items()}
    return found | {name: version(name) for name in packages} | others


def _measure_database(plan: Plan, kind: str, parent: Path) -> Measured:
    with ExitStack() as stack:
        directory = parent / kind
        directory.mkdir()
        candidates = [candidate for candidate in plan.candidates if kind in candidate.databases]
        names = [candidate.name for candidate in candidates]
        found = stack.enter_context(open_databases(kind, directory, names, LOAD_CORE))
        servers = [stack.enter_context(_serve(each, found, directory, plan.items)) for each in candidates]
        for name in names:
            found.settle(name)
        return _Bench(plan, found, servers).measure()


def _serve(candidate: Candidate, found: Databases, directory: Path, items: int) -> AbstractContextManager[Server]:
    own = directory / candidate.name
    own.mkdir()
    return serve(candidate, found.url(candidate.name), own, items, SERVER_CORE)


class _Bench:
    """The servers of one database, all up, and what has been seen of them so far."""

    def __init__(self, plan: Plan, found: Databases, servers: Sequence[Server]) -> None:
        self._plan = plan
        self._found = found
        self._servers = servers

    def measure(self) -> Measured:
        after_start = self._memory()
        after_reads = after_start
        measurements: list[Measurement] = []
        for operation in self._plan.operations:
            measurements += self._measure(operation)
            after_reads = self._memory() if operation.is_read else after_reads
        columns = zip(after_start, after_reads, self._memory(), strict=True)
        memory = [Memory(self._found.kind, name, *column) for name, column in zip(self._names(), columns, strict=True)]
        starts = [Start(self._found.kind, each.candidate.name, round(each.start_seconds, 2)) for each in self._servers]
        return Measured(measurements, memory, starts, self._found.versions())

    def _measure(self, operation: Operation) -> list[Measurement]:
        able = [server for server in self._servers if operation.name in server.candidate.speech.asks]
        if not able:
            return []
        turns = [
            (server, aim(operation, server.candidate.speech, server.place.port, self._plan.rounds + 1))
            for server in able
        ]
        for server, target in turns:
            warm_up = min(server.candidate.warm_up, LONGEST_WARM_UP * self._plan.seconds)
            self._load(server, operation, target, warm_up, 0)
        rounds = [
            [self._sample(server, operation, target, number) for server, target in turns]
            for number in range(1, self._plan.rounds + 1)
        ]
        return [
            measurement(self._found.kind, operation.name, server.candidate.name, samples)
            for server, samples in zip(able, zip(*rounds, strict=True), strict=True)
        ]

    def _sample(self, server: Server, operation: Operation, target: Target, number: int) -> Sample:
        before = self._books(server)
        counted = self._load(server, operation, target, self._plan.seconds, number)
        core, own, *database = (now - then for now, then in zip(self._books(server), before, strict=True))
        rate = counted["requests"] / counted["seconds"]
        each = [1e6 * seconds / counted["requests"] for seconds in (own, *database)]
        others = max(0.0, (core - own) / counted["seconds"])
        sample = rounded(rate, counted["p50_ms"], counted["p99_ms"], each[0], each[1] if database else None, others)
        print(f"{self._where(server, operation)} {number} {_line(sample)}", flush=True)
        return sample

    def _books(self, server: Server) -> list[float]:
        """CPU seconds so far: of the server's core, of the server, and of PostgreSQL where it is ours."""
        trees = [tree for tree in (server.processes, self._found.processes) if tree]
        return [core_seconds(SERVER_CORE), *(tree.cpu_seconds() for tree in trees)]

    def _load(self, server: Server, operation: Operation, target: Target, seconds: int, seed: int) -> dict[str, Any]:
        try:
            return load.run(target, self._plan.items, max(seconds, operation.least_seconds), seed, LOAD_CORE)
        except Failure as failure:
            raise Failure(f"{self._where(server, operation)}: {failure}") from None

    def _where(self, server: Server, operation: Operation) -> str:
        return f"{self._found.kind:<11}{operation.name:<9}{server.candidate.name:<18}"

    def _names(self) -> list[str]:
        return [server.candidate.name for server in self._servers]

    def _memory(self) -> list[float]:
        return [round(server.processes.memory() / 2**20, 1) for server in self._servers]


def _line(sample: Sample) -> str:
    latency = f"p50 {sample.p50_ms:8.2f} ms  p99 {sample.p99_ms:8.2f} ms"
    cpu = f"{sample.server_cpu_us:7,.0f} µs CPU  others {sample.others:4.0%}"
    return f"{sample.requests_per_second:9,.0f}/s  {latency}  {cpu}"
