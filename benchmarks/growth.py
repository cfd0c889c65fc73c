"""`python -m benchmarks.growth`: what a look-up, a page and a search cost as the catalogue grows to ten million items.

Each size has a database and a server of its own. All are up at once and take turns, so that whatever else the machine
does hits all alike. The words of the items are drawn from a fixed vocabulary, so that ten times the items are ten times
the hits of each word.
"""

import argparse
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from benchmarks import data, databases, load, operations, report
from benchmarks.candidates import STOREKEEPER
from benchmarks.measure import LOAD_CORE, SERVER_CORE
from benchmarks.server import Server, serve
from storekeeper.database import dialects
from storekeeper.database.engine import create_engine, transaction
from storekeeper.models import item_search
from storekeeper.models.item import items

HERE = Path(__file__).parent
SIZES = tuple(10**power for power in range(3, 8))
OPERATIONS = (operations.ALL["read"], *operations.CATALOGUE)
ROUNDS = 3
AT_ONCE = 20_000
SYLLABLES = [consonant + vowel for consonant in "bdfgklmnp" for vowel in "aio"]
VOCABULARY = len(SYLLABLES) ** 3  # wrk.lua makes the same words
COLUMNS = ("id", "store_id", "name", "price_minor", "sku", "description", "tags", "stock", "updated_at")


class Cost(NamedTuple):
    kind: str
    operation: str
    size: int
    cpu_us: float  # of the server and of the database, for each request


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--most", type=int, default=SIZES[-1], help="the largest size (10000000)")
    parser.add_argument("--seconds", type=int, default=4, help="the length of each run of wrk (4)")
    parser.add_argument("--database", choices=databases.KINDS, action="append", help="only this one")
    parser.add_argument("--out", type=Path, help="where the table goes (benchmarks/, if the run is whole)")
    args = parser.parse_args()
    load.require()
    costs: list[Cost] = []
    told = ""
    for kind in args.database or databases.KINDS:
        with tempfile.TemporaryDirectory(prefix="storekeeper-bench-") as name:
            told = told or report.heading("make bench-growth", Path(name))
            costs += _measure(kind, Path(name), [size for size in SIZES if size <= args.most], args.seconds)
    text = render(costs, told)
    print(text)
    is_whole = not args.database and args.most == SIZES[-1]
    if directory := args.out or (HERE if is_whole else None):
        (directory / "growth.md").write_text(text, "utf-8")


def _measure(kind: str, directory: Path, sizes: list[int], seconds: int) -> Iterator[Cost]:
    with ExitStack() as stack:
        names = [_name(size) for size in sizes]
        found = stack.enter_context(databases.open_databases(kind, directory, names, LOAD_CORE))
        servers = {size: _serve(stack, found, directory, size) for size in sizes}
        for operation in OPERATIONS:
            yield from _costs(found, servers, operation, seconds)


def _name(size: int) -> str:
    return f"items{size}"


def _serve(stack: ExitStack, found: databases.Databases, directory: Path, size: int) -> Server:
    own = directory / f"{found.kind}-{size}"
    own.mkdir()
    url = found.url(_name(size))
    server = stack.enter_context(serve(STOREKEEPER, url, own, 1, SERVER_CORE))
    grow(url, 1, size)
    found.settle(_name(size))
    print(f"{found.kind:<11}{size:>11,} items are there", flush=True)
    return server


def _costs(
    found: databases.Databases, servers: dict[int, Server], operation: operations.Operation, seconds: int
) -> Iterator[Cost]:
    turns = [_Turn(found, server, size, operation) for size, server in servers.items()]
    for turn in turns:
        turn.take(1, 0)
    rounds = [[turn.take(seconds, number) for turn in turns] for number in range(1, ROUNDS + 1)]
    for size, taken in zip(servers, zip(*rounds, strict=True), strict=True):
        yield Cost(found.kind, operation.name, size, statistics.median(taken))


class _Turn:
    """One operation on one size."""

    def __init__(self, found: databases.Databases, server: Server, size: int, operation: operations.Operation) -> None:
        self._trees = [tree for tree in (server.processes, found.processes) if tree]
        self._target = operations.aim(operation, STOREKEEPER.speech, server.place.port, ROUNDS + 1)
        self._size = size
        self._where = f"{found.kind:<11}{operation.name:<8}{size:>11,}"

    def take(self, seconds: int, number: int) -> float:
        """Microseconds of the CPU time for each request, of the server and the database."""
        counted, cpu_us = load.cost(self._target, self._size, seconds, number, LOAD_CORE, self._trees)
        print(f"{self._where}{counted['requests'] / counted['seconds']:>9,.0f}/s{cpu_us:>9,.0f} µs CPU", flush=True)
        return cpu_us


def grow(url: str, have: int, size: int) -> None:
    """From the first `have` items to `size`. The indexes are made anew afterwards, which is far quicker."""
    engine = create_engine(url, 3600)
    indexes = sorted(items.indexes, key=lambda index: str(index.name))
    with transaction(engine) as conn:
        for index in indexes:
            index.drop(conn)
    for first in range(have + 1, size + 1, AT_ONCE):
        with transaction(engine) as conn:
            _add(conn, range(first, min(first + AT_ONCE, size + 1)))
    with transaction(engine) as conn:
        for index in indexes:
            index.create(conn)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        item_search.analyze(conn)


def _add(conn: sa.Connection, numbers: range) -> None:
    rows = list(map(row, numbers))
    if conn.dialect.name == "sqlite":
        marks = ", ".join(f":{column}" for column in COLUMNS)
        statement = f"INSERT INTO items ({', '.join(COLUMNS)}) VALUES ({marks})"
        conn.exec_driver_sql(statement, [dict(zip(COLUMNS, each, strict=True)) for each in rows])
    else:
        dialects.copy(conn, "items", COLUMNS, rows)
    item_search.add(conn, list(map(entry, rows)))


Row = tuple[int, int, str, int, str, str, str, int, int]


def entry(row: Row) -> item_search.SearchDocument:
    id, store_id, name, _, sku, description, tags, *_ = row
    return item_search.SearchDocument(id, store_id, name, sku, None, description, tags)


def row(number: int) -> Row:
    description = " ".join(word(number * 6 + each) for each in range(6))
    price = number * 7919 % 10000
    store = number % data.STORES + 1
    return number, store, f"item{number}", price, f"S{number}", description, f"tag{number % 50}", number % 100, number


def word(number: int) -> str:
    """One of the vocabulary, as if drawn at random."""
    drawn = number * 2_654_435_761 % 2**32 % VOCABULARY
    return SYLLABLES[drawn // 729] + SYLLABLES[drawn // 27 % 27] + SYLLABLES[drawn % 27]


def render(costs: Sequence[Cost], told: str) -> str:
    return "\n".join(_lines(costs, told)) + "\n"


def _lines(costs: Sequence[Cost], told: str) -> Iterator[str]:
    sizes = sorted({cost.size for cost in costs})
    yield from ("# As the catalogue grows", "", told, "")
    yield "CPU microseconds of the server and its database for each request:"
    yield f"medians of {ROUNDS} runs, the sizes taking turns."
    yield ""
    heads = ("", "", *(f"{size:,}" for size in sizes), "last ÷ first")
    yield from report.table(heads, iter(_rows(costs, sizes)), left=2)


def _rows(costs: Sequence[Cost], sizes: list[int]) -> Iterator[tuple[str, ...]]:
    titles = {operation.name: operation.title for operation in OPERATIONS}
    by_size = {(cost.kind, cost.operation, cost.size): cost.cpu_us for cost in costs}
    for kind in dict.fromkeys(cost.kind for cost in costs):
        for name, title in titles.items():
            numbers = [by_size[kind, name, size] for size in sizes]
            yield (
                report.DATABASES[kind],
                title,
                *(f"{number:,.0f}" for number in numbers),
                f"{numbers[-1] / numbers[0]:.2f}",
            )


if __name__ == "__main__":
    main()
