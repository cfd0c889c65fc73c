"""The raw drivers under one call, `run(sql, *values)`: every row of one statement, which is its own transaction.

SQLite runs inline, on one connection. For PostgreSQL that would be no ceiling, as the core idles through each round
trip: it gets psycopg's asynchronous connections, as many as make it no faster to have more.
Statements number their values `$1`, `$2`, in the order of their first use, which both drivers understand.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

import psycopg
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
    def __init__(self, connections: Sequence[psycopg.AsyncConnection[Any]]) -> None:
        self._idle: asyncio.Queue[psycopg.AsyncRawCursor[Any]] = asyncio.Queue()
        for connection in connections:
            self._idle.put_nowait(psycopg.AsyncRawCursor(connection))

    async def run(self, sql: str, *values: Any) -> Rows:
        cursor = await self._idle.get()
        try:
            await cursor.execute(sql, values, binary=True)
            return await cursor.fetchall()
        finally:
            self._idle.put_nowait(cursor)


async def connect(url: str) -> Driver:
    scheme, _, path = url.partition(":///")
    if scheme == "sqlite":
        return Sqlite(path)
    connect = psycopg.AsyncConnection.connect
    return Postgresql([await connect(url, autocommit=True, prepare_threshold=0) for _ in range(CONNECTIONS)])
