"""`python -m benchmarks.requests`: what each kind of request costs on either database, to see which one is dear.

CPU time of the server and of PostgreSQL, for each request of 32 callers. The data are those of `growth.py`.
"""

import argparse
import statistics
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks import databases, load, operations, report
from benchmarks.candidates import STOREKEEPER
from benchmarks.growth import grow
from benchmarks.measure import LOAD_CORE, SERVER_CORE
from benchmarks.server import serve
from benchmarks.speech import Ask

HERE = Path(__file__).parent
FIRST, ITEMS = 1000, 100_000
ROUNDS = 3
PRICE = '{"price": {price}, "store_id": {store}}'

# Changes come first: some of the others read what they leave behind.
REQUESTS = {
    "set a price": Ask("PUT", "/item/item{number}", PRICE),
    "take from the stock": Ask("POST", "/item/item{number}/stock?store_id={store}", '{"delta": 1}'),
    "read an item": Ask("GET", "/item/item{number}"),
    "read an item of a store": Ask("GET", "/store/store{store}/item/item{number}"),
    "20 items": Ask("GET", "/items?limit=20"),
    "20 items of a store": Ask("GET", "/store/store{store}/items?limit=20"),
    "20 items of a store, by price": Ask("GET", "/store/store{store}/items?limit=20&sort=price"),
    "the item of a SKU": Ask("GET", "/items?sku=S{number}"),
    "search for a word": Ask("GET", "/items?limit=20&q={word}"),
    "search for a word in a store": Ask("GET", "/store/store{store}/items?limit=20&q={word}"),
    "20 items of a store with a tag": Ask("GET", "/store/store{store}/items?limit=20&tag=tag7"),
    "a store with 20 of its items": Ask("GET", "/store/store{store}?limit=20"),
    "all 10 stores, each with 20 items": Ask("GET", "/stores?limit=20"),
    "who works in a store": Ask("GET", "/store/store{store}/members"),
    "one's own sessions": Ask("GET", "/sessions?limit=20"),
    "an item's price and the lowest of 30 days": Ask("GET", "/item/item{number}/price"),
    "an item's history": Ask("GET", "/item/item{number}/history?limit=20"),
    "a store's history": Ask("GET", "/store/store{store}/history?limit=20"),
    "20 changes from the journal": Ask("GET", "/changes?limit=20"),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.requests", description=__doc__)
    parser.add_argument("--seconds", type=int, default=2, help="the length of each run (2)")
    parser.add_argument("--database", choices=databases.KINDS, action="append", help="only this one; writes nothing")
    args = parser.parse_args()
    load.require()
    kinds = args.database or databases.KINDS
    with tempfile.TemporaryDirectory(prefix="storekeeper-bench-") as name:
        costs = [dict(_measure(kind, Path(name), args.seconds)) for kind in kinds]
        told = report.heading("make bench-requests", Path(name))
    text = render(dict(zip(kinds, costs, strict=True)), told)
    print(text)
    if not args.database:
        (HERE / "requests.md").write_text(text, "utf-8")


def _measure(kind: str, parent: Path, seconds: int) -> Iterator[tuple[str, float]]:
    """Each request, with the microseconds that it takes."""
    directory = parent / kind
    directory.mkdir()
    with (
        databases.open_databases(kind, directory, [STOREKEEPER.name], LOAD_CORE) as found,
        serve(STOREKEEPER, found.url(STOREKEEPER.name), directory, FIRST, SERVER_CORE) as server,
    ):
        grow(server.place.url, FIRST, ITEMS)
        found.settle(STOREKEEPER.name)
        target = operations.aim(operations.ALL["read"], STOREKEEPER.speech, server.place.port, ROUNDS + 1)
        trees = [tree for tree in (server.processes, found.processes) if tree]
        for what, ask in REQUESTS.items():
            asked = target._replace(ask=ask)
            costs = [load.cost(asked, ITEMS, seconds, n, LOAD_CORE, trees)[1] for n in range(ROUNDS + 1)]
            cpu_us = statistics.median(costs[1:])  # the first warms up
            print(f"{kind:<11}{what:<45}{cpu_us:>9,.0f} µs CPU", flush=True)
            yield what, cpu_us


def render(costs: Mapping[str, Mapping[str, float]], told: str) -> str:
    heads = ("", *(report.DATABASES[kind] for kind in costs))
    rows = ((what, *(f"{each[what]:,.0f}" for each in costs.values())) for what in REQUESTS)
    lines = "CPU microseconds of the server and its database for each request,", f"medians of {ROUNDS} runs."
    return "\n".join(["# What requests cost", "", told, "", *lines, "", *report.table(heads, rows, left=1)]) + "\n"


if __name__ == "__main__":
    main()
