"""The raw drivers under one call, `run(sql, *values)`: every row of one statement, which is its own transaction.

SQLite runs inline, on one connection. For PostgreSQL that would be no ceiling, as the core idles through each round
trip (measured: 2,700 item reads/s, against 11,600): it gets asyncpg and a few connections.
Statements number their values `$1`, `$2`, in the order of their first use, which both drivers understand.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

import asyncpg  # type: ignore[import-untyped]
from pysqlite3 import dbapi2 as sqlite3  # type: ignore[import-untyped]

CONNECTIONS = 8

Rows = Sequence[Sequence[Any]]


class Driver(Protocol):
    async def run(self, sql: str, *values: Any) -> Rows: ...


class Sqlite:
    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        for pragma in ("busy_timeout = 4000", "journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            self._connection.execute(f"PRAGMA {pragma}")

    async def run(self, sql: str, *values: Any) -> Rows:
        rows: Rows = self._connection.execute(sql, values).fetchall()
        return rows


class Postgresql:
    def __init__(self, connections: Sequence[asyncpg.Connection]) -> None:
        self._idle: asyncio.Queue[asyncpg.Connection] = asyncio.Queue()
        for connection in connections:
            self._idle.put_nowait(connection)

    async def run(self, sql: str, *values: Any) -> Rows:
        connection = await self._idle.get()
        try:
            rows: Rows = await connection.fetch(sql, *values)
            return rows
        finally:
            self._idle.put_nowait(connection)


async def connect(url: str) -> Driver:
    scheme, _, path = url.partition(":///")
    if scheme == "sqlite":
        return Sqlite(path)
    return Postgresql([await asyncpg.connect(url) for _ in range(CONNECTIONS)])
