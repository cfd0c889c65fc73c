"""`python -m benchmarks.moving`: how fast a file of a million items is imported, beside the database's own bulk loader.

The loader is the fastest way that the driver has into the very same tables with all their indexes: COPY on PostgreSQL,
one transaction of prepared inserts on SQLite. It parses and checks nothing: its rows are made ready before the clock
starts.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import quantiles
from typing import NamedTuple

import sqlalchemy as sa

from benchmarks import data, databases, growth, report
from benchmarks.candidates import STOREKEEPER
from benchmarks.client import Client
from benchmarks.failure import Failure
from benchmarks.gauge import Tree
from benchmarks.measure import LOAD_CORE, SERVER_CORE
from benchmarks.server import ROOT, Server, serve
from storekeeper import dialects, schema
from storekeeper.db import create_engine, transaction
from storekeeper.models import search, store

HERE = Path(__file__).parent
COLUMNS = ("name", "price", "sku", "description", "tags", "stock")
SEARCH_COLUMNS = {"sqlite": ("rowid", "title", "body"), "postgresql": ("rowid", "document")}
READING_SECONDS = 5
PER_TOKEN = 10_000


class Moved(NamedTuple):
    kind: str
    rows: int
    loader: float  # seconds
    ours: float
    few_rows_mib: float
    all_rows_mib: float
    p99_alone: float
    p99_during: float


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.moving", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="how many rows the file has (1000000)")
    parser.add_argument("--database", choices=databases.KINDS, action="append", help="only this one")
    args = parser.parse_args()
    moved = []
    for kind in args.database or databases.KINDS:
        with tempfile.TemporaryDirectory(prefix="storekeeper-bench-") as name:
            moved.append(_measure(kind, Path(name), args.rows))
            print(moved[-1], flush=True)
    text = render(moved)
    print(text)
    if not args.database and args.rows == 1_000_000:
        (HERE / "moving.md").write_text(text, "utf-8")


def _measure(kind: str, directory: Path, rows: int) -> Moved:
    few, all_ = directory / "few.csv", directory / "all.csv"
    write(few, range(rows + 1, rows + 10_001))
    write(all_, range(1, rows + 1))
    with databases.open_databases(kind, directory, ["loader", "ours"], LOAD_CORE) as found:
        loader = _load(found.url("loader"), rows)
        print(f"{kind}: the loader took {loader:.1f} s", flush=True)
        with serve(STOREKEEPER, found.url("ours"), directory, 1000, SERVER_CORE) as server:
            first = _import(server, few)
            until = time.monotonic() + READING_SECONDS
            alone = _read_until(server, lambda: time.monotonic() > until)
            ours = _import(server, all_)
    return Moved(kind, rows, loader, ours.seconds, first.mebibytes, ours.mebibytes, alone, ours.p99_ms)


def write(path: Path, numbers: range) -> None:
    with path.open("wb") as file:
        file.write((",".join(COLUMNS) + "\r\n").encode())
        for number in numbers:
            _, _, name, price, sku, description, tags, stock, _ = growth.row(number)
            file.write(f"new {name},{price / 100:.2f},{sku},{description},{tags},{stock}\r\n".encode())


def _load(url: str, rows: int) -> float:
    """Seconds that the loader takes, with its rows at hand."""
    engine = create_engine(url, 3600)
    schema.migrate(engine)
    with transaction(engine) as conn:
        store.insert(conn, "shop", "EUR")
    ready = [(number, 1, *growth.row(number)[2:]) for number in range(1, rows + 1)]
    found = _ready_entries(engine, ready)
    began = time.perf_counter()
    with transaction(engine) as conn:
        _load_rows(conn, "items", growth.COLUMNS, ready)
        _load_rows(conn, "item_search", SEARCH_COLUMNS[engine.dialect.name], found)
    return time.perf_counter() - began


def _ready_entries(engine: sa.Engine, rows: list[growth.Row]) -> list[tuple[object, ...]]:
    entries = map(growth.entry, rows)
    if engine.dialect.name == "sqlite":
        return [(each.id, " ".join(each.title()), " ".join(each.body())) for each in entries]
    return [(each.id, search.vector(each)) for each in entries]


def _load_rows(conn: sa.Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[object, ...]]) -> None:
    if conn.dialect.name == "postgresql":
        dialects.copy(conn, table, columns, rows)
        return
    marks = ", ".join("?" * len(columns))
    conn.connection.cursor().executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)


class _Import(NamedTuple):
    seconds: float
    mebibytes: float  # the most that the process had
    p99_ms: float  # of look-ups meanwhile


def _import(server: Server, file: Path) -> _Import:
    """`storekeeper import`, on the core where the server is not."""
    command = [sys.executable, "-m", "storekeeper", "import", str(file), "--store", data.STORE_NAMES[0]]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **STOREKEEPER.environment(server.place)}
    began = time.perf_counter()
    with subprocess.Popen(["taskset", "-c", str(LOAD_CORE), *command], env=environment) as process:
        tree, most = Tree(process.pid), 0

        def has_ended() -> bool:
            nonlocal most
            most = max(most, tree.memory())
            return process.poll() is not None

        p99_ms = _read_until(server, has_ended)
    if process.returncode:
        raise Failure(f"storekeeper import ended with {process.returncode}")
    return _Import(time.perf_counter() - began, most / 2**20, p99_ms)


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


def render(moved: Sequence[Moved]) -> str:
    return "\n".join(_lines(moved)) + "\n"


def _lines(moved: Sequence[Moved]) -> Iterator[str]:
    yield from ("# A file of a million items", "")
    heads = ("", "rows", "loader s", "import s", "share", "MiB, 10,000 rows", "MiB, all", "p99 ms alone", "meanwhile")
    yield from report.table(heads, map(_cells, moved), left=1)


def _cells(each: Moved) -> tuple[str, ...]:
    memory, waits = (each.few_rows_mib, each.all_rows_mib), (each.p99_alone, each.p99_during)
    return (
        report.DATABASES[each.kind],
        f"{each.rows:,}",
        f"{each.loader:.1f}",
        f"{each.ours:.1f}",
        f"{each.loader / each.ours:.0%}",
        *(f"{number:.0f}" for number in memory),
        *(f"{number:.1f}" for number in waits),
    )


if __name__ == "__main__":
    main()
