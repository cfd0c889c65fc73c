"""The same data for every candidate: an administrator, a user, his stores, and many items with a price each.

Item number n is called `item<n>` and lies in store n % 20 + 1; the load in wrk.lua counts on that.
"""

import sqlalchemy as sa
from pysqlite3 import dbapi2 as sqlite3  # type: ignore[import-untyped]

STORES = 20
USERNAME = "benchmark"
PASSWORD = "seven brass kettles"
STORE_NAMES = [f"store{number}" for number in range(1, STORES + 1)]

# One statement that both databases understand; `{columns}` and `{values}` are the candidate's own.
ITEMS = """
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :items)
    INSERT INTO items ({columns}) SELECT {values} FROM numbers ORDER BY n"""
NAME_AND_STORE = f"'item' || n, n % {STORES} + 1"
MINOR = "n * 7919 % 10000"

IN_FLOAT = ITEMS.format(columns="name, store_id, price", values=f"{NAME_AND_STORE}, ({MINOR}) / 100.0")
IN_MINOR_UNITS = ITEMS.format(columns="name, store_id, price_minor", values=f"{NAME_AND_STORE}, {MINOR}")


def create_engine(url: str) -> sa.Engine:
    """Without a pool; SQLite with the library that Storekeeper brings."""
    options = {"module": sqlite3} if url.startswith("sqlite") else {}
    return sa.create_engine(url, poolclass=sa.NullPool, **options)


def add_items(url: str, statement: str, items: int) -> None:
    with create_engine(url).begin() as conn:
        conn.execute(sa.text(statement), {"items": items})


def use_wal(url: str) -> None:
    """For what leaves a SQLite file as it is: the file remembers its journal mode."""
    if url.startswith("sqlite"):
        with create_engine(url).connect() as conn:
            conn.exec_driver_sql("PRAGMA journal_mode = WAL")
