"""`python -m benchmarks.limits`: how near Storekeeper comes to what its parts allow by themselves.

Price updates beside the raw driver's commits of one such change each, logins beside Argon2 alone, item reads while
others log in, and what a second worker adds. The server and the raw loops have one core, the load has the other.
"""

import argparse
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from pysqlite3 import dbapi2 as sqlite3  # type: ignore[import-untyped]

from benchmarks import candidates, data, databases, load, operations, report
from benchmarks.candidates import Place
from benchmarks.databases import Databases
from benchmarks.load import Target
from benchmarks.measure import LOAD_CORE, SERVER_CORE
from benchmarks.operations import aim
from benchmarks.server import Server, serve
from storekeeper.security.passwords import create_hasher
from storekeeper.settings import Settings

HERE = Path(__file__).parent
ITEMS = 10_000
CONNECTIONS = 8  # of the raw driver to PostgreSQL, each with a thread
ROUNDS = 3

Row = tuple[str, str, str, str]


class Limit(NamedTuple):
    """What was reached, and what the parts allow; both in the same unit."""

    what: str
    ours: float
    theirs: float
    unit: str = "/s"

    def row(self, database: str) -> Row:
        share = self.ours / self.theirs
        ours, theirs = (f"{value:,.0f} {self.unit}".replace(" /s", "/s") for value in (self.ours, self.theirs))
        return f"{self.what}, {report.DATABASES[database]}", ours, theirs, f"{share:.0%}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.limits", description=__doc__)
    parser.add_argument("--seconds", type=int, default=4, help="the length of each run (4)")
    parser.add_argument("--database", choices=databases.KINDS, action="append", help="only this one; writes nothing")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="storekeeper-bench-") as name:
        rows = [row for kind in args.database or databases.KINDS for row in _measure(kind, Path(name), args.seconds)]
        head = report.heading("make bench-limits", Path(name))
    table = report.table(("", "Storekeeper", "its parts alone", ""), iter(rows), left=1)
    text = "\n".join(["# Limits", "", head, f"Medians of {ROUNDS} runs of {args.seconds} s.", "", *table]) + "\n"
    print(text)
    if not args.database:
        (HERE / "limits.md").write_text(text, "utf-8")


def _measure(kind: str, parent: Path, seconds: int) -> Iterator[Row]:
    directory = parent / kind
    directory.mkdir()
    with (
        databases.open_databases(kind, directory, ["worker1", "raw"], LOAD_CORE) as found,
        _serving(found, directory, 1) as server,
    ):
        yield _updates(found, server, seconds).row(kind)
        yield _logins(server, seconds).row(kind)
        yield _reads_beside_logins(server, seconds).row(kind)
    yield _second_worker(kind, directory, seconds).row(kind)


def _second_worker(kind: str, parent: Path, seconds: int) -> Limit:
    """Item reads of two workers, and of one, for each second of CPU time that a worker takes. They take turns."""
    directory = parent / "workers"
    directory.mkdir()
    with (
        databases.open_databases(kind, directory, ["worker1", "worker2"], LOAD_CORE) as found,
        _serving(found, directory, 1) as one,
        _serving(found, directory, 2) as two,
    ):
        rounds = [(_cpu_of_a_read(one, 1, seconds), _cpu_of_a_read(two, 2, seconds)) for _ in range(ROUNDS + 1)]
    alone, together = map(_median, zip(*rounds[1:], strict=True))  # the first warms up
    return Limit("item reads of two workers, by their CPU time for each", 2e6 / together, 1e6 / alone)


@contextmanager
def _serving(found: Databases, parent: Path, workers: int) -> Iterator[Server]:
    def environment(place: Place) -> Mapping[str, str]:
        return {**candidates.STOREKEEPER.environment(place), "STOREKEEPER_WORKERS": str(workers)}

    name = f"worker{workers}"
    (parent / name).mkdir()
    candidate = candidates.STOREKEEPER._replace(environment=environment)
    with serve(candidate, found.url(name), parent / name, ITEMS, SERVER_CORE) as server:
        found.settle(name)
        yield server


def _updates(found: Databases, server: Server, seconds: int) -> Limit:
    target = _target(server, "update")
    theirs = []
    with _on_the_servers_core(), _raw(found.url("raw")) as commit:
        ours = []
        for number in range(ROUNDS):
            ours.append(_rate(target, seconds, number))
            theirs.append(commit(seconds))
    return Limit("price updates, and commits of the raw driver", _median(ours), _median(theirs))


@contextmanager
def _raw(url: str) -> Iterator[Callable[[int], float]]:
    """A table of items, and how often a second the driver commits a new price there."""
    with data.create_engine(url).begin() as conn:
        conn.exec_driver_sql("CREATE TABLE items (id integer PRIMARY KEY, price_minor bigint NOT NULL)")
        values = ", ".join(f"({number}, 1)" for number in range(ITEMS))
        conn.exec_driver_sql(f"INSERT INTO items VALUES {values}")
    is_sqlite = url.startswith("sqlite")
    connections = [_sqlite(url)] if is_sqlite else [_postgresql(url) for _ in range(CONNECTIONS)]
    mark = "?" if is_sqlite else "%s"
    sql = f"UPDATE items SET price_minor = {mark} WHERE id = {mark}"
    with ThreadPoolExecutor(len(connections)) as pool:
        yield lambda seconds: sum(pool.map(lambda each: _commit(each, sql, seconds), connections))
    for each in connections:
        each.close()


def _sqlite(url: str) -> Any:
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False)
    for pragma in ("journal_mode = WAL", "synchronous = FULL"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _postgresql(url: str) -> Any:
    return psycopg.connect(url, autocommit=True, prepare_threshold=0)


def _commit(connection: Any, sql: str, seconds: int) -> float:
    began, done = time.perf_counter(), 0
    while time.perf_counter() < began + seconds:
        connection.execute(sql, (random.randrange(10**6), random.randrange(ITEMS)))  # SQLite skips what changes nothing
        done += 1
    return done / (time.perf_counter() - began)


def _logins(server: Server, seconds: int) -> Limit:
    target, hasher = _target(server, "login"), create_hasher(Settings())
    hashed = hasher.hash(data.PASSWORD)
    ours, theirs = [], []
    with _on_the_servers_core():
        for number in range(ROUNDS):
            ours.append(_rate(target, seconds, number))
            theirs.append(_verify(lambda: hasher.fits(hashed, data.PASSWORD), seconds))
    return Limit("logins, and checks of a password by Argon2 alone", _median(ours), _median(theirs))


def _verify(verify: Callable[[], object], seconds: int) -> float:
    began, done = time.process_time(), 0
    while time.process_time() < began + seconds:
        verify()
        done += 1
    return done / (time.process_time() - began)


def _reads_beside_logins(server: Server, seconds: int) -> Limit:
    """The slowest 1 % of item reads, of 8 callers, while 4 others log in all the time; and while nobody does."""
    read, login = _target(server, "read")._replace(connections=8), _target(server, "login")
    alone = [load.run(read, ITEMS, seconds, number, LOAD_CORE)["p99_ms"] for number in range(ROUNDS)]
    with ThreadPoolExecutor(1) as pool:
        others = pool.submit(load.run, login, ITEMS, (seconds + 1) * ROUNDS, 9, LOAD_CORE)
        beside = [load.run(read, ITEMS, seconds, number, LOAD_CORE)["p99_ms"] for number in range(ROUNDS)]
        others.result()
    return Limit("p99 of item reads beside logins, and without", _median(beside), _median(alone), "ms")


def _cpu_of_a_read(server: Server, workers: int, seconds: int) -> float:
    """Microseconds of the processes' CPU time. Each worker has as many callers: with fewer it does less at once."""
    target = _target(server, "read")
    target = target._replace(connections=target.connections * workers)
    _, cpu_us = load.cost(target, ITEMS, seconds, 0, LOAD_CORE, [server.processes])
    return cpu_us


def _target(server: Server, operation: str) -> Target:
    return aim(operations.ALL[operation], server.candidate.speech, server.place.port, ROUNDS + 1)


def _rate(target: Target, seconds: int, seed: int) -> float:
    done = load.run(target, ITEMS, seconds, seed, LOAD_CORE)
    return float(done["requests"] / done["seconds"])


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


@contextmanager
def _on_the_servers_core() -> Iterator[None]:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {SERVER_CORE})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


if __name__ == "__main__":
    main()
