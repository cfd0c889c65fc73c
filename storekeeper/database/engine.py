"""The database: how to reach it. Only here and in `worker_connections` a transaction begins or ends."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from importlib import import_module
from typing import Any, TypeVar, TypeVarTuple

import sqlalchemy as sa

from storekeeper.database.compiled_query import Query, Row
from storekeeper.database.status import DatabaseStatus
from storekeeper.database.worker_connections import LOCK, Browser, GroupWriter, Reader, Seeker, Writer
from storekeeper.database.worker_threads import Crew
from storekeeper.errors import KeyInUse, OutcomeUnknown, Unavailable

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

Connection = sa.Connection  # also for those who only pass one on
Engine = sa.Engine

SEEKERS, READERS, WRITERS = 2, 6, 8  # threads for PostgreSQL, which works while they wait
TOGETHER = 32  # jobs
SETTLING_PAUSE = 0.1  # seconds between attempts to find out what became of a commit

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite counts ids by itself only in a column of this exact type.
Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
# Compared and sorted by code point, as SQLite does, whatever the server's locale is.
Text = sa.String().with_variant(sa.String(collation="C"), "postgresql")


class Database:
    """Runs the models' functions on threads that each hold a connection."""

    def __init__(self, url: str, *, limit: int = 256, seconds: float = 5.0) -> None:
        self._seconds = seconds
        self.engine = create_engine(url, seconds)
        self.status = DatabaseStatus()
        reading = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        if self.engine.dialect.name == "sqlite":
            # All the work is in this process: more threads would only take turns on the same core.
            self._seekers = self._readers = Crew(
                lambda: Reader(reading, self.status), limit, seconds, together=TOGETHER
            )
            self._browsers = Crew(lambda: Browser(reading, self.status), limit, seconds, together=TOGETHER)
            self._writers = Crew(lambda: GroupWriter(self.engine, self.status), limit, seconds, together=TOGETHER)
        else:
            self._seekers = Crew(
                lambda: Seeker(reading, self.status), limit, seconds, threads=SEEKERS, together=TOGETHER
            )
            self._readers = self._browsers = Crew(lambda: Reader(reading, self.status), limit, seconds, threads=READERS)
            self._writers = Crew(lambda: Writer(self.engine, self.status), limit, seconds, threads=WRITERS)

    async def fetch(self, query: Query, values: Mapping[str, Any]) -> list[Row]:
        """Run one query that takes no time, such as a look-up by name. Of PostgreSQL, those that wait ask together."""
        result: list[Row] = await self._seekers.do(_fetch, query, values)
        return result

    async def read(self, function: Callable[[Connection, *Ts], T], *args: *Ts) -> T:
        """Run queries. There is no transaction: one round trip for each statement."""
        result: T = await self._readers.do(function, *args)
        return result

    async def browse(self, function: Callable[[Connection, *Ts], T], *args: *Ts) -> T:
        """Run a query that may take long, such as a page of a list: no look-up has to wait behind it."""
        result: T = await self._browsers.do(function, *args)
        return result

    async def write(self, function: Callable[[Connection, *Ts], T], *args: *Ts) -> T:
        """Run a change in a transaction: committed when it returns, rolled back when it raises."""
        result: T = await self._writers.do(function, *args)
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
        for crew in (self._seekers, self._readers, self._browsers, self._writers):
            crew.close()


def _fetch(conn: Connection, query: Query, values: Mapping[str, Any]) -> list[Row]:
    return query.fetch(conn, values)


@contextmanager
def transaction(engine: sa.Engine) -> Iterator[Connection]:
    """A connection in a transaction: committed at the end, rolled back when something is raised."""
    with engine.begin() as conn:
        if conn.dialect.name == "sqlite":
            conn.exec_driver_sql(LOCK)
        yield conn


def create_engine(url: str, seconds: float = 5.0, *, is_read_only: bool = False) -> sa.Engine:
    """An engine without a pool: our threads are the pool. No statement outlives `seconds` by much."""
    # Without its parameters an error may be logged: there are passwords' hashes among them.
    common: dict[str, Any] = {"poolclass": sa.NullPool, "hide_parameters": True}
    if sa.make_url(url).get_backend_name() != "sqlite":
        return sa.create_engine(url, connect_args=_postgresql_options(seconds), **common)
    # "named" lets a query pass its values by name to either driver.
    engine = sa.create_engine(url, module=_sqlite(), paramstyle="named", **common)
    configure = _forbid_changes if is_read_only else partial(_configure_sqlite, seconds)
    sa.event.listen(engine, "connect", configure)
    return engine


def _postgresql_options(seconds: float) -> dict[str, Any]:
    milliseconds = int(seconds * 1000)
    limits = {
        "statement_timeout": milliseconds,
        "lock_timeout": milliseconds,
        "idle_in_transaction_session_timeout": 2 * milliseconds,
    }
    return {
        "application_name": "storekeeper",
        "connect_timeout": 3,
        "tcp_user_timeout": milliseconds,
        "prepare_threshold": 0,
        "options": " ".join(f"-c {name}={value}" for name, value in limits.items()),
    }


def _sqlite() -> Any:
    """The bundled SQLite where there is one: the system's may still have the WAL-reset bug."""
    try:
        return import_module("pysqlite3.dbapi2")
    except ImportError:
        return import_module("sqlite3.dbapi2")


def _configure_sqlite(seconds: float, connection: Any, _record: Any) -> None:
    patience = 0.8 * seconds
    connection.execute(f"PRAGMA busy_timeout = {int(patience * 1000)}")  # first: the next line needs the lock
    _use_wal(connection, time.monotonic() + patience)
    connection.execute("PRAGMA synchronous = FULL")  # a commit survives a power cut
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA trusted_schema = OFF")


def _use_wal(connection: Any, deadline: float) -> None:
    """Also while another starter makes the file: SQLite does not wait for that by itself."""
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except connection.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _forbid_changes(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA query_only = ON")
