"""The table: what a run found, in Markdown."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import candidates, machine, operations
from benchmarks.results import Machine, Measurement, Memory, Results, disturbance

HEADS = ("", "", "requests/s", "p50 ms", "p99 ms", "server CPU µs", "database CPU µs", "× course", "of bare")
MEMORY_HEADS = ("MiB", "after start", "after the reads", "after everything")
DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def render(results: Results) -> str:
    return "\n".join(_lines(results)) + "\n"


def _lines(results: Results) -> Iterator[str]:
    yield from ("# Side by side", "", f"{describe(results.machine)} Measured on {results.date}.", "")
    yield from (describe_run(results), "")
    for database in dict.fromkeys(m.database for m in results.measurements):
        yield from (f"## {DATABASES[database]}", "")
        yield from (*table(HEADS, _rows(results, database), left=2), "")
        yield from (*table(MEMORY_HEADS, _memory_rows(results.memory, database), left=1), "")
    versions = ", ".join(f"{name} {number}" for name, number in results.machine.versions.items())
    yield f"Versions: {versions}."


def heading(command: str, directory: Path) -> str:
    """How and when something was measured, and on what: the databases lie in this directory."""
    today = datetime.now(UTC).date().isoformat()
    return f"`{command}`, {today}. {describe(machine.describe(directory, {}))}"


def describe(found: Machine) -> str:
    kind = "Virtual machine" if found.is_virtual else "Machine"
    size = f"{found.cores} cores, {found.memory_gib:.0f} GiB"
    return f"{kind} with {size}, {found.processor}, {found.system}; databases on {found.file_system}."


def describe_run(results: Results) -> str:
    connections = ", ".join(f"{name} {count}" for name, count in results.connections.items())
    runs = f"Medians of {results.rounds} runs of {results.seconds} s each, the candidates taking turns."
    cores = "Server on one core, wrk and PostgreSQL on the other."
    others = f"Other processes took {disturbance(results):.0%} of the server's core."
    return f"{results.items:,} items. {runs} {cores} {others} Connections: {connections}."


def _rows(results: Results, database: str) -> Iterator[tuple[str, ...]]:
    for name, operation in operations.ALL.items():
        title = operation.title
        for candidate in candidates.ALL:
            found = results.find(database, name, candidate)
            if found:
                yield (title, candidates.ALL[candidate].title, *_numbers(found), *_compared(results, found))
                title = ""


def _numbers(found: Measurement) -> tuple[str, ...]:
    median = found.median
    database = "" if median.database_cpu_us is None else f"{median.database_cpu_us:,.0f}"
    latency = f"{median.p50_ms:,.2f}", f"{median.p99_ms:,.2f}"
    return f"{median.requests_per_second:,.0f}", *latency, f"{median.server_cpu_us:,.0f}", database


def _compared(results: Results, found: Measurement) -> tuple[str, str]:
    """With the course's stack, as a factor, and with the bare function, as a share; empty if not measured."""
    what = found.database, found.operation, found.candidate
    factor, share = results.ratio(*what, to="course"), results.ratio(*what, to="bare")
    return "" if factor is None else f"{factor:.3g}", "" if share is None else f"{share:.0%}"


def _memory_rows(memory: Sequence[Memory], database: str) -> Iterator[tuple[str, ...]]:
    for each in memory:
        if each.database == database:
            numbers = (each.after_start, each.after_reads, each.after_all)
            yield (candidates.ALL[each.candidate].title, *(f"{number:.0f}" for number in numbers))


def table(heads: Sequence[str], rows: Iterator[tuple[str, ...]], left: int) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * left}{'---:|' * (len(heads) - left)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
