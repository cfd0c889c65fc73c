"""`python -m benchmarks.journal`: what the journal costs per write.

The same price updates, each a transaction of its own, with the journal and with its one function replaced by nothing,
in turns. CPU time is that of this process and of the database server.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple
from unittest.mock import patch

import psutil  # type: ignore[import-untyped]
import sqlalchemy as sa

from benchmarks import databases, report
from benchmarks.gauge import Tree
from benchmarks.measure import LOAD_CORE, SERVER_CORE
from storekeeper.database import schema_version
from storekeeper.database.engine import create_engine, transaction
from storekeeper.database.worker_connections import begin_writing
from storekeeper.domain.money import PriceInput
from storekeeper.models import item, journal, store_member, user
from storekeeper.models.item_fields import Fields

HERE = Path(__file__).parent
ITEMS = 1000


class Cost(NamedTuple):
    """Microseconds for each write."""

    cpu: float
    passed: float


class Round(NamedTuple):
    bare: Cost
    journaled: Cost


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.journal", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="how many turns each has (9)")
    parser.add_argument("--writes", type=int, default=1000, help="how many writes in a turn (1000)")
    args = parser.parse_args()
    psutil.Process().cpu_affinity([SERVER_CORE])
    found = {kind: _measure(kind, args.rounds, args.writes) for kind in databases.KINDS}
    text = "\n".join(_lines(found)) + "\n"
    print(text)
    if args.rounds >= parser.get_default("rounds"):
        (HERE / "journal.md").write_text(text, "utf-8")


def _measure(kind: str, rounds: int, writes: int) -> list[Round]:
    with (
        tempfile.TemporaryDirectory(prefix="storekeeper-bench-") as name,
        databases.open_databases(kind, Path(name), ["journal"], LOAD_CORE) as found,
    ):
        engine = create_engine(found.url("journal"))
        _fill(engine)
        with engine.connect() as conn:
            costs = Costs(conn, found.processes, writes)
            costs.measure()
            return [costs.round() for _ in range(rounds)]


def _fill(engine: sa.Engine) -> None:
    schema_version.migrate(engine)
    with transaction(engine) as conn, journal.signed(conn, journal.OPERATOR):
        user.add(conn, "alice", "-")
        store_member.create_store(conn, 1, "shop", "EUR")
        for number in range(ITEMS):
            item.add(conn, 1, 1, f"item{number}", Fields(price=PriceInput("1")))


class Costs:
    def __init__(self, conn: sa.Connection, server: Tree | None, writes: int) -> None:
        self._conn = conn
        self._trees = [Tree(psutil.Process().pid), *([server] if server else [])]
        self._writes = writes
        self._number = 0

    def round(self) -> Round:
        with patch.object(journal, "append", lambda *_: None):
            bare = self.measure()
        return Round(bare, self.measure())

    def measure(self) -> Cost:
        began, used = time.perf_counter(), self._cpu_seconds()
        for _ in range(self._writes):
            self._write()
        passed, used = time.perf_counter() - began, self._cpu_seconds() - used
        return Cost(1e6 * used / self._writes, 1e6 * passed / self._writes)

    def _write(self) -> None:
        self._number += 1
        price = Fields(price=PriceInput(f"{self._number % 10_000}.50"))
        with self._conn.begin(), journal.signed(self._conn, journal.OPERATOR):
            begin_writing(self._conn)
            item.put(self._conn, 1, 1, f"item{self._number % ITEMS}", price)

    def _cpu_seconds(self) -> float:
        return sum(tree.cpu_seconds() for tree in self._trees)


def _lines(found: dict[str, list[Round]]) -> Iterator[str]:
    yield from ("# What the journal costs", "", "Microseconds for each price update, committed; medians.", "")
    yield from report.table(("", "", "without", "with", "share of the write"), _rows(found), left=2)


def _rows(found: dict[str, list[Round]]) -> Iterator[tuple[str, ...]]:
    for kind, rounds in found.items():
        for label, of in (("CPU", lambda cost: cost.cpu), ("time", lambda cost: cost.passed)):
            yield (report.DATABASES[kind], label, *_cells(rounds, of))


def _cells(rounds: Sequence[Round], of: Callable[[Cost], float]) -> tuple[str, ...]:
    bare, journaled = (median(of(cost) for cost in costs) for costs in zip(*rounds, strict=True))
    return f"{bare:,.0f}", f"{journaled:,.0f}", f"{1 - bare / journaled:.0%}"


if __name__ == "__main__":
    main()
