"""`python -m benchmarks.moving`: how fast a file of a million items is imported, beside the database's own bulk loader.

The loader is the fastest way that the driver has into the very same tables with all their indexes: COPY on PostgreSQL,
one transaction of prepared inserts on SQLite. It parses and checks nothing: its rows, those of the journal and of the
index of words among them, are made ready before the clock starts.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import quantiles
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from benchmarks import data, databases, growth, load, report
from benchmarks.candidates import STOREKEEPER
from benchmarks.client import Client
from benchmarks.failure import Failure
from benchmarks.gauge import Tree
from benchmarks.measure import LOAD_CORE, SERVER_CORE
from benchmarks.server import ROOT, Server, serve
from storekeeper.database import dialects, schema_version
from storekeeper.database.engine import create_engine, transaction
from storekeeper.models import item, item_fields, item_search, journal, store

HERE = Path(__file__).parent
COLUMNS = ("name", "price", "sku", "description", "tags", "stock")
CHANGE_COLUMNS = (
    "at", "request", "kind", "action", "store_id", "subject_id", "version", "price_minor", "after"
)  # fmt: skip
SEARCH_COLUMNS = {"sqlite": ("rowid", "title", "body"), "postgresql": ("rowid", "document")}
READING_SECONDS = 5
PER_TOKEN = 10_000

_ENCODER = msgspec.json.Encoder(decimal_format="number")


class Moved(NamedTuple):
    kind: str
    rows: int
    loader: float  # seconds
    ours: float
    loader_cpu: float  # seconds, of the process and of the database
    ours_cpu: float
    few_rows_mib: float
    all_rows_mib: float
    p99_alone: float
    p99_during: float


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.moving", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="how many rows the file has (1000000)")
    parser.add_argument("--database", choices=databases.KINDS, action="append", help="only this one")
    parser.add_argument("--out", type=Path, help="where the table goes (benchmarks/, if the run is whole)")
    args = parser.parse_args()
    load.require()
    moved, told = [], ""
    for kind in args.database or databases.KINDS:
        with tempfile.TemporaryDirectory(prefix="storekeeper-bench-") as name:
            told = told or report.heading("make bench-moving", Path(name))
            moved.append(_measure(kind, Path(name), args.rows))
            print(moved[-1], flush=True)
    text = render(moved, told)
    print(text)
    is_whole = not args.database and args.rows == parser.get_default("rows")
    if directory := args.out or (HERE if is_whole else None):
        (directory / "moving.md").write_text(text, "utf-8")


def _measure(kind: str, directory: Path, rows: int) -> Moved:
    few, all_ = directory / "few.csv", directory / "all.csv"
    write(few, range(rows + 1, rows + 10_001))
    write(all_, range(1, rows + 1))
    with databases.open_databases(kind, directory, ["loader", "ours"], LOAD_CORE) as found:
        loader = _load(found, rows)
        print(f"{kind}: the loader took {loader.seconds:.1f} s", flush=True)
        with serve(STOREKEEPER, found.url("ours"), directory, 1000, SERVER_CORE) as server:
            first = _import(found, server, few)
            until = time.monotonic() + READING_SECONDS
            alone = _read_until(server, lambda: time.monotonic() > until)
            ours = _import(found, server, all_)
    times = loader.seconds, ours.seconds, loader.cpu, ours.cpu
    return Moved(kind, rows, *times, first.mebibytes, ours.mebibytes, alone, ours.p99_ms)


def write(path: Path, numbers: range) -> None:
    with path.open("wb") as file:
        file.write((",".join(COLUMNS) + "\r\n").encode())
        for number in numbers:
            _, _, name, price, sku, description, tags, stock, _ = growth.row(number)
            file.write(f"new {name},{price / 100:.2f},{sku},{description},{tags},{stock}\r\n".encode())


class _Times(NamedTuple):
    seconds: float
    cpu: float


class _Clock:
    """Counts seconds, and those of CPU time: of this process or of its ended children, and of the database's server."""

    def __init__(self, found: databases.Databases, who: int) -> None:
        self._processes, self._who = found.processes, who
        self._began = self._now()

    def times(self) -> _Times:
        return _Times(*(now - then for now, then in zip(self._now(), self._began, strict=True)))

    def _now(self) -> _Times:
        used = resource.getrusage(self._who)
        served = self._processes.cpu_seconds() if self._processes else 0.0
        return _Times(time.perf_counter(), used.ru_utime + used.ru_stime + served)


def _load(found: databases.Databases, rows: int) -> _Times:
    """What the loader takes, with its rows at hand."""
    engine = create_engine(found.url("loader"), 3600)
    schema_version.migrate(engine)
    with transaction(engine) as conn, journal.signed(conn, journal.OPERATOR):
        store.insert(conn, "shop", "EUR")
    ready = [(number, 1, *growth.row(number)[2:]) for number in range(1, rows + 1)]
    entries, changes = _ready_entries(engine, ready), list(map(_change, ready))
    clock = _Clock(found, resource.RUSAGE_SELF)
    with transaction(engine) as conn:
        _load_rows(conn, "items", growth.COLUMNS, ready)
        _load_rows(conn, "item_search", SEARCH_COLUMNS[engine.dialect.name], entries)
        _load_rows(conn, "changes", CHANGE_COLUMNS, changes)
    return clock.times()


def _ready_entries(engine: sa.Engine, rows: list[growth.Row]) -> list[tuple[object, ...]]:
    entries = map(growth.entry, rows)
    if engine.dialect.name == "sqlite":
        return [(each.id, " ".join(each.title()), " ".join(each.body())) for each in entries]
    return [(each.id, item_search.vector(each)) for each in entries]


def _change(row: growth.Row) -> tuple[object, ...]:
    known = dict(zip(growth.COLUMNS, row, strict=True))
    entered = item.ItemRow(**item_fields.DEFAULTS | known | {"image": None, "version": 1})
    new = _ENCODER.encode(item.of_row(entered, "EUR")).decode()
    return entered.updated_at, "", "item", "create", entered.store_id, entered.id, 1, entered.price_minor, new


def _load_rows(conn: sa.Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[object, ...]]) -> None:
    if conn.dialect.name == "postgresql":
        dialects.copy(conn, table, columns, rows)
        return
    marks = ", ".join("?" * len(columns))
    conn.connection.cursor().executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)


class _Import(NamedTuple):
    seconds: float
    cpu: float
    mebibytes: float  # the most that the process had
    p99_ms: float  # of look-ups meanwhile


def _import(found: databases.Databases, server: Server, file: Path) -> _Import:
    """`storekeeper import`, on the core where the server is not."""
    command = [sys.executable, "-m", "storekeeper", "import", str(file), "--store", data.STORE_NAMES[0]]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **STOREKEEPER.environment(server.place)}
    clock = _Clock(found, resource.RUSAGE_CHILDREN)
    with subprocess.Popen(["taskset", "-c", str(LOAD_CORE), *command], env=environment) as process:
        tree, most = Tree(process.pid), 0

        def has_ended() -> bool:
            nonlocal most
            most = max(most, tree.memory())
            return process.poll() is not None

        p99_ms = _read_until(server, has_ended)
    if process.returncode:
        raise Failure(f"storekeeper import ended with {process.returncode}")
    return _Import(*clock.times(), most / 2**20, p99_ms)


def _read_until(server: Server, is_enough: Callable[[], bool]) -> float:
    """Look one item up after the other, a hundred times a second: the 99th percentile, in milliseconds."""
    client = Client(server.place.port)
    token = client.sign_in()["access_token"]
    took = []
    while not is_enough():
        began = time.perf_counter()
        client.ask("GET", "/item/item42", token=token)
        took.append(1000 * (time.perf_counter() - began))
        time.sleep(0.01)
        if len(took) % PER_TOKEN == 0:
            token = client.sign_in()["access_token"]
    return quantiles(took, n=100)[98]


def render(moved: Sequence[Moved], told: str) -> str:
    return "\n".join(_lines(moved, told)) + "\n"


def _lines(moved: Sequence[Moved], told: str) -> Iterator[str]:
    yield from ("# A file of many items", "", told, "")
    speeds = ("", "rows", "loader s", "import s", "of the loader's speed", "loader CPU s", "import CPU s", "by CPU")
    yield from (*report.table(speeds, map(_speed, moved), left=1), "")
    burdens = ("", "MiB, 10,000 rows", "MiB, all rows", "look-ups: p99 ms alone", "during the import")
    yield from report.table(burdens, map(_burden, moved), left=1)


def _speed(each: Moved) -> tuple[str, ...]:
    times = f"{each.loader:.1f}", f"{each.ours:.1f}", f"{each.loader / each.ours:.0%}"
    cpu = f"{each.loader_cpu:.1f}", f"{each.ours_cpu:.1f}", f"{each.loader_cpu / each.ours_cpu:.0%}"
    return report.DATABASES[each.kind], f"{each.rows:,}", *times, *cpu


def _burden(each: Moved) -> tuple[str, ...]:
    memory, waits = (each.few_rows_mib, each.all_rows_mib), (each.p99_alone, each.p99_during)
    numbers = (*(f"{number:.0f}" for number in memory), *(f"{number:.1f}" for number in waits))
    return report.DATABASES[each.kind], *numbers


if __name__ == "__main__":
    main()
