"""The tables and the chart of the peers: a line for each, a column for each operation."""

from collections.abc import Callable, Iterator

import msgspec

from benchmarks.chart import DARK, WHITE, Bar, Column, Group, draw_columns
from benchmarks.peers import candidates, operations, sizes
from benchmarks.report import DATABASES, describe, describe_run, table
from benchmarks.results import Measurement, Results

DRAWN = (("read", "list"), ("update", "login"))  # side by side
OURS = "storekeeper"
FOOTPRINT = ("", "start to first answer, s", "MiB after start", "after the reads", "after everything", "MiB installed")
SHOWN: dict[str, Callable[[Measurement], float]] = {
    "Requests per second": lambda found: found.median.requests_per_second,
    "Milliseconds that one in a hundred waits longer than (p99)": lambda found: found.median.p99_ms,
    "Microseconds of the server's CPU for each request": lambda found: found.median.server_cpu_us,
}


def complete(results: Results) -> Results:
    """With what each takes on the disk."""
    measured = dict.fromkeys(each.candidate for each in results.memory)
    found = {
        name: round(sizes.mebibytes(candidates.PEERS[name].packages, candidates.PEERS[name].folders), 1)
        for name in measured
    }
    return msgspec.structs.replace(results, sizes=found)


def render(results: Results) -> str:
    return "\n".join(_lines(results)) + "\n"


def _lines(results: Results) -> Iterator[str]:
    yield from ("# Storekeeper and its peers", "", f"{describe(results.machine)} Measured on {results.date}.", "")
    yield from (describe_run(results), "")
    for database in dict.fromkeys(each.database for each in results.measurements):
        yield from (f"## {DATABASES[database]}", "")
        for title, number in SHOWN.items():
            yield from (*_by_operation(results, database, title, number), "")
        yield from (*table(FOOTPRINT, _footprints(results, database), left=1), "")
    versions = ", ".join(f"{name} {number}" for name, number in results.machine.versions.items())
    yield f"Versions: {versions}."


def _by_operation(results: Results, database: str, title: str, number: Callable[[Measurement], float]) -> Iterator[str]:
    heads = (title, *(operations.ALL[name].title for name in results.connections))
    return table(heads, _rows(results, database, number), left=1)


def _rows(results: Results, database: str, number: Callable[[Measurement], float]) -> Iterator[tuple[str, ...]]:
    for name, candidate in candidates.ALL.items():
        found = [results.find(database, operation, name) for operation in results.connections]
        if any(found):
            yield (candidate.title, *(f"{number(each):,.0f}" if each else "–" for each in found))


def _footprints(results: Results, database: str) -> Iterator[tuple[str, ...]]:
    starts = {each.candidate: each.seconds for each in results.starts if each.database == database}
    for each in results.memory:
        if each.database == database:
            title, start = candidates.ALL[each.candidate].title, f"{starts[each.candidate]:.2f}"
            memory = (f"{number:.0f}" for number in (each.after_start, each.after_reads, each.after_all))
            yield (title, start, *memory, f"{results.sizes[each.candidate]:.0f}")


def draw(results: Results) -> str:
    """On SQLite, where all of them run, unless that was not measured."""
    database = next(each.database for each in results.measurements)
    columns = [
        Column(title, [Group(operations.ALL[name].title, database, name) for name in names])
        for title, names in zip((DATABASES[database], ""), DRAWN, strict=True)
    ]
    measured = {each.candidate for each in results.measurements if each.database == database}
    bars = {name: _bar(name) for name in candidates.ALL if name in measured}
    return draw_columns(results, columns, bars)


def _bar(name: str) -> Bar:
    return Bar(candidates.ALL[name].title, DARK if name == OURS else WHITE)
