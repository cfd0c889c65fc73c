"""Runs functions on threads that each hold a connection, so that the event loop never waits for the database."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar, TypeVarTuple

from storekeeper.database.compiled_query import CompiledQuery
from storekeeper.database.engine import Connection, create_engine
from storekeeper.database.status import DatabaseStatus
from storekeeper.database.worker_connections import GroupWriter, LookupReader, Reader, SQLiteReader, Writer
from storekeeper.database.worker_threads import WorkerThreads
from storekeeper.errors import KeyInUse, OutcomeUnknown, Unavailable

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

LOOKUPS, READERS, WRITERS = 2, 6, 8  # threads for PostgreSQL, which works while they wait
TOGETHER = 32  # jobs
SETTLING_PAUSE = 0.1  # seconds between attempts to find out what became of a commit


class Database:
    """Runs the models' functions on threads that each hold a connection."""

    def __init__(self, url: str, *, limit: int = 256, seconds: float = 5.0) -> None:
        self._seconds = seconds
        self.engine = create_engine(url, seconds)
        self.status = DatabaseStatus()
        reading = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        if self.engine.dialect.name == "sqlite":
            # All the work is in this process: more threads would only take turns on the same core.
            self._lookups = self._readers = WorkerThreads(
                lambda: SQLiteReader(reading, self.status), limit, seconds, together=TOGETHER
            )
            self._lists = WorkerThreads(lambda: SQLiteReader(reading, self.status), limit, seconds, together=TOGETHER)
            self._writers = WorkerThreads(
                lambda: GroupWriter(self.engine, self.status), limit, seconds, together=TOGETHER
            )
        else:
            self._lookups = WorkerThreads(
                lambda: LookupReader(reading, self.status), limit, seconds, threads=LOOKUPS, together=TOGETHER
            )
            self._readers = self._lists = WorkerThreads(
                lambda: Reader(reading, self.status), limit, seconds, threads=READERS
            )
            self._writers = WorkerThreads(lambda: Writer(self.engine, self.status), limit, seconds, threads=WRITERS)

    async def read_one(self, query: CompiledQuery[T], values: Mapping[str, Any]) -> list[T]:
        """Run one query that takes no time, such as a look-up by name. Of PostgreSQL, those that wait ask together."""
        result: list[T] = await self._lookups.submit(_fetch, query, values)
        return result

    async def read(self, function: Callable[[Connection, *Ts], T], *args: *Ts) -> T:
        """Run queries. There is no transaction: one round trip for each statement."""
        result: T = await self._readers.submit(function, *args)
        return result

    async def read_list(self, function: Callable[[Connection, *Ts], T], *args: *Ts) -> T:
        """Run a query that may take long, such as a page of a list: no look-up has to wait behind it."""
        result: T = await self._lists.submit(function, *args)
        return result

    async def write(self, function: Callable[[Connection, *Ts], T], *args: *Ts) -> T:
        """Run a change in a transaction: committed when it returns, rolled back when it raises."""
        result: T = await self._writers.submit(function, *args)
        return result

    async def write_once(self, function: Callable[[Connection, *Ts], T], *args: *Ts) -> T:
        """Run a change that finds out by itself whether it was made before, as one with an Idempotency-Key does.

        Where its commit was not confirmed, it is run again, which settles what became of it. OutcomeUnknown where the
        database does not come back within the time that a change has.
        """
        deadline = asyncio.get_running_loop().time() + self._seconds
        try:
            return await self.write(function, *args)
        except OutcomeUnknown:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(deadline):
                    return await self._settle(function, *args)
            raise

    async def _settle(self, function: Callable[[Connection, *Ts], T], *args: *Ts) -> T:
        while True:
            # The database may not be back yet, or still be about to carry out the first commit, holding its locks.
            with suppress(Unavailable, KeyInUse):
                return await self.write(function, *args)
            await asyncio.sleep(SETTLING_PAUSE)

    def close(self) -> None:
        for threads in (self._lookups, self._readers, self._lists, self._writers):
            threads.close()


def _fetch(conn: Connection, query: CompiledQuery[T], values: Mapping[str, Any]) -> list[T]:
    return query.fetch(conn, values)
